package tracker

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
)

// Attributes of a decision that its copy of the request does not have.
const (
	attrDigest      = "Digest"
	attrWhole       = "Whole"
	attrNote        = "RequestNote"
	attrDecisions   = "DecisionNotes"
	attrRevision    = "Revision"
	attrVersion     = "Version"
	attrClaim       = "Claim"
	attrFound       = "Found"
	attrAdoptedFrom = "AdoptedFrom"
	attrAskedUntil  = "RequestedUntil"
	attrAskedScope  = "RequestedScope"
)

// Record is a subscription, read from the consumer's request and from the owner's
// decision.
type Record struct {
	lakemesh.Subscription

	// Words are what counts of the request: the owner's copy once something was
	// decided or is being decided, the consumer's own before that.
	Words Words
	// Asked are the consumer's own words, if they are those that it asked with, or nil:
	// whatever the owner has made of its copy, the consumer knows by them what it has.
	Asked *Words
	// Fault says why the words cannot be decided on: they are not those that the
	// consumer asked with, or cannot be read. It is empty for good ones.
	Fault string
	// Revision counts the decisions that changed what is granted.
	Revision int
	// Found is what the consumer held before lakemesh granted the same: what somebody
	// granted by hand, in a form that the producer's package encodes.
	Found []string
	// Lapsed tells that a decision is under way whose own end has passed: it cannot be
	// carried on.
	Lapsed bool
	// AdoptedFrom is the id that the original library gave it; mostly empty.
	AdoptedFrom string
	// Unasked tells that its owner made it of grants that were made by hand. The consumer
	// has no request then, until it does something with the subscription.
	Unasked bool

	// digest is that of the request's words as the consumer's item says them, whatever
	// was decided on.
	digest string
	// request and decision tell whether there is an item of each side, joined whether the
	// consumer has ever imported it.
	request, decision, joined bool
	// stored is the Status attribute of the request, which both sides write, for the
	// original library: it decides nothing.
	stored lakemesh.Status
	// version counts the writes of the decision; a decision's writes demand that there
	// was none in between.
	version int
	// consumer and owner are the ends of the two histories.
	consumer, owner chainEnd
}

// chainEnd is the end of one side's history: how many entries it has, and the hash
// of the newest.
type chainEnd struct {
	entries int
	head    string
}

var hashPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

func readEnd(i item) chainEnd {
	end := chainEnd{entries: count(i, attrEntries), head: text(i, attrHead)}
	if !hashPattern.MatchString(end.head) {
		end.head = ""
	}
	return end
}

// read makes the record of an id of the request, the decision, or both; nil stands
// for an item that is not there. The accounts are those of the id, which is the key
// of both and which nobody can change. now tells whether it is over.
func read(id string, request, decision item, now time.Time) *Record {
	r := &Record{Subscription: lakemesh.Subscription{ID: id}}
	// Ids are checked before items are read.
	r.Owner, r.Subscriber, _, _ = lakemesh.ParseSubscriptionID(id)
	var faults []string
	if request != nil {
		faults = r.readRequest(request)
	}
	if decision != nil {
		faults = r.readDecision(decision, request, faults)
	}
	r.Database, r.Group, r.Tables, r.TablesUnknown = r.Words.Database, r.Words.Group, r.Words.Tables, !r.Words.Whole && len(r.Words.Tables) == 0
	r.Expressions, r.Requested, r.CreatedBy = r.Words.Expressions, r.Words.Requested, r.Words.By
	r.RequestedUntil, r.RequestedScope, r.Over = r.Words.Until, r.Words.Scope, r.over(now)
	r.Lapsed = r.Claim != nil && ended(r.Claim.Until, now)
	if r.Words.Note != "" {
		r.Notes = append([]string{r.Words.Note}, r.Notes...)
	}
	r.Tampered = strings.Join(faults, "; ")
	return r
}

