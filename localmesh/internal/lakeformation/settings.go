package lakeformation

import (
	"slices"
	"strconv"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// versionParameter is the setting of the version of cross-account sharing
// (https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html).
const versionParameter = "CROSS_ACCOUNT_VERSION"

// setContext is the setting that makes CloudTrail show who reads through Identity
// Center.
const setContext = "SET_CONTEXT"

// settingsOf reads an account's settings; an account that has never been
// configured has those that AWS gives a new one. What they point at must not be
// changed.
func settingsOf(c *engine.Call, account, region string) (state.DataLakeSettings, error) {
	s, found, err := state.LakeSettings.Shared(c.Tx, account, region)
	if err != nil || found {
		return s, err
	}
	iam := []state.DefaultPermission{{Principal: state.IAMAllowedPrincipals, Permissions: []string{super}}}
	return state.DataLakeSettings{
		DatabaseDefaults: iam, TableDefaults: iam,
		Parameters: map[string]string{versionParameter: firstVersion(c), setContext: "TRUE"},
	}, nil
}

// firstVersion is the version of cross-account sharing of an account that has never
// been configured, which is not documented.
func firstVersion(c *engine.Call) string {
	switch r := c.Mesh.Readings; {
	case r.FirstVersionOfSharing:
		return "1"
	case r.FifthVersionOfSharing:
		return "5"
	}
	return "4"
}

// version is the version of cross-account sharing; settings without one have the
// first.
func version(s state.DataLakeSettings) int {
	v, err := strconv.Atoi(s.Parameters[versionParameter])
	if err != nil {
		return 1
	}
	return v
}

// seed writes the grant that every new catalog begins with, that whom IAM lets
// through may create databases, so that it can be revoked.
func seed(c *engine.Call, account string) error {
	s, err := settingsOf(c, account, c.Region)
	if err != nil || s.GrantsSeeded {
		return err
	}
	s.GrantsSeeded = true
	if err := state.LakeSettings.Put(c.Tx, s, account, c.Region); err != nil {
		return err
	}
	return state.PutGrant(c.Tx, firstGrant(c, account))
}

func firstGrant(c *engine.Call, account string) state.Grant {
	return state.Grant{
		On:        state.Securable{Kind: state.KindCatalog, Resource: state.Resource{Account: account, Region: c.Region}},
		Principal: state.IAMAllowedPrincipals, By: account, Permissions: []string{createDatabase}, Updated: c.Now,
	}
}

// rank is the caller's rank in an account's data lake.
type rank int

const (
	nobody rank = iota
	readOnlyAdmin
	admin
)

// rankOf is the caller's rank in its own account.
func rankOf(c *engine.Call) (rank, error) { return rankIn(c, c.Region) }

// rankIn is the caller's rank in its own account in a Region: administrators are those of
// the Region of what they are asked about, to which a link of another one may lead.
func rankIn(c *engine.Call, region string) (rank, error) {
	type ranked struct{ region string }
	return engine.Once(c, ranked{region}, func() (rank, error) { return findRank(c, region) })
}

func findRank(c *engine.Call, region string) (rank, error) {
	s, err := settingsOf(c, c.Account(), region)
	switch {
	case err != nil:
		return nobody, err
	case slices.Contains(s.Admins, c.Caller.Principal):
		return admin, nil
	case slices.Contains(s.ReadOnlyAdmins, c.Caller.Principal):
		return readOnlyAdmin, nil
	}
	return nobody, nil
}

// isAdmin tells whether the caller is a data lake administrator of its account.
func isAdmin(c *engine.Call) (bool, error) {
	r, err := rankOf(c)
	return r == admin, err
}
