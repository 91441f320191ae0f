package admin

import (
	"context"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// asManager makes a call as DataMeshManager, for which role and administrator's
// rights may have been made a moment ago: until they are known everywhere, AWS
// refuses.
func (a *Admin) asManager(ctx context.Context, what string, call func(context.Context) error) error {
	return poll.Until(ctx, identity.Propagation, lakemesh.ManagerRole+" to be allowed to "+what, func(ctx context.Context) (bool, error) {
		err := call(ctx)
		if identity.IsAccessDenied(err) {
			return false, poll.NotYet(err)
		}
		return err == nil, err
	})
}

// observeGrants reads which of the grants that are wanted there are. All of them
// are to one principal: what others of the mesh hold is not read, so that this
// costs the same in a large mesh as in a small one.
func (a *Admin) observeGrants(ctx context.Context, wanted []permissions.Entry) (*permissions.Grants, error) {
	resources := make([]permissions.Resource, len(wanted))
	for i, e := range wanted {
		resources[i] = e.Resource
	}
	found, err := a.permissions().ObserveOf(ctx, wanted[0].Principal, resources...)
	if err != nil {
		return nil, identity.Explain("ListPermissions", a.mesh, "permissions on the catalog and the LF-tags", err)
	}
	return found, nil
}

// readOnlyGrants let the read-only role see which products a domain has.
func readOnlyGrants(p lakemesh.Partition, mesh string) []permissions.Entry {
	var all []permissions.Entry
	for _, key := range meshTags() {
		all = append(all, permissions.Entry{Principal: p.RoleARN(mesh, lakemesh.ReadOnlyRole), Resource: permissions.Tag(mesh, key),
			Permissions: lakemesh.NewPermissions(lakemesh.Describe)})
	}
	return all
}

// producerGrants let a producer make databases of its own, and give its products a
// domain and a name. What it makes is its own then: whoever creates a database or a
// table holds every permission on it. An older version let it make LF-tags, too.
func producerGrants(p lakemesh.Partition, mesh, producer string) []permissions.Entry {
	role := p.RoleARN(mesh, lakemesh.MeshProducerRole(producer))
	all := []permissions.Entry{{Principal: role, Resource: permissions.Catalog(mesh),
		Permissions: lakemesh.NewPermissions(permissions.CreateDatabase)}}
	for _, key := range meshTags() {
		all = append(all,
			// On the key: to add values.
			permissions.Entry{Principal: role, Resource: permissions.Tag(mesh, key),
				Permissions: lakemesh.NewPermissions(lakemesh.Alter, permissions.Associate, lakemesh.Describe)})
	}
	return all
}

// wantedOfProducer is what a producer's role in the mesh account holds: what each does,
// and DATA_LOCATION_ACCESS on the locations that were registered with its data access
// role. Whether registering gives that is not documented; where it does not, only a data
// lake administrator can. It opens no data: the data access role reads what the owner of
// a bucket opens to it. Without that role there are no such locations.
func (a *Admin) wantedOfProducer(ctx context.Context, producer string, hasReader bool) ([]permissions.Entry, error) {
	wanted := producerGrants(a.partition, a.mesh, producer)
	if !hasReader {
		return wanted, nil
	}
	locations, err := a.permissions().Locations(ctx)
	if err != nil {
		return nil, identity.Explain("ListResources", a.mesh, "registered locations", err)
	}
	reader := a.partition.RoleARN(a.mesh, lakemesh.DataAccessRole(producer))
	for _, l := range locations {
		if l.Role == reader {
			wanted = append(wanted, permissions.Entry{Principal: wanted[0].Principal, Resource: permissions.Location(a.mesh, l.ARN),
				Permissions: lakemesh.NewPermissions(permissions.DataLocationAccess)})
		}
	}
	return wanted, nil
}
