package engine

import "sync"

// Moment is when a planned fault strikes.
type Moment int

// The moments of a planned fault.
const (
	// Before refuses the call before it took effect.
	Before Moment = iota
	// After lets the call take effect and loses the answer.
	After
)

// Fault is a planned fault: it strikes the Nth call that matches, and the Times-1
// matching calls that follow.
type Fault struct {
	// Service and Operation choose the calls; empty means any.
	Service, Operation string
	// Nth is the number of the first matching call that fails, from 1; 0 means 1.
	Nth int
	// Times is how many matching calls fail; 0 means 1.
	Times int
	// Moment tells whether the call takes effect.
	Moment Moment
	// Error is the answer to a call that fails Before; nil means an
	// InternalServiceException with status 500. A call that fails After has no
	// answer: the connection is cut.
	Error *APIError

	seen, hit int
}

// Faults is the plan of faults.
type Faults struct {
	mu   sync.Mutex
	plan []*Fault
}

// Plan adds a fault and returns it for [Faults.Hit].
func (f *Faults) Plan(fault Fault) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &fault
	p.Nth, p.Times = max(p.Nth, 1), max(p.Times, 1)
	f.plan = append(f.plan, p)
	return p
}

// Clear removes all planned faults.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = nil
}

// Hit tells how often the fault struck.
func (f *Faults) Hit(p *Fault) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return p.hit
}

// Pending returns the planned faults that did not strike as often as planned.
func (f *Faults) Pending() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var left []Fault
	for _, p := range f.plan {
		if p.hit < p.Times {
			left = append(left, *p)
		}
	}
	return left
}

// strike counts a call against every planned fault, and returns the one that
// strikes it.
func (f *Faults) strike(service, operation string) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var struck *Fault
	for _, p := range f.plan {
		if (p.Service != "" && p.Service != service) || (p.Operation != "" && p.Operation != operation) {
			continue
		}
		p.seen++
		if struck == nil && p.seen >= p.Nth && p.seen < p.Nth+p.Times {
			p.hit++
			struck = p
		}
	}
	return struck
}
