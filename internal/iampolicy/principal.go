package iampolicy

import (
	"slices"
	"strings"
)

// A reach is how directly a statement of a resource-based policy names the caller, which decides what else must allow.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html.
type reach uint8

const (
	// notNamed: the statement is about others.
	notNamed reach = iota
	// namesAccount: the statement names the caller's account, which leaves it to the account's own policies.
	namesAccount
	// namesRole: the statement names the role (or the federated user's user): the policies of the role need not allow,
	// but its permissions boundary and the session's policies limit what was granted.
	namesRole
	// namesCaller: the statement names exactly who calls, or everyone, and nothing else need allow.
	namesCaller
)

// reach tells how a Principal element names the caller.
func (p *Principal) reach(who *PrincipalInfo) reach {
	if p.All {
		return namesCaller
	}
	if who.Service != "" {
		return namesCallerIf(slices.Contains(p.Service, who.Service))
	}
	if who.Federated != "" {
		return namesCallerIf(slices.Contains(p.Federated, who.Federated))
	}
	best := notNamed
	for _, id := range p.AWS {
		best = max(best, who.namedBy(id))
	}
	if best == notNamed && who.CanonicalUser != "" && slices.Contains(p.CanonicalUser, who.CanonicalUser) {
		best = who.asAccount()
	}
	return best
}

func namesCallerIf(named bool) reach {
	if named {
		return namesCaller
	}
	return notNamed
}

// namedBy tells how one value of Principal.AWS names the caller. There are no wildcards but "*" itself.
func (p *PrincipalInfo) namedBy(id string) reach {
	switch {
	case id == "":
		return notNamed
	case id == "*":
		return namesCaller
	case p.Anonymous:
		return notNamed
	case id == p.SessionARN:
		return namesCaller
	case id == p.ARN && !isAccountRoot(id):
		return p.asEntity()
	case p.Account != "" && accountOf(id) == p.Account:
		return p.asAccount()
	case p.UserID != "" && id == p.UserID:
		return namesCaller
	case isUniqueID(id) && strings.HasPrefix(p.UserID, id) && strings.HasPrefix(p.UserID[len(id):], ":"):
		// A trust policy stores the unique id of the role, and a session's id is the role's with the session's name.
		return p.asEntity()
	}
	return notNamed
}

// asEntity: naming the user that calls names the caller; naming the role of a session does not name the session.
func (p *PrincipalInfo) asEntity() reach {
	if p.SessionARN != "" || strings.Contains(p.ARN, ":role/") {
		return namesRole
	}
	return namesCaller
}

// asAccount: naming the account delegates to the account, and its root user is the account.
func (p *PrincipalInfo) asAccount() reach {
	if p.Root {
		return namesCaller
	}
	return namesAccount
}

// exempts tells whether a NotPrincipal element spares the caller. For an allow, everyone who is named in any way is
// left out. For a deny, AWS looks at the account, the role and the session in turn, and may deny when one of them is
// not listed, so this asks for all of them:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html.
func (p *Principal) exempts(who *PrincipalInfo, effect Effect) bool {
	named := p.reach(who)
	if effect != Deny || p.All || !who.belongsToAccount() || slices.Contains(p.AWS, "*") {
		return named != notNamed
	}
	var account, entity, session bool
	for _, id := range p.AWS {
		switch who.namedBy(id) {
		case namesAccount:
			account = true
		case namesRole:
			entity = true
		case namesCaller:
			session = true
		}
	}
	if who.Root {
		return session
	}
	account = account || who.CanonicalUser != "" && slices.Contains(p.CanonicalUser, who.CanonicalUser)
	if who.asEntity() == namesCaller {
		return account && session
	}
	return account && entity && (session || who.SessionARN == "")
}

// accountOf gives the account that an account id or the ARN of an account's root names.
func accountOf(id string) string {
	if isAccountID(id) {
		return id
	}
	if !isAccountRoot(id) {
		return ""
	}
	id = strings.TrimSuffix(id, ":root")
	return id[strings.LastIndexByte(id, ':')+1:]
}

func isAccountID(id string) bool {
	if len(id) != 12 {
		return false
	}
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
	}
	return true
}

// isAccountRoot recognizes arn:PARTITION:iam::ACCOUNT:root.
func isAccountRoot(arn string) bool {
	return strings.HasPrefix(arn, "arn:") && strings.HasSuffix(arn, ":root") &&
		strings.Contains(arn, ":iam::") && resourcePart(arn) == len(arn)-len("root")
}

// isUniqueID recognizes the unique ids that IAM puts in place of the ARNs of users and roles:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids.
func isUniqueID(id string) bool {
	if len(id) < 16 || len(id) > 128 || id[0] != 'A' {
		return false
	}
	for i := range len(id) {
		if (id[i] < '0' || id[i] > '9') && (id[i] < 'A' || id[i] > 'Z') {
			return false
		}
	}
	return true
}
