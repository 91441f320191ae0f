package sts

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/iam"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const (
	minSession     = 900
	maxSession     = 43200
	defaultSession = 3600
	// chainedSession is the longest session of a role that a role assumed.
	chainedSession = 3600
	// maxSessionPolicy is the size of all session policies together.
	maxSessionPolicy = 2048
	maxPolicyARNs    = 10
	maxTags          = 50
)

// invalid is the error of a parameter that breaks the service's model.
func invalid(parameter, value, constraint string) error {
	return engine.Errorf("ValidationError",
		"1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, parameter, constraint)
}

func checkAssumeRole(in *sts.AssumeRoleInput) error {
	switch {
	case in.RoleArn == nil:
		return engine.Errorf("ValidationError", "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null")
	case len(*in.RoleArn) < 20 || len(*in.RoleArn) > 2048:
		return invalid("roleArn", *in.RoleArn, "have length between 20 and 2048")
	case in.RoleSessionName == nil:
		return engine.Errorf("ValidationError", "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null")
	}
	if err := checkSessionName("roleSessionName", *in.RoleSessionName); err != nil {
		return err
	}
	if s := in.SourceIdentity; s != nil {
		if err := checkSessionName("sourceIdentity", *s); err != nil {
			return err
		}
	}
	if d := in.DurationSeconds; d != nil {
		if *d < minSession {
			return invalid("durationSeconds", fmt.Sprint(*d), "have value greater than or equal to 900")
		}
		if *d > maxSession {
			return invalid("durationSeconds", fmt.Sprint(*d), "have value less than or equal to 43200")
		}
	}
	if id := in.ExternalId; id != nil && (len(*id) < 2 || len(*id) > 1224) {
		return invalid("externalId", *id, "have length between 2 and 1224")
	}
	if len(in.PolicyArns) > maxPolicyARNs {
		return invalid("policyArns", fmt.Sprintf("%d policies", len(in.PolicyArns)), "have length less than or equal to 10")
	}
	if _, kind, _, ok := state.SplitPrincipalARN(*in.RoleArn); !ok || kind != "role" {
		return engine.Errorf("ValidationError", "%s is invalid", *in.RoleArn)
	}
	return nil
}

func checkSessionName(parameter, name string) error {
	switch {
	case len(name) < 2:
		return invalid(parameter, name, "have length greater than or equal to 2")
	case len(name) > 64:
		return invalid(parameter, name, "have length less than or equal to 64")
	case !iam.IsName(name):
		return invalid(parameter, name, `satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	return nil
}

// sessionTags checks the tags of a session, and adds those that the caller's own
// session hands on.
func sessionTags(c *engine.Call, in *sts.AssumeRoleInput) (requested, all map[string]string, transitive []string, err error) {
	if len(in.Tags) > maxTags {
		return nil, nil, nil, invalid("tags", fmt.Sprintf("%d tags", len(in.Tags)), "have length less than or equal to 50")
	}
	requested, all = map[string]string{}, map[string]string{}
	for _, t := range in.Tags {
		k, v := aws.ToString(t.Key), aws.ToString(t.Value)
		if k == "" || len(k) > 128 || len(v) > 256 {
			return nil, nil, nil, invalid("tags", k, "have keys of 1 to 128 and values of at most 256 characters")
		}
		if _, twice := requested[k]; twice {
			return nil, nil, nil, engine.Errorf("InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		requested[k] = v
	}
	transitive = slices.Clone(in.TransitiveTagKeys)
	for _, k := range transitive {
		if _, ok := requested[k]; !ok {
			return nil, nil, nil, engine.Errorf("InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.")
		}
	}
	maps.Copy(all, requested)
	if s := c.Caller.Session; s != nil {
		for _, k := range s.TransitiveTags {
			if v, ok := requested[k]; ok && v != s.Tags[k] {
				return nil, nil, nil, engine.Errorf("InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
			}
			all[k] = s.Tags[k]
			if !slices.Contains(transitive, k) {
				transitive = append(transitive, k)
			}
		}
	}
	return requested, all, transitive, nil
}

// sessionPolicies reads the policies that limit the session.
func sessionPolicies(c *engine.Call, owner string, policy *string, managed []types.PolicyDescriptorType) (documents, arns []string, size int, err error) {
	if policy != nil {
		if size = len(*policy); size < 1 || size > maxSessionPolicy {
			return nil, nil, 0, invalid("policy", "", "have length between 1 and 2048")
		}
		d, err := iampolicy.Parse([]byte(*policy))
		if err == nil {
			err = d.Validate(iampolicy.SessionPolicy)
		}
		if err != nil {
			return nil, nil, 0, engine.Errorf("MalformedPolicyDocument", "%s", err.Error())
		}
		documents = []string{d.String()}
	}
	for _, p := range managed {
		arn := aws.ToString(p.Arn)
		text, ok, err := c.Mesh.Policies().ManagedText(c.Tx, arn)
		if err != nil {
			return nil, nil, 0, err
		}
		account, _, _, _ := state.SplitPrincipalARN(arn)
		if !ok || (account != owner && !strings.HasPrefix(arn, "arn:aws:iam::aws:policy/")) {
			return nil, nil, 0, engine.Errorf("MalformedPolicyDocument", "Policy %s does not exist or is not of the account.", arn)
		}
		size += len(text)
		arns = append(arns, arn)
	}
	if len(arns) > 0 && policy != nil && size > maxSessionPolicy {
		return nil, nil, 0, engine.Errorf("PackedPolicyTooLarge", "Packed size of the session policies consumes %d%% of allotted space.", size*100/maxSessionPolicy)
	}
	return documents, arns, size, nil
}

func assumeRole(c *engine.Call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if err := checkAssumeRole(in); err != nil {
		return nil, err
	}
	tags, allTags, transitive, err := sessionTags(c, in)
	if err != nil {
		return nil, err
	}
	if c.Caller.Root {
		c.Authorized()
		return nil, c.Denied("Roles may not be assumed by root accounts.")
	}
	if c.Caller.Session != nil && c.Caller.Session.Federated {
		c.Authorized()
		return nil, c.Denied("Roles may not be assumed by federated users.")
	}
	account, _, name, _ := state.SplitPrincipalARN(*in.RoleArn)
	role, found, err := state.ReadRole(c.Tx, account, name)
	if err != nil {
		return nil, err
	}
	// A role that does not exist, and one that is named without its path, is
	// refused like one that does not trust the caller.
	if !found || role.ARN() != *in.RoleArn {
		c.Authorized()
		return nil, c.Denied(notAuthorized(c, *in.RoleArn))
	}
	// A trust policy takes a while to be known. A role without one was just made.
	if role.Trust = iam.KnownTrust(c, role); role.Trust == "" {
		c.Authorized()
		return nil, c.Denied(notAuthorized(c, *in.RoleArn))
	}
	if err := authorizeAssumption(c, role, in, tags, transitive); err != nil {
		return nil, err
	}
	lifetime, err := sessionLength(c, role, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	documents, arns, size, err := sessionPolicies(c, role.Account, in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	s := iam.RoleSession(role, *in.RoleSessionName)
	s.Policies, s.PolicyARNs = documents, arns
	s.Chained = isRoleSession(c)
	s.Tags, s.TransitiveTags = allTags, transitive
	s.SourceIdentity = sourceIdentity(c, in)
	if s, err = iam.NewSession(c, s, lifetime); err != nil {
		return nil, err
	}
	out := &sts.AssumeRoleOutput{
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String(s.ARN()), AssumedRoleId: aws.String(role.ID + ":" + s.Name)},
		Credentials:     credentials(s),
	}
	if size > 0 {
		//nolint:staticcheck // Deprecated in the SDK, but clients read it.
		out.PackedPolicySize = aws.Int32(int32(min(100, max(1, size*100/maxSessionPolicy))))
	}
	if s.SourceIdentity != "" {
		out.SourceIdentity = aws.String(s.SourceIdentity)
	}
	return out, nil
}

func notAuthorized(c *engine.Call, role string) string {
	return fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.Caller.ARN, role)
}

// isRoleSession tells whether the caller is itself the session of a role, so
// that the new session is chained.
func isRoleSession(c *engine.Call) bool {
	return c.Caller.Session != nil && c.Caller.Session.Role != ""
}

// sourceIdentity stays the same along a chain of sessions.
func sourceIdentity(c *engine.Call, in *sts.AssumeRoleInput) string {
	if s := c.Caller.Session; s != nil && s.SourceIdentity != "" {
		return s.SourceIdentity
	}
	return aws.ToString(in.SourceIdentity)
}

// authorizeAssumption asks the caller's policies and the role's trust policy:
// both across accounts, and within an account the trust policy alone where it
// names the caller itself. Tags and a source identity are actions of their own, also
// where they come from the caller's session and are handed on
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html).
func authorizeAssumption(c *engine.Call, role state.Role, in *sts.AssumeRoleInput, tags map[string]string, transitive []string) error {
	keys := map[string][]string{"sts:RoleSessionName": {*in.RoleSessionName}}
	if in.ExternalId != nil {
		keys["sts:ExternalId"] = []string{*in.ExternalId}
	}
	inherited := sourceIdentity(c, in)
	if inherited != "" {
		keys["sts:SourceIdentity"] = []string{inherited}
	}
	for k, v := range tags {
		keys["aws:RequestTag/"+k] = []string{v}
	}
	if len(tags) > 0 {
		keys["aws:TagKeys"] = slices.Sorted(maps.Keys(tags))
	}
	if len(transitive) > 0 {
		keys["sts:TransitiveTagKeys"] = transitive
	}
	for k, v := range role.Tags {
		keys["aws:ResourceTag/"+k] = []string{v}
		keys["iam:ResourceTag/"+k] = []string{v}
	}
	actions := []string{"sts:AssumeRole"}
	if len(tags) > 0 || len(transitive) > 0 && !c.Mesh.Readings.InheritedTagsUnasked {
		actions = append(actions, "sts:TagSession")
	}
	if in.SourceIdentity != nil || inherited != "" && !c.Mesh.Readings.InheritedIdentityUnasked {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		err := c.Authorize(authz.Question{
			Action: action, Resources: []string{role.ARN()}, Keys: keys,
			ResourcePolicy: role.Trust, ResourcePolicyName: "trust policy of " + role.Name,
			ResourceAccount: role.Account, ResourceRequired: true,
		})
		if err != nil {
			return err
		}
	}
	if s := c.Caller.Session; s != nil && s.SourceIdentity != "" && in.SourceIdentity != nil && *in.SourceIdentity != s.SourceIdentity {
		return c.Denied("The source identity cannot be changed once it is set.")
	}
	return nil
}

// sessionLength checks how long the session may be.
func sessionLength(c *engine.Call, role state.Role, seconds *int32) (time.Duration, error) {
	d := time.Duration(defaultSession) * time.Second
	if seconds != nil {
		d = time.Duration(*seconds) * time.Second
	}
	if isRoleSession(c) && d > chainedSession*time.Second {
		return 0, engine.Errorf("ValidationError",
			"The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	if d > iam.MaxSession(role) {
		return 0, engine.Errorf("ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return d, nil
}

func credentials(s state.Session) *types.Credentials {
	return &types.Credentials{
		AccessKeyId: aws.String(s.AccessKeyID), SecretAccessKey: aws.String(s.Secret), SessionToken: aws.String(s.Token),
		Expiration: aws.Time(s.Expires),
	}
}
