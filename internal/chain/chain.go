// Package chain has the words in which a verification tells what it found: the links of
// the chain between a decision and a reader, and what is wrong with each.
package chain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
)

// Kind is what is wrong.
type Kind string

// The kinds of what is wrong.
const (
	// Missing is what a decision says and is not there.
	Missing Kind = "missing"
	// TooMuch is what lakemesh made and no decision says any more.
	TooMuch Kind = "too much"
	// Undecided is what is there by other means, and nobody decided.
	Undecided Kind = "undecided"
)

// Link is a link of the chain.
type Link string

// The links of the chain, in its order.
const (
	// Setup is the mesh account itself, and its members.
	Setup Link = "setup"
	// Principal is whom an explanation is about.
	Principal Link = "principal"
	Record    Link = "record"
	Filter    Link = "filter"
	Grant     Link = "grant"
	// OptedIn is the opt-in without which a grant counts for nothing in hybrid access mode.
	OptedIn Link = "opted in"
	// Schedule is the schedule that ends a grant.
	Schedule     Link = "schedule"
	Tag          Link = "LF-tag"
	Share        Link = "share"
	Invitation   Link = "invitation"
	ResourceLink Link = "resource link"
	HandedOn     Link = "handed on"
	Location     Link = "location"
	BucketPolicy Link = "bucket policy"
	KeyPolicy    Link = "key policy"
	Metadata     Link = "metadata"
	Partitions   Link = "partitions"
)

var order = []Link{Setup, Principal, Record, Filter, Grant, OptedIn, Schedule, Tag, Share, Invitation, ResourceLink, HandedOn, Location, BucketPolicy, KeyPolicy, Metadata, Partitions}

// Party is who can repair something.
type Party string

// The parties.
const (
	Owner         Party = "owner"
	Consumer      Party = "consumer"
	Administrator Party = "administrator"
)

// Finding is one thing that is not as it was decided.
type Finding struct {
	Kind Kind `json:"Kind"`
	Link Link `json:"Link"`
	// Account is where it is, Resource what it is about, Principal whom; the last may be
	// empty.
	Account   string `json:"Account"`
	Resource  string `json:"Resource"`
	Principal string `json:"Principal,omitempty"`
	// What says it in words.
	What string `json:"What"`
	// Database and Tables are what of the mesh it is about, as far as that is known.
	Database string   `json:"Database,omitempty"`
	Tables   []string `json:"Tables,omitempty"`
	// Subscriptions are those by which it should be there, or was made.
	Subscriptions []string `json:"Subscriptions"`
	// Repairs is who can repair it, Command how; empty if no command of lakemesh does.
	Repairs Party  `json:"Repairs"`
	Command string `json:"Command,omitempty"`
	// ByHand is what to do where no command does.
	ByHand string `json:"ByHand,omitempty"`
	// Mends is the operation of the library that does it.
	Mends Mends `json:"-"`
}

// Mends is an operation that mends something.
type Mends struct {
	By Operation
	// Subscription is the one that is updated, imported or left.
	Subscription string
	// Schedule is the one that is removed.
	Schedule string
	// Filter is the one that is dropped.
	Filter access.Object
}

// Operation is what mends.
type Operation string

// The operations that mend.
const (
	ByPublishing Operation = "publishing again"
	BySyncing    Operation = "bringing up to date"
	ByUpdating   Operation = "updating to what was decided"
	ByExpiring   Operation = "ending what is over"
	ByImporting  Operation = "importing again"
	ByLeaving    Operation = "leaving again"
	ByTidying    Operation = "removing dead links"
	ByUpgrading  Operation = "bringing the mesh up to date"
	ByOptingIn   Operation = "opting in"
	ByDropping   Operation = "dropping a filter that nobody uses"
	// ByRemoving removes a schedule that ends nothing which was decided, ByClearing what
	// could not be ended and is by now.
	ByRemoving Operation = "removing a schedule"
	ByClearing Operation = "clearing dead letters"
)

// With is the finding with how it is mended.
func (f Finding) With(command string, mends Mends) Finding {
	f.Command, f.Mends = command, mends
	return f
}

// NoConsumer is the error of a question about an account that has nothing to do with the
// mesh as a consumer.
func NoConsumer(mesh, account string) error {
	return &lakemesh.Error{Account: mesh, Resource: "account " + account, Kind: lakemesh.ErrNotFound,
		Message: "it is no consumer of the mesh, and holds nothing in it", Hint: "check the number"}
}

// Verification is what a verification found.
type Verification struct {
	// Account is whose chain was walked, as Party.
	Account string `json:"Account"`
	Party   Party  `json:"Party"`
	// Subscriptions, Grants and Tables count what was looked at.
	Subscriptions int `json:"Subscriptions"`
	Grants        int `json:"Grants"`
	Tables        int `json:"Tables"`
	// Findings are in the order of the chain; empty, not nil, if all of it holds.
	Findings []Finding `json:"Findings"`
	// Unverified is what could not be looked at, or not be told, and why.
	Unverified []string `json:"Unverified"`
}

// Holds reports whether nothing is wrong with all that could be looked at.
func (v *Verification) Holds() bool { return len(v.Findings) == 0 }

// Sort brings the findings into their order, and takes out what is said twice.
func (v *Verification) Sort() {
	for i := range v.Findings {
		f := &v.Findings[i]
		f.Subscriptions = sorted(f.Subscriptions)
		f.Tables = sorted(f.Tables)
		*f = f.advised()
	}
	slices.SortFunc(v.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Link), slices.Index(order, b.Link)), strings.Compare(a.Resource, b.Resource),
			strings.Compare(a.Principal, b.Principal), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.What, b.What))
	})
	v.Findings = slices.CompactFunc(v.Findings, func(a, b Finding) bool {
		return a.Link == b.Link && a.Resource == b.Resource && a.Principal == b.Principal && a.Kind == b.Kind && a.What == b.What
	})
	if v.Findings == nil {
		v.Findings = []Finding{}
	}
	v.Unverified = sorted(v.Unverified)
}

// sorted are the texts in order, each once; not nil.
func sorted(texts []string) []string {
	return append([]string{}, slices.Compact(slices.Sorted(slices.Values(texts)))...)
}
