// Package awserr looks into the errors that the SDK returns. Codes are compared,
// not types: which errors the SDK gives a type of their own differs from service
// to service and from operation to operation.
package awserr

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// Code is AWS's error code, or empty when AWS did not answer.
func Code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// Message is what AWS said, or empty when AWS did not answer.
func Message(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorMessage()
	}
	return ""
}

// Is tells whether AWS answered with one of the codes.
func Is(err error, codes ...string) bool {
	code := Code(err)
	return code != "" && slices.Contains(codes, code)
}

// Says tells whether AWS's message contains the text, in any case.
func Says(err error, text string) bool {
	return strings.Contains(strings.ToLower(Message(err)), strings.ToLower(text))
}

// Denied tells whether AWS refused the caller.
func Denied(err error) bool {
	return Is(err, "AccessDeniedException", "AccessDenied", "UnauthorizedOperation")
}

// NotFound tells whether Glue or Lake Formation does not have the object.
func NotFound(err error) bool { return Is(err, "EntityNotFoundException") }

// New makes an error of a code and a message, as if AWS had answered a call of
// its own with it: batch calls answer for their entries in the body.
func New(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}
