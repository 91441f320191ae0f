// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html

package dynamodb

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

func tableOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("CreateTable", engine.Write, docs+"CreateTable.html",
			"IAM on the table (also dynamodb:TagResource with tags); key schema, attribute definitions, indexes and their limits, billing mode; resource policies, warm throughput, vector indexes and global tables are refused with 501.",
			createTable),
		engine.Op("DescribeTable", engine.Read, docs+"DescribeTable.html",
			"IAM on the table; item counts and sizes are those of the moment.", describeTable),
		engine.Op("UpdateTable", engine.Write, docs+"UpdateTable.html",
			"IAM on the table; billing mode, stream, deletion protection, class, one global index made or deleted a call; replicas, warm throughput and vector indexes are refused with 501.", updateTable),
		engine.Op("DeleteTable", engine.Write, docs+"DeleteTable.html", "IAM on the table; deletion protection.", deleteTable),
		engine.Op("ListTables", engine.Read, docs+"ListTables.html", "IAM; the caller's account and region, in pages.", listTables),
	}
}

// Statuses of tables and indexes. The answer to the call that makes a change shows
// the status that AWS would show; how long it lasts is in making.go.
const (
	creating = "CREATING"
	updating = "UPDATING"
	deleting = "DELETING"
	active   = "ACTIVE"
)

// Limits of tables.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	minTableName      = 3
	maxGlobalIndexes  = 20
	maxLocalIndexes   = 5
	maxNonKeyPerTable = 100
	maxNonKeyPerIndex = 20
	maxTablesListed   = 100
	newImages         = "[NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]"
)

type createTableInput struct {
	TableName                 *string
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keyElement
	LocalSecondaryIndexes     []indexInput
	GlobalSecondaryIndexes    []indexInput
	BillingMode               enum
	ProvisionedThroughput     *throughput
	OnDemandThroughput        *onDemandThroughput
	StreamSpecification       *streamSpecification
	SSESpecification          *encryption
	Tags                      []tag
	TableClass                enum
	DeletionProtectionEnabled *bool

	// What is not built.
	ResourcePolicy, WarmThroughput, VectorIndexes            json.RawMessage
	GlobalTableSourceArn, GlobalTableSettingsReplicationMode json.RawMessage //nolint:revive // as on the wire
}

type indexInput struct {
	IndexName             string
	KeySchema             []keyElement
	Projection            *projection
	ProvisionedThroughput *throughput
}

type tableOutput struct {
	TableDescription *tableDescription
}

func createTable(c *engine.Call, in *createTableInput) (*tableOutput, error) {
	if in.TableName == nil {
		return nil, tableNameRequired()
	}
	ref, err := refer(c, in.TableName)
	if err != nil {
		return nil, err
	}
	if err := refuseUnbuilt(unbuilt{"ResourcePolicy", in.ResourcePolicy}, unbuilt{"WarmThroughput", in.WarmThroughput}, unbuilt{"VectorIndexes", in.VectorIndexes},
		unbuilt{"GlobalTableSourceArn", in.GlobalTableSourceArn}, unbuilt{"GlobalTableSettingsReplicationMode", in.GlobalTableSettingsReplicationMode}); err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	actions := []string{"CreateTable"}
	if len(tags) > 0 {
		actions = append(actions, "TagResource")
	}
	for _, action := range actions {
		if err := (&access{action: action, ref: ref, tags: tags}).authorize(c); err != nil {
			return nil, err
		}
	}
	t, err := newTable(c, ref, in)
	if err != nil {
		return nil, err
	}
	t.Tags = tags
	if tables.Has(c.Tx, ref.account, ref.region, ref.name) || ref.beingDeleted(c) != nil {
		return nil, engine.Errorf(inUse, "Table already exists: %s", ref.name)
	}
	if err := t.save(c.Tx); err != nil {
		return nil, err
	}
	ref.made(c)
	d, err := t.describe(c)
	if err != nil {
		return nil, err
	}
	d.beCreating()
	return &tableOutput{d}, nil
}

