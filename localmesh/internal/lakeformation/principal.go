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
	if strings.HasPrefix(id, "arn:aws:organizations::") {
		return "", noOrganization(c, id)
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

// noOrganization refuses an organization or a unit of one
// (arn:aws:organizations::<account>:ou/<organization>/<unit>): accounts of the mesh
// have not enabled sharing with organizations
// (https://docs.aws.amazon.com/lake-formation/latest/dg/security-iam-troubleshoot.html).
func noOrganization(c *engine.Call, arn string) error {
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
	return engine.Errorf("InvalidInputException", "Organization %s not found", parts[1])
}

func invalidPrincipal(id string) error {
	return engine.Errorf("InvalidInputException", "Invalid principal: %s", id)
}
