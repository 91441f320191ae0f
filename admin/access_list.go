package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/accesslist"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

const opAccessList = "AccessList"

// AccessListInput says which access is listed.
type AccessListInput = access.ListInput

// AccessList lists who holds what in the whole mesh, and through which subscriptions. It
// is done by an administrator of the mesh account; elsewhere it is a
// [lakemesh.ErrWrongAccount]. It is an [lakemesh.ErrAccessDenied], and not an empty list,
// if the mesh's manager is no data lake administrator.
func (a *Admin) AccessList(ctx context.Context, in AccessListInput) (*access.List, error) {
	if err := a.inMesh(opAccessList); err != nil {
		return nil, err
	}
	if err := accesslist.CheckAt(in.At, a.options.Now); err != nil {
		return nil, err
	}
	records := a.records()
	s := accesslist.Source{Tracker: records, Mesh: a.mesh, Partition: a.partition}
	var err error
	if s.Records, err = records.Everybody(ctx); err != nil {
		return nil, err
	}
	if err := a.seesGrants(ctx, opAccessList); err != nil {
		return nil, err
	}
	there, err := a.permissions().Readers(ctx)
	if err != nil {
		return nil, identity.Explain(opAccessList, a.mesh, "permissions", err)
	}
	owners := makersOf(a.partition, a.mesh, there)
	s.OwnersOf = func(database string) map[string]bool { return owners.on(access.OnDatabase(a.mesh, database)) }
	foreign := 0
	s.Records = slices.DeleteFunc(s.Records, func(r *tracker.Record) bool {
		others := owners.foreign(r)
		owners.own(r)
		if others && r.Status == lakemesh.Active {
			foreign++
		}
		return others || in.At == nil && r.Status != lakemesh.Active
	})
	if in.At == nil {
		s.There = there
	}
	list, err := s.Make(ctx, in.ListFilter, in.At)
	if err == nil && foreign > 0 {
		list.Notes = append(list.Notes, fmt.Sprintf("%d active subscriptions were written by accounts that do not own what they are on, and justify nothing: a verification names them", foreign))
	}
	return list, err
}

// seesGrants refuses where the mesh's manager is not shown who holds what.
func (a *Admin) seesGrants(ctx context.Context, op string) error {
	settings, err := a.observeSettings(ctx)
	if err != nil {
		return err
	}
	if !isAdministrator(settings, a.partition.RoleARN(a.mesh, lakemesh.ManagerRole)) {
		// Who is no administrator is shown only what it holds itself.
		return &lakemesh.Error{Op: op, Account: a.mesh, Resource: "what is granted", Kind: lakemesh.ErrAccessDenied,
			Message: lakemesh.ManagerRole + " is no data lake administrator, so that it may not see who holds what", Hint: "initialize the mesh account", Do: []lakemesh.Call{lakemesh.Do("admin.InitializeMeshAccount")}}
	}
	return nil
}
