package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// readOnlyPolicy is what DataMeshAdminReadOnly may do: see the metadata and the
// LF-tags that Lake Formation lets it see.
func readOnlyPolicy(mesh string) iampolicy.Document {
	return iampolicy.New(
		allow("ReadCatalog", readMetadata(), catalogARNs(mesh), nil),
		allow("ReadTags", []string{"lakeformation:GetResourceLFTags", "lakeformation:SearchTablesByLFTags"}, anything, nil),
	)
}

// readOnlyTrust lets the mesh account's roles of producers and consumers open the
// role, and its manager. It names no account, so that it does not grow with the
// mesh; a role has such a name and path only if an administrator of the mesh
// account made it.
func readOnlyTrust(mesh string) iampolicy.Document {
	return trustInMesh(iampolicy.AWSPrincipal("arn:aws:iam::"+mesh+":root"), iampolicy.Conditions{"ArnLike": {"aws:PrincipalArn": {
		lakemesh.RoleARN(mesh, lakemesh.MeshProducerRole("*")),
		lakemesh.RoleARN(mesh, lakemesh.MeshConsumerRole("*")),
		lakemesh.RoleARN(mesh, lakemesh.ManagerRole),
	}}})
}
