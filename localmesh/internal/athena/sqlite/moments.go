package sqlite

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
)

const day = int64(86_400_000_000)

func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

func registerMoments(f registrar) {
	f("part", 2, func(a []driver.Value) (driver.Value, error) { return part(words(a[0]), dialect.Clock(a[1].(int64))) })
	f("trunc", 2, func(a []driver.Value) (driver.Value, error) { return truncate(words(a[0]), a[1].(int64)) })
	f("trunc_date", 2, func(a []driver.Value) (driver.Value, error) {
		v, err := truncate(words(a[0]), a[1].(int64)*day)
		if err != nil {
			return nil, err
		}
		return floor(v.(int64), day), nil
	})
	f("add", 3, func(a []driver.Value) (driver.Value, error) { return add(words(a[0]), a[1].(int64), a[2].(int64)) })
	f("add_date", 3, func(a []driver.Value) (driver.Value, error) {
		switch strings.ToLower(words(a[0])) {
		case "hour", "minute", "second", "millisecond":
			return nil, fault("INVALID_FUNCTION_ARGUMENT", "'%s' is not a valid DATE field", words(a[0]))
		}
		v, err := add(words(a[0]), a[1].(int64), a[2].(int64)*day)
		if err != nil {
			return nil, err
		}
		return floor(v.(int64), day), nil
	})
	f("diff", 3, func(a []driver.Value) (driver.Value, error) {
		return difference(words(a[0]), a[1].(int64), a[2].(int64))
	})
	f("months", 2, func(a []driver.Value) (driver.Value, error) { return months(a[0].(int64), a[1].(int64)), nil })
	f("months_date", 2, func(a []driver.Value) (driver.Value, error) {
		return floor(months(a[0].(int64)*day, a[1].(int64)), day), nil
	})
	f("days", 2, func(a []driver.Value) (driver.Value, error) {
		if a[1].(int64)%day != 0 {
			return nil, fault("INVALID_FUNCTION_ARGUMENT", "Cannot add hour, minutes or seconds to a date")
		}
		return a[0].(int64) + a[1].(int64)/day, nil
	})
	f("last_day", 1, func(a []driver.Value) (driver.Value, error) {
		t := dialect.Clock(a[0].(int64))
		return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Unix() / 86400, nil
	})
	f("from_unixtime", 1, func(a []driver.Value) (driver.Value, error) {
		return int64(math.Round(real(a[0])*1000)) * 1000, nil
	})
	f("date_format", 2, func(a []driver.Value) (driver.Value, error) {
		return mysqlFormat(dialect.Clock(a[0].(int64)), words(a[1]))
	})
	f("date_parse", 2, func(a []driver.Value) (driver.Value, error) { return mysqlParse(words(a[0]), words(a[1])) })
	f("format_datetime", 2, func(a []driver.Value) (driver.Value, error) {
		layout, err := Layout(words(a[1]))
		if err != nil {
			return nil, err
		}
		return dialect.Clock(a[0].(int64)).Format(layout), nil
	})
	f("iso_date", 1, func(a []driver.Value) (driver.Value, error) {
		t, err := time.Parse("2006-01-02", words(a[0]))
		if err != nil {
			return nil, fault("INVALID_FUNCTION_ARGUMENT", "Invalid format: \"%s\"", words(a[0]))
		}
		return t.Unix() / 86400, nil
	})
	f("iso_timestamp", 1, func(a []driver.Value) (driver.Value, error) {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
			if t, err := time.Parse(layout, words(a[0])); err == nil {
				return t.UnixMilli() * 1000, nil
			}
		}
		return nil, fault("INVALID_FUNCTION_ARGUMENT", "Invalid format: \"%s\"", words(a[0]))
	})
}

func part(unit string, t time.Time) (driver.Value, error) {
	switch unit {
	case "year":
		return int64(t.Year()), nil
	case "quarter":
		return int64(t.Month()-1)/3 + 1, nil
	case "month":
		return int64(t.Month()), nil
	case "week":
		_, w := t.ISOWeek()
		return int64(w), nil
	case "day":
		return int64(t.Day()), nil
	case "hour":
		return int64(t.Hour()), nil
	case "minute":
		return int64(t.Minute()), nil
	case "second":
		return int64(t.Second()), nil
	case "millisecond":
		return int64(t.Nanosecond() / 1_000_000), nil
	case "day_of_week":
		return int64(t.Weekday()+6)%7 + 1, nil
	case "day_of_year":
		return int64(t.YearDay()), nil
	}
	return nil, lacking("the part %s of a time", unit)
}

var lengths = map[string]int64{"millisecond": 1000, "second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000, "day": day, "week": 7 * day}

func truncate(unit string, micros int64) (driver.Value, error) {
	t := dialect.Clock(micros)
	unit = strings.ToLower(unit)
	date := func(year int, month time.Month, day int) (driver.Value, error) {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).UnixMicro(), nil
	}
	switch unit {
	case "year":
		return date(t.Year(), 1, 1)
	case "quarter":
		return date(t.Year(), (t.Month()-1)/3*3+1, 1)
	case "month":
		return date(t.Year(), t.Month(), 1)
	case "week":
		return date(t.Year(), t.Month(), t.Day()-int(t.Weekday()+6)%7)
	case "day", "hour", "minute", "second", "millisecond":
		return floor(micros, lengths[unit]) * lengths[unit], nil
	}
	return nil, fault("INVALID_FUNCTION_ARGUMENT", "'%s' is not a valid TIMESTAMP field", unit)
}

