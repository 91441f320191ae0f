package tracker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
)

// values are values of every type of DynamoDB.
func values() []types.AttributeValue {
	return []types.AttributeValue{
		nil, str(""), str("x"), str(strings.Repeat("x", 300_000)), number(1), number(-1), &types.AttributeValueMemberN{Value: "1e9"}, truth(true), truth(false),
		&types.AttributeValueMemberNULL{Value: true}, &types.AttributeValueMemberB{Value: []byte("x")}, &types.AttributeValueMemberB{Value: pack(slices.Repeat([]string{"abc"}, 300_000))},
		set([]string{"a", "b"}), &types.AttributeValueMemberNS{Value: []string{"1"}}, &types.AttributeValueMemberBS{Value: [][]byte{{1}}},
		list(nil), list([]string{"a"}), list([]string{"orders", "customers"}), &types.AttributeValueMemberL{Value: []types.AttributeValue{str("orders"), number(1)}},
		&types.AttributeValueMemberM{Value: item{"a": str("b")}}, str("Active"), str("Deleted"), list([]string{"ALL"}), str("2001-09-09 01:46:40"), str("2001-09-09"), str("0001-01-01 00:00:00"),
	}
}

// TestNothingThatAConsumerWritesIsADecision changes every attribute that a consumer may
// name to a value of every type, before and after the owner has decided.
func TestNothingThatAConsumerWritesIsADecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	asked := w.request(tr, "please", "orders")
	request := w.item(lakemesh.SubscriptionsTable, asked.ID)
	granted := w.decide(tr, asked.ID, lakemesh.ActionApprove, lakemesh.Select)
	decision := w.item(lakemesh.DecisionsTable, asked.ID)
	for _, name := range append(ConsumerAttributes(), "Whole", "Claim", "DecidedStatus", "Permitted", "Unheard") {
		if name == attrID {
			continue
		}
		for n, v := range values() {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				forged := maps.Clone(request)
				if forged[name] = v; v == nil {
					delete(forged, name)
				}
				before := read(asked.ID, forged, nil, time.Now())
				if before.Status != lakemesh.Pending && before.Status != lakemesh.Deleted || before.Permitted != nil || before.Owner != owner || before.Subscriber != subscriber {
					t.Errorf("without a decision it is %+v", before.Subscription)
				}
				same := before.Words.Digest() == asked.Words.Digest() && before.Fault == ""
				if !same && (before.Fault == "" || before.Tampered == "") {
					t.Errorf("it says something else, and that is not seen: %+v", before.Words)
				}
				after := read(asked.ID, forged, decision, time.Now())
				if after.Status != lakemesh.Active || after.Words.Digest() != granted.Words.Digest() || after.Fault != "" || !after.Permitted.Equal(granted.Permitted) ||
					!slices.Equal(after.Tables, []string{"orders"}) || after.WholeDatabase() || after.Database != "sales" {
					t.Errorf("with a decision it is %+v", after.Subscription)
				}
			})
		}
	}
	for n, v := range []item{nil, {}} {
		if r := read(asked.ID, v, decision, time.Now()); r.Status != lakemesh.Active || r.Tampered == "" || r.Believable() {
			t.Errorf("%d: without the request it is %+v", n, r)
		}
	}
}

// TestAnIDIsMadeOfEveryWord changes one word at a time.
func TestAnIDIsMadeOfEveryWord(t *testing.T) {
	t.Parallel()
	base := Words{Database: "sales", Tables: []string{"a", "b"}, Requested: lakemesh.NewPermissions(lakemesh.Select), Note: "n", By: "me", Expressions: []string{"a|b"}}
	changed := map[string]func(*Words){
		"asked": func(w *Words) { w.Asked++ }, "database": func(w *Words) { w.Database = "sale" }, "tables": func(w *Words) { w.Tables = []string{"a"} },
		"names": func(w *Words) { w.Tables = []string{"ab", ""} }, "whole": func(w *Words) { w.Whole, w.Tables = true, nil },
		"permissions": func(w *Words) { w.Requested = lakemesh.NewPermissions(lakemesh.All) }, "note": func(w *Words) { w.Note = "m" }, "by": func(w *Words) { w.By = "you" },
		"expressions": func(w *Words) { w.Expressions = nil }, "until": func(w *Words) { w.Until = time.Unix(1e9, 0) }, "moved": func(w *Words) { w.Tables, w.Expressions = []string{"a"}, []string{"b", "a|b"} },
		"none": func(w *Words) { w.Tables = nil },
	}
	seen := map[string]string{base.ID(owner, subscriber): "nothing"}
	for name, change := range changed {
		w := base
		change(&w)
		id := w.ID(owner, subscriber)
		if other, ok := seen[id]; ok || w.Digest() == base.Digest() {
			t.Errorf("with another %s the id is that of %s", name, other)
		}
		seen[id] = name
	}
}

func TestWordsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	rapid.Check(t, func(rt *rapid.T) {
		words := Words{Database: rapid.StringMatching(`[a-zé]{1,20}`).Draw(rt, "database"), Requested: lakemesh.NewPermissions(lakemesh.Select),
			Note: rapid.StringMatching(`[a-z\n\x1b]{0,20}`).Draw(rt, "note"), Expressions: rapid.SliceOfN(rapid.StringMatching(`[a-z.*]{1,9}`), 0, 2).Draw(rt, "expressions")}
		if words.Whole = rapid.Bool().Draw(rt, "whole"); !words.Whole {
			words.Tables = rapid.SliceOfN(rapid.StringMatching(`[a-z_.]{1,20}`), 1, 40).Draw(rt, "tables")
			if rapid.Bool().Draw(rt, "many") {
				words.Tables = slices.Repeat(words.Tables, 100)
			}
		}
		if rapid.Bool().Draw(rt, "ends") {
			words.Until = time.Unix(rapid.Int64Range(1, 1<<35).Draw(rt, "until"), 0)
		}
		_, words, err := tr.PendingTwin(t.Context(), owner, subscriber, words)
		if err != nil {
			rt.Fatal(err)
		}
		if err := tr.Request(t.Context(), owner, subscriber, words); err != nil {
			rt.Fatal(err)
		}
		r, err := tr.Get(t.Context(), words.ID(owner, subscriber))
		if err != nil || r.Fault != "" || r.Tampered != "" || r.Words.Digest() != words.Digest() || !r.Believable() {
			rt.Fatalf("written was %+v, read %+v, %v", words, r, err)
		}
	})
}

func TestAskingTwiceIsAskingOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	first := w.request(tr, "please", "orders")
	words := Words{Database: "sales", Tables: []string{"orders"}, Requested: first.Requested, Note: "now, please"}
	twin, _, err := tr.PendingTwin(t.Context(), owner, subscriber, words)
	w.must(err)
	if twin == nil || twin.ID != first.ID {
		t.Errorf("asking once more finds %+v", twin)
	}
	ledger, err := tr.Ledger(t.Context(), owner, subscriber)
	w.must(err)
	w.must(tr.Deny(t.Context(), first, ledger, "no"))
	second := w.request(tr, "please", "orders")
	if second.ID == first.ID || second.Words.Asked != 1 {
		t.Errorf("after a denial it is %+v", second)
	}
}

func TestListsHaveWhatThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	pending, active := w.request(tr, "1").ID, w.request(tr, "2", "orders").ID
	denied, ended, cancelled := w.request(tr, "3", "a").ID, w.request(tr, "4", "b").ID, w.request(tr, "5", "c").ID
	w.decide(tr, active, lakemesh.ActionApprove, lakemesh.Select)
	w.decide(tr, ended, lakemesh.ActionApprove, lakemesh.Select)
	w.decide(tr, ended, lakemesh.ActionDelete)
	ledger, err := tr.Ledger(t.Context(), owner, subscriber)
	w.must(err)
	w.must(tr.Deny(t.Context(), w.get(tr, denied), ledger, ""))
	w.must(tr.Cancel(t.Context(), w.get(tr, cancelled), "changed my mind"))
	for state, want := range map[lakemesh.Status][]string{
		lakemesh.Pending: {pending}, lakemesh.Active: {active}, lakemesh.Denied: {denied}, lakemesh.Deleted: {ended, cancelled},
		"": {pending, active, denied, ended, cancelled},
	} {
		slices.Sort(want)
		if got := w.ids(tr, state); got != strings.Join(want, " ") {
			t.Errorf("%q are %s, want %v", state, got, want)
		}
		var mine []string
		w.must(tr.Subscribed(t.Context(), subscriber, state, func(r *Record) bool { mine = append(mine, r.ID); return true }))
		if !slices.Equal(mine, want) {
			t.Errorf("the consumer's %q are %v, want %v", state, mine, want)
		}
	}
	if err := tr.Cancel(t.Context(), w.get(tr, active), ""); !errors.Is(err, lakemesh.ErrIllegalTransition) {
		t.Errorf("cancelling an active subscription: %v", err)
	}
}

// TestAMeshWithoutMembersIsNoMeshWithoutRequests: a list that looks nowhere would be empty.
func TestAMeshWithoutMembersIsNoMeshWithoutRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tr := w.tracker(Options{})
	_, err := w.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(lakemesh.DecisionsTable), Key: keyOf(lakemesh.DecisionsTable, membersKey)})
	w.must(err)
	if err := tr.Owned(t.Context(), owner, lakemesh.Pending, func(*Record) bool { return true }); !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("got %v, want not found", err)
	}
}

// FuzzRead reads records of whatever items: nothing panics, and nothing that a consumer
// writes makes a subscription of a request.
func FuzzRead(f *testing.F) {
	f.Add([]byte("x"), uint8(0), uint8(0))
	id := owner + "-" + subscriber + "-ABCDEFGHJKLMNPQRSTUVWX"
	f.Fuzz(func(t *testing.T, data []byte, n, m uint8) {
		names, all := ConsumerAttributes(), values()
		request := item{attrID: str(id)}
		for k := range int(n % 40) {
			name := names[(k*7+int(m))%len(names)]
			request[name] = all[(k*int(m)+len(data))%len(all)]
			if k < len(data) {
				request[name] = &types.AttributeValueMemberB{Value: data[k:]}
			}
			if request[name] == nil {
				delete(request, name)
			}
		}
		r := read(id, trim(request), nil, time.Now())
		if r.Status == lakemesh.Active || r.Status == lakemesh.Denied || r.Permitted != nil {
			t.Errorf("without a decision it is %+v", r)
		}
		if r.Fault == "" && r.Words.ID(owner, subscriber) != id {
			t.Errorf("its words are not those of its id: %+v", r.Words)
		}
	})
}
