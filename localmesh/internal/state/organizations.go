package state

import (
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Buckets of Organizations.
var (
	Organizations = store.Table[Organization]{Bucket: "org.organization"} // id
	Units         = store.Table[Unit]{Bucket: "org.unit"}                 // organization, id
	Members       = store.Table[Member]{Bucket: "org.member"}             // account
	Handshakes    = store.Table[Handshake]{Bucket: "org.handshake"}       // invited account, id
)

// Organization is an organization of accounts.
type Organization struct {
	ID string
	// Management is the account that made it, Root the unit that all others are below.
	Management, Root string
	// Services are the services that were given access to the organization, Sharing is
	// set while RAM shares inside of it without invitations.
	Services []string `json:",omitempty"`
	Sharing  bool     `json:",omitempty"`
}

// ARN returns the organization's ARN.
func (o Organization) ARN() string {
	return "arn:aws:organizations::" + o.Management + ":organization/" + o.ID
}

// UnitARN returns the ARN of an organizational unit.
func (o Organization) UnitARN(id string) string {
	return "arn:aws:organizations::" + o.Management + ":ou/" + o.ID + "/" + id
}

// Unit is an organizational unit. Its parent is another one or the root.
type Unit struct{ Organization, ID, Parent, Name string }

// Member is an account of an organization. Its parent is a unit or the root.
type Member struct {
	Account, Organization, Parent string
	Invited                       bool
	Joined                        time.Time
}

// Handshake is an invitation to an account to join an organization.
type Handshake struct {
	ID, Organization, Account string
	Sent                      time.Time
}

// OrganizationOf returns the organization that an account is in.
func OrganizationOf(tx store.Tx, account string) (Organization, Member, bool, error) {
	m, found, err := Members.Get(tx, account)
	if err != nil || !found {
		return Organization{}, m, false, err
	}
	o, found, err := Organizations.Get(tx, m.Organization)
	return o, m, found, err
}

// OrganizationPath writes where in an organization a unit or the root is:
// "o-.../r-.../ou-.../".
func OrganizationPath(tx store.Tx, o Organization, at string) (string, error) {
	path := ""
	for at != o.Root {
		path = at + "/" + path
		u, found, err := Units.Get(tx, o.ID, at)
		if err != nil || !found {
			return "", err
		}
		at = u.Parent
	}
	return o.ID + "/" + o.Root + "/" + path, nil
}

// OrganizationGroups are the ARNs of the organization and of the units that an account
// is in, as far as something can be shared with them.
func OrganizationGroups(tx store.Tx, account string) ([]string, error) {
	o, m, found, err := OrganizationOf(tx, account)
	if err != nil || !found || !o.Sharing {
		return nil, err
	}
	groups := []string{o.ARN()}
	for at := m.Parent; at != o.Root; {
		groups = append(groups, o.UnitARN(at))
		u, found, err := Units.Get(tx, o.ID, at)
		if err != nil || !found {
			return groups, err
		}
		at = u.Parent
	}
	return groups, nil
}

// SharesInside reports whether an account shares with another one without inviting it:
// both are in an organization that has sharing enabled.
func SharesInside(tx store.Tx, owner, account string) (bool, error) {
	theirs, _, found, err := OrganizationOf(tx, account)
	if err != nil || !found || !theirs.Sharing {
		return false, err
	}
	ours, _, found, err := OrganizationOf(tx, owner)
	return found && ours.ID == theirs.ID, err
}

// IsOrganizationARN reports whether a principal is an organization or a unit of one.
func IsOrganizationARN(principal string) bool {
	return strings.HasPrefix(principal, "arn:aws:organizations::")
}

// MembersOf returns the accounts of an organization or, by its ARN, of a unit and of
// those below it.
func MembersOf(tx store.Tx, arn string) ([]string, error) {
	all, err := Members.All(tx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, m := range all {
		groups, err := OrganizationGroups(tx, m.Account)
		if err != nil {
			return nil, err
		}
		if slices.Contains(groups, arn) {
			found = append(found, m.Account)
		}
	}
	return found, nil
}
