package glue

// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-databases.html

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

const api = "https://docs.aws.amazon.com/glue/latest/webapi/API_"

func databaseOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("CreateDatabase", engine.Write, api+"CreateDatabase.html",
			"IAM on catalog and database; CREATE_DATABASE on the catalog; DATA_LOCATION_ACCESS on a registered location; names are folded; 10,000 databases; a link's target is not looked at.", createDatabase),
		engine.Op("GetDatabase", engine.Read, api+"GetDatabase.html",
			"IAM on catalog and database; DESCRIBE; a link shows its target's properties when the caller may see the target.", getDatabase),
		engine.Op("GetDatabases", engine.Read, api+"GetDatabases.html",
			"IAM on catalog and all databases; those without DESCRIBE are left out; shared ones only with ResourceShareType ALL or FOREIGN; pages of 1 to 100.", getDatabases),
		engine.Op("UpdateDatabase", engine.Write, api+"UpdateDatabase.html",
			"IAM on catalog and database; ALTER; DATA_LOCATION_ACCESS on a new registered location; replaces the definition; through a link it changes the target.", updateDatabase),
		engine.Op("DeleteDatabase", engine.Write, api+"DeleteDatabase.html",
			"IAM on catalog, database, its tables and functions; DROP; deletes the tables and functions; of a link, only the link.", deleteDatabase),
	}
}

// checkDatabase checks what is given of a database.
func checkDatabase(in *types.DatabaseInput) error {
	if in == nil {
		return constraint("databaseInput", "null", "not be null")
	}
	if err := length("databaseInput.description", strings.NewReplacer("\n", " ", "\r", " ").Replace(aws.ToString(in.Description)), 0, maxDescription); err != nil {
		return err
	}
	if in.LocationUri != nil {
		if err := length("databaseInput.locationUri", *in.LocationUri, 1, 1024); err != nil {
			return err
		}
	}
	if err := checkParameters("databaseInput.parameters", in.Parameters); err != nil {
		return err
	}
	if in.FederatedDatabase != nil {
		return engine.Errorf("NotImplementedException", "the local mesh has no federated databases").WithStatus(501)
	}
	return checkDefaults(in.CreateTableDefaultPermissions)
}

// tableDefaults are the default permissions of tables in a new definition of a
// database: those given, or the account's.
func tableDefaults(c *engine.Call, account string, given []types.PrincipalPermissions) ([]state.DefaultPermission, error) {
	if given != nil {
		return defaultsIn(given), nil
	}
	settings, ok, err := state.LakeSettings.Get(c.Tx, account, c.Region)
	if err != nil {
		return nil, err
	}
	if !ok {
		return []state.DefaultPermission{{Principal: state.IAMAllowedPrincipals, Permissions: []string{"ALL"}}}, nil
	}
	return append([]state.DefaultPermission{}, settings.TableDefaults...), nil
}

func createDatabase(c *engine.Call, in *glue.CreateDatabaseInput) (*glue.CreateDatabaseOutput, error) {
	if err := checkDatabase(in.DatabaseInput); err != nil {
		return nil, err
	}
	r, err := namedDatabase(c, in.CatalogId, in.DatabaseInput.Name)
	if err != nil {
		return nil, err
	}
	target, err := databaseTarget(c, in.DatabaseInput.TargetDatabase)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	a, err := authorize(c, "glue:CreateDatabase", r)
	if err != nil {
		return nil, err
	}
	if err := allowTags(c, databaseARN(r), in.Tags); err != nil {
		return nil, err
	}
	if err := a.require(state.Resource{Account: r.Account, Region: r.Region}, lfCreateDatabase); err != nil {
		return nil, err
	}
	location := aws.ToString(in.DatabaseInput.LocationUri)
	if target == nil && location != "" {
		if err := lakeformation.RequireLocation(c, r.Account, location); err != nil {
			return nil, err
		}
	}
	if state.ResourceExists(c.Tx, r) {
		return nil, alreadyExists("Database already exists.")
	}
	n, err := state.CountDatabases(c.Tx, r.Account, r.Region)
	if err != nil {
		return nil, err
	}
	most, err := quota(c, r.Account, "databases", maxDatabases)
	if err != nil {
		return nil, err
	}
	if n >= most {
		return nil, engine.Errorf("ResourceNumberLimitExceededException", "Number of databases exceeds the account limit of %d", most)
	}
	db := state.Database{
		Account: r.Account, Region: r.Region, Name: r.Database, Created: c.Now, CreatedBy: c.Caller.Principal,
		Description: aws.ToString(in.DatabaseInput.Description), Target: target,
	}
	if target == nil {
		db.Location, db.Parameters = location, in.DatabaseInput.Parameters
		if db.TableDefaults, err = tableDefaults(c, r.Account, in.DatabaseInput.CreateTableDefaultPermissions); err != nil {
			return nil, err
		}
	}
	if err := state.PutDatabase(c.Tx, db); err != nil {
		return nil, err
	}
	if err := setTags(c, r.Account, databaseARN(r), in.Tags); err != nil {
		return nil, err
	}
	return &glue.CreateDatabaseOutput{}, lakeformation.DatabaseCreated(c, db)
}