func newTable(c *engine.Call, ref tableRef, in *createTableInput) (*table, error) {
	if len(ref.name) < minTableName {
		return nil, broken(quoted(ref.name), "tableName", "Member must have length greater than or equal to 3")
	}
	t := &table{
		Account: ref.account, Region: ref.region, Name: ref.name, ID: c.Mesh.UUID(), Created: c.Now,
		Attributes: in.AttributeDefinitions, Keys: in.KeySchema,
	}
	refusals := checkKeyTypes(in.KeySchema, "keySchema")
	for i, x := range in.LocalSecondaryIndexes {
		refusals = append(refusals, checkKeyTypes(x.KeySchema, fmt.Sprintf("localSecondaryIndexes.%d.member.keySchema", i+1))...)
	}
	for i, x := range in.GlobalSecondaryIndexes {
		refusals = append(refusals, checkKeyTypes(x.KeySchema, fmt.Sprintf("globalSecondaryIndexes.%d.member.keySchema", i+1))...)
	}
	if err := joined(append(refusals, checkBilling(in.BillingMode))...); err != nil {
		return nil, err
	}
	if err := t.checkDefinitions(); err != nil {
		return nil, err
	}
	if err := checkKeySchema(in.KeySchema, false); err != nil {
		return nil, err
	}
	for _, k := range in.KeySchema {
		if t.typeOf(k.AttributeName) == "" {
			return nil, invalid("One or more parameter values were invalid: Some index key attributes are not defined in "+
				"AttributeDefinitions. Keys: %s, AttributeDefinitions: %s", listOf(keyNames(in.KeySchema)), listOf(t.defined()))
		}
	}
	if err := t.setBilling(in.BillingMode, in.ProvisionedThroughput); err != nil {
		return nil, err
	}
	if err := t.setOnDemand(in.OnDemandThroughput); err != nil {
		return nil, err
	}
	for _, x := range in.LocalSecondaryIndexes {
		if err := t.addIndex(x, true); err != nil {
			return nil, err
		}
	}
	for _, x := range in.GlobalSecondaryIndexes {
		if err := t.addIndex(x, false); err != nil {
			return nil, err
		}
	}
	if err := t.checkAllUsed(); err != nil {
		return nil, err
	}
	if err := t.setStream(c, in.StreamSpecification); err != nil {
		return nil, err
	}
	t.Encryption = in.SSESpecification
	t.Protected = in.DeletionProtectionEnabled != nil && *in.DeletionProtectionEnabled
	return t, t.setClass(in.TableClass)
}

func (t *table) checkDefinitions() error {
	if len(t.Attributes) == 0 {
		return broken("null", "attributeDefinitions", "Member must not be null")
	}
	seen := map[string]bool{}
	for i, a := range t.Attributes {
		at := "attributeDefinitions." + strconv.Itoa(i+1) + ".member."
		if a.AttributeName == "" {
			return broken("null", at+"attributeName", "Member must not be null")
		}
		if a.AttributeType == "" {
			return broken("null", at+"attributeType", "Member must not be null")
		}
		if err := a.AttributeType.oneOf(at+"attributeType", "[B, N, S]", "B", "N", "S"); err != nil {
			return err
		}
		if seen[a.AttributeName] {
			return invalid("Cannot have two attributes with the same name")
		}
		seen[a.AttributeName] = true
	}
	return nil
}

func checkKeySchema(keys []keyElement, global bool) error {
	if len(keys) == 0 {
		return broken("null", "keySchema", "Member must not be null")
	}
	if global && len(keys) > 2 {
		return checkLongKeySchema(keys)
	}
	switch {
	case len(keys) > 2:
		return broken(quoted(elementsOf(keys)), "keySchema", "Member must have length less than or equal to 2")
	case keys[0].KeyType != hashKey:
		return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case len(keys) == 2 && keys[0].AttributeName == keys[1].AttributeName:
		return invalid("Invalid KeySchema: Some index key attribute have no definition")
	case len(keys) == 2 && keys[1].KeyType != rangeKey && !global:
		return invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	}
	return nil
}

