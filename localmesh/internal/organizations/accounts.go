package organizations

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/ram"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// handshakeLife is how long an invitation to an organization can be accepted
// (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_invites.html).
const handshakeLife = 15 * 24 * time.Hour

// membersOf are the accounts of an organization.
func membersOf(c *engine.Call, o state.Organization) ([]state.Member, error) {
	all, err := state.Members.All(c.Tx)
	return slices.DeleteFunc(all, func(m state.Member) bool { return m.Organization != o.ID }), err
}

// membersBelow are the accounts directly below a unit or the root.
func membersBelow(c *engine.Call, o state.Organization, parent string) ([]state.Member, error) {
	all, err := membersOf(c, o)
	return slices.DeleteFunc(all, func(m state.Member) bool { return m.Parent != parent }), err
}

// member finds an account of the organization.
func member(c *engine.Call, o state.Organization, account *string) (state.Member, error) {
	m, found, err := state.Members.Get(c.Tx, aws.ToString(account))
	if err == nil && (!found || m.Organization != o.ID) {
		err = engine.Errorf("AccountNotFoundException", "You specified an account that doesn't exist: %s", aws.ToString(account))
	}
	return m, err
}

func accountAnswer(o state.Organization, m state.Member) types.Account {
	a := types.Account{
		Id: aws.String(m.Account), Arn: aws.String(accountARN(o, m.Account)), Name: aws.String(m.Account), Status: types.AccountStatusActive,
		JoinedMethod: types.AccountJoinedMethodCreated, JoinedTimestamp: aws.Time(m.Joined),
	}
	if m.Invited {
		a.JoinedMethod = types.AccountJoinedMethodInvited
	}
	return a
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html
func describeAccount(c *engine.Call, in *organizations.DescribeAccountInput) (*organizations.DescribeAccountOutput, error) {
	o, err := manage(c, "DescribeAccount")
	if err != nil {
		return nil, err
	}
	m, err := member(c, o, in.AccountId)
	a := accountAnswer(o, m)
	return &organizations.DescribeAccountOutput{Account: &a}, err
}

func accountPage(o state.Organization, all []state.Member, size *int32, token *string) ([]types.Account, *string, error) {
	all, next, err := page(all, func(m state.Member) string { return m.Account }, size, token)
	accounts := []types.Account{}
	for _, m := range all {
		accounts = append(accounts, accountAnswer(o, m))
	}
	return accounts, next, err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
func listAccounts(c *engine.Call, in *organizations.ListAccountsInput) (*organizations.ListAccountsOutput, error) {
	o, err := manage(c, "ListAccounts")
	if err != nil {
		return nil, err
	}
	all, err := membersOf(c, o)
	if err != nil {
		return nil, err
	}
	accounts, next, err := accountPage(o, all, in.MaxResults, in.NextToken)
	return &organizations.ListAccountsOutput{Accounts: accounts, NextToken: next}, err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
func listAccountsForParent(c *engine.Call, in *organizations.ListAccountsForParentInput) (*organizations.ListAccountsForParentOutput, error) {
	o, err := manage(c, "ListAccountsForParent")
	if err != nil {
		return nil, err
	}
	at, err := parent(c, o, in.ParentId)
	if err != nil {
		return nil, err
	}
	all, err := membersBelow(c, o, at)
	if err != nil {
		return nil, err
	}
	accounts, next, err := accountPage(o, all, in.MaxResults, in.NextToken)
	return &organizations.ListAccountsForParentOutput{Accounts: accounts, NextToken: next}, err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html
func moveAccount(c *engine.Call, in *organizations.MoveAccountInput) (*organizations.MoveAccountOutput, error) {
	o, err := manage(c, "MoveAccount")
	if err != nil {
		return nil, err
	}
	m, err := member(c, o, in.AccountId)
	if err != nil {
		return nil, err
	}
	if m.Parent != aws.ToString(in.SourceParentId) {
		return nil, engine.Errorf("SourceParentNotFoundException", "The account is not in %s.", aws.ToString(in.SourceParentId))
	}
	if _, err := parent(c, o, in.DestinationParentId); err != nil {
		return nil, engine.Errorf("DestinationParentNotFoundException", "You provided a parent that does not exist: %s", aws.ToString(in.DestinationParentId))
	}
	if m.Parent == *in.DestinationParentId {
		return nil, engine.Errorf("DuplicateAccountException", "The account is already in %s.", m.Parent)
	}
	m.Parent = *in.DestinationParentId
	return &organizations.MoveAccountOutput{}, state.Members.Put(c.Tx, m, m.Account)
}

func handshakeAnswer(o state.Organization, h state.Handshake, status types.HandshakeState) *types.Handshake {
	return &types.Handshake{
		Id: aws.String(h.ID), Arn: aws.String("arn:aws:organizations::" + o.Management + ":handshake/" + o.ID + "/invite/" + h.ID), Action: types.ActionTypeInviteAccountToOrganization,
		State: status, RequestedTimestamp: aws.Time(h.Sent), ExpirationTimestamp: aws.Time(h.Sent.Add(handshakeLife)),
		Parties: []types.HandshakeParty{
			{Id: aws.String(o.ID), Type: types.HandshakePartyTypeOrganization}, {Id: aws.String(h.Account), Type: types.HandshakePartyTypeAccount},
		},
	}
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_InviteAccountToOrganization.html
func inviteAccount(c *engine.Call, in *organizations.InviteAccountToOrganizationInput) (*organizations.InviteAccountToOrganizationOutput, error) {
	o, err := manage(c, "InviteAccountToOrganization")
	if err != nil {
		return nil, err
	}
	switch {
	case in.Target == nil || in.Target.Type != types.HandshakePartyTypeAccount || len(aws.ToString(in.Target.Id)) != 12:
		return nil, invalid("The target must be an account with its id.")
	case len(in.Tags) > 0 || in.Notes != nil:
		return nil, engine.Errorf("NotImplementedException", "the local mesh has no tags on accounts and sends no notes").WithStatus(501)
	}
	account := *in.Target.Id
	if m, found, err := state.Members.Get(c.Tx, account); err != nil {
		return nil, err
	} else if found && m.Organization == o.ID {
		return nil, engine.Errorf("DuplicateHandshakeException", "The account is a member of the organization already.")
	}
	open, err := openHandshakes(c, account)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(open, func(h state.Handshake) bool { return h.Organization == o.ID }) {
		return nil, engine.Errorf("DuplicateHandshakeException", "A handshake with the same action and target already exists.")
	}
	h := state.Handshake{ID: id(c, "h-", 10), Organization: o.ID, Account: account, Sent: c.Now}
	return &organizations.InviteAccountToOrganizationOutput{Handshake: handshakeAnswer(o, h, types.HandshakeStateOpen)}, state.Handshakes.Put(c.Tx, h, account, h.ID)
}

// openHandshakes are the invitations of an account that can be accepted.
func openHandshakes(c *engine.Call, account string) ([]state.Handshake, error) {
	all, err := state.Handshakes.All(c.Tx, account)
	return slices.DeleteFunc(all, func(h state.Handshake) bool { return c.Now.Sub(h.Sent) >= handshakeLife }), err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListHandshakesForAccount.html
func listHandshakesForAccount(c *engine.Call, in *organizations.ListHandshakesForAccountInput) (*organizations.ListHandshakesForAccountOutput, error) {
	if err := c.Allow("organizations:ListHandshakesForAccount"); err != nil {
		return nil, err
	}
	if in.Filter != nil {
		return nil, engine.Errorf("NotImplementedException", "the local mesh lists handshakes without a filter").WithStatus(501)
	}
	open, err := openHandshakes(c, c.Account())
	if err != nil {
		return nil, err
	}
	open, next, err := page(open, func(h state.Handshake) string { return h.ID }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &organizations.ListHandshakesForAccountOutput{NextToken: next, Handshakes: []types.Handshake{}}
	for _, h := range open {
		o, _, err := state.Organizations.Get(c.Tx, h.Organization)
		if err != nil {
			return nil, err
		}
		out.Handshakes = append(out.Handshakes, *handshakeAnswer(o, h, types.HandshakeStateOpen))
	}
	return out, nil
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_AcceptHandshake.html
func acceptHandshake(c *engine.Call, in *organizations.AcceptHandshakeInput) (*organizations.AcceptHandshakeOutput, error) {
	if err := c.Allow("organizations:AcceptHandshake"); err != nil {
		return nil, err
	}
	open, err := openHandshakes(c, c.Account())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(open, func(h state.Handshake) bool { return h.ID == aws.ToString(in.HandshakeId) })
	if i < 0 {
		return nil, engine.Errorf("HandshakeNotFoundException", "You specified a handshake that doesn't exist: %s", aws.ToString(in.HandshakeId))
	}
	if state.Members.Has(c.Tx, c.Account()) {
		return nil, engine.Errorf("HandshakeConstraintViolationException", "The account is a member of an organization already.")
	}
	o, _, err := state.Organizations.Get(c.Tx, open[i].Organization)
	if err != nil {
		return nil, err
	}
	if err := state.Handshakes.Delete(c.Tx, c.Account(), open[i].ID); err != nil {
		return nil, err
	}
	m := state.Member{Account: c.Account(), Organization: o.ID, Parent: o.Root, Invited: true, Joined: c.Now}
	return &organizations.AcceptHandshakeOutput{Handshake: handshakeAnswer(o, open[i], types.HandshakeStateAccepted)}, state.Members.Put(c.Tx, m, m.Account)
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_LeaveOrganization.html
func leaveOrganization(c *engine.Call, _ *organizations.LeaveOrganizationInput) (*organizations.LeaveOrganizationOutput, error) {
	o, m, err := open(c, "LeaveOrganization")
	if err != nil {
		return nil, err
	}
	return &organizations.LeaveOrganizationOutput{}, remove(c, o, m)
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_RemoveAccountFromOrganization.html
func removeAccount(c *engine.Call, in *organizations.RemoveAccountFromOrganizationInput) (*organizations.RemoveAccountFromOrganizationOutput, error) {
	o, err := manage(c, "RemoveAccountFromOrganization")
	if err != nil {
		return nil, err
	}
	m, err := member(c, o, in.AccountId)
	if err != nil {
		return nil, err
	}
	return &organizations.RemoveAccountFromOrganizationOutput{}, remove(c, o, m)
}

func remove(c *engine.Call, o state.Organization, m state.Member) error {
	if m.Account == o.Management {
		return engine.Errorf("MasterCannotLeaveOrganizationException", "You can't remove the management account from an organization.")
	}
	if err := ram.LeftOrganization(c, m.Account); err != nil {
		return err
	}
	return state.Members.Delete(c.Tx, m.Account)
}
