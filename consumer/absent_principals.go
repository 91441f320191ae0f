package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// areThere refuses principals that this account has not: Lake Formation would refuse them
// one by one, after the link was made and others were given access. looked tells that all
// could be looked at.
func (c *Consumer) areThere(ctx context.Context, op string, principals []string) (looked bool, _ error) {
	var unseen atomic.Bool
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for _, p := range principals {
		group.Go(func() error {
			why, err := c.absent(within, p)
			if errors.Is(err, errUnseen) {
				unseen.Store(true)
				return nil
			}
			if err != nil || why == "" {
				return err
			}
			return &lakemesh.Error{Op: op, Account: c.account, Resource: "principal " + p, Kind: lakemesh.ErrNotFound, Message: why,
				Hint: "name a role or a user that there is, by its ARN with its path; one that was just made is known in a minute"}
		})
	}
	err := group.Wait()
	return !unseen.Load(), err
}

// errUnseen tells that this account's role may not look at principals, as one that an older
// version set up.
var errUnseen = errors.New("it may not look at principals")

// absent says why there is no such role or user in this account; it is empty if there is.
// Where this account's role may not look, it is an errUnseen.
func (c *Consumer) absent(ctx context.Context, principal string) (string, error) {
	if principal == everybody(c.account) || principal == c.partition.RoleARN(c.account, lakemesh.ConsumerRole) {
		return "", nil
	}
	_, why, err := c.made(ctx, principal)
	return why, err
}

// made is when a role or user of this account was made, or why there is none; the zero time
// of what is no role or user of this account. Where this account's role may not look, it is
// an errUnseen.
func (c *Consumer) made(ctx context.Context, principal string) (at time.Time, why string, _ error) {
	m := principalPattern.FindStringSubmatch(principal)
	if m == nil || m[1] != c.account {
		return time.Time{}, "", nil
	}
	kind, name, is := m[2], principal[strings.LastIndexByte(principal, '/')+1:], ""
	var err error
	if kind == "role" {
		var out *iam.GetRoleOutput
		if out, err = c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)}); err == nil {
			is, at = aws.ToString(out.Role.Arn), aws.ToTime(out.Role.CreateDate)
		}
	} else {
		var out *iam.GetUserOutput
		if out, err = c.iam.GetUser(ctx, &iam.GetUserInput{UserName: aws.String(name)}); err == nil {
			is, at = aws.ToString(out.User.Arn), aws.ToTime(out.User.CreateDate)
		}
	}
	switch {
	case awserr.Is(err, "NoSuchEntity"):
		return time.Time{}, fmt.Sprintf("account %s has no %s %s", c.account, kind, name), nil
	case awserr.Denied(err):
		c.log.DebugContext(ctx, "whether there is a principal was not looked at", "principal", principal, "reason", awserr.Message(err))
		return time.Time{}, "", errUnseen
	case err != nil:
		return time.Time{}, "", fmt.Errorf("look whether there is %s: %w", principal, err)
	case is != principal:
		return time.Time{}, fmt.Sprintf("account %s has no such %s; its %s %s is %s", c.account, kind, kind, name, is), nil
	}
	return at, "", nil
}