// readRequest reads what the consumer says. It returns what is wrong with it.
func (r *Record) readRequest(i item) (faults []string) {
	r.request, r.consumer, r.joined = true, readEnd(i), count(i, attrImportedRevision) > 0
	r.LinkRegions = readLinkRegions(i)
	r.Words, r.Fault = readWords(i)
	r.digest = r.Words.Digest()
	if r.Fault == "" && r.Words.ID(r.Owner, r.Subscriber) != r.ID {
		r.Fault = "it was changed after it was made"
	}
	if own := r.Words; r.Fault == "" {
		r.Asked = &own
	}
	if r.Fault != "" {
		faults = append(faults, "the request is not what its id says: "+r.Fault)
	}
	r.Created, r.UpdatedBy, r.Updated = moment(text(i, attrCreated)), text(i, attrUpdatedBy), moment(text(i, attrUpdated))
	if len(r.UpdatedBy) > mostBy {
		r.UpdatedBy = ""
	}
	if reason := text(i, attrLeftReason); reason != "" && len(reason) <= mostNote {
		r.Notes = append(r.Notes, reason)
	}
	r.stored, r.Status = lakemesh.Status(text(i, attrStatus)), lakemesh.Pending
	if isTrue(i, attrTakenBack) {
		r.Status = lakemesh.Deleted
	}
	if r.stored != r.Status {
		faults = append(faults, fmt.Sprintf("the request says that it is %q, and nobody has decided on it", clip(string(r.stored))))
	}
	return faults
}

// clip shortens what somebody else wrote in the place of a word.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32] + "..."
	}
	return s
}

// readDecision reads what the owner says, which outweighs the request. It returns
// what is wrong with the record.
func (r *Record) readDecision(i, request item, faults []string) []string {
	r.decision, r.owner, r.version = true, readEnd(i), count(i, attrVersion)
	r.Revision, r.Found, r.AdoptedFrom = count(i, attrRevision), known(i, attrFound), text(i, attrAdoptedFrom)
	r.Unasked = isTrue(i, attrUnasked)
	r.Claim = readClaim(i)
	status, readable := readStatus(i)
	if status == "" && readable && r.Claim == nil {
		return faults
	}
	takenBack := r.Status == lakemesh.Deleted
	words, fault := readCopy(i)
	asked := text(i, attrDigest)
	switch {
	case fault != "" && status != lakemesh.Denied && status != lakemesh.Deleted:
		faults = []string{"what was decided on cannot be read: " + fault}
	case !readable:
		faults = []string{"what was decided cannot be read"}
	case !r.request && r.Unasked:
		faults = nil
	case !r.request:
		faults = []string{"the consumer has made no such request"}
	case asked != r.digest || r.AdoptedFrom == "" && r.Fault != "":
		// The id of one that was adopted is not made of its words. But its owner, who can
		// write that it was adopted, cannot write the words.
		faults = []string{"the request says something else than what was decided on"}
	default:
		faults = nil
	}
	r.Words, r.Fault = words, fault
	r.Created = moment(text(i, attrCreated))
	if status == "" && readable {
		// The first decision is under way.
		r.Status = lakemesh.Pending
		return faults
	}
	r.Status = status
	if status == lakemesh.Pending && r.Claim == nil && takenBack {
		// One that was adopted, and then taken back by its consumer.
		r.Status = lakemesh.Deleted
	}
	r.Permitted, r.Grantable = permissions(known(i, attrPermitted)), permissions(known(i, attrGrantable))
	var ends bool
	if r.Until, ends = readUntil(i, attrUntil); !ends {
		// It has an end, and has not after it.
		r.Until = time.Unix(0, 0).UTC()
		faults = append(faults, "when it ends cannot be read")
	}
	var narrowed bool
	if r.Scope, narrowed = readScope(i, attrScope); !narrowed {
		// What it gives is not known, so it gives nothing any more.
		r.Until = time.Unix(0, 0).UTC()
		faults = append(faults, "the columns, rows or principals that it is narrowed to cannot be read")
	}
	r.TableARNs, r.RAMShares = known(i, attrTableARNs), shares(i)
	r.Updated, r.UpdatedBy = moment(text(i, attrUpdated)), text(i, attrUpdatedBy)
	r.Notes = append(known(i, attrDecisions), r.Notes...)
	if status == lakemesh.Active {
		r.Leaving = isTrue(request, attrLeaving)
		r.Imported = isTrue(request, attrImported) && count(request, attrImportedRevision) == r.Revision
	}
	// Pending is what the consumer wrote: it was not mirrored yet, or AWS does not let it.
	if request != nil && r.stored != r.Status && r.stored != lakemesh.Pending && len(faults) == 0 {
		faults = append(faults, fmt.Sprintf("the copy that the original library reads says %q", clip(string(r.stored))))
	}
	return faults
}

