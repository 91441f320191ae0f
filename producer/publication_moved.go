package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// following are the changes of bucket policies by which readers follow tables that moved:
// their new places are opened before the tables move, their old ones closed after it. So
// whatever ends the program in between, nobody loses access.
type following struct {
	opening, closing []storage.Change
}

// observeMoved finds out which of the tables that move are read, and works out what
// follows. What is open where a table was tells that somebody reads it, by whatever kind
// of grant.
func (s *surveyed) observeMoved(ctx context.Context) error {
	var moved []*publishedTable
	open := map[string]map[string][]string{}
	for _, t := range s.tables {
		if t.moves() {
			moved = append(moved, t)
			for _, was := range t.was.Places {
				open[was.Bucket] = nil
			}
		}
	}
	if len(moved) == 0 {
		return nil
	}
	buckets := s.ownBuckets()
	if err := s.lookAtPlaces(ctx, moved); err != nil {
		return err
	}
	for bucket := range open {
		if s.standing(bucket) != storage.Own {
			// Where nothing is any more nobody reads, and what is another's was not opened.
			continue
		}
		var err error
		if open[bucket], err = buckets.Opened(ctx, bucket); awserr.NotFound(err) {
			continue
		} else if err != nil {
			return err
		}
	}
	beside := map[storage.Place]bool{}
	if slices.ContainsFunc(moved, func(t *publishedTable) bool { exactly, within := openAt(t, open); return exactly || within }) {
		if err := s.placesBeside(ctx, moved, beside); err != nil {
			return err
		}
	}
	read, err := s.readOf(ctx, moved, open, beside)
	if err != nil || len(read) == 0 {
		return err
	}
	opening, closing := map[string]*storage.Access{}, map[string]*storage.Access{}
	of := func(in map[string]*storage.Access, role string) *storage.Access {
		if in[role] == nil {
			in[role] = &storage.Access{Role: role}
		}
		return in[role]
	}
	needed := map[storage.Place]bool{}
	for _, t := range read {
		for _, place := range t.known.Places {
			if s.standing(place.Bucket) != storage.Own {
				// It is told of when the buckets are looked at.
				continue
			}
			role := s.dataAccessRole()
			if registered, ok := permissions.Nearest(s.locations, place.ARN(s.partition)); ok {
				role = registered.Role
			}
			if s.readsForAnother(role) {
				return &lakemesh.Error{Kind: lakemesh.ErrAccessDenied, Account: s.meshAccount, Resource: "location " + place.String(),
					Message: "table " + t.name + " is read and moves there, and it is registered with " + role + ", which reads for another producer",
					Hint:    "let the mesh's administrator deregister it from Lake Formation, and publish the table again"}
			}
			needed[place.Place] = true
			a := of(opening, role)
			a.Open = append(a.Open, place.Place)
		}
	}
	maps.Copy(needed, beside)
	for _, t := range moved {
		stay, err := s.partitionsStay(ctx, t)
		if err != nil {
			return err
		}
		for _, was := range t.was.Places {
			if slices.ContainsFunc(stay, was.Covers) {
				continue
			}
			for role, prefixes := range open[was.Bucket] {
				if slices.Contains(prefixes, was.Prefix) && !needed[was.Place] {
					a := of(closing, role)
					a.Close = append(a.Close, was.Place)
				}
			}
		}
	}
	for _, part := range []struct {
		of   map[string]*storage.Access
		into *[]storage.Change
	}{{opening, &s.following.opening}, {closing, &s.following.closing}} {
		var wanted []storage.Access
		for _, role := range slices.Sorted(maps.Keys(part.of)) {
			wanted = append(wanted, *part.of[role])
		}
		if *part.into, err = buckets.Prepare(ctx, wanted...); err != nil {
			return err
		}
	}
	return nil
}

// openAt reports whether one of the places where a table is is open, or within a folder that is.
func openAt(t *publishedTable, open map[string]map[string][]string) (exactly, within bool) {
	for _, was := range t.was.Places {
		for _, prefixes := range open[was.Bucket] {
			exactly = exactly || slices.Contains(prefixes, was.Prefix)
			within = within || slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(was.Prefix, prefix) })
		}
	}
	return exactly, within
}

// readOf are the tables that somebody reads where they are: those whose place is open,
// and of those in a folder that is open in place of several those that were granted to
// another account. So of those in a place where others are as well: whoever may alter one table
// can have said that it is where another one is, which is read. Who reads by LF-tags is looked
// after when the publication extends subscriptions.
func (w *wantedPublication) readOf(ctx context.Context, moved []*publishedTable, open map[string]map[string][]string, beside map[storage.Place]bool) ([]*publishedTable, error) {
	var read, unsure []*publishedTable
	for _, t := range moved {
		exactly, within := openAt(t, open)
		shared := slices.ContainsFunc(t.was.Places, func(was places.Place) bool { return beside[was.Place] })
		switch {
		case exactly && !shared:
			read = append(read, t)
		case exactly || within:
			unsure = append(unsure, t)
		}
	}
	if len(unsure) == 0 {
		return read, nil
	}
	on := []permissions.Resource{permissions.AllTables(w.meshAccount, w.target)}
	for _, t := range unsure {
		on = append(on, w.meshTable(t.name))
	}
	granted, err := w.mesh.lake.Observe(ctx, on...)
	if err != nil {
		return nil, err
	}
	outside := access.Catalog{Account: w.meshAccount, Owner: w.account}
	somebody := func(r permissions.Resource) bool {
		return slices.ContainsFunc(granted.On(r), func(e permissions.Entry) bool {
			return outside.Outside(access.Grantee(e.Principal)) && readsData(e.Permissions)
		})
	}
	for _, t := range unsure {
		if somebody(on[0]) || somebody(w.meshTable(t.name)) {
			read = append(read, t)
		}
	}
	return read, nil
}

