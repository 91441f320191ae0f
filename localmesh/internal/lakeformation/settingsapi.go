package lakeformation

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxAdmins bounds the list of data lake administrators.
const maxAdmins = 30

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetDataLakeSettings.html
func getDataLakeSettings(c *engine.Call, in *lakeformation.GetDataLakeSettingsInput) (*lakeformation.GetDataLakeSettingsOutput, error) {
	if err := c.Allow("lakeformation:GetDataLakeSettings"); err != nil {
		return nil, err
	}
	if err := ownCatalog(c, in.CatalogId); err != nil {
		return nil, err
	}
	s, err := settingsOf(c, c.Account(), c.Region)
	if err != nil {
		return nil, err
	}
	return &lakeformation.GetDataLakeSettingsOutput{DataLakeSettings: &types.DataLakeSettings{
		DataLakeAdmins: principalsAnswer(s.Admins), ReadOnlyAdmins: principalsAnswer(s.ReadOnlyAdmins),
		CreateDatabaseDefaultPermissions: defaultsAnswer(s.DatabaseDefaults), CreateTableDefaultPermissions: defaultsAnswer(s.TableDefaults),
		Parameters: parametersAnswer(c, s), TrustedResourceOwners: append([]string{}, s.TrustedOwners...),
		AllowExternalDataFiltering: aws.Bool(s.ExternalFiltering), AllowFullTableExternalDataAccess: aws.Bool(s.FullTableAccess),
		ExternalDataFilteringAllowList: principalsAnswer(s.ExternalFilteringList),
		AuthorizedSessionTagValueList:  append([]string{}, s.SessionTagValues...),
	}}, nil
}

// parametersAnswer are the parameters with those that hold where none were put: the first
// version of sharing, and the context that is always told
// (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lakeformation_data_lake_settings#parameters).
func parametersAnswer(c *engine.Call, s state.DataLakeSettings) map[string]string {
	all := map[string]string{versionParameter: strconv.Itoa(version(s))}
	if !c.Mesh.Readings.SetContextRefused {
		// Where it cannot be put, whoever writes settings back as they were read is refused.
		all[setContext] = "TRUE"
	}
	maps.Copy(all, s.Parameters)
	return all
}

// ownCatalog refuses a catalog of another account: settings and registrations are
// an account's own business.
func ownCatalog(c *engine.Call, id *string) error {
	account, err := catalogOf(c, id)
	if err == nil && account != c.Account() {
		err = c.Denied("Cross-account access to the catalog of " + account + " is not authorized for this operation.")
	}
	return err
}

func principalsAnswer(ids []string) []types.DataLakePrincipal {
	out := make([]types.DataLakePrincipal, 0, len(ids))
	for _, id := range ids {
		out = append(out, types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(id)})
	}
	return out
}

func defaultsAnswer(defaults []state.DefaultPermission) []types.PrincipalPermissions {
	out := make([]types.PrincipalPermissions, 0, len(defaults))
	for _, d := range defaults {
		out = append(out, types.PrincipalPermissions{
			Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(d.Principal)}, Permissions: permissionsAnswer(d.Permissions),
		})
	}
	return out
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_PutDataLakeSettings.html
//
// Who may call it is IAM's decision alone: being an administrator does not help.
// The settings are replaced as a whole, so whatever is left out is reset.
func putDataLakeSettings(c *engine.Call, in *lakeformation.PutDataLakeSettingsInput) (*lakeformation.PutDataLakeSettingsOutput, error) {
	if err := c.Allow("lakeformation:PutDataLakeSettings"); err != nil {
		return nil, err
	}
	if err := ownCatalog(c, in.CatalogId); err != nil {
		return nil, err
	}
	if in.DataLakeSettings == nil {
		return nil, invalid("DataLakeSettings is mandatory in the input.")
	}
	before, err := settingsOf(c, c.Account(), c.Region)
	if err != nil {
		return nil, err
	}
	want := in.DataLakeSettings
	s := state.DataLakeSettings{
		Parameters: want.Parameters, TrustedOwners: want.TrustedResourceOwners, SessionTagValues: want.AuthorizedSessionTagValueList,
		ExternalFiltering: aws.ToBool(want.AllowExternalDataFiltering), FullTableAccess: aws.ToBool(want.AllowFullTableExternalDataAccess),
		GrantsSeeded: before.GrantsSeeded,
	}
	if s.Admins, err = administrators(c, want.DataLakeAdmins); err != nil {
		return nil, err
	}
	if s.ReadOnlyAdmins, err = administrators(c, want.ReadOnlyAdmins); err != nil {
		return nil, err
	}
	if s.DatabaseDefaults, err = defaults(want.CreateDatabaseDefaultPermissions); err != nil {
		return nil, err
	}
	if s.TableDefaults, err = defaults(want.CreateTableDefaultPermissions); err != nil {
		return nil, err
	}
	if err := checkParameters(c, before, s); err != nil {
		return nil, err
	}
	for _, account := range want.TrustedResourceOwners {
		if !isAccount(account) {
			return nil, invalid("Invalid account id: %s", account)
		}
	}
	for _, p := range want.ExternalDataFilteringAllowList {
		id := aws.ToString(p.DataLakePrincipalIdentifier)
		if !isAccount(id) {
			return nil, invalid("Invalid account id: %s", id)
		}
		s.ExternalFilteringList = append(s.ExternalFilteringList, id)
	}
	if err := state.LakeSettings.Put(c.Tx, s, c.Account(), c.Region); err != nil {
		return nil, err
	}
	return &lakeformation.PutDataLakeSettingsOutput{}, seed(c, c.Account())
}

