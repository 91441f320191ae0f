package localmesh_test

import (
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/localmesh"
)

func TestAnUnknownQuotaIsRefused(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	for _, quota := range []string{"roles", "RolesQuota", "AssumeRolePolicySizeQuota", "databases", "tables", "tables of an account",
		"LF-Tags", "LF-Tag values", "LF-Tag expressions"} {
		if err := mesh.SetQuota("111111111111", quota, 7); err != nil {
			t.Errorf("%s: %v", quota, err)
		}
	}
	for _, quota := range []string{"", "role", "Roles", "lf-tags", "buckets"} {
		if err := mesh.SetQuota("111111111111", quota, 7); err == nil || !strings.Contains(err.Error(), "not a quota") {
			t.Errorf("%q: %v", quota, err)
		}
	}
}
