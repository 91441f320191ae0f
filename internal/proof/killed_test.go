package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/internal/census"
	"github.com/lakemesh/lakemesh/localmesh"
)

// folderVariable tells this test program that it is a run, which its parent is going to kill.
const folderVariable = "PROOF_TEST_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(folderVariable); folder != "" {
		if err := runToBeKilled(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func profiles() map[Part]string {
	return map[Part]string{Mesh: "mesh", Producer: "producer", Consumer: "consumer"}
}

// runToBeKilled runs through the profiles of the shared files that its environment names.
func runToBeKilled(folder string) error {
	o := Options{Folder: folder, Patience: 3 * time.Second, Profiles: profiles()}
	if only := os.Getenv("PROOF_TEST_ONLY"); only != "" {
		o.Only = []string{only}
	}
	ctx := context.Background()
	outlook, err := Look(ctx, o)
	if err != nil {
		return err
	}
	_, err = Run(ctx, outlook, o)
	return err
}

// served serves a mesh and writes profiles that lead to it; at is called before each call that
// writes or reads.
func served(t *testing.T, mesh *localmesh.Mesh, at func(n int)) (environment []string) {
	t.Helper()
	var mu sync.Mutex
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls++
		n := calls
		mu.Unlock()
		at(n)
		mesh.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	text := ""
	for part, id := range ids() {
		keys, err := mesh.Config(caller(id)).Credentials.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("[profile %s]\nregion = us-east-1\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n\n", part, server.URL, keys.AccessKeyID, keys.SecretAccessKey)
	}
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"AWS_CONFIG_FILE=" + path, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull}
}

// settled is a mesh whose accounts have settings of their own.
func settled(t *testing.T, opts ...localmesh.Option) *localmesh.Mesh {
	t.Helper()
	mesh := localmesh.Run(t, append([]localmesh.Option{localmesh.WithReadings(localmesh.Readings{}), localmesh.WithEventualConsistency(0)}, opts...)...)
	for part, id := range ids() {
		settings := &types.DataLakeSettings{DataLakeAdmins: []types.DataLakePrincipal{*principal(caller(id))}, Parameters: map[string]string{"CROSS_ACCOUNT_VERSION": "4"},
			CreateDatabaseDefaultPermissions: []types.PrincipalPermissions{}, CreateTableDefaultPermissions: []types.PrincipalPermissions{}, TrustedResourceOwners: []string{"222222222222"}}
		if part == Consumer {
			// An account that is there, and that nobody configured.
			if _, err := mesh.Config(caller(id)).Credentials.Retrieve(t.Context()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := lakeformation.NewFromConfig(mesh.Config(caller(id))).PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings}); err != nil {
			t.Fatal(err)
		}
	}
	return mesh
}

// reopen opens the accounts in process, with the endpoint that the journal has: Clean of a journal
// through profiles is what the command's own test does.
func reopen(t *testing.T, mesh *localmesh.Mesh) map[Part]*Account {
	t.Helper()
	accounts := map[Part]*Account{}
	for _, a := range accountsOf(t, mesh) {
		accounts[a.Part] = a
	}
	return accounts
}

