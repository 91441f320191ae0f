package admin

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// inlinePolicy is the name of the one inline policy that is ours. Inline, because
// an account has at most 1,500 customer managed policies, and a mesh has no such
// limit.
const inlinePolicy = "lakemesh"

// principalWait is how long a trust policy waits for a principal that it names to
// be known. It is short: most often that principal was never made.
const principalWait = 20 * time.Second

// role is a role as it is to be.
type role struct {
	name        string
	description string
	trust       iampolicy.Document
	policy      iampolicy.Document
	// tags are set beside the solution's tag.
	tags map[string]string
	// unknownPrincipal says what to do if the trust policy names a principal that
	// does not exist.
	unknownPrincipal string
}

// foundRole is a role as it is.
type foundRole struct {
	exists bool
	arn    string
	trust  string
	// policy is our inline policy, otherInline the size of all others.
	policy      string
	otherInline int
	// foreign are policies of others: inline ones and attached ones, by name.
	foreign []string
	tags    map[string]string
}

// observeRole reads a role, its inline policies and the names of what is attached.
func (a *Admin) observeRole(ctx context.Context, name string) (*foundRole, error) {
	out, err := a.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if identity.IsNotFound(err) {
		return &foundRole{}, nil
	}
	if err != nil {
		return nil, identity.Explain("GetRole", a.account, "role "+name, err)
	}
	found := &foundRole{exists: true, arn: aws.ToString(out.Role.Arn), tags: map[string]string{}}
	if want := lakemesh.RoleARN(a.account, name); found.arn != want {
		return nil, &lakemesh.Error{Op: "GetRole", Account: a.account, Resource: "role " + name, Kind: lakemesh.ErrInvalidInput,
			Message: "the account has a role of this name at another path: " + found.arn,
			Hint:    "names of roles are unique in an account; rename that role, so that " + want + " can be made"}
	}
	for _, t := range out.Role.Tags {
		found.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if found.trust, err = decodePolicy(out.Role.AssumeRolePolicyDocument); err != nil {
		return nil, identity.Explain("GetRole", a.account, "role "+name, err)
	}
	if err := a.observePolicies(ctx, name, found); err != nil {
		return nil, identity.Explain("GetRolePolicy", a.account, "role "+name, err)
	}
	return found, nil
}

func (a *Admin) observePolicies(ctx context.Context, name string, found *foundRole) error {
	inline := iam.NewListRolePoliciesPaginator(a.iam, &iam.ListRolePoliciesInput{RoleName: &name})
	for inline.HasMorePages() {
		page, err := inline.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, p := range page.PolicyNames {
			out, err := a.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(p)})
			if err != nil {
				return err
			}
			text, err := decodePolicy(out.PolicyDocument)
			if err != nil {
				return err
			}
			if p == inlinePolicy {
				found.policy = text
				continue
			}
			found.otherInline += iampolicy.Size(text)
			found.foreign = append(found.foreign, "inline policy "+p)
		}
	}
	attached := iam.NewListAttachedRolePoliciesPaginator(a.iam, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	for attached.HasMorePages() {
		page, err := attached.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, p := range page.AttachedPolicies {
			found.foreign = append(found.foreign, aws.ToString(p.PolicyArn))
		}
	}
	return nil
}

// decodePolicy reads a document as IAM gives it: encoded as in a URL.
func decodePolicy(text *string) (string, error) {
	decoded, err := url.PathUnescape(aws.ToString(text))
	if err != nil {
		return "", fmt.Errorf("policy document: %w", err)
	}
	return decoded, nil
}

// samePolicy tells whether a document says what is wanted; one that cannot be
// read does not.
func samePolicy(have string, want iampolicy.Document) bool {
	d, err := iampolicy.Parse([]byte(have))
	return err == nil && d.String() == want.String()
}

// differences says what of a role is not as wanted.
func (f *foundRole) differences(want role) []string {
	var d []string
	if !samePolicy(f.trust, want.trust) {
		d = append(d, "trust")
	}
	if !samePolicy(f.policy, want.policy) {
		d = append(d, "policy")
	}
	for _, t := range want.allTags() {
		if f.tags[aws.ToString(t.Key)] != aws.ToString(t.Value) {
			return append(d, "tags")
		}
	}
	return d
}