// readStatus is what an owner says that it decided; empty if nothing was. One that is
// no state, or no text, is read as a subscription that may have grants: so it can be
// ended, and left.
func readStatus(i item) (status lakemesh.Status, readable bool) {
	if _, there := i[attrStatus]; !there {
		return "", true
	}
	switch status := lakemesh.Status(text(i, attrStatus)); status {
	case lakemesh.Pending, lakemesh.Active, lakemesh.Denied, lakemesh.Deleted:
		return status, true
	}
	return lakemesh.Active, false
}

// OwnersWord reports whether only its owner says what the record is on: its consumer has
// neither asked for it nor ever imported it. It can be something of another owner.
func (r *Record) OwnersWord() bool { return !r.joined && (r.Asked == nil || r.Unasked) }

// Uninvited reports whether nobody but its owner has said anything of the record: its
// consumer has neither asked for it nor imported it, and the mesh's administrator has not
// adopted it, who writes the words where an owner may not.
func (r *Record) Uninvited() bool {
	return r.OwnersWord() && (r.Unasked || !r.request || r.digest != r.Words.Digest())
}

// Believable reports whether what was decided is what the consumer asked for, in
// the words that it asked with; or what its owner made of grants that were there.
func (r *Record) Believable() bool {
	if r.Unasked && !r.request {
		return r.Fault == "" && r.Words.ID(r.Owner, r.Subscriber) == r.ID
	}
	return r.Fault == "" && r.request && (!r.decision || r.AdoptedFrom != "" || r.Status == lakemesh.Pending || r.digest == r.Words.Digest())
}

// readCopy reads an owner's copy of the words. The whole database is written as that.
func readCopy(i item) (w Words, fault string) {
	w = Words{Asked: count(i, attrAsked), Database: text(i, attrDatabase), By: text(i, attrCreatedBy), Note: text(i, attrNote),
		Whole: isTrue(i, attrWhole), Expressions: known(i, attrExpressions), Requested: permissions(known(i, attrRequested))}
	tables, ok := texts(i, attrTables)
	var ends, narrowed, grouped bool
	w.Group, grouped = readGroup(i)
	w.Until, ends = readUntil(i, attrAskedUntil)
	w.Scope, narrowed = readScope(i, attrAskedScope)
	switch {
	case !narrowed:
		return w, "the columns, rows or principals that it is for cannot be read"
	case !ends:
		return w, "when it shall end cannot be read"
	case !grouped:
		w.Database, w.Whole = "", false
		return w, "the domain or the data product that it is for cannot be read"
	case !w.Group.IsZero():
		return w, ""
	case w.Database == "" || !areNames([]string{w.Database}):
		w.Database = ""
		return w, "it names no database"
	case w.Whole == (len(tables) > 0) || !ok || !areNames(tables):
		w.Whole = false
		return w, "the tables that it names cannot be read"
	}
	w.Tables = tables
	return w, ""
}

