package athena

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena/sqlite"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// With partition projection the partitions of a table follow from its parameters, and those that
// the catalog knows are not looked at
// (https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html).

// projection is how the partitions of a table are computed.
type projection struct {
	columns []projected
	// template is where a partition lies; empty if it is below the table's location, as in Hive.
	template string
}

// projected is a partition key.
type projected struct {
	name string
	kind string // enum, integer, date, injected
	// values are those of enum.
	values []string
	// low and high are the bounds of integer, step is what lies between two values, digits how many they have at least.
	low, high, step int64
	digits          int
	// from and to are those of date, unit is that of the step.
	from, to time.Time
	unit     string
	layout   string
}

const (
	// maxProjected bounds how many partitions are looked at, and maxValues how many values of one key.
	maxProjected = 100_000
	maxValues    = 1_000_000
)

func badProjection(table, format string, args ...any) error {
	return &dialect.Error{Code: "INVALID_TABLE_PROPERTY", Message: "Table " + table + " is configured for partition projection, but " + fmt.Sprintf(format, args...)}
}

// projectionOf reads a table's parameters; nil is a table without projection.
func projectionOf(t state.Table, now time.Time) (*projection, error) {
	if !strings.EqualFold(strings.TrimSpace(t.Parameters["projection.enabled"]), "true") || len(t.PartitionKeys) == 0 {
		return nil, nil
	}
	p := &projection{template: t.Parameters["storage.location.template"]}
	for _, key := range t.PartitionKeys {
		name := state.Fold(key.Name)
		of := func(what string) string { return t.Parameters["projection."+name+"."+what] }
		c := projected{name: name, kind: strings.ToLower(strings.TrimSpace(of("type"))), step: 1}
		wrong := func(what string) error {
			return badProjection(t.Name, "projection.%s.%s is missing or invalid: '%s'", name, what, of(what))
		}
		if i := strings.TrimSpace(of("interval")); i != "" {
			var err error
			if c.step, err = strconv.ParseInt(i, 10, 64); err != nil || c.step < 1 {
				return nil, wrong("interval")
			}
		}
		switch c.kind {
		case "":
			return nil, badProjection(t.Name, "the following partition columns are missing projection configuration: [%s]", name)
		case "enum":
			// White space is a part of a value.
			if c.values = strings.Split(of("values"), ","); of("values") == "" {
				return nil, wrong("values")
			}
		case "integer":
			low, high, ok := strings.Cut(of("range"), ",")
			var err, also error
			c.low, err = strconv.ParseInt(strings.TrimSpace(low), 10, 64)
			c.high, also = strconv.ParseInt(strings.TrimSpace(high), 10, 64)
			if !ok || err != nil || also != nil || c.low > c.high {
				return nil, wrong("range")
			}
			if d := strings.TrimSpace(of("digits")); d != "" {
				if c.digits, err = strconv.Atoi(d); err != nil || c.digits < 1 || c.digits > 19 {
					return nil, wrong("digits")
				}
			}
		case "date":
			if what := c.dates(of("format"), of("range"), of("interval.unit"), now); what != "" {
				return nil, wrong(what)
			}
		case "injected":
		default:
			return nil, wrong("type")
		}
		if p.template != "" && !strings.Contains(p.template, "${"+name+"}") {
			return nil, badProjection(t.Name, "storage.location.template does not have ${%s}", name)
		}
		p.columns = append(p.columns, c)
	}
	return p, nil
}

var relative = regexp.MustCompile(`^NOW\s*(?:([+-])\s*(\d{1,9})\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?\s*)?$`)

// dates reads what a key of dates has; it returns the name of what is wrong.
func (c *projected) dates(format, bounds, unit string, now time.Time) (wrong string) {
	var err error
	if c.layout, err = sqlite.Layout(strings.TrimSpace(format)); err != nil || format == "" {
		return "format"
	}
	bound := func(s string) (time.Time, bool) {
		s = strings.TrimSpace(s)
		m := relative.FindStringSubmatch(strings.ToUpper(s))
		if m == nil {
			t, err := time.Parse(c.layout, s)
			return t, err == nil
		}
		n, _ := strconv.ParseInt("0"+m[2], 10, 64)
		if m[1] == "-" {
			n = -n
		}
		// What the format leaves out does not count.
		t, err := time.Parse(c.layout, later(now.UTC(), m[3], n).Format(c.layout))
		return t, err == nil
	}
	low, high, ok := strings.Cut(bounds, ",")
	var first, last bool
	c.from, first = bound(low)
	c.to, last = bound(high)
	if !ok || !first || !last {
		return "range"
	}
	c.unit = strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(unit)), "S")
	switch c.unit {
	case "YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND":
		return ""
	case "":
		// Of days and of months it follows from the format.
		switch {
		case strings.ContainsAny(format, "Hhms"):
			return "interval.unit"
		case strings.Contains(format, "d"), strings.Contains(format, "D"):
			c.unit = "DAY"
		case strings.Contains(format, "M"):
			c.unit = "MONTH"
		default:
			return "interval.unit"
		}
		return ""
	}
	return "interval.unit"
}

