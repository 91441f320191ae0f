package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
)

// recordFrom begins the parameters of a database of the mesh that name the databases which
// its tables were published from. What stands at a table can be written by whoever was
// granted ALTER on it; nobody but the owner may write the database.
const recordFrom = recordPrefix + "from."

// SourceParameters are the parameters of a database of the mesh: those that it has, those
// that its source has besides, and that tables are published from the source by the owner.
func SourceParameters(has, source map[string]string, name, owner string) map[string]string {
	all := map[string]string{}
	for key, value := range source {
		if !strings.HasPrefix(key, recordPrefix) {
			all[key] = value
		}
	}
	for key, value := range has {
		all[key] = value
	}
	all[recordFrom+strings.ToLower(name)] = owner
	return all
}

// Owner is the account that publishes a table of a database of the mesh: the one that
// stands at the database. Whoever may alter a table may write another account at the table,
// which counts only where a version of before has written no account at the database.
func Owner(d *types.Database, t *types.Table) string {
	if d != nil {
		if owner := OwnerOf(d); owner != "" {
			return owner
		}
	}
	return aws.ToString(t.Owner)
}

// OwnerOf is the account that publishes tables of a database of the mesh; empty where that
// does not stand there, or where several accounts do: one database is one owner's.
func OwnerOf(d *types.Database) string {
	owner := ""
	for key, value := range d.Parameters {
		if !strings.HasPrefix(key, recordFrom) || lakemesh.CheckAccountID("owner", value) != nil {
			continue
		}
		if owner != "" && owner != value {
			return ""
		}
		owner = value
	}
	return owner
}

// Sources are the databases that tables of a database of the mesh were published from;
// none where that does not stand there.
func Sources(d *types.Database) []string {
	var sources []string
	for key := range d.Parameters {
		if source, ok := strings.CutPrefix(key, recordFrom); ok {
			sources = append(sources, source)
		}
	}
	slices.Sort(sources)
	return sources
}

// recordHybrid begins the parameters of a database of the mesh that name its tables in
// hybrid access mode: their owner keeps what IAMAllowedPrincipals holds on them. They stand
// at the database, which nobody but the owner may write.
const recordHybrid = recordPrefix + "hybrid."

// HybridTables are the tables of a database of the mesh of which their owner says that they
// are in hybrid access mode, folded. What another account says counts for nothing.
func HybridTables(d *types.Database) map[string]bool { return markedTables(d, recordHybrid) }

// markedTables are the tables that a database's owner marked with a prefix.
func markedTables(d *types.Database, prefix string) map[string]bool {
	tables := map[string]bool{}
	if d == nil {
		return tables
	}
	owner := OwnerOf(d)
	for key, value := range d.Parameters {
		if name, ok := strings.CutPrefix(key, prefix); ok && name != "" && owner != "" && value == owner {
			tables[strings.ToLower(name)] = true
		}
	}
	return tables
}

// HybridParameters are parameters of a database with tables put into hybrid access mode, or
// taken out of it.
func HybridParameters(has map[string]string, owner string, tables []string, hybrid bool) map[string]string {
	return markTables(has, recordHybrid, owner, tables, hybrid)
}

// markTables are parameters with tables marked with a prefix, or with their marks gone.
func markTables(has map[string]string, prefix, owner string, tables []string, mark bool) map[string]string {
	all := maps.Clone(has)
	if all == nil {
		all = map[string]string{}
	}
	for _, name := range tables {
		if key := prefix + strings.ToLower(name); mark {
			all[key] = owner
		} else {
			delete(all, key)
		}
	}
	return all
}

// recordPrivate begins the parameters of a database of the mesh that mark its tables whose
// metadata their owner keeps from other consumers; what has [NewTables] behind it is said of
// tables that are published from then on. Whoever may describe the database sees the marks, so
// that they do not name the tables.
const recordPrivate = recordPrefix + "private."

// recordPrivacy says at a database of the mesh that its private tables are marked: what is not
// marked there is public. A version of before marked none.
const recordPrivacy = recordPrefix + "privacy"

// NewTables stands for the tables that are not published yet.
const NewTables = "*"

// privateMark is how a table is marked.
func privateMark(owner, table string) string {
	if table == NewTables {
		return NewTables
	}
	sum := sha256.Sum256([]byte(owner + "/" + strings.ToLower(table)))
	return hex.EncodeToString(sum[:8])
}

// IsPrivate reports whether the metadata of a table of a database of the mesh is private, or
// with [NewTables] that of new ones. What another account says counts for nothing.
func IsPrivate(d *types.Database, table string) bool {
	if d == nil {
		return false
	}
	return markedTables(d, recordPrivate)[privateMark(OwnerOf(d), table)]
}

// AnyPrivate reports whether something is said to be private in a database of the mesh.
func AnyPrivate(d *types.Database) bool { return len(markedTables(d, recordPrivate)) > 0 }

// MarksPrivate reports whether the owner of a database of the mesh marks its private tables, so
// that what is not marked is known to be public.
func MarksPrivate(d *types.Database) bool {
	owner := OwnerOf(d)
	return owner != "" && d.Parameters[recordPrivacy] == owner
}

// PrivateParameters are parameters of a database with tables made private, or public.
func PrivateParameters(has map[string]string, owner string, tables []string, private bool) map[string]string {
	marks := make([]string, len(tables))
	for i, table := range tables {
		marks[i] = privateMark(owner, table)
	}
	all := markTables(has, recordPrivate, owner, marks, private)
	all[recordPrivacy] = owner
	return all
}

// WithoutPrivacy are parameters that do not say that private tables are marked.
func WithoutPrivacy(has map[string]string) map[string]string {
	all := maps.Clone(has)
	delete(all, recordPrivacy)
	return all
}
