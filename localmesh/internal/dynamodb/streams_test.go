package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	awsstreams "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

type image = map[string]streamtypes.AttributeValue

func (m *mesh) streams(t testing.TB, account, user, policy string) *awsstreams.Client {
	t.Helper()
	m.client(t, account, user, policy)
	return awsstreams.NewFromConfig(aws.Config{
		Region: "eu-west-1", HTTPClient: m.Mesh, BaseEndpoint: aws.String("http://127.0.0.1:4577"),
		Credentials: credentials.NewStaticCredentialsProvider("AKIA"+account+user, "secret", ""), RetryMaxAttempts: 1,
	})
}

// streamedTable makes the table "things" with a stream, and gives the stream's ARN.
func streamedTable(t testing.TB, c *awsdynamodb.Client, view types.StreamViewType) string {
	t.Helper()
	in := thingsTable("things")
	in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view}
	out, err := c.CreateTable(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.TableDescription.LatestStreamArn)
}

func iteratorOf(t testing.TB, c *awsstreams.Client, arn string, kind streamtypes.ShardIteratorType, sequence *string) (*string, error) {
	t.Helper()
	d, err := c.DescribeStream(t.Context(), &awsstreams.DescribeStreamInput{StreamArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.GetShardIterator(t.Context(), &awsstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: d.StreamDescription.Shards[0].ShardId, ShardIteratorType: kind, SequenceNumber: sequence})
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

// recordsOf reads a stream from its beginning to its end.
func recordsOf(t testing.TB, c *awsstreams.Client, arn string) []streamtypes.Record {
	t.Helper()
	next, err := iteratorOf(t, c, arn, streamtypes.ShardIteratorTypeTrimHorizon, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []streamtypes.Record
	for next != nil {
		out, err := c.GetRecords(t.Context(), &awsstreams.GetRecordsInput{ShardIterator: next, Limit: aws.Int32(2)})
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, out.Records...); len(out.Records) == 0 {
			break
		}
		next = out.NextShardIterator
	}
	return all
}

// told is what a record tells, in short.
func told(records []streamtypes.Record) (short []string) {
	print := func(img image) string {
		if img == nil {
			return "-"
		}
		id, _ := img["id"].(*streamtypes.AttributeValueMemberS)
		v, _ := img["v"].(*streamtypes.AttributeValueMemberN)
		text := ""
		if id != nil {
			text = id.Value
		}
		if v != nil {
			text += "=" + v.Value
		}
		return text
	}
	for _, r := range records {
		short = append(short, fmt.Sprintf("%s %s: %s > %s", r.EventName, print(r.Dynamodb.Keys), print(r.Dynamodb.OldImage), print(r.Dynamodb.NewImage)))
	}
	return short
}

// TestStreamsTellOfEveryWrite writes in every way that there is.
func TestStreamsTellOfEveryWrite(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	c := m.admin(t)
	arn := streamedTable(t, c, types.StreamViewTypeNewAndOldImages)
	things := aws.String("things")
	key := func(id string) item { return item{"id": s(id)} }
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(id string, v int) {
		t.Helper()
		putThing(t, c, item{"id": s(id), "v": n(v)})
	}
	put("a", 1)
	put("a", 2)
	put("a", 2) // Nothing changes.
	must(c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: things, Key: key("a"), UpdateExpression: aws.String("ADD v :one"), ExpressionAttributeValues: item{":one": n(1)}}))
	must(c.UpdateItem(t.Context(), &awsdynamodb.UpdateItemInput{TableName: things, Key: key("b"), AttributeUpdates: changes{"v": {Value: n(1)}}}))
	must(c.DeleteItem(t.Context(), &awsdynamodb.DeleteItemInput{TableName: things, Key: key("b")}))
	must(c.DeleteItem(t.Context(), &awsdynamodb.DeleteItemInput{TableName: things, Key: key("b")})) // Nothing is there.
	must(c.BatchWriteItem(t.Context(), &awsdynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"things": {
		{PutRequest: &types.PutRequest{Item: item{"id": s("c"), "v": n(1)}}}, {DeleteRequest: &types.DeleteRequest{Key: key("a")}}}}}))
	must(c.TransactWriteItems(t.Context(), &awsdynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: things, Item: item{"id": s("d"), "v": n(1)}}},
		{ConditionCheck: &types.ConditionCheck{TableName: things, Key: key("x"), ConditionExpression: aws.String("attribute_not_exists(id)")}},
		{Delete: &types.Delete{TableName: things, Key: key("c")}}}}))
	_, err := c.TransactWriteItems(t.Context(), &awsdynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: things, Item: item{"id": s("e")}}},
		{ConditionCheck: &types.ConditionCheck{TableName: things, Key: key("x"), ConditionExpression: aws.String("attribute_exists(id)")}}}})
	refused(t, err, "TransactionCanceledException", "")
	rows(t, c, `INSERT INTO things VALUE {'id': 'f', 'v': 1}`)
	rows(t, c, `UPDATE things SET v = 2 WHERE id = 'f'`)
	rows(t, c, `DELETE FROM things WHERE id = 'f'`)
	records := recordsOf(t, m.streams(t, account, "reader", allowAll), arn)
	if diff := cmp.Diff([]string{
		"INSERT a: - > a=1", "MODIFY a: a=1 > a=2", "MODIFY a: a=2 > a=3", "INSERT b: - > b=1", "REMOVE b: b=1 > -", "INSERT c: - > c=1", "REMOVE a: a=3 > -",
		"INSERT d: - > d=1", "REMOVE c: c=1 > -", "INSERT f: - > f=1", "MODIFY f: f=1 > f=2", "REMOVE f: f=2 > -",
	}, told(records)); diff != "" {
		t.Errorf("the stream tells (-want +got)\n%s", diff)
	}
	ids := map[string]bool{}
	for i, r := range records {
		ids[aws.ToString(r.EventID)] = true
		if i > 0 && aws.ToString(r.Dynamodb.SequenceNumber) <= aws.ToString(records[i-1].Dynamodb.SequenceNumber) {
			t.Errorf("sequence number %s after %s", *r.Dynamodb.SequenceNumber, *records[i-1].Dynamodb.SequenceNumber)
		}
		if aws.ToString(r.EventSource) != "aws:dynamodb" || aws.ToString(r.AwsRegion) != "eu-west-1" || r.Dynamodb.StreamViewType != streamtypes.StreamViewTypeNewAndOldImages ||
			!aws.ToTime(r.Dynamodb.ApproximateCreationDateTime).Equal(m.now) || aws.ToInt64(r.Dynamodb.SizeBytes) == 0 {
			t.Errorf("record %+v", r)
		}
	}
	if len(ids) != len(records) {
		t.Errorf("%d identifiers of %d records", len(ids), len(records))
	}
}

