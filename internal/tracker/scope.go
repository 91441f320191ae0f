package tracker

import (
	"encoding/json"

	"github.com/lakemesh/lakemesh"
)

// encodeScope writes a scope as one text, which the original library can read past; empty
// for one that narrows nothing.
func encodeScope(s lakemesh.Scope) string {
	if s.IsZero() {
		return ""
	}
	// Texts and lists of texts can always be encoded.
	text, _ := json.Marshal(s)
	return string(text)
}

// readScope reads a scope; none narrows nothing. It reports whether it could be read: one
// that is written in any other form than lakemesh's cannot, so that two readers never see
// two scopes in one text.
func readScope(i item, name string) (s lakemesh.Scope, ok bool) {
	if _, there := i[name]; !there {
		return s, true
	}
	said := text(i, name)
	if len(said) > mostScope || json.Unmarshal([]byte(said), &s) != nil {
		return lakemesh.Scope{}, false
	}
	formed, err := lakemesh.NewScope(s)
	if err != nil || s.IsZero() || !formed.Equal(s) || encodeScope(s) != said {
		return lakemesh.Scope{}, false
	}
	return s, true
}

// mostScope is how many bytes a scope may have as text.
const mostScope = 64 << 10

// Given is what a subscription gives its consumer: permissions, what of them it may hand
// on, and what they are narrowed to.
type Given struct {
	Permitted, Grantable lakemesh.Permissions
	Scope                lakemesh.Scope
}

// Nothing reports whether nothing is given.
func (g Given) Nothing() bool { return len(g.Permitted) == 0 }

// given is what the record says that was decided.
func (r *Record) given() Given { return Given{r.Permitted, r.Grantable, r.Scope} }

// claimed is what is being decided.
func claimed(c *lakemesh.Claim) Given { return Given{c.Permissions, c.Grantable, c.Scope} }

// MayHold is what lakemesh may have granted for the subscription, of what was decided and of
// a decision that is under way.
func (r *Record) MayHold() []Given {
	var all []Given
	if !r.given().Nothing() {
		all = append(all, r.given())
	}
	if r.Claim != nil && !claimed(r.Claim).Nothing() {
		all = append(all, claimed(r.Claim))
	}
	return all
}

// Justified returns what a record justifies for its consumer: what was permitted
// while it is active and not over. A decision that is under way counts only for what it and
// the state before it agree on, so that nothing which is being taken away is
// counted on: where it changes what the subscription is narrowed to, that is nothing.
func (r *Record) Justified() Given {
	if r.Status != lakemesh.Active || r.Over {
		return Given{}
	}
	if r.Claim == nil {
		return r.given()
	}
	if r.Claim.Action == lakemesh.ActionUpdate && r.Claim.Scope.Equal(r.Scope) {
		return Given{r.Permitted.Intersect(r.Claim.Permissions), r.Grantable.Intersect(r.Claim.Grantable), r.Scope}
	}
	return Given{}
}
