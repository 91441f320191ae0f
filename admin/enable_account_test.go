package admin_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

func TestMeshRolesTrustExactlyOneRole(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	for role, trusted := range map[string]string{
		"DataMeshAdminProducer-" + producerAccount: "arn:aws:iam::111111111111:role/AwsDataMesh/DataMeshProducer",
		"DataMeshAdminConsumer-" + consumerAccount: "arn:aws:iam::999999999999:role/AwsDataMesh/DataMeshConsumer",
	} {
		trust := trustOf(t, mesh, meshAccount, role)
		for _, statement := range trust.Statement {
			if fmt.Sprint(statement.Principal) != "map[AWS:"+trusted+"]" {
				t.Errorf("%s trusts %v", role, statement.Principal)
			}
		}
	}
	// The administrators of the accounts, and of others, are not trusted.
	for _, account := range []string{producerAccount, consumerAccount, otherAccount, meshAccount} {
		_, err := assume(t.Context(), configOf(mesh, account), lakemesh.RoleARN(meshAccount, "DataMeshAdminProducer-"+producerAccount))
		wantDenied(t, account+" opens the producer's mesh role", err)
	}
	bootstrap(t, mesh, otherAccount, admin.Producer)
	_, err := assume(t.Context(), as(t, mesh, otherAccount, lakemesh.RoleARN(otherAccount, "DataMeshProducer")),
		lakemesh.RoleARN(meshAccount, "DataMeshAdminProducer-"+producerAccount))
	wantDenied(t, "another producer opens the producer's mesh role", err)
}

func TestEnabledProducersAreNoAdministratorsButHoldWhatTheyNeed(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	if got := administratorsOf(t, mesh, meshAccount); !cmp.Equal(got, []string{lakemesh.RoleARN(meshAccount, "DataMeshManager")}) {
		t.Errorf("administrators of the mesh: %v", got)
	}
	role := lakemesh.RoleARN(meshAccount, "DataMeshAdminProducer-"+producerAccount)
	manager := lakeformation.NewFromConfig(as(t, mesh, meshAccount, lakemesh.RoleARN(meshAccount, "DataMeshManager")))
	held := func(resource *types.Resource) []string {
		var all []string
		out, err := manager.ListPermissions(t.Context(), &lakeformation.ListPermissionsInput{Resource: resource})
		must(t, err)
		for _, row := range out.PrincipalResourcePermissions {
			if aws.ToString(row.Principal.DataLakePrincipalIdentifier) == role {
				for _, p := range row.Permissions {
					all = append(all, string(p))
				}
				if len(row.PermissionsWithGrantOption) > 0 {
					t.Errorf("may grant %v on", row.PermissionsWithGrantOption)
				}
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	if diff := cmp.Diff([]string{"CREATE_DATABASE"}, held(&types.Resource{Catalog: &types.CatalogResource{}})); diff != "" {
		t.Error(diff)
	}
	for _, key := range []string{"domain", "dataproduct"} {
		tag := &types.Resource{LFTag: &types.LFTagKeyResource{TagKey: aws.String(key), TagValues: []string{"*"}}}
		if diff := cmp.Diff([]string{"ALTER", "ASSOCIATE", "DESCRIBE"}, held(tag)); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}

func TestAccountsRolesAreAdministratorsOfTheirOwnAccountOnly(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	for account, role := range map[string]string{producerAccount: "DataMeshProducer", consumerAccount: "DataMeshConsumer"} {
		if got := administratorsOf(t, mesh, account); !cmp.Equal(got, []string{lakemesh.RoleARN(account, role)}) {
			t.Errorf("administrators of %s: %v", account, got)
		}
		trust := trustOf(t, mesh, account, role)
		if len(trust.Statement) != 1 || fmt.Sprint(trust.Statement[0].Principal) != "map[AWS:arn:aws:iam::"+account+":root]" {
			t.Errorf("%s trusts %v", role, trust.Statement)
		}
		if _, err := assume(t.Context(), configOf(mesh, otherAccount), lakemesh.RoleARN(account, role)); err == nil {
			t.Errorf("another account opens %s of %s", role, account)
		}
	}
}

func TestRepeatedSetUpWritesNothing(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	p, c := adminOf(t, mesh, producerAccount), adminOf(t, mesh, consumerAccount)
	for name, do := range map[string]func() error{
		"InitializeProducerAccount": func() error {
			_, err := p.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{})
			return err
		},
		"InitializeConsumerAccount": func() error {
			_, err := c.InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{})
			return err
		},
		"EnableAccountAsProducer": func() error {
			_, err := a.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount})
			return err
		},
		"EnableAccountAsConsumer": func() error {
			_, err := a.EnableAccountAsConsumer(t.Context(), admin.EnableConsumerInput{AccountID: consumerAccount})
			return err
		},
		"BootstrapAccount": func() error {
			_, err := admin.BootstrapAccount(t.Context(), admin.BootstrapInput{Type: admin.Producer,
				Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, producerAccount)})
			return err
		},
	} {
		mesh.ResetCounts()
		wantOK(t, name, do())
		if w := writes(mesh); len(w) > 0 {
			t.Errorf("%s again wrote %v", name, w)
		}
	}
}

