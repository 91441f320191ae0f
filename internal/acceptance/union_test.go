package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/producer"
)

// subscribed is what the model knows of a subscription.
type subscribed struct {
	id                   string
	account              string
	tables               []string
	status               lakemesh.Status
	requested            lakemesh.Permissions
	permitted, grantable lakemesh.Permissions
}

// model is what should hold in the mesh: the union of the active subscriptions.
type model struct{ all []*subscribed }

// grants are what an account should hold, in the form of [world.grants].
func (m *model) grants(account string) map[string]string {
	type held struct{ permitted, grantable lakemesh.Permissions }
	union := map[string]held{}
	add := func(on string, permitted, grantable lakemesh.Permissions) {
		h := union[on]
		union[on] = held{h.permitted.Union(permitted), h.grantable.Union(grantable)}
	}
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	for _, s := range m.all {
		if s.account != account || s.status != lakemesh.Active {
			continue
		}
		onDatabase := describe
		if len(s.grantable) == 0 {
			onDatabase = nil
		}
		add("database", describe, onDatabase)
		for _, table := range s.tables {
			add(table, s.permitted, s.grantable)
		}
	}
	want := map[string]string{}
	for on, h := range union {
		want[on] = h.permitted.String() + " / " + h.grantable.String()
	}
	return want
}

// open are the tables that somebody should be able to read, in order.
func (m *model) open() []string {
	prefixes := map[string]bool{}
	for _, s := range m.all {
		if s.status == lakemesh.Active && (s.permitted.Has(lakemesh.Select) || s.permitted.Has(lakemesh.Insert)) {
			for _, table := range s.tables {
				prefixes[table+"/"] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(prefixes))
}

func TestGrantsAreTheUnionOfTheActiveSubscriptionsAfterEachStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.AddConsumer(otherConsumer)
	// Tests of rapid end with their run; the mesh serves all runs.
	ctx := context.WithoutCancel(t.Context())
	asking := map[string]*consumer.Consumer{consumerAccount: w.consumer, otherConsumer: w.openConsumer(otherConsumer)}
	accounts := slices.Sorted(maps.Keys(asking))
	subsets := func(all []string, least int) *rapid.Generator[[]string] {
		return rapid.Custom(func(t *rapid.T) []string {
			chosen := []string{}
			for _, one := range all {
				if rapid.Bool().Draw(t, one) {
					chosen = append(chosen, one)
				}
			}
			if len(chosen) < least {
				chosen = append(chosen, rapid.SampledFrom(all).Draw(t, "one at least"))
			}
			return chosen
		})
	}
	some := subsets([]string{"SELECT", "DESCRIBE", "INSERT"}, 1)
	rapid.Check(t, func(t *rapid.T) {
		m := &model{}
		legal := func(what string, legal bool, err error) {
			t.Helper()
			if legal && err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if !legal && !errors.Is(err, lakemesh.ErrIllegalTransition) {
				t.Fatalf("%s: %v, want an illegal transition", what, err)
			}
		}
		one := func(t *rapid.T) *subscribed {
			if len(m.all) == 0 {
				t.Skip("nothing was asked for yet")
			}
			return rapid.SampledFrom(m.all).Draw(t, "subscription")
		}
		// permissions draws what is granted and what of it may be handed on; nil for the
		// latter stands for all.
		permissions := func(t *rapid.T) (granted, grantable []string) {
			granted = some.Draw(t, "granted")
			if rapid.Bool().Draw(t, "some of it grantable") {
				grantable = subsets(granted, 0).Draw(t, "grantable")
			}
			return granted, grantable
		}
		set := func(s *subscribed, granted, grantable []string) {
			s.permitted, _ = lakemesh.ParsePermissions(granted...)
			s.grantable, _ = lakemesh.ParsePermissions(grantable...)
			if grantable == nil {
				s.grantable = s.permitted
			}
			s.status = lakemesh.Active
		}
		t.Repeat(map[string]func(*rapid.T){
			"request": func(t *rapid.T) {
				s := &subscribed{account: rapid.SampledFrom(accounts).Draw(t, "account"), tables: subsets(tables(), 1).Draw(t, "tables"), status: lakemesh.Pending}
				requested := some.Draw(t, "requested")
				s.requested, _ = lakemesh.ParsePermissions(requested...)
				out, err := asking[s.account].RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
					Tables: s.tables, RequestPermissions: requested})
				if err != nil {
					t.Fatal(err)
				}
				s.id = out.SubscriptionID
				twin := slices.ContainsFunc(m.all, func(o *subscribed) bool { return o.id == s.id })
				same := slices.ContainsFunc(m.all, func(o *subscribed) bool {
					return o.status == lakemesh.Pending && o.account == s.account && slices.Equal(o.tables, s.tables) && o.requested.Equal(s.requested)
				})
				if twin != same {
					t.Fatalf("asking again for what is pending: %v, the same request: %v", same, twin)
				}
				if !twin {
					m.all = append(m.all, s)
				}
			},
			"approve": func(t *rapid.T) {
				s := one(t)
				granted, grantable := permissions(t)
				err := w.producer.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: s.id, GrantPermissions: granted, GrantablePermissions: grantable})
				legal("approve "+string(s.status), s.status == lakemesh.Pending, err)
				if s.status == lakemesh.Pending {
					set(s, granted, grantable)
				}
			},
			"update": func(t *rapid.T) {
				s := one(t)
				granted, grantable := permissions(t)
				err := w.producer.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: s.id, GrantPermissions: granted, GrantablePermissions: grantable})
				legal("update "+string(s.status), s.status == lakemesh.Active, err)
				if s.status == lakemesh.Active {
					set(s, granted, grantable)
				}
			},
			"delete": func(t *rapid.T) {
				s := one(t)
				err := w.producer.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: s.id})
				legal("delete "+string(s.status), s.status == lakemesh.Active, err)
				if s.status == lakemesh.Active {
					s.status = lakemesh.Deleted
				}
			},
			"deny": func(t *rapid.T) {
				s := one(t)
				err := w.producer.DenyAccessRequest(ctx, producer.DenyInput{RequestID: s.id})
				legal("deny "+string(s.status), s.status == lakemesh.Pending, err)
				if s.status == lakemesh.Pending {
					s.status = lakemesh.Denied
				}
			},
			"": func(t *rapid.T) {
				for _, account := range accounts {
					if diff := cmp.Diff(m.grants(account), w.grants(account)); diff != "" {
						t.Fatalf("account %s holds (-want +got):\n%s", account, diff)
					}
				}
				if want, got := m.open(), w.open(); !slices.Equal(want, got) {
					t.Fatalf("open prefixes are %v, want %v", got, want)
				}
			},
		})
		for _, s := range m.all {
			var err error
			switch s.status {
			case lakemesh.Pending:
				err = w.producer.DenyAccessRequest(ctx, producer.DenyInput{RequestID: s.id})
			case lakemesh.Active:
				err = w.producer.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: s.id})
			}
			if err != nil {
				t.Fatal(fmt.Errorf("in the end: %w", err))
			}
		}
		for _, account := range accounts {
			if left := w.grants(account); len(left) > 0 {
				t.Fatalf("account %s holds %v in the end", account, left)
			}
		}
	})
}
