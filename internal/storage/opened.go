package storage

import (
	"context"
	"slices"
)

// Opened are the prefixes of a bucket that our statements in its policy open, by role,
// in order: what was opened once, whatever has become of it.
func (b Buckets) Opened(ctx context.Context, bucket string) (map[string][]string, error) {
	policy, err := b.policy(ctx, bucket)
	if err != nil {
		return nil, err
	}
	d, err := parse(policy)
	if err != nil {
		return nil, err
	}
	opened := map[string][]string{}
	for _, raw := range d.statements {
		if o, ok := readOwn(raw, bucket, d.variables()); ok {
			opened[o.role] = append(opened[o.role], o.prefixes...)
		}
	}
	for role, prefixes := range opened {
		slices.Sort(prefixes)
		opened[role] = slices.Compact(prefixes)
	}
	return opened, nil
}
