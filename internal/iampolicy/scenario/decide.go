package scenario

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// region is where all requests go.
const region = "us-east-1"

// defaultNow is the time of requests that name none.
const defaultNow = "2030-01-02T03:04:05Z"

// A Question is a request with the policies that apply to it.
type Question struct {
	Request  iampolicy.Request
	Policies iampolicy.Policies
}

// Now is the time of the request.
func (s *Scenario) Now() time.Time {
	text := s.Ask.Now
	if text == "" {
		text = defaultNow
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{} // Load checked it.
	}
	return t.UTC()
}

// Questions are what is asked: one for each resource.
func (s *Scenario) Questions() ([]Question, error) {
	w, err := s.who()
	if err != nil {
		return nil, err
	}
	on := s.Ask.On
	if len(on) == 0 {
		on = Texts{"*"}
	}
	var all []Question
	for _, resource := range on {
		q, err := s.question(w, s.Ask.Action, resource, s.Ask.Keys)
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	return all, nil
}

// Decide asks the evaluator: an explicit deny on any of the resources wins, and otherwise the first that is not allowed.
// The assumptions of roles on the way to the caller must be allowed; otherwise the scenario is wrong.
func (s *Scenario) Decide() (iampolicy.Decision, error) {
	questions, err := s.Questions()
	if err != nil {
		return iampolicy.Decision{}, err
	}
	var decisions []iampolicy.Decision
	for _, q := range questions {
		decisions = append(decisions, iampolicy.Evaluate(q.Request, q.Policies))
	}
	for _, effect := range []iampolicy.Outcome{iampolicy.ExplicitDeny, iampolicy.ImplicitDeny} {
		for _, d := range decisions {
			if d.Effect == effect {
				return d, nil
			}
		}
	}
	return decisions[len(decisions)-1], nil
}

// who is a caller with what follows from it.
type who struct {
	info     iampolicy.PrincipalInfo
	policies iampolicy.Policies
	tags     map[string]string
	// handedOn are the tags that go along to the next session.
	handedOn map[string]string
	source   string
	// temporary is set for credentials that end.
	temporary bool
}

func (s *Scenario) who() (who, error) {
	c := s.As
	switch {
	case c.Anonymous:
		return who{info: iampolicy.PrincipalInfo{Anonymous: true}}, nil
	case c.Service != "":
		return who{info: iampolicy.PrincipalInfo{Service: c.Service}}, nil
	case c.Federated != "":
		return who{info: iampolicy.PrincipalInfo{Federated: c.Federated}}, nil
	}
	w, err := s.principal(c.Principal)
	if err != nil {
		return w, err
	}
	w.temporary = w.temporary || c.Token
	for _, hop := range c.Assume {
		if w, err = s.assume(w, hop); err != nil {
			return w, err
		}
	}
	return w, nil
}

// principal is a user, the root of an account, or a session of a role that began outside.
func (s *Scenario) principal(arn string) (who, error) {
	account := Account(arn)
	if account == "" {
		return who{}, fmt.Errorf("%q is no principal", arn)
	}
	if strings.HasSuffix(arn, ":root") {
		return who{info: iampolicy.PrincipalInfo{Account: account, ARN: arn, UserID: account, Root: true}}, nil
	}
	if r, ok := s.With.Roles[arn]; ok {
		return s.session(arn, r, "local")
	}
	u, ok := s.With.Users[arn]
	if !ok {
		return who{}, fmt.Errorf("the principal %s is not set up", arn)
	}
	w := who{info: iampolicy.PrincipalInfo{Account: account, ARN: arn, UserID: "AIDA" + exampleID}, tags: u.Tags}
	if err := s.attach(&w, u.Permissions); err != nil {
		return w, err
	}
	for _, name := range u.Groups {
		g, ok := s.With.Groups["arn:aws:iam::"+account+":group/"+name]
		if !ok {
			return w, fmt.Errorf("the group %s is not set up", name)
		}
		if err := s.attach(&w, g.Permissions); err != nil {
			return w, err
		}
	}
	return w, nil
}

// exampleID stands for the part of unique ids that nobody can know.
const exampleID = "EXAMPLE1234567890"

func (s *Scenario) session(arn string, r Role, name string) (who, error) {
	account := Account(arn)
	w := who{
		info: iampolicy.PrincipalInfo{
			Account: account, ARN: arn, UserID: "AROA" + exampleID + ":" + name,
			SessionARN: "arn:aws:sts::" + account + ":assumed-role/" + Name(arn) + "/" + name,
		},
		tags: maps.Clone(r.Tags), temporary: true,
	}
	return w, s.attach(&w, r.Permissions)
}

// attach adds the policies of a principal or of one of its groups.
func (s *Scenario) attach(w *who, p Permissions) error {
	for _, name := range slices.Sorted(maps.Keys(p.Inline)) {
		w.policies.Identity = append(w.policies.Identity, iampolicy.Named{Name: name, Document: p.Inline[name].Document})
	}
	for _, arn := range p.Attached {
		n, err := s.managed(arn)
		if err != nil {
			return err
		}
		w.policies.Identity = append(w.policies.Identity, n)
	}
	if p.Boundary != "" {
		n, err := s.managed(p.Boundary)
		if err != nil {
			return err
		}
		w.policies.Boundary = []iampolicy.Named{n}
	}
	return nil
}

func (s *Scenario) managed(arn string) (iampolicy.Named, error) {
	p, ok := s.With.Managed[arn]
	if !ok {
		return iampolicy.Named{}, fmt.Errorf("the policy %s is not in managed", arn)
	}
	return iampolicy.Named{Name: arn, Document: p.Document}, nil
}

// keys are the condition keys that the assumption of a role brings.
func (h Hop) keys() map[string]Texts {
	keys := map[string]Texts{"sts:RoleSessionName": {h.SessionName()}}
	for k, v := range h.Tags {
		keys["aws:RequestTag/"+k] = Texts{v}
	}
	if len(h.Tags) > 0 {
		keys["aws:TagKeys"] = slices.Sorted(maps.Keys(h.Tags))
	}
	if len(h.Transitive) > 0 {
		keys["sts:TransitiveTagKeys"] = h.Transitive
	}
	if h.Source != "" {
		keys["sts:SourceIdentity"] = Texts{h.Source}
	}
	return keys
}

// SessionName is the name of the session that the hop makes.
func (h Hop) SessionName() string {
	if h.Name == "" {
		return "job"
	}
	return h.Name
}

// assume makes the session of the next role, which must be allowed.
func (s *Scenario) assume(from who, h Hop) (who, error) {
	r, ok := s.With.Roles[h.Role]
	if !ok {
		return who{}, fmt.Errorf("the role %s is not set up", h.Role)
	}
	q, err := s.question(from, "sts:AssumeRole", h.Role, h.keys())
	if err != nil {
		return who{}, err
	}
	if d := iampolicy.Evaluate(q.Request, q.Policies); !d.Allowed {
		return who{}, fmt.Errorf("%s may not assume %s: %s %s", from.info.ARN, h.Role, d.Because("sts:AssumeRole"), d.SID)
	}
	w, err := s.session(h.Role, r, h.SessionName())
	if err != nil {
		return w, err
	}
	if h.Policy != nil {
		w.policies.Session = append(w.policies.Session, iampolicy.Named{Name: "session policy 1", Document: h.Policy.Document})
	}
	for _, arn := range h.Policies {
		n, err := s.managed(arn)
		if err != nil {
			return w, err
		}
		w.policies.Session = append(w.policies.Session, n)
	}
	// Session tags win over the role's own, and transitive ones go along the chain:
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html.
	w.tags, w.handedOn = merged(merged(w.tags, h.Tags), from.handedOn), merged(from.handedOn, nil)
	for _, k := range h.Transitive {
		w.handedOn[k] = h.Tags[k]
	}
	if w.source = from.source; w.source == "" {
		w.source = h.Source
	}
	return w, nil
}

// question puts together what applies to a request.
func (s *Scenario) question(w who, action, resource string, brought map[string]Texts) (Question, error) {
	q := Question{
		Request:  iampolicy.Request{Action: action, Resource: resource, Principal: w.info},
		Policies: w.policies,
	}
	owner, policy, err := s.resource(w.info.Account, action, resource)
	if err != nil {
		return q, err
	}
	q.Policies.Resource, q.Policies.ResourceAccount = policy, owner
	q.Policies.ResourceRequired = isSTS(action)
	q.Request.Keys = s.keys(w, owner, action, resource)
	for k, v := range brought {
		q.Request.Keys[k] = v
	}
	return q, nil
}

// resource finds the owner of a resource, and its policy.
func (s *Scenario) resource(caller, action, arn string) (owner string, policy *iampolicy.Named, err error) {
	if rest, ok := strings.CutPrefix(arn, "arn:aws:s3:::"); ok {
		name, _, _ := strings.Cut(rest, "/")
		b, ok := s.With.Buckets[name]
		if !ok {
			return caller, nil, nil // A bucket that is yet to be made is the caller's.
		}
		if b.Account == "" {
			return "", nil, fmt.Errorf("the bucket %s has no account", name)
		}
		return b.Account, named("policy of bucket "+name, b.Policy), nil
	}
	if owner = Account(arn); owner == "" {
		if arn != "*" && !strings.HasPrefix(arn, "arn:aws:") {
			return "", nil, fmt.Errorf("%q is no ARN", arn)
		}
		return caller, nil, nil
	}
	switch {
	case isSTS(action):
		r, ok := s.With.Roles[arn]
		if !ok {
			return owner, nil, fmt.Errorf("the role %s is not set up", arn)
		}
		trust := r.Trust
		if trust == nil {
			trust = DefaultTrust(owner)
		}
		return owner, named("trust policy of "+Name(arn), trust), nil
	case strings.HasPrefix(arn, "arn:aws:glue:"):
		return owner, named("the resource policy of the catalog", s.With.Catalogs[owner]), nil
	}
	return owner, nil, nil
}

func named(name string, p *Policy) *iampolicy.Named {
	if p == nil {
		return nil
	}
	return &iampolicy.Named{Name: name, Document: p.Document}
}

// DefaultTrust lets the account of a role decide who assumes it.
func DefaultTrust(account string) *Policy {
	d := iampolicy.New(iampolicy.Statement{
		SID: "OwnAccount", Effect: iampolicy.Allow, Principal: iampolicy.AWSPrincipal("arn:aws:iam::" + account + ":root"),
		Actions: []string{"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"},
	})
	return &Policy{JSON: d.String(), Document: &d}
}

// keys are the condition keys that are there whatever the request says:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html.
func (s *Scenario) keys(w who, owner, action, resource string) map[string][]string {
	now := s.Now()
	keys := map[string][]string{
		"aws:CurrentTime":     {now.Format(time.RFC3339)},
		"aws:EpochTime":       {strconv.FormatInt(now.Unix(), 10)},
		"aws:RequestedRegion": {region},
		"aws:ResourceAccount": {owner},
		"aws:SecureTransport": {"false"},
		"aws:ViaAWSService":   {"false"},
	}
	if w.temporary {
		keys["aws:TokenIssueTime"] = []string{now.Format(time.RFC3339)}
		keys["aws:MultiFactorAuthPresent"] = []string{"false"}
	}
	if w.source != "" {
		keys["aws:SourceIdentity"] = []string{w.source}
	}
	for k, v := range w.tags {
		keys["aws:PrincipalTag/"+k] = []string{v}
	}
	if strings.HasPrefix(action, "s3:") {
		keys["s3:ResourceAccount"] = []string{owner}
	}
	tags, boundary := s.With.Roles[resource].Tags, s.With.Roles[resource].Boundary
	if u, ok := s.With.Users[resource]; ok {
		tags, boundary = u.Tags, u.Boundary
	}
	if t, ok := s.With.Tables[resource]; ok {
		tags = t.Tags
	}
	for k, v := range tags {
		keys["aws:ResourceTag/"+k] = []string{v}
		if strings.HasPrefix(resource, "arn:aws:iam:") {
			keys["iam:ResourceTag/"+k] = []string{v}
		}
	}
	if boundary != "" && strings.HasPrefix(action, "iam:") {
		keys["iam:PermissionsBoundary"] = []string{boundary}
	}
	return keys
}

func isSTS(action string) bool { return strings.HasPrefix(strings.ToLower(action), "sts:") }

// Account is the account in an ARN, or empty.
func Account(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// Name is the name at the end of an ARN, without its path.
func Name(arn string) string {
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

// ErrNoPath is the error of an ARN that is not of IAM.
var ErrNoPath = errors.New("not the ARN of an IAM resource")

// Path is the path in an IAM ARN: "/" or "/team/".
func Path(arn string) (string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[2] != "iam" {
		return "", fmt.Errorf("%s: %w", arn, ErrNoPath)
	}
	first, last := strings.IndexByte(parts[5], '/'), strings.LastIndexByte(parts[5], '/')
	if first < 0 {
		return "", fmt.Errorf("%s: %w", arn, ErrNoPath)
	}
	return parts[5][first : last+1], nil
}
