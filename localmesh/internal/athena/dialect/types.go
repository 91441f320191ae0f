package dialect

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is what a type is.
type Kind int

// The kinds of types.
const (
	Unknown Kind = iota // that of NULL
	Boolean
	Tinyint
	Smallint
	Integer
	Bigint
	Decimal
	Real
	Double
	Varchar
	Char
	Varbinary
	Date
	Timestamp
	TimestampTZ
	DayInterval
	YearInterval
	Array
	Map
	Row
)

// Type is a type of Athena. In the engine values of it are: of BOOLEAN 0 and 1; of DECIMAL whole
// numbers, without the point; of DATE days and of TIMESTAMP microseconds since 1970 in UTC; of
// intervals microseconds or months; of ARRAY, MAP and ROW text in JSON.
type Type struct {
	Kind Kind
	// Precision and Scale are those of a DECIMAL; Precision is the length of a VARCHAR or
	// CHAR, 0 for no bound, and the digits after the seconds of a TIMESTAMP.
	Precision, Scale int
	// Of are the types of elements: of a MAP the key's and the value's. Names are those of
	// the fields of a ROW.
	Of    []Type
	Names []string
}

var plainNames = map[string]Type{
	"boolean": {Kind: Boolean}, "tinyint": {Kind: Tinyint}, "smallint": {Kind: Smallint}, "int": {Kind: Integer}, "integer": {Kind: Integer},
	"bigint": {Kind: Bigint}, "long": {Kind: Bigint}, "real": {Kind: Real}, "float": {Kind: Real}, "double": {Kind: Double},
	"varchar": {Kind: Varchar}, "string": {Kind: Varchar}, "char": {Kind: Char, Precision: 1}, "varbinary": {Kind: Varbinary}, "binary": {Kind: Varbinary},
	"date": {Kind: Date}, "timestamp": {Kind: Timestamp, Precision: 3}, "decimal": {Kind: Decimal, Precision: 38},
}

// TypeOf reads a type as a table of the Glue Data Catalog has it: Hive's.
func TypeOf(hive string) (Type, error) {
	p := hiveType{rest: strings.ToLower(strings.TrimSpace(hive))}
	t, ok := p.read(0)
	if !ok || p.rest != "" {
		return Type{}, fmt.Errorf("the type %s is not in the local mesh", hive)
	}
	return t, nil
}

type hiveType struct{ rest string }

func (p *hiveType) take(s string) bool {
	p.rest = strings.TrimSpace(p.rest)
	if !strings.HasPrefix(p.rest, s) {
		return false
	}
	p.rest = strings.TrimSpace(p.rest[len(s):])
	return true
}

func (p *hiveType) word() string {
	p.rest = strings.TrimSpace(p.rest)
	n := strings.IndexAny(p.rest, "<>(),: ")
	if n < 0 {
		n = len(p.rest)
	}
	w := p.rest[:n]
	p.rest = strings.TrimSpace(p.rest[n:])
	return w
}

const maxDepth = 32

func (p *hiveType) read(depth int) (Type, bool) {
	if depth > maxDepth {
		return Type{}, false
	}
	w := p.word()
	switch w {
	case "array", "map":
		t := Type{Kind: Array}
		n := 1
		if w == "map" {
			t.Kind, n = Map, 2
		}
		for i := range n {
			if !p.take([]string{"<", ","}[i]) {
				return t, false
			}
			of, ok := p.read(depth + 1)
			if !ok {
				return t, false
			}
			t.Of = append(t.Of, of)
		}
		return t, p.take(">")
	case "struct":
		t := Type{Kind: Row}
		if !p.take("<") {
			return t, false
		}
		for {
			name := p.word()
			if name == "" || !p.take(":") {
				return t, false
			}
			of, ok := p.read(depth + 1)
			if !ok {
				return t, false
			}
			t.Names, t.Of = append(t.Names, name), append(t.Of, of)
			if !p.take(",") {
				return t, p.take(">")
			}
		}
	}
	t, ok := plainNames[w]
	if !ok {
		return t, false
	}
	if t.Kind == Decimal {
		t.Precision = 10 // Hive's default
	}
	if !p.take("(") {
		return t, true
	}
	n, err := strconv.Atoi(p.word())
	if err != nil {
		return t, false
	}
	t.Precision = n
	if t.Kind == Decimal && p.take(",") {
		if t.Scale, err = strconv.Atoi(p.word()); err != nil {
			return t, false
		}
	}
	sized := t.Kind == Decimal || t.Kind == Varchar || t.Kind == Char || t.Kind == Timestamp
	return t, p.take(")") && sized && t.Precision <= 38 || t.Kind == Varchar
}

// Name is the type's name in Athena's results: "varchar", "decimal".
func (t Type) Name() string {
	switch t.Kind {
	case Real:
		return "float"
	case Array:
		return "array"
	case Map:
		return "map"
	case Row:
		return "row"
	case Timestamp:
		return "timestamp"
	case TimestampTZ:
		return "timestamp with time zone"
	case DayInterval:
		return "interval day to second"
	case YearInterval:
		return "interval year to month"
	case Decimal:
		return "decimal"
	case Varchar:
		return "varchar"
	case Char:
		return "char"
	default:
		return t.String()
	}
}