// partitionsStay are the places in which the partitions of a table that moves will be.
// They stay where they were put, mostly below the table's old place. Where not all of them
// can be looked at, that is the old place itself.
func (w *wantedPublication) partitionsStay(ctx context.Context, t *publishedTable) ([]storage.Place, error) {
	if !t.partitioned {
		return nil, nil
	}
	var stay []storage.Place
	unknown := false
	all, err := w.own.catalog.EachPartition(ctx, w.sourceName(t), mostPartitionPages, func(partition *types.Partition) {
		if partition.StorageDescriptor == nil || aws.ToString(partition.StorageDescriptor.Location) == "" {
			return
		}
		place, ok := storage.ParsePlace(aws.ToString(partition.StorageDescriptor.Location))
		if unknown = unknown || !ok; ok {
			stay = append(stay, place)
		}
	})
	if err != nil && !awserr.Denied(err) {
		return nil, err
	}
	if !all || unknown || err != nil {
		for _, was := range t.was.Places {
			stay = append(stay, was.Place)
		}
	}
	return stay, nil
}

// placesBeside adds the places of the producer's tables in the mesh that do not move, and
// of their partitions: who reads them is not looked at, and they stay as open as they are.
// Where not all partitions can be looked at, no place is left.
func (w *wantedPublication) placesBeside(ctx context.Context, moved []*publishedTable, needed map[storage.Place]bool) error {
	moves := map[string]bool{}
	for _, t := range moved {
		moves[t.name] = true
	}
	granted, err := w.mesh.lake.ObserveKind(ctx, lftypes.DataLakeResourceTypeDatabase)
	if err != nil {
		return err
	}
	databases := map[string]bool{w.target: true}
	for _, e := range granted.Entries() {
		if e.Resource.Account == w.meshAccount && (e.Principal == w.account || e.Principal == w.ids.Mesh.ARN) {
			databases[e.Resource.Database] = true
		}
	}
	var partitioned []catalog.TableName
	tables := map[catalog.TableName]meshTable{}
	for _, database := range slices.Sorted(maps.Keys(databases)) {
		for t, err := range w.mesh.catalog.Tables(ctx, database) {
			if awserr.NotFound(err) {
				break
			}
			if err != nil {
				return err
			}
			m := asMeshTable(t)
			if database == w.target && moves[m.name] {
				continue
			}
			for _, place := range m.known.Places {
				needed[place.Place] = true
			}
			if name := (catalog.TableName{Database: database, Table: m.name}); m.partitioned {
				partitioned, tables[name] = append(partitioned, name), m
			}
		}
	}
	found, err := w.partitionsOf(ctx, partitioned, tables)
	if err != nil {
		return err
	}
	whole := len(found) == len(partitioned)
	for _, t := range found {
		whole = whole && !t.partial
		for _, place := range t.known.Places {
			needed[place.Place] = true
		}
	}
	if whole {
		return nil
	}
	for _, t := range moved {
		for _, was := range t.was.Places {
			needed[was.Place] = true
		}
	}
	return nil
}

// planOpening opens where tables move to.
func (pl *planner) planOpening() {
	for _, c := range pl.following.opening {
		pl.opening = append(pl.opening, pl.ownBuckets().Step(pl.todo, c))
	}
}

// planClosing closes where they were. If a table could not be moved before, its place stays
// open: what is needed no more is closed when the rest is done.
func (pl *planner) planClosing() {
	if len(pl.failed) > 0 {
		return
	}
	if len(pl.following.closing) == 0 {
		return
	}
	// What fails for other tables keeps nothing from being closed.
	after := slices.Clone(pl.opening)
	moving := map[string]bool{}
	for _, t := range pl.tables {
		moving[fmt.Sprintf("table %s.%s", pl.target, t.name)] = t.moves()
	}
	for _, s := range pl.todo.Steps {
		if moving[s.Resource] && s.Account == pl.meshAccount {
			after = append(after, s)
		}
	}
	for _, c := range pl.following.closing {
		pl.ownBuckets().Step(pl.todo, c, after...)
	}
}

// moves reports whether a table's definition names other places than its copy's does.
func (t *publishedTable) moves() bool {
	named := func(table places.Table) map[storage.Place]bool {
		all := map[storage.Place]bool{}
		for _, p := range table.Places {
			all[p.Place] = true
		}
		return all
	}
	return t.original && t.found && t.conflict == "" && len(t.was.Places) > 0 && !maps.Equal(named(t.was), named(t.known))
}

// lookAtPlaces looks at the buckets in which tables were and will be.
func (s *surveyed) lookAtPlaces(ctx context.Context, tables []*publishedTable) error {
	buckets := map[string]bool{}
	for _, t := range tables {
		for _, p := range slices.Concat(t.was.Places, t.known.Places) {
			buckets[p.Bucket] = true
		}
	}
	return s.lookAtBuckets(ctx, maps.Keys(buckets))
}
