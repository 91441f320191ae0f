package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

// The accounts: one that owns a data lake, one that it shares with, and one that
// it does not.
const (
	owner     = "111111111111"
	recipient = "222222222222"
	stranger  = "333333333333"
)

// The errors of Lake Formation, Glue and RAM that most refusals have.
const (
	denied       = "AccessDeniedException"
	invalidInput = "InvalidInputException"
	notFound     = "EntityNotFoundException"
)

func adminOf(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

// world is a mesh of the three accounts. In each the role Admin may do everything
// by IAM and is the data lake administrator, and nothing is left to IAM. The owner
// has a database "sales" with the tables "orders" and "items" (columns id,
// customer and price, partition key day) in the registered location s3://lake/sales.
type world struct {
	testing.TB
	mesh *localmesh.Mesh
	ctx  context.Context
	// made counts the roles that were made only to have one.
	made int
}

func newWorld(t testing.TB, opts ...localmesh.Option) *world {
	t.Helper()
	w := emptyWorld(t, opts...)
	for _, account := range []string{owner, recipient, stranger} {
		w.settings(account, func(s *types.DataLakeSettings) {
			s.DataLakeAdmins = principals(adminOf(account))
			s.CreateDatabaseDefaultPermissions = []types.PrincipalPermissions{}
			s.CreateTableDefaultPermissions = []types.PrincipalPermissions{}
		})
	}
	w.role(owner, "LakeAccess", `{"Service":"lakeformation.amazonaws.com"}`, allowing("s3:*", "*"))
	w.must2(w.lake(adminOf(owner)).RegisterResource(w.ctx, &lakeformation.RegisterResourceInput{
		ResourceArn: aws.String("arn:aws:s3:::lake/sales"), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess"),
	}))
	w.database(owner, "sales")
	w.table(owner, "sales", "orders")
	w.table(owner, "sales", "items")
	return w
}

// emptyWorld is a mesh of accounts that nobody has configured.
func emptyWorld(t testing.TB, opts ...localmesh.Option) *world {
	t.Helper()
	return &world{TB: t, mesh: localmesh.Run(t, opts...), ctx: t.Context()}
}

func (w *world) lake(principal string) *lakeformation.Client {
	return lakeformation.NewFromConfig(w.mesh.Config(principal))
}

func (w *world) glue(principal string) *glue.Client {
	return glue.NewFromConfig(w.mesh.Config(principal))
}

func (w *world) ram(principal string) *ram.Client { return ram.NewFromConfig(w.mesh.Config(principal)) }

func (w *world) iam(principal string) *iam.Client { return iam.NewFromConfig(w.mesh.Config(principal)) }

func (w *world) s3(principal string) *s3.Client { return s3.NewFromConfig(w.mesh.Config(principal)) }

// must ends the test if something that AWS accepts was refused.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// must2 is must for a call with an answer that does not matter.
func (w *world) must2(_ any, err error) {
	w.Helper()
	w.must(err)
}

// refused checks that a call was refused with the code, and a message that has all
// of the words.
func (w *world) refused(err error, code string, words ...string) {
	w.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		w.Errorf("got %v, want %s", err, code)
		return
	}
	for _, word := range words {
		if !strings.Contains(api.ErrorMessage(), word) {
			w.Errorf("message %q lacks %q", api.ErrorMessage(), word)
		}
	}
}

// lakeSettings are an account's data lake settings.
func (w *world) lakeSettings(account string) *types.DataLakeSettings {
	w.Helper()
	out, err := w.lake(adminOf(account)).GetDataLakeSettings(w.ctx, &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	return out.DataLakeSettings
}

// settings changes an account's data lake settings.
func (w *world) settings(account string, change func(*types.DataLakeSettings)) {
	w.Helper()
	s := w.lakeSettings(account)
	change(s)
	w.must2(w.lake(adminOf(account)).PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: s}))
}

// version sets an account's version of cross-account sharing.
func (w *world) version(account, version string) {
	w.Helper()
	w.settings(account, func(s *types.DataLakeSettings) { s.Parameters = map[string]string{"CROSS_ACCOUNT_VERSION": version} })
}

// policyOf is a policy of statements.
func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// allowing is a policy that allows actions on a resource.
func allowing(action, resource string) string {
	return policyOf(`{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`)
}

// role makes a role with one inline policy; trusted is the principal of its trust
// policy, in JSON.
func (w *world) role(account, name, trusted, policy string) string {
	w.Helper()
	c := w.iam(adminOf(account))
	trust := policyOf(`{"Effect":"Allow","Principal":` + trusted + `,"Action":"sts:AssumeRole"}`)
	out, err := c.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	w.must(err)
	w.must2(c.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &policy}))
	return *out.Role.Arn
}

// limited makes a role of an account with one policy.
func (w *world) limited(account, name, policy string) string {
	w.Helper()
	return w.role(account, name, `{"AWS":"`+account+`"}`, policy)
}

