package producer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// tablePlace is a place of a table.
type tablePlace struct {
	places.Place
	// table is the table, with its database, and name without.
	table, name string
	// doubt says why it is not opened, if no source confirms that the table is there.
	doubt string
}

func (t meshTable) places(database string) []tablePlace {
	all := make([]tablePlace, len(t.known.Places))
	for i, p := range t.known.Places {
		all[i] = tablePlace{p, database + "." + t.name, t.name, t.unconfirmed[p.Place]}
	}
	return all
}

// unopened says that a place is not opened.
func (t tablePlace) unopened(why string) string {
	return fmt.Sprintf("%s of table %s, %s, is not opened: %s", t.From, t.table, t.Place, why)
}

// warnOfPlaces says what of a table is not opened because it cannot be told where it is.
func warnOfPlaces(warn func(string, ...any), name catalog.TableName, t meshTable) {
	if len(t.known.Places)+len(t.forged) == 0 {
		warn("table %s has no location in S3: its metadata is shared, there is no data to read", name)
	}
	told := 0
	for _, u := range t.known.Unknown {
		if told++; told > mostNamed {
			warn("and %d more of %s", len(t.known.Unknown)-mostNamed, name)
			break
		}
		warn("%s", untold("table "+name.String(), u))
	}
	if t.partial {
		warn("not all partitions of table %s were looked at (%d at most): others that lie outside of its location are not opened", name, mostPartitionPages*catalog.PartitionPage)
	}
}

// planBuckets plans the changes of bucket policies. A place that cannot be opened is
// said, and keeps the others from nothing: only what the mesh has to be asked about first
// is refused.
func (p *Producer) planBuckets(ctx context.Context, todo *plan.Plan, ch *change, after ...*plan.Step) error {
	byBucket := map[string]*bucketWork{}
	of := func(bucket string) *bucketWork {
		if byBucket[bucket] == nil {
			byBucket[bucket] = &bucketWork{wanted: storage.Wanted{Keep: ch.prefixes.Keep}}
		}
		return byBucket[bucket]
	}
	for _, a := range ch.prefixes.Access {
		buckets := map[string]bool{}
		for _, place := range slices.Concat(a.Open, a.Close) {
			buckets[place.Bucket] = true
		}
		for _, bucket := range ch.prefixes.Exact {
			buckets[bucket] = true
		}
		for bucket := range buckets {
			// What stays open, and what else bears on it, is told of all buckets.
			part, elsewhere := a, func(place storage.Place) bool { return place.Bucket != bucket }
			part.Open, part.Close = slices.DeleteFunc(slices.Clone(a.Open), elsewhere), slices.DeleteFunc(slices.Clone(a.Close), elsewhere)
			b := of(bucket)
			b.wanted.Access = append(b.wanted.Access, part)
			for _, place := range part.Open {
				if t, ok := ch.where[access.Place{Bucket: place.Bucket, Prefix: place.Prefix}]; ok {
					b.opened = append(b.opened, t)
				}
			}
		}
	}
	for _, bucket := range ch.prefixes.Exact {
		of(bucket).wanted.Exact = []string{bucket}
	}
	for _, place := range ch.unregistered {
		of(place.Bucket).unregistered = append(of(place.Bucket).unregistered, place)
	}
	names := slices.Sorted(maps.Keys(byBucket))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(p.concurrency())
	for _, name := range names {
		b := byBucket[name]
		group.Go(func() error { return b.prepare(within, p.ownBuckets(), name) })
		if len(b.opened) > 0 || b.mayEmpty(name) {
			group.Go(func() error { return p.lookAtKey(within, name, b) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, name := range names {
		b := byBucket[name]
		for _, w := range b.warnings {
			todo.Warn("%s", w)
		}
		for _, c := range b.changes {
			p.ownBuckets().Step(todo, c, after...)
		}
	}
	return p.planKeys(ctx, todo, byBucket, after...)
}

// bucketWork is what a decision changes in the policy of a bucket.
type bucketWork struct {
	// wanted is what is to be open in it.
	wanted storage.Wanted
	// opened are the places that are opened, and unregistered those that would be if they
	// were registered.
	opened, unregistered []tablePlace

	changes  []storage.Change
	warnings []string
	// keys are warnings of the bucket's key.
	keys []string
	// key is the bucket's key, if it is one of KMS and was looked at: letIn are added to its
	// policy, left taken out.
	key         *bucketKey
	letIn, left []storage.KeyReader
}

// prepare reads the policy and computes what it will be. A bucket that is gone has
// nothing to be closed, and one that is not the producer's is for its owner to open.
func (b *bucketWork) prepare(ctx context.Context, buckets storage.Buckets, name string) error {
	if len(b.unregistered) > 0 {
		standing, err := buckets.Standing(ctx, name)
		if err != nil {
			return err
		}
		for _, place := range b.unregistered {
			switch {
			case standing == storage.Absent:
				b.warnings = append(b.warnings, place.unopened("the bucket does not exist"))
			case standing == storage.Closed:
				b.warnings = append(b.warnings, place.unopened("it is not registered with Lake Formation, and the bucket is another account's, or its policy cannot be read"))
			case place.From == places.Location:
				return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Account: buckets.Account, Resource: "location " + place.String(),
					Message: "it is not registered with Lake Formation, so nobody could read it", Hint: "publish the table again", Do: []lakemesh.Call{lakemesh.Do("producer.CreateDataProducts")}}
			default:
				b.warnings = append(b.warnings, place.unopened("it is not registered with Lake Formation; publish the table again: "+lakemesh.Do("producer.CreateDataProducts").String()))
			}
		}
	}
	if len(b.wanted.Access)+len(b.wanted.Exact) == 0 {
		return nil
	}
	var err error
	b.changes, err = buckets.PrepareAll(ctx, b.wanted)
	why := ""
	switch {
	case errors.Is(err, lakemesh.ErrNotFound) && awserr.Is(err, "NoSuchBucket"):
		why = "the bucket does not exist"
	case errors.Is(err, lakemesh.ErrAccessDenied):
		// What can be seen of it tells that it is the producer's, and has to be opened.
		if look, lookErr := buckets.Look(ctx, name); lookErr != nil || look.Standing == storage.Own {
			return cmp.Or(lookErr, err)
		}
		named := make([]string, len(b.wanted.Access))
		for n, a := range b.wanted.Access {
			named[n] = a.Role
		}
		roles := strings.Join(named, ", ")
		why = fmt.Sprintf("the bucket is another account's, or its policy cannot be read (%s). Consumers can read there if the policies of role %s, the bucket and its key let that role read", awserr.Message(err), roles)
	default:
		return err
	}
	for _, place := range b.opened {
		b.warnings = append(b.warnings, place.unopened(why))
	}
	if len(b.opened) == 0 && errors.Is(err, lakemesh.ErrAccessDenied) {
		b.warnings = append(b.warnings, fmt.Sprintf("nothing is closed in bucket %s: %s", name, why))
	}
	return nil
}

// readsForAnother tells whether a role is the data access role of another producer
// of the mesh. Any producer can register any location, if only with its own role.
func (p *Producer) readsForAnother(role string) bool {
	return strings.HasPrefix(role, p.partition.RoleARN(p.meshAccount, lakemesh.DataAccessRole(""))) && role != p.dataAccessRole()
}