// A run that is killed at any call, with the process and all that it knows, is cleaned up from its
// journal: nothing is left, and nothing else is gone.
func TestAKilledRunIsCleanedUp(t *testing.T) {
	t.Parallel()
	killed := func(t *testing.T, at int, opts ...localmesh.Option) {
		t.Parallel()
		mesh := settled(t, opts...)
		before := count(t, mesh)
		folder := t.TempDir()
		var child *exec.Cmd
		var once sync.Once
		ready := make(chan struct{})
		environment := served(t, mesh, func(n int) {
			if n == at {
				<-ready
				once.Do(func() {
					if err := child.Process.Kill(); err != nil {
						t.Error(err)
					}
				})
			}
		})
		child = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
		child.Env = append(os.Environ(), append(environment, folderVariable+"="+folder)...)
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		close(ready)
		if err := child.Wait(); err == nil {
			t.Logf("the run ended before call %d", at)
		}
		journals, err := Journals(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range journals {
			t.Logf("killed at call %d: %d things may be there", at, len(j.Things()))
			if err := clean(t.Context(), j, reopen(t, mesh), options(t)); err != nil {
				t.Fatal(err)
			}
		}
		if open, err := Journals(folder); err != nil || len(open) > 0 {
			t.Errorf("open journals %v, %v", open, err)
		}
		if diff := census.Difference(before, count(t, mesh), stays()...); diff != "" {
			t.Errorf("killed at call %d:\n%s", at, diff)
		}
	}
	points := 6
	if os.Getenv("LAKEMESH_LONG") != "" {
		points = 60
	}
	random := rand.New(rand.NewPCG(11, 7))
	for i := range points {
		// A run makes some 2,500 calls.
		at := 30 + i*2400/points + random.IntN(2400/points)
		t.Run(fmt.Sprint(at), func(t *testing.T) { killed(t, at) })
	}
	// At the end, while what removes is removed itself.
	for _, at := range []int{2500, 2520, 2540} {
		t.Run(fmt.Sprint(at), func(t *testing.T) { killed(t, at) })
	}
	late := 200 + random.IntN(1500)
	t.Run(fmt.Sprintf("late, %d", late), func(t *testing.T) { killed(t, late, localmesh.WithEventualConsistency(3)) })
}

// Where AWS is late the answers are the same, and nothing is left.
func TestALateMeshIsTheSame(t *testing.T) {
	t.Parallel()
	mesh := settled(t, localmesh.WithEventualConsistency(3))
	before := count(t, mesh)
	o := options(t)
	o.Patience = 20 * time.Second
	if os.Getenv("LAKEMESH_LONG") == "" {
		o.Only = []string{"1.5", "8.20", "6.2.24", theLife}
	}
	different(t, ran(t, mesh, o))
	if diff := census.Difference(before, count(t, mesh), stays()...); diff != "" {
		t.Error(diff)
	}
}

// Where calls are throttled, being throttled is no answer.
func TestAThrottledMeshIsTheSame(t *testing.T) {
	t.Parallel()
	mesh := settled(t)
	before := count(t, mesh)
	mesh.SetRate("", "", 40)
	o := options(t)
	o.Only, o.Patience = []string{"1.6", "4", "9.1", "1.10"}, 20*time.Second
	different(t, ran(t, mesh, o))
	mesh.SetRate("", "", 0)
	if diff := census.Difference(before, count(t, mesh), stays()...); diff != "" {
		t.Error(diff)
	}
}

func different(t *testing.T, report *Report) {
	t.Helper()
	for _, f := range report.Findings {
		if f.Verdict != Same {
			t.Errorf("%s %s: %s; expected %s, got %s", f.Rule, f.Question, f.Verdict, f.Expected, f.Answer)
		}
	}
	for _, s := range report.Life {
		if s.Verdict != Same {
			t.Errorf("life: %s: %s %s", s.Title, s.Verdict, s.Result)
		}
	}
}

// A run that is interrupted removes what it has made.
func TestAnInterruptedRunRemovesWhatItHasMade(t *testing.T) {
	t.Parallel()
	mesh := settled(t)
	before := count(t, mesh)
	o := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	o.Tell = func(format string, args ...any) {
		if fmt.Sprintf(format, args...) == "ask about rows of listings" {
			cancel()
		}
	}
	outlook, err := look(t.Context(), accountsOf(t, mesh), o)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(ctx, outlook, o)
	if err == nil || report == nil {
		t.Fatalf("an interrupted run answers %v, %v", report, err)
	}
	for _, f := range report.Findings {
		if f.Verdict == Different {
			t.Errorf("an interruption was taken for an answer: %+v", f)
		}
	}
	if diff := census.Difference(before, count(t, mesh), stays()...); diff != "" {
		t.Error(diff)
	}
}

// Settings that somebody else changes while a run is under way keep that change.
func TestAdministratorsThatOthersAddStay(t *testing.T) {
	t.Parallel()
	mesh := settled(t)
	o := options(t)
	o.Only = []string{"9.3"}
	other := "arn:aws:iam::" + meshID + ":role/Other"
	client := lakeformation.NewFromConfig(mesh.Config(caller(meshID)))
	change := func() {
		if _, err := iamOf(mesh.Config(caller(meshID))).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Other"), AssumeRolePolicyDocument: aws.String(trustOf(meshID))}); err != nil {
			t.Error(err)
		}
		out, err := client.GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
		if err != nil {
			t.Error(err)
			return
		}
		out.DataLakeSettings.DataLakeAdmins = append(out.DataLakeSettings.DataLakeAdmins, *principal(other))
		if _, err := client.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings}); err != nil {
			t.Error(err)
		}
	}
	o.Tell = func(format string, args ...any) {
		if fmt.Sprintf(format, args...) == "ask about conditions on rows" {
			change()
		}
	}
	ran(t, mesh, o)
	out, err := client.GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(out.DataLakeSettings.DataLakeAdmins)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal([]types.DataLakePrincipal{*principal(caller(meshID)), *principal(other)})
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the administrators are %s, want %s", got, want)
	}
	if aws.ToString(&out.DataLakeSettings.TrustedResourceOwners[0]) != "222222222222" {
		t.Errorf("the settings are %+v", out.DataLakeSettings)
	}
}

// A share that lost its table before its grants is found by what it carries, and goes.
func TestAShareThatWasOrphanedGoes(t *testing.T) {
	t.Parallel()
	mesh := settled(t)
	before := count(t, mesh)
	o := options(t)
	o.Only = []string{"9.3"}
	o.Tell = func(format string, args ...any) {
		if fmt.Sprintf(format, args...) != "ask about conditions on rows" {
			return
		}
		// As the run's administrator, whom nobody else is.
		accounts := accountsOf(t, mesh)
		journals, err := Journals(o.Folder)
		if err != nil {
			t.Error(err)
			return
		}
		run := journals[0].Header.Run
		s := &Stage{run: run, accounts: map[Part]*Account{Mesh: accounts[0], Producer: accounts[1], Consumer: accounts[2]}}
		cfg := accounts[0].as(accounts[0].role(prefix(run) + "-admin"))
		grant := &lakeformation.GrantPermissionsInput{Principal: principal(consumerID), Resource: s.onTable("items"), Permissions: []types.Permission{"SELECT"}, PermissionsWithGrantOption: []types.Permission{"SELECT"}}
		if _, err := lake(cfg).GrantPermissions(t.Context(), grant); err != nil {
			t.Error(err)
		}
		if _, err := glueOf(cfg).DeleteTable(t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(s.database()), Name: aws.String("items")}); err != nil {
			t.Error(err)
		}
	}
	ran(t, mesh, o)
	if diff := census.Difference(before, count(t, mesh), stays()...); diff != "" {
		t.Error(diff)
	}
}
