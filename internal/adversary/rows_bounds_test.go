package adversary_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/producer"
)

// hostileRecords and packedSize are what was shown: twenty records, each with a list
// of so many bytes, packed.
const (
	hostileRecords = 20
	packedSize     = 215 << 10
	mostMemory     = 64 << 20
)

// Row 8. It is not parallel: what others use at the same time would be counted.
func TestRecordsOfOneConsumerDoNotFillTheMemoryOfItsOwner(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	names := make([]string, packedSize/5)
	for n := range names {
		names[n] = fmt.Sprintf("%08x", random.Uint32())
	}
	s := newScene(t)
	g := s.keep()
	for name, value := range map[string]dynamotypes.AttributeValue{
		"names that do not shrink":  packedNames(names),
		"names of one letter":       gzipped(`["a"` + strings.Repeat(`,"a"`, 250_000) + `]`),
		"many names of one letter":  gzipped(`["a"` + strings.Repeat(`,"a"`, 2_000_000) + `]`),
		"no names":                  gzipped(`[""` + strings.Repeat(`,""`, 8<<20) + `]`),
		"one name":                  gzipped(`["` + strings.Repeat("a", 32<<20) + `"]`),
		"a list that is not packed": bigList(350 << 10),
	} {
		if !longRows() && name != "names that do not shrink" && name != "many names of one letter" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := g.play(t)
			for n := range hostileRecords {
				// Its id is that of the request that it was before it was filled.
				words := tracker.Words{Note: fmt.Sprint(n), Database: rowProduct, Whole: true, Requested: lakemesh.NewPermissions(lakemesh.Select), By: "me"}
				s.flood(words, value)
			}
			honest := s.ask(s.honest, []string{rowOrders}, "SELECT")
			var pending *producer.ListPendingOutput
			used := peak(func() {
				var err error
				pending, err = s.victim.ListPendingAccessRequests(s.ctx())
				s.must(err)
			})
			t.Logf("%d MB at most, for records of %d KB", used>>20, weigh(value)>>10)
			if used > mostMemory {
				t.Errorf("listing took %d MB, want at most %d", used>>20, mostMemory>>20)
			}
			if len(pending.Subscriptions) != hostileRecords+1 || !slices.ContainsFunc(pending.Subscriptions, func(r producer.PendingRequest) bool { return r.SubscriptionID == honest && r.Tampered == "" }) {
				t.Errorf("%d requests are listed, with the honest one or without", len(pending.Subscriptions))
			}
			for what, list := range map[string]func() error{
				"all of the victim's": func() error {
					_, err := s.victim.ListSubscriptions(s.ctx(), producer.ListSubscriptionsInput{})
					return err
				},
				"a plan of one": func() error {
					_, err := s.victim.PlanApproveAccessRequest(s.ctx(), producer.ApproveInput{RequestID: pending.Subscriptions[0].SubscriptionID})
					if errors.Is(err, lakemesh.ErrTampered) {
						err = nil
					}
					return err
				},
				"the honest consumer's own": func() error {
					_, err := s.honest.ListProductAccess(s.ctx(), consumer.ListInput{Statuses: consumer.AllStatuses()})
					return err
				},
			} {
				var err error
				if used := peak(func() { err = list() }); err != nil || used > mostMemory {
					t.Errorf("%s: %d MB, %v", what, used>>20, err)
				}
			}
			s.must(s.approve(honest))
			s.holds("after the approval", honestAccount, map[string]string{rowOrders: "SELECT"})
		})
	}
}

// weigh is about how many bytes a value has.
func weigh(v dynamotypes.AttributeValue) int {
	if b, ok := v.(*dynamotypes.AttributeValueMemberB); ok {
		return len(b.Value)
	}
	size := 0
	for _, e := range v.(*dynamotypes.AttributeValueMemberL).Value {
		size += len(e.(*dynamotypes.AttributeValueMemberS).Value)
	}
	return size
}

// flood writes a request of the hostile consumer, and puts it where owners look.
func (s *scene) flood(w tracker.Words, tables dynamotypes.AttributeValue) {
	s.t.Helper()
	id := w.ID(victimAccount, hostileAccount)
	s.must(s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, id, attributes{"DatabaseName": aText(w.Database), "CreatedBy": aText(w.By),
		"RequestedGrants": aList(w.Requested.Strings()...), "Status": aText("Pending"), "OwnerPrincipal": aText(victimAccount), "SubscriberPrincipal": aText(hostileAccount),
		"TableName": tables, "Notes": aSet(w.Note), "CreationDate": aText("2022-03-04 05:06:07")}))
	s.ids[id] = id
	var open []string
	for key, id := range s.ids {
		if key == id {
			open = append(open, id)
		}
	}
	s.try(s.hostileInMesh(), lakemesh.SubscriptionsTable, victimAccount+"-"+hostileAccount+"#inbox", attributes{"Open": aSet(open...)})
}

// peak is how much more memory is in use at most while something is done. Garbage is
// collected so often that little of it counts.
func peak(do func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before, most := stats.HeapAlloc, stats.HeapAlloc
	done := make(chan struct{})
	var sampler sync.WaitGroup
	sampler.Go(func() {
		ticker := time.NewTicker(2 * time.Millisecond)
		defer ticker.Stop()
		var stats runtime.MemStats
		for {
			runtime.ReadMemStats(&stats)
			most = max(most, stats.HeapAlloc)
			select {
			case <-done:
				return
			case <-ticker.C:
			}
		}
	})
	do()
	close(done)
	sampler.Wait()
	return most - before
}

