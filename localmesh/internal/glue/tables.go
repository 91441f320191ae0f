package glue

// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func tableOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("CreateTable", engine.Write, api+"CreateTable.html",
			"IAM on catalog, database and table; CREATE_TABLE; DATA_LOCATION_ACCESS on a registered location that is not below the database's; names are folded; 200,000 tables a database, 1,000,000 an account; up to 3 partition indexes; of an Iceberg table, whose first metadata file is written with the caller's s3:PutObject, the versions 1 and 2; through a link the table is made in the target.", createTable),
		engine.Op("GetTable", engine.Read, api+"GetTable.html",
			"IAM on catalog, database and table; DESCRIBE; only the columns that the caller may see; a link shows its target's schema and storage when the caller may see the target.", getTable),
		engine.Op("GetTables", engine.Read, api+"GetTables.html",
			"IAM on catalog, database and all its tables; tables without DESCRIBE are left out; pages of 1 to 100, which may be empty; Expression is matched with the whole name, in which * stands for any text.", getTables),
		engine.Op("UpdateTable", engine.Write, api+"UpdateTable.html",
			"IAM on catalog, database and table; ALTER; DATA_LOCATION_ACCESS on a new registered location; keeps the old version unless SkipArchive; changes a link's target, not the link.", updateTable),
		engine.Op("DeleteTable", engine.Write, api+"DeleteTable.html",
			"IAM on catalog, database and table; DROP; deletes versions and partitions; of a link, only the link.", deleteTable),
		engine.Op("BatchDeleteTable", engine.Write, api+"BatchDeleteTable.html",
			"As DeleteTable for up to 100 tables; refusals stand in Errors.", batchDeleteTable),
	}
}

func createTable(c *engine.Call, in *createTableInput) (*glue.CreateTableOutput, error) {
	var iceberg *tableMetadata
	if in.OpenTableFormatInput != nil {
		var err error
		if iceberg, err = readIceberg(c, in); err != nil {
			return nil, err
		}
	}
	if err := checkTable(in.TableInput); err != nil {
		return nil, err
	}
	if in.Name != nil && in.TableInput.Name != nil && state.Fold(*in.Name) != state.Fold(*in.TableInput.Name) {
		return nil, invalid("The names %s and %s of the table differ", short(*in.Name), short(*in.TableInput.Name))
	}
	if err := count("partitionIndexes", len(in.PartitionIndexes), 0, maxIndexes); err != nil {
		return nil, err
	}
	for i := range in.PartitionIndexes {
		if err := checkIndex(fmt.Sprintf("partitionIndexes.%d.member", i+1), &in.PartitionIndexes[i]); err != nil {
			return nil, err
		}
	}
	r, err := named(c, in.CatalogId, in.DatabaseName, cmp.Or(in.TableInput.Name, in.Name))
	if err != nil {
		return nil, err
	}
	target, err := tableTarget(c, in.TableInput.TargetTable)
	if err != nil {
		return nil, err
	}
	p, err := openDatabase(c, "glue:CreateTable", r, nil)
	if err != nil {
		return nil, err
	}
	if p.throughLink && target != nil {
		return nil, invalid("A resource link to a table cannot be made through a resource link to a database")
	}
	if err := p.require(p.db.Resource(), lfCreateTable); err != nil {
		return nil, err
	}
	t := state.Table{Account: p.db.Account, Region: p.db.Region, Database: p.db.Name, Name: r.Table,
		CreatedBy: c.Caller.Principal, Created: c.Now, Updated: c.Now, Target: target}
	if target == nil {
		define(&t, in.TableInput)
		if err := requireTableLocation(c, p.db, t.Location()); err != nil {
			return nil, err
		}
	} else {
		t.Description = aws.ToString(in.TableInput.Description)
	}
	if state.ResourceExists(c.Tx, t.Resource()) {
		return nil, alreadyExists("Table already exists.")
	}
	if err := roomForTable(c, t); err != nil {
		return nil, err
	}
	if iceberg != nil {
		if err := iceberg.write(c, &t); err != nil {
			return nil, err
		}
	}
	t.ID = c.Mesh.Secret(10)
	if err := state.PutTable(c.Tx, t); err != nil {
		return nil, err
	}
	for i := range in.PartitionIndexes {
		if err := addIndex(c, t, &in.PartitionIndexes[i]); err != nil {
			return nil, err
		}
	}
	return &glue.CreateTableOutput{}, lakeformation.TableCreated(c, t)
}

