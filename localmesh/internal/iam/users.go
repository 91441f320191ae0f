package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users.html

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func userOperations() []engine.Operation {
	return []engine.Operation{
		write("CreateUser", "permission on the user's ARN with iam:PermissionsBoundary and tags; quota of users", createUser),
		read("GetUser", "permission on the user's ARN; without a name, the caller's own user", getUser),
		read("ListUsers", "permission on the path's ARN; pages", listUsers),
		write("DeleteUser", "permission on the user's ARN; DeleteConflict while it has keys, groups or policies", deleteUser),
		write("TagUser", "permission on the user's ARN with tag keys; 50 tags", tagUser),
		write("UntagUser", "permission on the user's ARN with tag keys", untagUser),
		read("ListUserTags", "permission on the user's ARN; pages", listUserTags),
		write("PutUserPermissionsBoundary", "permission on the user's ARN with iam:PermissionsBoundary; the policy exists", putUserBoundary),
		write("DeleteUserPermissionsBoundary", "permission on the user's ARN", deleteUserBoundary),
	}
}

func userARN(account, path, name string) string {
	return fmt.Sprintf("arn:aws:iam::%s:user%s%s", account, path, name)
}

// user finds a user of the caller's account and asks for permission on it.
func user(c *engine.Call, name *string, keys map[string][]string) (state.User, error) {
	if err := checkName("userName", name, maxUserName); err != nil {
		return state.User{}, err
	}
	u, found, err := state.GetUser(c.Tx, c.Account(), *name)
	if err != nil {
		return u, err
	}
	arn := userARN(c.Account(), "/", *name)
	all := map[string][]string{}
	if found {
		arn = u.ARN()
		resourceTags(all, u.Tags)
		if u.Boundary != "" {
			all["iam:PermissionsBoundary"] = []string{u.Boundary}
		}
	}
	maps.Copy(all, keys)
	if err := c.Authorize(authz.Question{Action: "iam:" + c.Operation, Resources: []string{arn}, Keys: all}); err != nil {
		return u, err
	}
	if !found {
		return u, noSuchEntity("The user with name %s cannot be found.", *name)
	}
	return u, nil
}

// callerName is the name of the user that calls, for operations whose user name
// may be left out.
func callerName(c *engine.Call, name *string) (*string, error) {
	if name != nil {
		return name, nil
	}
	if _, kind, own, ok := state.SplitPrincipalARN(c.Caller.Principal); ok && kind == "user" {
		return &own, nil
	}
	return nil, engine.Errorf("ValidationError", "Must specify userName when calling with non-User credentials")
}

func putUser(c *engine.Call, u state.User) error {
	return state.Users.Put(c.Tx, u, u.Account, fold(u.Name))
}

func describeUser(u state.User, listed bool) *types.User {
	out := &types.User{
		Arn: aws.String(u.ARN()), UserName: aws.String(u.Name), UserId: aws.String(u.ID), Path: aws.String(u.Path), CreateDate: aws.Time(u.Created),
	}
	if !listed {
		out.Tags = tagList(u.Tags)
		out.PermissionsBoundary = boundary(u.Boundary)
	}
	return out
}

func createUser(c *engine.Call, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	if err := checkName("userName", in.UserName, maxUserName); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
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
	q := authz.Question{Action: "iam:CreateUser", Resources: []string{userARN(c.Account(), path, *in.UserName)}, Keys: keys}
	if err := c.Authorize(q); err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		q.Action = "iam:TagUser"
		if err := c.Authorize(q); err != nil {
			return nil, err
		}
	}
	if _, found, err := state.GetUser(c.Tx, c.Account(), *in.UserName); err != nil {
		return nil, err
	} else if found {
		return nil, alreadyExists("User with name %s already exists.", *in.UserName)
	}
	if limit, err := quota(c, quotaUsers); err != nil {
		return nil, err
	} else if count(c.Tx, state.Users, c.Account()) >= limit {
		return nil, exceeded("UsersPerAccount", limit)
	}
	u := state.User{Account: c.Account(), Name: *in.UserName, Path: path, ID: c.Mesh.ID("AIDA", 17), Created: c.Now, Tags: tags}
	if in.PermissionsBoundary != nil {
		if err := policyExists(c, *in.PermissionsBoundary); err != nil {
			return nil, err
		}
		u.Boundary = *in.PermissionsBoundary
	}
	c.NewPrincipal(u.ARN())
	return &iam.CreateUserOutput{User: describeUser(u, false)}, putUser(c, u)
}