// copyTo writes the words into a decision, with their digest as the consumer said
// them. What could not be read of a request that is being closed is left out.
func (r *Record) copyTo(u *update) {
	w := r.Words
	writeGroup(u, w.Group, w.Database)
	u.Set(attrRequested, list(w.Requested.Strings()))
	u.Set(attrCreatedBy, str(w.By))
	u.Set(attrCreated, str(stamp(r.Created)))
	u.Set(attrDigest, str(r.digest))
	if w.Asked > 0 {
		u.Set(attrAsked, number(w.Asked))
	}
	switch {
	case w.Whole:
		u.Set(attrWhole, truth(true))
	case len(w.Tables) > 0 && checkSize(w.Tables) == nil:
		u.Set(attrTables, names(w.Tables))
	}
	if len(w.Expressions) > 0 {
		u.Set(attrExpressions, list(w.Expressions))
	}
	if !w.Until.IsZero() {
		u.Set(attrAskedUntil, str(lakemesh.FormatTime(w.Until)))
	}
	if !w.Scope.IsZero() {
		u.Set(attrAskedScope, str(encodeScope(w.Scope)))
	}
	if w.Note != "" {
		u.Set(attrNote, str(w.Note))
	}
}

func readClaim(i item) *lakemesh.Claim {
	m, ok := i[attrClaim].(*types.AttributeValueMemberM)
	if !ok {
		return nil
	}
	until, ok := readUntil(m.Value, attrUntil)
	if !ok {
		until = time.Unix(0, 0).UTC()
	}
	scope, ok := readScope(m.Value, attrScope)
	if !ok {
		// What is being given is not known, so it can only be taken back.
		until = time.Unix(0, 0).UTC()
	}
	return &lakemesh.Claim{
		Until: until, Scope: scope,
		Action: lakemesh.Action(text(m.Value, "Action")), Holder: text(m.Value, "Holder"), By: text(m.Value, "By"), At: moment(text(m.Value, "At")),
		Databases: known(m.Value, "Databases"), Permissions: permissions(known(m.Value, "Permissions")), Grantable: permissions(known(m.Value, "Grantable")), Notes: text(m.Value, "Notes"),
	}
}

func encodeClaim(c lakemesh.Claim) types.AttributeValue {
	m := item{
		"Action": str(string(c.Action)), "Holder": str(c.Holder), "By": str(c.By), "At": str(stamp(c.At)),
		"Permissions": list(c.Permissions.Strings()), "Grantable": list(c.Grantable.Strings()), "Notes": str(c.Notes),
	}
	if !c.Until.IsZero() {
		m[attrUntil] = str(lakemesh.FormatTime(c.Until))
	}
	if len(c.Databases) > 0 {
		m["Databases"] = names(c.Databases)
	}
	if !c.Scope.IsZero() {
		m[attrScope] = str(encodeScope(c.Scope))
	}
	return &types.AttributeValueMemberM{Value: m}
}

// over reports whether an active subscription has ended: at the earlier of what was decided
// and what is being decided.
func (r *Record) over(now time.Time) bool {
	return r.Status == lakemesh.Active && (ended(r.Until, now) || r.Claim != nil && r.Claim.Action == lakemesh.ActionUpdate && ended(r.Claim.Until, now))
}

// EndedAt is when a subscription that is over has ended.
func (r *Record) EndedAt() time.Time {
	if r.Lapsed && (r.Until.IsZero() || r.Claim.Until.Before(r.Until)) {
		return r.Claim.Until
	}
	return r.Until
}

func ended(until, now time.Time) bool { return !until.IsZero() && !now.Before(until) }

// Digest stands for all that a decision on the record depends on: the words, what
// was decided before, and a decision that was left unfinished.
func (r *Record) Digest() []string {
	claim := "no claim"
	if c := r.Claim; c != nil {
		claim = fmt.Sprintf("%s %s %s %s %s", c.Action, c.Permissions, c.Grantable, lakemesh.FormatTime(c.Until), encodeScope(c.Scope))
	}
	return slices.Concat([]string{r.ID, string(r.Status), r.Words.Digest(), r.Fault, r.Permitted.String(), r.Grantable.String(), lakemesh.FormatTime(r.Until), encodeScope(r.Scope), claim}, r.Found)
}