// Row 9: what another party wrote does not act on a terminal or a log.
func TestControlCharactersDoNotLeaveTheProgramInErrorsAndPlans(t *testing.T) {
	t.Parallel()
	// A line that overwrites itself, a title, the clipboard (OSC 52), colours, a bell, a C1
	// sequence, a text that runs backwards, and one that is no text.
	const evil = "ok\rforged\x1b]52;c;cm0gLXJm\x07\x1b]0;title\x1b\\\x1b[2K\x1b[31m\n\u009b31m\u202egnp.exe\u2066\x7f\x00"
	s := newScene(t)
	id := s.ask(s.hostile, []string{rowOrders}, "SELECT")
	noted, err := s.hostile.RequestAccessToProduct(s.ctx(), consumer.RequestInput{OwnerAccountID: victimAccount, DatabaseName: rowProduct,
		Tables: []string{rowCustomers}, RequestPermissions: []string{"SELECT"}, Notes: evil})
	if err == nil {
		s.ids["noted"] = noted.SubscriptionID
	} else if !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Fatal(err)
	}
	s.ids["asked"], s.ids["active"] = id, s.active(s.hostile, rowOrdersEU)
	g := s.keep()
	everything := attributes{"TableName": aList(evil), "DatabaseName": aText(evil), "RequestedGrants": aList(evil), "Notes": aSet(evil), "Status": aText(evil),
		"RequestedExpressions": aList(evil), "CreatedBy": aText(evil), "UpdatedBy": aText(evil), "CreationDate": aText(evil), "UpdatedDate": aText(evil), "LeftReason": aText(evil)}
	cases := map[string]attributes{"everything": everything, "nothing": nil}
	for name, value := range everything {
		cases[name] = attributes{name: value}
	}
	for name, values := range cases {
		if !longRows() && !slices.Contains([]string{"everything", "nothing", "TableName", "DatabaseName", "Status"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := g.play(t)
			ids := []string{s.ids["asked"], s.ids["active"]}
			if s.ids["noted"] != "" {
				ids = append(ids, s.ids["noted"])
			}
			// One whose id is that of what it says.
			words := tracker.Words{Database: rowProduct, Tables: []string{rowOrders + evil}, Requested: lakemesh.NewPermissions(lakemesh.Select), By: "me" + evil, Note: evil, Expressions: []string{evil}}
			made := words.ID(victimAccount, hostileAccount)
			s.must(s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, made, attributes{"DatabaseName": aText(words.Database), "TableName": aList(words.Tables...),
				"CreatedBy": aText(words.By), "Notes": aSet(words.Note), "RequestedExpressions": aList(evil), "RequestedGrants": aList("SELECT"), "Status": aText("Pending")}))
			ids = append(ids, made)
			for _, id := range ids {
				if len(values) > 0 {
					s.must(s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, id, values))
				}
				s.printable("", s.victim, id)
			}
			_, err := s.victim.ListPendingAccessRequests(s.ctx())
			s.check("list what is pending", err)
			_, err = s.hostile.ListProductAccess(s.ctx(), consumer.ListInput{Statuses: consumer.AllStatuses()})
			s.check("list what one has", err)
			for _, err := range []error{
				s.finalize(s.hostile, made), s.hostile.CancelAccessRequest(s.ctx(), consumer.CancelInput{SubscriptionID: made}),
				s.approve(made), s.approve(s.ids["asked"]), s.update(s.ids["active"], "SELECT", "INSERT"), s.end(s.ids["active"]), s.end(s.ids["active"]),
				s.victim.DenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: made}),
				s.victim.DenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: made}),
			} {
				if err != nil {
					shows(t, "an error", err.Error())
				}
			}
		})
	}
}

// printable looks at every plan for a subscription, and at what it says is wrong.
func (s *scene) printable(what string, p *producer.Producer, id string) {
	s.t.Helper()
	for _, look := range []func() (fmt.Stringer, any, error){
		func() (fmt.Stringer, any, error) {
			out, err := p.PlanApproveAccessRequest(s.ctx(), producer.ApproveInput{RequestID: id})
			return out, out, err
		},
		func() (fmt.Stringer, any, error) {
			out, err := p.PlanUpdateSubscriptionPermissions(s.ctx(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"ALTER"}})
			return out, out, err
		},
		func() (fmt.Stringer, any, error) {
			out, err := p.PlanDeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: id})
			return out, out, err
		},
		func() (fmt.Stringer, any, error) {
			out, err := p.PlanDenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: id})
			return out, out, err
		},
	} {
		text, data, err := look()
		if err != nil {
			shows(s.t, what+"an error", err.Error())
			continue
		}
		shows(s.t, what+"a plan", text.String())
		encoded, err := json.Marshal(data)
		s.check("encode the plan", err)
		shows(s.t, what+"a plan's JSON", string(encoded))
	}
	if r, err := p.GetSubscription(s.ctx(), id); err != nil {
		shows(s.t, what+"an error", err.Error())
	} else {
		shows(s.t, what+"what is wrong with it", r.Tampered)
	}
}

// shows fails if a text would act on a terminal. A plan has lines.
func shows(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			t.Errorf("%s shows %q", what, text)
			return
		}
	}
	if strings.Contains(text, "\nforged") || strings.Contains(text, "31m\n") {
		t.Errorf("%s breaks lines: %q", what, text)
	}
}
