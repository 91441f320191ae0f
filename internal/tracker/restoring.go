package tracker

import (
	"context"
	"strings"

	"github.com/lakemesh/lakemesh"
)

// attrRestoring are the tables that are being made again in the owner's catalog, as
// <database>/<table>/<digest of a definition>. No name has a slash.
const attrRestoring = "Tables"

// Restoring are the digests of the definitions with which each table of a database was
// begun to be made again in the owner's own catalog. While there is one, the mesh's table is
// the only one that is known to be whole.
func (t *Tracker) Restoring(ctx context.Context, owner, database string) (map[string][]string, error) {
	i, err := t.getItem(ctx, lakemesh.DecisionsTable, restoringKey(owner))
	if err != nil {
		return nil, t.explain("RestoreTables", "", err)
	}
	begun := map[string][]string{}
	for _, entry := range known(i, attrRestoring) {
		parts := strings.Split(entry, "/")
		if len(parts) == 3 && parts[0] == database {
			begun[parts[1]] = append(begun[parts[1]], parts[2])
		}
	}
	return begun, nil
}

// BeginRestoring records that a table is made again with a definition.
func (t *Tracker) BeginRestoring(ctx context.Context, owner, database, table, digest string) error {
	u := inDecisions(restoringKey(owner))
	u.AddTo(attrRestoring, strings.Join([]string{database, table, digest}, "/"))
	return t.explain("RestoreTables", "", t.update(ctx, u))
}

// EndRestoring records that a table was made again, with whichever definition.
func (t *Tracker) EndRestoring(ctx context.Context, owner, database, table string) error {
	begun, err := t.Restoring(ctx, owner, database)
	if err != nil || len(begun[table]) == 0 {
		return err
	}
	u := inDecisions(restoringKey(owner))
	var entries []string
	for _, digest := range begun[table] {
		entries = append(entries, strings.Join([]string{database, table, digest}, "/"))
	}
	u.TakeFrom(attrRestoring, entries...)
	return t.explain("RestoreTables", "", t.update(ctx, u))
}
