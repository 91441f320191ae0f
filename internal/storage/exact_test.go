package storage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

// reconcile makes everything open that is wanted, and returns what the plan is.
func reconcile(t *testing.T, b storage.Buckets, w storage.Wanted) *plan.Plan {
	t.Helper()
	changes, err := b.PrepareAll(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	todo := &plan.Plan{Operation: "test"}
	for _, c := range changes {
		b.Step(todo, c)
	}
	if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
		t.Fatal(err)
	}
	return todo
}

// detail is what the steps of a plan open and close, a line each.
func detail(todo *plan.Plan) string {
	var b strings.Builder
	for _, s := range todo.Steps {
		moved, _ := s.Detail.([]storage.Moved)
		for _, m := range moved {
			for _, place := range m.Opened {
				fmt.Fprintf(&b, "opened %s to %s\n", place, m.Role)
			}
			for _, place := range m.Closed {
				fmt.Fprintf(&b, "closed %s to %s\n", place, m.Role)
			}
		}
	}
	return b.String()
}

func opened(t *testing.T, b storage.Buckets, bucket, role string) []string {
	t.Helper()
	prefixes, err := storage.Prefixes(policyOf(t, b, bucket), bucket, role)
	if err != nil {
		t.Fatal(err)
	}
	return prefixes
}

func newRole(t *testing.T, mesh *localmesh.Mesh, name string) string {
	t.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lakeformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	if _, err := iam.NewFromConfig(mesh.Config("arn:aws:iam::555555555555:role/Admin")).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	return "arn:aws:iam::555555555555:role/" + name
}

func TestAnExactBucketHasNothingElseOpen(t *testing.T) {
	t.Parallel()
	mesh, b := buckets(t, "one", "two")
	other := newRole(t, mesh, "Other")
	one := func(prefixes ...string) (places []storage.Place) {
		for _, p := range prefixes {
			places = append(places, storage.Place{Bucket: "one", Prefix: p})
		}
		return places
	}
	reconcile(t, b, storage.Wanted{Access: []storage.Access{{Role: reader, Open: append(one("a/", "moved/", "kept/", "kept/too/", "part/a/", "mine/", "mine/too/"), storage.Place{Bucket: "two", Prefix: "x/"})}, {Role: other, Open: one("a/", "kept/", "mine/")}}})
	todo := reconcile(t, b, storage.Wanted{Access: []storage.Access{{Role: reader, Open: one("a/", "new/"), Keep: one("mine/", "mine/never/")}}, Exact: []string{"one"}, Keep: one("kept/", "never/open/", "part/")})
	if got, want := opened(t, b, "one", reader), []string{"a/", "kept/", "mine/", "new/", "part/a/"}; !slices.Equal(got, want) {
		t.Errorf("open are %q, want %q", got, want)
	}
	if got := opened(t, b, "one", other); !slices.Equal(got, []string{"kept/"}) {
		t.Errorf("open to the other are %q", got)
	}
	if got := opened(t, b, "two", reader); !slices.Equal(got, []string{"x/"}) {
		t.Errorf("in the other bucket %q are open", got)
	}
	for _, said := range []string{"opened s3://one/new/ to " + reader, "closed s3://one/moved/ to " + reader, "closed s3://one/a/ to " + other} {
		if !strings.Contains(detail(todo), said) {
			t.Errorf("the plan does not say %q: %s", said, todo)
		}
	}
	if said := detail(todo); strings.Contains(said, "opened s3://one/a/") {
		t.Errorf("it says that it opens what is open: %s", said)
	}
}

func TestWhatHasNoRoomIsFoldedAndUnfoldedAgain(t *testing.T) {
	t.Parallel()
	_, b := buckets(t, "one")
	const theirs = `{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::one/y/*"}`
	policy := `{"Version":"2012-10-17","Statement":[` + theirs + `]}`
	if _, err := b.Client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("one"), Policy: &policy}); err != nil {
		t.Fatal(err)
	}
	var many []storage.Place
	for i := range 1000 {
		many = append(many, storage.Place{Bucket: "one", Prefix: fmt.Sprintf("lake/sales/table_%05d/", i)})
	}
	few := []storage.Place{{Bucket: "one", Prefix: "lake/hr/a/"}, {Bucket: "one", Prefix: "lake/hr/b/"}}
	all := slices.Concat(many, few)
	access := storage.Access{Role: reader, Open: all}
	todo := reconcile(t, b, storage.Wanted{Access: []storage.Access{access}})
	folded := []string{"lake/hr/a/", "lake/hr/b/", "lake/sales/"}
	if got := opened(t, b, "one", reader); !slices.Equal(got, folded) {
		t.Errorf("open are %q, want %q", got, folded)
	}
	if said := strings.Join(todo.Warnings, "\n"); !strings.Contains(said, "s3://one/lake/sales/ is opened to "+reader+" in place of 1000 folders") {
		t.Errorf("it warns %q", said)
	}
	if got := policyOf(t, b, "one"); !strings.Contains(got, theirs) || len(got) > storage.MaxPolicy {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	// Once more there is nothing to do, whether or not nothing else is to be open.
	for _, exact := range [][]string{nil, {"one"}} {
		changes, err := b.PrepareAll(t.Context(), storage.Wanted{Access: []storage.Access{access}, Exact: exact})
		if err != nil || len(changes) != 1 || len(changes[0].Parts) > 0 {
			t.Errorf("exact %v: there is to do %+v, %v", exact, changes, err)
		}
	}
	// It fits again: each folder is open by itself.
	reconcile(t, b, storage.Wanted{Access: []storage.Access{{Role: reader, Open: slices.Concat(many[:50], few)}}, Exact: []string{"one"}})
	if got := opened(t, b, "one", reader); len(got) != 52 || slices.Contains(got, "lake/sales/") {
		t.Errorf("it fits again, and open are %q", got)
	}
	reconcile(t, b, storage.Wanted{Exact: []string{"one"}})
	if got := policyOf(t, b, "one"); got != policy {
		t.Errorf("all ended, and the policy is %s", got)
	}
}
