package producer

import (
	"time"

	"github.com/lakemesh/lakemesh"
)

// second is a time as records keep it.
func second(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}

// inFuture refuses an end that has passed: nothing would be granted by it.
func (p *Producer) inFuture(field string, until time.Time) error {
	if until.IsZero() || until.After(p.now()) {
		return nil
	}
	return lakemesh.Invalid(field, "it would have ended on %s (UTC), which has passed: name a later end, or none", lakemesh.FormatTime(until))
}

// ending says of something when it ends.
func ending(until time.Time) string {
	if until.IsZero() {
		return "never ends"
	}
	return "ends on " + lakemesh.FormatTime(until) + " (UTC)"
}
