package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh"
)

// manager is the management account of the organization of a test.
const manager = "444444444444"

// organization is an organization of the manager, the owner and the recipient, with the
// unit "lines", the unit "retail" in it, and the recipient in "retail".
type organization struct {
	*world
	arn, id, root, lines, retail string
	linesARN, retailARN          string
}

func (w *world) organizations(account string) *organizations.Client {
	return organizations.NewFromConfig(w.mesh.Config(adminOf(account)))
}

// newOrganization makes an organization, with RAM's sharing enabled.
func newOrganization(t testing.TB, opts ...localmesh.Option) *organization {
	t.Helper()
	o := &organization{world: newWorld(t, opts...)}
	c := o.organizations(manager)
	made, err := c.CreateOrganization(o.ctx, &organizations.CreateOrganizationInput{FeatureSet: orgtypes.OrganizationFeatureSetAll})
	o.must(err)
	o.arn, o.id = *made.Organization.Arn, *made.Organization.Id
	roots, err := c.ListRoots(o.ctx, &organizations.ListRootsInput{})
	o.must(err)
	o.root = *roots.Roots[0].Id
	for _, account := range []string{owner, recipient} {
		o.join(account)
	}
	o.lines, o.linesARN = o.unit(o.root, "lines")
	o.retail, o.retailARN = o.unit(o.lines, "retail")
	o.move(recipient, o.root, o.retail)
	o.must2(o.ram(adminOf(manager)).EnableSharingWithAwsOrganization(o.ctx, &ram.EnableSharingWithAwsOrganizationInput{}))
	return o
}

func (o *organization) join(account string) {
	o.Helper()
	made, err := o.organizations(manager).InviteAccountToOrganization(o.ctx, &organizations.InviteAccountToOrganizationInput{
		Target: &orgtypes.HandshakeParty{Id: &account, Type: orgtypes.HandshakePartyTypeAccount},
	})
	o.must(err)
	o.must2(o.organizations(account).AcceptHandshake(o.ctx, &organizations.AcceptHandshakeInput{HandshakeId: made.Handshake.Id}))
}

func (o *organization) unit(parent, name string) (id, arn string) {
	o.Helper()
	made, err := o.organizations(manager).CreateOrganizationalUnit(o.ctx, &organizations.CreateOrganizationalUnitInput{ParentId: &parent, Name: &name})
	o.must(err)
	return *made.OrganizationalUnit.Id, *made.OrganizationalUnit.Arn
}

func (o *organization) move(account, from, to string) {
	o.Helper()
	o.must2(o.organizations(manager).MoveAccount(o.ctx, &organizations.MoveAccountInput{AccountId: &account, SourceParentId: &from, DestinationParentId: &to}))
}

