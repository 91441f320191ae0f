// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html

package dynamodb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// expiringBucket holds a key for each item that has a time to live: when it is removed,
// the table with its ID, and the item's encoded key. The next one to go is the first.
const expiringBucket = "dynamodb.expiring"

const (
	// removedAfter is how long after its time an item is still there and seen by every
	// read. DynamoDB removes it "within a few days".
	removedAfter = 48 * time.Hour
	// tooLongAgo is how far back a time counts: DynamoDB leaves items alone whose time
	// was more than five years ago, as it is likely a mistake.
	tooLongAgo = 5
	// removedAtOnce is how many items are removed in one transaction.
	removedAtOnce = 100
)

// expiry is when the item is removed; ok is false if it never is.
func (t *table) expiry(item value.Item, now time.Time) (at time.Time, ok bool) {
	v, ok := item[t.TTL]
	if t.TTL == "" || !ok || v.Type() != value.Numeric {
		return at, false
	}
	// Seconds since 1970. What has a fraction or is beyond all calendars is no time.
	seconds, err := strconv.ParseInt(v.Number().String(), 10, 48)
	if err != nil || seconds < 0 {
		return at, false
	}
	expired := time.Unix(seconds, 0)
	return expired.Add(removedAfter), !expired.Before(now.AddDate(-tooLongAgo, 0, 0))
}

// expiringKey is the key in expiringBucket. An item's encoded key is of any bytes, so
// that it comes last.
func (t *table) expiringKey(at time.Time, encoded string) string {
	return store.Key(fmt.Sprintf("%020d", at.UnixNano()), t.Account, t.Region, t.Name, t.ID, encoded)
}

// expires notes when the item that a write makes is to be removed, in place of the one
// that it had before.
func (t *table) expires(c *engine.Call, encoded string, ch change) error {
	before, was := t.expiry(ch.old, c.Now)
	after, is := t.expiry(ch.new, c.Now)
	if was && (!is || !before.Equal(after)) {
		if err := c.Tx.Delete(expiringBucket, t.expiringKey(before, encoded)); err != nil {
			return err
		}
	}
	if !is {
		return nil
	}
	return c.Tx.Put(expiringBucket, t.expiringKey(after, encoded), nil)
}

// expireAll notes for all items of the table when they are to be removed.
func (t *table) expireAll(c *engine.Call) error {
	var err error
	prefix := t.itemPrefix()
	c.Tx.Scan(itemsBucket, prefix, "", func(key string, data []byte) bool {
		var item value.Item
		if item, err = decodeItem(data); err == nil {
			err = t.expires(c, key[len(prefix):], change{new: item})
		}
		return err == nil
	})
	return err
}

// nextExpiry is when the next item is to be removed.
func nextExpiry(tx store.Tx) (at time.Time, ok bool, err error) {
	tx.Scan(expiringBucket, "", "", func(key string, _ []byte) bool {
		text, _, _ := strings.Cut(key, store.Separator)
		var nanos int64
		if nanos, err = strconv.ParseInt(text, 10, 64); err == nil {
			at, ok = time.Unix(0, nanos), true
		}
		return false
	})
	return at, ok, err
}

// removeExpired removes the items whose time has come, some at a time.
func removeExpired(ctx context.Context, m *engine.Mesh) error {
	return m.Act(ctx, "dynamodb", "", func(c *engine.Call) error {
		now := fmt.Sprintf("%020d", c.Now.UnixNano())
		var due []string
		c.Tx.Scan(expiringBucket, "", "", func(key string, _ []byte) bool {
			if at, _, _ := strings.Cut(key, store.Separator); at > now || len(due) == removedAtOnce {
				return false
			}
			due = append(due, key)
			return true
		})
		for _, key := range due {
			if err := removeIfExpired(c, key); err != nil {
				return err
			}
		}
		return nil
	})
}

// removeIfExpired removes the item of a key in expiringBucket, unless the table or its
// setting is not the one any more for which the key was made.
func removeIfExpired(c *engine.Call, key string) error {
	if err := c.Tx.Delete(expiringBucket, key); err != nil {
		return err
	}
	parts := strings.SplitN(key, store.Separator, 6)
	if len(parts) != 6 {
		return fmt.Errorf("the key %q is of no item that expires", key)
	}
	account, region, name, id, encoded := parts[1], parts[2], parts[3], parts[4], parts[5]
	t, err := tableRef{account, region, name}.find(c)
	if err != nil || t == nil || t.ID != id || t.TTL == "" {
		return err
	}
	item, err := t.get(c.Tx, encoded)
	if err != nil || item == nil {
		return err
	}
	// The five years are counted when the item is written: nobody waits that long.
	if at, ok := t.expiry(item, time.Unix(0, 0)); !ok || t.expiringKey(at, encoded) != key {
		return nil
	}
	w := &write{action: deleteItem, table: t, encoded: encoded}
	return w.store(c, change{old: item, expired: true})
}
