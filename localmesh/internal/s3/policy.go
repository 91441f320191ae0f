package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html

import (
	"encoding/xml"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxPolicy is the size of a bucket policy, in bytes.
const maxPolicy = 20 * 1024

func malformedPolicy(message string) error {
	return failure(http.StatusBadRequest, "MalformedPolicy", message).APIError
}

// openPolicy finds the bucket and asks for permission on its policy. The root of
// the owner's account always may, so that nobody locks themselves out.
func openPolicy(c *engine.Call, r *engine.Request, action string) (state.Bucket, error) {
	t, err := find(c, r, action)
	if err != nil {
		return t.bucket, err
	}
	if c.Caller.Root && c.Account() == t.bucket.Account {
		c.Authorized()
		return t.bucket, nil
	}
	if err := authorize(c, t.bucket, action, t.bucket.ARN(), nil); err != nil {
		return t.bucket, err
	}
	if c.Account() != t.bucket.Account {
		return t.bucket, failure(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.").APIError
	}
	return t.bucket, nil
}

func getBucketPolicy(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	b, err := openPolicy(c, r, "s3:GetBucketPolicy")
	if err != nil {
		return nil, err
	}
	if b = known(c, b); b.Policy == "" {
		return nil, noSuchBucketPolicy(b)
	}
	text, err := authz.ShowPrincipals(c.Tx, b.Policy, b.Principals)
	if err != nil {
		return nil, err
	}
	return &engine.Response{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(text)}, nil
}

// policyOf names the policy of a bucket for those who learn of it later.
func policyOf(b state.Bucket) string { return "policy of bucket " + b.Name }

// known is the bucket with the policy that the caller's calls meet: for a while
// after a change it is the one before
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel).
// It is for deciding and showing; what is written is the bucket as it is.
func known(c *engine.Call, b state.Bucket) state.Bucket {
	missed := c.Missed(policyOf(b))
	if len(missed) == 0 {
		return b
	}
	if before, ok := missed[0].(state.Bucket); ok && before.Created.Equal(b.Created) {
		b.Policy, b.Principals = before.Policy, before.Principals
	}
	return b
}

func noSuchBucketPolicy(b state.Bucket) error {
	return failure(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist").with("BucketName", b.Name).APIError
}

func putBucketPolicy(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	b, err := openPolicy(c, r, "s3:PutBucketPolicy")
	if err != nil {
		return nil, err
	}
	d, err := readPolicy(b, r.Payload)
	if err != nil {
		return nil, err
	}
	if b.PublicAccessBlock != nil && b.PublicAccessBlock.BlockPublicPolicy && publicDocument(d) {
		return nil, c.Denied("User: " + c.Caller.ARN + " is not authorized to perform: s3:PutBucketPolicy on resource: " + b.ARN() +
			" because public policies are blocked by the BlockPublicPolicy block public access setting.")
	}
	before := b
	b.Principals, err = authz.HoldPrincipals(c.Tx, d, c.Unknown)
	var unknown *authz.PrincipalError
	if errors.As(err, &unknown) {
		return nil, failure(http.StatusBadRequest, "MalformedPolicy", "Invalid principal in policy").
			with("Detail", `"`+unknown.Kind+`" : "`+unknown.Principal+`"`).APIError
	}
	if err != nil {
		return nil, err
	}
	b.Policy = d.String()
	c.Changed(policyOf(b), before)
	if err := state.S3Buckets.Put(c.Tx, b, b.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}

// readPolicy parses and checks a bucket policy.
func readPolicy(b state.Bucket, text []byte) (*iampolicy.Document, error) {
	if len(text) > maxPolicy {
		return nil, malformedPolicy("Policy exceeds the maximum allowed document size.")
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	d, err := iampolicy.Parse(text)
	if err == nil {
		err = d.Validate(iampolicy.ResourceBased)
	}
	if err != nil {
		return nil, malformedPolicy(explain(err))
	}
	for _, s := range d.Statements {
		if err := checkStatement(b, s); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func explain(err error) string {
	var e *iampolicy.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	switch {
	case errors.Is(e, iampolicy.ErrSyntax):
		return "This policy contains invalid Json (" + e.Error() + ")"
	case errors.Is(e, iampolicy.ErrMissingElement) && e.Element != "":
		return "Missing required field " + e.Element + " (" + e.Error() + ")"
	case errors.Is(e, iampolicy.ErrUnknownElement):
		return "Unknown field " + e.Element + " (" + e.Error() + ")"
	}
	return e.Error()
}

// checkStatement checks that a statement is about this bucket, and that its
// actions and resources fit together: those actions that say in their names what
// they are about
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html).
func checkStatement(b state.Bucket, s iampolicy.Statement) error {
	for _, a := range slices.Concat(s.Actions, s.NotActions) {
		if service, _, _ := strings.Cut(a, ":"); a != "*" && !strings.EqualFold(service, "s3") {
			return malformedPolicy("Policy has invalid action")
		}
	}
	var bucket, object bool
	for _, arn := range slices.Concat(s.Resources, s.NotResources) {
		name, ok := strings.CutPrefix(arn, "arn:aws:s3:::")
		key := ""
		if i := strings.IndexByte(name, '/'); i >= 0 {
			name, key = name[:i], name[i:]
		}
		if !ok || (name != b.Name && (name != b.Name+"*" || key != "")) {
			return malformedPolicy("Policy has invalid resource")
		}
		bucket = bucket || key == ""
		object = object || key != "" || strings.HasSuffix(name, "*")
	}
	for _, a := range s.Actions {
		_, name, _ := strings.Cut(a, ":")
		if strings.ContainsAny(name, "*?") || a == "*" || len(s.NotResources) > 0 {
			continue
		}
		n := strings.ToLower(name)
		aboutObjects, aboutBuckets := strings.Contains(n, "object"), strings.Contains(n, "bucket")
		if aboutObjects && !aboutBuckets && !object || aboutBuckets && !aboutObjects && !bucket {
			return malformedPolicy("Action does not apply to any resource(s) in statement")
		}
	}
	return nil
}

func deleteBucketPolicy(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	b, err := openPolicy(c, r, "s3:DeleteBucketPolicy")
	if err != nil {
		return nil, err
	}
	c.Changed(policyOf(b), b)
	b.Policy, b.Principals = "", nil
	if err := state.S3Buckets.Put(c.Tx, b, b.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}

type policyStatus struct {
	XMLName  xml.Name `xml:"PolicyStatus"`
	XMLNS    string   `xml:"xmlns,attr"`
	IsPublic bool
}

func getBucketPolicyStatus(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetBucketPolicyStatus", nil)
	if err != nil {
		return nil, err
	}
	if t.bucket = known(c, t.bucket); t.bucket.Policy == "" {
		return nil, noSuchBucketPolicy(t.bucket)
	}
	public, err := isPublic(c, t.bucket.Policy)
	if err != nil {
		return nil, err
	}
	return answerXML(policyStatus{XMLNS: namespace, IsPublic: public})
}

// isPublic tells whether a stored policy is public; no policy is not.
func isPublic(c *engine.Call, policy string) (bool, error) {
	if policy == "" {
		return false, nil
	}
	d, err := c.Mesh.Policies().Document(policy)
	if err != nil {
		return false, err
	}
	return publicDocument(d), nil
}

// publicDocument tells whether a statement allows something to everybody without
// a condition on who or where the caller is.
func publicDocument(d *iampolicy.Document) bool {
	return slices.ContainsFunc(d.Statements, func(s iampolicy.Statement) bool {
		if s.Effect != iampolicy.Allow {
			return false
		}
		everyone := s.NotPrincipal != nil || s.Principal.All || slices.Contains(s.Principal.AWS, "*")
		return everyone && !confined(s.Conditions)
	})
}

// confined tells whether conditions tie a statement to fixed values of a key that
// S3 counts as not public.
func confined(c iampolicy.Conditions) bool {
	for operator, keys := range c {
		o := strings.ToLower(operator)
		if strings.Contains(o, "not") || strings.HasSuffix(o, "ifexists") || strings.HasPrefix(o, "forallvalues") {
			continue
		}
		for key, values := range keys {
			if !slices.Contains(confiningKeys(), strings.ToLower(key)) {
				continue
			}
			fixed := !slices.ContainsFunc(values, func(v string) bool {
				return strings.ContainsAny(v, "*?$") || v == "0.0.0.0/0" || v == "::/0"
			})
			if fixed {
				return true
			}
		}
	}
	return false
}

func confiningKeys() []string {
	return []string{"aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:sourcearn", "aws:sourceaccount", "aws:sourceip",
		"aws:sourcevpc", "aws:sourcevpce", "aws:userid", "aws:sourceorgid"}
}

type publicAccessBlock struct {
	XMLName               xml.Name `xml:"PublicAccessBlockConfiguration"`
	XMLNS                 string   `xml:"xmlns,attr,omitempty"`
	BlockPublicAcls       bool
	IgnorePublicAcls      bool
	BlockPublicPolicy     bool
	RestrictPublicBuckets bool
}

func getPublicAccessBlock(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetBucketPublicAccessBlock", nil)
	if err != nil {
		return nil, err
	}
	p := t.bucket.PublicAccessBlock
	if p == nil {
		return nil, failure(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found").
			with("BucketName", t.bucket.Name).APIError
	}
	return answerXML(publicAccessBlock{XMLNS: namespace, BlockPublicAcls: p.BlockPublicACLs, IgnorePublicAcls: p.IgnorePublicACLs,
		BlockPublicPolicy: p.BlockPublicPolicy, RestrictPublicBuckets: p.RestrictPublicBuckets})
}

func putPublicAccessBlock(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutBucketPublicAccessBlock", nil)
	if err != nil {
		return nil, err
	}
	var in publicAccessBlock
	if err := readXML(c, r, &in); err != nil {
		return nil, err
	}
	t.bucket.PublicAccessBlock = &state.PublicAccessBlock{BlockPublicACLs: in.BlockPublicAcls, IgnorePublicACLs: in.IgnorePublicAcls,
		BlockPublicPolicy: in.BlockPublicPolicy, RestrictPublicBuckets: in.RestrictPublicBuckets}
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusOK)
}

func deletePublicAccessBlock(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutBucketPublicAccessBlock", nil)
	if err != nil {
		return nil, err
	}
	t.bucket.PublicAccessBlock = nil
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}
