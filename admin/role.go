package admin

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
// be known. It is short: most often that principal was never made. One that was made
// by the same plan is waited for as long as anything new is.
const principalWait = 20 * time.Second

// role is a role as it is to be.
type role struct {
	name        string
	description string
	trust       iampolicy.Document
	policy      iampolicy.Document
	// options are what organizations ask of roles.
	options RoleOptions
	// unknownPrincipal says what to do if the trust policy names a principal that
	// does not exist.
	unknownPrincipal string
	// newPrincipal says that the plan makes that principal.
	newPrincipal bool
}

// RoleOptions are what many organizations ask of every role. Roles that exist get
// them, too; a boundary and tags that are not named here stay as they are.
type RoleOptions struct {
	// PermissionsBoundary is a policy that bounds what roles may do, whatever their own
	// policies allow: its ARN, or its name, which stands for the policy of that name in
	// the account of each role. Empty leaves it as it is. It must allow what the mesh
	// needs.
	PermissionsBoundary string
	// Tags are set on roles, beside the mesh's own.
	Tags map[string]string
}

var (
	boundaryPattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\w+=,.@/-]+$`)
	boundaryName    = regexp.MustCompile(`^[\w+=,.@/-]+$`)
)

// Check refuses what IAM would refuse for roles of an account.
func (o RoleOptions) Check(p lakemesh.Partition, account string) error {
	_, err := o.in(p, account)
	return err
}

// in are the options for roles of an account. What IAM would refuse after half of a
// set-up is refused.
func (o RoleOptions) in(p lakemesh.Partition, account string) (RoleOptions, error) {
	if b := o.PermissionsBoundary; b != "" && boundaryName.MatchString(b) {
		o.PermissionsBoundary = p.ARN("iam", "", account, "policy/"+strings.TrimPrefix(b, "/"))
	}
	if b := o.PermissionsBoundary; b != "" {
		if err := p.Check("PermissionsBoundary", b); err != nil {
			return o, err
		}
		m := boundaryPattern.FindStringSubmatch(b)
		if m == nil {
			return o, lakemesh.Invalid("PermissionsBoundary", "%q is neither the ARN of a policy, %s, nor a name", b, p.ARN("iam", "", "<account>", "policy/<name>"))
		}
		if m[1] != account && m[1] != "aws" {
			return o, lakemesh.Invalid("PermissionsBoundary", "%s is a policy of another account than the roles of %s; give its name alone for one that both accounts have", b, account)
		}
	}
	return o, o.checkTags()
}

func (o RoleOptions) checkTags() error {
	for key, value := range o.Tags {
		switch {
		case key == "" || utf8.RuneCountInString(key) > 128 || utf8.RuneCountInString(value) > 256:
			return lakemesh.Invalid("Tags", "%q = %q: a key has 1 to 128 characters, a value at most 256", key, value)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return lakemesh.Invalid("Tags", "%q: tags that begin with aws: are AWS's own", key)
		case key == lakemesh.SolutionTag:
			return lakemesh.Invalid("Tags", "%q is the mesh's own tag", key)
		}
	}
	return nil
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
	// boundary is the ARN of the permissions boundary, empty if there is none.
	boundary string
}

// observeRole reads a role, its inline policies and the names of what is attached. A role
// of the name at another path bars the one that is wanted.
func (a *Admin) observeRole(ctx context.Context, name string) (*foundRole, error) {
	found, err := a.findRole(ctx, name)
	if err != nil || !found.exists {
		return found, err
	}
	if want := a.partition.RoleARN(a.account, name); found.arn != want {
		return nil, &lakemesh.Error{Op: "GetRole", Account: a.account, Resource: "role " + name, Kind: lakemesh.ErrInvalidInput,
			Message: "the account has a role of this name at another path: " + found.arn,
			Hint:    "names of roles are unique in an account; rename that role, so that " + want + " can be made"}
	}
	return found, nil
}

// findRole reads the role of a name, at whatever path it is. Of one that is not at the
// mesh's path nothing else is read.
func (a *Admin) findRole(ctx context.Context, name string) (*foundRole, error) {
	out, err := a.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if identity.IsNotFound(err) {
		return &foundRole{}, nil
	}
	if err != nil {
		return nil, identity.Explain("GetRole", a.account, "role "+name, err)
	}
	found := &foundRole{exists: true, arn: roleARN(a.partition, a.account, out.Role), tags: map[string]string{}}
	if found.arn != a.partition.RoleARN(a.account, name) {
		return found, nil
	}
	for _, t := range out.Role.Tags {
		found.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if b := out.Role.PermissionsBoundary; b != nil {
		found.boundary = aws.ToString(b.PermissionsBoundaryArn)
	}
	if found.trust, err = decodePolicy(out.Role.AssumeRolePolicyDocument); err != nil {
		return nil, identity.Explain("GetRole", a.account, "role "+name, err)
	}
	if err := a.observePolicies(ctx, name, found); err != nil {
		return nil, identity.Explain("GetRolePolicy", a.account, "role "+name, err)
	}
	return found, nil
}

// roleARN is the ARN of a role, of its path and name: for a while after a role was
// made, IAM can show its unique id in the place of the ARN.
func roleARN(p lakemesh.Partition, account string, r *types.Role) string {
	if r.Path == nil {
		return aws.ToString(r.Arn)
	}
	return p.ARN("iam", "", account, "role"+*r.Path+aws.ToString(r.RoleName))
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

// samePolicy reports whether a document says what is wanted; one that cannot be
// read does not.
func samePolicy(have string, want iampolicy.Document) bool {
	d, err := iampolicy.Parse([]byte(have))
	return err == nil && d.String() == want.String()
}

// trustsOnly reports whether everything that a trust policy allows is allowed to one
// principal. IAM shows the unique id of a principal that was deleted.
func trustsOnly(text, principal string) bool {
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		return false
	}
	for _, s := range d.Statements {
		if s.Effect == iampolicy.Allow && (s.Principal == nil || s.Principal.All || len(s.Principal.Service)+len(s.Principal.Federated)+len(s.Principal.CanonicalUser) > 0 ||
			!slices.Equal(s.Principal.AWS, []string{principal})) {
			return false
		}
	}
	return len(d.Statements) > 0
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
			d = append(d, "tags")
			break
		}
	}
	if b := want.options.PermissionsBoundary; b != "" && b != f.boundary {
		d = append(d, "permissions boundary")
	}
	return d
}

func (r role) allTags() []types.Tag {
	tags := []types.Tag{{Key: aws.String(lakemesh.SolutionTag), Value: aws.String(lakemesh.SolutionValue)}}
	for k, v := range r.options.Tags {
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
	arn := a.partition.RoleARN(a.account, want.name)
	if !found.exists {
		return p.Add(plan.Step{
			Kind: plan.CreateRole, Account: a.account, Resource: "role " + arn,
			Summary: fmt.Sprintf("create role %s: %s%s", want.name, want.description, want.options), Detail: want.detail(),
			Run: func(ctx context.Context) error { return a.createRole(ctx, want) },
		})
	}
	change := found.change(want)
	if len(change.parts) == 0 {
		return nil
	}
	summary := fmt.Sprintf("update the %s of role %s", strings.Join(change.parts, ", "), want.name)
	if len(change.said) > 0 {
		summary += ": " + strings.Join(change.said, "; ")
	}
	return p.Add(plan.Step{
		Kind: plan.UpdateRole, Account: a.account, Resource: "role " + arn, Summary: summary, Detail: want.detail(), TakesAway: change.takes,
		Run: func(ctx context.Context) error {
			if slices.Contains(change.parts, "policy") {
				if err := a.stillFound(ctx, want, found); err != nil {
					return err
				}
			}
			return a.updateRole(ctx, want, change.parts)
		},
	})
}

// detail are the documents, so that a plan shows what a role will be allowed.
func (r role) detail() any {
	return struct {
		Trust               iampolicy.Document `json:"Trust"`
		Policy              iampolicy.Document `json:"Policy"`
		PermissionsBoundary string             `json:"PermissionsBoundary,omitempty"`
		Tags                map[string]string  `json:"Tags,omitempty"`
	}{r.trust, r.policy, r.options.PermissionsBoundary, r.options.Tags}
}

// String says what the options add to a role, for the summary of a step.
func (o RoleOptions) String() string {
	text := ""
	if o.PermissionsBoundary != "" {
		text += ", within the boundary " + o.PermissionsBoundary
	}
	for _, k := range slices.Sorted(maps.Keys(o.Tags)) {
		text += fmt.Sprintf(", tagged %s=%s", k, o.Tags[k])
	}
	return text
}

func (a *Admin) createRole(ctx context.Context, want role) error {
	err := a.knowingPrincipals(ctx, want, func(ctx context.Context) error {
		in := &iam.CreateRoleInput{
			RoleName: &want.name, Path: aws.String(lakemesh.IAMPath), Description: aws.String(want.description),
			AssumeRolePolicyDocument: aws.String(want.trust.String()), Tags: want.allTags(),
		}
		if b := want.options.PermissionsBoundary; b != "" {
			in.PermissionsBoundary = aws.String(b)
		}
		_, err := a.iam.CreateRole(ctx, in)
		return err
	})
	if identity.IsAlreadyExists(err) {
		// Somebody else made it meanwhile, or the answer to an earlier attempt was lost.
		parts := []string{"trust", "policy", "tags"}
		if want.options.PermissionsBoundary != "" {
			parts = append(parts, "permissions boundary")
		}
		return a.updateRole(ctx, want, parts)
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
		case "permissions boundary":
			_, err = a.iam.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{
				RoleName: &want.name, PermissionsBoundary: aws.String(want.options.PermissionsBoundary)})
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
	wait := principalWait
	switch {
	case want.newPrincipal:
		wait = identity.Propagation
	case a.options.RoleWait < 0:
		wait = 0
	}
	return poll.Until(ctx, wait, "IAM to know the principals that role "+want.name+" trusts", func(ctx context.Context) (bool, error) {
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
