package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// readOnlyPolicy is what DataMeshAdminReadOnly may do: see the metadata and the
// LF-tags that Lake Formation lets it see.
func readOnlyPolicy(p lakemesh.Partition, mesh string) iampolicy.Document {
	return iampolicy.New(
		allow("ReadCatalog", readMetadata(), catalogARNs(p, mesh), nil),
		allow("ReadTags", []string{"lakeformation:GetResourceLFTags", "lakeformation:SearchTablesByLFTags"}, anything, nil),
	)
}

// readOnlyTrust lets the mesh account's roles of producers and consumers open the
// role, and its manager. It names no account, so that it does not grow with the
// mesh; a role has such a name and path only if an administrator of the mesh
// account made it.
func readOnlyTrust(p lakemesh.Partition, mesh string) iampolicy.Document {
	return trustInMesh(iampolicy.AWSPrincipal(p.Root(mesh)), iampolicy.Conditions{"ArnLike": {"aws:PrincipalArn": {
		p.RoleARN(mesh, lakemesh.MeshProducerRole("*")),
		p.RoleARN(mesh, lakemesh.MeshConsumerRole("*")),
		p.RoleARN(mesh, lakemesh.ManagerRole),
	}}})
}
