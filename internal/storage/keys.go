package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// Keys are the keys of KMS of an account.
type Keys struct {
	// Client makes the calls, in the region that a key's ARN names.
	Client *kms.Client
	// Account owns the keys.
	Account string
	// Patience is how long a changed policy is read back for; 0 means [DefaultPatience].
	Patience time.Duration
}

// In returns the option that makes a call in the region of a key.
func In(key string) func(*kms.Options) {
	return func(o *kms.Options) {
		if parts := strings.Split(key, ":"); len(parts) == 6 && parts[3] != "" {
			o.Region = parts[3]
		}
	}
}

// Policy reads the policy of a key.
func (k Keys) Policy(ctx context.Context, key string) (string, error) {
	out, err := k.Client.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: aws.String(key)}, In(key))
	if err != nil {
		return "", fmt.Errorf("read the policy of key %s: %w", key, err)
	}
	return aws.ToString(out.Policy), nil
}

// KeyChange is what is to become of the policy of a key.
type KeyChange struct {
	Key string
	// Open are let in, Shut are taken out.
	Open, Shut []KeyReader
}

// LetIn is the detail of a step that changes the policy of a key.
type LetIn struct {
	Role    string
	Opened  []string `json:",omitempty"`
	Closed  []string `json:",omitempty"`
	Actions []string
}

// Step adds the step that writes a change of a key's policy, after the steps given.
func (k Keys) Step(p *plan.Plan, c KeyChange, after ...*plan.Step) *plan.Step {
	var said []string
	var detail []LetIn
	for _, role := range keyRoles(c.Open, c.Shut) {
		d := LetIn{Role: role, Opened: bucketsOf(c.Open, role), Closed: bucketsOf(c.Shut, role), Actions: []string{"kms:Decrypt"}}
		if len(d.Opened) > 0 {
			said = append(said, fmt.Sprintf("let %s decrypt with it what it reads in bucket %s", role, strings.Join(d.Opened, ", ")))
		}
		if len(d.Closed) > 0 {
			said = append(said, fmt.Sprintf("let %s no more decrypt with it what is in bucket %s", role, strings.Join(d.Closed, ", ")))
		}
		detail = append(detail, d)
	}
	return p.Add(plan.Step{Kind: plan.PutKeyPolicy, Account: k.Account, Resource: "key " + c.Key, Detail: detail, Summary: strings.Join(said, "; "),
		Run: func(ctx context.Context) error { return k.write(ctx, c) }}, after...)
}

// write writes a change. KMS has no condition for writing a policy: it is read again just
// before, so that what others wrote after the plan was made stays. The check that who
// writes it can write it again is never waived.
func (k Keys) write(ctx context.Context, c KeyChange) error {
	err := poll.Until(ctx, k.patience(newRole), "KMS to know "+strings.Join(keyRoles(c.Open), ", "), func(ctx context.Context) (bool, error) {
		before, err := k.Policy(ctx, c.Key)
		if err != nil {
			return false, err
		}
		after, err := MergeKey(before, c.Key, c.Open, c.Shut)
		if err != nil || after == before {
			return err == nil, err
		}
		_, err = k.Client.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: aws.String(c.Key), Policy: aws.String(after)}, In(c.Key))
		if unknownInKey(err) && !namesDeleted(before) {
			// A role that was made a moment ago.
			return false, poll.NotYet(err)
		}
		return err == nil, err
	})
	if err != nil {
		return k.explain(c, err)
	}
	err = poll.Until(ctx, k.patience(DefaultPatience), "the policy of key "+c.Key+" to be changed", func(ctx context.Context) (bool, error) {
		now, err := k.Policy(ctx, c.Key)
		if err != nil {
			return false, err
		}
		readers, err := KeyReaders(now, c.Key)
		is := func(r KeyReader) bool { return slices.Contains(readers, r) }
		return err == nil && !slices.ContainsFunc(c.Open, func(r KeyReader) bool { return !is(r) }) &&
			!slices.ContainsFunc(c.Shut, func(r KeyReader) bool { return is(r) && !slices.Contains(c.Open, r) }), err
	})
	if timeout, ok := errors.AsType[*poll.TimeoutError](err); ok && ctx.Err() == nil {
		return &lakemesh.Error{Account: k.Account, Resource: "policy of key " + c.Key, Err: timeout,
			Message: "it was written and does not show the change: " + timeout.Error(),
			Hint:    "somebody else may have written it at the same time; run the same command again"}
	}
	return err
}

func unknownInKey(err error) bool {
	return awserr.Is(err, "MalformedPolicyDocumentException") && awserr.Says(err, "invalid principal")
}

func (k Keys) explain(c KeyChange, err error) error {
	e := &lakemesh.Error{Account: k.Account, Resource: "policy of key " + c.Key, Code: awserr.Code(err), Err: err}
	switch {
	case awserr.Denied(err):
		e.Kind, e.Message = lakemesh.ErrAccessDenied, "it cannot be written: "+awserr.Message(err)
		e.Hint = "let the key's administrator change the policy (docs/kms.md), and initialize the account with the keys whose policies the role keeps, without this one"
	case unknownInKey(err):
		e.Kind, e.Message = lakemesh.ErrNotFound, "a principal that it names does not exist"
		e.Hint = "check that the role exists, and that no statement of the policy names a principal that was deleted"
	default:
		return err
	}
	return e
}

func (k Keys) patience(usual time.Duration) time.Duration {
	if k.Patience > 0 {
		return k.Patience
	}
	return usual
}
