package plan

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"hash"
	"slices"
)

// digestBytes is how much of the hash a digest keeps: 160 bits, 32 characters.
//
// Whoever writes a request chooses part of what a plan says. He need not wait for
// somebody to look at it: he can search for two requests whose plans share a digest
// before he makes either of them, show one, and have the other decided on. That is a
// birthday search, which takes half the bits: 2^40 hashes for 80 bits, which is some
// minutes on one graphics card, and 2^80 for 160 bits, which is out of reach. To meet
// a digest that was shown already takes 2^160. In base32 it is short enough to be typed,
// has no pairs of upper and lower case, and neither 0 nor 1 to be misread.
const digestBytes = 20

var digestEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ComputeDigest returns a digest of what the plan says, in 32 characters of
// lower-case base32: of its operation, of the parts given in their order, of its
// steps (kind, account, resource, summary, detail as JSON), and of its warnings. The
// order of steps and of warnings does not count, and what runs does not, so that the
// same intent has the same digest whenever it is planned. The parts are what the
// plan was made from and does not show, such as the state of a record.
//
// It is empty if a step's detail has no form in JSON: what cannot be shown in full
// cannot be agreed to. It does not set [Plan.Digest].
func (p *Plan) ComputeDigest(parts ...string) string {
	steps := make([]string, len(p.Steps))
	for i, s := range p.Steps {
		detail, err := json.Marshal(s.Detail)
		if err != nil {
			return ""
		}
		steps[i] = string(sum([]string{string(s.Kind), s.Account, s.Resource, s.Summary, string(detail)}))
	}
	slices.Sort(steps)
	whole := sum([]string{"lakemesh plan 1", p.Operation}, parts, steps, slices.Sorted(slices.Values(p.Warnings)))
	return digestEncoding.EncodeToString(whole[:digestBytes])
}

// sum hashes lists of texts. Each list begins with its length and each text too, so
// that nothing can move from one to the next.
func sum(lists ...[]string) []byte {
	h := sha256.New()
	for _, list := range lists {
		number(h, len(list))
		for _, text := range list {
			number(h, len(text))
			// A hash takes everything.
			_, _ = h.Write([]byte(text))
		}
	}
	return h.Sum(nil)
}

func number(h hash.Hash, n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	_, _ = h.Write(b[:])
}
