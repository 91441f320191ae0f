package storage

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// Letting is whether the policy of a bucket lets a role read a prefix, whoever wrote it.
type Letting struct {
	// Open tells that statements let it read there and list it, and By which. Perhaps tells
	// that they do under conditions of the reader's call, which cannot be known here.
	Open, Perhaps bool
	By            string
	// Denied are the statements that deny it.
	Denied []Denied
}

// Lets evaluates the policy of a bucket for a role of another account, by IAM's rules. The
// role's own policies are not looked at.
func (b Buckets) Lets(ctx context.Context, bucket, role, prefix string) (Letting, error) {
	d, err := b.document(ctx, bucket)
	if err != nil {
		return Letting{}, err
	}
	l := Letting{Denied: b.inspect(d, bucket, map[string][]string{role: {prefix}}).Denied}
	if accountOf(role) == b.Account {
		// Within an account the role's own policies are enough.
		l.Open, l.By = true, "the role's own account"
		return l, nil
	}
	r := reading{role: role, bucket: bucket, owner: b.Account, prefixes: []string{prefix}}
	reads, lists, by := r.allowedBy(d)
	l.By = strings.Join(by, ", ")
	l.Open = reads == surely && lists == surely
	l.Perhaps = !l.Open && reads != never && lists != never
	return l, nil
}

// likelihood is how sure something is.
type likelihood int

const (
	never likelihood = iota
	possibly
	surely
)

// everything is what a role could be allowed by its own policies.
var everything = []iampolicy.Named{{Name: "everything", Document: &iampolicy.Document{Version: iampolicy.Version2012,
	Statements: []iampolicy.Statement{{Effect: iampolicy.Allow, Actions: []string{"*"}, Resources: []string{"*"}}}}}}

// allowedBy tells whether statements allow a reading's prefix to be read and to be listed.
func (r reading) allowedBy(d *document) (reads, lists likelihood, by []string) {
	version := iampolicy.Version2008
	if d.variables() {
		version = withVariables
	}
	prefix := r.prefixes[0]
	for _, raw := range d.statements {
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil {
			continue
		}
		if effect, _ := oneText(members["Effect"]); effect != string(iampolicy.Allow) {
			continue
		}
		s, err := readStatement(raw, version)
		if err != nil {
			reads, lists = max(reads, possibly), max(lists, possibly)
			continue
		}
		known, depends, _ := r.conditions(s.Conditions)
		s.Conditions = known
		sure := surely
		if len(depends) > 0 {
			sure = possibly
		}
		allows := func(action, resource string) bool {
			return iampolicy.Evaluate(iampolicy.Request{Action: action, Resource: resource, Principal: r.principal(), Keys: r.keys(action, prefix)},
				iampolicy.Policies{Identity: everything, ResourceAccount: r.owner, Resource: &iampolicy.Named{Name: r.bucket,
					Document: &iampolicy.Document{Version: version, Statements: []iampolicy.Statement{s}}}}).Allowed
		}
		used := false
		if allows("s3:GetObject", objectARN(r.role, r.bucket, prefix+probe)) {
			reads, used = max(reads, sure), true
		}
		if allows("s3:ListBucket", bucketARN(r.role, r.bucket)) {
			lists, used = max(lists, sure), true
		}
		if used {
			by = append(by, named(raw))
		}
	}
	return reads, lists, by
}
