package lakeformation

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// allTablesName is how the API names the table of a grant on all tables.
const allTablesName = "ALL_TABLES"

// target is the resource of a request.
type target struct {
	// on is the resource; for LF-tags it is without a value, and values has them.
	on     state.Securable
	values []string
	// columnsOnly is set for TableWithColumns, which takes SELECT alone, even
	// where it means all columns.
	columnsOnly bool
}

func invalid(format string, args ...any) error {
	return engine.Errorf("InvalidInputException", format, args...)
}

func notFound(format string, args ...any) error {
	return engine.Errorf("EntityNotFoundException", format, args...)
}

// catalogOf is the account that a catalog id names; the first that is given
// counts, and without any the caller's own.
func catalogOf(c *engine.Call, ids ...*string) (string, error) {
	for _, id := range ids {
		if aws.ToString(id) == "" {
			continue
		}
		if !isAccount(*id) {
			return "", invalid("Invalid catalog id: %s", *id)
		}
		return *id, nil
	}
	return c.Account(), nil
}

// readResource reads the resource of a request.
func readResource(c *engine.Call, catalog *string, r *types.Resource) (target, error) {
	if r == nil {
		return target{}, invalid("Resource is mandatory in the input.")
	}
	var found []func() (target, error)
	add := func(set bool, read func() (target, error)) {
		if set {
			found = append(found, read)
		}
	}
	add(r.Catalog != nil, func() (target, error) {
		// The id of the catalog resource is an account's, as CatalogId is.
		return owned(c, state.KindCatalog, catalog, nil, r.Catalog.Id)
	})
	add(r.Database != nil, func() (target, error) { return readDatabase(c, catalog, r.Database) })
	add(r.Table != nil, func() (target, error) { return readTable(c, catalog, r.Table) })
	add(r.TableWithColumns != nil, func() (target, error) { return readColumns(c, catalog, r.TableWithColumns) })
	add(r.DataCellsFilter != nil, func() (target, error) { return readFilter(c, catalog, r.DataCellsFilter) })
	add(r.DataLocation != nil, func() (target, error) { return readLocation(c, catalog, r.DataLocation) })
	add(r.LFTag != nil, func() (target, error) { return readTag(c, catalog, r.LFTag) })
	add(r.LFTagPolicy != nil, func() (target, error) { return readPolicy(c, catalog, r.LFTagPolicy) })
	add(r.LFTagExpression != nil, func() (target, error) {
		t, err := owned(c, state.KindExpression, catalog, r.LFTagExpression.CatalogId)
		t.on.Name = aws.ToString(r.LFTagExpression.Name)
		return t, err
	})
	if len(found) != 1 {
		return target{}, invalid("Exactly one resource must be given.")
	}
	return found[0]()
}

func owned(c *engine.Call, kind state.Kind, top, own *string, more ...*string) (target, error) {
	account, err := catalogOf(c, append([]*string{own}, append(more, top)...)...)
	return target{on: state.Securable{Kind: kind, Resource: state.Resource{Account: account, Region: c.Region}}}, err
}

func readDatabase(c *engine.Call, catalog *string, r *types.DatabaseResource) (target, error) {
	t, err := owned(c, state.KindDatabase, catalog, r.CatalogId)
	if err != nil {
		return t, err
	}
	t.on.Database, err = name("Database name", r.Name)
	return t, err
}

func readTable(c *engine.Call, catalog *string, r *types.TableResource) (target, error) {
	t, err := owned(c, state.KindTable, catalog, r.CatalogId)
	if err != nil {
		return t, err
	}
	if t.on.Database, err = name("Database name", r.DatabaseName); err != nil {
		return t, err
	}
	switch {
	case aws.ToString(r.Name) == allTablesName, r.TableWildcard != nil && r.Name == nil:
		t.on.Table = state.AllTables
	case r.TableWildcard == nil && aws.ToString(r.Name) == "":
		return t, invalid("Table name and table wildcard cannot both be empty.")
	case r.TableWildcard != nil:
		return t, invalid("Only one of table name and table wildcard can be given.")
	default:
		t.on.Table, err = name("Table name", r.Name)
	}
	return t, err
}

func readColumns(c *engine.Call, catalog *string, r *types.TableWithColumnsResource) (target, error) {
	t, err := owned(c, state.KindColumns, catalog, r.CatalogId)
	if err != nil {
		return t, err
	}
	t.columnsOnly = true
	if t.on.Database, err = name("Database name", r.DatabaseName); err != nil {
		return t, err
	}
	if t.on.Table, err = name("Table name", r.Name); err != nil {
		return t, err
	}
	if aws.ToString(r.Name) == allTablesName {
		t.on.Table = state.AllTables
	}
	switch {
	case len(r.ColumnNames) > 0 && r.ColumnWildcard != nil:
		return t, invalid("Only one of column names and column wildcard can be given.")
	case len(r.ColumnNames) > 0:
		t.on.Columns = foldAll(r.ColumnNames)
	case r.ColumnWildcard == nil:
		return t, invalid("Column names or a column wildcard must be given.")
	case len(r.ColumnWildcard.ExcludedColumnNames) > 0:
		t.on.Columns, t.on.Excluded = foldAll(r.ColumnWildcard.ExcludedColumnNames), true
	default:
		// All columns are the table: SELECT on it is one and the same grant.
		t.on.Kind = state.KindTable
	}
	if t.on.Kind == state.KindColumns && t.on.Table == state.AllTables {
		return t, invalid("Columns cannot be given for all tables.")
	}
	return t, nil
}

