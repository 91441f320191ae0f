package sqlite

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"modernc.org/sqlite"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena/dialect"
)

// Errors of functions reach the engine's caller as text only; these marks enclose them.
const mark = "\x01"

func encode(err error) error {
	var e *dialect.Error
	if errors.As(err, &e) {
		return errors.New(mark + e.Code + mark + e.Message + mark)
	}
	return err
}

func decode(text string) (*dialect.Error, bool) {
	parts := strings.Split(text, mark)
	if len(parts) < 4 {
		return nil, false
	}
	return &dialect.Error{Code: parts[1], Message: parts[2]}, true
}

func fault(code, format string, args ...any) error {
	return &dialect.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func lacking(format string, args ...any) error {
	return fault(dialect.CodeNotSupported, "%s is not in the local mesh", fmt.Sprintf(format, args...))
}

var errArgument = fault("INVALID_FUNCTION_ARGUMENT", "a function has an argument that it does not take")

// register makes the functions known that plans call. What fails within TRY is noted in t, which is
// nil where no plan has it.
func register(d *sqlite.Driver, t *tries) error {
	var failed error
	raw := func(name string, args int32, f func([]driver.Value) (driver.Value, error)) {
		err := d.RegisterFunction(prefix+name, &sqlite.FunctionImpl{NArgs: args, Deterministic: t == nil,
			Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (v driver.Value, err error) {
				defer func() {
					// A value that is of another type than the plan says fails the query, not the mesh.
					if p := recover(); p != nil {
						err = encode(errArgument)
					}
				}()
				if v, err = f(args); t.catches(err) {
					return nil, nil
				}
				if x, ok := v.(float64); ok && math.IsNaN(x) {
					return nil, encode(lacking("NaN"))
				}
				return v, encode(err)
			}})
		failed = errors.Join(failed, err)
	}
	// Most functions are NULL where an argument is.
	f := func(name string, args int32, f func([]driver.Value) (driver.Value, error)) {
		raw(name, args, func(args []driver.Value) (driver.Value, error) {
			for _, a := range args {
				if a == nil {
					return nil, nil
				}
			}
			return f(args)
		})
	}
	registerNumbers(f, raw)
	registerTexts(f, raw)
	registerMoments(f)
	registerNested(f)
	if t != nil {
		raw("try", 0, t.begin)
		raw("caught", 2, t.end)
	}
	for name, make := range aggregates() {
		args := int32(1)
		if strings.HasSuffix(name, "_by") || name == "percentile" {
			args = 2
		}
		failed = errors.Join(failed, d.RegisterFunction(prefix+name, &sqlite.FunctionImpl{NArgs: args, Deterministic: true,
			MakeAggregate: func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return make(), nil }}))
	}
	return failed
}

type registrar = func(name string, args int32, f func([]driver.Value) (driver.Value, error))

func real(v driver.Value) float64 {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	return v.(float64)
}

func words(v driver.Value) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return v.(string)
}

func truth(b bool) driver.Value {
	if b {
		return int64(1)
	}
	return int64(0)
}

var errZero = fault("DIVISION_BY_ZERO", "Division by zero")

