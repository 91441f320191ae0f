package value_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

func parse(t testing.TB, wire string) value.Value {
	t.Helper()
	var v value.Value
	if err := json.Unmarshal([]byte(wire), &v); err != nil {
		t.Fatalf("%s: %v", wire, err)
	}
	return v
}

func TestNumbersAreNormalised(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0":                                      "0",
		"-0.000":                                 "0",
		"0e500":                                  "0",
		"007":                                    "7",
		"+1.50":                                  "1.5",
		".5":                                     "0.5",
		"5.":                                     "5",
		"1e3":                                    "1000",
		"1.25E-2":                                "0.0125",
		"-12300":                                 "-12300",
		"0.00012300":                             "0.000123",
		"123.456e2":                              "12345.6",
		"1E-130":                                 "0." + strings.Repeat("0", 129) + "1",
		"1e125":                                  "1" + strings.Repeat("0", 125),
		"000.1e1":                                "1",
		"12345678901234567890123456789012345678": "12345678901234567890123456789012345678",
	} {
		n, err := value.ParseNumber(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if n.String() != want {
			t.Errorf("%s is printed as %s, want %s", text, n, want)
		}
	}
}

func TestNumbersAreRefused(t *testing.T) {
	t.Parallel()
	const (
		precise   = "Attempting to store more than 38 significant digits in a Number"
		overflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
		numeric   = "The parameter cannot be converted to a numeric value"
	)
	for text, want := range map[string]string{
		"":      numeric,
		"abc":   numeric + ": abc",
		"1e":    numeric + ": 1e",
		"1e+-2": numeric + ": 1e+-2",
		"--1":   numeric + ": --1",
		"1.2.3": numeric + ": 1.2.3",
		".":     numeric + ": .",
		"NaN":   numeric + ": NaN",
		"0x10":  numeric + ": 0x10",
		//nolint:gocritic // The white space is what is tested.
		" 1":                       numeric + ":  1",
		"1e126":                    overflow,
		"-1e126":                   overflow,
		"1e-131":                   underflow,
		"1e999999999999999999999":  overflow,
		"1e-999999999999999999999": underflow,
		"123456789012345678901234567890123456789": precise,
	} {
		_, err := value.ParseNumber(text)
		var refused *value.Error
		if !errors.As(err, &refused) || refused.Message != want {
			t.Errorf("%q is refused with %v, want %s", text, err, want)
		}
	}
}

// numbers draws numbers of at most 18 digits, so that sums stay exact.
func numbers(t *rapid.T, label string) value.Number {
	text := rapid.StringMatching(`-?[0-9]{1,9}(\.[0-9]{1,9})?(e-?[0-9])?`).Draw(t, label)
	n, err := value.ParseNumber(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func rational(t *rapid.T, n value.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		t.Fatalf("%s is not a number", n)
	}
	return r
}

func TestArithmeticIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, m := numbers(t, "n"), numbers(t, "m")
		a, b := rational(t, n), rational(t, m)
		sum, err := n.Add(m)
		if err != nil {
			t.Fatal(err)
		}
		difference, err := n.Subtract(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := rational(t, sum), new(big.Rat).Add(a, b); got.Cmp(want) != 0 {
			t.Fatalf("%s + %s = %s", n, m, sum)
		}
		if got, want := rational(t, difference), new(big.Rat).Sub(a, b); got.Cmp(want) != 0 {
			t.Fatalf("%s - %s = %s", n, m, difference)
		}
		if got, want := sign(n.Compare(m)), a.Cmp(b); got != want {
			t.Fatalf("compare %s with %s: %d, want %d", n, m, got, want)
		}
	})
}

func sign(i int) int {
	switch {
	case i < 0:
		return -1
	case i > 0:
		return 1
	}
	return 0
}

func TestSumBeyondPrecisionIsRefused(t *testing.T) {
	t.Parallel()
	large, err := value.ParseNumber("1e40")
	if err != nil {
		t.Fatal(err)
	}
	small, err := value.ParseNumber("0.1")
	if err != nil {
		t.Fatal(err)
	}
	var refused *value.Error
	if _, err := large.Add(small); !errors.As(err, &refused) {
		t.Fatalf("the sum needs 42 digits, got %v", err)
	}
}

