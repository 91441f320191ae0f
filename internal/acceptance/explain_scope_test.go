package acceptance_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/producer"
)

// stepOf is a link of the way of a path.
func stepOf(e *chain.Explanation, path chain.Path, link chain.Link) chain.Step {
	for _, w := range e.Ways {
		if s, ok := w.Step(link); ok && w.Path == path {
			return s
		}
	}
	return chain.Step{}
}

func TestWhoIsGrantedAccessItselfIsExplainedByWhoSeesIt(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	analyst, colleague := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Colleague")
	id, err := w.asks(lakemesh.Scope{Principals: []string{analyst}, Columns: []string{"id", "amount"}, Rows: "amount > 100"})
	w.must(err)
	w.approve(id)
	w.finalize(id)
	mesh, err := admin.New(t.Context(), w.Options(meshAccount))
	w.must(err)
	q := chain.Question{Database: product, Table: people, Principal: analyst}
	// The consumer's administrators do not see what was granted to a role directly, and see the
	// record.
	e, err := w.consumer.Explain(t.Context(), q)
	w.must(err)
	if s := stepOf(e, chain.Directly, chain.Grant); s.State != chain.NotSeen || s.Sees != chain.Owner || s.Look == nil {
		t.Errorf("to the consumer a direct grant is %s (%s), seen by %q", s.State, s.What, s.Sees)
	}
	if s := stepOf(e, chain.Directly, chain.Record); s.State != chain.Holds || !strings.Contains(s.What, "rows where amount > 100") {
		t.Errorf("to the consumer the record is %s: %s", s.State, s.What)
	}
	if e.Verdict != chain.Untold {
		t.Errorf("the consumer says that it %s", e.Verdict)
	}
	e, err = mesh.Explain(t.Context(), q)
	w.must(err)
	if s := stepOf(e, chain.Directly, chain.Grant); s.State != chain.Partly || chain.Said(s.Parts) != "columns amount, id of rows where amount > 100" || len(s.Reasons) != 1 || s.Reasons[0].Subscription != id {
		t.Errorf("to the administrator the grant is %s on %v (%s), by %v", s.State, s.Parts, s.What, s.Reasons)
	}
	// It justifies nothing for a colleague, nor for the account.
	for _, other := range []string{colleague, consumerAccount} {
		q.Principal = other
		owner, err := w.producer.Explain(t.Context(), q)
		w.must(err)
		s := stepOf(owner, chain.ThroughAccount, chain.Record)
		if owner.Verdict != chain.Cannot && owner.Verdict != chain.Untold || s.State != chain.Broken || !strings.Contains(s.What, "is for "+analyst+" alone") {
			t.Errorf("%s: the owner says that it %s, by the record: %s", other, owner.Verdict, s.What)
		}
	}
}

func TestWhatIsHandedOnOfAPartIsWorthBoth(t *testing.T) {
	t.Parallel()
	w := newNarrowWorld(t)
	analyst := w.Reader(consumerAccount, "Analyst")
	id, err := w.asks(lakemesh.Scope{Columns: []string{"id", "country", "amount"}, Rows: "country = 'DE'"})
	w.must(err)
	w.approve(id)
	w.finalize(id, analyst)
	q := chain.Question{Database: product, Table: people, Principal: analyst}
	for column, want := range map[string]chain.Verdict{"": chain.InPart, "id": chain.InPart, "name": chain.Cannot} {
		q.Column = column
		owner, err := w.producer.Explain(t.Context(), q)
		w.must(err)
		receiver, err := w.consumer.Explain(t.Context(), q)
		w.must(err)
		if e := chain.Together(owner, receiver); e.Verdict != want {
			t.Errorf("column %q: it %s, want %s%s", column, e.Verdict, want, chainOf(e))
		} else if column == "" && chain.Said(e.Parts) != "columns amount, country, id of rows where country = 'DE'" {
			t.Errorf("it can read %s", chain.Said(e.Parts))
		}
	}
	// Without its filter nothing is granted, and the owner restores what was decided.
	w.breaks = true
	if w.Readings().GrantedFiltersStay {
		return
	}
	q.Column = ""
	manager := w.ruling(meshAccount)
	name := filterName(t, w)
	w.must(deleteFilter(t, manager, name))
	e, err := w.producer.Explain(t.Context(), q)
	w.must(err)
	s := stepOf(e, chain.ThroughAccount, chain.Grant)
	// Where shares carry all tables, an owner is not shown who was granted them.
	if hidden := s.State == chain.NotSeen && s.Sees == chain.Administrator; !hidden && (s.State != chain.Broken || s.Do == nil || s.Do.Operation != "producer.UpdateSubscriptionPermissions") {
		t.Fatalf("without its filter the grant is %s: %s; %v", s.State, s.What, s.Do)
	}
	w.must(w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT", "DESCRIBE"}}))
	w.finalize(id, analyst)
	w.sees(analyst, "id=1 country=DE amount=10", "id=3 country=DE amount=300")
}

func filterName(t *testing.T, w *world) string {
	t.Helper()
	out, err := w.ruling(meshAccount).ListDataCellsFilter(t.Context(), &lakeformation.ListDataCellsFilterInput{})
	w.must(err)
	if len(out.DataCellsFilters) != 1 {
		t.Fatalf("there are %d filters", len(out.DataCellsFilters))
	}
	return aws.ToString(out.DataCellsFilters[0].Name)
}

func deleteFilter(t *testing.T, lake *lakeformation.Client, name string) error {
	t.Helper()
	_, err := lake.DeleteDataCellsFilter(t.Context(), &lakeformation.DeleteDataCellsFilterInput{TableCatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), TableName: aws.String(people), Name: aws.String(name)})
	return err
}
