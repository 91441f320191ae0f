package engine

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel"
	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// A request that is not signed, or whose signature cannot be read, does not say which
// service it is for. On AWS its host name does; here it is told by what it looks like,
// so that it is refused in the form that its client understands.

// targets are the services by what stands before the operation in X-Amz-Target.
func targets() map[string]string {
	return map[string]string{
		"AWSGlue": "glue", "DynamoDB_20120810": "dynamodb", "DynamoDBStreams_20120810": "dynamodb", "TrentService": "kms",
		"AWSOrganizationsV20161128": "organizations", "AmazonSQS": "sqs", "AmazonAthena": "athena",
	}
}

// versions are the query services by the version of their API.
func versions() map[string]string { return map[string]string{"2011-06-15": "sts", "2010-05-08": "iam"} }

// likely tells which service a request is for that does not say so; nil if there is no
// such service here. The protocol is that of its client in any case.
func (x *exchange) likely(body []byte) (*Service, wire.Protocol) {
	m := x.mesh
	if prefix, _, ok := strings.Cut(x.r.Header.Get("X-Amz-Target"), "."); ok {
		if s := m.services[targets()[prefix]]; s != nil {
			return s, s.Protocol
		}
		return nil, wire.AWSJSON11
	}
	path := strings.Trim(x.r.URL.Path, "/")
	if action := x.action(body); path == "" && action.Has("Action") {
		if s := m.services[versions()[action.Get("Version")]]; s != nil {
			return s, wire.Query
		}
		return nil, wire.Query
	}
	if strings.HasPrefix(x.r.Header.Get("Content-Type"), "application/json") || strings.HasPrefix(x.r.Header.Get("Content-Type"), "application/x-amz-json") {
		if s := m.restful(x.r.Method, path); s != nil {
			return s, s.Protocol
		}
	}
	if s := m.services["s3"]; s != nil {
		return s, s.Protocol
	}
	return nil, wire.RestJSON
}

// restful is the service whose operation a path names.
func (m *Mesh) restful(method, path string) *Service {
	for _, name := range []string{"lakeformation", "ram", "scheduler"} {
		s := m.services[name]
		if s == nil {
			continue
		}
		known := slices.ContainsFunc(awsmodel.Operations(name), func(o string) bool { return strings.EqualFold(o, path) })
		if known || name == "scheduler" && (strings.HasPrefix(path, "schedules") || strings.HasPrefix(path, "schedule-groups")) && method != http.MethodPut {
			return s
		}
	}
	return nil
}

// action are the parameters of a request in the form of the query services.
func (x *exchange) action(body []byte) url.Values {
	if form, err := wire.Form(x.r, body); err == nil {
		return form
	}
	// Nobody refuses a form better than in its own protocol.
	if form, err := url.ParseQuery(string(body)); err == nil && form.Has("Action") {
		return form
	}
	return x.r.URL.Query()
}

// unsigned goes on with a request without a signature: S3 answers those that policies
// let everybody make, and STS has operations whose caller has no keys yet.
func (x *exchange) unsigned(body []byte) error {
	service, protocol := x.likely(body)
	x.service, x.protocol = service, protocol
	missing := &APIError{Code: "MissingAuthenticationToken", Message: "Missing Authentication Token", Status: http.StatusForbidden}
	if protocol != wire.Query && protocol != wire.RestXML {
		missing.Code = "MissingAuthenticationTokenException"
	}
	if protocol == wire.AWSJSON10 || protocol == wire.AWSJSON11 {
		missing.Status = http.StatusBadRequest
	}
	switch {
	case service == nil:
		return missing
	case service.Name == "s3":
		return nil
	case slices.Contains(service.Unsigned, x.action(body).Get("Action")):
		return nil
	}
	return missing
}

// unreadable refuses a request whose signature cannot be read.
func (x *exchange) unreadable(err error, body []byte) error {
	x.service, x.protocol = x.likely(body)
	refused := &APIError{Code: "IncompleteSignature", Message: err.Error(), Status: http.StatusBadRequest}
	switch x.protocol {
	case wire.AWSJSON10, wire.AWSJSON11, wire.RestJSON:
		refused.Code = "IncompleteSignatureException"
	case wire.RestXML:
		refused.Code = "AuthorizationHeaderMalformed"
		scheme, _, _ := strings.Cut(strings.TrimSpace(x.r.Header.Get("Authorization")), " ")
		var malformed *sigv4.MalformedError
		switch {
		case scheme == "AWS":
			// What AWS says of buckets that were made after Version 2 was given up.
			refused.Code, refused.Message = "InvalidRequest", "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
		case scheme == "" && errors.As(err, &malformed):
			refused.Code = "AuthorizationQueryParametersError"
		}
	}
	return refused
}