// roomForTable refuses a table too many for its database or its account.
func roomForTable(c *engine.Call, t state.Table) error {
	for _, limit := range []struct {
		database, quota string
		usual           int
	}{{t.Database, "tables", maxTables}, {"", "tables of an account", maxAccountTables}} {
		n, err := state.CountTables(c.Tx, t.Account, t.Region, limit.database)
		if err != nil {
			return err
		}
		most, err := quota(c, t.Account, limit.quota, limit.usual)
		if err != nil {
			return err
		}
		if n >= most {
			return engine.Errorf("ResourceNumberLimitExceededException", "Number of %s exceeds the limit of %d", limit.quota, most)
		}
	}
	return nil
}

// define puts what a client says of a table into t.
func define(t *state.Table, in *types.TableInput) {
	t.Description, t.Owner, t.Type = aws.ToString(in.Description), aws.ToString(in.Owner), aws.ToString(in.TableType)
	t.LastAccess, t.LastAnalyzed, t.Retention = aws.ToTime(in.LastAccessTime), aws.ToTime(in.LastAnalyzedTime), in.Retention
	t.Parameters, t.Storage, t.PartitionKeys = in.Parameters, storageIn(in.StorageDescriptor), columnsIn(in.PartitionKeys)
	t.ViewOriginal, t.ViewExpanded = aws.ToString(in.ViewOriginalText), aws.ToString(in.ViewExpandedText)
}

// tableTarget reads the target of a resource link, without looking at it.
func tableTarget(c *engine.Call, id *types.TableIdentifier) (*state.Resource, error) {
	if id == nil {
		return nil, nil
	}
	r := &state.Resource{Region: cmp.Or(aws.ToString(id.Region), c.Region)}
	var err error
	if r.Account, err = catalog(c, id.CatalogId); err != nil {
		return nil, err
	}
	if r.Database, err = name("tableInput.targetTable.databaseName", id.DatabaseName); err != nil {
		return nil, err
	}
	r.Table, err = name("tableInput.targetTable.name", id.Name)
	return r, err
}

// requireTableLocation asks Lake Formation for the location of a table, unless it
// lies below the location of the table's database, when that is registered.
// https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-underlying-data.html
func requireTableLocation(c *engine.Call, db state.Database, location string) error {
	if location == "" {
		return nil
	}
	if below(location, db.Location) {
		registered, err := lakeformation.Registered(c, db.Region, db.Account, db.Location)
		if err != nil || registered {
			return err
		}
	}
	return lakeformation.RequireLocation(c, db.Account, location)
}

// below tells whether an S3 path is a folder or inside of it.
func below(path, folder string) bool {
	path, folder = strings.TrimSuffix(path, "/")+"/", strings.TrimSuffix(folder, "/")+"/"
	return folder != "/" && strings.HasPrefix(path, folder)
}

func getTable(c *engine.Call, in *glue.GetTableInput) (*glue.GetTableOutput, error) {
	p, t, err := openTable(c, "glue:GetTable", in.CatalogId, in.DatabaseName, in.Name, nil)
	if err != nil {
		return nil, err
	}
	if err := p.require(t.Resource(), lfDescribe); err != nil {
		return nil, err
	}
	out, err := p.describe(t, true)
	return &glue.GetTableOutput{Table: out}, err
}

// describe is a table as the caller may see it. Of a link it shows schema and
// storage of the target if the caller may see that, and else the link alone;
// name, database and target stay the link's own. Only GetTable tells whether the
// location is registered: lists always answer that it is not.
// https://docs.aws.amazon.com/lake-formation/latest/dg/resource-links-glue-apis.html
func (p place) describe(t state.Table, whole bool) (*types.Table, error) {
	out := tableOut(t)
	a, target := p.access, t
	if t.IsLink() {
		var err error
		a, target, err = p.follow("glue:GetTable", t)
		if err == nil {
			err = a.require(target.Resource(), lfDescribe)
		}
		if refused(err) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		seen := tableOut(target)
		out.StorageDescriptor, out.PartitionKeys, out.TableType, out.Parameters = seen.StorageDescriptor, seen.PartitionKeys, seen.TableType, seen.Parameters
		out.ViewOriginalText, out.ViewExpandedText = seen.ViewOriginalText, seen.ViewExpandedText
	}
	if err := a.hideColumns(target, out); err != nil {
		return nil, err
	}
	if whole && target.Location() != "" {
		registered, err := lakeformation.Registered(p.c, target.Region, target.Account, target.Location())
		if err != nil {
			return nil, err
		}
		out.IsRegisteredWithLakeFormation = registered
	}
	return out, nil
}

// schemaParameters is what the parameters begin with in which Spark keeps a table's
// schema. They are left out for whoever does not see all of it; other parameters that
// tell of columns are not
// (https://docs.aws.amazon.com/lake-formation/latest/dg/limitations.html).
const schemaParameters = "spark.sql.sources.schema"

