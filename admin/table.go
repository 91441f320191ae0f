package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// tableWait is how long a table or an index may take to become active. An index
// on a table that is full takes long.
const tableWait = 30 * time.Minute

// table is a DynamoDB table as it is to be. Every table is on demand, protected
// against deletion, tagged, and can be restored to any second of the last weeks: it
// is the only record of who may read what.
type table struct {
	name string
	// title is what people call it.
	title string
	// key is the partition key, a string. There is no sort key: IAM has no condition on
	// one.
	key     string
	indexes []tableIndex
	// stream says that changes can be followed.
	stream bool
}

// tableIndex is a global index as it is to be. Its keys are strings, and it holds
// whole items.
type tableIndex struct {
	name       string
	hash, sort string
}

// foundTable is a table as it is.
type foundTable struct {
	exists bool
	// deleting says that the table is about to be gone.
	deleting bool
	// active says that the table and its indexes are, and that what is asked for apart
	// from them could be seen, too.
	active  bool
	arn     string
	stream  string
	view    types.StreamViewType
	indexes []string
	// throughput is set for a table that is not on demand.
	throughput *types.ProvisionedThroughput
	// encryptionKey is the KMS key that the table is encrypted with; empty for
	// DynamoDB's own.
	encryptionKey string
	// isProtected is the protection against deletion.
	isProtected bool
	// isTagged and isRecoverable are known of an active table alone.
	isTagged, isRecoverable bool
}

func keySchema(hash, sort string) []types.KeySchemaElement {
	keys := []types.KeySchemaElement{{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash}}
	if sort != "" {
		keys = append(keys, types.KeySchemaElement{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange})
	}
	return keys
}

// attributes defines the attributes that are keys, each once.
func attributes(names ...string) []types.AttributeDefinition {
	var all []types.AttributeDefinition
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name != "" {
			all = append(all, types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS})
		}
	}
	return all
}

func wholeItems() *types.Projection {
	return &types.Projection{ProjectionType: types.ProjectionTypeAll}
}

func wantedStream() *types.StreamSpecification {
	return &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
}

func tableTags() []types.Tag {
	return []types.Tag{{Key: aws.String(lakemesh.SolutionTag), Value: aws.String(lakemesh.SolutionValue)}}
}

// observeTable reads a table. One with another key cannot be used.
func (a *Admin) observeTable(ctx context.Context, want table) (foundTable, error) {
	var found foundTable
	out, err := a.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(want.name)})
	if identity.IsNotFound(err) {
		return found, nil
	}
	if err != nil {
		return found, a.explainTable("DescribeTable", want, err)
	}
	t := out.Table
	if t.TableStatus == types.TableStatusDeleting {
		return foundTable{deleting: true}, nil
	}
	found = foundTable{exists: true, arn: aws.ToString(t.TableArn), stream: aws.ToString(t.LatestStreamArn),
		isProtected: aws.ToBool(t.DeletionProtectionEnabled), throughput: throughputOf(t)}
	if schema(t.KeySchema) != schema(keySchema(want.key, "")) {
		return found, a.otherTable(want, "its key is "+schema(t.KeySchema))
	}
	found.active = t.TableStatus == types.TableStatusActive
	for _, i := range t.GlobalSecondaryIndexes {
		name := aws.ToString(i.IndexName)
		for _, w := range want.indexes {
			if w.name == name && schema(keySchema(w.hash, w.sort)) != schema(i.KeySchema) {
				return found, a.otherTable(want, fmt.Sprintf("the key of its index %s is %s", name, schema(i.KeySchema)))
			}
		}
		found.indexes = append(found.indexes, name)
		found.active = found.active && i.IndexStatus == types.IndexStatusActive
	}
	if s := t.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		found.view = s.StreamViewType
	}
	if s := t.SSEDescription; s != nil && s.SSEType == types.SSETypeKms {
		found.encryptionKey = aws.ToString(s.KMSMasterKeyArn)
	}
	if !found.active {
		return found, nil
	}
	return a.observeAround(ctx, want, found)
}

// observeAround reads what is kept apart from a table: its tags and its backups.
// They can be unknown for a while after the table is active, and the whole time
// before; the table then counts as not active yet.
func (a *Admin) observeAround(ctx context.Context, want table, found foundTable) (foundTable, error) {
	tags, err := a.dynamodb.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: aws.String(found.arn)})
	if identity.IsNotFound(err) {
		found.active = false
		return found, nil
	}
	if err != nil {
		return found, a.explainTable("ListTagsOfResource", want, err)
	}
	found.isTagged = slices.ContainsFunc(tags.Tags, func(t types.Tag) bool {
		return aws.ToString(t.Key) == lakemesh.SolutionTag && aws.ToString(t.Value) == lakemesh.SolutionValue
	})
	backups, err := a.dynamodb.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String(want.name)})
	if identity.IsNotFound(err) {
		found.active = false
		return found, nil
	}
	if err != nil {
		return found, a.explainTable("DescribeContinuousBackups", want, err)
	}
	if d := backups.ContinuousBackupsDescription; d != nil && d.PointInTimeRecoveryDescription != nil {
		found.isRecoverable = d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled
	}
	return found, nil
}

