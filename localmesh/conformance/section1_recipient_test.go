package conformance_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
)

// What the account that something is shared with sees and may do.
func TestWhatARecipientSeesAndMayDo(t *testing.T) {
	t.Parallel()

	holds(t, "1.5.1", "before acceptance nobody of the account sees anything", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
		w.must(w.grant(adminOf(owner), analyst, onTable("items"), "SELECT"))
		for _, who := range []string{adminOf(recipient), analyst} {
			for _, table := range []string{"orders", "items"} {
				w.refused(w.sees(who, table), denied)
			}
			w.refused(w.seesDatabase(who, "sales"), denied)
			if names := w.searched(who, gluetypes.ResourceShareTypeAll); len(names) > 0 {
				t.Errorf("search finds %v", names)
			}
			if names := w.databases(who, gluetypes.ResourceShareTypeAll); len(names) > 0 {
				t.Errorf("databases %v", names)
			}
			if rows := w.rows(who, &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)}); len(rows) > 0 {
				t.Errorf("grants %v", rows)
			}
		}
		out, err := w.ram(adminOf(recipient)).GetResourceShares(w.ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerOtherAccounts})
		w.must(err)
		if len(out.ResourceShares) > 0 {
			t.Errorf("shares %s", pretty(out.ResourceShares))
		}
	})

	holds(t, "1.5.2", "after acceptance its administrators see it, and others when it was handed on to them", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT DESCRIBE | SELECT DESCRIBE"))
		w.accept(recipient)
		w.must(w.sees(adminOf(recipient), "orders"))
		w.refused(w.sees(analyst, "orders"), denied)
		w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"))
		w.must(w.sees(analyst, "orders"))
		w.refused(w.sees(analyst, "items"), denied)
	})

	holds(t, "1.5.2", "handing on has to name the owner's catalog", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
		w.accept(recipient)
		ours := onTable("orders")
		ours.Table.CatalogId = nil
		w.refused(w.grant(adminOf(recipient), analyst, ours, "SELECT"), notFound)
		ours.Table.CatalogId = aws.String(recipient)
		w.refused(w.grant(adminOf(recipient), analyst, ours, "SELECT"), notFound)
	})

	holds(t, "1.5.3", "nothing is handed on to another account, an organization or IAMAllowedPrincipals", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "ALL | ALL"))
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE | DESCRIBE"))
		w.accept(recipient)
		for _, to := range []string{stranger, owner, recipient, w.person(stranger, "Role"), w.person(owner, "Role"), stranger + ":IAMPrincipals", "IAM_ALLOWED_PRINCIPALS"} {
			w.refused(w.grant(adminOf(recipient), to, onTable("orders"), "SELECT"), denied, "Not authorized to grant permissions for the resource")
			w.refused(w.grant(adminOf(recipient), to, onDatabase("sales"), "DESCRIBE"), denied, "Not authorized to grant permissions for the resource")
		}
		if err := w.grant(adminOf(recipient), "arn:aws:organizations::"+recipient+":organization/o-abcdefghij", onTable("orders"), "SELECT"); err == nil {
			t.Error("the table was handed on to an organization")
		}
		w.must(w.grant(adminOf(recipient), recipient+":IAMPrincipals", onTable("orders"), "SELECT"))
	})

	holds(t, "1.5.3", "neither are locations, LF-tags, expressions and filters", func(t *testing.T) {
		w := newWorld(t)
		w.tag("domain", "sales")
		w.cellFilter("orders", "first")
		for on, list := range map[*types.Resource]string{
			onLocation("lake/sales"):                             "DATA_LOCATION_ACCESS",
			onTag("domain", "sales"):                             "ASSOCIATE",
			onPolicy(types.ResourceTypeTable, "domain", "sales"): "SELECT",
			onFilter("orders", "first"):                          "SELECT",
		} {
			w.must(w.grant(adminOf(owner), recipient, on, list+" | "+list))
			w.accept(recipient)
			for _, to := range []string{stranger, owner, adminOf(stranger), adminOf(owner), "IAM_ALLOWED_PRINCIPALS"} {
				w.refused(w.grant(adminOf(recipient), to, on, list), denied, "Not authorized to grant permissions for the resource")
			}
			w.must(w.grant(adminOf(recipient), w.fresh(recipient), on, list))
		}
	})

	holds(t, "1.5.4", "what came without the grant option cannot be handed on", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT DESCRIBE INSERT | DESCRIBE"))
		w.accept(recipient)
		for _, list := range []string{"SELECT", "INSERT", "SELECT DESCRIBE", "DESCRIBE ALTER", "ALL"} {
			w.refused(w.grant(adminOf(recipient), analyst, onTable("orders"), list), denied)
		}
		w.refused(w.grant(adminOf(recipient), analyst, onAllTables(), "DESCRIBE"), denied)
		w.refused(w.grant(adminOf(recipient), analyst, onTable("items"), "DESCRIBE"), denied)
		w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "DESCRIBE | DESCRIBE"))
	})

	holds(t, "1.5.5", "a grant on tables lets its holder describe the database in its own account only", func(t *testing.T) {
		w := newWorld(t)
		for i, on := range []*types.Resource{onTable("orders"), onAllTables(), onColumns("orders", "id")} {
			local := w.person(owner, "Local"+string(rune('A'+i)))
			w.refused(w.seesDatabase(local, "sales"), denied)
			w.must(w.grant(adminOf(owner), local, on, "SELECT"))
			w.must(w.seesDatabase(local, "sales"))
			w.must(w.grant(adminOf(owner), recipient, on, "SELECT"))
		}
		w.accept(recipient)
		w.refused(w.seesDatabase(adminOf(recipient), "sales"), denied)
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		w.accept(recipient)
		w.must(w.seesDatabase(adminOf(recipient), "sales"))
	})

	holds(t, "1.5.6", "reading the metadata needs IAM's permission on the owner's catalog, database and table", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE | DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT DESCRIBE | SELECT DESCRIBE"))
		w.accept(recipient)
		base := "arn:aws:glue:us-east-1:" + owner + ":"
		all := []string{base + "catalog", base + "database/sales", base + "table/sales/orders"}
		reader := func(name string, resources ...string) string {
			arn := w.limited(recipient, name, policyOf(`{"Effect":"Allow","Action":"glue:Get*","Resource":["`+strings.Join(resources, `","`)+`"]}`))
			w.must(w.grant(adminOf(recipient), arn, onTable("orders"), "SELECT"))
			w.must(w.grant(adminOf(recipient), arn, onDatabase("sales"), "DESCRIBE"))
			return arn
		}
		w.must(w.sees(reader("Reader", all...), "orders"))
		for i := range all {
			w.refused(w.sees(reader("Without"+string(rune('A'+i)), slices.Delete(slices.Clone(all), i, i+1)...), "orders"), denied, "glue:GetTable")
		}
		own := reader("OwnCatalog", strings.Split(strings.ReplaceAll(strings.Join(all, " "), owner, recipient), " ")...)
		w.refused(w.sees(own, "orders"), denied, "glue:GetTable")
		w.refused(w.seesDatabase(own, "sales"), denied, "glue:GetDatabase")
	})

	holds(t, "1.5.6", "reading the data needs lakeformation:GetDataAccess and SELECT, and no permission of S3", func(t *testing.T) {
		w := newWorld(t)
		w.settings(owner, func(s *types.DataLakeSettings) { s.AllowFullTableExternalDataAccess = aws.Bool(true) })
		w.must2(w.s3(adminOf(owner)).CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String("lake")}))
		w.must2(w.s3(adminOf(owner)).PutObject(w.ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("sales/orders/1"), Body: strings.NewReader("row")}))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT DESCRIBE | SELECT DESCRIBE"))
		w.accept(recipient)
		reader := func(name, actions string) string {
			arn := w.limited(recipient, name, policyOf(`{"Effect":"Allow","Action":[`+actions+`],"Resource":"*"}`))
			w.must(w.grant(adminOf(recipient), arn, onTable("orders"), "SELECT"))
			return arn
		}
		whole := reader("Reader", `"lakeformation:GetDataAccess","lakeformation:GetTemporaryGlueTableCredentials","glue:GetTable"`)
		if text, err := w.readObject(whole, "orders", "sales/orders/1", types.PermissionSelect); err != nil || text != "row" {
			t.Errorf("read %q, %v", text, err)
		}
		_, err := w.s3(whole).GetObject(w.ctx, &s3.GetObjectInput{Bucket: aws.String("lake"), Key: aws.String("sales/orders/1")})
		w.refused(err, "AccessDenied")
		_, err = w.readObject(reader("Half", `"lakeformation:GetTemporaryGlueTableCredentials","glue:GetTable"`), "orders", "sales/orders/1", types.PermissionSelect)
		w.refused(err, denied, "lakeformation:GetDataAccess")
		unheld := w.person(recipient, "Unheld")
		_, err = w.readObject(unheld, "orders", "sales/orders/1", types.PermissionSelect)
		w.refused(err, denied)
		w.must(w.grant(adminOf(recipient), unheld, onTable("orders"), "DESCRIBE"))
		_, err = w.readObject(unheld, "orders", "sales/orders/1", types.PermissionSelect)
		w.refused(err, denied, "Select")
	})

	holds(t, "1.5.7", "what is shared by LF-tags has to be accepted too", func(t *testing.T) {
		for _, version := range []string{"3", "4", "5"} {
			w := newWorld(t)
			w.version(owner, version)
			analyst := w.person(recipient, "Analyst")
			w.tag("domain", "sales")
			w.attach(onTable("orders"), "domain", "sales")
			w.must(w.grant(adminOf(owner), recipient, onPolicy(types.ResourceTypeTable, "domain", "sales"), "SELECT DESCRIBE | SELECT DESCRIBE"))
			w.refused(w.sees(adminOf(recipient), "orders"), denied)
			w.refused(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"), denied)
			if n := w.accept(recipient); n != 1 {
				t.Errorf("version %s: %d invitations", version, n)
			}
			w.must(w.sees(adminOf(recipient), "orders"))
			w.must(w.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"))
			w.must(w.sees(analyst, "orders"))
		}
	})

	holds(t, "1.5.8", "lists show what others share on request only", func(t *testing.T) {
		w := newWorld(t)
		w.database(recipient, "own")
		w.table(recipient, "own", "mine")
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.accept(recipient)
		for share, want := range map[gluetypes.ResourceShareType][2][]string{
			"":                                   {{"own"}, {"mine"}},
			gluetypes.ResourceShareTypeAll:       {{"own", "sales"}, {"mine", "orders"}},
			gluetypes.ResourceShareTypeForeign:   {{"sales"}, {"orders"}},
			gluetypes.ResourceShareTypeFederated: {nil, nil},
		} {
			if diff := cmp.Diff(want[0], w.databases(adminOf(recipient), share)); diff != "" {
				t.Errorf("databases of %q: %s", share, diff)
			}
			if diff := cmp.Diff(want[1], w.searched(adminOf(recipient), share)); diff != "" {
				t.Errorf("search of %q: %s", share, diff)
			}
		}
	})

	holds(t, "1.5.8", "GetTables of a shared database has the shared tables alone", func(t *testing.T) {
		w := newWorld(t)
		w.must(w.grant(adminOf(owner), recipient, onDatabase("sales"), "DESCRIBE"))
		w.must(w.grant(adminOf(owner), recipient, onTable("orders"), "SELECT"))
		w.accept(recipient)
		out, err := w.glue(adminOf(recipient)).GetTables(w.ctx, &glue.GetTablesInput{CatalogId: aws.String(owner), DatabaseName: aws.String("sales")})
		w.must(err)
		if len(out.TableList) != 1 || *out.TableList[0].Name != "orders" {
			t.Errorf("tables %s", pretty(out.TableList))
		}
	})
}

// databases are the names of the databases that a principal lists.
func (w *world) databases(principal string, share gluetypes.ResourceShareType) []string {
	w.Helper()
	var names []string
	pages := glue.NewGetDatabasesPaginator(w.glue(principal), &glue.GetDatabasesInput{ResourceShareType: share})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.ctx)
		w.must(err)
		for _, d := range page.DatabaseList {
			names = append(names, *d.Name)
		}
	}
	slices.Sort(names)
	return names
}

