package conformance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lakemesh/lakemesh/localmesh"
)

// The accounts of an estate.
const (
	landlord = "121212121212"
	tenant   = "343434343434"
	passerby = "565656565656"
)

// The principals of an estate: the administrators of the data lakes, and those
// whom IAM allows everything and Lake Formation nothing.
const (
	landlordAdmin = "arn:aws:iam::" + landlord + ":role/Admin"
	tenantAdmin   = "arn:aws:iam::" + tenant + ":role/Admin"
	passerbyAdmin = "arn:aws:iam::" + passerby + ":role/Admin"
	ann           = "arn:aws:iam::" + landlord + ":role/Ann"
	bob           = "arn:aws:iam::" + landlord + ":role/Bob"
	tom           = "arn:aws:iam::" + tenant + ":role/Tom"
	lakeRole      = "arn:aws:iam::" + landlord + ":role/Lake"
)

// estate is a mesh in which the landlord has the database "house" with the tables
// "kitchen" and "garden", partitioned by "day", in the location house of the
// bucket "land", which is registered with lakeRole. Nothing is left to IAM.
type estate struct {
	*localmesh.Mesh
	t testing.TB
}

// newEstate makes an estate for the tests of a section, each of which works on a
// fork of it.
func newEstate(t *testing.T) *estate {
	t.Helper()
	e := &estate{localmesh.Run(t), t}
	for _, admin := range []string{landlordAdmin, tenantAdmin, passerbyAdmin} {
		e.settings(admin, func(s *lftypes.DataLakeSettings) {
			s.DataLakeAdmins = principals(admin)
			s.CreateDatabaseDefaultPermissions = []lftypes.PrincipalPermissions{}
			s.CreateTableDefaultPermissions = []lftypes.PrincipalPermissions{}
		})
	}
	e.must(e.revoke(landlordAdmin, "IAM_ALLOWED_PRINCIPALS", onCatalog(), "CREATE_DATABASE"))
	for _, arn := range []string{ann, bob, tom} {
		e.role(arn, trustedBy("AWS", accountIn(arn)), allowing("*", "*"))
	}
	e.role(lakeRole, trustedBy("Service", "lakeformation.amazonaws.com"), allowing("s3:*", "*"))
	e.bucket(landlordAdmin, "land")
	e.must(e.register(landlordAdmin, "land/house", lakeRole))
	e.must(e.database(landlordAdmin, "house"))
	for _, name := range []string{"kitchen", "garden"} {
		e.must(e.table(landlordAdmin, "house", room(name)))
	}
	return e
}

// fork is a copy of the estate for one test.
func (e *estate) fork(t *testing.T, opts ...localmesh.Option) *estate {
	t.Helper()
	clone, err := e.Clone(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clone.Close(); err != nil {
			t.Error(err)
		}
	})
	return &estate{clone, t}
}

// as is a configuration whose clients try once.
func (e *estate) as(principal string) aws.Config {
	cfg := e.Config(principal)
	cfg.RetryMaxAttempts = 1
	return cfg
}

func (e *estate) glue(principal string) *glue.Client { return glue.NewFromConfig(e.as(principal)) }

func (e *estate) lake(principal string) *lakeformation.Client {
	return lakeformation.NewFromConfig(e.as(principal))
}

func (e *estate) ram(principal string) *ram.Client { return ram.NewFromConfig(e.as(principal)) }

func (e *estate) iam(principal string) *iam.Client { return iam.NewFromConfig(e.as(principal)) }

func (e *estate) sts(principal string) *sts.Client { return sts.NewFromConfig(e.as(principal)) }

func (e *estate) s3(principal string) *s3.Client { return s3.NewFromConfig(e.as(principal)) }

func (e *estate) dynamodb(principal string) *dynamodb.Client {
	return dynamodb.NewFromConfig(e.as(principal))
}

func (e *estate) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// errOf is the error of a call whose answer does not matter.
func errOf[T any](_ T, err error) error { return err }

// refused checks that a call was refused with the code, and a message that has all
// of the words.
func (e *estate) refused(err error, code string, words ...string) {
	e.t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		e.t.Errorf("got %v, want %s", err, code)
		return
	}
	for _, word := range words {
		if !strings.Contains(api.ErrorMessage(), word) {
			e.t.Errorf("the message %q lacks %q", api.ErrorMessage(), word)
		}
	}
}

// status checks the HTTP status of a refusal.
func (e *estate) status(err error, want int) {
	e.t.Helper()
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != want {
		e.t.Errorf("got %v, want the status %d", err, want)
	}
}

func (e *estate) equal(got, want any) {
	e.t.Helper()
	if got != want {
		e.t.Errorf("got %v, want %v", got, want)
	}
}

