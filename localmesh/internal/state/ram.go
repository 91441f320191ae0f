package state

import (
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Buckets of RAM.
var (
	Shares          = store.Table[Share]{Bucket: "ram.share"}           // owner, region, id
	ShareResources  = store.Table[Association]{Bucket: "ram.resource"}  // owner, region, id, ARN
	SharePrincipals = store.Table[Association]{Bucket: "ram.principal"} // owner, region, id, principal
	shareRecipients = store.Table[string]{Bucket: "ram.recipient"}      // principal's account, region, id, principal: owner
	resourceShares  = store.Table[struct{}]{Bucket: "ram.shared"}       // owner, region, ARN, id
	shareCounts     = store.Table[ShareCount]{Bucket: "ram.count"}      // owner, region, id, or "" for all of the region
	Invitations     = store.Table[Invitation]{Bucket: "ram.invitation"} // receiver, region, id
	ShareTokens     = store.Table[ShareToken]{Bucket: "ram.token"}      // account, region, operation, client token
)

// Statuses of shares, associations and invitations.
const (
	ShareActive  = "ACTIVE"
	ShareDeleted = "DELETED"

	Associating    = "ASSOCIATING"
	Associated     = "ASSOCIATED"
	AssociationBad = "FAILED"
	Disassociated  = "DISASSOCIATED"

	InvitationPending  = "PENDING"
	InvitationAccepted = "ACCEPTED"
	InvitationRejected = "REJECTED"
	InvitationExpired  = "EXPIRED"
)

// Share is a RAM resource share.
type Share struct {
	Owner, Region, ID string
	Name              string
	Status            string
	AllowExternal     bool
	Created, Updated  time.Time
	Tags              map[string]string `json:",omitempty"`
	// Permissions are the ARNs of the managed permissions.
	Permissions []string `json:",omitempty"`
	// Grantor is the principal with whose rights Lake Formation made the share,
	// or empty for a share that was made by hand.
	Grantor string `json:",omitempty"`
	// Purpose tells apart the shares of Lake Formation between two accounts.
	Purpose string `json:",omitempty"`
}

// ARN returns the share's ARN.
func (s Share) ARN() string {
	return "arn:aws:ram:" + s.Region + ":" + s.Owner + ":resource-share/" + s.ID
}

// Association is a resource or a principal of a share.
type Association struct {
	Entity           string
	Status           string
	Message          string `json:",omitempty"`
	External         bool   `json:",omitempty"`
	Created, Updated time.Time
}

// Invitation is an invitation to an account to join a share.
type Invitation struct {
	ID, Region          string
	ShareOwner, ShareID string
	ShareName           string
	Receiver            string
	// Principal is what of the receiver the share names: the account or an ARN.
	Principal string
	Status    string
	Sent      time.Time
}

// ARN returns the invitation's ARN.
func (i Invitation) ARN() string {
	return "arn:aws:ram:" + i.Region + ":" + i.ShareOwner + ":resource-share-invitation/" + i.ID
}

// ShareARN returns the ARN of the invitation's share.
func (i Invitation) ShareARN() string {
	return Share{Owner: i.ShareOwner, Region: i.Region, ID: i.ShareID}.ARN()
}

// ShareToken remembers what a client token was used for.
type ShareToken struct {
	// Request is the request's content, Answer what was answered.
	Request, Answer string
}

// ShareCount is how many resources and principals a share has, or the shares of an
// account have.
type ShareCount struct{ Resources, Principals int }

// CountOf returns how many resources and principals a share has; with an empty id, all
// shares of the owner in the region.
func CountOf(tx store.Tx, owner, region, id string) (ShareCount, error) {
	n, _, err := shareCounts.Get(tx, owner, region, id)
	return n, err
}

// counted adds to the counts of a share and of its owner.
func counted(tx store.Tx, s Share, resources, principals int) error {
	for _, id := range []string{s.ID, ""} {
		n, err := CountOf(tx, s.Owner, s.Region, id)
		if err != nil {
			return err
		}
		n.Resources, n.Principals = n.Resources+resources, n.Principals+principals
		if err := shareCounts.Put(tx, n, s.Owner, s.Region, id); err != nil {
			return err
		}
	}
	return nil
}

// SplitShareARN takes the ARN of a resource share apart.
func SplitShareARN(arn string) (owner, region, id string, ok bool) {
	return splitRAM(arn, "resource-share/")
}

// SplitInvitationARN takes the ARN of an invitation apart.
func SplitInvitationARN(arn string) (sender, region, id string, ok bool) {
	return splitRAM(arn, "resource-share-invitation/")
}

func splitRAM(arn, kind string) (account, region, id string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "ram" || len(parts[4]) != 12 {
		return "", "", "", false
	}
	id, ok = strings.CutPrefix(parts[5], kind)
	return parts[4], parts[3], id, ok && id != ""
}

// GetShare reads the share with an ARN.
func GetShare(tx store.Tx, arn string) (Share, bool, error) {
	owner, region, id, ok := SplitShareARN(arn)
	if !ok {
		return Share{}, false, nil
	}
	return Shares.Get(tx, owner, region, id)
}

// PutShare stores a share.
func PutShare(tx store.Tx, s Share) error { return Shares.Put(tx, s, s.Owner, s.Region, s.ID) }

// PutSharePrincipal stores the association of a principal with a share.
func PutSharePrincipal(tx store.Tx, s Share, a Association) error {
	if !SharePrincipals.Has(tx, s.Owner, s.Region, s.ID, a.Entity) {
		if err := counted(tx, s, 0, 1); err != nil {
			return err
		}
	}
	if err := shareRecipients.Put(tx, s.Owner, PrincipalAccount(a.Entity, s.Owner), s.Region, s.ID, a.Entity); err != nil {
		return err
	}
	return SharePrincipals.Put(tx, a, s.Owner, s.Region, s.ID, a.Entity)
}

// PutShareResource stores the association of a resource with a share.
func PutShareResource(tx store.Tx, s Share, a Association) error {
	if !ShareResources.Has(tx, s.Owner, s.Region, s.ID, a.Entity) {
		if err := counted(tx, s, 1, 0); err != nil {
			return err
		}
	}
	if err := resourceShares.Put(tx, struct{}{}, s.Owner, s.Region, a.Entity, s.ID); err != nil {
		return err
	}
	return ShareResources.Put(tx, a, s.Owner, s.Region, s.ID, a.Entity)
}

// DeleteSharePrincipal removes the association of a principal with a share.
func DeleteSharePrincipal(tx store.Tx, s Share, principal string) error {
	if SharePrincipals.Has(tx, s.Owner, s.Region, s.ID, principal) {
		if err := counted(tx, s, 0, -1); err != nil {
			return err
		}
	}
	if err := shareRecipients.Delete(tx, PrincipalAccount(principal, s.Owner), s.Region, s.ID, principal); err != nil {
		return err
	}
	return SharePrincipals.Delete(tx, s.Owner, s.Region, s.ID, principal)
}

// DeleteShareResource removes the association of a resource with a share.
func DeleteShareResource(tx store.Tx, s Share, arn string) error {
	if ShareResources.Has(tx, s.Owner, s.Region, s.ID, arn) {
		if err := counted(tx, s, -1, 0); err != nil {
			return err
		}
	}
	if err := resourceShares.Delete(tx, s.Owner, s.Region, arn, s.ID); err != nil {
		return err
	}
	return ShareResources.Delete(tx, s.Owner, s.Region, s.ID, arn)
}

// SharesInto returns the shares of other accounts that name the account or a
// principal of it, or the organization or a unit that it is in, in the order of their
// ids.
func SharesInto(tx store.Tx, account, region string) ([]Share, error) {
	found, err := sharesInto(tx, account, region)
	if err != nil {
		return nil, err
	}
	groups, err := OrganizationGroups(tx, account)
	for _, g := range groups {
		more, err := sharesInto(tx, PrincipalAccount(g, ""), region)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	if len(groups) > 0 {
		slices.SortFunc(found, func(a, b Share) int { return strings.Compare(a.ID, b.ID) })
		found = slices.CompactFunc(found, func(a, b Share) bool { return a.ID == b.ID })
	}
	return found, err
}

// sharesInto are the shares that name a principal of the holder.
func sharesInto(tx store.Tx, holder, region string) ([]Share, error) {
	var found []Share
	var failed error
	last := ""
	err := shareRecipients.Scan(tx, []string{holder, region}, "", func(key, owner string) bool {
		id := store.Parts(key)[2]
		if id == last {
			return true
		}
		last = id
		s, ok, err := Shares.Get(tx, owner, region, id)
		if err != nil {
			failed = err
			return false
		}
		if ok {
			found = append(found, s)
		}
		return true
	})
	if err == nil {
		err = failed
	}
	return found, err
}

// SharesOf returns the shares of an owner that carry a resource.
func SharesOf(tx store.Tx, owner, region, arn string) ([]Share, error) {
	var found []Share
	var failed error
	err := resourceShares.Scan(tx, []string{owner, region, arn}, "", func(key string, _ struct{}) bool {
		s, ok, err := Shares.Get(tx, owner, region, store.Parts(key)[3])
		if err != nil {
			failed = err
			return false
		}
		if ok {
			found = append(found, s)
		}
		return true
	})
	if err == nil {
		err = failed
	}
	return found, err
}
