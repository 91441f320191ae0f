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

// kindOf is the resource type that a managed permission is for.
func kindOf(permission string) (kind string, ok bool) {
	for _, m := range managed {
		if m.arn == permission {
			return m.kind, true
		}
	}
	return "", false
}

// permissionShare reads the share of a call about a managed permission, and the
// resource type of the permission.
func permissionShare(c *engine.Call, action string, share, permission *string) (s state.Share, kind string, err error) {
	arn := aws.ToString(permission)
	kind, known := kindOf(arn)
	keys := map[string][]string{"ram:PermissionArn": {arn}}
	if known {
		keys["ram:PermissionResourceType"] = []string{kind}
	}
	if s, err = ownShareWith(c, action, share, keys); err != nil {
		return s, "", err
	}
	if !strings.HasPrefix(arn, "arn:aws:ram:") {
		return s, "", engine.Errorf("MalformedArnException", "The specified Amazon Resource Name (ARN) has a format that isn't valid: %s", arn)
	}
	if !known {
		return s, "", engine.Errorf("UnknownResourceException", "Permission %s could not be found.", arn)
	}
	return s, kind, nil
}

// carries tells whether a share has a resource of a type.
func carries(c *engine.Call, s state.Share, kind string) (bool, error) {
	resources, err := state.ShareResources.All(c.Tx, s.Owner, s.Region, s.ID)
	return slices.ContainsFunc(resources, func(a state.Association) bool {
		k, _ := ResourceType(a.Entity)
		return strings.EqualFold(k, kind)
	}), err
}

// knownPermission refuses a managed permission, or a version of it, that is not there.
func knownPermission(arn string, version *int32) error {
	if !strings.HasPrefix(arn, "arn:") {
		return engine.Errorf("MalformedArnException", "The specified Amazon Resource Name (ARN) has a format that isn't valid: %s", arn)
	}
	if _, ok := kindOf(arn); !ok {
		return engine.Errorf("UnknownResourceException", "Permission %s could not be found.", arn)
	}
	if version != nil && *version != 1 {
		return engine.Errorf("UnknownResourceException", "Version %d of permission %s could not be found.", *version, arn)
	}
	return nil
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_AssociateResourceSharePermission.html
//
// A share has one permission for each type of its resources. Another one takes its
// place only if the caller says so.
func associateResourceSharePermission(c *engine.Call, in *ram.AssociateResourceSharePermissionInput) (*ram.AssociateResourceSharePermissionOutput, error) {
	s, kind, err := permissionShare(c, "ram:AssociateResourceSharePermission", in.ResourceShareArn, in.PermissionArn)
	if err != nil {
		return nil, err
	}
	out := &ram.AssociateResourceSharePermissionOutput{ClientToken: in.ClientToken, ReturnValue: aws.Bool(true)}
	if _, ok, err := replayed(c, in.ClientToken, in); err != nil || ok {
		return out, err
	}
	if in.PermissionVersion != nil && *in.PermissionVersion != 1 {
		return nil, engine.Errorf("UnknownResourceException", "Version %d of permission %s could not be found.", *in.PermissionVersion, *in.PermissionArn)
	}
	others := slices.DeleteFunc(slices.Clone(s.Permissions), func(arn string) bool {
		k, _ := kindOf(arn)
		return k == kind
	})
	if !aws.ToBool(in.Replace) {
		if len(others) < len(s.Permissions) {
			return nil, engine.Errorf("InvalidParameterException", "The resource share has a permission for the resource type %s. Set replace to put another one in its place.", kind)
		}
		has, err := carries(c, s, kind)
		if err != nil {
			return nil, err
		}
		if has {
			return nil, engine.Errorf("OperationNotPermittedException", "The resource share has resources of the type %s already.", kind)
		}
	}
	others = append(others, *in.PermissionArn)
	s.Permissions, s.Updated = others, c.Now
	if err := state.PutShare(c.Tx, s); err != nil {
		return nil, err
	}
	return out, remember(c, in.ClientToken, in, "")
}

// https://docs.aws.amazon.com/ram/latest/APIReference/API_DisassociateResourceSharePermission.html
//
// A permission can be taken out of a share that has no resource of its type.
func disassociateResourceSharePermission(c *engine.Call, in *ram.DisassociateResourceSharePermissionInput) (*ram.DisassociateResourceSharePermissionOutput, error) {
	s, kind, err := permissionShare(c, "ram:DisassociateResourceSharePermission", in.ResourceShareArn, in.PermissionArn)
	if err != nil {
		return nil, err
	}
	out := &ram.DisassociateResourceSharePermissionOutput{ClientToken: in.ClientToken, ReturnValue: aws.Bool(true)}
	if _, ok, err := replayed(c, in.ClientToken, in); err != nil || ok {
		return out, err
	}
	if !slices.Contains(s.Permissions, *in.PermissionArn) {
		return nil, engine.Errorf("UnknownResourceException", "Permission %s is not associated with the resource share.", *in.PermissionArn)
	}
	has, err := carries(c, s, kind)
	if err != nil {
		return nil, err
	}
	if has {
		return nil, engine.Errorf("InvalidStateTransitionException", "The resource share has resources of the type %s.", kind)
	}
	s.Permissions = slices.DeleteFunc(slices.Clone(s.Permissions), func(arn string) bool { return arn == *in.PermissionArn })
	s.Updated = c.Now
	if err := state.PutShare(c.Tx, s); err != nil {
		return nil, err
	}
	return out, remember(c, in.ClientToken, in, "")
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
	if err := checkType(in.ResourceType); err != nil {
		return nil, err
	}
	switch in.PermissionType {
	case "", types.PermissionTypeFilterAll, types.PermissionTypeFilterAwsManaged, types.PermissionTypeFilterCustomerManaged:
	default:
		return nil, engine.Errorf("InvalidParameterException", "Invalid permission type: %s", in.PermissionType)
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

// https://docs.aws.amazon.com/ram/latest/APIReference/API_GetPermission.html
//
// Which actions a permission allows is not documented; here the document names those
// that its name tells, on any resource of its type.
func getPermission(c *engine.Call, in *ram.GetPermissionInput) (*ram.GetPermissionOutput, error) {
	arn := aws.ToString(in.PermissionArn)
	if err := c.Allow("ram:GetPermission", arn); err != nil {
		return nil, err
	}
	if err := knownPermission(arn, in.PermissionVersion); err != nil {
		return nil, err
	}
	kind, _ := kindOf(arn)
	first := slices.IndexFunc(managed, func(m struct{ kind, arn string }) bool { return m.kind == kind })
	actions := `"glue:Get*","glue:SearchTables"`
	if strings.HasSuffix(arn, "ReadWrite") || strings.HasSuffix(arn, "ReadWriteForDatabase") {
		actions += `,"glue:BatchCreatePartition","glue:BatchDeletePartition","glue:BatchUpdatePartition","glue:CreatePartition","glue:DeletePartition","glue:UpdatePartition","glue:UpdateTable"`
	}
	return &ram.GetPermissionOutput{Permission: &types.ResourceSharePermissionDetail{
		Arn: aws.String(arn), Name: aws.String(strings.TrimPrefix(arn, permissionPrefix)), ResourceType: aws.String(kind), Version: aws.String("1"),
		DefaultVersion: aws.Bool(true), IsResourceTypeDefault: aws.Bool(managed[first].arn == arn), PermissionType: types.PermissionTypeAwsManaged,
		FeatureSet: types.PermissionFeatureSetStandard, Status: types.PermissionStatusAttachable,
		Permission: aws.String(`{"Effect":"Allow","Action":[` + actions + `]}`),
	}}, nil
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
