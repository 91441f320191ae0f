package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
)

// TRY is written as lm_caught(lm_try(), x): SQLite computes arguments in their order, so that what
// fails between the two calls stands in x. The functions of such queries are not told to be
// deterministic: what SQLite holds for a constant it computes before.

// tries knows which TRYs are being computed.
type tries struct {
	turn chan struct{}
	// failed tells of each, the innermost last, whether something in it has failed.
	failed []bool
}

func newTries() *tries { return &tries{turn: make(chan struct{}, 1)} }

// enter waits until no other query uses it.
func (t *tries) enter(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		t.failed = t.failed[:0]
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *tries) leave() { <-t.turn }

// caught are the errors that TRY takes for NULL.
var caught = []string{"DIVISION_BY_ZERO", "INVALID_CAST_ARGUMENT", "INVALID_FUNCTION_ARGUMENT", "NUMERIC_VALUE_OUT_OF_RANGE"}

// catches reports whether an error is one that a TRY around it takes for NULL, and notes it there.
// What the local mesh lacks is an error all the same.
func (t *tries) catches(err error) bool {
	var e *dialect.Error
	if t == nil || len(t.failed) == 0 || !errors.As(err, &e) || errors.Is(err, errArgument) || !slices.Contains(caught, e.Code) || strings.Contains(e.Message, "not in the local mesh") {
		return false
	}
	t.failed[len(t.failed)-1] = true
	return true
}

func (t *tries) begin([]driver.Value) (driver.Value, error) {
	t.failed = append(t.failed, false)
	return nil, nil
}

func (t *tries) end(args []driver.Value) (driver.Value, error) {
	last := len(t.failed) - 1
	if last < 0 {
		return nil, errArgument
	}
	failed := t.failed[last]
	t.failed = t.failed[:last]
	if failed {
		return nil, nil
	}
	return args[1], nil
}
