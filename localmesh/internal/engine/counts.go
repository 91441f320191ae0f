package engine

import (
	"cmp"
	"slices"
	"sync"
)

// Count is how often an operation was called.
type Count struct {
	Service, Operation string
	Calls              int
}

// Counts counts calls by service and operation. Every request whose operation
// was recognized counts, whether it was refused, throttled or answered.
type Counts struct {
	mu sync.Mutex
	by map[[2]string]int
	n  int
}

func newCounts() *Counts { return &Counts{by: map[[2]string]int{}} }

func (c *Counts) add(service, operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[[2]string{service, operation}]++
	c.n++
}

// Total is the number of calls.
func (c *Counts) Total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// Reset sets all counts to zero.
func (c *Counts) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.by)
	c.n = 0
}

// List returns the counts in the order of service and operation.
func (c *Counts) List() []Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Count, 0, len(c.by))
	for k, n := range c.by {
		list = append(list, Count{k[0], k[1], n})
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Operation, b.Operation))
	})
	return list
}

func sortByName(services []Service) {
	slices.SortFunc(services, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
}
