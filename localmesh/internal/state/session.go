package state

import (
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

const (
	// sessionsRemembered is how long a session that has expired is kept, so that who
	// uses it is told that it has expired.
	sessionsRemembered = 24 * time.Hour
	// sessionsSwept is how many sessions are looked at when one is made.
	sessionsSwept = 16
)

// PutSession writes a new session, and removes some that expired long ago: of those
// whose keys follow its own, which is random, so that each one's turn comes.
func PutSession(tx store.Tx, s Session) error {
	var old []string
	looked := 0
	err := Sessions.ScanShared(tx, nil, s.AccessKeyID, func(key string, other *Session) bool {
		if s.Issued.Sub(other.Expires) > sessionsRemembered {
			old = append(old, key)
		}
		looked++
		return looked < sessionsSwept
	})
	if err != nil {
		return err
	}
	for _, key := range old {
		if err := Sessions.Delete(tx, key); err != nil {
			return err
		}
	}
	return Sessions.Put(tx, s, s.AccessKeyID)
}
