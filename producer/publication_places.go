package producer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

// registration is a location that is going to be registered.
type registration struct {
	place storage.Place
	step  *plan.Step
}

// planLocations registers the buckets of tables that no registered location covers.
//
// Whole buckets are registered, and opened prefix by prefix in their policies.
// DATA_LOCATION_ACCESS on a location covers what lies below it, whoever registered
// that: if a prefix were registered, another producer could register the bucket
// above it and put a table of its own on the prefix. Nothing lies above a bucket,
// and what another producer registers inside of it is read with that one's role,
// to which the bucket is not open.
func (pl *planner) planLocations() {
	open := map[string][]storage.Place{}
	for _, t := range pl.tables {
		if !t.original {
			continue
		}
		for _, p := range t.known.Places {
			if pl.unregistered(p.Place) {
				open[p.Bucket] = append(open[p.Bucket], p.Place)
			}
		}
	}
	for _, bucket := range slices.Sorted(maps.Keys(open)) {
		if pl.toRegister(bucket) {
			pl.planLocation(storage.Place{Bucket: bucket}, open[bucket], pl.hybridBucket(bucket))
		}
	}
}

func (pl *planner) planLocation(place storage.Place, tables []storage.Place, hybrid bool) {
	mode := ""
	if hybrid {
		mode = ", in hybrid access mode"
	}
	step := pl.todo.Add(plan.Step{Kind: plan.RegisterLocation, Account: pl.meshAccount, Resource: "location " + place.String(),
		Summary: fmt.Sprintf("register location %s with %s%s", place, pl.dataAccessRole(), mode),
		Run:     func(ctx context.Context) error { return pl.register(ctx, place, tables, hybrid) }})
	pl.registrations = append(pl.registrations, registration{place, step})
}

// unregistered reports whether a place is in a bucket of the producer's and no
// registered location covers it.
func (s *surveyed) unregistered(p storage.Place) bool {
	_, ok := permissions.Nearest(s.locations, p.ARN(s.partition))
	return !ok && s.standing(p.Bucket) == storage.Own
}

// toRegister notes that a bucket is being registered, and reports whether it was not
// before.
func (pub *publication) toRegister(bucket string) bool {
	pub.noting.Lock()
	defer pub.noting.Unlock()
	if pub.registered == nil {
		pub.registered = map[string]bool{}
	}
	isNew := !pub.registered[bucket]
	pub.registered[bucket] = true
	return isNew
}

// looksForBucket is how many looks a bucket alone is tried to be registered before its
// folders are, too. They are tried after it at each look, so that of what S3 knows late
// it is the bucket that profits first.
const looksForBucket = 3

// register registers a bucket. The bucket is opened to the role when a request is
// approved (docs/decisions/0006). Where Lake Formation registers only what the role
// can read already, the tables' folders are open while they are registered: nobody can
// read them by that who was not granted the tables.
func (s *surveyed) register(ctx context.Context, bucket storage.Place, tables []storage.Place, hybrid bool) error {
	role := s.dataAccessRole()
	err := s.mesh.lake.Register(ctx, bucket.ARN(s.partition), role, hybrid)
	if !errors.Is(err, permissions.ErrUnreadable) {
		return err
	}
	s.log.InfoContext(ctx, "open before registering", "bucket", bucket.Bucket, "reason", err)
	opened, err := s.changeAccess(ctx, storage.Access{Role: role, Open: tables})
	if err != nil {
		return err
	}
	err = s.registerOpen(ctx, bucket, tables, hybrid)
	// What was open before stays so: somebody may read there.
	if _, closing := s.changeAccess(context.WithoutCancel(ctx), storage.Access{Role: role, Close: opened}); closing != nil {
		s.refuse("closing "+bucket.Bucket, fmt.Sprintf("folders of bucket %s are left open to %s, which reads them for nobody yet: they were opened to be registered, and could not be closed again (%s)",
			bucket.Bucket, role, closing))
	}
	return err
}

// changeAccess changes the policies of buckets of the producer at once, and returns what
// was opened that had not been open.
func (w *wantedPublication) changeAccess(ctx context.Context, access storage.Access) (opened []storage.Place, _ error) {
	buckets := storage.Buckets{Client: w.own.s3, Account: w.account}
	changes, err := buckets.Prepare(ctx, access)
	if err != nil {
		return nil, err
	}
	todo := &plan.Plan{Operation: w.op}
	for _, c := range changes {
		buckets.Step(todo, c)
		for _, part := range c.Parts {
			for _, prefix := range part.Open {
				opened = append(opened, storage.Place{Bucket: c.Bucket, Prefix: prefix})
			}
		}
	}
	_, err = todo.Apply(ctx, plan.Settings{})
	return opened, err
}

