package producer

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// Whether other consumers see a table's metadata stands at the mesh's database, once its
// owner has said that they do not: a publication that is repeated without a word of it
// leaves it so. Grants alone would not tell a private table from one whose publication was
// interrupted.

// isPrivate reports whether a table's metadata is private: by what is wanted, or else by what
// its owner said before, of the table or, for one that is new, of those to come.
func (s *surveyed) isPrivate(t *publishedTable) bool { return s.isPrivateIn(s.meshDatabase, t) }

// isPrivateIn is isPrivate by what stands at a state of the mesh's database.
func (s *surveyed) isPrivateIn(d *types.Database, t *publishedTable) bool {
	if s.public != nil {
		return !*s.public
	}
	return catalog.IsPrivate(d, t.name) || !t.found && catalog.IsPrivate(d, catalog.NewTables)
}

// isDatabasePrivate reports whether nobody needs to see the mesh's database for the tables
// that are published now: none of them is public.
func (s *surveyed) isDatabasePrivate() bool {
	return !slices.ContainsFunc(s.tables, func(t *publishedTable) bool { return !s.isPrivate(t) })
}

// privateParameters are parameters of the mesh's database d with what is said of the tables.
func (s *surveyed) privateParameters(d *types.Database, has map[string]string) map[string]string {
	var private, public []string
	for _, t := range s.tables {
		if s.isPrivateIn(d, t) {
			private = append(private, t.name)
		} else {
			public = append(public, t.name)
		}
	}
	if s.public != nil && !*s.public {
		private = append(private, catalog.NewTables)
	} else if s.public != nil {
		public = append(public, catalog.NewTables)
	}
	if s.public == nil {
		// Nothing is said, and so nothing taken back that somebody else says at this moment.
		public = nil
	}
	all := catalog.PrivateParameters(catalog.PrivateParameters(has, s.account, private, true), s.account, public, false)
	if s.unmarkedBeside {
		return catalog.WithoutPrivacy(all)
	}
	return all
}

// lookBeside finds out whether a database in which a version of before marked no private tables
// has others of this owner than are published now. That its private tables are marked is not
// said of it then: those that are not marked would count as public.
func (s *surveyed) lookBeside(ctx context.Context) error {
	if s.meshDatabase == nil || s.sync || len(s.tables) == 0 || catalog.MarksPrivate(s.meshDatabase) {
		return nil
	}
	published := map[string]bool{}
	for _, t := range s.tables {
		published[t.name] = true
	}
	return s.mesh.catalog.EachTable(ctx, s.target, func(name string, t *types.Table) {
		if !published[name] && s.isOwn(s.meshDatabase, t) {
			s.unmarkedBeside = true
		}
	})
}

// inheritPrivacy keeps metadata private that is so where the source's tables were published
// under their usual name: a migration publishes them once more, into another database, of which
// nothing was said yet.
func (w *wantedPublication) inheritPrivacy(ctx context.Context) error {
	if w.public != nil {
		return nil
	}
	read := func(name string) (private, there bool, err error) {
		d, there, err := w.mesh.catalog.Database(ctx, name)
		if err != nil {
			return false, false, identity.Explain(w.op, w.meshAccount, "database "+name, err)
		}
		return catalog.AnyPrivate(d), there, nil
	}
	_, there, err := read(w.target)
	if err != nil || there {
		return err
	}
	private, _, err := read(lakemesh.MeshDatabaseName(w.source, w.account))
	if private {
		w.public = new(false)
	}
	return err
}