// String is the type in SQL.
func (t Type) String() string {
	switch t.Kind {
	case Unknown:
		return "unknown"
	case Boolean:
		return "boolean"
	case Tinyint:
		return "tinyint"
	case Smallint:
		return "smallint"
	case Integer:
		return "integer"
	case Bigint:
		return "bigint"
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Real:
		return "real"
	case Double:
		return "double"
	case Varchar:
		if t.Precision > 0 {
			return fmt.Sprintf("varchar(%d)", t.Precision)
		}
		return "varchar"
	case Char:
		return fmt.Sprintf("char(%d)", t.Precision)
	case Varbinary:
		return "varbinary"
	case Date:
		return "date"
	case Timestamp:
		return fmt.Sprintf("timestamp(%d)", t.Precision)
	case TimestampTZ:
		return fmt.Sprintf("timestamp(%d) with time zone", t.Precision)
	case DayInterval:
		return "interval day to second"
	case YearInterval:
		return "interval year to month"
	case Array:
		return "array(" + t.Of[0].String() + ")"
	case Map:
		return "map(" + t.Of[0].String() + ", " + t.Of[1].String() + ")"
	}
	var fields []string
	for i, of := range t.Of {
		fields = append(fields, t.Names[i]+" "+of.String())
	}
	return "row(" + strings.Join(fields, ", ") + ")"
}

// Digits are the precision and the scale that Athena tells of a column of the type.
func (t Type) Digits() (precision, scale int) {
	switch t.Kind {
	case Tinyint:
		return 3, 0
	case Smallint:
		return 5, 0
	case Integer:
		return 10, 0
	case Bigint:
		return 19, 0
	case Real, Double:
		return 17, 0
	case Decimal:
		return t.Precision, t.Scale
	case Varchar, Char:
		if t.Precision == 0 {
			return 2147483647, 0
		}
		return t.Precision, 0
	case Timestamp, TimestampTZ:
		return t.Precision, 0
	case Varbinary:
		return 1073741824, 0
	}
	return 0, 0
}

func (t Type) isText() bool { return t.Kind == Varchar || t.Kind == Char }

func (t Type) isInteger() bool { return t.Kind >= Tinyint && t.Kind <= Bigint }

func (t Type) isFloat() bool { return t.Kind == Real || t.Kind == Double }

func (t Type) isNumber() bool { return t.Kind >= Tinyint && t.Kind <= Double }

func (t Type) isMoment() bool { return t.Kind == Date || t.Kind == Timestamp || t.Kind == TimestampTZ }

func (t Type) isNested() bool { return t.Kind >= Array }

func (t Type) equal(o Type) bool { return t.String() == o.String() }

// asDecimal is the decimal that holds all values of an integer type.
func (t Type) asDecimal() Type {
	switch t.Kind {
	case Tinyint:
		return Type{Kind: Decimal, Precision: 3}
	case Smallint:
		return Type{Kind: Decimal, Precision: 5}
	case Integer:
		return Type{Kind: Decimal, Precision: 10}
	case Bigint:
		return Type{Kind: Decimal, Precision: 19}
	}
	return t
}

// common is the type to which both can be converted without being asked to
// (https://trino.io/docs/current/language/types.html).
func common(a, b Type) (Type, bool) {
	switch {
	case a.Kind == Unknown:
		return b, true
	case b.Kind == Unknown:
		return a, true
	case a.equal(b):
		return a, true
	case a.isText() && b.isText():
		if a.Precision == 0 || b.Precision == 0 || a.Kind != b.Kind {
			return Type{Kind: Varchar}, true
		}
		return Type{Kind: a.Kind, Precision: max(a.Precision, b.Precision)}, true
	case a.isNumber() && b.isNumber():
		if a.Kind == Decimal && b.isInteger() || b.Kind == Decimal && a.isInteger() || a.Kind == Decimal && b.Kind == Decimal {
			a, b = a.asDecimal(), b.asDecimal()
			scale := max(a.Scale, b.Scale)
			return Type{Kind: Decimal, Precision: min(38, max(a.Precision-a.Scale, b.Precision-b.Scale)+scale), Scale: scale}, true
		}
		if a.Kind > b.Kind {
			return a, true
		}
		return b, true
	case a.isMoment() && b.isMoment():
		t := a
		if b.Kind > a.Kind {
			t = b
		}
		t.Precision = max(a.Precision, b.Precision)
		return t, true
	case a.Kind == Array && b.Kind == Array:
		of, ok := common(a.Of[0], b.Of[0])
		return Type{Kind: Array, Of: []Type{of}}, ok
	}
	return Type{}, false
}

// folded is the common type of all values; found is false, and at the place of the one that has none
// with those before it.
func folded(all []typed) (t Type, at int, found bool) {
	for i, x := range all {
		both, ok := common(t, x.t)
		if !ok {
			return t, i, false
		}
		t = both
	}
	return t, 0, true
}
