package admin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

const (
	testMesh  = "555555555555"
	alice     = "111111111111"
	bob       = "222222222222"
	carol     = "333333333333"
	testShort = "ABCDEFGHJKLMNPQRSTUVWX"
)

// keyOfTable is a key of one of the tables, with who may write and read it.
type keyOfTable struct {
	table, key, kind string
	writers, readers []party
}

// party is one side of the mesh: an account as a producer or as a consumer.
type party struct {
	kind    AccountType
	account string
}

func (p party) policy() iampolicy.Document {
	if p.kind == Producer {
		return meshProducerPolicy(lakemesh.PartitionAWS, testMesh, p.account, ThroughServices)
	}
	return meshConsumerPolicy(lakemesh.PartitionAWS, testMesh, p.account)
}

// allKeys are keys of every kind, of all pairs of three accounts, and keys that are
// none and differ from these by little.
func allKeys() []keyOfTable {
	accounts := []string{alice, bob, carol}
	var all []keyOfTable
	add := func(table, kind, key string, writers, readers []party) {
		all = append(all, keyOfTable{table, key, kind, writers, readers})
	}
	everybody := []party{}
	for _, a := range accounts {
		everybody = append(everybody, party{Producer, a}, party{Consumer, a})
	}
	first, second := lakemesh.SubscriptionsTable, lakemesh.DecisionsTable
	for _, o := range accounts {
		owner := []party{{Producer, o}}
		add(second, "directory", o+"-directory", owner, owner)
		add(second, "lease", o+"-lease", owner, owner)
		for _, s := range accounts {
			subscriber, both := []party{{Consumer, s}}, []party{{Producer, o}, {Consumer, s}}
			pair := o + "-" + s
			id := pair + "-" + testShort
			add(first, "request", id, both, both)
			add(first, "consumer's history", id+"#C#000001", subscriber, both)
			add(first, "inbox", pair+"#inbox", subscriber, both)
			add(second, "decision", id, owner, both)
			add(second, "owner's history", id+"#000001", owner, both)
			add(second, "ledger", pair, owner, both)
			add(second, "ended", pair+"#0001", owner, both)
			// What is nobody's: of other lengths, and of kinds that there are not.
			for _, odd := range []string{id + "x", strings.TrimSuffix(id, "X"), id + "#D", id + "#C#00001", id + "#C#0000001", id + "#C#", id + "#P#000001", pair + "#inbox#", pair + "#inbo", pair + "-", "x" + id, " " + id} {
				add(first, "odd", odd, nil, nil)
			}
		}
		add(first, "directory in the wrong table", o+"-directory", nil, owner)
		add(first, "lease in the wrong table", o+"-lease", nil, owner)
	}
	add(second, "members", membersKey, nil, everybody)
	add(first, "members in the wrong table", membersKey, nil, nil)
	for _, odd := range []string{"", testShort, membersKey + "x", "Members", "*", "????????????-" + bob} {
		add(first, "odd", odd, nil, nil)
		add(second, "odd", odd, nil, nil)
	}
	return all
}

// attributesOf are what a party writes of a key of the kind.
func attributesOf(p party, table string) []string {
	switch {
	case table == lakemesh.DecisionsTable:
		return []string{"Key", "State"}
	case p.kind == Producer:
		return tracker.MirrorAttributes()
	}
	return tracker.ConsumerAttributes()
}

func allowed(policy iampolicy.Document, action, table string, attributes []string, keys ...string) bool {
	request := iampolicy.Request{Action: "dynamodb:" + action, Resource: strings.ReplaceAll(tableARN(lakemesh.PartitionAWS, testMesh, table), ":*:", ":us-east-1:"),
		Principal: iampolicy.PrincipalInfo{Account: testMesh, ARN: "arn:aws:iam::" + testMesh + ":role/x"},
		Keys:      map[string][]string{}}
	if len(keys) > 0 {
		request.Keys["dynamodb:LeadingKeys"] = keys
	}
	if len(attributes) > 0 {
		request.Keys["dynamodb:Attributes"] = attributes
	}
	decision := iampolicy.Evaluate(request, iampolicy.Policies{Identity: []iampolicy.Named{{Name: "lakemesh", Document: &policy}}, ResourceAccount: testMesh})
	return decision.Effect == iampolicy.Allowed
}

