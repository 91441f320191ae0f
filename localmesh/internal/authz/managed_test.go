package authz_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
)

func TestManagedPoliciesAreValid(t *testing.T) {
	t.Parallel()
	for _, arn := range authz.AWSManagedARNs() {
		text, ok := authz.AWSManaged(arn)
		if !ok {
			t.Errorf("%s has no document", arn)
			continue
		}
		d, err := iampolicy.Parse([]byte(text))
		if err == nil {
			err = d.Validate(iampolicy.IdentityBased)
		}
		if err != nil {
			t.Errorf("%s: %v", arn, err)
		}
		if n := iampolicy.Size(text); n > 6144 {
			t.Errorf("%s has %d characters", arn, n)
		}
	}
	for _, arn := range []string{"", "arn:aws:iam::aws:policy/", "arn:aws:iam::aws:policy/None", "arn:aws:iam::111111111111:policy/AdministratorAccess"} {
		if _, ok := authz.AWSManaged(arn); ok {
			t.Errorf("%q is a managed policy", arn)
		}
	}
}
