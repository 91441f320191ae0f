package proof

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh/internal/census"
	"github.com/lakemesh/lakemesh/localmesh"
)

// The accounts, and who the profiles of them are.
const (
	meshID     = "555555555555"
	producerID = "111111111111"
	consumerID = "999999999999"
)

func ids() map[Part]string {
	return map[Part]string{Mesh: meshID, Producer: producerID, Consumer: consumerID}
}

func caller(id string) string { return "arn:aws:iam::" + id + ":user/Sandbox" }

// accountsOf opens the accounts of a local mesh, as profiles do.
func accountsOf(t testing.TB, mesh *localmesh.Mesh, change ...func(*aws.Config)) []*Account {
	t.Helper()
	var all []*Account
	for _, part := range Parts() {
		cfg := mesh.Config(caller(ids()[part]))
		cfg.Retryer = newRetryer
		for _, c := range change {
			c(&cfg)
		}
		a, err := open(t.Context(), part, string(part), cfg)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

func options(t testing.TB) Options {
	return Options{Folder: t.TempDir(), Patience: 3 * time.Second, Tell: func(format string, args ...any) { t.Logf(format, args...) }}
}

// count counts everything that there is in the accounts.
func count(t testing.TB, mesh *localmesh.Mesh) []string {
	t.Helper()
	lines, err := census.Take(context.WithoutCancel(t.Context()), mesh, census.Options{Accounts: map[string]string{meshID: caller(meshID), producerID: caller(producerID), consumerID: caller(consumerID)}})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func ran(t testing.TB, mesh *localmesh.Mesh, o Options) *Report {
	t.Helper()
	outlook, err := look(t.Context(), accountsOf(t, mesh), o)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), outlook, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}
