package rowfilter_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh/internal/rowfilter"
)

// sales has a column of each type, and the columns of the guide's examples.
var sales = rowfilter.Table{
	Columns: []rowfilter.Column{
		{"country", "string"}, {"id", "bigint"}, {"amount", "decimal(10,2)"}, {"quantity", "int"}, {"active", "boolean"},
		{"weight", "double"}, {"ratio", "float"}, {"code", "char(5)"}, {"note", "varchar(10)"}, {"first", "string"},
		{"order id", "int"}, {"day", "date"}, {"at", "timestamp"}, {"tags", "array<string>"}, {"small", "smallint"},
		{"customer", "struct<customerId:int,address:struct<zip:string,lines:array<string>>,Twice:int,twice:int,`last`:string>"},
		{"wörter", "string"}, {"longs", "long"}, {"money", "decimal"}, {"Mixed", "string"}, {"raw", "binary"},
	},
	PartitionKeys: []rowfilter.Column{{"year", "int"}, {"month", "int"}},
}

func TestRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		// The examples of https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html.
		"year > 2010 and country != 'US'":                             "country <> 'US' AND year > 2010",
		"(year > 2010 and country = 'US') or (month < 8 and id > 23)": "(country = 'US' AND year > 2010) OR (id > 23 AND month < 8)",
		"(country between 'Z' and 'U') and (year = 2018)":             "country <= 'U' AND country >= 'Z' AND year = 2018",
		"(country like '%ited%') and (year > 2000)":                   "country LIKE '%ited%' AND year > 2000",
		"year > 2010 and customer.customerId <> 1":                    "customer.customerId <> 1 AND year > 2010",
		"id >= 10000": "id >= 10000",
		"TRUE":        "TRUE",
		" true\r\n":   "TRUE",

		"COUNTRY = 'DE'":                                 "country = 'DE'",
		`"country"='DE'`:                                 "country = 'DE'",
		`"first" = 'a'`:                                  `"first" = 'a'`,
		`"order id" = 1`:                                 `"order id" = 1`,
		`"wörter" = 'ü'`:                                 `"wörter" = 'ü'`,
		"mixed = 'a'":                                    "Mixed = 'a'",
		`"Mixed" = 'a'`:                                  "Mixed = 'a'",
		"customer.CUSTOMERID = 1":                        "customer.customerId = 1",
		"customer.address.zip = '1'":                     "customer.address.zip = '1'",
		`customer."last" = 'x'`:                          `customer."last" = 'x'`,
		"country = 'O''Neil'":                            "country = 'O''Neil'",
		"country = ''":                                   "country = ''",
		"country IN ('b', 'a', 'b')":                     "country IN ('a', 'b')",
		"country IN ('b')":                               "country = 'b'",
		"country NOT IN ('b')":                           "country <> 'b'",
		"country = 'b' OR country IN ('a') OR id = 1":    "country IN ('a', 'b') OR id = 1",
		"country <> 'b' AND NOT country IN ('a', 'c')":   "country NOT IN ('a', 'b', 'c')",
		"country = 'a' AND country = 'b'":                "country = 'a' AND country = 'b'",
		"id BETWEEN 1 AND 5":                             "id <= 5 AND id >= 1",
		"id NOT BETWEEN 1 AND 5":                         "id < 1 OR id > 5",
		"NOT (id = 1 OR NOT active = TRUE)":              "active = TRUE AND id <> 1",
		"NOT NOT id = 1":                                 "id = 1",
		"NOT weight < 5":                                 "NOT (weight < 5)",
		"NOT (weight = 5 AND weight BETWEEN 1 AND 2.50)": "NOT (weight <= 2.5) OR NOT (weight >= 1) OR weight <> 5",
		"NOT country IS NULL":                            "country IS NOT NULL",
		"country not like 'a_'":                          "country NOT LIKE 'a_'",
		"id = 1 OR id = 1":                               "id = 1",
		"((id = 1)) AND ((id > 0))":                      "id = 1 AND id > 0",
		"id = 1 AND quantity = 2 OR active = FALSE":      "active = FALSE OR (id = 1 AND quantity = 2)",
		"id=-5":                          "id = -5",
		"id = 5.0":                       "id = 5",
		"id = -0":                        "id = 0",
		"id = 007":                       "id = 7",
		"amount < 100":                   "amount < 100",
		"amount < 100.50":                "amount < 100.5",
		"amount = -0.01":                 "amount = -0.01",
		"weight < 0.1":                   "weight < 0.1",
		"weight < 0.1000000000000000055": "weight < 0.1",
		"weight = -0.0":                  "weight = 0",
		"ratio < 0.125":                  "ratio < 0.125",
		"code LIKE 'ab%'":                "code LIKE 'ab%'",
		"longs = 9223372036854775807":    "longs = 9223372036854775807",
		"money = 1":                      "money = 1",
		"year IN (2018,2019)":            "year IN (2018, 2019)",
		"country = '東京' OR country = 'עברית'": "country IN ('עברית', '東京')",
		"customer . customerId = 1":           "customer.customerId = 1",
		"active = true AND active <> False":   "active <> FALSE AND active = TRUE",
	} {
		c, err := rowfilter.Read(text, sales)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c.String() != want {
			t.Errorf("%s: %s, want %s", text, c, want)
		}
		again, err := rowfilter.Read(c.String(), sales)
		if err != nil || !again.Equal(c) || again.String() != c.String() {
			t.Errorf("%s: read again as %v, %v", c, again, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	const deep = 40
	for text, want := range map[string]struct {
		kind error
		at   int
		says string
	}{
		"":                                       {rowfilter.ErrSyntax, 1, "it is empty"},
		"  ":                                     {rowfilter.ErrSyntax, 3, "it is empty"},
		strings.Repeat(" ", 2048):                {rowfilter.ErrTooLong, 0, "2048 bytes"},
		"FALSE":                                  {rowfilter.ErrSyntax, 1, "FALSE, expected a column"},
		"TRUE AND id = 1":                        {rowfilter.ErrSyntax, 1, "TRUE, expected a column"},
		"id = 1 OR TRUE":                         {rowfilter.ErrSyntax, 11, "TRUE, expected a column"},
		"(TRUE)":                                 {rowfilter.ErrSyntax, 2, "TRUE, expected a column"},
		"active":                                 {rowfilter.ErrSyntax, 7, "the end, expected a comparison"},
		"NOT active":                             {rowfilter.ErrSyntax, 11, "the end, expected a comparison"},
		"5 < id":                                 {rowfilter.ErrSyntax, 1, "the column stands before"},
		"'DE' = country":                         {rowfilter.ErrSyntax, 1, "the column stands before"},
		"1 = 1":                                  {rowfilter.ErrSyntax, 1, "expected a column"},
		"id = quantity":                          {rowfilter.ErrSyntax, 6, "columns are not compared with columns"},
		`country = "DE"`:                         {rowfilter.ErrSyntax, 11, "single quotes"},
		"id = NULL":                              {rowfilter.ErrSyntax, 6, "IS NULL"},
		"id IN (1, NULL)":                        {rowfilter.ErrSyntax, 11, "nothing equals NULL"},
		"id IS MISSING":                          {rowfilter.ErrSyntax, 7, "MISSING, expected NULL"},
		"id IS TRUE":                             {rowfilter.ErrSyntax, 7, "expected NULL"},
		"id IN ()":                               {rowfilter.ErrSyntax, 8, "), expected a constant"},
		"id IN (1":                               {rowfilter.ErrSyntax, 9, "a comma or )"},
		"id IN 1":                                {rowfilter.ErrSyntax, 7, "expected ("},
		"id IN (SELECT id FROM t)":               {rowfilter.ErrSyntax, 8, "expected a constant"},
		"id = 1 id = 2":                          {rowfilter.ErrSyntax, 8, "id, expected AND, OR or the end"},
		"(id = 1":                                {rowfilter.ErrSyntax, 8, "the end, expected AND, OR or )"},
		"id = 1)":                                {rowfilter.ErrSyntax, 7, "), expected AND, OR or the end"},
		"id BETWEEN 1 OR 2":                      {rowfilter.ErrSyntax, 14, "the other end of BETWEEN"},
		"id NOT = 1":                             {rowfilter.ErrSyntax, 8, "expected BETWEEN, IN or LIKE"},
		"id = 1 -- all of it":                    {rowfilter.ErrSyntax, 8, "there are no comments"},
		"id = --1":                               {rowfilter.ErrSyntax, 6, "there are no comments"},
		"id = 1 /* or */ OR id > 0":              {rowfilter.ErrSyntax, 8, "there are no comments"},
		"id = 1; id = 2":                         {rowfilter.ErrSyntax, 7, "there is one condition"},
		"id = `1`":                               {rowfilter.ErrSyntax, 6, "` is not allowed"},
		"id == 1":                                {rowfilter.ErrSyntax, 4, "equality is ="},
		"id + 1 = 2":                             {rowfilter.ErrSyntax, 4, "no arithmetic"},
		"id = 1 - 1":                             {rowfilter.ErrSyntax, 8, "- without a number"},
		"id = 1 -1":                              {rowfilter.ErrSyntax, 8, "no arithmetic"},
		"id = - 1":                               {rowfilter.ErrSyntax, 6, "- without a number"},
		"id = +1":                                {rowfilter.ErrSyntax, 6, "+ is not allowed"},
		"id = 1e5":                               {rowfilter.ErrSyntax, 6, "1e5 is not a number"},
		"id = 0x1F":                              {rowfilter.ErrSyntax, 6, "0x1F is not a number"},
		"amount = 1.":                            {rowfilter.ErrSyntax, 10, "ends with a point"},
		"amount = .5":                            {rowfilter.ErrSyntax, 10, "write 0.5"},
		"amount = 1.2.3":                         {rowfilter.ErrSyntax, 10, "1.2.3 is not a number"},
		"UPPER(country) = 'DE'":                  {rowfilter.ErrSyntax, 1, "there are no functions"},
		"mine(country) = 'DE'":                   {rowfilter.ErrSyntax, 1, "there are no functions"},
		"CAST(id AS string) = '1'":               {rowfilter.ErrSyntax, 1, "there are no functions"},
		"country = lower('DE')":                  {rowfilter.ErrSyntax, 11, "there are no functions"},
		"tags[0] = 'a'":                          {rowfilter.ErrSyntax, 5, "elements of arrays"},
		"country = ?":                            {rowfilter.ErrSyntax, 11, "no parameters"},
		"country = 'DE":                          {rowfilter.ErrSyntax, 11, "never closed"},
		`"country = 'DE'`:                        {rowfilter.ErrSyntax, 1, "never closed"},
		"first = 'a'":                            {rowfilter.ErrSyntax, 1, `a column of this name is "first"`},
		"id = 1 AND last = 2":                    {rowfilter.ErrSyntax, 12, "the keyword LAST"},
		"country LIKE country":                   {rowfilter.ErrSyntax, 14, "a pattern in single quotes"},
		`country LIKE 'a\_'`:                     {rowfilter.ErrSyntax, 14, "a backslash"},
		"country LIKE 'a!_' ESCAPE '!'":          {rowfilter.ErrSyntax, 20, "no ESCAPE"},
		`"" = 'a'`:                               {rowfilter.ErrSyntax, 1, "a name in double quotes that is empty"},
		`"customer.customerId" = 1`:              {rowfilter.ErrSyntax, 1, "a dot"},
		strings.Repeat("(", deep) + "id = 1":     {rowfilter.ErrTooLong, 34, "nested more than 32 deep"},
		strings.Repeat("NOT ", deep) + "id = 1":  {rowfilter.ErrTooLong, 133, "nested more than 32 deep"},
		"a.b.c.d.e.f = 1":                        {rowfilter.ErrTooLong, 1, "nested more than 5 deep"},
		"at > TIMESTAMP '2026-05-01 00:00:00'":   {rowfilter.ErrSyntax, 1, "the keyword AT"},
		`"at" > TIMESTAMP '2026-05-01 00:00:00'`: {rowfilter.ErrType, 8, "no TIMESTAMP"},
		"day = DATE '2026-05-01'":                {rowfilter.ErrType, 7, "no DATE"},

		// What a reader does not see, or takes for something else.
		"country = 'D\x00E'":                          {rowfilter.ErrSyntax, 13, "U+0000"},
		"country = 'D\nE'":                            {rowfilter.ErrSyntax, 13, "U+000A"},
		"country = 'D\u202eE'":                        {rowfilter.ErrSyntax, 13, "U+202E"},
		"country = 'D\u200bE'":                        {rowfilter.ErrSyntax, 13, "U+200B"},
		"country = 'D\u00a0E'":                        {rowfilter.ErrSyntax, 13, "U+00A0"},
		"country = 'D\u3164E'":                        {rowfilter.ErrSyntax, 13, "U+3164"},
		"country = 'D\u2800E'":                        {rowfilter.ErrSyntax, 13, "U+2800"},
		"country = 'D\ufe0fE'":                        {rowfilter.ErrSyntax, 13, "U+FE0F"},
		"country = 'D\U000e0041E'":                    {rowfilter.ErrSyntax, 13, "U+E0041"},
		"country = 'D\ue000E'":                        {rowfilter.ErrSyntax, 13, "U+E000"},
		"country = 'D\xffE'":                          {rowfilter.ErrSyntax, 13, "UTF-8"},
		"country = '\u0301E'":                         {rowfilter.ErrSyntax, 12, "changes how the quote"},
		"country <> 'x\u2019 AND country = \u2019DE'": {rowfilter.ErrSyntax, 14, "U+2019"},
		"country = 'x\uff07'":                         {rowfilter.ErrSyntax, 13, "U+FF07"},
		"country = \u2018DE\u2019":                    {rowfilter.ErrSyntax, 11, "a quote is '"},
		"country = 'x'' OR country = ''y'":            {rowfilter.ErrSyntax, 12, "more than a string"},
		"country = 'x''OR country LIKE''y'":           {rowfilter.ErrSyntax, 12, "the keyword OR"},
		"country = '''DE'":                            {rowfilter.ErrSyntax, 12, "more than a string"},
		"country\u00a0= 'DE'":                         {rowfilter.ErrSyntax, 8, "U+00A0"},
		"country = 'DE'\x1b[2K":                       {rowfilter.ErrSyntax, 15, "U+001B"},
		"country = 'DE' \x00":                         {rowfilter.ErrSyntax, 16, "U+0000"},
		"соuntry = 'DE'":                              {rowfilter.ErrSyntax, 1, "U+0441"},
		"country = 'DE' ОR id = 1":                    {rowfilter.ErrSyntax, 16, "U+041E"},
		"id ＝ 1":                                      {rowfilter.ErrSyntax, 4, "U+FF1D"},
		"id = １":                                      {rowfilter.ErrSyntax, 6, "U+FF11"},
		"country = 'ü' AND x = 1":                     {rowfilter.ErrColumn, 19, "no column x"},

		// Columns and types.
		"contry = 'DE'":                       {rowfilter.ErrColumn, 1, "is it country?"},
		"unheard = 'DE'":                      {rowfilter.ErrColumn, 1, "there is country, id,"},
		`"Country" = 'DE'`:                    {rowfilter.ErrColumn, 1, "its name is country"},
		"customer.customerid2 = 1":            {rowfilter.ErrColumn, 1, "is it customerId?"},
		"customer.twice = 1":                  {rowfilter.ErrColumn, 1, "can be"},
		`customer."twice" = 1`:                {rowfilter.ErrColumn, 1, "can be"},
		"customer = 1":                        {rowfilter.ErrType, 1, "customer.customerId"},
		"customer IS NULL":                    {rowfilter.ErrType, 1, "is a struct"},
		"country.x = 1":                       {rowfilter.ErrType, 1, "has no field x"},
		"year.x = 1":                          {rowfilter.ErrType, 1, "is a partition key"},
		"day = '2026-05-01'":                  {rowfilter.ErrType, 1, "of the type date"},
		`"at" > '2026-05-01 00:00:00'`:        {rowfilter.ErrType, 1, "of the type timestamp"},
		"tags = 'a'":                          {rowfilter.ErrType, 1, "array<string>"},
		"tags IS NULL":                        {rowfilter.ErrType, 1, "array<string>"},
		"raw = 'a'":                           {rowfilter.ErrType, 1, "binary"},
		"small = 1":                           {rowfilter.ErrType, 1, "smallint"},
		"customer.address.lines = 'a'":        {rowfilter.ErrType, 1, "array<string>"},
		"year IS NOT NULL":                    {rowfilter.ErrType, 1, "is a partition key"},
		"country = 5":                         {rowfilter.ErrType, 11, "5 is no string"},
		"country = TRUE":                      {rowfilter.ErrType, 11, "TRUE is no string"},
		"country = 'DE '":                     {rowfilter.ErrType, 11, "ends with a blank"},
		"country > ''":                        {rowfilter.ErrType, 11, "the empty string"},
		"country BETWEEN 'A' AND ''":          {rowfilter.ErrType, 25, "the empty string"},
		"country LIKE 'DE '":                  {rowfilter.ErrType, 14, "ends with a blank"},
		"id = '5'":                            {rowfilter.ErrType, 6, "'5' is no number"},
		"id = 5.5":                            {rowfilter.ErrType, 6, "5.5 is not a value"},
		"quantity = 2147483648":               {rowfilter.ErrType, 12, "2147483648 is not a value"},
		"id = 9223372036854775808":            {rowfilter.ErrType, 6, "is not a value"},
		"amount = 1.005":                      {rowfilter.ErrType, 10, "1.005 is not a value"},
		"amount = 100000000":                  {rowfilter.ErrType, 10, "is not a value"},
		"money = 1.5":                         {rowfilter.ErrType, 9, "is not a value"},
		"ratio = 0.1":                         {rowfilter.ErrType, 9, "not exactly"},
		"ratio = " + strings.Repeat("9", 38):  {rowfilter.ErrType, 9, "not exactly"},
		"weight = " + strings.Repeat("9", 39): {rowfilter.ErrType, 10, "38 digits"},
		"weight = 0." + strings.Repeat("0", 38) + "1": {rowfilter.ErrType, 10, "38 digits"},
		"active = 1":                   {rowfilter.ErrType, 10, "1 is no boolean"},
		"active > FALSE":               {rowfilter.ErrType, 10, "> of a boolean"},
		"active BETWEEN TRUE AND TRUE": {rowfilter.ErrType, 16, "BETWEEN of a boolean"},
		"id LIKE '1%'":                 {rowfilter.ErrType, 9, "LIKE is for strings"},
		"code = 'abcdef'":              {rowfilter.ErrType, 8, "longer than"},
		"note = 'abcdefghijk'":         {rowfilter.ErrType, 8, "longer than"},
		"code LIKE 'a_'":               {rowfilter.ErrType, 11, "filled up with blanks"},
		"code LIKE '%a'":               {rowfilter.ErrType, 11, "filled up with blanks"},
		"code LIKE 'a %'":              {rowfilter.ErrType, 11, "filled up with blanks"},
		"country IN ('a', 'b', 5)":     {rowfilter.ErrType, 23, "5 is no string"},
		"id BETWEEN 1 AND 'b'":         {rowfilter.ErrType, 18, "'b' is no number"},
		manyBetweens():                 {rowfilter.ErrTooLong, 0, "its normal form has"},
	} {
		_, err := rowfilter.Read(text, sales)
		var e *rowfilter.Error
		if !errors.As(err, &e) || !errors.Is(err, want.kind) {
			t.Errorf("%.80q: %v, want %v", text, err, want.kind)
			continue
		}
		if e.At.Character != want.at || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%.80q: %v, want it at %d with %q", text, err, want.at, want.says)
		}
		if e.At.Character > 0 && utf8.RuneCountInString(text[:e.At.Byte])+1 != e.At.Character {
			t.Errorf("%.80q: byte %d is not character %d", text, e.At.Byte, e.At.Character)
		}
		if strings.ContainsAny(err.Error(), "\x00\n\x1b\u202e") {
			t.Errorf("%.80q: the error has what a terminal obeys", text)
		}
	}
}

// manyBetweens is a condition that fits, and of which the normal form does not.
func manyBetweens() string {
	var all []string
	for i := range 45 {
		all = append(all, fmt.Sprintf("customer.customerId BETWEEN %d AND 1%d", i, i))
	}
	return strings.Join(all, " OR ")
}

func TestTablesThatAreRefused(t *testing.T) {
	t.Parallel()
	table := rowfilter.Table{Columns: []rowfilter.Column{{"id", "int"}}, PartitionKeys: []rowfilter.Column{{"XMIN", "int"}}}
	if _, err := rowfilter.Read("id = 1", table); !errors.Is(err, rowfilter.ErrTable) {
		t.Error(err)
	}
	if _, err := rowfilter.Read("TRUE", table); err != nil {
		t.Error(err)
	}
	for name, columns := range map[string][]rowfilter.Column{
		"a name twice":      {{"id", "int"}, {"id", "int"}},
		"two cases":         {{"id", "int"}, {"ID", "int"}},
		"a sign like a k":   {{"k", "int"}, {"\u212a", "int"}},
		"only like a k":     {{"\u212a", "int"}},
		"no column":         nil,
		"not what it seems": {{"\u0456d", "int"}},
	} {
		for _, text := range []string{"id = 1", "k = 1"} {
			if strings.Contains(name, "like a k") != (text[0] == 'k') {
				continue
			}
			if _, err := rowfilter.Read(text, rowfilter.Table{Columns: columns}); !errors.Is(err, rowfilter.ErrColumn) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestParseType(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rowfilter.Type{
		"STRING":          {Kind: rowfilter.String},
		" int ":           {Kind: rowfilter.Int},
		"integer":         {Kind: rowfilter.Int},
		"Decimal(10, 2)":  {Kind: rowfilter.Decimal, Precision: 10, Scale: 2},
		"decimal(5)":      {Kind: rowfilter.Decimal, Precision: 5},
		"decimal":         {Kind: rowfilter.Decimal, Precision: 10},
		"varchar(3)":      {Kind: rowfilter.Varchar, Length: 3},
		"char":            {Kind: rowfilter.Char},
		"decimal(2,3)":    {},
		"decimal(39,3)":   {},
		"decimal(-1)":     {},
		"decimal()":       {},
		"decimal(1,2,3)":  {},
		"varchar(0)":      {},
		"varchar(1":       {},
		"varchar<1>":      {},
		"int(3)":          {},
		"struct<>":        {},
		"struct<a>":       {},
		"struct<a:int>>":  {},
		"struct<a:int>,":  {},
		"struct(a:int)":   {},
		"map<int,string>": {},
		"":                {},
		"tinyint":         {},
		strings.Repeat("struct<a:", 40) + "int" + strings.Repeat(">", 40): {Kind: rowfilter.Struct},
		strings.Repeat("x", 200000):                                       {},
	} {
		got := rowfilter.ParseType(text)
		got.Name, got.Fields = "", nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%.40q: %+v, want %+v", text, got, want)
		}
	}
	nested := rowfilter.ParseType("struct<a:decimal(3,1), `b c` : map<int,struct<x:int>>>")
	if len(nested.Fields) != 2 || nested.Fields[0].Name != "a" || nested.Fields[0].Type.Scale != 1 || nested.Fields[1].Name != "b c" || nested.Fields[1].Type.Kind != rowfilter.Other {
		t.Errorf("%+v", nested)
	}
}
