package iampolicy

import "strings"

// A Request is what a caller asks for.
type Request struct {
	// Action is the action, such as glue:GetTable.
	Action string
	// Resource is the ARN of the resource; empty or "*" for actions that have none.
	Resource string
	// Principal is the caller.
	Principal PrincipalInfo
	// Keys is the request context: condition keys, whose case does not matter, and their values. The keys that follow
	// from Principal need not be given: aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:userid,
	// aws:username, aws:PrincipalIsAWSService and aws:PrincipalServiceName.
	Keys map[string][]string
	// KeysWhenAsked gives the request context in place of Keys, for whoever must look it up: it is called when a
	// policy first asks for a key, which few do, and is to give the same each time.
	KeysWhenAsked func() map[string][]string
}

// A PrincipalInfo is who calls: a user, a role's session, an account's root user, a service, a federated
// identity (which has no account yet), or nobody known.
type PrincipalInfo struct {
	Account string
	// ARN is the IAM ARN of the user, of the role that the session is of, or of the account's root.
	ARN string
	// SessionARN is the ARN of the session (assumed-role/… or federated-user/…), where there is one.
	SessionARN string
	// UserID is the unique id: AIDA… of a user, AROA…:session of a role's session.
	UserID string
	// Root is set for the root user, to whom identity-based policies do not apply: it may do everything in its account.
	Root bool
	// Service is the service that calls by itself, such as ram.amazonaws.com.
	Service string
	// Federated is the identity provider that the caller comes with.
	Federated string
	// CanonicalUser is the canonical user id that S3 knows the caller's account by.
	CanonicalUser string
	// Anonymous is set when the request is not signed.
	Anonymous bool
}

// belongsToAccount tells the callers that have policies of their own from those that only a resource's policy can allow.
func (p *PrincipalInfo) belongsToAccount() bool {
	return p.Service == "" && p.Federated == "" && !p.Anonymous
}

// keys is the request context.
func (r *Request) keys() map[string][]string {
	if r.KeysWhenAsked != nil {
		return r.KeysWhenAsked()
	}
	return r.Keys
}

// lookup gives the values of a condition key.
func (e *evaluation) lookup(key string) []string {
	// A key that is there in two spellings must not make the decision depend on the order of a map.
	found, name := []string(nil), ""
	for k, values := range e.request.keys() {
		if len(k) == len(key) && strings.EqualFold(k, key) && (name == "" || k < name) {
			found, name = values, k
		}
	}
	if name != "" {
		return found
	}
	if value := e.request.Principal.key(key); value != "" {
		return []string{value}
	}
	return nil
}

// key gives the condition keys that describe the caller. The ARN of a session is that of its role:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn.
func (p *PrincipalInfo) key(name string) string {
	switch {
	case strings.EqualFold(name, "aws:PrincipalArn"):
		return p.ARN
	case strings.EqualFold(name, "aws:PrincipalAccount"):
		return p.Account
	case strings.EqualFold(name, "aws:PrincipalType"):
		return p.principalType()
	case strings.EqualFold(name, "aws:userid"):
		if p.Root && p.UserID == "" {
			return p.Account
		}
		return p.UserID
	case strings.EqualFold(name, "aws:username"):
		return p.userName()
	case strings.EqualFold(name, "aws:PrincipalIsAWSService"):
		switch {
		case p.Anonymous || p.Federated != "":
			return ""
		case p.Service != "":
			return "true"
		}
		return "false"
	case strings.EqualFold(name, "aws:PrincipalServiceName"):
		return p.Service
	}
	return ""
}

func (p *PrincipalInfo) principalType() string {
	switch {
	case p.Anonymous:
		return "Anonymous"
	case p.Service != "" || p.Federated != "":
		return ""
	case p.Root:
		return "Account"
	case strings.Contains(p.SessionARN, ":federated-user/"):
		return "FederatedUser"
	case p.SessionARN != "" || strings.Contains(p.ARN, ":role/"):
		return "AssumedRole"
	default:
		return "User"
	}
}

// userName is the name of a user without its path. Roles have none.
func (p *PrincipalInfo) userName() string {
	_, path, ok := strings.Cut(p.ARN, ":user/")
	if !ok || p.SessionARN != "" {
		return ""
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}