// administrators checks a list of administrators: users and roles of the account
// that exist, at most 30. One that was deleted makes the whole call fail.
func administrators(c *engine.Call, list []types.DataLakePrincipal) ([]string, error) {
	if len(list) > maxAdmins {
		return nil, invalid("At most %d data lake administrators can be given.", maxAdmins)
	}
	var ids []string
	for _, p := range list {
		id, err := checkPrincipal(c, &p)
		if err != nil {
			return nil, err
		}
		account, kind, _, ok := state.SplitPrincipalARN(id)
		if !ok || kind == "root" || account != c.Account() {
			return nil, invalidPrincipal(id)
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// defaults checks default permissions, of which AWS takes none, or ALL for
// IAM_ALLOWED_PRINCIPALS.
func defaults(list []types.PrincipalPermissions) ([]state.DefaultPermission, error) {
	if len(list) == 0 {
		return nil, nil
	}
	p := list[0]
	if len(list) > 1 || p.Principal == nil || aws.ToString(p.Principal.DataLakePrincipalIdentifier) != state.IAMAllowedPrincipals ||
		len(p.Permissions) != 1 || p.Permissions[0] != types.PermissionAll {
		return nil, invalid("Default permissions must be empty or grant ALL to %s.", state.IAMAllowedPrincipals)
	}
	return []state.DefaultPermission{{Principal: state.IAMAllowedPrincipals, Permissions: []string{super}}}, nil
}

// checkParameters refuses unknown parameters and versions, and a return from
// version 5, which AWS does not support
// (https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html).
func checkParameters(c *engine.Call, before, s state.DataLakeSettings) error {
	for key, value := range s.Parameters {
		if key == setContext && c.Mesh.Readings.SetContextRefused {
			return invalid("The parameter %s cannot be set.", key)
		}
		switch key {
		case versionParameter:
			if v, err := strconv.Atoi(value); err != nil || v < 1 || v > 5 || strconv.Itoa(v) != value {
				return invalid("Invalid value %q of %s: it must be 1, 2, 3, 4 or 5.", value, key)
			}
		case setContext, "SET_SOURCE_IDENTITY":
			if value != "TRUE" && value != "FALSE" {
				return invalid("Invalid value %q of %s: it must be TRUE or FALSE.", value, key)
			}
		default:
			return invalid("Unknown parameter: %s", key)
		}
	}
	if version(before) == 5 && version(s) < 5 {
		return invalid("Downgrading the cross account version from 5 is not supported.")
	}
	return nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetDataLakePrincipal.html
func getDataLakePrincipal(c *engine.Call, _ *lakeformation.GetDataLakePrincipalInput) (*lakeformation.GetDataLakePrincipalOutput, error) {
	if err := c.Allow("lakeformation:GetDataLakePrincipal"); err != nil {
		return nil, err
	}
	return &lakeformation.GetDataLakePrincipalOutput{Identity: aws.String(c.Caller.ARN)}, nil
}
