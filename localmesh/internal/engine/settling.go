package engine

import (
	"encoding/binary"
	"hash/fnv"
	"sync"
	"sync/atomic"
)

// Settling is what was changed and is not known everywhere yet. AWS answers for a
// change before all of its parts have heard of it; how long that takes is not said
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency).
//
// Here it is counted and not timed: an observer misses a change a number of times
// that it looks, and knows it from then on. The number is drawn from the change and
// the observer, so that it does not depend on what else happens, and two observers
// learn of a change at different moments. An observer that has learned of a change
// knows all earlier ones of the same thing.
type Settling struct {
	looks  atomic.Int64
	mu     sync.Mutex
	seed   uint64
	things map[string]*unsettled
	// order are the names of the things, those first that changed first.
	order []string
}

// unsettled are the last changes of a thing, oldest first.
type unsettled struct {
	changes []pendingChange
	// count is the number of all changes so far.
	count uint64
}

type pendingChange struct {
	number uint64
	// before is what the thing was.
	before any
	// looked is how often each observer has missed it.
	looked map[string]int
}

// Bounds of what is remembered. What is older is known to everybody.
const (
	maxUnsettled   = 64
	maxUnsettledOf = 4096
)

// Set makes observers miss each change up to looks times; 0 makes everything known
// at once, also what is settling.
func (s *Settling) Set(looks int, seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	looks = max(0, looks)
	s.looks.Store(int64(looks))
	s.seed = seed
	if looks == 0 {
		s.things, s.order = nil, nil
	}
}

// Looks is how often observers miss a change at most.
func (s *Settling) Looks() int { return int(s.looks.Load()) }

// on tells whether changes take time to be known.
func (s *Settling) on() bool { return s.Looks() > 0 }

// changed notes that a thing was changed from what it was before.
func (s *Settling) changed(thing string, before any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.on() {
		return
	}
	if s.things == nil {
		s.things = map[string]*unsettled{}
	}
	u := s.things[thing]
	if u == nil {
		u = &unsettled{}
		s.things[thing] = u
		s.order = append(s.order, thing)
	}
	u.count++
	u.changes = append(u.changes, pendingChange{number: u.count, before: before, looked: map[string]int{}})
	if len(u.changes) > maxUnsettled {
		u.changes = u.changes[1:]
	}
	if len(s.order) > maxUnsettledOf {
		delete(s.things, s.order[0])
		s.order = s.order[1:]
	}
}

// look is one observation of a thing. It returns what the thing was before each of
// the changes that the observer does not know yet, oldest first.
func (s *Settling) look(thing, observer string) []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.things[thing]
	if u == nil || !s.on() {
		return nil
	}
	first := len(u.changes)
	for i := range u.changes {
		c := &u.changes[i]
		if c.looked[observer] < s.needed(thing, c.number, observer) {
			c.looked[observer]++
			first = min(first, i)
		}
	}
	missed := make([]any, 0, len(u.changes)-first)
	for _, c := range u.changes[first:] {
		missed = append(missed, c.before)
	}
	return missed
}

// needed is how often an observer misses a change: at least once, at most as often
// as was set.
func (s *Settling) needed(thing string, number uint64, observer string) int {
	h := fnv.New64a()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], s.seed)
	binary.LittleEndian.PutUint64(b[8:], number)
	// A hash takes every byte.
	_, _ = h.Write(b[:])
	_, _ = h.Write([]byte(thing))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(observer))
	sum := h.Sum64()
	return 1 + int((sum^sum>>32)%uint64(max(1, s.Looks())))
}

// Settles tells whether changes take time to be known, so that what a thing was
// before has to be kept.
func (c *Call) Settles() bool { return c.Mesh.Settling.on() }

// Changed notes that the call changes a thing from what it was before, and that
// others are going to learn of it later. It holds if the call succeeds.
func (c *Call) Changed(thing string, before any) {
	if c.Settles() {
		c.changes = append(c.changes, change{thing, before})
	}
}

type change struct {
	thing  string
	before any
}

// Missed is what a thing was before each of the changes that the caller does not
// know of yet, oldest first; empty means that the caller sees it as it is. A call
// looks at a thing once, however often it asks.
func (c *Call) Missed(thing string) []any {
	return c.missed(thing, c.Service+" "+c.Caller.Principal)
}

// MissedBy is Missed for one of several parts through which the caller looks, each
// of which learns of a change by itself.
func (c *Call) MissedBy(thing, part string) []any {
	return c.missed(thing, c.Service+" "+c.Caller.Principal+" "+part)
}

// Missing tells whether the caller does not know yet that a thing was made.
func (c *Call) Missing(thing string) bool { return len(c.Missed(thing)) > 0 }

// Settling tells whether a thing that has one state for everybody is still on its
// way to it. Whoever looks moves it on.
func (c *Call) Settling(thing string) bool { return len(c.State(thing)) > 0 }

// State is what a thing that has one state for everybody was before each of the
// changes that it is on its way from, oldest first.
func (c *Call) State(thing string) []any { return c.missed(thing, "") }

func (c *Call) missed(thing, observer string) []any {
	// What was arranged to happen in time was arranged long before.
	if !c.Settles() || c.inTime {
		return nil
	}
	key := observer + "\x00" + thing
	if m, ok := c.looked[key]; ok {
		return m
	}
	m := c.Mesh.Settling.look(thing, observer)
	if c.looked == nil {
		c.looked = map[string][]any{}
	}
	c.looked[key] = m
	return m
}

// settle hands on what the call has changed.
func (c *Call) settle() {
	for _, ch := range c.changes {
		c.Mesh.Settling.changed(ch.thing, ch.before)
	}
}
