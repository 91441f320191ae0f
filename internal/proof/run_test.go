package proof

import (
	"testing"

	"github.com/lakemesh/lakemesh/localmesh"
)

func TestTheLocalMeshIsTheSameAsItself(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t, localmesh.WithReadings(localmesh.Readings{}), localmesh.WithEventualConsistency(0))
	report := ran(t, mesh, options(t))
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
	t.Logf("same %d different %d not tried %d", report.Count(Same), report.Count(Different), report.Count(NotTried))
}