// searched are the names of the tables that a principal's search finds.
func (w *world) searched(principal string, share gluetypes.ResourceShareType) []string {
	w.Helper()
	var names []string
	pages := glue.NewSearchTablesPaginator(w.glue(principal), &glue.SearchTablesInput{ResourceShareType: share})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.ctx)
		w.must(err)
		for _, d := range page.TableList {
			names = append(names, *d.Name)
		}
	}
	slices.Sort(names)
	return names
}

// vended are the credentials that Lake Formation vends for a table of the owner's
// database "sales".
func (w *world) vended(principal, table string, perms ...types.Permission) (aws.Config, error) {
	out, err := w.lake(principal).GetTemporaryGlueTableCredentials(w.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
		TableArn: aws.String("arn:aws:glue:us-east-1:" + owner + ":table/sales/" + table), Permissions: perms,
		SupportedPermissionTypes: []types.PermissionType{types.PermissionTypeColumnPermission},
	})
	if err != nil {
		return aws.Config{}, err
	}
	return w.mesh.ConfigWith(credentials.NewStaticCredentialsProvider(*out.AccessKeyId, *out.SecretAccessKey, *out.SessionToken)), nil
}

// readObject reads an object of the bucket "lake" with credentials that Lake
// Formation vends for a table.
func (w *world) readObject(principal, table, key string, perms ...types.Permission) (string, error) {
	config, err := w.vended(principal, table, perms...)
	if err != nil {
		return "", err
	}
	out, err := s3.NewFromConfig(config).GetObject(w.ctx, &s3.GetObjectInput{Bucket: aws.String("lake"), Key: &key})
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(out.Body)
	return string(text), err
}
