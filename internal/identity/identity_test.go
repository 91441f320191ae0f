package identity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	meshAccount     = "555555555555"
	producerAccount = "111111111111"
	consumerAccount = "999999999999"
)

// world is a local mesh with the roles of a producer and a consumer, which may
// only open the next role.
func world(t testing.TB, opts ...localmesh.Option) *localmesh.Mesh {
	t.Helper()
	mesh := localmesh.Run(t, opts...)
	for account, roles := range map[string][2]string{
		producerAccount: {"DataMeshProducer", "DataMeshAdminProducer-" + producerAccount},
		consumerAccount: {"DataMeshConsumer", "DataMeshAdminConsumer-" + consumerAccount},
	} {
		own, there := lakemesh.RoleARN(account, roles[0]), lakemesh.RoleARN(meshAccount, roles[1])
		makeRole(t, mesh, account, roles[0], "arn:aws:iam::"+account+":root", there)
		makeRole(t, mesh, meshAccount, roles[1], own, lakemesh.RoleARN(meshAccount, "DataMeshAdminReadOnly"))
	}
	makeRole(t, mesh, meshAccount, "DataMeshAdminReadOnly", "arn:aws:iam::"+meshAccount+":root", "arn:aws:iam::555555555555:role/None")
	return mesh
}

func makeRole(t testing.TB, mesh *localmesh.Mesh, account, name, trusted, next string) {
	t.Helper()
	client := iam.NewFromConfig(mesh.Config("arn:aws:iam::" + account + ":role/Admin"))
	_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, Path: aws.String("/AwsDataMesh/"), AssumeRolePolicyDocument: aws.String(
		fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, trusted))})
	must(t, err)
	_, err = client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("next"), PolicyDocument: aws.String(
		fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":%q},{"Effect":"Allow","Action":"glue:Get*","Resource":"*"}]}`, next))})
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func options(mesh *localmesh.Mesh, principal string) lakemesh.Options {
	cfg := mesh.Config(principal)
	return lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg, RoleWait: -1}
}

// calls counts the calls of an operation.
func calls(mesh *localmesh.Mesh, operation string) int {
	n := 0
	for _, c := range mesh.Counts() {
		if c.Operation == operation {
			n += c.Calls
		}
	}
	return n
}

