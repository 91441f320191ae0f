package storage_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/storage"
)

const (
	bucket = "flights"
	role   = "arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshDataAccess"
)

func TestMergeOpensAndCloses(t *testing.T) {
	t.Parallel()
	policy, err := storage.Merge("", bucket, role, []string{"weather/", "routes/"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Statement":[` +
		`{"Sid":"LakemeshReadObjects","Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"s3:GetObject","Resource":["arn:aws:s3:::flights/routes/*","arn:aws:s3:::flights/weather/*"]},` +
		`{"Sid":"LakemeshListPrefixes","Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::flights","Condition":{"StringLike":{"s3:prefix":["routes/*","weather/*"]}}}` +
		`],"Version":"2012-10-17"}`
	if diff := cmp.Diff(want, policy); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	prefixes, err := storage.Prefixes(policy, bucket, role)
	if err != nil || !slices.Equal(prefixes, []string{"routes/", "weather/"}) {
		t.Errorf("prefixes %q, %v", prefixes, err)
	}
	again, err := storage.Merge(policy, bucket, role, []string{"weather/"}, []string{"unknown/", "weather/"})
	if err != nil || again != policy {
		t.Errorf("opening again changes the policy: %s, %v", again, err)
	}
	closed, err := storage.Merge(policy, bucket, role, nil, []string{"weather/", "routes/"})
	if err != nil || closed != "" {
		t.Errorf("closing everything leaves %q, %v", closed, err)
	}
}

func TestMergeReadsOneTextAsAList(t *testing.T) {
	t.Parallel()
	// S3 hands a list of one element out as it was put in; people write it as a text.
	policy := `{"Version":"2012-10-17","Statement":[{"Sid":"LakemeshReadObjects","Effect":"Allow","Principal":{"AWS":["` + role + `"]},"Action":"s3:GetObject","Resource":"arn:aws:s3:::flights/a/*"}]}`
	got, err := storage.Merge(policy, bucket, role, []string{"b/"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	prefixes, err := storage.Prefixes(got, bucket, role)
	if err != nil || !slices.Equal(prefixes, []string{"a/", "b/"}) {
		t.Errorf("prefixes %q, %v", prefixes, err)
	}
	if strings.Count(got, "LakemeshListPrefixes") != 1 {
		t.Errorf("the missing statement was not completed: %s", got)
	}
}

func TestMergeLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	others := []string{
		`{"Sid":"Mine","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::flights/*","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Unknown":{"n":12345678901234567890,"t":"<&>"}}`,
		`{"Sid":"LakemeshReadObjects","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::777777777777:role/AwsDataMesh/DataMeshDataAccess"},"Action":"s3:GetObject","Resource":["arn:aws:s3:::flights/x/*"]}`,
		`{"NotPrincipal":{"AWS":["a","b"]},"Effect":"Deny","Action":[],"Resource":[]}`,
		`"nonsense"`,
	}
	policy := `{"Version":"2008-10-17","Id":"theirs","Extra":[1,2],"Statement":[` + strings.Join(others, ",") + `]}`
	opened, err := storage.Merge(policy, bucket, role, []string{"weather/"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(others, `"Version":"2008-10-17"`, `"Id":"theirs"`, `"Extra":[1,2]`) {
		if !strings.Contains(opened, s) {
			t.Errorf("lost or changed: %s\nin %s", s, opened)
		}
	}
	// The name is taken by another mesh's statement: names are unique in a policy.
	if !strings.Contains(opened, `"LakemeshReadObjects555555555555"`) {
		t.Errorf("the name of our statement is not unique: %s", opened)
	}
	closed, err := storage.Merge(opened, bucket, role, nil, []string{"weather/"})
	if err != nil {
		t.Fatal(err)
	}
	var before, after any
	if json.Unmarshal([]byte(policy), &before) != nil || json.Unmarshal([]byte(closed), &after) != nil {
		t.Fatal("not JSON")
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("after opening and closing (-before +after):\n%s", diff)
	}
}

func TestMergeKeepsASingleStatement(t *testing.T) {
	t.Parallel()
	single := `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::flights/public/*"}`
	got, err := storage.Merge(`{"Statement":`+single+`}`, bucket, role, []string{"w/"}, nil)
	if err != nil || !strings.Contains(got, single) || strings.Count(got, "Effect") != 3 {
		t.Errorf("%s, %v", got, err)
	}
}

func TestMergeRefusesWhatIsNoPolicy(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"{", "[]", `{"Statement":["a"`, `"x"`} {
		if got, err := storage.Merge(policy, bucket, role, []string{"w/"}, nil); err == nil {
			t.Errorf("%q was merged into %q", policy, got)
		}
	}
}

func TestMergeProperties(t *testing.T) {
	t.Parallel()
	prefix := rapid.SampledFrom([]string{"", "a/", "a/b/", "b/", "${x}/", "*/", "q?/", "$/", "${*}/", "ä ö/"})
	rapid.Check(t, func(t *rapid.T) {
		open := rapid.SliceOf(prefix).Draw(t, "open")
		more := rapid.SliceOf(prefix).Draw(t, "more")
		closed := rapid.SliceOf(prefix).Draw(t, "closed")
		policy, err := storage.Merge("", bucket, role, open, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := storage.Merge(policy, bucket, role, more, closed)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, p := range open {
			if !slices.Contains(closed, p) {
				want = append(want, p)
			}
		}
		want = append(want, more...)
		slices.Sort(want)
		want = slices.Compact(want)
		prefixes, err := storage.Prefixes(got, bucket, role)
		if err != nil || !slices.Equal(prefixes, want) {
			t.Fatalf("open %q, then open %q and close %q: %q, want %q", open, more, closed, prefixes, want)
		}
		again, err := storage.Merge(got, bucket, role, more, closed)
		if err != nil || again != got {
			t.Fatalf("a second time it changes from %s to %s", got, again)
		}
	})
}

func FuzzMerge(f *testing.F) {
	f.Add(`{"Statement":[{"Sid":"LakemeshReadObjects","Principal":{"AWS":"x"},"Resource":1}]}`, "a/")
	f.Add(`{"Statement":{}}`, "")
	f.Add("", "${*}")
	f.Fuzz(func(t *testing.T, policy, prefix string) {
		if !utf8.ValidString(prefix) {
			t.Skip("keys of objects are UTF-8")
		}
		opened, err := storage.Merge(policy, bucket, role, []string{prefix}, nil)
		if err != nil {
			return
		}
		if !json.Valid([]byte(opened)) {
			t.Fatalf("%q becomes %q, which is no JSON", policy, opened)
		}
		again, err := storage.Merge(opened, bucket, role, []string{prefix}, nil)
		if err != nil || again != opened {
			t.Fatalf("a second time it changes from %q to %q, %v", opened, again, err)
		}
	})
}

func TestParsePlace(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]storage.Place{
		"s3://b/p/t":    {Bucket: "b", Prefix: "p/t/"},
		"s3://b/p/t/":   {Bucket: "b", Prefix: "p/t/"},
		"s3a://b//p/t/": {Bucket: "b", Prefix: "/p/t/"},
		"s3://b/hr//":   {Bucket: "b", Prefix: "hr//"},
		"s3://b//":      {Bucket: "b", Prefix: "/"},
		"s3://b//a":     {Bucket: "b", Prefix: "/a/"},
		"s3://b/*/":     {Bucket: "b", Prefix: "*/"},
		"s3://b/${x}?":  {Bucket: "b", Prefix: "${x}?/"},
		"s3n://b":       {Bucket: "b"},
		"s3://b/":       {Bucket: "b"},
	} {
		if got, ok := storage.ParsePlace(location); !ok || got != want {
			t.Errorf("ParsePlace(%q) = %+v, %v; want %+v", location, got, ok, want)
		}
	}
	for _, location := range []string{"", "s3://", "hdfs://b/p", "/b/p", "s3:/b/p", "s3:///p/", "s3://*/p/", "s3://b*/p/", "s3://b?/", "s3://${b}/"} {
		if got, ok := storage.ParsePlace(location); ok {
			t.Errorf("ParsePlace(%q) = %+v", location, got)
		}
	}
	if arn := (storage.Place{Bucket: "b", Prefix: "p/t/"}).ARN(lakemesh.PartitionAWS); arn != "arn:aws:s3:::b/p/t" {
		t.Error(arn)
	}
	if arn := (storage.Place{Bucket: "b"}).ARN(lakemesh.PartitionAWS); arn != "arn:aws:s3:::b" {
		t.Error(arn)
	}
	if (storage.Place{Bucket: "b", Prefix: "orders/"}).Covers(storage.Place{Bucket: "b", Prefix: "orders_eu/"}) {
		t.Error("orders/ covers orders_eu/")
	}
}
