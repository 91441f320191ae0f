// Package organizations is AWS Organizations of the local mesh, as far as it takes to
// share with an organization: organizations, units, and accounts that join and leave.
//
// There are no policies, and so no service control policies; no delegated
// administrators; and accounts are invited, not made.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_introduction.html
package organizations

import (
	"net/http"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

const docs = "https://docs.aws.amazon.com/organizations/latest/APIReference/API_"

// Service returns Organizations.
func Service() engine.Service {
	op := func(name, enforced string) (string, string, string) { return name, docs + name + ".html", enforced }
	return engine.Service{
		Name: "organizations", Title: "AWS Organizations", Protocol: wire.AWSJSON11, Naming: wire.AsIs,
		DeniedCode: "AccessDeniedException", DeniedStatus: http.StatusBadRequest, InvalidCode: "InvalidInputException", ThrottleCode: "TooManyRequestsException", ThrottleStatus: http.StatusBadRequest,
		Operations: []engine.Operation{
			write(createOrganization)(op("CreateOrganization", "an account is in one organization; the caller's becomes the management account")),
			read(describeOrganization)(op("DescribeOrganization", "the accounts of the organization")),
			read(listRoots)(op("ListRoots", "the management account only")),
			write(createOrganizationalUnit)(op("CreateOrganizationalUnit", "the management account only; names are unique below their parent")),
			write(deleteOrganizationalUnit)(op("DeleteOrganizationalUnit", "the management account only; empty units only")),
			read(describeOrganizationalUnit)(op("DescribeOrganizationalUnit", "the management account only")),
			read(listOrganizationalUnitsForParent)(op("ListOrganizationalUnitsForParent", "the management account only")),
			read(describeAccount)(op("DescribeAccount", "the management account only")),
			read(listAccounts)(op("ListAccounts", "the management account only")),
			read(listAccountsForParent)(op("ListAccountsForParent", "the management account only")),
			read(listParents)(op("ListParents", "the management account only")),
			read(listChildren)(op("ListChildren", "the management account only")),
			write(moveAccount)(op("MoveAccount", "the management account only; from where the account is")),
			write(inviteAccount)(op("InviteAccountToOrganization", "the management account only; by account ids")),
			read(listHandshakesForAccount)(op("ListHandshakesForAccount", "the open invitations of the caller's account")),
			write(acceptHandshake)(op("AcceptHandshake", "only the invited account, in 15 days, and from no other organization")),
			write(leaveOrganization)(op("LeaveOrganization", "not the management account; what was shared inside of the organization ends")),
			write(removeAccount)(op("RemoveAccountFromOrganization", "the management account only; what was shared inside of the organization ends")),
			read(listServiceAccess)(op("ListAWSServiceAccessForOrganization", "the management account only")),
			write(disableServiceAccess)(op("DisableAWSServiceAccess", "the management account only; without RAM's access nothing is shared with the organization")),
		},
	}
}

type handler[In, Out any] = func(*engine.Call, *In) (*Out, error)

func read[In, Out any](h handler[In, Out]) func(name, url, enforced string) engine.Operation {
	return func(name, url, enforced string) engine.Operation {
		return engine.Op(name, engine.Read, url, enforced, h)
	}
}

func write[In, Out any](h handler[In, Out]) func(name, url, enforced string) engine.Operation {
	return func(name, url, enforced string) engine.Operation {
		return engine.Op(name, engine.Write, url, enforced, h)
	}
}

// open asks IAM for an action, and finds the organization of the caller's account.
func open(c *engine.Call, action string) (state.Organization, state.Member, error) {
	if err := c.Allow("organizations:" + action); err != nil {
		return state.Organization{}, state.Member{}, err
	}
	o, m, found, err := state.OrganizationOf(c.Tx, c.Account())
	if err == nil && !found {
		err = engine.Errorf("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	}
	return o, m, err
}

// manage is open for what the management account alone may do.
func manage(c *engine.Call, action string) (state.Organization, error) {
	o, _, err := open(c, action)
	if err == nil && o.Management != c.Account() {
		err = c.Denied("You don't have permissions to access this resource.")
	}
	return o, err
}
