package enrolment_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/enrolment"
)

const mesh = "555555555555"

func TestWhatIsWrongIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ content, want string }{
		"nothing":          {"", "f.yaml: it has no accounts"},
		"a text":           {"accounts", "f.yaml:1: "},
		"a list":           {"- id: 111111111111", "f.yaml:1: "},
		"no list":          {"accounts: {id: 111111111111}", "f.yaml:1: "},
		"a number":         {"accounts: [1]", "f.yaml:1: "},
		"an entry of none": {"accounts:\n  - id: 111111111111\n    type: producer\n  -\n", "f.yaml: "},
		"no type":          {"accounts:\n  - id: 111111111111\n", `f.yaml:2: type: "" is not a type of account`},
		"no id":            {"accounts:\n  - type: producer\n", `f.yaml:2: id: "" is not an account id`},
		"an id of a list":  {"accounts:\n  - id: [1]\n", "an account id is expected"},
		"a key twice":      {"accounts:\n  - id: 111111111111\n    type: producer\n    type: consumer\n", "f.yaml:4: "},
		"a tab":            {"accounts:\n\t- id: 111111111111\n", "f.yaml:"},
		"another word":     {"account:\n  - id: 111111111111\n", `f.yaml:1: unknown field "account"`},
		"the mesh":         {"accounts:\n  - id: 555555555555\n    type: producer\n", "f.yaml:2: id: 555555555555 is the mesh account itself"},
		"twice":            {"accounts:\n  - {id: 111111111111, type: producer}\n  - {id: 111111111111, type: consumer}\n", "f.yaml:3: account 111111111111 stands in line 2 already"},
		"none with a half": {"accounts:\n  - id: 111111111111\n    type: producer\n    administrator: none\n    buckets: [flights]\n", "f.yaml:2: buckets, key-policies and link-regions are of the account's own half"},
		"a foreign role":   {"accounts:\n  - id: 111111111111\n    type: producer\n    administrator: arn:aws:iam::222222222222:role/Admin\n", "f.yaml:2: administrator: "},
		"an alias":         {"accounts:\n  - id: 111111111111\n    type: producer\n    kms-keys: [alias/data]\n", "f.yaml:2: kms-keys: "},
		"a foreign key":    {"accounts:\n  - id: 111111111111\n    type: producer\n    key-policies: ['arn:aws:kms:eu-west-1:222222222222:key/1']\n", "f.yaml:2: key-policies: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := enrolment.Read("f.yaml", []byte(c.content), mesh, "eu-west-1")
			if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v, %v; want %q", all, err, c.want)
			}
		})
	}
}

func TestAccountsTakeWhatTheyDoNotSayFromTheDefaults(t *testing.T) {
	t.Parallel()
	all, err := enrolment.Read("f.yaml", []byte(`
mesh: 555555555555
defaults:
  administrator: path/Setup
  permissions-boundary: Bound
  tags: {team: lake, stage: prod}
accounts:
  - id: 012345678901
    type: Producer
    tags: {stage: test}
  - id: "111111111111"
    type: consumer
    profile: own
    permissions-boundary: Other
`), mesh, "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	want := []enrolment.Account{
		{ID: "012345678901", Type: admin.Producer, Administrator: "path/Setup", Roles: admin.RoleOptions{PermissionsBoundary: "Bound", Tags: map[string]string{"team": "lake", "stage": "test"}}, Line: 8},
		{ID: "111111111111", Type: admin.Consumer, Profile: "own", Roles: admin.RoleOptions{PermissionsBoundary: "Other", Tags: map[string]string{"team": "lake", "stage": "prod"}}, Line: 11},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
	if arn := all[0].AdministratorARN(lakemesh.PartitionAWS); arn != "arn:aws:iam::012345678901:role/path/Setup" {
		t.Errorf("the administrator is %s", arn)
	}
	if arn := all[1].AdministratorARN(lakemesh.PartitionAWS); arn != "" {
		t.Errorf("the administrator is %s", arn)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("accounts:\n  - id: 111111111111\n    type: producer\n")
	f.Add("mesh: &a 5\naccounts: *a\n")
	f.Fuzz(func(t *testing.T, content string) {
		all, err := enrolment.Read("f.yaml", []byte(content), mesh, "eu-west-1")
		if err == nil && len(all) == 0 {
			t.Errorf("nothing is wrong, and there is nothing: %q", content)
		}
	})
}
