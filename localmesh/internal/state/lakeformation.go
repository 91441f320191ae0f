package state

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Buckets of Lake Formation. Names of catalog objects, tag keys and tag values in
// keys are folded.
var (
	LakeSettings   = store.Table[DataLakeSettings]{Bucket: "lf.settings"} // account, region
	Grants         = store.Table[Grant]{Bucket: "lf.grant"}               // Grant.Key
	grantees       = store.Table[struct{}]{Bucket: "lf.grantee"}          // principal's account, principal, Grant.Key
	Locations      = store.Table[Location]{Bucket: "lf.location"}         // account, region, path
	LFTags         = store.Table[LFTag]{Bucket: "lf.tag"}                 // account, region, key
	TagAssignments = store.Table[map[string]string]{Bucket: "lf.tagged"}  // account, region, database, table, column
	tagCarriers    = store.Table[struct{}]{Bucket: "lf.carrier"}          // account, region, key, value, database, table, column
	TagExpressions = store.Table[TagExpression]{Bucket: "lf.expression"}  // account, region, name
	CellFilters    = store.Table[CellFilter]{Bucket: "lf.filter"}         // account, region, database, table, name
	OptIns         = store.Table[OptIn]{Bucket: "lf.optin"}               // OptIn.Key
)

// DataLakeSettings are an account's settings of Lake Formation in a region.
type DataLakeSettings struct {
	Admins                []string            `json:",omitempty"`
	ReadOnlyAdmins        []string            `json:",omitempty"`
	DatabaseDefaults      []DefaultPermission `json:",omitempty"`
	TableDefaults         []DefaultPermission `json:",omitempty"`
	Parameters            map[string]string   `json:",omitempty"`
	TrustedOwners         []string            `json:",omitempty"`
	ExternalFiltering     bool                `json:",omitempty"`
	ExternalFilteringList []string            `json:",omitempty"`
	FullTableAccess       bool                `json:",omitempty"`
	SessionTagValues      []string            `json:",omitempty"`
	// GrantsSeeded is set when the grant that every new catalog begins with was
	// written to Grants, from where it may be revoked.
	GrantsSeeded bool `json:",omitempty"`
}

// IAMAllowedPrincipals is the virtual group of all whom IAM lets through.
const IAMAllowedPrincipals = "IAM_ALLOWED_PRINCIPALS"

// Kind is the kind of what a grant is on.
type Kind string

// The kinds of what a grant is on.
const (
	KindCatalog    Kind = "catalog"
	KindDatabase   Kind = "database"
	KindTable      Kind = "table"
	KindColumns    Kind = "columns"
	KindFilter     Kind = "filter"
	KindLocation   Kind = "location"
	KindTag        Kind = "tag"
	KindPolicy     Kind = "policy"
	KindExpression Kind = "expression"
)

// AllTables is the table name that stands for all tables of a database.
const AllTables = "*"

// TagValues are the values of a key in an expression of LF-tags.
type TagValues struct {
	Key    string
	Values []string
}

// Securable is what a Lake Formation grant is on.
type Securable struct {
	Kind Kind
	// Resource names the owner, and the database and table where the kind has
	// one. Table is [AllTables] for a table wildcard.
	Resource
	// Columns are the included columns of KindColumns, or with Excluded set, the
	// columns that are left out.
	Columns  []string `json:",omitempty"`
	Excluded bool     `json:",omitempty"`
	// Filter is the name of a data cells filter.
	Filter string `json:",omitempty"`
	// Path is an S3 path, "bucket/prefix", of KindLocation.
	Path string `json:",omitempty"`
	// TagKey and TagValue name an LF-tag. An empty value is the key itself, "*"
	// all of its values.
	TagKey   string `json:",omitempty"`
	TagValue string `json:",omitempty"`
	// PolicyType is DATABASE or TABLE, Expression what the resources must carry,
	// or Name the saved expression (also of KindExpression).
	PolicyType string      `json:",omitempty"`
	Expression []TagValues `json:",omitempty"`
	Name       string      `json:",omitempty"`
}

