package ram

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

const maxPage = 500

// page cuts the items to the page that the token names, and makes the token of
// the next. It comes before filtering, so that a page can be empty although
// there is a next one, as RAM warns.
func page[T any](c *engine.Call, items []T, key func(T) string, size *int32, token *string) ([]T, *string, error) {
	n := int(aws.ToInt32(size))
	if size == nil {
		n = maxPage
	}
	if n < 1 || n > maxPage {
		// Only one operation has an error of its own for it.
		code := "InvalidParameterException"
		if c.Operation == "GetResourceShareInvitations" {
			code = "InvalidMaxResultsException"
		}
		return nil, nil, engine.Errorf(code, "The specified value for MaxResults isn't valid. It must be between 1 and %d.", maxPage)
	}
	after, err := engine.FromToken(token)
	if err != nil {
		return nil, nil, engine.Errorf("InvalidNextTokenException", "The specified value for NextToken isn't valid.")
	}
	start := 0
	for after != "" && start < len(items) && key(items[start]) <= after {
		start++
	}
	items = items[start:]
	if items == nil {
		// A listing has its member also where it is empty.
		items = []T{}
	}
	if len(items) <= n {
		return items, nil, nil
	}
	return items[:n], engine.NextToken(key(items[n-1])), nil
}
