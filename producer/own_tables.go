package producer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// isOwn reports whether a table of the mesh is one that this producer has published. What
// stands at the database says so; but another producer can write that at a database of its
// own, grant all on it, and wait until this one brings its definitions there.
func (p *Producer) isOwn(d *types.Database, t *types.Table) bool {
	return catalog.Owner(d, t) == p.account && !catalog.MadeByAnother(t, p.meshAccount, p.account)
}

// refuseAnothers refuses to write into a table that another one has made.
func (s *surveyed) refuseAnothers(t *types.Table) error {
	if !catalog.MadeByAnother(t, s.meshAccount, s.account) {
		return nil
	}
	return lakemesh.Invalid("ExposeDataMeshDBName", "table %s.%s of the mesh was made by %s; whoever made it could read what it would lead to. Choose another name for the database",
		s.target, strings.ToLower(aws.ToString(t.Name)), aws.ToString(t.CreatedBy))
}

// refuseAnothersDatabase refuses to publish into a database that another producer has made,
// also where that one has granted all on it: it could remove what is in it.
func (s *surveyed) refuseAnothersDatabase() error {
	on := permissions.Database(s.meshAccount, s.target)
	entries := slices.SortedFunc(slices.Values(s.granted.Entries()), func(a, b permissions.Entry) int { return cmp.Compare(a.Principal, b.Principal) })
	for _, e := range entries {
		other, ok := strings.CutPrefix(e.Principal, s.partition.RoleARN(s.meshAccount, lakemesh.MeshProducerRole("")))
		if ok && other != s.account && e.Resource == on && (e.Permissions.Has(lakemesh.Drop) || e.Permissions.Has(lakemesh.All)) {
			return &lakemesh.Error{Account: s.meshAccount, Resource: "database " + s.target, Kind: lakemesh.ErrAccessDenied,
				Message: fmt.Sprintf("it belongs to another producer, account %s, which may drop it", other), Hint: "choose another name with ExposeDataMeshDBName (--expose-data-mesh-db-name)"}
		}
	}
	return nil
}

// refuseToGive refuses a decision that gives access to what another one has made: whoever
// granted it to this producer with the grant option would have it hand that on, and its own
// consumers believe that it is the producer's. A whole database is another's if nothing in
// it is the producer's. What takes away, or leaves as it is, is never refused.
func (p *Producer) refuseToGive(c *considered, tables map[catalog.TableName]meshTable) error {
	if c.action != lakemesh.ActionApprove && c.action != lakemesh.ActionUpdate || !c.givesMore() {
		return nil
	}
	others := map[catalog.TableName]meshTable{}
	for name, t := range tables {
		if catalog.MadeByAnother(&types.Table{CreatedBy: aws.String(t.maker)}, p.meshAccount, p.account) {
			others[name] = t
		}
	}
	if len(others) == 0 || c.record.Words.Whole && len(others) < len(tables) {
		return nil
	}
	name := inOrder(others)[0]
	return &lakemesh.Error{Account: p.meshAccount, Resource: "table " + name.String(), Kind: lakemesh.ErrWrongAccount,
		Message: fmt.Sprintf("it was made by %s, so it is not this account's to give", tables[name].maker),
		Hint:    "deny the request; its maker can be asked for it", Do: []lakemesh.Call{lakemesh.Do("producer.DenyAccessRequest", "RequestID", c.record.ID)}}
}
