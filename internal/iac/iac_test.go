package iac_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/iac"
)

var update = flag.Bool("update", false, "render the policies into the templates of deploy")

const deployed = "../../deploy"

// current compares a file with what it should be, or writes it.
func current(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil { //nolint:gosec // It is a file of the repository.
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("%s is not of today; go test ./internal/iac -update renders it:\n%s", file, diff)
	}
}

func TestTheTemplatesHoldThePoliciesOfToday(t *testing.T) {
	t.Parallel()
	for _, part := range admin.FrameParts() {
		file := filepath.Join(deployed, "cloudformation", "lakemesh-"+string(part)+".yaml")
		have, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := iac.CloudFormation(part, have)
		if err != nil {
			t.Fatal(err)
		}
		current(t, file, want)
	}
}

func TestTheModulesHoldThePoliciesOfToday(t *testing.T) {
	t.Parallel()
	for _, part := range admin.FrameParts() {
		folder := filepath.Join(deployed, "terraform", "modules", string(part), "policies")
		if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // It is a folder of the repository.
			t.Fatal(err)
		}
		files, err := iac.Terraform(part)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range files {
			current(t, filepath.Join(folder, name), want)
		}
		there, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range there {
			if _, ok := files[f.Name()]; !ok {
				t.Errorf("%s: no role has such a policy", filepath.Join(folder, f.Name()))
			}
		}
	}
}
