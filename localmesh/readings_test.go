package localmesh_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/localmesh"
)

func TestReadingsHaveNames(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile("../docs/aws-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range localmesh.ReadingNames() {
		r, err := localmesh.ParseReadings(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r.String() != name {
			t.Errorf("%s is read as %s", name, r)
		}
		if !strings.Contains(string(rules), "`"+name+"`") {
			t.Errorf("docs/aws-rules.md does not name %s", name)
		}
	}
}

func TestReadingsAreStrictOrLenient(t *testing.T) {
	t.Parallel()
	strict, lenient := reflect.ValueOf(localmesh.Strict()), reflect.ValueOf(localmesh.Lenient())
	for i, name := range localmesh.ReadingNames() {
		// One is neither, as its documentation says.
		if name != "forwarded-calls-unmarked" && strict.Field(i).Bool() == lenient.Field(i).Bool() {
			t.Errorf("%s belongs to one of both", name)
		}
	}
}

func TestReadingsAreParsed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]localmesh.Readings{
		"":                        {},
		"strict":                  localmesh.Strict(),
		"lenient":                 localmesh.Lenient(),
		"transaction-keys-as-set": {TransactionKeysAsSet: true},
		"lenient,-batch-keys-singly,-inherited-tags-unasked": {InheritedIdentityUnasked: true, FifthVersionOfSharing: true,
			SharingNeedsNoInvitation: true, ListedRowsMerged: true, ColumnsHandedOn: true, HybridGrantsNeedNoOptIn: true, DirectGrantsShareTheAccount: true,
			AbsentPrincipalsAccepted: true, TagGrantsHandedOnInFull: true, ColumnsBesideWiderGrants: true},
		"batch-keys-singly, writes-name-index-keys": {BatchKeysSingly: true, WritesNameIndexKeys: true},
	} {
		if got, err := localmesh.ParseReadings(text); err != nil || got != want {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
	if _, err := localmesh.ParseReadings("strict,unheard-of"); err == nil || !strings.Contains(err.Error(), "transaction-keys-as-set") {
		t.Errorf("an unknown name is %v", err)
	}
}

func TestAMeshHasItsReadings(t *testing.T) {
	t.Parallel()
	mesh := localmesh.New(localmesh.WithReadings(localmesh.Strict()))
	t.Cleanup(func() {
		if err := mesh.Close(); err != nil {
			t.Error(err)
		}
	})
	clone, err := mesh.Clone()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clone.Close(); err != nil {
			t.Error(err)
		}
	})
	if mesh.Readings() != localmesh.Strict() || clone.Readings() != localmesh.Strict() {
		t.Errorf("the mesh has %v, its clone %v", mesh.Readings(), clone.Readings())
	}
}
