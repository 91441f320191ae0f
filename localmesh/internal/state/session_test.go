package state_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

func TestSessionsThatExpiredLongAgoAreRemoved(t *testing.T) {
	t.Parallel()
	s := store.Memory()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	err := s.Update(func(tx store.Tx) error {
		for i := range 100 {
			// Every second one expired two days ago, the others an hour ago.
			expires := now.Add(-time.Hour)
			if i%2 == 0 {
				expires = now.Add(-48 * time.Hour)
			}
			key := fmt.Sprintf("ASIA%03d", i)
			if err := state.Sessions.Put(tx, state.Session{AccessKeyID: key, Expires: expires}, key); err != nil {
				return err
			}
		}
		// A new session among every ten of them sweeps those behind it.
		for i := 0; i < 100; i += 10 {
			key := fmt.Sprintf("ASIA%03d-new", i)
			if err := state.PutSession(tx, state.Session{AccessKeyID: key, Issued: now, Expires: now.Add(time.Hour)}); err != nil {
				return err
			}
		}
		left, err := state.Sessions.All(tx)
		if err != nil {
			return err
		}
		old := 0
		for _, s := range left {
			if now.Sub(s.Expires) > 24*time.Hour {
				old++
			}
		}
		// The first one stands before all that were made.
		if old != 1 || len(left) != 50+10+1 {
			t.Errorf("%d sessions are left, %d of them expired long ago", len(left), old)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
