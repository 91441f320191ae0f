package producer

import "github.com/lakemesh/lakemesh/internal/catalog"

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
	private := catalog.PrivateTables(s.meshDatabase)
	return private[t.name] || !t.found && private[catalog.NewTables]
}

// isDatabasePrivate reports whether nobody needs to see the mesh's database: none of the
// tables that are published now is public, nor will those be that come.
func (s *surveyed) isDatabasePrivate() bool {
	if s.public != nil {
		return !*s.public
	}
	if !catalog.PrivateTables(s.meshDatabase)[catalog.NewTables] {
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