// throughputOf is what a table is provisioned with; nil if it is on demand. A table
// that never was on demand has no summary of its billing.
func throughputOf(t *types.TableDescription) *types.ProvisionedThroughput {
	if s := t.BillingModeSummary; s != nil && s.BillingMode == types.BillingModePayPerRequest {
		return nil
	}
	p := t.ProvisionedThroughput
	if p == nil || aws.ToInt64(p.ReadCapacityUnits) == 0 {
		return nil
	}
	return &types.ProvisionedThroughput{ReadCapacityUnits: p.ReadCapacityUnits, WriteCapacityUnits: p.WriteCapacityUnits}
}

func schema(keys []types.KeySchemaElement) string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = aws.ToString(k.AttributeName) + " " + string(k.KeyType)
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

func (a *Admin) otherTable(want table, what string) error {
	return &lakemesh.Error{Op: "DescribeTable", Account: a.account, Resource: "table " + want.name, Kind: lakemesh.ErrInvalidInput,
		Message: "a table of this name exists, but " + what, Hint: "it is not the table of a mesh; remove it, or use another account or region"}
}

func (a *Admin) explainTable(op string, t table, err error) error {
	return identity.Explain(op, a.account, "table "+t.name, err)
}

// missing says what the table lacks. Of one that is not active not everything is
// known.
func (f foundTable) missing(want table) []string {
	var m []string
	for _, i := range want.indexes {
		if !slices.Contains(f.indexes, i.name) {
			m = append(m, "index "+i.name)
		}
	}
	if want.stream && f.view == "" {
		m = append(m, "stream")
	}
	if !f.isProtected {
		m = append(m, "deletion protection")
	}
	if f.active && !f.isTagged {
		m = append(m, "tag "+lakemesh.SolutionTag)
	}
	if f.active && !f.isRecoverable {
		m = append(m, "point-in-time recovery")
	}
	return m
}

// warnings say what of the table is somebody's choice, and may not have been meant.
func (f foundTable) warnings(want table) []string {
	var all []string
	if want.stream && f.view != "" && f.view != types.StreamViewTypeNewAndOldImages {
		all = append(all, fmt.Sprintf("the stream of table %s carries %s, not %s", want.name, f.view, types.StreamViewTypeNewAndOldImages))
	}
	if f.encryptionKey != "" {
		all = append(all, fmt.Sprintf("table %s is encrypted with the KMS key %s; unless that is AWS's own, every role of the mesh needs kms:Decrypt and kms:Encrypt on it through DynamoDB, "+
			"or is refused in words that speak of the table", want.name, f.encryptionKey))
	}
	if f.throughput != nil {
		all = append(all, fmt.Sprintf("table %s is provisioned with %d reads and %d writes a second, and commands are throttled beyond; on demand it has no such limit",
			want.name, aws.ToInt64(f.throughput.ReadCapacityUnits), aws.ToInt64(f.throughput.WriteCapacityUnits)))
	}
	return all
}

// planTable adds the step that makes or completes a table, or returns nil if it is
// complete.
func (a *Admin) planTable(p *plan.Plan, want table, found foundTable) *plan.Step {
	for _, w := range found.warnings(want) {
		p.Warn("%s", w)
	}
	missing := found.missing(want)
	var summary string
	switch {
	case found.deleting:
		summary = fmt.Sprintf("create the %s %s, once the one of that name is gone that is being deleted", want.title, want.name)
	case !found.exists:
		summary = fmt.Sprintf("create the %s %s with %s", want.title, want.name, want.equipment())
	case len(missing) > 0:
		summary = fmt.Sprintf("complete the %s %s: %s", want.title, want.name, strings.Join(missing, ", "))
	case !found.active:
		summary = fmt.Sprintf("wait for the %s %s", want.title, want.name)
	default:
		return nil
	}
	return p.Add(plan.Step{Kind: plan.CreateRecords, Account: a.account, Resource: "table " + want.name, Summary: summary,
		Run: func(ctx context.Context) error { return a.makeTable(ctx, want) }})
}

// equipment is what a new table gets.
func (t table) equipment() string {
	text := "point-in-time recovery and deletion protection"
	if t.stream {
		text = "stream, " + text
	}
	if len(t.indexes) > 0 {
		text = "indexes, " + text
	}
	return text
}

