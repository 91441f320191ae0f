package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// rounds is how often each race is run.
func rounds() int {
	if long() {
		return 200
	}
	return 10
}

// jitter lets every call of one of several programs take some time, before and after
// it takes effect. In a bubble that decides who comes first, the same way each time
// for the same seed.
type jitter struct {
	next aws.HTTPClient

	mu     sync.Mutex
	random *rand.Rand
}

// Do implements aws.HTTPClient.
func (j *jitter) Do(r *http.Request) (*http.Response, error) {
	if err := j.wait(r.Context()); err != nil {
		return nil, err
	}
	resp, err := j.next.Do(r)
	if err == nil {
		err = j.wait(r.Context())
	}
	return resp, err
}

func (j *jitter) wait(ctx context.Context) error {
	j.mu.Lock()
	d := time.Duration(1+j.random.IntN(20_000)) * time.Microsecond
	j.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// contestant is one of several programs that work at the same time.
type contestant struct {
	name string
	run  func(ctx context.Context, w *world) error
	err  error
}

// race lets programs work at the same time on the same mesh.
func (w *world) race(t *testing.T, seed uint64, all ...*contestant) {
	t.Helper()
	var wg sync.WaitGroup
	for i, c := range all {
		// Each program has personas of its own.
		own := &world{mesh: w.mesh, state: w.state, subscription: w.subscription, config: func(account string) aws.Config {
			cfg := w.mesh.Config(meshtest.Administrator(account))
			cfg.HTTPClient = &jitter{next: cfg.HTTPClient, random: rand.New(rand.NewPCG(seed, uint64(i)))}
			return cfg
		}}
		wg.Go(func() { c.err = c.run(t.Context(), own) })
	}
	wg.Wait()
}

// won are the contestants that got through. Those that did not must have been told
// that somebody else was faster.
func won(t *testing.T, all ...*contestant) []string {
	t.Helper()
	var names []string
	for _, c := range all {
		switch {
		case c.err == nil:
			names = append(names, c.name)
		case !errors.Is(c.err, lakemesh.ErrClaimed) && !errors.Is(c.err, lakemesh.ErrIllegalTransition):
			t.Errorf("%s lost with %v, want a conflict", c.name, c.err)
		}
	}
	return names
}

// consistent checks that what every consumer holds is the union of its active
// subscriptions, and that exactly the prefixes are open whose data somebody may
// read. It returns the state of the subscription.
func (w *world) consistent(t *testing.T) lakemesh.Status {
	t.Helper()
	p, err := producer.New(t.Context(), w.options(producerAccount))
	must(t, err)
	all, err := p.ListSubscriptions(t.Context(), producer.ListSubscriptionsInput{})
	must(t, err)
	want, status := map[string]bool{}, lakemesh.Status("")
	for _, s := range all.Subscriptions {
		if s.ID == w.subscription {
			status = s.Status
		}
		if s.Claim != nil {
			t.Errorf("subscription %s is still claimed: %+v", s.ID, s.Claim)
		}
		if s.Status == lakemesh.Active {
			w.justified(&s, want)
		}
	}
	seen := w.look(t)
	var got []string
	for _, line := range seen.access {
		grant := strings.HasPrefix(line, meshAccount+" lake: "+consumerAccount) || strings.HasPrefix(line, meshAccount+" lake: "+otherConsumer)
		prefix := strings.Contains(line, " bucket ") && strings.Contains(line, " s3:GetObject on ")
		if prefix {
			_, line, _ = strings.Cut(line, " on ")
		}
		if grant || prefix {
			got = append(got, line)
		}
	}
	slices.Sort(got)
	wanted := make([]string, 0, len(want))
	for line := range want {
		wanted = append(wanted, line)
	}
	slices.Sort(wanted)
	if diff := difference(wanted, slices.Compact(got)); diff != "" {
		t.Errorf("what active subscriptions justify (-), and what there is (+):\n%s", diff)
	}
	return status
}

// justified adds what an active subscription justifies, in the words of [sight].
func (*world) justified(s *lakemesh.Subscription, want map[string]bool) {
	add := func(p lakemesh.Permission, grantable bool, resource string) {
		want[fmt.Sprintf("%s lake: %s may %s on %s", meshAccount, s.Subscriber, p, resource)] = true
		if grantable {
			want[fmt.Sprintf("%s lake: %s may grant %s on %s", meshAccount, s.Subscriber, p, resource)] = true
		}
	}
	add(lakemesh.Describe, len(s.Grantable) > 0, fmt.Sprintf(`{"Database":{"CatalogId":"%s","Name":"%s"}}`, meshAccount, s.Database))
	for _, table := range s.Tables {
		for _, p := range s.Permitted {
			kind := "Table"
			if p == lakemesh.Select {
				kind = "TableWithColumns"
			}
			add(p, s.Grantable.Has(p), fmt.Sprintf(`{"%s":{"CatalogId":"%s","DatabaseName":"%s","Name":"%s"}}`, kind, meshAccount, s.Database, table))
		}
		if s.Permitted.Has(lakemesh.Select) || s.Permitted.Has(lakemesh.Insert) || s.Permitted.Has(lakemesh.Delete) {
			bucket := firstBucket
			if table == "customers" {
				bucket = secondBucket
			}
			want[fmt.Sprintf("arn:aws:s3:::%s/%s/* with prefix *", bucket, table)] = true
		}
	}
}

// contest runs a race again and again, on a state in which others have
// subscriptions, too.
func contest(t *testing.T, from func(l *life, t *testing.T) *state, round func(t *testing.T, w *world, seed uint64)) {
	t.Helper()
	t.Parallel()
	for _, sh := range shapes() {
		if !sh.crowd {
			continue
		}
		start := from(newLife(sh), t)
		for seed := range rounds() {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				start.in(t, func(t *testing.T, w *world) { round(t, w, uint64(seed)) })
			})
		}
	}
}

