package ram

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// The quotas of RAM, for an account and Region
// (https://docs.aws.amazon.com/general/latest/gr/ram.html).
const (
	sharesQuota     = "resource shares"
	resourcesQuota  = "resource associations"
	principalsQuota = "principal associations"
	carriedQuota    = "resources of a share"
	sharedQuota     = "principals of a share"
	pendingQuota    = "pending invitations"
)

func usualQuotas() map[string]int {
	return map[string]int{
		sharesQuota: 25_000, resourcesQuota: 25_000, principalsQuota: 25_000, carriedQuota: 5_000, sharedQuota: 5_000, pendingQuota: 250,
	}
}

// Quotas are the names of RAM's quotas.
func Quotas() []string {
	return []string{sharesQuota, resourcesQuota, principalsQuota, carriedQuota, sharedQuota, pendingQuota}
}

func quota(c *engine.Call, owner, name string) (int, error) {
	a, _, err := state.Accounts.Get(c.Tx, owner)
	if n, ok := a.Quotas[name]; ok {
		return n, err
	}
	return usualQuotas()[name], err
}

// within refuses what would be one too many of something that there are n of.
func within(c *engine.Call, owner, name string, n int) error {
	most, err := quota(c, owner, name)
	if err == nil && n >= most {
		err = engine.Errorf("ResourceShareLimitExceededException", "The account %s has reached its quota of %d %s.", owner, most, name)
	}
	return err
}

// IsFull reports whether a share can carry no further resource.
func IsFull(c *engine.Call, s state.Share) (bool, error) {
	n, err := state.CountOf(c.Tx, s.Owner, s.Region, s.ID)
	if err != nil {
		return false, err
	}
	most, err := quota(c, s.Owner, carriedQuota)
	return n.Resources >= most, err
}

// roomForResource refuses one resource too many.
func roomForResource(c *engine.Call, s state.Share) error {
	own, err := state.CountOf(c.Tx, s.Owner, s.Region, s.ID)
	if err != nil {
		return err
	}
	if err := within(c, s.Owner, carriedQuota, own.Resources); err != nil {
		return err
	}
	all, err := state.CountOf(c.Tx, s.Owner, s.Region, "")
	if err != nil {
		return err
	}
	return within(c, s.Owner, resourcesQuota, all.Resources)
}

// roomForPrincipal refuses one principal too many, and one invitation too many to wait
// for its answer: those of the sender count, outside of its organization.
func roomForPrincipal(c *engine.Call, s state.Share, invited bool) error {
	own, err := state.CountOf(c.Tx, s.Owner, s.Region, s.ID)
	if err != nil {
		return err
	}
	if err := within(c, s.Owner, sharedQuota, own.Principals); err != nil {
		return err
	}
	all, err := state.CountOf(c.Tx, s.Owner, s.Region, "")
	if err != nil {
		return err
	}
	if err := within(c, s.Owner, principalsQuota, all.Principals); err != nil || !invited {
		return err
	}
	waiting := 0
	err = state.Invitations.Scan(c.Tx, nil, "", func(_ string, i state.Invitation) bool {
		if i.ShareOwner == s.Owner && i.Region == s.Region && status(c, i) == state.InvitationPending {
			waiting++
		}
		return true
	})
	if err != nil {
		return err
	}
	return within(c, s.Owner, pendingQuota, waiting)
}

// roomForShare refuses one share too many. Deleted ones do not count.
func roomForShare(c *engine.Call, s state.Share) error {
	n := 0
	err := state.Shares.Scan(c.Tx, []string{s.Owner, c.Region}, "", func(_ string, s state.Share) bool {
		if s.Status == state.ShareActive {
			n++
		}
		return true
	})
	if err != nil {
		return err
	}
	return within(c, s.Owner, sharesQuota, n)
}
