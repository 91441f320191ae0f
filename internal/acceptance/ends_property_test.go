package acceptance_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

const aDay = 24 * time.Hour

// ending is what the model knows of a subscription with an end.
type ending struct {
	subscribed
	until time.Time
	left  bool
	// begun is a decision that was carried out and not recorded.
	begun *begun
}

type begun struct {
	action    lakemesh.Action
	permitted lakemesh.Permissions
	until     time.Time
}

func passed(until, now time.Time) bool { return !until.IsZero() && !now.Before(until) }

// endingModel is what should hold when the owner has what is over ended.
type endingModel struct{ all []*ending }

// expire ends what is over. moving are those whose end is being moved, which are left alone.
func (m *endingModel) expire(now time.Time) (moving []*ending) {
	for _, s := range m.all {
		over, lapsed := passed(s.until, now), s.begun != nil && passed(s.begun.until, now)
		switch {
		case s.status == lakemesh.Pending && lapsed:
			s.begun = nil
		case s.status != lakemesh.Active || !over && (!lapsed || s.begun.action != lakemesh.ActionUpdate):
		case s.begun != nil && s.begun.action == lakemesh.ActionUpdate && !lapsed:
			moving = append(moving, s)
		default:
			s.status, s.begun = lakemesh.Deleted, nil
		}
	}
	return moving
}

func (m *endingModel) union() *model {
	union := &model{}
	for _, s := range m.all {
		union.all = append(union.all, &s.subscribed)
	}
	return union
}

