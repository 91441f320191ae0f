package value

import (
	"math/big"
	"strconv"
	"strings"
)

// Limits of a number: 38 significant digits, 1E-130 to 9.99...E+125.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number
const (
	maxDigits = 38
	maxPlace  = 125
	minPlace  = -130
)

const (
	tooPrecise = "Attempting to store more than 38 significant digits in a Number"
	tooLarge   = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	tooSmall   = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	notNumeric = "The parameter cannot be converted to a numeric value"
)

// Number is an exact decimal: 0.digits times ten to the power of exp. The
// digits have neither leading nor trailing zeros, so equal numbers have equal
// representations; zero has no digits.
type Number struct {
	negative bool
	digits   string
	exp      int
}

// ParseNumber reads a decimal number, with or without an exponent.
func ParseNumber(text string) (Number, error) {
	if text == "" {
		return Number{}, &Error{notNumeric}
	}
	refused := func() (Number, error) { return Number{}, &Error{notNumeric + ": " + text} }
	var n Number
	rest := text
	switch rest[0] {
	case '-':
		n.negative = true
		rest = rest[1:]
	case '+':
		rest = rest[1:]
	}
	mantissa, power, hasPower := cutExponent(rest)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return refused()
	}
	digits := whole
	if fraction != "" {
		digits = whole + fraction
	}
	significant := strings.TrimLeft(digits, "0")
	n.exp = len(whole) - (len(digits) - len(significant))
	n.digits = strings.TrimRight(significant, "0")
	if hasPower {
		unsigned := strings.TrimLeft(power, "+-")
		if unsigned == "" || len(power)-len(unsigned) > 1 || !allDigits(unsigned) {
			return refused()
		}
		shift, err := strconv.Atoi(power)
		if err != nil || shift > 1<<20 || shift < -1<<20 {
			// Beyond any range that could be brought back by the mantissa.
			shift = 1 << 30
			if power[0] == '-' {
				shift = -shift
			}
		}
		n.exp += shift
	}
	return n.checked()
}

func cutExponent(text string) (mantissa, power string, found bool) {
	i := strings.IndexAny(text, "eE")
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

func (n Number) checked() (Number, error) {
	switch {
	case n.digits == "":
		return Number{}, nil
	case len(n.digits) > maxDigits:
		return Number{}, &Error{tooPrecise}
	case n.exp-1 > maxPlace:
		return Number{}, &Error{tooLarge}
	case n.exp-1 < minPlace:
		return Number{}, &Error{tooSmall}
	}
	return n, nil
}

// String prints the number as DynamoDB does: plain, without an exponent and
// without superfluous zeros.
func (n Number) String() string {
	if n.digits == "" {
		return "0"
	}
	var b strings.Builder
	if n.negative {
		b.WriteByte('-')
	}
	switch {
	case n.exp <= 0:
		b.WriteString("0.")
		b.WriteString(strings.Repeat("0", -n.exp))
		b.WriteString(n.digits)
	case n.exp >= len(n.digits):
		b.WriteString(n.digits)
		b.WriteString(strings.Repeat("0", n.exp-len(n.digits)))
	default:
		b.WriteString(n.digits[:n.exp])
		b.WriteByte('.')
		b.WriteString(n.digits[n.exp:])
	}
	return b.String()
}

// Compare is negative when n is less than m, positive when it is greater.
func (n Number) Compare(m Number) int {
	if s, t := n.sign(), m.sign(); s != t {
		return s - t
	}
	c := n.exp - m.exp
	if c == 0 {
		c = strings.Compare(n.digits, m.digits)
	}
	if n.negative {
		return -c
	}
	return c
}

func (n Number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	}
	return 1
}

// Add gives n + m, and refuses a sum that no number can hold exactly.
func (n Number) Add(m Number) (Number, error) {
	if n.digits == "" {
		return m, nil
	}
	if m.digits == "" {
		return n, nil
	}
	// The place of the last digit of each; the sum is taken at the lower one.
	last := min(n.exp-len(n.digits), m.exp-len(m.digits))
	sum := new(big.Int).Add(n.scaled(last), m.scaled(last))
	negative := sum.Sign() < 0
	digits := sum.Abs(sum).String()
	if digits == "0" {
		return Number{}, nil
	}
	return Number{
		negative: negative,
		digits:   strings.TrimRight(digits, "0"),
		exp:      len(digits) + last,
	}.checked()
}

// Subtract gives n - m, and refuses a difference that no number can hold exactly.
func (n Number) Subtract(m Number) (Number, error) {
	m.negative = !m.negative
	if m.digits == "" {
		m.negative = false
	}
	return n.Add(m)
}

// scaled is the number as a multiple of ten to the power of place.
func (n Number) scaled(place int) *big.Int {
	digits := n.digits + strings.Repeat("0", n.exp-len(n.digits)-place)
	// The digits are digits: SetString cannot fail.
	i, _ := new(big.Int).SetString(digits, 10)
	if n.negative {
		i.Neg(i)
	}
	return i
}

// size is what a number counts towards the size of an item: one byte, and one for
// two significant digits, where those before the point and those after it are counted
// apart. The documentation says only "approximately"; this is what the limit of an
// item's size shows.
func (n Number) size() int {
	whole := min(max(n.exp, 0), len(n.digits))
	size := 1 + (whole+1)/2 + (len(n.digits)-whole+1)/2
	if n.negative {
		size++
	}
	return size
}
