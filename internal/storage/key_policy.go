package storage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// keySid is the name of our statement in a key's policy: it lets a role decrypt with the
// key what it reads from buckets that S3 encrypts with it. A second role gets a number
// behind it, as in a bucket's policy.
const keySid = "LakemeshReadUnderKey"

// MaxKeyPolicy is the size of a key's policy
// (https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html).
const MaxKeyPolicy = 32 * 1024

// KeyReader is a role that reads what is in a bucket under a key.
type KeyReader struct{ Role, Bucket string }

// ReadStatement is our statement for a role that reads in buckets what is encrypted with a
// key: it may decrypt, through S3 alone, and only what S3 says is of these buckets.
func ReadStatement(key, role string, buckets ...string) string {
	raw, err := encode(readUnderKey(key, role, buckets))
	if err != nil {
		// Texts alone: there is nothing in it that has no JSON.
		return err.Error()
	}
	return string(raw)
}

// readUnderKey writes our statement. S3 tells KMS which object it decrypts, or which bucket
// if that has a key of its own, and objects of both kinds can be in one bucket.
func readUnderKey(key, role string, buckets []string) statement {
	abouts := make([]string, 0, 2*len(buckets))
	for _, bucket := range buckets {
		abouts = append(abouts, bucketARN(key, bucket), objectARN(key, bucket, "*"))
	}
	return statement{Sid: keySid, Effect: "Allow", Principal: map[string]string{"AWS": role}, Action: "kms:Decrypt", Resource: "*",
		Condition: map[string]map[string][]string{"StringEquals": {"kms:ViaService": {s3Of(key)}}, "StringLike": {objectContext: abouts}}}
}

// readKeyStatement reads a statement of a key's policy that is exactly as we write it but
// for its number and the order of its buckets. Anything else is somebody's.
func readKeyStatement(raw json.RawMessage, key string) (role string, buckets []string, ok bool) {
	var members struct {
		Sid       string
		Principal map[string]json.RawMessage
		Condition map[string]map[string]json.RawMessage
	}
	if json.Unmarshal(raw, &members) != nil || strings.TrimRight(members.Sid, "0123456789") != keySid {
		return "", nil, false
	}
	if role, ok = oneOf(members.Principal["AWS"]); !ok {
		return "", nil, false
	}
	for _, about := range texts(members.Condition["StringLike"][objectContext]) {
		name, _ := strings.CutPrefix(about, bucketARN(key, ""))
		if name, objects := strings.CutSuffix(name, "/*"); !objects {
			buckets = append(buckets, name)
		}
	}
	if len(buckets) == 0 {
		return "", nil, false
	}
	want := readUnderKey(key, role, buckets)
	want.Sid = members.Sid
	ours, err := encode(want)
	return role, buckets, err == nil && sameStatement(raw, ours)
}

// sameStatement reports whether two statements say the same in the same words: the order of
// lists does not count, and a list of one may be a text, as AWS shows it.
func sameStatement(a, b json.RawMessage) bool {
	var left, right any
	if json.Unmarshal(a, &left) != nil || json.Unmarshal(b, &right) != nil {
		return false
	}
	x, errX := encode(inOrder(left))
	y, errY := encode(inOrder(right))
	return errX == nil && errY == nil && string(x) == string(y)
}

func inOrder(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			v[name] = inOrder(e)
		}
	case []any:
		if len(v) == 1 {
			return inOrder(v[0])
		}
		if slices.ContainsFunc(v, func(e any) bool { _, is := e.(string); return !is }) {
			return v
		}
		slices.SortFunc(v, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	}
	return v
}

// KeyReaders are who is let read by our statements in the policy of a key, and where.
func KeyReaders(policy, key string) ([]KeyReader, error) {
	d, err := parse(policy)
	if err != nil {
		return nil, fmt.Errorf("the policy of key %s: %w", key, err)
	}
	var all []KeyReader
	for _, raw := range d.statements {
		role, buckets, ok := readKeyStatement(raw, key)
		for _, bucket := range buckets {
			if r := (KeyReader{role, bucket}); ok && !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	return all, nil
}

// MergeKey lets readers in by the policy of a key and takes others out; who is in both is
// let in. The policy is returned as it is if nothing changes, and statements of others
// stay as they were written.
func MergeKey(policy, key string, open, shut []KeyReader) (string, error) {
	d, err := parse(policy)
	if err != nil {
		return "", fmt.Errorf("the policy of key %s: %w", key, err)
	}
	changed := false
	for _, role := range keyRoles(open, shut) {
		changes, err := d.changeKey(key, role, bucketsOf(open, role), bucketsOf(shut, role))
		if err != nil {
			return "", err
		}
		changed = changed || changes
	}
	if !changed {
		return policy, nil
	}
	text, err := d.text()
	switch {
	case err != nil:
		return "", err
	case text == "":
		return "", &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "policy of key " + key, Message: "nothing would be left in it, and nobody could write it again",
			Hint: "give the key's administrators a statement in it"}
	case len(text) > MaxKeyPolicy:
		return "", &lakemesh.Error{Kind: lakemesh.ErrQuota, Resource: "policy of key " + key,
			Message: fmt.Sprintf("it would be %d bytes long, and KMS allows %d", len(text), MaxKeyPolicy), Hint: "remove statements that are not needed"}
	}
	return text, nil
}

func keyRoles(sets ...[]KeyReader) (roles []string) {
	for _, set := range sets {
		for _, r := range set {
			roles = append(roles, r.Role)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

func bucketsOf(readers []KeyReader, role string) (buckets []string) {
	for _, r := range readers {
		if r.Role == role {
			buckets = append(buckets, r.Bucket)
		}
	}
	return buckets
}

// changeKey changes in which buckets a role is let read.
func (d *document) changeKey(key, role string, open, shut []string) (changes bool, _ error) {
	var at []int
	var had []string
	for i, raw := range d.statements {
		if who, buckets, ok := readKeyStatement(raw, key); ok && who == role {
			at, had = append(at, i), append(had, buckets...)
		}
	}
	slices.Sort(had)
	had = slices.Compact(had)
	want := slices.DeleteFunc(slices.Clone(had), func(bucket string) bool { return slices.Contains(shut, bucket) })
	want = append(want, open...)
	slices.Sort(want)
	want = slices.Compact(want)
	if slices.Equal(had, want) {
		return false, nil
	}
	if len(open) > 0 && !roleARN.MatchString(role) {
		return false, &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "policy of key " + key, Message: role + " is not the ARN of a role"}
	}
	keep := 0
	if len(want) > 0 {
		s := readUnderKey(key, role, want)
		if len(at) > 0 {
			s.Sid = sidOf(d.statements[at[0]])
		} else {
			s.Sid = d.freeSid(keySid, role)
		}
		raw, err := encode(s)
		if err != nil {
			return false, err
		}
		if len(at) == 0 {
			d.statements = append(d.statements, raw)
			return true, nil
		}
		d.statements[at[0]], keep = raw, 1
	}
	for i := len(at) - 1; i >= keep; i-- {
		d.statements = slices.Delete(d.statements, at[i], at[i]+1)
	}
	return true, nil
}

// NamesDeleted reports whether a policy names a principal that was deleted: it cannot be
// written again as it is then.
func NamesDeleted(policy string) bool { return namesDeleted(policy) }
