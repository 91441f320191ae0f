package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lakeformationtypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

const (
	meshAccount     = "555555555555"
	producerAccount = "111111111111"
	consumerAccount = "999999999999"
	otherAccount    = "222222222222"
)

func administrator(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

// configOf is the configuration of an account's administrator.
func configOf(mesh *localmesh.Mesh, account string) aws.Config {
	return mesh.Config(administrator(account))
}

func optionsOf(mesh *localmesh.Mesh, account string) lakemesh.Options {
	cfg := configOf(mesh, account)
	return lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg, RoleWait: meshtest.RoleWait(mesh)}
}

func adminOf(t testing.TB, mesh *localmesh.Mesh, account string) *admin.Admin {
	t.Helper()
	a, err := admin.New(t.Context(), optionsOf(mesh, account))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// initialized is a mesh whose mesh account was set up a while ago.
func initialized(t testing.TB, opts ...localmesh.Option) (*localmesh.Mesh, *admin.Admin) {
	t.Helper()
	mesh := localmesh.Run(t, opts...)
	a := adminOf(t, mesh, meshAccount)
	meshtest.Before(mesh, func() {
		if _, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{}); err != nil {
			t.Fatal(err)
		}
	})
	return mesh, a
}

// bootstrapped is a mesh that has had a producer and a consumer for a while.
func bootstrapped(t testing.TB, opts ...localmesh.Option) (*localmesh.Mesh, *admin.Admin) {
	t.Helper()
	mesh, a := initialized(t, opts...)
	meshtest.Before(mesh, func() {
		bootstrap(t, mesh, producerAccount, admin.Producer)
		bootstrap(t, mesh, consumerAccount, admin.Consumer)
	})
	return mesh, a
}

// plainly goes by the readings of AWS that most of the evidence is for, for a test
// whose own calls are right under these alone.
func plainly() localmesh.Option { return localmesh.WithReadings(localmesh.Readings{}) }

func bootstrap(t testing.TB, mesh *localmesh.Mesh, account string, kind admin.AccountType) {
	t.Helper()
	_, err := admin.BootstrapAccount(t.Context(), admin.BootstrapInput{
		Type: kind, Mesh: optionsOf(mesh, meshAccount), Account: optionsOf(mesh, account)})
	if err != nil {
		t.Fatal(err)
	}
}

// writes are the calls since the last reset that changed something, or tried to.
func writes(mesh *localmesh.Mesh) []string {
	var all []string
	for _, c := range mesh.Counts() {
		reads := slices.ContainsFunc([]string{"Get", "List", "Describe", "AssumeRole", "BatchGetItem", "Query"}, func(prefix string) bool {
			return strings.HasPrefix(c.Operation, prefix)
		})
		if !reads {
			all = append(all, c.Service+":"+c.Operation)
		}
	}
	return all
}

func settingsOf(t testing.TB, mesh *localmesh.Mesh, account string) lakeformationtypes.DataLakeSettings {
	t.Helper()
	out, err := lakeformation.NewFromConfig(configOf(mesh, account)).GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	return *out.DataLakeSettings
}

func administratorsOf(t testing.TB, mesh *localmesh.Mesh, account string) []string {
	t.Helper()
	var arns []string
	for _, p := range settingsOf(t, mesh, account).DataLakeAdmins {
		arns = append(arns, aws.ToString(p.DataLakePrincipalIdentifier))
	}
	return arns
}

// document is a policy as a client reads it.
type document struct {
	Statement []struct {
		Sid       string
		Effect    string
		Principal any
		Action    any
		Resource  any
		Condition map[string]map[string]any
	}
}

func trustOf(t testing.TB, mesh *localmesh.Mesh, account, role string) document {
	t.Helper()
	out, err := iam.NewFromConfig(configOf(mesh, account)).GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, out.Role.AssumeRolePolicyDocument)
}

func decode(t testing.TB, text *string) document {
	t.Helper()
	plain, err := url.PathUnescape(aws.ToString(text))
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal([]byte(plain), &d); err != nil {
		t.Fatalf("%v in %s", err, plain)
	}
	return d
}

// as opens the roles one after the other, beginning with the account's
// administrator, and returns the configuration of the last.
func as(t testing.TB, mesh *localmesh.Mesh, account string, roles ...string) aws.Config {
	t.Helper()
	cfg := configOf(mesh, account)
	for _, role := range roles {
		var next aws.Config
		err := meshtest.Try(mesh, func() (err error) {
			next, err = assume(t.Context(), cfg, role)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		cfg = next
	}
	return cfg
}

// wantDenied fails the test unless AWS refused the caller.
func wantDenied(t testing.TB, what string, err error) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || !strings.HasPrefix(api.ErrorCode(), "AccessDenied") {
		t.Errorf("%s: got %v, want access denied", what, err)
	}
}

func wantOK(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func assume(ctx context.Context, cfg aws.Config, roles ...string) (aws.Config, error) {
	for _, role := range roles {
		creds, err := session(ctx, cfg, role)
		if err != nil {
			return cfg, err
		}
		cfg = cfg.Copy()
		cfg.Credentials = creds
	}
	return cfg, nil
}
