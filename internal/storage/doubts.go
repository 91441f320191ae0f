package storage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/printable"
)

// doubts names the statements that make what is opened to a role ineffective, that may
// do so, or that keep open what is closed to it: each in a sentence, with what can be
// done. They stay as they are; whoever wrote them has to know.
func doubts(policy, bucket, owner string, parts []Part) ([]string, error) {
	d, err := parse(policy)
	if err != nil {
		return nil, err
	}
	version := iampolicy.Version2008
	if d.variables() {
		version = withVariables
	}
	var said []string
	for _, raw := range d.statements {
		if _, ok := readOwn(raw, bucket, d.variables()); ok {
			continue
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil {
			continue
		}
		effect, _ := oneText(members["Effect"])
		s, unreadable := readStatement(raw, version)
		for _, p := range parts {
			switch {
			case effect == string(iampolicy.Allow):
				if ourSid.MatchString(sidOf(raw)) && namesRole(members["Principal"], p.Role) {
					said = append(said, fmt.Sprintf("the policy of bucket %s has a statement with a name of ours that is not as lakemesh writes it (%s): it stays as it is, and what it allows to %s is not closed", bucket, named(raw), p.Role))
				}
			case len(p.Open) == 0:
			case unreadable != nil:
				said = append(said, fmt.Sprintf("the policy of bucket %s has a statement that denies and cannot be evaluated (%s: %s): %s may not be able to read what is opened to it", bucket, named(raw), printable.Line(unreadable.Error()), p.Role))
			default:
				r := reading{role: p.Role, bucket: bucket, owner: owner, prefixes: p.Open}
				if denied, ok := r.deniedBy(s, version); ok {
					said = append(said, r.sentence(denied, named(raw)))
				}
			}
		}
	}
	return said, nil
}

// sentence says what a statement denies, why, and what can be done.
func (r reading) sentence(d denial, sid string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "the policy of bucket %s has a statement that denies reading (%s): ", r.bucket, sid)
	what := strings.Join(d.actions, " and ")
	if d.part {
		what += " of some objects"
	}
	fmt.Fprintf(&b, "%s is denied %s below %s", r.role, what, list(Change{Bucket: r.bucket}.places(d.prefixes)))
	if len(d.because) > 0 {
		fmt.Fprintf(&b, " by %s", strings.Join(d.because, " and "))
	}
	if len(d.depends) > 0 {
		fmt.Fprintf(&b, " where this holds, which goes by the reader's call and cannot be known here: %s", strings.Join(d.depends, " and "))
	}
	b.WriteString("; what is opened there ")
	if len(d.depends) > 0 || d.part {
		b.WriteString("may not be readable")
	} else {
		b.WriteString("cannot be read")
	}
	b.WriteString(". ")
	except := fmt.Sprintf(`"ArnNotEquals": {"aws:PrincipalArn": %q}`, r.role)
	switch {
	case slices.Contains(d.because, "NotPrincipal"):
		// A deny asks for the session's ARN in NotPrincipal too, and Lake Formation chooses it
		// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html).
		b.WriteString(`NotPrincipal cannot name Lake Formation's sessions: let whoever wrote it say "Principal": "*" and, in its Condition, ` + except)
	case slices.ContainsFunc(slices.Concat(d.because, d.depends), func(c string) bool {
		key, rest, _ := strings.Cut(c, " ")
		operator, _, _ := strings.Cut(rest, " ")
		return strings.EqualFold(key, "aws:PrincipalArn") && strings.Contains(operator, "Not")
	}):
		b.WriteString("Let whoever wrote it add the role to the exceptions that it names by aws:PrincipalArn")
	default:
		b.WriteString("Let whoever wrote it except the role, in its Condition: " + except)
	}
	return b.String()
}

// namesRole reports whether a principal may be the role or one of its sessions.
func namesRole(raw json.RawMessage, role string) bool {
	if everybody, ok := oneText(raw); ok {
		return everybody == "*"
	}
	var principal map[string]json.RawMessage
	if json.Unmarshal(raw, &principal) != nil {
		return false
	}
	account := accountOf(role)
	session := "assumed-role/" + role[strings.LastIndexByte(role, '/')+1:] + "/"
	return slices.ContainsFunc(texts(principal["AWS"]), func(id string) bool {
		return id == "*" || id == role || id == account || strings.HasSuffix(id, ":iam::"+account+":root") ||
			strings.Contains(id, ":sts::"+account+":"+session)
	})
}
