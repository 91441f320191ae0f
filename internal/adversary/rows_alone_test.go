package adversary_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// These are the rows without malice: programs that work at the same time, that are
// slow, cut off, or of another time. They live in bubbles, in which waiting takes none.

// network is between a program and the mesh. It delays every call by some of the
// delay, and does what on says about a call first, which is told by its number and
// its operation.
type network struct {
	next  aws.HTTPClient
	delay time.Duration
	on    func(ctx context.Context, n int, operation string) error

	mu     sync.Mutex
	random *rand.Rand
	calls  int
}

// Do implements aws.HTTPClient.
func (w *network) Do(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.calls++
	n := w.calls
	before, after := w.some(), w.some()
	w.mu.Unlock()
	if w.on != nil {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if operation == "" {
			operation = strings.TrimPrefix(r.URL.Path, "/")
		}
		if err := w.on(r.Context(), n, operation); err != nil {
			return nil, err
		}
	}
	if err := pass(r.Context(), before); err != nil {
		return nil, err
	}
	resp, err := w.next.Do(r)
	if err == nil {
		err = pass(r.Context(), after)
	}
	return resp, err
}

func (w *network) some() time.Duration {
	if w.delay == 0 {
		return 0
	}
	return time.Duration(1 + w.random.Int64N(int64(w.delay)))
}

// pass lets time pass.
func pass(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// program opens the victim as a program of its own.
func (s *scene) program(seed uint64, w *network, change func(*lakemesh.Options)) *producer.Producer {
	s.t.Helper()
	o := s.Options(victimAccount)
	if w != nil {
		cfg := o.Config.Copy()
		w.next, w.random = cfg.HTTPClient, rand.New(rand.NewPCG(seed, 1))
		cfg.HTTPClient = w
		o.Config = &cfg
	}
	if change != nil {
		change(&o)
	}
	p, err := producer.New(s.ctx(), o)
	s.must(err)
	return p
}

// ended checks that nothing is left of subscriptions.
func (s *scene) ended(when string, ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		if r, err := s.victim.GetSubscription(s.ctx(), id); err != nil || r.Status != lakemesh.Deleted || r.Claim != nil {
			s.t.Errorf("%s: %s is %+v, %v", when, id, r, err)
		}
	}
	s.holds(when, hostileAccount, nil)
	s.refused(when, hostileAccount, rowOrders)
}

// threeOnOne are three subscriptions of one consumer on one table, which share what
// is granted.
func threeOnOne(t *testing.T) *beginning {
	t.Helper()
	s := newScene(t)
	for n, wanted := range [][]string{{"SELECT", "DESCRIBE"}, {"SELECT"}, {"SELECT", "INSERT"}} {
		id := s.ask(s.hostile, []string{rowOrders}, wanted...)
		s.must(s.approve(id))
		s.ids[fmt.Sprint(n)] = id
	}
	s.must(s.finalize(s.hostile, s.ids["0"]))
	return s.keep()
}

func TestThreeDeletionsOfOneProducerAtOnceLeaveNothing(t *testing.T) {
	t.Parallel()
	for name, programs := range map[string]int{"one producer": 1, "three programs": 3} {
		rounds := 10
		if programs > 1 && !longRows() {
			rounds = 3
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := threeOnOne(t)
				for round := range rounds {
					s := g.play(t)
					ps := make([]*producer.Producer, 3)
					for n := range ps {
						if ps[n] = ps[0]; n < programs {
							ps[n] = s.program(uint64(round), &network{delay: 20 * time.Millisecond}, nil)
						}
					}
					var all sync.WaitGroup
					for n, p := range ps {
						all.Go(func() {
							s.check("delete", p.DeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: s.ids[fmt.Sprint(n)]}))
						})
					}
					all.Wait()
					s.ended(fmt.Sprintf("round %d", round), s.ids["0"], s.ids["1"], s.ids["2"])
				}
			})
		})
	}
}

const shortLease = 3 * time.Second

