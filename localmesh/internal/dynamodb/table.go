package dynamodb

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/expr"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// tables are the tables' definitions by account, region and name.
var tables = store.Table[table]{Bucket: "dynamodb.table"}

// table is the definition of a table. Its items are in items.go.
type table struct {
	Account, Region, Name, ID string
	Created                   time.Time
	Attributes                []attributeDefinition
	Keys                      []keyElement
	Indexes                   []index `json:",omitempty"`
	Billing                   enum
	Throughput                throughput
	OnDemand                  *onDemandThroughput  `json:",omitempty"`
	Stream                    *streamSpecification `json:",omitempty"`
	StreamLabel               string               `json:",omitempty"`
	Protected                 bool                 `json:",omitempty"`
	Class                     enum                 `json:",omitempty"`
	Encryption                *encryption          `json:",omitempty"`
	Tags                      map[string]string    `json:",omitempty"`
	TTL                       string               `json:",omitempty"`
	Recovery                  *recovery            `json:",omitempty"`
}

// index is a secondary index.
type index struct {
	Name       string
	Local      bool `json:",omitempty"`
	Keys       []keyElement
	Projection projection
	Throughput throughput
}

type attributeDefinition struct {
	AttributeName string
	AttributeType enum
}

type keyElement struct {
	AttributeName string
	KeyType       enum
}

type projection struct {
	ProjectionType   enum
	NonKeyAttributes []string
}

type throughput struct {
	ReadCapacityUnits, WriteCapacityUnits int64
}

type onDemandThroughput struct {
	MaxReadRequestUnits, MaxWriteRequestUnits *int64
}

type streamSpecification struct {
	StreamEnabled  bool
	StreamViewType enum
}

type encryption struct {
	Enabled        *bool
	SSEType        enum
	KMSMasterKeyId *string
}

const (
	hashKey        = "HASH"
	rangeKey       = "RANGE"
	projectAll     = "ALL"
	projectKeys    = "KEYS_ONLY"
	projectInclude = "INCLUDE"
	onDemand       = "PAY_PER_REQUEST"
	provisioned    = "PROVISIONED"
)

// keySchema is the key of a table or an index: the partition key and, if there
// is one, the sort key. Of a global index either may have further attributes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
type keySchema struct {
	partition, sort           string
	morePartitions, moreSorts []string
}

func (t *table) schema(keys []keyElement) keySchema {
	var s keySchema
	for _, k := range keys {
		switch {
		case k.KeyType == hashKey && s.partition == "":
			s.partition = k.AttributeName
		case k.KeyType == hashKey:
			s.morePartitions = append(s.morePartitions, k.AttributeName)
		case s.sort == "":
			s.sort = k.AttributeName
		default:
			s.moreSorts = append(s.moreSorts, k.AttributeName)
		}
	}
	return s
}

// partitions and sorts are the attributes of the two parts of the key.
func (s keySchema) partitions() []string { return append([]string{s.partition}, s.morePartitions...) }

func (s keySchema) sorts() []string {
	if s.sort == "" {
		return nil
	}
	return append([]string{s.sort}, s.moreSorts...)
}

func (t *table) typeOf(attribute string) value.Type {
	for _, a := range t.Attributes {
		if a.AttributeName == attribute {
			return value.Type(a.AttributeType)
		}
	}
	return ""
}

func (t *table) key() keySchema { return t.schema(t.Keys) }

func (t *table) index(name string) *index {
	for i := range t.Indexes {
		if t.Indexes[i].Name == name {
			return &t.Indexes[i]
		}
	}
	return nil
}

// attributes gives the names of the key's attributes.
func (s keySchema) attributes() []string {
	switch {
	case s.sort == "" && s.morePartitions == nil:
		return []string{s.partition}
	case s.morePartitions == nil && s.moreSorts == nil:
		return []string{s.partition, s.sort}
	}
	return append(s.partitions(), s.sorts()...)
}

// of picks the key's attributes of an item.
func (s keySchema) of(item value.Item) value.Item {
	key := value.Item{}
	for _, name := range s.attributes() {
		key[name] = item[name]
	}
	return key
}

// tableRef names a table, which may not exist.
type tableRef struct{ account, region, name string }

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

