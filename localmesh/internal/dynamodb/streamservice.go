// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html

package dynamodb

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

const streamDocs = docs + "streams_"

// Streams returns DynamoDB Streams, a service of its own that signs as DynamoDB.
func Streams() engine.Service {
	return engine.Service{
		Name: "dynamodbstreams", Signing: "dynamodb", Target: "DynamoDBStreams_20120810", Title: "Amazon DynamoDB Streams",
		Protocol: wire.AWSJSON10, Naming: streamNaming,
		DeniedCode: "AccessDeniedException", DeniedStatus: 400, ThrottleCode: "ThrottlingException", ThrottleStatus: 400,
		Operations: []engine.Operation{
			engine.Op("ListStreams", engine.Read, streamDocs+"ListStreams.html", "IAM; the caller's account and region, or one table, in pages.", listStreams),
			engine.Op("DescribeStream", engine.Read, streamDocs+"DescribeStream.html",
				"IAM on the stream; one shard, open until the stream is disabled; gone a day after that.", describeStream),
			engine.Op("GetShardIterator", engine.Read, streamDocs+"GetShardIterator.html",
				"IAM on the stream; all types, sequence numbers that were trimmed.", getShardIterator),
			engine.Op("GetRecords", engine.Read, streamDocs+"GetRecords.html",
				"IAM on the stream; every write in order, images by view type; 1000 records or 1 MB, a day of retention, iterators of 15 minutes.", getRecords),
		},
	}
}

// streamNaming names the members of records, which alone begin in lower case.
func streamNaming(structName, fieldName string) string {
	if structName == "recordOutput" {
		return wire.LowerFirst(structName, fieldName)
	}
	return fieldName
}

// Limits of streams.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
const (
	maxStreamsListed = 100
	maxRecords       = 1000
	maxRecordBytes   = 1 << 20
	iteratorLife     = 15 * time.Minute
)

// openReadable asks IAM whether the caller may do the action on the stream, and gives it.
func openReadable(c *engine.Call, action, arn string) (*stream, error) {
	ref, label, err := referStream(c, arn)
	if err != nil {
		return nil, err
	}
	if err := c.Authorize(authz.Question{
		Action: "dynamodb:" + action, Resources: []string{ref.arn("/stream/" + label)}, ResourceAccount: ref.account,
	}); err != nil {
		return nil, err
	}
	s, err := findStream(c, ref, label)
	if err == nil && s == nil {
		err = engine.Errorf(notFound, "Requested resource not found: Stream: %s not found", arn)
	}
	return s, err
}

func checkLimit(limit *int, most int) (int, error) {
	switch {
	case limit == nil:
		return most, nil
	case *limit < 1:
		return 0, broken(quoted(strconv.Itoa(*limit)), "limit", "Member must have value greater than or equal to 1")
	case *limit > most:
		return 0, broken(quoted(strconv.Itoa(*limit)), "limit", "Member must have value less than or equal to "+strconv.Itoa(most))
	}
	return *limit, nil
}

type listStreamsInput struct {
	TableName               *string
	Limit                   *int
	ExclusiveStartStreamArn string
}

type streamSummary struct {
	StreamArn, StreamLabel, TableName string
}

type listStreamsOutput struct {
	Streams                []streamSummary
	LastEvaluatedStreamArn *string
}

func listStreams(c *engine.Call, in *listStreamsInput) (*listStreamsOutput, error) {
	limit, err := checkLimit(in.Limit, maxStreamsListed)
	if err != nil {
		return nil, err
	}
	under := []string{c.Account(), c.Region}
	if in.TableName != nil {
		ref, err := refer(c, in.TableName)
		if err != nil {
			return nil, err
		}
		under = []string{ref.account, ref.region, ref.name}
		if ref.account != c.Account() {
			return nil, invalid("The table is of another account: %s", *in.TableName)
		}
	}
	if err := c.Allow("dynamodb:ListStreams"); err != nil {
		return nil, err
	}
	out := &listStreamsOutput{Streams: []streamSummary{}}
	started := in.ExclusiveStartStreamArn == ""
	err = streams.Scan(c.Tx, under, "", func(_ string, s stream) bool {
		switch {
		case s.gone(c.Now):
			return true
		case !started:
			started = s.arn() == in.ExclusiveStartStreamArn
			return true
		case len(out.Streams) == limit:
			out.LastEvaluatedStreamArn = &out.Streams[limit-1].StreamArn
			return false
		}
		out.Streams = append(out.Streams, streamSummary{s.arn(), s.Label, s.Table})
		return true
	})
	return out, err
}