func TestKeyOrderIsValueOrder(t *testing.T) {
	t.Parallel()
	kinds := map[string]func(*rapid.T, string) value.Value{
		"numbers": func(t *rapid.T, label string) value.Value { return value.OfNumber(numbers(t, label)) },
		"strings": func(t *rapid.T, label string) value.Value {
			return value.Of(rapid.StringMatching(`[a\x00\x01b]{0,6}`).Draw(t, label))
		},
		"binaries": func(t *rapid.T, label string) value.Value {
			return value.OfBytes(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0xfe, 0xff}), 0, 6).Draw(t, label))
		},
	}
	for name, draw := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				v, w := draw(t, "v"), draw(t, "w")
				want, ok := v.Compare(w)
				if !ok {
					t.Fatal("values of one type have an order")
				}
				// What follows a key must not change the order of keys.
				tail := rapid.SliceOfN(rapid.Byte(), 0, 3)
				a := append(v.AppendKey(nil), tail.Draw(t, "tail of v")...)
				b := append(w.AppendKey(nil), tail.Draw(t, "tail of w")...)
				if got := bytes.Compare(a, b); want != 0 && got != sign(want) {
					t.Fatalf("%x and %x compare %d, want %d", a, b, got, sign(want))
				}
				if !bytes.HasPrefix(v.AppendKey(nil), v.AppendKeyPrefix(nil)) && v.Type() != value.Numeric {
					t.Fatal("the prefix of a key is no prefix of it")
				}
			})
		})
	}
}

func TestWireForm(t *testing.T) {
	t.Parallel()
	for _, wire := range []string{
		`{"S":""}`, `{"S":"a\"b\\c\nd\u0001é"}`, `{"N":"12.5"}`, `{"B":"AAH/"}`, `{"BOOL":true}`, `{"BOOL":false}`,
		`{"NULL":true}`, `{"L":[]}`, `{"L":[{"S":"a"},{"L":[{"N":"1"}]}]}`, `{"M":{}}`,
		`{"M":{"a":{"M":{"b":{"S":"c"}}},"z":{"NULL":true}}}`, `{"SS":["a","b"]}`, `{"NS":["-1","2","10"]}`,
		`{"BS":["AA==","AQ=="]}`,
	} {
		data, err := json.Marshal(parse(t, wire))
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(wire)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(compact.String(), string(data)); diff != "" {
			t.Error(diff)
		}
	}
	if v, want := parse(t, `{"NULL":false}`), parse(t, `{"NULL":true}`); !v.Equal(want) {
		t.Errorf("a null that is false becomes %s", v.AppendJSON(nil))
	}
	if v := parse(t, ` { "unknown" : [ {"a": 1.5e3}, null ] , "S" : "x" , "N" : null } `); v.Text() != "x" {
		t.Errorf("unknown and absent members are to be passed over, got %q", v.Text())
	}
}

func TestWireFormIsRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"L":[`, 33) + strings.Repeat(`]}`, 33)
	for wire, want := range map[string]string{
		`{}`:                     "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
		`{"X":"a"}`:              "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
		`{"S":"a","N":"1"}`:      "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
		`{"SS":[]}`:              "One or more parameter values were invalid: An string set  may not be empty",
		`{"NS":[]}`:              "One or more parameter values were invalid: An number set  may not be empty",
		`{"BS":[]}`:              "One or more parameter values were invalid: Binary sets should not be empty",
		`{"SS":["a","b","a"]}`:   "One or more parameter values were invalid: Input collection [a, b, a] contains duplicates.",
		`{"NS":["1","1.0"]}`:     "Input collection contains duplicates",
		`{"BS":["AA==","AA=="]}`: "One or more parameter values were invalid: Input collection [AA==, AA==]of type BS contains duplicates.",
		`{"N":"x"}`:              "The parameter cannot be converted to a numeric value: x",
		`{"L":[{"M":{"a":{}}}]}`: "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
		deep:                     "Nesting Levels have exceeded supported limits",
	} {
		var v value.Value
		err := json.Unmarshal([]byte(wire), &v)
		var refused *value.Error
		if !errors.As(err, &refused) || refused.Message != want {
			t.Errorf("%s is refused with %v, want %s", wire, err, want)
		}
	}
	for _, wire := range []string{`{"S":1}`, `{"N":1}`, `{"B":"%"}`, `{"BOOL":"true"}`, `{"L":{}}`, `{"M":[]}`, `"S"`, `[]`, `{"SS":"a"}`} {
		var v value.Value
		err := json.Unmarshal([]byte(wire), &v)
		var malformed *value.WireError
		if !errors.As(err, &malformed) {
			t.Errorf("%s is refused with %v, want a WireError", wire, err)
		}
	}
}

func TestEquality(t *testing.T) {
	t.Parallel()
	same := [][2]string{
		{`{"N":"1.0"}`, `{"N":"1"}`},
		{`{"SS":["a","b"]}`, `{"SS":["b","a"]}`},
		{`{"NS":["1","2"]}`, `{"NS":["2.0","1e0"]}`},
		{`{"M":{"a":{"S":"x"},"b":{"L":[{"N":"1"}]}}}`, `{"M":{"b":{"L":[{"N":"01"}]},"a":{"S":"x"}}}`},
	}
	for _, pair := range same {
		if !parse(t, pair[0]).Equal(parse(t, pair[1])) {
			t.Errorf("%s and %s are the same", pair[0], pair[1])
		}
	}
	different := [][2]string{
		{`{"N":"1"}`, `{"S":"1"}`}, {`{"S":"a"}`, `{"B":"YQ=="}`}, {`{"BOOL":true}`, `{"BOOL":false}`},
		{`{"L":[{"S":"a"},{"S":"b"}]}`, `{"L":[{"S":"b"},{"S":"a"}]}`}, {`{"M":{"a":{"S":"x"}}}`, `{"M":{"b":{"S":"x"}}}`},
		{`{"L":[]}`, `{"M":{}}`}, {`{"SS":["1"]}`, `{"NS":["1"]}`},
	}
	for _, pair := range different {
		if parse(t, pair[0]).Equal(parse(t, pair[1])) {
			t.Errorf("%s and %s are not the same", pair[0], pair[1])
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for wire, want := range map[string]int{
		`{"a":{"S":"hello"}}`:          6,
		`{"é":{"S":"é"}}`:              4,
		`{"a":{"N":"123"}}`:            4,
		`{"a":{"BOOL":true}}`:          2,
		`{"a":{"NULL":true}}`:          2,
		`{"a":{"B":"AAEC"}}`:           4,
		`{"a":{"L":[{"S":"xy"}]}}`:     1 + 3 + 1 + 2,
		`{"a":{"M":{"k":{"S":"xy"}}}}`: 1 + 3 + 1 + 1 + 2,
		`{"a":{"SS":["ab","c"]}}`:      4,
	} {
		var item value.Item
		if err := json.Unmarshal([]byte(wire), &item); err != nil {
			t.Fatal(err)
		}
		if got := item.Size(); got != want {
			t.Errorf("%s has size %d, want %d", wire, got, want)
		}
	}
}

func FuzzWireForm(f *testing.F) {
	for _, seed := range []string{`{"S":"a"}`, `{"M":{"a":{"L":[{"N":"1e5"}]}}}`, `{"NS":["1","2"]}`, `{"S":"\ud800"}`, `{"B":"AA=="}`, `{"x":[1,{}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var v value.Value
		if err := v.UnmarshalJSON(wire); err != nil {
			var refused *value.Error
			var malformed *value.WireError
			if !errors.As(err, &refused) && !errors.As(err, &malformed) {
				t.Fatalf("%q is refused with %T", wire, err)
			}
			return
		}
		if v.IsZero() {
			return
		}
		data := v.AppendJSON(nil)
		if !json.Valid(data) {
			t.Fatalf("%q becomes %q, which is not JSON", wire, data)
		}
		var again value.Value
		if err := again.UnmarshalJSON(data); err != nil {
			t.Fatalf("%q becomes %q, which is refused: %v", wire, data, err)
		}
		if !v.Equal(again) {
			t.Fatalf("%q becomes %q, which is another value", wire, data)
		}
	})
}
