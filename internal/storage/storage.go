// Package storage opens prefixes of buckets to the role that Lake Formation reads
// with, and closes them again, by two statements of our own in the bucket's policy.
//
// # Errors
//
// A policy that would pass S3's size limit is a
// [github.com/lakemesh/lakemesh.ErrQuota], found before anything changes. A bucket
// that does not exist is [github.com/lakemesh/lakemesh.ErrNotFound].
package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// Place is a folder in a bucket.
type Place struct {
	// Bucket is the bucket's name.
	Bucket string
	// Prefix is the folder's prefix: empty for the bucket as a whole, else with a
	// slash at its end.
	Prefix string
}

// ParsePlace takes a table's location apart: s3://bucket/prefix, with or without
// a slash at its end. ok is false for anything but S3. Keys are kept as they are
// written: s3://bucket//raw is the folder /raw/, which is another one than raw/.
func ParsePlace(location string) (_ Place, ok bool) {
	scheme, rest, found := strings.Cut(location, "://")
	if !found || scheme != "s3" && scheme != "s3a" && scheme != "s3n" {
		return Place{}, false
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return Place{Bucket: bucket, Prefix: prefix}, bucket != ""
}

// String writes the place as a location.
func (p Place) String() string { return "s3://" + p.Bucket + "/" + p.Prefix }

// ARN is the place's ARN, without a slash at its end, as Lake Formation registers
// locations.
func (p Place) ARN() string {
	return strings.TrimSuffix(objectARN(p.Bucket, p.Prefix), "/")
}

// Covers tells whether o is the place itself or lies below it.
func (p Place) Covers(o Place) bool {
	return p.Bucket == o.Bucket && strings.HasPrefix(o.Prefix, p.Prefix)
}

// Buckets are the buckets of an account.
type Buckets struct {
	// Client makes the calls.
	Client *s3.Client
	// Account owns the buckets: a bucket of another account is refused.
	Account string
	// Patience is how long a changed policy is read back for; 0 means
	// [DefaultPatience].
	Patience time.Duration
}

// DefaultPatience is how long a changed policy is read back for: the policies of
// buckets are eventually consistent.
const DefaultPatience = 30 * time.Second

// Access is what is to become of the access of one role.
type Access struct {
	// Role is the ARN of the role.
	Role string
	// Open and Close are places. What is in both is opened.
	Open, Close []Place
}

// Change is what is to become of a bucket's policy, for all roles at once: S3 has the
// policy as a whole, and of two changes the later would undo the earlier.
type Change struct {
	// Bucket is the bucket.
	Bucket string
	// Roles are the roles whose access changes, in order, with their places in this
	// bucket.
	Roles []Access
	// Warnings are what may keep the change from having an effect.
	Warnings []string
	// before and after are the policy as it was read and as it will be, read is when.
	before, after string
	read          time.Time
}

// fresh is how long a policy that was read is written without reading it again.
// S3 has no condition for writing a policy, so the time in which somebody else's
// change could be overwritten is kept short.
const fresh = 10 * time.Second

// Prepare reads the policy of each bucket once and computes what it will be. It
// returns the changes that change something, in the order of buckets. A policy
// that would grow too large is a [lakemesh.ErrQuota].
func (b Buckets) Prepare(ctx context.Context, accesses []Access) ([]Change, error) {
	byBucket := map[string]map[string]*Access{}
	of := func(bucket, role string) *Access {
		if byBucket[bucket] == nil {
			byBucket[bucket] = map[string]*Access{}
		}
		if byBucket[bucket][role] == nil {
			byBucket[bucket][role] = &Access{Role: role}
		}
		return byBucket[bucket][role]
	}
	for _, a := range accesses {
		for _, p := range a.Open {
			of(p.Bucket, a.Role).Open = append(of(p.Bucket, a.Role).Open, p)
		}
		for _, p := range a.Close {
			of(p.Bucket, a.Role).Close = append(of(p.Bucket, a.Role).Close, p)
		}
	}
	buckets := slices.Sorted(maps.Keys(byBucket))
	prepared := make([]Change, len(buckets))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(plan.DefaultConcurrency)
	for i, bucket := range buckets {
		prepared[i].Bucket = bucket
		for _, role := range slices.Sorted(maps.Keys(byBucket[bucket])) {
			prepared[i].Roles = append(prepared[i].Roles, *byBucket[bucket][role])
		}
		group.Go(func() error { return b.prepare(reading, &prepared[i]) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(prepared, func(c Change) bool { return c.after == c.before }), nil
}

func (b Buckets) prepare(ctx context.Context, c *Change) error {
	var err error
	if c.before, err = b.policy(ctx, c.Bucket); err != nil {
		return err
	}
	c.read = time.Now()
	if c.after, err = c.merge(c.before); err != nil {
		return fmt.Errorf("bucket %s: %w", c.Bucket, err)
	}
	if c.after != c.before && len(c.after) > MaxPolicy {
		return &lakemesh.Error{Kind: lakemesh.ErrQuota, Account: b.Account, Resource: "policy of bucket " + c.Bucket,
			Message: fmt.Sprintf("it would be %d bytes long, and S3 allows %d", len(c.after), MaxPolicy),
			Hint:    "remove statements that are not needed, or keep the tables in fewer or shorter prefixes, or in several buckets"}
	}
	c.Warnings, err = inTheWay(c.before, c.Bucket, c.roles())
	return err
}

// merge puts the change of each role into a policy.
func (c *Change) merge(policy string) (string, error) {
	for _, a := range c.Roles {
		var err error
		if policy, err = Merge(policy, c.Bucket, a.Role, prefixesOf(a.Open), prefixesOf(a.Close)); err != nil {
			return "", err
		}
	}
	return policy, nil
}

func (c *Change) roles() []string {
	roles := make([]string, len(c.Roles))
	for i, a := range c.Roles {
		roles[i] = a.Role
	}
	return roles
}

func prefixesOf(places []Place) []string {
	prefixes := make([]string, len(places))
	for i, p := range places {
		prefixes[i] = p.Prefix
	}
	return prefixes
}

// Step adds the step that writes a prepared change, after the steps given, and
// reads it back.
func (b Buckets) Step(p *plan.Plan, c Change, after ...*plan.Step) *plan.Step {
	kind := plan.CloseBucket
	var words, all []string
	for _, a := range c.Roles {
		verb, places := "close", a.Close
		if len(a.Open) > 0 {
			verb, places, kind = "open", a.Open, plan.OpenBucket
		}
		texts := make([]string, len(places))
		for i, place := range places {
			texts[i] = place.String()
		}
		slices.Sort(texts)
		texts = slices.Compact(texts)
		words = append(words, fmt.Sprintf("%s %s to %s", verb, list(texts), a.Role))
		all = append(all, texts...)
	}
	for _, warning := range c.Warnings {
		p.Warn("%s", warning)
	}
	return p.Add(plan.Step{
		Kind: kind, Account: b.Account, Resource: "bucket " + c.Bucket, Detail: all, Summary: strings.Join(words, "; "),
		Run: func(ctx context.Context) error { return b.write(ctx, c) },
	}, after...)
}

// list names up to three places.
func list(places []string) string {
	const few = 3
	if len(places) <= few {
		return strings.Join(places, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(places[:few], ", "), len(places)-few)
}

func (b Buckets) write(ctx context.Context, c Change) error {
	// S3 may not know yet a role that was made a moment ago.
	err := poll.Until(ctx, b.rolePatience(), "S3 to know "+strings.Join(c.roles(), " and "), func(ctx context.Context) (bool, error) {
		if time.Since(c.read) > fresh {
			if err := b.prepare(ctx, &c); err != nil || c.after == c.before {
				return err == nil, err
			}
		}
		err := b.put(ctx, c)
		if unknownPrincipal(err) && !namesDeleted(c.after) {
			return false, poll.NotYet(err)
		}
		return err == nil, err
	})
	if err != nil {
		return b.explainWrite(c, err)
	}
	err = poll.Until(ctx, b.patience(), "the policy of bucket "+c.Bucket+" to be changed", func(ctx context.Context) (bool, error) {
		now, err := b.policy(ctx, c.Bucket)
		if err != nil {
			return false, err
		}
		// What counts is that our statements are there: somebody else may have
		// changed theirs in the meantime.
		merged, err := c.merge(now)
		return err == nil && merged == now, err
	})
	if timeout, ok := errors.AsType[*poll.TimeoutError](err); ok && ctx.Err() == nil {
		return &lakemesh.Error{Account: b.Account, Resource: "policy of bucket " + c.Bucket, Err: timeout,
			Message: "it was written and does not show the change: " + timeout.Error(),
			Hint:    "somebody else may have written it at the same time; run the same command again"}
	}
	return err
}

// unknownPrincipal tells that the policy names a principal which S3 does not know.
func unknownPrincipal(err error) bool {
	return awserr.Is(err, "MalformedPolicy") && awserr.Says(err, "invalid principal")
}

func (b Buckets) explainWrite(c Change, err error) error {
	if !unknownPrincipal(err) {
		return err
	}
	explained := &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: b.Account, Resource: "policy of bucket " + c.Bucket, Code: awserr.Code(err), Err: err,
		Message: "a principal that it names does not exist: " + strings.Join(c.roles(), ", ") + ", or one in a statement that was there before",
		Hint:    "check that the role exists, and that no statement of the policy names a deleted principal; if the role was made a moment ago, run the same command again in a minute"}
	if namesDeleted(c.after) {
		explained.Message = "a statement that was there before names a principal that was deleted, and S3 takes no policy with such a one"
		explained.Hint = "remove from the policy the principals that are not written as ARNs"
	}
	return explained
}

func (b Buckets) patience() time.Duration {
	if b.Patience > 0 {
		return b.Patience
	}
	return DefaultPatience
}

// newRole is how long a role that was made a moment ago may be unknown to S3: as long as
// anywhere else.
const newRole = 2 * time.Minute

// rolePatience is how long a role is waited for that S3 does not know.
func (b Buckets) rolePatience() time.Duration {
	if b.Patience > 0 {
		return b.Patience
	}
	return newRole
}

func (b Buckets) policy(ctx context.Context, bucket string) (string, error) {
	out, err := b.Client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(bucket), ExpectedBucketOwner: aws.String(b.Account)})
	switch {
	case awserr.Is(err, "NoSuchBucketPolicy"):
		return "", nil
	case awserr.Is(err, "NoSuchBucket"):
		return "", &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: b.Account, Resource: "bucket " + bucket, Code: awserr.Code(err), Err: err,
			Message: "it does not exist, but a table's location names it"}
	case awserr.Denied(err):
		return "", &lakemesh.Error{Kind: lakemesh.ErrAccessDenied, Account: b.Account, Resource: "policy of bucket " + bucket, Code: awserr.Code(err), Err: err,
			Message: "it cannot be read: " + awserr.Message(err),
			Hint:    "the bucket must belong to this account, and its producer role must be allowed to read and write its policy"}
	case err != nil:
		return "", fmt.Errorf("read the policy of bucket %s: %w", bucket, err)
	}
	return aws.ToString(out.Policy), nil
}

func (b Buckets) put(ctx context.Context, c Change) error {
	var err error
	if c.after == "" {
		_, err = b.Client.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String(c.Bucket), ExpectedBucketOwner: aws.String(b.Account)})
	} else {
		_, err = b.Client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(c.Bucket), Policy: aws.String(c.after), ExpectedBucketOwner: aws.String(b.Account)})
	}
	if err != nil {
		return fmt.Errorf("write the policy of bucket %s: %w", c.Bucket, err)
	}
	return nil
}
