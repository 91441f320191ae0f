package parts_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/parts"
)

// lake is a table with what lakes have in one: names of all kinds, types that conditions cannot
// be on, and columns of an earlier schema.
func lake() parts.Schema {
	column := func(name, typ string) types.Column {
		return types.Column{Name: aws.String(name), Type: aws.String(typ)}
	}
	past := column("ssn", "string")
	past.Parameters = map[string]string{"iceberg.field.current": "false", "iceberg.field.id": "3"}
	current := column("social", "string")
	current.Parameters = map[string]string{"iceberg.field.current": "true", "iceberg.field.id": "3"}
	columns := []types.Column{
		column("id", "bigint"), column("country", "string"), column("amount", "decimal(38,10)"), column("born", "date"), column("CustomerID", "int"), column("order", "string"),
		column("a b", "string"), column("a.b", "string"), column("größe", "double"), column("x", "int"), column("X", "int"), column("address", "struct<street:string,zip:int>"),
		column(`"address"."street"`, "string"), column(strings.Repeat("l", 256), "string"), column(strings.Repeat("長", 100), "string"), column(" lead", "string"), column("both", "string"), current, past,
	}
	return parts.Of("sales", &types.Table{Name: aws.String("people"), StorageDescriptor: &types.StorageDescriptor{Columns: columns},
		PartitionKeys: []types.Column{column("day", "string"), column("both", "string")}})
}

// What is said of columns as people say it, of a table as lakes have it: what is wrong is told
// with the table and the column.
func TestColumnsAsLakesHaveThem(t *testing.T) {
	t.Parallel()
	// These cannot be named in a list, so that who leaves out some leaves out these, too.
	hard := []string{`"address"."street"`, strings.Repeat("l", 256)}
	for name, c := range map[string]struct {
		columns, except []string
		// wrong are words of the error; none if it is right.
		wrong []string
	}{
		"as the table has them":                      {columns: []string{"id", "a b", "a.b", "größe"}},
		"in other cases":                             {columns: []string{"ID", "customerid", "GRÖßE"}},
		"many bytes, few characters":                 {columns: []string{strings.Repeat("長", 100)}},
		"a blank before it":                          {columns: []string{" lead"}},
		"a key beside a column":                      {columns: []string{"id", "day"}},
		"a column of an earlier schema":              {columns: []string{"id", "ssn"}, wrong: []string{"sales.people", "ssn", "earlier schema"}},
		"a column of an earlier schema, left out":    {except: append([]string{"ssn"}, hard...), wrong: []string{"sales.people", "ssn", "earlier schema"}},
		"two names that differ in case":              {columns: []string{"x"}, wrong: []string{"sales.people", "x or X"}},
		"two names that differ in case, left out":    {except: append([]string{"x"}, hard...)},
		"a column that is a key, too":                {columns: []string{"both"}, wrong: []string{"sales.people", "partition key"}},
		"a column that is a key, too, left out":      {except: append([]string{"both"}, hard...), wrong: []string{"sales.people", "both", "partition key"}},
		"a name like a field's":                      {columns: []string{"id", `"address"."street"`}, wrong: []string{"sales.people", `"address"."street"`, "field"}},
		"a name like a field's, not left out":        {except: []string{"address", hard[1]}, wrong: []string{"sales.people", `"address"."street"`, "leave it out"}},
		"a name too long for a list":                 {columns: []string{"id", strings.Repeat("l", 256)}, wrong: []string{"255"}},
		"a name too long for a list, not left out":   {except: []string{"id", hard[0]}, wrong: []string{"sales.people", "255", "leave it out"}},
		"a field with a dot":                         {columns: []string{"address.street"}, wrong: []string{"sales.people", "address.street", "name address"}},
		"a name in quotes":                           {columns: []string{`"id"`}, wrong: []string{"sales.people", `"id"`, "is it id?"}},
		"a slip":                                     {columns: []string{"cuontry"}, wrong: []string{"sales.people", "cuontry", "is it country?"}},
		"nothing but blanks":                         {columns: []string{"  "}, wrong: []string{"Columns"}},
		"a character that is not seen":               {columns: []string{"country\u200b"}, wrong: []string{`\u200b`, "is it country?"}},
		"all that is not a key":                      {except: []string{"nothing"}, wrong: []string{"sales.people", "nothing"}},
		"a field's name, left out as a whole column": {except: append([]string{"address"}, hard...)},
	} {
		s, err := parts.Normal(lakemesh.Scope{Columns: c.columns, ExceptColumns: c.except})
		if err == nil {
			err = lake().Check(s)
		}
		switch {
		case len(c.wrong) == 0 && err != nil:
			t.Errorf("%s: %v", name, err)
		case len(c.wrong) > 0 && !errors.Is(err, lakemesh.ErrInvalidInput):
			t.Errorf("%s: %v; want it refused", name, err)
		case len(c.wrong) > 0:
			for _, word := range c.wrong {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%s: the error does not say %q: %v", name, word, err)
				}
			}
			if len(err.Error()) > 700 {
				t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
			}
		}
	}
}

