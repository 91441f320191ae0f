package localmesh_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/iampolicy/scenario"
	"github.com/lakemesh/lakemesh/localmesh"
)

// The scenarios that the evaluator is asked are asked of the whole local mesh: the world is made through the SDK's
// clients, the call is made by the caller, and the answer says what decided.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := scenario.Load("../internal/iampolicy/testdata/scenarios")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			for i := range f.Scenarios {
				s := &f.Scenarios[i]
				if s.Wire.None != "" {
					continue
				}
				t.Run(s.Name, func(t *testing.T) {
					t.Parallel()
					askMesh(t, s)
				})
			}
		})
	}
}

// scene is the world of a scenario.
type scene struct {
	*localmesh.Mesh
	t *testing.T
	s *scenario.Scenario
}

func askMesh(t *testing.T, s *scenario.Scenario) {
	now := s.Now()
	w := &scene{Mesh: localmesh.Run(t, localmesh.WithClock(func() time.Time { return now })), t: t, s: s}
	w.build()
	if s.Wire.Simulate != "" {
		w.simulate()
		return
	}
	err := w.call(w.caller())
	outcome := s.Wire.Outcome
	if outcome == "" {
		outcome = map[bool]string{true: "allowed", false: "refused"}[s.Want.Decision == "allowed"]
	}
	if outcome == "allowed" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	w.refused(err)
}

// refused checks that the error is the service's own for denied access, and that it says what was decided.
func (w *scene) refused(err error) {
	w.t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		w.t.Errorf("answered with %v, want a refusal", err)
		return
	}
	service, _, _ := strings.Cut(w.s.Ask.Action, ":")
	code, says := w.s.Wire.Code, w.s.Wire.Says
	if code == "" {
		code = "AccessDenied"
		if strings.TrimSuffix(api.ErrorCode(), "Exception") == code {
			code = api.ErrorCode()
		}
		if passed := w.s.Ask.Keys["iam:PassedToService"]; len(passed) > 0 {
			service, _, _ = strings.Cut(passed[0], ".") // It is the service that refuses to take the role.
		}
		want, status := 400, &awshttp.ResponseError{}
		if slices.Contains([]string{"iam", "lakeformation", "ram", "s3", "sts"}, service) {
			want = 403
		}
		if !errors.As(err, &status) || status.HTTPStatusCode() != want {
			w.t.Errorf("%v, want status %d", err, want)
		}
	}
	if says == "" {
		d, failed := w.s.Expected()
		if failed != nil {
			w.t.Fatal(failed)
		}
		says = d.Because(w.s.Ask.Action)
		if !strings.Contains(api.ErrorMessage(), "is not authorized to perform: "+w.s.Ask.Action) {
			w.t.Errorf("the message does not name %s: %s", w.s.Ask.Action, api.ErrorMessage())
		}
	}
	if api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), says) {
		w.t.Errorf("answered with %s: %s\nwant %s: ... %s", api.ErrorCode(), api.ErrorMessage(), code, says)
	}
}

func administrator(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

// must ends the test when a step of the set-up fails.
func (w *scene) must(_ any, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("set up: %v", err)
	}
}

// caller is the configuration of who asks.
func (w *scene) caller() aws.Config {
	c := w.s.As
	if c.Anonymous {
		return w.ConfigWith(aws.AnonymousCredentials{})
	}
	if c.Principal == "" {
		w.t.Fatal("this caller does not come through the wire; say so in wire.none")
	}
	cfg := w.Config(c.Principal)
	if c.Token {
		out, err := sts.NewFromConfig(cfg).GetSessionToken(w.t.Context(), &sts.GetSessionTokenInput{})
		w.must(nil, err)
		cfg = w.session(out.Credentials)
	}
	for _, hop := range c.Assume {
		out, err := sts.NewFromConfig(cfg).AssumeRole(w.t.Context(), assumption(hop))
		w.must(nil, err)
		cfg = w.session(out.Credentials)
	}
	return cfg
}

func (w *scene) session(c *ststypes.Credentials) aws.Config {
	return w.ConfigWith(credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken))
}

func assumption(h scenario.Hop) *sts.AssumeRoleInput {
	in := &sts.AssumeRoleInput{RoleArn: &h.Role, RoleSessionName: aws.String(h.SessionName()), TransitiveTagKeys: h.Transitive}
	if h.Policy != nil {
		in.Policy = &h.Policy.JSON
	}
	for _, arn := range h.Policies {
		in.PolicyArns = append(in.PolicyArns, ststypes.PolicyDescriptorType{Arn: &arn})
	}
	for k, v := range h.Tags {
		in.Tags = append(in.Tags, ststypes.Tag{Key: &k, Value: &v})
	}
	if h.Source != "" {
		in.SourceIdentity = &h.Source
	}
	return in
}

