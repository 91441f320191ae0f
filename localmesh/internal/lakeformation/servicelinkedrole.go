package lakeformation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/lake-formation/latest/dg/service-linked-roles.html

const (
	serviceLinkedRole     = "AWSServiceRoleForLakeFormationDataAccess"
	serviceLinkedRolePath = "/aws-service-role/lakeformation.amazonaws.com/"
	// serviceLinkedPolicy is the one inline policy that every registered path is
	// added to.
	serviceLinkedPolicy = "LakeFormationDataAccessPolicy"
	// inlinePolicySize is IAM's quota of inline policies of a role, which ends the
	// growth of that policy.
	inlinePolicySize = 10_240
)

func serviceLinkedRoleARN(account string) string {
	return "arn:aws:iam::" + account + ":role" + serviceLinkedRolePath + serviceLinkedRole
}

// extendServiceLinkedRole adds a path to the service-linked role's policy, with
// the caller's right to change it, and makes the role if there is none.
func extendServiceLinkedRole(c *engine.Call, path string) error {
	role, found, err := state.GetRole(c.Tx, c.Account(), serviceLinkedRole)
	if err != nil {
		return err
	}
	arn := serviceLinkedRoleARN(c.Account())
	if !found {
		err := c.Authorize(authz.Question{Action: "iam:CreateServiceLinkedRole", Resources: []string{arn}, Keys: map[string][]string{
			"iam:AWSServiceName": {"lakeformation.amazonaws.com"},
		}})
		if err != nil {
			return err
		}
		role = state.Role{
			Account: c.Account(), Name: serviceLinkedRole, Path: serviceLinkedRolePath, ID: c.Mesh.ID("AROA", 17), Created: c.Now, MaxSession: 3600,
			Trust:         `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lakeformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
			ServiceLinked: "lakeformation.amazonaws.com",
		}
	}
	if err := c.Allow("iam:PutRolePolicy", arn); err != nil {
		return err
	}
	paths, err := servedPaths(c)
	if err != nil {
		return err
	}
	return putServiceLinkedRole(c, role, append(paths, path))
}

// shrinkServiceLinkedRole takes a path out of the policy. The last one cannot be:
// AWS wants the role to be deleted by hand.
func shrinkServiceLinkedRole(c *engine.Call, path string) error {
	role, found, err := state.GetRole(c.Tx, c.Account(), serviceLinkedRole)
	if err != nil || !found {
		return err
	}
	paths, err := servedPaths(c)
	if err != nil {
		return err
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return p == path })
	if len(paths) == 0 {
		return invalid("Must manually delete service-linked role to deregister last S3 location")
	}
	return putServiceLinkedRole(c, role, paths)
}

// servedPaths are the paths that the service-linked role serves, in all regions.
func servedPaths(c *engine.Call) ([]string, error) {
	locations, err := state.Locations.All(c.Tx, c.Account())
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, l := range locations {
		if l.ServiceLinked {
			paths = append(paths, l.Path)
		}
	}
	return paths, nil
}

func putServiceLinkedRole(c *engine.Call, role state.Role, paths []string) error {
	type statement struct {
		Effect   string
		Action   []string
		Resource []string
	}
	var objects, buckets []string
	for _, p := range paths {
		bucket, _, _ := strings.Cut(p, "/")
		objects = append(objects, "arn:aws:s3:::"+p+"/*")
		buckets = append(buckets, "arn:aws:s3:::"+bucket)
	}
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []statement{
		{"Allow", []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, sorted(objects)},
		{"Allow", []string{"s3:ListBucket", "s3:GetBucketLocation"}, sorted(buckets)},
	}})
	if err != nil {
		return fmt.Errorf("policy of %s: %w", serviceLinkedRole, err)
	}
	if len(policy) > inlinePolicySize {
		return engine.Errorf("ResourceNumberLimitExceededException",
			"Maximum policy size of %d bytes exceeded for role %s", inlinePolicySize, serviceLinkedRole)
	}
	role.Inline = map[string]string{serviceLinkedPolicy: string(policy)}
	return state.Roles.Put(c.Tx, role, role.Account, strings.ToLower(role.Name))
}
