package acceptance_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/producer"
)

// The matrix of what a subscription can say: whom it is for, what of the product it gives,
// until when, and what there is beside it. In each cell what can be read is what the model
// below says, what an explanation says, and what a query engine shows.

// given is what one subscription of a cell gives.
type given struct {
	// whole are all columns and rows; database is of all tables, product of all tables of a data
	// product.
	whole, database, product bool
	scope                    lakemesh.Scope
	// shows reports whether a row meets the condition, which is nil for all rows.
	shows func(row person) bool
}

// person is a row of the table, by column.
type person map[string]string

// matrixCell is one cell; its words name it.
type matrixCell struct{ to, what, end, count string }

func (c matrixCell) String() string {
	return strings.Join([]string{c.to, c.what, c.end, c.count}, ", ")
}

// The values of the dimensions. One that is added is a value here and what it gives below.
func matrixDimensions() [4][]string {
	return [4][]string{
		{"account", "role", "unit", "account and then role", "account and then unit"},
		{"table", "columns", "rows", "cells", "all but columns", "database", "data product"},
		{"no end", "before its end", "after its end"},
		{"one", "two that overlap", "one of two ended", "a part beside it", "the whole beside it"},
	}
}

// matrixGives are what the first subscription of a cell gives, and the second.
func matrixGives(c matrixCell) (first, second given) {
	german := func(r person) bool { return r["country"] == "DE" }
	much := func(r person) bool { return r["id"] != "1" && r["id"] != "4" }
	first = map[string]given{
		"table":           {whole: true},
		"database":        {whole: true, database: true},
		"data product":    {whole: true, product: true},
		"columns":         {scope: lakemesh.Scope{Columns: []string{"id", "name"}}},
		"all but columns": {scope: lakemesh.Scope{ExceptColumns: []string{"amount", "country"}}},
		"rows":            {scope: lakemesh.Scope{Rows: "country = 'DE'"}, shows: german},
		"cells":           {scope: lakemesh.Scope{Columns: []string{"country", "id"}, Rows: "country = 'DE'"}, shows: german},
	}[c.what]
	part := given{scope: lakemesh.Scope{Columns: []string{"amount", "id"}, Rows: "amount > 100"}, shows: much}
	switch {
	case c.count == "the whole beside it":
		return first, given{whole: true}
	case c.count == "a part beside it" || !first.whole:
		return first, part
	}
	return first, given{whole: true, database: !first.database}
}

// visible is the independent model: of each row the cells that are shown.
type visible struct {
	columns []string
	rows    []string
	// all are the columns that are shown in every row that there can be, some in those that
	// meet a condition.
	all, some []string
}

func matrixModel(gives []given) (v visible) {
	names := strings.Split(peopleRows[0], ",")
	has := func(g given, column string) bool {
		return (len(g.scope.Columns) == 0 || slices.Contains(g.scope.Columns, column)) && !slices.Contains(g.scope.ExceptColumns, column)
	}
	for _, column := range names {
		of := slices.DeleteFunc(slices.Clone(gives), func(g given) bool { return !has(g, column) })
		switch {
		case len(of) == 0:
			continue
		case slices.ContainsFunc(of, func(g given) bool { return g.shows == nil }):
			v.all = append(v.all, column)
		default:
			v.some = append(v.some, column)
		}
		v.columns = append(v.columns, column)
	}
	for _, line := range peopleRows[1:] {
		row := person{}
		for i, value := range strings.Split(line, ",") {
			row[names[i]] = value
		}
		meets := func(g given) bool { return g.shows == nil || g.shows(row) }
		if !slices.ContainsFunc(gives, meets) {
			continue
		}
		var words []string
		for _, column := range v.columns {
			value := "NULL"
			if slices.ContainsFunc(gives, func(g given) bool { return has(g, column) && meets(g) }) {
				value = row[column]
			}
			words = append(words, column+"="+value)
		}
		v.rows = append(v.rows, strings.Join(words, " "))
	}
	return v
}

// matrixWorld is the world of one cell.
type matrixWorld struct {
	*world
	cell matrixCell
	// unit is one that the consumer's account is in, where the cell is about one.
	unit               string
	analyst, colleague string
	ahead              atomic.Int64
}

func newMatrixWorld(t *testing.T, c matrixCell) *matrixWorld {
	t.Helper()
	m := &matrixWorld{world: newNarrowWorld(t), cell: c}
	m.analyst, m.colleague = m.Reader(consumerAccount, "Analyst"), m.Reader(consumerAccount, "Colleague")
	if strings.Contains(c.to, "unit") {
		meshtest.Before(m.Mesh.Mesh, func() {
			o := m.Organization(consumerAccount)
			o.Move(consumerAccount, o.Retail)
			m.unit = o.Lines
		})
	}
	options := m.Options(producerAccount)
	options.Now = m.now
	var err error
	m.producer, err = producer.New(t.Context(), options)
	m.must(err)
	_, err = m.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: source, TableNameRegex: people, DataProductName: matrixProduct})
	m.must(err)
	m.producers[producerAccount] = m.producer
	options = m.Options(consumerAccount)
	options.Now = m.now
	m.consumer, err = consumer.New(t.Context(), options)
	m.must(err)
	m.consumers[consumerAccount] = m.consumer
	return m
}