func several(n int, name string, run func(ctx context.Context, w *world) error) []*contestant {
	all := make([]*contestant, n)
	for i := range all {
		all[i] = &contestant{name: name, run: run}
	}
	return all
}

// exactlyOne checks that one contestant got through, and that the state is what it
// wanted.
func exactlyOne(t *testing.T, w *world, all []*contestant, becomes map[string]lakemesh.Status) {
	t.Helper()
	winners := won(t, all...)
	status := w.consistent(t)
	if len(winners) != 1 || becomes[winners[0]] != status {
		t.Errorf("%v got through, and the subscription is %s", winners, status)
	}
}

func TestRaceOfApprovals(t *testing.T) {
	contest(t, (*life).requested, func(t *testing.T, w *world, seed uint64) {
		all := several(4, "approve", func(ctx context.Context, w *world) error { return approve(ctx, w, nil) })
		w.race(t, seed, all...)
		exactlyOne(t, w, all, map[string]lakemesh.Status{"approve": lakemesh.Active})
	})
}

func TestRaceOfApprovalsAndDenials(t *testing.T) {
	contest(t, (*life).requested, func(t *testing.T, w *world, seed uint64) {
		all := append(several(2, "approve", func(ctx context.Context, w *world) error { return approve(ctx, w, nil) }), several(2, "deny", deny)...)
		w.race(t, seed, all...)
		exactlyOne(t, w, all, map[string]lakemesh.Status{"approve": lakemesh.Active, "deny": lakemesh.Denied})
	})
}

func TestRaceOfApprovalsAndCancellations(t *testing.T) {
	contest(t, (*life).requested, func(t *testing.T, w *world, seed uint64) {
		all := append(several(2, "approve", func(ctx context.Context, w *world) error { return approve(ctx, w, nil) }), several(2, "cancel", cancel)...)
		w.race(t, seed, all...)
		exactlyOne(t, w, all, map[string]lakemesh.Status{"approve": lakemesh.Active, "cancel": lakemesh.Deleted})
	})
}

// Updates and deletions follow on each other: every one that got through was legal
// when it did.
func TestRaceOfUpdatesAndDeletions(t *testing.T) {
	contest(t, (*life).imported, func(t *testing.T, w *world, seed uint64) {
		all := append(several(2, "delete", remove),
			&contestant{name: "update", run: func(ctx context.Context, w *world) error { return update(ctx, w, "DESCRIBE") }},
			&contestant{name: "update", run: func(ctx context.Context, w *world) error { return update(ctx, w, "SELECT", "DELETE") }})
		w.race(t, seed, all...)
		winners := won(t, all...)
		status := w.consistent(t)
		deleted := 0
		for _, name := range winners {
			if name == "delete" {
				deleted++
			}
		}
		if len(winners) == 0 || deleted > 1 || (deleted == 1) != (status == lakemesh.Deleted) {
			t.Errorf("%v got through, and the subscription is %s", winners, status)
		}
	})
}

// Two subscriptions on one table end at the same time, and what a third one
// justifies stays.
func TestRaceOfDeletionsOnOneTable(t *testing.T) {
	contest(t, (*life).overlapping, func(t *testing.T, w *world, seed uint64) {
		first, second, _ := strings.Cut(w.subscription, " ")
		var all []*contestant
		for _, id := range []string{first, second} {
			all = append(all, &contestant{name: id, run: func(ctx context.Context, w *world) error {
				w.subscription = id
				return remove(ctx, w)
			}})
		}
		w.race(t, seed, all...)
		if winners := won(t, all...); len(winners) != 2 {
			t.Errorf("%d deletions got through, want both: %v, %v", len(winners), all[0].err, all[1].err)
		}
		w.consistent(t)
	})
}

