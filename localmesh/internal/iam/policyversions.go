package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func policyVersionOperations() []engine.Operation {
	return []engine.Operation{
		write("CreatePolicyVersion", "permission on the policy's ARN; the document's form and size; five versions", createPolicyVersion),
		read("GetPolicyVersion", "permission on the policy's ARN", getPolicyVersion),
		read("ListPolicyVersions", "permission on the policy's ARN; pages", listPolicyVersions),
		write("SetDefaultPolicyVersion", "permission on the policy's ARN", setDefaultPolicyVersion),
		write("DeletePolicyVersion", "permission on the policy's ARN; not the default version", deletePolicyVersion),
	}
}

func describeVersion(p state.Policy, v state.PolicyVersion, listed bool) types.PolicyVersion {
	out := types.PolicyVersion{VersionId: aws.String(v.ID), IsDefaultVersion: v.ID == p.Default, CreateDate: aws.Time(v.Created)}
	if !listed {
		out.Document = encoded(v.Document)
	}
	return out
}

var versionPattern = regexp.MustCompile(`^v[1-9][0-9]*$`)

// version finds a version of a policy.
func version(p state.Policy, id *string) (int, error) {
	if id == nil {
		return 0, mustNotBeNull("versionId")
	}
	if !versionPattern.MatchString(*id) {
		return 0, breaks("versionId", *id, `satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`)
	}
	i := slices.IndexFunc(p.Versions, func(v state.PolicyVersion) bool { return v.ID == *id })
	if i < 0 {
		return 0, noSuchEntity("Policy %s version %s does not exist or is not attachable.", p.ARN(), *id)
	}
	return i, nil
}

func createPolicyVersion(c *engine.Call, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	p, err := policy(c, in.PolicyArn, nil)
	if err != nil {
		return nil, err
	}
	if err := readManaged(c, in.PolicyDocument); err != nil {
		return nil, err
	}
	limit, err := quota(c, quotaVersionsPerPolicy)
	if err != nil {
		return nil, err
	}
	if len(p.Versions) >= limit {
		return nil, limitExceeded("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", limit)
	}
	v := state.PolicyVersion{ID: fmt.Sprintf("v%d", p.Next), Document: *in.PolicyDocument, Created: c.Now}
	p.Next++
	p.Versions = append(p.Versions, v)
	if in.SetAsDefault {
		p.Default = v.ID
	}
	p.Updated = c.Now
	if err := putPolicy(c, p); err != nil {
		return nil, err
	}
	shown := describeVersion(p, v, true)
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &shown}, nil
}

func getPolicyVersion(c *engine.Call, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	if text, ok := authz.AWSManaged(aws.ToString(in.PolicyArn)); ok {
		if err := c.Allow("iam:GetPolicyVersion", *in.PolicyArn); err != nil {
			return nil, err
		}
		if v := aws.ToString(in.VersionId); v != "v1" {
			return nil, noSuchEntity("Policy %s version %s does not exist or is not attachable.", *in.PolicyArn, v)
		}
		return &iam.GetPolicyVersionOutput{PolicyVersion: &types.PolicyVersion{
			VersionId: aws.String("v1"), IsDefaultVersion: true, Document: encoded(text)}}, nil
	}
	p, err := policy(c, in.PolicyArn, nil)
	if err != nil {
		return nil, err
	}
	i, err := version(p, in.VersionId)
	if err != nil {
		return nil, err
	}
	shown := describeVersion(p, p.Versions[i], false)
	return &iam.GetPolicyVersionOutput{PolicyVersion: &shown}, nil
}

func listPolicyVersions(c *engine.Call, in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	p, err := policy(c, in.PolicyArn, nil)
	if err != nil {
		return nil, err
	}
	page, err := newPage[types.PolicyVersion](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	// The newest comes first; keys of the page go up, so they count down.
	for i, v := range slices.Backward(p.Versions) {
		if !page.add(strconv.Itoa(1000+len(p.Versions)-i), describeVersion(p, v, true)) {
			break
		}
	}
	return &iam.ListPolicyVersionsOutput{Versions: page.Items, IsTruncated: page.Truncated, Marker: page.Marker}, nil
}

func setDefaultPolicyVersion(c *engine.Call, in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	p, err := policy(c, in.PolicyArn, nil)
	if err != nil {
		return nil, err
	}
	i, err := version(p, in.VersionId)
	if err != nil {
		return nil, err
	}
	p.Default, p.Updated = p.Versions[i].ID, c.Now
	return &iam.SetDefaultPolicyVersionOutput{}, putPolicy(c, p)
}

func deletePolicyVersion(c *engine.Call, in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	p, err := policy(c, in.PolicyArn, nil)
	if err != nil {
		return nil, err
	}
	i, err := version(p, in.VersionId)
	if err != nil {
		return nil, err
	}
	if p.Versions[i].ID == p.Default {
		return nil, deleteConflict("Cannot delete the default version of a policy.")
	}
	p.Versions = slices.Delete(p.Versions, i, i+1)
	p.Updated = c.Now
	return &iam.DeletePolicyVersionOutput{}, putPolicy(c, p)
}
