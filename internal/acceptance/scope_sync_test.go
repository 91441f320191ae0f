package acceptance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// Columns change under subscriptions to parts: whoever brings the copy up to date is told
// what that means, and what was left out is not shown under another name.
func TestSyncSaysWhatChangedColumnsMean(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	w.breaks = true
	analyst := w.Reader(consumerAccount, "Analyst")
	ids := map[string]string{}
	for name, s := range map[string]lakemesh.Scope{"except": {ExceptColumns: []string{"name"}}} {
		id, err := w.asks(s)
		w.must(err)
		w.approve(id)
		w.finalize(id, analyst)
		ids[name] = id
	}
	w.sees(analyst, "id=1 country=DE amount=10", "id=2 country=FR amount=200", "id=3 country=DE amount=300", "id=4 country= amount=5")
	// The owner renames the column in its own table.
	in := meshtest.CSV(people, location(people))
	in.StorageDescriptor.Columns = []types.Column{{Name: aws.String("id"), Type: aws.String("bigint")}, {Name: aws.String("full_name"), Type: aws.String("string")},
		{Name: aws.String("country"), Type: aws.String("string")}, {Name: aws.String("amount"), Type: aws.String("int")}}
	_, err := w.Glue(producerAccount).UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(source), TableInput: in})
	w.must(err)
	told := func(warnings []string) bool {
		return slices.ContainsFunc(warnings, func(text string) bool {
			return strings.Contains(text, ids["except"]) && strings.Contains(text, "not any more: name")
		})
	}
	todo, err := w.producer.PlanSyncProducts(t.Context(), producer.SyncInput{})
	w.must(err)
	if !told(todo.Warnings) {
		t.Errorf("the plan does not say what it means: %q", todo.Warnings)
	}
	out, err := w.producer.SyncProducts(t.Context(), producer.SyncInput{})
	w.must(err)
	if !told(out.Warnings) {
		t.Errorf("it is not said what it means: %q", out.Warnings)
	}
	_, rows, err := w.Query(w.ctx(), analyst, product, people)
	if err == nil && slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, "full_name") }) {
		t.Errorf("what was left out is shown under another name: %q", rows)
	}
	again, err := w.producer.SyncProducts(t.Context(), producer.SyncInput{})
	w.must(err)
	if told(again.Warnings) {
		t.Errorf("nothing changed, and it is said again: %q", again.Warnings)
	}
}
