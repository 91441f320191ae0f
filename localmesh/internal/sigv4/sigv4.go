// Package sigv4 verifies AWS Signature Version 4: of requests that are signed in
// their headers or in their query string, and of bodies that S3 clients sign chunk
// by chunk.
//
// A server calls [Parse], looks up the secret of the access key, checks that the
// credential's Service and Region are its own, and calls [Verify]. The scope is
// the client's claim: only S3 lets a body go unsigned, so a service that does not
// check the scope's Service would let anyone else's do so too.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
//
// # Errors
//
// [ErrMissing], [ErrMismatch] and [ErrPayloadHash] are sentinels; a
// [*MalformedError], [*UnsignedHeaderError], [*SkewError] and [*ExpiredError] say
// what they object to. No error holds a secret, a token or a signature.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"

	unsignedPayload = "UNSIGNED-PAYLOAD"
	streamingPrefix = "STREAMING-"

	contentHashHeader = "X-Amz-Content-Sha256"
)

// A Credential is what a signed request says of itself. It holds no secret.
type Credential struct {
	// AccessKeyID names the key that the request is said to be signed with.
	AccessKeyID string
	// Date (such as "20150830"), Region and Service are the scope of the signature.
	Date, Region, Service string
	// SignedHeaders are the names of the headers that the signature covers, in
	// lower case and in order.
	SignedHeaders []string
	// Signature is the signature in lower-case hexadecimal.
	Signature string
	// SecurityToken is the session token of temporary credentials.
	SecurityToken string
	// Presigned tells that the query string carries the signature.
	Presigned bool
	// V2 tells that it is one of Version 2, which S3 alone knows. It has no scope, and
	// its Time is when it expires.
	V2 bool
	// Expires is how long a presigned request is valid from Time on.
	Expires time.Duration
	// Time is when the request was signed.
	Time time.Time
}

// String describes the credential without its session token and signature.
func (c Credential) String() string { return c.AccessKeyID + "/" + c.scope() }

// GoString keeps the session token and the signature out of %#v.
func (c Credential) GoString() string { return c.String() }

// MarshalText keeps the session token and the signature out of logs and JSON.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Credential) scope() string {
	return c.Date + "/" + c.Region + "/" + c.Service + "/" + terminator
}

// s3 tells whether S3's variant of the algorithm applies.
func (c Credential) s3() bool { return c.Service == "s3" }

// Verify checks that r was signed by the holder of secret: that the signature
// fits the request, that the body fits the hash that was signed, and that the
// request was signed about now. It allows clocks to differ by 5 minutes, and
// for S3 by 15. body is not looked at when the request declares it unsigned or
// signed in chunks; see [Streaming] for the latter.
func Verify(r *http.Request, c *Credential, secret string, body []byte, now time.Time) error {
	return verify(r, c, signingKey(c, secret), body, now)
}

func verify(r *http.Request, c *Credential, key, body []byte, now time.Time) error {
	if err := signedHeadersSuffice(r, c); err != nil {
		return err
	}
	hash, err := payloadHash(r, c, body)
	if err != nil {
		return err
	}
	canonical, err := canonicalRequest(r, c, hash)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(canonical))
	want := sign(key, algorithm, c.Time.Format(timeFormat), c.scope(), hex.EncodeToString(sum[:]))
	if !hmac.Equal([]byte(want), []byte(c.Signature)) {
		return ErrMismatch
	}
	// Last, so that only a signer learns about the mesh's clock and the body's hash.
	if err := bodyFits(c, hash, body); err != nil {
		return err
	}
	return fresh(c, now)
}

// signedHeadersSuffice checks that Host and every X-Amz- header is signed, as
// AWS demands, so that nothing that changes a request's meaning can be added to it.
func signedHeadersSuffice(r *http.Request, c *Credential) error {
	if !slices.Contains(c.SignedHeaders, "host") {
		return &UnsignedHeaderError{Header: "host"}
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(c.SignedHeaders, lower) {
			return &UnsignedHeaderError{Header: lower}
		}
	}
	return nil
}

// payloadHash returns the hash of the body that goes into the signature.
func payloadHash(r *http.Request, c *Credential, body []byte) (string, error) {
	if !c.s3() {
		sum := sha256.Sum256(body)
		return hex.EncodeToString(sum[:]), nil
	}
	hash := declaredHash(r)
	switch {
	case hash == "" && c.Presigned:
		return unsignedPayload, nil
	case hash == unsignedPayload, strings.HasPrefix(hash, streamingPrefix), isHex256(hash):
		return hash, nil
	}
	return "", &MalformedError{Part: contentHashHeader, Problem: "neither a SHA-256 hash nor a known mode"}
}

func declaredHash(r *http.Request) string {
	if h := r.Header.Get(contentHashHeader); h != "" {
		return h
	}
	return r.URL.Query().Get(contentHashHeader)
}

// bodyFits compares the body to the hash that the client declared and signed.
func bodyFits(c *Credential, hash string, body []byte) error {
	if !c.s3() || hash == unsignedPayload || strings.HasPrefix(hash, streamingPrefix) {
		return nil
	}
	sum := sha256.Sum256(body)
	if hex.EncodeToString(sum[:]) != hash {
		return ErrPayloadHash
	}
	return nil
}

func isHex256(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// fresh checks the time of the signature against now.
func fresh(c *Credential, now time.Time) error {
	skew := 5 * time.Minute
	if c.s3() {
		skew = 15 * time.Minute
	}
	if c.Presigned {
		if end := c.Time.Add(c.Expires); now.After(end) {
			return &ExpiredError{At: end}
		}
		if c.Time.Sub(now) > skew {
			return &SkewError{Signed: c.Time, Now: now, Allowed: skew}
		}
		return nil
	}
	if now.Sub(c.Time).Abs() > skew {
		return &SkewError{Signed: c.Time, Now: now, Allowed: skew}
	}
	return nil
}

func mac(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}

func signingKey(c *Credential, secret string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{c.Date, c.Region, c.Service, terminator} {
		key = mac(key, part)
	}
	return key
}

// sign returns the signature of the lines.
func sign(key []byte, lines ...string) string {
	return hex.EncodeToString(mac(key, strings.Join(lines, "\n")))
}