// months goes on so many months, to the last day of a month that is shorter.
func months(micros, n int64) int64 {
	t := dialect.Clock(micros)
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	start := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, min(t.Day(), last)-1).UnixMicro() + micros - start.UnixMicro()
}

func add(unit string, n, micros int64) (driver.Value, error) {
	if n > 1e9 || n < -1e9 {
		return nil, errArgument
	}
	unit = strings.ToLower(unit)
	if length, ok := lengths[unit]; ok {
		return micros + n*length, nil
	}
	switch unit {
	case "month":
		return months(micros, n), nil
	case "quarter":
		return months(micros, 3*n), nil
	case "year":
		return months(micros, 12*n), nil
	}
	return nil, fault("INVALID_FUNCTION_ARGUMENT", "'%s' is not a valid TIMESTAMP field", unit)
}

func difference(unit string, a, b int64) (driver.Value, error) {
	unit = strings.ToLower(unit)
	if length, ok := lengths[unit]; ok {
		return (b - a) / length, nil
	}
	per, ok := map[string]int64{"month": 1, "quarter": 3, "year": 12}[unit]
	if !ok {
		return nil, fault("INVALID_FUNCTION_ARGUMENT", "'%s' is not a valid TIMESTAMP field", unit)
	}
	sign := int64(1)
	if a > b {
		a, b, sign = b, a, -1
	}
	x, y := dialect.Clock(a), dialect.Clock(b)
	n := int64(y.Year()-x.Year())*12 + int64(y.Month()) - int64(x.Month())
	if months(a, n) > b {
		n--
	}
	return sign * (n / per), nil
}

// mysql is what the letters of date_format mean, as Go's layouts have it
// (https://trino.io/docs/current/functions/datetime.html#mysql-date-functions).
var mysql = map[byte]string{'a': "Mon", 'b': "Jan", 'c': "1", 'd': "02", 'e': "2", 'H': "15", 'h': "03", 'I': "03", 'i': "04", 'k': "15", 'l': "3", 'M': "January",
	'm': "01", 'p': "PM", 'r': "03:04:05 PM", 'S': "05", 's': "05", 'T': "15:04:05", 'W': "Monday", 'Y': "2006", 'y': "06"}

func mysqlFormat(t time.Time, format string) (driver.Value, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch c := format[i]; {
		case c == 'f':
			fmt.Fprintf(&b, "%06d", t.Nanosecond()/1000)
		case c == 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case c == 'k':
			fmt.Fprintf(&b, "%d", t.Hour())
		case c == 'v':
			_, week := t.ISOWeek()
			fmt.Fprintf(&b, "%02d", week)
		case c == 'x':
			year, _ := t.ISOWeek()
			fmt.Fprintf(&b, "%04d", year)
		case c == '%':
			b.WriteByte('%')
		case mysql[c] != "":
			b.WriteString(t.Format(mysql[c]))
		case strings.IndexByte("DUuVwX", c) >= 0:
			return nil, fault("INVALID_FUNCTION_ARGUMENT", "%%%c not supported in date format string", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func mysqlParse(text, format string) (driver.Value, error) {
	var layout strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c != '%' || i+1 == len(format) {
			if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' && c != 'T' && c != 'Z' {
				return nil, lacking("the format %q", format)
			}
			layout.WriteByte(c)
			continue
		}
		i++
		word := mysql[format[i]]
		switch format[i] {
		case 'd', 'e':
			word = "2"
		case 'm', 'c':
			word = "1"
		case 'i':
			word = "4"
		case 's', 'S':
			word = "5"
		case 'f':
			if !strings.HasSuffix(layout.String(), ".") {
				return nil, lacking("the format %q", format)
			}
			word = "999999"
		}
		if word == "" {
			return nil, lacking("the format %q", format)
		}
		layout.WriteString(word)
	}
	t, err := time.Parse(layout.String(), text)
	if err != nil {
		return nil, fault("INVALID_FUNCTION_ARGUMENT", "Invalid format: \"%s\"", text)
	}
	return t.UnixMilli() * 1000, nil
}

// Layout is a pattern of Java's dates as a layout of Go's.
func Layout(p string) (string, error) {
	known := map[string]string{"yyyy": "2006", "yy": "06", "YYYY": "2006", "y": "2006", "MMMM": "January", "MMM": "Jan", "MM": "01", "M": "1", "dd": "02", "d": "2", "HH": "15",
		"hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5", "SSS": "000", "a": "PM", "EEE": "Mon", "E": "Mon", "EEEE": "Monday", "DDD": "002"}
	var b strings.Builder
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(p[i+1:], '\'')
			if end < 0 {
				return "", fault("INVALID_FUNCTION_ARGUMENT", "Invalid format: %s", p)
			}
			word := p[i+1 : i+1+end]
			if strings.ContainsAny(word, "0123456789JMPZ_") {
				return "", lacking("the format %q", p)
			}
			b.WriteString(word)
			i += end + 2
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := i
			for n < len(p) && p[n] == c {
				n++
			}
			word, ok := known[p[i:n]]
			if !ok || p[i:n] == "SSS" && !strings.HasSuffix(b.String(), ".") {
				return "", lacking("the format %q", p)
			}
			b.WriteString(word)
			i = n
		case c >= '0' && c <= '9' || c == '_':
			return "", lacking("the format %q", p)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), nil
}
