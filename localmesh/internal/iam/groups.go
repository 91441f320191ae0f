package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups.html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func groupOperations() []engine.Operation {
	return []engine.Operation{
		write("CreateGroup", "permission on the group's ARN; quota of groups", createGroup),
		read("GetGroup", "permission on the group's ARN; pages of users", getGroup),
		read("ListGroups", "permission on the path's ARN; pages", listGroups),
		write("DeleteGroup", "permission on the group's ARN; DeleteConflict while it has users or policies", deleteGroup),
		write("AddUserToGroup", "permission on the group's ARN; ten groups a user", addUserToGroup),
		write("RemoveUserFromGroup", "permission on the group's ARN", removeUserFromGroup),
		read("ListGroupsForUser", "permission on the user's ARN; pages", listGroupsForUser),
	}
}

func groupARN(account, path, name string) string {
	return fmt.Sprintf("arn:aws:iam::%s:group%s%s", account, path, name)
}

// group finds a group of the caller's account and asks for permission on it.
func group(c *engine.Call, name *string, keys map[string][]string) (state.Group, error) {
	if err := checkName("groupName", name, maxGroupName); err != nil {
		return state.Group{}, err
	}
	g, found, err := state.GetGroup(c.Tx, c.Account(), *name)
	if err != nil {
		return g, err
	}
	arn := groupARN(c.Account(), "/", *name)
	if found {
		arn = g.ARN()
	}
	if err := c.Authorize(authz.Question{Action: "iam:" + c.Operation, Resources: []string{arn}, Keys: keys}); err != nil {
		return g, err
	}
	if !found {
		return g, noSuchEntity("The group with name %s cannot be found.", *name)
	}
	return g, nil
}

func putGroup(c *engine.Call, g state.Group) error {
	return state.Groups.Put(c.Tx, g, g.Account, fold(g.Name))
}

func describeGroup(g state.Group) *types.Group {
	return &types.Group{Arn: aws.String(g.ARN()), GroupName: aws.String(g.Name), GroupId: aws.String(g.ID), Path: aws.String(g.Path), CreateDate: aws.Time(g.Created)}
}

func createGroup(c *engine.Call, in *iam.CreateGroupInput) (*iam.CreateGroupOutput, error) {
	if err := checkName("groupName", in.GroupName, maxGroupName); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	if err := c.Allow("iam:CreateGroup", groupARN(c.Account(), path, *in.GroupName)); err != nil {
		return nil, err
	}
	if _, found, err := state.GetGroup(c.Tx, c.Account(), *in.GroupName); err != nil {
		return nil, err
	} else if found {
		return nil, alreadyExists("Group with name %s already exists.", *in.GroupName)
	}
	if limit, err := quota(c, quotaGroups); err != nil {
		return nil, err
	} else if count(c.Tx, state.Groups, c.Account()) >= limit {
		return nil, exceeded("GroupsPerAccount", limit)
	}
	g := state.Group{Account: c.Account(), Name: *in.GroupName, Path: path, ID: c.Mesh.ID("AGPA", 17), Created: c.Now}
	return &iam.CreateGroupOutput{Group: describeGroup(g)}, putGroup(c, g)
}

// members calls fn for the users of a group, in the order of their names.
func members(c *engine.Call, g state.Group, after string, fn func(key string, u state.User) bool) error {
	return state.Users.Scan(c.Tx, []string{c.Account()}, after, func(key string, u state.User) bool {
		return !inGroup(u, g.Name) || fn(key, u)
	})
}

func getGroup(c *engine.Call, in *iam.GetGroupInput) (*iam.GetGroupOutput, error) {
	g, err := group(c, in.GroupName, nil)
	if err != nil {
		return nil, err
	}
	p, err := newPage[types.User](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	err = members(c, g, p.after, func(key string, u state.User) bool { return p.add(key, *describeUser(u, true)) })
	return &iam.GetGroupOutput{Group: describeGroup(g), Users: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, err
}

func listGroups(c *engine.Call, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
	prefix, err := checkPathPrefix(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	p, err := newPage[types.Group](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	if err := c.Allow("iam:ListGroups", groupARN(c.Account(), prefix, "")); err != nil {
		return nil, err
	}
	err = state.Groups.Scan(c.Tx, []string{c.Account()}, p.after, func(key string, g state.Group) bool {
		return !strings.HasPrefix(g.Path, prefix) || p.add(key, *describeGroup(g))
	})
	return &iam.ListGroupsOutput{Groups: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, err
}

func deleteGroup(c *engine.Call, in *iam.DeleteGroupInput) (*iam.DeleteGroupOutput, error) {
	g, err := group(c, in.GroupName, nil)
	if err != nil {
		return nil, err
	}
	empty := true
	if err := members(c, g, "", func(string, state.User) bool { empty = false; return false }); err != nil {
		return nil, err
	}
	switch {
	case !empty:
		return nil, deleteConflict("Cannot delete entity, must remove users from group first.")
	case len(g.Attached) > 0:
		return nil, deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(g.Inline) > 0:
		return nil, deleteConflict("Cannot delete entity, must delete policies first.")
	}
	return &iam.DeleteGroupOutput{}, state.Groups.Delete(c.Tx, g.Account, fold(g.Name))
}

// member finds the user of an operation on a group, whose permission is asked on
// the group alone.
func member(c *engine.Call, name *string) (state.User, error) {
	if err := checkName("userName", name, maxUserName); err != nil {
		return state.User{}, err
	}
	u, found, err := state.GetUser(c.Tx, c.Account(), *name)
	if err == nil && !found {
		err = noSuchEntity("The user with name %s cannot be found.", *name)
	}
	return u, err
}

func addUserToGroup(c *engine.Call, in *iam.AddUserToGroupInput) (*iam.AddUserToGroupOutput, error) {
	g, err := group(c, in.GroupName, nil)
	if err != nil {
		return nil, err
	}
	u, err := member(c, in.UserName)
	if err != nil {
		return nil, err
	}
	if inGroup(u, g.Name) {
		return &iam.AddUserToGroupOutput{}, nil
	}
	limit, err := quota(c, quotaGroupsPerUser)
	if err != nil {
		return nil, err
	}
	if len(u.Groups) >= limit {
		return nil, exceeded("GroupsPerUser", limit)
	}
	u.Groups = append(u.Groups, g.Name)
	return &iam.AddUserToGroupOutput{}, putUser(c, u)
}

func removeUserFromGroup(c *engine.Call, in *iam.RemoveUserFromGroupInput) (*iam.RemoveUserFromGroupOutput, error) {
	g, err := group(c, in.GroupName, nil)
	if err != nil {
		return nil, err
	}
	u, err := member(c, in.UserName)
	if err != nil {
		return nil, err
	}
	if !inGroup(u, g.Name) {
		return nil, noSuchEntity("User %s is not in group %s", u.Name, g.Name)
	}
	u.Groups = slices.DeleteFunc(u.Groups, func(name string) bool { return strings.EqualFold(name, g.Name) })
	return &iam.RemoveUserFromGroupOutput{}, putUser(c, u)
}

func listGroupsForUser(c *engine.Call, in *iam.ListGroupsForUserInput) (*iam.ListGroupsForUserOutput, error) {
	u, err := user(c, in.UserName, nil)
	if err != nil {
		return nil, err
	}
	p, err := newPage[types.Group](in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(slices.Values(u.Groups)) {
		g, found, err := state.GetGroup(c.Tx, u.Account, name)
		if err != nil {
			return nil, err
		}
		if found && !p.add(name, *describeGroup(g)) {
			break
		}
	}
	return &iam.ListGroupsForUserOutput{Groups: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
