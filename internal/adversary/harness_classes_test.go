package adversary_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// What is tried once stands for all that is of its class. These are the classes, and why
// one of a class is enough:
//
//   - Two parties of a side. Their roles differ by the account alone, as the documents of
//     all roles show; what IAM says is asked for each.
//   - Two items of a kind in the same phase. Every command reads an item by its key, which
//     it makes from the ids of a subscription, and then looks at the item's attributes and
//     at where the subscription stands. So a phase is whether there is the item, whether
//     the subscription is open, active, left or over, and whether it is on all tables; of
//     an entry, what it tells and whether it is the last, since a history is read and
//     continued from its end; of what belongs to a pair or to an owner, which of these its
//     subscriptions are.
//   - Two attributes that are not read in items of a kind. They take room alone, whatever
//     the phase: each is tried once a kind, and a new one in each phase.
//   - Two attributes of items of no kind, and two phases of these. No command reads them.
//   - The same attribute copied from two items of the same kind, both of the pair or not.
//   - Forms of an update. They differ in what IAM is shown, which the probe tries; the
//     item that they leave is the same. The forms take turns.
//   - A raw call that an identity-based policy did not allow, at another moment: nobody
//     changes roles, and IAM looks at the role and at what is named. One that Lake
//     Formation refused, while nothing was published, granted or opened.
//   - Two raw calls with the same effect. Of a grant that is what the principal held on
//     the object before and holds after it, with what was decided for the subscriptions
//     on the object; of other calls, the same call on tables with the same subscriptions.

// phase is the class of an item at a moment; rough has no more than its kind.
func (s *stage) phase(all records, p place) (phase, rough string) {
	kind := kindName(p)
	rough = fmt.Sprint(kind, " ", all[p] != nil)
	switch kind {
	case "":
		// A key of no kind is told by its form.
		rough = p.table + s.anonymous(p.key)
		return rough, rough
	case "consumer's history", "owner's history":
		base, _, _ := strings.Cut(p.key, "#")
		last := true
		for other := range all {
			if other.table == p.table && strings.HasPrefix(other.key, base+"#") && other.key > p.key {
				last = false
			}
		}
		told := ""
		if action, ok := all[p]["Action"].(*dynamotypes.AttributeValueMemberS); ok {
			told = action.Value
		}
		return fmt.Sprint(rough, told, last), rough
	}
	return rough + s.standing(p), rough
}

// standing is where the subscription stands that an item belongs to, or those of its
// pair, or of its owner.
func (s *stage) standing(p place) string {
	exactly := true
	of := func(sub *subscription) string {
		at := string(sub.status)
		if sub.status == lakemesh.Denied {
			at = string(lakemesh.Deleted)
		}
		if exactly && (sub.status == lakemesh.Pending || sub.status == lakemesh.Active) {
			at += fmt.Sprint(sub.tables == nil, sub.leaving)
		}
		return at
	}
	var states []string
	for id, sub := range s.model.subs {
		if strings.HasPrefix(p.key, id) {
			return of(sub)
		}
	}
	for _, sub := range s.model.subs {
		exactly = false
		if ofPair := strings.HasPrefix(p.key, sub.owner+"-"+sub.subscriber); ofPair && slices.Contains([]string{"inbox", "ledger", "ended"}, kindName(p)) || strings.HasPrefix(p.key, sub.owner) && kindName(p) == "directory" {
			states = append(states, of(sub))
		}
	}
	slices.Sort(states)
	return fmt.Sprint(slices.Compact(states))
}

// anonymous is a text without the names of accounts and ids that are like others.
func (s *stage) anonymous(text string) string {
	for id := range s.model.subs {
		text = strings.ReplaceAll(text, id, "<id>")
	}
	return strings.NewReplacer(theOwner, "<owner>", otherOwner, "<owner>", theConsumer, "<consumer>", otherConsumer, "<consumer>").Replace(text)
}

// objects are the tables of the products by what was decided on them, so that two tables
// with the same history are the same.
func (s *stage) objects() *strings.Replacer {
	var pairs []string
	for product, tables := range s.model.tables {
		for _, table := range tables {
			var states []string
			for _, sub := range s.model.subs {
				if sub.database == product && slices.Contains(s.model.on(sub), table) {
					states = append(states, fmt.Sprint(sub.subscriber, sub.status, sub.permitted, sub.leaving))
				}
			}
			slices.Sort(states)
			pairs = append(pairs, " "+table, fmt.Sprint(" a table of ", slices.Compact(states)), product+"."+table, fmt.Sprint(product, ".", slices.Compact(states)))
		}
	}
	return strings.NewReplacer(pairs...)
}

// effect is the class of a raw call that was let through: before and after are what all
// hold on the products. It is empty if the call changed nothing.
func (s *stage) effect(try attempt, before, after map[string]string) string {
	objects := s.objects()
	if !isGrant(try.name) {
		return try.role + objects.Replace(try.name) + s.decidedOn(try.name)
	}
	var changed []string
	for _, key := range slices.Sorted(maps.Keys(merged(before, after))) {
		if before[key] != after[key] {
			changed = append(changed, fmt.Sprintf("%s: %s -> %s", objects.Replace(key), before[key], after[key]))
		}
	}
	slices.Sort(changed)
	if len(changed) == 0 {
		return ""
	}
	return try.role + strings.Join(slices.Compact(changed), "\n")
}

// isGrant reports whether a raw call changes what is held on a database or a table.
func isGrant(name string) bool {
	for _, other := range []string{" on the mesh ", " on the location ", " on tables of the tag ", " on columns of "} {
		if strings.Contains(name, other) {
			return false
		}
	}
	return strings.HasPrefix(name, "raw grant ") || strings.HasPrefix(name, "raw revoke ")
}

// decidedOn is what was decided on the products that a call names, if it names no table.
func (s *stage) decidedOn(name string) string {
	var states []string
	for _, sub := range s.model.subs {
		if strings.Contains(name, sub.database) || strings.Contains(name, bucketOf(sub.owner)) {
			states = append(states, fmt.Sprint(sub.status, sub.leaving))
		}
	}
	slices.Sort(states)
	return fmt.Sprint(slices.Compact(states))
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// held are all grants on both products, also what consumers hand on at home.
func (s *stage) held() (map[string]string, error) {
	all := map[string]string{}
	for account, role := range map[string]string{inMesh: lakemesh.ManagerRole, theConsumer: lakemesh.ConsumerRole, otherConsumer: lakemesh.ConsumerRole} {
		grants, err := s.grantsSeen(account, role)
		if err != nil {
			return nil, err
		}
		for product, on := range grants {
			for k, v := range on {
				principal, object, _ := strings.Cut(k, " on ")
				all[principal+" on "+product+" "+object] = v
			}
		}
	}
	return all, nil
}

// byIdentity reports whether an identity-based policy is why a call was denied.
func byIdentity(err error) bool {
	return err != nil && strings.Contains(err.Error(), "because no identity-based policy allows")
}

var errChanged = errors.New("a refused call changed something")
