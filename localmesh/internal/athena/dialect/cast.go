package dialect

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds are the least and the greatest number of an integer type.
func Bounds(t Type) (bits int, low, high int64, ok bool) {
	switch t.Kind {
	case Tinyint:
		return 8, math.MinInt8, math.MaxInt8, true
	case Smallint:
		return 16, math.MinInt16, math.MaxInt16, true
	case Integer:
		return 32, math.MinInt32, math.MaxInt32, true
	case Bigint:
		return 64, math.MinInt64, math.MaxInt64, true
	}
	return 0, 0, 0, false
}

// castable reports whether CAST converts one type to another
// (https://trino.io/docs/current/functions/conversion.html).
func castable(from, to Type) bool {
	plain := func(t Type) bool { return t.isNumber() || t.Kind == Boolean }
	switch {
	case from.isText() && to.isText():
		return true
	case from.isText():
		return plain(to) || to.Kind == Date || to.Kind == Timestamp
	case to.Kind == Varchar:
		return plain(from) || from.isMoment()
	case to.Kind == Char:
		return false
	case plain(from):
		return plain(to)
	case from.isMoment():
		return to.isMoment()
	}
	return false
}

var errCast = errors.New("the value cannot be cast")

// Cast converts a value of the engine from one type to another.
func Cast(from, to Type, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if to.isText() {
		s, _, err := Format(from, v)
		if to.Precision > 0 && utf8.RuneCountInString(s) > to.Precision {
			if !from.isText() {
				return nil, errCast
			}
			s = string([]rune(s)[:to.Precision])
		}
		return s, err
	}
	switch x := v.(type) {
	case string:
		return fromText(to, x)
	case []byte:
		return fromText(to, string(x))
	case int64:
		return fromWhole(from, to, x)
	case float64:
		return fromFloat(to, x)
	case bool:
		return v, nil
	}
	return nil, errCast
}

func fromText(to Type, s string) (any, error) {
	trimmed := strings.TrimSpace(s)
	switch {
	case to.isInteger():
		bits, _, _, _ := Bounds(to)
		n, err := strconv.ParseInt(trimmed, 10, bits)
		if err != nil {
			return nil, errCast
		}
		return n, nil
	case to.isFloat():
		if strings.ContainsAny(trimmed, "xXpP_") {
			return nil, errCast
		}
		bits := 64
		if to.Kind == Real {
			bits = 32
		}
		f, err := strconv.ParseFloat(trimmed, bits)
		if err != nil && !math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, errCast
		}
		return f, nil
	case to.Kind == Boolean:
		switch strings.ToLower(s) {
		case "true", "t", "1":
			return int64(1), nil
		case "false", "f", "0":
			return int64(0), nil
		}
		return nil, errCast
	case to.Kind == Decimal:
		if strings.ContainsAny(trimmed, "/xXpP_") {
			return nil, errCast
		}
		r, ok := new(big.Rat).SetString(trimmed)
		if !ok {
			return nil, errCast
		}
		return decimalOf(to, r)
	case to.Kind == Date:
		t, err := time.Parse("2006-1-2", trimmed)
		if err != nil {
			return nil, errCast
		}
		return t.Unix() / 86400, nil
	case to.Kind == Timestamp:
		for _, layout := range []string{"2006-1-2 15:4:5.999999999", "2006-1-2 15:4", "2006-1-2"} {
			if t, err := time.Parse(layout, trimmed); err == nil {
				return rounded(t.UnixMicro(), to.Precision), nil
			}
		}
	}
	return nil, errCast
}

// rounded is a time in microseconds with so many digits after the seconds.
func rounded(micros int64, digits int) int64 {
	step := int64(1)
	for ; digits < 6; digits++ {
		step *= 10
	}
	return int64(math.Floor(float64(micros)/float64(step)+0.5)) * step
}

var ten = big.NewInt(10)

