package glue

// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-functions.html

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxFunctions is how many functions a database and an account may have
// (https://docs.aws.amazon.com/general/latest/gr/glue.html).
const maxFunctions = 100

func functionOperations() []engine.Operation {
	// Lake Formation has no permission on functions: which of the database's it asks
	// for is a reading.
	const reads = "IAM on catalog, database and function; DESCRIBE on the database; through a link the target's"
	const writes = "IAM on catalog, database and function; ALTER on the database; through a link in the target"
	return []engine.Operation{
		engine.Op("CreateUserDefinedFunction", engine.Write, api+"CreateUserDefinedFunction.html",
			writes+"; 100 functions a database and an account.", createFunction),
		engine.Op("GetUserDefinedFunction", engine.Read, api+"GetUserDefinedFunction.html", reads+".", getFunction),
		engine.Op("GetUserDefinedFunctions", engine.Read, api+"GetUserDefinedFunctions.html",
			reads+"; without a database those of all that the caller may DESCRIBE; Pattern as GetTables has it; pages of 1 to 100.", getFunctions),
		engine.Op("UpdateUserDefinedFunction", engine.Write, api+"UpdateUserDefinedFunction.html", writes+"; the name stays.", updateFunction),
		engine.Op("DeleteUserDefinedFunction", engine.Write, api+"DeleteUserDefinedFunction.html", writes+".", deleteFunction),
	}
}

// checkFunction checks what is given of a function.
func checkFunction(in *types.UserDefinedFunctionInput) error {
	if in == nil {
		return constraint("functionInput", "null", "not be null")
	}
	for member, text := range map[string]*string{"className": in.ClassName, "ownerName": in.OwnerName} {
		if text == nil {
			continue
		}
		if err := length("functionInput."+member, *text, 1, maxName); err != nil {
			return err
		}
	}
	if err := oneOf("functionInput.ownerType", in.OwnerType); err != nil {
		return err
	}
	if err := oneOf("functionInput.functionType", in.FunctionType); err != nil {
		return err
	}
	if err := count("functionInput.resourceUris", len(in.ResourceUris), 0, 1000); err != nil {
		return err
	}
	for i, r := range in.ResourceUris {
		at := fmt.Sprintf("functionInput.resourceUris.%d.member", i+1)
		if err := oneOf(at+".resourceType", r.ResourceType); err != nil {
			return err
		}
		if r.Uri == nil {
			continue
		}
		if err := length(at+".uri", *r.Uri, 1, 1024); err != nil {
			return err
		}
	}
	return nil
}

// oneOf checks an enumeration, which may be left out.
func oneOf[T interface {
	~string
	Values() []T
}](member string, given T) error {
	if given == "" || slices.Contains(given.Values(), given) {
		return nil
	}
	return constraint(member, short(string(given)), fmt.Sprintf("satisfy enum value set: %v", given.Values()))
}

// unfoldedName checks a name that AWS does not say to be folded.
func unfoldedName(member string, given *string) (string, error) {
	if given == nil {
		return "", constraint(member, "null", "not be null")
	}
	return *given, length(member, *given, 1, maxName)
}

// openFunctions finds the database whose functions an operation is about, behind a
// link if there is one. Name stands for the function in the ARN.
func openFunctions(c *engine.Call, action string, catalogID, database *string, function, permission string) (place, error) {
	r := state.Resource{Region: c.Region}
	var err error
	if r.Account, err = catalog(c, catalogID); err != nil {
		return place{}, err
	}
	if r.Database, err = name("databaseName", database); err != nil {
		return place{}, err
	}
	p, err := openDatabase(c, action, r, func(r state.Resource) []string {
		return []string{base(r) + "userDefinedFunction/" + r.Database + "/" + function}
	})
	if err != nil {
		return place{}, err
	}
	return p, p.require(p.db.Resource(), permission)
}

func (p place) function(name string) (state.Function, error) {
	f, ok, err := state.Functions.Get(p.c.Tx, p.db.Account, p.db.Region, p.db.Name, name)
	if err == nil && !ok {
		err = notFound("Function %s not found.", name)
	}
	return f, err
}

