package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// lookAtKey looks at the bucket's key: whether the roles that read in the bucket may use it,
// and what is added to its policy. Where something is closed alone, nothing stands in the
// way of that.
func (p *Producer) lookAtKey(ctx context.Context, name string, b *bucketWork) error {
	look, err := p.ownBuckets().Look(ctx, name)
	var k *bucketKey
	if err == nil {
		k, err = p.key(ctx, name, look)
	}
	if err != nil && len(b.opened) == 0 && ctx.Err() == nil {
		b.keys = append(b.keys, fmt.Sprintf("the key of bucket %s was not looked at (%v): if lakemesh let a role decrypt with it, our statement is still in the key's policy", name, err))
		return nil
	}
	if k == nil || err != nil {
		return err
	}
	b.key = k
	for _, a := range b.wanted.Access {
		if len(a.Open) == 0 {
			continue
		}
		troubles, err := p.troubles(ctx, k, a.Role)
		if err != nil {
			return err
		}
		for _, t := range troubles {
			switch {
			case t.kept:
				b.letIn = append(b.letIn, storage.KeyReader{Role: a.Role, Bucket: name})
			case t.lacks:
				b.keys = append(b.keys, t.text+". It is not added by this: "+t.unkept)
			case !t.silent:
				b.keys = append(b.keys, t.text)
			}
		}
	}
	return nil
}

// mayEmpty reports whether nothing may be open any more to a role in a bucket afterwards:
// something is closed to it, and nothing else is known that stays. Its key is looked at
// together with its policy then, which says whether it is so.
func (b *bucketWork) mayEmpty(bucket string) bool {
	in := func(p storage.Place) bool { return p.Bucket == bucket }
	return slices.ContainsFunc(b.wanted.Access, func(a storage.Access) bool { return len(a.Open) == 0 && !slices.ContainsFunc(a.Keep, in) }) &&
		!slices.ContainsFunc(b.wanted.Keep, in)
}

// lookAtLeft finds out whether a bucket's key has a statement of ours for a role to which
// nothing is open in the bucket any more.
func (p *Producer) lookAtLeft(ctx context.Context, name string, b *bucketWork) error {
	var left []storage.KeyReader
	for _, c := range b.changes {
		for _, role := range c.Left() {
			left = append(left, storage.KeyReader{Role: role, Bucket: name})
		}
	}
	k := b.key
	if len(left) == 0 || k == nil || !k.readable {
		return nil
	}
	readers, err := storage.KeyReaders(k.policy, k.arn)
	if err != nil {
		b.keys = append(b.keys, err.Error())
		return nil
	}
	left = slices.DeleteFunc(left, func(r storage.KeyReader) bool { return !slices.Contains(readers, r) })
	if len(left) == 0 {
		return nil
	}
	why, err := p.keeps(ctx, k, left[0].Role)
	if err != nil {
		return err
	}
	if why != "" {
		// The bucket is closed to the role all the same.
		b.keys = append(b.keys, fmt.Sprintf("the policy of key %s still lets %s decrypt what is in bucket %s, where nothing is open to it any more. Our statement is not removed by this: %s", k.arn, left[0].Role, name, why))
		return nil
	}
	b.left = left
	return nil
}

// planKeys plans the changes of the policies of keys, one a key: two changes of one policy
// would overwrite each other.
func (p *Producer) planKeys(ctx context.Context, todo *plan.Plan, byBucket map[string]*bucketWork, after ...*plan.Step) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(p.concurrency())
	for name, b := range byBucket {
		group.Go(func() error { return p.lookAtLeft(within, name, b) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	changes, policies := map[string]*storage.KeyChange{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(byBucket)) {
		b := byBucket[name]
		for _, w := range b.keys {
			todo.Warn("%s", w)
		}
		if len(b.letIn)+len(b.left) == 0 {
			continue
		}
		c := changes[b.key.arn]
		if c == nil {
			c = &storage.KeyChange{Key: b.key.arn}
			changes[b.key.arn], policies[b.key.arn] = c, b.key.policy
		}
		c.Open, c.Shut = append(c.Open, b.letIn...), append(c.Shut, b.left...)
	}
	for _, arn := range slices.Sorted(maps.Keys(changes)) {
		if _, err := storage.MergeKey(policies[arn], arn, changes[arn].Open, changes[arn].Shut); err != nil {
			todo.Warn("the policy of key %s is not changed, and what is encrypted with it cannot be read: %v", arn, err)
			continue
		}
		p.own.keys.Step(todo, *changes[arn], after...)
	}
	return nil
}
