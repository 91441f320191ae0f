package storage_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// planned is a plan that opens a place to the reader.
func planned(t *testing.T, b storage.Buckets, prefix string) *plan.Plan {
	t.Helper()
	changes, err := b.Prepare(t.Context(), storage.Access{Role: reader, Open: []storage.Place{{Bucket: "one", Prefix: prefix}}})
	if err != nil {
		t.Fatal(err)
	}
	todo := &plan.Plan{Operation: "test"}
	for _, c := range changes {
		b.Step(todo, c)
	}
	return todo
}

func TestADenyThatCameAfterThePlanWasMadeStays(t *testing.T) {
	t.Parallel()
	_, b := buckets(t, "one")
	todo := planned(t, b, "a/")
	const theirs = `{"Sid":"Blocked","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::one/secret/*"}`
	if _, err := b.Client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("one"),
		Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + theirs + `]}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
		t.Fatal(err)
	}
	if got := policyOf(t, b, "one"); !strings.Contains(got, theirs) || !strings.Contains(got, "one/a/*") {
		t.Errorf("the policy is %s", got)
	}
}

func TestPlansThatWereMadeTogetherDoNotUndoEachOther(t *testing.T) {
	t.Parallel()
	_, b := buckets(t, "one")
	first, second := planned(t, b, "a/"), planned(t, b, "b/")
	for _, todo := range []*plan.Plan{second, first} {
		if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := policyOf(t, b, "one"); !strings.Contains(got, "one/a/*") || !strings.Contains(got, "one/b/*") {
		t.Errorf("the policy is %s", got)
	}
}
