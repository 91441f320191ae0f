package storage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

const (
	account = "111111111111"
	reader  = "arn:aws:iam::555555555555:role/Reader"
)

func buckets(t *testing.T, names ...string) (*localmesh.Mesh, storage.Buckets) {
	t.Helper()
	mesh := localmesh.Run(t)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"sts:AssumeRole"}]}`
	if _, err := iam.NewFromConfig(mesh.Config("arn:aws:iam::555555555555:role/Admin")).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Reader"), AssumeRolePolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(mesh.Config("arn:aws:iam::" + account + ":role/Admin"))
	for _, name := range names {
		if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)}); err != nil {
			t.Fatal(err)
		}
	}
	mesh.ResetCounts()
	return mesh, storage.Buckets{Client: client, Account: account}
}

func change(t *testing.T, b storage.Buckets, open, closed []storage.Place) error {
	t.Helper()
	changes, err := b.Prepare(t.Context(), storage.Access{Role: reader, Open: open, Close: closed})
	if err != nil {
		return err
	}
	todo := &plan.Plan{Operation: "test"}
	for _, c := range changes {
		b.Step(todo, c)
	}
	_, err = todo.Apply(t.Context(), plan.Settings{})
	return err
}

func policyOf(t *testing.T, b storage.Buckets, bucket string) string {
	t.Helper()
	out, err := b.Client.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String(bucket)})
	if err != nil {
		return ""
	}
	return aws.ToString(out.Policy)
}

func count(mesh *localmesh.Mesh, operation string) int {
	for _, c := range mesh.Counts() {
		if c.Operation == operation {
			return c.Calls
		}
	}
	return 0
}

func TestBucketsAreOpenedWithOneWriteEach(t *testing.T) {
	t.Parallel()
	mesh, b := buckets(t, "one", "two")
	var places []storage.Place
	for i := range 20 {
		places = append(places, storage.Place{Bucket: "one", Prefix: fmt.Sprintf("t%d/", i)}, storage.Place{Bucket: "two", Prefix: fmt.Sprintf("t%d/", i)})
	}
	if err := change(t, b, places, nil); err != nil {
		t.Fatal(err)
	}
	if n := count(mesh, "PutBucketPolicy"); n != 2 {
		t.Errorf("%d writes for two buckets", n)
	}
	mesh.ResetCounts()
	if err := change(t, b, places[:3], nil); err != nil {
		t.Fatal(err)
	}
	if n := count(mesh, "PutBucketPolicy"); n != 0 {
		t.Errorf("%d writes although nothing changed", n)
	}
	if err := change(t, b, nil, places); err != nil {
		t.Fatal(err)
	}
	if got := policyOf(t, b, "one") + policyOf(t, b, "two"); got != "" {
		t.Errorf("closing everything leaves %s", got)
	}
}

func TestBucketsKeepTheStatementsOfOthers(t *testing.T) {
	t.Parallel()
	_, b := buckets(t, "one")
	theirs := `{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::one/theirs/*"}]}`
	if _, err := b.Client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("one"), Policy: aws.String(theirs)}); err != nil {
		t.Fatal(err)
	}
	place := []storage.Place{{Bucket: "one", Prefix: "ours/"}}
	if err := change(t, b, place, nil); err != nil {
		t.Fatal(err)
	}
	if got := policyOf(t, b, "one"); !strings.Contains(got, `"Theirs"`) || !strings.Contains(got, "arn:aws:s3:::one/ours/*") {
		t.Errorf("opened: %s", got)
	}
	if err := change(t, b, nil, place); err != nil {
		t.Fatal(err)
	}
	if got := policyOf(t, b, "one"); !strings.Contains(got, `"Theirs"`) || strings.Contains(got, "ours") {
		t.Errorf("closed: %s", got)
	}
}

func TestAPolicyThatWouldBeTooLargeIsRefusedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	mesh, b := buckets(t, "one", "two")
	// Others leave no room for our two statements, however little they open.
	theirs := `{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::one/` + strings.Repeat("x", 20000) + `"}]}`
	if _, err := b.Client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("one"), Policy: &theirs}); err != nil {
		t.Fatal(err)
	}
	mesh.ResetCounts()
	places := []storage.Place{{Bucket: "two", Prefix: "small/"}}
	for i := range 400 {
		places = append(places, storage.Place{Bucket: "one", Prefix: fmt.Sprintf("warehouse/department/table-%05d/", i)})
	}
	err := change(t, b, places, nil)
	if !errors.Is(err, lakemesh.ErrQuota) || !strings.Contains(err.Error(), "20480") || !strings.Contains(err.Error(), "bucket one") {
		t.Errorf("%v", err)
	}
	if n := count(mesh, "PutBucketPolicy"); n != 0 {
		t.Errorf("%d writes", n)
	}
}

func TestBucketsThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	mesh, b := buckets(t, "one")
	b.Patience = time.Nanosecond
	if err := change(t, b, []storage.Place{{Bucket: "missing", Prefix: "x/"}}, nil); !errors.Is(err, lakemesh.ErrNotFound) {
		t.Errorf("a bucket that does not exist: %v", err)
	}
	other := s3.NewFromConfig(mesh.Config("arn:aws:iam::333333333333:role/Admin"))
	if _, err := other.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("foreign")}); err != nil {
		t.Fatal(err)
	}
	if err := change(t, b, []storage.Place{{Bucket: "foreign", Prefix: "x/"}}, nil); !errors.Is(err, lakemesh.ErrAccessDenied) {
		t.Errorf("a bucket of another account: %v", err)
	}
	changes, err := b.Prepare(t.Context(), storage.Access{Role: "arn:aws:iam::555555555555:role/Nobody", Open: []storage.Place{{Bucket: "one", Prefix: "x/"}}})
	if err != nil {
		t.Fatal(err)
	}
	todo := &plan.Plan{Operation: "test"}
	b.Step(todo, changes[0])
	if _, err := todo.Apply(t.Context(), plan.Settings{}); !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), "Nobody") {
		t.Errorf("a role that does not exist: %v", err)
	}
}

func TestAReaderThatIsKnownLateIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh, b := buckets(t, "one")
		mesh.SetEventualConsistency(4)
		admin := iam.NewFromConfig(mesh.Config("arn:aws:iam::555555555555:role/Admin"))
		_, err := admin.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("Late"), AssumeRolePolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"555555555555"},"Action":"sts:AssumeRole"}]}`)})
		if err != nil {
			t.Fatal(err)
		}
		const late = "arn:aws:iam::555555555555:role/Late"
		changes, err := b.Prepare(t.Context(), storage.Access{Role: late, Open: []storage.Place{{Bucket: "one", Prefix: "x/"}}})
		if err != nil {
			t.Fatal(err)
		}
		todo := &plan.Plan{Operation: "test"}
		b.Step(todo, changes[0])
		if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
			t.Fatal(err)
		}
		// It was read back, so that who does this can see it now.
		if got := policyOf(t, b, "one"); !strings.Contains(got, late) {
			t.Errorf("the policy is %s", got)
		}
		// A policy that never shows the change is given up, with what to do.
		mesh.SetEventualConsistency(1 << 30)
		begun := time.Now()
		err = change(t, b, []storage.Place{{Bucket: "one", Prefix: "y/"}}, nil)
		if timeout, ok := errors.AsType[*poll.TimeoutError](err); !ok || !strings.Contains(err.Error(), "run the same command again") ||
			time.Since(begun) > 2*storage.DefaultPatience {
			t.Errorf("after %s: %v, %v", time.Since(begun), err, timeout)
		}
	})
}

// New roles are waited for as long as everywhere else: some take more than a minute.
func TestARoleThatS3KnowsAfterAMinuteIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh, b := buckets(t, "one")
		begun := time.Now()
		mesh.Fail(localmesh.Fault{Service: "s3", Operation: "PutBucketPolicy", Times: 26, Code: "MalformedPolicy", Message: "Invalid principal in policy", Status: 400})
		if err := change(t, b, []storage.Place{{Bucket: "one", Prefix: "x/"}}, nil); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(begun); waited < time.Minute || waited > identity.Propagation {
			t.Errorf("it waited %s", waited)
		}
	})
}

func TestADeletedPrincipalOfSomebodyElseIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	mesh, b := buckets(t, "one")
	client := iam.NewFromConfig(mesh.Config("arn:aws:iam::" + account + ":role/Admin"))
	if _, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}); err != nil {
		t.Fatal(err)
	}
	theirs := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/ann"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::one/*"}]}`
	if _, err := b.Client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("one"), Policy: &theirs}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("ann")}); err != nil {
		t.Fatal(err)
	}
	mesh.ResetCounts()
	err := change(t, b, []storage.Place{{Bucket: "one", Prefix: "x/"}}, nil)
	if !errors.Is(err, lakemesh.ErrNotFound) || !strings.Contains(err.Error(), "was deleted") || count(mesh, "PutBucketPolicy") != 1 {
		t.Errorf("%d writes: %v", count(mesh, "PutBucketPolicy"), err)
	}
}
