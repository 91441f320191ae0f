// Package engine is the frame of the local mesh: it finds the service and the
// operation of a request, checks its signature, decodes it, runs the operation
// in one transaction of the store, and encodes the answer. Delays, throttling,
// planned faults and the counting of calls happen here, the same for all
// services. What a service does and refuses is in the service's own package.
//
// A request takes this way:
//
//	signature -> account and principal -> delay, throttle, planned fault ->
//	decode -> transaction { authorize, operate } -> planned loss -> encode
//
// An operation that returns an answer without having asked [Call.Authorize] is
// refused with an internal error, unless it is declared to need no permission:
// forgetting the check closes the door instead of opening it.
package engine

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Mode tells whether an operation writes.
type Mode int

// The modes of an operation.
const (
	Read  Mode = iota // runs on a snapshot
	Write             // runs alone among writers
	Apart             // begins its transactions itself: see [Call.View] and [Call.Update]
)

// Service is one AWS service: its wire protocol and its operations.
type Service struct {
	// Name is the signing name: "glue", "lakeformation", "ram", ...
	Name string
	// Signing is the signing name of a service that shares it with the service of that
	// name. Target is what its operations follow in X-Amz-Target, by which it is told apart.
	Signing, Target string
	// Title is the name for people: "AWS Glue".
	Title string
	// Protocol is how requests and answers are written.
	Protocol wire.Protocol
	// Namespace is the XML name space of a query service's answers.
	Namespace string
	// Naming turns Go field names into member names; nil means wire.AsIs.
	Naming wire.Naming
	// Operations are what the service has.
	Operations []Operation
	// Resolve finds the operation's name in a request; nil means as the protocol
	// says. S3 needs its own.
	Resolve func(*http.Request) string
	// Parameters are the members of an input that are not in the body but in the path
	// and the query string, by their names; nil means as the protocol says.
	Parameters func(*http.Request) url.Values
	// HostPath is the part of the path that the host name stands for, which signatures of
	// Version 2 have in front of it; nil means nothing.
	HostPath func(*http.Request) string
	// Unsigned are the operations that nobody has to sign.
	Unsigned []string
	// Alarm is what the service does by itself in time; nil means nothing.
	Alarm *Alarm
	// Stop ends what the service does beside the calls, and waits for its end; nil means
	// that there is nothing.
	Stop func()
	// DeniedCode is the error code of a refused call: "AccessDeniedException" or
	// "AccessDenied".
	DeniedCode string
	// DeniedStatus is its HTTP status.
	DeniedStatus int
	// InvalidCode is the error code of an input that cannot be taken: of a member that the
	// mesh does not honour.
	InvalidCode string
	// ThrottleCode is the error code of a throttled call, ThrottleStatus its status.
	ThrottleCode   string
	ThrottleStatus int

	codec  *wire.Codec
	byName map[string]*Operation
}

// Operation is one operation of a service.
type Operation struct {
	// Name is the operation's name, as in IAM actions: "CreateTable".
	Name string
	// Mode tells whether it writes.
	Mode Mode
	// Doc is the URL of the AWS page that it implements.
	Doc string
	// Enforced says in a sentence what of AWS's rules is enforced.
	Enforced string
	// Public marks an operation that AWS lets every authenticated caller use.
	Public bool

	decode func(*decoder) (any, error)
	handle func(c *Call, in any) (any, error)
	raw    func(*Call, *Request) (*Response, error)
}

// decoder hands the payload to an operation in its own input type.
type decoder struct{ decode func(dst any) error }

// Op declares an operation whose input and output are the SDK's own structs (or
// structs of the same form).
func Op[In, Out any](name string, mode Mode, doc, enforced string, handle func(*Call, *In) (*Out, error)) Operation {
	return Operation{Name: name, Mode: mode, Doc: doc, Enforced: enforced,
		decode: func(d *decoder) (any, error) {
			in := new(In)
			return in, d.decode(in)
		},
		handle: func(c *Call, in any) (any, error) {
			out, err := handle(c, in.(*In))
			if err != nil {
				return nil, err
			}
			return out, nil
		}}
}

// RawOp declares an operation that reads the HTTP request and writes the HTTP
// answer itself.
func RawOp(name string, mode Mode, doc, enforced string, handle func(*Call, *Request) (*Response, error)) Operation {
	return Operation{Name: name, Mode: mode, Doc: doc, Enforced: enforced, raw: handle}
}

// WithoutPermission marks an operation that every authenticated caller may use,
// such as sts:GetCallerIdentity.
func (o Operation) WithoutPermission() Operation {
	o.Public = true
	return o
}

// Request is what a raw operation gets.
type Request struct {
	*http.Request
	// Payload is the whole body, after any chunk encoding was taken off.
	Payload []byte
	// Form is the upload by a form that the body is; nil for all other requests.
	Form *sigv4.Form
	// Signature is what the request is signed with; nil if it is not.
	Signature *sigv4.Credential
	// Received is the time that its signature was held against.
	Received time.Time
}

// Response is an answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// APIError is an error in AWS's form.
type APIError struct {
	// Code is AWS's error code: "EntityNotFoundException".
	Code    string
	Message string
	// Status is the HTTP status; 0 means 400.
	Status int
	// Fields are further members of the error's body.
	Fields map[string]any
}

func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// Fault is the error as the wire carries it.
func (e *APIError) Fault() *wire.Fault {
	return &wire.Fault{Code: e.Code, Message: e.Message, Status: e.Status, Fields: e.Fields, Receiver: e.Status >= 500}
}

// Errorf makes an APIError with status 400.
func Errorf(code, format string, args ...any) *APIError {
	return &APIError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithStatus sets the HTTP status.
func (e *APIError) WithStatus(status int) *APIError {
	e.Status = status
	return e
}
