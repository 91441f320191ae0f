package storage_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/storage"
)

const (
	testKey    = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	readerRole = "arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshDataAccess-111111111111"
)

// oddKeyPolicies are policies of keys as they are met: each must stay as it is, but for our
// statement.
func oddKeyPolicies() map[string]string {
	root := `{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}`
	var long []string
	for i := range 73 {
		long = append(long, fmt.Sprintf(`{"Sid":"Team %d","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:role/team-%d","arn:aws:iam::222222222222:root"]},"Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"111111111111"}}}`, i, i))
	}
	return map[string]string{
		"the default":            `{"Version":"2012-10-17","Id":"key-default-1","Statement":[` + root + `]}`,
		"one without a list":     `{"Version":"2012-10-17","Id":"key-consolepolicy-3","Statement":` + root + `}`,
		"the older version":      `{"Version":"2008-10-17","Statement":[` + root + `,{"Effect":"Allow","Principal":"*","Action":["kms:Encrypt","kms:Decrypt"],"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com","kms:CallerAccount":"111111111111"}}}]}`,
		"no version":             "{\n  \"Statement\" : [ \n " + root + " ] }",
		"not principal":          `{"Version":"2012-10-17","Statement":[` + root + `,{"Sid":"<&>\u00e4","Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::111111111111:role/admin"]},"NotAction":["kms:Describe*"],"Resource":"*"}]}`,
		"services and grants":    `{"Version":"2012-10-17","Statement":[` + root + `,{"Effect":"Allow","Principal":{"AWS":["111111111111","arn:aws:iam::222222222222:root"],"Service":["logs.us-east-1.amazonaws.com","delivery.logs.amazonaws.com"]},"Action":"kms:CreateGrant","Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":true},"NumericLessThan":{"aws:MultiFactorAuthAge":3600}}}]}`,
		"a name like ours":       `{"Version":"2012-10-17","Statement":[` + root + `,{"Sid":"LakemeshReadUnderKey","Effect":"Deny","Principal":{"AWS":"` + readerRole + `"},"Action":"kms:Decrypt","Resource":"*"}]}`,
		"ours with a condition":  `{"Version":"2012-10-17","Statement":[` + root + `,{"Sid":"LakemeshReadUnderKey","Effect":"Allow","Principal":{"AWS":"` + readerRole + `"},"Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"},"StringLike":{"kms:EncryptionContext:aws:s3:arn":["arn:aws:s3:::lake","arn:aws:s3:::lake/*"]},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`,
		"ours for one folder":    `{"Version":"2012-10-17","Statement":[` + root + `,{"Sid":"LakemeshReadUnderKey","Effect":"Allow","Principal":{"AWS":"` + readerRole + `"},"Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"},"StringLike":{"kms:EncryptionContext:aws:s3:arn":["arn:aws:s3:::lake","arn:aws:s3:::lake/x/*"]}}}]}`,
		"of another mesh":        `{"Version":"2012-10-17","Statement":[` + root + `,` + storage.ReadStatement(testKey, strings.ReplaceAll(readerRole, "555555555555", "666666666666"), "lake") + `]}`,
		"that was added by hand": `{"Version":"2012-10-17","Statement":[` + root + `,` + storage.KeyStatement(readerRole, testKey) + `]}`,
		"nearly full":            `{"Version":"2012-10-17","Statement":[` + root + `,` + strings.Join(long, ",") + `]}`,
	}
}

// What we add to the policy of a key is taken out again, and all else says what it said.
func TestKeyPoliciesOfOthersStay(t *testing.T) {
	t.Parallel()
	first, second := storage.KeyReader{Role: readerRole, Bucket: "lake"}, storage.KeyReader{Role: readerRole, Bucket: "pond"}
	for name, policy := range oddKeyPolicies() {
		opened := mergeKey(t, name, policy, []storage.KeyReader{first}, nil)
		if readers, err := storage.KeyReaders(opened, testKey); err != nil || !slices.Contains(readers, first) {
			t.Errorf("%s: readers are %v, %v", name, readers, err)
		}
		if again := mergeKey(t, name, opened, []storage.KeyReader{first}, nil); again != opened {
			t.Errorf("%s: opened again it becomes\n%s\nnot\n%s", name, again, opened)
		}
		both := mergeKey(t, name, opened, []storage.KeyReader{second}, nil)
		if strings.Count(both, "LakemeshReadUnderKey") != strings.Count(opened, "LakemeshReadUnderKey") {
			t.Errorf("%s: a second bucket makes a second statement: %s", name, both)
		}
		if one := mergeKey(t, name, both, nil, []storage.KeyReader{second}); !sameJSON(t, one, opened) {
			t.Errorf("%s: one is left:\n%s\nwant\n%s", name, one, opened)
		}
		// As AWS shows it: with blanks, lists in another order.
		var shown any
		must(t, json.Unmarshal([]byte(both), &shown))
		raw, err := json.MarshalIndent(shown, "", "  ")
		must(t, err)
		closed := mergeKey(t, name, string(raw), nil, []storage.KeyReader{first, second})
		if !sameJSON(t, closed, listed(policy)) {
			t.Errorf("%s: closed it is\n%s\nwant\n%s", name, closed, policy)
		}
		if none := mergeKey(t, name, policy, nil, []storage.KeyReader{first}); none != policy {
			t.Errorf("%s: what was not opened is closed: %s", name, none)
		}
	}
}

