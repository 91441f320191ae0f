// Package authz decides with IAM policies on the local mesh's state: it gathers
// the policies that apply to a caller and has the policy language evaluate them.
package authz

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Caller is an authenticated principal.
type Caller struct {
	// Account is the principal's account.
	Account string
	// ARN is the identity that sts:GetCallerIdentity shows: a user's, a root's or
	// an assumed-role session's.
	ARN string
	// Principal is the IAM principal that policies and grants name: the user's,
	// the role's (with its path) or the root's ARN.
	Principal string
	// UserID is the unique id, with the session name for sessions.
	UserID string
	// AccessKeyID is the key that signed.
	AccessKeyID string
	// Root is set for the account's root.
	Root bool
	// Session is set for temporary credentials.
	Session *state.Session
	// Service is set when an AWS service acts on its own behalf: its name, such
	// as "lakeformation.amazonaws.com".
	Service string
	// Known are the caller's own policies as far as they are known, where that is not
	// what they are.
	Known *state.Permissions
	// Origin is where the caller's request came from; nil when a service decides for
	// a principal that does not call.
	Origin *Origin
}

// Origin is what a request tells about its sender.
type Origin struct {
	// SourceIP is the address that the request came from.
	SourceIP string
	// UserAgent is the request's header, or empty.
	UserAgent string
	// TLS is set if the connection is encrypted.
	TLS bool
}

// Anonymous tells that the request was not signed.
func (c Caller) Anonymous() bool { return c.Account == "" && c.Service == "" }

// Question is what is asked of IAM.
type Question struct {
	// Action is the IAM action: "glue:CreateTable".
	Action string
	// Resources are ARNs, all of which must be allowed; none means "*".
	Resources []string
	// Keys are the condition keys of the service; the global ones are added.
	Keys map[string][]string
	// ResourcePolicy is the resource's own policy as JSON, or empty.
	ResourcePolicy string
	// ResourcePolicyName is what the decision calls it.
	ResourcePolicyName string
	// ResourceAccount owns the resource; empty means the caller's account.
	ResourceAccount string
	// ResourceRequired says that the resource's policy must allow, even in the
	// caller's own account, as for a role's trust policy.
	ResourceRequired bool
	// Forwarded is set when a service asks with the rights of who called it.
	Forwarded bool
	// IdentityOnly leaves the resource's side to the service: the caller's own
	// policies alone decide. It is for resources in other accounts whose owner's
	// consent is not a policy (a RAM share, a Lake Formation grant).
	IdentityOnly bool
}

// Decision is IAM's answer.
type Decision struct {
	Allowed bool
	// Reason is AWS's message for a refusal, with the statement that denied.
	Reason string
	// Detail is the evaluator's own decision for the resource that decided.
	Detail iampolicy.Decision
}

// Policies evaluates policies, and remembers parsed documents.
type Policies struct {
	mu     sync.Mutex
	parsed map[string]*iampolicy.Document
}

// rememberedDocuments bounds the memory of parsed documents.
const rememberedDocuments = 10_000

// NewPolicies returns an evaluator.
func NewPolicies() *Policies { return &Policies{parsed: map[string]*iampolicy.Document{}} }

// Copy returns an evaluator that begins with the documents that this one has parsed.
func (p *Policies) Copy() *Policies {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &Policies{parsed: maps.Clone(p.parsed)}
}

// Document parses a policy document, or returns the one parsed before. The
// document must not be changed.
func (p *Policies) Document(text string) (*iampolicy.Document, error) {
	p.mu.Lock()
	d := p.parsed[text]
	p.mu.Unlock()
	if d != nil {
		return d, nil
	}
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.parsed) >= rememberedDocuments {
		clear(p.parsed)
	}
	p.parsed[text] = d
	return d, nil
}

// Decide answers q for the caller at a moment, in a region.
func (p *Policies) Decide(tx store.Tx, caller Caller, q Question, now time.Time, region string) (Decision, error) {
	policies, err := p.gather(tx, caller)
	if err != nil {
		return Decision{}, err
	}
	owner := q.ResourceAccount
	if owner == "" {
		owner = caller.Account
	}
	policies.ResourceAccount = owner
	if q.IdentityOnly {
		policies.ResourceAccount = caller.Account
	}
	policies.ResourceRequired = q.ResourceRequired
	if q.ResourcePolicy != "" {
		d, err := p.Document(q.ResourcePolicy)
		if err != nil {
			return Decision{}, fmt.Errorf("policy of the resource: %w", err)
		}
		policies.Resource = &iampolicy.Named{Name: q.ResourcePolicyName, Document: d}
	}
	// Few policies have conditions, and there are many keys.
	var failed error
	keys := sync.OnceValue(func() (keys map[string][]string) {
		keys, failed = requestKeys(tx, caller, q, owner, now, region)
		return keys
	})
	resources := q.Resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	// An explicit deny on one of the resources is the answer, whatever is missing on the others.
	decided, on := iampolicy.Decision{}, ""
	for i, r := range resources {
		d := iampolicy.Evaluate(iampolicy.Request{
			Action: q.Action, Resource: r, KeysWhenAsked: keys,
			Principal: iampolicy.PrincipalInfo{
				Account: caller.Account, ARN: caller.Principal, SessionARN: sessionARN(caller),
				UserID: caller.UserID, Service: caller.Service, Root: caller.Root, Anonymous: caller.Anonymous(),
			},
		}, policies)
		if failed != nil {
			return Decision{}, failed
		}
		if i == 0 || decided.Allowed || d.Effect == iampolicy.ExplicitDeny {
			decided, on = d, r
		}
		if decided.Effect == iampolicy.ExplicitDeny {
			break
		}
	}
	if !decided.Allowed {
		return Decision{Reason: reason(caller, q.Action, on, decided), Detail: decided}, nil
	}
	return Decision{Allowed: true, Detail: decided}, nil
}

// requestKeys are the condition keys of a question.
func requestKeys(tx store.Tx, caller Caller, q Question, owner string, now time.Time, region string) (map[string][]string, error) {
	keys, err := globalKeys(tx, caller, owner, now, region)
	if err != nil {
		return nil, err
	}
	if q.Forwarded {
		// The address is not that of the caller then
		// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceip).
		keys["aws:viaawsservice"] = []string{"true"}
		delete(keys, "aws:sourceip")
	}
	for k, v := range q.Keys {
		keys[strings.ToLower(k)] = v
	}
	return keys, nil
}

func sessionARN(c Caller) string {
	if c.Session == nil || c.Session.Role == "" && !c.Session.Federated {
		return ""
	}
	return c.ARN
}

// reason words a refusal as AWS does
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
func reason(c Caller, action, resource string, d iampolicy.Decision) string {
	who := "User: " + c.ARN
	if c.ARN == "" {
		who = "User: anonymous"
	}
	m := fmt.Sprintf("%s is not authorized to perform: %s on resource: %s", who, action, resource)
	if resource == "*" {
		m = fmt.Sprintf("%s is not authorized to perform: %s", who, action)
	}
	return strings.TrimSpace(m + " " + d.Because(action))
}
