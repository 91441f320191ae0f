package localmesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Limits of a request. They are far above what a client of these services sends,
// and keep a client that goes wild from taking the machine's memory.
const (
	// maxHeaderFields is how many header fields a request may have. How long they may
	// be is for the HTTP server to say.
	maxHeaderFields = 128
	// maxForm is how long the form of IAM and STS may be; their longest parameter is
	// a policy.
	maxForm = 1 << 20
	// maxJSON is how long a body of JSON may be, which is what DynamoDB lets a batch
	// be (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html).
	maxJSON = 16 << 20
	// maxBodies is how many bytes the bodies of all requests together may have. A
	// request beyond waits for others to end.
	maxBodies = 512 << 20
	// maxPause is how long a client may take to send the next part of a body, and how
	// long a request waits for room.
	maxPause = 20 * time.Second
)

// bound holds a request against the limits and reads its body. The request's room
// is taken until release is called.
func (h handler) bound(w http.ResponseWriter, r *http.Request) (release func(), _ error) {
	fields := 0
	for _, values := range r.Header {
		fields += len(values)
	}
	if fields > maxHeaderFields {
		return nil, &wire.Fault{Code: "RequestHeaderSectionTooLarge", Status: http.StatusRequestHeaderFieldsTooLarge,
			Message: fmt.Sprintf("Your request has %d header fields; at most %d are accepted", fields, maxHeaderFields)}
	}
	if r.Body == nil || r.Body == http.NoBody {
		return func() {}, nil
	}
	limit := h.limit(r)
	if r.ContentLength > limit {
		return nil, &wire.TooLargeError{Limit: limit}
	}
	size := r.ContentLength
	if size < 0 {
		// It comes in chunks, and may be as long as it may be.
		size = limit
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxPause)
	defer cancel()
	if err := h.room.Acquire(ctx, size); err != nil {
		return nil, &wire.Fault{Code: "SlowDown", Status: http.StatusServiceUnavailable, Message: "Please reduce your request rate."}
	}
	whole, err := wire.ReadBody(&http.Request{Body: body{r.Body, http.NewResponseController(w)}}, limit)
	if err != nil {
		h.room.Release(size)
		return nil, err
	}
	r.Body = wire.Whole(whole)
	return func() { h.room.Release(size) }, nil
}

// body is the body of a request whose client must not pause.
type body struct {
	io.ReadCloser
	connection *http.ResponseController
}

// Read implements io.Reader. Its errors are those of AWS.
func (b body) Read(p []byte) (int, error) {
	if err := b.patience(time.Now().Add(maxPause)); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		// What comes after the body is the next request, for which the server has
		// limits of its own.
		if err := b.patience(time.Time{}); err != nil {
			return n, err
		}
		return n, io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, &wire.Fault{Code: "RequestTimeout", Status: http.StatusBadRequest,
			Message: "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed."}
	}
	return n, &wire.Fault{Code: "IncompleteBody", Status: http.StatusBadRequest,
		Message: "You did not provide the number of bytes specified by the Content-Length HTTP header"}
}

// patience sets when the connection gives up. What is no connection has no such time.
func (b body) patience(until time.Time) error {
	if err := b.connection.SetReadDeadline(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set the time until which the body is read: %w", err)
	}
	return nil
}

// limit is how long a request's body may be.
func (h handler) limit(r *http.Request) int64 {
	signature, err := sigv4.Parse(r)
	if err != nil {
		// It is going to be refused, or S3 answers it: an upload by a form, which carries
		// its signature itself, or one that a bucket's policy lets everybody make.
		if sigv4.IsForm(r) || r.Method == http.MethodPut {
			return h.mesh.engine.MaxBody
		}
		return maxForm
	}
	switch h.protocols[signature.Service] {
	case wire.RestXML:
		return h.mesh.engine.MaxBody
	case wire.AWSJSON10, wire.AWSJSON11, wire.RestJSON:
		return maxJSON
	}
	return maxForm
}

// protocolOf is how the answer to a request that was not read is written: as its
// service writes it, or if it names none, as most do.
func (h handler) protocolOf(r *http.Request) wire.Protocol {
	if signature, err := sigv4.Parse(r); err == nil && h.protocols[signature.Service] != 0 {
		return h.protocols[signature.Service]
	}
	return wire.RestJSON
}

// refuse answers a request that was not read.
func (h handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	// The rest of the body is not waited for.
	w.Header().Set("Connection", "close")
	fault, ok := wire.FaultOf(err)
	if !ok {
		fault = &wire.Fault{Code: "IncompleteBody", Message: err.Error(), Status: http.StatusBadRequest}
	}
	// A client that went away needs no answer.
	_ = wire.WriteFault(w, h.protocolOf(r), fault)
}
