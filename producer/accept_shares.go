package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/internal/sharing"
)

// sharePatience is how long Lake Formation may take to say which shares carry a
// grant.
const sharePatience = 30 * time.Second

// acceptShares accepts the shares that carry what the mesh grants the producer on
// the published tables, and waits until they are in effect. Nothing that anybody
// else offers is accepted.
func (s *surveyed) acceptShares(ctx context.Context) error {
	on := []permissions.Resource{permissions.Database(s.meshAccount, s.target)}
	for _, name := range s.shared() {
		on = append(on, s.meshTable(name))
	}
	if len(on) == 1 {
		// Nothing was published.
		return nil
	}
	owner := sharing.Owner{Client: s.mesh.ram, Account: s.meshAccount}
	receiver := sharing.Receiver{Client: s.own.ram, Account: s.account}
	var shares []string
	seen := false
	what := fmt.Sprintf("Lake Formation to tell which resource shares carry the grants on database %s to account %s", s.target, s.account)
	err := poll.Until(ctx, sharePatience, what, func(ctx context.Context) (bool, error) {
		granted, err := s.mesh.lake.Observe(ctx, on...)
		if err != nil {
			return false, err
		}
		shares = granted.Shares(s.account)
		if !slices.ContainsFunc(on, func(r permissions.Resource) bool { return len(granted.Shares(s.account, r)) == 0 }) {
			return true, nil
		}
		// It may never say so. Grants are what counts, and shares are how they arrive: what
		// can be seen has arrived.
		if len(shares) == 0 {
			if _, err := receiver.AcceptOf(ctx, s.meshAccount); err != nil {
				return false, err
			}
		}
		seen, err = s.sees(ctx)
		return seen, err
	})
	if seen && err == nil {
		return nil
	}
	if timeout, ok := errors.AsType[*poll.TimeoutError](err); ok && ctx.Err() == nil {
		// The shares that it names are accepted.
		s.log.WarnContext(ctx, timeout.Error())
	} else if err != nil {
		return err
	}
	if len(shares) == 0 {
		s.refuse("shares", fmt.Sprintf("account %s does not see database %s of the mesh yet, and Lake Formation does not say which resource share carries it: run the same command again", s.account, s.target))
		return nil
	}
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return owner.Check(gctx, s.account, shares, s.sharedARNs(on)...) })
	group.Go(func() error {
		_, err := receiver.AcceptPending(gctx, s.meshAccount, shares)
		if errors.Is(err, lakemesh.ErrAccessDenied) {
			// An invitation that was refused matters only if nothing arrives.
			return nil
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return receiver.AcceptAll(ctx, s.meshAccount, shares, s.sees)
}

// shared are the tables that are in the mesh and were granted to the producer.
func (s *surveyed) shared() []string {
	s.marks.Lock()
	defer s.marks.Unlock()
	var names []string
	for _, t := range s.tables {
		if t.there() && !t.ungranted {
			names = append(names, t.name)
		}
	}
	return names
}

// sees reports whether the producer's own account sees the published tables in the
// mesh.
func (s *surveyed) sees(ctx context.Context) (bool, error) {
	shared := catalog.New(s.own.catalog.Client, s.meshAccount, s.region, s.concurrency())
	// What is not shared is refused, by Lake Formation or by IAM.
	hidden := func(err error) bool { return awserr.NotFound(err) || awserr.Denied(err) }
	if _, ok, err := shared.Database(ctx, s.target); err != nil || !ok {
		if hidden(err) {
			err = nil
		}
		return false, err
	}
	names := s.shared()
	unseen := make(map[string]bool, len(names))
	for _, name := range names {
		unseen[name] = true
	}
	err := eachTable(ctx, shared, s.target, func(name string) bool { return unseen[name] }, names, func(name string, _ *types.Table) { delete(unseen, name) })
	if hidden(err) {
		return false, nil
	}
	return len(unseen) == 0, err
}

// sharedARNs are the ARNs under which shares carry resources.
func (p *Producer) sharedARNs(resources []permissions.Resource) []string {
	arns := make([]string, len(resources))
	for i, r := range resources {
		arns[i] = p.sharedARN(r)
	}
	return arns
}

// unshared are the wanted grants to the producer that there are, and that no share
// carries: the catalog's policy did not let RAM share when they were made. Granting
// once more shares them again.
func (s *surveyed) unshared(want []permissions.Entry) []permissions.Entry {
	if len(s.blocked) == 0 {
		return nil
	}
	missing := permissions.NewGrants(permissions.Missing(s.granted, want)...)
	return slices.DeleteFunc(slices.Clone(want), func(e permissions.Entry) bool {
		_, blocked := s.blocked[s.sharedARN(e.Resource)]
		return e.Principal != s.account || !blocked || len(missing.Of(e.Principal, e.Resource).Permissions) > 0
	})
}
