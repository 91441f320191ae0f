package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// Codes by what they mean. The services' SDK packages type only some of them, so
// they are told by their code.
var (
	notFoundCodes = []string{"EntityNotFoundException", "NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException", "NoSuchBucket",
		"NoSuchBucketPolicy", "NoSuchKey", "NotFound", "TableNotFoundException", "UnknownResourceException", "ResourceShareInvitationArnNotFoundException", "ResourceArnNotFoundException"}
	alreadyExistsCodes = []string{"AlreadyExistsException", "EntityAlreadyExists", "EntityAlreadyExistsException", "ResourceInUseException",
		"ResourceShareInvitationAlreadyAcceptedException", "BucketAlreadyOwnedByYou"}
	accessDeniedCodes = []string{"AccessDenied", "AccessDeniedException", "AccessDeniedForDependencyException", "UnauthorizedOperation",
		"AuthorizationError", "NotAuthorized", "AllAccessDisabled"}
	credentialCodes = []string{"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException",
		"ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"IncompleteSignature", "InvalidToken", "RequestExpired", "AuthFailure"}
	quotaCodes = []string{"LimitExceeded", "LimitExceededException", "ResourceNumberLimitExceededException", "ResourceShareLimitExceededException",
		"ServiceQuotaExceededException", "ItemCollectionSizeLimitExceededException", "TooManyBuckets", "TagLimitExceededException"}
	invalidCodes = []string{"InvalidInputException", "InvalidInput", "ValidationException", "ValidationError", "MalformedPolicyDocument",
		"MalformedPolicyDocumentException", "MalformedPolicy", "MalformedArnException", "InvalidParameterException", "InvalidParameterValue",
		"InvalidParameterCombination", "InvalidResourceArn", "InvalidBucketName", "InvalidArgument", "PermissionsInvalidError"}
)

// HasCode reports whether AWS answered with one of the codes; without codes,
// whether it answered with any.
func HasCode(err error, codes ...string) bool {
	if len(codes) == 0 {
		return awserr.Code(err) != ""
	}
	return awserr.Is(err, codes...)
}

// IsNotFound tells that the thing does not exist.
func IsNotFound(err error) bool {
	return errors.Is(err, lakemesh.ErrNotFound) || HasCode(err, notFoundCodes...)
}

// IsAlreadyExists tells that the thing exists already.
func IsAlreadyExists(err error) bool {
	if HasCode(err, alreadyExistsCodes...) {
		return true
	}
	// CreateLFTag has no code of its own for this.
	return HasCode(err, "InvalidInputException") && strings.Contains(strings.ToLower(awserr.Message(err)), "already exists")
}

// IsAccessDenied tells that AWS refused the caller.
func IsAccessDenied(err error) bool {
	return errors.Is(err, lakemesh.ErrAccessDenied) || HasCode(err, accessDeniedCodes...)
}

// IsThrottle tells that the caller was too fast.
func IsThrottle(err error) bool {
	code := awserr.Code(err)
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return true
	}
	// RAM and Lake Formation can answer a bare 429, which older SDKs do not try again.
	return statusOf(err) == tooManyRequests
}

// IsInvalidPrincipal tells that a policy or a grant names a principal which the
// service does not know: one that does not exist, or that is too new.
func IsInvalidPrincipal(err error) bool {
	return HasCode(err, "InvalidInputException", "MalformedPolicyDocument", "MalformedPolicy") &&
		strings.Contains(strings.ToLower(awserr.Message(err)), "invalid principal")
}

// IsNothingRevoked tells that a revoked permission was not held.
func IsNothingRevoked(err error) bool {
	message := awserr.Message(err)
	return HasCode(err, "InvalidInputException") &&
		(strings.Contains(message, "No permissions revoked") || strings.Contains(message, "Grantee has no"))
}

func isCredentialsMissing(err error) bool {
	text := err.Error()
	return strings.Contains(text, "get credentials") || strings.Contains(text, "get identity") || strings.Contains(text, "static credentials are empty")
}

// Propagation is how long a new principal may take to be known everywhere.
const Propagation = 2 * time.Minute

// UntilVisible calls until the service knows the principals that the call names.
// It is for calls that name a principal which was made shortly before; what says
// what is waited for: "Lake Formation to know role X".
func UntilVisible(ctx context.Context, what string, call func(ctx context.Context) error) error {
	return poll.Until(ctx, Propagation, what, func(ctx context.Context) (bool, error) {
		err := call(ctx)
		if IsInvalidPrincipal(err) || HasCode(err, "NoSuchEntity") {
			return false, poll.NotYet(err)
		}
		return err == nil, err
	})
}
