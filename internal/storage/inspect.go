package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// Inspection is what the policy of a bucket says, read once.
type Inspection struct {
	// Opened are the prefixes that both of our statements open, by role; Named are those that
	// either names.
	Opened, Named map[string][]string
	// Denied are the statements of others that deny a role what it is to read.
	Denied []Denied
}

// Denied is a statement that denies, and what.
type Denied struct {
	Role     string
	Prefixes []string
	// Certain tells that it does not go by what the reader's call brings along.
	Certain bool
	// Text says it in words.
	Text string
}

// Inspect reads the policy of a bucket. open are the prefixes that each role is to read.
func (b Buckets) Inspect(ctx context.Context, bucket string, open map[string][]string) (*Inspection, error) {
	d, err := b.document(ctx, bucket)
	if err != nil {
		return nil, err
	}
	return b.inspect(d, bucket, open), nil
}

// document reads the policy of a bucket.
func (b Buckets) document(ctx context.Context, bucket string) (*document, error) {
	policy, err := b.policy(ctx, bucket)
	if err != nil {
		return nil, err
	}
	d, err := parse(policy)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", bucket, err)
	}
	return d, nil
}

func (b Buckets) inspect(d *document, bucket string, open map[string][]string) *Inspection {
	found := &Inspection{Opened: map[string][]string{}, Named: map[string][]string{}}
	for _, role := range d.roles(bucket) {
		objects, _ := d.opened(bucket, objectsSid, role)
		listed, _ := d.opened(bucket, prefixesSid, role)
		found.Named[role] = slices.Compact(slices.Sorted(slices.Values(slices.Concat(objects, listed))))
		// Who may read objects and not list them finds none.
		found.Opened[role] = slices.DeleteFunc(objects, func(prefix string) bool { return !slices.Contains(listed, prefix) })
	}
	version := iampolicy.Version2008
	if d.variables() {
		version = withVariables
	}
	for _, raw := range d.statements {
		var members map[string]json.RawMessage
		if _, ours := readOwn(raw, bucket, d.variables()); ours || json.Unmarshal(raw, &members) != nil {
			continue
		}
		if effect, _ := oneText(members["Effect"]); effect == string(iampolicy.Allow) {
			continue
		}
		s, unreadable := readStatement(raw, version)
		for role, prefixes := range open {
			if unreadable != nil {
				found.Denied = append(found.Denied, Denied{Role: role, Prefixes: prefixes,
					Text: fmt.Sprintf("the policy of bucket %s has a statement that denies and cannot be evaluated (%s)", bucket, named(raw))})
				continue
			}
			r := reading{role: role, bucket: bucket, owner: b.Account, prefixes: prefixes}
			if denied, ok := r.deniedBy(s, version); ok {
				found.Denied = append(found.Denied, Denied{Role: role, Prefixes: denied.prefixes,
					Certain: len(denied.depends) == 0 && !denied.part, Text: r.sentence(denied, named(raw))})
			}
		}
	}
	return found
}
