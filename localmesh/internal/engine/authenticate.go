package engine

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// The errors of authentication differ by protocol
// (https://docs.aws.amazon.com/general/latest/gr/CommonErrors.html and the
// common errors pages of each service).
type authError struct {
	json, query, s3 string
	status          int
	message         string
}

func (x *exchange) authFault(e authError) *APIError {
	code := e.json
	status := http.StatusBadRequest
	if x.service != nil {
		switch x.service.Protocol {
		case wire.Query:
			code, status = e.query, http.StatusForbidden
		case wire.RestXML:
			code, status = e.s3, http.StatusForbidden
		case wire.RestJSON:
			status = http.StatusForbidden
		}
	}
	if e.status != 0 {
		status = e.status
	}
	return &APIError{Code: code, Message: e.message, Status: status}
}

func (x *exchange) invalidKey() *APIError {
	e := authError{json: "UnrecognizedClientException", query: "InvalidClientTokenId", s3: "InvalidAccessKeyId",
		message: "The security token included in the request is invalid."}
	if x.service != nil && x.service.Protocol == wire.RestXML {
		e.message = "The AWS Access Key Id you provided does not exist in our records."
	}
	return x.authFault(e)
}

func (x *exchange) expiredToken() *APIError {
	return x.authFault(authError{json: "ExpiredTokenException", query: "ExpiredToken", s3: "ExpiredToken",
		message: "The security token included in the request is expired"})
}

// findService tells from the signature which service is called. What is not signed
// goes on as an anonymous request where its service has such.
func (x *exchange) findService(body []byte) (*sigv4.Credential, error) {
	signature, err := sigv4.Parse(x.r)
	if errors.Is(err, sigv4.ErrMissing) && sigv4.IsForm(x.r) && x.mesh.services["s3"] != nil {
		signature, err = x.takeForm(body)
	}
	if errors.Is(err, sigv4.ErrMissing) {
		return nil, x.unsigned(body)
	}
	if err != nil {
		return nil, x.unreadable(err, body)
	}
	s, ok := x.mesh.signed(signature.Service, x.r.Header.Get("X-Amz-Target"))
	if !ok {
		_, x.protocol = x.likely(body)
		return nil, &APIError{Code: "NotImplemented", Status: http.StatusNotImplemented,
			Message: "the local mesh does not have the service " + signature.Service}
	}
	x.service = s
	return signature, nil
}

// takeForm reads an upload by a form, which carries its signature itself.
func (x *exchange) takeForm(body []byte) (*sigv4.Credential, error) {
	form, err := sigv4.ReadForm(x.r, body)
	if err != nil {
		x.service = x.mesh.services["s3"]
		return nil, &APIError{Code: "MalformedPOSTRequest", Status: http.StatusBadRequest,
			Message: "The body of your POST request is not well-formed multipart/form-data."}
	}
	x.form = form
	return sigv4.ParseForm(form)
}