// violations are what a policy gives a party that is not its own, or keeps from it
// that is.
func violations(p party, policy iampolicy.Document) []string {
	var wrong []string
	check := func(want bool, what string, got bool) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s %s: %s: allowed is %t", p.kind, p.account, what, got))
		}
	}
	writable, readable := map[string][]string{}, map[string][]string{}
	for _, k := range allKeys() {
		attributes := attributesOf(p, k.table)
		mayWrite, mayRead := slices.Contains(k.writers, p), slices.Contains(k.readers, p)
		what := func(action string) string { return fmt.Sprintf("%s of %s %q of %s", action, k.kind, k.key, k.table) }
		check(mayWrite, what("UpdateItem"), allowed(policy, "UpdateItem", k.table, attributes, k.key))
		// Nobody writes what it cannot name: an attribute of the other side, or any other.
		if k.table == lakemesh.SubscriptionsTable {
			check(false, what("UpdateItem with another attribute"), allowed(policy, "UpdateItem", k.table, append(slices.Clone(attributes), "Claim"), k.key))
			check(false, what("UpdateItem without attributes"), allowed(policy, "UpdateItem", k.table, nil, k.key))
		}
		for _, action := range []string{"PutItem", "DeleteItem", "BatchWriteItem", "Scan", "Query", "PartiQLUpdate", "PartiQLInsert", "PartiQLSelect", "PartiQLDelete", "ConditionCheckItem"} {
			check(false, what(action), allowed(policy, action, k.table, attributes, k.key))
		}
		// What is odd may be readable where it is of a pair of the party's own: nobody
		// writes it there.
		if k.kind != "odd" {
			for _, action := range []string{"GetItem", "BatchGetItem"} {
				check(mayRead, what(action), allowed(policy, action, k.table, nil, k.key))
			}
		}
		if mayWrite {
			writable[k.table] = append(writable[k.table], k.key)
		}
		if mayRead {
			readable[k.table] = append(readable[k.table], k.key)
		}
	}
	for _, table := range []string{lakemesh.SubscriptionsTable, lakemesh.DecisionsTable} {
		// Shown as a set, what is written together and read together is allowed, and with
		// one that is somebody else's it is not.
		if len(writable[table]) > 0 {
			check(true, "UpdateItem of all its own at once in "+table, allowed(policy, "UpdateItem", table, attributesOf(p, table), writable[table]...))
			check(false, "UpdateItem with another's in "+table, allowed(policy, "UpdateItem", table, attributesOf(p, table), append(slices.Clone(writable[table]), carol+"-"+carol+"-lease")...))
		}
		check(true, "BatchGetItem of all its own at once in "+table, allowed(policy, "BatchGetItem", table, nil, readable[table]...))
		check(false, "BatchGetItem with another's in "+table, allowed(policy, "BatchGetItem", table, nil, append(slices.Clone(readable[table]), "other")...))
		for _, action := range []string{"GetItem", "BatchGetItem", "UpdateItem"} {
			check(false, action+" without a key in "+table, allowed(policy, action, table, attributesOf(p, table)))
		}
	}
	return wrong
}

func parties() []party {
	return []party{{Producer, alice}, {Consumer, alice}, {Producer, bob}, {Consumer, bob}}
}

// No pattern of a role matches a key of anybody else, of any kind, in either table;
// and no kind is kept from its own side.
func TestNoPatternMatchesAKeyOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for _, p := range parties() {
		for _, wrong := range violations(p, p.policy()) {
			t.Error(wrong)
		}
	}
}

// Each condition of a statement on the tables carries weight: without it somebody
// could do what is not its own.
func TestEachConditionOnTheTablesIsNeeded(t *testing.T) {
	t.Parallel()
	for _, p := range parties()[:2] {
		for i, s := range p.policy().Statements {
			// What the original library reads with is tested on the local mesh.
			if !strings.HasPrefix(s.Actions[0], "dynamodb:") || strings.Contains(s.Resources[0], "/index/") {
				continue
			}
			for operator, keys := range s.Conditions {
				for key := range keys {
					weaker := p.policy()
					c := iampolicy.Conditions{}
					for o, ks := range weaker.Statements[i].Conditions {
						c[o] = maps.Clone(ks)
					}
					if delete(c[operator], key); len(c[operator]) == 0 {
						delete(c, operator)
					}
					weaker.Statements[i].Conditions = c
					if len(violations(p, weaker)) == 0 {
						t.Errorf("%s: nothing notices that %s lacks %s %s", p.kind, s.SID, operator, key)
					}
				}
			}
		}
	}
}

// A role's documents fit IAM's quotas, with the longest names that there can be.
func TestPoliciesFitTheQuotas(t *testing.T) {
	t.Parallel()
	a := &Admin{account: testMesh, mesh: testMesh, region: "ap-southeast-99", partition: lakemesh.PartitionAWS}
	buckets := make([]string, 47)
	for i := range buckets {
		buckets[i] = fmt.Sprintf("%s-%02d", strings.Repeat("b", 60), i)
	}
	crawler := "arn:aws:iam::" + alice + ":role/" + strings.Repeat("p", 512) + "/" + strings.Repeat("r", 64)
	roles := append(a.meshRoles(), a.meshProducer(alice, members{sharing: ThroughServices}), a.meshProducer(alice, members{sharing: Direct}), a.dataAccess(alice, nil), a.meshConsumer(alice),
		role{name: lakemesh.ProducerRole, trust: trustAccount(lakemesh.PartitionAWS, alice), policy: producerPolicy(lakemesh.PartitionAWS, testMesh, alice, crawler, buckets, nil)},
		role{name: lakemesh.ConsumerRole, trust: trustAccount(lakemesh.PartitionAWS, alice), policy: consumerPolicy(lakemesh.PartitionAWS, testMesh, alice, slices.Repeat([]string{"ap-southeast-99"}, 30))})
	for _, r := range roles {
		if n := r.trust.Size(); n > maxTrustPolicy*3/4 {
			t.Errorf("the trust policy of %s has %d characters", r.name, n)
		}
		// Others may add inline policies of their own.
		if n := r.policy.Size(); n > maxInlinePolicies*3/4 {
			t.Errorf("the policy of %s has %d characters", r.name, n)
		}
	}
}
