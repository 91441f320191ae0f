package glue_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func functionInput(name string) *types.UserDefinedFunctionInput {
	return &types.UserDefinedFunctionInput{
		FunctionName: &name, ClassName: aws.String("org.example.Upper"), OwnerName: aws.String("hive"), OwnerType: types.PrincipalTypeUser,
		ResourceUris: []types.ResourceUri{{ResourceType: types.ResourceTypeJar, Uri: aws.String("s3://bucket/upper.jar")}},
	}
}

func (w *world) function(c *glue.Client, database, name string) error {
	_, err := c.CreateUserDefinedFunction(w.ctx, &glue.CreateUserDefinedFunctionInput{DatabaseName: &database, FunctionInput: functionInput(name)})
	return err
}

func (w *world) functionNames(c *glue.Client, database, pattern string) []string {
	w.Helper()
	in := &glue.GetUserDefinedFunctionsInput{Pattern: &pattern, MaxResults: aws.Int32(2)}
	if database != "" {
		in.DatabaseName = &database
	}
	var names []string
	for pages := glue.NewGetUserDefinedFunctionsPaginator(c, in); pages.HasMorePages(); {
		page, err := pages.NextPage(w.ctx)
		w.must(err)
		for _, f := range page.UserDefinedFunctions {
			names = append(names, *f.DatabaseName+"."+*f.FunctionName)
		}
	}
	return names
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.database(c, "other")
	for _, name := range []string{"upper", "uppermost", "supper", "Lower"} {
		w.must(w.function(c, "DB", name))
	}
	w.must(w.function(c, "other", "upper"))
	w.refused(w.function(c, "db", "upper"), "AlreadyExistsException")
	w.refused(w.function(c, "no", "upper"), "EntityNotFoundException")

	get := func(name string) (*types.UserDefinedFunction, error) {
		out, err := c.GetUserDefinedFunction(w.ctx, &glue.GetUserDefinedFunctionInput{DatabaseName: aws.String("db"), FunctionName: &name})
		if err != nil {
			return nil, err
		}
		return out.UserDefinedFunction, nil
	}
	want := &types.UserDefinedFunction{
		CatalogId: aws.String(owner), DatabaseName: aws.String("db"), FunctionName: aws.String("upper"), ClassName: aws.String("org.example.Upper"),
		OwnerName: aws.String("hive"), OwnerType: types.PrincipalTypeUser, ResourceUris: functionInput("upper").ResourceUris,
	}
	compare := func(want *types.UserDefinedFunction) {
		t.Helper()
		got, err := get("upper")
		w.must(err)
		if got.CreateTime == nil {
			t.Error("no CreateTime")
		}
		got.CreateTime = nil
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.UserDefinedFunction{}, types.ResourceUri{})); diff != "" {
			t.Error(diff)
		}
	}
	compare(want)
	for pattern, names := range map[string][]string{
		"*": {"db.Lower", "db.supper", "db.upper", "db.uppermost"}, ".*": {"db.Lower", "db.supper", "db.upper", "db.uppermost"},
		"upper": {"db.upper"}, "upper*": {"db.upper", "db.uppermost"}, "none": nil,
	} {
		if diff := cmp.Diff(names, w.functionNames(c, "db", pattern)); diff != "" {
			t.Errorf("%s: %s", pattern, diff)
		}
	}
	if diff := cmp.Diff([]string{"db.upper", "other.upper"}, w.functionNames(c, "", "upper")); diff != "" {
		t.Error(diff)
	}

	update := func(name string, in *types.UserDefinedFunctionInput) error {
		_, err := c.UpdateUserDefinedFunction(w.ctx, &glue.UpdateUserDefinedFunctionInput{DatabaseName: aws.String("db"), FunctionName: &name, FunctionInput: in})
		return err
	}
	w.must(update("upper", &types.UserDefinedFunctionInput{FunctionName: aws.String("upper"), OwnerType: types.PrincipalTypeRole, ResourceUris: []types.ResourceUri{}}))
	compare(&types.UserDefinedFunction{CatalogId: aws.String(owner), DatabaseName: aws.String("db"), FunctionName: aws.String("upper"),
		OwnerType: types.PrincipalTypeRole, ResourceUris: []types.ResourceUri{}})
	w.refused(update("upper", functionInput("renamed")), "InvalidInputException")
	w.refused(update("no", functionInput("no")), "EntityNotFoundException")

	remove := func(name string) error {
		_, err := c.DeleteUserDefinedFunction(w.ctx, &glue.DeleteUserDefinedFunctionInput{DatabaseName: aws.String("db"), FunctionName: &name})
		return err
	}
	w.must(remove("upper"))
	w.refused(remove("upper"), "EntityNotFoundException")
	_, err := get("upper")
	w.refused(err, "EntityNotFoundException")

	// Functions go with their database.
	_, err = c.DeleteDatabase(w.ctx, &glue.DeleteDatabaseInput{Name: aws.String("db")})
	w.must(err)
	w.database(c, "db")
	if got := w.functionNames(c, "db", "*"); got != nil {
		t.Errorf("a new database has %q", got)
	}
}

func TestFunctionsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	for name, change := range map[string]func(*types.UserDefinedFunctionInput){
		"no name":       func(in *types.UserDefinedFunctionInput) { in.FunctionName = nil },
		"empty name":    func(in *types.UserDefinedFunctionInput) { in.FunctionName = aws.String("") },
		"long name":     func(in *types.UserDefinedFunctionInput) { in.FunctionName = aws.String(strings.Repeat("f", 256)) },
		"class":         func(in *types.UserDefinedFunctionInput) { in.ClassName = aws.String(strings.Repeat("f", 256)) },
		"owner":         func(in *types.UserDefinedFunctionInput) { in.OwnerName = aws.String("") },
		"owner type":    func(in *types.UserDefinedFunctionInput) { in.OwnerType = "CAT" },
		"function type": func(in *types.UserDefinedFunctionInput) { in.FunctionType = "CAT" },
		"resource type": func(in *types.UserDefinedFunctionInput) { in.ResourceUris[0].ResourceType = "CAT" },
		"uri": func(in *types.UserDefinedFunctionInput) {
			in.ResourceUris[0].Uri = aws.String(strings.Repeat("u", 1025))
		},
		"resources": func(in *types.UserDefinedFunctionInput) { in.ResourceUris = make([]types.ResourceUri, 1001) },
	} {
		t.Run(name, func(t *testing.T) {
			in := functionInput("f")
			change(in)
			_, err := c.CreateUserDefinedFunction(w.ctx, &glue.CreateUserDefinedFunctionInput{DatabaseName: aws.String("db"), FunctionInput: in})
			(&world{TB: t}).refused(err, "ValidationException")
		})
	}
	w.refused(errOnly(c.GetUserDefinedFunctions(w.ctx, &glue.GetUserDefinedFunctionsInput{Pattern: aws.String("(")})), "InvalidInputException")
	w.refused(errOnly(c.GetUserDefinedFunctions(w.ctx, &glue.GetUserDefinedFunctionsInput{Pattern: aws.String("")})), "ValidationException")
	w.refused(errOnly(c.GetUserDefinedFunctions(w.ctx, &glue.GetUserDefinedFunctionsInput{Pattern: aws.String("*"), MaxResults: aws.Int32(101)})), "ValidationException")
	for i := range 100 {
		w.must(w.function(c, "db", fmt.Sprint("f", i)))
	}
	w.refused(w.function(c, "db", "more"), "ResourceNumberLimitExceededException")
}

