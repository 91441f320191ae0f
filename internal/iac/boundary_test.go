package iac_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// A customer managed policy has at most 6,144 characters, a service control policy 5,120
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html,
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
func TestTheBoundaryFitsAServiceControlPolicy(t *testing.T) {
	t.Parallel()
	if size := iampolicy.Size(string(admin.Boundary())); size > 5120 {
		t.Errorf("the boundary has %d characters", size)
	}
}
