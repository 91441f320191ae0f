package consumer

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// maxPrincipal is how long a principal may be
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DataLakePrincipal.html).
const maxPrincipal = 255

var principalPattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):(role|user)/.+$`)

// everybody is the group of all users and roles of an account
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func everybody(account string) string { return account + ":IAMPrincipals" }

// namedPrincipals are the principals that access is handed on to: those named, or
// DataMeshConsumer itself if none was said. An empty list that is not nil stands
// for nobody.
func (c *Consumer) namedPrincipals(named []string) ([]string, error) {
	if named == nil {
		return []string{c.partition.RoleARN(c.account, lakemesh.ConsumerRole)}, nil
	}
	list := make([]string, 0, len(named))
	for _, p := range named {
		p = strings.TrimSpace(p)
		if err := c.checkPrincipal(p); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// checkPrincipal refuses what access cannot be handed on to: Lake Formation takes
// users and roles of the account that a resource was shared with, and nobody
// else's (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-notes.html).
func (c *Consumer) checkPrincipal(p string) error {
	if p == everybody(c.account) {
		return nil
	}
	if err := c.partition.Check("Principals", p); err != nil {
		return err
	}
	if strings.Contains(p, ":assumed-role/") {
		return lakemesh.Invalid("Principals", "%q is a session; name its role by the role's ARN, with the role's path", p)
	}
	m := principalPattern.FindStringSubmatch(p)
	if m == nil || len(p) > maxPrincipal {
		return lakemesh.Invalid("Principals", "%q is not the ARN of a user or a role (%s), nor %s for all of them",
			p, c.partition.ARN("iam", "", c.account, "role/..."), everybody(c.account))
	}
	if m[1] != c.account {
		return lakemesh.Invalid("Principals", "%s is a principal of account %s; what was shared with account %s can be handed on inside of it only",
			p, m[1], c.account)
	}
	return nil
}

// isOurs tells whether a principal is a user, a role or the group of all of
// them in the consumer's account; not the account itself, whose grants are the
// owner's.
func (c *Consumer) isOurs(principal string) bool {
	if principal == everybody(c.account) {
		return true
	}
	parts := strings.SplitN(principal, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && parts[4] == c.account
}
