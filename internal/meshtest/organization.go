package meshtest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
)

// Manager is the management account of [Mesh.Organization].
const Manager = "444444444444"

// Organization is an organization with the unit "lines" and in it the unit "retail".
type Organization struct {
	// ARN is the organization's, Lines and Retail are those of the units.
	ARN, Lines, Retail  string
	root, lines, retail string

	t    testing.TB
	mesh *Mesh
}

// Organization makes an organization of the mesh account and of members, which are at its
// root, and lets RAM share within it.
func (m *Mesh) Organization(members ...string) *Organization {
	m.t.Helper()
	o := &Organization{t: m.t, mesh: m}
	made, err := o.client(Manager).CreateOrganization(m.t.Context(), &organizations.CreateOrganizationInput{FeatureSet: types.OrganizationFeatureSetAll})
	o.must(err)
	o.ARN = aws.ToString(made.Organization.Arn)
	roots, err := o.client(Manager).ListRoots(m.t.Context(), &organizations.ListRootsInput{})
	o.must(err)
	o.root = aws.ToString(roots.Roots[0].Id)
	for _, account := range append([]string{MeshAccount}, members...) {
		o.Join(account)
	}
	o.lines, o.Lines = o.unit(o.root, "lines")
	o.retail, o.Retail = o.unit(o.lines, "retail")
	_, err = ram.NewFromConfig(m.Config(Administrator(Manager))).EnableSharingWithAwsOrganization(m.t.Context(), &ram.EnableSharingWithAwsOrganizationInput{})
	o.must(err)
	return o
}

func (o *Organization) client(account string) *organizations.Client {
	return organizations.NewFromConfig(o.mesh.Config(Administrator(account)))
}

func (o *Organization) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *Organization) unit(parent, name string) (id, arn string) {
	o.t.Helper()
	made, err := o.client(Manager).CreateOrganizationalUnit(o.t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: &parent, Name: &name})
	o.must(err)
	return aws.ToString(made.OrganizationalUnit.Id), aws.ToString(made.OrganizationalUnit.Arn)
}

// Join has an account join at the root.
func (o *Organization) Join(account string) {
	o.t.Helper()
	made, err := o.client(Manager).InviteAccountToOrganization(o.t.Context(), &organizations.InviteAccountToOrganizationInput{
		Target: &types.HandshakeParty{Id: &account, Type: types.HandshakePartyTypeAccount}})
	o.must(err)
	_, err = o.client(account).AcceptHandshake(o.t.Context(), &organizations.AcceptHandshakeInput{HandshakeId: made.Handshake.Id})
	o.must(err)
}

// Leave has an account leave.
func (o *Organization) Leave(account string) {
	o.t.Helper()
	_, err := o.client(account).LeaveOrganization(o.t.Context(), &organizations.LeaveOrganizationInput{})
	o.must(err)
}

// Move moves an account into a unit, by its ARN, or to the root, by the organization's.
func (o *Organization) Move(account, to string) {
	o.t.Helper()
	id := map[string]string{o.ARN: o.root, o.Lines: o.lines, o.Retail: o.retail}[to]
	parents, err := o.client(Manager).ListParents(o.t.Context(), &organizations.ListParentsInput{ChildId: &account})
	o.must(err)
	_, err = o.client(Manager).MoveAccount(o.t.Context(), &organizations.MoveAccountInput{AccountId: &account, SourceParentId: parents.Parents[0].Id, DestinationParentId: &id})
	o.must(err)
}

// EndSharing takes RAM's access to the organization away.
func (o *Organization) EndSharing() {
	o.t.Helper()
	_, err := o.client(Manager).DisableAWSServiceAccess(o.t.Context(), &organizations.DisableAWSServiceAccessInput{ServicePrincipal: aws.String("ram.amazonaws.com")})
	o.must(err)
}
