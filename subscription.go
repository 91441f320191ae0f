package lakemesh

import (
	"encoding/json"
	"fmt"
	"time"
)

// TimeFormat is how times are written in records: UTC, to the second.
const TimeFormat = "2006-01-02 15:04:05"

// Subscription is the central record that links a data product to a consumer.
type Subscription struct {
	// ID identifies the subscription; see [NewSubscriptionID].
	ID string
	// Owner is the producer's account, Subscriber the consumer's.
	Owner, Subscriber string
	// Status is the state that counts. Where a record says something that its
	// decision does not bear out, Tampered is set.
	Status Status
	// Database is the product's database in the mesh; empty for a subscription to a group.
	Database string
	// Group is the domain or the data product that the subscription is on, instead of a
	// database and its tables.
	Group Group
	// Tables are the tables asked for, resolved; empty means the whole database,
	// unless TablesUnknown is set.
	Tables []string
	// TablesUnknown tells that the tables cannot be read, or are too many to be listed, or
	// are those of a group: Tables is empty, and that does not stand for the whole database.
	TablesUnknown bool
	// Expressions are the table expressions as they were asked for, if any.
	Expressions []string
	// Requested, Permitted and Grantable are the permissions that were asked for,
	// that were granted, and that the consumer may grant on in its account.
	Requested, Permitted, Grantable Permissions
	// RequestedUntil is until when access was asked for, Until until when it was given:
	// the moment from which on the subscription justifies nothing any more. The zero time
	// is no end.
	RequestedUntil, Until time.Time
	// RequestedScope is what it was asked to be narrowed to, Scope what was given.
	RequestedScope, Scope Scope
	// Over tells that it is active and that its end had passed when it was read. What was
	// granted by it is taken away by whoever carries out ends; see
	// producer.ExpireSubscriptions.
	Over bool
	// TableARNs are the ARNs of the tables that were granted; of a group, the ARNs of the
	// databases in which its tables were.
	TableARNs []string
	// RAMShares are the RAM shares that carry the grants: object to share.
	RAMShares map[string]RAMShare
	// Notes are the notes of everybody who acted.
	Notes []string
	// Created and Updated are when, CreatedBy and UpdatedBy by whom.
	Created, Updated     time.Time
	CreatedBy, UpdatedBy string
	// Imported tells that the consumer has finalized the subscription since the
	// last change of its permissions.
	Imported bool
	// LinkRegions are the regions in which the consumer asked for resource links, where
	// that is not the mesh's region alone; links may be in all of them.
	LinkRegions []string
	// Leaving tells that the consumer has left, and that the producer's side has
	// yet to end the account-level grant.
	Leaving bool
	// Claim is the decision under way, or nil.
	Claim *Claim
	// Tampered says what is wrong with a record: a request that was changed after it
	// was made, or that says something else than what was decided on. What was decided
	// stands all the same. It is empty for a good record.
	Tampered string
	// History is what happened, oldest first. Only operations that say so read it.
	History []Event
	// HistoryFault is the first entry of the history that does not hold, where the
	// history was read; nil tells that it is whole.
	HistoryFault *HistoryFault
}

// WholeDatabase reports whether the subscription covers every table of its database.
func (s *Subscription) WholeDatabase() bool { return len(s.Tables) == 0 && !s.TablesUnknown }

// HistoryFault tells where a history was changed afterwards. The history is two chains,
// one a side; each entry carries the hashes of the one before it and of the newest that
// its side had seen of the other. So a side cannot change what the other has seen
// without its showing.
type HistoryFault struct {
	// Side is whose chain does not hold: "owner" or "consumer".
	Side string `json:"Side"`
	// Entry is the number of the first entry that does not hold, from 1.
	Entry int `json:"Entry"`
	// Message says what is wrong with it.
	Message string `json:"Message"`
}

// String says all of it.
func (f HistoryFault) String() string {
	return fmt.Sprintf("entry %d of the %s's history does not hold: %s", f.Entry, f.Side, f.Message)
}

// RAMShare is a RAM share as records keep it.
type RAMShare struct {
	// Type is the kind of the shared object: "DATABASE", "TABLE" or "ALL_TABLES".
	Type string `json:"type"`
	// ARN is the share's ARN.
	ARN string `json:"arn"`
}

