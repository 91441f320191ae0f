package storage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/plan"
)

// opens asks IAM's rules, and not our own reading of the policy, whether it lets the
// role read a key and list below a prefix.
func opens(t interface{ Fatal(...any) }, policy, bucket, role, prefix string) (read, listed bool) {
	if policy == "" {
		return false, false
	}
	document, err := iampolicy.Parse([]byte(policy))
	if err != nil {
		t.Fatal(err, policy)
	}
	if err := document.Validate(iampolicy.ResourceBased); err != nil {
		t.Fatal(err, policy)
	}
	ask := func(action, resource string, keys map[string][]string) bool {
		// As if the bucket were the role's own account's, so that the role's own policies do not matter.
		return iampolicy.Evaluate(iampolicy.Request{
			Principal: iampolicy.PrincipalInfo{ARN: role, Account: strings.Split(role, ":")[4]},
			Action:    action, Resource: resource, Keys: keys,
		}, iampolicy.Policies{Resource: &iampolicy.Named{Name: "bucket", Document: document}}).Allowed
	}
	return ask("s3:GetObject", "arn:aws:s3:::"+bucket+"/"+prefix+"k", nil),
		ask("s3:ListBucket", "arn:aws:s3:::"+bucket, map[string][]string{"s3:prefix": {prefix}})
}

// folders are prefixes that look alike to somebody who reads them carelessly.
var folders = []string{"", "/", "raw/", "/raw/", "raw//", "raw/x/", "*/", "r?w/", "${aws:username}/", "${*}/", "$/", "$a/", "a*b/", "ä ö/", "{}/", "r*/"}

func TestWhateverTheOrderEachRoleGetsExactlyItsOwn(t *testing.T) {
	t.Parallel()
	mesh, b := buckets(t)
	roles := []string{reader, "arn:aws:iam::555555555555:role/One", "arn:aws:iam::555555555555:role/Two"}
	roles = append(roles, makeRoles(t, mesh, roles[1:])...)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		names := []string{fmt.Sprintf("one-%d", n), fmt.Sprintf("two-%d", n)}
		for _, name := range names {
			if _, err := b.Client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
				t.Fatal(err)
			}
		}
		place := rapid.Custom(func(t *rapid.T) storage.Place {
			return storage.Place{Bucket: rapid.SampledFrom(names).Draw(t, "bucket"), Prefix: rapid.SampledFrom(folders).Draw(t, "prefix")}
		})
		type key struct {
			role  string
			place storage.Place
		}
		wanted := map[key]bool{}
		for range rapid.IntRange(1, 4).Draw(t, "plans") {
			accesses := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) storage.Access {
				return storage.Access{Role: rapid.SampledFrom(roles).Draw(t, "role"), Open: rapid.SliceOfN(place, 0, 3).Draw(t, "open"), Close: rapid.SliceOfN(place, 0, 3).Draw(t, "close")}
			}), 0, 5).Draw(t, "accesses")
			for _, a := range accesses {
				for _, p := range a.Close {
					delete(wanted, key{a.Role, p})
				}
			}
			for _, a := range accesses {
				for _, p := range a.Open {
					wanted[key{a.Role, p}] = true
				}
			}
			changes, err := b.Prepare(context.Background(), accesses...)
			if err != nil {
				t.Fatal(err)
			}
			todo := &plan.Plan{Operation: "test"}
			for _, c := range changes {
				b.Step(todo, c)
			}
			if len(todo.Steps) > len(names) || len(todo.Warnings) > 0 {
				t.Fatalf("more than one step a bucket, or doubts about what is ours: %s", todo)
			}
			if _, err := todo.Apply(context.Background(), plan.Settings{}); err != nil {
				t.Fatal(err)
			}
			if again, err := b.Prepare(context.Background(), accesses...); err != nil || len(again) > 0 {
				t.Fatalf("a second time there is %d to do, %v", len(again), err)
			}
		}
		for _, name := range names {
			policy, err := currentPolicy(b, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, role := range roles {
				var open []string
				for k := range wanted {
					if k.role == role && k.place.Bucket == name {
						open = append(open, k.place.Prefix)
					}
				}
				for _, folder := range append(folders, "other/") {
					want := slices.ContainsFunc(open, func(p string) bool { return strings.HasPrefix(folder, p) })
					if read, listed := opens(t, policy, name, role, folder); read != want || listed != want {
						t.Fatalf("%s may read %v and list %v %q in %s, want %v; open are %q in %s", role, read, listed, folder, name, want, open, policy)
					}
				}
			}
		}
	})
}

// makeRoles makes roles of the mesh's account and one of another account, and returns the latter.
func makeRoles(t *testing.T, mesh *localmesh.Mesh, arns []string) []string {
	t.Helper()
	const another = "arn:aws:iam::777777777777:role/Three"
	for _, arn := range append(slices.Clone(arns), another) {
		client := iam.NewFromConfig(mesh.Config("arn:aws:iam::" + strings.Split(arn, ":")[4] + ":role/Admin"))
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lakeformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
		if _, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(arn[strings.LastIndexByte(arn, '/')+1:]), AssumeRolePolicyDocument: &trust}); err != nil {
			t.Fatal(err)
		}
	}
	return []string{another}
}

