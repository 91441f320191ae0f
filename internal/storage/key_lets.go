package storage

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// KeyLets evaluates the policy of a key for a role that decrypts with it what it reads from
// S3, by IAM's rules. The role's own policies and grants of KMS are not looked at.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func KeyLets(policy, key, role string) (Letting, error) {
	d, err := parse(policy)
	if err != nil {
		return Letting{}, fmt.Errorf("the policy of key %s: %w", key, err)
	}
	version := iampolicy.Version2008
	if d.variables() {
		version = withVariables
	}
	var l Letting
	var by []string
	for _, raw := range d.statements {
		s, err := readStatement(raw, version)
		if err != nil {
			// What it lets or denies nobody here can tell.
			l.Perhaps = true
			l.Denied = append(l.Denied, Denied{Role: role, Text: fmt.Sprintf("the policy of key %s has a statement that cannot be evaluated (%s)", key, named(raw))})
			continue
		}
		known, depends := keyConditions(s.Conditions, key, role)
		s.Conditions = known
		r := reading{role: role}
		decision := iampolicy.Evaluate(iampolicy.Request{Action: "kms:Decrypt", Resource: key, Principal: r.principal(), Keys: keyKeys(key, role)},
			iampolicy.Policies{Identity: everything, ResourceAccount: accountOf(key), Resource: &iampolicy.Named{Name: key,
				Document: &iampolicy.Document{Version: version, Statements: []iampolicy.Statement{s}}}})
		switch {
		case decision.Effect == iampolicy.ExplicitDeny:
			l.Denied = append(l.Denied, Denied{Role: role, Certain: !depends, Text: fmt.Sprintf("the policy of key %s denies %s to decrypt (%s)", key, role, named(raw))})
		case decision.Allowed && depends:
			l.Perhaps = true
			by = append(by, named(raw))
		case decision.Allowed:
			l.Open = true
			by = append(by, named(raw))
		}
	}
	l.By = strings.Join(by, ", ")
	return l, nil
}

// keyKeys are the condition keys of a call to decrypt what is read from S3 whose values are
// known. Those that describe the principal follow from it.
func keyKeys(key, role string) map[string][]string {
	region := ""
	if parts := strings.Split(key, ":"); len(parts) == 6 {
		region = parts[3]
	}
	return map[string][]string{"kms:ViaService": {"s3." + region + ".amazonaws.com"}, "kms:CallerAccount": {accountOf(role)}, "aws:ResourceAccount": {accountOf(key)}}
}

// keyConditions are the conditions whose keys are known, and whether there are others.
func keyConditions(all iampolicy.Conditions, key, role string) (known iampolicy.Conditions, depends bool) {
	keys := map[string]bool{"aws:principalarn": true, "aws:principalaccount": true, "aws:principaltype": true, "aws:principalisawsservice": true}
	for name := range maps.Keys(keyKeys(key, role)) {
		keys[strings.ToLower(name)] = true
	}
	known = iampolicy.Conditions{}
	for operator, on := range all {
		for name, values := range on {
			if raw, err := json.Marshal(values); err != nil || !keys[strings.ToLower(name)] || strings.Contains(string(raw), "${") {
				depends = true
				continue
			}
			if known[operator] == nil {
				known[operator] = map[string][]string{}
			}
			known[operator][name] = values
		}
	}
	return known, depends
}
