package athena

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// What writes is done with the caller's own calls: Glue decides on the catalog, with IAM and Lake
// Formation, and Amazon S3 on the files, of which Lake Formation has no say
// (https://docs.aws.amazon.com/athena/latest/ug/security-athena-lake-formation.html).

// writing carries out a statement that writes. What it reads is what the caller may read.
func (r *runs) writing(c *engine.Call, q *state.QueryExecution, g *gate, read *dialect.Query) ([]state.QueryColumn, error) {
	w := read.Write
	if w.Catalog != "" && !equalFold(w.Catalog, catalogName) {
		return nil, &dialect.Error{Code: dialect.CodeCatalog, Message: "Catalog '" + w.Catalog + "' does not exist"}
	}
	if w.Database == "" {
		w.Database = q.Database
	}
	if w.Database == "" && w.Kind != "UNLOAD" {
		return nil, &dialect.Error{Code: "MISSING_SCHEMA_NAME", Message: "Schema must be specified when session schema is not set"}
	}
	var plan *dialect.Plan
	if read.Selects() {
		var err error
		if plan, err = g.plan(c, *q, read); err != nil {
			return nil, err
		}
	}
	var err error
	switch w.Kind {
	case "CREATE TABLE AS":
		return r.createTableAs(c, q, g, w, plan)
	case "UNLOAD":
		return r.unload(c, q, g, w, plan)
	case "CREATE VIEW":
		err = createView(c, *q, w, plan)
	case "CREATE DATABASE":
		err = createDatabase(c, w)
	case "DROP DATABASE":
		err = dropDatabase(c, w)
	case "DROP TABLE", "DROP VIEW":
		err = drop(c, w)
	case "SET TBLPROPERTIES":
		err = setProperties(c, g, w)
	default:
		err = lacking("the statement %s", w.Kind)
	}
	if err != nil {
		return nil, err
	}
	return nil, write(c, *q, nil, nil)
}

// coded reports whether an error of the catalog has a code.
func coded(err error, code string) bool {
	var e smithy.APIError
	return errors.As(err, &e) && e.ErrorCode() == code
}

// hive is the error of a statement of Hive.
func hive(format string, args ...any) error {
	return &dialect.Error{Code: "FAILED", Message: fmt.Sprintf(format, args...)}
}

func createDatabase(c *engine.Call, w *dialect.Writing) error {
	in := &gluetypes.DatabaseInput{Name: aws.String(w.Database)}
	if w.Comment != "" {
		in.Description = aws.String(w.Comment)
	}
	if w.To != "" {
		in.LocationUri = aws.String(w.To)
	}
	_, err := catalogOf(c).CreateDatabase(engine.OnBehalf(c, principal), &glue.CreateDatabaseInput{DatabaseInput: in})
	if coded(err, "AlreadyExistsException") {
		if w.Lenient {
			return nil
		}
		return hive("Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. Database %s already exists", w.Database)
	}
	if err != nil && w.Lenient {
		// Who may not make databases may still say that there should be one which there is.
		if _, found := catalogOf(c).GetDatabase(engine.OnBehalf(c, principal), &glue.GetDatabaseInput{Name: aws.String(w.Database)}); found == nil {
			return nil
		}
	}
	return glueFault(err)
}

func dropDatabase(c *engine.Call, w *dialect.Writing) error {
	ctx, client := engine.OnBehalf(c, principal), catalogOf(c)
	if _, err := client.GetDatabase(ctx, &glue.GetDatabaseInput{Name: aws.String(w.Database)}); err != nil {
		if coded(err, "EntityNotFoundException") {
			if w.Lenient {
				return nil
			}
			return hive("SemanticException [Error 10072]: Database does not exist: %s", w.Database)
		}
		return glueFault(err)
	}
	if !w.Cascade {
		// Tables that the caller does not see count, too.
		n := 0
		if err := c.View(func(c *engine.Call) (err error) {
			n, err = state.CountTables(c.Tx, c.Account(), c.Region, w.Database)
			return err
		}); err != nil {
			return err
		}
		if n > 0 {
			return hive("Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. InvalidOperationException(message:Database %s is not empty. One or more tables exist.)", w.Database)
		}
	}
	_, err := client.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{Name: aws.String(w.Database)})
	return glueFault(err)
}

// drop takes a table or a view out of the catalog. The files of a table stay.
func drop(c *engine.Call, w *dialect.Writing) error {
	ctx, client := engine.OnBehalf(c, principal), catalogOf(c)
	got, err := client.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(w.Database), Name: aws.String(w.Name)})
	switch {
	case coded(err, "EntityNotFoundException") && w.Lenient:
		return nil
	case coded(err, "EntityNotFoundException"):
		return hive("SemanticException [Error 10001]: Table not found %s.%s", w.Database, w.Name)
	case err != nil:
		return glueFault(err)
	}
	switch view := aws.ToString(got.Table.TableType) == "VIRTUAL_VIEW"; {
	case view && w.Kind == "DROP TABLE":
		return hive("SemanticException [Error 10001]: %s.%s is a view; DROP VIEW drops it", w.Database, w.Name)
	case !view && w.Kind == "DROP VIEW":
		return hive("SemanticException [Error 10001]: %s.%s is a table; DROP TABLE drops it", w.Database, w.Name)
	case strings.EqualFold(got.Table.Parameters["table_type"], "iceberg"):
		return lacking("dropping an Iceberg table, whose files go with it,")
	}
	_, err = client.DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: aws.String(w.Database), Name: aws.String(w.Name)})
	return glueFault(err)
}