// Claim is a decision that was claimed and is not yet recorded.
type Claim struct {
	// Action is what is being done.
	Action Action `json:"Action"`
	// Holder is the one run of the decision that holds the claim.
	Holder string `json:"Holder"`
	// By is the identity that decided, At when.
	By string    `json:"By"`
	At time.Time `json:"At"`
	// Permissions and Grantable are what is being granted.
	Permissions Permissions `json:"Permissions,omitempty"`
	Grantable   Permissions `json:"Grantable,omitempty"`
	// Until is when it is to end; the zero time is never.
	Until time.Time `json:"Until,omitzero"`
	// Scope is what it is narrowed to.
	Scope Scope `json:"Scope,omitzero"`
	// Databases are those that the tables of a group were in.
	Databases []string `json:"Databases,omitempty"`
	// Notes is the reason that was given.
	Notes string `json:"Notes,omitempty"`
}

// Event is an entry of a subscription's history.
type Event struct {
	// At is when, By who, Action what.
	At     time.Time `json:"At"`
	By     string    `json:"By"`
	Action Action    `json:"Action"`
	// From and To are the states before and after.
	From Status `json:"From,omitempty"`
	To   Status `json:"To"`
	// Reason is the note or reason that was given.
	Reason string `json:"Reason,omitempty"`
	// Permissions, Grantable and Tables are what held after the action.
	Permissions Permissions `json:"Permissions,omitempty"`
	Grantable   Permissions `json:"Grantable,omitempty"`
	Tables      []string    `json:"Tables,omitempty"`
	// Until is when it ends after the action; the zero time is never.
	Until time.Time `json:"Until,omitzero"`
	// Scope is what it was narrowed to after the action.
	Scope Scope `json:"Scope,omitzero"`
}

// MarshalJSON writes the subscription with the attribute names of its record.
func (s Subscription) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		SubscriptionID      string              `json:"SubscriptionId"`
		OwnerPrincipal      string              `json:"OwnerPrincipal"`
		SubscriberPrincipal string              `json:"SubscriberPrincipal"`
		Status              Status              `json:"Status"`
		DatabaseName        string              `json:"DatabaseName"`
		Group               Group               `json:"Group,omitzero"`
		TableName           []string            `json:"TableName,omitempty"`
		TablesUnknown       bool                `json:"TablesUnknown,omitempty"`
		RequestedTables     []string            `json:"RequestedExpressions,omitempty"`
		RequestedGrants     []string            `json:"RequestedGrants"`
		PermittedGrants     []string            `json:"PermittedGrants,omitempty"`
		GrantableGrants     []string            `json:"GrantableGrants,omitempty"`
		RequestedUntil      string              `json:"RequestedUntil,omitempty"`
		Until               string              `json:"Until,omitempty"`
		Over                bool                `json:"Over,omitempty"`
		RequestedScope      Scope               `json:"RequestedScope,omitzero"`
		Scope               Scope               `json:"Scope,omitzero"`
		GrantedTableARNs    []string            `json:"GrantedTableARNs,omitempty"`
		RAMShares           map[string]RAMShare `json:"RamShares,omitempty"`
		Notes               []string            `json:"Notes,omitempty"`
		CreationDate        string              `json:"CreationDate"`
		CreatedBy           string              `json:"CreatedBy"`
		UpdatedDate         string              `json:"UpdatedDate,omitempty"`
		UpdatedBy           string              `json:"UpdatedBy,omitempty"`
		ImportedToConsumer  bool                `json:"ImportedToConsumer"`
		LinkRegions         []string            `json:"LinkRegions,omitempty"`
		Leaving             bool                `json:"Leaving,omitempty"`
		Claim               *Claim              `json:"Claim,omitempty"`
		Tampered            string              `json:"Tampered,omitempty"`
		History             []Event             `json:"History,omitempty"`
		HistoryFault        *HistoryFault       `json:"HistoryFault,omitempty"`
	}{
		s.ID, s.Owner, s.Subscriber, s.Status, s.Database, s.Group, s.Tables, s.TablesUnknown, s.Expressions, s.Requested.Strings(),
		s.Permitted.Strings(), s.Grantable.Strings(), FormatTime(s.RequestedUntil), FormatTime(s.Until), s.Over, s.RequestedScope, s.Scope, s.TableARNs, s.RAMShares, s.Notes, FormatTime(s.Created), s.CreatedBy,
		FormatTime(s.Updated), s.UpdatedBy, s.Imported, s.LinkRegions, s.Leaving, s.Claim, s.Tampered, s.History, s.HistoryFault,
	})
}

// FormatTime writes a time in the form of records; the zero time is empty.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}
