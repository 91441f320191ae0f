package identity

import (
	"context"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
)

// AWS limits how often each operation may be called, by account and region, and
// does not say how often. paces learns it: an operation is called as fast as its
// caller likes until it is throttled; from then on at a rate that goes down with
// the share of calls that are throttled and slowly up while none is. It keeps
// trying a little more than is allowed, so that it never stays below for long.
//
// The SDK's own adaptive mode has one rate for all operations of a client, and
// falls far below what is allowed.
type paces struct {
	mu sync.Mutex
	of map[string]*pace
}

const (
	// The shortest time over which throttled calls are counted, and how many calls
	// that must be at least.
	minInterval      = 100 * time.Millisecond
	callsPerInterval = 5
	// growth is by how much the rate goes up in an interval without throttling.
	growth = 1.05
	// The rate stays within these bounds, in calls a second; above, there is none.
	slowestRate, fastestRate = 0.2, 5000
)

// pace is the rate of one operation.
type pace struct {
	mu sync.Mutex
	// rate is in calls a second; 0 means that there is no limit.
	rate float64
	// next is when the next call may be made.
	next time.Time
	// Since the interval began: calls that were throttled, all others, and whether
	// the rate made any wait.
	begun               time.Time
	throttled, admitted int
	waited              bool
}

// pace returns the pace of the operation that ctx is about.
func (p *paces) pace(ctx context.Context) *pace {
	name := awsmiddleware.GetServiceID(ctx) + ":" + awsmiddleware.GetOperationName(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.of[name]
	if one == nil {
		if p.of == nil {
			p.of = map[string]*pace{}
		}
		one = &pace{begun: time.Now()}
		p.of[name] = one
	}
	return one
}

// wait waits until the operation may be called.
func (p *pace) wait(ctx context.Context) error {
	d := p.reserve(time.Now())
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reserve takes the next place and says how long it is until then.
func (p *pace) reserve(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rate == 0 {
		return 0
	}
	if p.next.Before(now) {
		p.next = now
	}
	d := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(float64(time.Second) / p.rate))
	p.waited = p.waited || d > 0
	return d
}

// answered learns from an answer.
func (p *pace) answered(now time.Time, throttled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if throttled {
		p.throttled++
	} else {
		p.admitted++
	}
	if p.rate == 0 && !throttled {
		return
	}
	elapsed := now.Sub(p.begun)
	all := p.throttled + p.admitted
	if elapsed < minInterval || all < callsPerInterval && p.rate > 0 {
		return
	}
	switch {
	case p.rate == 0:
		// The first time: half of what was tried.
		p.rate = float64(all) / elapsed.Seconds() / 2
	case p.throttled > 0:
		// Not below what was admitted: that much is allowed.
		p.rate = max(p.rate*(1-float64(p.throttled)/float64(all)/2), float64(p.admitted)/elapsed.Seconds())
	case p.waited:
		p.rate *= growth
	}
	p.rate = max(p.rate, slowestRate)
	if p.rate > fastestRate {
		p.rate = 0
	}
	p.begun, p.throttled, p.admitted, p.waited = now, 0, 0, false
}
