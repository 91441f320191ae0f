package rowfilter_test

import (
	"fmt"
	"log"

	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// A consumer asks for some rows of a table, and an approver gives fewer.
func Example() {
	orders := rowfilter.Table{
		Columns:       []rowfilter.Column{{Name: "country", Type: "string"}, {Name: "amount", Type: "decimal(10,2)"}},
		PartitionKeys: []rowfilter.Column{{Name: "year", Type: "int"}},
	}
	asked, err := rowfilter.Read("year >= 2020 and (Country = 'FR' or country in ('DE'))", orders)
	if err != nil {
		log.Fatal(err)
	}
	narrowing, err := rowfilter.Read("amount < 100", orders)
	if err != nil {
		log.Fatal(err)
	}
	given, err := asked.And(narrowing)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("asked:", asked)
	fmt.Println("given:", given)
	fmt.Println("given is narrower:", rowfilter.Narrower(given, asked).Answer)
	back := rowfilter.Narrower(asked, given)
	fmt.Println("asked is narrower:", back.Answer, "for", back.Row)

	_, err = rowfilter.Read("year >= 2020 AND contry = 'FR'", orders)
	fmt.Println(err)
	// Output:
	// asked: country IN ('DE', 'FR') AND year >= 2020
	// given: amount < 100 AND country IN ('DE', 'FR') AND year >= 2020
	// given is narrower: yes
	// asked is narrower: no for amount = 100, country = 'DE', year = 2020
	// row condition, at character 18: there is no column contry (is it country?)
}
