package producer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/permissions"
)

// fallenOf says what the principals of the consumer lose by a decision that leaves the
// account something: Lake Formation ends what an account handed on whenever anything of it
// is revoked from the account, also where only the right to hand it on is to go (rule 1.10.1
// of docs/aws-rules.md). Who ends a subscription means that all of it ends.
func fallenOf(c *considered, ch *change) []string {
	if len(c.permitted) == 0 {
		return nil
	}
	holds := map[permissions.Key]permissions.Entry{}
	for _, e := range ch.holds {
		holds[e.Key()] = e
	}
	type loss struct {
		lost, again, in string
		// part tells that it was held on a filter, in whose place another is granted.
		part bool
	}
	resources := map[loss][]string{}
	for _, e := range ch.revoke {
		handedOn := e.Permissions.Intersect(e.Grantable)
		whose, accounts := access.Grantee(e.Principal), "account "+c.record.Subscriber
		if whose.Organization() {
			accounts = "any account of " + e.Principal
		}
		if e.Principal != c.record.Subscriber && !whose.Organization() || len(handedOn) == 0 {
			continue
		}
		after := holds[e.Key()].Grantable
		again := handedOn.Intersect(after)
		if after.Has(lakemesh.All) {
			again = handedOn
		}
		l := loss{handedOn.String(), again.String(), accounts, e.Resource.Kind == permissions.KindFilter}
		resources[l] = append(resources[l], e.Resource.String())
	}
	var all []string
	for _, l := range slices.SortedFunc(maps.Keys(resources), func(x, y loss) int { return strings.Compare(x.lost+" "+x.again+" "+x.in, y.lost+" "+y.again+" "+y.in) }) {
		names := resources[l]
		on := strings.Join(names[:min(len(names), mostNamed)], ", ")
		if more := len(names) - mostNamed; more > 0 {
			on += fmt.Sprintf(" and %d more", more)
		}
		text := fmt.Sprintf("whoever in %s was given %s on %s loses it at once: what an account has handed on falls with what is revoked from it", l.in, l.lost, on)
		if l.again == "" && l.part && len(c.grantable) > 0 {
			text += "; it hands on what it has now by importing the subscription again: " + lakemesh.Do("consumer.FinalizeSubscription", "SubscriptionID", c.record.ID).String()
		} else if l.again == "" {
			text += ", and it may hand none of it on again"
		} else {
			text += fmt.Sprintf("; it hands %s on again by importing the subscription again: %s", l.again, lakemesh.Do("consumer.FinalizeSubscription", "SubscriptionID", c.record.ID))
		}
		all = append(all, text)
	}
	return all
}
