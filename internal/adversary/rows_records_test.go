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

// longRows reports whether there is time for each variant by itself.
func longRows() bool { return os.Getenv("LAKEMESH_LONG") != "" }

// run lives the victim's life under each attack. If time is short, only those that are
// named have lives of their own; the others share one, in which each of them has the
// last word in its turn.
func (g *beginning) run(t *testing.T, attacks map[string]attack, own ...string) {
	t.Helper()
	var others []string
	for _, name := range slices.Sorted(maps.Keys(attacks)) {
		if !longRows() && !slices.Contains(own, name) {
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
		return attributes{"OwnerPrincipal": aText(owner), "SubscriberPrincipal": aText(subscriber), "Status": aText(string(status)),
			"DatabaseName": aText(rowProduct), "TableName": aList(rowOrders, rowCustomers), "RequestedGrants": aList("ALL"),
			"CreationDate": aText("2022-03-04 05:06:07"), "CreatedBy": aText("me")}
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
		attributes{"CreatedBy": aText("me")})
	attacks["under the honest consumer's keys"] = attack{prepare: func(s *scene) func() {
		return func() {
			for _, name := range []string{"honest active", "honest pending", "honest leaving"} {
				s.try(s.hostileInMesh(), lakemesh.SubscriptionsTable, s.ids[name], attributes{"Status": aText("Deleted"), "TableName": nil, "Leaving": nil})
			}
		}
	}}
	attacks["under keys of the victim's own kind"] = at(lakemesh.SubscriptionsTable,
		[]string{victimAccount + "-directory", victimAccount + "-lease", victimAccount + "-" + hostileAccount, "members", victimAccount, hostileAccount},
		attributes{"OwnerPrincipal": aText(victimAccount), "SubscriberPrincipal": aText(hostileAccount), "Status": aText("Active")})
	return attacks
}

// bigList is a list of names of so many bytes.
func bigList(size int) dynamotypes.AttributeValue {
	const name = 1000
	l := make([]string, 0, size/name)
	for n := range size / name {
		l = append(l, fmt.Sprintf("%0*d", name-4, n))
	}
	return aList(l...)
}

// packedNames is a list of names as a record may hold a long one.
func packedNames(names []string) dynamotypes.AttributeValue {
	text, err := json.Marshal(names)
	if err != nil {
		panic(err)
	}
	return gzipped(string(text))
}

// gzipped is a text, compressed.
func gzipped(text string) dynamotypes.AttributeValue {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	// Memory takes every byte.
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return &dynamotypes.AttributeValueMemberB{Value: b.Bytes()}
}

// Row 2: the size of a record, its state, its content in a loop, and kinds.
func filled() map[string]attack {
	const full = 399 << 10
	all := map[string]attack{
		"notes":  onOwn(attributes{"Notes": aText(strings.Repeat("x", full-2000))}),
		"tables": onOwn(attributes{"TableName": bigList(full - 40_000)}),
		"inbox": {prepare: func(s *scene) func() {
			many := make([]string, 0, 7000)
			for range cap(many) {
				many = append(many, lakemesh.NewSubscriptionID(victimAccount, hostileAccount))
			}
			return func() {
				s.try(s.hostileInMesh(), lakemesh.SubscriptionsTable, victimAccount+"-"+hostileAccount+"#inbox", attributes{"Open": aSet(many[:3500]...), "Withdrawn": aSet(many[3500:]...)})
			}
		}},
		"all that fits": {prepare: func(s *scene) func() {
			return func() {
				for _, id := range s.ofHostile()[:2] {
					// The most that fits, so that hardly a byte more does.
					size := 0
					for step := 256 << 10; step >= 1<<10; step /= 2 {
						if s.write(s.hostileInMesh(), lakemesh.SubscriptionsTable, id, attributes{"LeftReason": aText(strings.Repeat("x", size+step))}) == nil {
							size += step
						}
					}
				}
			}
		}},
	}
	if longRows() {
		all["history"] = onOwn(attributes{"History": bigList(full - 40_000)})
	}
	return all
}

func otherStates() map[string]attack {
	attacks := map[string]attack{"removed": onOwn(attributes{"Status": nil}), "a departure that is taken back": onOwn(attributes{"Leaving": nil})}
	for _, status := range []string{"Active", "Pending", "Denied", "Deleted", "Nonsense"} {
		attacks["to "+status] = onOwn(attributes{"Status": aText(status)})
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
		"tables": loop(func(n int) attributes { return attributes{"TableName": aList(fmt.Sprintf("t%d", n))} }),
		"requested": loop(func(n int) attributes {
			return attributes{"RequestedGrants": aList([]string{"ALL", "SELECT", "DROP"}[n%3])}
		}),
		"state": loop(func(n int) attributes {
			return attributes{"Status": aText([]string{"Pending", "Active", "Deleted"}[n%3])}
		}),
		"updated": loop(func(n int) attributes {
			return attributes{"UpdatedDate": aText(fmt.Sprintf("2022-03-04 05:06:%02d", n%60))}
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
		if longRows() || kind == "a string" {
			attacks["notes are "+kind] = onOwn(attributes{"Notes": value})
		}
	}
	for _, name := range []string{"Claim", "PermittedGrants", "GrantableGrants", "GrantedTableARNs", "RamShares", "History", "Version", "Revision", "Digest", "Anything"} {
		attacks[name+" is written"] = onOwn(attributes{name: aList("ALL")})
	}
	return attacks
}

// Row 3.
func TestAConsumerCannotHideItsSubscriptionFromItsOwner(t *testing.T) {
	t.Parallel()
	attacks := map[string]attack{
		"owner removed":            onOwn(attributes{"OwnerPrincipal": nil}),
		"another owner":            onOwn(attributes{"OwnerPrincipal": aText(rivalAccount)}),
		"no owner":                 onOwn(attributes{"OwnerPrincipal": aText("nobody")}),
		"subscriber removed":       onOwn(attributes{"SubscriberPrincipal": nil}),
		"another subscriber":       onOwn(attributes{"SubscriberPrincipal": aText(honestAccount)}),
		"owner and state removed":  onOwn(attributes{"OwnerPrincipal": nil, "SubscriberPrincipal": nil, "Status": nil}),
		"everything removed":       onOwn(attributes{"OwnerPrincipal": nil, "SubscriberPrincipal": nil, "Status": nil, "TableName": nil, "DatabaseName": nil, "RequestedGrants": nil, "CreatedBy": nil, "CreationDate": nil}),
		"marked as ended":          onOwn(attributes{"Status": aText("Deleted"), "OwnerPrincipal": aText(rivalAccount)}),
		"a creation in the future": onOwn(attributes{"CreationDate": aText("9999-12-31 23:59:59")}),
	}
	for name, values := range map[string]attributes{
		"emptied": {"Open": nil, "Withdrawn": nil}, "of another kind": {"Open": aText("x"), "Withdrawn": aNumber("1")},
		"with ids of others": {"Open": aSet(lakemesh.NewSubscriptionID(rivalAccount, honestAccount), "x", "")},
	} {
		attacks["inbox "+name] = attack{prepare: func(s *scene) func() {
			values := values
			if _, ok := values["Open"].(*dynamotypes.AttributeValueMemberSS); ok {
				values = attributes{"Open": aSet(s.ids["honest active"], s.ids["honest pending"], "members", lakemesh.NewShortID())}
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
