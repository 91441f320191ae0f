package identity

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// MaxAttempts is how often a call is tried in all.
	MaxAttempts = 10
	// The first wait after a failed attempt, and the longest.
	firstBackoff   = 50 * time.Millisecond
	longestBackoff = 20 * time.Second
)

// NewRetryer is the one retryer of all clients: the SDK's adaptive mode, which
// slows down to the rate that a throttled API takes, and which also tries again
// what passes by itself and is not in the SDK's list: somebody else's change that
// was under way, a time-out of the service, a bare status 429.
//
// What may pass and may stay, such as "Invalid principal", is not tried again here
// but where it is known that the principal is new: see [UntilVisible].
func NewRetryer() aws.Retryer {
	return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
		o.Throttles = append(o.Throttles, retry.IsErrorThrottleFunc(func(err error) aws.Ternary { return trueOrUnknown(IsThrottle(err)) }))
		o.StandardOptions = append(o.StandardOptions, func(s *retry.StandardOptions) {
			s.MaxAttempts = MaxAttempts
			s.Backoff = retry.BackoffDelayerFunc(backoff)
			// The quota of retries is for servers that fail under load; here
			// the adaptive rate does that work.
			s.RateLimiter = ratelimit.None
			s.Retryables = append(s.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary { return trueOrUnknown(isPassing(err)) }))
		})
	})
}

func trueOrUnknown(b bool) aws.Ternary {
	if b {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// backoff is exponential with full jitter.
func backoff(attempt int, _ error) (time.Duration, error) {
	limit := longestBackoff
	if attempt < 9 {
		limit = min(limit, firstBackoff<<attempt)
	}
	return limit/4 + rand.N(limit*3/4+1), nil
}

// isPassing tells of an error that passes by itself.
func isPassing(err error) bool {
	if HasCode(err, "ConcurrentModificationException", "ConcurrentModification", "OperationTimeoutException", "OperationAborted",
		"TransactionConflictException", "ReplicatedWriteConflictException", "ResourceNotReadyException", "FederationSourceRetryableException") {
		return true
	}
	// A cancelled transaction says why item by item. A conflict with another
	// transaction passes; a failed condition does not.
	if HasCode(err, "TransactionCanceledException") {
		text := err.Error()
		return strings.Contains(text, "TransactionConflict") && !strings.Contains(text, "ConditionalCheckFailed")
	}
	return IsThrottle(err)
}

// statusOf is the HTTP status of the answer, or 0.
func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

const tooManyRequests = http.StatusTooManyRequests
