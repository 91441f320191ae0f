package differential

import (
	"slices"
	"testing"
)

// motoError is a wrong answer of moto's that is known.
type motoError struct {
	operations []string
	reason     string
	// members are left out of both answers; with none, the answers may differ in
	// everything.
	members []string
	applies func(exchange) bool
}

// motoList are moto's known wrong answers, and how often they were met.
type motoList struct {
	errors []motoError
	met    []int
}

func newMotoList() *motoList {
	errors := motoErrors()
	return &motoList{errors: errors, met: make([]int, len(errors))}
}

// explains says whether nothing is left of the difference when the known errors
// are taken off.
func (l *motoList) explains(e exchange) bool {
	for i, k := range l.errors {
		if !slices.Contains(k.operations, e.Operation) || k.applies != nil && !k.applies(e) {
			continue
		}
		if k.members == nil {
			l.met[i]++
			return true
		}
		before := printed(e.mesh) + printed(e.other)
		prune(e.mesh.Output, k.members...)
		prune(e.other.Output, k.members...)
		if printed(e.mesh)+printed(e.other) != before {
			l.met[i]++
		}
		if printed(e.mesh) == printed(e.other) {
			return true
		}
	}
	return false
}

// stillThere fails the test for those that moto does not make any more.
func (l *motoList) stillThere(t *testing.T) {
	t.Helper()
	for i, k := range l.errors {
		if l.met[i] == 0 {
			t.Errorf("moto answers as the local mesh does: take it off the list: %v %v: %s", k.operations, k.members, k.reason)
		}
	}
}

func motoErrors() []motoError { return nil }
