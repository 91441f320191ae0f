package state

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Buckets of the Glue Data Catalog. Names in keys are folded. What belongs to a
// table is keyed by the table's ID, so that a table that was dropped and made
// again under the same name starts without the partitions of the first.
var (
	Databases       = store.Table[Database]{Bucket: "glue.database"}      // account, region, database
	Tables          = store.Table[Table]{Bucket: "glue.table"}            // account, region, database, table
	TableVersions   = store.Table[Table]{Bucket: "glue.table.version"}    // table ID, version in 20 digits
	Partitions      = store.Table[Partition]{Bucket: "glue.partition"}    // table ID, values
	Layouts         = store.Table[Layout]{Bucket: "glue.layout"}          // table ID, layout ID
	CatalogPolicies = store.Table[CatalogPolicy]{Bucket: "glue.policy"}   // account, region
	CatalogTags     = store.Table[map[string]string]{Bucket: "glue.tags"} // account, region, ARN
	Crawlers        = store.Table[Crawler]{Bucket: "glue.crawler"}        // account, region, name
	catalogCounts   = store.Table[int]{Bucket: "glue.count"}              // account, region[, database, or "" for the tables of all]
)

// Resource names an object of the Data Catalog by its owner. Without a Table it
// is a database, without a Database the catalog itself.
type Resource struct {
	Account  string
	Region   string
	Database string `json:",omitempty"`
	Table    string `json:",omitempty"`
}

// DefaultPermission is an entry of CreateTableDefaultPermissions or
// CreateDatabaseDefaultPermissions.
type DefaultPermission struct {
	Principal   string
	Permissions []string
}

// Database is a database of the Data Catalog, or a resource link to one. In all that
// the catalog keeps, a list or map that is empty was given empty, and one that is nil
// was not given.
type Database struct {
	Account, Region, Name string
	Created               time.Time
	// CreatedBy is the IAM principal that made the database.
	CreatedBy   string            `json:",omitempty"`
	Description string            `json:",omitempty"`
	Location    string            `json:",omitempty"`
	Parameters  map[string]string `json:",omitzero"`
	// TableDefaults are the CreateTableDefaultPermissions: what a new table is
	// granted. Nil means that none were given, so that those of the account's
	// settings hold; empty means no grants at all.
	TableDefaults []DefaultPermission
	// Target is the database that a resource link points at, or nil.
	Target *Resource `json:",omitempty"`
}

// IsLink tells whether the database is a resource link.
func (d Database) IsLink() bool { return d.Target != nil }

// Resource names the database.
func (d Database) Resource() Resource {
	return Resource{Account: d.Account, Region: d.Region, Database: d.Name}
}

// Column is a column of a table, or one of its partition keys.
type Column struct {
	Name       string
	Type       string            `json:",omitempty"`
	Comment    string            `json:",omitempty"`
	Parameters map[string]string `json:",omitzero"`
}

// SortColumn is a column by which a table's files are sorted.
type SortColumn struct {
	Column string
	Order  int32
}

// SerDe says how rows are written and read.
type SerDe struct {
	Name       string            `json:",omitempty"`
	Library    string            `json:",omitempty"`
	Parameters map[string]string `json:",omitzero"`
}

// Skew lists the values that appear very often in a table.
type Skew struct {
	Columns   []string          `json:",omitzero"`
	Values    []string          `json:",omitzero"`
	Locations map[string]string `json:",omitzero"`
}

// SchemaReference points at a schema of the schema registry.
type SchemaReference struct {
	ARN, Registry, Name string `json:",omitempty"`
	VersionID           string `json:",omitempty"`
	VersionNumber       int64  `json:",omitempty"`
}

// StorageDescriptor says where and how a table's or a partition's data is kept.
type StorageDescriptor struct {
	Columns                []Column          `json:",omitzero"`
	Location               string            `json:",omitempty"`
	AdditionalLocations    []string          `json:",omitzero"`
	InputFormat            string            `json:",omitempty"`
	OutputFormat           string            `json:",omitempty"`
	Compressed             bool              `json:",omitempty"`
	NumberOfBuckets        int32             `json:",omitempty"`
	SerDe                  *SerDe            `json:",omitempty"`
	BucketColumns          []string          `json:",omitzero"`
	SortColumns            []SortColumn      `json:",omitzero"`
	Parameters             map[string]string `json:",omitzero"`
	Skew                   *Skew             `json:",omitempty"`
	StoredAsSubDirectories bool              `json:",omitempty"`
	Schema                 *SchemaReference  `json:",omitempty"`
}