// Decisions on different subscriptions change the policy of one bucket.
func TestRaceOfChangesOfOneBucket(t *testing.T) {
	contest(t, (*life).overlapping, func(t *testing.T, w *world, seed uint64) {
		first, second, _ := strings.Cut(w.subscription, " ")
		all := []*contestant{
			{name: "delete", run: func(ctx context.Context, w *world) error { w.subscription = first; return remove(ctx, w) }},
			{name: "update", run: func(ctx context.Context, w *world) error { w.subscription = second; return update(ctx, w, "DESCRIBE") }},
			{name: "ask and approve", run: func(ctx context.Context, w *world) error {
				if err := (&life{}).ask(ctx, w, otherConsumer, []string{"orders_eu"}, "SELECT"); err != nil {
					return err
				}
				return approve(ctx, w, nil)
			}},
		}
		w.race(t, seed, all...)
		if winners := won(t, all...); len(winners) != len(all) {
			t.Errorf("only %v got through", winners)
		}
		w.consistent(t)
	})
}

// Several programs that publish the same product leave what one would.
func TestRaceOfPublications(t *testing.T) {
	t.Parallel()
	l := newLife(shapes()[1])
	start := l.source(t)
	var alone *sight
	start.in(t, func(t *testing.T, w *world) {
		must(t, l.create(t.Context(), w))
		alone = w.look(t)
	})
	for seed := range rounds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			start.in(t, func(t *testing.T, w *world) {
				all := several(3, "create", l.create)
				w.race(t, uint64(seed), all...)
				for _, c := range all {
					if c.err != nil {
						t.Errorf("create: %v", c.err)
					}
				}
				if diff := difference(alone.lines(), w.look(t).lines()); diff != "" {
					t.Errorf("of one program (-), and of several (+):\n%s", diff)
				}
			})
		})
	}
}

// A subscription to a whole database is changed while another table is published
// into it: the change holds, for the new table as well.
func TestRaceOfAnUpdateAndAPublication(t *testing.T) {
	t.Parallel()
	l := newLife(shapes()[3])
	start := l.grown(t)
	narrow := func(ctx context.Context, w *world) error { return update(ctx, w, "DESCRIBE", "SELECT") }
	var inTurn *sight
	start.in(t, func(t *testing.T, w *world) {
		must(t, l.create(t.Context(), w))
		must(t, narrow(t.Context(), w))
		inTurn = w.look(t)
	})
	for seed := range rounds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			start.in(t, func(t *testing.T, w *world) {
				publishing, updating := &contestant{name: "create", run: l.create}, &contestant{name: "update", run: narrow}
				w.race(t, uint64(seed), publishing, updating)
				if publishing.err != nil {
					t.Errorf("create: %v", publishing.err)
				}
				if errors.Is(updating.err, lakemesh.ErrClaimed) {
					// It was told to come back.
					updating.err = narrow(t.Context(), w)
				}
				if updating.err != nil {
					t.Errorf("update: %v", updating.err)
				}
				if diff := difference(inTurn.access, w.look(t).access); diff != "" {
					t.Errorf("one after the other (-), and at the same time (+):\n%s", diff)
				}
			})
		})
	}
}

// Accounts that are enabled at the same time are all enabled.
func TestRaceOfEnablings(t *testing.T) {
	t.Parallel()
	enable := func(kind admin.AccountType, account string) *contestant {
		return &contestant{name: account, run: on(meshAccount, func(ctx context.Context, a *admin.Admin) error {
			if kind == admin.Producer {
				_, err := a.EnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: account})
				return err
			}
			_, err := a.EnableAccountAsConsumer(ctx, admin.EnableConsumerInput{AccountID: account})
			return err
		})}
	}
	all := func() []*contestant {
		return []*contestant{enable(admin.Producer, producerAccount), enable(admin.Producer, meshtest.OtherProducer), enable(admin.Producer, producerAccount),
			enable(admin.Consumer, consumerAccount), enable(admin.Consumer, otherConsumer)}
	}
	start := ready(t)
	var alone *sight
	start.in(t, func(t *testing.T, w *world) {
		for _, c := range all() {
			must(t, c.run(t.Context(), w))
		}
		alone = w.look(t)
	})
	for seed := range rounds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			start.in(t, func(t *testing.T, w *world) {
				together := all()
				w.race(t, uint64(seed), together...)
				for _, c := range together {
					if c.err != nil {
						t.Errorf("enable %s: %v", c.name, c.err)
					}
				}
				if diff := difference(alone.lines(), w.look(t).lines()); diff != "" {
					t.Errorf("one after the other (-), and at the same time (+):\n%s", diff)
				}
			})
		})
	}
}
