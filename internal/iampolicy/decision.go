package iampolicy

// Outcome is the result of an evaluation, in the words of IAM's policy simulator.
type Outcome string

// The outcomes. A request that no policy speaks of is denied implicitly.
const (
	Allowed      Outcome = "allowed"
	ExplicitDeny Outcome = "explicitDeny"
	ImplicitDeny Outcome = "implicitDeny"
)

// A Decision says whether a request is allowed, and why.
type Decision struct {
	Allowed bool
	Effect  Outcome
	// Kind, Policy, SID and Index name the statement that allowed or explicitly denied: the kind of its
	// policy, the name of the policy, and the id and the index of the statement. Index is -1 when no
	// statement decided.
	Kind   PolicyKind
	Policy string
	SID    string
	Index  int
	// Missing is the kind of policy that had no allow, when the denial is implicit.
	Missing PolicyKind
}

// Because is the end of AWS's access denied message for an action, such as
// "because no identity-based policy allows the glue:GetTable action". It is empty when the request was allowed.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
func (d Decision) Because(action string) string {
	switch d.Effect {
	case ExplicitDeny:
		article := "a"
		switch d.Kind {
		case IdentityBased:
			article = "an"
		case TrustPolicy:
			article = "the"
		}
		return "with an explicit deny in " + article + " " + string(d.Kind)
	case ImplicitDeny:
		return "because no " + string(d.Missing) + " allows the " + action + " action"
	default:
		return ""
	}
}
