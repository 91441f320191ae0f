package admin_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/plan"
)

const (
	firstKey  = "arn:aws:kms:us-east-1:" + producerAccount + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"
	secondKey = "arn:aws:kms:eu-west-1:" + otherAccount + ":key/mrk-1234abcd12ab34cd56ef1234567890ab"
)

func TestKeysAreNamedByTheirARNs(t *testing.T) {
	t.Parallel()
	_, a := bootstrapped(t)
	for _, key := range []string{"", "*", "alias/data", "1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:us-east-1:" + producerAccount + ":alias/data",
		"arn:aws:kms:us-east-1:" + producerAccount + ":key/*", "arn:aws:kms:*:" + producerAccount + ":key/1", "arn:aws:kms:us-east-1:*:key/1", firstKey + "," + secondKey, firstKey + "\n"} {
		if _, err := a.PlanEnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount, KMSKeys: []string{firstKey, key}}); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// Keys stay until others are named, whoever brings the account up to date.
func TestKeysStayUntilOthersAreNamed(t *testing.T) {
	t.Parallel()
	mesh, a := bootstrapped(t, plainly())
	may := func(when string, want ...string) {
		t.Helper()
		out, err := iam.NewFromConfig(configOf(mesh, meshAccount)).GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{
			RoleName: aws.String(lakemesh.DataAccessRole(producerAccount)), PolicyName: aws.String("lakemesh")})
		must(t, err)
		policy, err := url.PathUnescape(*out.PolicyDocument)
		must(t, err)
		for _, text := range []string{firstKey, secondKey, "kms:Decrypt"} {
			wanted := slices.Contains(want, text) || text == "kms:Decrypt" && len(want) > 0
			if strings.Contains(policy, text) != wanted {
				t.Errorf("%s, the role's policy is %s, want the keys %v", when, policy, want)
			}
		}
	}
	enable := func(keys []string) *plan.Plan {
		t.Helper()
		in := admin.EnableProducerInput{AccountID: producerAccount, KMSKeys: keys}
		p, err := a.PlanEnableAccountAsProducer(t.Context(), in)
		must(t, err)
		_, err = a.EnableAccountAsProducer(t.Context(), in)
		must(t, err)
		return p
	}
	may("at first")
	if p := enable([]string{secondKey, firstKey, firstKey}); len(p.Steps) != 1 || len(p.Warnings) != 2 {
		t.Errorf("naming two keys: %s", p)
	}
	may("two are named", firstKey, secondKey)
	if p := enable(nil); !p.Empty() || len(p.Warnings) > 0 {
		t.Errorf("naming none: %s", p)
	}
	bootstrap(t, mesh, producerAccount, admin.Producer)
	_, err := a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	must(t, err)
	may("brought up to date", firstKey, secondKey)
	enable([]string{secondKey})
	may("one is named", secondKey)
	enable([]string{})
	may("all are taken away")
}