// Key are the six parts under which grants on the securable begin. Names of the
// catalog and of LF-tags are folded, S3 paths are not.
func (s Securable) Key() []string {
	var a, b, d string
	switch s.Kind {
	case KindCatalog:
	case KindDatabase:
		a = Fold(s.Database)
	case KindTable:
		a, b = Fold(s.Database), Fold(s.Table)
	case KindColumns:
		a, b = Fold(s.Database), Fold(s.Table)
		if s.Excluded {
			// Grants that include columns are one record, grants that leave columns
			// out are one each.
			d = "!" + Fold(strings.Join(s.Columns, ","))
		}
	case KindFilter:
		a, b, d = Fold(s.Database), Fold(s.Table), Fold(s.Filter)
	case KindLocation:
		a = s.Path
	case KindTag:
		a, b = Fold(s.TagKey), Fold(s.TagValue)
	case KindPolicy:
		a, b, d = s.PolicyType, ExpressionText(s.Expression), s.Name
	case KindExpression:
		a = s.Name
	}
	return []string{s.Account, s.Region, string(s.Kind), a, b, d}
}

// ExpressionText writes an expression so that equal ones are equal texts.
func ExpressionText(expression []TagValues) string {
	terms := make([]string, 0, len(expression))
	for _, t := range expression {
		values := slices.Clone(t.Values)
		slices.Sort(values)
		terms = append(terms, t.Key+"="+strings.Join(values, "|"))
	}
	slices.Sort(terms)
	return strings.Join(terms, "&")
}

// Grant is what one principal was granted on one thing by one account.
type Grant struct {
	On        Securable
	Principal string
	// By is the account in which the grant was made: the owner's, or that of a
	// recipient who handed on what it was granted.
	By string
	// Permissions are what was granted, Grantable what may be handed on.
	Permissions []string
	Grantable   []string `json:",omitempty"`
	Updated     time.Time
	UpdatedBy   string
	// Shares are the ARNs of the RAM resource shares that carry the grant.
	Shares []string `json:",omitempty"`
}

// Key is the key of the grant.
func (g Grant) Key() []string { return append(g.On.Key(), g.Principal, g.By) }

// PrincipalAccount is the account that a principal of a grant belongs to; owner
// is the account of the resource, to which IAM_ALLOWED_PRINCIPALS belongs. An
// organization, and a unit of one, is no account's: it stands for itself.
func PrincipalAccount(principal, owner string) string {
	if len(principal) == 12 && strings.Trim(principal, "0123456789") == "" {
		return principal
	}
	if account, ok := strings.CutSuffix(principal, ":IAMPrincipals"); ok {
		return account
	}
	if IsOrganizationARN(principal) {
		return principal[strings.LastIndexByte(principal, '/')+1:]
	}
	// Users and groups of Identity Center are of no account: they are who they are for
	// the owner.
	if parts := strings.SplitN(principal, ":", 6); len(parts) == 6 && parts[0] == "arn" && parts[4] != "" {
		return parts[4]
	}
	return owner
}

// PutGrant stores a grant, or removes it when it has no permissions left.
func PutGrant(tx store.Tx, g Grant) error {
	key := g.Key()
	index := append([]string{PrincipalAccount(g.Principal, g.On.Account), g.Principal}, key...)
	if len(g.Permissions) == 0 {
		if err := grantees.Delete(tx, index...); err != nil {
			return err
		}
		return Grants.Delete(tx, key...)
	}
	if err := grantees.Put(tx, struct{}{}, index...); err != nil {
		return err
	}
	return Grants.Put(tx, g, key...)
}

// GetGrant reads the grant of a principal on a securable that was made in an
// account. What it points at must not be changed.
func GetGrant(tx store.Tx, on Securable, principal, by string) (Grant, bool, error) {
	return Grants.Shared(tx, append(on.Key(), principal, by)...)
}

// GrantsOn returns all grants on exactly the securable, or with fewer parts of
// its key on all that begin with them.
func GrantsOn(tx store.Tx, key ...string) ([]Grant, error) { return Grants.All(tx, key...) }

// GrantsTo returns the grants to a principal; parts of a grant's key (owner,
// region, kind, ...) narrow them. What they point at must not be changed.
func GrantsTo(tx store.Tx, account, principal string, key ...string) ([]Grant, error) {
	prefix := append([]string{account, principal}, key...)
	var keys [][]string
	grantees.ScanKeys(tx, prefix, "", func(k string, _ func() (struct{}, error)) bool {
		keys = append(keys, store.Parts(k)[2:])
		return true
	})
	found := make([]Grant, 0, len(keys))
	for _, k := range keys {
		g, ok, err := Grants.Shared(tx, k...)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, g)
		}
	}
	return found, nil
}

