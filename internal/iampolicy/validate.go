package iampolicy

import (
	"maps"
	"slices"
	"strings"
)

// Validate checks the document against the grammar, as [Parse] does, and against what a policy of this kind may hold.
func (d Document) Validate(kind PolicyKind) error {
	if err := d.validate(); err != nil {
		return err
	}
	named := kind == ResourceBased || kind == TrustPolicy
	if d.ID != "" && !named {
		return place{statement: -1}.fail("Id", ErrMisplacedElement, "%s", kind)
	}
	for i, s := range d.Statements {
		where := place{statement: i, sid: s.SID}
		switch {
		case named && s.Principal == nil && s.NotPrincipal == nil:
			return where.fail("Principal", ErrMissingElement, "")
		case !named && s.Principal != nil:
			return where.fail("Principal", ErrMisplacedElement, "%s", kind)
		case !named && s.NotPrincipal != nil:
			return where.fail("NotPrincipal", ErrMisplacedElement, "%s", kind)
		case kind == TrustPolicy && s.NotPrincipal != nil:
			// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
			return where.fail("NotPrincipal", ErrMisplacedElement, "%s", kind)
		case kind == TrustPolicy && s.Resources != nil:
			return where.fail("Resource", ErrMisplacedElement, "%s", kind)
		case kind == TrustPolicy && s.NotResources != nil:
			return where.fail("NotResource", ErrMisplacedElement, "%s", kind)
		case kind != TrustPolicy && len(s.Resources) == 0 && len(s.NotResources) == 0:
			return where.fail("Resource", ErrMissingElement, "")
		case kind != ResourceBased && !isAlphanumeric(s.SID):
			// Services with resource policies take more, such as spaces.
			return where.fail("Sid", ErrInvalidValue, "may hold letters and digits only")
		case kind == TrustPolicy && !allSTS(s.Actions):
			return where.fail("Action", ErrInvalidValue, "a role trust policy is about actions of sts only")
		}
	}
	return nil
}

// validate checks what holds for every kind of policy.
func (d Document) validate() error {
	where := place{statement: -1}
	switch d.Version {
	case "", Version2008, Version2012:
	default:
		return where.fail("Version", ErrInvalidValue, "must be %s or %s, not %q", Version2012, Version2008, d.Version)
	}
	if len(d.Statements) == 0 {
		return where.fail("Statement", ErrMissingElement, "")
	}
	seen := map[string]int{}
	for i := range d.Statements {
		s := &d.Statements[i]
		where := place{statement: i, sid: s.SID}
		if first, ok := seen[s.SID]; ok && s.SID != "" {
			return where.fail("Sid", ErrDuplicateSID, "%q is the id of statement %d", s.SID, first)
		}
		seen[s.SID] = i
		if err := s.validate(where, d.Version == Version2012); err != nil {
			return err
		}
	}
	return nil
}

func (s *Statement) validate(where place, variables bool) error {
	switch {
	case s.Effect == "":
		return where.fail("Effect", ErrMissingElement, "")
	case s.Effect != Allow && s.Effect != Deny:
		return where.fail("Effect", ErrInvalidValue, "must be Allow or Deny, not %q", s.Effect)
	case s.Actions != nil && s.NotActions != nil:
		return where.fail("NotAction", ErrConflictingElements, "Action is given too")
	case s.Resources != nil && s.NotResources != nil:
		return where.fail("NotResource", ErrConflictingElements, "Resource is given too")
	case s.Principal != nil && s.NotPrincipal != nil:
		return where.fail("NotPrincipal", ErrConflictingElements, "Principal is given too")
	case len(s.Actions) == 0 && len(s.NotActions) == 0:
		return where.fail("Action", ErrMissingElement, "")
	}
	for _, check := range []error{
		checkAll(where, "Action", s.Actions, checkAction),
		checkAll(where, "NotAction", s.NotActions, checkAction),
		checkAll(where, "Resource", s.Resources, resourceCheck(variables)),
		checkAll(where, "NotResource", s.NotResources, resourceCheck(variables)),
		s.Principal.validate(where, "Principal"),
		s.NotPrincipal.validate(where, "NotPrincipal"),
		s.Conditions.validate(where),
	} {
		if check != nil {
			return check
		}
	}
	return nil
}

