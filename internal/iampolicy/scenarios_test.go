package iampolicy_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/internal/iampolicy/scenario"
)

// minScenarios keeps the matrix from shrinking unnoticed.
const minScenarios = 150

// The scenarios are asked of the evaluator; the local mesh answers the same ones through the wire.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := scenario.Load("testdata/scenarios")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		n += len(f.Scenarios)
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			for i := range f.Scenarios {
				s := &f.Scenarios[i]
				t.Run(s.Name, func(t *testing.T) {
					t.Parallel()
					want, err := s.Expected()
					if err != nil {
						t.Fatal(err)
					}
					got, err := s.Decide()
					if err != nil {
						t.Fatal(err)
					}
					if want.Index = got.Index; got != want {
						t.Errorf("decided\n%+v, want\n%+v", got, want)
					}
				})
			}
		})
	}
	if n < minScenarios {
		t.Errorf("%d scenarios, want at least %d", n, minScenarios)
	}
}
