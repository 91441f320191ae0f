package wire

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// A Protocol is the way a service puts its operations on HTTP.
type Protocol int

const (
	// AWSJSON10 is awsJson 1.0: DynamoDB.
	AWSJSON10 Protocol = iota + 1
	// AWSJSON11 is awsJson 1.1: Glue.
	AWSJSON11
	// RestJSON is restJson 1: Lake Formation and RAM.
	RestJSON
	// Query is awsQuery: STS and IAM.
	Query
	// RestXML is restXml: S3.
	RestXML
)

// String returns the protocol's name.
func (p Protocol) String() string {
	switch p {
	case AWSJSON10:
		return "awsJson1_0"
	case AWSJSON11:
		return "awsJson1_1"
	case RestJSON:
		return "restJson1"
	case Query:
		return "awsQuery"
	case RestXML:
		return "restXml"
	}
	return fmt.Sprintf("Protocol(%d)", int(p))
}

// ContentType returns the content type of the protocol's answers.
func (p Protocol) ContentType() string {
	switch p {
	case AWSJSON10:
		return "application/x-amz-json-1.0"
	case AWSJSON11:
		return "application/x-amz-json-1.1"
	case RestJSON:
		return "application/json"
	case Query:
		return "text/xml"
	default:
		return "application/xml"
	}
}

// A TooLargeError tells that a request's body is over the limit.
type TooLargeError struct {
	// Limit is the number of bytes that are accepted.
	Limit int64
}

// Error implements error.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the request body is larger than %d bytes", e.Limit)
}

// Fault returns what AWS answers to such a request.
func (e *TooLargeError) Fault() *Fault {
	return &Fault{Code: "RequestEntityTooLargeException", Message: e.Error(), Status: http.StatusRequestEntityTooLarge}
}

// Whole is the body of a request that was read already.
func Whole(data []byte) io.ReadCloser { return whole{bytes.NewReader(data), data} }

type whole struct {
	*bytes.Reader
	data []byte
}

// Close implements io.Closer.
func (whole) Close() error { return nil }

// ReadBody reads the whole body of r, at most limit bytes of it. A request that
// was made for a client, in process, may have no body at all.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if read, ok := r.Body.(whole); ok && int64(len(read.data)) <= limit {
		return read.data, nil
	}
	if r.ContentLength > limit {
		return nil, &TooLargeError{Limit: limit}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, &TooLargeError{Limit: limit}
	}
	return body, nil
}

// Form returns the parameters of an awsQuery request: those of the body of a
// POST, and those of the query string, which presigned requests use. Where both
// give a parameter, the body wins. The X-Amz- parameters of a presigned request
// are left out.
func Form(r *http.Request, body []byte) (url.Values, error) {
	form := make(url.Values)
	if r.URL != nil && r.URL.RawQuery != "" {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, problem("the query string is malformed")
		}
		for k, v := range query {
			if !strings.HasPrefix(k, "X-Amz-") {
				form[k] = v
			}
		}
	}
	if len(body) == 0 {
		return form, nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, problem("the body is not a form")
	}
	posted, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, problem("the form is malformed")
	}
	for k, v := range posted {
		form[k] = v
	}
	return form, nil
}

// An UnknownOperationError tells that a request names no operation, or one that
// the service does not have.
type UnknownOperationError struct {
	// Protocol is the protocol the request was read by.
	Protocol Protocol
	// Operation is what the request names, perhaps nothing.
	Operation string
}

// Error implements error.
func (e *UnknownOperationError) Error() string {
	if e.Operation == "" {
		return "the request names no operation"
	}
	return fmt.Sprintf("the operation %q is unknown", e.Operation)
}

// Fault returns what AWS answers to such a request. The query services call it
// an invalid action, all others an unknown operation.
func (e *UnknownOperationError) Fault() *Fault {
	f := &Fault{Code: "UnknownOperationException", Message: e.Error(), Status: http.StatusBadRequest}
	switch e.Protocol {
	case Query:
		f.Code = "InvalidAction"
	case RestJSON:
		f.Status = http.StatusNotFound
	}
	return f
}

// Operation returns the name of the operation that r asks for.
//
// For awsJson it is what follows the service's prefix in X-Amz-Target, and the
// prefix (such as "AWSGlue") comes back as well. For awsQuery it is the Action
// of the form, and the prefix is the Version. For restJson it is the last
// segment of the path as it was sent, which RAM spells in lower case, and the
// prefix is empty. S3's operations depend on the service's own rules: for
// RestXML the answer is always an [*UnknownOperationError].
func Operation(p Protocol, r *http.Request, form url.Values) (prefix, operation string, err error) {
	switch p {
	case AWSJSON10, AWSJSON11:
		if r.Method == http.MethodPost {
			target := r.Header.Get("X-Amz-Target")
			if i := strings.LastIndexByte(target, '.'); i >= 0 {
				prefix, operation = target[:i], target[i+1:]
			}
		}
	case Query:
		prefix, operation = form.Get("Version"), form.Get("Action")
	case RestJSON:
		path := strings.TrimSuffix(r.URL.Path, "/")
		// The endpoint that a client is configured with may have a path of its own.
		operation = path[strings.LastIndexByte(path, '/')+1:]
		// Every operation of these services is a POST, save for RAM's deletions.
		deletion := strings.HasPrefix(operation, "delete") && operation == strings.ToLower(operation)
		if want := map[bool]string{false: http.MethodPost, true: http.MethodDelete}[deletion]; r.Method != want {
			return "", "", &UnknownOperationError{Protocol: p, Operation: r.Method + " " + operation}
		}
	}
	if !isName(operation) {
		return "", "", &UnknownOperationError{Protocol: p, Operation: operation}
	}
	return prefix, operation, nil
}

// isName tells whether s can be the name of an operation.
func isName(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}