// matrixProduct is the data product that the table belongs to.
const matrixProduct = "census"

func (m *matrixWorld) now() time.Time { return time.Now().Add(time.Duration(m.ahead.Load())) }

// subscribes has a subscription made, approved and imported, for the account, a role or a unit.
// refused tells that its owner's side refuses to approve it.
func (m *matrixWorld) subscribes(g given, to string, until time.Time) (id string, err error) {
	m.t.Helper()
	in := consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Scope: g.scope, Until: until}
	switch {
	case g.product:
		in.DatabaseName, in.DataProduct = "", matrixProduct
	case !g.database:
		in.Tables = []string{people}
	}
	principals := []string{m.analyst}
	switch to {
	case "role":
		in.Scope.Principals, principals = principals, nil
	case "unit":
		in.Scope.Principals = []string{m.unit}
	}
	out, err := m.consumer.RequestAccessToProduct(m.ctx(), in)
	m.must(err)
	if err := m.producer.ApproveAccessRequest(m.ctx(), producer.ApproveInput{RequestID: out.SubscriptionID}); err != nil {
		return out.SubscriptionID, err
	}
	m.finalize(out.SubscriptionID, principals...)
	return out.SubscriptionID, nil
}

// live brings the cell to life, and returns what is given then.
func (m *matrixWorld) live() []given {
	m.t.Helper()
	c := m.cell
	first, second := matrixGives(c)
	var until time.Time
	if c.end != "no end" {
		until = m.now().Add(time.Hour).Truncate(time.Second)
	}
	to, then, another := strings.Cut(c.to, " and then ")
	if !another {
		then = to
	}
	id, err := m.subscribes(first, to, until)
	m.must(err)
	gives := []given{first}
	if c.count != "one" {
		_, err := m.subscribes(second, then, time.Time{})
		// The whole beats a part, so a part beside it for the same grantee is refused.
		refused := first.whole && !second.whole && !another
		switch {
		case refused && !errors.Is(err, lakemesh.ErrInvalidInput):
			m.t.Fatalf("a part beside the whole is approved: %v", err)
		case !refused:
			m.must(err)
			gives = append(gives, second)
		}
	}
	if c.count == "one of two ended" {
		m.end(id)
		gives = gives[1:]
	}
	if c.end == "after its end" {
		m.ahead.Store(int64(2 * time.Hour))
		_, err := m.producer.ExpireSubscriptions(m.ctx())
		m.must(err)
		if c.count != "one of two ended" {
			gives = gives[1:]
		}
		if c.to == "account and then unit" && c.count == "a part beside it" && first.whole && !first.product {
			// What the account handed on of the whole stays in part, because its unit gives it a part.
			// It is worth no more than that, and verifying tells of it.
			m.leaves("as consumer "+consumerAccount, "too much, handed on, table "+product+"."+people+", "+m.analyst)
		}
	}
	return gives
}

// explains asks owner and consumer together.
func (m *matrixWorld) explains(principal, column string) *chain.Explanation {
	m.t.Helper()
	q := chain.Question{Database: product, Table: people, Principal: principal, Column: column}
	owner, err := m.producer.Explain(m.ctx(), q)
	m.must(err)
	receiver, err := m.consumer.Explain(m.ctx(), q)
	m.must(err)
	return chain.Together(owner, receiver)
}

// agrees checks an explanation against the model.
func (m *matrixWorld) agrees(principal string, want visible) {
	m.t.Helper()
	verdict := func(column string) chain.Verdict {
		switch {
		case column == "" && len(want.all) == strings.Count(peopleRows[0], ",")+1, slices.Contains(want.all, column):
			return chain.Can
		case column == "" && len(want.columns) > 0, slices.Contains(want.some, column):
			return chain.InPart
		}
		return chain.Cannot
	}
	for _, column := range append(strings.Split(peopleRows[0], ","), "") {
		var e *chain.Explanation
		if !m.inTheEnd(func() bool { e = m.explains(principal, column); return e.Verdict == verdict(column) }) {
			if r := m.Readings(); e.Verdict == chain.Untold && (r.ListingsShowOwnRows || r.GrantedFiltersStay) {
				// Owners are not shown who holds their filters, or filters stay that were handed on and
				// that nobody can see any more.
				continue
			}
			m.t.Errorf("%s, column %q: it %s, want %s; %s", principal, column, e.Verdict, verdict(column), chainOf(e))
			continue
		}
		if column != "" {
			continue
		}
		if diff := cmp.Diff(want.rows, partsOfPeople(m.t, e)); diff != "" {
			m.t.Errorf("%s: explained otherwise (-want +got):\n%s%s", principal, diff, chainOf(e))
		}
	}
}

