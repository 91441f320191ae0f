package security_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// long tells that there is time for everything.
func long() bool { return os.Getenv("LAKEMESH_LONG") != "" }

// sampled is how many of the roles' actions are tried by default.
const sampled = 8

// right is an action that a statement of a role's policy allows.
type right struct{ role, sid, action string }

// name is the right without accounts.
func (r right) name() string { return short(r.role) + "/" + r.sid + "/" + r.action }

// rightsOf are all rights of the roles, in a fixed order.
func rightsOf(t *testing.T, policies map[string]string) []right {
	t.Helper()
	var all []right
	for role, text := range policies {
		d, err := iampolicy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Statements {
			for _, action := range s.Actions {
				all = append(all, right{role, s.SID, action})
			}
		}
	}
	slices.SortFunc(all, func(a, b right) int { return strings.Compare(a.name(), b.name()) })
	return all
}

// without takes the right from its role's policy, and leaves other roles' alone.
func (r right) without(role, text string) string {
	if role != r.role {
		return text
	}
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		return text
	}
	var left []iampolicy.Statement
	for _, s := range d.Statements {
		if s.SID == r.sid {
			s.Actions = slices.DeleteFunc(slices.Clone(s.Actions), func(a string) bool { return a == r.action })
		}
		if len(s.Actions) > 0 {
			left = append(left, s)
		}
	}
	d.Statements = left
	return d.String()
}

// short names a role without its account.
func short(role string) string {
	for _, account := range []string{producerAccount, consumerAccount} {
		role = strings.TrimSuffix(role, "-"+account)
	}
	return role
}

func TestEveryRightOfEveryRoleIsNeeded(t *testing.T) {
	t.Parallel()
	var rights []right
	t.Run("with all rights", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLife(t)
			if err := l.live(l.steps()); err != nil {
				t.Fatal(err)
			}
			rights = rightsOf(t, l.policies)
			t.Logf("%d roles with %d rights, %d calls", len(l.policies), len(rights), l.Calls())
		})
	})
	excused := excuses()
	for name := range excused {
		if !slices.ContainsFunc(rights, func(r right) bool { return r.name() == name }) {
			t.Errorf("no role has %s, which is excused", name)
		}
	}
	if !long() && len(rights) > sampled {
		rand.Shuffle(len(rights), func(i, j int) { rights[i], rights[j] = rights[j], rights[i] })
		rights = rights[:sampled]
	}
	for _, r := range rights {
		t.Run(r.name(), func(t *testing.T) {
			t.Parallel()
			// In a bubble, waiting for what never comes takes no time.
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t)
				l.rewrite = r.without
				err := l.live(l.steps())
				reason, ok := excused[r.name()]
				switch {
				case err == nil && !ok:
					t.Errorf("nothing misses it: %d calls", l.Calls())
				case err != nil && ok:
					t.Errorf("it is excused (%s), and something misses it: %v", reason, err)
				case err != nil:
					t.Logf("missed by: %v", err)
				}
			})
		})
	}
}

// excuses are the rights that nothing misses here, with the reason why the roles
// have them nevertheless.
func excuses() map[string]string {
	const (
		together = "AWS asks for granting and revoking, one by one and in batches, together: " +
			"https://docs.aws.amazon.com/lake-formation/latest/dg/required-permissions-for-grant.html"
		managed = "it is in AWSLakeFormationCrossAccountManager, which AWS asks of who grants to other accounts, and the local mesh has no such call: " +
			"https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-prereqs.html"
	)
	const (
		handedOn = "callers whose sessions carry tags or a source identity, such as those of EKS Pod Identity, need it; admin/hops_test.go misses it"
	)
	all := map[string]string{
		"DataMeshAdminProducer/LetServicesLookAtShares/ram:Get*":                    managed,
		"DataMeshProducer/LookAtCrawlersRole/iam:SimulatePrincipalPolicy":           "publishing goes on without it; producer/publication_readings_test.go misses it",
		"DataMeshAdminProducer/LetServicesLookAtShares/ram:List*":                   managed,
		"DataMeshAdminProducer/LookAtShares/organizations:DescribeAccount":          managed,
		"DataMeshAdminProducer/ChangeSharesOfLakeFormation/ram:UpdateResourceShare": managed,
		"DataMeshAdminProducer/LetGlueShare/glue:DeleteResourcePolicy":              managed,
		"DataMeshDataAccess/ReadProducersData/s3:GetBucketLocation":                 "engines find the region of a bucket with it before they read; clients of the local mesh have one endpoint",
		"DataMeshProducer/LookAtKeyPolicies/kms:GetKeyPolicy":                       "the life's bucket has no key of its own; internal/acceptance/explain_test.go misses it",
		"DataMeshProducer/LookAtKeyPolicies/kms:DescribeKey":                        "the life's bucket has no key of its own; internal/acceptance/keys_kept_test.go misses it",
		"DataMeshAdminProducer/LookAtDataAccessRole/iam:SimulatePrincipalPolicy":    "the life's bucket has no key of its own; internal/acceptance/keys_test.go misses it",
		"DataMeshAdminProducer/Tag/lakeformation:SearchTablesByLFTags":              "it is used for many tables, and where the account has no LF-tags; bench/counts_test.go misses it",
	}
	for _, role := range []string{"DataMeshEnding", "DataMeshManager"} {
		for _, right := range []string{"LetServicesLookAtShares/ram:Get*", "LetServicesLookAtShares/ram:List*", "LetGlueShare/glue:PutResourcePolicy", "LetGlueShare/glue:DeleteResourcePolicy",
			"EndSharesOfLakeFormation/ram:UpdateResourceShare"} {
			all[role+"/"+right] = managed
		}
		all[role+"/EndSharesOfLakeFormation/ram:DisassociateResourceShare"] = "of the life's shares each ends with what is revoked; producer/ends_scheduled_test.go and admin/ends_test.go miss it"
	}
	for _, statement := range []string{"DataMeshAdminProducer/Grant", "DataMeshProducer/LakeFormation", "DataMeshConsumer/HandOn"} {
		all[statement+"/lakeformation:GrantPermissions"], all[statement+"/lakeformation:RevokePermissions"] = together, together
	}
	for _, role := range []string{"DataMeshAdminConsumer/AssumeReadOnly", "DataMeshAdminProducer/AssumeReadOnly", "DataMeshManager/AssumeReadOnly", "DataMeshConsumer/ActInTheMesh", "DataMeshProducer/ActInTheMesh"} {
		all[role+"/sts:TagSession"], all[role+"/sts:SetSourceIdentity"] = handedOn, handedOn
	}
	for _, role := range []string{"DataMeshAdminConsumer/AssumeReadOnly", "DataMeshAdminProducer/AssumeReadOnly", "DataMeshManager/AssumeReadOnly", "DataMeshConsumer/ActInTheMesh", "DataMeshProducer/ActInTheMesh"} {
		all[role+"/sts:TagSession"], all[role+"/sts:SetSourceIdentity"] = handedOn, handedOn
	}
	return all
}
