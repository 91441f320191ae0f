package iam

import (
	"fmt"
	"net/http"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// The errors of IAM have codes without "Exception"
// (https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html).

func noSuchEntity(format string, args ...any) error {
	return engine.Errorf("NoSuchEntity", format, args...).WithStatus(http.StatusNotFound)
}

func alreadyExists(format string, args ...any) error {
	return engine.Errorf("EntityAlreadyExists", format, args...).WithStatus(http.StatusConflict)
}

func deleteConflict(message string) error {
	return engine.Errorf("DeleteConflict", "%s", message).WithStatus(http.StatusConflict)
}

func limitExceeded(format string, args ...any) error {
	return engine.Errorf("LimitExceeded", format, args...).WithStatus(http.StatusConflict)
}

func exceeded(quota string, limit int) error {
	return limitExceeded("Cannot exceed quota for %s: %d", quota, limit)
}

func invalidInput(format string, args ...any) error {
	return engine.Errorf("InvalidInput", format, args...)
}

func malformed(format string, args ...any) error {
	return engine.Errorf("MalformedPolicyDocument", format, args...)
}

func unmodifiable(role string) error {
	return engine.Errorf("UnmodifiableEntity",
		"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", role)
}

// invalid is the error of a parameter that breaks the service's model.
func invalid(format string, args ...any) error {
	return engine.Errorf("ValidationError", "1 validation error detected: %s", fmt.Sprintf(format, args...))
}

func breaks(parameter, value, constraint string) error {
	return invalid("Value '%s' at '%s' failed to satisfy constraint: Member must %s", value, parameter, constraint)
}

func mustNotBeNull(parameter string) error {
	return invalid("Value null at '%s' failed to satisfy constraint: Member must not be null", parameter)
}
