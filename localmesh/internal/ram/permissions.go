package ram

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const permissionPrefix = "arn:aws:ram::aws:permission/"

// The managed permissions that Lake Formation puts on its shares
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-cross-account.html).
const (
	DatabasePermission  = permissionPrefix + "AWSRAMLFEnabledGlueDatabaseReadWrite"
	TablePermission     = permissionPrefix + "AWSRAMLFEnabledGlueTableReadWrite"
	AllTablesPermission = permissionPrefix + "AWSRAMLFEnabledGlueAllTablesReadWriteForDatabase"
	CatalogPermission   = permissionPrefix + "AWSRAMDefaultPermissionGlueCatalog"
)

// managed are the managed permissions by resource type; the first is the default.
var managed = []struct{ kind, arn string }{
	{"glue:Catalog", CatalogPermission},
	{"glue:Database", permissionPrefix + "AWSRAMDefaultPermissionGlueDatabase"},
	{"glue:Database", DatabasePermission},
	{"glue:Database", AllTablesPermission},
	{"glue:Table", permissionPrefix + "AWSRAMDefaultPermissionGlueTable"},
	{"glue:Table", TablePermission},
}

// permissionsFor checks the permissions that were asked for, and adds the default
// ones of the resources' types.
func permissionsFor(resources, asked []string) ([]string, error) {
	have := map[string]bool{}
	var all []string
	for _, arn := range asked {
		i := slices.IndexFunc(managed, func(m struct{ kind, arn string }) bool { return m.arn == arn })
		if i < 0 {
			return nil, engine.Errorf("UnknownResourceException", "Permission %s could not be found.", arn)
		}
		have[managed[i].kind] = true
		all = append(all, arn)
	}
	for _, r := range resources {
		kind, _ := ResourceType(r)
		i := slices.IndexFunc(managed, func(m struct{ kind, arn string }) bool { return m.kind == kind })
		if i >= 0 && !have[kind] {
			have[kind] = true
			all = append(all, managed[i].arn)
		}
	}
	return all, nil
}

func permissionAnswer(kind, arn string, isDefault bool) types.ResourceSharePermissionSummary {
	return types.ResourceSharePermissionSummary{
		Arn: aws.String(arn), Name: aws.String(strings.TrimPrefix(arn, permissionPrefix)), ResourceType: aws.String(kind),
		Version: aws.String("1"), DefaultVersion: aws.Bool(true), IsResourceTypeDefault: aws.Bool(isDefault),
		PermissionType: types.PermissionTypeAwsManaged, Status: aws.String(string(types.PermissionStatusAttachable)),
	}
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPermissions.html
func listPermissions(c *engine.Call, in *ram.ListPermissionsInput) (*ram.ListPermissionsOutput, error) {
	if err := c.Allow("ram:ListPermissions"); err != nil {
		return nil, err
	}
	var all []types.ResourceSharePermissionSummary
	seen := map[string]bool{}
	for _, m := range managed {
		if (in.ResourceType == nil || strings.EqualFold(*in.ResourceType, m.kind)) && in.PermissionType != types.PermissionTypeFilterCustomerManaged {
			all = append(all, permissionAnswer(m.kind, m.arn, !seen[m.kind]))
		}
		seen[m.kind] = true
	}
	slices.SortFunc(all, func(a, b types.ResourceSharePermissionSummary) int { return strings.Compare(*a.Arn, *b.Arn) })
	all, next, err := page(c, all, func(p types.ResourceSharePermissionSummary) string { return *p.Arn }, in.MaxResults, in.NextToken)
	return &ram.ListPermissionsOutput{Permissions: all, NextToken: next}, err
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListResourceSharePermissions.html
func listResourceSharePermissions(c *engine.Call, in *ram.ListResourceSharePermissionsInput) (*ram.ListResourceSharePermissionsOutput, error) {
	arn := aws.ToString(in.ResourceShareArn)
	if err := c.Authorize(authz.Question{Action: "ram:ListResourceSharePermissions", Resources: []string{arn}, IdentityOnly: true}); err != nil {
		return nil, err
	}
	if err := checkShareARNs([]string{arn}); err != nil {
		return nil, err
	}
	s, found, err := state.GetShare(c.Tx, arn)
	if err != nil {
		return nil, err
	}
	if found && s.Owner != c.Account() {
		ours, err := associatedPrincipals(c, s)
		if err != nil {
			return nil, err
		}
		found = len(ours) > 0
	}
	if !found {
		return nil, engine.Errorf("UnknownResourceException", "ResourceShare %s could not be found.", arn)
	}
	var all []types.ResourceSharePermissionSummary
	for _, p := range s.Permissions {
		for _, m := range managed {
			if m.arn == p {
				all = append(all, permissionAnswer(m.kind, m.arn, false))
			}
		}
	}
	all, next, err := page(c, all, func(p types.ResourceSharePermissionSummary) string { return *p.Arn }, in.MaxResults, in.NextToken)
	return &ram.ListResourceSharePermissionsOutput{Permissions: all, NextToken: next}, err
}