// Table is a table of the Data Catalog, a view, or a resource link to a table.
type Table struct {
	// ID stays the table's own when it is changed, and is never used again.
	ID                              string
	Account, Region, Database, Name string
	Description                     string    `json:",omitempty"`
	Owner                           string    `json:",omitempty"`
	CreatedBy                       string    `json:",omitempty"`
	Created                         time.Time `json:",omitzero"`
	Updated                         time.Time `json:",omitzero"`
	LastAccess                      time.Time `json:",omitzero"`
	LastAnalyzed                    time.Time `json:",omitzero"`
	Retention                       int32     `json:",omitempty"`
	// Type is EXTERNAL_TABLE, VIRTUAL_VIEW, GOVERNED or what the client says.
	Type          string             `json:",omitempty"`
	Parameters    map[string]string  `json:",omitzero"`
	Storage       *StorageDescriptor `json:",omitempty"`
	PartitionKeys []Column           `json:",omitzero"`
	ViewOriginal  string             `json:",omitempty"`
	ViewExpanded  string             `json:",omitempty"`
	// Target is the table that a resource link points at, or nil.
	Target *Resource `json:",omitempty"`
	// Version counts the table's definitions, from 0; those before it that were
	// not skipped or deleted are in TableVersions.
	Version int64 `json:",omitempty"`
}

// IsLink tells whether the table is a resource link.
func (t Table) IsLink() bool { return t.Target != nil }

// IsView tells whether the table is a view: it has no data of its own.
func (t Table) IsView() bool {
	return t.Type == "VIRTUAL_VIEW" || t.ViewOriginal != "" || t.ViewExpanded != ""
}

// Location is the S3 path of the table's data, or empty.
func (t Table) Location() string {
	if t.Storage == nil {
		return ""
	}
	return t.Storage.Location
}

// Columns are the table's columns without its partition keys.
func (t Table) Columns() []Column {
	if t.Storage == nil {
		return nil
	}
	return t.Storage.Columns
}

// ColumnNames are the names of all columns, the partition keys last.
func (t Table) ColumnNames() []string {
	names := make([]string, 0, len(t.Columns())+len(t.PartitionKeys))
	for _, c := range t.Columns() {
		names = append(names, c.Name)
	}
	for _, c := range t.PartitionKeys {
		names = append(names, c.Name)
	}
	return names
}

// Resource names the table.
func (t Table) Resource() Resource {
	return Resource{Account: t.Account, Region: t.Region, Database: t.Database, Table: t.Name}
}

// Partition is a partition as it is stored. A table may have a million of them,
// so what they have in common is kept once, as a Layout, and a location that is
// made of the partition's values is not kept at all. The values are in the key.
type Partition struct {
	Layout       string            `json:"l"`
	Place        Place             `json:"p,omitempty"`
	Location     string            `json:"s,omitempty"`
	Created      int64             `json:"c,omitempty"` // Unix milliseconds
	LastAccess   int64             `json:"a,omitempty"` // Unix milliseconds
	LastAnalyzed int64             `json:"n,omitempty"` // Unix milliseconds
	Parameters   map[string]string `json:"m,omitzero"`
}

// Place tells how a partition's location follows from its layout.
type Place int

// The places of partitions.
const (
	PlaceOwn        Place = iota // Location is the whole location
	PlaceHive                    // base/key=value/key=value
	PlaceHiveFolder              // base/key=value/key=value/
)

// Layout is what many partitions of a table have in common.
type Layout struct {
	// Keys are the names of the partition keys.
	Keys []string `json:",omitempty"`
	// Storage is the storage descriptor; its Location is the base of hive places.
	// Nil means that the partitions have none.
	Storage *StorageDescriptor `json:",omitempty"`
}

// CatalogPolicy is the resource policy of a catalog.
type CatalogPolicy struct {
	Account, Region  string
	Policy           string
	Hash             string
	Created, Updated time.Time
}

// Crawler is a crawler's definition and state. Nothing is crawled.
type Crawler struct {
	Account, Region, Name string
	// Role is the ARN of the crawler's role.
	Role     string
	Database string `json:",omitempty"`
	// State is READY, RUNNING or STOPPING.
	State            string
	Created, Updated time.Time
	// Started is when the last run began.
	Started time.Time `json:",omitzero"`
	// Runs counts the runs.
	Runs int `json:",omitempty"`
	// Schedule is the cron expression, or empty; Scheduled tells whether it is on.
	Schedule  string `json:",omitempty"`
	Scheduled bool   `json:",omitempty"`
	Version   int64
	// Definition is what the client gave, in the form in which the API hands a
	// crawler out.
	Definition json.RawMessage
}

