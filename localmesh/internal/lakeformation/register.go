package lakeformation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_RegisterResource.html
//
// Registering depends on IAM alone, not on Lake Formation's permissions.
func registerResource(c *engine.Call, in *lakeformation.RegisterResourceInput) (*lakeformation.RegisterResourceOutput, error) {
	if err := c.Allow("lakeformation:RegisterResource"); err != nil {
		return nil, err
	}
	if in.WithPrivilegedAccess {
		// The privilege is an IAM action of its own
		// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslakeformation.html).
		if err := c.Allow("lakeformation:RegisterResourceWithPrivilegedAccess"); err != nil {
			return nil, err
		}
	}
	path, err := locationPath(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if state.Locations.Has(c.Tx, c.Account(), c.Region, path) {
		return nil, engine.Errorf("AlreadyExistsException", "Resource is already registered: %s", *in.ResourceArn)
	}
	if err := roomForLocation(c, path); err != nil {
		return nil, err
	}
	l := state.Location{
		Account: c.Account(), Region: c.Region, Path: path, ARN: *in.ResourceArn, Hybrid: aws.ToBool(in.HybridAccessEnabled),
		Federation: aws.ToBool(in.WithFederation), Privileged: in.WithPrivilegedAccess,
		ExpectedOwner: aws.ToString(in.ExpectedResourceOwnerAccount), Modified: c.Now,
	}
	if err := setRole(c, &l, in.RoleArn, aws.ToBool(in.UseServiceLinkedRole)); err != nil {
		return nil, err
	}
	if err := state.Locations.Put(c.Tx, l, l.Account, l.Region, l.Path); err != nil {
		return nil, err
	}
	c.NewLocation(l.Account, l.Path)
	if in.WithPrivilegedAccess && !c.Mesh.Readings.PrivilegedAccessGrantsNothing {
		on := state.Securable{Kind: state.KindLocation, Resource: state.Resource{Account: c.Account(), Region: c.Region}, Path: path}
		perms := []string{dataLocationAccess}
		err = write(c, part{on: on, perms: perms, grantable: perms}, c.Caller.Principal)
	}
	return &lakeformation.RegisterResourceOutput{}, err
}

// The quotas of registered paths
// (https://docs.aws.amazon.com/general/latest/gr/lake-formation.html).
const (
	maxLocations      = 10_000
	maxLocationLength = 700
	maxLocationDepth  = 20
)

// roomForLocation refuses a path that is too long or too deep, and one path too many.
func roomForLocation(c *engine.Call, path string) error {
	switch {
	case len(path) > maxLocationLength:
		return invalid("A registered path can have at most %d characters.", maxLocationLength)
	case strings.Count(path, "/") > maxLocationDepth:
		return invalid("A registered path can have at most %d subfolders.", maxLocationDepth)
	}
	most, err := quota(c, "registered paths", maxLocations)
	if err == nil && count(c, state.Locations) >= most {
		err = engine.Errorf("ResourceNumberLimitExceededException", "An account can have at most %d registered paths.", most)
	}
	return err
}

// setRole sets the role that serves a location: one of the account's own that the
// caller may pass to Lake Formation and that trusts it, or the service-linked one
// (https://docs.aws.amazon.com/lake-formation/latest/dg/registration-role.html).
func setRole(c *engine.Call, l *state.Location, arn *string, serviceLinked bool) error {
	if serviceLinked == (aws.ToString(arn) != "") {
		return invalid("Exactly one of UseServiceLinkedRole and RoleArn must be given.")
	}
	if serviceLinked {
		l.Role, l.ServiceLinked = serviceLinkedRoleARN(c.Account()), true
		return extendServiceLinkedRole(c, l.Path)
	}
	role, err := ownRole(c, *arn)
	if err != nil {
		return err
	}
	services := []string{"lakeformation"}
	if c.Mesh.Readings.LocationRolesTrustGlue {
		services = append(services, "glue")
	}
	for _, service := range services {
		err = c.Authorize(authz.Question{Action: "iam:PassRole", Resources: []string{role.ARN()}, Keys: map[string][]string{
			"iam:PassedToService": {service + ".amazonaws.com"},
		}})
		if err != nil {
			return err
		}
		trusted, err := trusts(c, role, service, l.Account)
		if err != nil {
			return err
		}
		if !trusted {
			return invalid("The role %s does not trust %s.amazonaws.com.", role.ARN(), service)
		}
	}
	l.Role, l.ServiceLinked = role.ARN(), false
	return verify(c, l, role)
}

// ownRole finds a role of the caller's account by its ARN.
func ownRole(c *engine.Call, arn string) (state.Role, error) {
	account, kind, name, ok := state.SplitPrincipalARN(arn)
	if !ok || kind != "role" || account != c.Account() {
		return state.Role{}, invalid("Invalid role ARN: %s", arn)
	}
	role, found, err := state.ReadRole(c.Tx, account, name)
	if err != nil {
		return role, err
	}
	if !found || role.ARN() != arn {
		return role, invalid("Role not found: %s", arn)
	}
	return role, nil
}

// trusts reports whether a service may assume a role for the catalog of an account,
// which is what it says of itself
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-service-confused-deputy-prevention.html).
func trusts(c *engine.Call, role state.Role, service, account string) (bool, error) {
	source := c.ARN(service, account, "catalog")
	if service == "lakeformation" {
		source += ":" + account
	}
	d, err := c.Mesh.Policies().Decide(c.Tx, authz.Caller{Service: service + ".amazonaws.com"}, authz.Question{
		Action: "sts:AssumeRole", Resources: []string{role.ARN()}, ResourcePolicy: role.Trust, ResourcePolicyName: "trust policy",
		ResourceAccount: role.Account, ResourceRequired: true,
		Keys: map[string][]string{"aws:SourceAccount": {account}, "aws:SourceArn": {source}},
	}, c.Now, c.Region)
	return d.Allowed, err
}

