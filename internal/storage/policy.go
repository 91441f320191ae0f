package storage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The names of our two statements in a bucket's policy. A second mesh that opens
// prefixes of the same bucket gets its own, with its account number behind.
const (
	objectsSid  = "LakemeshReadObjects"
	prefixesSid = "LakemeshListPrefixes"
)

// MaxPolicy is how large a bucket policy may be, in bytes
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html).
const MaxPolicy = 20 * 1024

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

// document is a bucket policy, taken apart as little as possible: every element
// that is not ours is kept as it was written.
type document struct {
	elements   map[string]json.RawMessage
	statements []json.RawMessage
}

func parse(policy string) (*document, error) {
	d := &document{elements: map[string]json.RawMessage{}}
	if strings.TrimSpace(policy) == "" {
		return d, nil
	}
	if err := json.Unmarshal([]byte(policy), &d.elements); err != nil {
		return nil, fmt.Errorf("read the bucket policy: %w", err)
	}
	raw := bytes.TrimSpace(d.elements["Statement"])
	switch {
	case len(raw) == 0:
	case raw[0] == '[':
		if err := json.Unmarshal(raw, &d.statements); err != nil {
			return nil, fmt.Errorf("read the bucket policy's statements: %w", err)
		}
	default:
		// A single statement needs no list.
		d.statements = []json.RawMessage{raw}
	}
	return d, nil
}

// text writes the document; it is empty if no statement is left.
func (d *document) text() (string, error) {
	if len(d.statements) == 0 {
		return "", nil
	}
	elements := maps.Clone(d.elements)
	if elements["Version"] == nil {
		elements["Version"] = json.RawMessage(`"2012-10-17"`)
	}
	statements, err := encode(d.statements)
	if err != nil {
		return "", err
	}
	elements["Statement"] = statements
	text, err := encode(elements)
	return string(text), err
}

// encode writes JSON without escaping for HTML, which would cost room.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write the bucket policy: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// ours finds our statement of a name for the reading role; -1 if there is none. Ours
// is what is exactly ours, in every member: a Deny under our name, or a statement to
// which somebody has added a condition, is somebody else's.
func (d *document) ours(sid, role string) int {
	return slices.IndexFunc(d.statements, func(raw json.RawMessage) bool { return isOurs(raw, sid, role) })
}

// isOurs reports whether a statement is what we write for some prefixes.
func isOurs(raw json.RawMessage, sid, role string) bool {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return false
	}
	var s struct {
		Sid, Effect string
		Principal   struct{ AWS any }
		Action      any
		Resource    any
		Condition   map[string]map[string]any
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return false
	}
	wanted := []string{"Sid", "Effect", "Principal", "Action", "Resource"}
	action := "s3:GetObject"
	if sid == prefixesSid {
		wanted, action = append(wanted, "Condition"), "s3:ListBucket"
		if len(s.Condition) != 1 || len(s.Condition["StringLike"]) != 1 || len(texts(s.Condition["StringLike"]["s3:prefix"])) == 0 {
			return false
		}
	}
	for name := range members {
		if !slices.Contains(wanted, name) {
			return false
		}
	}
	var principal map[string]json.RawMessage
	if err := json.Unmarshal(members["Principal"], &principal); err != nil || len(principal) != 1 {
		return false
	}
	return sidOf(sid, role).MatchString(s.Sid) && s.Effect == "Allow" &&
		slices.Equal(texts(s.Principal.AWS), []string{role}) && slices.Equal(texts(s.Action), []string{action}) && len(texts(s.Resource)) > 0
}

// sidOf are the names that our statement can have.
func sidOf(sid, role string) *regexp.Regexp {
	return regexp.MustCompile("^" + sid + "(" + accountOf(role) + "(N[0-9]+)?)?$")
}

// inTheWay says which statements of others may keep roles from reading a bucket: those
// that deny them something, and those that look like ours and are not.
func inTheWay(policy, bucket string, roles []string) ([]string, error) {
	d, err := parse(policy)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, raw := range d.statements {
		var s struct{ Sid, Effect string }
		// One that cannot be read is nothing that could be told.
		_ = json.Unmarshal(raw, &s)
		mine := slices.ContainsFunc(roles, func(role string) bool { return isOurs(raw, objectsSid, role) || isOurs(raw, prefixesSid, role) })
		looks := strings.HasPrefix(s.Sid, objectsSid) || strings.HasPrefix(s.Sid, prefixesSid)
		switch {
		case s.Effect == "Deny" && !onlyTransport(raw):
			found = append(found, fmt.Sprintf("the policy of bucket %s has a statement that denies (%q): it may keep the data from being read", bucket, s.Sid))
		case looks && !mine && slices.Contains(roles, sidAndPrincipal(raw).principal):
			found = append(found, fmt.Sprintf("the policy of bucket %s has a statement %q that was changed by somebody else: it stays as it is", bucket, s.Sid))
		}
	}
	return found, nil
}

// deletedPrincipal is how a policy shows a user or a role that was deleted: by its
// unique id
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
var deletedPrincipal = regexp.MustCompile(`"(AROA|AIDA)[A-Z0-9]{12,}"`)

// namesDeleted tells whether a statement's principal was deleted.
func namesDeleted(policy string) bool {
	d, err := parse(policy)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(d.statements, func(raw json.RawMessage) bool {
		var s struct{ Principal, NotPrincipal json.RawMessage }
		// What cannot be read names nobody that could be told.
		_ = json.Unmarshal(raw, &s)
		return deletedPrincipal.Match(s.Principal) || deletedPrincipal.Match(s.NotPrincipal)
	})
}

