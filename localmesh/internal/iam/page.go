package iam

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html (Marker, MaxItems)

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// defaultPage is how many items a page has when the caller does not say.
const defaultPage = 100

// page cuts a listing. Items must be added in the order of their keys; those up
// to the marker, and those behind a full page, are left out.
type page[T any] struct {
	after string
	size  int
	Items []T
	// Truncated tells that there is more, behind Marker.
	Truncated bool
	Marker    *string
	last      string
}

func newPage[T any](marker *string, maxItems *int32) (*page[T], error) {
	p := &page[T]{size: defaultPage, Items: []T{}}
	if maxItems != nil {
		if *maxItems < 1 || *maxItems > 1000 {
			return nil, breaks("maxItems", strconv.Itoa(int(*maxItems)), "have value between 1 and 1000")
		}
		p.size = int(*maxItems)
	}
	if marker != nil {
		key, err := base64.RawURLEncoding.DecodeString(*marker)
		if err != nil || len(key) == 0 {
			return nil, engine.Errorf("ValidationError", "Invalid Marker.")
		}
		p.after = string(key)
	}
	return p, nil
}

// add takes an item in, and tells whether to go on.
func (p *page[T]) add(key string, item T) bool {
	if p.after != "" && key <= p.after {
		return true
	}
	if len(p.Items) == p.size {
		p.Truncated = true
		marker := base64.RawURLEncoding.EncodeToString([]byte(p.last))
		p.Marker = &marker
		return false
	}
	p.Items = append(p.Items, item)
	p.last = key
	return true
}

// count returns how many records of a table an account has, without reading them.
func count[T any](tx store.Tx, t store.Table[T], account string) int {
	n := 0
	tx.Scan(t.Bucket, account+store.Separator, "", func(string, []byte) bool {
		n++
		return true
	})
	return n
}

// Quotas of an account by their names in GetAccountSummary, where they have one
// there (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
const (
	quotaRoles             = "RolesQuota"
	quotaUsers             = "UsersQuota"
	quotaGroups            = "GroupsQuota"
	quotaPolicies          = "PoliciesQuota"
	quotaTrustSize         = "AssumeRolePolicySizeQuota"
	quotaPolicySize        = "PolicySizeQuota"
	quotaRoleInlineSize    = "RolePolicySizeQuota"
	quotaUserInlineSize    = "UserPolicySizeQuota"
	quotaGroupInlineSize   = "GroupPolicySizeQuota"
	quotaAttachedToRole    = "AttachedPoliciesPerRoleQuota"
	quotaAttachedToUser    = "AttachedPoliciesPerUserQuota"
	quotaAttachedToGroup   = "AttachedPoliciesPerGroupQuota"
	quotaVersionsPerPolicy = "VersionsPerPolicyQuota"
	quotaGroupsPerUser     = "GroupsPerUserQuota"
	quotaKeysPerUser       = "AccessKeysPerUserQuota"
)

func defaultQuotas() map[string]int {
	return map[string]int{
		quotaRoles: 1000, quotaUsers: 5000, quotaGroups: 300, quotaPolicies: 1500,
		quotaTrustSize: 2048, quotaPolicySize: 6144,
		quotaRoleInlineSize: 10240, quotaUserInlineSize: 2048, quotaGroupInlineSize: 5120,
		quotaAttachedToRole: 10, quotaAttachedToUser: 10, quotaAttachedToGroup: 10,
		quotaVersionsPerPolicy: 5, quotaGroupsPerUser: 10, quotaKeysPerUser: 2,
	}
}

// IsQuota tells whether IAM has a quota of that name, in its long or its short form.
func IsQuota(name string) bool {
	for long := range defaultQuotas() {
		if name == long || name == fold(strings.TrimSuffix(long, "Quota")) {
			return true
		}
	}
	return false
}

// quota returns the caller's account's quota of that name. It may have been set
// under the short name as well: "roles" for "RolesQuota".
func quota(c *engine.Call, name string) (int, error) {
	account, _, err := state.Accounts.Get(c.Tx, c.Account())
	if err != nil {
		return 0, err
	}
	for _, set := range []string{name, fold(strings.TrimSuffix(name, "Quota"))} {
		if n, ok := account.Quotas[set]; ok {
			return n, nil
		}
	}
	return defaultQuotas()[name], nil
}

func fold(name string) string { return strings.ToLower(name) }
