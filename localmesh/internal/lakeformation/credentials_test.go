package lakeformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

func tableARN(table string) *string {
	return aws.String("arn:aws:glue:us-east-1:" + owner + ":table/sales/" + table)
}

func (w *world) credentials(principal, table string, change func(*lakeformation.GetTemporaryGlueTableCredentialsInput)) (*lakeformation.GetTemporaryGlueTableCredentialsOutput, error) {
	in := &lakeformation.GetTemporaryGlueTableCredentialsInput{
		TableArn: tableARN(table), Permissions: perms{types.PermissionSelect}, SupportedPermissionTypes: []types.PermissionType{types.PermissionTypeColumnPermission},
	}
	if change != nil {
		change(in)
	}
	return w.lake(principal).GetTemporaryGlueTableCredentials(w.ctx, in)
}

// open lets engines from outside read whole tables, and makes the bucket.
func (w *world) open() *s3.Client {
	w.Helper()
	w.settings(owner, func(s *types.DataLakeSettings) { s.AllowFullTableExternalDataAccess = aws.Bool(true) })
	c := s3.NewFromConfig(w.mesh.Config(adminOf(owner)))
	w.must2(c.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String("lake")}))
	for _, key := range []string{"sales/orders/day=1/a", "sales/orders/day=2/b", "sales/items/a", "sales/orders2/a"} {
		w.must2(c.PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: &key, Body: strings.NewReader("data")}))
	}
	return c
}

func (w *world) reader(id, secret, token *string) *s3.Client {
	return s3.NewFromConfig(w.mesh.ConfigWith(credentials.NewStaticCredentialsProvider(*id, *secret, *token)))
}

func (w *world) reads(c *s3.Client, key string) error {
	_, err := c.GetObject(w.ctx, &s3.GetObjectInput{Bucket: aws.String("lake"), Key: &key})
	return err
}

func TestVendedCredentialsReadTheTableAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	someone := w.person(owner, "Someone")
	w.must(w.grant(adminOf(owner), someone, table("orders"), "SELECT"))
	out, err := w.credentials(someone, "orders", nil)
	w.must(err)
	c := w.reader(out.AccessKeyId, out.SecretAccessKey, out.SessionToken)
	w.must(w.reads(c, "sales/orders/day=1/a"))
	w.refused(w.reads(c, "sales/items/a"), "AccessDenied")
	w.refused(w.reads(c, "sales/orders2/a"), "AccessDenied")
	_, err = c.PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("sales/orders/new"), Body: strings.NewReader("x")})
	w.refused(err, "AccessDenied")
	w.must2(c.ListObjectsV2(w.ctx, &s3.ListObjectsV2Input{Bucket: aws.String("lake"), Prefix: aws.String("sales/orders/")}))
	_, err = c.ListObjectsV2(w.ctx, &s3.ListObjectsV2Input{Bucket: aws.String("lake"), Prefix: aws.String("sales/")})
	w.refused(err, "AccessDenied")
	// INSERT opens writing, below the table alone.
	w.must(w.grant(adminOf(owner), someone, table("orders"), "INSERT"))
	out, err = w.credentials(someone, "orders", func(in *lakeformation.GetTemporaryGlueTableCredentialsInput) {
		in.Permissions = perms{types.PermissionSelect, types.PermissionInsert}
	})
	w.must(err)
	c = w.reader(out.AccessKeyId, out.SecretAccessKey, out.SessionToken)
	w.must2(c.PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("sales/orders/new"), Body: strings.NewReader("x")}))
	_, err = c.DeleteObject(w.ctx, &s3.DeleteObjectInput{Bucket: aws.String("lake"), Key: aws.String("sales/orders/new")})
	w.refused(err, "AccessDenied")
}

func TestPartitionCredentialsReadThePartitionAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	someone := w.person(owner, "Someone")
	w.must(w.grant(adminOf(owner), someone, table("orders"), "SELECT"))
	for value, path := range map[string]string{"1": "s3://lake/sales/orders/day=1", "2": "s3://lake/sales/orders/day=2", "x": "s3://lake/elsewhere"} {
		w.must2(w.glue(adminOf(owner)).CreatePartition(w.ctx, &glue.CreatePartitionInput{
			DatabaseName: aws.String("sales"), TableName: aws.String("orders"),
			PartitionInput: &gluetypes.PartitionInput{Values: []string{value}, StorageDescriptor: &gluetypes.StorageDescriptor{Location: &path}},
		}))
	}
	ask := func(values ...string) (*lakeformation.GetTemporaryGluePartitionCredentialsOutput, error) {
		return w.lake(someone).GetTemporaryGluePartitionCredentials(w.ctx, &lakeformation.GetTemporaryGluePartitionCredentialsInput{
			TableArn: tableARN("orders"), Partition: &types.PartitionValueList{Values: values}, SupportedPermissionTypes: []types.PermissionType{types.PermissionTypeColumnPermission},
		})
	}
	out, err := ask("1")
	w.must(err)
	c := w.reader(out.AccessKeyId, out.SecretAccessKey, out.SessionToken)
	w.must(w.reads(c, "sales/orders/day=1/a"))
	w.refused(w.reads(c, "sales/orders/day=2/b"), "AccessDenied")
	_, err = ask("3")
	w.refused(err, "EntityNotFoundException")
	_, err = ask("1", "2")
	w.refused(err, "InvalidInputException", "number of partition")
	_, err = ask("x")
	w.refused(err, "AccessDeniedException", "not in the location of the table")
}

func TestARecipientReadsThroughTheOwnersRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	analyst := w.person(recipient, "Analyst")
	w.must(w.grant(adminOf(owner), recipient, table("orders"), "SELECT | SELECT"))
	_, err := w.credentials(analyst, "orders", nil)
	w.refused(err, "AccessDeniedException")
	w.accept(recipient)
	_, err = w.credentials(adminOf(recipient), "orders", nil)
	w.refused(err, "AccessDeniedException", "Select")
	w.must(w.grant(adminOf(recipient), analyst, table("orders"), "SELECT"))
	out, err := w.credentials(analyst, "orders", nil)
	w.must(err)
	w.must(w.reads(w.reader(out.AccessKeyId, out.SecretAccessKey, out.SessionToken), "sales/orders/day=1/a"))
	w.must(w.revoke(adminOf(owner), recipient, table("orders"), "SELECT"))
	_, err = w.credentials(analyst, "orders", nil)
	w.refused(err, "AccessDeniedException")
}

func TestCredentialsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	someone := w.person(owner, "Someone")
	w.must(w.grant(adminOf(owner), someone, table("orders"), "SELECT"))
	_, err := w.credentials(someone, "orders", nil)
	w.refused(err, "AccessDeniedException", "do not allow full table external data access")
	w.open()
	w.must2(w.credentials(someone, "orders", nil))

	type input = lakeformation.GetTemporaryGlueTableCredentialsInput
	tests := map[string]struct {
		change func(*input)
		code   string
		words  string
	}{
		"a permission that one lacks":   {func(in *input) { in.Permissions = perms{types.PermissionSelect, types.PermissionInsert} }, "AccessDeniedException", "Insert"},
		"no permission to data":         {func(in *input) { in.Permissions = perms{types.PermissionDescribe} }, "AccessDeniedException", "Select"},
		"a permission of a database":    {func(in *input) { in.Permissions = perms{types.PermissionCreateTable} }, "InvalidInputException", "CREATE_TABLE"},
		"no supported permission types": {func(in *input) { in.SupportedPermissionTypes = nil }, "InvalidInputException", "SupportedPermissionTypes"},
		"a minute":                      {func(in *input) { in.DurationSeconds = aws.Int32(60) }, "InvalidInputException", "DurationSeconds"},
		"a path outside of the table":   {func(in *input) { in.S3Path = aws.String("s3://lake/sales") }, "InvalidInputException", "not in the location"},
		"another table":                 {func(in *input) { in.TableArn = tableARN("items") }, "AccessDeniedException", "items"},
		"an ARN that is none":           {func(in *input) { in.TableArn = aws.String("sales/orders") }, "InvalidInputException", "Invalid table ARN"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := *w
			v.TB = t
			_, err := v.credentials(someone, "orders", tt.change)
			v.refused(err, tt.code, tt.words)
		})
	}

	// An administrator describes, it does not read.
	second := w.person(owner, "Second")
	w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), second) })
	_, err = w.credentials(second, "orders", nil)
	w.refused(err, "AccessDeniedException", "Select")

	// IAM must allow lakeformation:GetDataAccess as well.
	limited := w.role(owner, "Limited", `{"AWS":"`+owner+`"}`, allow("lakeformation:GetTemporaryGlueTableCredentials", "*"))
	w.must(w.grant(adminOf(owner), limited, table("orders"), "SELECT"))
	_, err = w.credentials(limited, "orders", nil)
	w.refused(err, "AccessDeniedException", "lakeformation:GetDataAccess")

	// Some of the columns are not the full table.
	partial := w.person(owner, "Partial")
	w.must(w.grant(adminOf(owner), partial, columns("orders", "id"), "SELECT"))
	_, err = w.credentials(partial, "orders", nil)
	w.refused(err, "AccessDeniedException", "all columns")
}

func TestALocationMustBeRegisteredToBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	w.must2(w.lake(adminOf(owner)).DeregisterResource(w.ctx, &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::lake/sales")}))
	_, err := w.credentials(adminOf(owner), "orders", nil)
	w.refused(err, "InvalidInputException", "not registered")
}

func TestDataCellsFiltersLimitWhatIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open()
	admin, someone := adminOf(owner), w.person(owner, "Someone")
	filter := func(name string, columns ...string) *types.DataCellsFilter {
		return &types.DataCellsFilter{
			TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("orders"), Name: &name,
			ColumnNames: columns, RowFilter: &types.RowFilter{FilterExpression: aws.String("customer='x'")},
		}
	}
	create := func(p string, f *types.DataCellsFilter) error {
		_, err := w.lake(p).CreateDataCellsFilter(w.ctx, &lakeformation.CreateDataCellsFilterInput{TableData: f})
		return err
	}
	w.refused(create(someone, filter("own", "id")), "AccessDeniedException")
	w.refused(create(admin, filter("wrong", "none")), "InvalidInputException", "none")
	w.must(create(admin, filter("own", "id")))
	w.refused(create(admin, filter("own", "id")), "AlreadyExistsException")
	on := &types.Resource{DataCellsFilter: &types.DataCellsFilterResource{TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("orders"), Name: aws.String("own")}}
	w.must(w.grant(admin, someone, on, "SELECT"))
	w.refused(w.grant(admin, someone, on, "INSERT"), "InvalidInputException")
	out, err := w.glue(someone).GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("sales"), Name: aws.String("orders")})
	w.must(err)
	if n := len(out.Table.StorageDescriptor.Columns); n != 1 {
		t.Errorf("%d columns are seen, want 1", n)
	}
	_, err = w.credentials(someone, "orders", nil)
	w.refused(err, "AccessDeniedException")
	related := w.rows(admin, &lakeformation.ListPermissionsInput{Resource: table("orders"), IncludeRelated: aws.String("TRUE")})
	found := false
	for _, r := range related {
		found = found || r == "Someone:filter/own:SELECT"
	}
	if !found {
		t.Errorf("related rows: %v", related)
	}
	w.must2(w.lake(admin).DeleteDataCellsFilter(w.ctx, &lakeformation.DeleteDataCellsFilterInput{
		TableCatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableName: aws.String("orders"), Name: aws.String("own"),
	}))
	w.refused(w.sees(someone, "orders"), "AccessDeniedException")
}

func static(c *ststypes.Credentials) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}
