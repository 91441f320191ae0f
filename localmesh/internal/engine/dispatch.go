package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// errLost is the outcome of a call whose answer is lost on purpose.
var errLost = errors.New("the connection was cut before the answer arrived")

// ServeHTTP answers one AWS request.
func (m *Mesh) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := m.serve(w, r); errors.Is(err, errLost) {
		// The client must see a cut connection, not an empty answer.
		panic(http.ErrAbortHandler)
	}
}

// Do answers one AWS request in process: it is the HTTP client of an aws.Config.
func (m *Mesh) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	if err := m.serve(rec, r); err != nil {
		return nil, err
	}
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}

// serve answers r on w. It returns an error only where there is no answer: a
// planned loss, a client that went away, or a connection that does not take it.
func (m *Mesh) serve(w http.ResponseWriter, r *http.Request) (err error) {
	requestID := m.UUID()
	x := &exchange{mesh: m, r: r, requestID: requestID}
	// Clients whose clocks are wrong correct themselves by it.
	w.Header().Set("Date", x.now().UTC().Format(http.TimeFormat))
	defer func() {
		if p := recover(); p != nil {
			if m.Log != nil {
				m.Log.Error("panic in an operation", "service", x.serviceName(), "operation", x.operationName(),
					"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
			err = x.fail(w, &APIError{Code: "InternalFailure", Message: "the local mesh failed: " + fmt.Sprint(p), Status: 500})
		}
	}()
	answer, err := x.run()
	if err == nil {
		return answer(w)
	}
	if errors.Is(err, errLost) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		x.log(err)
		return err
	}
	x.log(err)
	return x.fail(w, err)
}

// exchange is one request on its way.
type exchange struct {
	mesh      *Mesh
	r         *http.Request
	requestID string
	service   *Service
	operation *Operation
	unknown   string
	caller    authz.Caller
	// protocol is that of a request whose service is not known.
	protocol wire.Protocol
	// form is an upload by a form, if it is one.
	form *sigv4.Form
	// signature is nil for anonymous requests.
	signature *sigv4.Credential
}

func (x *exchange) serviceName() string {
	if x.service == nil {
		return ""
	}
	return x.service.Name
}

func (x *exchange) operationName() string {
	if x.operation == nil {
		return x.unknown
	}
	return x.operation.Name
}

type answerer func(http.ResponseWriter) error

func (x *exchange) run() (answerer, error) {
	m := x.mesh
	body, err := wire.ReadBody(x.r, m.MaxBody)
	if err != nil {
		return nil, err
	}
	signature, err := x.findService(body)
	if err != nil {
		return nil, err
	}
	x.signature = signature
	var form url.Values
	if x.service.Parameters != nil {
		form = x.service.Parameters(x.r)
	} else if x.service.Protocol == wire.Query || (x.service.Protocol == wire.RestJSON && x.r.Method == http.MethodDelete) {
		if form, err = wire.Form(x.r, body); err != nil {
			return nil, err
		}
	}
	if err := x.findOperation(form); err != nil {
		return nil, err
	}
	if err := m.RunDue(x.r.Context()); err != nil {
		return nil, err
	}
	m.Counts.add(x.service.Name, x.operation.Name)
	if err := m.Traffic.delay(x.r.Context()); err != nil {
		return nil, err
	}
	region, payload, err := x.authenticate(signature, body)
	if err != nil {
		return nil, err
	}
	if !m.Traffic.admit(x.service.Name, x.operation.Name) {
		return nil, &APIError{Code: x.service.ThrottleCode, Message: "Rate exceeded", Status: x.service.ThrottleStatus}
	}
	fault := m.Faults.strike(x.service.Name, x.operation.Name)
	if fault != nil && fault.Moment == Before {
		if fault.Error != nil {
			return nil, fault.Error
		}
		return nil, &APIError{Code: "InternalServiceException", Message: "a planned fault", Status: http.StatusInternalServerError}
	}
	answer, err := x.operate(region, payload, x.known(form))
	if fault != nil && fault.Moment == After {
		return nil, errLost
	}
	return answer, err
}

// findOperation resolves the operation, or answers that there is none.
func (x *exchange) findOperation(form url.Values) error {
	var name string
	if x.service.Resolve != nil {
		name = x.service.Resolve(x.r)
	} else {
		_, n, err := wire.Operation(x.service.Protocol, x.r, form)
		if err != nil {
			return err
		}
		name = n
	}
	x.unknown = name
	key := name
	if x.service.Protocol == wire.RestJSON {
		key = strings.ToLower(name)
	}
	op, ok := x.service.byName[key]
	if !ok {
		return &APIError{Code: "NotImplemented", Status: http.StatusNotImplemented,
			Message: fmt.Sprintf("the local mesh does not have %s of %s", name, x.service.Title)}
	}
	x.operation = op
	return nil
}

// operate runs the operation in a transaction.
func (x *exchange) operate(region string, payload []byte, form url.Values) (answerer, error) {
	m := x.mesh
	c := &Call{
		Context: x.r.Context(), Service: x.service.Name, Operation: x.operation.Name, Region: region,
		Caller: x.caller, Now: m.Clock().UTC(), RequestID: x.requestID, Mesh: m, service: x.service,
		inTime: alarmed(x.r.Context()), calledVia: calledVia(x.r.Context()),
	}
	var in, out any
	if x.operation.raw == nil {
		// Before the transaction, so that other writers need not wait for it.
		var err error
		if in, err = x.operation.decode(x.decoder(payload, form)); err != nil {
			return nil, err
		}
	}
	var raw *Response
	do := func(tx store.Tx) error {
		c.Tx = tx
		c.authorized = x.operation.Public
		var err error
		if x.operation.raw != nil {
			raw, err = x.operation.raw(c, &Request{Request: x.r, Payload: payload, Form: x.form, Signature: x.signature, Received: x.now()})
		} else {
			out, err = x.operation.handle(c, in)
		}
		if err != nil {
			return err
		}
		if !c.authorized {
			return &APIError{Code: "InternalFailure", Status: http.StatusInternalServerError,
				Message: x.operation.Name + " did not ask for permission"}
		}
		// Before the change can be seen, so that nobody sees it too early.
		c.settle()
		return nil
	}
	run := m.Store.View
	switch x.operation.Mode {
	case Write:
		run = m.Store.Update
	case Apart:
		run = func(do func(store.Tx) error) error { return do(nil) }
	case Read:
		c.memo = map[any]any{}
	}
	if err := run(do); err != nil {
		return nil, err
	}
	if raw != nil {
		return func(w http.ResponseWriter) error { return x.writeRaw(w, raw) }, nil
	}
	encoded, err := x.encode(out)
	if err != nil {
		return nil, err
	}
	x.log(nil)
	return func(w http.ResponseWriter) error {
		return wire.WriteResult(w, x.service.Protocol, x.requestID, encoded)
	}, nil
}

// known are the parameters of a request in the names that the services know.
func (x *exchange) known(form url.Values) url.Values {
	names := x.names()
	if form == nil || names.exchange == nil {
		return form
	}
	all := make(url.Values, len(form))
	for name, values := range form {
		for _, v := range values {
			all[name] = append(all[name], names.Exchange(v))
		}
	}
	return all
}

func (x *exchange) decoder(payload []byte, form url.Values) *decoder {
	codec := x.service.codec
	if x.service.Protocol != wire.Query {
		payload = x.names().exchanged(payload, dataMembers(x.service.Name))
	}
	return &decoder{decode: x.honoured(func(dst any) error {
		if x.service.Parameters != nil && len(payload) > 0 {
			if err := codec.DecodeJSON(payload, dst); err != nil {
				return err
			}
		}
		if form != nil {
			return codec.DecodeQuery(form, dst)
		}
		return codec.DecodeJSON(payload, dst)
	})}
}

// honoured words the refusal of a member that would be dropped as the service does it.
func (x *exchange) honoured(decode func(dst any) error) func(dst any) error {
	return func(dst any) error {
		err := decode(dst)
		var dropped *wire.SerializationError
		if errors.As(err, &dropped) && dropped.NotHonoured {
			return &APIError{Code: x.service.InvalidCode, Status: http.StatusBadRequest,
				Message: fmt.Sprintf("the local mesh does not honour the member %s of %s, which would be dropped", dropped.Member, x.operation.Name)}
		}
		return err
	}
}

func (x *exchange) encode(out any) ([]byte, error) {
	if x.service.Protocol == wire.Query {
		body, err := x.service.codec.EncodeQuery(x.operation.Name, x.service.Namespace, x.requestID, out)
		return x.names().exchanged(body, nil), err
	}
	body, err := x.service.codec.EncodeJSON(out)
	return x.names().exchanged(body, dataMembers(x.service.Name)), err
}

// keyHeader names the key that an object is encrypted with.
const keyHeader = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"

func (x *exchange) writeRaw(w http.ResponseWriter, resp *Response) error {
	x.log(nil)
	h := w.Header()
	for k, v := range resp.Header {
		h[k] = v
	}
	if key := h.Get(keyHeader); key != "" {
		h[keyHeader] = []string{x.names().Exchange(key)}
	}
	h.Set("X-Amz-Request-Id", x.requestID)
	status := resp.Status
	if status == 0 {
		status = http.StatusOK
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return nil
	}
	if h.Get("Content-Length") == "" {
		h.Set("Content-Length", strconv.Itoa(len(resp.Body)))
	}
	w.WriteHeader(status)
	if x.r.Method == http.MethodHead {
		return nil
	}
	if _, err := w.Write(resp.Body); err != nil {
		return fmt.Errorf("write response: %w", err)
	}
	return nil
}

// fail answers with the error in the service's own shape.
func (x *exchange) fail(w http.ResponseWriter, err error) error {
	protocol := wire.RestJSON
	if x.service != nil {
		protocol = x.service.Protocol
	} else if x.protocol != 0 {
		protocol = x.protocol
	}
	fault, ok := wire.FaultOf(err)
	if !ok {
		if errors.Is(err, authz.ErrNoSuchPrincipal) {
			fault = x.invalidKey().Fault()
		} else {
			fault = &wire.Fault{Code: "InternalFailure", Message: err.Error(), Receiver: true}
		}
	}
	copied := x.names().fault(*fault)
	copied.RequestID = x.requestID
	if x.r.Method == http.MethodHead {
		// No answer to HEAD has a body: S3's clients go by the status alone.
		w = bodiless{w}
	}
	return wire.WriteFault(w, protocol, &copied)
}

// bodiless is a writer of answers to HEAD.
type bodiless struct{ http.ResponseWriter }

// Write drops the body.
func (b bodiless) Write(body []byte) (int, error) { return len(body), nil }

func (x *exchange) log(err error) {
	if x.mesh.Log == nil {
		return
	}
	attrs := []slog.Attr{slog.String("service", x.serviceName()), slog.String("operation", x.operationName()),
		slog.String("caller", x.mesh.Names.Exchange(x.caller.ARN)), slog.String("request", x.requestID)}
	if err != nil {
		attrs = append(attrs, slog.String("error", x.mesh.Names.Exchange(err.Error())))
	}
	x.mesh.Log.LogAttrs(x.r.Context(), slog.LevelDebug, "call", attrs...)
}