func getUser(c *engine.Call, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	if in.UserName == nil && c.Caller.Root {
		if err := c.Allow("iam:GetUser", c.Caller.ARN); err != nil {
			return nil, err
		}
		return &iam.GetUserOutput{User: &types.User{Arn: aws.String(c.Caller.ARN), UserId: aws.String(c.Account()), CreateDate: aws.Time(c.Now)}}, nil
	}
	name, err := callerName(c, in.UserName)
	if err != nil {
		return nil, err
	}
	u, err := user(c, name, nil)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserOutput{User: describeUser(u, false)}, nil
}

func listUsers(c *engine.Call, in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	prefix, err := checkPathPrefix(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	p, err := newPage[types.User](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if err := c.Allow("iam:ListUsers", userARN(c.Account(), prefix, "")); err != nil {
		return nil, err
	}
	err = state.Users.Scan(c.Tx, []string{c.Account()}, p.after, func(key string, u state.User) bool {
		return !strings.HasPrefix(u.Path, prefix) || p.add(key, *describeUser(u, true))
	})
	return &iam.ListUsersOutput{Users: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, err
}

func deleteUser(c *engine.Call, in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	u, err := user(c, in.UserName, nil)
	if err != nil {
		return nil, err
	}
	keys, err := keysOf(c, u)
	if err != nil {
		return nil, err
	}
	switch {
	case len(keys) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete access keys first.")
	case len(u.Groups) > 0:
		return nil, deleteConflict("Cannot delete entity, must remove users from group first.")
	case len(u.Attached) > 0:
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(u.Inline) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	}
	return &iam.DeleteUserOutput{}, state.Users.Delete(c.Tx, u.Account, fold(u.Name))
}

func tagUser(c *engine.Call, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	keys := map[string][]string{}
	requestTags(keys, tags)
	u, err := user(c, in.UserName, keys)
	if err != nil {
		return nil, err
	}
	if u.Tags, err = addTags(u.Tags, tags); err != nil {
		return nil, err
	}
	return &iam.TagUserOutput{}, putUser(c, u)
}

func untagUser(c *engine.Call, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	u, err := user(c, in.UserName, map[string][]string{"aws:TagKeys": in.TagKeys})
	if err != nil {
		return nil, err
	}
	u.Tags = removeTags(u.Tags, in.TagKeys)
	return &iam.UntagUserOutput{}, putUser(c, u)
}

func listUserTags(c *engine.Call, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	u, err := user(c, in.UserName, nil)
	if err != nil {
		return nil, err
	}
	p, err := pageOfTags(u.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserTagsOutput{Tags: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func putUserBoundary(c *engine.Call, in *iam.PutUserPermissionsBoundaryInput) (*iam.PutUserPermissionsBoundaryOutput, error) {
	if in.PermissionsBoundary == nil {
		return nil, mustNotBeNull("permissionsBoundary")
	}
	u, err := user(c, in.UserName, map[string][]string{"iam:PermissionsBoundary": {*in.PermissionsBoundary}})
	if err != nil {
		return nil, err
	}
	if err := policyExists(c, *in.PermissionsBoundary); err != nil {
		return nil, err
	}
	u.Boundary = *in.PermissionsBoundary
	return &iam.PutUserPermissionsBoundaryOutput{}, putUser(c, u)
}

func deleteUserBoundary(c *engine.Call, in *iam.DeleteUserPermissionsBoundaryInput) (*iam.DeleteUserPermissionsBoundaryOutput, error) {
	u, err := user(c, in.UserName, nil)
	if err != nil {
		return nil, err
	}
	if u.Boundary == "" {
		return nil, noSuchEntity("User %s does not have a permissions boundary.", u.Name)
	}
	u.Boundary = ""
	return &iam.DeleteUserPermissionsBoundaryOutput{}, putUser(c, u)
}

// inGroup tells whether a user is in a group.
func inGroup(u state.User, group string) bool {
	return slices.ContainsFunc(u.Groups, func(g string) bool { return strings.EqualFold(g, group) })
}
