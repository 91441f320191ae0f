package producer_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

// bucketPolicy is the bucket's policy; empty if it has none.
func (w *world) bucketPolicy(t *testing.T) string {
	t.Helper()
	policy, err := meshtest.Known(w.mesh, func() (string, error) {
		out, err := identity.S3(w.mesh.Config(meshtest.Administrator(producerAccount))).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String(bucket)})
		if awserr.Is(err, "NoSuchBucketPolicy") {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		return aws.ToString(out.Policy), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// A folder that the mesh's administrator registered by itself is read with a role of
// its own.
func TestTwoRolesThatReadOneBucketAreGivenTheirFoldersInOneStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const other = "arn:aws:iam::" + meshAccount + ":role/Customers"
	ours := lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))
	administrator := w.mesh.Config(meshtest.Administrator(meshAccount))
	meshtest.Before(w.mesh, func() {
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lakeformation.amazonaws.com","glue.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`
		if _, err := iam.NewFromConfig(administrator).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Customers"), AssumeRolePolicyDocument: &trust}); err != nil {
			t.Fatal(err)
		}
		if _, err := lakeformation.NewFromConfig(administrator).RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{
			ResourceArn: aws.String("arn:aws:s3:::" + bucket + "/customers"), RoleArn: aws.String(other)}); err != nil {
			t.Fatal(err)
		}
	})
	open := func(role string) []string {
		prefixes, err := storage.Prefixes(w.bucketPolicy(t), bucket, role)
		if err != nil {
			t.Fatal(err)
		}
		return prefixes
	}
	id := w.request(t, consumerAccount, []string{"customers", "orders"}, "SELECT")
	todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if err != nil || todo.Count(plan.OpenBucket) != 1 {
		t.Errorf("the plan is %s, %v", todo, err)
	}
	w.approve(t, producer.ApproveInput{RequestID: id})
	if mine, others := open(ours), open(other); !slices.Equal(mine, []string{"orders/"}) || !slices.Equal(others, []string{"customers/"}) {
		t.Errorf("open are %q to ours and %q to the other", mine, others)
	}
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	if got := w.bucketPolicy(t); got != "" {
		t.Errorf("closed, and the policy is %s", got)
	}
}

func TestAPlanSaysThatABucketDeniesWhatItOpensAndCannotBeApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const denies = `{"Sid":"LakemeshReadObjectsBlocked","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + bucket + `/orders/*"}`
	policy := `{"Version":"2012-10-17","Statement":[` + denies + `]}`
	meshtest.Before(w.mesh, func() {
		if _, err := identity.S3(w.mesh.Config(meshtest.Administrator(producerAccount))).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: &policy}); err != nil {
			t.Fatal(err)
		}
	})
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	todo, err := w.producer.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if err != nil || todo.Digest == "" || !strings.Contains(strings.Join(todo.Warnings, "\n"), "LakemeshReadObjectsBlocked") {
		t.Fatalf("the plan is %s, %v", todo, err)
	}
	w.mesh.ResetCounts()
	if _, err := todo.Apply(t.Context(), plan.Settings{}); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("the preview was applied: %v", err)
	}
	if wrote := writes(w.mesh); len(wrote) > 0 {
		t.Errorf("the preview wrote %v", wrote)
	}
	w.approve(t, producer.ApproveInput{RequestID: id, Expect: strings.ToUpper(todo.Digest)})
	if got := w.bucketPolicy(t); !strings.Contains(got, denies) || !slices.Equal(w.openPrefixes(t), []string{"orders/"}) {
		t.Errorf("approved, the policy is %s", got)
	}
	if err := w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	if got := w.bucketPolicy(t); got != policy {
		t.Errorf("ended, the policy is %s", got)
	}
}

// A table's folder can lie in another table's: each is open as long as somebody may read
// it, in whatever order they end.
func TestFoldersInFoldersAreClosedOneByOne(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string][]string{
		"the outer first": {"outer", "inner", "beside"}, "the inner first": {"inner", "outer", "beside"}, "between others": {"beside", "outer", "inner"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			folders := map[string]string{"outer": "data/", "inner": "data/inner/", "beside": "data/inner2/"}
			for table, folder := range folders {
				w.accounts.Table(producerAccount, sourceDatabase, meshtest.CSV(table, "s3://"+bucket+"/"+folder))
			}
			if _, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase}); err != nil {
				t.Fatal(err)
			}
			ids, want := map[string]string{}, map[string]bool{}
			for _, table := range []string{"outer", "inner", "beside"} {
				ids[table] = w.request(t, consumerAccount, []string{table}, "SELECT")
				w.approve(t, producer.ApproveInput{RequestID: ids[table]})
				want[folders[table]] = true
			}
			for _, table := range ends {
				w.end(t, ids[table])
				delete(want, folders[table])
				got, err := storage.Prefixes(w.bucketPolicy(t), bucket, lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount)))
				if err != nil || !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
					t.Errorf("after the end of %s, %q are open, want %v, %v", table, got, want, err)
				}
			}
		})
	}
}