type describeStreamInput struct {
	StreamArn, ExclusiveStartShardId string
	Limit                            *int
	ShardFilter                      *struct {
		Type    enum
		ShardId string
	}
}

type sequenceRange struct {
	StartingSequenceNumber, EndingSequenceNumber *string
}

type shardOutput struct {
	ShardId             string
	SequenceNumberRange sequenceRange
}

type streamDescription struct {
	StreamArn, StreamLabel       string
	StreamStatus, StreamViewType enum
	CreationRequestDateTime      time.Time
	TableName                    string
	KeySchema                    []keyElement
	Shards                       []shardOutput
}

type describeStreamOutput struct {
	StreamDescription streamDescription
}

func describeStream(c *engine.Call, in *describeStreamInput) (*describeStreamOutput, error) {
	if _, err := checkLimit(in.Limit, maxStreamsListed); err != nil {
		return nil, err
	}
	s, err := openReadable(c, "DescribeStream", in.StreamArn)
	if err != nil {
		return nil, err
	}
	d := streamDescription{
		StreamArn: s.arn(), StreamLabel: s.Label, StreamStatus: "ENABLED", StreamViewType: s.View, CreationRequestDateTime: s.Created,
		TableName: s.Table, KeySchema: s.Keys, Shards: []shardOutput{},
	}
	shard := shardOutput{ShardId: s.shard()}
	// The range begins with the stream, whatever was trimmed of it.
	first := sequenceNumber(1)
	shard.SequenceNumberRange.StartingSequenceNumber = &first
	if !s.Closed.IsZero() {
		last := sequenceNumber(max(s.Last, 1))
		d.StreamStatus, shard.SequenceNumberRange.EndingSequenceNumber = "DISABLED", &last
	}
	// The one shard has no children.
	if in.ExclusiveStartShardId != shard.ShardId && in.ShardFilter == nil {
		d.Shards = append(d.Shards, shard)
	}
	return &describeStreamOutput{d}, nil
}

type getShardIteratorInput struct {
	StreamArn, ShardId string
	ShardIteratorType  enum
	SequenceNumber     *string
}

type getShardIteratorOutput struct {
	ShardIterator *string
}

// iterator is where a reader of a stream is.
type iterator struct {
	ARN  string
	Next uint64
	Made time.Time
}

// token hides the iterator. It begins with the stream's ARN, as AWS's does.
func (i iterator) token() (*string, error) {
	data, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	token := i.ARN + "|1|" + *engine.NextToken(string(data))
	return &token, nil
}

func parseIterator(token string) (iterator, error) {
	var i iterator
	arn, hidden, ok := strings.Cut(token, "|1|")
	if !ok || hidden == "" {
		return i, invalid("Invalid ShardIterator.")
	}
	text, err := engine.FromToken(&hidden)
	if err != nil || json.Unmarshal([]byte(text), &i) != nil || i.ARN != arn {
		return i, invalid("Invalid ShardIterator.")
	}
	return i, nil
}

const trimmed = "The operation attempted to read past the oldest stream record in a shard"

