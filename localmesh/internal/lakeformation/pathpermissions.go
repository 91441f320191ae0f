package lakeformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetEffectivePermissionsForPath.html
func getEffectivePermissionsForPath(c *engine.Call, in *lakeformation.GetEffectivePermissionsForPathInput) (*lakeformation.GetEffectivePermissionsForPathOutput, error) {
	if err := c.Allow("lakeformation:GetEffectivePermissionsForPath"); err != nil {
		return nil, err
	}
	if err := ownCatalog(c, in.CatalogId); err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, err
	}
	path, err := locationPath(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if _, found, err := registration(c, c.Account(), path); err != nil {
		return nil, err
	} else if !found {
		return nil, notFound("The path is not in a registered location: s3://%s", path)
	}
	prefixes, err := grantsAt(c, path)
	if err != nil {
		return nil, err
	}
	l := listing{c: c, size: size, token: in.NextToken, wanted: func(state.Securable) bool { return true }}
	if err := l.run(c.Account(), prefixes); err != nil {
		return nil, err
	}
	return &lakeformation.GetEffectivePermissionsForPathOutput{Permissions: append([]types.PrincipalResourcePermissions{}, l.rows...), NextToken: l.next}, nil
}

// grantsAt are the beginnings of the keys of grants on the path, on paths above
// it, and on the databases and tables that lie at it.
func grantsAt(c *engine.Call, path string) ([][]string, error) {
	key := func(kind state.Kind, parts ...string) []string {
		return append([]string{c.Account(), c.Region, string(kind)}, parts...)
	}
	var prefixes [][]string
	for _, p := range ancestors(path) {
		prefixes = append(prefixes, key(state.KindLocation, p))
	}
	err := state.Databases.Scan(c.Tx, []string{c.Account(), c.Region}, "", func(_ string, d state.Database) bool {
		if at, ok := s3path(d.Location); ok && at == path {
			prefixes = append(prefixes, key(state.KindDatabase, d.Name))
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	err = state.Tables.Scan(c.Tx, []string{c.Account(), c.Region}, "", func(_ string, t state.Table) bool {
		if at, ok := s3path(t.Location()); ok && at == path {
			prefixes = append(prefixes, key(state.KindTable, t.Database, t.Name), key(state.KindTable, t.Database, state.AllTables), key(state.KindColumns, t.Database, t.Name))
		}
		return true
	})
	// Two tables of a database share its grant on all tables.
	slices.SortFunc(prefixes, slices.Compare[[]string])
	return slices.CompactFunc(prefixes, slices.Equal[[]string]), err
}
