package storage

import "context"

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
	for _, role := range d.roles(bucket) {
		opened[role], _ = d.opened(bucket, objectsSid, role)
	}
	return opened, nil
}
