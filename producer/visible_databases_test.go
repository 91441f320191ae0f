package producer_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// shown is what the read-only role describes of the sample product: "db" for the database,
// and its tables.
func (m publishing) shown() string {
	m.t.Helper()
	var all []string
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeDatabase, lftypes.DataLakeResourceTypeTable} {
		granted, err := m.manager().ObserveKind(context.WithoutCancel(m.t.Context()), kind)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, e := range granted.Entries() {
			if e.Principal != lakemesh.RoleARN(theMesh, lakemesh.ReadOnlyRole) || e.Resource.Database != published {
				continue
			}
			if e.Resource.Table == "" {
				all = append(all, "db")
			} else {
				all = append(all, e.Resource.Table)
			}
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// The read-only role describes a database as long as it describes a table there.
func TestADatabaseIsShownAsLongAsATableIs(t *testing.T) {
	t.Parallel()
	publish := func(regex string, public *bool) func(m publishing) error {
		return func(m publishing) error {
			_, err := m.open().CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: regex, CreatePublicMetadata: public})
			return err
		}
	}
	unpublish := func(regex string) func(m publishing) error {
		return func(m publishing) error {
			_, err := m.open().UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: regex})
			return err
		}
	}
	private, public := aws.Bool(false), aws.Bool(true)
	type step struct {
		do   func(m publishing) error
		want string
	}
	for name, steps := range map[string][]step{
		"all become private, and public again": {
			{publish("", nil), "airports db routes weather"}, {publish("", private), ""}, {publish("", nil), ""}, {publish("", public), "airports db routes weather"}},
		"one after the other": {
			{publish("", nil), "airports db routes weather"}, {publish("airports", private), "db routes weather"}, {publish("routes", private), "db weather"},
			{publish("weather", private), ""}, {publish("routes", nil), ""}, {publish("routes", public), "db routes"}, {publish("weather", nil), "db routes"}},
		"the last public one leaves": {
			{publish("", private), ""}, {publish("routes", public), "db routes"}, {unpublish("routes"), ""}, {publish("weather", public), "db weather"}, {unpublish("airports"), "db weather"},
			{unpublish(""), ""}},
		"a private one leaves": {
			{publish("routes|weather", nil), "db routes weather"}, {publish("routes", private), "db weather"}, {unpublish("routes"), "db weather"}, {unpublish("weather"), ""}},
		"private from the beginning": {
			{publish("routes", private), ""}, {publish("", nil), ""}, {publish("airports", public), "airports db"}, {publish("airports", private), ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sampled(t)
			for i, s := range steps {
				if err := s.do(m); err != nil {
					t.Fatal(err)
				}
				if got := m.shown(); got != s.want {
					t.Fatalf("after step %d the read-only role describes %q, want %q", i+1, got, s.want)
				}
			}
		})
	}
}

// A plan says that the database is hidden with the last table, and only then.
func TestThePlanSaysThatADatabaseIsHidden(t *testing.T) {
	t.Parallel()
	m := sampled(t)
	m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
	for regex, want := range map[string]bool{"": true, "routes": false} {
		p, err := m.open().PlanCreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: regex, CreatePublicMetadata: aws.Bool(false)})
		if err != nil {
			t.Fatal(err)
		}
		hides := slices.ContainsFunc(p.Steps, func(s *plan.Step) bool {
			return s.Kind == plan.Revoke && strings.Contains(s.Summary, "on database "+published)
		})
		if hides != want {
			t.Errorf("tables %q: %s", regex, p)
		}
	}
}

// Whoever hides a database and whoever shows a table there at the same time leave it shown,
// and neither loses what the other said of a table.
func TestADatabaseStaysShownIfATableIsShownMeanwhile(t *testing.T) {
	t.Parallel()
	for range 6 {
		m := sampled(t)
		m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "routes|airports", CreatePublicMetadata: aws.Bool(false)})
		m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: "airports", CreatePublicMetadata: aws.Bool(true)})
		var both sync.WaitGroup
		for regex, public := range map[string]bool{"airports": false, "weather": true} {
			both.Go(func() {
				_, err := m.open().CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: regex, CreatePublicMetadata: &public})
				if err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if got := m.shown(); got != "db weather" {
			t.Fatalf("the read-only role describes %q", got)
		}
		// Without a word it stays so.
		m.publish(producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase})
		if got := m.shown(); got != "db weather" {
			t.Fatalf("later the read-only role describes %q", got)
		}
	}
}

// Between any two calls of the one that hides, the other shows a table.
func TestADatabaseStaysShownWheneverATableIsShown(t *testing.T) {
	t.Parallel()
	in := func(regex string, public bool) producer.CreateDataProductsInput {
		return producer.CreateDataProductsInput{SourceDatabaseName: meshtest.SampleDatabase, TableNameRegex: regex, CreatePublicMetadata: &public}
	}
	for after := 0; ; after++ {
		m := sampled(t)
		m.publish(in("routes|airports", true))
		m.publish(in("routes", false))
		other := m.open()
		var calls atomic.Int32
		p := m.open(func(o *lakemesh.Options) {
			o.Concurrency = 1
			cfg := meshtest.Answering(*o.Config, func(string, any, any) {
				if int(calls.Add(1)) == after+1 {
					if _, err := other.CreateDataProducts(t.Context(), in("weather", true)); err != nil {
						t.Error(err)
					}
				}
			})
			o.Config = &cfg
		})
		calls.Store(0)
		if _, err := p.CreateDataProducts(t.Context(), in("airports", false)); err != nil {
			t.Fatal(err)
		}
		if int(calls.Load()) <= after {
			break
		}
		if got := m.shown(); got != "db weather" {
			t.Fatalf("after call %d the read-only role describes %q", after+1, got)
		}
	}
}
