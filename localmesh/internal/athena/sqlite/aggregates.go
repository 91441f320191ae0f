package sqlite

import (
	"cmp"
	"database/sql/driver"
	"math"
	"slices"

	"modernc.org/sqlite"
)

// aggregates are those that SQLite has not.
func aggregates() map[string]func() sqlite.AggregateFunction {
	statistic := func(of func(n, mean, squares, logs float64) driver.Value) func() sqlite.AggregateFunction {
		return func() sqlite.AggregateFunction { return &moments{of: of} }
	}
	sample := func(root bool) func(n, mean, squares, logs float64) driver.Value {
		return func(n, _, squares, _ float64) driver.Value {
			if n < 2 {
				return nil
			}
			if root {
				return math.Sqrt(squares / (n - 1))
			}
			return squares / (n - 1)
		}
	}
	population := func(root bool) func(n, mean, squares, logs float64) driver.Value {
		return func(n, _, squares, _ float64) driver.Value {
			if n < 1 {
				return nil
			}
			if root {
				return math.Sqrt(squares / n)
			}
			return squares / n
		}
	}
	return map[string]func() sqlite.AggregateFunction{
		"stddev_samp": statistic(sample(true)), "var_samp": statistic(sample(false)),
		"stddev_pop": statistic(population(true)), "var_pop": statistic(population(false)),
		"geometric_mean": statistic(func(n, _, _, logs float64) driver.Value {
			if n < 1 {
				return nil
			}
			return math.Exp(logs / n)
		}),
		"max_by":     func() sqlite.AggregateFunction { return &extreme{sign: 1} },
		"min_by":     func() sqlite.AggregateFunction { return &extreme{sign: -1} },
		"percentile": func() sqlite.AggregateFunction { return &percentile{} },
	}
}

// moments are what statistics are made of, one value after the other (Welford's way).
type moments struct {
	of                     func(n, mean, squares, logs float64) driver.Value
	n, mean, squares, logs float64
}

// Step implements sqlite.AggregateFunction.
func (m *moments) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if args[0] == nil {
		return nil
	}
	x := real(args[0])
	m.n++
	delta := x - m.mean
	m.mean += delta / m.n
	m.squares += delta * (x - m.mean)
	m.logs += math.Log(x)
	return nil
}

// WindowInverse implements sqlite.AggregateFunction.
func (m *moments) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return errWindow }

// WindowValue implements sqlite.AggregateFunction.
func (m *moments) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	v := m.of(m.n, m.mean, m.squares, m.logs)
	if f, ok := v.(float64); ok && math.IsNaN(f) {
		return nil, encode(lacking("NaN"))
	}
	return v, nil
}

// Final implements sqlite.AggregateFunction.
func (m *moments) Final(*sqlite.FunctionContext) {}

var errWindow = encode(lacking("this aggregation over a window"))

// extreme is the value that stands beside the greatest, or the least.
type extreme struct {
	sign        int
	found       bool
	value, best driver.Value
}

// Step implements sqlite.AggregateFunction.
func (e *extreme) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if args[1] == nil || e.found && compare(args[1], e.best)*e.sign <= 0 {
		return nil
	}
	e.found, e.value, e.best = true, kept(args[0]), kept(args[1])
	return nil
}

// kept is a value that stays when the call has ended.
func kept(v driver.Value) driver.Value {
	if b, ok := v.([]byte); ok {
		return slices.Clone(b)
	}
	return v
}

func compare(a, b driver.Value) int {
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(float64(x), real(b))
	case float64:
		return cmp.Compare(x, real(b))
	}
	return cmp.Compare(words(a), words(b))
}

// WindowInverse implements sqlite.AggregateFunction.
func (e *extreme) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return errWindow }

// WindowValue implements sqlite.AggregateFunction.
func (e *extreme) WindowValue(*sqlite.FunctionContext) (driver.Value, error) { return e.value, nil }

// Final implements sqlite.AggregateFunction.
func (e *extreme) Final(*sqlite.FunctionContext) {}

// percentile is an exact one, which an approximation may be.
type percentile struct {
	values []driver.Value
	at     float64
}

// Step implements sqlite.AggregateFunction.
func (p *percentile) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if args[0] == nil || args[1] == nil {
		return nil
	}
	p.at = real(args[1])
	if p.at < 0 || p.at > 1 {
		return encode(fault("INVALID_FUNCTION_ARGUMENT", "Percentile must be between 0 and 1"))
	}
	p.values = append(p.values, args[0])
	return nil
}

// WindowInverse implements sqlite.AggregateFunction.
func (p *percentile) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return errWindow }

// WindowValue implements sqlite.AggregateFunction.
func (p *percentile) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if len(p.values) == 0 {
		return nil, nil
	}
	slices.SortFunc(p.values, compare)
	return p.values[min(int(p.at*float64(len(p.values))), len(p.values)-1)], nil
}

// Final implements sqlite.AggregateFunction.
func (p *percentile) Final(*sqlite.FunctionContext) {}

// Compare orders two values of the engine; ok is false if they have none, as a number and a text.
func Compare(a, b any) (order int, ok bool) {
	number := func(v any) bool {
		switch v.(type) {
		case int64, float64:
			return true
		}
		return false
	}
	if a == nil || b == nil || number(a) != number(b) {
		return 0, false
	}
	return compare(a, b), true
}
