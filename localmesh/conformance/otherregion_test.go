package conformance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// farRegion is another Region than the world's.
const farRegion = "eu-central-1"

func elsewhere(cfg aws.Config) aws.Config {
	cfg.Region = farRegion
	return cfg
}

// linked is a filtered world in which a reader of the owner's account has a link to the
// owner's database in another Region, and may see it. There nobody gets anything by default.
func linked(t *testing.T) (w *world, reader string) {
	w = filteredWorld(t)
	w.Helper()
	reader = w.reader(owner, "Reader")
	far := elsewhere(w.mesh.Config(adminOf(owner)))
	lake := lakeformation.NewFromConfig(far)
	w.must2(lake.PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &types.DataLakeSettings{DataLakeAdmins: principals(adminOf(owner)),
		CreateDatabaseDefaultPermissions: []types.PrincipalPermissions{}, CreateTableDefaultPermissions: []types.PrincipalPermissions{}}}))
	w.must2(glue.NewFromConfig(far).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("near"),
		TargetDatabase: &gluetypes.DatabaseIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Region: aws.String(w.mesh.Config(reader).Region)}}}))
	return w, reader
}

// seesLink lets a principal see the link of the other Region.
func (w *world) seesLink(principal string) {
	w.Helper()
	w.must2(lakeformation.NewFromConfig(elsewhere(w.mesh.Config(adminOf(owner)))).GrantPermissions(w.ctx, &lakeformation.GrantPermissionsInput{
		Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &principal}, Permissions: []types.Permission{types.PermissionDescribe},
		Resource: &types.Resource{Database: &types.DatabaseResource{Name: aws.String("near")}}}))
}

func TestLinksAcrossRegions(t *testing.T) {
	t.Parallel()
	holds(t, "2.11", "the link's Region asks for DESCRIBE on the link, the table's for everything else", func(t *testing.T) {
		w, reader := linked(t)
		far := glue.NewFromConfig(elsewhere(w.engine(reader, "engine")))
		get := func() (*glue.GetTableOutput, error) {
			return far.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("near"), Name: aws.String("orders")})
		}
		w.must(w.grant(adminOf(owner), reader, onTable("orders"), "SELECT"))
		w.refused(errOf(get()), denied)
		w.seesLink(reader)
		out, err := get()
		w.must(err)
		if !out.Table.IsRegisteredWithLakeFormation || len(out.Table.StorageDescriptor.Columns) == 0 {
			t.Errorf("through the link the table is %s", pretty(out.Table))
		}
		// Who administers the link's Region administers nothing of the table's.
		other := w.reader(owner, "Other")
		w.must2(lakeformation.NewFromConfig(elsewhere(w.mesh.Config(adminOf(owner)))).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{
			DataLakeSettings: &types.DataLakeSettings{DataLakeAdmins: principals(adminOf(owner), other)}}))
		_, err = glue.NewFromConfig(elsewhere(w.engine(other, "engine"))).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("near"), Name: aws.String("orders")})
		w.refused(err, denied)
		_, err = lakeformation.NewFromConfig(elsewhere(w.engine(reader, "engine"))).GetTemporaryGlueTableCredentials(w.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
			TableArn: out.Table.StorageDescriptor.Location, SupportedPermissionTypes: types.PermissionType("").Values()})
		w.refused(err, "InvalidInputException")
	})
	holds(t, "2.12", "an engine names the Region of the table", func(t *testing.T) {
		w, reader := linked(t)
		w.granted(reader, filter("f", "id price", "customer = 'x'"), "SELECT")
		w.seesLink(reader)
		home := w.mesh.Config(reader).Region
		far := glue.NewFromConfig(elsewhere(w.engine(reader, "engine")))
		in := &glue.GetUnfilteredTableMetadataInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: aws.String("orders"), SupportedPermissionTypes: gluetypes.PermissionType("").Values()}
		w.refused(errOf(far.GetUnfilteredTableMetadata(w.ctx, in)), "EntityNotFoundException")
		in.Region = &home
		out, err := far.GetUnfilteredTableMetadata(w.ctx, in)
		w.must(err)
		w.same(brief(out), "id price day where customer = 'x'")
		w.same(aws.ToString(out.ResourceArn), "arn:aws:glue:"+home+":"+owner+":table/sales/orders")
		// The link names it as well.
		in.Region, in.DatabaseName = nil, aws.String("near")
		out, err = far.GetUnfilteredTableMetadata(w.ctx, in)
		w.must(err)
		w.same(brief(out), "id price day where customer = 'x'")
		parts := &glue.GetUnfilteredPartitionsMetadataInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("orders"), SupportedPermissionTypes: gluetypes.PermissionType("").Values()}
		w.refused(errOf(far.GetUnfilteredPartitionsMetadata(w.ctx, parts)), "EntityNotFoundException")
		parts.Region = &home
		w.must2(far.GetUnfilteredPartitionsMetadata(w.ctx, parts))
	})
}
