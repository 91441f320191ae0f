package producer

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// shared finds the RAM shares that carry a consumer's grants.
type shared struct {
	producer  *Producer
	record    *tracker.Record
	resources []permissions.Resource
	// to are those whom the grants are to: the consumer's account, identities of it, with which
	// the shares are with the account, or organizations and units.
	to    []string
	found *permissions.Grants
	// left are shares that the consumer was not in any more before the decision. What
	// they carried is granted again, which makes others.
	left []string
}

// carrying are the shares that carry what was granted on a resource, as far as the
// consumer is in them.
func (s *shared) carrying(on ...permissions.Resource) []string {
	all := s.of(s.found, on...)
	if live := slices.DeleteFunc(slices.Clone(all), func(arn string) bool { return slices.Contains(s.left, arn) }); len(live) > 0 {
		return live
	}
	// Lake Formation has put the consumer back into them.
	return all
}

// of are the shares by which those who hold something on the resources hold it.
func (s *shared) of(grants *permissions.Grants, on ...permissions.Resource) []string {
	var all []string
	for _, principal := range s.to {
		all = append(all, grants.Shares(principal, on...)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// knows takes the shares as they were found, if what is granted changes none of them: if
// all of it was shared already, Lake Formation puts nothing more into a share. What is
// revoked as well may end a share before the rest is granted.
func (s *shared) knows(f *found, grant, revoke, wanted []permissions.Entry) {
	if len(grant) > 0 && len(revoke) > 0 {
		return
	}
	for _, e := range grant {
		if len(f.have.Shares(e.Principal, e.Resource)) == 0 || f.carriage.Missing[s.producer.sharedARN(e.Resource)] != "" {
			return
		}
	}
	s.found = f.have.With(wanted)
}

// look reads which shares carry what is granted, once.
func (s *shared) look(ctx context.Context) error {
	if s.found != nil {
		return nil
	}
	var err error
	s.found, err = s.producer.lakeOf(s.record.ID, s.to).Observe(ctx, s.resources...)
	return err
}

// await checks that none of the shares failed.
func (s *shared) await(ctx context.Context) error {
	if err := s.look(ctx); err != nil {
		return err
	}
	arns := s.carrying(s.resources...)
	if len(arns) == 0 {
		return nil
	}
	var objects []string
	for _, r := range s.resources {
		if r.Kind != permissions.KindTagged && slices.ContainsFunc(s.to, func(principal string) bool { return len(s.found.Of(principal, r).Permissions) > 0 }) {
			objects = append(objects, s.producer.sharedARN(r))
		}
	}
	return s.owner(s.to...).Check(ctx, s.record.Subscriber, arns, objects...)
}

func (s *shared) owner(to ...string) sharing.Owner {
	return sharing.Owner{Client: s.producer.mesh.ram, Account: s.producer.meshAccount, Identities: to}
}

// receivers are those with whom the shares are, each with those whom they carry grants to.
func (s *shared) receivers() map[string][]string {
	all := map[string][]string{}
	for _, principal := range s.to {
		with := access.Grantee(principal).Receiver()
		all[with] = append(all[with], principal)
	}
	return all
}

// with names those with whom the shares are.
func (s *shared) with() string {
	var all []string
	for with := range s.receivers() {
		if with == s.record.Subscriber {
			with = "account " + with
		}
		all = append(all, with)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// carriage is how the shares carry what the consumer holds. Where no share is named
// nothing is known, and nothing is missing.
func (s *shared) carriage(ctx context.Context, have *permissions.Grants) (sharing.Carriage, error) {
	all := sharing.Carriage{Missing: map[string]string{}, Settled: true}
	looked := false
	for with, to := range s.receivers() {
		one := &shared{producer: s.producer, record: s.record, resources: s.resources, to: to}
		var held []string
		for _, r := range s.resources {
			if r.Kind != permissions.KindTagged && len(one.of(have, r)) > 0 {
				held = append(held, s.producer.sharedARN(r))
			}
		}
		if len(held) == 0 {
			continue
		}
		looked = true
		c, err := s.owner(to...).Carriage(ctx, with, one.of(have, s.resources...), held)
		if err != nil {
			return c, err
		}
		maps.Copy(all.Missing, c.Missing)
		all.Settled, all.Left = all.Settled && c.Settled, append(all.Left, c.Left...)
	}
	all.Settled = all.Settled && looked
	return all, nil
}

// sharedARN is the ARN under which a share carries a resource; empty for what goes by
// LF-tags, of which nothing is documented.
func (p *Producer) sharedARN(r permissions.Resource) string {
	switch r.Kind {
	case permissions.KindDatabase:
		return p.partition.DatabaseARN(p.region, r.Account, r.Database)
	case permissions.KindAllTables:
		return p.partition.TableARN(p.region, r.Account, r.Database, "*")
	case permissions.KindTagged:
		return ""
	}
	return p.partition.TableARN(p.region, r.Account, r.Database, r.Table)
}

// find returns the shares in the form of the record: one entry for the database,
// and one for each share that carries tables, under the name of the first of them.
// Listing a share once for each of thousands of tables would not fit into an item.
func (s *shared) find(ctx context.Context) (map[string]lakemesh.RAMShare, error) {
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	all := map[string]lakemesh.RAMShare{}
	seen := map[string]bool{}
	note := func(object, kind string, r permissions.Resource) {
		for _, arn := range s.carrying(r) {
			if !seen[kind+arn] {
				seen[kind+arn] = true
				all[object] = lakemesh.RAMShare{Type: kind, ARN: arn}
			}
		}
	}
	for _, r := range s.resources {
		if r.Kind == permissions.KindDatabase {
			note(r.Database, "Database", r)
			continue
		}
		object := r.Table
		switch {
		case r.Kind == permissions.KindTagged:
			object = "LF_TAGS"
		case object == "":
			object = "ALL_TABLES"
		}
		note(object, "Table", r)
	}
	return all, nil
}