// maxKeyAttributes is how many attributes either part of a global index's key may have.
const maxKeyAttributes = 4

// checkLongKeySchema refuses keys of several attributes that are not up to four of the
// partition key and then up to four of the sort key.
func checkLongKeySchema(keys []keyElement) error {
	parts := map[enum]int{}
	seen := map[string]bool{}
	for _, k := range keys {
		parts[k.KeyType]++
		switch {
		case seen[k.AttributeName]:
			return invalid("Invalid KeySchema: Some index key attribute have no definition")
		case k.KeyType == hashKey && parts[rangeKey] > 0:
			return invalid("Invalid KeySchema: HASH key attributes must stand before RANGE key attributes")
		case parts[k.KeyType] > maxKeyAttributes:
			return invalid("Invalid KeySchema: A key has at most %d %s attributes", maxKeyAttributes, k.KeyType)
		}
		seen[k.AttributeName] = true
	}
	if parts[hashKey] == 0 {
		return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	}
	return nil
}

// elementsOf prints a key schema as AWS's errors do.
func elementsOf(keys []keyElement) string {
	var all []string
	for _, k := range keys {
		all = append(all, "KeySchemaElement(attributeName="+k.AttributeName+", keyType="+string(k.KeyType)+")")
	}
	return listOf(all)
}

// checkKeyTypes refuses key types that there are not.
func checkKeyTypes(keys []keyElement, at string) []error {
	var refusals []error
	for i, k := range keys {
		refusals = append(refusals, k.KeyType.oneOf(at+"."+strconv.Itoa(i+1)+".member.keyType", "[HASH, RANGE]", hashKey, rangeKey))
	}
	return refusals
}

func keyNames(keys []keyElement) []string {
	var names []string
	for _, k := range keys {
		names = append(names, k.AttributeName)
	}
	return names
}

func (t *table) defined() []string {
	var names []string
	for _, a := range t.Attributes {
		names = append(names, a.AttributeName)
	}
	return names
}

// listOf prints names as AWS's errors do.
func listOf(names []string) string {
	text := "["
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text + "]"
}

