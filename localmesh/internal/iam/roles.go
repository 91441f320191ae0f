package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html

import (
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func roleOperations() []engine.Operation {
	return []engine.Operation{
		write("CreateRole", "permission on the role's ARN with iam:PermissionsBoundary and tags; the trust policy's form, size and principals; quota of roles", createRole),
		read("GetRole", "permission on the role's ARN; deleted principals of the trust policy are shown as unique ids", getRole),
		read("ListRoles", "permission on the path's ARN; pages", listRoles),
		write("UpdateRole", "permission on the role's ARN; session length; not for service-linked roles", updateRole),
		write("UpdateRoleDescription", "permission on the role's ARN; not for service-linked roles save for the description", updateRoleDescription),
		write("UpdateAssumeRolePolicy", "permission on the role's ARN; the trust policy's form, size and principals", updateAssumeRolePolicy),
		write("DeleteRole", "permission on the role's ARN; DeleteConflict while it has policies", deleteRole),
		write("TagRole", "permission on the role's ARN with tag keys; 50 tags", tagRole),
		write("UntagRole", "permission on the role's ARN with tag keys", untagRole),
		read("ListRoleTags", "permission on the role's ARN; pages", listRoleTags),
		write("PutRolePermissionsBoundary", "permission on the role's ARN with iam:PermissionsBoundary; the policy exists", putRoleBoundary),
		write("DeleteRolePermissionsBoundary", "permission on the role's ARN", deleteRoleBoundary),
		read("ListInstanceProfilesForRole", "permission on the role's ARN; there are no instance profiles", listInstanceProfilesForRole),
	}
}

// roleARN is the ARN of a role that may not exist: without a path.
func roleARN(account, path, name string) string {
	return fmt.Sprintf("arn:aws:iam::%s:role%s%s", account, path, name)
}

// role finds a role of the caller's account and asks for permission on it. A
// caller without permission does not learn whether the role exists. What it points at must
// not be changed.
func role(c *engine.Call, name *string, keys map[string][]string) (state.Role, error) {
	if err := checkName("roleName", name, maxRoleName); err != nil {
		return state.Role{}, err
	}
	r, found, err := state.ReadRole(c.Tx, c.Account(), *name)
	if err != nil {
		return r, err
	}
	arn := roleARN(c.Account(), "/", *name)
	all := map[string][]string{}
	if found {
		arn = r.ARN()
		resourceTags(all, r.Tags)
		if r.Boundary != "" {
			all["iam:PermissionsBoundary"] = []string{r.Boundary}
		}
	}
	maps.Copy(all, keys)
	if err := c.Authorize(authz.Question{Action: "iam:" + c.Operation, Resources: []string{arn}, Keys: all}); err != nil {
		return r, err
	}
	if !found {
		return r, noSuchRole(*name)
	}
	return r, nil
}

// newRole notes what is learned later of a role that is made: who it is, whom it
// trusts, and that it can be changed.
func newRole(c *engine.Call, r state.Role) {
	c.NewPrincipal(r.ARN())
	c.Changed("role "+r.ARN(), nil)
	c.Changed(trustOf(r.ARN()), state.Role{})
}

// trustOf names the trust policy of a role for those who learn of it later.
func trustOf(arn string) string { return "trust " + arn }

// KnownTrust is the trust policy of a role that the caller's calls meet: for a
// while after a change it is the one before, and a role that was just made has none.
func KnownTrust(c *engine.Call, r state.Role) string {
	missed := c.Missed(trustOf(r.ARN()))
	if len(missed) == 0 {
		return r.Trust
	}
	if before, ok := missed[0].(state.Role); ok && before.ID == r.ID {
		return before.Trust
	}
	return ""
}

// writableRole is role for an operation that changes it. For a while after it was
// made a role can be read but is not found by what would change it.
func writableRole(c *engine.Call, name *string, keys map[string][]string) (state.Role, error) {
	r, err := role(c, name, keys)
	if err == nil && c.Missing("role "+r.ARN()) {
		err = noSuchRole(*name)
	}
	if err != nil {
		return r, err
	}
	r, _, err = state.GetRole(c.Tx, c.Account(), *name)
	return r, err
}

func noSuchRole(name string) error {
	return noSuchEntity("The role with name %s cannot be found.", name)
}

// changeableRole is role for an operation that a service-linked role refuses.
func changeableRole(c *engine.Call, name *string, keys map[string][]string) (state.Role, error) {
	r, err := writableRole(c, name, keys)
	if err == nil && r.ServiceLinked != "" {
		err = unmodifiable(r.Name)
	}
	return r, err
}

func putRole(c *engine.Call, r state.Role) error {
	return state.Roles.Put(c.Tx, r, r.Account, fold(r.Name))
}

// describeRole is a role as IAM shows it; listings leave out tags and boundary.
func describeRole(c *engine.Call, r state.Role, listed bool) (*types.Role, error) {
	trust, err := authz.ShowPrincipals(c.Tx, r.Trust, r.TrustIDs)
	if err != nil {
		return nil, err
	}
	out := &types.Role{
		Arn: aws.String(r.ARN()), RoleName: aws.String(r.Name), RoleId: aws.String(r.ID), Path: aws.String(r.Path),
		CreateDate: aws.Time(r.Created), AssumeRolePolicyDocument: encoded(trust), MaxSessionDuration: aws.Int32(maxSession(r)),
	}
	if r.Description != "" {
		out.Description = aws.String(r.Description)
	}
	if listed {
		return out, nil
	}
	out.Tags = tagList(r.Tags)
	out.PermissionsBoundary = boundary(r.Boundary)
	if c.Operation == "GetRole" {
		// Empty for a role that nobody has used in the time that AWS looks back; when roles
		// are used is not kept here.
		out.RoleLastUsed = &types.RoleLastUsed{}
	}
	return out, nil
}

func boundary(arn string) *types.AttachedPermissionsBoundary {
	if arn == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{
		PermissionsBoundaryArn: aws.String(arn), PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
	}
}

// defaultSession is the longest session of a role that does not say.
const defaultSession = 3600

func maxSession(r state.Role) int32 {
	if r.MaxSession == 0 {
		return defaultSession
	}
	return r.MaxSession
}

func checkMaxSession(seconds *int32) error {
	if seconds != nil && (*seconds < 3600 || *seconds > 43200) {
		return breaks("maxSessionDuration", fmt.Sprint(*seconds), "have value between 3600 and 43200")
	}
	return nil
}

func checkDescription(d *string) error {
	if len(aws.ToString(d)) > 1000 {
		return breaks("description", "", "have length less than or equal to 1000")
	}
	return nil
}

func createRole(c *engine.Call, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	if err := checkName("roleName", in.RoleName, maxRoleName); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	if err := checkMaxSession(in.MaxSessionDuration); err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	keys := map[string][]string{}
	requestTags(keys, tags)
	if in.PermissionsBoundary != nil {
		keys["iam:PermissionsBoundary"] = []string{*in.PermissionsBoundary}
	}
	q := authz.Question{Action: "iam:CreateRole", Resources: []string{roleARN(c.Account(), path, *in.RoleName)}, Keys: keys}
	if err := c.Authorize(q); err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		q.Action = "iam:TagRole"
		if err := c.Authorize(q); err != nil {
			return nil, err
		}
	}
	if strings.HasPrefix(path, serviceRolePath) {
		return nil, invalidInput("The specified path is reserved for service-linked roles.")
	}
	trust, ids, err := readTrust(c, in.AssumeRolePolicyDocument)
	if err != nil {
		return nil, err
	}
	if _, found, err := state.GetRole(c.Tx, c.Account(), *in.RoleName); err != nil {
		return nil, err
	} else if found {
		return nil, alreadyExists("Role with name %s already exists.", *in.RoleName)
	}
	if limit, err := quota(c, quotaRoles); err != nil {
		return nil, err
	} else if count(c.Tx, state.Roles, c.Account()) >= limit {
		return nil, exceeded("RolesPerAccount", limit)
	}
	r := state.Role{
		Account: c.Account(), Name: *in.RoleName, Path: path, ID: c.Mesh.ID("AROA", 17), Created: c.Now,
		Description: aws.ToString(in.Description), Trust: trust, TrustIDs: ids,
		MaxSession: defaultSession, Tags: tags,
	}
	if in.MaxSessionDuration != nil {
		r.MaxSession = *in.MaxSessionDuration
	}
	if in.PermissionsBoundary != nil {
		if err := policyExists(c, *in.PermissionsBoundary); err != nil {
			return nil, err
		}
		r.Boundary = *in.PermissionsBoundary
	}
	newRole(c, r)
	if err := putRole(c, r); err != nil {
		return nil, err
	}
	shown, err := describeRole(c, r, false)
	return &iam.CreateRoleOutput{Role: shown}, err
}

