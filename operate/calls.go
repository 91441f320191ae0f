package operate

import (
	"context"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"

	"github.com/lakemesh/lakemesh/internal/identity"
)

// counter counts the calls of a job.
type counter struct{ calls, retries, throttles atomic.Int64 }

// add adds the counter to the middleware of a call.
func (c *counter) add(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("LakemeshCallCount", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		middleware.InitializeOutput, middleware.Metadata, error) {
		out, md, err := next.HandleInitialize(ctx, in)
		c.calls.Add(1)
		if attempts, ok := retry.GetAttemptResults(md); ok {
			c.retries.Add(int64(max(0, len(attempts.Results)-1)))
			for _, attempt := range attempts.Results {
				if attempt.Err != nil && identity.IsThrottle(attempt.Err) {
					c.throttles.Add(1)
				}
			}
		}
		return out, md, err
	}), middleware.After)
}
