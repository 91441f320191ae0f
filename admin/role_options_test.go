package admin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

func makeBoundary(t testing.TB, mesh *localmesh.Mesh, account string) {
	t.Helper()
	_, err := iam.NewFromConfig(configOf(mesh, account)).CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("Boundary"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})
	must(t, err)
}

func wantBounded(t *testing.T, mesh *localmesh.Mesh, account, role string) {
	t.Helper()
	out, err := iam.NewFromConfig(configOf(mesh, account)).GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
	must(t, err)
	if b := out.Role.PermissionsBoundary; b == nil || *b.PermissionsBoundaryArn != "arn:aws:iam::"+account+":policy/Boundary" {
		t.Errorf("the boundary of %s is %v", role, b)
	}
	tags := map[string]string{}
	for _, tag := range out.Role.Tags {
		tags[*tag.Key] = *tag.Value
	}
	if tags["CostCentre"] != "42" || tags["Solution"] != "DataMeshUtils" {
		t.Errorf("the tags of %s are %v", role, tags)
	}
}

// Organizations that allow roles only with a boundary and tags of theirs can have
// them from the beginning, in every account, and they stay.
func TestRolesTakeABoundaryAndTagsAndKeepThem(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	for _, account := range []string{meshAccount, otherAccount} {
		makeBoundary(t, mesh, account)
	}
	roles := admin.RoleOptions{PermissionsBoundary: "Boundary", Tags: map[string]string{"CostCentre": "42"}}
	a := adminOf(t, mesh, meshAccount)
	p, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{Roles: roles})
	must(t, err)
	if !strings.Contains(p.String(), "within the boundary arn:aws:iam::555555555555:policy/Boundary, tagged CostCentre=42") {
		t.Errorf("plan:\n%s", p)
	}
	_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{Roles: roles})
	must(t, err)
	in := admin.BootstrapInput{Type: admin.Both, Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, otherAccount), AccountRoles: roles, MeshRoles: roles}
	_, err = admin.BootstrapAccount(t.Context(), in)
	must(t, err)
	all := map[string][]string{
		meshAccount: {"DataMeshManager", "DataMeshAdminReadOnly", lakemesh.MeshProducerRole(otherAccount), lakemesh.MeshConsumerRole(otherAccount),
			lakemesh.DataAccessRole(otherAccount)},
		otherAccount: {"DataMeshProducer", "DataMeshConsumer"},
	}
	// Neither the same again, nor a change of the roles without the options, takes them.
	in.AccountRoles, in.MeshRoles = admin.RoleOptions{}, admin.RoleOptions{}
	again, err := admin.PlanBootstrapAccount(t.Context(), in)
	must(t, err)
	if !again.Empty() {
		t.Errorf("left to do:\n%s", again)
	}
	age(t, mesh, lakemesh.MeshConsumerRole(otherAccount), `{"AWS":"`+lakemesh.RoleARN(otherAccount, "DataMeshConsumer")+`"}`)
	_, err = a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	for account, names := range all {
		for _, name := range names {
			wantBounded(t, mesh, account, name)
		}
	}
}

func TestRolesThatExistGetABoundaryAndTags(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	makeBoundary(t, mesh, meshAccount)
	roles := admin.RoleOptions{PermissionsBoundary: "arn:aws:iam::555555555555:policy/Boundary", Tags: map[string]string{"CostCentre": "42"}}
	p, err := a.PlanUpgradeMesh(t.Context(), admin.UpgradeMeshInput{Roles: roles})
	must(t, err)
	if p.Count(plan.UpdateRole) != 5 || len(p.Steps) != 5 || !strings.Contains(p.String(), "update the tags, permissions boundary of role DataMeshManager") {
		t.Errorf("plan:\n%s", p)
	}
	_, err = a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{Roles: roles})
	must(t, err)
	wantBounded(t, mesh, meshAccount, lakemesh.DataAccessRole(producerAccount))
	p, err = a.PlanUpgradeMesh(t.Context(), admin.UpgradeMeshInput{Roles: roles})
	must(t, err)
	if !p.Empty() {
		t.Errorf("left to do:\n%s", p)
	}
}

func TestBadRoleOptionsAreRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	mesh, a := initialized(t)
	mesh.ResetCounts()
	for name, roles := range map[string]admin.RoleOptions{
		"no policy":             {PermissionsBoundary: "arn:aws:iam::555555555555:role/Boundary"},
		"not of the account":    {PermissionsBoundary: "arn:aws:iam::222222222222:policy/Boundary"},
		"a tag of AWS":          {Tags: map[string]string{"aws:x": "y"}},
		"the mesh's own tag":    {Tags: map[string]string{"Solution": "y"}},
		"a tag without a name":  {Tags: map[string]string{"": "y"}},
		"a value that is long":  {Tags: map[string]string{"x": strings.Repeat("ä", 257)}},
		"a boundary with space": {PermissionsBoundary: "my boundary"},
	} {
		if _, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{Roles: roles}); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := a.EnableAccountAsConsumer(t.Context(), admin.EnableConsumerInput{AccountID: consumerAccount, Roles: roles}); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w := writes(mesh); len(w) > 0 {
		t.Errorf("wrote %v", w)
	}
}
