package authz

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// PrincipalError tells that a policy names a principal that does not exist.
type PrincipalError struct {
	// Kind is the kind of principal: "AWS", "SERVICE", "FEDERATED" or "CANONICAL".
	Kind string
	// Principal is the one that does not exist.
	Principal string
}

// Error says which principal it is, as AWS does.
func (e *PrincipalError) Error() string {
	return fmt.Sprintf("Invalid principal in policy: %q:%q", e.Kind, e.Principal)
}

// HoldPrincipals prepares the policy of a resource for being kept: every user and
// role that it names must exist, and is replaced by its unique id, so that a
// principal that is deleted and made again is not the one that was meant. The
// ARN that each id stands for is returned. unknown tells of a principal that
// exists whether it is too new to be known here.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func HoldPrincipals(tx store.Tx, d *iampolicy.Document, unknown func(arn string) bool) (arns map[string]string, err error) {
	arns = map[string]string{}
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, p := range []*iampolicy.Principal{s.Principal, s.NotPrincipal} {
			if p == nil {
				continue
			}
			if err := checkOtherPrincipals(p); err != nil {
				return nil, err
			}
			for j, named := range p.AWS {
				held, err := hold(tx, named)
				if err != nil {
					return nil, err
				}
				if held != named && !strings.HasPrefix(held, "arn:") {
					if unknown(named) {
						return nil, &PrincipalError{Kind: "AWS", Principal: named}
					}
					arns[held] = named
				}
				p.AWS[j] = held
			}
		}
	}
	return arns, nil
}

// hold returns what is kept for one value of Principal.AWS.
func hold(tx store.Tx, named string) (string, error) {
	if named == "*" {
		return named, nil
	}
	if isAccountID(named) {
		return "arn:aws:iam::" + named + ":root", nil
	}
	unknown := &PrincipalError{Kind: "AWS", Principal: named}
	if parts := strings.SplitN(named, ":", 6); len(parts) == 6 && parts[1] == "aws" && parts[2] == "sts" && isAccountID(parts[4]) {
		// A session is named by its ARN; only its role has to exist.
		session := strings.Split(parts[5], "/")
		if len(session) == 2 && session[0] == "federated-user" && session[1] != "" {
			return named, nil // It need not have been made.
		}
		if len(session) != 3 || session[0] != "assumed-role" || session[2] == "" {
			return "", unknown
		}
		role, ok, err := state.ReadRole(tx, parts[4], session[1])
		if err != nil {
			return "", err
		}
		if !ok || role.Name != session[1] {
			return "", unknown
		}
		return named, nil
	}
	account, kind, name, ok := state.SplitPrincipalARN(named)
	if !ok || !isAccountID(account) {
		return "", unknown
	}
	switch kind {
	case "root":
		// Every account exists in a mesh; it need not have been opened yet.
		return named, nil
	case "user":
		u, found, err := state.GetUser(tx, account, name)
		if err != nil {
			return "", err
		}
		if found && u.ARN() == named {
			return u.ID, nil
		}
	case "role":
		r, found, err := state.ReadRole(tx, account, name)
		if err != nil {
			return "", err
		}
		if found && r.ARN() == named {
			return r.ID, nil
		}
	}
	return "", unknown
}

func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// checkOtherPrincipals refuses services that cannot be AWS's and identity
// providers other than the public ones: an account of the mesh has none.
func checkOtherPrincipals(p *iampolicy.Principal) error {
	for _, s := range p.Service {
		if !strings.HasSuffix(s, ".amazonaws.com") || strings.HasPrefix(s, ".") {
			return &PrincipalError{Kind: "SERVICE", Principal: s}
		}
	}
	for _, f := range p.Federated {
		if !slices.Contains([]string{"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}, f) {
			return &PrincipalError{Kind: "FEDERATED", Principal: f}
		}
	}
	if len(p.CanonicalUser) > 0 {
		return &PrincipalError{Kind: "CANONICAL", Principal: p.CanonicalUser[0]}
	}
	return nil
}

// ShowPrincipals is the reverse of [HoldPrincipals]: the policy as its owner sees
// it. A principal that was deleted is shown by its unique id.
func ShowPrincipals(tx store.Tx, text string, arns map[string]string) (string, error) {
	if len(arns) == 0 {
		return text, nil
	}
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		return "", fmt.Errorf("policy of a resource: %w", err)
	}
	for i := range d.Statements {
		for _, principal := range []*iampolicy.Principal{d.Statements[i].Principal, d.Statements[i].NotPrincipal} {
			if principal == nil {
				continue
			}
			for j, id := range principal.AWS {
				arn, ok := arns[id]
				if !ok {
					continue
				}
				now, err := hold(tx, arn)
				var gone *PrincipalError
				if err != nil && !errors.As(err, &gone) {
					return "", err
				}
				if now == id {
					principal.AWS[j] = arn
				}
			}
		}
	}
	return d.String(), nil
}
