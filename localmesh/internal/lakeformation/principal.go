package lakeformation

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

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
	if strings.Contains(id, ":organizations:") {
		organization := id[strings.LastIndexByte(id, '/')+1:]
		return "", engine.Errorf("InvalidInputException", "Organization %s not found", organization)
	}
	_, kind, _, ok := state.SplitPrincipalARN(id)
	if !ok || kind != "user" && kind != "role" && kind != "root" {
		return "", invalidPrincipal(id)
	}
	exists, err := state.PrincipalExists(c.Tx, id)
	if err != nil {
		return "", err
	}
	if !exists {
		return "", invalidPrincipal(id)
	}
	return id, nil
}

func invalidPrincipal(id string) error {
	return engine.Errorf("InvalidInputException", "Invalid principal: %s", id)
}