// registerOpen registers a bucket of which the tables' folders were opened, or those.
// What was changed in S3 is known elsewhere later. Whether the role has to be able to
// read all of a location is not documented, so the folders are tried as well. Nobody else
// can register the bucket above them then: its own role cannot read there.
func (w *wantedPublication) registerOpen(ctx context.Context, bucket storage.Place, tables []storage.Place, hybrid bool) error {
	role, looks := w.dataAccessRole(), 0
	err := poll.Until(ctx, identity.Propagation, "Lake Formation to see that "+role+" can read "+bucket.String(), func(ctx context.Context) (bool, error) {
		looks++
		var err error
		for _, places := range [][]storage.Place{{bucket}, tables}[:min(2, 1+looks/looksForBucket)] {
			err = nil
			for _, place := range places {
				if err = w.mesh.lake.Register(ctx, place.ARN(w.partition), role, hybrid); err != nil {
					break
				}
			}
			if !errors.Is(err, permissions.ErrUnreadable) {
				return err == nil, err
			}
		}
		return false, poll.NotYet(err)
	})
	if err == nil || !errors.Is(err, permissions.ErrUnreadable) {
		return err
	}
	return &lakemesh.Error{Op: w.op, Kind: lakemesh.ErrAccessDenied, Account: w.meshAccount, Resource: "location " + bucket.String(), Code: awserr.Code(err), Err: err,
		Message: "Lake Formation does not register it, because " + role + " cannot read there (" + awserr.Message(err) + ")",
		Hint:    "see whether the bucket's policy, or the policy of its key, denies the role something, and run the same command again"}
}

// sayUnverified warns of locations of which Lake Formation says that their role cannot
// read them, once a location. Of the buckets that lakemesh registers that is no news:
// they are opened folder by folder, as requests are approved.
func (s *surveyed) sayUnverified() {
	told := map[string]bool{}
	for _, p := range s.publishedPlaces() {
		l, ok := permissions.Nearest(s.locations, p.ARN(s.partition))
		if !ok || !l.Unverified || told[l.ARN] || l.Role == s.dataAccessRole() {
			continue
		}
		told[l.ARN] = true
		s.warn(fmt.Sprintf("Lake Formation has not verified that %s can read location %s, which it was registered with. If consumers cannot read what was approved, see whether the policies of the role, the bucket or its key keep it from that",
			l.Role, l.ARN))
	}
}

// publishedPlaces are the places of the tables that the mesh has.
func (s *surveyed) publishedPlaces() []places.Place {
	var all []places.Place
	for _, t := range s.tables {
		if t.found {
			all = append(all, t.known.Places...)
		}
	}
	return all
}

// explainLocation tells what to do when the producer may not put a table on its
// location: somebody else registered it, or registering did not give this producer's
// role what it takes, because AWS gives that to administrators alone.
func (s *surveyed) explainLocation(t *publishedTable, err error) error {
	if err == nil || !t.stored || !awserr.Denied(err) || !refusesLocation(err) {
		return err
	}
	role := s.dataAccessRole()
	covering, ok := permissions.Nearest(s.locations, t.place.ARN(s.partition))
	if !ok {
		// It was registered just now.
		covering = permissions.RegisteredLocation{ARN: storage.Place{Bucket: t.place.Bucket}.ARN(s.partition), Role: role}
	}
	message := "it is registered with Lake Formation by somebody else (" + covering.ARN + ", with " + covering.Role + "), and this producer may not use it"
	ask := "ask the mesh's administrator to grant DATA_LOCATION_ACCESS on it to " + s.ids.Mesh.ARN
	if covering.Role == role {
		ask = "ask the mesh's administrator to enable account " + s.account + " as a producer again, which grants it: " + lakemesh.Do("admin.EnableAccountAsProducer", "AccountID", s.account).String()
		message = "it is registered with Lake Formation (" + covering.ARN + "), and this producer's role in the mesh account lacks DATA_LOCATION_ACCESS on it"
	}
	return &lakemesh.Error{Op: s.op, Kind: lakemesh.ErrAccessDenied, Account: s.meshAccount, Resource: "location " + t.place.String(), Code: awserr.Code(err), Err: err, Message: message,
		Hint: fmt.Sprintf("%s (as %s: aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier=%s --permissions DATA_LOCATION_ACCESS --resource '{\"DataLocation\":{\"ResourceArn\":\"%s\"}}'), and run the same command again",
			ask, lakemesh.ManagerRole, s.meshRole(), covering.ARN)}
}

// refusesLocation reports whether an answer is about a location. Its words are not
// documented; all that were seen name the place or the permission.
func refusesLocation(err error) bool {
	return awserr.Says(err, "s3://") || awserr.Says(err, lakemesh.PartitionOf("").BucketARN("")) || awserr.Says(err, "data location") || awserr.Says(err, "DATA_LOCATION_ACCESS")
}
