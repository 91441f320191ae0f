package lakeformation

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// everyone is the group of all IAM principals of an account.
func everyone(account string) string { return account + ":IAMPrincipals" }

// isAccount tells whether a principal is an account id.
func isAccount(principal string) bool {
	return len(principal) == 12 && strings.Trim(principal, "0123456789") == ""
}

// asRecipient are the principals that stand for an account as a whole in the grants of
// others: its id, and the organization and the units that it is in. A grant to one of
// these is one to each account in it
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html).
func asRecipient(c *engine.Call, account string) ([]string, error) {
	type recipient struct{ account string }
	return engine.Once(c, recipient{account}, func() ([]string, error) {
		groups, err := state.OrganizationGroups(c.Tx, account)
		return append([]string{account}, groups...), err
	})
}

// isRecipient reports whether a principal stands for accounts as a whole.
func isRecipient(principal string) bool {
	return isAccount(principal) || state.IsOrganizationARN(principal)
}

// accountHolds is what an account was granted on r as a whole, and holds at this moment.
func accountHolds(c *engine.Call, r state.Resource, account string) (holding, error) {
	var h holding
	principals, err := asRecipient(c, account)
	for _, principal := range principals {
		one, err := principalHolds(c, r, principal)
		if err != nil {
			return h, err
		}
		h.join(one)
	}
	return h, err
}

// isIdentityCenter reports whether a principal is a user or group of Identity Center
// (https://docs.aws.amazon.com/lake-formation/latest/dg/identity-center-integration.html).
// The local mesh does not know which there are, and nobody calls it as one of them.
func isIdentityCenter(principal string) bool {
	for _, kind := range []string{"user/", "group/"} {
		if name, ok := strings.CutPrefix(principal, "arn:aws:identitystore:::"+kind); ok {
			return name != ""
		}
	}
	return false
}

// checkPrincipal reads the principal of a request and refuses one that does not
// exist. A role is named by its IAM ARN with its path, never by a session's ARN
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func checkPrincipal(c *engine.Call, p *types.DataLakePrincipal) (string, error) {
	if p == nil || p.DataLakePrincipalIdentifier == nil {
		return "", engine.Errorf("InvalidInputException", "Principal is mandatory in the input.")
	}
	id := *p.DataLakePrincipalIdentifier
	switch {
	case id == "" || len(id) > 255:
		return "", invalidPrincipal(id)
	case id == state.IAMAllowedPrincipals, isAccount(id):
		return id, nil
	}
	if account, ok := strings.CutSuffix(id, ":IAMPrincipals"); ok && isAccount(account) {
		return id, nil
	}
	if state.IsOrganizationARN(id) {
		return id, checkOrganization(c, id)
	}
	if isIdentityCenter(id) {
		return id, nil
	}
	account, kind, _, ok := state.SplitPrincipalARN(id)
	if !ok || kind != "user" && kind != "role" {
		return "", invalidPrincipal(id)
	}
	if account != c.Account() && c.Mesh.Readings.AbsentPrincipalsAccepted {
		return id, nil
	}
	exists, err := state.PrincipalExists(c.Tx, id)
	if err != nil {
		return "", err
	}
	if !exists || c.Unknown(id) {
		return "", invalidPrincipal(id)
	}
	return id, nil
}

// checkOrganization refuses an organization or a unit of one
// (arn:aws:organizations::<account>:ou/<organization>/<unit>) that is not the
// caller's, or that has not enabled sharing
// (https://docs.aws.amazon.com/lake-formation/latest/dg/security-iam-troubleshoot.html).
func checkOrganization(c *engine.Call, arn string) error {
	d, err := c.Decide(authz.Question{Action: "organizations:DescribeOrganization"})
	if err != nil {
		return err
	}
	if !d.Allowed {
		return c.Denied("Access denied to retrieve AWS Organization information")
	}
	parts := strings.Split(arn, "/")
	if len(parts) < 2 {
		return invalidPrincipal(arn)
	}
	o, _, found, err := state.OrganizationOf(c.Tx, c.Account())
	if err != nil {
		return err
	}
	if !found || !o.Sharing || o.ID != parts[1] {
		return engine.Errorf("InvalidInputException", "Organization %s not found", parts[1])
	}
	unit := parts[len(parts)-1]
	if arn == o.ARN() || arn == o.UnitARN(unit) && state.Units.Has(c.Tx, o.ID, unit) {
		return nil
	}
	return invalidPrincipal(arn)
}

func invalidPrincipal(id string) error {
	return engine.Errorf("InvalidInputException", "Invalid principal: %s", id)
}
