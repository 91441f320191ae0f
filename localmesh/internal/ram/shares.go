package ram

import (
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// InvitationLife is how long an invitation to a share of catalog objects can be
// accepted; other types of resources have seven days
// (https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-invitations.html).
const InvitationLife = 12 * time.Hour

// CreateShare stores a new share, without resources and principals.
func CreateShare(c *engine.Call, s state.Share) (state.Share, error) {
	if err := roomForShare(c, s); err != nil {
		return s, err
	}
	s.Region, s.ID = c.Region, c.Mesh.UUID()
	s.Status, s.Created, s.Updated = state.ShareActive, c.Now, c.Now
	return s, state.PutShare(c.Tx, s)
}

// AddResource associates a resource with a share, or tries again where that had
// failed.
//
// A catalog that has a resource policy must let RAM share the resource and what it
// is in, or the resource is blocked although the grant succeeded
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-cross-account.html).
func AddResource(c *engine.Call, s state.Share, arn string) (state.Association, error) {
	a, found, err := state.ShareResources.Get(c.Tx, s.Owner, s.Region, s.ID, arn)
	if err != nil || found && a.Status == state.Associated {
		return a, err
	}
	if !found {
		if err := roomForResource(c, s); err != nil {
			return a, err
		}
		a = state.Association{Entity: arn, Created: c.Now}
	}
	a.Status, a.Message, a.Updated = state.Associated, "", c.Now
	c.Changed(resourceIn(s, arn), nil)
	policy, has, err := state.GetCatalogPolicy(c.Tx, s.Owner, s.Region)
	if err != nil {
		return a, err
	}
	if has && strings.HasPrefix(arn, "arn:aws:glue:") {
		d, err := c.Mesh.Policies().Decide(c.Tx, authz.Caller{Service: "ram.amazonaws.com"}, authz.Question{
			Action: "glue:ShareResource", Resources: withParents(arn), ResourcePolicy: policy.Policy,
			ResourcePolicyName: "Data Catalog resource policy", ResourceAccount: s.Owner, ResourceRequired: true,
		}, c.Now, s.Region)
		if err != nil {
			return a, err
		}
		if !d.Allowed {
			a.Status = state.AssociationBad
			a.Message = "The Data Catalog resource policy of account " + s.Owner + " does not allow ram.amazonaws.com to perform glue:ShareResource on " + arn + "."
		}
	}
	return a, state.PutShareResource(c.Tx, s, a)
}

// withParents are a resource of a catalog, the database that a table is in, and the
// catalog.
func withParents(arn string) []string {
	prefix, object := arn[:strings.LastIndexByte(arn, ':')+1], arn[strings.LastIndexByte(arn, ':')+1:]
	all := []string{prefix + "catalog"}
	if names := strings.Split(object, "/"); len(names) == 3 {
		all = append(all, prefix+"database/"+names[1])
	}
	if object != "catalog" {
		all = append(all, arn)
	}
	return all
}

// AddPrincipal associates a principal with a share. One of another account is
// invited. A principal that is associated already stays as it is. Whose invitation was
// missed is not associated any more.
func AddPrincipal(c *engine.Call, s state.Share, principal string) (state.Association, error) {
	a, found, err := principalAssociation(c, s, principal)
	if err != nil || found && a.Status != state.Disassociated {
		return a, err
	}
	account := state.PrincipalAccount(principal, s.Owner)
	inside, err := insideOf(c, s.Owner, principal)
	if err != nil {
		return a, err
	}
	a = state.Association{Entity: principal, Created: c.Now, Updated: c.Now, Status: state.Associated, External: account != s.Owner && !inside}
	if err := roomForPrincipal(c, s, a.External); err != nil {
		return a, err
	}
	switch {
	case account == s.Owner:
	case !a.External:
		// Inside an organization that has sharing enabled nobody is asked.
		c.Changed(principalOf(s, principal), nil)
	default:
		a.Status = state.Associating
		i := state.Invitation{
			ID: c.Mesh.UUID(), Region: s.Region, ShareOwner: s.Owner, ShareID: s.ID, ShareName: s.Name,
			Receiver: account, Principal: principal, Status: state.InvitationPending, Sent: c.Now,
		}
		c.Changed(invitationTo(i), nil)
		if err := state.Invitations.Put(c.Tx, i, account, s.Region, i.ID); err != nil {
			return a, err
		}
	}
	return a, state.PutSharePrincipal(c.Tx, s, a)
}

// insideOf reports whether a principal is asked nothing: it is the owner's organization
// or of it, and the organization has sharing enabled
// (https://docs.aws.amazon.com/ram/latest/userguide/getting-started-sharing.html).
func insideOf(c *engine.Call, owner, principal string) (bool, error) {
	if c.Mesh.Readings.SharingNeedsNoInvitation || state.IsOrganizationARN(principal) {
		return true, nil
	}
	return state.SharesInside(c.Tx, owner, state.PrincipalAccount(principal, owner))
}

// The names of what takes a while: an invitation appears late, and an association
// is ASSOCIATING before it is ASSOCIATED, also after its invitation was accepted
// (https://docs.aws.amazon.com/ram/latest/APIReference/API_ResourceShareAssociation.html).

func invitationTo(i state.Invitation) string { return "invitation " + i.ARN() }

