package acceptance_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// columnsOf are columns, each as "name type"; "-name type" is one of an earlier schema, as Iceberg
// leaves it in Glue.
func columnsOf(said ...string) []types.Column {
	var all []types.Column
	for _, text := range said {
		name, typ, _ := strings.Cut(text, " ")
		plain, past := strings.CutPrefix(name, "-")
		c := types.Column{Name: aws.String(plain), Type: aws.String(typ)}
		if past {
			c.Parameters = map[string]string{"iceberg.field.current": "false"}
		}
		all = append(all, c)
	}
	return all
}

// becomes changes the columns of people at the source.
func (w *world) becomes(columns ...string) {
	w.t.Helper()
	in := csvOfPeople()
	in.StorageDescriptor.Columns = columnsOf(columns...)
	_, err := w.Glue(producerAccount).UpdateTable(w.t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(source), TableInput: in})
	w.must(err)
}

// TestColumnsChangeUnderAPart is about what lakes do to tables while subscriptions to parts of
// them stand: nothing is shown that was not decided, and nothing is lost by the way.
func TestColumnsChangeUnderAPart(t *testing.T) {
	t.Parallel()
	except, names, rows := lakemesh.Scope{ExceptColumns: []string{"name"}}, lakemesh.Scope{Columns: []string{"id", "name"}}, lakemesh.Scope{Rows: "amount > 100"}
	for name, c := range map[string]struct {
		scope lakemesh.Scope
		// after are the columns then, and file the rows that fit them; none if they stay.
		after []string
		file  string
		// conflict tells that the copy stays as it is. told is what bringing it up to date says, and
		// found what verification does; none if nothing.
		conflict    bool
		told, found string
		// sees is what is seen then, and after the end has been moved.
		sees []string
		// refused tells that the same columns of fewer rows cannot be given then.
		refused bool
	}{
		"what is left out is renamed by Iceberg": {scope: except, after: []string{"id bigint", "full_name string", "country string", "amount int", "-name string"}, file: "1,Ada,DE,10,",
			told: "not any more: name", found: "may have another name now", sees: []string{"id=1 country=DE amount=10"}, refused: true},
		"what is named is dropped by Iceberg": {scope: names, after: []string{"id bigint", "country string", "amount int", "-name string"}, file: "1,DE,10,",
			told: "not any more: name", found: "the other columns that it names are shown", sees: []string{"id=1 name="}, refused: true},
		"what is left out is dropped, and what is behind it moves": {scope: except, after: []string{"id bigint", "country string", "amount string"}, conflict: true,
			told: "country stands where name stood", found: "country stands where name stood", sees: []string{"id=1 country=DE amount=10", "id=2 country=FR amount=200", "id=3 country=DE amount=300", "id=4 country= amount=5"}},
		"what is left out changes places": {scope: except, after: []string{"id bigint", "country string", "name string", "amount int"}, conflict: true,
			told: "country stands where name stood", found: "country stands where name stood", sees: []string{"id=1 country=DE amount=10", "id=2 country=FR amount=200", "id=3 country=DE amount=300", "id=4 country= amount=5"}},
		"what rows are chosen by changes places": {scope: rows, after: []string{"amount int", "name string", "country string", "id bigint"}, conflict: true,
			told: "the condition on rows asks for amount", found: "the condition on rows asks for amount", sees: []string{"id=2 name=Bob country=FR amount=200", "id=3 name=Cleo country=DE amount=300"}},
		"what is shown changes places":             {scope: lakemesh.Scope{Columns: []string{"id", "amount"}}, after: []string{"amount int", "name string", "country string", "id bigint"}, file: "10,Ada,DE,1", sees: []string{"amount=10 id=1"}},
		"another column is renamed":                {scope: lakemesh.Scope{Columns: []string{"id"}}, after: []string{"id bigint", "name string", "land string", "amount int"}, sees: []string{"id=1", "id=2", "id=3", "id=4"}},
		"a column comes":                           {scope: except, after: []string{"id bigint", "name string", "country string", "amount int", "secret string"}, file: "1,Ada,DE,10,x", found: "secret", sees: []string{"id=1 country=DE amount=10"}},
		"what rows are chosen by has a wider type": {scope: rows, after: []string{"id bigint", "name string", "country string", "amount bigint"}, sees: []string{"id=2 name=Bob country=FR amount=200", "id=3 name=Cleo country=DE amount=300"}},
		"what rows are chosen by has another type": {scope: rows, after: []string{"id bigint", "name string", "country string", "amount string"}, told: "fits table", found: "does not fit the table any more", refused: true},
		"what rows are chosen by is gone":          {scope: rows, after: []string{"id bigint", "name string", "country string"}, file: "1,Ada,DE", told: "fits table", found: "does not fit the table any more", refused: true},
		"all that is named is gone":                {scope: lakemesh.Scope{Columns: []string{"name"}}, after: []string{"id bigint"}, file: "1", told: "not any more: name", found: "nothing is left", refused: true},
		"no column is left at all":                 {scope: lakemesh.Scope{Columns: []string{"name"}}, file: "1", told: "not any more: name", found: "nothing is left", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newNarrowWorld(t)
			w.breaks = true
			analyst := w.Reader(consumerAccount, "Analyst")
			id, err := w.asks(c.scope)
			w.must(err)
			w.approve(id)
			w.finalize(id, analyst)
			w.becomes(c.after...)
			if c.file != "" {
				w.Put(producerAccount, bucket, people+"/rows.csv", "head"+strings.Repeat(",", strings.Count(c.file, ","))+"\n"+c.file+"\n")
			}
			says := func(texts []string, word string) bool {
				return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, word) })
			}
			todo, err := w.producer.PlanSyncProducts(t.Context(), producer.SyncInput{})
			w.must(err)
			out, err := w.producer.SyncProducts(t.Context(), producer.SyncInput{})
			if c.conflict != errors.Is(err, lakemesh.ErrConflict) || !c.conflict && err != nil {
				t.Fatalf("bringing it up to date: %v; want a conflict: %t", err, c.conflict)
			}
			if !says(todo.Warnings, c.told) && c.told != "" || !says(out.Warnings, c.told) && c.told != "" {
				t.Errorf("it is not said: %s\nplanned %q\ndone %q", c.told, todo.Warnings, out.Warnings)
			}
			v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
			w.must(err)
			var found []string
			for _, f := range v.Findings {
				found = append(found, f.What)
				if strings.Contains(f.ByHand, "<id>") {
					t.Errorf("what to do by hand does not name the subscription: %s", f.ByHand)
				}
			}
			if c.found == "" && len(found) > 0 || c.found != "" && !says(found, c.found) {
				t.Errorf("verification finds %q, want %q", found, c.found)
			}
			w.sees(analyst, c.sees...)
			// What says nothing of columns and rows takes nothing away, and opens nothing.
			end := time.Now().Add(90 * 24 * time.Hour)
			w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, Until: &end}))
			if c.found != "" && strings.Contains(c.told, "not any more") && len(c.scope.Columns) > 0 && len(c.sees) > 0 {
				// Of what is named the rest is shown.
				c.sees = []string{"id=1"}
			}
			if name == "a column comes" {
				// The owner has decided again.
				c.sees = []string{"id=1 country=DE amount=10 secret=x"}
			}
			w.sees(analyst, c.sees...)
			if c.refused {
				w.silent("a decision on what is gone", func() {
					err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, Scope: producer.ScopeInput{Rows: aws.String("amount > 1000")}})
					if len(c.scope.Columns)+len(c.scope.ExceptColumns) > 0 && !errors.Is(err, lakemesh.ErrInvalidInput) || err == nil {
						t.Errorf("it is decided: %v", err)
					}
				})
			}
			w.end(id)
			w.sees(analyst)
		})
	}
}

