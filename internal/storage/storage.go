// Package storage opens prefixes of buckets to the role that Lake Formation reads
// with, and closes them again, by two statements of our own in the bucket's policy.
// What is not exactly as we write it is somebody else's, and stays as it is.
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
	"regexp"
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

// Place is a folder in a bucket, or a single object.
type Place struct {
	// Bucket is the bucket's name.
	Bucket string
	// Prefix is what the keys of its objects begin with: empty for the bucket as a
	// whole, else with a slash at its end. Without a slash it is the key of one object.
	Prefix string
}

// ParsePlace takes a table's location apart: s3://bucket/prefix, with or without
// a slash at its end. Everything else of the prefix is kept as it was written,
// because S3 takes keys as they are: b//raw/ is not b/raw/, and what is opened must not
// be wider than the location. ok is false for anything but S3, and for a name that no
// bucket can have.
func ParsePlace(location string) (_ Place, ok bool) {
	scheme, rest, found := strings.Cut(location, "://")
	if !found || scheme != "s3" && scheme != "s3a" && scheme != "s3n" {
		return Place{}, false
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !bucketName.MatchString(bucket) {
		return Place{}, false
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return Place{Bucket: bucket, Prefix: prefix}, true
}

// bucketName is what old buckets may be called; new ones have less choice
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html). A
// wildcard is in neither.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)

// String writes the place as a location.
func (p Place) String() string { return "s3://" + p.Bucket + "/" + p.Prefix }

// ARN is the place's ARN in a partition, without a slash at its end, as Lake Formation
// registers locations.
func (p Place) ARN(in lakemesh.Partition) string {
	return strings.TrimSuffix(in.BucketARN(p.Bucket+"/"+p.Prefix), "/")
}

// Covers reports whether o is the place itself or lies below it.
func (p Place) Covers(o Place) bool {
	return p == o || p.Bucket == o.Bucket && isFolder(p.Prefix) && strings.HasPrefix(o.Prefix, p.Prefix)
}

// isFolder reports whether a prefix is that of many objects.
func isFolder(prefix string) bool { return prefix == "" || strings.HasSuffix(prefix, "/") }

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
	// Role is the role.
	Role string
	// Open and Close are the places that are opened to it and closed. What is in both
	// is opened.
	Open, Close []Place
	// Keep are places that stay open to the role if they are open to it, in an exact
	// bucket and else: also where a folder is open in their place.
	Keep []Place
	// Within are the locations that are registered with the role, and Others those that
	// are registered with another. If a policy has no room for all that is open, folders
	// of the former are opened in place of several places in them, and seldom one that
	// holds any of the latter.
	Within, Others []Place
}

// Wanted is all that is to be open in buckets.
type Wanted struct {
	// Access is what is to be open, by role.
	Access []Access
	// Exact are buckets in which nothing else than that is to be open, to anybody: what
	// our statements open besides is closed.
	Exact []string
	// Keep are places that stay open to whomever they are open.
	Keep []Place
}

// Change is what is to become of a bucket's policy.
type Change struct {
	// Bucket is the bucket.
	Bucket string
	// Parts are the roles whose access changes, in order, and what changes for each. It
	// is empty if nothing does.
	Parts []Part
	// Folds are folders that are open afterwards in place of several places in them.
	Folds []Fold
	// Warnings name statements of others that may stand in the way.
	Warnings []string
	// wanted is all that was asked for.
	wanted []Part
	// before and after are the policy as it was read and as it will be.
	before, after string
}

// Prepare reads the policy of each bucket once and computes what it will be for all
// roles together: two changes of one policy would overwrite each other. It returns
// the changes that change something or have something to say, in the order of
// buckets. A policy that would grow too large is a [lakemesh.ErrQuota].
func (b Buckets) Prepare(ctx context.Context, wanted ...Access) ([]Change, error) {
	changes, err := b.PrepareAll(ctx, Wanted{Access: wanted})
	return slices.DeleteFunc(changes, func(c Change) bool { return len(c.Parts)+len(c.Warnings) == 0 }), err
}

