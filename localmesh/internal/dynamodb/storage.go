package dynamodb

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Items are stored under the table's prefix, the hash of the partition key, the
// partition key and the sort key, so that a query reads one range and the
// segments of a parallel scan are ranges too. The entries of an index are laid
// out likewise under the index's key, followed by the primary key, and hold the
// primary key: an index query is a range of entries and a look-up for each.
//
// The encoding of keys is order-preserving, and each key is preceded by its
// type, so that no key begins with a byte 0xff.
const (
	itemsBucket   = "dynamodb.item"
	entriesBucket = "dynamodb.entry"

	// entrySeparator stands between the index's key and the primary key of an entry.
	entrySeparator = "K"
)

// usages are the sizes of tables and indexes, by account, region and table.
var usages = store.Table[map[string]usage]{Bucket: "dynamodb.usage"}

// usage is how much a table (under the empty name) or one of its indexes holds.
type usage struct{ Items, Bytes int64 }

func (t *table) itemPrefix() string {
	return store.Key(t.Account, t.Region, t.Name) + store.Separator
}

func (t *table) entryPrefix(x *index) string {
	return store.Key(t.Account, t.Region, t.Name, x.Name) + store.Separator
}

// hashSpace is the number of hashes of partition keys.
const hashSpace = 1 << 32

func appendHash(dst, partition []byte) []byte {
	h := fnv.New64a()
	// A hash takes every byte.
	_, _ = h.Write(partition)
	sum := h.Sum64()
	return binary.BigEndian.AppendUint32(dst, uint32(sum^sum>>32))
}

func keyValue(v value.Value) []byte {
	return v.AppendKey([]byte(v.Type()))
}

// partitionKey encodes a partition key, with its hash before it.
func partitionKey(v value.Value, more ...value.Value) string {
	encoded := keyValue(v)
	for _, further := range more {
		encoded = append(encoded, keyValue(further)...)
	}
	return string(append(appendHash(nil, encoded), encoded...))
}

// encode encodes the key of an item that has its attributes.
func (s keySchema) encode(item value.Item) string {
	var more []value.Value
	for _, name := range s.morePartitions {
		more = append(more, item[name])
	}
	key := partitionKey(item[s.partition], more...)
	if s.sort != "" {
		key += string(keyValue(item[s.sort]))
	}
	for _, name := range s.moreSorts {
		key += string(keyValue(item[name]))
	}
	return key
}

// entry encodes the key of an item's entry in an index; it says false when the
// item is not in the index because it lacks a key attribute.
func (t *table) entry(x *index, item value.Item) (string, bool) {
	if item == nil {
		return "", false
	}
	s := t.schema(x.Keys)
	for _, name := range s.attributes() {
		if _, ok := item[name]; !ok {
			return "", false
		}
	}
	return s.encode(item) + entrySeparator + t.key().encode(item), true
}

// get reads the item with the encoded primary key; a nil item does not exist.
func (t *table) get(tx store.Tx, key string) (value.Item, error) {
	data, ok := tx.Get(itemsBucket, t.itemPrefix()+key)
	if !ok {
		return nil, nil
	}
	return decodeItem(data)
}

func decodeItem(data []byte) (value.Item, error) {
	var item value.Item
	if err := item.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("stored item: %w", err)
	}
	return item, nil
}

// contents names what a table holds for those who learn of changes later.
func (t *table) contents() string {
	return "table " + t.Account + " " + t.Region + " " + t.Name
}

// written is what a write replaced, and in which of the tables that had the name.
type written struct {
	tableID string
	was     []store.Was
}

// view is what a read meets: the contents as they are, or for one that is only
// eventually consistent, as they were before the last writes that the caller's
// reads do not know of yet. from names the index, or is empty; a table and its
// indexes learn of a write at different moments
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html).
func (t *table) view(c *engine.Call, from string, consistent bool) store.Tx {
	if consistent {
		return c.Tx
	}
	var was []store.Was
	for _, before := range c.MissedBy(t.contents(), from) {
		if w, ok := before.(written); ok && w.tableID == t.ID {
			was = append(was, w.was...)
		}
	}
	if len(was) == 0 {
		return c.Tx
	}
	return store.Rewind(c.Tx, was)
}

