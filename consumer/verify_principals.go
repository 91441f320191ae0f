package consumer

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// clocksDiffer is how far the clock of IAM and that of who decided may be apart.
const clocksDiffer = time.Minute

// lookAtPrincipals looks at the roles and users that were granted access themselves. Lake
// Formation's grants go by the name
// (https://docs.aws.amazon.com/lake-formation/latest/dg/limitations.html), so who makes again
// what was deleted has the access.
func (s *inspected) lookAtPrincipals(ctx context.Context) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for _, r := range s.records {
		if r.Status != lakemesh.Active || r.Over || !s.in.about(r) || !r.Scope.Direct() {
			continue
		}
		for _, principal := range r.Scope.Principals {
			group.Go(func() error {
				made, why, err := s.made(within, principal)
				switch {
				case errors.Is(err, errUnseen):
					s.unsure("whether %s is there, and the one that was granted access, is not known: this account's role may not look at it", principal)
					return nil
				case err != nil:
					return err
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				if why != "" {
					s.findings = append(s.findings, ofPrincipal(r, principal, Finding{Kind: chain.Missing, What: why + ": what was granted to it reaches nobody, and whoever makes it has it",
						ByHand: "make it again, or ask the owner, account " + r.Owner + ", to end the subscription or to give it to another"}))
				} else if made.After(r.Updated.Add(clocksDiffer)) {
					s.findings = append(s.findings, ofPrincipal(r, principal, Finding{Kind: chain.Undecided, Command: "lakemesh subscription update " + r.ID + " --notes <why>",
						What: "it was made on " + lakemesh.FormatTime(made) + " (UTC), after its access was decided on: grants go by the name, so it has what another of that name was given"}))
				}
				return nil
			})
		}
	}
	return group.Wait()
}

// ofPrincipal completes a finding about who was granted access itself.
func ofPrincipal(r *tracker.Record, principal string, f Finding) Finding {
	f.Link, f.Account, f.Resource, f.Principal, f.Database, f.Tables = chain.Principal, r.Subscriber, "subscription "+r.ID, principal, strings.ToLower(r.Database), r.Tables
	f.Subscriptions, f.Repairs = []string{r.ID}, chain.Owner
	return f
}
