package iampolicy

import (
	"bytes"
	"encoding/json"
	"unicode"
)

// The wire forms hold the elements in the order in which AWS's documentation writes them.
type wireDocument struct {
	Version   string          `json:"Version,omitempty"`
	ID        string          `json:"Id,omitempty"`
	Statement []wireStatement `json:"Statement"`
}

type wireStatement struct {
	SID          string                      `json:"Sid,omitempty"`
	Effect       Effect                      `json:"Effect"`
	Principal    any                         `json:"Principal,omitempty"`
	NotPrincipal any                         `json:"NotPrincipal,omitempty"`
	Action       texts                       `json:"Action,omitempty"`
	NotAction    texts                       `json:"NotAction,omitempty"`
	Resource     texts                       `json:"Resource,omitempty"`
	NotResource  texts                       `json:"NotResource,omitempty"`
	Condition    map[string]map[string]texts `json:"Condition,omitempty"`
}

type wirePrincipal struct {
	AWS           texts `json:"AWS,omitempty"`
	Service       texts `json:"Service,omitempty"`
	Federated     texts `json:"Federated,omitempty"`
	CanonicalUser texts `json:"CanonicalUser,omitempty"`
}

// texts prints one value as a string, as AWS does when it gives a document back.
type texts []string

// MarshalJSON prints one value as a string and several as a list.
func (t texts) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return marshal(t[0])
	}
	return marshal([]string(t))
}

// MarshalJSON prints the document canonically: elements in a fixed order, condition operators and keys sorted,
// lists of one value as that value, no white space.
func (d Document) MarshalJSON() ([]byte, error) {
	wire := wireDocument{Version: d.Version, ID: d.ID, Statement: make([]wireStatement, 0, len(d.Statements))}
	for _, s := range d.Statements {
		wire.Statement = append(wire.Statement, wireStatement{
			SID:          s.SID,
			Effect:       s.Effect,
			Principal:    wirePrincipalOf(s.Principal),
			NotPrincipal: wirePrincipalOf(s.NotPrincipal),
			Action:       s.Actions,
			NotAction:    s.NotActions,
			Resource:     s.Resources,
			NotResource:  s.NotResources,
			Condition:    wireConditionsOf(s.Conditions),
		})
	}
	return marshal(wire)
}

// String is the document as canonical JSON.
func (d Document) String() string {
	text, err := d.MarshalJSON()
	if err != nil {
		// The wire forms hold only strings, lists and maps of them, which always marshal.
		return err.Error()
	}
	return string(text)
}

// Size is what the quotas of IAM count: the characters of the canonical print that are not white space.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
func (d Document) Size() int { return Size(d.String()) }

// Size counts the characters of a policy's text that are not white space.
func Size(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func wirePrincipalOf(p *Principal) any {
	switch {
	case p == nil:
		return nil
	case p.All:
		return "*"
	default:
		return wirePrincipal{AWS: p.AWS, Service: p.Service, Federated: p.Federated, CanonicalUser: p.CanonicalUser}
	}
}

func wireConditionsOf(c Conditions) map[string]map[string]texts {
	wire := make(map[string]map[string]texts, len(c))
	for operator, keys := range c {
		wire[operator] = make(map[string]texts, len(keys))
		for key, values := range keys {
			wire[operator][key] = values
		}
	}
	return wire
}

// marshal prints without the escapes for HTML, which would make documents longer.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