// later goes on so many units.
func later(t time.Time, unit string, n int64) time.Time {
	lengths := map[string]time.Duration{"SECOND": time.Second, "MINUTE": time.Minute, "HOUR": time.Hour}
	switch unit {
	case "YEAR":
		return t.AddDate(int(n), 0, 0)
	case "MONTH":
		return t.AddDate(0, int(n), 0)
	case "WEEK":
		return t.AddDate(0, 0, int(7*n))
	case "DAY":
		return t.AddDate(0, 0, int(n))
	}
	return t.Add(time.Duration(n) * lengths[unit])
}

// candidates are the values of a key that the constraints on it may allow.
func (c projected) candidates(on []sqlite.Constraint) ([]string, error) {
	switch c.kind {
	case "enum":
		return c.values, nil
	case "injected":
		var all []string
		for _, k := range on {
			if k.Operator != "=" && k.Operator != "in" {
				continue
			}
			var these []string
			for _, v := range append(slices.Clone(k.Values), k.Value) {
				if v != nil {
					these = append(these, fmt.Sprint(v))
				}
			}
			if all == nil || len(these) < len(all) {
				all = these
			}
		}
		if all == nil {
			return nil, &dialect.Error{Code: "CONSTRAINT_VIOLATION", Message: "For the injected projected partition column " + c.name + ", the WHERE clause must contain only static equality conditions, and at least one such condition must be present."}
		}
		slices.Sort(all)
		return slices.Compact(all), nil
	case "integer":
		return c.numbers(on)
	}
	var all []string
	for t, n := c.from, int64(1); !t.After(c.to); t, n = later(c.from, c.unit, n*c.step), n+1 {
		if len(all) == maxValues {
			return nil, lacking("a projected partition key of more than %d values (%s)", maxValues, c.name)
		}
		if s := t.Format(c.layout); len(all) == 0 || all[len(all)-1] != s {
			all = append(all, s)
		}
	}
	return all, nil
}

// numbers are the values of an integer key between the constraints' bounds.
func (c projected) numbers(on []sqlite.Constraint) ([]string, error) {
	low, high := c.low, c.high
	for _, k := range on {
		n, ok := k.Value.(int64)
		if s, text := k.Value.(string); text && k.Operator == "=" {
			var err error
			n, err = strconv.ParseInt(s, 10, 64)
			ok = err == nil
		}
		if !ok {
			continue
		}
		if k.Operator == "=" || k.Operator[0] == '>' {
			low = max(low, n)
		}
		if k.Operator == "=" || k.Operator[0] == '<' {
			high = min(high, n)
		}
	}
	// The first value that is on the way from the lowest.
	if rest := uint64(low-c.low) % uint64(c.step); rest > 0 {
		low += c.step - int64(rest)
	}
	var all []string
	for n := low; n <= high; n += c.step {
		if len(all) == maxValues {
			return nil, lacking("a projected partition key of more than %d values (%s)", maxValues, c.name)
		}
		all = append(all, fmt.Sprintf("%0*d", c.digits, n))
		if n > high-c.step {
			break
		}
	}
	return all, nil
}

// projectedFiles finds the files of the partitions that are computed.
func (t *table) projectedFiles(constraints []sqlite.Constraint) ([]file, error) {
	lists := make([][]string, len(t.projection.columns))
	total := 1
	for i, c := range t.projection.columns {
		var on []sqlite.Constraint
		for _, k := range constraints {
			if t.places[k.Column] == t.keys+i {
				on = append(on, k)
			}
		}
		all, err := c.candidates(on)
		if err != nil {
			return nil, err
		}
		for _, text := range all {
			value, err := t.keyValue(i, text)
			if err != nil {
				return nil, err
			}
			if fits(value, on) {
				lists[i] = append(lists[i], text)
			}
		}
		if total *= len(lists[i]); total > maxProjected {
			return nil, lacking("reading more than %d projected partitions", maxProjected)
		}
	}
	if total == 0 {
		return nil, nil
	}
	var all []file
	texts := make([]string, len(lists))
	for n := range total {
		for i := len(lists) - 1; i >= 0; i-- {
			texts[i] = lists[i][n%len(lists[i])]
			n /= len(lists[i])
		}
		values, err := t.partitionValues(texts)
		if err != nil {
			return nil, err
		}
		sd := *t.reading.Table.Storage
		sd.Location = t.projection.location(sd.Location, texts)
		found, err := t.filesIn(&sd, values)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// location is where a partition lies.
func (p *projection) location(table string, texts []string) string {
	if p.template == "" {
		path := strings.TrimSuffix(table, "/")
		for i, c := range p.columns {
			path += "/" + c.name + "=" + texts[i]
		}
		return path + "/"
	}
	var pairs []string
	for i, c := range p.columns {
		pairs = append(pairs, "${"+c.name+"}", texts[i])
	}
	return strings.NewReplacer(pairs...).Replace(p.template)
}
