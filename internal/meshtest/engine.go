package meshtest

import (
	"context"
	"strings"

	"github.com/lakemesh/lakemesh/internal/engine"
)

// TrustEngines lets query engines of accounts filter the mesh account's tables.
func (m *Mesh) TrustEngines(accounts ...string) {
	m.t.Helper()
	m.Mesh.TrustEngines(MeshAccount, accounts...)
}

// Query reads a table as a query engine does, as a role: see [engine.Query].
func (m *Mesh) Query(ctx context.Context, role, database, table string) (columns, rows []string, err error) {
	account := strings.Split(role, ":")[4]
	return engine.Query(ctx, engine.As(m.Config(Administrator(account)), role), account, database, table)
}