func getShardIterator(c *engine.Call, in *getShardIteratorInput) (*getShardIteratorOutput, error) {
	const sequence, after = "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"
	switch {
	case in.ShardIteratorType == "":
		return nil, broken("null", "shardIteratorType", "Member must not be null")
	case in.ShardId == "":
		return nil, broken("null", "shardId", "Member must not be null")
	}
	if err := in.ShardIteratorType.oneOf("shardIteratorType", "[AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]",
		after, "LATEST", sequence, "TRIM_HORIZON"); err != nil {
		return nil, err
	}
	bySequence := slices.Contains([]enum{sequence, after}, in.ShardIteratorType)
	switch {
	case bySequence && in.SequenceNumber == nil:
		return nil, invalid("The SequenceNumber parameter is required when the ShardIteratorType is %s", in.ShardIteratorType)
	case !bySequence && in.SequenceNumber != nil:
		return nil, invalid("The SequenceNumber parameter must not be given when the ShardIteratorType is %s", in.ShardIteratorType)
	}
	s, err := openReadable(c, "GetShardIterator", in.StreamArn)
	if err != nil {
		return nil, err
	}
	if in.ShardId != s.shard() {
		return nil, engine.Errorf(notFound, "Requested resource not found: Shard does not exist")
	}
	i := iterator{ARN: s.arn(), Made: c.Now}
	switch in.ShardIteratorType {
	case "TRIM_HORIZON":
		i.Next = s.first(c)
	case "LATEST":
		i.Next = s.Last + 1
	default:
		n, ok := parseSequence(*in.SequenceNumber)
		switch first := s.first(c); {
		case !ok || n < 1 || n > s.Last:
			return nil, invalid("Invalid SequenceNumber: %s is not of the shard", *in.SequenceNumber)
		case n < first:
			return nil, engine.Errorf("TrimmedDataAccessException", trimmed)
		}
		if i.Next = n; in.ShardIteratorType == after {
			i.Next++
		}
	}
	token, err := i.token()
	return &getShardIteratorOutput{token}, err
}

type getRecordsInput struct {
	ShardIterator string
	Limit         *int
}

type streamRecord struct {
	ApproximateCreationDateTime time.Time
	Keys, NewImage, OldImage    value.Item
	SequenceNumber              string
	SizeBytes                   int
	StreamViewType              enum
}

type recordOutput struct {
	EventID, EventName, EventVersion, EventSource, AwsRegion string
	Dynamodb                                                 streamRecord
	UserIdentity                                             *identity
}

// identity is who made a change that no caller made
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html).
type identity struct{ PrincipalId, Type string }

type getRecordsOutput struct {
	Records           []recordOutput
	NextShardIterator *string
}

func getRecords(c *engine.Call, in *getRecordsInput) (*getRecordsOutput, error) {
	limit, err := checkLimit(in.Limit, maxRecords)
	if err != nil {
		return nil, err
	}
	if in.ShardIterator == "" {
		return nil, broken("null", "shardIterator", "Member must not be null")
	}
	i, err := parseIterator(in.ShardIterator)
	if err != nil {
		return nil, err
	}
	s, err := openReadable(c, "GetRecords", i.ARN)
	if err != nil {
		return nil, err
	}
	if c.Now.Sub(i.Made) >= iteratorLife {
		return nil, engine.Errorf("ExpiredIteratorException", "Iterator expired. The iterator was created at time %s while right now it is %s",
			i.Made.Format(time.RFC3339), c.Now.Format(time.RFC3339))
	}
	if i.Next < s.first(c) {
		return nil, engine.Errorf("TrimmedDataAccessException", trimmed)
	}
	out := &getRecordsOutput{Records: []recordOutput{}}
	size := 0
	s.each(c, i.Next, func(n uint64, r *record) bool {
		if size += r.size(); len(out.Records) == limit || len(out.Records) > 0 && size > maxRecordBytes {
			return false
		}
		var by *identity
		if r.Expired {
			by = &identity{PrincipalId: "dynamodb.amazonaws.com", Type: "Service"}
		}
		out.Records = append(out.Records, recordOutput{
			UserIdentity: by,
			EventID:      r.ID, EventName: r.Event, EventVersion: "1.1", EventSource: "aws:dynamodb", AwsRegion: s.Region,
			Dynamodb: streamRecord{
				ApproximateCreationDateTime: r.At.Truncate(time.Second), Keys: r.Keys, NewImage: r.New, OldImage: r.Old,
				SequenceNumber: sequenceNumber(n), SizeBytes: r.size(), StreamViewType: s.View,
			},
		})
		i.Next = n + 1
		return true
	})
	if !s.Closed.IsZero() && i.Next > s.Last {
		// The shard is closed, and read to its end.
		return out, nil
	}
	i.Made = c.Now
	out.NextShardIterator, err = i.token()
	return out, err
}
