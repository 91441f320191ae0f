package storage

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// reading is a role's reading of what is opened to it: every object below the prefixes
// and every listing of them.
type reading struct {
	role, bucket string
	// owner is the account of the bucket.
	owner    string
	prefixes []string
}

// denial is what a statement denies of a reading.
type denial struct {
	// actions are denied, in order.
	actions []string
	// part tells that some objects only are denied.
	part bool
	// prefixes are those that are concerned, in order.
	prefixes []string
	// depends are conditions that go by what cannot be known here; the statement denies
	// if all of them hold. Without any it denies.
	depends []string
	// because are the other conditions, which hold.
	because []string
}

// probe is the name of an object that a pattern made for some objects does not match.
const probe = "0f-lakemesh-probe"

// deniedBy evaluates one statement that denies, with the rules of IAM. Conditions on what
// is not known of a reader's calls (the network, the organization, tags) are left out of
// the evaluation and told. ok is false if the statement denies nothing of the reading.
func (r reading) deniedBy(s iampolicy.Statement, version string) (d denial, ok bool) {
	known, depends, because := r.conditions(s.Conditions)
	s.Conditions = known
	who := r.principal()
	if s.Principal != nil {
		// Which name Lake Formation gives to its sessions is not documented.
		session := who.SessionARN[:strings.LastIndexByte(who.SessionARN, '/')+1]
		if i := slices.IndexFunc(s.Principal.AWS, func(id string) bool { return strings.HasPrefix(id, session) }); i >= 0 {
			depends = append(depends, "the session's name being "+s.Principal.AWS[i][len(session):])
			s.Principal = iampolicy.AWSPrincipal(r.role)
		}
	}
	denies := func(s iampolicy.Statement, action, resource, prefix string) bool {
		return iampolicy.Evaluate(iampolicy.Request{Action: action, Resource: resource, Principal: who, Keys: r.keys(action, prefix)},
			iampolicy.Policies{ResourceAccount: r.owner, Resource: &iampolicy.Named{Name: r.bucket,
				Document: &iampolicy.Document{Version: version, Statements: []iampolicy.Statement{s}}}}).Effect == iampolicy.ExplicitDeny
	}
	anywhere := s
	anywhere.Resources, anywhere.NotResources = []string{"*"}, nil
	whole := map[string]bool{}
	some := map[string]bool{}
	for _, prefix := range r.prefixes {
		object := objectARN(r.role, r.bucket, prefix+probe)
		if !denies(anywhere, "s3:GetObject", object, prefix) {
			break
		}
		switch {
		case denies(s, "s3:GetObject", object, prefix):
			whole[prefix] = true
		case slices.ContainsFunc(s.Resources, func(pattern string) bool { return overlaps(pattern, objectARN(r.role, r.bucket, prefix)) }):
			some[prefix] = true
		}
	}
	if len(whole)+len(some) > 0 {
		d.actions = append(d.actions, "s3:GetObject")
	}
	listed := false
	for _, prefix := range r.prefixes {
		if denies(s, "s3:ListBucket", bucketARN(r.role, r.bucket), prefix) {
			listed = true
			whole[prefix] = true
			delete(some, prefix)
		}
	}
	if listed {
		d.actions = append(d.actions, "s3:ListBucket")
	}
	d.part = len(whole) == 0
	maps.Copy(whole, some)
	d.prefixes = slices.Sorted(maps.Keys(whole))
	d.depends, d.because = depends, because
	if s.NotPrincipal != nil && len(d.actions) > 0 {
		d.because = append(d.because, "NotPrincipal")
	}
	return d, len(d.actions) > 0
}

// overlaps reports whether a pattern may match something below a place: where the two
// begin differently, they have nothing in common.
func overlaps(pattern, place string) bool {
	i := strings.IndexAny(pattern, "*?$")
	if i < 0 {
		return strings.HasPrefix(pattern, place)
	}
	return strings.HasPrefix(place, pattern[:i]) || strings.HasPrefix(pattern[:i], place)
}

// unknownID is the unique id of the role, of which only the beginning is known
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids).
const (
	roleID    = "AROA"
	unknownID = roleID + "0000UNKNOWN00000"
)

// principal is who reads: a session of the role, as Lake Formation opens it.
func (r reading) principal() iampolicy.PrincipalInfo {
	account, name, session := accountOf(r.role), r.role[strings.LastIndexByte(r.role, '/')+1:], "unknown"
	return iampolicy.PrincipalInfo{Account: account, ARN: r.role, UserID: unknownID + ":" + session,
		SessionARN: partitionOf(r.role).ARN("sts", "", account, "assumed-role/"+name+"/"+session)}
}

// leastTLS is the version of TLS that AWS's endpoints ask for at least
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-tls.html).
const leastTLS = "1.2"