// refer reads a TableName, which may also be the table's ARN. It is nil if it is not
// in the request.
func refer(c *engine.Call, given *string) (tableRef, error) {
	if given == nil {
		return tableRef{}, broken("null", "tableName", "Member must not be null")
	}
	name := *given
	ref := tableRef{c.Account(), c.Region, name}
	if rest, ok := strings.CutPrefix(name, "arn:"); ok {
		// aws:dynamodb:region:account:table/name
		parts := strings.SplitN(rest, ":", 5)
		if len(parts) != 5 || parts[0] != "aws" || parts[1] != "dynamodb" || !strings.HasPrefix(parts[4], "table/") {
			return ref, invalid("Invalid table ARN: %s", name)
		}
		ref = tableRef{parts[3], parts[2], strings.TrimPrefix(parts[4], "table/")}
		if ref.region != c.Region {
			return ref, invalid("The region of the table ARN %s is not %s", name, c.Region)
		}
	}
	switch {
	case name == "":
		return ref, broken("''", "tableName", "Member must have length greater than or equal to 1")
	case !namePattern.MatchString(ref.name):
		return ref, broken(quoted(name), "tableName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	case len(ref.name) > 255:
		return ref, broken(quoted(name), "tableName", "Member must have length less than or equal to 255")
	}
	return ref, nil
}

// arn makes the ARN of the table, or of something below it.
func (r tableRef) arn(below string) string {
	return "arn:aws:dynamodb:" + r.region + ":" + r.account + ":table/" + r.name + below
}

func (t *table) ref() tableRef { return tableRef{t.Account, t.Region, t.Name} }

// find gives the table to who works on its items, or nil when there is none. Its
// definition must not be changed.
func (r tableRef) find(c *engine.Call) (*table, error) {
	t, ok, err := tables.Shared(c.Tx, r.account, r.region, r.name)
	if err != nil || !ok {
		return nil, err
	}
	return &t, nil
}

// load gives the table to who may change its definition, or nil when there is none.
func (r tableRef) load(c *engine.Call) (*table, error) {
	t, ok, err := tables.Get(c.Tx, r.account, r.region, r.name)
	if err != nil || !ok {
		return nil, err
	}
	return &t, nil
}

func (t *table) save(tx store.Tx) error { return tables.Put(tx, *t, t.Account, t.Region, t.Name) }

// checkKey refuses what is not exactly a primary key of the table.
func (t *table) checkKey(key value.Item) error {
	s := t.key()
	if len(key) != len(s.attributes()) {
		return invalid(keyMismatch)
	}
	for _, name := range s.attributes() {
		v, ok := key[name]
		if !ok || v.Type() != t.typeOf(name) {
			return invalid(keyMismatch)
		}
	}
	return s.checkValues(key)
}

// Limits of key values.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-partition-sort-keys
const (
	maxPartitionKey = 2048
	maxSortKey      = 1024
)

// checkValues refuses key values that are empty or too long.
func (s keySchema) checkValues(item value.Item) error {
	for _, name := range s.attributes() {
		v := item[name]
		if v.Type() != value.Numeric && v.Text() == "" {
			return emptyKey(name, v.Type())
		}
	}
	if len(item[s.partition].Text()) > maxPartitionKey {
		return invalid("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of%d bytes",
			maxPartitionKey)
	}
	if s.sort != "" && len(item[s.sort].Text()) > maxSortKey {
		return invalid("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of %d bytes",
			maxSortKey)
	}
	return nil
}

func kindName(t value.Type) string {
	if t == value.Binary {
		return "binary"
	}
	return "string"
}

// checkEmpty refuses empty values of the table's key, and in a whole item of the
// indexes' keys, which DynamoDB finds before a transaction begins.
func (t *table) checkEmpty(item value.Item, whole bool) error {
	for _, name := range t.key().attributes() {
		if t.isEmpty(item, name) {
			return emptyKey(name, t.typeOf(name))
		}
	}
	if !whole {
		return nil
	}
	for _, x := range t.byName() {
		for _, k := range x.Keys {
			if t.isEmpty(item, k.AttributeName) {
				return emptyIndexKey(x, k.AttributeName, t.typeOf(k.AttributeName))
			}
		}
	}
	return nil
}

// isEmpty says whether a key attribute is there, of its own type, and empty.
func (t *table) isEmpty(item value.Item, name string) bool {
	v, ok := item[name]
	return ok && v.Type() == t.typeOf(name) && v.Type() != value.Numeric && v.Text() == ""
}

func emptyKey(name string, t value.Type) error {
	return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute "+
		"cannot contain an empty %s value. Key: %s", kindName(t), name)
}

