package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

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
func (pub *publication) acceptShares(ctx context.Context) error {
	on := []permissions.Resource{permissions.Database(pub.meshAccount, pub.target)}
	for _, t := range pub.tables {
		on = append(on, pub.meshTable(t.name))
	}
	var shares []string
	what := fmt.Sprintf("Lake Formation to tell which resource shares carry the grants on database %s to account %s", pub.target, pub.account)
	err := poll.Until(ctx, sharePatience, what, func(ctx context.Context) (bool, error) {
		granted, err := pub.mesh.lake.Observe(ctx, on...)
		if err != nil {
			return false, err
		}
		shares = granted.Shares(pub.account)
		carried := !slices.ContainsFunc(on, func(r permissions.Resource) bool { return len(granted.Shares(pub.account, r)) == 0 })
		return carried, nil
	})
	if timeout, ok := errors.AsType[*poll.TimeoutError](err); ok && ctx.Err() == nil {
		// Lake Formation may never say so; the shares that it names are accepted.
		pub.log.WarnContext(ctx, timeout.Error())
	} else if err != nil {
		return err
	}
	if len(shares) == 0 {
		return nil
	}
	owner := sharing.Owner{Client: pub.mesh.ram, Account: pub.meshAccount}
	receiver := sharing.Receiver{Client: pub.own.ram, Account: pub.account}
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return owner.Check(gctx, pub.account, shares, pub.sharedARNs(on)...) })
	group.Go(func() error {
		_, err := receiver.AcceptPending(gctx, pub.meshAccount, shares)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return receiver.AcceptAll(ctx, pub.meshAccount, shares)
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
func (pub *publication) unshared(want []permissions.Entry) []permissions.Entry {
	if len(pub.blocked) == 0 {
		return nil
	}
	missing := permissions.NewGrants(permissions.Missing(pub.granted, want)...)
	return slices.DeleteFunc(slices.Clone(want), func(e permissions.Entry) bool {
		_, blocked := pub.blocked[pub.sharedARN(e.Resource)]
		return e.Principal != pub.account || !blocked || len(missing.Of(e.Principal, e.Resource).Permissions) > 0
	})
}
