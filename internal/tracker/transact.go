package tracker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh/internal/poll"
)

// transactPatience is how long a transaction is repeated that others get in the way
// of. They are of the same side: nobody else writes the items of a transaction.
const transactPatience = time.Minute

// transact runs updates together, all or none, and repeats them while something that
// passes is in the way. The SDK sends an idempotency token, so that a repetition after
// a lost answer does no harm.
func (t *Tracker) transact(ctx context.Context, updates ...*update) error {
	items := make([]types.TransactWriteItem, len(updates))
	for i, u := range updates {
		items[i] = u.transact()
	}
	var last error
	err := poll.Until(ctx, transactPatience, "another transaction on the same records", func(ctx context.Context) (bool, error) {
		_, last = t.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
		if passes(last) {
			return false, nil
		}
		return true, last
	})
	if err != nil && last != nil {
		return fmt.Errorf("transaction: %w", last)
	}
	return err
}

// reasons are the codes by which a transaction was cancelled, item by item.
func reasons(err error) []string {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return nil
	}
	codes := make([]string, len(cancelled.CancellationReasons))
	for i, r := range cancelled.CancellationReasons {
		codes[i] = aws.ToString(r.Code)
	}
	return codes
}

// passes reports whether a transaction failed for something that passes: another one
// on the same items, or too many calls. A condition that failed does not pass.
func passes(err error) bool {
	passing := false
	for _, code := range reasons(err) {
		switch code {
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			passing = true
		case "", "None":
		default:
			return false
		}
	}
	return passing
}

// conditionFailed reports whether a write failed because a condition did not hold.
func conditionFailed(err error) bool {
	var single *types.ConditionalCheckFailedException
	if errors.As(err, &single) {
		return true
	}
	for i := range reasons(err) {
		if conditionFailedAt(err, i) {
			return true
		}
	}
	return false
}

// conditionFailedAt reports whether the condition of one update of a transaction did
// not hold.
func conditionFailedAt(err error, i int) bool {
	codes := reasons(err)
	return i < len(codes) && codes[i] == "ConditionalCheckFailed"
}