// Whatever was decided, left unfinished, taken back, left, or forgotten until its end: when
// what is over was ended, the account holds what those justify that are active and not over.
func TestGrantsAreTheUnionOfWhatIsNotOverWhenWhatIsOverWasEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.WithoutCancel(t.Context())
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	options := w.Options(producerAccount)
	options.Now = now
	var err error
	if w.producer, err = producer.New(ctx, options); err != nil {
		t.Fatal(err)
	}
	options = w.Options(consumerAccount)
	options.Now = now
	if w.consumer, err = consumer.New(ctx, options); err != nil {
		t.Fatal(err)
	}
	permissions := rapid.SampledFrom([][]string{{"SELECT"}, {"DESCRIBE"}, {"SELECT", "INSERT"}, {"SELECT", "DESCRIBE"}})
	// No end is 0 days.
	days := rapid.SampledFrom([]int{0, 1, 2, 5})
	rapid.Check(t, func(t *rapid.T) {
		m := &endingModel{}
		end := func(t *rapid.T) time.Time {
			n := days.Draw(t, "days")
			if n == 0 {
				return time.Time{}
			}
			return now().Add(time.Duration(n) * aDay).UTC().Truncate(time.Second)
		}
		one := func(t *rapid.T, fit func(*ending) bool) *ending {
			var all []*ending
			for _, s := range m.all {
				if fit(s) {
					all = append(all, s)
				}
			}
			if len(all) == 0 {
				t.Skip("none is fit for it")
			}
			return rapid.SampledFrom(all).Draw(t, "subscription")
		}
		in := func(status lakemesh.Status) func(*ending) bool {
			return func(s *ending) bool { return s.status == status && s.begun == nil }
		}
		// decide makes a decision, or leaves it unrecorded.
		decide := func(t *rapid.T, decide func() error) (finished bool) {
			if rapid.IntRange(0, 2).Draw(t, "is left unfinished") == 0 {
				// The first transaction is the claim.
				w.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2, Code: "AccessDeniedException", Status: 400})
				if err := decide(); err == nil {
					t.Fatal("it was recorded")
				}
				return false
			}
			if err := decide(); err != nil {
				t.Fatal(err)
			}
			return true
		}
		add := func(id string, tables []string, requested []string, until time.Time) {
			if !slices.ContainsFunc(m.all, func(o *ending) bool { return o.id == id }) {
				s := &ending{subscribed: subscribed{id: id, account: consumerAccount, tables: tables, status: lakemesh.Pending}, until: until}
				s.requested, _ = lakemesh.ParsePermissions(requested...)
				m.all = append(m.all, s)
			}
		}
		abort := func(t *rapid.T, s *ending) {
			if err := w.producer.AbortDecision(ctx, producer.AbortInput{SubscriptionID: s.id}); err != nil {
				t.Fatal(err)
			}
			s.begun = nil
		}
		check := func(t *rapid.T) {
			moving := m.expire(now())
			if _, err := w.producer.ExpireSubscriptions(ctx); (err != nil) != (len(moving) > 0) || err != nil && !errors.Is(err, lakemesh.ErrClaimed) {
				t.Fatalf("expire: %v, and the ends of %d are being moved", err, len(moving))
			}
			for _, s := range m.all {
				if s.begun != nil {
					abort(t, s)
				}
			}
			m.expire(now())
			if _, err := w.producer.ExpireSubscriptions(ctx); err != nil {
				t.Fatal(err)
			}
			union := m.union()
			if diff := cmp.Diff(union.grants(consumerAccount), w.grants(consumerAccount)); diff != "" {
				t.Fatalf("it holds (-want +got):\n%s", diff)
			}
			if want, got := union.open(), w.open(); !slices.Equal(want, got) {
				t.Fatalf("open prefixes are %v, want %v", got, want)
			}
			for _, s := range m.all {
				if got := w.get(s.id); got.Status != s.status || got.Over || got.Claim != nil {
					t.Fatalf("%s is %s, over %t, claimed by %v; want %s", s.id, got.Status, got.Over, got.Claim, s.status)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"request": func(t *rapid.T) {
				tables := rapid.SampledFrom([][]string{{tables()[0]}, tables()[:2]}).Draw(t, "tables")
				requested, until := permissions.Draw(t, "requested"), end(t)
				out, err := w.consumer.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, Tables: tables, RequestPermissions: requested, Until: until})
				if err != nil {
					t.Fatal(err)
				}
				add(out.SubscriptionID, tables, requested, until)
			},
			"extend": func(t *rapid.T) {
				s := one(t, func(s *ending) bool { return s.status == lakemesh.Active && !s.until.IsZero() })
				until := now().Add(9 * aDay).UTC().Truncate(time.Second)
				if !until.After(s.until) {
					t.Skip("it ends later")
				}
				out, err := w.consumer.RequestExtension(ctx, consumer.ExtensionInput{SubscriptionID: s.id, Until: until})
				if err != nil {
					t.Fatal(err)
				}
				if got := w.get(out.SubscriptionID); !got.Requested.Equal(s.permitted) || !slices.Equal(got.Tables, s.tables) {
					t.Fatalf("the extension of %s on %v asks for %s on %v", s.permitted, s.tables, got.Requested, got.Tables)
				}
				add(out.SubscriptionID, s.tables, s.permitted.Strings(), until)
			},
			"approve": func(t *rapid.T) {
				s := one(t, in(lakemesh.Pending))
				granted, until := permissions.Draw(t, "granted"), end(t)
				p, _ := lakemesh.ParsePermissions(granted...)
				if decide(t, func() error {
					return w.producer.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: s.id, GrantPermissions: granted, Until: &until})
				}) {
					s.status, s.permitted, s.grantable, s.until = lakemesh.Active, p, p, until
				} else {
					s.begun = &begun{lakemesh.ActionApprove, p, until}
				}
			},
			"update": func(t *rapid.T) {
				s := one(t, in(lakemesh.Active))
				granted, until := permissions.Draw(t, "granted"), end(t)
				p, _ := lakemesh.ParsePermissions(granted...)
				update := producer.UpdateInput{SubscriptionID: s.id, GrantPermissions: granted, Until: &until}
				if s.left {
					update.Until, until = nil, s.until
					if err := w.producer.UpdateSubscriptionPermissions(ctx, update); passed(s.until, now()) && err == nil || !p.SubsetOf(s.permitted) && !errors.Is(err, lakemesh.ErrIllegalTransition) {
						t.Fatal(err)
					} else if err == nil {
						s.permitted, s.grantable = p, p
					}
					return
				}
				if p.Equal(s.permitted) && until.Equal(s.until) {
					t.Skip("nothing is decided")
				}
				if decide(t, func() error { return w.producer.UpdateSubscriptionPermissions(ctx, update) }) {
					s.permitted, s.grantable, s.until = p, p, until
				} else {
					s.begun = &begun{lakemesh.ActionUpdate, p, until}
				}
			},
			"delete": func(t *rapid.T) {
				s := one(t, in(lakemesh.Active))
				if decide(t, func() error { return w.producer.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: s.id}) }) {
					s.status = lakemesh.Deleted
				} else {
					s.begun = &begun{action: lakemesh.ActionDelete}
				}
			},
			"carry on": func(t *rapid.T) {
				s := one(t, func(s *ending) bool { return s.begun != nil })
				b, err := s.begun, error(nil)
				switch b.action {
				case lakemesh.ActionApprove:
					err = w.producer.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: s.id, GrantPermissions: b.permitted.Strings(), Until: &b.until})
				case lakemesh.ActionUpdate:
					err = w.producer.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: s.id, GrantPermissions: b.permitted.Strings(), Until: &b.until})
				default:
					err = w.producer.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: s.id})
				}
				switch {
				case passed(b.until, now()):
					if !errors.Is(err, lakemesh.ErrInvalidInput) {
						t.Fatalf("what has ended is carried on: %v", err)
					}
				case err != nil:
					t.Fatal(err)
				case b.action == lakemesh.ActionDelete:
					s.status, s.begun = lakemesh.Deleted, nil
				default:
					s.status, s.permitted, s.grantable, s.until, s.begun = lakemesh.Active, b.permitted, b.permitted, b.until, nil
				}
			},
			"abort": func(t *rapid.T) { abort(t, one(t, func(s *ending) bool { return s.begun != nil })) },
			"leave": func(t *rapid.T) {
				s := one(t, func(s *ending) bool { return s.status == lakemesh.Active && s.begun == nil && !s.left })
				if err := w.consumer.DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: s.id}); err != nil {
					t.Fatal(err)
				}
				s.left = true
			},
			"settle": func(t *rapid.T) {
				if slices.ContainsFunc(m.all, func(s *ending) bool { return s.left && s.begun != nil && s.status == lakemesh.Active }) {
					t.Skip("one of them is being decided on")
				}
				if _, err := w.producer.SettleDepartures(ctx); err != nil {
					t.Fatal(err)
				}
				for _, s := range m.all {
					if s.left && s.status == lakemesh.Active {
						s.status = lakemesh.Deleted
					}
				}
			},
			"verify": func(t *rapid.T) {
				// What is over is ended by it as well, and nothing is given more than it says.
				found, err := w.known(func() (*chain.Verification, error) { return w.producer.Verify(ctx, producer.VerifyInput{}) })
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.producer.Repair(ctx, found); err != nil {
					t.Fatal(err)
				}
				for _, s := range m.all {
					if s.status == lakemesh.Active && s.begun == nil && !s.left && passed(s.until, now()) && w.get(s.id).Status == lakemesh.Deleted {
						s.status = lakemesh.Deleted
					}
				}
			},
			"publish": func(t *rapid.T) { w.publish(w.producer, source) },
			"time":    func(t *rapid.T) { ahead.Add(int64(rapid.IntRange(1, 3).Draw(t, "days")) * int64(aDay)) },
			"expire":  check,
		})
		check(t)
		for _, s := range m.all {
			var err error
			switch s.status {
			case lakemesh.Pending:
				err = w.producer.DenyAccessRequest(ctx, producer.DenyInput{RequestID: s.id})
			case lakemesh.Active:
				err = w.producer.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: s.id})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if left := w.grants(consumerAccount); len(left) > 0 {
			t.Fatalf("it holds %v in the end", left)
		}
	})
}