func (p place) putFunction(f state.Function) error {
	return state.Functions.Put(p.c.Tx, f, f.Account, f.Region, f.Database, f.Name)
}

// defineFunction puts what a client says of a function into f.
func defineFunction(f *state.Function, in *types.UserDefinedFunctionInput) {
	f.Class, f.Owner = aws.ToString(in.ClassName), aws.ToString(in.OwnerName)
	f.OwnerType, f.Type = string(in.OwnerType), string(in.FunctionType)
	f.Resources = nil
	if in.ResourceUris != nil {
		f.Resources = make([]state.FunctionResource, 0, len(in.ResourceUris))
	}
	for _, r := range in.ResourceUris {
		f.Resources = append(f.Resources, state.FunctionResource{Type: string(r.ResourceType), URI: aws.ToString(r.Uri)})
	}
}

func functionOut(f state.Function) *types.UserDefinedFunction {
	out := &types.UserDefinedFunction{
		CatalogId: aws.String(f.Account), DatabaseName: aws.String(f.Database), FunctionName: aws.String(f.Name), CreateTime: aws.Time(f.Created),
		ClassName: optional(f.Class), OwnerName: optional(f.Owner), OwnerType: types.PrincipalType(f.OwnerType), FunctionType: types.FunctionType(f.Type),
	}
	if f.Resources != nil {
		out.ResourceUris = make([]types.ResourceUri, 0, len(f.Resources))
	}
	for _, r := range f.Resources {
		out.ResourceUris = append(out.ResourceUris, types.ResourceUri{ResourceType: types.ResourceType(r.Type), Uri: optional(r.URI)})
	}
	return out
}

func createFunction(c *engine.Call, in *glue.CreateUserDefinedFunctionInput) (*glue.CreateUserDefinedFunctionOutput, error) {
	if err := checkFunction(in.FunctionInput); err != nil {
		return nil, err
	}
	name, err := unfoldedName("functionInput.functionName", in.FunctionInput.FunctionName)
	if err != nil {
		return nil, err
	}
	p, err := openFunctions(c, "glue:CreateUserDefinedFunction", in.CatalogId, in.DatabaseName, name, lfAlter)
	if err != nil {
		return nil, err
	}
	if state.Functions.Has(c.Tx, p.db.Account, p.db.Region, p.db.Name, name) {
		return nil, alreadyExists("Function already exists.")
	}
	for quotaName, prefix := range map[string][]string{"functions": {p.db.Account, p.db.Region, p.db.Name}, "functions of an account": {p.db.Account, p.db.Region}} {
		all, err := state.Functions.All(c.Tx, prefix...)
		if err != nil {
			return nil, err
		}
		most, err := quota(c, p.db.Account, quotaName, maxFunctions)
		if err != nil {
			return nil, err
		}
		if len(all) >= most {
			return nil, engine.Errorf("ResourceNumberLimitExceededException", "Number of functions exceeds the limit of %d", most)
		}
	}
	f := state.Function{Account: p.db.Account, Region: p.db.Region, Database: p.db.Name, Name: name, Created: c.Now}
	defineFunction(&f, in.FunctionInput)
	return &glue.CreateUserDefinedFunctionOutput{}, p.putFunction(f)
}

func getFunction(c *engine.Call, in *glue.GetUserDefinedFunctionInput) (*glue.GetUserDefinedFunctionOutput, error) {
	name, err := unfoldedName("functionName", in.FunctionName)
	if err != nil {
		return nil, err
	}
	p, err := openFunctions(c, "glue:GetUserDefinedFunction", in.CatalogId, in.DatabaseName, name, lfDescribe)
	if err != nil {
		return nil, err
	}
	f, err := p.function(name)
	return &glue.GetUserDefinedFunctionOutput{UserDefinedFunction: functionOut(f)}, err
}