// addIndex checks a secondary index and adds it to the definition.
func (t *table) addIndex(in indexInput, local bool) error {
	const bad = "One or more parameter values were invalid: "
	x := index{Name: in.IndexName, Local: local, Keys: in.KeySchema}
	switch {
	case len(x.Name) < minTableName || len(x.Name) > 255 || !namePattern.MatchString(x.Name):
		return broken(quoted(x.Name), "indexName", "Member must have length greater than or equal to 3 and "+
			"satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	case t.index(x.Name) != nil:
		return invalid(bad+"Duplicate index name: %s", x.Name)
	}
	if err := checkKeySchema(x.Keys, !local); err != nil {
		return err
	}
	for _, k := range x.Keys {
		if t.typeOf(k.AttributeName) == "" {
			return invalid(bad+"Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s",
				listOf(keyNames(x.Keys)), listOf(t.defined()))
		}
	}
	if local {
		switch {
		case len(t.Keys) < 2:
			return invalid(bad + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
		case len(x.Keys) < 2:
			return invalid(bad+"Index KeySchema does not have a range key for index: %s", x.Name)
		case x.Keys[0].AttributeName != t.Keys[0].AttributeName:
			return invalid(bad+"Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. "+
				"index hash key: %s, table hash key: %s", x.Name, x.Keys[0].AttributeName, t.Keys[0].AttributeName)
		}
	}
	if err := x.setProjection(in.Projection); err != nil {
		return err
	}
	if err := t.setIndexThroughput(&x, in.ProvisionedThroughput); err != nil {
		return err
	}
	t.Indexes = append(t.Indexes, x)
	return t.checkIndexLimits()
}

func (x *index) setProjection(p *projection) error {
	const bad = "One or more parameter values were invalid: "
	if p == nil || p.ProjectionType == "" {
		return invalid(bad + "Unknown ProjectionType: null")
	}
	if err := p.ProjectionType.oneOf("projection.projectionType", "[ALL, INCLUDE, KEYS_ONLY]",
		projectAll, projectInclude, projectKeys); err != nil {
		return err
	}
	switch {
	case p.ProjectionType == projectInclude && len(p.NonKeyAttributes) == 0:
		return invalid(bad + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	case p.ProjectionType != projectInclude && len(p.NonKeyAttributes) > 0:
		return invalid(bad+"ProjectionType is %s, but NonKeyAttributes is specified", p.ProjectionType)
	case len(p.NonKeyAttributes) > maxNonKeyPerIndex:
		return broken(quoted(listOf(p.NonKeyAttributes)), "projection.nonKeyAttributes",
			"Member must have length less than or equal to 20")
	}
	x.Projection = *p
	return nil
}

func (t *table) setIndexThroughput(x *index, given *throughput) error {
	const bad = "One or more parameter values were invalid: "
	switch {
	case given != nil && (x.Local || t.Billing == onDemand):
		return invalid(bad+"ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", x.Name)
	case given != nil:
		x.Throughput = *given
	case !x.Local && t.Billing == provisioned:
		return invalid(bad+"ProvisionedThroughput is not specified for index: %s", x.Name)
	}
	return nil
}

func (t *table) checkIndexLimits() error {
	const bad = "One or more parameter values were invalid: "
	local, global, nonKey := 0, 0, 0
	for _, x := range t.Indexes {
		nonKey += len(x.Projection.NonKeyAttributes)
		if x.Local {
			local++
		} else {
			global++
		}
	}
	switch {
	case local > maxLocalIndexes:
		return invalid(bad + "Number of LocalSecondaryIndexes exceeds per-table limit of 5")
	case global > maxGlobalIndexes:
		return invalid(bad + "GlobalSecondaryIndex count exceeds the per-table limit of 20")
	case nonKey > maxNonKeyPerTable:
		return invalid(bad + "Number of NonKeyAttributes exceeds per-table limit of 100")
	}
	return nil
}

// checkAllUsed refuses definitions of attributes that no key has.
func (t *table) checkAllUsed() error {
	used := map[string]bool{}
	for _, name := range keyNames(t.Keys) {
		used[name] = true
	}
	for _, x := range t.Indexes {
		for _, name := range keyNames(x.Keys) {
			used[name] = true
		}
	}
	if len(used) == len(t.Attributes) {
		return nil
	}
	if len(t.Indexes) == 0 {
		return invalid("One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match " +
			"number of attributes defined in AttributeDefinitions")
	}
	return invalid("One or more parameter values were invalid: Some AttributeDefinitions are not used. AttributeDefinitions: %s, "+
		"keys used: %s", listOf(t.defined()), listOf(slices.Sorted(maps.Keys(used))))
}

func checkBilling(mode enum) error {
	return mode.oneOf("billingMode", "[PROVISIONED, PAY_PER_REQUEST]", provisioned, onDemand)
}

func (t *table) setBilling(mode enum, given *throughput) error {
	if err := checkBilling(mode); err != nil {
		return err
	}
	if mode == "" {
		mode = provisioned
	}
	t.Billing, t.Throughput = mode, throughput{}
	switch {
	case mode == onDemand && given != nil:
		return invalid("One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be " +
			"specified when BillingMode is PAY_PER_REQUEST")
	case mode == onDemand:
		return nil
	case given == nil:
		return invalid("One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be " +
			"specified when BillingMode is PROVISIONED")
	case given.ReadCapacityUnits < 1:
		return broken("'0'", "provisionedThroughput.readCapacityUnits", "Member must have value greater than or equal to 1")
	case given.WriteCapacityUnits < 1:
		return broken("'0'", "provisionedThroughput.writeCapacityUnits", "Member must have value greater than or equal to 1")
	}
	t.Throughput = *given
	return nil
}

func (t *table) setStream(c *engine.Call, s *streamSpecification) error {
	switch {
	case s == nil:
		return nil
	case !s.StreamEnabled && s.StreamViewType != "":
		return invalid("One or more parameter values were invalid: StreamViewType cannot be specified when StreamEnabled is false")
	case !s.StreamEnabled && t.Stream == nil:
		return nil
	case !s.StreamEnabled:
		t.Stream = nil
		return t.closeStream(c)
	case s.StreamViewType == "":
		return invalid("One or more parameter values were invalid: StreamViewType is required when StreamEnabled is true")
	}
	if err := s.StreamViewType.oneOf("streamSpecification.streamViewType", newImages,
		"NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"); err != nil {
		return err
	}
	t.Stream = s
	return t.openStream(c)
}

// setOnDemand bounds what a table that is paid by request may take.
func (t *table) setOnDemand(given *onDemandThroughput) error {
	switch {
	case given == nil:
		return nil
	case t.Billing != onDemand:
		return invalid("One or more parameter values were invalid: OnDemandThroughput can only be specified when BillingMode is PAY_PER_REQUEST")
	}
	t.OnDemand = given
	return nil
}

func (t *table) setClass(class enum) error {
	if err := class.oneOf("tableClass", "[STANDARD, STANDARD_INFREQUENT_ACCESS]",
		"STANDARD", "STANDARD_INFREQUENT_ACCESS"); err != nil {
		return err
	}
	if class != "" {
		t.Class = class
	}
	return nil
}

type tableDescription struct {
	TableName                 string
	TableArn                  string
	TableId                   string
	TableStatus               enum
	CreationDateTime          time.Time
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keyElement
	ProvisionedThroughput     *throughputDescription
	BillingModeSummary        *billingSummary
	OnDemandThroughput        *onDemandThroughput
	ItemCount                 int64
	TableSizeBytes            int64
	LocalSecondaryIndexes     []indexDescription
	GlobalSecondaryIndexes    []indexDescription
	StreamSpecification       *streamSpecification
	LatestStreamArn           *string
	LatestStreamLabel         *string
	SSEDescription            *encryptionDescription
	TableClassSummary         *classSummary
	DeletionProtectionEnabled bool
}

type throughputDescription struct {
	NumberOfDecreasesToday, ReadCapacityUnits, WriteCapacityUnits int64
}

type billingSummary struct {
	BillingMode                       enum
	LastUpdateToPayPerRequestDateTime time.Time
}

type indexDescription struct {
	IndexName             string
	IndexArn              string
	IndexStatus           enum
	KeySchema             []keyElement
	Projection            *projection
	ProvisionedThroughput *throughputDescription
	ItemCount             int64
	IndexSizeBytes        int64
}

type encryptionDescription struct {
	Status          enum
	SSEType         enum
	KMSMasterKeyArn *string
}

// encryptionKey is the key that was named, or the one that AWS manages for the tables of
// the account: nobody can use it for anything else, it needs an ARN only.
func (t *table) encryptionKey() *string {
	if key := t.Encryption.KMSMasterKeyId; key != nil && !strings.HasSuffix(*key, managedKeyAlias) {
		return key
	}
	sum := sha256.Sum256([]byte(t.Account + "/" + t.Region + "/" + managedKeyAlias))
	id := hex.EncodeToString(sum[:16])
	arn := fmt.Sprintf("arn:aws:kms:%s:%s:key/%s-%s-%s-%s-%s", t.Region, t.Account, id[:8], id[8:12], id[12:16], id[16:20], id[20:])
	return &arn
}

const managedKeyAlias = "alias/aws/dynamodb"

type classSummary struct {
	TableClass enum
}

func (t *table) describe(c *engine.Call) (*tableDescription, error) {
	used, _, err := usages.Get(c.Tx, t.Account, t.Region, t.Name)
	if err != nil {
		return nil, err
	}
	d := &tableDescription{
		TableName: t.Name, TableArn: t.ref().arn(""), TableId: t.ID, TableStatus: active, CreationDateTime: t.Created,
		AttributeDefinitions: t.Attributes, KeySchema: t.Keys, ProvisionedThroughput: t.Throughput.describe(),
		ItemCount: used[""].Items, TableSizeBytes: used[""].Bytes, StreamSpecification: t.Stream,
		DeletionProtectionEnabled: t.Protected,
	}
	if t.Billing == onDemand {
		d.BillingModeSummary, d.OnDemandThroughput = &billingSummary{onDemand, t.Created}, t.OnDemand
	}
	if t.Class != "" {
		d.TableClassSummary = &classSummary{t.Class}
	}
	if t.StreamLabel != "" {
		arn := t.ref().arn("/stream/" + t.StreamLabel)
		d.LatestStreamArn, d.LatestStreamLabel = &arn, &t.StreamLabel
	}
	if t.Encryption != nil && t.Encryption.Enabled != nil && *t.Encryption.Enabled {
		d.SSEDescription = &encryptionDescription{Status: "ENABLED", SSEType: "KMS", KMSMasterKeyArn: t.encryptionKey()}
	}
	for i := range t.Indexes {
		x := &t.Indexes[i]
		xd := indexDescription{
			IndexName: x.Name, IndexArn: t.ref().arn("/index/" + x.Name), KeySchema: x.Keys, Projection: &x.Projection,
			ItemCount: used[x.Name].Items, IndexSizeBytes: used[x.Name].Bytes,
		}
		if x.Local {
			d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, xd)
			continue
		}
		xd.IndexStatus, xd.ProvisionedThroughput = active, x.Throughput.describe()
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, xd)
	}
	return d, nil
}

func (p throughput) describe() *throughputDescription {
	return &throughputDescription{0, p.ReadCapacityUnits, p.WriteCapacityUnits}
}

type tableNameInput struct {
	TableName *string
}

type describeTableOutput struct {
	Table *tableDescription
}

func describeTable(c *engine.Call, in *tableNameInput) (*describeTableOutput, error) {
	a, err := ask(c, "DescribeTable", in.TableName)
	if err != nil {
		return nil, err
	}
	missing := engine.Errorf(notFound, noSuchNamedTable, a.ref.name)
	if a.table == nil {
		if d := a.ref.beingDeleted(c); d != nil {
			return &describeTableOutput{d}, nil
		}
		return nil, missing
	}
	// The description is read without consistency, and may be late itself.
	if c.Settling(a.ref.describing()) {
		return nil, missing
	}
	d, err := a.table.describeNow(c)
	return &describeTableOutput{d}, err
}

func deleteTable(c *engine.Call, in *tableNameInput) (*tableOutput, error) {
	t, err := open(c, "DeleteTable", in.TableName, noSuchNamedTable)
	if err != nil {
		return nil, err
	}
	if err := t.settled(c); err != nil {
		return nil, err
	}
	if t.Protected {
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	d, err := t.describe(c)
	if err != nil {
		return nil, err
	}
	d.TableStatus = deleting
	c.Changed(t.ref().deleting(), d)
	if t.Stream != nil {
		if err := t.closeStream(c); err != nil {
			return nil, err
		}
	}
	return &tableOutput{d}, t.drop(c.Tx)
}

type updateTableInput struct {
	TableName                   *string
	AttributeDefinitions        []attributeDefinition
	BillingMode                 enum
	ProvisionedThroughput       *throughput
	OnDemandThroughput          *onDemandThroughput
	GlobalSecondaryIndexUpdates []indexUpdate
	StreamSpecification         *streamSpecification
	SSESpecification            *encryption
	TableClass                  enum
	DeletionProtectionEnabled   *bool

	// What is not built.
	ReplicaUpdates, MultiRegionConsistency, GlobalTableWitnessUpdates, GlobalTableSettingsReplicationMode json.RawMessage
	WarmThroughput, VectorIndexUpdates, DisassociationProtectionEnabled                                   json.RawMessage
}

// unbuilt is a member of a request that the local mesh does not have.
type unbuilt struct {
	name  string
	value json.RawMessage
}

// refuseUnbuilt refuses what would silently not be done.
func refuseUnbuilt(members ...unbuilt) error {
	for _, m := range members {
		if len(m.value) > 0 && string(m.value) != "null" {
			return engine.Errorf("NotImplementedException", "the local mesh has no %s", m.name).WithStatus(http.StatusNotImplemented)
		}
	}
	return nil
}

type indexUpdate struct {
	Create *indexInput
	Delete *struct{ IndexName string }
	Update *indexInput
}

func updateTable(c *engine.Call, in *updateTableInput) (*tableOutput, error) {
	t, err := open(c, "UpdateTable", in.TableName, noSuchNamedTable)
	if err != nil {
		return nil, err
	}
	if err := refuseUnbuilt(unbuilt{"ReplicaUpdates", in.ReplicaUpdates}, unbuilt{"MultiRegionConsistency", in.MultiRegionConsistency},
		unbuilt{"GlobalTableWitnessUpdates", in.GlobalTableWitnessUpdates}, unbuilt{"GlobalTableSettingsReplicationMode", in.GlobalTableSettingsReplicationMode},
		unbuilt{"WarmThroughput", in.WarmThroughput}, unbuilt{"VectorIndexUpdates", in.VectorIndexUpdates},
		unbuilt{"DisassociationProtectionEnabled", in.DisassociationProtectionEnabled}); err != nil {
		return nil, err
	}
	var refusals []error
	for i, u := range in.GlobalSecondaryIndexUpdates {
		if u.Create != nil {
			refusals = append(refusals, checkKeyTypes(u.Create.KeySchema, fmt.Sprintf("globalSecondaryIndexUpdates.%d.member.create.keySchema", i+1))...)
		}
	}
	if err := joined(refusals...); err != nil {
		return nil, err
	}
	if in.BillingMode == "" && in.ProvisionedThroughput == nil && len(in.GlobalSecondaryIndexUpdates) == 0 &&
		in.OnDemandThroughput == nil && in.StreamSpecification == nil && in.SSESpecification == nil && in.TableClass == "" && in.DeletionProtectionEnabled == nil {
		return nil, invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or " +
			"SSESpecification or ReplicaUpdates is required")
	}
	if err := t.settled(c); err != nil {
		return nil, err
	}
	if in.BillingMode != "" || in.ProvisionedThroughput != nil {
		mode := in.BillingMode
		if mode == "" {
			mode = t.Billing
		}
		if p := in.ProvisionedThroughput; p != nil && mode == provisioned && t.Billing == provisioned && *p == t.Throughput {
			return nil, unchangedThroughput("table", *p)
		}
		if err := t.setBilling(mode, in.ProvisionedThroughput); err != nil {
			return nil, err
		}
	}
	if err := t.setOnDemand(in.OnDemandThroughput); err != nil {
		return nil, err
	}
	if err := t.updateStream(c, in.StreamSpecification); err != nil {
		return nil, err
	}
	if err := t.setClass(in.TableClass); err != nil {
		return nil, err
	}
	if in.SSESpecification != nil {
		t.Encryption = in.SSESpecification
	}
	if in.DeletionProtectionEnabled != nil {
		t.Protected = *in.DeletionProtectionEnabled
	}
	made, err := t.updateIndexes(c, in)
	if err != nil {
		return nil, err
	}
	if err := t.save(c.Tx); err != nil {
		return nil, err
	}
	d, err := t.describe(c)
	if err != nil {
		return nil, err
	}
	c.Changed(t.ref().updating(), made)
	d.TableStatus = updating
	d.indexIsCreating(made)
	return &tableOutput{d}, nil
}

// unchangedThroughput refuses an update to the throughput that there is.
func unchangedThroughput(of string, p throughput) error {
	return invalid("The provisioned throughput for the %s will not change. The requested value equals the current value. "+
		"Current ReadCapacityUnits provisioned for the %s: %d. Requested ReadCapacityUnits: %d. "+
		"Current WriteCapacityUnits provisioned for the %s: %d. Requested WriteCapacityUnits: %d. "+
		"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
		of, of, p.ReadCapacityUnits, p.ReadCapacityUnits, of, p.WriteCapacityUnits, p.WriteCapacityUnits)
}

func (t *table) updateStream(c *engine.Call, s *streamSpecification) error {
	if s != nil && s.StreamEnabled && t.Stream != nil {
		return invalid("Table already has an enabled stream: TableName: %s", t.Name)
	}
	if s != nil && !s.StreamEnabled && t.Stream == nil {
		return invalid("Table does not have a stream to disable: TableName: %s", t.Name)
	}
	return t.setStream(c, s)
}

// updateIndexes makes, deletes and changes indexes, and gives the name of the
// one that was made.
func (t *table) updateIndexes(c *engine.Call, in *updateTableInput) (made string, err error) {
	for _, a := range in.AttributeDefinitions {
		switch known := t.typeOf(a.AttributeName); {
		case known == "":
			t.Attributes = append(t.Attributes, a)
		case string(known) != string(a.AttributeType):
			return "", invalid("One or more parameter values were invalid: Type of attribute %s cannot be changed", a.AttributeName)
		}
	}
	if err := t.checkDefinitions(); err != nil {
		return "", err
	}
	changes := 0
	for _, u := range in.GlobalSecondaryIndexUpdates {
		switch {
		case u.Create != nil:
			changes++
			if made, err = u.Create.IndexName, t.addIndex(*u.Create, false); err != nil {
				return "", err
			}
			if err := t.fill(c.Tx, &t.Indexes[len(t.Indexes)-1]); err != nil {
				return "", err
			}
		case u.Delete != nil:
			changes++
			if err := t.removeIndex(c, u.Delete.IndexName); err != nil {
				return "", err
			}
		case u.Update != nil:
			x := t.index(u.Update.IndexName)
			if x == nil || x.Local {
				return "", noSuchIndex(u.Update.IndexName)
			}
			if p := u.Update.ProvisionedThroughput; p != nil && t.Billing == provisioned && *p == x.Throughput {
				return "", unchangedThroughput("index "+x.Name, *p)
			}
			if err := t.setIndexThroughput(x, u.Update.ProvisionedThroughput); err != nil {
				return "", err
			}
		}
	}
	if changes > 1 {
		return "", engine.Errorf("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	t.forgetUnused()
	return made, t.checkAllUsed()
}

func (t *table) removeIndex(c *engine.Call, name string) error {
	x := t.index(name)
	if x == nil || x.Local {
		return noSuchIndex(name)
	}
	if err := t.clear(c.Tx, x); err != nil {
		return err
	}
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x index) bool { return x.Name == name })
	return nil
}

func noSuchIndex(name string) error {
	return engine.Errorf(notFound, "Requested resource not found: Index: %s not found", name)
}

// forgetUnused drops the definitions of attributes that were keys of deleted
// indexes only.
func (t *table) forgetUnused() {
	t.Attributes = slices.DeleteFunc(t.Attributes, func(a attributeDefinition) bool {
		if slices.Contains(keyNames(t.Keys), a.AttributeName) {
			return false
		}
		return !slices.ContainsFunc(t.Indexes, func(x index) bool { return slices.Contains(keyNames(x.Keys), a.AttributeName) })
	})
}

type listTablesInput struct {
	ExclusiveStartTableName string
	Limit                   *int
}

type listTablesOutput struct {
	TableNames             []string
	LastEvaluatedTableName *string
}

func listTables(c *engine.Call, in *listTablesInput) (*listTablesOutput, error) {
	if err := c.Allow("dynamodb:ListTables"); err != nil {
		return nil, err
	}
	limit := maxTablesListed
	if in.Limit != nil {
		limit = *in.Limit
		if limit < 1 || limit > maxTablesListed {
			return nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
				"Member must have value between 1 and 100", limit)
		}
	}
	out := &listTablesOutput{TableNames: []string{}}
	err := tables.Scan(c.Tx, []string{c.Account(), c.Region}, "", func(_ string, t table) bool {
		if t.Name <= in.ExclusiveStartTableName {
			return true
		}
		if len(out.TableNames) == limit {
			out.LastEvaluatedTableName = &out.TableNames[limit-1]
			return false
		}
		out.TableNames = append(out.TableNames, t.Name)
		return true
	})
	return out, err
}
