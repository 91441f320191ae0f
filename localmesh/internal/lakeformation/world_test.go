package lakeformation_test

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
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	owner     = "111111111111"
	recipient = "222222222222"
	stranger  = "333333333333"
)

func adminOf(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

// world is a mesh in which the Admin of each account is its data lake
// administrator, nothing is left to IAM, and the owner has a database "sales" with
// the tables "orders" and "items" in a registered location.
type world struct {
	testing.TB
	mesh *localmesh.Mesh
	ctx  context.Context
}

func newWorld(t testing.TB, opts ...localmesh.Option) *world {
	w := &world{TB: t, mesh: localmesh.Run(t, opts...), ctx: context.Background()}
	for _, account := range []string{owner, recipient, stranger} {
		w.settings(account, func(s *types.DataLakeSettings) {
			s.DataLakeAdmins = principals(adminOf(account))
			s.CreateDatabaseDefaultPermissions = []types.PrincipalPermissions{}
			s.CreateTableDefaultPermissions = []types.PrincipalPermissions{}
		})
	}
	w.role(owner, "LakeAccess", `{"Service":"lakeformation.amazonaws.com"}`, allow("s3:*", "*"))
	w.must2(w.lake(adminOf(owner)).RegisterResource(w.ctx, &lakeformation.RegisterResourceInput{
		ResourceArn: aws.String("arn:aws:s3:::lake/sales"), RoleArn: aws.String("arn:aws:iam::" + owner + ":role/LakeAccess"),
	}))
	w.database(owner, "sales")
	w.table("orders")
	w.table("items")
	return w
}

func (w *world) lake(principal string) *lakeformation.Client {
	return lakeformation.NewFromConfig(w.mesh.Config(principal))
}

func (w *world) glue(principal string) *glue.Client {
	return glue.NewFromConfig(w.mesh.Config(principal))
}

func (w *world) ram(principal string) *ram.Client { return ram.NewFromConfig(w.mesh.Config(principal)) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) must2(_ any, err error) {
	w.Helper()
	w.must(err)
}

// refused checks that a call was refused with the code and a message that
// contains all of the words.
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

func (w *world) settings(account string, change func(*types.DataLakeSettings)) {
	w.Helper()
	c := w.lake(adminOf(account))
	out, err := c.GetDataLakeSettings(w.ctx, &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	change(out.DataLakeSettings)
	w.must2(c.PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings}))
}

func (w *world) version(account, version string) {
	w.Helper()
	w.settings(account, func(s *types.DataLakeSettings) { s.Parameters["CROSS_ACCOUNT_VERSION"] = version })
}

func allow(action, resource string, more ...string) string {
	statements := []string{`{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(append(statements, more...), ",") + `]}`
}

// role makes a role with one inline policy that the principals may assume.
func (w *world) role(account, name, trusted, policy string) string {
	w.Helper()
	c := iam.NewFromConfig(w.mesh.Config(adminOf(account)))
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + trusted + `,"Action":"sts:AssumeRole"}]}`
	out, err := c.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	w.must(err)
	w.must2(c.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &policy}))
	return *out.Role.Arn
}

// person makes a role whose IAM rights are everything, so that what is refused to
// it is refused by Lake Formation.
func (w *world) person(account, name string) string {
	w.Helper()
	return w.role(account, name, `{"AWS":"`+account+`"}`, allow("*", "*"))
}

func (w *world) database(account, name string) {
	w.Helper()
	w.must2(w.glue(adminOf(account)).CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name}}))
}

func (w *world) table(name string) {
	w.Helper()
	column := func(n string) gluetypes.Column { return gluetypes.Column{Name: &n, Type: aws.String("string")} }
	w.must2(w.glue(adminOf(owner)).CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("sales"), TableInput: &gluetypes.TableInput{
		Name: &name, TableType: aws.String("EXTERNAL_TABLE"), PartitionKeys: []gluetypes.Column{column("day")},
		StorageDescriptor: &gluetypes.StorageDescriptor{
			Location: aws.String("s3://lake/sales/" + name), Columns: []gluetypes.Column{column("id"), column("customer"), column("price")},
		},
	}}))
}

func principals(ids ...string) []types.DataLakePrincipal {
	out := []types.DataLakePrincipal{}
	for _, id := range ids {
		out = append(out, types.DataLakePrincipal{DataLakePrincipalIdentifier: &id})
	}
	return out
}

func database(name string) *types.Resource {
	return &types.Resource{Database: &types.DatabaseResource{CatalogId: aws.String(owner), Name: &name}}
}

func table(name string) *types.Resource {
	return &types.Resource{Table: &types.TableResource{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: &name}}
}

func allTables() *types.Resource {
	return &types.Resource{Table: &types.TableResource{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), TableWildcard: &types.TableWildcard{}}}
}

func columns(name string, columns ...string) *types.Resource {
	return &types.Resource{TableWithColumns: &types.TableWithColumnsResource{
		CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: &name, ColumnNames: columns,
	}}
}

func location(path string) *types.Resource {
	return &types.Resource{DataLocation: &types.DataLocationResource{CatalogId: aws.String(owner), ResourceArn: aws.String("arn:aws:s3:::" + path)}}
}

type perms = []types.Permission

// grant grants as by; the permissions after "|" come with the grant option.
func (w *world) grant(by, to string, on *types.Resource, list string) error {
	plain, grantable := split(list)
	_, err := w.lake(by).GrantPermissions(w.ctx, &lakeformation.GrantPermissionsInput{
		Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &to}, Resource: on, Permissions: plain, PermissionsWithGrantOption: grantable,
	})
	return err
}

func (w *world) revoke(by, from string, on *types.Resource, list string) error {
	plain, grantable := split(list)
	_, err := w.lake(by).RevokePermissions(w.ctx, &lakeformation.RevokePermissionsInput{
		Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &from}, Resource: on, Permissions: plain, PermissionsWithGrantOption: grantable,
	})
	return err
}

// split reads "SELECT ALTER | SELECT".
func split(list string) (plain, grantable perms) {
	before, after, _ := strings.Cut(list, "|")
	read := func(s string) perms {
		out := perms{}
		for _, p := range strings.Fields(s) {
			out = append(out, types.Permission(p))
		}
		return out
	}
	return read(before), read(after)
}

// sees tells whether the principal can read the metadata of a table of the owner.
func (w *world) sees(principal, table string) error {
	_, err := w.glue(principal).GetTable(w.ctx, &glue.GetTableInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales"), Name: &table})
	return err
}

// rows are the rows of a listing in short: "Admin:table/orders:ALTER,DROP|DROP".
func (w *world) rows(principal string, in *lakeformation.ListPermissionsInput) []string {
	w.Helper()
	var out []string
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

// ownRows are the rows about the principal itself that it sees.
func (w *world) ownRows(principal string) []string {
	w.Helper()
	me := principal[strings.LastIndexByte(principal, '/')+1:] + ":"
	return slices.DeleteFunc(w.rows(principal, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)}), func(r string) bool {
		return !strings.HasPrefix(r, me)
	})
}

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
	join := func(list perms) string {
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

// accept accepts all open invitations of an account, and tells how many.
func (w *world) accept(account string) int {
	w.Helper()
	c := w.ram(adminOf(account))
	n := 0
	for _, i := range w.invitations(account) {
		if i.Status == ramtypes.ResourceShareInvitationStatusPending {
			w.must2(c.AcceptResourceShareInvitation(w.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: i.ResourceShareInvitationArn}))
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

func pretty(v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (w *world) drop(principal, table string) error {
	_, err := w.glue(principal).DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("sales"), Name: &table})
	return err
}
