package athena

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	glueroom "github.com/lakemesh/lakemesh/localmesh/internal/glue"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// asked answers SHOW and DESCRIBE with what the Data Catalog shows the caller.
func asked(c *engine.Call, q state.QueryExecution, a *dialect.Asked) ([]byte, []state.QueryColumn, error) {
	if a.Catalog != "" && !equalFold(a.Catalog, catalogName) {
		return nil, nil, &dialect.Error{Code: dialect.CodeCatalog, Message: "Catalog '" + a.Catalog + "' does not exist"}
	}
	database := a.Database
	if database == "" {
		database = q.Database
	}
	if database == "" && a.Kind != "SHOW DATABASES" {
		return nil, nil, &dialect.Error{Code: "MISSING_SCHEMA_NAME", Message: "Schema must be specified when session schema is not set"}
	}
	matches, err := matching(a.Pattern)
	if err != nil {
		return nil, nil, err
	}
	client, ctx := catalogOf(c), engine.OnBehalf(c, principal)
	var out bytes.Buffer
	column := func(names ...string) []state.QueryColumn {
		var all []state.QueryColumn
		for _, n := range names {
			all = append(all, state.QueryColumn{Name: n, Type: "string"})
		}
		return all
	}
	switch a.Kind {
	case "SHOW DATABASES":
		pages := glue.NewGetDatabasesPaginator(client, &glue.GetDatabasesInput{})
		for pages.HasMorePages() {
			got, err := pages.NextPage(ctx)
			if err != nil {
				return nil, nil, glueFault(err)
			}
			for _, d := range got.DatabaseList {
				if n := aws.ToString(d.Name); matches(n) {
					fmt.Fprintln(&out, n)
				}
			}
		}
		return out.Bytes(), column("database_name"), nil
	case "SHOW TABLES":
		pages := glue.NewGetTablesPaginator(client, &glue.GetTablesInput{DatabaseName: aws.String(database)})
		for pages.HasMorePages() {
			got, err := pages.NextPage(ctx)
			if err != nil {
				return nil, nil, glueFault(err)
			}
			for _, t := range got.TableList {
				if n := aws.ToString(t.Name); matches(n) {
					fmt.Fprintln(&out, n)
				}
			}
		}
		return out.Bytes(), column("tab_name"), nil
	case "SHOW PARTITIONS":
		return showPartitions(c, database, a.Table)
	}
	got, err := client.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(database), Name: aws.String(a.Table)})
	if err != nil {
		return nil, nil, glueFault(err)
	}
	t := tableAnswer(*got.Table)
	if a.Kind == "SHOW COLUMNS" {
		for _, col := range append(t.Columns, t.PartitionKeys...) {
			fmt.Fprintf(&out, "%-20s\n", aws.ToString(col.Name))
		}
		return out.Bytes(), column("field"), nil
	}
	line := func(name, typ, comment string) { fmt.Fprintf(&out, "%-20s\t%-20s\t%-20s\n", name, typ, comment) }
	for _, col := range append(t.Columns, t.PartitionKeys...) {
		line(aws.ToString(col.Name), aws.ToString(col.Type), aws.ToString(col.Comment))
	}
	if len(t.PartitionKeys) > 0 {
		line("", "", "")
		line("# Partition Information", "", "")
		line("# col_name", "data_type", "comment")
		line("", "", "")
		for _, col := range t.PartitionKeys {
			line(aws.ToString(col.Name), aws.ToString(col.Type), aws.ToString(col.Comment))
		}
	}
	return out.Bytes(), column("col_name", "data_type", "comment"), nil
}

func showPartitions(c *engine.Call, database, table string) ([]byte, []state.QueryColumn, error) {
	g := newGate(c, 0)
	if _, err := g.Table(c, catalogName, database, table); err != nil {
		if errors.Is(err, dialect.ErrNoTable) || errors.Is(err, dialect.ErrNoDatabase) {
			err = &dialect.Error{Code: dialect.CodeTable, Message: "Table not found: " + database + "." + table}
		}
		return nil, nil, err
	}
	t := g.tables[database+"."+table]
	if len(t.reading.Table.PartitionKeys) == 0 {
		return nil, nil, &dialect.Error{Code: "INVALID_TABLE", Message: "Table " + table + " is not a partitioned table"}
	}
	if t.projection != nil {
		// Those that are computed are not shown, unless the catalog knows them.
		if err := c.For("glue", "GetPartitions", principal).View(func(c *engine.Call) (err error) {
			t.parts, err = glueroom.ReadPartitions(c, c.Account(), database, table, "")
			return noSuch(err)
		}); err != nil {
			return nil, nil, err
		}
	}
	var out bytes.Buffer
	for _, p := range t.parts {
		var parts []string
		for i, key := range t.reading.Table.PartitionKeys {
			parts = append(parts, key.Name+"="+p.Values[i])
		}
		fmt.Fprintln(&out, strings.Join(parts, "/"))
	}
	return out.Bytes(), []state.QueryColumn{{Name: "partition", Type: "string"}}, nil
}

func glueFault(err error) error {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return err
	}
	if strings.HasPrefix(e.ErrorCode(), "AccessDenied") {
		return &dialect.Error{Code: "PERMISSION_DENIED", Message: "Insufficient permissions to execute the query. " + e.ErrorMessage()}
	}
	return &dialect.Error{Code: "HIVE_METASTORE_ERROR", Message: e.ErrorMessage()}
}

// matching is a pattern of SHOW: * is any text, | stands between several
// (https://docs.aws.amazon.com/athena/latest/ug/show-tables.html).
func matching(pattern string) (func(string) bool, error) {
	if pattern == "" {
		return func(string) bool { return true }, nil
	}
	var all []string
	for p := range strings.SplitSeq(pattern, "|") {
		all = append(all, strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*"))
	}
	r, err := regexp.Compile("(?i)^(" + strings.Join(all, "|") + ")$")
	if err != nil {
		return nil, lacking("the pattern %s", pattern)
	}
	return r.MatchString, nil
}
