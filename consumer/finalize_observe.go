package consumer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
)

// shareARNs are the RAM shares that carry a subscription, as its owner recorded
// them.
func shareARNs(s *lakemesh.Subscription) []string {
	var arns []string
	for _, share := range s.RAMShares {
		if share.ARN != "" {
			arns = append(arns, share.ARN)
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// observe reads what is there.
func (f *finalizing) observe(ctx context.Context) error {
	if err := f.observeShares(ctx); err != nil {
		return err
	}
	return f.observeRest(ctx)
}

// observeShares reads whether what was granted has arrived, and what invites to it.
func (f *finalizing) observeShares(ctx context.Context) (err error) {
	if f.visible, err = f.look(ctx); err != nil {
		return err
	}
	f.sawFirst = f.visible
	if err := f.invitations(ctx); err != nil {
		return err
	}
	return f.lookForShares(ctx)
}

// lookForShares looks whether the shares that the record names are in effect, before the first
// import of what can be seen already: it may be seen by another subscription, by LF-tags, whose
// share is another one, and the invitation to this one be late.
func (f *finalizing) lookForShares(ctx context.Context) error {
	shares := shareARNs(&f.record.Subscription)
	if !f.visible || f.record.Imported || len(f.pending) > 0 || len(shares) == 0 || !f.record.Group.IsZero() || len(f.record.Scope.Principals) > 0 {
		return nil
	}
	accepted, err := f.consumer.receiver().Accepted(ctx, shares)
	if err != nil {
		return err
	}
	f.unshared = len(accepted) < len(shares)
	f.visible = !f.unshared
	return nil
}

// observeRest reads the links, and what is granted.
func (f *finalizing) observeRest(ctx context.Context) error {
	if !f.elsewhere {
		if err := f.lookForLink(ctx); err != nil {
			return err
		}
	}
	if err := f.lookForOtherLinks(ctx); err != nil {
		return err
	}
	if err := f.lookForGrants(ctx); err != nil {
		return err
	}
	return f.lookForOptIns(ctx)
}

// look reports whether everything that was granted can be seen. Of a whole database
// that is the database, and a table if any was shared.
func (f *finalizing) look(ctx context.Context) (bool, error) {
	c, r := f.consumer, f.record
	if direct(f.record) {
		// Nobody of the account but those identities sees what was granted. What can be seen is
		// whether the shares are in effect.
		shares := shareARNs(&r.Subscription)
		accepted, err := c.receiver().Accepted(ctx, shares)
		return len(accepted) == len(shares), err
	}
	d, ok, err := c.shared.database(ctx, r.Database)
	if err != nil || !ok {
		return false, err
	}
	if owner := catalog.OwnerOf(d); !r.Group.IsZero() && owner != "" && owner != r.Owner {
		// Which databases a group is in its owner says alone.
		return false, &lakemesh.Error{Op: opFinalize, Account: c.account, Resource: "subscription " + r.ID, Kind: lakemesh.ErrTampered,
			Message: fmt.Sprintf("account %s says that tables of %s are in database %s, which is not its own but of account %s", r.Owner, r.Group, r.Database, owner),
			Hint:    "ask the owner, account " + r.Owner + ", to end it"}
	}
	f.marked = catalog.HybridTables(d)
	if r.OwnersWord() {
		if err := f.ofItsOwner(ctx); err != nil {
			return false, err
		}
	}
	if !r.WholeDatabase() {
		return f.lookForNamed(ctx)
	}
	list, err := c.shared.tables(ctx, r.Database)
	if err != nil {
		return false, err
	}
	f.seen = f.seen[:0]
	for i := range list {
		f.seen = append(f.seen, strings.ToLower(aws.ToString(list[i].Name)))
	}
	if err := f.lookForPublished(ctx); err != nil {
		return false, err
	}
	return len(f.seen) > 0 || !sharesTables(&r.Subscription), nil
}

// lookForPublished asks by their names for the tables that the mesh shows in the
// database and the listing of what was shared lacks: it can be late. One that cannot be
// seen may not have been granted yet, so that it is not waited for.
func (f *finalizing) lookForPublished(ctx context.Context) error {
	c, r := f.consumer, f.record
	published, err := c.public.tables(ctx, r.Database)
	if err != nil {
		c.log.WarnContext(ctx, "could not see what is published in the database; only what is listed as shared is imported", "database", r.Database, "error", err)
		return nil
	}
	listed := make(map[string]bool, len(f.seen))
	for _, name := range f.seen {
		listed[name] = true
	}
	var mu sync.Mutex
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i := range published {
		name := strings.ToLower(aws.ToString(published[i].Name))
		if listed[name] {
			continue
		}
		group.Go(func() error {
			_, ok, err := c.shared.table(asking, r.Database, name)
			if err == nil && ok {
				mu.Lock()
				defer mu.Unlock()
				f.seen = append(f.seen, name)
			}
			return err
		})
	}
	return group.Wait()
}

// lookForNamed reports whether the tables that the record names can be seen. That a
// listing of another account's database has all that was shared of it is not documented,
// so those that it lacks are asked for by their names.
func (f *finalizing) lookForNamed(ctx context.Context) (bool, error) {
	c, r := f.consumer, f.record
	var listed []string
	if len(r.Tables) > fewTables {
		list, err := c.shared.tables(ctx, r.Database)
		if err != nil {
			return false, err
		}
		for i := range list {
			listed = append(listed, strings.ToLower(aws.ToString(list[i].Name)))
		}
	}
	visible := make([]bool, len(r.Tables))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i, name := range r.Tables {
		if visible[i] = slices.Contains(listed, strings.ToLower(name)); visible[i] {
			continue
		}
		group.Go(func() (err error) {
			_, visible[i], err = c.shared.table(asking, r.Database, name)
			return err
		})
	}
	err := group.Wait()
	return err == nil && !slices.Contains(visible, false), err
}

// sharesTables reports whether one of the recorded shares carries tables.
func sharesTables(s *lakemesh.Subscription) bool {
	for _, share := range s.RAMShares {
		if strings.EqualFold(share.Type, "table") {
			return true
		}
	}
	return false
}

// invitations reads the mesh's invitations to the subscription's shares: those of
// nobody else, and to no other share where the record says which they are. Of several to
// one share the last one counts.
func (f *finalizing) invitations(ctx context.Context) error {
	c := f.consumer
	shares := shareARNs(&f.record.Subscription)
	all, err := c.receiver().Invitations(ctx, c.meshAccount, shares)
	if mayBeUnnamed(f.record) && (!f.visible || !f.record.Group.IsZero()) {
		// Lake Formation did not say which shares carry what was granted, as it need not. What
		// goes by LF-tags can be in another one than a database that is seen already.
		all, err = c.receiver().InvitationsOf(ctx, c.meshAccount)
	}
	if err != nil {
		return err
	}
	last := map[string]sharing.Invitation{}
	for _, i := range all {
		last[i.Share] = i
	}
	for _, i := range last {
		switch {
		case i.Pending():
			f.pending = append(f.pending, i)
		case i.Status != ramtypes.ResourceShareInvitationStatusAccepted && !f.visible:
			// Nothing is pending for this share: this only words why not.
			_, err := c.receiver().AcceptPending(ctx, c.meshAccount, []string{i.Share})
			return err
		}
	}
	slices.SortFunc(f.pending, func(a, b sharing.Invitation) int { return strings.Compare(a.Share, b.Share) })
	return nil
}

// lookForLink reports whether the link is there, and refuses a different object
// under its name.
func (f *finalizing) lookForLink(ctx context.Context) error {
	c := f.consumer
	db, ok, err := c.own.database(ctx, f.link)
	if err != nil || !ok {
		return err
	}
	if c.linksTo(db, f.record.Database) {
		f.linked = true
		return nil
	}
	return nameTaken(c, db, f.link, "")
}

// nameTaken is the error of a link whose name something else has.
func nameTaken(c *Consumer, db *types.Database, link, region string) error {
	what := "a database of your own"
	if t := db.TargetDatabase; t != nil {
		what = fmt.Sprintf("a link to database %s of account %s", aws.ToString(t.DatabaseName), aws.ToString(t.CatalogId))
	}
	if region != "" {
		what += " in region " + region
	}
	return &lakemesh.Error{Op: opFinalize, Account: c.account, Resource: "database " + link, Kind: lakemesh.ErrInvalidInput,
		Message: "the name is taken by " + what, Hint: "choose another name for the link with LinkDatabaseName (--link-database-name)"}
}

// lookForGrants reads what the principals hold, and what the account may hand on.
func (f *finalizing) lookForGrants(ctx context.Context) error {
	c, s := f.consumer, &f.record.Subscription
	var resources []permissions.Resource
	if f.visible && !direct(f.record) {
		resources = append(f.tables(), permissions.Database(c.meshAccount, s.Database))
		if s.Scope.Partly() || !s.Group.IsZero() {
			resources = append(resources, f.objects()...)
		}
		if s.WholeDatabase() {
			resources = append(resources, permissions.AllTables(c.meshAccount, s.Database))
		}
	}
	if f.linked {
		resources = append(resources, permissions.Database(c.account, f.link))
	}
	held, err := c.grants(ctx, opFinalize, resources)
	if err != nil {
		return err
	}
	f.held = held
	if !f.visible || s.WholeDatabase() || !s.Group.IsZero() || len(f.withheld()) == 0 {
		return nil
	}
	// What the account does not hold on a table it may hold on all of the database.
	all, err := c.grants(ctx, opFinalize, []permissions.Resource{permissions.AllTables(c.meshAccount, s.Database)})
	if err == nil {
		f.held = held.With(all.Entries())
	}
	return err
}