// makeTable makes a table, or completes it. DynamoDB takes one change at a time,
// and none before the last is done.
func (a *Admin) makeTable(ctx context.Context, want table) error {
	begun, what := time.Now(), "table "+want.name+" and its indexes to be active"
	lacked := ""
	for done := false; !done; {
		if waited := time.Since(begun); waited > tableWait {
			return a.explainTable("make the table", want, &poll.TimeoutError{What: what, Waited: waited})
		}
		// Each change is waited for by itself, because waits grow. One that was made is not
		// made again before it had time to show.
		looks := 0
		err := poll.Until(ctx, tableWait-time.Since(begun), what, func(ctx context.Context) (bool, error) {
			looks++
			now, err := a.observeTable(ctx, want)
			if err != nil {
				return false, err
			}
			lacks := fmt.Sprint(now.exists, now.missing(want))
			if looks == 1 && lacks == lacked {
				return false, nil
			}
			moved, err := a.advanceTable(ctx, want, now)
			if moved && err == nil {
				lacked, done = lacks, now.active && len(now.missing(want)) == 0
			}
			return moved, err
		})
		if err != nil {
			return a.explainTable("make the table", want, err)
		}
	}
	return nil
}

// advanceTable makes one change that the table lacks, and reports whether it did, or
// whether there is none to make: otherwise it has to be looked at again later.
func (a *Admin) advanceTable(ctx context.Context, want table, now foundTable) (moved bool, err error) {
	switch {
	case now.deleting:
		return false, poll.NotYet(errors.New("a table of that name is being deleted"))
	case !now.exists:
		return true, a.createTable(ctx, want)
	case !now.active:
		return false, nil
	}
	for _, i := range want.indexes {
		if !slices.Contains(now.indexes, i.name) {
			return true, a.addIndex(ctx, want, i, now)
		}
	}
	switch {
	case want.stream && now.view == "":
		return true, a.updateTable(ctx, want, &dynamodb.UpdateTableInput{StreamSpecification: wantedStream()})
	case !now.isProtected:
		return true, a.updateTable(ctx, want, &dynamodb.UpdateTableInput{DeletionProtectionEnabled: aws.Bool(true)})
	case !now.isTagged:
		_, err := a.dynamodb.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: aws.String(now.arn), Tags: tableTags()})
		return notYetIf(identity.IsNotFound, "TagResource", err)
	case !now.isRecoverable:
		_, err := a.dynamodb.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: aws.String(want.name),
			PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
		// A new table's backups take a moment before they can be set.
		return notYetIf(func(err error) bool {
			return identity.IsNotFound(err) || identity.HasCode(err, "ContinuousBackupsUnavailableException")
		}, "UpdateContinuousBackups", err)
	}
	return true, nil
}

// notYetIf marks an error that passes.
func notYetIf(passes func(error) bool, op string, err error) (bool, error) {
	if err == nil {
		return true, nil
	}
	err = fmt.Errorf("%s: %w", op, err)
	if passes(err) {
		return false, poll.NotYet(err)
	}
	return false, err
}

func (a *Admin) createTable(ctx context.Context, want table) error {
	in := &dynamodb.CreateTableInput{TableName: aws.String(want.name), KeySchema: keySchema(want.key, ""), BillingMode: types.BillingModePayPerRequest,
		DeletionProtectionEnabled: aws.Bool(true), Tags: tableTags()}
	keys := []string{want.key}
	for _, i := range want.indexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes,
			types.GlobalSecondaryIndex{IndexName: aws.String(i.name), KeySchema: keySchema(i.hash, i.sort), Projection: wholeItems()})
		keys = append(keys, i.hash, i.sort)
	}
	in.AttributeDefinitions = attributes(keys...)
	if want.stream {
		in.StreamSpecification = wantedStream()
	}
	_, err := a.dynamodb.CreateTable(ctx, in)
	// In use is a table that somebody else just made, one that DescribeTable does not
	// show yet, and one that is being deleted: looking again tells which.
	_, err = notYetIf(identity.IsAlreadyExists, "CreateTable", err)
	return err
}

// addIndex adds an index to a table that has none of the name. An index of a
// table that is provisioned must be provisioned, too; it gets what the table has.
func (a *Admin) addIndex(ctx context.Context, want table, i tableIndex, now foundTable) error {
	return a.updateTable(ctx, want, &dynamodb.UpdateTableInput{
		// Definitions that no key uses are not sent: whether they are refused is not
		// documented.
		AttributeDefinitions: attributes(want.key, i.hash, i.sort),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String(i.name), KeySchema: keySchema(i.hash, i.sort), Projection: wholeItems(), ProvisionedThroughput: now.throughput}}},
	})
}

// updateTable makes one change. The table can still be busy with the last one
// although DescribeTable said otherwise, which is eventually consistent.
func (a *Admin) updateTable(ctx context.Context, want table, in *dynamodb.UpdateTableInput) error {
	in.TableName = aws.String(want.name)
	_, err := a.dynamodb.UpdateTable(ctx, in)
	_, err = notYetIf(func(err error) bool {
		return identity.IsAlreadyExists(err) || identity.HasCode(err, "LimitExceededException")
	}, "UpdateTable", err)
	return err
}
