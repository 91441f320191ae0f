package adversary_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// long reports whether there is time for everything.
func inLongForm() bool { return os.Getenv("LAKEMESH_LONG") != "" }

// seed is that of a run: LAKEMESH_SEED, or another one each time.
func seedOfRun(t *testing.T) uint64 {
	t.Helper()
	if s := os.Getenv("LAKEMESH_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return seed
	}
	return rand.Uint64()
}

// atMost is how many attempts of a party at a moment are followed: a few in the short
// form; all in the long one, or as many as LAKEMESH_SAMPLE says.
func atMost(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("LAKEMESH_SAMPLE"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if inLongForm() {
		return 0
	}
	return 5
}

// One party of the mesh does what its roles allow, between any two calls of the others,
// and these remain undisturbed.
func TestNoPartyDisturbsAnother(t *testing.T) {
	t.Parallel()
	seed := seedOfRun(t)
	t.Logf("LAKEMESH_SEED=%d", seed)
	begin, f := time.Now(), &figures{}
	t.Cleanup(func() { t.Logf("%v in %v", f, time.Since(begin)) })
	some := rand.New(rand.NewPCG(seed, 1))
	chosen := map[int][]party{}
	for range 3 {
		n := some.IntN(len(life()))
		chosen[n] = append(chosen[n], adversaries()[some.IntN(len(adversaries()))])
	}
	var mu sync.Mutex
	done := map[string]bool{}
	moments(t, func(n int, m moment, s *stage) {
		against := chosen[n]
		if inLongForm() {
			against = adversaries()
		}
		for _, a := range against {
			var chooser *rand.Rand
			if !inLongForm() {
				chooser = rand.New(rand.NewPCG(seed, uint64(n)))
			}
			t.Run(strconv.Itoa(n)+" "+m.name+"/"+a.String(), func(t *testing.T) {
				t.Parallel()
				undisturbed, err := s.reference(t, a)
				if err != nil {
					t.Fatalf("undisturbed: %v", err)
				}
				tries, err := s.attempts(a, chooser, f)
				if err != nil {
					t.Error(err)
				}
				if n := atMost(t); n > 0 {
					chooser := rand.New(rand.NewPCG(seed, uint64(n)))
					chooser.Shuffle(len(tries), func(i, j int) { tries[i], tries[j] = tries[j], tries[i] })
					tries = tries[:min(len(tries), n)]
				}
				for _, try := range tries {
					mu.Lock()
					known := try.same != "" && done[try.same]
					done[try.same] = true
					mu.Unlock()
					if known {
						continue
					}
					if err := s.continued(t, a, try, undisturbed, f); err != nil {
						t.Errorf("%s, as %s: %v", try.name, try.role, err)
					}
				}
			})
		}
	})
}
