package scheduler

// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html

import (
	"net/http"
	"strings"
	"time"
	_ "time/tzdata" // A machine without a database of time zones knows them, too.

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// atFormat is the time in at(...), without a zone.
const atFormat = "2006-01-02T15:04:05"

// moment reads a schedule expression in a time zone. Recurring schedules, which AWS
// has, are refused by name.
func moment(expression, timezone string) (time.Time, error) {
	kind, rest, ok := strings.Cut(expression, "(")
	text, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return time.Time{}, invalidExpression(expression)
	}
	switch kind {
	case "at":
	case "rate", "cron":
		return time.Time{}, engine.Errorf("NotImplemented", "the local mesh has no recurring schedules: %s", expression).WithStatus(http.StatusNotImplemented)
	default:
		return time.Time{}, invalidExpression(expression)
	}
	zone, err := location(timezone)
	if err != nil {
		return time.Time{}, err
	}
	// time.Parse takes fractions of seconds that the format does not have.
	t, err := time.ParseInLocation(atFormat, text, zone)
	if err != nil || len(text) != len(atFormat) {
		return time.Time{}, invalidExpression(expression)
	}
	// A time that clocks leave out in spring never comes. What AWS does with it is not
	// documented; who asks for it had better know.
	if t.Format(atFormat) != text {
		return time.Time{}, invalidExpression(expression)
	}
	return first(t), nil
}

// first is the first of the times that clocks in t's zone show alike: when they are set
// back in autumn there are two. Which of them Scheduler takes is not documented.
func first(t time.Time) time.Time {
	for _, back := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute} {
		if earlier := t.Add(-back); earlier.Format(atFormat) == t.Format(atFormat) {
			return earlier
		}
	}
	return t
}

// location is a time zone by its name in the IANA database.
func location(name string) (*time.Location, error) {
	// Go takes "Local" for the zone of the machine.
	if name == "" || len(name) > maxTimezone || strings.EqualFold(name, "local") {
		return nil, invalid("Invalid Schedule Expression Timezone %s.", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, invalid("Invalid Schedule Expression Timezone %s.", name)
	}
	return zone, nil
}

func invalidExpression(expression string) error {
	return invalid("Invalid Schedule Expression %s.", expression)
}
