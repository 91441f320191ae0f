package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/poll"
)

const (
	// sessionLife is the longest that a session opened from another session lasts
	// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining).
	sessionLife = time.Hour
	// renewBefore is how long before its end a session is renewed.
	renewBefore = 5 * time.Minute
)

// Assume opens the role at once. A caller that is the role already is returned
// as it is, without a call.
func (i *Identity) Assume(ctx context.Context, roleARN string) (*Identity, error) {
	role, err := i.Lazy(roleARN)
	if err != nil || role == i {
		return role, err
	}
	if _, err := role.Config.Credentials.Retrieve(ctx); err != nil {
		// The SDK's cache puts words of its own before those that tell what to do.
		if explained, ok := errors.AsType[*lakemesh.Error](err); ok {
			return nil, explained
		}
		return nil, err
	}
	return role, nil
}

// Lazy opens the role when the first call is made as it. A caller that is the
// role already is returned as it is.
func (i *Identity) Lazy(roleARN string) (*Identity, error) {
	parts := strings.SplitN(roleARN, ":", 6)
	if len(parts) != 6 || parts[2] != "iam" || !strings.HasPrefix(parts[5], "role/") {
		return nil, lakemesh.Invalid("role", "%q is not the ARN of a role", roleARN)
	}
	account, name := parts[4], roleName(roleARN)
	if i.IsRole(account, name) {
		return i, nil
	}
	provider := &roleCredentials{client: sts.NewFromConfig(i.Config), from: i, role: roleARN, account: account}
	role := &Identity{Account: account, ARN: roleARN, SessionName: i.SessionName, log: i.log, roleWait: i.roleWait}
	cfg := i.Config.Copy()
	cfg.Credentials = aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow, o.ExpiryWindowJitterFrac = renewBefore, 0.5
	})
	cfg.Retryer = newRetryer(i.roleWait)
	role.Config = logged(cfg, i.log, role)
	return role, nil
}

// roleCredentials opens sessions of a role.
type roleCredentials struct {
	client  *sts.Client
	from    *Identity
	role    string
	account string
}

// Retrieve implements aws.CredentialsProvider. The cache around it calls it once
// for all who wait.
func (r *roleCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	out, err := r.assume(ctx)
	if err != nil {
		return aws.Credentials{}, r.explain(err)
	}
	c := out.Credentials
	if c == nil || aws.ToString(c.AccessKeyId) == "" || aws.ToString(c.SecretAccessKey) == "" || aws.ToString(c.SessionToken) == "" {
		// Signing with such credentials would fail in words that say nothing.
		return aws.Credentials{}, &lakemesh.Error{Op: "AssumeRole", Account: r.account, Resource: "role " + r.role, Kind: lakemesh.ErrAccessDenied,
			Message: "STS answered without usable credentials", Hint: "what answered is not AWS's STS: check AWS_ENDPOINT_URL, and any proxy"}
	}
	return aws.Credentials{
		AccessKeyID: aws.ToString(c.AccessKeyId), SecretAccessKey: aws.ToString(c.SecretAccessKey), SessionToken: aws.ToString(c.SessionToken),
		Source: "AssumeRole " + r.role, CanExpire: true, Expires: aws.ToTime(c.Expiration), AccountID: r.account,
	}, nil
}

// assume opens a session. A role that refuses may have been made, or may have come
// to trust the caller, a moment ago: it is tried again for a while
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency).
func (r *roleCredentials) assume(ctx context.Context) (*sts.AssumeRoleOutput, error) {
	var out *sts.AssumeRoleOutput
	// A short wait needs no explanation.
	told := r.from.roleWait < 2*time.Second
	err := poll.Until(ctx, r.from.roleWait, "role "+r.role+" to open for "+r.from.ARN, func(ctx context.Context) (bool, error) {
		var err error
		out, err = r.client.AssumeRole(ctx, &sts.AssumeRoleInput{
			RoleArn: aws.String(r.role), RoleSessionName: aws.String(r.from.SessionName),
			DurationSeconds: aws.Int32(int32(sessionLife / time.Second)),
		})
		if HasCode(err, accessDeniedCodes...) && !isExplained(err) && !readDenial(awserr.Message(err)).stays() {
			if !told {
				told = true
				r.from.log.WarnContext(ctx, fmt.Sprintf("role %s refuses; it is tried for %s, in case it was made a moment ago", r.role, r.from.roleWait))
			}
			return false, poll.NotYet(err)
		}
		return err == nil, err
	})
	return out, err
}

// explain says what must be true for the hop. STS answers the same for a role that
// does not exist, that does not trust, and that the caller may not assume.
func (r *roleCredentials) explain(err error) error {
	if !HasCode(err, accessDeniedCodes...) || isExplained(err) {
		return Explain("AssumeRole", r.account, "role "+r.role, err)
	}
	name := roleName(r.role)
	d := readDenial(awserr.Message(err))
	if d.stays() || d.handsOn() {
		what := d.remedy()
		return &lakemesh.Error{Op: "AssumeRole", Account: r.account, Resource: "role " + r.role, Kind: lakemesh.ErrAccessDenied, Code: awserr.Code(err),
			Message: r.from.ARN + " may not assume the role", Hint: d.quote() + "; " + what.hint, Do: what.do, Err: err}
	}
	what := remedy(name, r.account, r.from.Account)
	hint := "the role must exist and trust the caller, and the caller must be allowed sts:AssumeRole on it; if that was done a moment ago, try again in a minute; " + what.hint
	if d.reason != "" {
		hint = d.quote() + "; " + hint
	}
	return &lakemesh.Error{Op: "AssumeRole", Account: r.account, Resource: "role " + r.role, Kind: lakemesh.ErrAccessDenied, Code: awserr.Code(err),
		Message: r.from.ARN + " may not assume the role", Hint: hint, Do: what.do, Err: err}
}

// remedy is what makes the role.
func remedy(role, account, from string) advice {
	// Nobody sees from another account whether there is a mesh at all.
	first := ", once the mesh account is set up (" + lakemesh.Do("admin.InitializeMeshAccount").String() + ")"
	by := func(who string, call lakemesh.Call) advice {
		return advice{fmt.Sprintf("an administrator of %s %s makes it", who, account), []lakemesh.Call{call}}
	}
	own := func(call lakemesh.Call) advice {
		what := by("account", call)
		what.hint += first
		return what
	}
	inMesh := func(call lakemesh.Call) advice {
		what := by("the mesh account", call)
		what.hint += ", if that is the mesh account (MeshAccountID)"
		return what
	}
	switch {
	case role == lakemesh.ProducerRole:
		return own(lakemesh.Do("admin.InitializeProducerAccount"))
	case role == lakemesh.ConsumerRole:
		return own(lakemesh.Do("admin.InitializeConsumerAccount"))
	case role == lakemesh.MeshProducerRole(from):
		return inMesh(lakemesh.Do("admin.EnableAccountAsProducer", "AccountID", from))
	case role == lakemesh.MeshConsumerRole(from):
		return inMesh(lakemesh.Do("admin.EnableAccountAsConsumer", "AccountID", from))
	case role == lakemesh.ManagerRole, role == lakemesh.ReadOnlyRole:
		return by("the mesh account", lakemesh.Do("admin.InitializeMeshAccount"))
	default:
		// The mesh has no such role.
		return advice{hint: fmt.Sprintf("an administrator of account %s makes it", account)}
	}
}
