package producer_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/producer"
)

// What marks a private table stands where other consumers can read it: it does not name it.
func TestMarksDoNotNamePrivateTables(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes", CreatePublicMetadata: aws.Bool(false)})
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "airports", CreatePublicMetadata: aws.Bool(true)})
	out, err := glue.NewFromConfig(m.Config(lakemesh.RoleARN(theMesh, lakemesh.ManagerRole))).GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: aws.String(published)})
	if err != nil {
		t.Fatal(err)
	}
	marks := 0
	for name, value := range out.Database.Parameters {
		if strings.Contains(name, "private") {
			marks++
		}
		if strings.Contains(name+value, "routes") {
			t.Errorf("%s=%s names a private table", name, value)
		}
	}
	if marks == 0 {
		t.Error("nothing is marked")
	}
}

// A migration publishes into another database, and makes nothing public that was private.
func TestAMigrationKeepsMetadataPrivate(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, CreatePublicMetadata: aws.Bool(false)})
	if _, err := m.Producer(publisherID).MigrateTablesToMesh(t.Context(), producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes"}); err != nil {
		t.Fatal(err)
	}
	reader := lakemesh.RoleARN(theMesh, lakemesh.ReadOnlyRole)
	held, err := m.manager().Observe(t.Context(), permissions.Database(theMesh, meshtest.SampleDatabase), permissions.Table(theMesh, meshtest.SampleDatabase, "routes"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range held.Entries() {
		if e.Principal == reader {
			t.Errorf("the read-only role holds %v", e)
		}
	}
}