func (e *estate) same(got, want []string) {
	e.t.Helper()
	if !slices.Equal(got, want) {
		e.t.Errorf("got %q, want %q", got, want)
	}
}

func accountIn(arn string) string { return strings.Split(arn, ":")[4] }

func nameIn(arn string) *string {
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	return &name
}

func allowed(action, resource string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
}

func trustedBy(kind, principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"` + kind + `":"` + principal + `"},"Action":"sts:AssumeRole"}]}`
}

// adminIn is the administrator of the account of an ARN.
func adminIn(arn string) string { return "arn:aws:iam::" + accountIn(arn) + ":role/Admin" }

// role makes a role with one inline policy.
func (e *estate) role(arn, trust, policy string) {
	e.t.Helper()
	c := e.iam(adminIn(arn))
	e.must(errOf(c.CreateRole(e.t.Context(), &iam.CreateRoleInput{RoleName: nameIn(arn), AssumeRolePolicyDocument: &trust})))
	e.must(errOf(c.PutRolePolicy(e.t.Context(), &iam.PutRolePolicyInput{RoleName: nameIn(arn), PolicyName: aws.String("own"), PolicyDocument: &policy})))
}

// person makes a role of the landlord with one inline policy, and returns its ARN.
func (e *estate) person(name, policy string) string {
	e.t.Helper()
	arn := "arn:aws:iam::" + landlord + ":role/" + name
	e.role(arn, trustedBy("AWS", landlord), policy)
	return arn
}

func (e *estate) bucket(by, name string) {
	e.t.Helper()
	e.must(errOf(e.s3(by).CreateBucket(e.t.Context(), &s3.CreateBucketInput{Bucket: &name})))
}

func (e *estate) put(by, bucket, key string) {
	e.t.Helper()
	e.must(errOf(e.s3(by).PutObject(e.t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("data")})))
}

// settings changes the settings of the administrator's account.
func (e *estate) settings(admin string, change func(*lftypes.DataLakeSettings)) {
	e.t.Helper()
	s := e.settingsOf(admin)
	change(s)
	e.must(errOf(e.lake(admin).PutDataLakeSettings(e.t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: s})))
}

func (e *estate) settingsOf(admin string) *lftypes.DataLakeSettings {
	e.t.Helper()
	out, err := e.lake(admin).GetDataLakeSettings(e.t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	e.must(err)
	return out.DataLakeSettings
}

// register registers a path with a role, or with none for the service-linked one.
func (e *estate) register(by, path, role string) error {
	in := &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + path)}
	if role == "" {
		in.UseServiceLinkedRole = aws.Bool(true)
	} else {
		in.RoleArn = &role
	}
	return errOf(e.lake(by).RegisterResource(e.t.Context(), in))
}

func (e *estate) database(by, name string) error {
	return errOf(e.glue(by).CreateDatabase(e.t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name}}))
}

func (e *estate) table(by, database string, in *gluetypes.TableInput) error {
	return errOf(e.glue(by).CreateTable(e.t.Context(), &glue.CreateTableInput{DatabaseName: &database, TableInput: in}))
}

func column(name string) gluetypes.Column {
	return gluetypes.Column{Name: &name, Type: aws.String("string")}
}

// room is the definition of a table in the estate's location.
func room(name string) *gluetypes.TableInput { return tableAt(name, "s3://land/house/"+name) }

func tableAt(name, location string) *gluetypes.TableInput {
	return &gluetypes.TableInput{
		Name: &name, TableType: aws.String("EXTERNAL_TABLE"), PartitionKeys: []gluetypes.Column{column("day")},
		Parameters:        map[string]string{"classification": "csv"},
		StorageDescriptor: &gluetypes.StorageDescriptor{Location: &location, Columns: []gluetypes.Column{column("id"), column("what"), column("price")}},
	}
}

// get reads a table of an account; an empty account is the caller's own.
func (e *estate) get(by, account, database, table string) (*gluetypes.Table, error) {
	in := &glue.GetTableInput{DatabaseName: &database, Name: &table}
	if account != "" {
		in.CatalogId = &account
	}
	out, err := e.glue(by).GetTable(e.t.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

// tables are the names in a listing of a database.
func (e *estate) tables(by string, in *glue.GetTablesInput) []string {
	e.t.Helper()
	names := []string{}
	for pages := glue.NewGetTablesPaginator(e.glue(by), in); pages.HasMorePages(); {
		page, err := pages.NextPage(e.t.Context())
		e.must(err)
		for _, t := range page.TableList {
			names = append(names, *t.Name)
		}
	}
	return names
}

func (e *estate) partition(by, database, table, value, location string) error {
	in := &gluetypes.PartitionInput{Values: []string{value}}
	if location != "" {
		in.StorageDescriptor = &gluetypes.StorageDescriptor{Location: &location, Columns: []gluetypes.Column{column("id")}}
	}
	return errOf(e.glue(by).CreatePartition(e.t.Context(), &glue.CreatePartitionInput{DatabaseName: &database, TableName: &table, PartitionInput: in}))
}

// The resources of grants in the landlord's catalog.

func theDatabase(name string) *lftypes.Resource {
	return &lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: aws.String(landlord), Name: &name}}
}

func theTable(database, name string) *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(landlord), DatabaseName: &database, Name: &name}}
}

func theColumns(database, name string, columns ...string) *lftypes.Resource {
	return &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{
		CatalogId: aws.String(landlord), DatabaseName: &database, Name: &name, ColumnNames: columns,
	}}
}

func theLocation(path string) *lftypes.Resource {
	return &lftypes.Resource{DataLocation: &lftypes.DataLocationResource{CatalogId: aws.String(landlord), ResourceArn: aws.String("arn:aws:s3:::" + path)}}
}

func theTag(key string, values ...string) *lftypes.Resource {
	return &lftypes.Resource{LFTag: &lftypes.LFTagKeyResource{CatalogId: aws.String(landlord), TagKey: &key, TagValues: values}}
}

func thePolicy(kind lftypes.ResourceType, expression ...lftypes.LFTag) *lftypes.Resource {
	return &lftypes.Resource{LFTagPolicy: &lftypes.LFTagPolicyResource{CatalogId: aws.String(landlord), ResourceType: kind, Expression: expression}}
}

func lfTag(key string, values ...string) lftypes.LFTag {
	return lftypes.LFTag{TagKey: &key, TagValues: values}
}

// here puts a resource into the catalog of an account.
func here(account string, r *lftypes.Resource) *lftypes.Resource {
	switch {
	case r.Database != nil:
		r.Database.CatalogId = &account
	case r.Table != nil:
		r.Table.CatalogId = &account
	case r.DataLocation != nil:
		r.DataLocation.CatalogId = &account
	}
	return r
}

func (e *estate) grant(by, to string, on *lftypes.Resource, list string) error {
	plain, grantable := permissionList(list)
	return errOf(e.lake(by).GrantPermissions(e.t.Context(), &lakeformation.GrantPermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &to}, Resource: on, Permissions: plain, PermissionsWithGrantOption: grantable,
	}))
}

func (e *estate) revoke(by, from string, on *lftypes.Resource, list string) error {
	plain, grantable := permissionList(list)
	return errOf(e.lake(by).RevokePermissions(e.t.Context(), &lakeformation.RevokePermissionsInput{
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &from}, Resource: on, Permissions: plain, PermissionsWithGrantOption: grantable,
	}))
}

// share grants to the tenant with the grant option, and accepts.
func (e *estate) share(on *lftypes.Resource, permissions string) {
	e.t.Helper()
	e.must(e.grant(landlordAdmin, tenant, on, permissions+" | "+permissions))
	e.accept(tenantAdmin)
}

func (e *estate) invitations(by string) []ramtypes.ResourceShareInvitation {
	e.t.Helper()
	out, err := e.ram(by).GetResourceShareInvitations(e.t.Context(), &ram.GetResourceShareInvitationsInput{})
	e.must(err)
	return out.ResourceShareInvitations
}

// accept accepts all invitations that wait.
func (e *estate) accept(by string) {
	e.t.Helper()
	for _, i := range e.invitations(by) {
		if i.Status == ramtypes.ResourceShareInvitationStatusPending {
			e.must(errOf(e.ram(by).AcceptResourceShareInvitation(e.t.Context(), &ram.AcceptResourceShareInvitationInput{
				ResourceShareInvitationArn: i.ResourceShareInvitationArn,
			})))
		}
	}
}

// vended asks for credentials for a table of the landlord, and returns a client
// that has them.
func (e *estate) vended(by, database, table string) (*s3.Client, error) {
	out, err := e.lake(by).GetTemporaryGlueTableCredentials(e.t.Context(), &lakeformation.GetTemporaryGlueTableCredentialsInput{
		TableArn:                 aws.String("arn:aws:glue:us-east-1:" + landlord + ":table/" + database + "/" + table),
		SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission},
	})
	if err != nil {
		return nil, err
	}
	cfg := e.ConfigWith(credentials.NewStaticCredentialsProvider(*out.AccessKeyId, *out.SecretAccessKey, *out.SessionToken))
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.RetryMaxAttempts = 1 }), nil
}

func (e *estate) read(c *s3.Client, bucket, key string) error {
	return errOf(c.GetObject(e.t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key}))
}

// vends lets engines from outside have credentials for whole tables.
func (e *estate) vends() {
	e.t.Helper()
	e.settings(landlordAdmin, func(s *lftypes.DataLakeSettings) { s.AllowFullTableExternalDataAccess = aws.Bool(true) })
}
