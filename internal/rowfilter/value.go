package rowfilter

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Value is a value of a column in a row. The zero value is NULL.
type Value struct {
	kind   valueKind
	text   string
	number *big.Rat
	float  float64
	truth  bool
}

type valueKind int

const (
	null valueKind = iota
	textValue
	numberValue
	floatValue
	boolValue
)

// TextValue is a value of a STRING, CHAR or VARCHAR.
func TextValue(s string) Value { return Value{kind: textValue, text: s} }

// IntValue is a value of an INT or BIGINT, or a whole one of a DECIMAL.
func IntValue(n int64) Value { return Value{kind: numberValue, number: new(big.Rat).SetInt64(n)} }

// FloatValue is a value of a FLOAT or DOUBLE.
func FloatValue(f float64) Value { return Value{kind: floatValue, float: f} }

// BoolValue is a value of a BOOLEAN.
func BoolValue(b bool) Value { return Value{kind: boolValue, truth: b} }

// IsNull reports whether the value is NULL.
func (v Value) IsNull() bool { return v.kind == null }

// ParseValue reads a value of a type as text files have it.
func ParseValue(t Type, s string) (Value, error) {
	bad := func() (Value, error) {
		return Value{}, refuse(ErrType, Position{}, "", "%q is no value of the type %s", short(s), short(t.Name))
	}
	switch {
	case t.isText():
		return TextValue(s), nil
	case t.isFloat():
		bits := 64
		if t.Kind == Float {
			bits = 32
		}
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), bits); err == nil {
			return FloatValue(f), nil
		}
	case t.isNumber():
		s = strings.TrimSpace(s)
		if digits := strings.TrimPrefix(s, "-"); digits != "" && len(digits) <= 2*maxPrecision && strings.Trim(digits, "0123456789.") == "" {
			if r, ok := new(big.Rat).SetString(s); ok && t.fits(r) {
				return Value{kind: numberValue, number: r}, nil
			}
		}
	case t.Kind == Bool:
		if b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(s))); err == nil {
			return BoolValue(b), nil
		}
	}
	return bad()
}

// String prints the value as a constant, or as what has none: NULL, NaN.
func (v Value) String() string {
	switch v.kind {
	case textValue:
		return Constant{Kind: Text, Text: v.text}.String()
	case numberValue:
		return decimal(v.number)
	case floatValue:
		return strconv.FormatFloat(v.float, 'f', -1, 64)
	case boolValue:
		return strings.ToUpper(strconv.FormatBool(v.truth))
	}
	return "NULL"
}

// decimal prints a number that has an end, without zeros there.
func decimal(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}

// is reports whether a value is one of a type. NULL is one of each.
func (v Value) is(t Type) bool {
	switch v.kind {
	case textValue:
		return t.isText()
	case numberValue:
		return t.isNumber() && !t.isFloat()
	case floatValue:
		return t.isFloat()
	case boolValue:
		return t.Kind == Bool
	}
	return true
}

// compare compares two values of one kind, none of them NaN. Strings are compared by
// code points, as Athena and Redshift do; the blanks that fill a CHAR mean nothing.
func (t Type) compare(a, b Value) int {
	switch a.kind {
	case textValue:
		if t.Kind == Char {
			return strings.Compare(strings.TrimRight(a.text, " "), strings.TrimRight(b.text, " "))
		}
		return strings.Compare(a.text, b.text)
	case numberValue:
		return a.number.Cmp(b.number)
	case floatValue:
		return cmp.Compare(a.float, b.float)
	}
	switch {
	case a.truth == b.truth:
		return 0
	case b.truth:
		return -1
	}
	return 1
}

// fits reports whether a number is a value of an INT, BIGINT or DECIMAL.
func (t Type) fits(r *big.Rat) bool {
	least, most, _ := t.bounds()
	digits, exact := r.FloatPrec()
	return exact && digits <= t.Scale && r.Cmp(least) >= 0 && r.Cmp(most) <= 0
}

// bounds are the least and the greatest value of an INT, BIGINT or DECIMAL, and what lies
// between two values that are next to each other.
func (t Type) bounds() (least, most, unit *big.Rat) {
	switch t.Kind {
	case Int:
		return rat(math.MinInt32), rat(math.MaxInt32), rat(1)
	case Bigint:
		return rat(math.MinInt64), rat(math.MaxInt64), rat(1)
	}
	ten := big.NewInt(10)
	unit = new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(ten, big.NewInt(int64(t.Scale)), nil))
	all := new(big.Rat).SetInt(new(big.Int).Sub(new(big.Int).Exp(ten, big.NewInt(int64(t.Precision)), nil), big.NewInt(1)))
	most = all.Mul(all, unit)
	return new(big.Rat).Neg(most), most, unit
}

func rat(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

// constant types a constant: the value, and the constant as it is printed.
func (t Type) constant(column string, c Constant) (Constant, Value, error) {
	bad := func(hint, format string, args ...any) (Constant, Value, error) {
		return c, Value{}, refuse(ErrType, c.At, hint, format, args...)
	}
	switch {
	case t.isText():
		if c.Kind != Text {
			return bad("a string stands in single quotes", "%s is no string, and the column %s is a %s", c.Text, column, t.Name)
		}
		if strings.HasSuffix(c.Text, " ") {
			return bad("for some engines such blanks mean nothing, and for others they do", "the string %s ends with a blank", c)
		}
		if t.Length > 0 && utf8.RuneCountInString(c.Text) > t.Length {
			return bad("", "the string %s is longer than the column %s, a %s", c, column, t.Name)
		}
		return c, TextValue(c.Text), nil
	case t.Kind == Bool:
		if c.Kind != Boolean {
			return bad("TRUE or FALSE", "%s is no boolean, and the column %s is one", c, column)
		}
		return c, BoolValue(c.Text == "TRUE"), nil
	}
	if c.Kind != Number {
		return bad("a number has no quotes", "%s is no number, and the column %s is of the type %s", c, column, t.Name)
	}
	if digits := strings.Replace(strings.TrimLeft(c.Text, "-0"), ".", "", 1); len(digits) > maxPrecision {
		return bad("", "a number of more than %d digits", maxPrecision)
	}
	r, ok := new(big.Rat).SetString(c.Text)
	if !ok {
		return bad("", "%s is no number", c)
	}
	v := Value{kind: numberValue, number: r}
	switch {
	case t.isFloat():
		f, exact := r.Float64()
		if t.Kind == Float && (!exact || float64(float32(f)) != f) {
			return bad("engines compare it in different ways; 0.5 and 0.125 are such values, 0.1 is none",
				"%s is not exactly a value of the column %s, a %s", c.Text, column, t.Name)
		}
		if f == 0 {
			// Not -0, which equals it.
			f = 0
		}
		v = FloatValue(f)
	case !t.fits(r):
		return bad("", "%s is not a value of the column %s, of the type %s", c.Text, column, t.Name)
	}
	return Constant{Kind: Number, Text: v.String(), At: c.At}, v, nil
}

// A Row has the values of a row by column: the name as [Path.String] prints it in a
// condition, such as country or customer.customerId. What is missing is NULL.
type Row map[string]Value

// String prints the row in the order of its columns.
func (r Row) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, fmt.Sprintf("%s = %s", name, r[name]))
	}
	return strings.Join(parts, ", ")
}