// IAM is asked for the catalog, the database and the function.
func TestFunctionsAskIAM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.must(w.function(c, "db", "f"))
	on := func(kind string) string { return "arn:aws:glue:us-east-1:" + owner + ":" + kind }
	all := []string{on("catalog"), on("database/db"), on("userDefinedFunction/db/f")}
	calls := map[string]func(*glue.Client) error{
		"CreateUserDefinedFunction": func(c *glue.Client) error { return w.function(c, "db", "f") },
		"GetUserDefinedFunction": func(c *glue.Client) error {
			return errOnly(c.GetUserDefinedFunction(w.ctx, &glue.GetUserDefinedFunctionInput{DatabaseName: aws.String("db"), FunctionName: aws.String("f")}))
		},
		"UpdateUserDefinedFunction": func(c *glue.Client) error {
			return errOnly(c.UpdateUserDefinedFunction(w.ctx, &glue.UpdateUserDefinedFunctionInput{DatabaseName: aws.String("db"), FunctionName: aws.String("f"), FunctionInput: functionInput("f")}))
		},
		"GetUserDefinedFunctions": func(c *glue.Client) error {
			return errOnly(c.GetUserDefinedFunctions(w.ctx, &glue.GetUserDefinedFunctionsInput{DatabaseName: aws.String("db"), Pattern: aws.String("*")}))
		},
		"DeleteUserDefinedFunction": func(c *glue.Client) error {
			return errOnly(c.DeleteUserDefinedFunction(w.ctx, &glue.DeleteUserDefinedFunctionInput{DatabaseName: aws.String("db"), FunctionName: aws.String("no")}))
		},
	}
	expected := map[string]string{"CreateUserDefinedFunction": "AlreadyExistsException", "DeleteUserDefinedFunction": "EntityNotFoundException"}
	for action, call := range calls {
		needed := all
		switch action {
		case "GetUserDefinedFunctions":
			needed = []string{all[0], all[1], on("userDefinedFunction/db/*")}
		case "DeleteUserDefinedFunction":
			needed = []string{all[0], all[1], on("userDefinedFunction/db/no")}
		}
		for missing := -1; missing < len(needed); missing++ {
			var resources []string
			for i, r := range needed {
				if i != missing {
					resources = append(resources, r)
				}
			}
			err := call(w.as(w.user(owner, fmt.Sprintf("%s%d", action, missing+1), []string{"glue:" + action}, resources)))
			switch {
			case missing >= 0:
				w.refused(err, "AccessDeniedException")
			case expected[action] != "":
				w.refused(err, expected[action])
			default:
				w.must(err)
			}
		}
	}
}

// Lake Formation's permissions on the database decide.
func TestFunctionsAskLakeFormation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.closed(c, "db")
	lf := lakeformation.NewFromConfig(w.Config(adminARN(owner)))
	w.must(errOnly(lf.PutDataLakeSettings(w.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
		DataLakeAdmins: []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(adminARN(owner))}},
	}})))
	w.database(c, "closed")
	w.must(w.function(c, "closed", "f"))
	user := w.user(owner, "u", []string{"glue:*"}, []string{"*"})
	u := w.as(user)
	get := func() error {
		return errOnly(u.GetUserDefinedFunction(w.ctx, &glue.GetUserDefinedFunctionInput{DatabaseName: aws.String("closed"), FunctionName: aws.String("f")}))
	}
	grant := func(permission lftypes.Permission) {
		w.must(errOnly(lf.GrantPermissions(w.ctx, &lakeformation.GrantPermissionsInput{
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &user}, Permissions: []lftypes.Permission{permission},
			Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String("closed")}},
		})))
	}
	w.refused(get(), "AccessDeniedException")
	w.refused(w.function(u, "closed", "g"), "AccessDeniedException")
	if got := w.functionNames(u, "", "*"); got != nil {
		t.Errorf("sees %q", got)
	}
	grant(lftypes.PermissionDescribe)
	w.must(get())
	w.refused(w.function(u, "closed", "g"), "AccessDeniedException")
	if diff := cmp.Diff([]string{"closed.f"}, w.functionNames(u, "", "*")); diff != "" {
		t.Error(diff)
	}
	grant(lftypes.PermissionAlter)
	w.must(w.function(u, "closed", "g"))
}

// Through a resource link the target's functions are seen and made.
func TestFunctionsThroughALink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.admin(owner)
	w.database(c, "db")
	w.must(errOnly(c.CreateDatabase(w.ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{
		Name: aws.String("link"), TargetDatabase: &types.DatabaseIdentifier{CatalogId: aws.String(owner), DatabaseName: aws.String("db")}}})))
	w.must(w.function(c, "link", "f"))
	if diff := cmp.Diff([]string{"db.f"}, w.functionNames(c, "db", "*")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"db.f"}, w.functionNames(c, "link", "*")); diff != "" {
		t.Error(diff)
	}
}
