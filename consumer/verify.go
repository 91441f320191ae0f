package consumer

import (
	"context"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// VerifyInput narrows what is verified. What is empty narrows nothing.
type VerifyInput struct {
	// Database is a product's database in the mesh.
	Database string
	// SubscriptionID is one subscription.
	SubscriptionID string
}

// Verification is what was found.
type Verification = chain.Verification

// Finding is one thing that is not as it was decided.
type Finding = chain.Finding

const opVerify = "Verify"

// Verify walks the consumer's part of the chain from what was decided to what can be
// read: invitations to resource shares, whether what was granted can be seen, resource
// links, and what was handed on to principals of the account. It changes nothing.
//
// Whom access was handed on to is known by the history of the subscription. What a data
// lake administrator of the account hands on besides is the account's own affair, as far
// as subscriptions let the account hand it on. Grants on columns, on filters and by
// LF-tags are not looked at.
func (c *Consumer) Verify(ctx context.Context, in VerifyInput) (*Verification, error) {
	in.Database = strings.ToLower(strings.TrimSpace(in.Database))
	if in.SubscriptionID != "" {
		if _, err := c.subscription(ctx, opVerify, in.SubscriptionID); err != nil {
			return nil, err
		}
	}
	s, err := c.inspect(ctx, in)
	if err != nil {
		return nil, identity.Explain(opVerify, c.account, "the subscriptions of account "+c.account, err)
	}
	s.compareRecords()
	for _, r := range s.records {
		if s.imports(r) {
			s.imported(r, func() {
				for i, part := range s.partsOf(r) {
					s.compareImport(part, i > 0)
				}
			})
		}
	}
	s.compareGrants()
	s.compareLinks()
	s.compareInvitations()

	v := &Verification{Account: c.account, Party: chain.Consumer, Unverified: s.unverified, Grants: s.wanted}
	for _, r := range s.records {
		if r.Status == lakemesh.Active && in.about(r) {
			v.Subscriptions++
		}
	}
	for database, of := range s.seen {
		for table := range of.tables {
			if in.SubscriptionID == "" || slices.ContainsFunc(s.parts, func(r *tracker.Record) bool {
				return in.about(r) && (chain.On(r, database, table) || !r.Group.IsZero() && r.Database == database)
			}) {
				v.Tables++
			}
		}
	}
	v.Findings = slices.DeleteFunc(s.findings, func(f Finding) bool { return !in.concerns(f) })
	v.Sort()
	return v, nil
}

// about reports whether a subscription is asked about.
func (in VerifyInput) about(r *tracker.Record) bool {
	is := in.Database == "" || in.Database == strings.ToLower(r.Database) || r.Database == "" && isIn(r, in.Database)
	return is && (in.SubscriptionID == "" || in.SubscriptionID == r.ID)
}

// concerns reports whether a finding is about what is asked about.
func (in VerifyInput) concerns(f Finding) bool {
	return (in.Database == "" || in.Database == f.Database) && (in.SubscriptionID == "" || slices.Contains(f.Subscriptions, in.SubscriptionID))
}

// found adds a finding.
func (s *inspected) found(f Finding) {
	if f.Account == "" {
		f.Account = s.account
	}
	if f.Repairs == "" {
		f.Repairs = chain.Consumer
	}
	s.findings = append(s.findings, f)
}

// imports reports whether a subscription is one that the account should have imported by
// what is known of it.
func (s *inspected) imports(r *tracker.Record) bool {
	return r.Status == lakemesh.Active && !r.Leaving && r.Claim == nil && r.Believable() && (!r.Group.IsZero() || !r.TablesUnknown && r.Database != "") && s.in.about(r)
}

// partsOf are the parts of a subscription that are asked about.
func (s *inspected) partsOf(r *tracker.Record) []*tracker.Record {
	return slices.DeleteFunc(inDatabases(r), func(part *tracker.Record) bool { return !s.in.about(part) })
}

// imported compares a subscription by compare. Of one that was never imported all that an
// import makes is not there: that is no damage, and is said once.
func (s *inspected) imported(r *tracker.Record, compare func()) {
	before := len(s.findings)
	compare()
	if s.handed[r.ID].imported {
		return
	}
	first := slices.IndexFunc(s.findings[before:], byImport)
	if first < 0 {
		return
	}
	f := s.findings[before+first]
	f.Link, f.Resource, f.Principal, f.What = chain.HandedOn, "subscription "+r.ID, "", "it was not imported yet"
	s.findings = append(s.findings[:before], append(slices.DeleteFunc(s.findings[before:], byImport), f)...)
}

// byImport reports whether an import mends a finding.
func byImport(f Finding) bool { return f.Mends.By == chain.ByImporting }

// compareRecords looks at the records themselves.
func (s *inspected) compareRecords() {
	for _, r := range s.foreign {
		// One that the account has left, in words that can be believed, is its owner's to end.
		if r.Status == lakemesh.Active && (!r.Leaving || !r.Believable()) {
			what := "account " + r.Owner + " says that it took it over, and it is on what is not its own: it justifies nothing"
			if !r.Group.IsZero() {
				what = "account " + r.Owner + " says that tables of " + r.Group.String() + " are in database " + r.Database + ", which is not its own: it justifies nothing"
			}
			s.found(Finding{Kind: chain.Undecided, Link: chain.Record, Account: s.meshAccount, Resource: "subscription " + r.ID, Principal: r.Subscriber, Database: strings.ToLower(r.Database), Subscriptions: []string{r.ID},
				Repairs: chain.Owner, What: what})
		}
	}
	for _, r := range s.records {
		f := Finding{Kind: chain.Missing, Link: chain.Record, Account: s.meshAccount, Resource: "subscription " + r.ID, Principal: r.Subscriber, Database: strings.ToLower(r.Database), Subscriptions: []string{r.ID}}
		switch {
		case r.Status != lakemesh.Active && r.Claim == nil:
		case !r.Believable():
			f.Kind, f.What, f.Command = chain.Undecided, r.Tampered, leaves(r)
			s.found(f)
		case r.TablesUnknown && r.Group.IsZero():
			f.What, f.Repairs = "its tables cannot be read", chain.Owner
			s.found(f)
		case r.Claim != nil:
			f.What = "a decision (" + string(r.Claim.Action) + ") of its owner, account " + r.Owner + ", is under way, or was left unfinished"
			f.Repairs, f.Command = chain.Owner, "lakemesh subscription abort "+r.ID
			s.found(f)
		}
	}
}

func leaves(r *tracker.Record) string { return "lakemesh subscription delete --as consumer " + r.ID }

// importing is how a subscription is imported again, so that the same principals have
// what they had.
func (s *inspected) importing(r *tracker.Record) string {
	command := "lakemesh subscription import " + r.ID
	if name := s.linkTo(r); r.Group.IsZero() && name != strings.ToLower(r.Database) && s.linksAtHome(&r.Subscription) {
		command += " --link-database-name " + name
	}
	handed := s.handed[r.ID]
	if !handed.imported {
		return command
	}
	if len(handed.principals) == 0 {
		return command + " --principals none"
	}
	if !slices.Equal(handed.principals, []string{s.partition.RoleARN(s.account, lakemesh.ConsumerRole)}) {
		command += " --principals " + strings.Join(handed.principals, ",")
	}
	return command
}
