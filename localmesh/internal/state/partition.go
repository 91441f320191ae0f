package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// The first byte of a packed partition; packedEmpty says that its parameters were
// given and are empty. What begins otherwise is JSON, as partitions were kept before.
const (
	packed      = 1
	packedEmpty = 2
)

var errPacked = errors.New("a packed partition is cut off")

// Pack implements store.Packer.
func (p *Partition) Pack(b []byte) []byte {
	first := byte(packed)
	if p.Parameters != nil && len(p.Parameters) == 0 {
		first = packedEmpty
	}
	b = append(b, first, byte(p.Place))
	b = appendText(b, p.Layout)
	b = appendText(b, p.Location)
	for _, n := range []int64{p.Created, p.LastAccess, p.LastAnalyzed} {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(p.Parameters)))
	for _, k := range slices.Sorted(maps.Keys(p.Parameters)) {
		b = appendText(appendText(b, k), p.Parameters[k])
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Unpack implements store.Packer.
func (p *Partition) Unpack(b []byte) error {
	if len(b) == 0 || b[0] != packed && b[0] != packedEmpty {
		type plain Partition
		return json.Unmarshal(b, (*plain)(p))
	}
	if len(b) < 2 {
		return errPacked
	}
	u := unpacker{rest: b[2:]}
	*p = Partition{Place: Place(b[1]), Layout: u.text(), Location: u.text(), Created: u.number(), LastAccess: u.number(), LastAnalyzed: u.number()}
	n := u.count()
	if n > 0 || b[0] == packedEmpty {
		p.Parameters = make(map[string]string, n)
	}
	for range n {
		k := u.text()
		p.Parameters[k] = u.text()
	}
	if u.failed || len(u.rest) > 0 {
		return errPacked
	}
	return nil
}

// unpacker reads what is packed, from left to right; at its end it hands out
// nothing, and tells so.
type unpacker struct {
	rest   []byte
	failed bool
}

func (u *unpacker) number() int64 {
	n, size := binary.Varint(u.rest)
	u.skip(size)
	return n
}

// count is a number that cannot be greater than the rest is long.
func (u *unpacker) count() int {
	n, size := binary.Uvarint(u.rest)
	u.skip(size)
	if n > uint64(len(u.rest)) {
		u.failed = true
		return 0
	}
	return int(n)
}

func (u *unpacker) text() string {
	n := u.count()
	s := string(u.rest[:n])
	u.rest = u.rest[n:]
	return s
}

// skip passes what a number took; no size says that there was none.
func (u *unpacker) skip(size int) {
	if size <= 0 {
		u.failed = true
		return
	}
	u.rest = u.rest[size:]
}
