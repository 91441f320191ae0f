package rowfilter_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

func TestNamesWithoutQuotesAreFolded(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`COUNTRY = 'DE' and (Amount < 1 OR not Customer.Zip IN ('A'))`: `country = 'DE' AND (amount < 1 OR NOT (customer.zip IN ('A')))`,
		`"Country" LIKE 'D%'`:                `"Country" LIKE 'D%'`,
		`A BETWEEN 1 AND 2 OR B IS NOT NULL`: `(a BETWEEN 1 AND 2) OR b IS NOT NULL`,
		`TRUE`:                               `TRUE`,
	} {
		e, err := rowfilter.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := rowfilter.Fold(e).String()
		if got != want {
			t.Errorf("%s is folded to %s, want %s", text, got, want)
		}
		if again, err := rowfilter.Parse(got); err != nil || rowfilter.Fold(again).String() != got {
			t.Errorf("%s, read again, is %v, %v", got, again, err)
		}
	}
}
