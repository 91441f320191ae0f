package tracker

import (
	"fmt"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// The keys of items. Roles reach keys by patterns that begin with accounts, so a
// new kind of key must not look like an old one to any of them.
//
// In the table of subscriptions:
//
//	<owner>-<subscriber>-<22>             a request, by its id
//	<owner>-<subscriber>-<22>#C#<6>       an entry of the consumer's history
//	<owner>-<subscriber>#inbox            the ids of the pair's requests
//
// In the table of decisions:
//
//	<owner>-<subscriber>-<22>             a decision, by the request's id
//	<owner>-<subscriber>-<22>#<6>         an entry of the owner's history
//	<owner>-<subscriber>                  the ledger of the pair
//	<owner>-<subscriber>#<4>              ids of the pair's subscriptions that have ended
//	<owner>-directory                     the accounts that the owner has decided about
//	<owner>-lease                         the owner's lease
//	<owner>-restoring                     the tables that the owner is making again in its catalog
//	members                               the accounts that are enabled
const keyAttribute = "Key"

// membersKey is the item of the accounts that are enabled.
const membersKey = "members"

func inboxKey(owner, subscriber string) string  { return owner + "-" + subscriber + "#inbox" }
func ledgerKey(owner, subscriber string) string { return owner + "-" + subscriber }
func directoryKey(owner string) string          { return owner + "-directory" }
func leaseKey(owner string) string              { return owner + "-lease" }
func restoringKey(owner string) string          { return owner + "-restoring" }

func endedKey(owner, subscriber string, n int) string {
	return fmt.Sprintf("%s-%s#%04d", owner, subscriber, n)
}

// entryKey is the key of a numbered entry of one side's history.
func entryKey(side Side, id string, n int) string {
	if side == ConsumerSide {
		return fmt.Sprintf("%s#C#%06d", id, n)
	}
	return fmt.Sprintf("%s#%06d", id, n)
}

// ofPair are those of the ids that are ids of the pair's subscriptions, each once:
// whatever else somebody wrote among its own is left out before it is looked up.
func ofPair(owner, subscriber string, ids []string) []string {
	prefix := owner + "-" + subscriber + "-"
	var mine []string
	for _, id := range compact(ids) {
		if _, _, legacy, err := lakemesh.ParseSubscriptionID(id); err == nil && !legacy && strings.HasPrefix(id, prefix) {
			mine = append(mine, id)
		}
	}
	return mine
}
