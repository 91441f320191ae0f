package tracker

import (
	"context"
	"slices"
	"time"

	"github.com/lakemesh/lakemesh"
)

// attrUnasked marks a decision that nobody had asked for: its owner took over what had
// been granted by hand. The consumer has no request then, until it writes one with the
// same words when it does something with the subscription.
const attrUnasked = "Unasked"

// adoptedNote is what stands where a consumer says why it asks.
const adoptedNote = "taken over from grants that were made by hand"

// Granted is what was granted by hand and becomes a subscription.
type Granted struct {
	Owner, Subscriber string
	Database          string
	// Tables are these tables, Whole all of the database.
	Tables []string
	Whole  bool
	// Permitted and Grantable are what is held.
	Permitted, Grantable lakemesh.Permissions
	// TableARNs and RAMShares are as in [Outcome].
	TableARNs []string
	RAMShares map[string]lakemesh.RAMShare
	// Found is what of the same is not taken over, as in [Record.Found].
	Found []string
}

// words are the words that the consumer would have asked with.
func (t *Tracker) words(g Granted) Words {
	return Words{Database: g.Database, Tables: g.Tables, Whole: g.Whole, Requested: g.Permitted, Note: adoptedNote, By: t.by}
}

// Record is the record that the grants would have, without its id.
func (g Granted) Record() *Record {
	r := &Record{Subscription: lakemesh.Subscription{Owner: g.Owner, Subscriber: g.Subscriber, Status: lakemesh.Active, Database: g.Database, Tables: g.Tables,
		Requested: g.Permitted, Permitted: g.Permitted, Grantable: g.Grantable, TableARNs: g.TableARNs, RAMShares: g.RAMShares}, Found: g.Found}
	r.Words = Words{Database: g.Database, Tables: g.Tables, Whole: g.Whole, Requested: g.Permitted}
	return r
}

// CheckGranted refuses what does not fit into a record.
func CheckGranted(g Granted) error {
	if size(g.Found) > mostExpressions {
		return lakemesh.Invalid("Found", "what is not taken over does not fit into the record of a subscription")
	}
	return CheckWords(Words{Tables: g.Tables, Note: adoptedNote})
}

// AdoptGrants writes an active subscription for what was granted by hand, and returns its
// id. It touches what the owner alone writes, and makes no call that changes access. The
// id is made of the words, as that of a request is: so the consumer can sign them.
func (l *Lease) AdoptGrants(ctx context.Context, g Granted) (string, error) {
	t := l.tracker
	w, err := t.unused(ctx, g)
	if err != nil {
		return "", err
	}
	now := t.now().UTC().Truncate(time.Microsecond)
	id := w.ID(g.Owner, g.Subscriber)
	r := &Record{Subscription: lakemesh.Subscription{ID: id, Owner: g.Owner, Subscriber: g.Subscriber, Created: now}, Words: w, digest: w.Digest()}
	e := t.next(ProducerSide, id, chainEnd{}, chainEnd{}, lakemesh.Event{At: now, By: t.by, Action: lakemesh.ActionAdopt, To: lakemesh.Active,
		Reason: adoptedNote, Permissions: g.Permitted, Grantable: g.Grantable, Tables: g.Tables})

	u := inDecisions(id)
	r.copyTo(u)
	u.Set(attrUnasked, truth(true))
	u.Set(attrStatus, str(string(lakemesh.Active)))
	u.Set(attrPermitted, list(g.Permitted.Strings()))
	u.Set(attrGrantable, list(g.Grantable.Strings()))
	u.Set(attrTableARNs, names(g.TableARNs))
	u.Set(attrShares, encodeShares(g.RAMShares))
	u.Set(attrRevision, number(1))
	u.Set(attrUpdated, str(lakemesh.FormatTime(now)))
	u.Set(attrUpdatedBy, str(t.by))
	if len(g.Found) > 0 {
		u.Set(attrFound, list(g.Found))
	}
	u.Count(attrVersion, 1)
	u.IfAbsent(attrVersion)
	e.close(u, chainEnd{})
	ledger := inDecisions(ledgerKey(g.Owner, g.Subscriber))
	ledger.AddTo(attrActive, id)
	err = l.transact(ctx, u, e.write(lakemesh.DecisionsTable), ledger, enlist(r))
	return id, t.explain("AdoptGrants", id, err)
}

// unused are the words with the number of times that they were used before: by grants
// that were taken over, ended, and made by hand again. Only what the owner decided
// counts: a consumer that foresees the words and writes them down has signed them.
func (t *Tracker) unused(ctx context.Context, g Granted) (Words, error) {
	w := t.words(g)
	for first := 0; ; first += sameRequests {
		ids := make([]string, sameRequests)
		for n := range ids {
			w.Asked = first + n
			ids[n] = w.ID(g.Owner, g.Subscriber)
		}
		decided, err := t.decided(ctx, ids)
		if err != nil {
			return w, err
		}
		taken := map[string]bool{}
		for _, r := range decided {
			taken[r.ID] = true
		}
		if n := slices.IndexFunc(ids, func(id string) bool { return !taken[id] }); n >= 0 {
			w.Asked = first + n
			return w, nil
		}
	}
}

// sign writes the request that the consumer has not made, in the words of its owner's
// copy: from then on they can be compared.
func (r *Record) sign(u *update) {
	u.Set(attrOwner, str(r.Owner))
	u.Set(attrSubscriber, str(r.Subscriber))
	u.Set(attrStatus, str(string(r.Status)))
	u.Set(attrCreated, str(lakemesh.FormatTime(r.Created)))
	r.Words.write(u)
}

// Consumers are the accounts that are enabled as consumers.
func (t *Tracker) Consumers(ctx context.Context) ([]string, error) {
	_, consumers, err := t.members(ctx)
	return consumers, err
}