// decimalOf rounds a number to a decimal, half away from zero.
func decimalOf(to Type, r *big.Rat) (any, error) {
	scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(ten, big.NewInt(int64(to.Scale)), nil)))
	n, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	if rest.Abs(rest).Lsh(rest, 1).Cmp(scaled.Denom()) >= 0 {
		n.Add(n, big.NewInt(int64(scaled.Sign())))
	}
	if new(big.Int).Abs(n).Cmp(new(big.Int).Exp(ten, big.NewInt(int64(to.Precision)), nil)) >= 0 {
		return nil, errCast
	}
	if !n.IsInt64() {
		return nil, errLong
	}
	return n.Int64(), nil
}

var errLong = errors.New("a decimal of more than 18 digits is not in the local mesh")

func rational(t Type, n int64) *big.Rat {
	r := new(big.Rat).SetInt64(n)
	return r.Quo(r, new(big.Rat).SetInt(new(big.Int).Exp(ten, big.NewInt(int64(t.Scale)), nil)))
}

func fromWhole(from, to Type, n int64) (any, error) {
	if from.isMoment() {
		switch {
		case from.Kind == Date && to.Kind != Date:
			return n * 86_400_000_000, nil
		case from.Kind != Date && to.Kind == Date:
			return floorDivide(n, 86_400_000_000), nil
		}
		return rounded(n, to.Precision), nil
	}
	switch {
	case to.Kind == Boolean:
		if n == 0 {
			return int64(0), nil
		}
		return int64(1), nil
	case to.isInteger() && from.Kind == Decimal:
		v, err := decimalOf(Type{Kind: Decimal, Precision: 38}, rational(from, n))
		if err != nil {
			return nil, err
		}
		return inBounds(to, v.(int64))
	case to.isInteger():
		return inBounds(to, n)
	case to.isFloat():
		f, _ := rational(from, n).Float64()
		if to.Kind == Real {
			f = float64(float32(f))
		}
		return f, nil
	case to.Kind == Decimal:
		return decimalOf(to, rational(from, n))
	}
	return nil, errCast
}

func floorDivide(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

func inBounds(to Type, n int64) (any, error) {
	if _, low, high, _ := Bounds(to); n < low || n > high {
		return nil, errCast
	}
	return n, nil
}

func fromFloat(to Type, f float64) (any, error) {
	switch {
	case to.Kind == Boolean:
		if f == 0 {
			return int64(0), nil
		}
		return int64(1), nil
	case to.Kind == Real:
		return float64(float32(f)), nil
	case to.Kind == Double:
		return f, nil
	case to.isInteger():
		r := math.Floor(f + 0.5)
		if r >= math.MaxInt64 || r < math.MinInt64 {
			return nil, errCast
		}
		return inBounds(to, int64(r))
	case to.Kind == Decimal:
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, errCast
		}
		r, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'f', -1, 64))
		return decimalOf(to, r)
	}
	return nil, errCast
}

// Format writes a value of the engine as Athena's results have it.
func Format(t Type, v any) (s string, null bool, err error) {
	switch x := v.(type) {
	case nil:
		return "", true, nil
	case string:
		if t.isNested() {
			return formatNested(t, x)
		}
		if t.Kind == Char && t.Precision > 0 {
			return x + strings.Repeat(" ", max(0, t.Precision-utf8.RuneCountInString(x))), false, nil
		}
		return x, false, nil
	case []byte:
		if t.Kind != Varbinary {
			return string(x), false, nil
		}
		var pairs []string
		for _, b := range x {
			pairs = append(pairs, hex.EncodeToString([]byte{b}))
		}
		return strings.Join(pairs, " "), false, nil
	case float64:
		if !t.isFloat() {
			return "", false, &Error{Code: "NUMERIC_VALUE_OUT_OF_RANGE", Message: "a number is too large for the type " + t.String() + " or, being of more than 18 digits, for the local mesh"}
		}
		return formatFloat(x, t.Kind == Real), false, nil
	case int64:
		return formatWhole(t, x)
	case bool:
		return strconv.FormatBool(x), false, nil
	}
	return "", false, fmt.Errorf("a value of the engine of the unexpected type %T", v)
}

