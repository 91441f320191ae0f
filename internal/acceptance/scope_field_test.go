package acceptance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
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
			v, err := w.producer.Verify(t.Context(), producer.VerifyInput{})
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