func registered(c *engine.Call, arn *string) (state.Location, error) {
	path, err := locationPath(arn)
	if err != nil {
		return state.Location{}, err
	}
	l, found, err := state.Locations.Get(c.Tx, c.Account(), c.Region, path)
	if err == nil && !found {
		err = notFound("Resource is not registered: %s", aws.ToString(arn))
	}
	return l, err
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DeregisterResource.html
func deregisterResource(c *engine.Call, in *lakeformation.DeregisterResourceInput) (*lakeformation.DeregisterResourceOutput, error) {
	if err := c.Allow("lakeformation:DeregisterResource"); err != nil {
		return nil, err
	}
	l, err := registered(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if l.ServiceLinked {
		if err := shrinkServiceLinkedRole(c, l.Path); err != nil {
			return nil, err
		}
	}
	on := state.Securable{Kind: state.KindLocation, Resource: state.Resource{Account: l.Account, Region: l.Region}, Path: l.Path}
	if err := forget(c, on.Key()...); err != nil {
		return nil, err
	}
	return &lakeformation.DeregisterResourceOutput{}, state.Locations.Delete(c.Tx, l.Account, l.Region, l.Path)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DescribeResource.html
func describeResource(c *engine.Call, in *lakeformation.DescribeResourceInput) (*lakeformation.DescribeResourceOutput, error) {
	if err := c.Allow("lakeformation:DescribeResource"); err != nil {
		return nil, err
	}
	l, err := registered(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	info, err := locationAnswer(c, l)
	return &lakeformation.DescribeResourceOutput{ResourceInfo: &info}, err
}

func locationAnswer(c *engine.Call, l state.Location) (types.ResourceInfo, error) {
	status, err := verification(c, l)
	info := types.ResourceInfo{
		ResourceArn: aws.String(l.ARN), RoleArn: aws.String(l.Role), LastModified: aws.Time(l.Modified), HybridAccessEnabled: aws.Bool(l.Hybrid),
		WithFederation: aws.Bool(l.Federation), WithPrivilegedAccess: aws.Bool(l.Privileged), VerificationStatus: status,
	}
	if l.ExpectedOwner != "" {
		info.ExpectedResourceOwnerAccount = aws.String(l.ExpectedOwner)
	}
	return info, err
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_UpdateResource.html
func updateResource(c *engine.Call, in *lakeformation.UpdateResourceInput) (*lakeformation.UpdateResourceOutput, error) {
	if err := c.Allow("lakeformation:UpdateResource"); err != nil {
		return nil, err
	}
	l, err := registered(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if l.ServiceLinked {
		// https://docs.aws.amazon.com/lake-formation/latest/dg/notes-hybrid.html
		return nil, invalid("A location that is registered with the service-linked role cannot be changed: %s", l.ARN)
	}
	if aws.ToString(in.RoleArn) == serviceLinkedRoleARN(c.Account()) {
		err = setRole(c, &l, nil, true)
	} else {
		err = setRole(c, &l, in.RoleArn, false)
	}
	if err != nil {
		return nil, err
	}
	if in.HybridAccessEnabled != nil {
		l.Hybrid = *in.HybridAccessEnabled
	}
	if in.WithFederation != nil {
		l.Federation = *in.WithFederation
	}
	if in.ExpectedResourceOwnerAccount != nil {
		l.ExpectedOwner = *in.ExpectedResourceOwnerAccount
	}
	l.Modified = c.Now
	return &lakeformation.UpdateResourceOutput{}, state.Locations.Put(c.Tx, l, l.Account, l.Region, l.Path)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListResources.html
func listResources(c *engine.Call, in *lakeformation.ListResourcesInput) (*lakeformation.ListResourcesOutput, error) {
	if err := c.Allow("lakeformation:ListResources"); err != nil {
		return nil, err
	}
	all, err := state.Locations.All(c.Tx, c.Account(), c.Region)
	if err != nil {
		return nil, err
	}
	for _, f := range in.FilterConditionList {
		// A filter that cannot be is refused also where there is nothing to filter.
		if _, err := fulfils(state.Location{}, f); err != nil {
			return nil, err
		}
	}
	var failed error
	all = slices.DeleteFunc(all, func(l state.Location) bool {
		for _, f := range in.FilterConditionList {
			ok, err := fulfils(l, f)
			failed = errors.Join(failed, err)
			if !ok {
				return true
			}
		}
		return false
	})
	if failed != nil {
		return nil, failed
	}
	all, next, err := page(all, func(l state.Location) string { return l.Path }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &lakeformation.ListResourcesOutput{NextToken: next, ResourceInfoList: []types.ResourceInfo{}}
	for _, l := range all {
		info, err := locationAnswer(c, l)
		if err != nil {
			return nil, err
		}
		out.ResourceInfoList = append(out.ResourceInfoList, info)
	}
	return out, nil
}

// sortable is a time as a text whose order is that of the times.
func sortable(t time.Time) string { return fmt.Sprintf("%020d", t.Unix()) }

// fulfils tells whether a location fulfils a condition of a listing.
func fulfils(l state.Location, f types.FilterCondition) (bool, error) {
	value := l.ARN
	switch f.Field {
	case types.FieldNameStringResourceArn:
	case types.FieldNameStringRoleArn:
		value = l.Role
	case types.FieldNameStringLastModified:
		value = sortable(l.Modified)
		f.StringValueList = slices.Clone(f.StringValueList)
		for i, text := range f.StringValueList {
			t, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return false, invalid("Invalid time in a filter: %s", text)
			}
			f.StringValueList[i] = sortable(t)
		}
	default:
		return false, invalid("Invalid field in a filter: %s", string(f.Field))
	}
	if len(f.StringValueList) == 0 {
		return false, invalid("A filter needs a value.")
	}
	first := f.StringValueList[0]
	switch f.ComparisonOperator {
	case types.ComparisonOperatorEq:
		return value == first, nil
	case types.ComparisonOperatorNe:
		return value != first, nil
	case types.ComparisonOperatorLe:
		return value <= first, nil
	case types.ComparisonOperatorLt:
		return value < first, nil
	case types.ComparisonOperatorGe:
		return value >= first, nil
	case types.ComparisonOperatorGt:
		return value > first, nil
	case types.ComparisonOperatorContains:
		return strings.Contains(value, first), nil
	case types.ComparisonOperatorNotContains:
		return !strings.Contains(value, first), nil
	case types.ComparisonOperatorBeginsWith:
		return strings.HasPrefix(value, first), nil
	case types.ComparisonOperatorIn:
		return slices.Contains(f.StringValueList, value), nil
	case types.ComparisonOperatorBetween:
		return len(f.StringValueList) == 2 && value >= first && value <= f.StringValueList[1], nil
	}
	return false, invalid("Invalid operator in a filter: %s", string(f.ComparisonOperator))
}
