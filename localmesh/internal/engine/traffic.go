package engine

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Traffic is how fast the mesh answers: a delay a call, and a rate limit an API.
type Traffic struct {
	mu       sync.Mutex
	latency  time.Duration
	limit    float64
	limits   map[[2]string]float64
	limiters map[[2]string]*rate.Limiter
}

// SetLatency makes each call take d longer.
func (t *Traffic) SetLatency(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latency = d
}

// SetRate limits an API to perSecond calls a second, with a burst of a second's
// worth; 0 lifts the limit. An empty service and operation stand for each API
// that has no limit of its own.
func (t *Traffic) SetRate(service, operation string, perSecond float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limiters = map[[2]string]*rate.Limiter{}
	if service == "" && operation == "" {
		t.limit = perSecond
		return
	}
	if t.limits == nil {
		t.limits = map[[2]string]float64{}
	}
	t.limits[[2]string{service, operation}] = perSecond
}

// admit takes one call from the API's allowance, and tells whether there was one.
func (t *Traffic) admit(service, operation string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := [2]string{service, operation}
	perSecond, ok := t.limits[key]
	if !ok {
		perSecond = t.limit
	}
	if perSecond <= 0 {
		return true
	}
	l := t.limiters[key]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond)))
		t.limiters[key] = l
	}
	return l.Allow()
}

// delay waits for the configured latency, or until ctx is done.
func (t *Traffic) delay(ctx context.Context) error {
	t.mu.Lock()
	d := t.latency
	t.mu.Unlock()
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
