package lakemesh

import (
	"encoding/json"
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
	// Database is the product's database in the mesh.
	Database string
	// Tables are the tables asked for, resolved; empty means the whole database.
	Tables []string
	// Expressions are the table expressions as they were asked for, if any.
	Expressions []string
	// Requested, Permitted and Grantable are the permissions that were asked for,
	// that were granted, and that the consumer may grant on in its account.
	Requested, Permitted, Grantable Permissions
	// TableARNs are the ARNs of the tables that were granted.
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
	// Leaving tells that the consumer has left, and that the producer's side has
	// yet to end the account-level grant.
	Leaving bool
	// Claim is the decision under way, or nil.
	Claim *Claim
	// Tampered says what is wrong with a record whose status is not borne out by
	// a decision; empty for a good record.
	Tampered string
	// History is what happened, oldest first. Only operations that say so read it.
	History []Event
}

// WholeDatabase tells whether the subscription covers every table of its database.
func (s *Subscription) WholeDatabase() bool { return len(s.Tables) == 0 }

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
	// Holder is the running program that holds the claim.
	Holder string `json:"Holder"`
	// By is the identity that decided, At when, Until how long nobody else may
	// carry the decision on.
	By    string    `json:"By"`
	At    time.Time `json:"At"`
	Until time.Time `json:"Until"`
	// Database and Tables are what is being decided on; no tables stand for the
	// whole database.
	Database string   `json:"Database,omitempty"`
	Tables   []string `json:"Tables,omitempty"`
	// Permissions and Grantable are what is being granted.
	Permissions Permissions `json:"Permissions,omitempty"`
	Grantable   Permissions `json:"Grantable,omitempty"`
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
}

// MarshalJSON writes the subscription with the attribute names of its record.
func (s Subscription) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		SubscriptionID      string              `json:"SubscriptionId"`
		OwnerPrincipal      string              `json:"OwnerPrincipal"`
		SubscriberPrincipal string              `json:"SubscriberPrincipal"`
		Status              Status              `json:"Status"`
		DatabaseName        string              `json:"DatabaseName"`
		TableName           []string            `json:"TableName,omitempty"`
		RequestedTables     []string            `json:"RequestedExpressions,omitempty"`
		RequestedGrants     []string            `json:"RequestedGrants"`
		PermittedGrants     []string            `json:"PermittedGrants,omitempty"`
		GrantableGrants     []string            `json:"GrantableGrants,omitempty"`
		GrantedTableARNs    []string            `json:"GrantedTableARNs,omitempty"`
		RAMShares           map[string]RAMShare `json:"RamShares,omitempty"`
		Notes               []string            `json:"Notes,omitempty"`
		CreationDate        string              `json:"CreationDate"`
		CreatedBy           string              `json:"CreatedBy"`
		UpdatedDate         string              `json:"UpdatedDate,omitempty"`
		UpdatedBy           string              `json:"UpdatedBy,omitempty"`
		ImportedToConsumer  bool                `json:"ImportedToConsumer"`
		Leaving             bool                `json:"Leaving,omitempty"`
		Claim               *Claim              `json:"Claim,omitempty"`
		Tampered            string              `json:"Tampered,omitempty"`
		History             []Event             `json:"History,omitempty"`
	}{
		s.ID, s.Owner, s.Subscriber, s.Status, s.Database, s.Tables, s.Expressions, s.Requested.Strings(),
		s.Permitted.Strings(), s.Grantable.Strings(), s.TableARNs, s.RAMShares, s.Notes, FormatTime(s.Created), s.CreatedBy,
		FormatTime(s.Updated), s.UpdatedBy, s.Imported, s.Leaving, s.Claim, s.Tampered, s.History,
	})
}

// FormatTime writes a time in the form of records; the zero time is empty.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}
