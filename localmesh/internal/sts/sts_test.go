package sts_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	home  = "111111111111"
	other = "222222222222"
)

func root(account string) string  { return "arn:aws:iam::" + account + ":root" }
func admin(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

type world struct {
	*localmesh.Mesh
	t *testing.T
}

func newWorld(t *testing.T, opts ...localmesh.Option) *world {
	t.Helper()
	t.Parallel()
	w := &world{localmesh.Run(t, opts...), t}
	for _, account := range []string{home, other} {
		if _, err := w.as(admin(account)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) as(principal string) *sts.Client { return sts.NewFromConfig(w.Config(principal)) }

// role makes a role with a trust policy of the statements and an inline policy.
func (w *world) role(account, name, policy string, trust ...string) string {
	w.t.Helper()
	c := iam.NewFromConfig(w.Config(admin(account)))
	out, err := c.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &name, Path: aws.String("/mesh/"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(trust, ",") + `]}`)})
	if err != nil {
		w.t.Fatal(err)
	}
	if policy != "" {
		if _, err := c.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &policy}); err != nil {
			w.t.Fatal(err)
		}
	}
	return *out.Role.Arn
}

// trusts is a statement of a trust policy; more is further elements.
func trusts(principal string, more ...string) string {
	return `{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]` + strings.Join(append([]string{""}, more...), ",") + `}`
}