func currentPolicy(b storage.Buckets, bucket string) (string, error) {
	out, err := b.Client.GetBucketPolicy(context.Background(), &s3.GetBucketPolicyInput{Bucket: &bucket})
	if awserr.Is(err, "NoSuchBucketPolicy") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy), nil
}

func TestWhatIsNotExactlyOursStaysByteForByte(t *testing.T) {
	t.Parallel()
	objects := map[string]any{"Sid": "LakemeshReadObjects", "Effect": "Allow", "Principal": map[string]any{"AWS": role}, "Action": "s3:GetObject",
		"Resource": []any{"arn:aws:s3:::flights/a/*"}}
	prefixes := map[string]any{"Sid": "LakemeshListPrefixes", "Effect": "Allow", "Principal": map[string]any{"AWS": role}, "Action": "s3:ListBucket",
		"Resource": "arn:aws:s3:::flights", "Condition": map[string]any{"StringLike": map[string]any{"s3:prefix": []any{"a/*"}}}}
	vpc := map[string]any{"StringEquals": map[string]any{"aws:SourceVpc": "vpc-1"}}
	both := map[string]any{"StringLike": map[string]any{"s3:prefix": []any{"a/*"}, "aws:PrincipalTag/x": "y"}}
	// Each changes one member of a statement of ours, or adds one.
	changes := []map[string]any{
		{"Sid": "LakemeshReadObjectsBlocked"}, {"Sid": "Lakemesh"}, {"Sid": nil}, {"Effect": "Deny"},
		{"Principal": "*"}, {"Principal": map[string]any{"AWS": []any{role, role + "2"}}}, {"Principal": map[string]any{"AWS": role, "Service": "s3.amazonaws.com"}},
		{"Principal": nil, "NotPrincipal": map[string]any{"AWS": role}},
		{"Action": "s3:*"}, {"Action": []any{"s3:GetObject", "s3:ListBucket"}}, {"Action": nil, "NotAction": "s3:PutObject"},
		{"Resource": "arn:aws:s3:::flights/a*"}, {"Resource": "arn:aws:s3:::flights/*/a/*"}, {"Resource": []any{"arn:aws:s3:::flights/a/*", "arn:aws:s3:::flights/a?/*"}},
		{"Resource": "arn:aws:s3:::flights/${aws:username}/*"}, {"Resource": "arn:aws:s3:::flights*"}, {"Resource": nil, "NotResource": "arn:aws:s3:::flights/z/*"},
		{"Condition": vpc}, {"Condition": both}, {"Condition": nil, "Resource": nil}, {"Condition": map[string]any{"StringLike": map[string]any{"s3:prefix": "?/*"}}},
		{"Condition": map[string]any{"StringEquals": map[string]any{"s3:prefix": "a/*"}}}, {"Unknown": "x"},
	}
	rapid.Check(t, func(t *rapid.T) {
		var raws []string
		for range rapid.IntRange(1, 4).Draw(t, "statements") {
			s := maps.Clone(rapid.SampledFrom([]map[string]any{objects, prefixes}).Draw(t, "ours"))
			for name, value := range rapid.SampledFrom(changes).Draw(t, "changed") {
				if s[name] = value; value == nil {
					delete(s, name)
				}
			}
			raw, err := json.MarshalIndent(s, rapid.SampledFrom([]string{"", "\t"}).Draw(t, "indent"), " ")
			if err != nil {
				t.Fatal(err)
			}
			raws = append(raws, string(raw))
		}
		policy := `{"Version":"2012-10-17","Statement":[` + strings.Join(raws, ",") + `]}`
		intact := func(when, policy string) {
			var d struct{ Statement []json.RawMessage }
			if err := json.Unmarshal([]byte(policy), &d); err != nil {
				t.Fatal(err)
			}
			sids := map[string]bool{}
			for i, raw := range d.Statement {
				var s struct{ Sid string }
				if err := json.Unmarshal(raw, &s); err != nil {
					t.Fatal(err)
				}
				if i >= len(raws) && sids[s.Sid] {
					t.Fatalf("%s: the name %s is taken", when, s.Sid)
				}
				sids[s.Sid] = true
				if i < len(raws) && string(raw) != raws[i] {
					t.Fatalf("%s: %s became %s", when, raws[i], raw)
				}
			}
			if len(d.Statement) < len(raws) {
				t.Fatalf("%s: %s is missing some of %s", when, policy, raws)
			}
		}
		had, err := storage.Prefixes(policy, bucket, role)
		if err != nil || len(had) > 0 {
			t.Fatalf("open are %q before anything was opened, %v", had, err)
		}
		opened, err := storage.Merge(policy, bucket, role, []string{"a/", "*/"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		intact("opened", opened)
		if got, err := storage.Prefixes(opened, bucket, role); err != nil || !slices.Equal(got, []string{"*/", "a/"}) {
			t.Fatalf("open are %q, %v", got, err)
		}
		closed, err := storage.Merge(opened, bucket, role, nil, []string{"a/", "*/"})
		if err != nil {
			t.Fatal(err)
		}
		intact("closed", closed)
		if got, err := storage.Prefixes(closed, bucket, role); err != nil || len(got) > 0 {
			t.Fatalf("open are %q, %v", got, err)
		}
	})
}
