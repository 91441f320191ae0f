package proof

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

const invalidInput, deniedCode, notFoundCode = "InvalidInputException", "AccessDeniedException", "EntityNotFoundException"

// granting is a grant as the owner's administrator.
func (t *Try) granting(to string, on *types.Resource, list string) func() error {
	return func() error { return t.grant(t.admin(), to, on, list) }
}

func (t *Try) revoking(from string, on *types.Resource, list string) func() error {
	return func() error { return t.revoke(t.admin(), from, on, list) }
}

func grantChecks() []Check {
	return []Check{
		{Name: "principals of grants", Rules: []string{"1.4.1", "1.4.2", "6.2.12"}, Run: func(t *Try) {
			t.done("all IAM principals of the account are granted to", t.granting(t.owner().ID+":IAMPrincipals", t.onDatabase(t.database()), "DESCRIBE"))
			for _, who := range []string{"nobody", partition + "s3:::bucket"} {
				t.refused("what is no principal is granted to: "+who, t.granting(who, t.onTable("orders"), "SELECT"), invalidInput)
			}
			t.about("6.2.12")
			t.refused("a role that is not there is granted to", t.granting(t.owner().role(t.name("none")), t.onTable("orders"), "SELECT"), invalidInput, "Invalid principal")
			t.about("1.4.2")
			session := partition + "sts::" + t.owner().ID + ":assumed-role/" + t.name("ann") + "/someone"
			t.refused("a session is granted to", t.granting(session, t.onTable("orders"), "SELECT"), invalidInput)
		}},
		{Name: "permissions of resources", Rules: []string{"1.6.0", "1.6.1", "1.6.2"}, Run: func(t *Try) {
			ann := t.arns["ann"]
			t.refused("SELECT is granted on a database", t.granting(ann, t.onDatabase(t.database()), "SELECT"), invalidInput)
			t.refused("CREATE_TABLE is granted on a table", t.granting(ann, t.onTable("orders"), "CREATE_TABLE"), invalidInput)
			t.refused("DATA_LOCATION_ACCESS is granted on a table", t.granting(ann, t.onTable("orders"), "DATA_LOCATION_ACCESS"), invalidInput)
			t.about("1.6.1")
			t.refused("DROP on a database is granted to another account", t.granting(t.third().ID, t.onDatabase(t.database()), "DROP"), invalidInput)
			t.refused("ALL on a database is granted to another account", t.granting(t.third().ID, t.onDatabase(t.database()), "ALL"), invalidInput)
			t.about("1.6.2")
			t.refused("the grant option is for a permission that is not in the entry", t.granting(ann, t.onTable("orders"), "SELECT | INSERT"), invalidInput)
		}},
		{Name: "the grant option on columns", Rules: []string{"8.22", "1.6.3"}, Doubt: "SELECT on a list of columns has no grant option, so that lakemesh shares parts of tables as filters.", Run: func(t *Try) {
			t.refused("SELECT on a list of columns is granted with the grant option", t.granting(t.arns["ann"], t.onColumns("orders", "id"), "SELECT | SELECT"), invalidInput)
			t.reads("columns-handed-on")
			t.about("1.6.3")
			t.refused("SELECT on all columns but some is granted with the grant option", t.granting(t.arns["ann"], t.onColumnsBut("orders", "id"), "SELECT | SELECT"), invalidInput)
		}},
		{Name: "columns beside the whole table", Rules: []string{"1.6.4", "8.30"}, Run: func(t *Try) {
			t.given(t.arns["ann"], t.onColumns("orders", "id"), "SELECT")
			t.refused("DESCRIBE on the table for whom has some columns", t.granting(t.arns["ann"], t.onTable("orders"), "DESCRIBE"), invalidInput, "Permissions modification is invalid")
			t.done("another table is another matter", t.granting(t.arns["ann"], t.onTable("items"), "DESCRIBE"))
			t.refused("a partition key is excluded", t.granting(t.arns["bob"], t.onColumnsBut("items", "day"), "SELECT"), invalidInput)
			t.about("8.30")
			t.given(t.arns["bob"], t.onTable("orders"), "DESCRIBE")
			t.refused("some columns for whom has DESCRIBE on the table", t.granting(t.arns["bob"], t.onColumns("orders", "id"), "SELECT"), invalidInput, "Permissions modification is invalid")
			t.reads("columns-beside-wider-grants")
		}},
		{Name: "what permissions imply", Rules: []string{"1.6.5", "1.6.10", "1.6.9"}, Run: func(t *Try) {
			ann := t.people["ann"]
			t.refused("a table is seen without a grant", t.sees(ann, "orders"), deniedCode)
			t.given(t.arns["ann"], t.onDatabase(t.database()), "ALTER")
			t.done("ALTER on a database shows the database", t.seesDatabase(ann, t.database()))
			t.refused("and no table of it", t.sees(ann, "orders"), deniedCode)
			t.given(t.arns["ann"], t.onTable("orders"), "INSERT")
			t.done("INSERT on a table shows the table", t.sees(ann, "orders"))
			t.about("1.6.10")
			weak, arn := t.someone(t.owner(), allowing("lakeformation:*", "*"))
			t.given(arn, t.onTable("orders"), "SELECT")
			t.refused("with a grant, and without IAM's permission", t.sees(weak, "orders"), deniedCode, "glue:GetTable")
			t.given(t.arns["bob"], t.onColumns("orders", "id", "price"), "SELECT")
			t.equal("GetTable shows the columns that may be selected", t.columns(t.people["bob"], "orders"), "id price")
			t.about("1.6.9")
			t.given(arn, t.onTable("items"), "ALL")
			t.refused("what is only implied by ALL is revoked", t.revoking(arn, t.onTable("items"), "SELECT"), invalidInput, "No permissions revoked")
		}},
		{Name: "who makes a table or a database", Rules: []string{"1.6.7"}, Doubt: "Whoever makes a database and its tables grants on them to other accounts: a producer's role publishes so, and is no administrator.", Run: func(t *Try) {
			db, bob := t.scratch(), t.people["bob"]
			t.refused("a table is made without CREATE_TABLE", func() error {
				return only(glueOf(bob).CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: t.tableAt("made", t.path("free/made"), "id")}))
			}, deniedCode, "Create Table")
			t.given(t.arns["bob"], t.onDatabase(db), "CREATE_TABLE")
			t.done("a table is made with it", func() error {
				return only(glueOf(bob).CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: t.tableAt("made", t.path("free/made"), "id")}))
			})
			made := &types.Resource{Table: tableOn(t.owner().ID, db, "made")}
			t.done("its maker grants SELECT with the grant option on it", func() error { return t.grant(bob, t.arns["ann"], made, "SELECT | SELECT") })
			t.done("its maker grants it to another account", func() error { return t.grant(bob, t.third().ID, made, "SELECT DESCRIBE | SELECT DESCRIBE") })
			t.refused("its maker grants what others made", func() error { return t.grant(bob, t.arns["ann"], t.onTable("orders"), "SELECT") }, deniedCode)
			t.need(t.journal.make(Thing{Kind: kindGrant, In: Mesh, Name: "of " + t.run}))
			t.given(t.arns["bob"], &types.Resource{Catalog: &types.CatalogResource{}}, "CREATE_DATABASE")
			own := t.next("db")
			t.need(t.journal.make(Thing{Kind: kindDatabase, In: Mesh, Name: own}))
			t.done("a database is made with CREATE_DATABASE", func() error {
				return only(glueOf(bob).CreateDatabase(t.ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &own, CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{}}}))
			})
			if err := t.revoke(t.admin(), allowedPrincipals, t.onDatabase(own), "ALL"); err != nil && !awserr.Says(err, "No permissions revoked") {
				t.need(err)
			}
			t.done("its maker shares it with another account", func() error { return t.grant(bob, t.third().ID, t.onDatabase(own), "DESCRIBE | DESCRIBE") })
		}},
		{Name: "what is left to IAM", Rules: []string{"6.2.15", "1.7.2"}, Doubt: "What IAMAllowedPrincipals holds is not shared: publishing takes it away first.", Run: func(t *Try) {
			db := t.free()
			on := &types.Resource{Table: tableOn(t.owner().ID, db, "free")}
			t.given(allowedPrincipals, on, "ALL")
			t.refused("a table that IAMAllowedPrincipals holds is granted to another account", t.granting(t.third().ID, on, "SELECT"), deniedCode, "Illegal combination")
			t.about("1.7.2")
			t.done("inside the account IAM alone decides on it", func() error {
				return only(glueOf(t.people["ann"]).GetTable(t.ctx, &glue.GetTableInput{DatabaseName: &db, Name: aws.String("free")}))
			})
		}},
		{Name: "data lake administrators", Rules: []string{"1.8.1", "1.8.2", "1.8.3", "1.8.6"}, Run: func(t *Try) {
			db, ann := t.scratch(), t.people["ann"]
			t.given(t.arns["bob"], t.onDatabase(db), "CREATE_TABLE")
			t.soon("a table of somebody else", func() error {
				return only(glueOf(t.people["bob"]).CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: t.tableAt("theirs", t.path("free/theirs"), "id")}))
			})
			t.done("an administrator describes what others made", func() error { return only(t.get(t.admin(), db, "theirs")) })
			t.about("1.8.2")
			remove := func() error {
				return only(glueOf(t.admin()).DeleteTable(t.ctx, &glue.DeleteTableInput{DatabaseName: &db, Name: aws.String("theirs")}))
			}
			t.refused("an administrator drops what others made", remove, deniedCode)
			t.given(t.adminARN(Mesh), &types.Resource{Table: tableOn(t.owner().ID, db, "theirs")}, "DROP")
			t.done("it grants itself DROP and drops it", remove)
			t.about("1.8.6")
			t.refused("whoever may do everything by IAM, and is no administrator, grants", func() error { return t.grant(ann, t.arns["bob"], t.onTable("orders"), "SELECT") }, deniedCode)
			t.about("1.8.3")
			weak, arn := t.someone(t.owner(), allowing("lakeformation:*", "*"))
			t.given(arn, t.onDatabase(db), "ALL")
			t.refused("a permission of Lake Formation counts without IAM's", func() error {
				return only(glueOf(weak).GetDatabase(t.ctx, &glue.GetDatabaseInput{Name: &db}))
			}, deniedCode, "glue:GetDatabase")
		}},
		{Name: "revoking", Rules: []string{"1.10.4", "6.2.14", "6.4.2"}, Run: func(t *Try) {
			ann := t.arns["ann"]
			t.refused("what was not granted is revoked", t.revoking(ann, t.onTable("orders"), "SELECT"), invalidInput, "No permissions revoked. Grantee")
			t.about("6.2.14")
			t.given(ann, t.onTable("orders"), "INSERT")
			t.refused("more than was granted is revoked", t.revoking(ann, t.onTable("orders"), "INSERT ALTER"), invalidInput, "No permissions revoked. Grantee")
			t.about("6.4.2")
			t.given(ann, t.onTable("orders"), "ALTER")
			t.equal("repeated grants add up", t.rows(&lakeformation.ListPermissionsInput{Resource: t.onTable("orders")}, ann), "table:ALTER,INSERT")
		}},
		{Name: "batches of grants", Rules: []string{"5.2.1", "6.3.1", "6.1.1", "6.2.18"}, Run: func(t *Try) {
			entries := func(n int) func() error {
				return func() error {
					in := &lakeformation.BatchGrantPermissionsInput{}
					for i := range n {
						in.Entries = append(in.Entries, types.BatchPermissionsRequestEntry{Id: aws.String(fmt.Sprint(i)), Principal: principal(t.arns["ann"]), Resource: t.onTable("orders"), Permissions: []types.Permission{"ALTER"}})
					}
					return only(lake(t.admin()).BatchGrantPermissions(t.ctx, in))
				}
			}
			t.undo(t.revoking(t.arns["ann"], t.onTable("orders"), "ALTER"))
			t.refused("a batch has 21 entries", entries(21), invalidInput)
			t.done("a batch has 20 entries", entries(20))
			t.about("6.3.1")
			t.equal("an entry that fails is in the answer, and the others are done", func() (string, error) {
				out, err := lake(t.admin()).BatchGrantPermissions(t.ctx, &lakeformation.BatchGrantPermissionsInput{Entries: []types.BatchPermissionsRequestEntry{
					{Id: aws.String("good"), Principal: principal(t.arns["ann"]), Resource: t.onTable("orders"), Permissions: []types.Permission{"ALTER"}},
					{Id: aws.String("bad"), Principal: principal(t.arns["ann"]), Resource: t.onTable("none"), Permissions: []types.Permission{"ALTER"}},
				}})
				if err != nil {
					return "", err
				}
				var failed []string
				for _, f := range out.Failures {
					failed = append(failed, aws.ToString(f.RequestEntry.Id)+" "+aws.ToString(f.Error.ErrorCode))
				}
				return strings.Join(failed, ", "), nil
			}, "bad "+notFoundCode)
			t.about("6.1.1")
			var refusal error
			t.soon("a refusal", func() error {
				refusal = t.grant(t.people["bob"], t.arns["ann"], t.onTable("orders"), "SELECT")
				if awserr.Denied(refusal) {
					return nil
				}
				return errors.Join(errors.New("it is not refused to whom may not grant"), refusal)
			})
			t.equal("an AccessDeniedException of GrantPermissions has a code and no type of its own", func() (string, error) {
				var typed *types.AccessDeniedException
				return fmt.Sprint(awserr.Code(refusal), " ", errors.As(refusal, &typed)), nil
			}, deniedCode+" false")
			t.about("6.2.18")
			t.equal("it comes with status 403", func() (string, error) {
				status, ok := errors.AsType[interface {
					error
					HTTPStatusCode() int
				}](refusal)
				if !ok {
					return "no status", nil
				}
				return fmt.Sprint(status.HTTPStatusCode()), nil
			}, "403")
		}},
	}
}

