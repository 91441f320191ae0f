package lakeformation

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// page cuts items, which are in the order of their keys, to the page that the
// token names.
func page[T any](items []T, key func(T) string, size *int32, token *string) ([]T, *string, error) {
	n, err := pageSize(size)
	if err != nil {
		return nil, nil, err
	}
	after, err := engine.FromToken(token)
	if err != nil {
		return nil, nil, err
	}
	start := 0
	for after != "" && start < len(items) && key(items[start]) <= after {
		start++
	}
	items = items[start:]
	if len(items) <= n {
		return items, nil, nil
	}
	return items[:n], engine.NextToken(key(items[n-1])), nil
}