func (r role) allTags() []types.Tag {
	tags := []types.Tag{{Key: aws.String(lakemesh.SolutionTag), Value: aws.String(lakemesh.SolutionValue)}}
	for k, v := range r.tags {
		tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	slices.SortFunc(tags, func(x, y types.Tag) int { return strings.Compare(*x.Key, *y.Key) })
	return tags
}

// planRole adds the step that makes a role as it is to be, or returns nil if it is.
func (a *Admin) planRole(p *plan.Plan, want role, found *foundRole) *plan.Step {
	if len(found.foreign) > 0 {
		p.Warn("role %s also has %s, which lakemesh leaves alone; if nobody needs it, detach it", want.name, strings.Join(found.foreign, ", "))
	}
	arn := lakemesh.RoleARN(a.account, want.name)
	if !found.exists {
		return p.Add(plan.Step{
			Kind: plan.CreateRole, Account: a.account, Resource: "role " + arn,
			Summary: fmt.Sprintf("create role %s: %s", want.name, want.description), Detail: want.detail(),
			Run: func(ctx context.Context) error { return a.createRole(ctx, want) },
		})
	}
	differences := found.differences(want)
	if len(differences) == 0 {
		return nil
	}
	return p.Add(plan.Step{
		Kind: plan.UpdateRole, Account: a.account, Resource: "role " + arn,
		Summary: fmt.Sprintf("update the %s of role %s", strings.Join(differences, ", "), want.name), Detail: want.detail(),
		Run: func(ctx context.Context) error { return a.updateRole(ctx, want, differences) },
	})
}

// detail are the documents, so that a plan shows what a role will be allowed.
func (r role) detail() any {
	return struct {
		Trust  iampolicy.Document `json:"Trust"`
		Policy iampolicy.Document `json:"Policy"`
	}{r.trust, r.policy}
}

func (a *Admin) createRole(ctx context.Context, want role) error {
	err := a.knowingPrincipals(ctx, want, func(ctx context.Context) error {
		_, err := a.iam.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &want.name, Path: aws.String(lakemesh.IAMPath), Description: aws.String(want.description),
			AssumeRolePolicyDocument: aws.String(want.trust.String()), Tags: want.allTags(),
		})
		return err
	})
	if identity.IsAlreadyExists(err) {
		// Somebody else made it meanwhile, or the answer to an earlier attempt was lost.
		return a.updateRole(ctx, want, []string{"trust", "policy", "tags"})
	}
	if err != nil {
		return a.explainRole("CreateRole", want, err)
	}
	return a.updateRole(ctx, want, []string{"policy"})
}

func (a *Admin) updateRole(ctx context.Context, want role, parts []string) error {
	for _, part := range parts {
		var err error
		switch part {
		case "trust":
			err = a.knowingPrincipals(ctx, want, func(ctx context.Context) error {
				_, err := a.iam.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
					RoleName: &want.name, PolicyDocument: aws.String(want.trust.String())})
				return err
			})
		case "policy":
			err = identity.UntilVisible(ctx, "IAM to know role "+want.name, func(ctx context.Context) error {
				_, err := a.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
					RoleName: &want.name, PolicyName: aws.String(inlinePolicy), PolicyDocument: aws.String(want.policy.String())})
				return err
			})
		case "tags":
			_, err = a.iam.TagRole(ctx, &iam.TagRoleInput{RoleName: &want.name, Tags: want.allTags()})
		}
		if err != nil {
			return a.explainRole("update "+part+" of role", want, err)
		}
	}
	return nil
}

// knowingPrincipals tries a call until IAM knows the principals that the role's
// trust policy names.
func (a *Admin) knowingPrincipals(ctx context.Context, want role, call func(context.Context) error) error {
	return poll.Until(ctx, principalWait, "IAM to know the principals that role "+want.name+" trusts", func(ctx context.Context) (bool, error) {
		err := call(ctx)
		if identity.IsInvalidPrincipal(err) {
			return false, poll.NotYet(err)
		}
		return err == nil, err
	})
}

func (a *Admin) explainRole(op string, want role, err error) error {
	if identity.IsInvalidPrincipal(err) && want.unknownPrincipal != "" {
		return &lakemesh.Error{Op: op, Account: a.account, Resource: "role " + want.name, Kind: lakemesh.ErrNotFound, Err: err,
			Message: "its trust policy names a role that does not exist", Hint: want.unknownPrincipal}
	}
	return identity.Explain(op, a.account, "role "+want.name, err)
}
