package state

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// id is what a layout is stored under: a hash of all that is in it, each part after
// its length.
func (l Layout) id() string {
	h := hashed(make([]byte, 0, 2048))
	h.texts(l.Keys)
	if sd := l.Storage; sd != nil {
		h.storage(sd)
	}
	sum := sha256.Sum256(h)
	return hex.EncodeToString(sum[:6])
}

// hashed is what is going to be hashed.
type hashed []byte

func (h *hashed) number(n int)  { *h = binary.AppendVarint(*h, int64(n)) }
func (h *hashed) text(s string) { *h = appendText(*h, s) }

func (h *hashed) flag(b bool) {
	if b {
		*h = append(*h, 1)
		return
	}
	*h = append(*h, 0)
}

// size tells what is empty from what is not there.
func (h *hashed) size(n int, there bool) {
	if there && n == 0 {
		n = -1
	}
	h.number(n)
}

func (h *hashed) texts(list []string) {
	h.size(len(list), list != nil)
	for _, s := range list {
		h.text(s)
	}
}

func (h *hashed) pairs(m map[string]string) {
	h.size(len(m), m != nil)
	if len(m) == 0 {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		h.text(k)
		h.text(m[k])
	}
}

func (h *hashed) storage(sd *StorageDescriptor) {
	h.size(len(sd.Columns), sd.Columns != nil)
	for _, c := range sd.Columns {
		h.text(c.Name)
		h.text(c.Type)
		h.text(c.Comment)
		h.pairs(c.Parameters)
	}
	h.text(sd.Location)
	h.texts(sd.AdditionalLocations)
	h.text(sd.InputFormat)
	h.text(sd.OutputFormat)
	h.flag(sd.Compressed)
	h.number(int(sd.NumberOfBuckets))
	h.flag(sd.SerDe != nil)
	if s := sd.SerDe; s != nil {
		h.text(s.Name)
		h.text(s.Library)
		h.pairs(s.Parameters)
	}
	h.texts(sd.BucketColumns)
	h.size(len(sd.SortColumns), sd.SortColumns != nil)
	for _, o := range sd.SortColumns {
		h.text(o.Column)
		h.number(int(o.Order))
	}
	h.pairs(sd.Parameters)
	h.flag(sd.Skew != nil)
	if s := sd.Skew; s != nil {
		h.texts(s.Columns)
		h.texts(s.Values)
		h.pairs(s.Locations)
	}
	h.flag(sd.StoredAsSubDirectories)
	h.flag(sd.Schema != nil)
	if r := sd.Schema; r != nil {
		h.text(r.ARN)
		h.text(r.Registry)
		h.text(r.Name)
		h.text(r.VersionID)
		h.number(int(r.VersionNumber))
	}
}
