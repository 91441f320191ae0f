package enrolment

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
)

// None as an administrator stands for an account whose own half somebody else makes, such
// as a template.
const None = "none"

// Account is an account as it is to be. Lists that are nil say nothing.
type Account struct {
	ID   string
	Type admin.AccountType
	// Profile is a profile of the SDK's shared files that opens an administrator of the
	// account, Administrator a role of the account that does, by name or ARN, or [None].
	Profile       string
	Administrator string
	// What follows is as in the package admin.
	CrawlerRoleARN string
	Buckets        []string
	KeyPolicies    []string
	KMSKeys        []string
	LinkRegions    []string
	Roles          admin.RoleOptions
	// Line is where it stands in the file.
	Line int
}

// file is the file as it is written.
type file struct {
	Mesh     text      `yaml:"mesh"`
	Defaults defaults  `yaml:"defaults"`
	Accounts []account `yaml:"accounts"`
}

// defaults hold for each account that does not say otherwise.
type defaults struct {
	Administrator string            `yaml:"administrator"`
	Boundary      string            `yaml:"permissions-boundary"`
	Tags          map[string]string `yaml:"tags"`
}

type account struct {
	ID            text              `yaml:"id"`
	Type          string            `yaml:"type"`
	Profile       string            `yaml:"profile"`
	Administrator string            `yaml:"administrator"`
	CrawlerRole   string            `yaml:"crawler-role"`
	Buckets       []string          `yaml:"buckets"`
	KeyPolicies   []string          `yaml:"key-policies"`
	KMSKeys       []string          `yaml:"kms-keys"`
	LinkRegions   []string          `yaml:"link-regions"`
	Boundary      string            `yaml:"permissions-boundary"`
	Tags          map[string]string `yaml:"tags"`
	line          int
}

// text is a text also where YAML reads a number: 012345678901 is an account.
type text string

// UnmarshalYAML implements [yaml.NodeUnmarshaler].
func (t *text) UnmarshalYAML(n ast.Node) error {
	switch n := n.(type) {
	case *ast.StringNode, *ast.IntegerNode:
		*t = text(n.GetToken().Value)
		return nil
	case *ast.LiteralNode:
		*t = text(n.Value.Value)
		return nil
	}
	return &misplaced{n.GetToken(), fmt.Sprintf("an account id is expected, and not %s", n)}
}

// UnmarshalYAML keeps the line beside what is said there.
func (a *account) UnmarshalYAML(n ast.Node) error {
	type plain account
	if err := yaml.NodeToValue(n, (*plain)(a), yaml.Strict()); err != nil {
		return err
	}
	a.line = n.GetToken().Position.Line
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		a.line = m.Values[0].Key.GetToken().Position.Line
	}
	return nil
}

// Read reads a file, whose name its errors have. The mesh account is the one that is worked
// with, in a region, whose partition all names are of: a file of another mesh is refused.
func Read(name string, content []byte, meshAccount, region string) ([]Account, error) {
	f, err := decode(content)
	if err != nil {
		return nil, unreadable(name, err)
	}
	var wrong []error
	if f.Mesh != "" && string(f.Mesh) != meshAccount {
		wrong = append(wrong, invalid(name, 0, "it is for the mesh account %s, and not for %s", f.Mesh, meshAccount))
	}
	if len(f.Accounts) == 0 {
		wrong = append(wrong, invalid(name, 0, "it has no accounts"))
	}
	var all []Account
	lines := map[string]int{}
	for _, entry := range f.Accounts {
		a := entry.with(f.Defaults)
		if err := a.check(meshAccount, region); err != nil {
			wrong = append(wrong, invalid(name, a.Line, "%s%s", plainly(err), lostZero(a.ID)))
		}
		if line, twice := lines[a.ID]; twice {
			wrong = append(wrong, invalid(name, a.Line, "account %s stands in line %d already", a.ID, line))
		}
		lines[a.ID] = a.Line
		all = append(all, a)
	}
	return all, errors.Join(wrong...)
}

// decode reads a file of one document.
func decode(content []byte) (f file, err error) {
	parsed, err := parser.ParseBytes(content, 0)
	if err != nil {
		return f, err
	}
	var body ast.Node
	for _, d := range parsed.Docs {
		switch {
		case d.Body == nil || d.Body.Type() == ast.CommentType:
		case body != nil:
			return f, &misplaced{d.Body.GetToken(), "a second document begins here, and one is expected"}
		default:
			body = d.Body
		}
	}
	if body == nil {
		return f, nil
	}
	e := &expanding{anchors: map[string]ast.Node{}}
	if body, err = e.node(body); err != nil {
		return f, err
	}
	return f, yaml.NodeToValue(body, &f, yaml.Strict())
}