func chainOf(e *chain.Explanation) string {
	var b strings.Builder
	for _, w := range e.Ways {
		fmt.Fprintf(&b, "\n%s: %s, %v", w.Path, w.Verdict, w.Parts)
		for _, s := range w.Steps {
			fmt.Fprintf(&b, "\n  %s %s: %s", s.Link, s.State, s.What)
		}
	}
	return b.String()
}

// partsOfPeople are the rows that an explanation says are shown.
func partsOfPeople(t *testing.T, e *chain.Explanation) (rows []string) {
	t.Helper()
	names := strings.Split(peopleRows[0], ",")
	schema := rowfilter.Table{Columns: []rowfilter.Column{{Name: "id", Type: "bigint"}, {Name: "name", Type: "string"}, {Name: "country", Type: "string"}, {Name: "amount", Type: "int"}}}
	parts := e.Parts
	switch e.Verdict {
	case chain.Can:
		parts = []chain.Part{{Columns: names}}
	case chain.Cannot:
		return nil
	}
	for _, line := range peopleRows[1:] {
		values, row := strings.Split(line, ","), rowfilter.Row{}
		for i, c := range schema.Columns {
			value, err := rowfilter.ParseValue(rowfilter.ParseType(c.Type), values[i])
			if err != nil {
				t.Fatal(err)
			}
			row[c.Name] = value
		}
		var words []string
		shown := false
		for i, name := range names {
			of := slices.IndexFunc(parts, func(p chain.Part) bool { return slices.Contains(p.Columns, name) })
			if of < 0 {
				continue
			}
			word := name + "=NULL"
			condition, err := rowfilter.Read(parts[of].Rows, schema)
			if parts[of].Rows != "" && err != nil {
				t.Fatal(err)
			}
			meets := parts[of].Rows == ""
			if !meets {
				truth, err := condition.Eval(row)
				if err != nil {
					t.Fatal(err)
				}
				meets = truth == rowfilter.True
			}
			if meets {
				shown, word = true, name+"="+values[i]
			}
			words = append(words, word)
		}
		if shown {
			rows = append(rows, strings.Join(words, " "))
		}
	}
	return rows
}

// matrixSample are cells that have each value of each dimension at least once.
func matrixSample() []matrixCell {
	return []matrixCell{
		{"account", "table", "no end", "one"},
		{"role", "columns", "no end", "two that overlap"},
		{"account", "rows", "before its end", "two that overlap"},
		{"account and then role", "cells", "no end", "two that overlap"},
		{"account", "cells", "after its end", "one"},
		{"role", "database", "after its end", "two that overlap"},
		{"account", "database", "no end", "a part beside it"},
		{"role", "rows", "no end", "the whole beside it"},
		{"account", "columns", "no end", "one of two ended"},
		{"account and then role", "rows", "after its end", "two that overlap"},
		{"role", "all but columns", "before its end", "one"},
		{"account and then role", "table", "before its end", "a part beside it"},
		{"unit", "cells", "no end", "two that overlap"},
		{"unit", "database", "before its end", "one"},
		{"unit", "table", "no end", "a part beside it"},
		{"unit", "rows", "after its end", "one of two ended"},
		{"account and then unit", "columns", "no end", "two that overlap"},
		{"account and then unit", "all but columns", "after its end", "the whole beside it"},
		{"account", "data product", "after its end", "two that overlap"},
		{"account", "data product", "no end", "a part beside it"},
		{"role", "data product", "no end", "one of two ended"},
		{"unit", "data product", "before its end", "one"},
		{"account and then unit", "data product", "no end", "two that overlap"},
	}
}

func matrixCells() []matrixCell {
	if os.Getenv("LAKEMESH_LONG") == "" {
		return matrixSample()
	}
	var all []matrixCell
	of := matrixDimensions()
	for _, to := range of[0] {
		for _, what := range of[1] {
			for _, end := range of[2] {
				for _, count := range of[3] {
					if !strings.Contains(to, " and then ") || count != "one" {
						all = append(all, matrixCell{to, what, end, count})
					}
				}
			}
		}
	}
	return all
}

func TestInEachCellOfTheMatrixWhatIsSaidIsExplainedAndRead(t *testing.T) {
	t.Parallel()
	for _, c := range matrixCells() {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			m := newMatrixWorld(t, c)
			want := matrixModel(m.live())
			m.sees(m.analyst, want.rows...)
			m.sees(m.colleague)
			m.agrees(m.analyst, want)
			m.agrees(m.colleague, visible{})
		})
	}
}

func TestTheSampleOfTheMatrixHasEachValue(t *testing.T) {
	t.Parallel()
	for i, values := range matrixDimensions() {
		for _, value := range values {
			if !slices.ContainsFunc(matrixSample(), func(c matrixCell) bool { return [4]string{c.to, c.what, c.end, c.count}[i] == value }) {
				t.Errorf("no cell of the sample has %q", value)
			}
		}
	}
}
