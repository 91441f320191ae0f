package tracker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// Record is a subscription as it stands in the table.
//
// Its Status is the one that counts. A producer's decision, in DecidedStatus,
// outweighs the Status attribute, which the consumer can write. Without a
// decision, Active is believed only where PermittedGrants and GrantedTableARNs are
// there, which only a producer can write: that is a record of the original library.
// Its accounts are those of its id, and once something was granted, its tables are
// those that were granted: a consumer could rewrite the attributes of its request.
type Record struct {
	lakemesh.Subscription

	// stored is the Status attribute as it stands, which conditions are made on.
	stored lakemesh.Status
	// historyKeys are the keys of the history's items.
	historyKeys []string
	// tables and requested are the attributes of the request as they stand: a
	// claim is conditional on them.
	tables, requested types.AttributeValue
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func list(values []string) types.AttributeValue {
	l := &types.AttributeValueMemberL{Value: make([]types.AttributeValue, len(values))}
	for i, v := range values {
		l.Value[i] = str(v)
	}
	return l
}

// text reads a string attribute; anything else is empty.
func text(item map[string]types.AttributeValue, name string) string {
	if v, ok := item[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// texts reads a list, a set or a single string: the original library wrote all
// three over time. A list of very many names is packed.
func texts(item map[string]types.AttributeValue, name string) []string {
	switch v := item[name].(type) {
	case *types.AttributeValueMemberS:
		return []string{v.Value}
	case *types.AttributeValueMemberSS:
		return slices.Clone(v.Value)
	case *types.AttributeValueMemberL:
		all := make([]string, 0, len(v.Value))
		for _, e := range v.Value {
			if s, ok := e.(*types.AttributeValueMemberS); ok {
				all = append(all, s.Value)
			}
		}
		return all
	case *types.AttributeValueMemberB:
		// What cannot be read is told by unreadable.
		all, err := unpack(v.Value)
		if err == nil {
			return all
		}
	}
	return nil
}

func truth(item map[string]types.AttributeValue, name string) bool {
	v, ok := item[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
}

// moment reads a time in the form of records; a malformed one is zero.
func moment(s string) time.Time {
	for _, layout := range []string{lakemesh.TimeFormat, time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// permissions reads a set of permissions. Names that lakemesh does not know are
// kept: an old record may carry them.
func permissions(item map[string]types.AttributeValue, name string) lakemesh.Permissions {
	var set []lakemesh.Permission
	for _, n := range texts(item, name) {
		if n = strings.ToUpper(strings.TrimSpace(n)); n != "" {
			set = append(set, lakemesh.Permission(n))
		}
	}
	return lakemesh.NewPermissions(set...)
}

func decode(item map[string]types.AttributeValue) (*Record, error) {
	r := &Record{
		Subscription: lakemesh.Subscription{
			ID: text(item, attrID), Owner: text(item, attrOwner), Subscriber: text(item, attrSubscriber),
			Database: text(item, attrDatabase), Tables: texts(item, attrTables), Expressions: texts(item, attrExpressions),
			Requested: permissions(item, attrRequested), Permitted: permissions(item, attrPermitted),
			Grantable: permissions(item, attrGrantable), TableARNs: texts(item, attrTableARNs), RAMShares: shares(item),
			Notes: texts(item, attrNotes), Created: moment(text(item, attrCreated)), CreatedBy: text(item, attrCreatedBy),
			Updated: moment(text(item, attrUpdated)), UpdatedBy: text(item, attrUpdatedBy),
			Imported: truth(item, attrImported), Leaving: truth(item, attrLeaving), Claim: claim(item),
		},
		stored:      lakemesh.Status(text(item, attrStatus)),
		historyKeys: append(texts(item, attrHistory), texts(item, attrDecisions)...),
		tables:      item[attrTables],
		requested:   item[attrRequested],
	}
	slices.Sort(r.Notes)
	decided := lakemesh.Status(text(item, attrDecided))
	r.Status, r.Tampered = effective(r, decided, approved(item))
	if owner, subscriber, legacy, err := lakemesh.ParseSubscriptionID(r.ID); err == nil && !legacy &&
		(owner != r.Owner || subscriber != r.Subscriber) {
		// The id is the item's key and cannot be changed; the attributes can.
		r.Owner, r.Subscriber = owner, subscriber
		r.Tampered = "the owner or the subscriber is not the one of the id"
	}
	if r.ID == "" || r.Owner == "" || r.Subscriber == "" {
		return nil, &lakemesh.Error{Resource: "subscription " + r.ID, Kind: lakemesh.ErrTampered,
			Message: "the record names no id, owner or subscriber"}
	}
	r.rectify(decided)
	if r.Tampered == "" && unreadable(item[attrTables]) {
		// No tables would stand for the whole database.
		r.Tampered = "the tables that it names cannot be read"
	}
	return r, nil
}

// approved tells whether a producer wrote that the request was granted. The
// original library writes PermittedGrants on a denial, too, and then NULL for the
// granted tables.
func approved(item map[string]types.AttributeValue) bool {
	switch item[attrTableARNs].(type) {
	case *types.AttributeValueMemberL, *types.AttributeValueMemberSS, *types.AttributeValueMemberS, *types.AttributeValueMemberB:
		return item[attrPermitted] != nil
	}
	return false
}

// rectify puts what was granted, or is being granted, in the place of a request
// that does not say the same any more. Otherwise an update would grant, and a
// deletion leave behind, what the consumer wrote into the request afterwards.
func (r *Record) rectify(decided lakemesh.Status) {
	database, tables, known := grantedOn(r.TableARNs)
	switch {
	case r.Status == lakemesh.Active && known:
	case r.Claim != nil && r.Claim.Database != "":
		database, tables = r.Claim.Database, r.Claim.Tables
	default:
		return
	}
	same := strings.EqualFold(r.Database, database) && sameNames(folded(r.Tables), folded(tables))
	if same {
		return
	}
	// The original library matched names as prefixes, and granted more than it was asked for.
	more := decided == "" && strings.EqualFold(r.Database, database) && len(r.Tables) > 0 &&
		!slices.ContainsFunc(folded(r.Tables), func(t string) bool { return !slices.Contains(folded(tables), t) })
	r.Database, r.Tables = database, tables
	if !more && r.Tampered == "" {
		r.Tampered = "the tables that it names are not those that were decided on"
	}
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

func folded(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = strings.ToLower(n)
	}
	return all
}

// effective tells the state that counts, and what is wrong with the record.
func effective(r *Record, decided lakemesh.Status, approved bool) (lakemesh.Status, string) {
	switch {
	case decided != "" && decided == r.stored:
		return decided, ""
	case decided != "":
		return decided, fmt.Sprintf("Status says %s, the owner's decision %s", r.stored, decided)
	case r.stored == lakemesh.Active && !approved:
		return lakemesh.Pending, "Status says Active, but nobody has approved the request"
	case r.stored == lakemesh.Pending, r.stored == lakemesh.Active, r.stored == lakemesh.Denied, r.stored == lakemesh.Deleted:
		return r.stored, ""
	}
	return lakemesh.Pending, fmt.Sprintf("Status says %q, which is no state", r.stored)
}

func shares(item map[string]types.AttributeValue) map[string]lakemesh.RAMShare {
	m, ok := item[attrShares].(*types.AttributeValueMemberM)
	if !ok || len(m.Value) == 0 {
		return nil
	}
	all := make(map[string]lakemesh.RAMShare, len(m.Value))
	for object, v := range m.Value {
		if share, ok := v.(*types.AttributeValueMemberM); ok {
			all[object] = lakemesh.RAMShare{Type: text(share.Value, "type"), ARN: text(share.Value, "arn")}
		}
	}
	return all
}

func encodeShares(all map[string]lakemesh.RAMShare) types.AttributeValue {
	m := &types.AttributeValueMemberM{Value: make(map[string]types.AttributeValue, len(all))}
	for object, s := range all {
		m.Value[object] = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"type": str(s.Type), "arn": str(s.ARN)}}
	}
	return m
}

func claim(item map[string]types.AttributeValue) *lakemesh.Claim {
	m, ok := item[attrClaim].(*types.AttributeValueMemberM)
	if !ok {
		return nil
	}
	return &lakemesh.Claim{
		Action: lakemesh.Action(text(m.Value, "Action")), Holder: text(m.Value, "Holder"), By: text(m.Value, "By"),
		At: moment(text(m.Value, "At")), Until: moment(text(m.Value, "Until")),
		Database: text(m.Value, "Database"), Tables: texts(m.Value, "Tables"),
		Permissions: permissions(m.Value, "Permissions"), Grantable: permissions(m.Value, "Grantable"), Notes: text(m.Value, "Notes"),
	}
}

// stampFormat is a time to the microsecond, of fixed width, so that stamps compare
// as texts.
const stampFormat = "2006-01-02T15:04:05.000000Z"

func stamp(t time.Time) string { return t.UTC().Format(stampFormat) }

func encodeClaim(c lakemesh.Claim) types.AttributeValue {
	return &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
		"Action": str(string(c.Action)), "Holder": str(c.Holder), "By": str(c.By),
		"At": str(stamp(c.At)), "Until": str(stamp(c.Until)), "Database": str(c.Database), "Tables": names(c.Tables),
		"Permissions": list(c.Permissions.Strings()), "Grantable": list(c.Grantable.Strings()), "Notes": str(c.Notes),
	}}
}
