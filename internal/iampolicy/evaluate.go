package iampolicy

// Policies are all the policies that apply to a request.
type Policies struct {
	// Identity are the policies of the caller: of the user and its groups, or of the role.
	Identity []Named
	// Boundary is the caller's permissions boundary; nil when it has none.
	Boundary []Named
	// Session are the policies that were passed when the session was made; nil when there were none.
	Session []Named
	// Resource is the policy of the resource: a bucket's, a catalog's, a role's trust policy; nil when it has none.
	Resource *Named
	// ResourceAccount is the account of the resource. When it is empty, the resource is in the caller's account.
	ResourceAccount string
	// ResourceRequired says that the policy of the resource must allow within an account too, as the trust policy of a
	// role must: when it names the caller, that is enough; when it names the account, the caller's policies must allow
	// as well. See
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html.
	ResourceRequired bool
}

// A Named is a document with the name that decisions call it by.
type Named struct {
	Name     string
	Document *Document
}

// Evaluate decides whether the policies allow the request.
func Evaluate(req Request, p Policies) Decision {
	e := evaluation{request: &req, bounded: p.Boundary != nil}
	identity := e.gather(IdentityBased, p.Identity)
	boundary := e.gather(PermissionsBoundary, p.Boundary)
	session := e.gather(SessionPolicy, p.Session)
	resourceKind := ResourceBased
	if isSTS(req.Action) {
		// The only resources of STS that have policies are roles.
		resourceKind = TrustPolicy
	}
	resource := e.resource(resourceKind, p.Resource)
	for _, f := range [...]*found{&identity, &resource, &boundary, &session} {
		if f.denied.document != nil {
			return f.denied.decision(ExplicitDeny)
		}
	}

	caller := &req.Principal
	if !caller.belongsToAccount() {
		// A service, a federated identity or nobody: no policies but the resource's speak of them.
		if resource.reach == notNamed {
			return missing(resourceKind)
		}
		return resource.allowed.decision(Allowed)
	}

	sameAccount := p.ResourceAccount == "" || p.ResourceAccount == caller.Account
	if sameAccount && resource.reach == namesCaller {
		return resource.allowed.decision(Allowed)
	}
	granted := caller.Root || identity.allowed.document != nil || sameAccount && resource.reach == namesRole
	switch {
	case sameAccount && p.ResourceRequired && resource.reach == notNamed:
		return missing(resourceKind)
	case !granted:
		return missing(IdentityBased)
	case p.Boundary != nil && boundary.allowed.document == nil:
		return missing(PermissionsBoundary)
	case p.Session != nil && session.allowed.document == nil:
		return missing(SessionPolicy)
	case !sameAccount && resource.reach == notNamed:
		return missing(resourceKind)
	case identity.allowed.document != nil:
		return identity.allowed.decision(Allowed)
	case resource.allowed.document != nil:
		return resource.allowed.decision(Allowed)
	default:
		// The root user, to whom no statement needs to allow anything.
		return Decision{Allowed: true, Effect: Allowed, Index: -1}
	}
}

func missing(kind PolicyKind) Decision {
	return Decision{Effect: ImplicitDeny, Index: -1, Missing: kind}
}

// An evaluation is one request on its way through the policies.
type evaluation struct {
	request *Request
	// variables says whether the document at hand is of a version with policy variables.
	variables bool
	// bounded says whether the caller has a permissions boundary.
	bounded bool
}

// found is what the policies of one kind say: the first statement that denies, and the first that allows (of a
// resource's policy, the one that names the caller most directly).
type found struct {
	denied, allowed match
	reach           reach
}

// A match is a statement that matched the request.
type match struct {
	kind     PolicyKind
	name     string
	document *Document
	index    int
}

func (m match) decision(outcome Outcome) Decision {
	return Decision{
		Allowed: outcome == Allowed,
		Effect:  outcome,
		Kind:    m.kind,
		Policy:  m.name,
		SID:     m.document.Statements[m.index].SID,
		Index:   m.index,
	}
}

// gather goes through policies that are attached to the caller or its session.
func (e *evaluation) gather(kind PolicyKind, policies []Named) found {
	var f found
	for _, policy := range policies {
		if policy.Document == nil {
			continue
		}
		e.variables = policy.Document.Version == Version2012
		for i := range policy.Document.Statements {
			s := &policy.Document.Statements[i]
			slot := &f.denied
			if s.Effect == Allow {
				slot = &f.allowed
			}
			if slot.document == nil && e.matches(s) {
				*slot = match{kind: kind, name: policy.Name, document: policy.Document, index: i}
			}
		}
	}
	return f
}

// resource goes through the policy of the resource.
func (e *evaluation) resource(kind PolicyKind, policy *Named) found {
	var f found
	if policy == nil || policy.Document == nil {
		return f
	}
	e.variables = policy.Document.Version == Version2012
	for i := range policy.Document.Statements {
		s := &policy.Document.Statements[i]
		named := s.reach(&e.request.Principal, e.bounded)
		this := match{kind: kind, name: policy.Name, document: policy.Document, index: i}
		switch {
		case named == notNamed:
		case s.Effect == Allow:
			if named > f.reach && e.matches(s) {
				f.allowed, f.reach = this, named
			}
		case f.denied.document == nil && e.matches(s):
			f.denied = this
		}
	}
	return f
}

// reach tells how a statement of a resource-based policy names the caller. A statement without a principal names nobody.
// NotPrincipal with a deny spares nobody who has a permissions boundary, whatever it lists:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html.
func (s *Statement) reach(who *PrincipalInfo, bounded bool) reach {
	switch {
	case s.Principal != nil:
		return s.Principal.reach(who)
	case s.NotPrincipal != nil:
		return namesCallerIf(bounded && s.Effect == Deny || !s.NotPrincipal.exempts(who, s.Effect))
	default:
		return notNamed
	}
}

// matches tells whether a statement speaks of the request, whoever calls.
func (e *evaluation) matches(s *Statement) bool {
	return e.matchesAction(s) && e.matchesResource(s) && e.conditions(s.Conditions)
}

func (e *evaluation) matchesAction(s *Statement) bool {
	if len(s.NotActions) > 0 {
		return !anyAction(s.NotActions, e.request.Action)
	}
	return anyAction(s.Actions, e.request.Action)
}

func anyAction(patterns []string, action string) bool {
	for _, p := range patterns {
		if matchAction(p, action) {
			return true
		}
	}
	return false
}

func (e *evaluation) matchesResource(s *Statement) bool {
	switch {
	case len(s.NotResources) > 0:
		matched, ok := e.anyResource(s.NotResources)
		return ok && !matched
	case len(s.Resources) > 0:
		matched, ok := e.anyResource(s.Resources)
		return ok && matched
	default:
		return true // A trust policy: the role that it belongs to.
	}
}

// anyResource matches the request's resource against patterns. When a variable in any of them cannot be resolved, the
// statement as a whole is invalid, so the result is not ok.
func (e *evaluation) anyResource(patterns []string) (matched, ok bool) {
	resource := e.request.Resource
	if resource == "" {
		resource = "*"
	}
	for _, p := range patterns {
		if e.variables && hasVariable(p) {
			if p, ok = e.expand(p, true); !ok {
				return false, false
			}
		}
		matched = matched || matchResource(p, resource)
	}
	return matched, true
}
