package adversary_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// attack is what the hostile consumer does, again and again. It is asked for a fresh
// one for each scene.
type attack struct {
	prepare func(s *scene) func()
	// often: before every call of the victim, too, not before each of its actions alone.
	often bool
}

// onOwn sets attributes of each of the hostile consumer's own requests, one by one:
// what is denied of one is no reason to leave out another.
func onOwn(values attributes) attack {
	return attack{prepare: func(s *scene) func() {
		cfg := s.hostileInMesh()
		return func() {
			for _, id := range s.ofHostile() {
				s.try(cfg, lakemesh.SubscriptionsTable, id, values)
			}
		}
	}}
}

// long reports whether there is time for each variant by itself.
func long() bool { return os.Getenv("LAKEMESH_LONG") != "" }

// run lives the victim's life under each attack. If time is short, only those that are
// named have lives of their own; the others share one, in which each of them has the
// last word in its turn.
func (g *stage) run(t *testing.T, attacks map[string]attack, own ...string) {
	t.Helper()
	var others []string
	for _, name := range slices.Sorted(maps.Keys(attacks)) {
		if !long() && !slices.Contains(own, name) {
			others = append(others, name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := g.play(t)
			s.unharmed(attacks[name].prepare(s), attacks[name].often)
		})
	}
	if len(others) == 0 {
		return
	}
	t.Run("others", func(t *testing.T) {
		t.Parallel()
		s := g.play(t)
		var all []func()
		for _, name := range others {
			all = append(all, attacks[name].prepare(s))
		}
		turn := 0
		s.unharmed(func() {
			turn++
			for n := range all {
				all[(turn+n)%len(all)]()
			}
		}, false)
	})
}

// Rows 1 and 2.
func TestAConsumerCannotKeepItsSubscriptionFromBeingEnded(t *testing.T) {
	t.Parallel()
	g := lived(t)
	for name, group := range map[string]struct {
		attacks map[string]attack
		own     []string
	}{
		"by an item that names its owner": {itemsThatNameTheOwner(), []string{"under another owner, Active"}},
		"by filling its record":           {filled(), []string{"tables"}},
		"by changing its state":           {otherStates(), []string{"removed"}},
		"by rewriting it in a loop":       {loops(), []string{"tables"}},
		"by attributes of other kinds":    {ofOtherKinds(), []string{"notes are a string"}},
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); g.run(t, group.attacks, group.own...) })
	}
}

func itemsThatNameTheOwner() map[string]attack {
	shaped := func(owner, subscriber string, status lakemesh.Status) attributes {
		return attributes{"OwnerPrincipal": text(owner), "SubscriberPrincipal": text(subscriber), "Status": text(string(status)),
			"DatabaseName": text(rowProduct), "TableName": texts(rowOrders, rowCustomers), "RequestedGrants": texts("ALL"),
			"CreationDate": text("2022-03-04 05:06:07"), "CreatedBy": text("me")}
	}
	at := func(table string, keys []string, values attributes) attack {
		return attack{prepare: func(s *scene) func() {
			return func() {
				for _, key := range keys {
					s.try(s.hostileInMesh(), table, key, values)
				}
			}
		}}
	}
	other := lakemesh.NewSubscriptionID(rivalAccount, hostileAccount)
	attacks := map[string]attack{}
	for _, status := range []lakemesh.Status{lakemesh.Active, lakemesh.Pending, lakemesh.Denied, lakemesh.Deleted, "Nonsense"} {
		attacks["under another owner, "+string(status)] = at(lakemesh.SubscriptionsTable, []string{other}, shaped(victimAccount, hostileAccount, status))
	}
	attacks["under another owner, for another subscriber"] = at(lakemesh.SubscriptionsTable, []string{other}, shaped(victimAccount, honestAccount, lakemesh.Active))
	attacks["of an owner that is not enabled"] = at(lakemesh.SubscriptionsTable, []string{lakemesh.NewSubscriptionID("333333333333", hostileAccount)},
		shaped(victimAccount, hostileAccount, lakemesh.Active))
	attacks["of the pair, never asked for"] = at(lakemesh.SubscriptionsTable, []string{lakemesh.NewSubscriptionID(victimAccount, hostileAccount)},
		shaped(victimAccount, hostileAccount, lakemesh.Active))
	attacks["of the pair, without anything"] = at(lakemesh.SubscriptionsTable, []string{lakemesh.NewSubscriptionID(victimAccount, hostileAccount)},
		attributes{"CreatedBy": text("me")})
	attacks["under the honest consumer's keys"] = attack{prepare: func(s *scene) func() {
		return func() {
			for _, name := range []string{"honest active", "honest pending", "honest leaving"} {
				s.try(s.hostileInMesh(), lakemesh.SubscriptionsTable, s.ids[name], attributes{"Status": text("Deleted"), "TableName": nil, "Leaving": nil})
			}
		}
	}}
	attacks["under keys of the victim's own kind"] = at(lakemesh.SubscriptionsTable,
		[]string{victimAccount + "-directory", victimAccount + "-lease", victimAccount + "-" + hostileAccount, "members", victimAccount, hostileAccount},
		attributes{"OwnerPrincipal": text(victimAccount), "SubscriberPrincipal": text(hostileAccount), "Status": text("Active")})
	return attacks
}