func formatWhole(t Type, n int64) (string, bool, error) {
	switch t.Kind {
	case Boolean:
		return strconv.FormatBool(n != 0), false, nil
	case Date:
		return time.Unix(n*86400, 0).UTC().Format("2006-01-02"), false, nil
	case Timestamp, TimestampTZ:
		layout := "2006-01-02 15:04:05"
		if t.Precision > 0 {
			layout += "." + strings.Repeat("0", t.Precision)
		}
		s := time.UnixMicro(n).UTC().Format(layout)
		if t.Kind == TimestampTZ {
			s += " UTC"
		}
		return s, false, nil
	case Decimal:
		return formatDecimal(n, t.Scale), false, nil
	case Real, Double:
		return formatFloat(float64(n), t.Kind == Real), false, nil
	case DayInterval:
		sign := ""
		if n < 0 {
			sign, n = "-", -n
		}
		milliseconds := n / 1000
		return fmt.Sprintf("%s%d %02d:%02d:%02d.%03d", sign, milliseconds/86_400_000, milliseconds/3_600_000%24, milliseconds/60_000%60, milliseconds/1000%60, milliseconds%1000), false, nil
	case YearInterval:
		sign := ""
		if n < 0 {
			sign, n = "-", -n
		}
		return fmt.Sprintf("%s%d-%d", sign, n/12, n%12), false, nil
	}
	if _, low, high, ok := Bounds(t); ok && (n < low || n > high) {
		return "", false, &Error{Code: "NUMERIC_VALUE_OUT_OF_RANGE", Message: fmt.Sprintf("%s overflow", t)}
	}
	return strconv.FormatInt(n, 10), false, nil
}

func formatDecimal(n int64, scale int) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if scale == 0 {
		return sign + s
	}
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	return sign + s[:len(s)-scale] + "." + s[len(s)-scale:]
}

// formatFloat writes a number as Java does: with a digit after the point, and with an exponent
// where the number is below 0.001 or 10,000,000 and more.
func formatFloat(f float64, short bool) string {
	bits := 64
	if short {
		bits = 32
	}
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	if abs := math.Abs(f); abs >= 1e-3 && abs < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, bits), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}

// formatNested writes an array, a map or a row, which the engine has as JSON.
func formatNested(t Type, s string) (string, bool, error) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", false, fmt.Errorf("a nested value: %w", err)
	}
	out, err := nested(t, v)
	return out, false, err
}

func nested(t Type, v any) (string, error) {
	switch x := v.(type) {
	case nil:
		return "null", nil
	case bool:
		return strconv.FormatBool(x), nil
	case string:
		return x, nil
	case json.Number:
		if t.isFloat() {
			f, err := x.Float64()
			return formatFloat(f, t.Kind == Real), err
		}
		n, err := x.Int64()
		if err != nil {
			return "", fmt.Errorf("a nested value: %w", err)
		}
		out, _, err := formatWhole(t, n)
		return out, err
	case []any:
		return nestedList(t, x)
	}
	return "", errCast
}

func nestedList(t Type, list []any) (string, error) {
	var words []string
	for i, v := range list {
		var word string
		var err error
		switch t.Kind {
		case Row:
			if i < len(t.Of) {
				word, err = nested(t.Of[i], v)
				word = t.Names[i] + "=" + word
			}
		case Map:
			pair, ok := v.([]any)
			if !ok || len(pair) != 2 {
				return "", errCast
			}
			var value string
			if word, err = nested(t.Of[0], pair[0]); err == nil {
				value, err = nested(t.Of[1], pair[1])
			}
			word += "=" + value
		case Array:
			word, err = nested(t.Of[0], v)
		default:
			return "", errCast
		}
		if err != nil {
			return "", err
		}
		words = append(words, word)
	}
	if t.Kind == Array {
		return "[" + strings.Join(words, ", ") + "]", nil
	}
	return "{" + strings.Join(words, ", ") + "}", nil
}