// keys are the condition keys of a reader's call whose values are known. Those that
// describe the principal follow from it.
func (r reading) keys(action, prefix string) map[string][]string {
	keys := map[string][]string{
		"aws:SecureTransport":        {"true"},
		"aws:ResourceAccount":        {r.owner},
		"s3:ResourceAccount":         {r.owner},
		"aws:MultiFactorAuthPresent": {"false"},
		"s3:TlsVersion":              {leastTLS},
		"s3:authType":                {"REST-HEADER"},
		"s3:signatureversion":        {"AWS4-HMAC-SHA256"},
	}
	if action == "s3:ListBucket" {
		keys["s3:prefix"] = []string{prefix}
	}
	return keys
}

// absent are condition keys, or what they begin with, that no reader's call has: those of
// users, of services that call by themselves, of access points, and of writing
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html).
var absent = []string{"aws:username", "aws:multifactorauthage", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths",
	"aws:principalservicename", "aws:federatedprovider", "aws:ec2instancesource", "ec2:", "lambda:", "s3:x-amz-", "s3:versionid", "s3:dataaccesspoint",
	"s3:accesspointnetworkorigin", "s3:object-lock-", "s3:locationconstraint", "s3:requestobjecttag"}

// isKnown reports whether a condition can be decided without a reader's call.
func (r reading) isKnown(operator, key string, values []string) bool {
	if slices.ContainsFunc(values, func(v string) bool { return !r.resolves(v) }) {
		return false
	}
	folded := strings.ToLower(key)
	switch folded {
	case "aws:userid":
		// The role's unique id is not known, but how it begins.
		return !slices.ContainsFunc(values, mayBeRoleID)
	case "s3:tlsversion":
		// It is this one or a later one.
		return strings.HasPrefix(operator, "NumericLessThan") && !strings.HasPrefix(operator, "NumericLessThanEquals") &&
			!slices.ContainsFunc(values, func(v string) bool {
				n, err := strconv.ParseFloat(v, 64)
				return err != nil || n > 1.2
			})
	case "aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice", "s3:prefix":
		return true
	}
	for known := range r.keys("", "") {
		if strings.EqualFold(known, key) {
			return true
		}
	}
	return slices.ContainsFunc(absent, func(prefix string) bool { return strings.HasPrefix(folded, prefix) })
}

// mayBeRoleID reports whether a pattern may match the unique id of a role's session.
func mayBeRoleID(pattern string) bool {
	if i := strings.IndexAny(pattern, "*?$"); i >= 0 {
		pattern = pattern[:i]
	}
	head := min(len(pattern), len(roleID))
	return strings.EqualFold(pattern[:head], roleID[:head])
}

// resolves reports whether a value names no variable that is not known.
func (r reading) resolves(value string) bool {
	for {
		_, after, found := strings.Cut(value, "${")
		name, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			return true
		}
		key, _, _ := strings.Cut(name, ",")
		switch key = strings.TrimSpace(key); {
		case name == "*" || name == "?" || name == "$":
		case strings.EqualFold(key, "aws:userid") || !r.isKnown("StringEquals", key, nil):
			return false
		}
		value = rest
	}
}

// conditions parts the conditions of a statement into those that can be decided, and the
// texts of the others and of those.
func (r reading) conditions(all iampolicy.Conditions) (known iampolicy.Conditions, depends, because []string) {
	known = iampolicy.Conditions{}
	for _, operator := range slices.Sorted(maps.Keys(all)) {
		for _, key := range slices.Sorted(maps.Keys(all[operator])) {
			values := all[operator][key]
			text := conditionText(operator, key, values)
			if !r.isKnown(operator, key, values) {
				depends = append(depends, text)
				continue
			}
			if known[operator] == nil {
				known[operator] = map[string][]string{}
			}
			known[operator][key] = values
			because = append(because, text)
		}
	}
	return known, depends, because
}

// conditionText names a condition, with a few of its values.
func conditionText(operator, key string, values []string) string {
	const few = 3
	shown := strings.Join(values[:min(few, len(values))], ", ")
	if len(values) > few {
		shown += fmt.Sprintf(" and %d more", len(values)-few)
	}
	return fmt.Sprintf("%s %s %s", key, operator, shown)
}

// readStatement reads one statement of a policy of a version.
func readStatement(raw json.RawMessage, version string) (iampolicy.Statement, error) {
	text, err := encode(map[string]any{"Version": version, "Statement": []json.RawMessage{raw}})
	if err != nil {
		return iampolicy.Statement{}, err
	}
	document, err := iampolicy.Parse(text)
	if err != nil {
		return iampolicy.Statement{}, err
	}
	return document.Statements[0], nil
}