// The files have changed as the columns did: whoever says so overwrites the copy.
func TestMovedColumnsAreTakenOverOnPurpose(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id, err := w.asks(lakemesh.Scope{ExceptColumns: []string{"name"}})
	w.must(err)
	w.approve(id)
	w.finalize(id, analyst)
	w.becomes("id bigint", "country string", "name string", "amount int")
	w.Put(producerAccount, bucket, people+"/rows.csv", "id,country,name,amount\n1,DE,Ada,10\n")
	if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: source}); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("published again: %v; want a conflict", err)
	}
	_, err = w.producer.SyncProducts(t.Context(), producer.SyncInput{Overwrite: true})
	w.must(err)
	w.sees(analyst, "id=1 country=DE amount=10")
	w.end(id)
}

// TestTablesAsLakesHaveThem is about names and types as lakes have them: what a person and a role
// get is what was said, and a table with a thousand columns is one like any other.
func TestTablesAsLakesHaveThem(t *testing.T) {
	t.Parallel()
	// Names that have to be written in quotes, one with a minus before it, and types of which
	// conditions can, and cannot, be.
	said := []types.Column{}
	for _, c := range [][2]string{{"CustomerID", "int"}, {"order", "string"}, {"a b", "string"}, {"a-b", "string"}, {"-minus", "string"}, {"größe", "double"}, {"price", "decimal(38,10)"}, {"code", "char(3)"},
		{"born", "date"}, {"seen", "timestamp"}, {"tags", "array<string>"}, {"both", "map<string,struct<a:int>>"}} {
		said = append(said, types.Column{Name: aws.String(c[0]), Type: aws.String(c[1])})
	}
	header := make([]string, 0, 1000)
	for i := range 700 {
		said = append(said, types.Column{Name: aws.String(fmt.Sprintf("wide_%03d", i)), Type: aws.String("string")})
		header = append(header, "w")
	}
	for name, c := range map[string]struct {
		scope lakemesh.Scope
		sees  []string
	}{
		"names":             {lakemesh.Scope{Columns: []string{"customerid", "ORDER", "a b", "a-b", "-minus", "GRÖßE", "born"}}, []string{"CustomerID=1 order=o1 a b=x a-b=y -minus=m größe=1.5 born=2024-01-01", "CustomerID=2 order=O'Brien a b=😀 a-b=y -minus=m größe=2.5 born=2024-01-02"}},
		"a reserved word":   {lakemesh.Scope{Columns: []string{"customerid"}, Rows: "\"order\" = 'O''Brien'"}, []string{"CustomerID=2"}},
		"letters of others": {lakemesh.Scope{Columns: []string{"customerid"}, Rows: "\"größe\" < 2 AND price >= 0.0000000001"}, []string{"CustomerID=1"}},
		"an emoji":          {lakemesh.Scope{Columns: []string{"customerid"}, Rows: "\"a b\" = '😀' OR code = 'USA' AND NOT (price < 100)"}, []string{"CustomerID=2"}},
		"with line breaks":  {lakemesh.Scope{Columns: []string{"customerid"}, Rows: "code\n\tIN ('DEU',\r\n'FRA')"}, []string{"CustomerID=1"}},
		"many values":       {lakemesh.Scope{Columns: []string{"customerid"}, Rows: "customerid IN (" + numbers(2, 302) + ")"}, []string{"CustomerID=2"}},
		"all but a minus":   {lakemesh.Scope{ExceptColumns: append(wide(700), "-minus", "a b", "order", "born", "seen", "tags", "both", "price", "code", "größe")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newNarrowWorld(t)
			if c.scope.Rows != "" {
				// A table with a timestamp has row filters (https://github.com/aws/aws-cli/issues/10397).
				meshtest.Without(t, w.Mesh.Mesh, "no condition can be on the table", func(r localmesh.Readings) bool { return r.RowFiltersNeedPlainTables })
			}
			in := meshtest.CSV("lake", location("lake"))
			in.StorageDescriptor.Columns = said
			w.Table(producerAccount, source, in)
			rest := strings.Join(header, ",")
			w.Put(producerAccount, bucket, "lake/rows.csv", strings.Repeat("h,", 12)+rest+"\n1,o1,x,y,m,1.5,0.1,DEU,2024-01-01,t,t,b,"+rest+"\n2,O'Brien,😀,y,m,2.5,99,USA,2024-01-02,t,t,b,"+rest+"\n")
			w.publish(w.producer, source)
			analyst := w.Reader(consumerAccount, "Analyst")
			out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
				Tables: []string{"lake"}, RequestPermissions: []string{"SELECT"}, Scope: c.scope})
			if c.sees == nil {
				if !errors.Is(err, lakemesh.ErrInvalidInput) || len(err.Error()) > 300 {
					t.Errorf("more than can be named: %.400v", err)
				}
				return
			}
			w.must(err)
			w.approve(out.SubscriptionID)
			w.finalize(out.SubscriptionID, analyst)
			var rows []string
			w.inTheEnd(func() bool {
				_, rows, err = w.Query(w.ctx(), analyst, product, "lake")
				return err == nil && slices.Equal(rows, c.sees)
			})
			if diff := cmp.Diff(c.sees, rows); diff != "" || err != nil {
				t.Errorf("what is shown (-want +got): %v\n%s", err, diff)
			}
			v, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(t.Context(), producer.VerifyInput{}) })
			w.must(err)
			for _, f := range v.Findings {
				t.Errorf("verification finds %s: %s", f.Resource, f.What)
			}
			w.end(out.SubscriptionID)
		})
	}
}

func wide(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("wide_%03d", i)
	}
	return names
}

func numbers(from, to int) string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return strings.Join(all, ",")
}
