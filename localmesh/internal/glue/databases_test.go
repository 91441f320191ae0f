package glue_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
)

func TestDatabaseLivesAndDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{
		DatabaseInput: &types.DatabaseInput{
			Name: aws.String("Weather"), Description: aws.String("rain"), LocationUri: aws.String("s3://b/w"), Parameters: map[string]string{"a": "b"},
		},
		Tags: map[string]string{"team": "sky"},
	})
	w.must(err)
	out, err := c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: aws.String("WEATHER")})
	w.must(err)
	db := out.Database
	if *db.Name != "weather" || *db.CatalogId != owner || *db.Description != "rain" || *db.LocationUri != "s3://b/w" || db.Parameters["a"] != "b" || db.CreateTime == nil {
		t.Errorf("got %+v", db)
	}
	if len(db.CreateTableDefaultPermissions) != 1 || *db.CreateTableDefaultPermissions[0].Principal.DataLakePrincipalIdentifier != "IAM_ALLOWED_PRINCIPALS" {
		t.Errorf("a new account's databases leave tables to IAM; got %+v", db.CreateTableDefaultPermissions)
	}
	arn := "arn:aws:glue:us-east-1:" + owner + ":database/weather"
	tags, err := c.GetTags(w.ctx, &glue.GetTagsInput{ResourceArn: &arn})
	w.must(err)
	if tags.Tags["team"] != "sky" {
		t.Errorf("tags are %v", tags.Tags)
	}

	_, err = c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("weAther")}})
	w.refused(err, "AlreadyExistsException")

	w.table(c, "weather", tableInput("t"))
	_, err = c.DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("weather")})
	w.must(err)
	_, err = c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: aws.String("weather")})
	w.refused(err, "EntityNotFoundException")
	_, err = c.GetTags(w.ctx, &glue.GetTagsInput{ResourceArn: &arn})
	w.refused(err, "EntityNotFoundException")
	w.database(c, "weather")
	if names := w.tableNames(c, &glue.GetTablesInput{DatabaseName: aws.String("weather")}); len(names) != 0 {
		t.Errorf("a database made again has the tables %v of the first", names)
	}
}

func TestUpdateDatabaseReplacesTheWholeDefinition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{
		Name: aws.String("db"), Description: aws.String("d"), LocationUri: aws.String("s3://b"), Parameters: map[string]string{"a": "b"},
	}})
	w.must(err)
	_, err = c.UpdateDatabase(w.ctx, &glue.UpdateDatabaseInput{Name: aws.String("DB"), DatabaseInput: &types.DatabaseInput{
		Name: aws.String("db"), CreateTableDefaultPermissions: []types.PrincipalPermissions{},
	}})
	w.must(err)
	out, err := c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: aws.String("db")})
	w.must(err)
	if db := out.Database; db.Description != nil || db.LocationUri != nil || db.Parameters != nil || len(db.CreateTableDefaultPermissions) != 0 {
		t.Errorf("something of the old definition is left: %+v", db)
	}
	_, err = c.UpdateDatabase(w.ctx, &glue.UpdateDatabaseInput{Name: aws.String("db"), DatabaseInput: &types.DatabaseInput{Name: aws.String("db")}})
	w.must(err)
	out, err = c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: aws.String("db")})
	w.must(err)
	if len(out.Database.CreateTableDefaultPermissions) != 1 {
		t.Error("default permissions that are left out must come from the account's settings")
	}
}

func TestDatabaseRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	create := func(in *types.DatabaseInput) error {
		_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: in})
		return err
	}
	grant := func(principal string, permissions ...types.Permission) []types.PrincipalPermissions {
		return []types.PrincipalPermissions{{Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: &principal}, Permissions: permissions}}
	}
	for what, test := range map[string]struct {
		err  error
		code string
	}{
		"empty name":        {create(&types.DatabaseInput{Name: aws.String("")}), "ValidationException"},
		"long name":         {create(&types.DatabaseInput{Name: aws.String(strings.Repeat("n", 256))}), "ValidationException"},
		"control in name":   {create(&types.DatabaseInput{Name: aws.String("a\nb")}), "ValidationException"},
		"long description":  {create(&types.DatabaseInput{Name: aws.String("x"), Description: aws.String(strings.Repeat("d", 2049))}), "ValidationException"},
		"default to a role": {create(&types.DatabaseInput{Name: aws.String("x"), CreateTableDefaultPermissions: grant(adminARN(owner), types.PermissionAll)}), "InvalidInputException"},
		"default SELECT":    {create(&types.DatabaseInput{Name: aws.String("x"), CreateTableDefaultPermissions: grant("IAM_ALLOWED_PRINCIPALS", types.PermissionSelect)}), "InvalidInputException"},
		"rename": {func() error {
			_, err := c.UpdateDatabase(w.ctx, &glue.UpdateDatabaseInput{Name: aws.String("db"), DatabaseInput: &types.DatabaseInput{Name: aws.String("other")}})
			return err
		}(), "InvalidInputException"},
		"update of none": {func() error {
			_, err := c.UpdateDatabase(w.ctx, &glue.UpdateDatabaseInput{Name: aws.String("no"), DatabaseInput: &types.DatabaseInput{Name: aws.String("no")}})
			return err
		}(), "EntityNotFoundException"},
		"delete of none": {func() error {
			_, err := c.DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("no")})
			return err
		}(), "EntityNotFoundException"},
		"no such catalog": {func() error {
			_, err := c.GetDatabase(w.ctx, &glue.GetDatabaseInput{Name: aws.String("db"), CatalogId: aws.String("12345")})
			return err
		}(), "EntityNotFoundException"},
		"page of 0": {func() error {
			_, err := c.GetDatabases(w.ctx, &glue.GetDatabasesInput{MaxResults: aws.Int32(0)})
			return err
		}(), "ValidationException"},
		"page of 101": {func() error {
			_, err := c.GetDatabases(w.ctx, &glue.GetDatabasesInput{MaxResults: aws.Int32(101)})
			return err
		}(), "ValidationException"},
		"foreign token": {func() error {
			_, err := c.GetDatabases(w.ctx, &glue.GetDatabasesInput{NextToken: aws.String("bm9uc2Vuc2U")})
			return err
		}(), "InvalidInputException"},
		"token that is none": {func() error {
			_, err := c.GetDatabases(w.ctx, &glue.GetDatabasesInput{NextToken: aws.String("!")})
			return err
		}(), "InvalidInputException"},
	} {
		t.Run(what, func(t *testing.T) { (&world{TB: t}).refused(test.err, test.code) })
	}
	w.must(create(&types.DatabaseInput{Name: aws.String(strings.Repeat("n", 255)), CreateTableDefaultPermissions: grant("IAM_ALLOWED_PRINCIPALS", types.PermissionAll)}))
}

func TestGetDatabasesPages(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 99, 100, 101} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.admin(owner)
			var want []string
			for i := range n {
				want = append(want, fmt.Sprintf("db%03d", i))
				w.database(c, want[i])
			}
			var got []string
			calls := 0
			pages := glue.NewGetDatabasesPaginator(c, &glue.GetDatabasesInput{})
			for pages.HasMorePages() {
				calls++
				page, err := pages.NextPage(w.ctx)
				w.must(err)
				for _, d := range page.DatabaseList {
					got = append(got, *d.Name)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if wantCalls := max(1, (n+99)/100); calls != wantCalls {
				t.Errorf("%d calls, want %d", calls, wantCalls)
			}
		})
	}
}

func TestIAMMustAllowCatalogDatabaseAndTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.table(c, "db", tableInput("t"))
	arn := "arn:aws:glue:us-east-1:" + owner + ":"
	all := []string{arn + "catalog", arn + "database/db", arn + "table/db/t"}
	get := func(client *glue.Client) error {
		_, err := client.GetTable(w.ctx, &glue.GetTableInput{DatabaseName: aws.String("DB"), Name: aws.String("T")})
		return err
	}
	w.must(get(w.as(w.user(owner, "All", []string{"glue:GetTable"}, all))))
	for i := range all {
		but := slices.Delete(slices.Clone(all), i, i+1)
		w.refused(get(w.as(w.user(owner, fmt.Sprint("But", i), []string{"glue:GetTable"}, but))), "AccessDeniedException")
	}
	w.refused(get(w.as(w.user(owner, "Other", []string{"glue:GetTables"}, all))), "AccessDeniedException")
}

func TestDeletingADatabaseNeedsItsTablesAndFunctions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	arn := "arn:aws:glue:us-east-1:" + owner + ":"
	drop := func(client *glue.Client) error {
		_, err := client.DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("db")})
		return err
	}
	w.refused(drop(w.as(w.user(owner, "Less", []string{"glue:*"}, []string{arn + "catalog", arn + "database/db"}))), "AccessDeniedException")
	w.must(drop(w.as(w.user(owner, "More", []string{"glue:*"}, []string{arn + "catalog", arn + "database/db", arn + "table/db/*", arn + "userDefinedFunction/db/*"}))))
}

func TestQuotasOfDatabasesAndTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.SetQuota(guest, "databases", 1))
	w.must(w.SetQuota(owner, "databases", 2))
	w.must(w.SetQuota(owner, "tables", 1))
	c := w.admin(owner)
	w.database(c, "a")
	w.database(c, "b")
	_, err := c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("c")}})
	w.refused(err, "ResourceNumberLimitExceededException")
	w.table(c, "a", tableInput("t"))
	w.table(c, "b", tableInput("t"))
	_, err = c.CreateTable(w.ctx, &glue.CreateTableInput{DatabaseName: aws.String("a"), TableInput: tableInput("u")})
	w.refused(err, "ResourceNumberLimitExceededException")
	_, err = c.DeleteTable(w.ctx, &glue.DeleteTableInput{DatabaseName: aws.String("a"), Name: aws.String("t")})
	w.must(err)
	w.table(c, "a", tableInput("u"))
	_, err = c.DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("a")})
	w.must(err)
	w.database(c, "c")
	_, err = c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String("a")}})
	w.refused(err, "ResourceNumberLimitExceededException")
}
