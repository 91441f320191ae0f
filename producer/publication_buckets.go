package producer

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// sayPlaces says what of a table's data is not published: what is nowhere in S3, and what
// its definition does not tell.
func (s *surveyed) sayPlaces(t *publishedTable, location string) {
	name := s.source + "." + t.name
	if len(t.known.Places) == 0 && location == "" {
		s.warn(name + " has no location: only its metadata is published")
	}
	for _, u := range t.known.Unknown {
		if _, scheme := storage.ParsePlace(location); u.From == places.Location && !scheme {
			s.warn(fmt.Sprintf("%s is not stored in S3 (%s): only its metadata is published", name, location))
			continue
		}
		s.warn(untold(name, u))
	}
}

// untold says that approvals do not open what a definition does not tell.
func untold(table string, u places.Unknown) string {
	return fmt.Sprintf("where the data of %s is cannot be told by %s; approvals do not open it, so consumers may not be able to read it", table, u)
}

// standing is what a bucket is to the producer. One that was not looked at, as one that
// only migrated tables lie in, is taken for its own.
func (s *surveyed) standing(bucket string) storage.Standing {
	s.marks.Lock()
	defer s.marks.Unlock()
	return s.buckets[bucket].Standing
}

// observeBuckets looks at the buckets that the tables' definitions name.
func (s *surveyed) observeBuckets(ctx context.Context) error {
	buckets := map[string]bool{}
	for _, t := range s.tables {
		if t.original {
			for _, p := range t.known.Places {
				buckets[p.Bucket] = true
			}
		}
	}
	return s.lookAtBuckets(ctx, maps.Keys(buckets))
}

// lookAtBuckets looks at buckets side by side, each once in a publication.
func (s *surveyed) lookAtBuckets(ctx context.Context, names iter.Seq[string]) error {
	// Whoever asks for a bucket that somebody else is looking at waits for the answer.
	s.looking.Lock()
	defer s.looking.Unlock()
	var unseen []string
	for name := range names {
		if _, seen := s.buckets[name]; !seen {
			unseen = append(unseen, name)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.concurrency())
	for _, name := range unseen {
		group.Go(func() error {
			look, err := s.ownBuckets().Look(ctx, name)
			if err != nil {
				return err
			}
			s.marks.Lock()
			defer s.marks.Unlock()
			if s.buckets == nil {
				s.buckets = map[string]storage.Look{}
			}
			s.buckets[name] = look
			return nil
		})
	}
	return group.Wait()
}

// ownBuckets are the buckets of the producer's account.
func (p *Producer) ownBuckets() storage.Buckets {
	return storage.Buckets{Client: p.own.s3, Account: p.account}
}

// checkBuckets refuses tables in buckets that do not exist, and warns of buckets that are
// not the producer's: lakemesh neither registers nor opens those.
func (s *surveyed) checkBuckets(ctx context.Context) error {
	told := map[string]bool{}
	for _, t := range s.tables {
		if !t.original {
			continue
		}
		for _, p := range t.known.Places {
			standing := s.standing(p.Bucket)
			if standing == storage.Absent {
				return &lakemesh.Error{Op: s.op, Kind: lakemesh.ErrNotFound, Account: s.account, Resource: fmt.Sprintf("table %s.%s", s.source, t.name),
					Message: fmt.Sprintf("its %s is %s, and bucket %s does not exist", p.From, p.Written, p.Bucket),
					Hint:    "make the bucket, or give the table its right location; to publish the others, name them with TableNameRegex"}
			}
			if standing == storage.Closed && !told[p.Bucket] {
				told[p.Bucket] = true
				s.warn(s.foreignBucket(t, p))
			}
		}
	}
	return s.checkKeys(ctx)
}

// checkKeys warns of buckets that encrypt with keys which the role that reads may not
// use.
func (s *surveyed) checkKeys(ctx context.Context) error {
	var unseen []string
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		look := s.buckets[name]
		if look.Unseen && look.Standing == storage.Own {
			unseen = append(unseen, name)
		}
		role := s.dataAccessRole()
		if l, ok := permissions.Nearest(s.locations, storage.Place{Bucket: name}.ARN(s.partition)); ok {
			role = l.Role
		}
		if err := s.checkKey(ctx, name, look, role); err != nil {
			return err
		}
	}
	if len(unseen) > 0 {
		s.warn(fmt.Sprintf("role %s may not see how these buckets encrypt: %s. If they do with keys of KMS, consumers may not be able to read; bring the role up to date: %s", s.ownRole(), strings.Join(unseen, ", "), lakemesh.Do("admin.InitializeProducerAccount")))
	}
	return nil
}

// checkKey warns of what keeps a role from reading under the key of a bucket. What a
// decision is going to add to the key's policy is no news.
func (s *surveyed) checkKey(ctx context.Context, name string, look storage.Look, role string) error {
	k, err := s.key(ctx, name, look)
	if k == nil || err != nil {
		return err
	}
	troubles, err := s.troubles(ctx, k, role)
	if err != nil {
		return err
	}
	for _, t := range troubles {
		switch {
		case t.kept:
		case t.lacks:
			s.warn(t.text + ". Approving does not add it: " + t.unkept)
		case !t.silent:
			s.warn(t.text)
		}
	}
	return nil
}

// foreignBucket says what to do for a table in a bucket that is not the producer's. The
// data access role reads in the producer's buckets alone.
func (s *surveyed) foreignBucket(t *publishedTable, p places.Place) string {
	text := fmt.Sprintf("%s of %s.%s is %s, and bucket %s is another account's, or one whose policy %s may not read: lakemesh neither registers nor opens it",
		p.From, s.source, t.name, p.Written, p.Bucket, s.ownRole())
	if l, ok := permissions.Nearest(s.locations, p.ARN(s.partition)); ok {
		return text + fmt.Sprintf(". It is registered (%s); consumers can read there if the policies of role %s, the bucket and its key let that role read", l.ARN, l.Role)
	}
	return text + fmt.Sprintf(". If its data is to be read, let the mesh's administrator register it in account %s with a role that may read there, and let the bucket's owner allow that role s3:GetObject and s3:ListBucket", s.meshAccount)
}
