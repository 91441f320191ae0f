package dynamodb

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// A stream is one shard here, which is open until the stream is disabled: AWS closes
// shards after hours and splits them, which clients have to be ready for there. What
// was written is in the stream at once, in order, and is gone after a day.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html

// streams are the streams by account, region, table and label. recordsBucket holds
// their records, with the sequence number behind these.
var streams = store.Table[stream]{Bucket: "dynamodb.stream"}

const recordsBucket = "dynamodb.record"

// stream is the stream of a table, or one that it had.
type stream struct {
	Account, Region, Table, Label string
	View                          enum
	Keys                          []keyElement
	Created                       time.Time
	// Closed is when the stream was disabled, or zero.
	Closed time.Time
	// Last is the number of the last record, Trimmed of the last one that is gone.
	Last, Trimmed uint64
}

const (
	streamLabelPattern = "2006-01-02T15:04:05.000"
	// retention is how long a record can be read, and a stream that was disabled.
	retention = 24 * time.Hour
)

func (s *stream) ref() tableRef { return tableRef{s.Account, s.Region, s.Table} }

func (s *stream) arn() string { return s.ref().arn("/stream/" + s.Label) }

func (s *stream) save(tx store.Tx) error {
	return streams.Put(tx, *s, s.Account, s.Region, s.Table, s.Label)
}

func (s *stream) prefix() string {
	return store.Key(s.Account, s.Region, s.Table, s.Label) + store.Separator
}

// gone reports whether the stream was disabled so long ago that it is not there.
func (s *stream) gone(now time.Time) bool {
	return !s.Closed.IsZero() && now.Sub(s.Closed) >= retention
}

// shard is the identifier of the stream's one shard.
func (s *stream) shard() string {
	return fmt.Sprintf("shardId-%020d-%08x", s.Created.UnixMilli(), uint32(s.Created.UnixNano()))
}

// sequenceNumber prints a record's number as AWS does, so that the order of the
// texts is that of the numbers.
func sequenceNumber(n uint64) string { return fmt.Sprintf("1%020d", n) }

// parseSequence is the reverse of sequenceNumber.
func parseSequence(text string) (n uint64, ok bool) {
	if len(text) != 21 || text[0] != '1' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[1:], 10, 64)
	return n, err == nil && sequenceNumber(n) == text
}

// openStream gives the table a new stream.
func (t *table) openStream(c *engine.Call) error {
	now := c.Now
	for streams.Has(c.Tx, t.Account, t.Region, t.Name, now.Format(streamLabelPattern)) {
		// Labels of one table are distinct.
		now = now.Add(time.Millisecond)
	}
	t.StreamLabel = now.Format(streamLabelPattern)
	return (&stream{
		Account: t.Account, Region: t.Region, Table: t.Name, Label: t.StreamLabel, View: t.Stream.StreamViewType, Keys: t.Keys, Created: now,
	}).save(c.Tx)
}

// closeStream disables the table's stream, whose records stay for a day.
func (t *table) closeStream(c *engine.Call) error {
	s, ok, err := streams.Get(c.Tx, t.Account, t.Region, t.Name, t.StreamLabel)
	if err != nil || !ok {
		return err
	}
	s.Closed = c.Now
	return s.save(c.Tx)
}

// record is what a stream tells of a write. The images are as the view wants them.
type record struct {
	Event, ID string
	At        time.Time
	Keys      value.Item
	Old, New  value.Item `json:",omitempty"`
	// Expired marks what DynamoDB removed by itself.
	Expired bool `json:",omitempty"`
}

// streamed writes a change into the table's stream, if it has one. What changes
// nothing is not in it.
func (t *table) streamed(c *engine.Call, ch change) error {
	if t.Stream == nil || ch.old != nil && ch.new != nil && ch.old.Equal(ch.new) {
		return nil
	}
	s, ok, err := streams.Get(c.Tx, t.Account, t.Region, t.Name, t.StreamLabel)
	if err != nil {
		return err
	}
	if !ok {
		// A table of a folder from before streams had records.
		s = stream{Account: t.Account, Region: t.Region, Table: t.Name, Label: t.StreamLabel, View: t.Stream.StreamViewType, Keys: t.Keys, Created: c.Now}
	}
	r := record{Event: "MODIFY", ID: strings.ReplaceAll(c.Mesh.UUID(), "-", ""), At: c.Now, Keys: t.key().of(ch.old), Expired: ch.expired}
	switch {
	case ch.old == nil:
		r.Event, r.Keys = "INSERT", t.key().of(ch.new)
	case ch.new == nil:
		r.Event = "REMOVE"
	}
	if s.View == "OLD_IMAGE" || s.View == "NEW_AND_OLD_IMAGES" {
		r.Old = ch.old
	}
	if s.View == "NEW_IMAGE" || s.View == "NEW_AND_OLD_IMAGES" {
		r.New = ch.new
	}
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode a record of a stream: %w", err)
	}
	if err := s.trim(c); err != nil {
		return err
	}
	s.Last++
	if err := c.Tx.Put(recordsBucket, s.prefix()+sequenceNumber(s.Last), data); err != nil {
		return err
	}
	return s.save(c.Tx)
}

// trim removes the records that are too old.
func (s *stream) trim(c *engine.Call) error {
	var err error
	s.each(c, 0, func(n uint64, r *record) bool {
		if !r.old(c.Now) {
			return false
		}
		s.Trimmed = n
		err = c.Tx.Delete(recordsBucket, s.prefix()+sequenceNumber(n))
		return err == nil
	})
	return err
}

func (r *record) old(now time.Time) bool { return now.Sub(r.At) >= retention }

// each calls see for the records from the number on, until it says false.
func (s *stream) each(c *engine.Call, from uint64, see func(n uint64, r *record) bool) {
	prefix := s.prefix()
	c.Tx.Scan(recordsBucket, prefix, prefix+sequenceNumber(from), func(key string, data []byte) bool {
		n, ok := parseSequence(key[len(prefix):])
		var r record
		return ok && json.Unmarshal(data, &r) == nil && see(n, &r)
	})
}

// size is how much the record counts.
func (r *record) size() int { return r.Keys.Size() + r.Old.Size() + r.New.Size() }

// first is the number of the first record that can be read, or of the one to come.
func (s *stream) first(c *engine.Call) uint64 {
	first := s.Last + 1
	s.each(c, 0, func(n uint64, r *record) bool {
		if r.old(c.Now) {
			return true
		}
		first = n
		return false
	})
	return first
}

// findStream finds a stream that can be read by its ARN, or nil.
func findStream(c *engine.Call, ref tableRef, label string) (*stream, error) {
	s, ok, err := streams.Get(c.Tx, ref.account, ref.region, ref.name, label)
	if err != nil || !ok || s.gone(c.Now) {
		return nil, err
	}
	return &s, nil
}

// referStream reads a stream's ARN.
func referStream(c *engine.Call, arn string) (ref tableRef, label string, err error) {
	name, label, ok := strings.Cut(arn, "/stream/")
	if !ok || label == "" || !strings.HasPrefix(arn, "arn:") {
		return ref, "", invalid("Invalid StreamArn: %s", cmp.Or(arn, "null"))
	}
	ref, err = refer(c, &name)
	return ref, label, err
}