// change is what became of an item: from old to new, of which nil is no item.
type change struct {
	old, new value.Item
	// expired marks what DynamoDB removes by itself.
	expired bool
}

// put stores a change, with the entries in the indexes.
func (t *table) put(tx store.Tx, key string, ch change) error {
	used, _, err := usages.Get(tx, t.Account, t.Region, t.Name)
	if err != nil {
		return err
	}
	if used == nil {
		used = map[string]usage{}
	}
	if ch.new == nil {
		err = tx.Delete(itemsBucket, t.itemPrefix()+key)
	} else {
		err = tx.Put(itemsBucket, t.itemPrefix()+key, ch.new.AppendJSON(nil))
	}
	if err != nil {
		return err
	}
	used[""] = used[""].after(ch)
	for i := range t.Indexes {
		x := &t.Indexes[i]
		before, after, err := t.putEntry(tx, x, key, ch)
		if err != nil {
			return err
		}
		used[x.Name] = used[x.Name].after(change{old: before, new: after})
	}
	return usages.Put(tx, used, t.Account, t.Region, t.Name)
}

// putEntry moves the item's entry in an index, and gives what the index carried
// of the item before and carries after.
func (t *table) putEntry(tx store.Tx, x *index, key string, ch change) (before, after value.Item, err error) {
	oldEntry, was := t.entry(x, ch.old)
	newEntry, is := t.entry(x, ch.new)
	if was {
		before = t.project(x, ch.old)
	}
	if is {
		after = t.project(x, ch.new)
	}
	if was && is && oldEntry == newEntry {
		return before, after, nil
	}
	prefix := t.entryPrefix(x)
	if was {
		if err := tx.Delete(entriesBucket, prefix+oldEntry); err != nil {
			return nil, nil, err
		}
	}
	if is {
		if err := tx.Put(entriesBucket, prefix+newEntry, []byte(key)); err != nil {
			return nil, nil, err
		}
	}
	return before, after, nil
}

func (u usage) after(ch change) usage {
	if ch.old != nil {
		u.Items--
		u.Bytes -= int64(ch.old.Size())
	}
	if ch.new != nil {
		u.Items++
		u.Bytes += int64(ch.new.Size())
	}
	return u
}

// fill makes the entries of a new index.
func (t *table) fill(tx store.Tx, x *index) error {
	used, _, err := usages.Get(tx, t.Account, t.Region, t.Name)
	if err != nil || used == nil {
		return err
	}
	prefix := t.itemPrefix()
	tx.Scan(itemsBucket, prefix, "", func(key string, data []byte) bool {
		var item value.Item
		if item, err = decodeItem(data); err != nil {
			return false
		}
		if t.checkIndexKey(x, item) != nil {
			// An item whose attribute has another type stays out of the new index.
			return true
		}
		_, after, putErr := t.putEntry(tx, x, key[len(prefix):], change{new: item})
		used[x.Name] = used[x.Name].after(change{new: after})
		err = putErr
		return err == nil
	})
	if err != nil {
		return err
	}
	return usages.Put(tx, used, t.Account, t.Region, t.Name)
}

// clear removes the entries of an index.
func (t *table) clear(tx store.Tx, x *index) error {
	if err := deletePrefix(tx, entriesBucket, t.entryPrefix(x)); err != nil {
		return err
	}
	used, ok, err := usages.Get(tx, t.Account, t.Region, t.Name)
	if err != nil || !ok {
		return err
	}
	delete(used, x.Name)
	return usages.Put(tx, used, t.Account, t.Region, t.Name)
}

// drop removes the table with everything in it.
func (t *table) drop(tx store.Tx) error {
	for i := range t.Indexes {
		if err := deletePrefix(tx, entriesBucket, t.entryPrefix(&t.Indexes[i])); err != nil {
			return err
		}
	}
	if err := deletePrefix(tx, itemsBucket, t.itemPrefix()); err != nil {
		return err
	}
	if err := usages.Delete(tx, t.Account, t.Region, t.Name); err != nil {
		return err
	}
	return tables.Delete(tx, t.Account, t.Region, t.Name)
}

func deletePrefix(tx store.Tx, bucket, prefix string) error {
	var err error
	tx.Scan(bucket, prefix, "", func(key string, _ []byte) bool {
		err = tx.Delete(bucket, key)
		return err == nil
	})
	return err
}