// A program is cut off for longer than its lease lasts, at any of its calls, and
// another one decides meanwhile. Whoever then says that it is done has done it, and
// what failed can be repeated.
func TestADecisionWhoseLeaseRunsOutLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := threeOnOne(t)
		for frozen := 1; ; frozen++ {
			if !longRows() && frozen%3 != 0 {
				continue
			}
			s := g.play(t)
			lease := func(o *lakemesh.Options) { o.ClaimLease = shortLease }
			slow := &network{}
			first, second := s.program(1, slow, lease), s.program(2, nil, lease)
			opened := slow.calls
			var thaw time.Time
			reached := make(chan struct{})
			slow.on = func(ctx context.Context, n int, _ string) error {
				if n == opened+frozen {
					thaw = time.Now().Add(10 * shortLease)
					close(reached)
				}
				if n < opened+frozen {
					return nil
				}
				<-reached // another call may be the one that set it
				return pass(ctx, max(time.Until(thaw), 0))
			}
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				err = first.DeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: s.ids["0"]})
			}()
			select {
			case <-reached:
			case <-done:
				s.must(err)
				if frozen < 6 {
					t.Errorf("a deletion has %d calls", frozen)
				}
				return
			}
			when := fmt.Sprintf("cut off at call %d", frozen)
			s.check(when+": another", second.DeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: s.ids["1"]}))
			s.check(when+": and another", second.DeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: s.ids["2"]}))
			<-done
			if err == nil {
				s.ended(when+", and it says that it is done", s.ids["0"], s.ids["1"], s.ids["2"])
				continue
			}
			if err := second.DeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: s.ids["0"]}); err != nil && !errors.Is(err, lakemesh.ErrIllegalTransition) {
				t.Errorf("%s: finish it: %v", when, err)
			}
			s.ended(when, s.ids["0"], s.ids["1"], s.ids["2"])
		}
	})
}

func TestADecisionWhoseLeaseCannotBeRenewedStopsAndIsFinishedByAnother(t *testing.T) {
	t.Parallel()
	for name, decide := range map[string]func(p *producer.Producer, s *scene) error{
		"approve": func(p *producer.Producer, s *scene) error {
			return p.ApproveAccessRequest(s.ctx(), producer.ApproveInput{RequestID: s.ids["asked"]})
		},
		"update": func(p *producer.Producer, s *scene) error {
			return p.UpdateSubscriptionPermissions(s.ctx(), producer.UpdateInput{SubscriptionID: s.ids["active"], GrantPermissions: []string{"DESCRIBE"}})
		},
		"delete": func(p *producer.Producer, s *scene) error {
			return p.DeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: s.ids["active"]})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				s.ids["active"], s.ids["asked"] = s.active(s.hostile, rowOrders), s.ask(s.hostile, []string{rowCustomers}, "SELECT")
				lease := func(o *lakemesh.Options) { o.ClaimLease, o.Concurrency = shortLease, 1 }
				// From the claim on every call takes a while, and no renewal gets through.
				var mu sync.Mutex
				var confirmed, last time.Time
				cutOff := &network{on: func(ctx context.Context, _ int, operation string) error {
					mu.Lock()
					claimed := !confirmed.IsZero()
					switch {
					case operation == "TransactWriteItems":
						confirmed = time.Now()
						claimed = false
					case claimed && operation != "UpdateItem" && meshtest.IsWrite(operation):
						last = time.Now()
					}
					mu.Unlock()
					switch {
					case !claimed:
						return nil
					case operation == "UpdateItem":
						return errors.New("the network is down")
					}
					return pass(ctx, shortLease/2)
				}}
				p := s.program(1, nil, lease)
				slow := s.program(1, cutOff, lease)
				err := decide(slow, s)
				if err == nil || confirmed.IsZero() {
					t.Fatalf("it was claimed: %t; %v", !confirmed.IsZero(), err)
				}
				if !last.IsZero() && last.Sub(confirmed) >= shortLease {
					t.Errorf("it wrote %s after its lease was last confirmed, which is good for %s", last.Sub(confirmed), shortLease)
				}
				s.check("another finishes it", decide(p, s))
				want := map[string]map[string]string{"approve": {rowOrders: "DESCRIBE, SELECT", rowCustomers: "SELECT"}, "update": {rowOrders: "DESCRIBE"}, "delete": nil}
				s.holds("in the end", hostileAccount, want[name])
				for _, key := range []string{"active", "asked"} {
					if r, err := s.victim.GetSubscription(s.ctx(), s.ids[key]); err != nil || r.Claim != nil {
						t.Errorf("%s is %+v, %v", key, r, err)
					}
				}
			})
		})
	}
}

func TestProgramsWhoseClocksDifferByAnHourDecideOneAfterTheOther(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string][2]time.Duration{"ahead": {time.Hour, 0}, "behind": {-time.Hour, 0}, "both": {time.Hour, -time.Hour}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := threeOnOne(t)
				for round := range 2 {
					s := g.play(t)
					asked := s.ask(s.hostile, []string{rowCustomers}, "SELECT")
					var ps [2]*producer.Producer
					for n := range ps {
						ps[n] = s.program(uint64(10*round+n), &network{delay: 50 * time.Millisecond}, func(o *lakemesh.Options) {
							o.ClaimLease, o.Now = shortLease, func() time.Time { return time.Now().Add(skew[n]) }
						})
					}
					// On the same one: exactly one of an approval and a denial gets through.
					var approved, denied error
					var all sync.WaitGroup
					all.Go(func() { approved = ps[round%2].ApproveAccessRequest(s.ctx(), producer.ApproveInput{RequestID: asked}) })
					all.Go(func() {
						denied = ps[1-round%2].DenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: asked})
					})
					all.Wait()
					if (approved == nil) == (denied == nil) {
						t.Errorf("round %d: approve: %v; deny: %v", round, approved, denied)
					}
					want := map[string]string{rowOrders: "DESCRIBE, INSERT, SELECT"}
					if approved == nil {
						want[rowCustomers] = "SELECT"
					}
					s.holds("decided", hostileAccount, want)
					// On different ones, which share what is granted.
					for n := range 3 {
						all.Go(func() {
							s.check("delete", ps[n%2].DeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: s.ids[fmt.Sprint(n)]}))
						})
					}
					if approved == nil {
						all.Go(func() {
							s.check("delete", ps[0].DeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: asked}))
						})
					}
					all.Wait()
					s.ended(fmt.Sprintf("round %d", round), s.ids["0"], s.ids["1"], s.ids["2"])
				}
			})
		})
	}
}

