package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// strays are partitions outside of their table's places. The credentials that Lake
// Formation hands out for a table read below its location only
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetTemporaryGluePartitionCredentials.html
// has to be asked for others, one by one, and engines do so for registered locations alone).
type strays struct {
	known places.Table
	count int
	// example is where one of them is.
	example string
	// buckets has a place of each bucket that they lie in.
	buckets map[string]storage.Place
}

func (s *strays) look(p *types.Partition) {
	stray, ok := s.known.Elsewhere(p)
	if !ok {
		return
	}
	if s.count == 0 {
		s.example = fmt.Sprintf("%s (%s)", stray.Written, strings.Join(p.Values, "/"))
	}
	s.count++
	if _, seen := s.buckets[stray.Bucket]; stray.Bucket != "" && !seen {
		if s.buckets == nil {
			s.buckets = map[string]storage.Place{}
		}
		s.buckets[stray.Bucket] = stray.Place
	}
}

// strayed says that partitions of a table may not be readable by consumers.
func (s *surveyed) strayed(t *publishedTable) string {
	noun, verb := "partitions", "lie"
	if t.strays.count == 1 {
		noun, verb = "partition", "lies"
	}
	below := "its location"
	if t.stored {
		below += " " + t.place.String()
	}
	text := fmt.Sprintf("%d %s of %s.%s %s outside of %s, such as %s: approvals open them, too, but what Lake Formation hands out for a table reads below its location, so consumers may not be able to read there",
		t.strays.count, noun, s.source, t.name, verb, below, t.strays.example)
	for _, bucket := range slices.Sorted(maps.Keys(t.strays.buckets)) {
		switch s.standing(bucket) {
		case storage.Absent:
			text += fmt.Sprintf("; bucket %s does not exist", bucket)
		case storage.Closed:
			text += fmt.Sprintf("; bucket %s is another account's, or its policy cannot be read, and is not opened", bucket)
		case storage.Own:
		}
	}
	return text
}

// planStrays registers the buckets of partitions that no registered location covers.
func (pl *planner) planStrays(t *publishedTable) {
	for _, bucket := range slices.Sorted(maps.Keys(t.strays.buckets)) {
		if p := t.strays.buckets[bucket]; pl.unregistered(p) && pl.toRegister(bucket) {
			pl.planLocation(storage.Place{Bucket: bucket}, []storage.Place{p}, pl.isHybrid(t.name))
		}
	}
}

// settleStrays does what [planner.planStrays] plans, for partitions that were seen while
// they were copied.
func (pub *publication) settleStrays(ctx context.Context, t *publishedTable) error {
	if err := pub.lookAtStrays(ctx, t.strays.buckets); err != nil {
		return err
	}
	pub.refuse("partitions of "+t.name, pub.strayed(t))
	for _, bucket := range slices.Sorted(maps.Keys(t.strays.buckets)) {
		if p := t.strays.buckets[bucket]; pub.unregistered(p) && pub.toRegister(bucket) {
			if err := pub.register(ctx, storage.Place{Bucket: bucket}, []storage.Place{p}, pub.isHybrid(t.name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// observeStrayBuckets looks at the buckets of partitions that lie elsewhere.
func (s *surveyed) observeStrayBuckets(ctx context.Context, tables []*publishedTable) error {
	buckets := map[string]storage.Place{}
	for _, t := range tables {
		maps.Copy(buckets, t.strays.buckets)
	}
	return s.lookAtStrays(ctx, buckets)
}

// lookAtStrays looks at the buckets of partitions that lie elsewhere, and at what is
// registered: who brings up to date where no table has changed does not know it yet.
func (s *surveyed) lookAtStrays(ctx context.Context, buckets map[string]storage.Place) error {
	if len(buckets) == 0 {
		return nil
	}
	if err := s.lookAtLocations(ctx); err != nil {
		return err
	}
	return s.lookAtBuckets(ctx, maps.Keys(buckets))
}

// lookAtLocations reads what is registered, once.
func (s *surveyed) lookAtLocations(ctx context.Context) (err error) {
	s.looking.Lock()
	defer s.looking.Unlock()
	if s.located {
		return nil
	}
	s.locations, err = s.mesh.lake.Locations(ctx)
	s.located = err == nil
	return err
}