// GetDatabase looks a database up by name, without regard to case. What it points
// at must not be changed.
func GetDatabase(tx store.Tx, account, region, name string) (Database, bool, error) {
	return Databases.Shared(tx, account, region, Fold(name))
}

// PutDatabase stores a database, new or changed.
func PutDatabase(tx store.Tx, d Database) error {
	if !Databases.Has(tx, d.Account, d.Region, d.Name) {
		if err := addCount(tx, 1, d.Account, d.Region); err != nil {
			return err
		}
	}
	return Databases.Put(tx, d, d.Account, d.Region, d.Name)
}

// DeleteDatabase removes a database with its functions; its tables must have been
// removed before.
func DeleteDatabase(tx store.Tx, d Database) error {
	if _, err := Functions.DeleteAll(tx, d.Account, d.Region, d.Name); err != nil {
		return err
	}
	if err := addCount(tx, -1, d.Account, d.Region); err != nil {
		return err
	}
	if err := catalogCounts.Delete(tx, d.Account, d.Region, d.Name); err != nil {
		return err
	}
	return Databases.Delete(tx, d.Account, d.Region, d.Name)
}

// CountDatabases tells how many databases a catalog has.
func CountDatabases(tx store.Tx, account, region string) (int, error) {
	n, _, err := catalogCounts.Get(tx, account, region)
	return n, err
}

// CountTables tells how many tables a database has, or with an empty name the
// whole catalog.
func CountTables(tx store.Tx, account, region, database string) (int, error) {
	n, _, err := catalogCounts.Get(tx, account, region, Fold(database))
	return n, err
}

func countTable(tx store.Tx, t Table, by int) error {
	if err := addCount(tx, by, t.Account, t.Region, t.Database); err != nil {
		return err
	}
	return addCount(tx, by, t.Account, t.Region, "")
}

func addCount(tx store.Tx, by int, key ...string) error {
	n, _, err := catalogCounts.Get(tx, key...)
	if err != nil {
		return err
	}
	return catalogCounts.Put(tx, n+by, key...)
}

// GetTable looks a table up by the names of its database and its own, without
// regard to case. It does not follow links. What the table points at must not be
// changed.
func GetTable(tx store.Tx, account, region, database, name string) (Table, bool, error) {
	return Tables.Shared(tx, account, region, Fold(database), Fold(name))
}

// PutTable stores a table, new or changed.
func PutTable(tx store.Tx, t Table) error {
	if !Tables.Has(tx, t.Account, t.Region, t.Database, t.Name) {
		if err := countTable(tx, t, 1); err != nil {
			return err
		}
	}
	return Tables.Put(tx, t, t.Account, t.Region, t.Database, t.Name)
}

// DeleteTable removes a table with its versions, partitions, indexes and statistics.
func DeleteTable(tx store.Tx, t Table) error {
	if err := countTable(tx, t, -1); err != nil {
		return err
	}
	if _, err := TableVersions.DeleteAll(tx, t.ID); err != nil {
		return err
	}
	if _, err := Partitions.DeleteAll(tx, t.ID); err != nil {
		return err
	}
	if _, err := Layouts.DeleteAll(tx, t.ID); err != nil {
		return err
	}
	if _, err := PartitionIndexes.DeleteAll(tx, t.ID); err != nil {
		return err
	}
	if _, err := Statistics.DeleteAll(tx, t.ID); err != nil {
		return err
	}
	return Tables.Delete(tx, t.Account, t.Region, t.Database, t.Name)
}

// ResourceExists tells whether the catalog object exists. A catalog always does.
func ResourceExists(tx store.Tx, r Resource) bool {
	switch {
	case r.Database == "":
		return true
	case r.Table == "":
		return Databases.Has(tx, r.Account, r.Region, Fold(r.Database))
	}
	return Tables.Has(tx, r.Account, r.Region, Fold(r.Database), Fold(r.Table))
}

// VersionKey is the part of a table version's key that stands for the version,
// so that versions sort as numbers.
func VersionKey(version int64) string { return fmt.Sprintf("%020d", version) }

