package iam

// Inline and attached policies are the same for users, roles and groups:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// holder is whom policies belong to.
type holder struct {
	// kind is "role", "user" or "group", as messages say it.
	kind, name string
	policies   *state.Permissions
}

// quotas of the holder, by kind.
func (h holder) quotas() (inlineSize, attached, attachedName string) {
	switch h.kind {
	case "role":
		return quotaRoleInlineSize, quotaAttachedToRole, "PoliciesPerRole"
	case "user":
		return quotaUserInlineSize, quotaAttachedToUser, "PoliciesPerUser"
	default:
		return quotaGroupInlineSize, quotaAttachedToGroup, "PoliciesPerGroup"
	}
}

// putInline adds or replaces an inline policy. Sizes add up over all inline
// policies of the holder; white space does not count.
func (h holder) putInline(c *engine.Call, name, document *string) error {
	if err := checkName("policyName", name, maxPolicyName); err != nil {
		return err
	}
	if _, err := readDocument(document, iampolicy.IdentityBased); err != nil {
		return err
	}
	inline := maps.Clone(h.policies.Inline)
	if inline == nil {
		inline = map[string]string{}
	}
	inline[*name] = *document
	total := 0
	for _, text := range inline {
		total += iampolicy.Size(text)
	}
	inlineSize, _, _ := h.quotas()
	limit, err := quota(c, inlineSize)
	if err != nil {
		return err
	}
	if total > limit {
		return limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", limit, h.kind, h.name)
	}
	h.policies.Inline = inline
	return nil
}

func (h holder) inline(name *string) (string, error) {
	if err := checkName("policyName", name, maxPolicyName); err != nil {
		return "", err
	}
	document, ok := h.policies.Inline[*name]
	if !ok {
		return "", noSuchEntity("The %s policy with name %s cannot be found.", h.kind, *name)
	}
	return document, nil
}

func (h holder) deleteInline(name *string) error {
	if _, err := h.inline(name); err != nil {
		return err
	}
	h.policies.Inline = maps.Clone(h.policies.Inline)
	delete(h.policies.Inline, *name)
	return nil
}

func (h holder) inlineNames(marker *string, maxItems *int32) (*page[string], error) {
	p, err := newPage[string](marker, maxItems)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(h.policies.Inline)) {
		if !p.add(name, name) {
			break
		}
	}
	return p, nil
}

// attach attaches a managed policy; attaching one again changes nothing.
func (h holder) attach(c *engine.Call, arn string) error {
	if slices.Contains(h.policies.Attached, arn) {
		return nil
	}
	if err := policyExists(c, arn); err != nil {
		return err
	}
	if c.Missing("policy " + arn) {
		return noSuchPolicy(arn)
	}
	_, attached, name := h.quotas()
	limit, err := quota(c, attached)
	if err != nil {
		return err
	}
	if len(h.policies.Attached) >= limit {
		return exceeded(name, limit)
	}
	h.policies.Attached = append(slices.Clone(h.policies.Attached), arn)
	return nil
}

func (h holder) detach(arn string) error {
	i := slices.Index(h.policies.Attached, arn)
	if i < 0 {
		return noSuchEntity("Policy %s was not found.", arn)
	}
	h.policies.Attached = slices.Delete(slices.Clone(h.policies.Attached), i, i+1)
	return nil
}

func (h holder) attached(prefix, marker *string, maxItems *int32) (*page[types.AttachedPolicy], error) {
	path, err := checkPathPrefix(prefix)
	if err != nil {
		return nil, err
	}
	p, err := newPage[types.AttachedPolicy](marker, maxItems)
	if err != nil {
		return nil, err
	}
	for _, arn := range slices.Sorted(slices.Values(h.policies.Attached)) {
		policyPath, name := splitPolicyARN(arn)
		if !strings.HasPrefix(policyPath, path) {
			continue
		}
		if !p.add(arn, types.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(name)}) {
			break
		}
	}
	return p, nil
}

// splitPolicyARN takes path and name out of a policy's ARN.
func splitPolicyARN(arn string) (path, name string) {
	_, rest, ok := strings.Cut(arn, ":policy/")
	if !ok {
		return "/", arn
	}
	i := strings.LastIndexByte(rest, '/')
	return "/" + rest[:i+1], rest[i+1:]
}

// policyKeys is the condition key of a managed policy that is attached.
func policyKeys(arn *string) (map[string][]string, error) {
	if arn == nil {
		return nil, mustNotBeNull("policyArn")
	}
	if len(*arn) < 20 || len(*arn) > 2048 {
		return nil, breaks("policyArn", *arn, "have length between 20 and 2048")
	}
	return map[string][]string{"iam:PolicyARN": {*arn}}, nil
}

func noSuchPolicy(arn string) error {
	return noSuchEntity("Policy %s does not exist or is not attachable.", arn)
}

// policyExists checks that a managed policy is there to be attached: one of
// AWS's, or one of the caller's own account.
func policyExists(c *engine.Call, arn string) error {
	if _, ok := authz.AWSManaged(arn); ok {
		return nil
	}
	missing := noSuchPolicy(arn)
	account, kind, name, ok := state.SplitPrincipalARN(arn)
	if !ok && !strings.HasPrefix(arn, "arn:aws:iam::aws:policy/") {
		return invalidInput("ARN %s is not valid.", arn)
	}
	if !ok || kind != "policy" || account != c.Account() {
		return missing
	}
	p, found, err := state.GetPolicy(c.Tx, account, name)
	if err != nil {
		return err
	}
	if !found || p.ARN() != arn {
		return missing
	}
	return nil
}
