package access

import (
	"regexp"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// Grantee is who holds a grant, as Lake Formation names it: an account's id, the ARN of
// a user or a role, or the ARN of an organization or of a unit of one.
type Grantee string

// AllowedByIAM is the virtual group of everybody in the catalog's account whom IAM lets
// through. It is found in listings, and nothing is granted to it.
const AllowedByIAM Grantee = "IAM_ALLOWED_PRINCIPALS"

var (
	identityARN     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):(?:user|role)/[\x21-\x7e]{1,512}$`)
	organizationARN = regexp.MustCompile(`^arn:aws[a-z-]*:organizations::[0-9]{12}:(?:organization/o-[a-z0-9]{10,32}|ou/o-[a-z0-9]{10,32}/ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})$`)
)

// ParseGrantee reads a grantee. Anything else than an account, all of its identities, a
// user, a role, an organization or a unit of one is an [lakemesh.ErrInvalidInput].
func ParseGrantee(text string) (Grantee, error) {
	g := Grantee(text)
	if !g.account() && !g.identity() && !g.everybody() && !g.Organization() {
		return "", lakemesh.Invalid("grantee", "%q is neither an account's id, <account>:IAMPrincipals nor the ARN of a user, a role, an organization or an organizational unit", text)
	}
	return g, nil
}

// CheckPrincipals refuses principals that are neither users and roles of an account nor
// organizations and units of them, and those of another partition. That one scope does not name both is checked by
// [lakemesh.Scope.Check].
func CheckPrincipals(partition lakemesh.Partition, account string, principals []string) error {
	for _, p := range principals {
		if err := partition.Check("Principals", p); err != nil {
			return err
		}
		g := Grantee(p)
		if g.Organization() {
			continue
		}
		if !g.identity() {
			return lakemesh.Invalid("Principals", "%q is not the ARN of a user or a role, as %s, nor that of an organization or an organizational unit", p, partition.ARN("iam", "", account, "role/NAME"))
		}
		if g.Account() != account {
			return lakemesh.Invalid("Principals", "%s is not of account %s, which the subscription is for", p, account)
		}
	}
	return nil
}

func (g Grantee) account() bool {
	return lakemesh.CheckAccountID("grantee", string(g)) == nil
}

func (g Grantee) identity() bool { return identityARN.MatchString(string(g)) }

// everybody reports whether it is all identities of an account
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func (g Grantee) everybody() bool {
	account, ok := strings.CutSuffix(string(g), ":IAMPrincipals")
	return ok && Grantee(account).account()
}

// Organization reports whether it is an organization or a unit of one, which stands for each
// account in it.
func (g Grantee) Organization() bool { return organizationARN.MatchString(string(g)) }

// Receiver is whom resource shares are with that carry its grants: its account, or the
// organization or unit itself.
func (g Grantee) Receiver() string {
	if g.Organization() {
		return string(g)
	}
	return g.Account()
}

// Account is the account that the grantee belongs to; empty for organizations, their
// units, and everything that is unknown.
func (g Grantee) Account() string {
	text := string(g)
	if parts := strings.SplitN(text, ":", 6); len(parts) == 6 && parts[0] == "arn" && (parts[2] == "iam" || parts[2] == "sts") {
		text = parts[4]
	} else if id, rest, ok := strings.Cut(text, ":"); ok && rest == "IAMPrincipals" {
		// All identities of an account
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
		text = id
	}
	if lakemesh.CheckAccountID("grantee", text) != nil {
		return ""
	}
	return text
}
