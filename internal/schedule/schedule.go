// Package schedule checks AWS's cron expressions, which are no usual ones: they
// have six fields, exactly one of day-of-month and day-of-week is "?", Sunday is 1,
// and L, W and # have meanings of their own
// (https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html,
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html).
//
// # Errors
//
// What is no such expression is a
// [github.com/lakemesh/lakemesh.ErrInvalidInput] that names the field and what is
// allowed there.
package schedule

import (
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// field is one field of an expression.
type field struct {
	name     string
	min, max int
	// names stand for numbers: the first for min.
	names []string
	// special forms that the field allows beside numbers, ranges, lists and steps.
	question, last, weekday, nth bool
}

// fields are the six fields of an expression, in order.
func fields() []field {
	return []field{
		{name: "minutes", min: 0, max: 59},
		{name: "hours", min: 0, max: 23},
		{name: "day-of-month", min: 1, max: 31, question: true, last: true, weekday: true},
		{name: "month", min: 1, max: 12, names: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
		{name: "day-of-week", min: 1, max: 7, names: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}, question: true, last: true, nth: true},
		{name: "year", min: 1970, max: 2199},
	}
}

const (
	dayOfMonth = 2
	dayOfWeek  = 4
)

// Check returns an error unless text is a cron expression of AWS, such as
// "cron(0 */4 * * ? *)". parameter is what messages call it.
func Check(parameter, text string) error {
	bad := func(format string, args ...any) error {
		return lakemesh.Invalid(parameter, "%q: "+format, append([]any{text}, args...)...)
	}
	inner, ok := strings.CutPrefix(text, "cron(")
	if ok {
		inner, ok = strings.CutSuffix(inner, ")")
	}
	if !ok {
		return bad("a schedule has the form cron(minutes hours day-of-month month day-of-week year)")
	}
	parts := strings.Fields(inner)
	all := fields()
	if len(parts) != len(all) {
		return bad("a schedule has six fields (minutes hours day-of-month month day-of-week year), and this has %d", len(parts))
	}
	for i, f := range all {
		if err := f.check(strings.ToUpper(parts[i])); err != "" {
			return bad("%s: %s", f.name, err)
		}
	}
	if (parts[dayOfMonth] == "?") == (parts[dayOfWeek] == "?") {
		return bad("exactly one of day-of-month and day-of-week must be ?")
	}
	return nil
}

// check says what is wrong with a field, or nothing.
func (f field) check(text string) string {
	if text == "?" {
		if f.question {
			return ""
		}
		return "? is allowed in day-of-month and day-of-week only"
	}
	list := strings.Split(text, ",")
	for _, item := range list {
		if item == "" {
			return "it has an empty part between commas"
		}
		alone, err := f.item(item)
		if err != "" {
			return err
		}
		if alone && len(list) > 1 {
			return item + " cannot stand in a list"
		}
	}
	return ""
}

// item checks one part of a list. alone tells that it must be the only one.
func (f field) item(item string) (alone bool, err string) {
	base, step, stepped := strings.Cut(item, "/")
	if stepped {
		n, ok := number(step)
		if !ok || n < 1 || n > f.max {
			return false, strconv.Quote(step) + " is no step: a number from 1 to " + strconv.Itoa(f.max)
		}
		if base == "*" {
			return false, ""
		}
		if strings.Contains(base, "-") {
			return false, f.span(base)
		}
		_, err := f.value(base)
		return false, err
	}
	switch {
	case base == "*":
		return true, ""
	case f.last && base == "L":
		return true, ""
	case f.weekday && base == "LW":
		return true, ""
	case f.weekday && strings.HasPrefix(base, "L-"):
		n, ok := number(base[2:])
		if !ok || n < 1 || n > f.max-1 {
			return true, strconv.Quote(base) + ": the days before the last are a number from 1 to " + strconv.Itoa(f.max-1)
		}
		return true, ""
	case f.weekday && strings.HasSuffix(base, "W"):
		_, err := f.value(strings.TrimSuffix(base, "W"))
		return true, err
	case f.nth && strings.Contains(base, "#"):
		day, nth, _ := strings.Cut(base, "#")
		if _, err := f.value(day); err != "" {
			return true, err
		}
		if n, ok := number(nth); !ok || n < 1 || n > 5 {
			return true, strconv.Quote(base) + ": after # comes which one in the month, from 1 to 5"
		}
		return true, ""
	case f.nth && len(base) > 1 && strings.HasSuffix(base, "L"):
		_, err := f.value(strings.TrimSuffix(base, "L"))
		return true, err
	case strings.Contains(base, "-"):
		return false, f.span(base)
	}
	_, err = f.value(base)
	return false, err
}

// span checks a range.
func (f field) span(text string) string {
	from, to, _ := strings.Cut(text, "-")
	a, err := f.value(from)
	if err != "" {
		return err
	}
	b, err := f.value(to)
	if err != "" {
		return err
	}
	if a > b {
		return strconv.Quote(text) + " ends before it begins"
	}
	return ""
}

// value reads a number or a name.
func (f field) value(text string) (int, string) {
	for i, name := range f.names {
		if text == name {
			return f.min + i, ""
		}
	}
	n, ok := number(text)
	if ok && n >= f.min && n <= f.max {
		return n, ""
	}
	allowed := "a number from " + strconv.Itoa(f.min) + " to " + strconv.Itoa(f.max)
	if len(f.names) > 0 {
		allowed += ", or " + f.names[0] + " to " + f.names[len(f.names)-1]
	}
	return 0, strconv.Quote(text) + " is not allowed: " + allowed
}

// number reads digits only: no sign, no spaces, at most four of them.
func number(text string) (int, bool) {
	const most = 4
	if text == "" || len(text) > most || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}