func allow(action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q}]}`, action, resource)
}

// assume assumes a role and returns a configuration with its session.
func (w *world) assume(c *sts.Client, arn string, change ...func(*sts.AssumeRoleInput)) (aws.Config, error) {
	in := &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("work")}
	for _, f := range change {
		f(in)
	}
	out, err := c.AssumeRole(w.t.Context(), in)
	if err != nil {
		return aws.Config{}, err
	}
	return w.with(out.Credentials), nil
}

func (w *world) with(c *types.Credentials) aws.Config {
	return w.ConfigWith(credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken))
}

func refused(t *testing.T, err error, code string, status int) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || strings.TrimSuffix(api.ErrorCode(), "Exception") != code {
		t.Errorf("error is %v, want %s", err, code)
		return
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status {
		t.Errorf("error is %v, want status %d", err, status)
	}
}

func succeeded(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// Who may assume a role: across accounts both sides have to agree, within an
// account the trust policy is enough where it names the caller itself.
func TestWhoMayAssumeARole(t *testing.T) {
	t.Parallel()
	const target = "arn:aws:iam::111111111111:role/mesh/Target"
	caller := func(account string) string { return "arn:aws:iam::" + account + ":role/mesh/Caller" }
	may := allow("sts:AssumeRole", target)
	condition := func(c string) string { return `"Condition":` + c }
	for _, tt := range []struct {
		name, account, policy, trust string
		allowed                      bool
	}{
		{"own account, trusted by name", home, "", trusts(caller(home)), true},
		{"own account, account trusted, may", home, may, trusts(home), true},
		{"own account, account trusted, may not", home, "", trusts(home), false},
		{"own account, may, not trusted", home, may, trusts(other), false},
		{"other account, both", other, may, trusts(caller(other)), true},
		{"other account, account trusted, may", other, may, trusts(root(other)), true},
		{"other account, trusted by name, may not", other, "", trusts(caller(other)), false},
		{"other account, may, not trusted", other, may, trusts(home), false},
		{"other account, may something else", other, allow("sts:AssumeRole", "arn:aws:iam::111111111111:role/Target"), trusts(other), false},
		{"external id is missing", other, may, trusts(other, condition(`{"StringEquals":{"sts:ExternalId":"secret"}}`)), false},
		{"principal matches", other, may, trusts(other, condition(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/mesh/Call*"}}`)), true},
		{"principal does not match", other, may, trusts(other, condition(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/other/*"}}`)), false},
		{"denied by the trust policy", other, may, trusts(other) + "," + strings.Replace(trusts(caller(other)), "Allow", "Deny", 1), false},
		{"everybody is trusted, may", other, may, trusts("*"), true},
		{"everybody is trusted, may not", other, "", trusts("*"), false},
		{"service is trusted", home, may, `{"Effect":"Allow","Principal":{"Service":"lakeformation.amazonaws.com"},"Action":"sts:AssumeRole"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			c := w.as(w.role(tt.account, "Caller", tt.policy, trusts(tt.account)))
			w.role(home, "Target", "", tt.trust)
			cfg, err := w.assume(c, target)
			if !tt.allowed {
				refused(t, err, "AccessDenied", 403)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			succeeded(t, err)
			if want := "arn:aws:sts::111111111111:assumed-role/Target/work"; *who.Arn != want || *who.Account != home || !strings.HasSuffix(*who.UserId, ":work") {
				t.Errorf("caller is %s of %s, want %s", *who.Arn, *who.Account, want)
			}
		})
	}
}

func TestAssumptionsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	c := w.as(admin(home))
	target := w.role(home, "Target", "", trusts(home))
	set := func(f func(*sts.AssumeRoleInput)) []func(*sts.AssumeRoleInput) {
		return []func(*sts.AssumeRoleInput){f}
	}
	for _, tt := range []struct {
		name   string
		arn    string
		change func(*sts.AssumeRoleInput)
		code   string
		status int
	}{
		{"unknown role", "arn:aws:iam::111111111111:role/Nobody", nil, "AccessDenied", 403},
		{"unknown account", "arn:aws:iam::333333333333:role/Nobody", nil, "AccessDenied", 403},
		{"role without its path", "arn:aws:iam::111111111111:role/Target", nil, "AccessDenied", 403},
		{"not a role", "arn:aws:iam::111111111111:user/Target", nil, "ValidationError", 400},
		{"no ARN", "Target", nil, "ValidationError", 400},
		{"short", target, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, "ValidationError", 400},
		{"long", target, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, "ValidationError", 400},
		{"chained for more than an hour", target, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, "ValidationError", 400},
		{"session name with a space", target, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError", 400},
		{"session name of one letter", target, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a") }, "ValidationError", 400},
		{"long session name", target, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String(strings.Repeat("n", 65)) }, "ValidationError", 400},
		{"session policy that is no policy", target, func(in *sts.AssumeRoleInput) { in.Policy = aws.String(`{"Statement":1}`) }, "MalformedPolicyDocument", 400},
		{"session policy with principal", target, func(in *sts.AssumeRoleInput) {
			in.Policy = aws.String(`{"Version":"2012-10-17","Statement":[` + trusts(home) + `]}`)
		}, "MalformedPolicyDocument", 400},
		{"long session policy", target, func(in *sts.AssumeRoleInput) {
			in.Policy = aws.String(allow("s3:*", "arn:aws:s3:::"+strings.Repeat("x", 2048)))
		}, "ValidationError", 400},
		{"session policy that does not exist", target, func(in *sts.AssumeRoleInput) {
			in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::111111111111:policy/None")}}
		}, "MalformedPolicyDocument", 400},
		{"transitive tag that is not set", target, func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"a"} }, "InvalidParameterValue", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var change []func(*sts.AssumeRoleInput)
			if tt.change != nil {
				change = set(tt.change)
			}
			_, err := w.assume(c, tt.arn, change...)
			refused(t, err, tt.code, tt.status)
		})
	}
	_, err := w.assume(w.as(root(home)), target)
	refused(t, err, "AccessDenied", 403)
}

func TestExternalID(t *testing.T) {
	w := newWorld(t)
	target := w.role(home, "Target", "", trusts(other, `"Condition":{"StringEquals":{"sts:ExternalId":"secret"}}`))
	with := func(id string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.ExternalId = &id }
	}
	_, err := w.assume(w.as(admin(other)), target, with("guess"))
	refused(t, err, "AccessDenied", 403)
	_, err = w.assume(w.as(admin(other)), target, with("secret"))
	succeeded(t, err)
}

// A role that was deleted and made again is trusted by nobody who trusted the old
// one, and the old one's sessions are over.
func TestRoleMadeAgain(t *testing.T) {
	w := newWorld(t)
	caller := w.role(other, "Caller", allow("sts:AssumeRole", "*"), trusts(other))
	target := w.role(home, "Target", "", trusts(caller))
	old := w.as(caller)
	session, err := w.assume(old, target)
	succeeded(t, err)

	roles := iam.NewFromConfig(w.Config(admin(other)))
	_, err = roles.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("Caller"), PolicyName: aws.String("p")})
	succeeded(t, err)
	_, err = roles.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("Caller")})
	succeeded(t, err)
	w.role(other, "Caller", allow("sts:AssumeRole", "*"), trusts(other))
	_, err = old.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	refused(t, err, "InvalidClientTokenId", 403)
	_, err = w.assume(w.as(caller), target)
	refused(t, err, "AccessDenied", 403)
	_, err = sts.NewFromConfig(session).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	succeeded(t, err) // A session lives on when the one who opened it is gone.
}

// A session policy only takes away.
func TestSessionPolicies(t *testing.T) {
	w := newWorld(t)
	target := w.role(home, "Target", allow("s3:*", "*"), trusts(home))
	list := func(change ...func(*sts.AssumeRoleInput)) error {
		cfg, err := w.assume(w.as(admin(home)), target, change...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s3.NewFromConfig(cfg).ListBuckets(t.Context(), &s3.ListBucketsInput{})
		return err
	}
	policy := func(p string) func(*sts.AssumeRoleInput) { return func(in *sts.AssumeRoleInput) { in.Policy = &p } }
	managed := func(arn string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.PolicyArns = []types.PolicyDescriptorType{{Arn: &arn}} }
	}
	succeeded(t, list())
	succeeded(t, list(policy(allow("s3:List*", "*"))))
	refused(t, list(policy(allow("s3:GetObject", "*"))), "AccessDenied", 403)
	succeeded(t, list(managed("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")))
	refused(t, list(managed("arn:aws:iam::aws:policy/IAMFullAccess")), "AccessDenied", 403)
	cfg, err := w.assume(w.as(admin(home)), target, policy(allow("*", "*")))
	succeeded(t, err)
	_, err = iam.NewFromConfig(cfg).ListRoles(t.Context(), &iam.ListRolesInput{})
	refused(t, err, "AccessDenied", 403)
}

func TestSessionsEnd(t *testing.T) {
	now := time.Now()
	w := newWorld(t, localmesh.WithClock(func() time.Time { return now }))
	target := w.role(home, "Target", "", trusts(home))
	cfg, err := w.assume(w.as(admin(home)), target, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(900) })
	succeeded(t, err)
	c := sts.NewFromConfig(cfg)
	now = now.Add(899 * time.Second)
	_, err = c.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	succeeded(t, err)
	now = now.Add(time.Second)
	_, err = c.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	refused(t, err, "ExpiredToken", 403)
}

// Tags and a source identity are permissions of their own, and go along a chain
// of sessions.
func TestTagsAndSourceIdentity(t *testing.T) {
	w := newWorld(t)
	noTags := `{"Effect":"Allow","Principal":{"AWS":"` + home + `"},"Action":"sts:AssumeRole"}`
	plain := w.role(home, "Plain", "", noTags)
	tag := func(in *sts.AssumeRoleInput) {
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("data")}}
		in.TransitiveTagKeys = []string{"team"}
	}
	source := func(name string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.SourceIdentity = &name }
	}
	c := w.as(admin(home))
	_, err := w.assume(c, plain, tag)
	refused(t, err, "AccessDenied", 403)
	_, err = w.assume(c, plain, source("ann"))
	refused(t, err, "AccessDenied", 403)
	_, err = w.assume(c, plain)
	succeeded(t, err)

	first := w.role(home, "First", allow("sts:*", "*"), trusts(home))
	second := w.role(home, "Second", "", trusts(home, `"Condition":{"StringEquals":{"aws:PrincipalTag/team":"data"}}`))
	cfg, err := w.assume(c, first)
	succeeded(t, err)
	_, err = w.assume(sts.NewFromConfig(cfg), second)
	refused(t, err, "AccessDenied", 403)
	cfg, err = w.assume(c, first, tag, source("ann"))
	succeeded(t, err)
	chained := sts.NewFromConfig(cfg)
	_, err = w.assume(chained, second)
	succeeded(t, err)
	_, err = w.assume(chained, second, source("bob"))
	refused(t, err, "AccessDenied", 403)
}

func TestSessionToken(t *testing.T) {
	w := newWorld(t)
	users := iam.NewFromConfig(w.Config(admin(home)))
	_, err := users.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")})
	succeeded(t, err)
	_, err = users.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String("ann"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	succeeded(t, err)
	ann := w.as("arn:aws:iam::111111111111:user/ann")
	_, err = w.as(admin(home)).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	refused(t, err, "AccessDenied", 403)
	_, err = ann.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(1)})
	refused(t, err, "ValidationError", 400)
	out, err := ann.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := w.with(out.Credentials)
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	succeeded(t, err)
	if *who.Arn != "arn:aws:iam::111111111111:user/ann" {
		t.Errorf("caller is %s", *who.Arn)
	}
	_, err = s3.NewFromConfig(cfg).ListBuckets(t.Context(), &s3.ListBucketsInput{})
	succeeded(t, err)
	_, err = iam.NewFromConfig(cfg).ListRoles(t.Context(), &iam.ListRolesInput{})
	refused(t, err, "InvalidClientTokenId", 403)
	key, err := w.as(admin(other)).GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: out.Credentials.AccessKeyId})
	succeeded(t, err)
	if *key.Account != home {
		t.Errorf("account is %s", *key.Account)
	}
	// Not more than an hour only for chained sessions: a user gets what the role allows.
	_, err = users.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Long"), MaxSessionDuration: aws.Int32(7200),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + trusts(home) + `]}`)})
	succeeded(t, err)
	long := func(seconds int32) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.DurationSeconds = &seconds }
	}
	_, err = w.assume(ann, "arn:aws:iam::111111111111:role/Long", long(7200))
	succeeded(t, err)
	_, err = w.assume(ann, "arn:aws:iam::111111111111:role/Long", long(7201))
	refused(t, err, "ValidationError", 400)
}
