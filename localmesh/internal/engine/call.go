package engine

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Call is one call under way: who calls, where, when, and the transaction.
type Call struct {
	context.Context
	// Service and Operation name what is called.
	Service, Operation string
	// Region is the region that the request was signed for.
	Region string
	// Caller is the authenticated principal.
	Caller authz.Caller
	// Tx is the transaction; a Read operation's cannot write.
	Tx store.Tx
	// Now is the mesh's time.
	Now time.Time
	// RequestID is handed back in the answer.
	RequestID string
	// Mesh is the mesh that answers: identifiers and switches.
	Mesh *Mesh
	// Conditions are condition keys that the request as a whole has, for whatever is asked.
	Conditions map[string][]string

	service    *Service
	authorized bool
	// inTime is set in what a service does by itself in time.
	inTime bool
	// changes are what others learn of later, looked what the caller missed of it.
	changes []change
	looked  map[string][]any
	// memo is what Once has computed; nil in a call that writes.
	memo map[any]any
	// calledVia is the service that makes the call for its caller, or empty.
	calledVia string
}

// Once computes what follows from the state and the caller, under a key of a type of
// its own. A call that only reads sees one state, so that it computes it once; a
// call that writes computes it each time.
func Once[K comparable, V any](c *Call, key K, compute func() (V, error)) (V, error) {
	if c.memo == nil {
		return compute()
	}
	if v, ok := c.memo[key]; ok {
		return v.(V), nil
	}
	v, err := compute()
	if err == nil {
		c.memo[key] = v
	}
	return v, err
}

// Account is the caller's account.
func (c *Call) Account() string { return c.Caller.Account }

// Authorize asks IAM whether the caller may do what q says, and refuses in the
// service's own words if not.
func (c *Call) Authorize(q authz.Question) error {
	d, err := c.Decide(q)
	if err != nil {
		return err
	}
	if !d.Allowed {
		return c.Denied(d.Reason)
	}
	return nil
}

// Forward is Authorize for a call that the service makes of another one with the
// rights of its caller, which IAM is shown in aws:ViaAWSService. aws:CalledVia is not
// there: its documentation does not list these services
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-calledvia).
func (c *Call) Forward(q authz.Question) error {
	q.Forwarded = !c.Mesh.Readings.ForwardedCallsUnmarked
	return c.Authorize(q)
}

// Allow asks IAM whether the caller may do action on each of the resources.
func (c *Call) Allow(action string, resources ...string) error {
	return c.Authorize(authz.Question{Action: action, Resources: resources})
}

// Decide is Authorize for an operation that wants to see the decision, not to
// refuse.
func (c *Call) Decide(q authz.Question) (authz.Decision, error) {
	c.authorized = true
	if len(c.Conditions) > 0 {
		all := maps.Clone(c.Conditions)
		maps.Copy(all, q.Keys)
		q.Keys = all
	}
	if c.calledVia != "" {
		q = c.via(q)
	}
	return c.Mesh.policies.Decide(c.Tx, c.knownCaller(), q, c.Now, c.Region)
}

// Exchange turns a text with the names of the caller's partition into one with those that
// the services know, and back.
func (c *Call) Exchange(text string) string {
	if isInside(c.Context) {
		return text
	}
	return c.Mesh.Names.Exchange(text)
}

// Authorized marks the call as checked by other means than a policy of the
// caller, as AssumeRoleWithSAML would be.
func (c *Call) Authorized() { c.authorized = true }

// Denied is the service's access-denied error.
func (c *Call) Denied(message string) *APIError {
	return &APIError{Code: c.service.DeniedCode, Message: message, Status: c.service.DeniedStatus}
}

// ARN makes the ARN of a regional resource, as all are known inside: of the partition aws.
func (c *Call) ARN(service, account, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, c.Region, account, resource)
}

// NextToken turns the key of the last item of a page into the token for the next.
// It carries a checksum, so that what is not a token is told apart.
func NextToken(key string) *string {
	t := base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(key))), key...))
	return &t
}

// FromToken is the reverse of [NextToken]; a nil or empty token is the first page.
func FromToken(token *string) (key string, err error) {
	if token == nil || *token == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || len(b) < 4 || binary.BigEndian.Uint32(b) != crc32.ChecksumIEEE(b[4:]) {
		return "", Errorf("InvalidInputException", "Invalid next token")
	}
	return string(b[4:]), nil
}