func TestOrganizations(t *testing.T) {
	t.Parallel()

	holds(t, "14.1", "an account is in one organization, and joins it when it is invited", func(t *testing.T) {
		o := newOrganization(t)
		_, err := o.organizations(owner).CreateOrganization(o.ctx, &organizations.CreateOrganizationInput{})
		o.refused(err, "AlreadyInOrganizationException")
		_, err = o.organizations(stranger).DescribeOrganization(o.ctx, &organizations.DescribeOrganizationInput{})
		o.refused(err, "AWSOrganizationsNotInUseException")
		out, err := o.organizations(recipient).DescribeOrganization(o.ctx, &organizations.DescribeOrganizationInput{})
		o.must(err)
		if *out.Organization.Arn != o.arn || *out.Organization.MasterAccountId != manager {
			t.Errorf("organization %s", pretty(out.Organization))
		}
		_, err = o.organizations(recipient).ListAccounts(o.ctx, &organizations.ListAccountsInput{})
		o.refused(err, "AccessDeniedException")
		var accounts []string
		pages := organizations.NewListAccountsPaginator(o.organizations(manager), &organizations.ListAccountsInput{MaxResults: aws.Int32(1)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(o.ctx)
			o.must(err)
			for _, a := range page.Accounts {
				accounts = append(accounts, *a.Id)
			}
		}
		o.sameList(accounts, []string{owner, recipient, manager})
		parents, err := o.organizations(manager).ListParents(o.ctx, &organizations.ListParentsInput{ChildId: aws.String(recipient)})
		o.must(err)
		o.sameList([]string{*parents.Parents[0].Id}, []string{o.retail})
		below, err := o.organizations(manager).ListAccountsForParent(o.ctx, &organizations.ListAccountsForParentInput{ParentId: &o.retail})
		o.must(err)
		o.sameList([]string{*below.Accounts[0].Id}, []string{recipient})
		units, err := o.organizations(manager).ListOrganizationalUnitsForParent(o.ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: &o.lines})
		o.must(err)
		o.sameList([]string{*units.OrganizationalUnits[0].Name}, []string{"retail"})
		_, err = o.organizations(manager).DeleteOrganizationalUnit(o.ctx, &organizations.DeleteOrganizationalUnitInput{OrganizationalUnitId: &o.retail})
		o.refused(err, "OrganizationalUnitNotEmptyException")
		_, err = o.organizations(manager).LeaveOrganization(o.ctx, &organizations.LeaveOrganizationInput{})
		o.refused(err, "MasterCannotLeaveOrganizationException")
	})

	holds(t, "14.2", "the management account enables sharing, and nobody else", func(t *testing.T) {
		w := newWorld(t)
		enable := func(account string) error {
			_, err := w.ram(adminOf(account)).EnableSharingWithAwsOrganization(w.ctx, &ram.EnableSharingWithAwsOrganizationInput{})
			return err
		}
		w.refused(enable(manager), "OperationNotPermittedException")
		o := newOrganization(t)
		_, err := o.ram(adminOf(owner)).EnableSharingWithAwsOrganization(o.ctx, &ram.EnableSharingWithAwsOrganizationInput{})
		o.refused(err, "OperationNotPermittedException")
	})

	holds(t, "1.3.2", "inside of the organization nobody is invited", func(t *testing.T) {
		o := newOrganization(t)
		o.must(o.grant(adminOf(owner), recipient, onTable("orders"), "SELECT | SELECT"))
		o.must(o.grant(adminOf(owner), stranger, onTable("orders"), "SELECT | SELECT"))
		if len(o.invitations(recipient)) != 0 || len(o.invitations(stranger)) != 1 {
			t.Errorf("%d invitations inside, %d outside", len(o.invitations(recipient)), len(o.invitations(stranger)))
		}
		o.must(o.sees(adminOf(recipient), "orders"))
		o.refused(o.sees(adminOf(stranger), "orders"), denied)
		analyst := o.person(recipient, "Analyst")
		o.must(o.grant(adminOf(owner), analyst, onTable("items"), "SELECT"))
		o.must(o.sees(analyst, "items"))
		for _, a := range o.associations(ramtypes.ResourceShareAssociationTypePrincipal) {
			if *a.External != (*a.AssociatedEntity == stranger) {
				t.Errorf("%s is external: %t", *a.AssociatedEntity, *a.External)
			}
		}
	})

	holds(t, "1.4.3", "its organization and the units of it can be granted to, others cannot", func(t *testing.T) {
		o := newOrganization(t)
		for _, arn := range []string{o.arn, o.linesARN, o.retailARN} {
			o.must(o.grant(adminOf(owner), arn, onTable("orders"), "SELECT | SELECT"))
		}
		for _, arn := range []string{
			strings.Replace(o.arn, manager, owner, 1), strings.Replace(o.linesARN, o.lines, "ou-none-12345678", 1), "arn:aws:organizations::" + manager + ":root/" + o.id + "/" + o.root,
		} {
			o.refused(o.grant(adminOf(owner), arn, onTable("orders"), "SELECT"), invalidInput)
		}
		on := onTable("orders")
		on.Table.CatalogId = aws.String(stranger)
		_, err := o.lake(adminOf(stranger)).GrantPermissions(o.ctx, &lakeformation.GrantPermissionsInput{
			Principal: &principals(o.arn)[0], Resource: on, Permissions: []types.Permission{types.PermissionSelect},
		})
		o.refused(err, invalidInput, "Organization "+o.id+" not found")
		o.version(owner, "2")
		o.refused(o.grant(adminOf(owner), o.arn, onTable("items"), "SELECT"), invalidInput)
	})

	holds(t, "14.3", "a grant to a unit is one to each account in it and below it, at once", func(t *testing.T) {
		o := newOrganization(t)
		analyst := o.person(recipient, "Analyst")
		o.must(o.grant(adminOf(owner), o.linesARN, onTable("orders"), "SELECT DESCRIBE | SELECT"))
		o.must(o.sees(adminOf(recipient), "orders"))
		o.refused(o.sees(analyst, "orders"), denied)
		o.refused(o.sees(adminOf(manager), "orders"), denied)
		o.must(o.grant(adminOf(recipient), analyst, onTable("orders"), "SELECT"))
		o.must(o.sees(analyst, "orders"))
		o.refused(o.grant(adminOf(recipient), o.arn, onTable("orders"), "SELECT"), denied)
		rows := o.rows(adminOf(recipient), &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner)})
		if !slices.ContainsFunc(rows, func(r string) bool { return strings.HasPrefix(r, o.lines+":") }) {
			t.Errorf("the recipient's administrator sees %v", rows)
		}
		if policies := o.resourcePolicies(); len(policies) != 1 || policies[0].Statements[0].Conditions["ForAnyValue:StringLike"]["aws:PrincipalOrgPaths"][0] != o.id+"/"+o.root+"/"+o.lines+"/*" {
			t.Errorf("resource policies %s", pretty(policies))
		}
		if shares := o.carried(o.linesARN); len(shares) != 1 {
			t.Errorf("resources of shares with the unit: %v", shares)
		}
		o.must(o.revoke(adminOf(owner), o.linesARN, onTable("orders"), "SELECT DESCRIBE"))
		o.refused(o.sees(adminOf(recipient), "orders"), denied)
		o.refused(o.sees(analyst, "orders"), denied)
		// What was handed on ended with it.
		o.must(o.grant(adminOf(owner), o.linesARN, onTable("orders"), "SELECT DESCRIBE | SELECT"))
		o.refused(o.sees(analyst, "orders"), denied)
		if left := o.shareARNs(); len(left) != 1 {
			t.Errorf("shares %v", left)
		}
	})

	holds(t, "14.3", "the share is with the unit also where grants to roles share with their account", func(t *testing.T) {
		o := newOrganization(t, localmesh.WithReadings(localmesh.Readings{DirectGrantsShareTheAccount: true}))
		o.must(o.grant(adminOf(owner), o.linesARN, onTable("orders"), "SELECT | SELECT"))
		o.must(o.sees(adminOf(recipient), "orders"))
		if shares := o.carried(o.linesARN); len(shares) != 1 {
			t.Errorf("resources of shares with the unit: %v", shares)
		}
		o.must(o.revoke(adminOf(owner), o.linesARN, onTable("orders"), "SELECT"))
		if left := o.shareARNs(); len(left) != 0 {
			t.Errorf("shares %v", left)
		}
	})

	holds(t, "14.3", "who moves out of a unit or into it loses and gets what it was granted", func(t *testing.T) {
		o := newOrganization(t)
		o.must(o.grant(adminOf(owner), o.retailARN, onTable("orders"), "SELECT | SELECT"))
		o.must(o.sees(adminOf(recipient), "orders"))
		o.move(recipient, o.retail, o.lines)
		o.refused(o.sees(adminOf(recipient), "orders"), denied)
		o.move(recipient, o.lines, o.retail)
		o.must(o.sees(adminOf(recipient), "orders"))
	})

	holds(t, "14.4", "grants to an account and to its organization are united, and revoked one by one", func(t *testing.T) {
		o := newOrganization(t)
		admin := adminOf(recipient)
		analyst := o.person(recipient, "Analyst")
		o.must(o.grant(adminOf(owner), o.arn, onTable("orders"), "SELECT | SELECT"))
		o.must(o.grant(adminOf(owner), recipient, onTable("orders"), "INSERT | INSERT"))
		o.must(o.grant(admin, analyst, onTable("orders"), "SELECT INSERT"))
		o.refused(o.revoke(adminOf(owner), recipient, onTable("orders"), "SELECT"), invalidInput, "No permissions revoked")
		o.must(o.revoke(adminOf(owner), recipient, onTable("orders"), "INSERT"))
		o.must(o.sees(analyst, "orders"))
		o.must(o.revoke(adminOf(owner), o.arn, onTable("orders"), "SELECT"))
		o.refused(o.sees(analyst, "orders"), denied)
	})

	holds(t, "14.4", "what an owner that is in the organization granted to others stays when the organization loses something", func(t *testing.T) {
		o := newOrganization(t)
		local, foreign := o.person(owner, "Local"), o.person(recipient, "Direct")
		for _, to := range []string{local, foreign, o.linesARN} {
			o.must(o.grant(adminOf(owner), to, onTable("orders"), "SELECT"))
		}
		o.must(o.grant(adminOf(owner), o.arn, onTable("orders"), "SELECT | SELECT"))
		o.must(o.revoke(adminOf(owner), o.arn, onTable("orders"), "SELECT"))
		o.must(o.sees(local, "orders"))
		o.must(o.sees(foreign, "orders"))
		o.must(o.sees(adminOf(recipient), "orders"))
	})

	holds(t, "14.5", "who leaves the organization loses access at once, and does not get it back by itself", func(t *testing.T) {
		o := newOrganization(t)
		analyst, direct := o.person(recipient, "Analyst"), o.person(recipient, "Direct")
		o.must(o.grant(adminOf(owner), o.arn, onTable("orders"), "SELECT | SELECT"))
		o.must(o.grant(adminOf(owner), recipient, onTable("items"), "SELECT | SELECT"))
		o.must(o.grant(adminOf(owner), direct, onTable("orders"), "SELECT"))
		for _, table := range []string{"orders", "items"} {
			o.must(o.grant(adminOf(recipient), analyst, onTable(table), "SELECT"))
			o.must(o.sees(analyst, table))
		}
		o.must(o.sees(direct, "orders"))
		o.must2(o.organizations(recipient).LeaveOrganization(o.ctx, &organizations.LeaveOrganizationInput{}))
		for _, table := range []string{"orders", "items"} {
			o.refused(o.sees(analyst, table), denied)
			o.refused(o.sees(adminOf(recipient), table), denied)
		}
		o.refused(o.sees(direct, "orders"), denied)
		o.join(recipient)
		o.refused(o.sees(adminOf(recipient), "items"), denied)
		o.refused(o.sees(direct, "orders"), denied)
		o.must(o.sees(adminOf(recipient), "orders"))
	})

	holds(t, "14.5", "an owner who leaves shares nothing any more, and so does an organization that ends sharing", func(t *testing.T) {
		for _, end := range []func(o *organization) error{
			func(o *organization) error {
				_, err := o.organizations(manager).RemoveAccountFromOrganization(o.ctx, &organizations.RemoveAccountFromOrganizationInput{AccountId: aws.String(owner)})
				return err
			},
			func(o *organization) error {
				_, err := o.organizations(manager).DisableAWSServiceAccess(o.ctx, &organizations.DisableAWSServiceAccessInput{ServicePrincipal: aws.String("ram.amazonaws.com")})
				return err
			},
		} {
			o := newOrganization(t)
			o.must(o.grant(adminOf(owner), o.arn, onTable("orders"), "SELECT | SELECT"))
			o.must(o.grant(adminOf(owner), recipient, onTable("items"), "SELECT | SELECT"))
			o.must(o.sees(adminOf(recipient), "orders"))
			o.must(end(o))
			o.refused(o.sees(adminOf(recipient), "orders"), denied)
			o.refused(o.sees(adminOf(recipient), "items"), denied)
		}
	})

	holds(t, "14.6", "LF-tags reach organizations", func(t *testing.T) {
		o := newOrganization(t)
		analyst := o.person(recipient, "Analyst")
		o.tag("k", "all", "public")
		o.attach(onTable("orders"), "k", "all")
		o.must(o.grant(adminOf(owner), o.arn, tagTable("all"), "SELECT | SELECT"))
		o.must(o.grant(adminOf(owner), o.retailARN, onTag("k", "all", "public"), "DESCRIBE | DESCRIBE"))
		o.must(o.sees(adminOf(recipient), "orders"))
		o.must(o.grant(adminOf(recipient), analyst, tagTable("all"), "SELECT"))
		o.must(o.grant(adminOf(recipient), analyst, tagTable("all", "public"), "SELECT"))
		o.must(o.sees(analyst, "orders"))
		tags, err := o.lake(adminOf(recipient)).ListLFTags(o.ctx, &lakeformation.ListLFTagsInput{ResourceShareType: types.ResourceShareTypeForeign})
		o.must(err)
		if len(tags.LFTags) != 1 {
			t.Errorf("tags %s", pretty(tags.LFTags))
		}
		o.must(o.revoke(adminOf(owner), o.arn, tagTable("all"), "SELECT"))
		o.refused(o.sees(analyst, "orders"), denied)
	})

	holds(t, "14.7", "RAM shares with an organization by hand", func(t *testing.T) {
		o := newOrganization(t)
		create := func(by, principal string, external bool) error {
			_, err := o.ram(adminOf(by)).CreateResourceShare(o.ctx, &ram.CreateResourceShareInput{Name: aws.String("s"), Principals: []string{principal}, AllowExternalPrincipals: &external})
			return err
		}
		o.must(create(owner, o.arn, false))
		o.must(create(owner, recipient, false))
		o.refused(create(owner, stranger, false), "OperationNotPermittedException")
		o.refused(create(stranger, o.arn, true), "OperationNotPermittedException")
		o.refused(create(owner, strings.Replace(o.linesARN, o.lines, "ou-none-12345678", 1), true), "UnknownResourceException")
		shares, err := o.ram(adminOf(recipient)).GetResourceShares(o.ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerOtherAccounts})
		o.must(err)
		if len(shares.ResourceShares) != 2 {
			t.Errorf("shares %s", pretty(shares.ResourceShares))
		}
	})

	holds(t, "14.8", "policies can ask for the organization of who calls", func(t *testing.T) {
		o := newOrganization(t)
		for condition, ok := range map[string]bool{
			`"StringEquals":{"aws:PrincipalOrgID":"` + o.id + `"}`:                                                              true,
			`"StringEquals":{"aws:PrincipalOrgID":"o-other"}`:                                                                   false,
			`"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"` + o.id + `/` + o.root + `/` + o.lines + `/*"}`:                true,
			`"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"` + o.id + `/` + o.root + `/` + strings.Repeat("x", 3) + `/*"}`: false,
		} {
			name := "Reader" + o.fresh(recipient)[len("arn:aws:iam::222222222222:role/"):]
			reader := o.limited(recipient, name, policyOf(`{"Effect":"Allow","Action":"ram:GetResourceShares","Resource":"*","Condition":{`+condition+`}}`))
			_, err := o.ram(reader).GetResourceShares(o.ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
			if (err == nil) != ok {
				t.Errorf("%s: %v", condition, err)
			}
		}
	})
}
