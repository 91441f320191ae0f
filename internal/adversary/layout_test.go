package adversary_test

import (
	"fmt"
	"path"
	"slices"
	"strings"

	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// What the harness knows of the layout of the records stands in this file: which
// tables there are, how their keys look, and who may write and read which.

// The accounts of the harness.
const (
	inMesh        = meshtest.MeshAccount
	theOwner      = meshtest.ProducerAccount
	theConsumer   = meshtest.ConsumerAccount
	otherOwner    = meshtest.OtherProducer
	otherConsumer = meshtest.OtherConsumer
)

// place is the key of an item.
type place struct{ table, key string }

func (p place) String() string { return p.table + "/" + p.key }

// bothTables are the tables of records.
func bothTables() []string { return []string{lakemesh.SubscriptionsTable, lakemesh.DecisionsTable} }

// keyName is the name of a table's key.
func keyName(table string) string {
	if table == lakemesh.DecisionsTable {
		return "Key"
	}
	return "SubscriptionId"
}

// kindOfKey are keys of one kind: a pattern of them with <owner> and <subscriber>,
// and which attributes each side may write there; nil is none, and any is all.
type kindOfKey struct {
	name, table, pattern string
	consumer, producer   []string
	consumerReads        bool
	producerReads        bool
}

const (
	anyAccount = "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"
	shortPart  = "??????????????????????"
)

// everyAttribute stands for a right to all attributes.
const everyAttribute = "*"

func kindsOfKeys() []kindOfKey {
	first, second := lakemesh.SubscriptionsTable, lakemesh.DecisionsTable
	consumers, mirror, all := tracker.ConsumerAttributes(), tracker.MirrorAttributes(), []string{everyAttribute}
	const id = "<owner>-<subscriber>-" + shortPart
	return []kindOfKey{
		{"request", first, id, consumers, mirror, true, true},
		{"consumer's history", first, id + "#C#??????", consumers, nil, true, true},
		{"inbox", first, "<owner>-<subscriber>#inbox", consumers, nil, true, true},
		{"decision", second, id, nil, all, true, true},
		{"owner's history", second, id + "#??????", nil, all, true, true},
		{"ledger", second, "<owner>-<subscriber>", nil, all, true, true},
		{"ended", second, "<owner>-<subscriber>#????", nil, all, true, true},
		{"directory", second, "<owner>-directory", nil, all, false, true},
		{"lease", second, "<owner>-lease", nil, all, false, true},
	}
}

// membersPlace is the item of the accounts that are enabled, which the mesh's
// administrator alone writes and everybody reads.
func membersPlace() place { return place{lakemesh.DecisionsTable, "members"} }

// isOf reports whether a key is of the kind, for an owner and a subscriber; an empty
// one stands for any.
func (k kindOfKey) isOf(p place, owner, subscriber string) bool {
	if p.table != k.table {
		return false
	}
	fill := func(account string) string {
		if account == "" {
			return anyAccount
		}
		return account
	}
	ok, err := path.Match(strings.NewReplacer("<owner>", fill(owner), "<subscriber>", fill(subscriber)).Replace(k.pattern), p.key)
	return err == nil && ok
}

// mayWrite are the attributes that a role's party may write of an item.
func mayWrite(r party, p place) []string {
	for _, k := range kindsOfKeys() {
		if r.produces && k.isOf(p, r.account, "") {
			return k.producer
		}
		if !r.produces && k.isOf(p, "", r.account) {
			return k.consumer
		}
	}
	// Owners may write whatever begins with their account in their own table: keys of
	// kinds that there are not yet.
	if r.produces && p.table == lakemesh.DecisionsTable && strings.HasPrefix(p.key, r.account+"-") {
		return []string{everyAttribute}
	}
	return nil
}

// mayRead reports whether a role's party may read an item.
func mayRead(r party, p place) bool {
	if p == membersPlace() {
		return true
	}
	if r.produces {
		return strings.HasPrefix(p.key, r.account+"-")
	}
	for _, k := range kindsOfKeys() {
		if k.consumerReads && k.isOf(p, "", r.account) {
			return true
		}
	}
	// Whatever there will be of a pair of its own, and keys of this form that are none.
	if len(p.key) < 25 || p.key[12:25] != "-"+r.account {
		return false
	}
	if len(p.key) == 25 {
		return p.table == lakemesh.DecisionsTable
	}
	return strings.ContainsAny(p.key[25:26], "-#")
}

// inventedShort is the last part of an id that nobody made.
const inventedShort = "ABCDEFGHJKLMNPQRSTUVWX"

// inventedPlaces are items of every kind of some pairs that do not exist, and keys that
// are of no kind, in both tables.
func inventedPlaces() []place {
	var all []place
	for _, pair := range [][2]string{{theOwner, theConsumer}, {theOwner, otherConsumer}, {otherOwner, theConsumer}, {otherOwner, otherConsumer}, {theConsumer, theOwner}} {
		for _, k := range kindsOfKeys() {
			key := strings.NewReplacer("<owner>", pair[0], "<subscriber>", pair[1], shortPart, inventedShort).Replace(k.pattern)
			key = strings.NewReplacer("??????", "000007", "????", "0007").Replace(key)
			all = append(all, place{k.table, key})
			for _, table := range bothTables() {
				all = append(all, place{table, key}, place{table, key + "x"}, place{table, "x" + key})
			}
		}
	}
	for _, table := range bothTables() {
		for _, key := range []string{"members", "lease", inventedShort, "????????????-" + theConsumer, "*", theOwner, theConsumer, theOwner + "-"} {
			all = append(all, place{table, key})
		}
	}
	slices.SortFunc(all, func(a, b place) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(all)
}

// fromPattern are keys that a pattern of a policy matches: each account of the harness in
// the place of any account, and letters in the place of any others.
func fromPattern(table, pattern string) []place {
	var all []place
	const anyTwelve = "????????????"
	for _, account := range []string{theOwner, theConsumer, otherOwner, otherConsumer} {
		key := pattern
		if strings.HasPrefix(key, anyTwelve+"-") {
			key = account + key[len(anyTwelve):]
		} else if i := strings.Index(key, "-"+anyTwelve); i >= 0 {
			key = key[:i+1] + account + key[i+1+len(anyTwelve):]
		}
		key = strings.NewReplacer(shortPart, inventedShort, "#C#??????", "#C#000001", "*", "new").Replace(key)
		all = append(all, place{table, strings.ReplaceAll(key, "?", "A")})
	}
	return all
}

// isEntry reports whether an item is an entry of a consumer's history, and of which
// request.
func isEntry(p place) (request string, ok bool) {
	request, _, ok = strings.Cut(p.key, "#C#")
	return request, ok && p.table == lakemesh.SubscriptionsTable
}

// hashed are attributes of an entry that are texts and belong to what is hashed.
func hashed() []string { return []string{"By", "Action", "To"} }

// inboxFlood are so many ids of a pair, none of which there is.
func inboxFlood(owner, subscriber string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		// Ids have no zeros and ones, which look like letters.
		last := strings.NewReplacer("0", "x", "1", "y").Replace(fmt.Sprintf("%05d", i))
		ids[i] = owner + "-" + subscriber + "-" + inventedShort[:17] + last
	}
	return ids
}

// marksLeaving reports whether a request says that its consumer has left.
func marksLeaving(all records, id string) bool {
	left, ok := all[place{lakemesh.SubscriptionsTable, id}]["Leaving"].(*dynamotypes.AttributeValueMemberBOOL)
	return ok && left.Value
}

// kindName is the name of the kind of an item; empty is none.
func kindName(p place) string {
	for _, k := range kindsOfKeys() {
		if k.isOf(p, "", "") {
			return k.name
		}
	}
	return ""
}

// attributesOfKind are the attributes that items of a kind are read for.
func attributesOfKind(kind string) []string {
	entry := []string{"Subscription", "At", "By", "Action", "From", "To", "Reason", "Permissions", "Grantable", "Tables", "Prev", "Seen"}
	request := slices.DeleteFunc(tracker.ConsumerAttributes(), func(a string) bool {
		return slices.Contains(entry, a) || a == "Open" || a == "Withdrawn"
	})
	request = append(request, tracker.MirrorAttributes()...)
	switch kind {
	case "request":
		return request
	case "consumer's history", "owner's history":
		return entry
	case "inbox":
		return []string{"Open", "Withdrawn"}
	case "decision":
		return append(request, "Digest", "Whole", "RequestNote", "DecisionNotes", "Revision", "Version", "Claim", "Found", "AdoptedFrom")
	case "ledger":
		return []string{"Active", "Ended"}
	case "ended":
		return []string{"Ids"}
	case "directory":
		return []string{"Subscribers"}
	case "lease":
		return []string{"Holder", "Until", "Beat"}
	}
	return nil
}

// ofKind reports whether items of the kind of p are read for an attribute.
func ofKind(p place, attribute string) bool {
	return slices.Contains(attributesOfKind(kindName(p)), attribute)
}

// knownAttributes are the attributes of all kinds.
func knownAttributes() []string {
	var all []string
	for _, k := range kindsOfKeys() {
		all = append(all, attributesOfKind(k.name)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