func mergeKey(t *testing.T, name, policy string, open, shut []storage.KeyReader) string {
	t.Helper()
	text, err := storage.MergeKey(policy, testKey, open, shut)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return text
}

// listed is a policy whose one statement is a list.
func listed(policy string) string {
	var d map[string]any
	if json.Unmarshal([]byte(policy), &d) != nil {
		return policy
	}
	if _, one := d["Statement"].(map[string]any); one {
		d["Statement"] = []any{d["Statement"]}
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return policy
	}
	return string(raw)
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	must(t, json.Unmarshal([]byte(a), &x))
	must(t, json.Unmarshal([]byte(b), &y))
	return reflect.DeepEqual(x, y)
}

func TestKeyPoliciesThatCannotBeWrittenAreRefused(t *testing.T) {
	t.Parallel()
	reader := []storage.KeyReader{{Role: readerRole, Bucket: "lake"}}
	full := `{"Version":"2012-10-17","Statement":[{"Sid":"` + strings.Repeat("x", storage.MaxKeyPolicy-200) + `","Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}`
	if _, err := storage.MergeKey(full, testKey, reader, nil); !errors.Is(err, lakemesh.ErrQuota) {
		t.Errorf("a full policy: %v", err)
	}
	ours := `{"Version":"2012-10-17","Statement":[` + storage.ReadStatement(testKey, readerRole, "lake") + `]}`
	if _, err := storage.MergeKey(ours, testKey, nil, reader); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("nothing would be left: %v", err)
	}
	if _, err := storage.MergeKey(`{"Statement":[]}`, testKey, []storage.KeyReader{{Role: "*", Bucket: "lake"}}, nil); !errors.Is(err, lakemesh.ErrInvalidInput) {
		t.Errorf("everybody was let in: %v", err)
	}
	if _, err := storage.MergeKey("no policy", testKey, reader, nil); err == nil {
		t.Error("what is no policy was changed")
	}
}

// Whatever is opened and closed, who may read is what is left, and no more.
func TestKeyReadersAreWhatWasWanted(t *testing.T) {
	t.Parallel()
	root := oddKeyPolicies()["the default"]
	rapid.Check(t, func(rt *rapid.T) {
		policy, want := root, map[storage.KeyReader]bool{}
		reader := rapid.Custom(func(rt *rapid.T) storage.KeyReader {
			return storage.KeyReader{Role: readerRole + rapid.SampledFrom([]string{"", "0", "1"}).Draw(rt, "role"), Bucket: rapid.SampledFrom([]string{"a", "a-b", "b"}).Draw(rt, "bucket")}
		})
		for range rapid.IntRange(1, 6).Draw(rt, "changes") {
			open, shut := rapid.SliceOfN(reader, 0, 3).Draw(rt, "open"), rapid.SliceOfN(reader, 0, 3).Draw(rt, "shut")
			var err error
			if policy, err = storage.MergeKey(policy, testKey, open, shut); err != nil {
				rt.Fatal(err)
			}
			for _, r := range shut {
				delete(want, r)
			}
			for _, r := range open {
				want[r] = true
			}
		}
		readers, err := storage.KeyReaders(policy, testKey)
		if err != nil || len(readers) != len(want) || slices.ContainsFunc(readers, func(r storage.KeyReader) bool { return !want[r] }) {
			rt.Fatalf("readers are %v, %v, want %v", readers, err, want)
		}
		if len(want) == 0 && !sameJSON(t, policy, root) {
			rt.Fatalf("left is %s", policy)
		}
		for _, role := range []string{readerRole, readerRole + "0"} {
			for _, bucket := range []string{"a", "a-b", "b"} {
				for _, own := range []bool{true, false} {
					lets, err := storage.KeyLets(policy, storage.KeyRead{Key: testKey, Role: role, Bucket: bucket, BucketKey: own})
					if err != nil || lets.Open != want[storage.KeyReader{Role: role, Bucket: bucket}] {
						rt.Fatalf("%s in %s: %+v, %v", role, bucket, lets, err)
					}
				}
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
