package proof

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/localmesh"
)

func sandbox(t *testing.T) *localmesh.Mesh {
	t.Helper()
	mesh := localmesh.Run(t, localmesh.WithReadings(localmesh.Readings{}), localmesh.WithEventualConsistency(0))
	accountsOf(t, mesh)
	return mesh
}

func ready(t *testing.T, mesh *localmesh.Mesh) {
	t.Helper()
	cfg := mesh.Config(caller(meshID))
	a, err := admin.New(t.Context(), lakemesh.Options{MeshAccountID: meshID, Config: &cfg})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{}); err != nil {
		t.Fatal(err)
	}
}

// Accounts that are no sandboxes are refused, and nothing is made in them.
func TestAccountsAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, mesh *localmesh.Mesh, o *Options, accounts []*Account) []*Account
		says    string
	}{
		"not-in": {func(_ *testing.T, _ *localmesh.Mesh, o *Options, a []*Account) []*Account {
			o.NotIn = []string{"222222222222", producerID}
			return a
		}, "--not-in"},
		"the same account twice": {func(_ *testing.T, _ *localmesh.Mesh, _ *Options, a []*Account) []*Account {
			a[2] = &Account{Part: Consumer, ID: a[0].ID, Region: a[0].Region, config: a[0].config}
			return a
		}, "the same account"},
		"two regions": {func(_ *testing.T, _ *localmesh.Mesh, _ *Options, a []*Account) []*Account {
			a[1].Region = "eu-west-1"
			return a
		}, "name one region"},
		"one of the accounts at an endpoint": {func(_ *testing.T, _ *localmesh.Mesh, _ *Options, a []*Account) []*Account {
			a[2].Endpoint = ""
			return a
		}, "all to AWS, or all to one endpoint"},
		"a database": {func(t *testing.T, mesh *localmesh.Mesh, _ *Options, a []*Account) []*Account {
			_, err := glueOf(mesh.Config(caller(producerID))).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("sales")}})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}, "its catalog has databases: sales"},
		"a mesh": {func(t *testing.T, mesh *localmesh.Mesh, _ *Options, a []*Account) []*Account {
			ready(t, mesh)
			return a
		}, "a mesh, or something with a name of one, is there"},
		"what another run left": {func(t *testing.T, mesh *localmesh.Mesh, _ *Options, a []*Account) []*Account {
			_, err := iamOf(mesh.Config(caller(consumerID))).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(Prefix + "x-admin"), AssumeRolePolicyDocument: aws.String(trustOf(consumerID))})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}, "things of another run are there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mesh := sandbox(t)
			o := options(t)
			accounts := tt.prepare(t, mesh, &o, accountsOf(t, mesh))
			before := count(t, mesh)
			outlook, err := look(t.Context(), accounts, o)
			if err == nil {
				_, err = Run(t.Context(), outlook, o)
			}
			var refusal *lakemesh.Error
			if !errors.As(err, &refusal) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error that says %q", err, tt.says)
			}
			if after := count(t, mesh); strings.Join(after, "\n") != strings.Join(before, "\n") {
				t.Error("something was changed")
			}
			if files, err := os.ReadDir(o.Folder); err != nil || len(files) > 0 {
				t.Errorf("the folder has %v, %v", files, err)
			}
		})
	}
}

// Aliases that sound like an account in use are found as words, not as parts of words.
func TestAccountsAreAskedByTheirNames(t *testing.T) {
	t.Parallel()
	for alias, busy := range map[string]bool{"acme-prod": true, "prod1-data": true, "data-production": true, "live": true, "deliver-sandbox": false, "products-sandbox": false, "sandbox-7": false} {
		if got := soundsInUse(alias); got != busy {
			t.Errorf("%s: %v", alias, got)
		}
	}
}

// Clean leaves a mesh alone that somebody set up after the run was killed.
func TestCleanLeavesTheMeshOfOthers(t *testing.T) {
	t.Parallel()
	mesh := sandbox(t)
	o := options(t)
	j, err := begin(o.Folder, Header{Run: "deadbeef", Begun: time.Now(), Accounts: accountsOf(t, mesh)})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.make(Thing{Kind: kindMesh, In: Mesh, Name: "lmproof-deadbeef-source"}); err != nil {
		t.Fatal(err)
	}
	ready(t, mesh)
	before := count(t, mesh)
	if err := clean(t.Context(), j, reopen(t, mesh), o); err != nil {
		t.Fatal(err)
	}
	if after := count(t, mesh); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Error("the mesh of others was changed")
	}
}

// A journal whose last line is torn is read to the line before, and goes on.
func TestATornJournalIsRead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	j, err := begin(folder, Header{Run: "one", Begun: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	thing := Thing{Kind: kindRole, In: Mesh, Name: "lmproof-one-admin"}
	if err := j.make(thing); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "one.jsonl")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(data, `{"Make":{"Kind":"bu`...), 0o600); err != nil {
		t.Fatal(err)
	}
	open, err := Journals(folder)
	if err != nil || len(open) != 1 || len(open[0].Things()) != 1 {
		t.Fatalf("%v, %v", open, err)
	}
	if err := open[0].gone(thing); err != nil {
		t.Fatal(err)
	}
	if err := open[0].end(); err != nil {
		t.Fatal(err)
	}
	if open, err = Journals(folder); err != nil || len(open) != 0 {
		t.Errorf("%v, %v", open, err)
	}
	// A line that is torn in the middle is no journal of ours.
	if err := os.WriteFile(path, append([]byte("{\n"), data...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Journals(folder); err == nil {
		t.Error("a broken journal is read")
	}
}

// A run that goes on is not cleaned up.
func TestARunThatGoesOnIsNotCleanedUp(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	j := &Journal{Header: Header{Run: "one", Process: os.Getppid(), Host: host}}
	if err := Clean(t.Context(), j, Options{}, false); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("got %v", err)
	}
}