// A folder that the mesh's administrator registered is read with a role of its own.
// Both roles are let into the bucket by one decision.
func TestTwoRolesInOneBucketsPlanBothReadIt(t *testing.T) {
	t.Parallel()
	begin := newScene(t)
	administrator := begin.Config(meshtest.Administrator(lakeAccount))
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lakeformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	reads := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}]}`
	roles := iam.NewFromConfig(administrator)
	_, err := roles.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Customers"), AssumeRolePolicyDocument: &trust})
	begin.must(err)
	_, err = roles.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("Customers"), PolicyName: aws.String("read"), PolicyDocument: &reads})
	begin.must(err)
	_, err = lakeformation.NewFromConfig(administrator).RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{
		ResourceArn: aws.String("arn:aws:s3:::" + rowBucket + "/" + rowCustomers), RoleArn: aws.String("arn:aws:iam::" + lakeAccount + ":role/Customers")})
	begin.must(err)
	g := begin.keep()
	rounds := 3
	if longRows() {
		rounds = 15
	}
	for range rounds {
		s := g.play(t)
		id := s.active(s.hostile, rowCustomers, rowOrders)
		s.reads("approved", hostileAccount, rowCustomers, rowOrders)
		s.must(s.end(id))
		s.refused("ended", hostileAccount, rowCustomers, rowOrders)
	}
}

// What shows a decision cannot be carried out by itself: that would be a grant without
// a claim, a record and a ledger.
func TestWhatShowsADecisionCannotBeApplied(t *testing.T) {
	t.Parallel()
	s := lived(t).play(t)
	for name, show := range map[string]func() (*plan.Plan, error){
		"approve": func() (*plan.Plan, error) {
			return s.victim.PlanApproveAccessRequest(s.ctx(), producer.ApproveInput{RequestID: s.ids["hostile pending"]})
		},
		"deny": func() (*plan.Plan, error) {
			return s.victim.PlanDenyAccessRequest(s.ctx(), producer.DenyInput{RequestID: s.ids["hostile pending"]})
		},
		"narrow": func() (*plan.Plan, error) {
			return s.victim.PlanUpdateSubscriptionPermissions(s.ctx(), producer.UpdateInput{SubscriptionID: s.ids["hostile active"], GrantPermissions: []string{"DESCRIBE"}})
		},
		"widen": func() (*plan.Plan, error) {
			return s.victim.PlanUpdateSubscriptionPermissions(s.ctx(), producer.UpdateInput{SubscriptionID: s.ids["hostile active"], GrantPermissions: []string{"SELECT", "DESCRIBE", "INSERT"}})
		},
		"delete": func() (*plan.Plan, error) {
			return s.victim.PlanDeleteSubscription(s.ctx(), producer.DeleteInput{SubscriptionID: s.ids["hostile active"]})
		},
		"abort": func() (*plan.Plan, error) {
			return s.victim.PlanAbortDecision(s.ctx(), producer.AbortInput{SubscriptionID: s.ids["hostile half"]})
		},
	} {
		shown, err := show()
		if err != nil || shown.Empty() {
			t.Errorf("%s: %v, %v", name, shown, err)
			continue
		}
		// Also as a part of another plan, and step by step.
		within := &plan.Plan{Operation: "mine"}
		within.Append(shown)
		alone := &plan.Plan{Operation: "mine"}
		for _, step := range shown.Steps {
			alone.Add(*step)
		}
		s.ResetCounts()
		for how, p := range map[string]*plan.Plan{"as it is": shown, "within another": within, "its steps": alone} {
			if result, err := p.Apply(s.ctx(), plan.Settings{}); err == nil {
				t.Errorf("%s, %s: it was applied: %+v", name, how, result)
			}
		}
		if calls := s.Writes(); len(calls) > 0 {
			t.Errorf("%s: applying what was shown wrote %v", name, calls)
		}
	}
	s.holds("in the end", hostileAccount, halfDone())
}