func resourceIn(s state.Share, arn string) string { return "resource " + arn + " in " + s.ARN() }

func principalOf(s state.Share, principal string) string {
	return "principal " + principal + " of " + s.ARN()
}

// arrived is an association with a share as it stands: one that was made a moment
// ago is still on its way. name is what it is called in that.
func arrived(c *engine.Call, name string, a state.Association) state.Association {
	a = aged(c, a)
	if a.Status == state.Associated && c.Settling(name) {
		a.Status = state.Associating
	}
	return a
}

// principalAssociation reads a principal's association.
func principalAssociation(c *engine.Call, s state.Share, principal string) (state.Association, bool, error) {
	a, found, err := state.SharePrincipals.Get(c.Tx, s.Owner, s.Region, s.ID, principal)
	return aged(c, a), found, err
}

// aged is an association as it is by now: a principal whose invitation has run out is
// disassociated
// (https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-invitations.html).
func aged(c *engine.Call, a state.Association) state.Association {
	if a.Status == state.Associating && c.Now.Sub(a.Updated) >= InvitationLife {
		a.Status, a.Message = state.Disassociated, "The invitation expired before it was accepted."
		if c.Mesh.Readings.LapsedInvitationsFail {
			a.Status = state.AssociationBad
		}
	}
	return a
}

// RemoveResource ends the association of a resource with a share.
func RemoveResource(c *engine.Call, s state.Share, arn string) error {
	return state.DeleteShareResource(c.Tx, s, arn)
}

// RemovePrincipal ends the association of a principal with a share, and takes
// back an invitation that was not answered.
func RemovePrincipal(c *engine.Call, s state.Share, principal string) error {
	account := state.PrincipalAccount(principal, s.Owner)
	invitations, err := state.Invitations.All(c.Tx, account, s.Region)
	if err != nil {
		return err
	}
	for _, i := range invitations {
		if i.ShareID == s.ID && i.Principal == principal && i.Status == state.InvitationPending {
			if err := state.Invitations.Delete(c.Tx, account, s.Region, i.ID); err != nil {
				return err
			}
		}
	}
	return state.DeleteSharePrincipal(c.Tx, s, principal)
}

// DeleteShare ends a share with everything in it. Its record stays, as DELETED.
func DeleteShare(c *engine.Call, s state.Share) error {
	principals, err := state.SharePrincipals.All(c.Tx, s.Owner, s.Region, s.ID)
	if err != nil {
		return err
	}
	for _, p := range principals {
		if err := RemovePrincipal(c, s, p.Entity); err != nil {
			return err
		}
	}
	resources, err := state.ShareResources.All(c.Tx, s.Owner, s.Region, s.ID)
	if err != nil {
		return err
	}
	for _, r := range resources {
		if err := RemoveResource(c, s, r.Entity); err != nil {
			return err
		}
	}
	s.Status, s.Updated = state.ShareDeleted, c.Now
	return state.PutShare(c.Tx, s)
}

// CountResources counts what a share carries, up to a limit.
func CountResources(tx store.Tx, s state.Share, limit int) (int, error) {
	n := 0
	err := state.ShareResources.Scan(tx, []string{s.Owner, s.Region, s.ID}, "", func(string, state.Association) bool {
		n++
		return n < limit
	})
	return n, err
}

// Reaches tells whether the share carries the resource to the principal: both
// are associated, the principal has accepted. The resource may be covered by a
// pattern such as arn:aws:glue:us-east-1:111111111111:table/*/*.
func Reaches(c *engine.Call, shareARN, principal, resource string) (bool, error) {
	s, found, err := state.GetShare(c.Tx, shareARN)
	if err != nil || !found || s.Status != state.ShareActive {
		return false, err
	}
	p, found, err := principalAssociation(c, s, principal)
	if err != nil || !found || arrived(c, principalOf(s, principal), p).Status != state.Associated {
		return false, err
	}
	r, found, err := state.ShareResources.Get(c.Tx, s.Owner, s.Region, s.ID, resource)
	if pattern, ok := Pattern(resource); err == nil && !found && ok {
		r, found, err = state.ShareResources.Get(c.Tx, s.Owner, s.Region, s.ID, pattern)
	}
	return found && arrived(c, resourceIn(s, r.Entity), r).Status == state.Associated, err
}

// Pattern is the ARN that stands for all resources of a resource's type, as
// version 5 of Lake Formation's cross-account sharing puts it into shares.
func Pattern(arn string) (string, bool) {
	i := strings.LastIndexByte(arn, ':')
	if i < 0 {
		return "", false
	}
	switch {
	case strings.HasPrefix(arn[i+1:], "database/"):
		return arn[:i+1] + "database/*", true
	case strings.HasPrefix(arn[i+1:], "table/"):
		return arn[:i+1] + "table/*/*", true
	}
	return "", false
}

// ResourceType is RAM's name for the type of a resource, such as glue:Table.
func ResourceType(arn string) (string, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "glue" {
		return "", false
	}
	switch kind, _, _ := strings.Cut(parts[5], "/"); kind {
	case "catalog":
		return "glue:Catalog", true
	case "database":
		return "glue:Database", true
	case "table":
		return "glue:Table", true
	}
	return "", false
}
