package identity

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lakemesh/lakemesh/internal/awserr"
)

const (
	// MaxAttempts is how often a call is tried in all.
	MaxAttempts = 8
	// The first wait after a failed attempt, and the longest.
	firstBackoff   = 50 * time.Millisecond
	longestBackoff = 5 * time.Second
	// longestThrottled is the longest wait after a throttled attempt, which then
	// also waits for its turn.
	longestThrottled = 500 * time.Millisecond
)

// newRetryer returns the maker of the one retryer of all clients of an identity.
// It tries again what the SDK does, and also what passes by itself and is not in
// the SDK's list: somebody else's change that was under way, a time-out of the
// service, a bare status 429. It slows down to the rate that a throttled operation
// takes, for all clients of the identity together.
//
// What may pass and may stay, such as "Invalid principal", is not tried again here
// but where it is known that the principal is new: see [UntilVisible].
//
// It also tries again what no policy of the caller allows, for as long as wait after the
// first such answer of an action, if that comes soon after the identity was opened: a role that was made,
// or whose policy was changed, a moment ago is refused by each service for a while, in these
// words and no others
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency).
// When a role was made is hidden from who acts as it. So it is one wait for all calls of an
// action: a role that is refused after it is not new, and each call would wait for nothing.
func newRetryer(wait time.Duration) func() aws.Retryer {
	shared, fresh := &paces{}, &newcomer{opened: time.Now(), wait: wait, until: map[string]time.Time{}}
	return func() aws.Retryer {
		return &retryer{paces: shared, Standard: retry.NewStandard(func(s *retry.StandardOptions) {
			s.MaxAttempts = MaxAttempts
			s.Backoff = retry.BackoffDelayerFunc(backoff)
			// The SDK's quota of retries would end a long operation that is throttled
			// all the way; the pace does that work.
			s.RateLimiter = ratelimit.None
			s.Retryables = append(s.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
				return trueOrUnknown(isPassing(err) || isTooNew(err) && fresh.waits(readDenial(awserr.Message(err)).action, time.Now()))
			}))
		})}
	}
}

// newcomer is a role that may be new.
type newcomer struct {
	opened time.Time
	wait   time.Duration

	mu sync.Mutex
	// until is how long a refusal of each action is tried again.
	until map[string]time.Time
}

// waits reports whether a refusal of an action may pass. Services learn of a role one by one,
// so one that knows it says nothing about another.
func (n *newcomer) waits(action string, now time.Time) bool {
	if n.wait <= 0 {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	until, refused := n.until[action]
	if !refused && now.Before(n.opened.Add(Propagation)) {
		until = now.Add(n.wait)
		n.until[action] = until
	}
	return now.Before(until)
}

// retryer implements aws.RetryerV2.
type retryer struct {
	*retry.Standard

	paces *paces
}

// GetAttemptToken waits until the operation may be called, and returns what is to
// be told of the answer.
func (r *retryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	pace := r.paces.pace(ctx)
	if err := pace.wait(ctx); err != nil {
		return nil, fmt.Errorf("wait for the rate that AWS allows: %w", err)
	}
	return func(err error) error {
		pace.answered(time.Now(), IsThrottle(err))
		return nil
	}, nil
}

func trueOrUnknown(b bool) aws.Ternary {
	if b {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// backoff is exponential with jitter.
func backoff(attempt int, err error) (time.Duration, error) {
	limit := longestBackoff
	if IsThrottle(err) {
		limit = longestThrottled
	}
	// Beyond, the shift would not change the limit.
	if attempt < 7 {
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
	// transaction passes, and so does being too fast; a failed condition does not.
	if HasCode(err, "TransactionCanceledException") {
		text := err.Error()
		passes := slices.ContainsFunc([]string{"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"},
			func(reason string) bool { return strings.Contains(text, reason) })
		return passes && !strings.Contains(text, "ConditionalCheckFailed")
	}
	return IsThrottle(err)
}

// isTooNew reports whether a call was refused as that of a role is whose policy is not
// known everywhere yet.
func isTooNew(err error) bool {
	return HasCode(err, accessDeniedCodes...) && readDenial(awserr.Message(err)).by("no identity-based policy")
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
