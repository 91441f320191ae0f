// Package scenario reads access decisions that are written down as data: who calls what on which resource, under which
// policies, and what AWS answers. The tests of the policy language ask the evaluator; the tests of the local mesh build
// the same world through the SDK's clients, make the call, and look at the answer.
//
// # The form of a file
//
// An unknown field is an error. Where a list of texts is wanted, a single text will do.
//
//	theme: what the scenarios have in common
//	docs: [pages of AWS's documentation that they were written from]
//	setups: {name: SETUP}                 parts of worlds that several scenarios start from
//	scenarios:
//	  - name: unique in the file
//	    setup: [names of setups]          taken together, in order; an entry of a later one replaces an earlier one's
//	    with: SETUP                       what this scenario adds
//	    as: CALLER
//	    ask:
//	      action: s3:GetObject
//	      on: [ARNs]                      all must be allowed, and an explicit deny on one decides; none means "*"
//	      keys: {condition key: [values]} those that the request brings; the ones that follow from caller, resource and
//	                                      time are added
//	      now: 2030-01-02T03:04:05Z       the time of the request
//	    want:
//	      decision: allowed | explicit deny | implicit deny
//	      by: identity | resource | trust | boundary | session     whose statement decided (nobody's, for the root user)
//	      policy: its name: of an inline policy, the ARN of a managed one, or as below
//	      sid: the id of the statement
//	      missing: identity | resource | trust | boundary | session     what had no allow, for an implicit deny
//	    wire:                             how the local mesh is asked; the call itself, if there is nothing
//	      none: why the question cannot be put to it
//	      simulate: why IAM's policy simulator is asked in place of the service
//	      outcome: allowed | refused      when another gate than IAM has the last word
//	      code: error code of that gate
//	      says: part of its message
//	      because: why that is so
//
// The policy of a bucket is called "policy of bucket NAME", a trust policy "trust policy of NAME", that of a catalog
// "the resource policy of the catalog", and session policies "session policy 1" and so on, or their ARN.
//
// A CALLER is the ARN of a user, a role or a root, or
//
//	principal: ARN
//	token: true                           a user with the credentials of GetSessionToken
//	assume:                               roles, assumed one after the other; the last session is the caller
//	  - {role: ARN, name: session, policy: POLICY, policies: [ARNs], tags: {key: value}, transitive: [keys], source: identity}
//
// or one of {anonymous: true}, {service: name} and {federated: provider}.
//
// A SETUP is
//
//	managed:   {ARN: POLICY}              AWS's own are not made, but are written out here for the evaluator
//	groups:    {ARN: {inline: {name: POLICY}, attached: [ARNs]}}
//	users:     {ARN: {inline, attached, boundary: ARN, groups: [names], tags: {key: value}}}
//	roles:     {ARN: {trust: POLICY, inline, attached, boundary, tags}}     without trust: the role's own account
//	buckets:   {name: {account: id, policy: POLICY, objects: [keys], public: true}}
//	tables:    {ARN: {key: name of the partition key, tags}}                of DynamoDB, with text keys
//	databases: {account/name: {tables: [names]}}                            of Glue
//	catalogs:  {account: POLICY}          resource policies of Glue
//	lakeformation: {account: {admins: [ARNs], grants: [{to: principal, on: RESOURCE, permissions: [names]}]}}
//
// with lakeformation, new databases and tables of the account have no IAM_ALLOWED_PRINCIPALS grants; RESOURCE is
// "catalog", "database NAME" or "table DATABASE/NAME".
//
// A POLICY is a list of statements, of the current version of the language, or a whole document.
package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// A File is the scenarios of a theme.
type File struct {
	// Name is the name of the file without its extension.
	Name      string           `yaml:"-"`
	Theme     string           `yaml:"theme"`
	Docs      Texts            `yaml:"docs"`
	Setups    map[string]Setup `yaml:"setups"`
	Scenarios []Scenario       `yaml:"scenarios"`
}