// hideColumns takes out the columns that the caller may not see, and fields of columns.
// Partition keys cannot be hidden.
func (a access) hideColumns(t state.Table, out *types.Table) error {
	if out.StorageDescriptor == nil {
		return nil
	}
	all, names, err := a.columns(t.Resource())
	if err != nil || all {
		return err
	}
	var seen []types.Column
	hidden := false
	for _, col := range out.StorageDescriptor.Columns {
		typ, ok := lakeformation.Narrowed(aws.ToString(col.Name), aws.ToString(col.Type), names)
		hidden = hidden || !ok || typ != aws.ToString(col.Type)
		if !ok {
			continue
		}
		if col.Type != nil {
			col.Type = &typ
		}
		seen = append(seen, col)
	}
	out.StorageDescriptor.Columns = seen
	if hidden {
		out.Parameters = maps.Clone(out.Parameters)
		maps.DeleteFunc(out.Parameters, func(k, _ string) bool { return strings.HasPrefix(k, schemaParameters) })
	}
	return nil
}

// attributes are the fields that a listing was asked for; nil means all.
func attributes(given []types.TableAttributes) (only []types.TableAttributes, err error) {
	if given == nil {
		return nil, nil
	}
	if !slices.Contains(given, types.TableAttributesName) {
		if slices.Equal(given, []types.TableAttributes{types.TableAttributesDefault}) {
			return nil, nil
		}
		return nil, invalid("AttributesToGet must include NAME")
	}
	for _, a := range given {
		if a != types.TableAttributesName && a != types.TableAttributesTableType {
			return nil, invalid("AttributesToGet may be NAME, or NAME and TABLE_TYPE")
		}
	}
	return given, nil
}

// nameMatcher reads an Expression over names: a regular expression for the whole
// name, in which a "*" that follows no group, class or dot stands for any text, as
// in a glob.
func nameMatcher(field string, expression *string) (func(string) bool, error) {
	if aws.ToString(expression) == "" {
		return func(string) bool { return true }, nil
	}
	if err := length(field, *expression, 0, maxExpression); err != nil {
		return nil, err
	}
	var b strings.Builder
	repeatable := false // whether a "*" here repeats what is before it
	for i := 0; i < len(*expression); i++ {
		ch := (*expression)[i]
		if ch == '*' && !repeatable {
			b.WriteByte('.')
		}
		b.WriteByte(ch)
		repeatable = strings.IndexByte(".)]}", ch) >= 0
		if ch == '\\' && i+1 < len(*expression) {
			i++
			b.WriteByte((*expression)[i])
			repeatable = true
		}
	}
	re, err := regexp.Compile(b.String())
	if err == nil {
		re, err = regexp.Compile("^(?:" + re.String() + ")$")
	}
	if err != nil {
		return nil, invalid("Invalid expression: %v", err)
	}
	return re.MatchString, nil
}