func registerNumbers(f, raw registrar) {
	f("real", 1, func(a []driver.Value) (driver.Value, error) { return float64(float32(real(a[0]))), nil })
	whole := func(name string, failed error) {
		f(name, 1, func(a []driver.Value) (driver.Value, error) {
			if _, ok := a[0].(int64); !ok {
				return nil, failed
			}
			return a[0], nil
		})
	}
	whole("whole", fault("NUMERIC_VALUE_OUT_OF_RANGE", "bigint overflow"))
	whole("exact", lacking("a decimal of more than 18 digits"))
	f("within", 3, func(a []driver.Value) (driver.Value, error) {
		n, ok := a[0].(int64)
		if !ok || n < a[1].(int64) || n > a[2].(int64) {
			return nil, fault("NUMERIC_VALUE_OUT_OF_RANGE", "the result of an operation on whole numbers is out of the range of their type")
		}
		return n, nil
	})
	f("quotient", 2, func(a []driver.Value) (driver.Value, error) {
		x, y := a[0].(int64), a[1].(int64)
		switch {
		case y == 0:
			return nil, errZero
		case y == -1 && x == math.MinInt64:
			return nil, fault("NUMERIC_VALUE_OUT_OF_RANGE", "bigint division overflow")
		}
		return x / y, nil
	})
	f("remainder", 2, func(a []driver.Value) (driver.Value, error) {
		x, y := a[0].(int64), a[1].(int64)
		switch y {
		case 0:
			return nil, errZero
		case -1:
			return int64(0), nil
		}
		return x % y, nil
	})
	f("divide", 2, func(a []driver.Value) (driver.Value, error) { return real(a[0]) / real(a[1]), nil })
	f("modulus", 2, func(a []driver.Value) (driver.Value, error) { return math.Mod(real(a[0]), real(a[1])), nil })
	f("power", 2, func(a []driver.Value) (driver.Value, error) { return math.Pow(real(a[0]), real(a[1])), nil })
	f("log", 2, func(a []driver.Value) (driver.Value, error) { return math.Log(real(a[1])) / math.Log(real(a[0])), nil })
	f("math", 2, func(a []driver.Value) (driver.Value, error) {
		x := real(a[1])
		function := map[string]func(float64) float64{"sqrt": math.Sqrt, "exp": math.Exp, "ln": math.Log, "log2": math.Log2, "log10": math.Log10, "cbrt": math.Cbrt,
			"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "asin": math.Asin, "acos": math.Acos, "atan": math.Atan,
			"radians": func(x float64) float64 { return x / 180 * math.Pi }, "degrees": func(x float64) float64 { return x * 180 / math.Pi }}[words(a[0])]
		return function(x), nil
	})
	digits := func(round func(float64) float64) func([]driver.Value) (driver.Value, error) {
		return func(a []driver.Value) (driver.Value, error) {
			x, n := real(a[0]), a[1].(int64)
			if n == 0 {
				return round(x), nil
			}
			factor := math.Pow(10, float64(n))
			if scaled := x * factor; !math.IsInf(scaled, 0) {
				return round(scaled) / factor, nil
			}
			return x, nil
		}
	}
	f("round", 2, digits(math.Round))
	f("truncate", 2, digits(math.Trunc))
	f("ceil", 2, digits(math.Ceil))
	f("floor", 2, digits(math.Floor))
	f("decimal_divide", 3, func(a []driver.Value) (driver.Value, error) {
		x, y := a[0].(int64), a[1].(int64)
		if y == 0 {
			return nil, errZero
		}
		n := new(big.Int).Mul(big.NewInt(x), new(big.Int).Exp(big.NewInt(10), big.NewInt(a[2].(int64)), nil))
		return halfUp(n, big.NewInt(y))
	})
	for _, name := range []string{"round", "truncate", "ceil", "floor"} {
		f("decimal_"+name, 4, func(a []driver.Value) (driver.Value, error) {
			// The value, its scale, the digits that are kept, and whether the others go.
			x, scale, keep := a[0].(int64), a[1].(int64), a[2].(int64)
			if keep >= scale {
				return x, nil
			}
			if scale-keep > 18 {
				return int64(0), nil
			}
			step := int64(math.Pow10(int(scale - keep)))
			q, rest := x/step, x%step
			switch {
			case name == "round" && 2*max(rest, -rest) >= step:
				q += sign(x)
			case name == "ceil" && rest > 0, name == "floor" && rest < 0:
				q += sign(x)
			}
			if a[3].(int64) == 1 {
				return q, nil
			}
			return q * step, nil
		})
	}
	raw("second", 2, func(a []driver.Value) (driver.Value, error) { return a[1], nil })
	raw("single", 2, func(a []driver.Value) (driver.Value, error) {
		if a[0].(int64) > 1 {
			return nil, fault("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows")
		}
		return a[1], nil
	})
	cast := func(a []driver.Value) (driver.Value, error) {
		from, to := typeNamed(words(a[1])), typeNamed(words(a[2]))
		v, err := dialect.Cast(from, to, a[0])
		if err != nil {
			var own *dialect.Error
			if errors.As(err, &own) {
				return nil, err
			}
			if strings.Contains(err.Error(), "not in the local mesh") {
				return nil, fault(dialect.CodeNotSupported, "%v", err)
			}
			shown, _, _ := dialect.Format(from, a[0])
			return nil, fault("INVALID_CAST_ARGUMENT", "Cannot cast '%s' to %s", shown, strings.ToUpper(to.String()))
		}
		return v, nil
	}
	f("cast", 3, cast)
	f("try_cast", 3, func(a []driver.Value) (driver.Value, error) {
		v, err := cast(a)
		var e *dialect.Error
		if errors.As(err, &e) && e.Code != dialect.CodeNotSupported {
			return nil, nil
		}
		return v, err
	})
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

// halfUp divides whole numbers and rounds, half away from zero.
func halfUp(n, by *big.Int) (driver.Value, error) {
	q, rest := new(big.Int).QuoRem(n, by, new(big.Int))
	if new(big.Int).Lsh(new(big.Int).Abs(rest), 1).Cmp(new(big.Int).Abs(by)) >= 0 {
		q.Add(q, big.NewInt(int64(n.Sign()*by.Sign())))
	}
	if !q.IsInt64() {
		return nil, lacking("a decimal of more than 18 digits")
	}
	return q.Int64(), nil
}

var typeNames sync.Map

// typeNamed is a type by how [dialect.Type.String] writes it.
func typeNamed(s string) dialect.Type {
	if t, ok := typeNames.Load(s); ok {
		return t.(dialect.Type)
	}
	var t dialect.Type
	switch {
	case strings.HasSuffix(s, " with time zone"):
		t = dialect.Type{Kind: dialect.TimestampTZ, Precision: 3}
	default:
		t, _ = dialect.TypeOf(s)
	}
	typeNames.Store(s, t)
	return t
}

func registerTexts(f, raw registrar) {
	text := func(name string, g func(string) string) {
		f(name, 1, func(a []driver.Value) (driver.Value, error) { return g(words(a[0])), nil })
	}
	text("upper", strings.ToUpper)
	text("lower", strings.ToLower)
	text("reverse", func(s string) string {
		r := []rune(s)
		slices.Reverse(r)
		return string(r)
	})
	for name, trim := range map[string]func(string, string) string{"trim": strings.Trim, "ltrim": strings.TrimLeft, "rtrim": strings.TrimRight} {
		f(name, 2, func(a []driver.Value) (driver.Value, error) {
			if words(a[1]) == " " {
				side := map[string]func(string, func(rune) bool) string{"trim": strings.TrimFunc, "ltrim": strings.TrimLeftFunc, "rtrim": strings.TrimRightFunc}[name]
				return side(words(a[0]), unicode.IsSpace), nil
			}
			return trim(words(a[0]), words(a[1])), nil
		})
	}
	substr := func(a []driver.Value) (driver.Value, error) {
		r := []rune(words(a[0]))
		start := a[1].(int64)
		switch {
		case start == 0 || start > int64(len(r)) || -start > int64(len(r)):
			return "", nil
		case start < 0:
			start += int64(len(r)) + 1
		}
		end := int64(len(r))
		if len(a) > 2 && a[2] != nil {
			length := a[2].(int64)
			if length <= 0 {
				return "", nil
			}
			if length < end-start+1 {
				end = start - 1 + length
			}
		}
		return string(r[start-1 : end]), nil
	}
	raw("substr", 3, func(a []driver.Value) (driver.Value, error) {
		if a[0] == nil || a[1] == nil {
			return nil, nil
		}
		return substr(a[:2])
	})
	f("substr_length", 3, substr)
	f("replace", 3, func(a []driver.Value) (driver.Value, error) {
		return strings.ReplaceAll(words(a[0]), words(a[1]), words(a[2])), nil
	})
	f("split_part", 3, func(a []driver.Value) (driver.Value, error) {
		n := a[2].(int64)
		if n <= 0 || words(a[1]) == "" {
			return nil, fault("INVALID_FUNCTION_ARGUMENT", "Index must be greater than zero")
		}
		parts := strings.Split(words(a[0]), words(a[1]))
		if n > int64(len(parts)) {
			return nil, nil
		}
		return parts[n-1], nil
	})
	f("split", 2, func(a []driver.Value) (driver.Value, error) {
		if words(a[1]) == "" {
			return nil, fault("INVALID_FUNCTION_ARGUMENT", "The delimiter may not be the empty string")
		}
		b, err := json.Marshal(strings.Split(words(a[0]), words(a[1])))
		return string(b), err
	})
	f("strpos", 2, func(a []driver.Value) (driver.Value, error) {
		i := strings.Index(words(a[0]), words(a[1]))
		if i < 0 {
			return int64(0), nil
		}
		return int64(utf8.RuneCountInString(words(a[0])[:i])) + 1, nil
	})
	f("starts_with", 2, func(a []driver.Value) (driver.Value, error) {
		return truth(strings.HasPrefix(words(a[0]), words(a[1]))), nil
	})
	pad := func(left bool) func([]driver.Value) (driver.Value, error) {
		return func(a []driver.Value) (driver.Value, error) {
			r, size, with := []rune(words(a[0])), a[1].(int64), []rune(words(a[2]))
			if size < 0 || size > 1<<20 || len(with) == 0 {
				return nil, errArgument
			}
			if int64(len(r)) >= size {
				return string(r[:size]), nil
			}
			missing := int(size) - len(r)
			padding := []rune(strings.Repeat(string(with), missing/len(with)+1))[:missing]
			if left {
				return string(padding) + string(r), nil
			}
			return string(r) + string(padding), nil
		}
	}
	f("lpad", 3, pad(true))
	f("rpad", 3, pad(false))
	f("translate", 3, func(a []driver.Value) (driver.Value, error) {
		from, to := []rune(words(a[1])), []rune(words(a[2]))
		return strings.Map(func(r rune) rune {
			i := slices.Index(from, r)
			switch {
			case i < 0:
				return r
			case i < len(to):
				return to[i]
			}
			return -1
		}, words(a[0])), nil
	})
	f("chr", 1, func(a []driver.Value) (driver.Value, error) {
		n := a[0].(int64)
		if n < 0 || n > unicode.MaxRune {
			return nil, fault("INVALID_FUNCTION_ARGUMENT", "Not a valid Unicode code point: %d", n)
		}
		return string(rune(n)), nil
	})
	raw("concat_ws", -1, func(a []driver.Value) (driver.Value, error) {
		if a[0] == nil {
			return nil, nil
		}
		var parts []string
		for _, v := range a[1:] {
			if v != nil {
				parts = append(parts, words(v))
			}
		}
		return strings.Join(parts, words(a[0])), nil
	})
	f("from_utf8", 1, func(a []driver.Value) (driver.Value, error) { return strings.ToValidUTF8(words(a[0]), "\uFFFD"), nil })
	for name, sum := range map[string]func([]byte) []byte{
		"md5":    func(b []byte) []byte { s := md5.Sum(b); return s[:] },
		"sha1":   func(b []byte) []byte { s := sha1.Sum(b); return s[:] },
		"sha256": func(b []byte) []byte { s := sha256.Sum256(b); return s[:] },
		"sha512": func(b []byte) []byte { s := sha512.Sum512(b); return s[:] },
	} {
		f(name, 1, func(a []driver.Value) (driver.Value, error) { return sum([]byte(words(a[0]))), nil })
	}
	registerPatterns(f)
}

var patterns sync.Map

// maxPatterns bounds what is remembered of patterns.
const maxPatterns = 200

// pattern compiles a regular expression. Java's have more than Go's: what Go does not know is
// refused.
func pattern(s string) (*regexp.Regexp, error) {
	if r, ok := patterns.Load(s); ok {
		return r.(*regexp.Regexp), nil
	}
	r, err := regexp.Compile(s)
	if err != nil {
		return nil, lacking("the regular expression %q", s)
	}
	n := 0
	patterns.Range(func(any, any) bool { n++; return n < maxPatterns })
	if n < maxPatterns {
		patterns.Store(s, r)
	}
	return r, nil
}

func registerPatterns(f registrar) {
	f("regexp_like", 2, func(a []driver.Value) (driver.Value, error) {
		r, err := pattern(words(a[1]))
		if err != nil {
			return nil, err
		}
		return truth(r.MatchString(words(a[0]))), nil
	})
	f("regexp_extract", 3, func(a []driver.Value) (driver.Value, error) {
		r, err := pattern(words(a[1]))
		if err != nil {
			return nil, err
		}
		g := a[2].(int64)
		if g < 0 || g > int64(r.NumSubexp()) {
			return nil, fault("INVALID_FUNCTION_ARGUMENT", "Pattern has %d groups. Cannot access group %d", r.NumSubexp(), g)
		}
		m := r.FindStringSubmatchIndex(words(a[0]))
		if m == nil || m[2*g] < 0 {
			return nil, nil
		}
		return words(a[0])[m[2*g]:m[2*g+1]], nil
	})
	reference := regexp.MustCompile(`\$(\d)`)
	f("regexp_replace", 3, func(a []driver.Value) (driver.Value, error) {
		r, err := pattern(words(a[1]))
		if err != nil {
			return nil, err
		}
		with := words(a[2])
		if strings.Contains(with, `\`) || strings.Contains(reference.ReplaceAllString(with, ""), "$") {
			return nil, lacking("the replacement %q", with)
		}
		return r.ReplaceAllString(words(a[0]), reference.ReplaceAllString(with, "${$1}")), nil
	})
	f("json_extract_scalar", 2, func(a []driver.Value) (driver.Value, error) { return jsonScalar(words(a[0]), words(a[1])) })
}

var jsonPath = regexp.MustCompile(`^\$((\.[A-Za-z_][A-Za-z0-9_]*)|(\[\d+\])|(\["[^"]*"\]))*$`)
var jsonStep = regexp.MustCompile(`\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\["([^"]*)"\]`)

func jsonScalar(text, path string) (driver.Value, error) {
	if !jsonPath.MatchString(path) {
		return nil, lacking("the JSON path %q", path)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, nil
	}
	for _, step := range jsonStep.FindAllStringSubmatch(path, -1) {
		switch x := v.(type) {
		case map[string]any:
			v = x[step[1]+step[3]]
		case []any:
			i, err := strconv.Atoi(step[2])
			if err != nil || i >= len(x) {
				return nil, nil
			}
			v = x[i]
		default:
			return nil, nil
		}
	}
	switch x := v.(type) {
	case string:
		return x, nil
	case json.Number:
		return x.String(), nil
	case bool:
		return strconv.FormatBool(x), nil
	}
	return nil, nil
}

func registerNested(f registrar) {
	elements := func(v driver.Value) ([]json.RawMessage, error) {
		var list []json.RawMessage
		err := json.Unmarshal([]byte(words(v)), &list)
		return list, err
	}
	at := func(strict bool) func([]driver.Value) (driver.Value, error) {
		return func(a []driver.Value) (driver.Value, error) {
			list, err := elements(a[0])
			if err != nil {
				return nil, err
			}
			i := a[1].(int64)
			switch {
			case i == 0:
				return nil, fault("INVALID_FUNCTION_ARGUMENT", "SQL array indices start at 1")
			case i < 0 && strict:
				return nil, fault("INVALID_FUNCTION_ARGUMENT", "Array subscript is negative: %d", i)
			case i < 0:
				i += int64(len(list)) + 1
			}
			if i < 1 || i > int64(len(list)) {
				if strict {
					return nil, fault("INVALID_FUNCTION_ARGUMENT", "Array subscript must be less than or equal to array length: %d > %d", i, len(list))
				}
				return nil, nil
			}
			return plain(list[i-1])
		}
	}
	f("subscript", 2, at(true))
	f("element", 2, at(false))
	f("contains", 2, func(a []driver.Value) (driver.Value, error) {
		list, err := elements(a[0])
		if err != nil {
			return nil, err
		}
		null := false
		for _, e := range list {
			v, err := plain(e)
			if err != nil {
				return nil, err
			}
			null = null || v == nil
			if v == a[1] {
				return int64(1), nil
			}
		}
		if null {
			return nil, nil
		}
		return int64(0), nil
	})
	f("array_join", 2, func(a []driver.Value) (driver.Value, error) {
		var list []*string
		if err := json.Unmarshal([]byte(words(a[0])), &list); err != nil {
			return nil, err
		}
		var parts []string
		for _, s := range list {
			if s != nil {
				parts = append(parts, *s)
			}
		}
		return strings.Join(parts, words(a[1])), nil
	})
	f("lookup", 3, func(a []driver.Value) (driver.Value, error) {
		var pairs [][]json.RawMessage
		if err := json.Unmarshal([]byte(words(a[0])), &pairs); err != nil {
			return nil, err
		}
		for _, p := range pairs {
			if k, err := plain(p[0]); err == nil && k == a[1] {
				return plain(p[1])
			}
		}
		if a[2].(int64) == 1 {
			return nil, fault("INVALID_FUNCTION_ARGUMENT", "Key not present in map")
		}
		return nil, nil
	})
}

// plain is a value within a nested one, as the engine has it by itself.
func plain(raw json.RawMessage) (driver.Value, error) {
	text := strings.TrimSpace(string(raw))
	switch {
	case text == "null":
		return nil, nil
	case strings.HasPrefix(text, "["):
		return text, nil
	case strings.HasPrefix(text, `"`):
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case strings.ContainsAny(text, ".eE"):
		return strconv.ParseFloat(text, 64)
	}
	return strconv.ParseInt(text, 10, 64)
}
