package permissions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/access"
)

// Kind is the kind of what a grant is on.
type Kind string

// The kinds of what a grant is on.
const (
	KindCatalog   Kind = "catalog"
	KindDatabase  Kind = "database"
	KindTable     Kind = "table"
	KindAllTables Kind = "all tables"
	KindLocation  Kind = "location"
	KindTag       Kind = "tag"
	KindFilter    Kind = "filter"
	KindTagged    Kind = "tagged tables"
)

// Resource is what a grant is on. Resources can be compared.
type Resource struct {
	Kind Kind
	// Account owns the resource.
	Account string
	// Database and Table name a database, a table, or a resource link, folded.
	Database, Table string
	// Location is the ARN of a registered location.
	Location string
	// Tag is the key of an LF-tag, Values its values, folded and joined with commas.
	Tag, Values string
	// Filter is the name of a data cells filter of a table, as it is written.
	Filter string
	// Expression is an expression on LF-tags in one form; see [access.Object.Tags].
	Expression string
}

// Catalog is an account's Data Catalog.
func Catalog(account string) Resource { return Resource{Kind: KindCatalog, Account: account} }

// Database is a database.
func Database(account, database string) Resource {
	return Resource{Kind: KindDatabase, Account: account, Database: strings.ToLower(database)}
}

// Table is a table.
func Table(account, database, table string) Resource {
	return Resource{Kind: KindTable, Account: account, Database: strings.ToLower(database), Table: strings.ToLower(table)}
}

// AllTables are all tables of a database, those that will be made among them.
func AllTables(account, database string) Resource {
	return Resource{Kind: KindAllTables, Account: account, Database: strings.ToLower(database)}
}

// Filter is a data cells filter of a table.
func Filter(account, database, table, name string) Resource {
	r := Table(account, database, table)
	r.Kind, r.Filter = KindFilter, name
	return r
}

// Tagged are all tables of an account's catalog that carry LF-tags.
func Tagged(account string, tags access.Tags) Resource {
	return Resource{Kind: KindTagged, Account: account, Expression: access.OnTaggedTables(account, tags).Part}
}

// tags are the LF-tags of tagged tables.
func (r Resource) tags() access.Tags {
	tags, _ := access.Object{Kind: access.KindTaggedTables, Account: r.Account, Part: r.Expression}.Tags()
	return tags
}

// Location is a location that an account has registered.
func Location(account, arn string) Resource {
	return Resource{Kind: KindLocation, Account: account, Location: arn}
}

// Tag is an LF-tag: its key and some of its values, or with none named all of
// them. What is granted on a key (ALTER, DROP) is on all values.
func Tag(account, key string, values ...string) Resource {
	if len(values) == 0 {
		values = []string{"*"}
	}
	folded := make([]string, len(values))
	for i, v := range values {
		folded[i] = strings.ToLower(v)
	}
	slices.Sort(folded)
	return Resource{Kind: KindTag, Account: account, Tag: strings.ToLower(key), Values: strings.Join(folded, ",")}
}

// onTables reports whether the resource is a table or all tables of a database.
func (r Resource) onTables() bool { return r.Kind == KindTable || r.Kind == KindAllTables }

// String names the resource.
func (r Resource) String() string {
	switch r.Kind {
	case KindCatalog:
		return "the catalog"
	case KindDatabase:
		return "database " + r.Database
	case KindTable:
		return fmt.Sprintf("table %s.%s", r.Database, r.Table)
	case KindAllTables:
		return "all tables of database " + r.Database
	case KindFilter:
		return fmt.Sprintf("filter %s of table %s.%s", r.Filter, r.Database, r.Table)
	case KindTagged:
		return "all tables with LF-tags " + r.tags().String()
	case KindLocation:
		return "location " + r.Location
	case KindTag:
		if r.Values == "*" {
			return "LF-tag " + r.Tag
		}
		return fmt.Sprintf("LF-tag %s=%s", r.Tag, r.Values)
	}
	return string(r.Kind)
}