// A Scenario is a question with its answer.
type Scenario struct {
	Name  string `yaml:"name"`
	Setup Texts  `yaml:"setup"`
	// With is what the scenario adds to the setups; after [Load], it is everything.
	With Setup  `yaml:"with"`
	As   Caller `yaml:"as"`
	Ask  Ask    `yaml:"ask"`
	Want Want   `yaml:"want"`
	Wire Wire   `yaml:"wire"`
}

// Texts is a list of texts, which may be written as one text.
type Texts []string

// UnmarshalYAML reads a text or a list of texts.
func (t *Texts) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*t = Texts{one}
		return nil
	}
	return unmarshal((*[]string)(t))
}

// A Policy is a document, as it was written and as it was read.
type Policy struct {
	JSON     string
	Document *iampolicy.Document
}

// UnmarshalYAML reads a list of statements or a whole document.
func (p *Policy) UnmarshalYAML(unmarshal func(any) error) error {
	var value any
	if err := unmarshal(&value); err != nil {
		return err
	}
	if statements, ok := value.([]any); ok {
		value = map[string]any{"Version": iampolicy.Version2012, "Statement": statements}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	p.JSON = string(text)
	p.Document, err = iampolicy.Parse(text)
	return err
}

// Permissions are the policies of a principal.
type Permissions struct {
	Inline   map[string]*Policy `yaml:"inline"`
	Attached Texts              `yaml:"attached"`
	Boundary string             `yaml:"boundary"`
}

// A Group is a group of IAM.
type Group struct {
	Permissions `yaml:",inline"`
}

// A User is a user of IAM.
type User struct {
	Permissions `yaml:",inline"`
	Groups      Texts             `yaml:"groups"`
	Tags        map[string]string `yaml:"tags"`
}

// A Role is a role of IAM.
type Role struct {
	Permissions `yaml:",inline"`
	Trust       *Policy           `yaml:"trust"`
	Tags        map[string]string `yaml:"tags"`
}

// A Bucket is a bucket of S3.
type Bucket struct {
	Account string  `yaml:"account"`
	Policy  *Policy `yaml:"policy"`
	Objects Texts   `yaml:"objects"`
	// Public says that the bucket does not block public policies.
	Public bool `yaml:"public"`
}

// A Table is a table of DynamoDB.
type Table struct {
	Key  string            `yaml:"key"`
	Tags map[string]string `yaml:"tags"`
}

// A Database is a database of Glue.
type Database struct {
	Tables Texts `yaml:"tables"`
}

// A LakeFormation is what Lake Formation of an account is set to.
type LakeFormation struct {
	Admins Texts   `yaml:"admins"`
	Grants []Grant `yaml:"grants"`
}

// A Grant is a grant of Lake Formation.
type Grant struct {
	To          string `yaml:"to"`
	On          string `yaml:"on"`
	Permissions Texts  `yaml:"permissions"`
}

// A Setup is a world, or a part of one.
type Setup struct {
	Managed       map[string]*Policy       `yaml:"managed"`
	Groups        map[string]Group         `yaml:"groups"`
	Users         map[string]User          `yaml:"users"`
	Roles         map[string]Role          `yaml:"roles"`
	Buckets       map[string]Bucket        `yaml:"buckets"`
	Tables        map[string]Table         `yaml:"tables"`
	Databases     map[string]Database      `yaml:"databases"`
	Catalogs      map[string]*Policy       `yaml:"catalogs"`
	LakeFormation map[string]LakeFormation `yaml:"lakeformation"`
}

// A Caller is who asks.
type Caller struct {
	Principal string `yaml:"principal"`
	Token     bool   `yaml:"token"`
	Assume    []Hop  `yaml:"assume"`
	Anonymous bool   `yaml:"anonymous"`
	Service   string `yaml:"service"`
	Federated string `yaml:"federated"`
}

// UnmarshalYAML reads the ARN of a principal, or a caller in its long form.
func (c *Caller) UnmarshalYAML(unmarshal func(any) error) error {
	if err := unmarshal(&c.Principal); err == nil {
		return nil
	}
	type long Caller
	return unmarshal((*long)(c))
}

// A Hop is a role that is assumed.
type Hop struct {
	Role       string            `yaml:"role"`
	Name       string            `yaml:"name"`
	Policy     *Policy           `yaml:"policy"`
	Policies   Texts             `yaml:"policies"`
	Tags       map[string]string `yaml:"tags"`
	Transitive Texts             `yaml:"transitive"`
	Source     string            `yaml:"source"`
}

// An Ask is what is asked.
type Ask struct {
	Action string           `yaml:"action"`
	On     Texts            `yaml:"on"`
	Keys   map[string]Texts `yaml:"keys"`
	Now    string           `yaml:"now"`
}

// A Want is the answer.
type Want struct {
	Decision string `yaml:"decision"`
	By       string `yaml:"by"`
	Policy   string `yaml:"policy"`
	SID      string `yaml:"sid"`
	Missing  string `yaml:"missing"`
}

// A Wire says how the local mesh is asked.
type Wire struct {
	None     string `yaml:"none"`
	Simulate string `yaml:"simulate"`
	Outcome  string `yaml:"outcome"`
	Code     string `yaml:"code"`
	Says     string `yaml:"says"`
	Because  string `yaml:"because"`
}

// Load reads all files of a folder, in the order of their names.
func Load(dir string) ([]File, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no scenarios in %s", dir)
	}
	files := make([]File, 0, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		f.Name = strings.TrimSuffix(filepath.Base(path), ".yaml")
		files = append(files, f)
	}
	return files, nil
}

