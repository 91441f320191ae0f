package security_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// crowd is how many producers, and how many consumers, a mesh is tried with.
func crowd() int {
	if long() {
		return 1000
	}
	return 60
}

// member is the id of an account of the crowd.
func member(kind admin.AccountType, n int) string {
	first := 200_000_000_000
	if kind == admin.Consumer {
		first = 300_000_000_000
	}
	return fmt.Sprintf("%012d", first+n)
}

// enabling is what it costs to initialize and enable one more account: how often
// each operation was called.
func (l *life) enabling(kind admin.AccountType, n int) (map[string]int, error) {
	account := member(kind, n)
	own, err := admin.New(l.ctx, l.Options(account))
	if err != nil {
		return nil, err
	}
	mesh, err := admin.New(l.ctx, l.Options(meshAccount))
	if err != nil {
		return nil, err
	}
	l.ResetCounts()
	if kind == admin.Producer {
		_, err = own.InitializeProducerAccount(l.ctx, admin.InitializeProducerInput{})
		if err == nil {
			_, err = mesh.EnableAccountAsProducer(l.ctx, admin.EnableProducerInput{AccountID: account})
		}
	} else {
		_, err = own.InitializeConsumerAccount(l.ctx, admin.InitializeConsumerInput{})
		if err == nil {
			_, err = mesh.EnableAccountAsConsumer(l.ctx, admin.EnableConsumerInput{AccountID: account})
		}
	}
	calls := map[string]int{}
	for _, c := range l.Counts() {
		calls[c.Service+":"+c.Operation] = c.Calls
	}
	return calls, err
}

func (l *life) initialize(in admin.InitializeMeshInput) error {
	mesh, err := admin.New(l.ctx, l.Options(meshAccount))
	if err != nil {
		return err
	}
	_, err = mesh.InitializeMeshAccount(l.ctx, in)
	return err
}

func TestAMeshGrowsWithoutHittingAFixedQuotaOrCostingMore(t *testing.T) {
	t.Parallel()
	l := newLife(t)
	n := crowd()
	if err := errors.Join(l.initialize(admin.InitializeMeshInput{}),
		l.SetQuota(meshAccount, "RolesQuota", 5000), l.SetQuota(meshAccount, "PoliciesQuota", 5000), l.SetQuota(meshAccount, "LF-Tags", 5000)); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []admin.AccountType{admin.Producer, admin.Consumer} {
		var second, last map[string]int
		for i := range n {
			calls, err := l.enabling(kind, i)
			if err != nil {
				t.Fatalf("%s %d: %v", kind, i+1, err)
			}
			if i == 1 {
				second = calls
			}
			last = calls
		}
		if diff := cmp.Diff(second, last); diff != "" {
			t.Errorf("the calls of %s 2 and of %s %d differ:\n%s", kind, kind, n, diff)
		}
		total := 0
		for _, calls := range last {
			total += calls
		}
		t.Logf("%s %d cost %d calls", kind, n, total)
	}
	// All of them are there, and the last ones can work.
	mesh, err := admin.New(l.ctx, l.Options(meshAccount))
	if err != nil {
		t.Fatal(err)
	}
	status, err := mesh.Status(l.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if p, c := len(status.Mesh.Producers), len(status.Mesh.Consumers); p != n || c != n || len(status.Problems) > 0 {
		t.Errorf("%d producers, %d consumers, problems %q", p, c, status.Problems)
	}
	for kind, role := range map[admin.AccountType]string{admin.Producer: lakemesh.ProducerRole, admin.Consumer: lakemesh.ConsumerRole} {
		account := member(kind, n-1)
		there := lakemesh.MeshProducerRole(account)
		if kind == admin.Consumer {
			there = lakemesh.MeshConsumerRole(account)
		}
		if err := l.assumes(l.as(account, role), lakemesh.RoleARN(meshAccount, there)); err != nil {
			t.Errorf("%s %d: %v", kind, n, err)
		}
	}
}

// roles is how many roles the mesh account has.
func (l *life) roles(t *testing.T) int {
	t.Helper()
	out, err := iam.NewFromConfig(l.Config(meshtest.Administrator(meshAccount))).GetAccountSummary(l.ctx, &iam.GetAccountSummaryInput{})
	if err != nil {
		t.Fatal(err)
	}
	return int(out.SummaryMap[string(types.SummaryKeyTypeRoles)])
}

func TestTheAccountThatDoesNotFitIsToldWhichQuota(t *testing.T) {
	t.Parallel()
	l := newLife(t)
	if err := l.initialize(admin.InitializeMeshInput{}); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if _, err := l.enabling(admin.Producer, i); err != nil {
			t.Fatal(err)
		}
	}
	full := l.roles(t)
	if err := l.SetQuota(meshAccount, "RolesQuota", full); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []admin.AccountType{admin.Producer, admin.Consumer} {
		l.refusesOneMore(t, kind, 2)
	}
	if err := l.SetQuota(meshAccount, "RolesQuota", full+1); err != nil {
		t.Fatal(err)
	}
	if _, err := l.enabling(admin.Consumer, 2); err != nil {
		t.Errorf("with one role more: %v", err)
	}
	l.refusesOneMore(t, admin.Producer, 3)
	l.refusesOneMore(t, admin.Consumer, 3)
	// Who is enabled already needs no role more.
	if _, err := l.enabling(admin.Producer, 1); err != nil {
		t.Errorf("enabled again: %v", err)
	}
	if n := l.roles(t); n != full+1 {
		t.Errorf("%d roles, want %d", n, full+1)
	}
}

// refusesOneMore initializes an account, and checks that the mesh has no room for
// it and makes nothing.
func (l *life) refusesOneMore(t *testing.T, kind admin.AccountType, n int) {
	t.Helper()
	calls, err := l.enabling(kind, n)
	var typed *lakemesh.Error
	if !errors.Is(err, lakemesh.ErrQuota) || !errors.As(err, &typed) || !strings.Contains(err.Error(), "quota of roles in an account") || typed.Account != meshAccount {
		t.Errorf("%s %d: %v, want the quota of roles", kind, n, err)
	}
	// One role was made: in the account itself, when it was initialized.
	if calls["iam:CreateRole"] != 1 || calls["iam:PutRolePolicy"] != 1 || calls["lakeformation:BatchGrantPermissions"] != 0 {
		t.Errorf("%s %d: calls %v", kind, n, calls)
	}
}

func TestTheDefaultQuotaOfRolesEndsTheCrowd(t *testing.T) {
	t.Parallel()
	if !long() {
		t.Skip("LAKEMESH_LONG=1 fills an account with as many roles as AWS lets it have")
	}
	l := newLife(t)
	if err := l.initialize(admin.InitializeMeshInput{}); err != nil {
		t.Fatal(err)
	}
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	fit := 1000 - l.roles(t)
	for i := range fit {
		if _, err := l.enabling(admin.Consumer, i); err != nil {
			t.Fatalf("consumer %d: %v", i+1, err)
		}
	}
	l.refusesOneMore(t, admin.Consumer, fit)
}
