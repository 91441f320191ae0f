package consumer

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/accesslist"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

const opAccessList = "AccessList"

// AccessListInput says which access is listed.
type AccessListInput = access.ListInput

// AccessList lists what this account holds in the mesh and what it has handed on, and
// through which subscriptions, in the databases that it ever asked for, and by the LF-tags of
// the domains and data products that it asked for. Grants on
// others, on columns, on filters and by other tags are not in it:
// a note says so. Where Lake Formation shows nothing of what active subscriptions
// justify, it is an [lakemesh.ErrAccessDenied] and not an empty list.
func (c *Consumer) AccessList(ctx context.Context, in AccessListInput) (*access.List, error) {
	if err := accesslist.CheckAt(in.At, c.options.Now); err != nil {
		return nil, err
	}
	s := accesslist.Source{Tracker: c.tracker, Mesh: c.meshAccount, Partition: c.partition}
	// Subscriptions that have ended name databases, too, in which something may be held.
	if err := c.tracker.Subscribed(ctx, c.account, "", func(r *tracker.Record) bool {
		s.Records = append(s.Records, r)
		return true
	}); err != nil {
		return nil, err
	}
	if in.At != nil {
		return s.Make(ctx, in.ListFilter, in.At)
	}
	seen := map[permissions.Resource]bool{}
	add := func(database string, tables ...string) {
		seen[permissions.Database(c.meshAccount, database)] = true
		seen[permissions.AllTables(c.meshAccount, database)] = true
		for _, t := range tables {
			seen[permissions.Table(c.meshAccount, database, t)] = true
		}
	}
	databases := map[string]bool{}
	for _, r := range s.Records {
		for _, part := range inDatabases(r) {
			if part.Database != "" {
				databases[part.Database] = true
				add(part.Database, part.Tables...)
			}
		}
		if !r.Group.IsZero() {
			seen[tagged(c.meshAccount, &r.Subscription)] = true
		}
	}
	owners := map[string]string{}
	for name := range databases {
		d, ok, err := c.shared.database(ctx, name)
		if err != nil {
			return nil, err
		}
		if ok {
			owners[name] = catalog.OwnerOf(d)
		}
		tables, err := c.shared.tables(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			add(name, strings.ToLower(aws.ToString(t.Name)))
		}
	}
	s.Records = slices.DeleteFunc(s.Records, func(r *tracker.Record) bool {
		return r.Status != lakemesh.Active || slices.ContainsFunc(inDatabases(r), func(part *tracker.Record) bool { return isAnothers(part, owners[part.Database]) })
	})
	var resources []permissions.Resource
	for r := range seen {
		resources = append(resources, r)
	}
	found, err := c.grants(ctx, opAccessList, resources)
	if err != nil {
		return nil, err
	}
	s.There = access.Grants{}
	for k, h := range found.Access() {
		// It is shown what organizations and units hold that it is in.
		if k.Grantee.Account() == c.account || k.Grantee.Organization() {
			s.There.Add(k, h)
		}
	}
	// Before it was imported, what was shared may not have been accepted, and is not seen.
	if len(s.There) == 0 && slices.ContainsFunc(s.Records, func(r *tracker.Record) bool { return r.Imported && !r.Leaving }) {
		return nil, accesslist.Hidden(opAccessList, c.account, "subscriptions were imported",
			lakemesh.ConsumerRole+" has to be a data lake administrator of its account, which its administrator makes it again", lakemesh.Do("admin.InitializeConsumerAccount"))
	}
	list, err := s.Make(ctx, in.ListFilter, nil)
	if err == nil {
		list.Notes = append(list.Notes, "the list is of the databases that this account has asked for; grants on others, on columns, on filters and by other tags are seen by the owner and the mesh's administrator")
	}
	return list, err
}