// checkItem refuses an item that the table cannot hold.
func (t *table) checkItem(item value.Item) error {
	s := t.key()
	for _, name := range s.attributes() {
		v, ok := item[name]
		if !ok {
			return invalid("One or more parameter values were invalid: Missing the key %s in the item", name)
		}
		if want := t.typeOf(name); v.Type() != want {
			return invalid("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s",
				name, want, v.Type())
		}
	}
	if err := s.checkValues(item); err != nil {
		return err
	}
	for _, x := range t.byName() {
		if err := t.checkIndexKey(x, item); err != nil {
			return err
		}
	}
	return nil
}

// byName are the indexes in the order in which DynamoDB looks at them.
func (t *table) byName() []*index {
	all := make([]*index, len(t.Indexes))
	for i := range t.Indexes {
		all[i] = &t.Indexes[i]
	}
	slices.SortFunc(all, func(a, b *index) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// checkIndexKey refuses key attributes of an index that have another type than
// declared. An item without them is not in the index, which is no error.
func (t *table) checkIndexKey(x *index, item value.Item) error {
	const bad = "One or more parameter values were invalid: "
	for _, k := range x.Keys {
		v, ok := item[k.AttributeName]
		if !ok {
			continue
		}
		want := t.typeOf(k.AttributeName)
		switch {
		case v.Type() != want:
			return invalid(bad+"Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
				k.AttributeName, want, v.Type(), x.Name)
		case want != value.Numeric && v.Text() == "":
			return emptyIndexKey(x, k.AttributeName, want)
		case len(v.Text()) > k.limit():
			return invalid(bad+"Size limit exceeded for the key %s of index %s: %d bytes", k.AttributeName, x.Name, k.limit())
		}
	}
	return nil
}

func emptyIndexKey(x *index, attribute string, t value.Type) error {
	return invalid("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
		"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s",
		kindName(t), x.Name, attribute)
}

// checkUpdatedIndexKey is checkIndexKey for an item that an update made, which
// DynamoDB words in another way.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
func (t *table) checkUpdatedIndexKey(x *index, item value.Item) error {
	for _, k := range x.Keys {
		v, ok := item[k.AttributeName]
		if !ok {
			continue
		}
		want := t.typeOf(k.AttributeName)
		switch {
		case v.Type() != want:
			return invalid("The update expression attempted to update the secondary index key to unsupported type")
		case want != value.Numeric && v.Text() == "":
			return invalid("One or more parameter values are not valid. The update expression attempted to update a secondary index "+
				"key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty %s value.",
				kindName(want))
		case len(v.Text()) > k.limit():
			return invalid("The update expression attempted to update the secondary index key beyond allowed size limits")
		}
	}
	return nil
}

// limit is how long the key attribute may be.
func (k keyElement) limit() int {
	if k.KeyType == hashKey {
		return maxPartitionKey
	}
	return maxSortKey
}

// checkScalar refuses expressions that speak of a part of a key attribute.
func (t *table) checkScalar(s *expr.Scope) error {
	for _, name := range t.key().attributes() {
		if s.HasParts(name) {
			return notScalar("Key", name)
		}
	}
	for i := range t.Indexes {
		for _, k := range t.Indexes[i].Keys {
			if s.HasParts(k.AttributeName) {
				return notScalar("IndexKey", k.AttributeName)
			}
		}
	}
	return nil
}

func notScalar(kind, attribute string) error {
	return invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: %s: %s", kind, attribute)
}

// projects says whether the index carries the attribute.
func (t *table) projects(x *index, attribute string) bool {
	if x == nil || x.Projection.ProjectionType == projectAll {
		return true
	}
	isKey := func(k keyElement) bool { return k.AttributeName == attribute }
	return slices.ContainsFunc(t.Keys, isKey) || slices.ContainsFunc(x.Keys, isKey) ||
		slices.Contains(x.Projection.NonKeyAttributes, attribute)
}

// project gives what the index carries of the item.
func (t *table) project(x *index, item value.Item) value.Item {
	if x.Projection.ProjectionType == projectAll {
		return item
	}
	part := value.Item{}
	for name, v := range item {
		if t.projects(x, name) {
			part[name] = v
		}
	}
	return part
}