func getFunctions(c *engine.Call, in *glue.GetUserDefinedFunctionsInput) (*glue.GetUserDefinedFunctionsOutput, error) {
	if in.Pattern == nil {
		return nil, constraint("pattern", "null", "not be null")
	}
	if err := length("pattern", *in.Pattern, 1, maxName); err != nil {
		return nil, err
	}
	matches, err := nameMatcher("pattern", in.Pattern)
	if err != nil {
		return nil, err
	}
	if err := oneOf("functionType", in.FunctionType); err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxResults, maxPage)
	if err != nil {
		return nil, err
	}
	a, prefix, err := openAllFunctions(c, in)
	if err != nil {
		return nil, err
	}
	from, err := after(in.NextToken, prefix...)
	if err != nil {
		return nil, err
	}
	out := &glue.GetUserDefinedFunctionsOutput{UserDefinedFunctions: []types.UserDefinedFunction{}}
	page := newPager(size)
	var failed error
	err = state.Functions.ScanShared(c.Tx, prefix, from, func(key string, f *state.Function) bool {
		if !matches(f.Name) || in.FunctionType != "" && f.Type != string(in.FunctionType) {
			return page.pass(key)
		}
		var ok bool
		if ok, failed = a.holds(state.Resource{Account: f.Account, Region: f.Region, Database: f.Database}, lfDescribe); failed != nil {
			return false
		}
		if ok {
			if !page.take(key) {
				return false
			}
			out.UserDefinedFunctions = append(out.UserDefinedFunctions, *functionOut(*f))
		}
		return page.pass(key)
	})
	if err == nil {
		err = failed
	}
	out.NextToken = page.token()
	return out, err
}

// openAllFunctions tells where the functions are that a listing is about: in one
// database, or in all.
func openAllFunctions(c *engine.Call, in *glue.GetUserDefinedFunctionsInput) (access, []string, error) {
	const action = "glue:GetUserDefinedFunctions"
	if in.DatabaseName != nil {
		p, err := openFunctions(c, action, in.CatalogId, in.DatabaseName, "*", lfDescribe)
		return p.access, []string{p.db.Account, p.db.Region, p.db.Name}, err
	}
	account, err := catalog(c, in.CatalogId)
	if err != nil {
		return access{}, nil, err
	}
	r := state.Resource{Account: account, Region: c.Region}
	a, err := authorize(c, action, r, base(r)+"database/*", base(r)+"userDefinedFunction/*")
	return a, []string{account, c.Region}, err
}

func updateFunction(c *engine.Call, in *glue.UpdateUserDefinedFunctionInput) (*glue.UpdateUserDefinedFunctionOutput, error) {
	name, err := unfoldedName("functionName", in.FunctionName)
	if err != nil {
		return nil, err
	}
	if err := checkFunction(in.FunctionInput); err != nil {
		return nil, err
	}
	p, err := openFunctions(c, "glue:UpdateUserDefinedFunction", in.CatalogId, in.DatabaseName, name, lfAlter)
	if err != nil {
		return nil, err
	}
	f, err := p.function(name)
	if err != nil {
		return nil, err
	}
	if renamed := in.FunctionInput.FunctionName; renamed != nil && *renamed != name {
		return nil, invalid("A function cannot be renamed")
	}
	defineFunction(&f, in.FunctionInput)
	return &glue.UpdateUserDefinedFunctionOutput{}, p.putFunction(f)
}

func deleteFunction(c *engine.Call, in *glue.DeleteUserDefinedFunctionInput) (*glue.DeleteUserDefinedFunctionOutput, error) {
	name, err := unfoldedName("functionName", in.FunctionName)
	if err != nil {
		return nil, err
	}
	p, err := openFunctions(c, "glue:DeleteUserDefinedFunction", in.CatalogId, in.DatabaseName, name, lfAlter)
	if err != nil {
		return nil, err
	}
	f, err := p.function(name)
	if err != nil {
		return nil, err
	}
	return &glue.DeleteUserDefinedFunctionOutput{}, state.Functions.Delete(c.Tx, f.Account, f.Region, f.Database, f.Name)
}
