package sts

// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/iam"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const maxFederatedName = 32

// getFederationToken gives a user's rights, narrowed by policies, to somebody whom the
// user knows. Without policies a federated user may what policies of resources let it.
func getFederationToken(c *engine.Call, in *sts.GetFederationTokenInput) (*sts.GetFederationTokenOutput, error) {
	if c.Caller.Session != nil {
		c.Authorized()
		return nil, c.Denied("Cannot call GetFederationToken with session credentials")
	}
	if c.Caller.Root {
		// AWS lets the root, and advises against it; here it would be the root once more.
		c.Authorized()
		return nil, c.Denied("The local mesh does not let the root of an account make federated users: use a user")
	}
	name := aws.ToString(in.Name)
	switch {
	case len(name) < 2 || len(name) > maxFederatedName:
		return nil, invalid("name", name, "have length between 2 and 32")
	case !iam.IsName(name):
		return nil, invalid("name", name, `satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	seconds := int32(defaultTokenSession)
	if in.DurationSeconds != nil {
		if seconds = *in.DurationSeconds; seconds < minSession || seconds > maxTokenSession {
			return nil, invalid("durationSeconds", fmt.Sprint(seconds), "have value between 900 and 129600")
		}
	}
	if len(in.PolicyArns) > maxPolicyARNs {
		return nil, invalid("policyArns", fmt.Sprintf("%d policies", len(in.PolicyArns)), "have length less than or equal to 10")
	}
	_, tags, _, err := sessionTags(c, &sts.AssumeRoleInput{Tags: in.Tags})
	if err != nil {
		return nil, err
	}
	s := state.Session{Account: c.Account(), Federated: true, Name: name, User: c.Caller.Principal, Tags: tags}
	if err := authorizeFederation(c, s); err != nil {
		return nil, err
	}
	size := 0
	if s.Policies, s.PolicyARNs, size, err = sessionPolicies(c, c.Account(), in.Policy, in.PolicyArns); err != nil {
		return nil, err
	}
	if s, err = iam.NewSession(c, s, time.Duration(seconds)*time.Second); err != nil {
		return nil, err
	}
	out := &sts.GetFederationTokenOutput{Credentials: credentials(s),
		FederatedUser: &types.FederatedUser{Arn: aws.String(s.ARN()), FederatedUserId: aws.String(s.Account + ":" + name)}}
	if size > 0 {
		//nolint:staticcheck // Deprecated in the SDK, but clients read it.
		out.PackedPolicySize = aws.Int32(int32(min(100, max(1, size*100/maxSessionPolicy))))
	}
	return out, nil
}

// authorizeFederation asks for the right to name a federated user, and to tag it.
func authorizeFederation(c *engine.Call, s state.Session) error {
	keys := map[string][]string{}
	for k, v := range s.Tags {
		keys["aws:RequestTag/"+k] = []string{v}
	}
	if len(s.Tags) > 0 {
		keys["aws:TagKeys"] = slices.Sorted(maps.Keys(s.Tags))
	}
	q := authz.Question{Action: "sts:GetFederationToken", Resources: []string{s.ARN()}, Keys: keys}
	if err := c.Authorize(q); err != nil || len(s.Tags) == 0 {
		return err
	}
	q.Action = "sts:TagSession"
	return c.Authorize(q)
}