// big is a list of names of so many bytes.
func big(size int) dynamotypes.AttributeValue {
	const name = 1000
	l := make([]string, 0, size/name)
	for n := range size / name {
		l = append(l, fmt.Sprintf("%0*d", name-4, n))
	}
	return texts(l...)
}

// packed is a list of names as a record may hold a long one.
func packed(names []string) dynamotypes.AttributeValue {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_ = json.NewEncoder(w).Encode(names)
	_ = w.Close()
	return &dynamotypes.AttributeValueMemberB{Value: b.Bytes()}
}

// Row 2: the size of a record, its state, its content in a loop, and kinds.
func filled() map[string]attack {
	const full = 399 << 10
	return map[string]attack{
		"notes":   onOwn(attributes{"Notes": text(strings.Repeat("x", full-2000))}),
		"tables":  onOwn(attributes{"TableName": big(full - 40_000)}),
		"history": onOwn(attributes{"History": big(full - 40_000)}),
		"inbox": attack{prepare: func(s *scene) func() {
			many := make([]string, 0, 7000)
			for range cap(many) {
				many = append(many, lakemesh.NewSubscriptionID(victimAccount, hostileAccount))
			}
			return func() {
				s.try(s.hostileInMesh(), lakemesh.SubscriptionsTable, victimAccount+"-"+hostileAccount+"#inbox", attributes{"Open": set(many[:3500]...), "Withdrawn": set(many[3500:]...)})
			}
		}},
		"all that fits": attack{prepare: func(s *scene) func() {
			return func() {
				for _, id := range s.ofHostile() {
					// The most that fits, so that hardly a byte more does.
					size := 0
					for step := 256 << 10; step >= 256; step /= 2 {
						if s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, id, attributes{"LeftReason": text(strings.Repeat("x", size+step))}) == nil {
							size += step
						}
					}
				}
			}
		}},
	}
}

func otherStates() map[string]attack {
	attacks := map[string]attack{"removed": onOwn(attributes{"Status": nil}), "a departure that is taken back": onOwn(attributes{"Leaving": nil})}
	for _, status := range []string{"Active", "Pending", "Denied", "Deleted", "Nonsense"} {
		attacks["to "+status] = onOwn(attributes{"Status": text(status)})
	}
	attacks["of the honest consumer's departure"] = attack{prepare: func(s *scene) func() {
		return func() {
			s.try(s.hostileInMesh(), lakemesh.SubscriptionsTable, s.ids["honest leaving"], attributes{"Leaving": nil})
		}
	}}
	return attacks
}

