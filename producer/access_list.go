package producer

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/accesslist"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

const opAccessList = "AccessList"

// AccessListInput says which access is listed.
type AccessListInput = access.ListInput

// AccessList lists who holds what on this producer's products, and through which
// subscriptions. Where Lake Formation hides from the producer what others hold, the list
// is an [lakemesh.ErrAccessDenied] and not empty.
func (p *Producer) AccessList(ctx context.Context, in AccessListInput) (*access.List, error) {
	if err := accesslist.CheckAt(in.At, p.options.Now); err != nil {
		return nil, err
	}
	s := accesslist.Source{Tracker: p.records, Mesh: p.meshAccount, Partition: p.partition, Owner: p.account}
	var err error
	if in.At != nil {
		err = p.records.Owned(ctx, p.account, "", func(r *tracker.Record) bool {
			s.Records = append(s.Records, r)
			return true
		})
	} else {
		s.Records, err = p.records.OwnedActive(ctx, p.account, func(r *tracker.Record) bool { return r.Status == lakemesh.Active })
	}
	if err != nil {
		return nil, err
	}
	if in.At != nil {
		return s.Make(ctx, in.ListFilter, in.At)
	}
	all, err := p.mesh.lake.Readers(ctx)
	if err != nil {
		return nil, identity.Explain(opAccessList, p.meshAccount, "what is granted", err)
	}
	s.There = access.Grants{}
	for k, h := range all {
		// Lake Formation shows a producer what is its own, whatever the database is called.
		tags, _ := k.Object.Tags()
		if k.Object.Database != "" || chain.OwnerOfTags(tags) == p.account {
			s.There.Add(k, h)
		}
	}
	// The producer's role made the tables, and holds everything on them: a listing that
	// does not even show that shows nothing.
	if len(s.There) == 0 && len(s.Records) > 0 {
		return nil, p.hidden(opAccessList, "subscriptions are active")
	}
	list, err := s.Make(ctx, in.ListFilter, nil)
	if err == nil {
		list.Notes = append(list.Notes, "grants by others' LF-tags name no product and are not in the list; the mesh's administrator sees them")
	}
	return list, err
}

// hidden is the error where Lake Formation shows the producer's role nothing.
func (p *Producer) hidden(op, what string) error {
	return accesslist.Hidden(op, p.meshAccount, what, "let the mesh's administrator look, who sees all of it, and bring the producer's role up to date",
		lakemesh.Do("admin.AccessList"), lakemesh.Do("admin.UpgradeMesh"))
}