func getRole(c *engine.Call, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	r, err := role(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	shown, err := describeRole(c, r, false)
	return &iam.GetRoleOutput{Role: shown}, err
}

func listRoles(c *engine.Call, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	prefix, err := checkPathPrefix(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	p, err := newPage[types.Role](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if err := c.Allow("iam:ListRoles", roleARN(c.Account(), prefix, "")); err != nil {
		return nil, err
	}
	var failed error
	err = state.Roles.Scan(c.Tx, []string{c.Account()}, p.after, func(key string, r state.Role) bool {
		if !strings.HasPrefix(r.Path, prefix) {
			return true
		}
		shown, err := describeRole(c, r, true)
		if err != nil {
			failed = err
			return false
		}
		return p.add(key, *shown)
	})
	if err == nil {
		err = failed
	}
	return &iam.ListRolesOutput{Roles: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, err
}

func updateRole(c *engine.Call, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	if err := checkMaxSession(in.MaxSessionDuration); err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	r, err := changeableRole(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		r.Description = *in.Description
	}
	// A session length that is left out goes back to the default.
	r.MaxSession = defaultSession
	if in.MaxSessionDuration != nil {
		r.MaxSession = *in.MaxSessionDuration
	}
	return &iam.UpdateRoleOutput{}, putRole(c, r)
}

func updateRoleDescription(c *engine.Call, in *iam.UpdateRoleDescriptionInput) (*iam.UpdateRoleDescriptionOutput, error) {
	if in.Description == nil {
		return nil, mustNotBeNull("description")
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	r, err := writableRole(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	r.Description = *in.Description
	if err := putRole(c, r); err != nil {
		return nil, err
	}
	shown, err := describeRole(c, r, false)
	return &iam.UpdateRoleDescriptionOutput{Role: shown}, err
}

func updateAssumeRolePolicy(c *engine.Call, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	r, err := changeableRole(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	before := r
	if r.Trust, r.TrustIDs, err = readTrust(c, in.PolicyDocument); err != nil {
		return nil, err
	}
	c.Changed(trustOf(r.ARN()), before)
	return &iam.UpdateAssumeRolePolicyOutput{}, putRole(c, r)
}

func deleteRole(c *engine.Call, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	r, err := changeableRole(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	if len(r.Attached) > 0 {
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	}
	if len(r.Inline) > 0 {
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	}
	return &iam.DeleteRoleOutput{}, state.Roles.Delete(c.Tx, r.Account, fold(r.Name))
}

func tagRole(c *engine.Call, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	keys := map[string][]string{}
	requestTags(keys, tags)
	r, err := writableRole(c, in.RoleName, keys)
	if err != nil {
		return nil, err
	}
	if r.Tags, err = addTags(r.Tags, tags); err != nil {
		return nil, err
	}
	return &iam.TagRoleOutput{}, putRole(c, r)
}

func untagRole(c *engine.Call, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	r, err := writableRole(c, in.RoleName, map[string][]string{"aws:TagKeys": in.TagKeys})
	if err != nil {
		return nil, err
	}
	r.Tags = removeTags(r.Tags, in.TagKeys)
	return &iam.UntagRoleOutput{}, putRole(c, r)
}

// pageOfTags is a page of a resource's tags.
func pageOfTags(tags map[string]string, marker *string, maxItems *int32) (*page[types.Tag], error) {
	p, err := newPage[types.Tag](marker, maxItems)
	if err != nil {
		return nil, err
	}
	for _, t := range tagList(tags) {
		if !p.add(*t.Key, t) {
			break
		}
	}
	return p, nil
}

func listRoleTags(c *engine.Call, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	r, err := role(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	p, err := pageOfTags(r.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRoleTagsOutput{Tags: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func putRoleBoundary(c *engine.Call, in *iam.PutRolePermissionsBoundaryInput) (*iam.PutRolePermissionsBoundaryOutput, error) {
	if in.PermissionsBoundary == nil {
		return nil, mustNotBeNull("permissionsBoundary")
	}
	r, err := changeableRole(c, in.RoleName, map[string][]string{"iam:PermissionsBoundary": {*in.PermissionsBoundary}})
	if err != nil {
		return nil, err
	}
	if err := policyExists(c, *in.PermissionsBoundary); err != nil {
		return nil, err
	}
	r.Boundary = *in.PermissionsBoundary
	return &iam.PutRolePermissionsBoundaryOutput{}, putRole(c, r)
}

func deleteRoleBoundary(c *engine.Call, in *iam.DeleteRolePermissionsBoundaryInput) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	r, err := changeableRole(c, in.RoleName, nil)
	if err != nil {
		return nil, err
	}
	if r.Boundary == "" {
		return nil, noSuchEntity("Role %s does not have a permissions boundary.", r.Name)
	}
	r.Boundary = ""
	return &iam.DeleteRolePermissionsBoundaryOutput{}, putRole(c, r)
}

// listInstanceProfilesForRole is asked by programs before they delete a role.
func listInstanceProfilesForRole(c *engine.Call, in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	if _, err := role(c, in.RoleName, nil); err != nil {
		return nil, err
	}
	none, err := newPage[types.InstanceProfile](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesForRoleOutput{InstanceProfiles: none.Items}, nil
}
