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
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

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
	// slash at its end and none at its beginning.
	Prefix string
}

// ParsePlace takes a table's location apart: s3://bucket/prefix, with or without
// a slash at its end. ok is false for anything but S3.
func ParsePlace(location string) (_ Place, ok bool) {
	scheme, rest, found := strings.Cut(location, "://")
	if !found || scheme != "s3" && scheme != "s3a" && scheme != "s3n" {
		return Place{}, false
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	prefix = strings.Trim(prefix, "/")
	if prefix != "" {
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

// Change is what is to become of a bucket's policy.
type Change struct {
	// Bucket is the bucket, Role the role whose access changes.
	Bucket, Role string
	// Open and Close are prefixes, as in [Place]. What is in both is opened.
	Open, Close []string
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
func (b Buckets) Prepare(ctx context.Context, role string, open, closed []Place) ([]Change, error) {
	byBucket := map[string]*Change{}
	of := func(bucket string) *Change {
		if byBucket[bucket] == nil {
			byBucket[bucket] = &Change{Bucket: bucket, Role: role}
		}
		return byBucket[bucket]
	}
	for _, p := range open {
		of(p.Bucket).Open = append(of(p.Bucket).Open, p.Prefix)
	}
	for _, p := range closed {
		of(p.Bucket).Close = append(of(p.Bucket).Close, p.Prefix)
	}
	var changes []Change
	for _, c := range byBucket {
		if err := b.prepare(ctx, c); err != nil {
			return nil, err
		}
		if c.after != c.before {
			changes = append(changes, *c)
		}
	}
	slices.SortFunc(changes, func(x, y Change) int { return strings.Compare(x.Bucket, y.Bucket) })
	return changes, nil
}

func (b Buckets) prepare(ctx context.Context, c *Change) error {
	var err error
	if c.before, err = b.policy(ctx, c.Bucket); err != nil {
		return err
	}
	c.read = time.Now()
	if c.after, err = Merge(c.before, c.Bucket, c.Role, c.Open, c.Close); err != nil {
		return fmt.Errorf("bucket %s: %w", c.Bucket, err)
	}
	if c.after != c.before && len(c.after) > MaxPolicy {
		return &lakemesh.Error{Kind: lakemesh.ErrQuota, Account: b.Account, Resource: "policy of bucket " + c.Bucket,
			Message: fmt.Sprintf("it would be %d bytes long, and S3 allows %d", len(c.after), MaxPolicy),
			Hint:    "remove statements that are not needed, or keep the tables in fewer or shorter prefixes, or in several buckets"}
	}
	return nil
}

// Step adds the step that writes a prepared change, after the steps given, and
// reads it back.
func (b Buckets) Step(p *plan.Plan, c Change, after ...*plan.Step) *plan.Step {
	kind, verb := plan.OpenBucket, "open"
	prefixes := c.Open
	if len(c.Open) == 0 {
		kind, verb, prefixes = plan.CloseBucket, "close", c.Close
	}
	places := make([]string, len(prefixes))
	for i, prefix := range prefixes {
		places[i] = Place{c.Bucket, prefix}.String()
	}
	slices.Sort(places)
	places = slices.Compact(places)
	return p.Add(plan.Step{
		Kind: kind, Account: b.Account, Resource: "bucket " + c.Bucket, Detail: places,
		Summary: fmt.Sprintf("%s %s to %s", verb, list(places), c.Role),
		Run:     func(ctx context.Context) error { return b.write(ctx, c) },
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
	err := poll.Until(ctx, b.patience(), "S3 to know "+c.Role, func(ctx context.Context) (bool, error) {
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
		merged, err := Merge(now, c.Bucket, c.Role, c.Open, c.Close)
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
		Message: "a principal that it names does not exist: " + c.Role + ", or one in a statement that was there before",
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
