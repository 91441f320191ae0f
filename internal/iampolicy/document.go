package iampolicy

// Versions of the policy language. A document without a version is read as Version2008, in
// which policy variables such as ${aws:username} are ordinary text.
const (
	Version2012 = "2012-10-17"
	Version2008 = "2008-10-17"
)

// Effect is what a statement does to the requests that it matches.
type Effect string

// The two effects of the policy language.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// A Document is one policy: the statements that are evaluated together.
type Document struct {
	Version    string
	ID         string
	Statements []Statement
}

// New returns a document of the current version of the language.
func New(statements ...Statement) Document {
	return Document{Version: Version2012, Statements: statements}
}

// A Statement allows or denies actions on resources, to principals where it is part of a resource-based
// policy, and under conditions. Exactly one of Actions and NotActions is set; at most one of the other pairs.
type Statement struct {
	SID          string
	Effect       Effect
	Actions      []string
	NotActions   []string
	Resources    []string
	NotResources []string
	Principal    *Principal
	NotPrincipal *Principal
	Conditions   Conditions
}

// Conditions are operators, with the condition keys that each tests, with the values it tests them against:
//
//	Conditions{"StringEquals": {"aws:SourceAccount": {"111111111111"}}}
//
// All operators and all keys must hold; of the values of a key, one must match (none, for a negated operator).
type Conditions map[string]map[string][]string

// A Principal is whom a statement of a resource-based policy is about.
type Principal struct {
	// All is everyone, anonymous callers included: the "*" form.
	All bool
	// AWS holds account ids, ARNs of accounts, users, roles and role sessions, unique ids, or "*".
	AWS           []string
	Service       []string
	Federated     []string
	CanonicalUser []string
}

// Everyone is the principal "*".
func Everyone() *Principal { return &Principal{All: true} }

// AWSPrincipal names accounts, users, roles and role sessions.
func AWSPrincipal(ids ...string) *Principal { return &Principal{AWS: ids} }

// ServicePrincipal names AWS services, such as lakeformation.amazonaws.com.
func ServicePrincipal(names ...string) *Principal { return &Principal{Service: names} }

// PolicyKind is what a document is used as, in the words of AWS's access denied messages.
type PolicyKind string

// The kinds of policies. A trust policy is the resource-based policy of a role.
const (
	IdentityBased       PolicyKind = "identity-based policy"
	ResourceBased       PolicyKind = "resource-based policy"
	SessionPolicy       PolicyKind = "session policy"
	PermissionsBoundary PolicyKind = "permissions boundary"
	TrustPolicy         PolicyKind = "role trust policy"
)