func whoIs(t testing.TB, i *identity.Identity) string {
	t.Helper()
	out, err := sts.NewFromConfig(i.Config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	must(t, err)
	return aws.ToString(out.Arn)
}

func TestOpeningAPersonaAsksOnceAndHopsOnce(t *testing.T) {
	t.Parallel()
	mesh := world(t)
	mesh.ResetCounts()
	p, err := identity.OpenProducer(t.Context(), options(mesh, "arn:aws:iam::111111111111:role/Admin"))
	must(t, err)
	if who, hops, all := calls(mesh, "GetCallerIdentity"), calls(mesh, "AssumeRole"), mesh.Calls(); who != 1 || hops != 2 || all != 3 {
		t.Errorf("%d GetCallerIdentity, %d AssumeRole, %d calls in all", who, hops, all)
	}
	if p.Account != producerAccount || p.MeshAccount != meshAccount || p.Region != "us-east-1" {
		t.Errorf("%+v", p)
	}
	if got := whoIs(t, p.Own); got != "arn:aws:sts::111111111111:assumed-role/DataMeshProducer/local" {
		t.Errorf("own role: %s", got)
	}
	if got := whoIs(t, p.Mesh); got != "arn:aws:sts::555555555555:assumed-role/DataMeshAdminProducer-111111111111/local" {
		t.Errorf("mesh role: %s", got)
	}
	if p.Mesh.ARN != lakemesh.RoleARN(meshAccount, "DataMeshAdminProducer-111111111111") {
		t.Errorf("mesh role: %s", p.Mesh.ARN)
	}
}

func TestTheReadOnlyRoleIsOpenedOnceAndLate(t *testing.T) {
	t.Parallel()
	mesh := world(t)
	c, err := identity.OpenConsumer(t.Context(), options(mesh, "arn:aws:iam::999999999999:role/Admin"))
	must(t, err)
	mesh.ResetCounts()
	client := glue.NewFromConfig(c.ReadOnly.Config)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := client.GetDatabases(t.Context(), &glue.GetDatabasesInput{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if hops := calls(mesh, "AssumeRole"); hops != 1 {
		t.Errorf("%d AssumeRole", hops)
	}
}

func TestSessionsOfTheWantedRoleAreUsedAsTheyAre(t *testing.T) {
	t.Parallel()
	mesh := world(t)
	mesh.ResetCounts()
	p, err := identity.OpenProducer(t.Context(), options(mesh, lakemesh.RoleARN(producerAccount, "DataMeshProducer")))
	must(t, err)
	if hops := calls(mesh, "AssumeRole"); hops != 1 || p.Own != p.Caller {
		t.Errorf("%d AssumeRole", hops)
	}
}

func TestSessionsTellWhoActs(t *testing.T) {
	t.Parallel()
	mesh := world(t)
	admin := iam.NewFromConfig(mesh.Config("arn:aws:iam::111111111111:role/Admin"))
	_, err := admin.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann@example.com"), Path: aws.String("/people/")})
	must(t, err)
	_, err = admin.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("ann@example.com"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`)})
	must(t, err)
	p, err := identity.OpenProducer(t.Context(), options(mesh, "arn:aws:iam::111111111111:user/people/ann@example.com"))
	must(t, err)
	if got := whoIs(t, p.Mesh); !strings.HasSuffix(got, "/ann@example.com") {
		t.Errorf("the mesh sees %s", got)
	}
	if p.Caller.ARN != "arn:aws:iam::111111111111:user/people/ann@example.com" {
		t.Errorf("caller %s", p.Caller.ARN)
	}
}

func TestCredentialsOfAnotherAccountAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	mesh := world(t)
	creds, err := mesh.Config("arn:aws:iam::111111111111:role/Admin").Credentials.Retrieve(t.Context())
	must(t, err)
	o := options(mesh, "arn:aws:iam::111111111111:role/Admin")
	o.Credentials = lakemesh.Credentials{AccountID: consumerAccount, AccessKeyID: creds.AccessKeyID,
		SecretAccessKey: lakemesh.Secret(creds.SecretAccessKey), SessionToken: lakemesh.Secret(creds.SessionToken)}
	mesh.ResetCounts()
	for _, open := range []func(context.Context, lakemesh.Options) (*identity.Persona, error){identity.OpenProducer, identity.OpenConsumer} {
		_, err := open(t.Context(), o)
		if !errors.Is(err, lakemesh.ErrWrongAccount) || !strings.Contains(err.Error(), producerAccount) || !strings.Contains(err.Error(), consumerAccount) {
			t.Errorf("got %v", err)
		}
	}
	if hops := calls(mesh, "AssumeRole"); hops != 0 {
		t.Errorf("%d roles were opened", hops)
	}
	if _, err := identity.OpenProducer(t.Context(), options(mesh, "arn:aws:iam::555555555555:role/Admin")); !errors.Is(err, lakemesh.ErrWrongAccount) {
		t.Errorf("the mesh account as a producer: %v", err)
	}
}

func TestARefusedHopSaysWhoMustDoWhat(t *testing.T) {
	t.Parallel()
	mesh := world(t)
	mesh.Config("arn:aws:iam::222222222222:role/Admin")
	for _, test := range []struct {
		name, principal string
		open            func(context.Context, lakemesh.Options) (*identity.Persona, error)
		want            []string
	}{
		{"not initialized", "arn:aws:iam::222222222222:role/Admin", identity.OpenProducer,
			[]string{"role arn:aws:iam::222222222222:role/AwsDataMesh/DataMeshProducer", "trust", "admin.InitializeProducerAccount()"}},
		{"not enabled", lakemesh.RoleARN(producerAccount, "DataMeshConsumer"), identity.OpenConsumer,
			[]string{"role arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshAdminConsumer-111111111111", "mesh account 555555555555", "admin.EnableAccountAsConsumer"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.name == "not enabled" {
				makeRole(t, mesh, producerAccount, "DataMeshConsumer", "arn:aws:iam::111111111111:root", lakemesh.RoleARN(meshAccount, "*"))
			}
			_, err := test.open(t.Context(), options(mesh, test.principal))
			if !errors.Is(err, lakemesh.ErrAccessDenied) {
				t.Fatalf("got %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

func TestBadOptionsAreRefusedWithoutACall(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	for name, spoil := range map[string]func(*lakemesh.Options){
		"mesh account": func(o *lakemesh.Options) { o.MeshAccountID = "123" },
		"log level":    func(o *lakemesh.Options) { o.LogLevel = "loud" },
		"concurrency":  func(o *lakemesh.Options) { o.Concurrency = -1 },
		"credentials":  func(o *lakemesh.Options) { o.Config = &aws.Config{Region: "us-east-1"} },
	} {
		o := options(mesh, "arn:aws:iam::111111111111:role/Admin")
		spoil(&o)
		if _, err := identity.OpenProducer(t.Context(), o); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := mesh.Calls(); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestSessionsAreRenewedBeforeTheyEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh := world(t)
		p, err := identity.OpenProducer(t.Context(), options(mesh, "arn:aws:iam::111111111111:role/Admin"))
		must(t, err)
		client := glue.NewFromConfig(p.Mesh.Config)
		// Two and a half hours, a call a minute: every session lasts an hour at most.
		mesh.ResetCounts()
		for range 150 {
			time.Sleep(time.Minute)
			if _, err := client.GetDatabases(t.Context(), &glue.GetDatabasesInput{}); err != nil {
				t.Fatalf("after %d calls: %v", calls(mesh, "GetDatabases"), err)
			}
		}
		if hops := calls(mesh, "AssumeRole"); hops < 3 || hops > 6 {
			t.Errorf("%d AssumeRole in two and a half hours, two roles", hops)
		}
	})
}

func TestWhatPassesByItselfIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code  string
		again bool
	}{
		{"ConcurrentModificationException", true}, {"OperationTimeoutException", true}, {"OperationAborted", true},
		{"ThrottlingException", true}, {"InternalServiceException", true}, {"InvalidInputException", false},
		{"EntityNotFoundException", false}, {"AccessDeniedException", false},
	} {
		t.Run(test.code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				mesh := localmesh.Run(t)
				caller, err := identity.Open(t.Context(), options(mesh, "arn:aws:iam::111111111111:role/Admin"))
				must(t, err)
				status := 400
				if test.code == "InternalServiceException" {
					status = 500
				}
				mesh.Fail(localmesh.Fault{Service: "glue", Operation: "GetDatabases", Code: test.code, Message: "Invalid principal", Status: status})
				_, err = glue.NewFromConfig(caller.Config).GetDatabases(t.Context(), &glue.GetDatabasesInput{})
				if (err == nil) != test.again {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestABareStatus429IsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh := localmesh.Run(t)
		caller, err := identity.Open(t.Context(), options(mesh, "arn:aws:iam::111111111111:role/Admin"))
		must(t, err)
		mesh.Fail(localmesh.Fault{Service: "glue", Operation: "GetDatabases", Code: "Unheard", Status: 429, Times: 3})
		_, err = glue.NewFromConfig(caller.Config).GetDatabases(t.Context(), &glue.GetDatabasesInput{})
		must(t, err)
	})
}

func TestUntilVisibleWaitsForNewPrincipalsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		err := identity.UntilVisible(t.Context(), "Lake Formation to know the role", func(context.Context) error {
			if tries++; tries < 4 {
				return apiError("InvalidInputException", "Invalid principal, arn:aws:iam::1:role/x")
			}
			return nil
		})
		if err != nil || tries != 4 {
			t.Errorf("%v after %d tries", err, tries)
		}
		tries = 0
		err = identity.UntilVisible(t.Context(), "x", func(context.Context) error {
			tries++
			return apiError("InvalidInputException", "something else")
		})
		if err == nil || tries != 1 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

func TestNothingSecretIsLoggedOrSaid(t *testing.T) {
	t.Parallel()
	mesh := world(t)
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	var log bytes.Buffer
	var mu sync.Mutex
	o := options(mesh, "arn:aws:iam::111111111111:role/Admin")
	o.LogLevel, o.Logger = "debug", slog.New(slog.NewJSONHandler(locked{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := identity.OpenProducer(t.Context(), o)
	must(t, err)
	session, err := p.Mesh.Config.Credentials.Retrieve(t.Context())
	must(t, err)
	o.Credentials = lakemesh.Credentials{AccountID: producerAccount, AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: secret, SessionToken: "token-" + secret}
	_, err = identity.OpenProducer(t.Context(), o)
	if !errors.Is(err, lakemesh.ErrAccessDenied) {
		t.Errorf("got %v", err)
	}
	said := log.String() + fmt.Sprintf("%v %+v %#v %s", err, o, o.Credentials, o.Credentials)
	if !strings.Contains(said, "AssumeRole") {
		t.Errorf("the log does not tell what was called: %s", said)
	}
	for _, s := range []string{secret, session.SecretAccessKey, session.SessionToken} {
		if strings.Contains(said, s) {
			t.Errorf("a secret is told: %s", said)
		}
	}
}

// locked is a buffer that several goroutines may write to.
type locked struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(b)
}

func TestTheLevelBoundsTheLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	handler := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})
	l, err := identity.Logger(lakemesh.Options{LogLevel: "Error", Logger: slog.New(handler)})
	must(t, err)
	l.With("a", 1).WithGroup("g").Info("quiet")
	l.Error("loud")
	if s := log.String(); strings.Contains(s, "quiet") || !strings.Contains(s, "loud") {
		t.Errorf("logged %s", s)
	}
}