// person makes a role whose IAM rights are everything, so that what is refused to
// it is refused by Lake Formation.
func (w *world) person(account, name string) string {
	w.Helper()
	return w.limited(account, name, allowing("*", "*"))
}

func (w *world) database(account, name string) {
	w.Helper()
	w.must2(w.glue(adminOf(account)).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name}}))
}

// tableInput is a table with the columns id, customer and price and the partition
// key day in s3://lake/<database>/<name>.
func tableInput(database, name string) *gluetypes.TableInput {
	column := func(n string) gluetypes.Column { return gluetypes.Column{Name: &n, Type: aws.String("string")} }
	return &gluetypes.TableInput{
		Name: &name, TableType: aws.String("EXTERNAL_TABLE"), PartitionKeys: []gluetypes.Column{column("day")},
		StorageDescriptor: &gluetypes.StorageDescriptor{
			Location: aws.String("s3://lake/" + database + "/" + name), Columns: []gluetypes.Column{column("id"), column("customer"), column("price")},
		},
	}
}

// table makes a table as its account's administrator.
func (w *world) table(account, database, name string) {
	w.Helper()
	w.must2(w.glue(adminOf(account)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: &database, TableInput: tableInput(database, name)}))
}

func principals(ids ...string) []types.DataLakePrincipal {
	out := []types.DataLakePrincipal{}
	for _, id := range ids {
		out = append(out, types.DataLakePrincipal{DataLakePrincipalIdentifier: &id})
	}
	return out
}

// What grants are on: the owner's catalog, its databases, and the tables of "sales".

func onCatalog() *types.Resource { return &types.Resource{Catalog: &types.CatalogResource{}} }

func onDatabase(name string) *types.Resource {
	return &types.Resource{Database: &types.DatabaseResource{CatalogId: aws.String(owner), Name: &name}}
}

func onTable(name string) *types.Resource {
	return &types.Resource{Table: &types.TableResource{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: &name}}
}

func onAllTables() *types.Resource {
	return &types.Resource{Table: &types.TableResource{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableWildcard: &types.TableWildcard{}}}
}

func onColumns(table string, columns ...string) *types.Resource {
	return &types.Resource{TableWithColumns: &types.TableWithColumnsResource{
		CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: &table, ColumnNames: columns,
	}}
}

// onColumnsBut are all columns save those that are named.
func onColumnsBut(table string, columns ...string) *types.Resource {
	return &types.Resource{TableWithColumns: &types.TableWithColumnsResource{
		CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: &table,
		ColumnWildcard: &types.ColumnWildcard{ExcludedColumnNames: columns},
	}}
}

func onLocation(path string) *types.Resource {
	return &types.Resource{DataLocation: &types.DataLocationResource{CatalogId: aws.String(owner), ResourceArn: aws.String("arn:aws:s3:::" + path)}}
}

func onTag(key string, values ...string) *types.Resource {
	return &types.Resource{LFTag: &types.LFTagKeyResource{CatalogId: aws.String(owner), TagKey: &key, TagValues: values}}
}

// onPolicy is an LF-tag policy of one key.
func onPolicy(kind types.ResourceType, key string, values ...string) *types.Resource {
	return &types.Resource{LFTagPolicy: &types.LFTagPolicyResource{
		CatalogId: aws.String(owner), ResourceType: kind, Expression: []types.LFTag{{TagKey: &key, TagValues: values}},
	}}
}

// grant grants as by; the permissions after "|" come with the grant option.
func (w *world) grant(by, to string, on *types.Resource, list string) error {
	plain, grantable := permissionList(list)
	_, err := w.lake(by).GrantPermissions(w.ctx, &lakeformation.GrantPermissionsInput{
		Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &to}, Resource: on, Permissions: plain, PermissionsWithGrantOption: grantable,
	})
	return err
}

func (w *world) revoke(by, from string, on *types.Resource, list string) error {
	plain, grantable := permissionList(list)
	_, err := w.lake(by).RevokePermissions(w.ctx, &lakeformation.RevokePermissionsInput{
		Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &from}, Resource: on, Permissions: plain, PermissionsWithGrantOption: grantable,
	})
	return err
}

// permissionList reads "SELECT ALTER | SELECT".
func permissionList(list string) (plain, grantable []types.Permission) {
	before, after, _ := strings.Cut(list, "|")
	read := func(s string) []types.Permission {
		out := []types.Permission{}
		for _, p := range strings.Fields(s) {
			out = append(out, types.Permission(p))
		}
		return out
	}
	return read(before), read(after)
}

// sees tells whether the principal can read the metadata of a table of the owner's
// database "sales".
func (w *world) sees(principal, table string) error {
	_, err := w.glue(principal).GetTable(w.ctx, &glue.GetTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: &table})
	return err
}

// seesDatabase is sees for a database of the owner.
func (w *world) seesDatabase(principal, name string) error {
	_, err := w.glue(principal).GetDatabase(w.ctx, &glue.GetDatabaseInput{CatalogId: aws.String(owner), Name: &name})
	return err
}

