package storage

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// The names of our two statements in a bucket's policy. The statements of a second
// role in the same policy get its account number behind, and a further number if that
// is taken.
const (
	objectsSid  = "LakemeshReadObjects"
	prefixesSid = "LakemeshListPrefixes"
)

var ourSid = regexp.MustCompile(`^(` + objectsSid + `|` + prefixesSid + `)[0-9]*$`)

// statement is one of our statements. Statements of others are never taken apart
// further than to tell that they are not ours.
type statement struct {
	Sid       string
	Effect    string
	Principal map[string]string
	Action    string
	Resource  any
	Condition map[string]map[string][]string `json:",omitempty"`
}

func objectsStatement(bucket, role string, prefixes []string) *statement {
	resources := make([]string, len(prefixes))
	for i, p := range prefixes {
		resources[i] = objectARN(role, escape(bucket), pattern(p))
	}
	return &statement{Effect: "Allow", Principal: map[string]string{"AWS": role}, Action: "s3:GetObject", Resource: resources}
}

func prefixesStatement(bucket, role string, prefixes []string) *statement {
	patterns := make([]string, len(prefixes))
	for i, p := range prefixes {
		patterns[i] = pattern(p)
	}
	return &statement{Effect: "Allow", Principal: map[string]string{"AWS": role}, Action: "s3:ListBucket",
		Resource: bucketARN(role, escape(bucket)), Condition: map[string]map[string][]string{"StringLike": {"s3:prefix": patterns}}}
}

// own is what one of our statements says.
type own struct {
	// base is its name without a number: objectsSid or prefixesSid.
	base, role string
	prefixes   []string
}

// readOwn reads a statement that is exactly as we write them: in its name and in every
// member, and without another. Anything else is somebody's, who has a reason for it:
// an effect that was turned or a condition that was added is not to be undone, and a
// name proves nothing. Lists of one may be a text, since S3 and people write them so.
func readOwn(raw json.RawMessage, bucket string, variables bool) (own, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return own{}, false
	}
	sid, _ := oneText(members["Sid"])
	parts := ourSid.FindStringSubmatch(sid)
	effect, _ := oneText(members["Effect"])
	if parts == nil || effect != "Allow" {
		return own{}, false
	}
	o := own{base: parts[1]}
	var principal map[string]json.RawMessage
	if json.Unmarshal(members["Principal"], &principal) != nil || len(principal) != 1 {
		return own{}, false
	}
	var ok bool
	if o.role, ok = oneOf(principal["AWS"]); !ok {
		return own{}, false
	}
	action, ok := oneOf(members["Action"])
	if !ok {
		return own{}, false
	}
	var patterns []string
	switch {
	case o.base == objectsSid && len(members) == 5 && action == "s3:GetObject":
		for _, arn := range texts(members["Resource"]) {
			pattern, ok := strings.CutPrefix(arn, objectARN(arn, escape(bucket), ""))
			if !ok {
				return own{}, false
			}
			patterns = append(patterns, pattern)
		}
	case o.base == prefixesSid && len(members) == 6 && action == "s3:ListBucket":
		var condition map[string]map[string]json.RawMessage
		resource, ok := oneOf(members["Resource"])
		if !ok || resource != bucketARN(resource, escape(bucket)) || json.Unmarshal(members["Condition"], &condition) != nil ||
			len(condition) != 1 || len(condition["StringLike"]) != 1 {
			return own{}, false
		}
		patterns = texts(condition["StringLike"]["s3:prefix"])
	}
	for _, pattern := range patterns {
		prefix, ok := readPattern(pattern, variables)
		if !ok {
			return own{}, false
		}
		o.prefixes = append(o.prefixes, prefix)
	}
	slices.Sort(o.prefixes)
	o.prefixes = slices.Compact(o.prefixes)
	return o, len(o.prefixes) > 0
}

// pattern is what the keys in a place are like: a folder's begin with its prefix, a
// single object has one.
func pattern(prefix string) string {
	if isFolder(prefix) {
		return escape(prefix) + "*"
	}
	return escape(prefix)
}

// readPattern reads a pattern. It must be what we would write.
func readPattern(written string, variables bool) (string, bool) {
	if !variables && strings.Contains(written, "${") {
		return "", false
	}
	prefix := unescaper.Replace(written)
	if folder, ok := strings.CutSuffix(written, "*"); ok {
		prefix = unescaper.Replace(folder)
	}
	return prefix, pattern(prefix) == written
}

// oneText reads a text.
func oneText(raw json.RawMessage) (string, bool) {
	var s string
	return s, len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}

// oneOf reads a text or a list of one.
func oneOf(raw json.RawMessage) (string, bool) {
	list := texts(raw)
	if len(list) != 1 {
		return "", false
	}
	return list[0], true
}

// texts reads what the policy language allows to be one text or a list of them. It is
// nil for anything else.
func texts(raw json.RawMessage) []string {
	if s, ok := oneText(raw); ok {
		return []string{s}
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil
	}
	list := make([]string, len(items))
	for i, item := range items {
		s, ok := oneText(item)
		if !ok {
			return nil
		}
		list[i] = s
	}
	return list
}

func sidOf(raw json.RawMessage) string {
	var members map[string]json.RawMessage
	// What is no statement has no name.
	_ = json.Unmarshal(raw, &members)
	sid, _ := oneText(members["Sid"])
	return sid
}

// freeSid is a name for a statement that no other has: names are unique in a policy.
func (d *document) freeSid(base, role string) string {
	taken := map[string]bool{}
	for _, raw := range d.statements {
		taken[sidOf(raw)] = true
	}
	sid := base
	for n := 1; taken[sid]; n++ {
		sid = base + accountOf(role)
		if n > 1 {
			sid += fmt.Sprintf("%02d", n)
		}
	}
	return sid
}

// partitionOf is the partition of an ARN. What a role or a key has to do with is of the same.
func partitionOf(arn string) lakemesh.Partition {
	if p, ok := lakemesh.PartitionOfARN(arn); ok {
		return p
	}
	return lakemesh.PartitionAWS
}

// bucketARN is the ARN of a bucket, in the partition of another ARN.
func bucketARN(beside, bucket string) string { return partitionOf(beside).BucketARN(bucket) }

func objectARN(beside, bucket, key string) string { return bucketARN(beside, bucket) + "/" + key }

func accountOf(roleARN string) string {
	if parts := strings.Split(roleARN, ":"); len(parts) > 4 {
		return parts[4]
	}
	return ""
}

// Policies read * and ? as wildcards and ${...} as variables, keys of objects may
// hold them as they are
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
var (
	escaper   = strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}")
	unescaper = strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$")
)

// escape writes a text so that a policy of the version with variables reads it as it is.
func escape(text string) string { return escaper.Replace(text) }
