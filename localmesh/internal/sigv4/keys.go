package sigv4

import (
	"net/http"
	"sync"
	"time"
)

// Keys remembers signing keys, as signers do: each takes four hashes, and is the same for all
// requests of a day to a service in a region. The zero value is ready, for concurrent use.
type Keys struct {
	mu sync.RWMutex
	by map[scoped][]byte
}

type scoped struct{ secret, date, region, service string }

// rememberedKeys bounds the memory of signing keys.
const rememberedKeys = 1000

// Verify is the function [Verify] with a key that is remembered once something was signed with it.
func (k *Keys) Verify(r *http.Request, c *Credential, secret string, body []byte, now time.Time) error {
	scope := scoped{secret, c.Date, c.Region, c.Service}
	k.mu.RLock()
	key, ok := k.by[scope]
	k.mu.RUnlock()
	if ok {
		return verify(r, c, key, body, now)
	}
	key = signingKey(c, secret)
	if err := verify(r, c, key, body, now); err != nil {
		return err
	}
	k.remember(scope, key)
	return nil
}

func (k *Keys) remember(scope scoped, key []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.by == nil || len(k.by) >= rememberedKeys {
		k.by = map[scoped][]byte{}
	}
	k.by[scope] = key
}
