package enrolment_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/enrolment"
)

// Ids of accounts are texts of twelve digits that YAML takes for numbers, in several ways
// (https://github.com/awslabs/aws-deployment-framework/issues/75,
// https://github.com/coinbase/assume-role/issues/7): what stands there is what is meant, or it is
// refused.
func TestIdsAreWhatStandsThere(t *testing.T) {
	t.Parallel()
	const octal = "012345670123"
	for name, c := range map[string]struct{ id, want string }{
		"digits":                     {"111111111111", "111111111111"},
		"in quotes":                  {`"111111111111"`, "111111111111"},
		"in single quotes":           {`'012345670123'`, octal},
		"octal":                      {octal, octal},
		"no octal":                   {"089999999999", "089999999999"},
		"zeroes":                     {"000000000012", "000000000012"},
		"a text with a tag":          {"!!str 012345670123", octal},
		"in lines":                   {">-\n      012345670123", octal},
		"an anchor":                  {"&own 012345670123", octal},
		"octal of YAML 1.2":          {"0o12345670123", ""},
		"hexadecimal":                {"0x1111111111", ""},
		"binary":                     {"0b1111111111", ""},
		"underscores":                {"111_111_111_111", ""},
		"a sign":                     {"+111111111111", ""},
		"a float":                    {"1.11111111111e11", ""},
		"as the console writes it":   {"1111-1111-1111", ""},
		"spaces":                     {"1111 1111 1111", ""},
		"a space behind":             {`"111111111111 "`, ""},
		"a line behind":              {`"111111111111\n"`, ""},
		"digits of another alphabet": {`"١١١١١١١١١١١١"`, ""},
		"true":                       {"true", ""},
		"nothing":                    {"", ""},
		"null":                       {"~", ""},
		"an alias of nothing":        {"*none", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := enrolment.Read("f.yaml", []byte("accounts:\n  - type: producer\n    id: "+c.id+"\n"), mesh, "eu-west-1")
			switch {
			case c.want == "" && (!errors.Is(err, lakemesh.ErrInvalidInput) || !strings.HasPrefix(err.Error(), "f.yaml")):
				t.Errorf("%+v, %v", all, err)
			case c.want != "" && (err != nil || all[0].ID != c.want):
				t.Errorf("%+v, %v; want %s", all, err, c.want)
			}
		})
	}
}

// An id that lost its zeroes on the way, to a program that took it for a number, is told by
// what it lacks.
func TestALostZeroIsTold(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"12345678901", "1402434204", "12", `"12345678901"`} {
		_, err := enrolment.Read("f.yaml", []byte("accounts:\n  - type: producer\n    id: "+id+"\n"), mesh, "eu-west-1")
		if err == nil || !strings.Contains(err.Error(), "begins with 0") {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// The same account twice is refused, however it is written.
func TestTheSameAccountIsOnceInAFile(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"012345670123", `"012345670123"`, "'012345670123'", "*own", "!!str 012345670123"} {
		_, err := enrolment.Read("f.yaml", []byte("accounts:\n  - {id: &own 012345670123, type: producer}\n  - {id: "+other+", type: consumer}\n"), mesh, "eu-west-1")
		if err == nil || !strings.Contains(err.Error(), "f.yaml:3: account 012345670123 stands in line 2 already") {
			t.Errorf("%s: %v", other, err)
		}
	}
}

// Files that people keep use anchors, merged keys and comments: they mean what YAML says.
func TestAnchorsAndMergedKeys(t *testing.T) {
	t.Parallel()
	all, err := enrolment.Read("f.yaml", []byte(`# Kept by the platform team.
mesh: &mesh "555555555555"
defaults: {administrator: &who OrganizationAccountAccessRole, tags: &tags {team: lake}}
accounts:
  - &first
    id: "111111111111"
    type: producer
    buckets: &buckets [flights, weather]
    tags: {<<: *tags, stage: prod}
  - <<: *first
    id: "222222222222"
    administrator: *who
  - id: "333333333333"   # the last
    type: both
    buckets: *buckets
`), mesh, "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	for i, want := range []string{"111111111111", "222222222222", "333333333333"} {
		a := all[i]
		if a.ID != want || strings.Join(a.Buckets, " ") != "flights weather" || a.Administrator != "OrganizationAccountAccessRole" || a.Roles.Tags["team"] != "lake" {
			t.Errorf("%d: %+v", i, a)
		}
	}
	if all[1].Roles.Tags["stage"] != "prod" || all[1].Line != 11 {
		t.Errorf("%+v", all[1])
	}
}

// Names with spaces around them, or that are none, are refused with their line: nothing is
// trimmed, and nothing is left out.
func TestNamesAreTakenAsTheyStand(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"a bucket with a space":      `buckets: ["flights "]`,
		"a bucket of two words":      `buckets: [my bucket]`,
		"buckets that are one":       `buckets: flights`,
		"an empty bucket":            `buckets: [""]`,
		"a bucket of no name":        `buckets: [~]`,
		"every bucket and one":       `buckets: ["*", flights]`,
		"a role with a space":        `administrator: "Organization AccountAccessRole"`,
		"a role that is a list":      `administrator: [A]`,
		"a key with a space":         `kms-keys: ["arn:aws:kms:eu-west-1:111111111111:key/1 "]`,
		"an empty key":               `kms-keys: [""]`,
		"a crawler role by its name": `crawler-role: Crawler`,
		"a region that is none":      `link-regions: [Frankfurt]`,
		"a tag of AWS's own":         `tags: {"aws:x": y}`,
		"a boundary with a space":    `permissions-boundary: my boundary`,
		"a foreign boundary":         `permissions-boundary: arn:aws:iam::222222222222:policy/Bound`,
		"tags that are a list":       `tags: [a, b]`,
	} {
		kind := "producer"
		if strings.HasPrefix(line, "link-regions") {
			kind = "consumer"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := enrolment.Read("f.yaml", []byte("accounts:\n  - id: 111111111111\n    type: "+kind+"\n    "+line+"\n"), mesh, "eu-west-1")
			if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.HasPrefix(err.Error(), "f.yaml:") {
				t.Errorf("%+v, %v", all, err)
			}
		})
	}
}

