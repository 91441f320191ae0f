package storage_test

import (
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

func TestTwoRolesInOneBucketBothGetTheirs(t *testing.T) {
	t.Parallel()
	_, b := buckets(t, "one")
	other := strings.Replace(reader, "Reader", "Admin", 1)
	todo := &plan.Plan{Operation: "test"}
	changes, err := b.Prepare(t.Context(),
		storage.Access{Role: reader, Open: []storage.Place{{Bucket: "one", Prefix: "a/"}}},
		storage.Access{Role: other, Open: []storage.Place{{Bucket: "one", Prefix: "b/"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		b.Step(todo, c)
	}
	if want := "open s3://one/b/ to " + other + "; open s3://one/a/ to " + reader; len(todo.Steps) != 1 || todo.Steps[0].Summary != want {
		t.Errorf("got %s, want one step: %s", todo, want)
	}
	if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
		t.Fatal(err)
	}
	for role, prefix := range map[string]string{reader: "a/", other: "b/"} {
		if got, err := storage.Prefixes(policyOf(t, b, "one"), "one", role); err != nil || len(got) != 1 || got[0] != prefix {
			t.Errorf("%s is open to %s, want %s (%v)", got, role, prefix, err)
		}
	}
}