// simulate asks IAM's policy simulator, which takes any action, resource and condition key. It knows the policies of the
// principal; those of sessions it does not.
func (w *scene) simulate() {
	questions, err := w.s.Questions()
	if err != nil {
		w.t.Fatal(err)
	}
	if len(questions) != 1 || len(w.s.As.Assume) > 0 {
		w.t.Fatal("the simulator is asked about one resource, and about no session")
	}
	q := questions[0]
	in := &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &w.s.As.Principal, ActionNames: []string{q.Request.Action}, ResourceArns: []string{q.Request.Resource},
	}
	for key, values := range q.Request.Keys {
		in.ContextEntries = append(in.ContextEntries, iamtypes.ContextEntry{
			ContextKeyName: &key, ContextKeyValues: values, ContextKeyType: iamtypes.ContextKeyTypeEnumStringList,
		})
	}
	out, err := iam.NewFromConfig(w.Config(administrator(scenario.Account(w.s.As.Principal)))).SimulatePrincipalPolicy(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	want, err := w.s.Expected()
	if err != nil {
		w.t.Fatal(err)
	}
	got := out.EvaluationResults[0]
	if string(got.EvalDecision) != string(want.Effect) {
		w.t.Errorf("simulated %s, want %s", got.EvalDecision, want.Effect)
	}
	var policies []string
	for _, m := range got.MatchedStatements {
		policies = append(policies, *m.SourcePolicyId)
	}
	if want.Policy != "" && !slices.Equal(policies, []string{want.Policy}) {
		w.t.Errorf("decided by %q, want %q", policies, want.Policy)
	}
	beyond := got.PermissionsBoundaryDecisionDetail != nil && !got.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary
	if beyond != (want.Missing == iampolicy.PermissionsBoundary) {
		w.t.Errorf("not allowed by the permissions boundary: %v", beyond)
	}
}

// call makes the request that the scenario asks about.
func (w *scene) call(cfg aws.Config) error {
	w.t.Helper()
	send, ok := requests[w.s.Ask.Action]
	if !ok {
		w.t.Fatalf("there is no call for %s; say so in wire", w.s.Ask.Action)
	}
	r := &request{scene: w, cfg: cfg, left: map[string][]string{}}
	if len(w.s.Ask.On) > 0 {
		// Of an object and what it is in, the object comes last.
		r.on = w.s.Ask.On[len(w.s.Ask.On)-1]
	}
	for k, v := range w.s.Ask.Keys {
		r.left[k] = v
	}
	err := send(r)
	if len(r.left) > 0 {
		w.t.Fatalf("the call for %s cannot carry %v; say so in wire", w.s.Ask.Action, r.left)
	}
	return err
}

// request is a call that is put together from a question: condition keys become its parameters.
type request struct {
	*scene
	cfg  aws.Config
	on   string
	left map[string][]string
}

// all takes the values of a condition key.
func (r *request) all(key string) []string {
	values := r.left[key]
	delete(r.left, key)
	return values
}

// one takes the value of a condition key, or nil.
func (r *request) one(key string) *string {
	values := r.all(key)
	if len(values) == 0 {
		return nil
	}
	return &values[0]
}

// tags takes the tags that the request sets, with the list of their keys.
func (r *request) tags() map[string]string {
	tags := map[string]string{}
	for k := range r.left {
		if name, ok := strings.CutPrefix(k, "aws:RequestTag/"); ok {
			tags[name] = *r.one(k)
		}
	}
	if listed := r.all("aws:TagKeys"); len(listed) != len(tags) {
		r.t.Fatalf("aws:TagKeys is %q, but the tags are %q", listed, tags)
	}
	return tags
}

func (r *request) name() *string { return aws.String(scenario.Name(r.on)) }

func (r *request) path() *string {
	path, err := scenario.Path(r.on)
	if err != nil {
		r.t.Fatal(err)
	}
	return &path
}

// object is the bucket and the key of an ARN of S3.
func (r *request) object() (bucket, key string) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(r.on, "arn:aws:s3:::"), "/")
	return bucket, key
}

// catalog is what an ARN of Glue names.
func (r *request) catalog() (account, database, table string) {
	parts := strings.Split(strings.SplitN(r.on, ":", 6)[5], "/")
	parts = append(parts, "", "")
	return scenario.Account(r.on), parts[1], parts[2]
}

func number(text *string) (*int32, error) {
	if text == nil {
		return nil, nil
	}
	var n int32
	_, err := fmt.Sscan(*text, &n)
	return &n, err
}
