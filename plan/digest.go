package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// digestLength is how many hexadecimal characters a digest has: 96 bits. Somebody who
// chooses what is asked for, and wants another plan with the digest of one that was
// shown, has to try about 2^95 of them; two of its own with one digest do not help it,
// because what it asked with cannot be changed afterwards.
const digestLength = 24

// ComputeDigest stands for what a plan would do: its operation, its steps and warnings,
// in whatever order independent steps were added, and the parts, which are what else the
// decision depends on. It is the same for the same, on every machine, and for anything
// else it is another one. 24 hexadecimal characters.
func (p *Plan) ComputeDigest(parts ...string) string {
	lines := make([]string, 0, len(p.Steps)+len(p.Warnings))
	for _, s := range p.Steps {
		detail, err := json.Marshal(s.Detail)
		if err != nil {
			// It is for people then, and the summary says it.
			detail = nil
		}
		lines = append(lines, joined("step", string(s.Kind), s.Account, s.Resource, s.Summary, string(detail)))
	}
	for _, w := range p.Warnings {
		lines = append(lines, joined("warning", w))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(joined(append([]string{p.Operation, joined(parts...)}, lines...)...)))
	return hex.EncodeToString(sum[:])[:digestLength]
}

// joined puts texts together so that no others give the same.
func joined(parts ...string) string {
	var all []byte
	for _, p := range parts {
		all = fmt.Appendf(all, "%d:%s", len(p), p)
	}
	return string(all)
}
