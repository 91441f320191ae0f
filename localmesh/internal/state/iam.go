package state

import (
	"fmt"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Buckets of IAM and STS. Roles, users, groups and policies are keyed by account
// and lower-case name: IAM's names are unique without regard to case.
var (
	// Home is the region that a mesh in a folder began with.
	Home       = store.Table[string]{Bucket: "home"}         // "region"
	Accounts   = store.Table[Account]{Bucket: "account"}     // account
	Users      = store.Table[User]{Bucket: "iam.user"}       // account, name
	Roles      = store.Table[Role]{Bucket: "iam.role"}       // account, name
	Groups     = store.Table[Group]{Bucket: "iam.group"}     // account, name
	Policies   = store.Table[Policy]{Bucket: "iam.policy"}   // account, name
	AccessKeys = store.Table[AccessKey]{Bucket: "iam.key"}   // access key id
	Sessions   = store.Table[Session]{Bucket: "sts.session"} // access key id
)

// Account is one AWS account of the mesh.
type Account struct {
	ID      string
	Created time.Time
	// Quotas are the adjustable quotas that were raised, by name.
	Quotas map[string]int `json:",omitempty"`
}

// Permissions are the policies of an IAM user, role or group.
type Permissions struct {
	// Attached are the ARNs of managed policies.
	Attached []string `json:",omitempty"`
	// Inline are the documents of inline policies by name.
	Inline map[string]string `json:",omitempty"`
	// Boundary is the ARN of the permissions boundary, or empty.
	Boundary string `json:",omitempty"`
}

// User is an IAM user.
type User struct {
	Account, Name, Path, ID string
	Created                 time.Time
	Tags                    map[string]string `json:",omitempty"`
	Groups                  []string          `json:",omitempty"`
	Permissions
}

// ARN returns the user's ARN, with its path.
func (u User) ARN() string { return fmt.Sprintf("arn:aws:iam::%s:user%s%s", u.Account, u.Path, u.Name) }

// Role is an IAM role.
type Role struct {
	Account, Name, Path, ID string
	Description             string `json:",omitempty"`
	Created                 time.Time
	// Trust is the trust policy. Principals in it are kept as unique ids, as IAM
	// keeps them, so that a deleted and re-created principal is not trusted again.
	Trust string
	// TrustIDs has the ARN that each unique id in Trust was named by.
	TrustIDs map[string]string `json:",omitempty"`
	// MaxSession is the longest session, in seconds.
	MaxSession int32
	Tags       map[string]string `json:",omitempty"`
	// ServiceLinked is the service that owns a service-linked role, or empty.
	ServiceLinked string `json:",omitempty"`
	Permissions
}

// ARN returns the role's ARN, with its path.
func (r Role) ARN() string { return fmt.Sprintf("arn:aws:iam::%s:role%s%s", r.Account, r.Path, r.Name) }

// Group is an IAM group.
type Group struct {
	Account, Name, Path, ID string
	Created                 time.Time
	Permissions
}

// ARN returns the group's ARN, with its path.
func (g Group) ARN() string {
	return fmt.Sprintf("arn:aws:iam::%s:group%s%s", g.Account, g.Path, g.Name)
}

// Policy is a managed policy of a customer.
type Policy struct {
	Account, Name, Path, ID string
	Description             string `json:",omitempty"`
	Created, Updated        time.Time
	Versions                []PolicyVersion
	Default                 string            // version id
	Next                    int               // number of the next version
	Tags                    map[string]string `json:",omitempty"`
}

// ARN returns the policy's ARN, with its path.
func (p Policy) ARN() string {
	return fmt.Sprintf("arn:aws:iam::%s:policy%s%s", p.Account, p.Path, p.Name)
}

// PolicyVersion is one version of a managed policy.
type PolicyVersion struct {
	ID       string
	Document string
	Created  time.Time
}

// AccessKey is a long-lived key of a user, or of the account's root if User is
// empty.
type AccessKey struct {
	ID, Secret, Account string
	User                string `json:",omitempty"`
	Active              bool
	Created             time.Time
}

// Session is a set of temporary credentials of a role, or of a user or root that
// asked for a session token.
type Session struct {
	AccessKeyID, Secret, Token string
	Account                    string
	// Role is the name of the role, RoleID its unique id, Name the session's. A
	// role that was deleted and made again does not revive its old sessions.
	Role, RoleID, Name string
	// User is the ARN of the user that got a session token; Root is set if the
	// account's root got it. Role is empty then.
	User string `json:",omitempty"`
	Root bool   `json:",omitempty"`
	// Federated is set for a federated user: Name is its own, User that whose rights its
	// policies narrow.
	Federated bool `json:",omitempty"`
	// Issued and Expires bound the session.
	Issued, Expires time.Time
	// Policies are the session policies, as documents.
	Policies []string `json:",omitempty"`
	// PolicyARNs are managed policies that were passed as session policies.
	PolicyARNs []string `json:",omitempty"`
	// Chained is set when a session assumed the role: it cannot be longer than
	// an hour.
	Chained bool `json:",omitempty"`
	// Issuer is the service that made the session on its own behalf (Lake
	// Formation, for vended credentials), or empty.
	Issuer string `json:",omitempty"`
	// Tags are the session tags.
	Tags map[string]string `json:",omitempty"`
	// TransitiveTags are the keys of the tags that are handed on when the session
	// assumes another role.
	TransitiveTags []string `json:",omitempty"`
	SourceIdentity string   `json:",omitempty"`
}

// ARN returns the ARN that the session acts as: an assumed role's, or the user's
// or root's own.
func (s Session) ARN() string {
	switch {
	case s.Federated:
		return fmt.Sprintf("arn:aws:sts::%s:federated-user/%s", s.Account, s.Name)
	case s.Root:
		return fmt.Sprintf("arn:aws:iam::%s:root", s.Account)
	case s.User != "":
		return s.User
	}
	return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", s.Account, s.Role, s.Name)
}

// GetRole looks a role up by name, without regard to case.
func GetRole(tx store.Tx, account, name string) (Role, bool, error) {
	return Roles.Get(tx, account, strings.ToLower(name))
}

// GetUser looks a user up by name, without regard to case.
func GetUser(tx store.Tx, account, name string) (User, bool, error) {
	return Users.Get(tx, account, strings.ToLower(name))
}

// GetGroup looks a group up by name, without regard to case.
func GetGroup(tx store.Tx, account, name string) (Group, bool, error) {
	return Groups.Get(tx, account, strings.ToLower(name))
}

// GetPolicy looks a customer's managed policy up by name, without regard to case.
func GetPolicy(tx store.Tx, account, name string) (Policy, bool, error) {
	return Policies.Get(tx, account, strings.ToLower(name))
}

// The following look up what is only read, which happens in every call: what the
// record points at must not be changed.

// ReadRole is GetRole for reading only.
func ReadRole(tx store.Tx, account, name string) (Role, bool, error) {
	return Roles.Shared(tx, account, strings.ToLower(name))
}

// ReadUser is GetUser for reading only.
func ReadUser(tx store.Tx, account, name string) (User, bool, error) {
	return Users.Shared(tx, account, strings.ToLower(name))
}

// ReadGroup is GetGroup for reading only.
func ReadGroup(tx store.Tx, account, name string) (Group, bool, error) {
	return Groups.Shared(tx, account, strings.ToLower(name))
}

// ReadPolicy is GetPolicy for reading only.
func ReadPolicy(tx store.Tx, account, name string) (Policy, bool, error) {
	return Policies.Shared(tx, account, strings.ToLower(name))
}

// PrincipalExists tells whether arn names an existing root, user or role. An ARN
// must match the principal's path.
func PrincipalExists(tx store.Tx, arn string) (bool, error) {
	account, kind, name, ok := SplitPrincipalARN(arn)
	if !ok {
		return false, nil
	}
	switch kind {
	case "root":
		return Accounts.Has(tx, account), nil
	case "user":
		u, found, err := ReadUser(tx, account, name)
		return found && u.ARN() == arn, err
	case "role":
		r, found, err := ReadRole(tx, account, name)
		return found && r.ARN() == arn, err
	}
	return false, nil
}

// SplitPrincipalARN takes arn:aws:iam::<account>:<kind>/<path>/<name> apart; kind
// is "user", "role", "group", "policy" or "root", and name is without its path. ARNs of
// another partition name nobody.
func SplitPrincipalARN(arn string) (account, kind, name string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "iam" || len(parts[4]) != 12 {
		return "", "", "", false
	}
	if parts[5] == "root" {
		return parts[4], "root", "", true
	}
	kind, rest, found := strings.Cut(parts[5], "/")
	if !found || rest == "" {
		return "", "", "", false
	}
	return parts[4], kind, rest[strings.LastIndexByte(rest, '/')+1:], true
}