// ScanVersions calls fn for each kept version of a table that is below a number,
// the newest first, until fn returns false.
func ScanVersions(tx store.Tx, t Table, below int64, fn func(Table) bool) error {
	var failed error
	tx.ScanDown(TableVersions.Bucket, store.Key(t.ID)+store.Separator, store.Key(t.ID, VersionKey(below-1)), func(key string, value []byte) bool {
		var version Table
		if err := json.Unmarshal(value, &version); err != nil {
			failed = fmt.Errorf("version %q: %w", key, err)
			return false
		}
		return fn(version)
	})
	return failed
}

// PartitionKey is the key of a partition, as store.Table.Scan hands it out.
func PartitionKey(tableID string, values []string) string {
	return store.Key(append([]string{tableID}, values...)...)
}

// PartitionValues takes a key of Partitions apart.
func PartitionValues(key string) []string { return store.Parts(key)[1:] }

// PartitionExists tells whether the table has a partition of these values.
func PartitionExists(tx store.Tx, t Table, values []string) bool {
	return Partitions.Has(tx, append([]string{t.ID}, values...)...)
}

// GetPartition reads a partition and its storage descriptor.
func GetPartition(tx store.Tx, t Table, values []string) (Partition, *StorageDescriptor, bool, error) {
	p, ok, err := Partitions.Get(tx, append([]string{t.ID}, values...)...)
	if err != nil || !ok {
		return p, nil, ok, err
	}
	l, _, err := Layouts.Shared(tx, t.ID, p.Layout)
	return p, l.Of(p, values), true, err
}

// PutPartition stores a partition with its storage descriptor, which may be nil.
// It sets the partition's Layout, Place and Location.
func PutPartition(tx store.Tx, t Table, values []string, p Partition, sd *StorageDescriptor) error {
	l := Layout{}
	p.Place, p.Location = PlaceOwn, ""
	if sd != nil {
		for _, k := range t.PartitionKeys {
			l.Keys = append(l.Keys, k.Name)
		}
		common := *sd
		l.Storage = &common
		hive := hivePath(l.Keys, values)
		if base, ok := strings.CutSuffix(sd.Location, hive); ok && hive != "" {
			p.Place, common.Location = PlaceHive, base
		} else if base, ok := strings.CutSuffix(sd.Location, hive+"/"); ok && hive != "" {
			p.Place, common.Location = PlaceHiveFolder, base
		} else {
			p.Location, common.Location = sd.Location, ""
		}
	}
	p.Layout = l.id()
	if !Layouts.Has(tx, t.ID, p.Layout) {
		if err := Layouts.Put(tx, l, t.ID, p.Layout); err != nil {
			return err
		}
	}
	return Partitions.Put(tx, p, append([]string{t.ID}, values...)...)
}

// DeletePartition removes a partition with its statistics.
func DeletePartition(tx store.Tx, t Table, values []string) error {
	if _, err := Statistics.DeleteAll(tx, StatisticsOf(t, values)...); err != nil {
		return err
	}
	return Partitions.Delete(tx, append([]string{t.ID}, values...)...)
}

// Of is the storage descriptor of a partition of this layout. Its slices and
// maps are the layout's own and must not be changed.
func (l Layout) Of(p Partition, values []string) *StorageDescriptor {
	if l.Storage == nil {
		return nil
	}
	sd := *l.Storage
	switch p.Place {
	case PlaceHive:
		sd.Location += hivePath(l.Keys, values)
	case PlaceHiveFolder:
		sd.Location += hivePath(l.Keys, values) + "/"
	case PlaceOwn:
		sd.Location = p.Location
	}
	return &sd
}

// hivePath is /key=value for each partition key.
func hivePath(keys, values []string) string {
	if len(keys) != len(values) {
		return ""
	}
	var b strings.Builder
	for i, k := range keys {
		b.WriteByte('/')
		b.WriteString(k)
		b.WriteByte('=')
		b.WriteString(values[i])
	}
	return b.String()
}

// GetCatalogPolicy reads the resource policy of a catalog.
func GetCatalogPolicy(tx store.Tx, account, region string) (CatalogPolicy, bool, error) {
	return CatalogPolicies.Get(tx, account, region)
}

// GetCrawler looks a crawler up; crawlers' names are not folded.
func GetCrawler(tx store.Tx, account, region, name string) (Crawler, bool, error) {
	return Crawlers.Get(tx, account, region, name)
}
