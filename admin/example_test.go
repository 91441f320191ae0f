package admin_test

import (
	"context"
	"fmt"
	"log"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/localmesh"
)

// A mesh account is set up, and one account becomes a producer and a consumer. The
// same again has nothing to do.
func Example() {
	ctx := context.Background()
	mesh := localmesh.New()
	defer mesh.Close()
	central := mesh.Config("arn:aws:iam::555555555555:role/Admin")
	flights := mesh.Config("arn:aws:iam::111111111111:role/Admin")

	operator, err := admin.New(ctx, lakemesh.Options{MeshAccountID: "555555555555", Config: &central})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := operator.PlanInitializeMeshAccount(ctx, admin.InitializeMeshInput{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(plan)
	out, err := operator.InitializeMeshAccount(ctx, admin.InitializeMeshInput{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("people of the mesh account act as", out.Manager.RoleARN)

	account := admin.BootstrapInput{
		Type:    admin.Both,
		Mesh:    lakemesh.Options{MeshAccountID: "555555555555", Config: &central},
		Account: lakemesh.Options{Config: &flights},
		Buckets: []string{"flights"},
	}
	if _, err := admin.BootstrapAccount(ctx, account); err != nil {
		log.Fatal(err)
	}
	again, err := admin.PlanBootstrapAccount(ctx, account)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(again)
	// Output:
	// InitializeMeshAccount: 10 steps
	//    1. [555555555555] create role DataMeshManager: Administers the data mesh
	//    2. [555555555555] create role DataMeshAdminReadOnly: Sees the metadata of the data mesh's public products
	//    3. [555555555555] create the subscription table AwsDataMeshSubscriptions with indexes, stream, point-in-time recovery and deletion protection
	//    4. [555555555555] create the decision table AwsDataMeshDecisions with point-in-time recovery and deletion protection
	//    5. [555555555555] remember the data lake settings as they are, so that they can be put back
	//    6. [555555555555] change the data lake settings: make DataMeshManager a data lake administrator; give nobody default permissions on new databases and tables
	//    7. [555555555555] create LF-tag domain with the value "none"
	//    8. [555555555555] create LF-tag dataproduct with the value "none"
	//    9. [555555555555] grant DESCRIBE on LF-tag dataproduct to arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshAdminReadOnly
	//   10. [555555555555] grant DESCRIBE on LF-tag domain to arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshAdminReadOnly
	// people of the mesh account act as arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshManager
	// BootstrapAccount: nothing to do
}