func readFilter(c *engine.Call, catalog *string, r *types.DataCellsFilterResource) (target, error) {
	t, err := owned(c, state.KindFilter, catalog, r.TableCatalogId)
	if err != nil {
		return t, err
	}
	if t.on.Database, err = name("Database name", r.DatabaseName); err != nil {
		return t, err
	}
	if t.on.Table, err = name("Table name", r.TableName); err != nil {
		return t, err
	}
	t.on.Filter, err = filterName(r.Name)
	return t, err
}

func readLocation(c *engine.Call, catalog *string, r *types.DataLocationResource) (target, error) {
	t, err := owned(c, state.KindLocation, catalog, r.CatalogId)
	if err != nil {
		return t, err
	}
	t.on.Path, err = locationPath(r.ResourceArn)
	return t, err
}

// locationPath reads the ARN of an S3 location.
func locationPath(arn *string) (string, error) {
	text := aws.ToString(arn)
	path, ok := s3path(text)
	if !ok || !strings.HasPrefix(text, "arn:aws:s3:::") || strings.Contains(path, "*") {
		return "", invalid("Unsupported resource ARN Format: %s", text)
	}
	return path, nil
}

func readTag(c *engine.Call, catalog *string, r *types.LFTagKeyResource) (target, error) {
	t, err := owned(c, state.KindTag, catalog, r.CatalogId)
	if err != nil {
		return t, err
	}
	if t.on.TagKey, err = name("LF-Tag key", r.TagKey); err != nil {
		return t, err
	}
	t.values = foldAll(r.TagValues)
	if len(t.values) == 0 {
		return t, invalid("Tag values must be given.")
	}
	return t, nil
}

func readPolicy(c *engine.Call, catalog *string, r *types.LFTagPolicyResource) (target, error) {
	t, err := owned(c, state.KindPolicy, catalog, r.CatalogId)
	if err != nil {
		return t, err
	}
	if r.ResourceType != types.ResourceTypeDatabase && r.ResourceType != types.ResourceTypeTable {
		return t, invalid("The resource type of an LF-Tag policy must be DATABASE or TABLE.")
	}
	t.on.PolicyType = string(r.ResourceType)
	t.on.Name = aws.ToString(r.ExpressionName)
	if (len(r.Expression) > 0) == (t.on.Name != "") {
		return t, invalid("Exactly one of an expression and the name of a saved expression must be given.")
	}
	if t.on.Expression, err = readExpression(r.Expression, true); err != nil {
		return t, err
	}
	// How AWS counts is not documented; this is the expression as it is sent.
	size := len("[]")
	for _, tag := range r.Expression {
		size += len(`{"TagKey":"","TagValues":[]},`) + len(aws.ToString(tag.TagKey))
		for _, v := range tag.TagValues {
			size += len(`"",`) + len(v)
		}
	}
	if size > maxExpression {
		return t, invalid("An expression can have at most %d bytes. Save it, and name it.", maxExpression)
	}
	return t, nil
}

// readExpression reads an expression: AND across keys, OR across the values of
// one, each key once. In that of a grant the wildcard stands for every value of a key
// (https://docs.aws.amazon.com/lake-formation/latest/dg/granting-catalog-perms-TBAC.html).
func readExpression(in []types.LFTag, wildcards bool) ([]state.TagValues, error) {
	if len(in) > 50 {
		return nil, invalid("An expression can have at most 50 LF-Tags.")
	}
	var out []state.TagValues
	for _, tag := range in {
		key, err := name("LF-Tag key", tag.TagKey)
		if err != nil {
			return nil, err
		}
		if len(tag.TagValues) == 0 {
			return nil, invalid("Tag values must be given for %s.", key)
		}
		if slices.Contains(tag.TagValues, anyValue) && (!wildcards || len(tag.TagValues) > 1) {
			return nil, invalid("All values of %s cannot be meant here: the wildcard stands alone in grants on LF-Tags and on LF-Tag policies.", key)
		}
		if slices.ContainsFunc(out, func(t state.TagValues) bool { return t.Key == key }) {
			return nil, invalid("Tag key %s is given more than once.", key)
		}
		out = append(out, state.TagValues{Key: key, Values: foldAll(tag.TagValues)})
	}
	slices.SortFunc(out, func(a, b state.TagValues) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// name reads a name, folded as the catalog stores it.
func name(what string, value *string) (string, error) {
	v := state.Fold(aws.ToString(value))
	if v == "" || len(v) > 255 || strings.ContainsAny(v, "\x00\n\r") {
		return "", invalid("%s must have 1 to 255 characters.", what)
	}
	return v, nil
}

// foldAll folds names, and puts them in order, each once.
func foldAll(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, state.Fold(n))
	}
	return sorted(out)
}
