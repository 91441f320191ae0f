package sigv4

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrMissing tells that a request is not signed at all.
	ErrMissing = errors.New("the request is not signed")
	// ErrMismatch tells that the signature is not that of the request by the secret.
	ErrMismatch = errors.New("the signature does not match the request")
	// ErrPayloadHash tells that the body is not the one whose hash was signed.
	ErrPayloadHash = errors.New("the body does not match the signed hash")
)

// A MalformedError tells that a part of the signature cannot be read.
type MalformedError struct {
	// Part is the header, parameter or piece at fault.
	Part string
	// Problem says what is wrong with it.
	Problem string
}

// Error implements error.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("the signature's %s is malformed: %s", e.Part, e.Problem)
}

// An UnsignedHeaderError tells that a header which must be signed is not.
type UnsignedHeaderError struct {
	// Header is the header's name in lower case.
	Header string
}

// Error implements error.
func (e *UnsignedHeaderError) Error() string {
	return fmt.Sprintf("the header %q must be signed", e.Header)
}

// A SkewError tells that a request was signed too long ago, or in the future.
type SkewError struct {
	// Signed is when the request says it was signed.
	Signed time.Time
	// Now is the verifier's time.
	Now time.Time
	// Allowed is how far the two may differ.
	Allowed time.Duration
}

// Error implements error, in AWS's words.
func (e *SkewError) Error() string {
	signed, now := e.Signed.UTC().Format(timeFormat), e.Now.UTC().Format(timeFormat)
	minutes := int(e.Allowed.Minutes())
	if e.Signed.Before(e.Now) {
		return fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %d min.)", signed, e.Now.Add(-e.Allowed).UTC().Format(timeFormat), now, minutes)
	}
	return fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %d min.)", signed, e.Now.Add(e.Allowed).UTC().Format(timeFormat), now, minutes)
}

// An ExpiredError tells that a presigned request is no longer valid.
type ExpiredError struct {
	// At is when it expired.
	At time.Time
}

// Error implements error.
func (e *ExpiredError) Error() string {
	return "the presigned request expired at " + e.At.UTC().Format(timeFormat)
}