func parse(text []byte) (File, error) {
	var f File
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&f); err != nil {
		return f, err
	}
	if f.Theme == "" || len(f.Docs) == 0 {
		return f, errors.New("a file has a theme, and names the pages that it was written from")
	}
	seen := map[string]bool{}
	for i := range f.Scenarios {
		s := &f.Scenarios[i]
		if s.Name == "" || seen[s.Name] {
			return f, fmt.Errorf("scenario %d: the name %q is missing or used twice", i+1, s.Name)
		}
		seen[s.Name] = true
		all := Setup{}
		for _, name := range s.Setup {
			part, ok := f.Setups[name]
			if !ok {
				return f, fmt.Errorf("%s: there is no setup %q", s.Name, name)
			}
			all.add(part)
		}
		all.add(s.With)
		s.With = all
		if err := s.check(); err != nil {
			return f, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return f, nil
}

func (s *Setup) add(more Setup) {
	s.Managed = merged(s.Managed, more.Managed)
	s.Groups = merged(s.Groups, more.Groups)
	s.Users = merged(s.Users, more.Users)
	s.Roles = merged(s.Roles, more.Roles)
	s.Buckets = merged(s.Buckets, more.Buckets)
	s.Tables = merged(s.Tables, more.Tables)
	s.Databases = merged(s.Databases, more.Databases)
	s.Catalogs = merged(s.Catalogs, more.Catalogs)
	s.LakeFormation = merged(s.LakeFormation, more.LakeFormation)
}

func merged[V any](a, b map[string]V) map[string]V {
	m := map[string]V{}
	maps.Copy(m, a)
	maps.Copy(m, b)
	return m
}

// check refuses what would make a scenario mean something else than it says.
func (s *Scenario) check() error {
	switch {
	case s.Ask.Action == "":
		return errors.New("no action is asked for")
	case s.Wire.None != "" && s.Wire != (Wire{None: s.Wire.None}):
		return errors.New("wire.none excludes the other fields of wire")
	case s.Wire.Simulate != "" && s.Wire != (Wire{Simulate: s.Wire.Simulate}):
		return errors.New("wire.simulate excludes the other fields of wire")
	case s.Wire.Outcome != "" && s.Wire.Because == "":
		return errors.New("wire.outcome needs a reason")
	case !slices.Contains([]string{"", "allowed", "refused"}, s.Wire.Outcome):
		return fmt.Errorf("wire.outcome is %q", s.Wire.Outcome)
	}
	if s.Ask.Now != "" {
		if _, err := time.Parse(time.RFC3339, s.Ask.Now); err != nil {
			return err
		}
	}
	if _, err := s.Expected(); err != nil {
		return err
	}
	return s.checkDocuments()
}

func (s *Scenario) checkDocuments() error {
	var all []error
	check := func(where string, p *Policy, kind iampolicy.PolicyKind) {
		if p == nil {
			return
		}
		if err := p.Document.Validate(kind); err != nil {
			all = append(all, fmt.Errorf("%s: %w", where, err))
		}
	}
	permissions := func(arn string, p Permissions) {
		for name, policy := range p.Inline {
			check(arn+" "+name, policy, iampolicy.IdentityBased)
		}
		for _, attached := range append(slices.Clone(p.Attached), p.Boundary) {
			if attached != "" && s.With.Managed[attached] == nil {
				all = append(all, fmt.Errorf("%s: the policy %s is not in managed", arn, attached))
			}
		}
	}
	for arn, p := range s.With.Managed {
		check(arn, p, iampolicy.IdentityBased)
	}
	for arn, g := range s.With.Groups {
		permissions(arn, g.Permissions)
	}
	for arn, u := range s.With.Users {
		permissions(arn, u.Permissions)
	}
	for arn, r := range s.With.Roles {
		permissions(arn, r.Permissions)
		check("trust of "+arn, r.Trust, iampolicy.TrustPolicy)
	}
	for name, b := range s.With.Buckets {
		check("bucket "+name, b.Policy, iampolicy.ResourceBased)
	}
	for account, p := range s.With.Catalogs {
		check("catalog of "+account, p, iampolicy.ResourceBased)
	}
	for _, h := range s.As.Assume {
		check("session of "+h.Role, h.Policy, iampolicy.SessionPolicy)
	}
	return errors.Join(all...)
}

// Expected is the decision that the scenario wants. Its Index says nothing.
func (s *Scenario) Expected() (iampolicy.Decision, error) {
	w := s.Want
	d := iampolicy.Decision{Policy: w.Policy, SID: w.SID}
	var err error
	if d.Kind, err = kind(w.By); err != nil {
		return d, err
	}
	if d.Missing, err = kind(w.Missing); err != nil {
		return d, err
	}
	byStatement := w.By != "" && w.Policy != ""
	switch w.Decision {
	case "allowed":
		d.Allowed, d.Effect = true, iampolicy.Allowed
		if w.Missing != "" || !byStatement && (w != Want{Decision: w.Decision}) {
			return d, errors.New("an allowed request names the kind and the policy that allowed it")
		}
	case "explicit deny":
		d.Effect = iampolicy.ExplicitDeny
		if w.Missing != "" || !byStatement {
			return d, errors.New("an explicit deny names the kind and the policy that denied")
		}
	case "implicit deny":
		d.Effect = iampolicy.ImplicitDeny
		if w != (Want{Decision: w.Decision, Missing: w.Missing}) || w.Missing == "" {
			return d, errors.New("an implicit deny names what was missing, and nothing else")
		}
	default:
		return d, fmt.Errorf("want.decision is %q", w.Decision)
	}
	return d, nil
}

func kind(short string) (iampolicy.PolicyKind, error) {
	switch short {
	case "":
		return "", nil
	case "identity":
		return iampolicy.IdentityBased, nil
	case "resource":
		return iampolicy.ResourceBased, nil
	case "trust":
		return iampolicy.TrustPolicy, nil
	case "boundary":
		return iampolicy.PermissionsBoundary, nil
	case "session":
		return iampolicy.SessionPolicy, nil
	}
	return "", fmt.Errorf("%q is no kind of policy", short)
}
