package demo

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/internal/home"
)

func open(t *testing.T) func(context.Context) (*home.Connection, error) {
	return func(ctx context.Context) (*home.Connection, error) {
		c, err := home.InMemory(ctx, "")
		if err == nil {
			t.Cleanup(func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		return c, err
	}
}

func TestLifeOfADataProduct(t *testing.T) {
	t.Parallel()
	report, err := Run(context.Background(), Options{Open: open(t)})
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, s := range report.Steps {
		if s.Refused {
			refused++
		}
		if s.Result == "" {
			t.Errorf("step %d, %s, tells nothing", s.Number, s.Title)
		}
	}
	if refused != 5 || report.Rows != 2922 || report.SubscriptionID == "" || report.Calls == 0 {
		t.Errorf("%d refusals, %d rows, subscription %q, %d calls", refused, report.Rows, report.SubscriptionID, report.Calls)
	}
}

// A demo that always succeeds would prove nothing: reading must be noticed where it
// should be refused, and refusal where it should be read.
func TestDemoFailsWhereSomethingIsNotAsExpected(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := &story{o: Options{Open: open(t)}}
	for _, do := range []func(context.Context) (outcome, error){s.start, s.setUpMesh, s.enableProducer, s.enableConsumer, s.load, s.publish} {
		if _, err := do(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.read(ctx); err == nil {
		t.Error("being refused was taken for reading")
	}
	if _, err := s.record(ctx); err == nil {
		t.Error("a record that is not there was found")
	}
	for _, do := range []func(context.Context) (outcome, error){s.request, s.approve, s.importIt, s.read} {
		if _, err := do(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for name, do := range map[string]func(context.Context) (outcome, error){"before": s.refusedBefore, "narrowed": s.refusedNarrowed, "after": s.refusedAfter} {
		if _, err := do(ctx); err == nil {
			t.Errorf("%s: reading was taken for being refused", name)
		}
	}
	if _, err := s.record(ctx); err == nil {
		t.Error("an active subscription was taken for a deleted one")
	}
	if _, denied := refused(&smithy.GenericAPIError{Code: "ThrottlingException"}); denied {
		t.Error("being throttled was taken for being refused")
	}
	if _, denied := refused(context.Canceled); denied {
		t.Error("an interruption was taken for being refused")
	}
}

func TestDemoStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	report, err := Run(ctx, Options{Open: open(t), End: func(s Step) {
		if s.Number == 3 {
			cancel()
		}
	}})
	var expectation *ExpectationError
	if !errors.As(err, &expectation) || !errors.Is(err, context.Canceled) || len(report.Steps) != 3 {
		t.Errorf("got %v after %d steps, want an ExpectationError that wraps context.Canceled after 3", err, len(report.Steps))
	}
}

func TestSourcesAreTheRealData(t *testing.T) {
	t.Parallel()
	tables, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		name              string
		rows, files, part int
	}{{"airports", 3376, 1, 0}, {"routes", 5366, 1, 0}, {"weather", 2922, 8, 8}} {
		got := tables[i]
		if got.name != want.name || got.rows != want.rows || len(got.files) != want.files || len(got.values) != want.part {
			t.Errorf("got %s with %d rows, %d files, %d partitions; want %+v", got.name, got.rows, len(got.files), len(got.values), want)
		}
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 11664: "11,664", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
