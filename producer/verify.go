package producer

import (
	"context"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// VerifyInput narrows what is verified. What is empty narrows nothing.
type VerifyInput struct {
	// Database is a product's database in the mesh.
	Database string
	// Consumer is an account.
	Consumer string
	// SubscriptionID is one subscription.
	SubscriptionID string
}

// Verification is what was found.
type Verification = chain.Verification

// Finding is one thing that is not as it was decided.
type Finding = chain.Finding

const opVerify = "Verify"

// Verify walks the chain from what was decided to what can be read, as the owner of
// products: records, grants, the shares that carry them, registered locations and their
// roles, bucket policies, and metadata and partitions, compared with their source. It
// changes nothing.
//
// Grants of others that were found when a subscription was decided on, and stand in its
// record, are as they should be. What of the mesh Lake Formation does not show to the
// producer cannot be found to be too much.
func (p *Producer) Verify(ctx context.Context, in VerifyInput) (*Verification, error) {
	if err := p.checkVerify(&in); err != nil {
		return nil, identity.Explain(opVerify, p.meshAccount, "", err)
	}
	s, err := p.inspect(ctx, in)
	if err != nil {
		return nil, identity.Explain(opVerify, p.meshAccount, "the products of account "+p.account, err)
	}
	s.compareRecords()
	s.compareGrants()
	s.compareMetadata()
	s.compareEnds()
	s.goneTables()
	s.compareShares()
	s.compareHybrid()
	s.compareOpenings()
	s.compareCopies()

	v := &Verification{Account: p.account, Party: chain.Owner, Unverified: s.unverified}
	about := map[string]bool{}
	for _, r := range s.records {
		if in.about(r) {
			v.Subscriptions++
			about[r.ID] = true
		}
	}
	for _, database := range s.databases {
		if in.Database == "" || in.Database == database {
			for table := range s.tables[database] {
				if in.Consumer == "" && in.SubscriptionID == "" || slices.ContainsFunc(s.records, func(r *tracker.Record) bool { return in.about(r) && s.on(r, database, table) }) {
					v.Tables++
				}
			}
		}
	}
	for _, reasons := range s.wanted.Why {
		if slices.ContainsFunc(reasons, func(r access.Reason) bool { return about[r.ID] }) {
			v.Grants++
		}
	}
	v.Findings = slices.DeleteFunc(s.findings, func(f Finding) bool { return !s.concerns(in, f) })
	v.Sort()
	return v, nil
}

// checkVerify checks the input, and brings names into the form in which they are kept.
func (p *Producer) checkVerify(in *VerifyInput) error {
	in.Database = strings.ToLower(strings.TrimSpace(in.Database))
	if in.Consumer != "" {
		if err := lakemesh.CheckAccountID("Consumer", in.Consumer); err != nil {
			return err
		}
	}
	if in.SubscriptionID == "" {
		return nil
	}
	owner, _, legacy, err := lakemesh.ParseSubscriptionID(in.SubscriptionID)
	if err != nil {
		return err
	}
	if !legacy && owner != p.account {
		return p.foreign(opVerify, in.SubscriptionID, owner)
	}
	return nil
}

// on reports whether a subscription is about a table, by its name or by its LF-tags.
func (s *inspected) on(r *tracker.Record, database, table string) bool {
	if !r.Group.IsZero() {
		return chain.TagsOf(r).Match(s.tables[database][table].tags)
	}
	return chain.On(r, database, table)
}

// about reports whether a subscription is asked about.
func (in VerifyInput) about(r *tracker.Record) bool {
	return (in.Database == "" || in.Database == strings.ToLower(r.Database)) && (in.Consumer == "" || in.Consumer == r.Subscriber) &&
		(in.SubscriptionID == "" || in.SubscriptionID == r.ID)
}

// concerns reports whether a finding is about what is asked about.
func (s *inspected) concerns(in VerifyInput, f Finding) bool {
	if in == (VerifyInput{}) {
		return true
	}
	for _, r := range s.records {
		if in.about(r) && (slices.Contains(f.Subscriptions, r.ID) || r.Status == lakemesh.Active && chain.Blocks(f, r)) {
			return true
		}
	}
	if in.SubscriptionID != "" || len(f.Subscriptions) > 0 {
		return false
	}
	return (in.Database == "" || in.Database == f.Database) && (in.Consumer == "" || strings.Contains(f.Principal, in.Consumer))
}

// found adds a finding.
func (s *inspected) found(f Finding) {
	if f.Account == "" {
		f.Account = s.meshAccount
	}
	if f.Repairs == "" {
		f.Repairs = chain.Owner
	}
	s.findings = append(s.findings, f)
}

// mends is how an owner has a subscription be again as it was decided.
func (s *inspected) mends(ids ...string) (command string, _ chain.Mends) {
	for _, r := range s.records {
		if !slices.Contains(ids, r.ID) || r.Status != lakemesh.Active || r.Claim != nil || r.Leaving {
			continue
		}
		return chain.Updating(r)
	}
	return "", chain.Mends{}
}

// compareRecords looks at the records themselves.
func (s *inspected) compareRecords() {
	for _, f := range chain.Records(s.records) {
		s.found(f)
	}
}
