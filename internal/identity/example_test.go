package identity_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

// A producer acts as its own role and, through it, as its role in the mesh account.
func ExampleOpenProducer() {
	ctx := context.Background()
	mesh := localmesh.New()
	defer mesh.Close()
	central, flights := mesh.Config("arn:aws:iam::555555555555:role/Admin"), mesh.Config("arn:aws:iam::111111111111:role/Admin")

	operator, err := admin.New(ctx, lakemesh.Options{MeshAccountID: "555555555555", Config: &central})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := operator.InitializeMeshAccount(ctx, admin.InitializeMeshInput{}); err != nil {
		log.Fatal(err)
	}
	_, err = admin.BootstrapAccount(ctx, admin.BootstrapInput{
		Type: admin.Producer,
		Mesh: lakemesh.Options{MeshAccountID: "555555555555", Config: &central}, Account: lakemesh.Options{Config: &flights},
	})
	if err != nil {
		log.Fatal(err)
	}

	producer, err := identity.OpenProducer(ctx, lakemesh.Options{MeshAccountID: "555555555555", Config: &flights})
	if err != nil {
		log.Fatal(err)
	}
	for _, i := range []*identity.Identity{producer.Caller, producer.Own, producer.Mesh, producer.ReadOnly} {
		who, err := sts.NewFromConfig(i.Config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(*who.Arn)
	}
	// Output:
	// arn:aws:sts::111111111111:assumed-role/Admin/local
	// arn:aws:sts::111111111111:assumed-role/DataMeshProducer/local
	// arn:aws:sts::555555555555:assumed-role/DataMeshAdminProducer-111111111111/local
	// arn:aws:sts::555555555555:assumed-role/DataMeshAdminReadOnly/local
}