// MarshalText writes the resource as String does.
func (r Resource) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// sdk is the resource in the form of the API.
func (r Resource) sdk() *types.Resource {
	catalog := aws.String(r.Account)
	switch r.Kind {
	case KindCatalog:
		// The default catalog takes no id: the id in a catalog resource means a
		// catalog that was made in the account
		// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_CatalogResource.html).
		return &types.Resource{Catalog: &types.CatalogResource{}}
	case KindDatabase:
		return &types.Resource{Database: &types.DatabaseResource{CatalogId: catalog, Name: aws.String(r.Database)}}
	case KindTable:
		return &types.Resource{Table: &types.TableResource{CatalogId: catalog, DatabaseName: aws.String(r.Database), Name: aws.String(r.Table)}}
	case KindAllTables:
		return &types.Resource{Table: &types.TableResource{CatalogId: catalog, DatabaseName: aws.String(r.Database), TableWildcard: &types.TableWildcard{}}}
	case KindFilter:
		return &types.Resource{DataCellsFilter: &types.DataCellsFilterResource{TableCatalogId: catalog, DatabaseName: aws.String(r.Database), TableName: aws.String(r.Table), Name: aws.String(r.Filter)}}
	case KindTagged:
		tags := r.tags()
		var expression []types.LFTag
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			expression = append(expression, types.LFTag{TagKey: aws.String(key), TagValues: tags[key]})
		}
		return &types.Resource{LFTagPolicy: &types.LFTagPolicyResource{CatalogId: catalog, ResourceType: types.ResourceTypeTable, Expression: expression}}
	case KindLocation:
		return &types.Resource{DataLocation: &types.DataLocationResource{CatalogId: catalog, ResourceArn: aws.String(r.Location)}}
	case KindTag:
		return &types.Resource{LFTag: &types.LFTagKeyResource{CatalogId: catalog, TagKey: aws.String(r.Tag), TagValues: strings.Split(r.Values, ",")}}
	}
	return &types.Resource{}
}

// fromSDK reads a resource of an answer to a call about a catalog, which is meant
// where the answer names none. ok is false for what lakemesh never grants on: columns,
// saved expressions of LF-tags, policies on databases.
//
// SELECT comes back as a row of its own on TableWithColumns with a wildcard, even
// if it was granted on the table
// (https://docs.aws.amazon.com/lake-formation/latest/dg/perm-select.html): it is
// the table here.
func fromSDK(r *types.Resource, catalog string) (_ Resource, ok bool) {
	owner := func(id *string) string {
		if id == nil || *id == "" {
			return catalog
		}
		return *id
	}
	switch {
	case r == nil:
		return Resource{}, false
	case r.Table != nil:
		t := r.Table
		// The wildcard's name is written out in answers.
		if t.TableWildcard != nil || aws.ToString(t.Name) == "ALL_TABLES" || aws.ToString(t.Name) == "" {
			return AllTables(owner(t.CatalogId), aws.ToString(t.DatabaseName)), true
		}
		return Table(owner(t.CatalogId), aws.ToString(t.DatabaseName), aws.ToString(t.Name)), true
	case r.TableWithColumns != nil:
		t := r.TableWithColumns
		if len(t.ColumnNames) > 0 || t.ColumnWildcard == nil || len(t.ColumnWildcard.ExcludedColumnNames) > 0 {
			return Resource{}, false
		}
		if aws.ToString(t.Name) == "ALL_TABLES" {
			return AllTables(owner(t.CatalogId), aws.ToString(t.DatabaseName)), true
		}
		return Table(owner(t.CatalogId), aws.ToString(t.DatabaseName), aws.ToString(t.Name)), true
	case r.DataCellsFilter != nil:
		f := r.DataCellsFilter
		return Filter(owner(f.TableCatalogId), aws.ToString(f.DatabaseName), aws.ToString(f.TableName), aws.ToString(f.Name)), true
	case r.LFTagPolicy != nil && r.LFTagPolicy.ResourceType == types.ResourceTypeTable && len(r.LFTagPolicy.Expression) > 0:
		return Tagged(owner(r.LFTagPolicy.CatalogId), tagsOf(r.LFTagPolicy.Expression)), true
	case r.Database != nil:
		return Database(owner(r.Database.CatalogId), aws.ToString(r.Database.Name)), true
	case r.DataLocation != nil:
		return Location(owner(r.DataLocation.CatalogId), aws.ToString(r.DataLocation.ResourceArn)), true
	case r.LFTag != nil:
		return Tag(owner(r.LFTag.CatalogId), aws.ToString(r.LFTag.TagKey), r.LFTag.TagValues...), true
	case r.Catalog != nil:
		return Catalog(owner(r.Catalog.Id)), true
	}
	return Resource{}, false
}