// More buckets than a policy has room for are refused with the line, before any account is
// changed.
func TestMoreThanFitsIsRefusedWithItsLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("b", 60)
	_, err := enrolment.Read("f.yaml", []byte("accounts:\n  - id: 111111111111\n    type: producer\n    buckets: ["+strings.TrimSuffix(strings.Repeat(long+", ", 200), ", ")+"]\n"), mesh, "eu-west-1")
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "f.yaml:2: ") || !strings.Contains(err.Error(), "fewer buckets") {
		t.Errorf("%.300v", err)
	}
}

// A file of a mesh in another partition has its names.
func TestNamesAreOfTheMeshsPartition(t *testing.T) {
	t.Parallel()
	for region, partition := range map[string]string{"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		for _, named := range []string{"aws", "aws-cn", "aws-us-gov"} {
			for key, value := range map[string]string{
				"administrator": "arn:" + named + ":iam::111111111111:role/Admin", "crawler-role": "arn:" + named + ":iam::111111111111:role/Crawler",
				"kms-keys": "['arn:" + named + ":kms:" + region + ":111111111111:key/1']", "key-policies": "['arn:" + named + ":kms:" + region + ":111111111111:key/1']",
				"permissions-boundary": "arn:" + named + ":iam::aws:policy/PowerUserAccess",
			} {
				_, err := enrolment.Read("f.yaml", []byte("accounts:\n  - id: 111111111111\n    type: producer\n    "+key+": "+value+"\n"), mesh, region)
				if ok := err == nil; ok != (named == partition) || !ok && !strings.Contains(err.Error(), "f.yaml:2: "+key+": ") {
					t.Errorf("%s, %s: %v", region, value, err)
				}
			}
		}
	}
}

// What aliases can blow up is refused.
func TestAliasesOfAliasesAreRefused(t *testing.T) {
	t.Parallel()
	content := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		content += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	if _, err := enrolment.Read("f.yaml", []byte(content), mesh, "eu-west-1"); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("%.300v", err)
	}
	for _, content := range []string{"accounts: &a [*a]\n", "accounts: &a {b: *a}\n", "a: &a {<<: *a}\n"} {
		if _, err := enrolment.Read("f.yaml", []byte(content), mesh, "eu-west-1"); err == nil || !strings.Contains(err.Error(), "f.yaml:1: there is no anchor") {
			t.Errorf("%s: %v", content, err)
		}
	}
}