// tag makes an LF-tag of the owner.
func (w *world) tag(key string, values ...string) {
	w.Helper()
	w.must2(w.lake(adminOf(owner)).CreateLFTag(w.ctx, &lakeformation.CreateLFTagInput{TagKey: &key, TagValues: values}))
}

// attach puts a tag of the owner onto a resource.
func (w *world) attach(on *types.Resource, key, value string) {
	w.Helper()
	out, err := w.lake(adminOf(owner)).AddLFTagsToResource(w.ctx, &lakeformation.AddLFTagsToResourceInput{
		Resource: on, LFTags: []types.LFTagPair{{TagKey: &key, TagValues: []string{value}}},
	})
	w.must(err)
	if len(out.Failures) > 0 {
		w.Fatalf("tag %s=%s: %s", key, value, pretty(out.Failures))
	}
}

// accept accepts all open invitations of an account, and tells how many.
func (w *world) accept(account string) int {
	w.Helper()
	n := 0
	for _, i := range w.invitations(account) {
		if i.Status == ramtypes.ResourceShareInvitationStatusPending {
			w.must2(w.ram(adminOf(account)).AcceptResourceShareInvitation(w.ctx, &ram.AcceptResourceShareInvitationInput{
				ResourceShareInvitationArn: i.ResourceShareInvitationArn,
			}))
			n++
		}
	}
	return n
}

func (w *world) invitations(account string) []ramtypes.ResourceShareInvitation {
	w.Helper()
	out, err := w.ram(adminOf(account)).GetResourceShareInvitations(w.ctx, &ram.GetResourceShareInvitationsInput{})
	w.must(err)
	return out.ResourceShareInvitations
}

// shares are the owner's active shares.
func (w *world) shares() []ramtypes.ResourceShare {
	w.Helper()
	out, err := w.ram(adminOf(owner)).GetResourceShares(w.ctx, &ram.GetResourceSharesInput{
		ResourceOwner: ramtypes.ResourceOwnerSelf, ResourceShareStatus: ramtypes.ResourceShareStatusActive,
	})
	w.must(err)
	return out.ResourceShares
}

// listed are the rows of the grants on a resource.
func (w *world) listed(principal string, on *types.Resource) []types.PrincipalResourcePermissions {
	w.Helper()
	out, err := w.lake(principal).ListPermissions(w.ctx, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner), Resource: on})
	w.must(err)
	return out.PrincipalResourcePermissions
}

// rows are the rows of a listing in short: "Admin:table/orders:ALTER,DROP|DROP".
func (w *world) rows(principal string, in *lakeformation.ListPermissionsInput) []string {
	w.Helper()
	out := []string{}
	pages := lakeformation.NewListPermissionsPaginator(w.lake(principal), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.ctx)
		w.must(err)
		for _, r := range page.PrincipalResourcePermissions {
			out = append(out, short(r))
		}
	}
	slices.Sort(out)
	return out
}

// rowsOf are the rows of the owner's catalog about one principal that it sees itself.
func (w *world) rowsOf(principal string) []string {
	w.Helper()
	me := principal[strings.LastIndexByte(principal, '/')+1:] + ":"
	return slices.DeleteFunc(w.rows(principal, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)}), func(r string) bool {
		return !strings.HasPrefix(r, me)
	})
}

// short writes a row of a listing in short.
func short(r types.PrincipalResourcePermissions) string {
	who := *r.Principal.DataLakePrincipalIdentifier
	who = who[strings.LastIndexByte(who, '/')+1:]
	what := "catalog"
	switch x := r.Resource; {
	case x.Database != nil:
		what = "database/" + *x.Database.Name
	case x.Table != nil:
		what = "table/" + *x.Table.Name
	case x.TableWithColumns != nil && x.TableWithColumns.ColumnWildcard != nil:
		what = "columns/" + *x.TableWithColumns.Name + "/*-" + strings.Join(x.TableWithColumns.ColumnWildcard.ExcludedColumnNames, ",")
	case x.TableWithColumns != nil:
		what = "columns/" + *x.TableWithColumns.Name + "/" + strings.Join(x.TableWithColumns.ColumnNames, ",")
	case x.DataLocation != nil:
		what = *x.DataLocation.ResourceArn
	case x.LFTag != nil:
		what = "tag/" + *x.LFTag.TagKey + "=" + strings.Join(x.LFTag.TagValues, ",")
	case x.LFTagPolicy != nil:
		what = "policy/" + string(x.LFTagPolicy.ResourceType)
	case x.DataCellsFilter != nil:
		what = "filter/" + *x.DataCellsFilter.Name
	}
	join := func(list []types.Permission) string {
		var out []string
		for _, p := range list {
			out = append(out, string(p))
		}
		return strings.Join(out, ",")
	}
	s := who + ":" + what + ":" + join(r.Permissions)
	if len(r.PermissionsWithGrantOption) > 0 {
		s += "|" + join(r.PermissionsWithGrantOption)
	}
	return s
}

func pretty(v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}