// databaseTarget reads the target of a resource link. Whether it exists, or is
// shared, is not looked at: a link may be made before a share is accepted.
func databaseTarget(c *engine.Call, id *types.DatabaseIdentifier) (*state.Resource, error) {
	if id == nil {
		return nil, nil
	}
	r := &state.Resource{Region: cmp.Or(aws.ToString(id.Region), c.Region)}
	var err error
	if r.Account, err = catalog(c, id.CatalogId); err != nil {
		return nil, err
	}
	r.Database, err = name("databaseInput.targetDatabase.databaseName", id.DatabaseName)
	return r, err
}

func namedDatabase(c *engine.Call, catalogID, database *string) (state.Resource, error) {
	r := state.Resource{Region: c.Region}
	var err error
	if r.Account, err = catalog(c, catalogID); err != nil {
		return r, err
	}
	r.Database, err = name("name", database)
	return r, err
}

func databaseARN(r state.Resource) string { return arns(r)[1] }

// openNamed authorizes an operation on a database and reads it, without following
// a link.
func openNamed(c *engine.Call, action string, r state.Resource, extra ...string) (access, state.Database, error) {
	a, err := authorize(c, action, r, extra...)
	if err != nil {
		return a, state.Database{}, err
	}
	db, ok, err := state.GetDatabase(c.Tx, r.Account, r.Region, r.Database)
	if err == nil && !ok {
		err = a.absent(r)
	}
	return a, db, err
}

func getDatabase(c *engine.Call, in *glue.GetDatabaseInput) (*glue.GetDatabaseOutput, error) {
	r, err := namedDatabase(c, in.CatalogId, in.Name)
	if err != nil {
		return nil, err
	}
	a, db, err := openNamed(c, "glue:GetDatabase", r)
	if err != nil {
		return nil, err
	}
	if err := a.require(r, lfDescribe); err != nil {
		return nil, err
	}
	out, err := a.database(db)
	return &glue.GetDatabaseOutput{Database: out}, err
}

// database is a database as it is handed out. Of a link it shows the properties
// of the target, if the caller may see it, and else those of the link.
func (a access) database(db state.Database) (*types.Database, error) {
	out := databaseOut(db)
	if !db.IsLink() {
		return out, nil
	}
	ta, target, err := openNamed(a.c, "glue:GetDatabase", *db.Target)
	if err == nil {
		err = ta.require(*db.Target, lfDescribe)
	}
	if refused(err) || err == nil && target.IsLink() {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.Description, out.LocationUri, out.Parameters = optional(target.Description), optional(target.Location), target.Parameters
	out.CreateTableDefaultPermissions = defaultsOut(target.TableDefaults)
	return out, nil
}

func getDatabases(c *engine.Call, in *glue.GetDatabasesInput) (*glue.GetDatabasesOutput, error) {
	account, err := catalog(c, in.CatalogId)
	if err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxResults, maxPage)
	if err != nil {
		return nil, err
	}
	r := state.Resource{Account: account, Region: c.Region}
	a, err := authorize(c, "glue:GetDatabases", r, base(r)+"database/*")
	if err != nil {
		return nil, err
	}
	foreign := in.ResourceShareType == types.ResourceShareTypeForeign || in.ResourceShareType == types.ResourceShareTypeAll
	shared, err := lakeformation.SharedDatabases(c)
	if err != nil {
		return nil, err
	}
	if account != c.Account() {
		if !a.byPolicy && !slices.ContainsFunc(shared, func(s state.Resource) bool { return s.Account == account && s.Region == c.Region }) {
			return nil, c.Denied("Insufficient Lake Formation permission(s) on the catalog of " + account)
		}
		foreign = false
	}
	// The caller's own databases come first, then those of others; the token says
	// where among which the last page ended.
	token, err := engine.FromToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &glue.GetDatabasesOutput{DatabaseList: []types.Database{}}
	page := newPager(size)
	own := store.Key("own", account, c.Region)
	if token != "" && !strings.HasPrefix(token, "own"+store.Separator) && !strings.HasPrefix(token, "shared"+store.Separator) {
		return nil, invalid("Invalid next token")
	}
	listOwn := in.ResourceShareType == "" || in.ResourceShareType == types.ResourceShareTypeAll
	if listOwn && !strings.HasPrefix(token, "shared") {
		from := strings.TrimPrefix(token, "own"+store.Separator)
		if token != "" && !strings.HasPrefix(token, own+store.Separator) {
			return nil, invalid("Invalid next token")
		}
		var failed error
		err = state.Databases.ScanShared(c.Tx, []string{account, c.Region}, from, func(key string, db *state.Database) bool {
			var kept bool
			kept, failed = a.list(page, out, store.Key("own", key), *db)
			return failed == nil && kept
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, err
		}
	}
	if foreign && !page.more {
		if err := listShared(c, page, out, token, shared); err != nil {
			return nil, err
		}
	}
	out.NextToken = page.token()
	return out, nil
}

// list puts a database onto the page if the caller may see it, and tells whether
// to go on.
func (a access) list(page *pager, out *glue.GetDatabasesOutput, key string, db state.Database) (bool, error) {
	ok, err := a.holds(db.Resource(), lfDescribe)
	if err != nil {
		return false, err
	}
	if ok {
		if !page.take(key) {
			return false, nil
		}
		d, err := a.database(db)
		if err != nil {
			return false, err
		}
		out.DatabaseList = append(out.DatabaseList, *d)
	}
	return page.pass(key), nil
}

// listShared puts the databases that other accounts share onto the page.
func listShared(c *engine.Call, page *pager, out *glue.GetDatabasesOutput, token string, shared []state.Resource) error {
	slices.SortFunc(shared, func(x, y state.Resource) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Database, y.Database))
	})
	for _, r := range slices.Compact(shared) {
		key := store.Key("shared", r.Account, r.Region, r.Database)
		if r.Account == c.Account() || r.Region != c.Region || strings.HasPrefix(token, "shared") && key <= token {
			continue
		}
		db, ok, err := state.GetDatabase(c.Tx, r.Account, r.Region, r.Database)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if !page.take(key) {
			return nil
		}
		out.DatabaseList = append(out.DatabaseList, *databaseOut(db))
	}
	return nil
}

