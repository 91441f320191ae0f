package tracker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/lakemesh/lakemesh"
)

// Original is a record of the original library: one item, which both sides wrote, under
// an id that names no accounts.
type Original struct {
	lakemesh.Subscription

	// Words are what the consumer asked for.
	Words Words
	// Fault says why the record cannot be adopted; empty for a good one.
	Fault string
	// Adopted is what became of it, or nil.
	Adopted *Record
}

// AdoptedID is the id that a record of the original library gets. It follows from the
// old one, so that adopting twice is adopting once.
func (o *Original) AdoptedID() string {
	return lakemesh.DerivedSubscriptionID(o.Owner, o.Subscriber, "adopted", o.ID)
}

// Originals calls fn for each record of the original library, page by page, with what
// became of those that were adopted. It reads the whole table: only the mesh's
// administrator may.
func (t *Tracker) Originals(ctx context.Context, fn func(*Original) error) error {
	pages := dynamodb.NewScanPaginator(t.client, &dynamodb.ScanInput{
		TableName: aws.String(lakemesh.SubscriptionsTable), ConsistentRead: aws.Bool(true),
		FilterExpression: aws.String("size(#id) = :n"), ExpressionAttributeNames: map[string]string{"#id": attrID},
		ExpressionAttributeValues: item{":n": number(len(lakemesh.NewShortID()))},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return t.explain("AdoptRecords", "", err)
		}
		var found []*Original
		byID := map[string]*Original{}
		for _, i := range page.Items {
			if o := readOriginal(i); o != nil {
				found = append(found, o)
				byID[o.AdoptedID()] = o
			}
		}
		ids := make([]string, 0, len(byID))
		for id := range byID {
			ids = append(ids, id)
		}
		err = t.records(ctx, ids, func(r *Record) bool {
			byID[r.ID].Adopted = r
			return true
		})
		if err != nil {
			return err
		}
		for _, o := range found {
			if err := fn(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// readOriginal reads a record of the original library; what is none is nil.
func readOriginal(i item) *Original {
	o := &Original{Subscription: lakemesh.Subscription{ID: text(i, attrID), Owner: text(i, attrOwner), Subscriber: text(i, attrSubscriber)}}
	if _, _, legacy, err := lakemesh.ParseSubscriptionID(o.ID); err != nil || !legacy {
		return nil
	}
	if lakemesh.CheckAccountID("owner", o.Owner) != nil || lakemesh.CheckAccountID("subscriber", o.Subscriber) != nil {
		o.Fault = "it names no owner or no subscriber"
		return o
	}
	// The library kept everybody's notes in one set.
	notes := known(i, attrNotes)
	delete(i, attrNotes)
	o.Words, o.Fault = readWords(i)
	o.Notes = notes
	o.Permitted, o.Grantable = permissions(known(i, attrPermitted)), permissions(known(i, attrGrantable))
	o.TableARNs, o.RAMShares = known(i, attrTableARNs), shares(i)
	o.Created, o.Updated, o.UpdatedBy = moment(text(i, attrCreated)), moment(text(i, attrUpdated)), text(i, attrUpdatedBy)
	o.Imported = isTrue(i, attrImported)
	o.Status = lakemesh.Status(text(i, attrStatus))
	switch o.Status {
	case lakemesh.Pending, lakemesh.Denied, lakemesh.Deleted:
		// A denial writes PermittedGrants, too.
		o.Permitted, o.Grantable, o.TableARNs, o.RAMShares = nil, nil, nil, nil
	case lakemesh.Active:
		if len(o.Permitted) == 0 {
			o.Fault = "it says that it is Active, and not what is permitted"
		} else if database, tables, known := grantedOn(o.TableARNs); known {
			// The library matched names as prefixes, and granted more than it was asked for.
			o.Words.Database, o.Words.Tables, o.Words.Whole = database, tables, len(tables) == 0
		}
	default:
		o.Fault = fmt.Sprintf("it says that it is %q, which is no state", clip(string(o.Status)))
	}
	o.Database, o.Tables, o.Requested, o.CreatedBy = o.Words.Database, o.Words.Tables, o.Words.Requested, o.Words.By
	o.TablesUnknown = !o.Words.Whole && len(o.Tables) == 0
	return o
}

// grantedOn are the database and the tables of ARNs of tables; no tables stand for
// the whole database. known is false if the ARNs do not tell.
func grantedOn(arns []string) (database string, tables []string, known bool) {
	for _, arn := range arns {
		parts := strings.SplitN(arn, ":", 6)
		if len(parts) != 6 {
			return "", nil, false
		}
		path := strings.Split(parts[5], "/")
		if len(path) != 3 || path[0] != "table" || database != "" && path[1] != database {
			return "", nil, false
		}
		database = path[1]
		if path[2] != "*" {
			tables = append(tables, path[2])
		}
	}
	return database, tables, database != ""
}

// Adopt makes a request and a decision of a record of the original library, under a
// long id. The old record stays. It makes no call that changes access.
func (t *Tracker) Adopt(ctx context.Context, o *Original) error {
	id := o.AdoptedID()
	r := &Record{Subscription: o.Subscription, Words: o.Words, digest: o.Words.Digest()}
	r.ID = id
	event := lakemesh.Event{At: t.now().UTC().Truncate(time.Microsecond), By: t.by, Action: lakemesh.ActionAdopt, To: o.Status,
		Reason: "from record " + o.ID + " of the original library", Permissions: o.Permitted, Grantable: o.Grantable, Tables: o.Tables}
	e := t.next(ProducerSide, id, chainEnd{}, chainEnd{}, event)

	decision := inDecisions(id)
	r.copyTo(decision)
	decision.Set(attrStatus, str(string(o.Status)))
	decision.Set(attrAdoptedFrom, str(o.ID))
	decision.Set(attrUpdated, str(lakemesh.FormatTime(o.Updated)))
	decision.Set(attrUpdatedBy, str(o.UpdatedBy))
	if len(o.Notes) > 0 {
		decision.Set(attrDecisions, list(o.Notes))
	}
	if o.Status == lakemesh.Active {
		decision.Set(attrPermitted, list(o.Permitted.Strings()))
		decision.Set(attrGrantable, list(o.Grantable.Strings()))
		decision.Set(attrTableARNs, names(o.TableARNs))
		decision.Set(attrShares, encodeShares(o.RAMShares))
		decision.Set(attrRevision, number(1))
	}
	decision.Count(attrVersion, 1)
	e.close(decision, chainEnd{})
	decision.IfAbsent(attrVersion)

	request := inSubscriptions(id)
	o.Words.write(request)
	request.Set(attrOwner, str(o.Owner))
	request.Set(attrSubscriber, str(o.Subscriber))
	request.Set(attrStatus, str(string(o.Status)))
	request.Set(attrCreated, str(lakemesh.FormatTime(o.Created)))
	if o.Status == lakemesh.Active {
		request.Set(attrPermitted, list(o.Permitted.Strings()))
		request.Set(attrGrantable, list(o.Grantable.Strings()))
		request.Set(attrTableARNs, names(o.TableARNs))
		request.Set(attrShares, encodeShares(o.RAMShares))
	}
	if o.Imported {
		request.Set(attrImported, truth(true))
		request.Set(attrImportedRevision, digits(1))
	}

	updates := []*update{decision, e.write(lakemesh.DecisionsTable), request, enlist(r)}
	switch o.Status {
	case lakemesh.Active:
		// It may be adopted with less than the old record says.
		old := inSubscriptions(o.ID)
		old.Set(attrPermitted, list(o.Permitted.Strings()))
		old.Set(attrGrantable, list(o.Grantable.Strings()))
		updates = append(updates, old)
		ledger := inDecisions(ledgerKey(o.Owner, o.Subscriber))
		ledger.AddTo(attrActive, id)
		updates = append(updates, ledger)
	case lakemesh.Pending:
		inbox := inSubscriptions(inboxKey(o.Owner, o.Subscriber))
		inbox.AddTo(attrOpen, id)
		updates = append(updates, inbox)
	default:
		ledger, err := t.Ledger(ctx, o.Owner, o.Subscriber)
		if err != nil {
			return err
		}
		updates = append(updates, ledger.end(r, false)...)
	}
	err := t.transact(ctx, updates...)
	if conditionFailed(err) {
		// Somebody else adopted it at the same time.
		return nil
	}
	return t.explain("AdoptRecords", o.ID, err)
}

// Refresh writes into the old record what became of it, so that the original library
// reads it there.
func (t *Tracker) Refresh(ctx context.Context, o *Original) error {
	r := o.Adopted
	old := *r
	old.ID = o.ID
	return t.Mirror(ctx, &old, Outcome{Status: r.Status, Permitted: r.Permitted, Grantable: r.Grantable, TableARNs: r.TableARNs, RAMShares: r.RAMShares})
}

// Refreshed reports whether the old record says what became of it.
func (o *Original) Refreshed() bool {
	return o.Status == o.Adopted.Status && o.Permitted.Equal(o.Adopted.Permitted) && o.Grantable.Equal(o.Adopted.Grantable)
}

// Overtaken reports whether the original library has decided on a record after it was
// adopted, and lakemesh has not.
func (o *Original) Overtaken() bool {
	return o.Adopted.Status == lakemesh.Pending && o.Adopted.Claim == nil && o.Status != lakemesh.Pending
}

// Follow takes over what the original library decided after the record was adopted.
func (t *Tracker) Follow(ctx context.Context, o *Original) error {
	r := o.Adopted
	event := t.event(r, lakemesh.ActionAdopt, o.Status, "from record "+o.ID+" of the original library")
	event.Permissions, event.Grantable = o.Permitted, o.Grantable
	e := t.next(ProducerSide, r.ID, r.owner, r.consumer, event)
	u := inDecisions(r.ID)
	u.Set(attrStatus, str(string(o.Status)))
	if o.Status == lakemesh.Active {
		u.Set(attrPermitted, list(o.Permitted.Strings()))
		u.Set(attrGrantable, list(o.Grantable.Strings()))
		u.Set(attrTableARNs, names(o.TableARNs))
		u.Set(attrShares, encodeShares(o.RAMShares))
		u.Set(attrRevision, number(r.Revision+1))
	}
	u.Count(attrVersion, 1)
	u.IfCount(attrVersion, r.version)
	u.IfAbsent(attrClaim)
	e.close(u, r.owner)
	updates := []*update{u, e.write(lakemesh.DecisionsTable)}
	if o.Status == lakemesh.Active {
		ledger := inDecisions(ledgerKey(r.Owner, r.Subscriber))
		ledger.AddTo(attrActive, r.ID)
		updates = append(updates, ledger)
	} else {
		ledger, err := t.Ledger(ctx, r.Owner, r.Subscriber)
		if err != nil {
			return err
		}
		updates = append(updates, ledger.end(r, false)...)
	}
	err := t.transact(ctx, updates...)
	if conditionFailed(err) {
		return t.overtaken(ctx, r.ID, lakemesh.Claim{Action: lakemesh.ActionAdopt}, err)
	}
	if err == nil {
		err = t.Mirror(ctx, r, Outcome{Status: o.Status, Permitted: o.Permitted, Grantable: o.Grantable, TableARNs: o.TableARNs, RAMShares: o.RAMShares})
	}
	return t.explain("AdoptRecords", o.ID, err)
}
