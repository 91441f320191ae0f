package producer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/producer"
)

func TestWhatATableInheritsIsNotLost(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	own, mesh := m.lakeAdministrator().Client, m.manager()
	for _, key := range []string{"zone", "secrecy"} {
		if _, err := own.CreateLFTag(t.Context(), &lakeformation.CreateLFTagInput{TagKey: aws.String(key), TagValues: []string{"open", "closed"}}); err != nil {
			t.Fatal(err)
		}
		if err := mesh.CreateTag(t.Context(), key, "open", "closed"); err != nil {
			t.Fatal(err)
		}
		m.grant(mesh, permissions.Entry{Principal: lakemesh.RoleARN(theMesh, lakemesh.MeshProducerRole(publisherID)), Resource: permissions.Tag(theMesh, key),
			Permissions: lakemesh.NewPermissions(lakemesh.Alter, permissions.Associate, lakemesh.Describe)})
	}
	assign := func(on *lftypes.Resource, key, value string) {
		t.Helper()
		if _, err := own.AddLFTagsToResource(t.Context(), &lakeformation.AddLFTagsToResourceInput{Resource: on, LFTags: []lftypes.LFTagPair{{TagKey: &key, TagValues: []string{value}}}}); err != nil {
			t.Fatal(err)
		}
	}
	database := &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(db)}}
	routes := &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(db), Name: aws.String("routes")}}
	assign(database, "zone", "open")
	assign(routes, "zone", "closed")
	assign(database, "secrecy", "open")
	assign(&lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(db), Name: aws.String("weather"), ColumnNames: []string{"id"}}}, "secrecy", "closed")
	in := producer.CreateDataProductsInput{SourceDatabaseName: db}
	out := m.publish(in)
	for table, want := range map[string]map[string]string{
		"airports": {"zone": "open", "secrecy": "open"}, "routes": {"zone": "closed", "secrecy": "open"},
		// Who is granted secrecy=open must not see the column that is closed.
		"weather": {"zone": "open"},
	} {
		if diff := cmp.Diff(want, m.tagsOf(table)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", table, diff)
		}
	}
	says := func(out *producer.CreateDataProductsOutput, words ...string) {
		t.Helper()
		if !slices.ContainsFunc(out.Warnings, func(w string) bool {
			return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(w, word) })
		}) {
			t.Errorf("no warning says %q: %q", words, out.Warnings)
		}
	}
	says(out, "secrecy", "weather", "columns id")
	m.publish(in)
	m.noWrites("the second time")
	// What is removed at the source is said.
	if _, err := own.RemoveLFTagsFromResource(t.Context(), &lakeformation.RemoveLFTagsFromResourceInput{Resource: database, LFTags: []lftypes.LFTagPair{{TagKey: aws.String("secrecy"), TagValues: []string{"open"}}}}); err != nil {
		t.Fatal(err)
	}
	says(m.publish(in), "airports", "secrecy=open", "its source has not")
}

func TestTheDatabasesParametersAreCopied(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	const db = meshtest.SampleDatabase
	set := func(parameters map[string]string) {
		t.Helper()
		if _, err := m.Glue(publisherID).UpdateDatabase(t.Context(), &glue.UpdateDatabaseInput{Name: aws.String(db), DatabaseInput: &types.DatabaseInput{
			Name: aws.String(db), LocationUri: aws.String("s3://flights/"), Parameters: parameters}}); err != nil {
			t.Fatal(err)
		}
	}
	parameters := func() map[string]string {
		t.Helper()
		out, err := m.meshGlue().GetDatabase(t.Context(), &glue.GetDatabaseInput{Name: aws.String(published)})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Database.CreateTableDefaultPermissions) > 0 {
			t.Error("new tables are open")
		}
		return out.Database.Parameters
	}
	set(map[string]string{"owner": "flights"})
	in := producer.CreateDataProductsInput{SourceDatabaseName: db}
	out := m.publish(in)
	const from, privacy = "lakemesh.from." + db, "lakemesh.privacy"
	if diff := cmp.Diff(map[string]string{"owner": "flights", from: publisherID, privacy: publisherID}, parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if !strings.Contains(strings.Join(out.Warnings, "\n"), "s3://flights/, is not copied") {
		t.Errorf("warnings %q", out.Warnings)
	}
	m.publish(in)
	m.noWrites("the second time")
	set(map[string]string{"owner": "others", "stage": "test"})
	m.publish(in)
	if diff := cmp.Diff(map[string]string{"owner": "flights", "stage": "test", from: publisherID, privacy: publisherID}, parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	m.publish(in)
	m.noWrites("the fourth time")
	set(nil)
	m.publish(in)
	m.noWrites("when the source has none any more")
}