// rows are what a listing has about a principal: "table:ALTER,INSERT|INSERT", in order.
func (t *Try) rows(in *lakeformation.ListPermissionsInput, who string) func() (string, error) {
	return t.rowsSeen(t.admin(), in, who)
}

func (t *Try) rowsSeen(by aws.Config, in *lakeformation.ListPermissionsInput, who string) func() (string, error) {
	return func() (string, error) {
		var found []string
		pages := lakeformation.NewListPermissionsPaginator(lake(by), in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.ctx)
			if err != nil {
				return "", err
			}
			for _, r := range page.PrincipalResourcePermissions {
				if aws.ToString(r.Principal.DataLakePrincipalIdentifier) == who {
					found = append(found, rowOf(r))
				}
			}
		}
		slices.Sort(found)
		return strings.Join(found, " "), nil
	}
}

func rowOf(r types.PrincipalResourcePermissions) string {
	what := "other"
	switch on := r.Resource; {
	case on.Table != nil:
		what = "table"
	case on.TableWithColumns != nil && on.TableWithColumns.ColumnWildcard != nil:
		what = "columns"
	case on.TableWithColumns != nil:
		what = "columns(" + strings.Join(on.TableWithColumns.ColumnNames, ",") + ")"
	case on.Database != nil:
		what = "database"
	case on.DataCellsFilter != nil:
		what = "filter"
	case on.Catalog != nil:
		what = "catalog"
	}
	join := func(list []types.Permission) string {
		var all []string
		for _, p := range list {
			all = append(all, string(p))
		}
		slices.Sort(all)
		return strings.Join(all, ",")
	}
	text := what + ":" + join(r.Permissions)
	if len(r.PermissionsWithGrantOption) > 0 {
		text += "|" + join(r.PermissionsWithGrantOption)
	}
	return text
}