// A table with a thousand columns is told of in a line that can be read.
func TestErrorsOfWideTablesAreShort(t *testing.T) {
	t.Parallel()
	wide := &types.Table{Name: aws.String("wide"), StorageDescriptor: &types.StorageDescriptor{}}
	for i := range 1000 {
		wide.StorageDescriptor.Columns = append(wide.StorageDescriptor.Columns, types.Column{Name: aws.String(fmt.Sprintf("column_%04d", i)), Type: aws.String("string")})
	}
	wide.PartitionKeys = []types.Column{{Name: aws.String("day"), Type: aws.String("string")}}
	for _, s := range []lakemesh.Scope{{Columns: []string{"nothing"}}, {ExceptColumns: []string{"nothing"}}, {Columns: []string{"day"}}, {Rows: "nothing = 'x'"}} {
		err := parts.Of("sales", wide).Check(s)
		if err == nil || len(err.Error()) > 500 {
			t.Errorf("%v: an error of %d bytes: %.80v", s, len(fmt.Sprint(err)), err)
		}
	}
}

// Of a table without columns it is said that it has none: a crawler that found nothing, a schema
// by URL, a schema in a registry.
func TestTablesWithoutColumns(t *testing.T) {
	t.Parallel()
	for name, descriptor := range map[string]*types.StorageDescriptor{
		"no descriptor": nil, "no columns": {},
		"an Avro schema by URL": {SerdeInfo: &types.SerDeInfo{Parameters: map[string]string{"avro.schema.url": "s3://lake/schema.avsc"}}},
		"a schema in a registry": {Columns: []types.Column{{Name: aws.String("id"), Type: aws.String("bigint")}},
			SchemaReference: &types.SchemaReference{SchemaVersionId: aws.String("11111111-1111-1111-1111-111111111111"), SchemaVersionNumber: aws.Int64(1)}},
	} {
		schema := parts.Of("sales", &types.Table{Name: aws.String("empty"), StorageDescriptor: descriptor})
		for _, s := range []lakemesh.Scope{{Columns: []string{"id"}}, {ExceptColumns: []string{"id"}}, {Rows: "id = 1"}} {
			err := schema.Check(s)
			if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "sales.empty") || strings.Contains(err.Error(), "it has ") && !strings.Contains(err.Error(), "no columns") && !strings.Contains(err.Error(), "registry") {
				t.Errorf("%s, %v: %v", name, s, err)
			}
		}
	}
}

// Conditions as people write them: what Lake Formation takes is taken, and what it does not is
// told with the place and with what to write.
func TestConditionsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for condition, wrong := range map[string]string{
		"country = 'DE'": "", "country\n=\t'DE'\r\nAND\tcountry != 'FR'": "", "country = 'O''Brien'": "", "country = '😀'": "", `"order" = 'x'`: "", `"größe" > 5`: "", "day >= '2024-01-01'": "",
		"amount = 1234567890123456789012345678.0123456789": "", "country is null": "", "not country in ('a','b')": "", "country between 'a' and 'b'": "", "true": "",
		"country == 'DE'":               "equality is =",
		`country = "DE"`:                "a string stands in single quotes",
		"country = 'DE';":               "leave it out",
		"country = 'DE' -- Germany":     "there are no comments",
		"lower(country) = 'de'":         "there are no functions",
		"born > current_date":           "there are no functions",
		"born > '2024-01-01'":           "of the type date",
		"born > DATE '2024-01-01'":      "no DATE",
		"country = CustomerID":          "columns are not compared with columns",
		"country = 'O'Brien'":           "doubled",
		"größe > 5":                     `"größe"`,
		"GRÖßE > 5":                     `double quotes`,
		"straße = 'x'":                  `double quotes`,
		"country = 'a' AND\u00a0id = 1": "U+00A0",
		"amount < .5":                   "0.5",
		"`country` = 'x'":               "a name stands in double quotes",
		"WHERE country = 'x'":           "leave WHERE out",
		"select * from people":          "a condition alone",
		"order = 'x'":                   `"order"`,
		"people.country = 'x'":          "the table is not named",
		"sales.people.country = 'x'":    "the table is not named",
		`"a.b" = 'x'`:                   "a dot",
		"x = 1":                         "x or X",
		"\"both\" = 'x'":                "partition key",
		"ssn = 'x'":                     "earlier schema",
		"amount = 1,5":                  "a point",
		"and country = 'x'":             "expected a column",
	} {
		_, err := lake().Rows(condition)
		if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s\n\t%v\n\twant %q", condition, err, wrong)
		}
		if err != nil && (!errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "sales.people") || !strings.Contains(err.Error(), "at character")) {
			t.Errorf("%s: the error does not name table and place: %v", condition, err)
		}
	}
}

// A filter lists columns as the table has them, and is the same as one that is read back in lower
// case.
func TestFiltersNameColumnsAsTheTableHasThem(t *testing.T) {
	t.Parallel()
	folded := access.Filter{Columns: []string{"a b", "customerid", "größe", "x"}, Rows: "x = 1"}
	written := lake().Written(folded)
	if want := []string{"a b", "CustomerID", "größe", "x"}; !slices.Equal(written.Columns, want) || written.Rows != folded.Rows {
		t.Errorf("written is %v, want %q", written, want)
	}
	if !written.Equal(folded) || written.Equal(access.Filter{Columns: []string{"a b"}, Rows: "x = 1"}) || written.Equal(access.Filter{Except: written.Columns, Rows: "x = 1"}) {
		t.Error("what is written and what is read back are told apart by case alone, or others are not")
	}
}