func loops() map[string]attack {
	// Something else before every single call of a decision.
	loop := func(values func(n int) attributes) attack {
		return attack{often: true, prepare: func(s *scene) func() {
			n := 0
			return func() {
				n++
				for _, id := range s.ofHostile() {
					s.check("rewrite it", s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, id, values(n)))
				}
			}
		}}
	}
	return map[string]attack{
		"tables": loop(func(n int) attributes { return attributes{"TableName": texts(fmt.Sprintf("t%d", n))} }),
		"requested": loop(func(n int) attributes {
			return attributes{"RequestedGrants": texts([]string{"ALL", "SELECT", "DROP"}[n%3])}
		}),
		"state": loop(func(n int) attributes {
			return attributes{"Status": text([]string{"Pending", "Active", "Deleted"}[n%3])}
		}),
		"updated": loop(func(n int) attributes {
			return attributes{"UpdatedDate": text(fmt.Sprintf("2022-03-04 05:06:%02d", n%60))}
		}),
	}
}

func ofOtherKinds() map[string]attack {
	attacks := map[string]attack{}
	for kind, value := range otherKinds() {
		all := attributes{}
		for _, name := range []string{"Notes", "TableName", "RequestedGrants", "DatabaseName", "CreatedBy", "CreationDate", "RequestedExpressions",
			"UpdatedDate", "UpdatedBy", "ImportedToConsumer", "Leaving", "LeftReason", "Entries", "Head", "ImportedRevision", "Asked"} {
			// To say that it has left is a consumer's right.
			if name != "Leaving" || kind != "true" {
				all[name] = value
			}
		}
		attacks["each is "+kind] = onOwn(all)
		attacks["notes are "+kind] = onOwn(attributes{"Notes": value})
	}
	for _, name := range []string{"Claim", "PermittedGrants", "GrantableGrants", "GrantedTableARNs", "RamShares", "History", "Version", "Revision", "Digest", "Anything"} {
		attacks[name+" is written"] = onOwn(attributes{name: texts("ALL")})
	}
	return attacks
}

// Row 3.
func TestAConsumerCannotHideItsSubscriptionFromItsOwner(t *testing.T) {
	t.Parallel()
	attacks := map[string]attack{
		"owner removed":            onOwn(attributes{"OwnerPrincipal": nil}),
		"another owner":            onOwn(attributes{"OwnerPrincipal": text(rivalAccount)}),
		"no owner":                 onOwn(attributes{"OwnerPrincipal": text("nobody")}),
		"subscriber removed":       onOwn(attributes{"SubscriberPrincipal": nil}),
		"another subscriber":       onOwn(attributes{"SubscriberPrincipal": text(honestAccount)}),
		"owner and state removed":  onOwn(attributes{"OwnerPrincipal": nil, "SubscriberPrincipal": nil, "Status": nil}),
		"everything removed":       onOwn(attributes{"OwnerPrincipal": nil, "SubscriberPrincipal": nil, "Status": nil, "TableName": nil, "DatabaseName": nil, "RequestedGrants": nil, "CreatedBy": nil, "CreationDate": nil}),
		"marked as ended":          onOwn(attributes{"Status": text("Deleted"), "OwnerPrincipal": text(rivalAccount)}),
		"a creation in the future": onOwn(attributes{"CreationDate": text("9999-12-31 23:59:59")}),
	}
	for name, values := range map[string]attributes{
		"emptied": {"Open": nil, "Withdrawn": nil}, "of another kind": {"Open": text("x"), "Withdrawn": number("1")},
		"with ids of others": {"Open": set(lakemesh.NewSubscriptionID(rivalAccount, honestAccount), "x", "")},
	} {
		attacks["inbox "+name] = attack{prepare: func(s *scene) func() {
			values := values
			if _, ok := values["Open"].(*dynamotypes.AttributeValueMemberSS); ok {
				values = attributes{"Open": set(s.ids["honest active"], s.ids["honest pending"], "members", lakemesh.NewShortID())}
			}
			return func() {
				for _, account := range []string{hostileAccount, honestAccount} {
					s.try(s.hostileInMesh(), lakemesh.SubscriptionsTable, victimAccount+"-"+account+"#inbox", values)
				}
			}
		}}
	}
	lived(t).run(t, attacks, "another owner", "owner removed")
}