// HasGrants tells whether GrantsTo returns any.
func HasGrants(tx store.Tx, account, principal string, key ...string) bool {
	found := false
	grantees.ScanKeys(tx, append([]string{account, principal}, key...), "", func(string, func() (struct{}, error)) bool {
		found = true
		return false
	})
	return found
}

// GranteesIn returns the principals of an account that were granted anything.
func GranteesIn(tx store.Tx, account string) []string {
	var found []string
	grantees.ScanKeys(tx, []string{account}, "", func(k string, _ func() (struct{}, error)) bool {
		if principal := store.Parts(k)[1]; len(found) == 0 || found[len(found)-1] != principal {
			found = append(found, principal)
		}
		return true
	})
	return found
}

// GrantsInto returns the grants to any principal of an account, and to the
// organization and the units that it is in, on what another account owns. What they
// point at must not be changed.
func GrantsInto(tx store.Tx, account string) ([]Grant, error) {
	found, err := grantsInto(tx, account, account)
	if err != nil {
		return nil, err
	}
	groups, err := OrganizationGroups(tx, account)
	for _, g := range groups {
		more, err := grantsInto(tx, PrincipalAccount(g, ""), account)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, err
}

// grantsInto are the grants to principals of a holder on what others than the account own.
func grantsInto(tx store.Tx, holder, account string) ([]Grant, error) {
	var found []Grant
	var failed error
	grantees.ScanKeys(tx, []string{holder}, "", func(k string, _ func() (struct{}, error)) bool {
		parts := store.Parts(k)
		if parts[2] == account {
			return true
		}
		g, ok, err := Grants.Shared(tx, parts[2:]...)
		if err != nil {
			failed = err
			return false
		}
		if ok {
			found = append(found, g)
		}
		return true
	})
	return found, failed
}

// Location is an S3 path registered with Lake Formation.
type Location struct {
	Account, Region string
	// Path is "bucket" or "bucket/prefix", without a slash at its end.
	Path string
	// ARN is as it was registered.
	ARN  string
	Role string
	// ServiceLinked is set when the service-linked role serves the location.
	ServiceLinked bool `json:",omitempty"`
	Hybrid        bool `json:",omitempty"`
	Federation    bool `json:",omitempty"`
	Privileged    bool `json:",omitempty"`
	// Unverified is set if the role could not read the location when it was
	// registered or last updated.
	Unverified bool `json:",omitempty"`
	// ExpectedOwner is the account that must own the bucket, or empty.
	ExpectedOwner string `json:",omitempty"`
	Modified      time.Time
}

// LFTag is a tag key of Lake Formation with its possible values.
type LFTag struct {
	Account, Region, Key string
	Values               []string
}

// TagExpression is a saved expression of LF-tags.
type TagExpression struct {
	Account, Region, Name string
	Description           string `json:",omitempty"`
	Expression            []TagValues
}

// CellFilter is a data cells filter.
type CellFilter struct {
	Resource
	Name    string
	Version string
	// By is the account that made it, the table's own or one that the table is shared
	// with; CreatedBy is the principal.
	By        string
	CreatedBy string
	Columns   []string `json:",omitempty"`
	Excluded  []string `json:",omitempty"`
	// AllColumns is set when columns are left out rather than listed. A nested column
	// is named by its parts, as rowfilter.Path writes them.
	AllColumns bool `json:",omitempty"`
	// Rows is the row filter's expression; AllRows stands for none.
	Rows    string `json:",omitempty"`
	AllRows bool   `json:",omitempty"`
}

// Maker is the account that made the filter.
func (f CellFilter) Maker() string { return cmp.Or(f.By, f.Account) }

// OptIn tells that Lake Formation's permissions hold for a principal on a
// resource whose location is registered in hybrid access mode.
type OptIn struct {
	On        Securable
	Principal string
	// Account is the account that opted the principal in: the owner's, or the
	// principal's own.
	Account  string
	Modified time.Time
	By       string
}

// Key is the key of the opt-in.
func (o OptIn) Key() []string { return append(o.On.Key(), o.Principal, o.Account) }
