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

// document is the policy of a bucket or a key, taken apart as little as possible: every element
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
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	raw := bytes.TrimSpace(d.elements["Statement"])
	switch {
	case len(raw) == 0:
	case raw[0] == '[':
		if err := json.Unmarshal(raw, &d.statements); err != nil {
			return nil, fmt.Errorf("read the policy's statements: %w", err)
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
	elements["Statement"] = slices.Concat([]byte("["), bytes.Join(asBytes(d.statements), []byte(",")), []byte("]"))
	var b bytes.Buffer
	// Not by the encoder, which would take the blanks out of statements of others.
	for i, name := range slices.Sorted(maps.Keys(elements)) {
		separator := ","
		if i == 0 {
			separator = "{"
		}
		key, err := encode(name)
		if err != nil {
			return "", err
		}
		b.WriteString(separator)
		b.Write(key)
		b.WriteByte(':')
		b.Write(elements[name])
	}
	b.WriteByte('}')
	return b.String(), nil
}

func asBytes(raws []json.RawMessage) [][]byte {
	all := make([][]byte, len(raws))
	for i, raw := range raws {
		all[i] = raw
	}
	return all
}

// encode writes JSON without escaping for HTML, which would cost room.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write the policy: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// withVariables is the version of the policy language that has variables. A policy
// that names no version has the older one, 2008-10-17, which has none
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html).
const withVariables = "2012-10-17"

// variables reports whether the policy's version has variables. A policy without
// statements is going to be written with that version.
func (d *document) variables() bool {
	var version string
	if raw := d.elements["Version"]; raw != nil {
		return json.Unmarshal(raw, &version) == nil && version == withVariables
	}
	return len(d.statements) == 0
}

func (d *document) setVersion() { d.elements["Version"] = json.RawMessage(`"` + withVariables + `"`) }

// mentionsVariable reports whether any text of the statement would be read as a
// variable by the version that has them.
func mentionsVariable(raw json.RawMessage) bool {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return true
	}
	return anyText(v, func(s string) bool { return strings.Contains(s, "${") })
}

func anyText(v any, is func(string) bool) bool {
	switch v := v.(type) {
	case string:
		return is(v)
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return anyText(e, is) })
	case map[string]any:
		for key, e := range v {
			if is(key) || anyText(e, is) {
				return true
			}
		}
	}
	return false
}

// deletedPrincipal is how a policy shows a user or a role that was deleted: by its
// unique id
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
var deletedPrincipal = regexp.MustCompile(`"(AROA|AIDA)[A-Z0-9]{12,}"`)

// namesDeleted reports whether a statement's principal was deleted.
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