// setProperties adds to the parameters of a table.
func setProperties(c *engine.Call, g *gate, w *dialect.Writing) error {
	ctx, client := engine.OnBehalf(c, principal), catalogOf(c)
	got, err := client.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(w.Database), Name: aws.String(w.Name)})
	if coded(err, "EntityNotFoundException") {
		return hive("SemanticException [Error 10001]: Table not found %s.%s", w.Database, w.Name)
	}
	if err != nil {
		return glueFault(err)
	}
	t := got.Table
	if t.TargetTable != nil {
		return lacking("ALTER TABLE on a resource link")
	}
	// The definition is written as a whole: of who does not see all columns some would be lost.
	var all int
	if err := g.call.View(func(c *engine.Call) error {
		stored, ok, err := state.GetTable(c.Tx, c.Account(), c.Region, w.Database, w.Name)
		if err == nil && ok {
			all = len(stored.ColumnNames())
		}
		return err
	}); err != nil {
		return err
	}
	shown := len(t.PartitionKeys)
	if t.StorageDescriptor != nil {
		shown += len(t.StorageDescriptor.Columns)
	}
	if shown != all {
		return &dialect.Error{Code: "PERMISSION_DENIED", Message: "Insufficient permissions to execute the query. Not all columns of " + w.Database + "." + w.Name + " are granted"}
	}
	in := &gluetypes.TableInput{Name: t.Name, Description: t.Description, Owner: t.Owner, LastAccessTime: t.LastAccessTime, LastAnalyzedTime: t.LastAnalyzedTime, Retention: t.Retention,
		StorageDescriptor: t.StorageDescriptor, PartitionKeys: t.PartitionKeys, ViewOriginalText: t.ViewOriginalText, ViewExpandedText: t.ViewExpandedText, TableType: t.TableType,
		Parameters: maps.Clone(t.Parameters)}
	if in.Parameters == nil {
		in.Parameters = map[string]string{}
	}
	for k, v := range w.Properties {
		in.Parameters[k] = v[0]
	}
	_, err = client.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: aws.String(w.Database), TableInput: in})
	return glueFault(err)
}

// createView puts a view into the catalog: its query could be read by whoever makes it.
func createView(c *engine.Call, q state.QueryExecution, w *dialect.Writing, plan *dialect.Plan) error {
	columns, err := catalogColumns(plan.Columns)
	if err != nil {
		return err
	}
	v := viewDefinition{OriginalSQL: w.Text, Catalog: catalogName, Schema: q.Database, Comment: w.Comment, Properties: map[string]string{}}
	for _, col := range plan.Columns {
		v.Columns = append(v.Columns, viewColumn{col.Name, col.Type.String()})
	}
	text, err := v.text()
	if err != nil {
		return fmt.Errorf("view: %w", err)
	}
	in := &gluetypes.TableInput{Name: aws.String(w.Name), TableType: aws.String("VIRTUAL_VIEW"), ViewOriginalText: aws.String(text), ViewExpandedText: aws.String("/* Presto View */"),
		Parameters: map[string]string{"presto_view": "true", "comment": "Presto View"}, StorageDescriptor: &gluetypes.StorageDescriptor{Columns: columns, Location: aws.String(""),
			SerdeInfo: &gluetypes.SerDeInfo{}}}
	if w.Comment != "" {
		in.Description = aws.String(w.Comment)
	}
	ctx, client := engine.OnBehalf(c, principal), catalogOf(c)
	before, err := client.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(w.Database), Name: aws.String(w.Name)})
	switch {
	case err == nil && aws.ToString(before.Table.TableType) != "VIRTUAL_VIEW":
		return &dialect.Error{Code: "TABLE_ALREADY_EXISTS", Message: fmt.Sprintf("Table already exists: '%s.%s.%s'", catalogName, w.Database, w.Name)}
	case err == nil && w.Replace:
		_, err = client.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: aws.String(w.Database), TableInput: in})
		return glueFault(err)
	case err == nil:
		return &dialect.Error{Code: "TABLE_ALREADY_EXISTS", Message: fmt.Sprintf("View already exists: '%s.%s.%s'", catalogName, w.Database, w.Name)}
	}
	_, err = client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String(w.Database), TableInput: in})
	return creating(err, w)
}

// creating is the error of making a table.
func creating(err error, w *dialect.Writing) error {
	switch {
	case coded(err, "EntityNotFoundException"):
		return &dialect.Error{Code: dialect.CodeSchema, Message: "Schema " + w.Database + " not found"}
	case coded(err, "AlreadyExistsException"):
		return &dialect.Error{Code: "TABLE_ALREADY_EXISTS", Message: fmt.Sprintf("Table '%s.%s.%s' already exists", catalogName, w.Database, w.Name)}
	}
	return glueFault(err)
}

// catalogColumns are columns of a query as the catalog has them.
func catalogColumns(of []dialect.Column) ([]gluetypes.Column, error) {
	var all []gluetypes.Column
	for _, col := range of {
		typ, ok := col.Type.Hive()
		switch {
		case col.Type.Kind == dialect.Unknown:
			return nil, &dialect.Error{Code: "COLUMN_TYPE_UNKNOWN", Message: "Column type is unknown: " + col.Name}
		case !ok:
			return nil, &dialect.Error{Code: dialect.CodeNotSupported, Message: fmt.Sprintf("Unsupported Hive type: %s (column %s)", col.Type, col.Name)}
		case slices.ContainsFunc(all, func(c gluetypes.Column) bool { return *c.Name == col.Name }):
			return nil, &dialect.Error{Code: "DUPLICATE_COLUMN_NAME", Message: "Column name '" + col.Name + "' specified more than once"}
		}
		all = append(all, gluetypes.Column{Name: aws.String(col.Name), Type: aws.String(typ)})
	}
	return all, nil
}