func TestBootstrapBothMakesBothHalves(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	in := admin.BootstrapInput{Type: "Both", Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, otherAccount)}
	out, err := admin.BootstrapAccount(t.Context(), in)
	must(t, err)
	for _, roles := range []*admin.BootstrappedRoles{out.Producer, out.Consumer} {
		if roles == nil {
			t.Fatalf("a half is missing: %+v", out)
		}
		as(t, mesh, otherAccount, roles.Account.RoleARN, roles.Mesh.RoleARN)
	}
	if n := len(administratorsOf(t, mesh, otherAccount)); n != 2 {
		t.Errorf("%d administrators", n)
	}
	p, err := admin.PlanBootstrapAccount(t.Context(), in)
	must(t, err)
	if !p.Empty() {
		t.Errorf("left to do:\n%s", p)
	}
}

func TestEnablingAnAccountThatWasNotInitializedSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh, a := initialized(t)
		adminOf(t, mesh, producerAccount)
		_, err := a.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount})
		if !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), "initialize account 111111111111 as a producer first") {
			t.Errorf("got %v", err)
		}
	})
}

func TestEnablingBeforeTheMeshIsInitializedSaysSo(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	_, err := adminOf(t, mesh, meshAccount).EnableAccountAsConsumer(t.Context(), admin.EnableConsumerInput{AccountID: consumerAccount})
	if !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), "initialize the mesh account first") {
		t.Errorf("got %v", err)
	}
}

func TestARoleThatWasMadeAnewIsTrustedAgainByEnabling(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	own := lakemesh.RoleARN(consumerAccount, "DataMeshConsumer")
	there := lakemesh.RoleARN(meshAccount, "DataMeshAdminConsumer-"+consumerAccount)
	client := iam.NewFromConfig(configOf(mesh, consumerAccount))
	_, err := client.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: aws.String("DataMeshConsumer"), PolicyName: aws.String("lakemesh")})
	must(t, err)
	_, err = client.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("DataMeshConsumer")})
	must(t, err)
	_, err = adminOf(t, mesh, consumerAccount).InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{})
	must(t, err)
	_, err = assume(t.Context(), as(t, mesh, consumerAccount, own), there)
	wantDenied(t, "a new role of the old name", err)
	status, err := a.Status(t.Context())
	must(t, err)
	if !slices.ContainsFunc(status.Problems, func(p string) bool { return strings.Contains(p, "must be enabled again") }) {
		t.Errorf("the status does not tell: %v", status.Problems)
	}
	p, err := a.PlanEnableAccountAsConsumer(t.Context(), admin.EnableConsumerInput{AccountID: consumerAccount})
	must(t, err)
	if p.Count(plan.UpdateRole) != 1 {
		t.Errorf("plan:\n%s", p)
	}
	_, err = a.EnableAccountAsConsumer(t.Context(), admin.EnableConsumerInput{AccountID: consumerAccount})
	must(t, err)
	as(t, mesh, consumerAccount, own, there)
}

func TestTheReadOnlyTrustDoesNotGrow(t *testing.T) {
	t.Parallel()
	mesh, _ := initialized(t)
	before := fmt.Sprint(trustOf(t, mesh, meshAccount, "DataMeshAdminReadOnly"))
	meshtest.Before(mesh, func() {
		for i := range 5 {
			bootstrap(t, mesh, fmt.Sprintf("%012d", 100000000000+i), admin.Both)
		}
	})
	if after := fmt.Sprint(trustOf(t, mesh, meshAccount, "DataMeshAdminReadOnly")); before != after {
		t.Errorf("it was %s and is %s", before, after)
	}
}

func TestStatusOfAGoodMeshHasNoProblems(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t)
	status, err := a.Status(t.Context())
	must(t, err)
	if len(status.Problems) > 0 {
		t.Errorf("problems: %v", status.Problems)
	}
	if !cmp.Equal(status.Mesh.Producers, []string{producerAccount}) || !cmp.Equal(status.Mesh.Consumers, []string{consumerAccount}) {
		t.Errorf("producers %v, consumers %v", status.Mesh.Producers, status.Mesh.Consumers)
	}
	if !status.Mesh.Manager.Administrator || !status.Mesh.DefaultPermissionsCleared || status.Mesh.SubscriptionTracker == nil {
		t.Errorf("%+v", status.Mesh)
	}
	status, err = adminOf(t, mesh, producerAccount).Status(t.Context())
	must(t, err)
	if len(status.Problems) > 0 || !status.Producer.Administrator || status.Consumer.Exists {
		t.Errorf("%+v", status)
	}
}

func TestEachProducerHasADataAccessRoleOfItsOwn(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	bootstrap(t, mesh, otherAccount, admin.Producer)
	trust := trustOf(t, mesh, meshAccount, lakemesh.DataAccessRole(producerAccount))
	if fmt.Sprint(trust.Statement[0].Principal) != "map[Service:lakeformation.amazonaws.com]" {
		t.Errorf("it trusts %v", trust.Statement[0].Principal)
	}
	// A producer that could have another's bucket read would read it through a table
	// of its own.
	lake := lakeformation.NewFromConfig(mesh.Config(lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(otherAccount))))
	_, err := lake.RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::flights/live"),
		RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))), WithPrivilegedAccess: true})
	wantDenied(t, "register another producer's data with that producer's role", err)
}
