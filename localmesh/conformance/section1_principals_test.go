package conformance_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
)

// Who can be granted to
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html).
func TestPrincipalsOfGrants(t *testing.T) {
	t.Parallel()

	holds(t, "1.4.1", "accounts, users, roles and groups of all principals can be granted to", func(t *testing.T) {
		w := newWorld(t)
		local, foreign := w.user(owner, "Local"), w.user(recipient, "Foreign")
		for _, to := range []string{
			recipient, local, foreign, w.person(owner, "Role"), w.person(recipient, "Role"), owner + ":IAMPrincipals", recipient + ":IAMPrincipals", "IAM_ALLOWED_PRINCIPALS",
		} {
			on := onTable("orders")
			if to == "IAM_ALLOWED_PRINCIPALS" {
				on = onTable("items")
			}
			if err := w.grant(adminOf(owner), to, on, "SELECT"); err != nil {
				t.Errorf("%s: %v", to, err)
			}
		}
		w.accept(recipient)
		w.must(w.sees(local, "orders"))
		w.must(w.sees(foreign, "orders"))
	})

	holds(t, "1.4.1", "a grant to all IAM principals of an account reaches every one of them, and of that account only", func(t *testing.T) {
		w := newWorld(t)
		someone, user, other := w.person(recipient, "Someone"), w.user(recipient, "User"), w.person(stranger, "Other")
		w.must(w.grant(adminOf(owner), recipient+":IAMPrincipals", onTable("orders"), "SELECT"))
		w.refused(w.sees(someone, "orders"), denied)
		w.accept(recipient)
		w.must(w.sees(someone, "orders"))
		w.must(w.sees(user, "orders"))
		w.refused(w.sees(other, "orders"), denied)
		w.refused(w.sees(w.person(owner, "OfTheOwner"), "orders"), denied)
	})

	holds(t, "1.4.1", "what is no principal is refused", func(t *testing.T) {
		w := newWorld(t)
		w.must2(w.iam(adminOf(owner)).CreateGroup(w.ctx, &iam.CreateGroupInput{GroupName: aws.String("Team")}))
		for _, to := range []string{
			"", "*", "Admin", "11111111111", "1111111111111", strings.Repeat("1", 256), "arn:aws:iam::" + owner + ":root", "arn:aws:iam::" + recipient + ":root",
			"arn:aws:iam::" + owner + ":group/Team", "arn:aws:iam::" + owner + ":user/Nobody", "lakeformation.amazonaws.com", "x:IAMPrincipals",
			"arn:aws:iam::" + owner + ":role/" + strings.Repeat("r", 255),
		} {
			w.refused(w.grant(adminOf(owner), to, onTable("orders"), "SELECT"), invalidInput)
		}
		_, err := w.lake(adminOf(owner)).GrantPermissions(w.ctx, &lakeformation.GrantPermissionsInput{
			Principal: &types.DataLakePrincipal{}, Resource: onTable("orders"), Permissions: []types.Permission{types.PermissionSelect},
		})
		w.refused(err, invalidInput)
	})

	holds(t, "1.4.2", "a role is named by its own ARN with its path, not by that of a session", func(t *testing.T) {
		w := newWorld(t)
		out, err := w.iam(adminOf(owner)).CreateRole(w.ctx, &iam.CreateRoleInput{
			RoleName: aws.String("Deep"), Path: aws.String("/team/a/"),
			AssumeRolePolicyDocument: aws.String(policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + owner + `"},"Action":"sts:AssumeRole"}`)),
		})
		w.must(err)
		w.must2(w.iam(adminOf(owner)).PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("Deep"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allowing("*", "*"))}))
		for _, arn := range []string{"arn:aws:iam::" + owner + ":role/Deep", "arn:aws:sts::" + owner + ":assumed-role/Deep/session", "arn:aws:iam::" + owner + ":role/team/Deep"} {
			w.refused(w.grant(adminOf(owner), arn, onTable("orders"), "SELECT"), invalidInput, "Invalid principal")
		}
		w.must(w.grant(adminOf(owner), *out.Role.Arn, onTable("orders"), "SELECT"))
		w.must(w.sees(*out.Role.Arn, "orders"))
	})

	holds(t, "1.4.3", "an organization cannot be granted to while sharing with organizations is off", func(t *testing.T) {
		w := newWorld(t)
		for arn, id := range map[string]string{
			"arn:aws:organizations::" + owner + ":organization/o-abcdefghij":        "o-abcdefghij",
			"arn:aws:organizations::" + owner + ":ou/o-abcdefghij/ou-ab12-cdefghij": "o-abcdefghij",
		} {
			w.refused(w.grant(adminOf(owner), arn, onTable("orders"), "SELECT"), invalidInput, "Organization "+id+" not found")
		}
	})

	holds(t, "1.4.3", "the grantor needs the right to look at the organization", func(t *testing.T) {
		w := newWorld(t)
		granter := w.limited(owner, "Granter", policyOf(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"organizations:*","Resource":"*"}`))
		w.settings(owner, func(s *types.DataLakeSettings) { s.DataLakeAdmins = principals(adminOf(owner), granter) })
		err := w.grant(granter, "arn:aws:organizations::"+owner+":organization/o-abcdefghij", onTable("orders"), "SELECT")
		w.refused(err, denied, "Access denied to retrieve AWS Organization information")
	})

	holds(t, "1.4.4", "the recipient's administrator does not see a grant to a principal of its account", func(t *testing.T) {
		w := newWorld(t)
		analyst := w.person(recipient, "Analyst")
		w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.must(w.sees(analyst, "orders"))
		w.refused(w.sees(adminOf(recipient), "orders"), denied)
		w.refused(w.sees(w.person(recipient, "Second"), "orders"), denied)
		if rows := w.rows(adminOf(recipient), &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)}); len(rows) > 0 {
			t.Errorf("the administrator sees %v", rows)
		}
		if rows := w.rowsOf(analyst); len(rows) != 1 {
			t.Errorf("the principal sees %v", rows)
		}
	})

	holds(t, "1.4.4", "the principal hands nothing on, and gets no grant option", func(t *testing.T) {
		w := newWorld(t)
		analyst, second := w.person(recipient, "Analyst"), w.person(recipient, "Second")
		w.refused(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT | SELECT"), invalidInput, "rantable permissions")
		w.refused(w.grant(adminOf(owner), recipient+":IAMPrincipals", onTable("orders"), "SELECT | SELECT"), invalidInput, "rantable permissions")
		w.must(w.grant(adminOf(owner), analyst, onTable("orders"), "SELECT"))
		w.accept(recipient)
		w.refused(w.grant(analyst, second, onTable("orders"), "SELECT"), denied)
		w.refused(w.grant(adminOf(recipient), second, onTable("orders"), "SELECT"), denied)
	})
}

// user makes a user whose IAM rights are everything.
func (w *world) user(account, name string) string {
	w.Helper()
	c := w.iam(adminOf(account))
	out, err := c.CreateUser(w.ctx, &iam.CreateUserInput{UserName: &name})
	w.must(err)
	w.must2(c.PutUserPolicy(w.ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: aws.String(allowing("*", "*"))}))
	return *out.User.Arn
}