func updateDatabase(c *engine.Call, in *glue.UpdateDatabaseInput) (*glue.UpdateDatabaseOutput, error) {
	if err := checkDatabase(in.DatabaseInput); err != nil {
		return nil, err
	}
	r, err := namedDatabase(c, in.CatalogId, in.Name)
	if err != nil {
		return nil, err
	}
	newName, err := name("databaseInput.name", in.DatabaseInput.Name)
	if err != nil {
		return nil, err
	}
	p, err := openDatabase(c, "glue:UpdateDatabase", r, nil)
	if err != nil {
		return nil, err
	}
	db := p.db
	if newName != r.Database && newName != db.Name {
		return nil, invalid("A database cannot be renamed")
	}
	if in.DatabaseInput.TargetDatabase != nil {
		return nil, invalid("The target of a resource link cannot be changed: delete the link and make it again")
	}
	if err := p.require(db.Resource(), lfAlter); err != nil {
		return nil, err
	}
	location := aws.ToString(in.DatabaseInput.LocationUri)
	if location != "" && location != db.Location {
		if err := lakeformation.RequireLocation(c, db.Account, location); err != nil {
			return nil, err
		}
	}
	db.Description, db.Location, db.Parameters = aws.ToString(in.DatabaseInput.Description), location, in.DatabaseInput.Parameters
	if db.TableDefaults, err = tableDefaults(c, db.Account, in.DatabaseInput.CreateTableDefaultPermissions); err != nil {
		return nil, err
	}
	return &glue.UpdateDatabaseOutput{}, state.PutDatabase(c.Tx, db)
}

func deleteDatabase(c *engine.Call, in *glue.DeleteDatabaseInput) (*glue.DeleteDatabaseOutput, error) {
	r, err := namedDatabase(c, in.CatalogId, in.Name)
	if err != nil {
		return nil, err
	}
	a, db, err := openNamed(c, "glue:DeleteDatabase", r, base(r)+"table/"+r.Database+"/*", base(r)+"userDefinedFunction/"+r.Database+"/*")
	if err != nil {
		return nil, err
	}
	if err := a.require(r, lfDrop); err != nil {
		return nil, err
	}
	tables, err := state.Tables.All(c.Tx, db.Account, db.Region, db.Name)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if err := dropTable(c, t); err != nil {
			return nil, err
		}
	}
	if err := state.DeleteDatabase(c.Tx, db); err != nil {
		return nil, err
	}
	if err := state.CatalogTags.Delete(c.Tx, r.Account, r.Region, databaseARN(r)); err != nil {
		return nil, err
	}
	return &glue.DeleteDatabaseOutput{}, lakeformation.DatabaseDeleted(c, db)
}