func getTables(c *engine.Call, in *glue.GetTablesInput) (*glue.GetTablesOutput, error) {
	r, err := namedDatabase(c, in.CatalogId, in.DatabaseName)
	if err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxResults, maxPage)
	if err != nil {
		return nil, err
	}
	matches, err := nameMatcher("expression", in.Expression)
	if err != nil {
		return nil, err
	}
	only, err := attributes(in.AttributesToGet)
	if err != nil {
		return nil, err
	}
	p, err := openDatabase(c, "glue:GetTables", r, func(r state.Resource) []string {
		return []string{base(r) + "table/" + r.Database + "/*"}
	})
	if err != nil {
		return nil, err
	}
	prefix := []string{p.db.Account, p.db.Region, p.db.Name}
	from, err := after(in.NextToken, prefix...)
	if err != nil {
		return nil, err
	}
	out := &glue.GetTablesOutput{TableList: []types.Table{}}
	if in.ResourceShareType == types.TableResourceShareTypeFederated {
		return out, nil
	}
	page := newPager(size)
	var failed error
	err = state.Tables.ScanShared(c.Tx, prefix, from, func(key string, stored *state.Table) bool {
		if t := *stored; matches(t.Name) && (t.Account == c.Account() || !c.Unlisted(t.Resource())) {
			var ok bool
			if ok, failed = p.holds(t.Resource(), lfDescribe); failed != nil {
				return false
			}
			if ok {
				if !page.take(key) {
					return false
				}
				var listed *types.Table
				if listed, failed = p.listed(t, only); failed != nil {
					return false
				}
				out.TableList = append(out.TableList, *listed)
			}
		}
		return page.pass(key)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	out.NextToken = page.token()
	if p.db.Account != c.Account() && len(out.TableList) == 0 && !page.more && from == "" && in.Expression == nil {
		// Nothing of the database is shared with the caller.
		return out, p.require(p.db.Resource(), lfDescribe)
	}
	return out, nil
}

// listed is a table as a list shows it. Through a database link, links to tables
// are not followed.
func (p place) listed(t state.Table, only []types.TableAttributes) (*types.Table, error) {
	if only != nil {
		short := &types.Table{Name: aws.String(t.Name), DatabaseName: aws.String(t.Database), CatalogId: aws.String(t.Account)}
		if slices.Contains(only, types.TableAttributesTableType) {
			short.TableType = optional(t.Type)
		}
		return short, nil
	}
	if t.IsLink() && p.throughLink {
		return tableOut(t), nil
	}
	return p.describe(t, false)
}

func updateTable(c *engine.Call, in *glue.UpdateTableInput) (*glue.UpdateTableOutput, error) {
	if err := checkTable(in.TableInput); err != nil {
		return nil, err
	}
	if in.UpdateOpenTableFormatInput != nil || in.ViewUpdateAction != "" {
		return nil, engine.Errorf("NotImplementedException", "the local mesh changes no open table formats and has no views of the Data Catalog").WithStatus(501)
	}
	p, t, err := openTable(c, "glue:UpdateTable", in.CatalogId, in.DatabaseName, cmp.Or(in.Name, in.TableInput.Name), nil)
	if err != nil {
		return nil, err
	}
	newName, err := name("tableInput.name", in.TableInput.Name)
	if err != nil {
		return nil, err
	}
	if t.IsLink() && p.throughLink {
		return nil, invalid("A resource link to a table cannot be changed through a resource link to a database")
	}
	if in.TableInput.TargetTable != nil {
		return nil, invalid("The target of a resource link cannot be changed: delete the link and make it again")
	}
	link := t.Name
	a, t, err := p.follow("glue:UpdateTable", t)
	if err != nil {
		return nil, err
	}
	if newName != link && newName != t.Name {
		return nil, invalid("A table cannot be renamed")
	}
	if err := a.require(t.Resource(), lfAlter); err != nil {
		return nil, err
	}
	if v := aws.ToString(in.VersionId); v != "" && v != strconv.FormatInt(t.Version, 10) {
		return nil, engine.Errorf("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
	}
	old := t
	define(&t, in.TableInput)
	if t.Location() != old.Location() {
		db, _, err := state.GetDatabase(c.Tx, t.Account, t.Region, t.Database)
		if err != nil {
			return nil, err
		}
		if err := requireTableLocation(c, db, t.Location()); err != nil {
			return nil, err
		}
	}
	if !aws.ToBool(in.SkipArchive) {
		if err := state.TableVersions.Put(c.Tx, old, old.ID, state.VersionKey(old.Version)); err != nil {
			return nil, err
		}
	}
	t.Version, t.Updated = old.Version+1, c.Now
	return &glue.UpdateTableOutput{}, state.PutTable(c.Tx, t)
}

func deleteTable(c *engine.Call, in *glue.DeleteTableInput) (*glue.DeleteTableOutput, error) {
	return &glue.DeleteTableOutput{}, deleteOne(c, "glue:DeleteTable", in.CatalogId, in.DatabaseName, in.Name)
}

// deleteOne deletes a table, or a link itself and not its target.
func deleteOne(c *engine.Call, action string, catalogID, database, table *string) error {
	p, t, err := openTable(c, action, catalogID, database, table, nil)
	if err != nil {
		return err
	}
	if err := p.require(t.Resource(), lfDrop); err != nil {
		return err
	}
	return dropTable(c, t)
}

// dropTable removes a table, its tags and its grants.
func dropTable(c *engine.Call, t state.Table) error {
	if err := state.DeleteTable(c.Tx, t); err != nil {
		return err
	}
	if err := state.CatalogTags.Delete(c.Tx, t.Account, t.Region, tableARN(t.Resource())); err != nil {
		return err
	}
	return lakeformation.TableDeleted(c, t)
}

func tableARN(r state.Resource) string { return arns(r)[2] }

func batchDeleteTable(c *engine.Call, in *glue.BatchDeleteTableInput) (*glue.BatchDeleteTableOutput, error) {
	r, err := namedDatabase(c, in.CatalogId, in.DatabaseName)
	if err != nil {
		return nil, err
	}
	if in.TablesToDelete == nil {
		return nil, constraint("tablesToDelete", "null", "not be null")
	}
	if err := count("tablesToDelete", len(in.TablesToDelete), 0, 100); err != nil {
		return nil, err
	}
	if _, err := openDatabase(c, "glue:BatchDeleteTable", r, nil); err != nil {
		return nil, err
	}
	out := &glue.BatchDeleteTableOutput{Errors: []types.TableError{}}
	for _, table := range in.TablesToDelete {
		err := deleteOne(c, "glue:BatchDeleteTable", in.CatalogId, in.DatabaseName, &table)
		if err == nil {
			continue
		}
		d, err := detail(err)
		if err != nil {
			return nil, err
		}
		out.Errors = append(out.Errors, types.TableError{TableName: aws.String(table), ErrorDetail: d})
	}
	return out, nil
}