// with is the account with the defaults.
func (a account) with(d defaults) Account {
	tags := maps.Clone(d.Tags)
	if tags == nil {
		tags = a.Tags
	} else {
		maps.Copy(tags, a.Tags)
	}
	out := Account{ID: string(a.ID), Type: admin.AccountType(strings.ToLower(a.Type)), Profile: a.Profile, Administrator: a.Administrator, CrawlerRoleARN: a.CrawlerRole,
		Buckets: a.Buckets, KeyPolicies: a.KeyPolicies, KMSKeys: a.KMSKeys, LinkRegions: a.LinkRegions,
		Roles: admin.RoleOptions{PermissionsBoundary: cmp.Or(a.Boundary, d.Boundary), Tags: tags}, Line: a.line}
	if out.Profile == "" && out.Administrator == "" {
		out.Administrator = d.Administrator
	}
	return out
}

// fewerDigits are what is left of an id whose zeroes got lost, or that was read as octal.
var fewerDigits = regexp.MustCompile(`^[0-9]{1,11}$`)

// lostZero says what may have become of an id that is too short. Programs that write YAML take
// it for a number.
func lostZero(id string) string {
	if !fewerDigits.MatchString(id) {
		return ""
	}
	return "; if it begins with 0, a program has taken it for a number: write it in quotes there"
}

var roleName = regexp.MustCompile(`^[\w+=,.@/-]+$`)

// check refuses what set-up would refuse, and what would be left unsaid.
func (a Account) check(mesh, region string) error {
	in := admin.FrameInput{MeshAccountID: mesh, Region: region, AccountID: a.ID, Type: a.Type, CrawlerRoleARN: a.CrawlerRoleARN, Buckets: a.Buckets, KeyPolicies: a.KeyPolicies,
		LinkRegions: a.LinkRegions, KMSKeys: a.KMSKeys}
	for _, part := range []admin.FramePart{admin.FrameMember, admin.FrameMeshMember} {
		if _, err := admin.FrameOf(part, in); err != nil {
			return err
		}
	}
	partition := lakemesh.PartitionOf(region)
	for _, account := range []string{a.ID, mesh} {
		// Where somebody else makes the account's own half, roles are made in the mesh alone.
		if account == a.ID && a.Administrator == None {
			continue
		}
		if err := a.Roles.Check(partition, account); err != nil {
			return err
		}
	}
	if a.Profile != "" && a.Administrator != "" {
		return errors.New("both profile and administrator open its administrator: name one of them")
	}
	if arn := a.Administrator; strings.HasPrefix(arn, "arn:") {
		if err := partition.Check("administrator", arn); err != nil {
			return fmt.Errorf("administrator: %s", plainly(err))
		}
		if parts := strings.Split(arn, ":"); len(parts) != 6 || parts[2] != "iam" || parts[4] != a.ID || !strings.HasPrefix(parts[5], "role/") {
			return fmt.Errorf("administrator: %q is no role of account %s", arn, a.ID)
		}
	} else if arn != "" && !roleName.MatchString(arn) {
		return fmt.Errorf("administrator: %q is neither the name of a role nor its ARN, nor %s", arn, None)
	}
	if a.Buckets != nil && len(a.Buckets) == 0 {
		// No bucket would stand for every bucket, as where nothing is said.
		return errors.New("buckets: the list is empty; name buckets, or \"*\" for every bucket of the account, or leave it out")
	}
	if a.Administrator == None && (a.Buckets != nil || a.KeyPolicies != nil || a.LinkRegions != nil) {
		return errors.New("buckets, key-policies and link-regions are of the account's own half, which is made by somebody else where administrator is none")
	}
	return nil
}

// AdministratorARN is the ARN of the role that opens the account's administrator; empty if no
// role does.
func (a Account) AdministratorARN(p lakemesh.Partition) string {
	switch {
	case a.Administrator == "" || a.Administrator == None:
		return ""
	case strings.HasPrefix(a.Administrator, "arn:"):
		return a.Administrator
	}
	return p.ARN("iam", "", a.ID, "role/"+strings.TrimPrefix(a.Administrator, "/"))
}

// unreadable tells what YAML does not like about a file, each with its line.
func unreadable(name string, err error) error {
	if known, ok := errors.AsType[*misplaced](err); ok {
		return invalid(name, known.at.Position.Line, "%s", known.text)
	}
	var known yaml.Error
	if errors.As(err, &known) && known.GetToken() != nil {
		return invalid(name, known.GetToken().Position.Line, "%s", known.GetMessage())
	}
	return invalid(name, 0, "%s", err.Error())
}

// plainly is what an error of the library says, without the name of its parameter.
func plainly(err error) string {
	if known := (*lakemesh.Error)(nil); errors.As(err, &known) {
		if field, ok := fields()[known.Resource]; ok {
			return field + ": " + known.Message
		}
	}
	return err.Error()
}

// fields are the names in the file of the library's parameters.
func fields() map[string]string {
	return map[string]string{"AccountID": "id", "Type": "type", "CrawlerRoleARN": "crawler-role", "Buckets": "buckets", "KeyPolicies": "key-policies", "KMSKeys": "kms-keys",
		"LinkRegions": "link-regions", "PermissionsBoundary": "permissions-boundary", "Tags": "tags"}
}

func invalid(name string, line int, format string, args ...any) error {
	where := name
	if line > 0 {
		where = fmt.Sprintf("%s:%d", name, line)
	}
	return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: where, Message: fmt.Sprintf(format, args...)}
}