// authenticate verifies the signature and finds out who calls. It returns the
// region of the call and the payload of the body.
func (x *exchange) authenticate(signature *sigv4.Credential, body []byte) (region string, payload []byte, err error) {
	// Whoever it turns out to be.
	defer func() { x.caller.Origin = origin(x.r) }()
	if signature == nil {
		payload, err := x.unsignedPayload(body)
		return x.mesh.Home, payload, err
	}
	var secret string
	err = x.mesh.Store.View(func(tx store.Tx) error {
		var err error
		x.caller, secret, err = x.lookUp(tx, signature)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	switch {
	case x.form != nil:
		err = sigv4.VerifyForm(x.form, signature, secret)
	case signature.V2:
		bucket := ""
		if x.service.HostPath != nil {
			bucket = x.service.HostPath(x.r)
		}
		err = sigv4.VerifyV2(x.r, signature, secret, bucket, x.now())
	default:
		err = x.mesh.signingKeys.Verify(x.r, signature, secret, body, x.now())
	}
	if err != nil {
		return "", nil, x.signatureFault(err)
	}
	if signature.Region != "" && lakemesh.PartitionOf(signature.Region) != x.mesh.Names.Partition() {
		// Keys of one partition are unknown in the others
		// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html).
		return "", nil, x.invalidKey()
	}
	// The body of a form is its own frame, and Version 2 knows no chunks.
	if x.form != nil || signature.V2 || !sigv4.Streaming(x.r) {
		return signature.Region, body, nil
	}
	payload, trailer, err := sigv4.DecodeChunked(x.r, signature, secret, body)
	if err != nil {
		return "", nil, x.signatureFault(err)
	}
	return signature.Region, payload, x.takeTrailer(trailer)
}

// unsignedPayload is the payload of a request that nobody signed. Its chunks can only
// be unsigned ones.
func (x *exchange) unsignedPayload(body []byte) ([]byte, error) {
	if x.service.Protocol != wire.RestXML || !sigv4.Streaming(x.r) {
		return body, nil
	}
	if mode := x.r.Header.Get("X-Amz-Content-Sha256"); mode != "STREAMING-UNSIGNED-PAYLOAD-TRAILER" {
		return nil, &APIError{Code: "AccessDenied", Message: "Access Denied", Status: http.StatusForbidden}
	}
	payload, trailer, err := sigv4.DecodeChunked(x.r, &sigv4.Credential{}, "", body)
	if err != nil {
		return nil, x.signatureFault(err)
	}
	return payload, x.takeTrailer(trailer)
}

// origin is where a request came from. In process there is no connection; its
// address is that of the endpoint that the client was given.
func origin(r *http.Request) *authz.Origin {
	o := &authz.Origin{SourceIP: "127.0.0.1", UserAgent: r.UserAgent(), TLS: r.TLS != nil}
	if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		o.SourceIP = address.Addr().Unmap().WithZone("").String()
	}
	return o
}

// takeTrailer puts a header that was announced for the end of the body, which is a
// checksum of it, among the request's other headers.
func (x *exchange) takeTrailer(trailer http.Header) error {
	announced := strings.TrimSpace(x.r.Header.Get("X-Amz-Trailer"))
	if announced == "" {
		return nil
	}
	value := trailer.Get(announced)
	if value == "" {
		return &APIError{Code: "MalformedTrailerError", Status: http.StatusBadRequest,
			Message: "The request contained trailing data that was not well-formed or did not conform to our published schema."}
	}
	// In process the headers are the client's own.
	r := x.r.WithContext(x.r.Context())
	r.Header = r.Header.Clone()
	r.Header.Set(announced, value)
	x.r = r
	return nil
}

func (x *exchange) signatureFault(err error) *APIError {
	var uncovered *sigv4.NotCoveredError
	if errors.As(err, &uncovered) {
		return &APIError{Code: "InvalidRequest", Message: "The authorization mechanism you have provided is not supported: " + err.Error(), Status: http.StatusBadRequest}
	}
	var skew *sigv4.SkewError
	if errors.As(err, &skew) && x.service.Protocol == wire.RestXML {
		return &APIError{Code: "RequestTimeTooSkewed", Message: err.Error(), Status: http.StatusForbidden}
	}
	var expired *sigv4.ExpiredError
	if errors.As(err, &expired) && x.service.Protocol == wire.RestXML {
		return &APIError{Code: "AccessDenied", Message: "Request has expired", Status: http.StatusForbidden}
	}
	return x.authFault(authError{json: "InvalidSignatureException", query: "SignatureDoesNotMatch", s3: "SignatureDoesNotMatch",
		message: err.Error()})
}

// lookUp finds the owner of an access key.
func (x *exchange) lookUp(tx store.Tx, signature *sigv4.Credential) (authz.Caller, string, error) {
	if s, ok, err := state.Sessions.Shared(tx, signature.AccessKeyID); err != nil {
		return authz.Caller{}, "", err
	} else if ok {
		return x.sessionCaller(tx, s, signature)
	}
	key, ok, err := state.AccessKeys.Shared(tx, signature.AccessKeyID)
	if err != nil {
		return authz.Caller{}, "", err
	}
	if !ok || !key.Active || signature.SecurityToken != "" {
		return authz.Caller{}, "", x.invalidKey()
	}
	if key.User == "" {
		root := "arn:aws:iam::" + key.Account + ":root"
		return authz.Caller{Account: key.Account, ARN: root, Principal: root, UserID: key.Account,
			AccessKeyID: key.ID, Root: true}, key.Secret, nil
	}
	user, ok, err := state.ReadUser(tx, key.Account, key.User)
	if err != nil {
		return authz.Caller{}, "", err
	}
	if !ok {
		return authz.Caller{}, "", x.invalidKey()
	}
	return authz.Caller{Account: key.Account, ARN: user.ARN(), Principal: user.ARN(), UserID: user.ID, AccessKeyID: key.ID},
		key.Secret, nil
}

func (x *exchange) sessionCaller(tx store.Tx, s state.Session, signature *sigv4.Credential) (authz.Caller, string, error) {
	if s.Token != signature.SecurityToken {
		return authz.Caller{}, "", x.invalidKey()
	}
	if !x.mesh.Clock().Before(s.Expires) {
		return authz.Caller{}, "", x.expiredToken()
	}
	if s.Role == "" {
		return x.tokenCaller(tx, s)
	}
	role, ok, err := state.ReadRole(tx, s.Account, s.Role)
	if err != nil {
		return authz.Caller{}, "", err
	}
	if !ok || (s.RoleID != "" && s.RoleID != role.ID) {
		return authz.Caller{}, "", x.invalidKey()
	}
	return authz.Caller{Account: s.Account, ARN: s.ARN(), Principal: role.ARN(), UserID: role.ID + ":" + s.Name,
		AccessKeyID: s.AccessKeyID, Session: &s}, s.Secret, nil
}

// tokenCaller finds the user or root that got a session token.
func (x *exchange) tokenCaller(tx store.Tx, s state.Session) (authz.Caller, string, error) {
	c := authz.Caller{Account: s.Account, ARN: s.ARN(), Principal: s.ARN(), AccessKeyID: s.AccessKeyID, Session: &s}
	if s.Root {
		c.Root, c.UserID = true, s.Account
		return c, s.Secret, nil
	}
	account, _, name, _ := state.SplitPrincipalARN(s.User)
	user, ok, err := state.ReadUser(tx, account, name)
	if err != nil {
		return authz.Caller{}, "", err
	}
	if !ok || user.ARN() != s.User {
		return authz.Caller{}, "", x.invalidKey()
	}
	c.UserID = user.ID
	if s.Federated {
		c.Principal, c.UserID = s.User, s.Account+":"+s.Name
	}
	return c, s.Secret, nil
}