type identified struct{ sid, principal string }

func sidAndPrincipal(raw json.RawMessage) identified {
	var s struct {
		Sid       string
		Principal struct{ AWS any }
	}
	// A statement of somebody else may look quite different: then it is not ours.
	if err := json.Unmarshal(raw, &s); err != nil {
		return identified{}
	}
	principals := texts(s.Principal.AWS)
	if len(principals) != 1 {
		return identified{sid: s.Sid}
	}
	return identified{s.Sid, principals[0]}
}

// texts reads what the policy language allows to be one text or a list.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}

// Prefixes are the prefixes of the bucket that the policy opens to the role, by
// our statements, in order.
func Prefixes(policy, bucket, role string) ([]string, error) {
	d, err := parse(policy)
	if err != nil {
		return nil, err
	}
	return d.prefixes(bucket, role), nil
}

func (d *document) prefixes(bucket, role string) []string {
	i := d.ours(objectsSid, role)
	if i < 0 {
		return nil
	}
	var s struct{ Resource any }
	if err := json.Unmarshal(d.statements[i], &s); err != nil {
		return nil
	}
	var prefixes []string
	for _, arn := range texts(s.Resource) {
		if p, ok := strings.CutPrefix(arn, objectARN(bucket, "")); ok {
			if p, ok = strings.CutSuffix(p, "*"); ok {
				prefixes = append(prefixes, unescaper.Replace(p))
			}
		}
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes)
}

// Merge opens prefixes of a bucket to the role and closes others, in the bucket's
// policy; it returns the policy as it was if nothing changes, and an empty one if
// no statement is left. A prefix that is both opened and closed is opened.
// Statements of others stay as they were written.
func Merge(policy, bucket, role string, open, closed []string) (string, error) {
	d, err := parse(policy)
	if err != nil {
		return "", err
	}
	had := d.prefixes(bucket, role)
	want := slices.DeleteFunc(slices.Clone(had), func(p string) bool { return slices.Contains(closed, p) })
	want = append(want, open...)
	slices.Sort(want)
	want = slices.Compact(want)
	objects, lists := d.ours(objectsSid, role), d.ours(prefixesSid, role)
	if slices.Equal(had, want) && (objects >= 0) == (len(want) > 0) && (lists >= 0) == (len(want) > 0) {
		return policy, nil
	}
	if err := d.set(objectsSid, role, objectsStatement(bucket, role, want)); err != nil {
		return "", err
	}
	if err := d.set(prefixesSid, role, prefixesStatement(bucket, role, want)); err != nil {
		return "", err
	}
	return d.text()
}

// set puts our statement of a name in its place, or removes it if s is nil.
func (d *document) set(sid, role string, s *statement) error {
	i := d.ours(sid, role)
	if s == nil {
		if i >= 0 {
			d.statements = slices.Delete(d.statements, i, i+1)
		}
		return nil
	}
	if i >= 0 {
		s.Sid = sidAndPrincipal(d.statements[i]).sid
	} else {
		s.Sid = d.free(sid, role)
	}
	raw, err := encode(s)
	if err != nil {
		return err
	}
	if i >= 0 {
		d.statements[i] = raw
	} else {
		d.statements = append(d.statements, raw)
	}
	return nil
}

// onlyTransport reports whether a statement denies nothing but calls without TLS, as
// those of most buckets do.
func onlyTransport(raw json.RawMessage) bool {
	var s struct{ Condition map[string]map[string]any }
	if err := json.Unmarshal(raw, &s); err != nil || len(s.Condition) == 0 {
		return false
	}
	for _, keys := range s.Condition {
		for key := range keys {
			if !strings.EqualFold(key, "aws:SecureTransport") && !strings.EqualFold(key, "s3:TlsVersion") {
				return false
			}
		}
	}
	return true
}

// free is a name for our statement that no other statement of the policy has.
func (d *document) free(sid, role string) string {
	taken := map[string]bool{}
	for _, raw := range d.statements {
		taken[sidAndPrincipal(raw).sid] = true
	}
	for n := 0; ; n++ {
		name := sid
		if n == 1 {
			name += accountOf(role)
		} else if n > 1 {
			name += fmt.Sprintf("%sN%d", accountOf(role), n)
		}
		if !taken[name] {
			return name
		}
	}
}

func objectsStatement(bucket, role string, prefixes []string) *statement {
	if len(prefixes) == 0 {
		return nil
	}
	resources := make([]string, len(prefixes))
	for i, p := range prefixes {
		resources[i] = objectARN(bucket, escape(p)+"*")
	}
	return &statement{Sid: objectsSid, Effect: "Allow", Principal: map[string]string{"AWS": role}, Action: "s3:GetObject", Resource: resources}
}

func prefixesStatement(bucket, role string, prefixes []string) *statement {
	if len(prefixes) == 0 {
		return nil
	}
	patterns := make([]string, len(prefixes))
	for i, p := range prefixes {
		patterns[i] = escape(p) + "*"
	}
	return &statement{Sid: prefixesSid, Effect: "Allow", Principal: map[string]string{"AWS": role}, Action: "s3:ListBucket",
		Resource: bucketARN(bucket), Condition: map[string]map[string][]string{"StringLike": {"s3:prefix": patterns}}}
}

func bucketARN(bucket string) string { return "arn:aws:s3:::" + bucket }

func objectARN(bucket, key string) string { return bucketARN(bucket) + "/" + key }

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

func escape(prefix string) string { return escaper.Replace(prefix) }
