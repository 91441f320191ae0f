package rowfilter_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// Whatever is read is printed, read again as the same, and holds nothing that a person
// would not see. The first seeds are the examples of AWS's guide and of its command line.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"year > 2010 and country != 'US'", "(year > 2010 and country = 'US') or (month < 8 and id > 23)",
		"(country between 'Z' and 'U') and (year = 2018)", "(country like '%ited%') and (year > 2000)",
		"year > 2010 and customer.customerId <> 1", "p_promo_name='ese'", "TRUE", "customerId <> 5", "id >= 10000", "views >= 10000",
		`"first" = 'a' OR "order id" IN (1, 2)`, "NOT (weight < 0.1) AND note IS NOT NULL", "country = 'O''Neil'",
		"country = 'x'' OR country = ''y'", "id = 1 -- x", "id = 1 /* x */", "country = '\u2019'", "((((((((id = 1))))))))",
		"amount BETWEEN -1.50 AND 2", "active <> FALSE", "day = DATE '2026-01-01'", "\xff", "id = 1;",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := rowfilter.Parse(s)
		if err != nil {
			if !utf8.ValidString(err.Error()) || len(err.Error()) > 4*2048 {
				t.Errorf("%q: %q", s, err)
			}
			return
		}
		printed := e.String()
		again, err := rowfilter.Parse(printed)
		if len(printed) > 2047 && err != nil {
			return
		}
		if err != nil || again.String() != printed {
			t.Fatalf("%q: printed as %q, and read again as %v, %v", s, printed, again, err)
		}
		if strings.ContainsFunc(printed, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q has what is not seen", printed)
		}
		c, err := rowfilter.Read(s, sales)
		if err != nil {
			return
		}
		other, err := rowfilter.Read(c.String(), sales)
		if err != nil || !other.Equal(c) {
			t.Fatalf("%q: %v, %v", c, other, err)
		}
		if v := rowfilter.Narrower(c, other); v.Answer == rowfilter.No {
			t.Fatalf("%q is wider than itself: %s", c, v.Row)
		}
		if both, err := c.And(other); err != nil || !both.Equal(c) {
			t.Fatalf("%q and itself: %v, %v", c, both, err)
		}
	})
}