func TestStreamsShowWhatTheirViewIs(t *testing.T) {
	t.Parallel()
	for view, want := range map[types.StreamViewType][]string{
		types.StreamViewTypeKeysOnly:        {"INSERT a: - > -", "MODIFY a: - > -", "REMOVE a: - > -"},
		types.StreamViewTypeNewImage:        {"INSERT a: - > a=1", "MODIFY a: - > a=2", "REMOVE a: - > -"},
		types.StreamViewTypeOldImage:        {"INSERT a: - > -", "MODIFY a: a=1 > -", "REMOVE a: a=2 > -"},
		types.StreamViewTypeNewAndOldImages: {"INSERT a: - > a=1", "MODIFY a: a=1 > a=2", "REMOVE a: a=2 > -"},
	} {
		m := newMesh(t)
		c := m.admin(t)
		arn := streamedTable(t, c, view)
		putThing(t, c, item{"id": s("a"), "v": n(1)})
		putThing(t, c, item{"id": s("a"), "v": n(2)})
		if _, err := c.DeleteItem(t.Context(), &awsdynamodb.DeleteItemInput{TableName: aws.String("things"), Key: item{"id": s("a")}}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, told(recordsOf(t, m.streams(t, account, "reader", allowAll), arn))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", view, diff)
		}
	}
}