func checkAll(where place, element string, values []string, problem func(string) string) error {
	for _, v := range values {
		if p := problem(v); p != "" {
			return where.fail(element, ErrInvalidValue, "%q %s", v, p)
		}
	}
	return nil
}

func checkAction(action string) string {
	if action == "*" {
		return ""
	}
	if service, name, ok := strings.Cut(action, ":"); !ok || service == "" || name == "" {
		return "must be a service, a colon and an action, or \"*\""
	}
	return ""
}

func resourceCheck(variables bool) func(string) string {
	return func(resource string) string {
		if resource == "*" {
			return ""
		}
		// The colons of variables are not those of the ARN.
		head, _, _ := strings.Cut(resource, "${")
		switch {
		case !strings.HasPrefix(resource, "arn:"):
			return "must be an ARN or \"*\""
		case strings.Count(head, ":") >= 5:
			return ""
		case variables && head != resource:
			return "has a policy variable before the resource part of the ARN"
		case strings.HasSuffix(resource, "*"):
			return "" // The last segment that is given stands for the rest.
		default:
			return "must be an ARN or \"*\""
		}
	}
}

func (p *Principal) validate(where place, element string) error {
	if p == nil {
		return nil
	}
	if !p.All && len(p.AWS) == 0 && len(p.Service) == 0 && len(p.Federated) == 0 && len(p.CanonicalUser) == 0 {
		return where.fail(element, ErrMissingElement, "no principal is named")
	}
	notEmpty := func(id string) string {
		if id == "" {
			return "must not be empty"
		}
		return ""
	}
	for _, check := range []error{
		checkAll(where, join(element, "AWS"), p.AWS, checkAWSPrincipal),
		checkAll(where, join(element, "Service"), p.Service, checkServicePrincipal),
		checkAll(where, join(element, "Federated"), p.Federated, notEmpty),
		checkAll(where, join(element, "CanonicalUser"), p.CanonicalUser, notEmpty),
	} {
		if check != nil {
			return check
		}
	}
	return nil
}

func checkAWSPrincipal(id string) string {
	switch {
	case id == "*", isAccountID(id), isUniqueID(id):
		return ""
	case strings.ContainsAny(id, "*?"):
		return "must not hold wildcards"
	case strings.HasPrefix(id, "arn:") && resourcePart(id) < len(id):
		return ""
	default:
		return "must be an account id, an ARN, a unique id, or \"*\""
	}
}

func checkServicePrincipal(name string) string {
	if name == "" || strings.ContainsAny(name, "*?:/ ") {
		return "must be the name of a service, such as glue.amazonaws.com"
	}
	return ""
}

func (c Conditions) validate(where place) error {
	// In order, so that a document with several problems always reports the same one.
	for _, name := range slices.Sorted(maps.Keys(c)) {
		element := join("Condition", name)
		op, ok := parseOperator(name)
		if !ok {
			return where.fail(element, ErrInvalidValue, "no such condition operator")
		}
		for _, key := range slices.Sorted(maps.Keys(c[name])) {
			if !strings.Contains(key, ":") {
				return where.fail(element, ErrInvalidValue, "the condition key %q has no prefix such as aws:", key)
			}
			if len(c[name][key]) == 0 {
				return where.fail(join(element, key), ErrInvalidValue, "must not be empty")
			}
			for _, value := range c[name][key] {
				if !op.valid(value) {
					return where.fail(join(element, key), ErrInvalidValue, "%q is no value for %s", value, name)
				}
			}
		}
	}
	return nil
}

func allSTS(actions []string) bool {
	return !slices.ContainsFunc(actions, func(action string) bool { return !isSTS(action) })
}

func isSTS(action string) bool { return len(action) > 4 && strings.EqualFold(action[:4], "sts:") }

func isAlphanumeric(text string) bool {
	for i := range len(text) {
		c := lower(text[i])
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