// PrepareAll does what [Buckets.Prepare] does, with buckets in which exactly what is
// wanted is to be open. It returns a change for each bucket that it looked at, also one
// that changes nothing.
func (b Buckets) PrepareAll(ctx context.Context, w Wanted) ([]Change, error) {
	byBucket := map[string]map[string]*Part{}
	of := func(bucket, role string) *Part {
		if byBucket[bucket] == nil {
			byBucket[bucket] = map[string]*Part{}
		}
		if byBucket[bucket][role] == nil {
			byBucket[bucket][role] = &Part{Role: role}
		}
		return byBucket[bucket][role]
	}
	for _, a := range w.Access {
		for _, p := range a.Open {
			part := of(p.Bucket, a.Role)
			part.Open = append(part.Open, p.Prefix)
		}
		for _, p := range a.Close {
			part := of(p.Bucket, a.Role)
			part.Close = append(part.Close, p.Prefix)
		}
	}
	for _, bucket := range w.Exact {
		if byBucket[bucket] == nil {
			byBucket[bucket] = map[string]*Part{}
		}
	}
	var changes []Change
	for _, bucket := range slices.Sorted(maps.Keys(byBucket)) {
		c := Change{Bucket: bucket}
		var err error
		if c.before, err = b.policy(ctx, bucket); err != nil {
			return nil, err
		}
		if err := c.want(byBucket[bucket], w); err != nil {
			return nil, err
		}
		if err := b.prepare(&c); err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// shownBy reports whether a policy has our statements as they were written. They need not
// say what is wanted word by word: a folder can be open in place of several below it.
func (c *Change) shownBy(policy string) (bool, error) {
	now, err := parse(policy)
	if err != nil {
		return false, err
	}
	written, err := parse(c.after)
	if err != nil {
		return false, err
	}
	for _, p := range c.wanted {
		for _, base := range []string{objectsSid, prefixesSid} {
			has, _ := now.opened(c.Bucket, base, p.Role)
			is, _ := written.opened(c.Bucket, base, p.Role)
			if !slices.Equal(has, is) {
				return false, nil
			}
		}
	}
	return true, nil
}

// Left are the roles to which something was open in the bucket and nothing is when the
// change is done.
func (c *Change) Left() (roles []string) {
	// Both were read before.
	before, errBefore := parse(c.before)
	after, errAfter := parse(c.after)
	if errBefore != nil || errAfter != nil {
		return nil
	}
	now := after.roles(c.Bucket)
	return slices.DeleteFunc(before.roles(c.Bucket), func(role string) bool { return slices.Contains(now, role) })
}

// want works out what is wanted of each role in the bucket, by what is open in it.
func (c *Change) want(parts map[string]*Part, w Wanted) error {
	d, err := parse(c.before)
	if err != nil {
		return fmt.Errorf("bucket %s: %w", c.Bucket, err)
	}
	exact := slices.Contains(w.Exact, c.Bucket)
	for _, role := range d.roles(c.Bucket) {
		part := parts[role]
		if part == nil {
			if !exact {
				continue
			}
			part = &Part{Role: role}
			parts[role] = part
		}
		had, _ := d.opened(c.Bucket, objectsSid, role)
		listed, _ := d.opened(c.Bucket, prefixesSid, role)
		keep := slices.Clone(w.Keep)
		for _, a := range w.Access {
			if a.Role == role {
				keep = append(keep, a.Keep...)
			}
		}
		part.Open = append(part.Open, c.kept(had, keep)...)
		if !exact {
			continue
		}
		open := slices.Sorted(slices.Values(part.Open))
		for _, prefix := range slices.Concat(had, listed) {
			if !contains(open, prefix) {
				part.Close = append(part.Close, prefix)
			}
		}
	}
	in := func(places []Place) (prefixes []string) {
		for _, p := range places {
			if p.Bucket != c.Bucket {
				continue
			}
			// Lake Formation registers locations without a slash at their end.
			if prefix := p.Prefix; prefix == "" || strings.HasSuffix(prefix, "/") {
				prefixes = append(prefixes, prefix)
			} else {
				prefixes = append(prefixes, prefix+"/")
			}
		}
		return prefixes
	}
	for _, role := range slices.Sorted(maps.Keys(parts)) {
		part := *parts[role]
		for _, a := range w.Access {
			if a.Role == role {
				part.Within, part.Others = append(part.Within, in(a.Within)...), append(part.Others, in(a.Others)...)
			}
		}
		c.wanted = append(c.wanted, part)
	}
	return nil
}

// kept are the prefixes by which places stay open, of those that are open, in order: a
// place that is open; one that lies in a folder which is open and does not stay itself,
// as one that is open in place of several; or what is open below it.
func (c *Change) kept(open []string, places []Place) []string {
	stays := map[string]bool{}
	for _, p := range places {
		if p.Bucket == c.Bucket {
			stays[p.Prefix] = true
		}
	}
	kept := map[string]bool{}
	for place := range stays {
		covered := false
		for _, prefix := range open {
			if !strings.HasPrefix(place, prefix) {
				continue
			}
			if covered = true; stays[prefix] {
				kept[prefix] = true
			} else {
				kept[place] = true
			}
		}
		for _, prefix := range open {
			if !covered && strings.HasPrefix(prefix, place) {
				kept[prefix] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(kept))
}

// prepare computes the policy from the one that was read.
func (b Buckets) prepare(c *Change) error {
	m, err := merge(c.before, c.Bucket, c.wanted)
	if err != nil {
		return fmt.Errorf("bucket %s: %w", c.Bucket, err)
	}
	c.after, c.Parts, c.Folds = m.text, m.parts, m.folds
	if c.Warnings, err = doubts(c.after, c.Bucket, b.Account, c.wanted); err != nil {
		return fmt.Errorf("bucket %s: %w", c.Bucket, err)
	}
	for _, f := range c.Folds {
		c.Warnings = append(c.Warnings, fmt.Sprintf("the policy of bucket %s has no room for all that is open (%d bytes): %s is opened to %s in place of %d folders in it, with whatever else lies there. The role is Lake Formation's own: readers see the tables that they were granted",
			c.Bucket, MaxPolicy, Place{c.Bucket, f.Prefix}, f.Role, f.For))
	}
	if c.after != c.before && len(c.after) > MaxPolicy {
		return &lakemesh.Error{Kind: lakemesh.ErrQuota, Account: b.Account, Resource: "policy of bucket " + c.Bucket,
			Message: fmt.Sprintf("it would be %d bytes long, and S3 allows %d", len(c.after), MaxPolicy),
			Hint:    "remove statements that are not needed, or keep the tables in fewer or shorter prefixes, or in several buckets"}
	}
	return nil
}

// Moved is what a step changes for one role: the detail of a step is a list of them.
type Moved struct {
	// Role is the role, Opened and Closed are places.
	Role   string
	Opened []string `json:",omitempty"`
	Closed []string `json:",omitempty"`
	// InPlaceOf is, by place, how many folders in it one stands for that is open in their
	// place.
	InPlaceOf map[string]int `json:",omitempty"`
}

// Step adds the warnings of a prepared change, and the step that writes it, after the
// steps given, and reads it back. It returns nil if nothing has to be written.
func (b Buckets) Step(p *plan.Plan, c Change, after ...*plan.Step) *plan.Step {
	for _, w := range c.Warnings {
		p.Warn("%s", w)
	}
	if len(c.Parts) == 0 {
		return nil
	}
	kind := plan.CloseBucket
	var said []string
	var detail []Moved
	for _, part := range c.Parts {
		m := Moved{Role: part.Role, Opened: c.places(part.Open), Closed: c.places(part.Close)}
		for _, f := range c.Folds {
			if f.Role == part.Role {
				if m.InPlaceOf == nil {
					m.InPlaceOf = map[string]int{}
				}
				m.InPlaceOf[Place{c.Bucket, f.Prefix}.String()] = f.For
			}
		}
		if len(m.Opened) > 0 {
			kind = plan.OpenBucket
			said = append(said, fmt.Sprintf("open %s to %s", list(m.Opened), m.Role))
		}
		if len(m.Closed) > 0 {
			said = append(said, fmt.Sprintf("close %s to %s", list(m.Closed), m.Role))
		}
		detail = append(detail, m)
	}
	return p.Add(plan.Step{
		Kind: kind, Account: b.Account, Resource: "bucket " + c.Bucket, Detail: detail,
		Summary: strings.Join(said, "; "),
		Run:     func(ctx context.Context) error { return b.write(ctx, c) },
	}, after...)
}

// places writes prefixes of the bucket as locations, in order.
func (c Change) places(prefixes []string) []string {
	places := make([]string, len(prefixes))
	for i, prefix := range prefixes {
		places[i] = Place{c.Bucket, prefix}.String()
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// roles names the roles whose access changes.
func (c Change) roles() string {
	names := make([]string, len(c.Parts))
	for i, part := range c.Parts {
		names[i] = part.Role
	}
	return strings.Join(names, ", ")
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
	err := poll.Until(ctx, b.rolePatience(), "S3 to know "+c.roles(), func(ctx context.Context) (bool, error) {
		// S3 has no condition for writing a policy. It is read again just before, so that
		// what others wrote after the plan was made stays, a Deny above all.
		var err error
		if c.before, err = b.policy(ctx, c.Bucket); err != nil {
			return false, err
		}
		if err := b.prepare(&c); err != nil || c.after == c.before {
			return err == nil, err
		}
		err = b.put(ctx, c)
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
		return c.shownBy(now)
	})
	if timeout, ok := errors.AsType[*poll.TimeoutError](err); ok && ctx.Err() == nil {
		return &lakemesh.Error{Account: b.Account, Resource: "policy of bucket " + c.Bucket, Err: timeout,
			Message: "it was written and does not show the change: " + timeout.Error(),
			Hint:    "somebody else may have written it at the same time; run the same command again"}
	}
	return err
}

// unknownPrincipal reports whether the policy names a principal which S3 does not know.
func unknownPrincipal(err error) bool {
	return awserr.Is(err, "MalformedPolicy") && awserr.Says(err, "invalid principal")
}

func (b Buckets) explainWrite(c Change, err error) error {
	if !unknownPrincipal(err) {
		return err
	}
	explained := &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: b.Account, Resource: "policy of bucket " + c.Bucket, Code: awserr.Code(err), Err: err,
		Message: "a principal that it names does not exist: " + c.roles() + ", or one in a statement that was there before",
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
