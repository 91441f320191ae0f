package producer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// walk runs an operation on a mesh of its own for each of its calls, of which one
// fails: before it took effect, or, if it writes, after, with its answer lost.
// after looks at the mesh once the same operation was run again.
func walk(t *testing.T, operation func(t *testing.T, m publishing) error, after func(t *testing.T, m publishing)) {
	t.Helper()
	whole := sampled(t)
	if err := operation(t, whole); err != nil {
		t.Fatal(err)
	}
	for _, c := range whole.Counts() {
		for n := 1; n <= c.Calls; n++ {
			fault := localmesh.Fault{Service: c.Service, Operation: c.Operation, Nth: n}
			if meshtest.IsWrite(c.Operation) {
				lost := fault
				lost.Moment = localmesh.After
				t.Run(fmt.Sprintf("%s/%s/%d/lost", c.Service, c.Operation, n), func(t *testing.T) {
					t.Parallel()
					strike(t, lost, operation, after)
				})
			}
			fault.Code, fault.Message, fault.Status = "OutOfOrderException", "a planned fault", 400
			t.Run(fmt.Sprintf("%s/%s/%d/refused", c.Service, c.Operation, n), func(t *testing.T) {
				t.Parallel()
				strike(t, fault, operation, after)
			})
		}
	}
}

// strike runs an operation with a fault, then until it is complete, then once more.
func strike(t *testing.T, fault localmesh.Fault, operation func(t *testing.T, m publishing) error, after func(t *testing.T, m publishing)) {
	t.Helper()
	m := sampled(t)
	planned := m.Fail(fault)
	first := operation(t, m)
	if planned.Hits() == 0 {
		// Calls that run at the same time are not always as many.
		m.ClearFaults()
	} else if fault.Moment == localmesh.Before && first == nil && !forgoes(fault.Operation) && !m.Readings().PrivilegedAccessGrantsNothing {
		// Where an administrator attends to locations, the call may be the administrator's.
		if meshtest.IsWrite(fault.Operation) {
			t.Error("a call was refused, and the operation says that all is well")
		}
		// Nobody has to hear of a look that was refused if all is well indeed: whose tables can
		// be seen need not be asked which invitations wait.
		m.open()
		if err := operation(t, m); err != nil {
			t.Fatal(err)
		}
		m.noWrites("after a look was refused and nothing was said of it")
	}
	if err := operation(t, m); err != nil {
		t.Fatalf("run again after %v: %v", first, err)
	}
	after(t, m)
	m.open()
	if err := operation(t, m); err != nil {
		t.Fatal(err)
	}
	m.noWrites("the third time")
}

// forgoes reports whether an operation that is refused is done in another way, or is
// a warning: LF-tags are assigned apart that were refused together, and what concerns
// the shared keys can be done without.
func forgoes(operation string) bool {
	return operation == "UpdateLFTag" || operation == "AddLFTagsToResource"
}

func TestCreateDataProductsIsCompletedAfterAFailureAnywhere(t *testing.T) {
	t.Parallel()
	walk(t, func(t *testing.T, m publishing) error {
		p, err := producer.New(t.Context(), m.Options(publisherID))
		if err != nil {
			return err
		}
		_, err = p.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, Domain: "transport"})
		return err
	}, func(t *testing.T, m publishing) {
		if got := m.tableNames(m.meshGlue(), theMesh, published); !slices.Equal(got, []string{"airports", "routes", "weather"}) {
			t.Errorf("published %q", got)
		}
		if got := m.tableNames(m.ownGlue(), publisherID, published); !slices.Equal(got, []string{"airports_link", "routes_link", "weather_link"}) {
			t.Errorf("linked %q", got)
		}
		if got := m.partitionValues(m.roleGlue(), theMesh, published, "weather"); len(got) != 3 {
			t.Errorf("partitions %q", got)
		}
		if link := m.table(m.ownGlue(), publisherID, published, "routes_link"); link.StorageDescriptor == nil {
			t.Error("what the mesh shares has not arrived")
		}
	})
}

func TestMigrateTablesToMeshIsCompletedAfterAFailureAnywhere(t *testing.T) {
	t.Parallel()
	walk(t, func(t *testing.T, m publishing) error {
		p, err := producer.New(t.Context(), m.Options(publisherID))
		if err != nil {
			return err
		}
		_, err = p.MigrateTablesToMesh(t.Context(), producer.MigrateInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "weather|routes"})
		return err
	}, func(t *testing.T, m publishing) {
		const db = meshtest.SampleDatabase
		if got := m.tableNames(m.meshGlue(), theMesh, db); !slices.Equal(got, []string{"routes", "weather"}) {
			t.Errorf("migrated %q", got)
		}
		if got := m.partitionValues(m.roleGlue(), theMesh, db, "weather"); strings.Join(got, " ") != "00000 00001 00002" {
			t.Errorf("partitions %q", got)
		}
		for _, name := range []string{"routes", "weather"} {
			if !catalog.IsLinkTo(m.table(m.ownGlue(), publisherID, db, name), theMesh, db, name) {
				t.Errorf("%s is no link", name)
			}
		}
		if catalog.IsLink(m.table(m.ownGlue(), publisherID, db, "airports")) {
			t.Error("airports was migrated as well")
		}
	})
}