func listingChecks() []Check {
	return []Check{
		{Name: "rows of listings", Rules: []string{"8.18", "1.9.4"}, Doubt: "SELECT on a table is listed as a row of its own: verify and every decision compare rows with what was decided.", Run: func(t *Try) {
			t.given(t.arns["ann"], t.onTable("orders"), "SELECT DESCRIBE ALTER | SELECT")
			in := &lakeformation.ListPermissionsInput{Resource: t.onTable("orders")}
			const want = "columns:SELECT|SELECT table:ALTER,DESCRIBE"
			if !t.equal("SELECT is a row of its own, on all columns", t.rows(in, t.arns["ann"]), want) {
				t.reads("listed-rows-split or listed-rows-merged")
			}
			t.about("1.9.4")
			t.equal("however it was granted", func() (string, error) {
				rows, err := t.rows(in, t.arns["ann"])()
				return fmt.Sprint(strings.Contains(rows, "columns:SELECT|SELECT")), err
			}, "true")
		}},
		{Name: "what a listing takes", Rules: []string{"1.9.2", "1.9.3", "1.9.9", "5.2.2"}, Run: func(t *Try) {
			list := func(in *lakeformation.ListPermissionsInput) func() error {
				return func() error { return only(lake(t.admin()).ListPermissions(t.ctx, in)) }
			}
			t.refused("a principal is given without a resource", list(&lakeformation.ListPermissionsInput{Principal: principal(t.arns["ann"])}), invalidInput)
			t.about("1.9.3")
			t.refused("a resource with columns is given", list(&lakeformation.ListPermissionsInput{Resource: t.onColumns("orders", "id")}), invalidInput)
			t.about("1.9.9")
			t.done("a page has 1,000 rows", list(&lakeformation.ListPermissionsInput{MaxResults: aws.Int32(1000)}))
			t.refused("a page has 1,001 rows", list(&lakeformation.ListPermissionsInput{MaxResults: aws.Int32(1001)}), invalidInput)
			t.about("5.2.2")
			t.refused("a page of locations has 1,001", func() error {
				return only(lake(t.admin()).ListResources(t.ctx, &lakeformation.ListResourcesInput{MaxResults: aws.Int32(1001)}))
			}, invalidInput)
		}},
		{Name: "what a listing shows to whom", Rules: []string{"8.16", "1.9.1"}, Doubt: "A role that is no administrator is listed all grants on what it made, also those of others: a producer's role compares so.", Run: func(t *Try) {
			db, bob := t.scratch(), t.people["bob"]
			t.given(t.arns["bob"], t.onDatabase(db), "CREATE_TABLE")
			t.soon("a table of its own", func() error {
				return only(glueOf(bob).CreateTable(t.ctx, &glue.CreateTableInput{DatabaseName: &db, TableInput: t.tableAt("own", t.path("free/own"), "id")}))
			})
			on := &types.Resource{Table: tableOn(t.owner().ID, db, "own")}
			t.soon("its grant to another", func() error { return t.grant(bob, t.arns["ann"], on, "SELECT") })
			t.either("the maker of a table is listed what others hold on it", "columns:SELECT", "listings-show-own-rows",
				t.rowsSeen(bob, &lakeformation.ListPermissionsInput{Resource: on}, t.arns["ann"]))
			t.about("1.9.1")
			t.equal("whoever holds nothing is listed nothing", t.rowsSeen(t.people["ann"], &lakeformation.ListPermissionsInput{Resource: t.onTable("items")}, t.arns["bob"]), "")
		}},
		{Name: "filters in listings", Rules: []string{"1.9.7", "9.1.8"}, Run: func(t *Try) {
			t.filter("items", "listed", "id", "")
			t.given(t.arns["ann"], t.onFilter("items", "listed"), "SELECT")
			t.equal("without asking for what is related filters are not listed for a table", t.rows(&lakeformation.ListPermissionsInput{Resource: t.onTable("items")}, t.arns["ann"]), "")
			t.equal("with IncludeRelated they are", t.rows(&lakeformation.ListPermissionsInput{Resource: t.onTable("items"), IncludeRelated: aws.String("TRUE")}, t.arns["ann"]), "filter:SELECT")
			t.refused("a filter is listed for one principal", func() error {
				return only(lake(t.admin()).ListPermissions(t.ctx, &lakeformation.ListPermissionsInput{Resource: t.onFilter("items", "listed"), Principal: principal(t.arns["ann"])}))
			}, invalidInput)
			t.about("9.1.8")
			t.equal("its maker is listed with all permissions on it", t.rows(&lakeformation.ListPermissionsInput{Resource: t.onFilter("items", "listed")}, t.adminARN(Mesh)), "filter:DESCRIBE,DROP,SELECT")
		}},
	}
}
