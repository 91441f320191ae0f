// Package poll waits for what becomes visible later: AWS answers for a change
// before all of its parts have heard of it.
//
// # Errors
//
// Waiting in vain is a [*TimeoutError], which says what was waited for, how long,
// and what the last look gave.
package poll

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// The first wait, the factor by which waits grow, and the longest of them.
const (
	firstWait   = 50 * time.Millisecond
	growth      = 1.7
	longestWait = 5 * time.Second
)

// TimeoutError tells that something did not come about in time.
type TimeoutError struct {
	// What was waited for: "role DataMeshManager to be visible".
	What string
	// Waited is how long.
	Waited time.Duration
	// Err is what the last look gave, or the reason why waiting ended early; nil if
	// there was nothing but "not yet".
	Err error
}

// Error says what was waited for.
func (e *TimeoutError) Error() string {
	text := fmt.Sprintf("waited %s for %s", e.Waited.Round(time.Millisecond), e.What)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the last error to errors.Is and errors.As.
func (e *TimeoutError) Unwrap() error { return e.Err }

// Timeout tells that time ran out, as for errors of package net.
func (e *TimeoutError) Timeout() bool { return true }

// notYet marks an error after which looking again makes sense.
type notYet struct{ err error }

func (e notYet) Error() string { return e.err.Error() }
func (e notYet) Unwrap() error { return e.err }

// NotYet marks an error of a look as one that may pass. If time runs out it is
// what the [*TimeoutError] wraps.
func NotYet(err error) error {
	if err == nil {
		return nil
	}
	return notYet{err}
}

// Until looks at once, and then again after waits that grow and are jittered,
// until look says that it is done, fails with an error that is not [NotYet], the
// context ends, or maxWait has passed. what completes the sentence "waited for".
func Until(ctx context.Context, maxWait time.Duration, what string, look func(ctx context.Context) (done bool, err error)) error {
	begun := time.Now()
	wait := firstWait
	var last error
	for {
		done, err := look(ctx)
		var passing notYet
		switch {
		case errors.As(err, &passing):
			last = passing.err
		case err != nil:
			return err
		case done:
			return nil
		default:
			last = nil
		}
		left := maxWait - time.Since(begun)
		if left <= 0 {
			return &TimeoutError{What: what, Waited: time.Since(begun), Err: last}
		}
		if err := Sleep(ctx, min(jitter(wait), left)); err != nil {
			return &TimeoutError{What: what, Waited: time.Since(begun), Err: errors.Join(err, last)}
		}
		wait = min(time.Duration(float64(wait)*growth), longestWait)
	}
}

// jitter spreads a wait over its upper half, so that programs that began
// together do not look together.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}

// Sleep waits, unless the context ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
