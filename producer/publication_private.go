package producer

import (
	"context"

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
func (s *surveyed) isPrivate(t *publishedTable) bool {
	if s.public != nil {
		return !*s.public
	}
	return catalog.IsPrivate(s.meshDatabase, t.name) || !t.found && catalog.IsPrivate(s.meshDatabase, catalog.NewTables)
}

// isDatabasePrivate reports whether nobody needs to see the mesh's database: none of the
// tables that are published now is public, nor will those be that come.
func (s *surveyed) isDatabasePrivate() bool {
	if s.public != nil {
		return !*s.public
	}
	if !catalog.IsPrivate(s.meshDatabase, catalog.NewTables) {
		return false
	}
	for _, t := range s.tables {
		if !s.isPrivate(t) {
			return false
		}
	}
	return true
}

// privateParameters are parameters of the mesh's database with what is said of the tables.
func (s *surveyed) privateParameters(has map[string]string) map[string]string {
	var private, public []string
	for _, t := range s.tables {
		if s.isPrivate(t) {
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
	return catalog.PrivateParameters(catalog.PrivateParameters(has, s.account, private, true), s.account, public, false)
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
