package identity

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

// denial is what AWS says of a call that it refused
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
type denial struct {
	// action is what was refused, which need not be what was called: "iam:PassRole".
	action string
	// reason is AWS's own: "because no session policy allows the glue:GetTable action".
	// Older services say none.
	reason string
}

var (
	deniedAction = regexp.MustCompile(`not authorized to perform: ?([a-zA-Z0-9-]+:[a-zA-Z0-9*]+)`)
	deniedReason = regexp.MustCompile(`(because no .+? allows the \S+ action|with an explicit deny in .+?)(?:[.;]|$)`)
)

func readDenial(message string) denial {
	var d denial
	if m := deniedAction.FindStringSubmatch(message); m != nil {
		d.action = m[1]
	}
	if m := deniedReason.FindStringSubmatch(message); m != nil {
		d.reason = m[1]
	}
	return d
}

// quote is what AWS said, in short; empty if it said nothing of the kind.
func (d denial) quote() string {
	switch {
	case d.action == "" && d.reason == "":
		return ""
	case d.action == "":
		return "AWS denied it " + d.reason
	case d.reason == "":
		return "AWS denied " + d.action
	}
	return "AWS denied " + d.action + " " + d.reason
}

// by reports whether the reason names the kind of policy.
func (d denial) by(kind string) bool { return strings.Contains(strings.ToLower(d.reason), kind) }

// stays reports whether the denial is of a kind that no waiting ends: somebody has
// forbidden it, or a bound around the caller does not contain it. What is new is
// refused otherwise.
func (d denial) stays() bool {
	return slices.ContainsFunc([]string{"explicit deny", "service control policy", "resource control policy", "permissions boundary", "session policy", "vpc endpoint policy"}, d.by)
}

// handsOn reports whether it is about what the caller's session hands on along the
// hops, and not about the hop.
func (d denial) handsOn() bool {
	return d.action == "sts:TagSession" || d.action == "sts:SetSourceIdentity"
}

// remedy is what to do about it; empty if AWS did not say who denied.
func (d denial) remedy() advice {
	for _, by := range []struct{ kind, remedy string }{
		{"service control policy", "it is a policy of the organization: its administrators can allow it"},
		{"resource control policy", "it is a policy of the organization that the resource is in: its administrators can allow it"},
		{"permissions boundary", "the permissions boundary of the role or user must allow it, too"},
		{"session policy", "the session was opened with less than the role has; open it without a session policy"},
		{"vpc endpoint policy", "the policy of the VPC endpoint that the call went through must allow it"},
		{"explicit deny", "somebody has forbidden it; only that policy can be changed"},
		{"resource-based policy", "the policy of the resource, or a role's trust policy, must allow it"},
	} {
		if d.by(by.kind) {
			return advice{hint: by.remedy}
		}
	}
	switch d.action {
	case "sts:TagSession":
		return advice{"the session of the caller carries tags that go along with it; roles of the mesh account open with those of EKS Pod Identity only. " +
			"Begin with a session without transitive tags, or let the roles be brought up to date", rolesUpToDate()}
	case "sts:SetSourceIdentity":
		return advice{"the session of the caller carries a source identity; let the roles be brought up to date", rolesUpToDate()}
	}
	if strings.HasPrefix(d.action, "kms:") {
		return advice{hint: "what is read is encrypted with a KMS key whose policy, or the caller's, must allow it"}
	}
	return advice{}
}

// IsOwnDenial reports whether AWS says that a policy of the caller's own side refused,
// so that whatever is new elsewhere has no part in it.
func IsOwnDenial(err error) bool {
	d := readDenial(awserr.Message(err))
	return d.stays() || d.by("identity-based policy")
}
