package identity_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
)

func apiError(code, message string) error {
	return &smithy.OperationError{ServiceID: "Glue", OperationName: "GetTable", Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

func TestExplainTellsWhatACodeMeans(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"EntityNotFoundException": lakemesh.ErrNotFound, "NoSuchEntity": lakemesh.ErrNotFound, "NoSuchBucketPolicy": lakemesh.ErrNotFound,
		"ResourceNotFoundException": lakemesh.ErrNotFound, "UnknownResourceException": lakemesh.ErrNotFound,
		"AccessDenied": lakemesh.ErrAccessDenied, "AccessDeniedException": lakemesh.ErrAccessDenied, "ExpiredToken": lakemesh.ErrAccessDenied,
		"InvalidClientTokenId": lakemesh.ErrAccessDenied, "SignatureDoesNotMatch": lakemesh.ErrAccessDenied,
		"LimitExceeded": lakemesh.ErrQuota, "ResourceNumberLimitExceededException": lakemesh.ErrQuota,
		"InvalidInputException": lakemesh.ErrInvalidInput, "ValidationException": lakemesh.ErrInvalidInput, "MalformedPolicyDocument": lakemesh.ErrInvalidInput,
		"InternalServiceException": nil,
	} {
		cause := apiError(code, "what AWS says")
		err := identity.Explain("CreateTable", "555555555555", "table flights.live", fmt.Errorf("wrapped: %w", cause))
		var explained *lakemesh.Error
		if !errors.As(err, &explained) || explained.Code != code || explained.Account != "555555555555" || explained.Op != "CreateTable" {
			t.Errorf("%s: got %#v", code, err)
			continue
		}
		if !errors.Is(explained.Kind, want) || !errors.Is(err, cause) {
			t.Errorf("%s: kind %v, want %v", code, explained.Kind, want)
		}
	}
}

func TestExplainSaysWhatToDo(t *testing.T) {
	t.Parallel()
	err := identity.Explain("GrantPermissions", "1", "table a.b", apiError("AccessDeniedException", "Insufficient Lake Formation permissions: Illegal combination"))
	const want = "GrantPermissions: table a.b in account 1: Insufficient Lake Formation permissions: Illegal combination (AccessDeniedException); " +
		"IAM_ALLOWED_PRINCIPALS still holds permissions on it, which bars grants to other accounts; revoke them first"
	if err.Error() != want {
		t.Errorf("got %s", err)
	}
}

func TestExplainKeepsWhatExplainsItself(t *testing.T) {
	t.Parallel()
	if identity.Explain("op", "1", "r", nil) != nil {
		t.Error("nil became an error")
	}
	for _, err := range []error{
		lakemesh.Invalid("p", "bad"), &lakemesh.TransitionError{}, &lakemesh.ClaimedError{}, &lakemesh.PartialError{},
	} {
		if got := identity.Explain("op", "1", "r", err); !errors.Is(got, err) && got.Error() != err.Error() {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestPredicates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		is   func(error) bool
		yes  []error
		no   []error
	}{
		{"IsAlreadyExists", identity.IsAlreadyExists,
			[]error{apiError("AlreadyExistsException", ""), apiError("EntityAlreadyExists", ""), apiError("InvalidInputException", "Tag key already exists")},
			[]error{nil, apiError("InvalidInputException", "bad"), errors.New("already exists")}},
		{"IsNotFound", identity.IsNotFound,
			[]error{apiError("EntityNotFoundException", ""), apiError("TableNotFoundException", ""), lakemesh.NotFound("x", "1", "")}, []error{nil, apiError("AccessDenied", "")}},
		{"IsAccessDenied", identity.IsAccessDenied,
			[]error{apiError("AccessDenied", ""), apiError("AccessDeniedException", "")}, []error{nil, apiError("NoSuchEntity", "")}},
		{"IsOwnDenial", identity.IsOwnDenial,
			[]error{apiError("AccessDenied", "because no identity-based policy allows the sts:AssumeRole action"), apiError("AccessDenied", "with an explicit deny in a session policy")},
			[]error{nil, apiError("AccessDenied", ""), apiError("AccessDenied", "because no resource-based policy allows the sts:AssumeRole action")}},
		{"IsThrottle", identity.IsThrottle,
			[]error{apiError("ThrottlingException", ""), apiError("ThrottledException", ""), apiError("SlowDown", "")}, []error{nil, apiError("LimitExceeded", "")}},
		{"IsInvalidPrincipal", identity.IsInvalidPrincipal,
			[]error{apiError("MalformedPolicyDocument", "Invalid principal in policy"), apiError("InvalidInputException", "Invalid principal, x")},
			[]error{nil, apiError("InvalidInputException", "x")}},
		{"IsNothingRevoked", identity.IsNothingRevoked,
			[]error{apiError("InvalidInputException", "No permissions revoked. Grantee does not have"), apiError("InvalidInputException", "Grantee has no permissions")},
			[]error{nil, apiError("InvalidInputException", "x")}},
		{"HasCode", func(err error) bool { return identity.HasCode(err, "A", "B") }, []error{apiError("B", "")}, []error{nil, apiError("C", ""), errors.New("A")}},
	} {
		for _, err := range test.yes {
			if !test.is(err) {
				t.Errorf("%s(%v) is false", test.name, err)
			}
		}
		for _, err := range test.no {
			if test.is(err) {
				t.Errorf("%s(%v) is true", test.name, err)
			}
		}
	}
}