func TestStreamIterators(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	c := m.admin(t)
	r := m.streams(t, account, "reader", allowAll)
	arn := streamedTable(t, c, types.StreamViewTypeNewImage)
	latest, err := iteratorOf(t, r, arn, streamtypes.ShardIteratorTypeLatest, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		putThing(t, c, item{"id": s("a"), "v": n(i)})
	}
	all := recordsOf(t, r, arn)
	read := func(iterator *string) []string {
		t.Helper()
		out, err := r.GetRecords(t.Context(), &awsstreams.GetRecordsInput{ShardIterator: iterator})
		if err != nil {
			t.Fatal(err)
		}
		return told(out.Records)
	}
	at, err := iteratorOf(t, r, arn, streamtypes.ShardIteratorTypeAtSequenceNumber, all[2].Dynamodb.SequenceNumber)
	if err != nil {
		t.Fatal(err)
	}
	after, err := iteratorOf(t, r, arn, streamtypes.ShardIteratorTypeAfterSequenceNumber, all[2].Dynamodb.SequenceNumber)
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		iterator *string
		want     []string
	}{"latest": {latest, told(all)}, "at": {at, told(all[2:])}, "after": {after, told(all[3:])}} {
		if diff := cmp.Diff(test.want, read(test.iterator)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	for _, sequence := range []string{"100000000000000000006", "100000000000000000000", "17", "x"} {
		_, err := iteratorOf(t, r, arn, streamtypes.ShardIteratorTypeAtSequenceNumber, &sequence)
		refused(t, err, validation, "")
	}
	_, err = iteratorOf(t, r, arn, streamtypes.ShardIteratorTypeAtSequenceNumber, nil)
	refused(t, err, validation, "")
	_, err = r.GetShardIterator(t.Context(), &awsstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: aws.String("shardId-00000000000000000000-00000000"), ShardIteratorType: streamtypes.ShardIteratorTypeLatest})
	refused(t, err, notFound, "Requested resource not found: Shard does not exist")
	for _, token := range []string{"x", arn + "|1|x", strings.Replace(*latest, "things", "other", 1), (*latest)[:len(*latest)-3]} {
		_, err = r.GetRecords(t.Context(), &awsstreams.GetRecordsInput{ShardIterator: &token})
		refused(t, err, validation, "Invalid ShardIterator.")
	}
	// An iterator lives for a quarter of an hour, a record for a day.
	m.now = m.now.Add(15 * time.Minute)
	_, err = r.GetRecords(t.Context(), &awsstreams.GetRecordsInput{ShardIterator: latest})
	refused(t, err, "ExpiredIteratorException", "")
	m.now = m.now.Add(24*time.Hour - 10*time.Minute)
	old, err := iteratorOf(t, r, arn, streamtypes.ShardIteratorTypeTrimHorizon, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(old); len(got) != 0 {
		t.Errorf("after a day there is %v", got)
	}
	_, err = iteratorOf(t, r, arn, streamtypes.ShardIteratorTypeAtSequenceNumber, all[2].Dynamodb.SequenceNumber)
	refused(t, err, "TrimmedDataAccessException", "")
	putThing(t, c, item{"id": s("a"), "v": n(9)})
	if diff := cmp.Diff([]string{"MODIFY a: - > a=9"}, told(recordsOf(t, r, arn))); diff != "" {
		t.Errorf("after a day (-want +got)\n%s", diff)
	}
}

// A table of its own begins to have a stream with an update, as the table of the
// subscriptions can, and has another one each time.
func TestStreamsAreEnabledAndDisabled(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	c := m.admin(t)
	r := m.streams(t, account, "reader", allowAll)
	keyed(t, c)
	putThing(t, c, item{"id": s("before"), "v": n(0)})
	things := aws.String("things")
	set := func(on bool) (*awsdynamodb.UpdateTableOutput, error) {
		spec := &types.StreamSpecification{StreamEnabled: &on}
		if on {
			spec.StreamViewType = types.StreamViewTypeNewAndOldImages
		}
		return c.UpdateTable(t.Context(), &awsdynamodb.UpdateTableInput{TableName: things, StreamSpecification: spec})
	}
	var arns []string
	for i := range 2 {
		out, err := set(true)
		if err != nil {
			t.Fatal(err)
		}
		arns = append(arns, aws.ToString(out.TableDescription.LatestStreamArn))
		if _, err := set(true); err == nil {
			t.Error("a second stream is enabled")
		}
		putThing(t, c, item{"id": s("a"), "v": n(i)})
		if _, err := set(false); err != nil {
			t.Fatal(err)
		}
		putThing(t, c, item{"id": s("unseen"), "v": n(i)})
	}
	listed, err := r.ListStreams(t.Context(), &awsstreams.ListStreamsInput{TableName: things, Limit: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	more, err := r.ListStreams(t.Context(), &awsstreams.ListStreamsInput{TableName: things, ExclusiveStartStreamArn: listed.LastEvaluatedStreamArn})
	if err != nil {
		t.Fatal(err)
	}
	if len(listed.Streams) != 1 || len(more.Streams) != 1 || aws.ToString(listed.Streams[0].StreamArn) != arns[0] || aws.ToString(more.Streams[0].StreamArn) != arns[1] {
		t.Errorf("listed %v and %v, want %v", listed.Streams, more.Streams, arns)
	}
	for i, want := range [][]string{{"INSERT a: - > a=0"}, {"MODIFY a: a=0 > a=1"}} {
		if diff := cmp.Diff(want, told(recordsOf(t, r, arns[i]))); diff != "" {
			t.Errorf("stream %d (-want +got)\n%s", i, diff)
		}
		d, err := r.DescribeStream(t.Context(), &awsstreams.DescribeStreamInput{StreamArn: &arns[i]})
		if err != nil {
			t.Fatal(err)
		}
		if d.StreamDescription.StreamStatus != streamtypes.StreamStatusDisabled || d.StreamDescription.Shards[0].SequenceNumberRange.EndingSequenceNumber == nil {
			t.Errorf("stream %d is %+v", i, d.StreamDescription)
		}
	}
	// The streams outlive the table, for a day.
	if _, err := c.DeleteTable(t.Context(), &awsdynamodb.DeleteTableInput{TableName: things}); err != nil {
		t.Fatal(err)
	}
	if got := told(recordsOf(t, r, arns[0])); len(got) != 1 {
		t.Errorf("the stream of a deleted table tells %v", got)
	}
	m.now = m.now.Add(24 * time.Hour)
	_, err = r.DescribeStream(t.Context(), &awsstreams.DescribeStreamInput{StreamArn: &arns[0]})
	refused(t, err, notFound, "Requested resource not found: Stream: "+arns[0]+" not found")
	if listed, err = r.ListStreams(t.Context(), &awsstreams.ListStreamsInput{}); err != nil || len(listed.Streams) != 0 {
		t.Errorf("after a day: %v %v", listed, err)
	}
}

func TestStreamsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() (*mesh, store.Store) {
		s, err := store.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return unclosed(s), s
	}
	m, s1 := open()
	arn := streamedTable(t, m.admin(t), types.StreamViewTypeNewImage)
	putThing(t, m.admin(t), item{"id": s("a"), "v": n(1)})
	r := m.streams(t, account, "reader", allowAll)
	next, err := iteratorOf(t, r, arn, streamtypes.ShardIteratorTypeLatest, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s1.Close(); err != nil {
		t.Fatal(err)
	}
	m, s2 := open()
	defer func() {
		if err := s2.Close(); err != nil {
			t.Error(err)
		}
	}()
	putThing(t, m.admin(t), item{"id": s("a"), "v": n(2)})
	r = m.streams(t, account, "reader", allowAll)
	if diff := cmp.Diff([]string{"INSERT a: - > a=1", "MODIFY a: - > a=2"}, told(recordsOf(t, r, arn))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	out, err := r.GetRecords(t.Context(), &awsstreams.GetRecordsInput{ShardIterator: next})
	if err != nil || len(out.Records) != 1 {
		t.Errorf("an iterator of before reads %v: %v", out, err)
	}
}

func TestStreamsAskIAM(t *testing.T) {
	t.Parallel()
	m := newMesh(t)
	c := m.admin(t)
	arn := streamedTable(t, c, types.StreamViewTypeNewImage)
	putThing(t, c, item{"id": s("a"), "v": n(1)})
	admin := m.streams(t, account, "reader", allowAll)
	iterator, err := iteratorOf(t, admin, arn, streamtypes.ShardIteratorTypeTrimHorizon, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := admin.DescribeStream(t.Context(), &awsstreams.DescribeStreamInput{StreamArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]func(*awsstreams.Client) error{
		"ListStreams": func(r *awsstreams.Client) error {
			_, err := r.ListStreams(t.Context(), &awsstreams.ListStreamsInput{})
			return err
		},
		"DescribeStream": func(r *awsstreams.Client) error {
			_, err := r.DescribeStream(t.Context(), &awsstreams.DescribeStreamInput{StreamArn: &arn})
			return err
		},
		"GetShardIterator": func(r *awsstreams.Client) error {
			_, err := r.GetShardIterator(t.Context(), &awsstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: d.StreamDescription.Shards[0].ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeLatest})
			return err
		},
		"GetRecords": func(r *awsstreams.Client) error {
			_, err := r.GetRecords(t.Context(), &awsstreams.GetRecordsInput{ShardIterator: iterator})
			return err
		},
	}
	i := 0
	for _, allowed := range []string{"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"} {
		for resource, right := range map[string]bool{"arn:aws:dynamodb:eu-west-1:111111111111:table/things/stream/*": allowed != "ListStreams", "*": true, "arn:aws:dynamodb:eu-west-1:111111111111:table/things": false} {
			i++
			r := m.streams(t, account, fmt.Sprint("u", i), fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:%s","Resource":%q}]}`, allowed, resource))
			for name, call := range calls {
				err := call(r)
				if name == allowed && right && err != nil {
					t.Errorf("%s with %s on %s: %v", name, allowed, resource, err)
				}
				if name != allowed || !right {
					refused(t, err, denied, "")
				}
			}
		}
	}
	// Another account's streams are closed, whatever its own policies say.
	other := m.streams(t, "222222222222", "other", allowAll)
	for name, call := range calls {
		err := call(other)
		if name == "ListStreams" {
			continue
		}
		refused(t, err, denied, "")
	}
}
