package permissions

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// Holding is a row of what is granted on a table, in whatever form.
type Holding struct {
	Principal              string
	Permissions, Grantable lakemesh.Permissions
	// AllTables tells that it is on all tables of the database.
	AllTables bool
	// Columns are the only columns that it is on, Except those that it is not on, Filter the
	// data cells filter that it is on. Without any it is on the table.
	Columns, Except []string
	Filter          string
	// Shares are the resource shares that carry it, where they are named.
	Shares []string
}

// Whole reports whether it is on all columns and rows.
func (h Holding) Whole() bool { return len(h.Columns) == 0 && len(h.Except) == 0 && h.Filter == "" }

// HeldOn are what is granted on a table or a database, as far as the caller is shown it:
// the rows on it, on its columns and by filters, and what each of the principals holds in
// effect, which also comes from all tables and from LF-tags. What does not exist, or may
// not be seen, has none.
func (l *Lake) HeldOn(ctx context.Context, on Resource, principals ...string) ([]Holding, error) {
	var all []Holding
	var mu sync.Mutex
	look := func(ctx context.Context, in *lakeformation.ListPermissionsInput) error {
		in.CatalogId, in.Resource = aws.String(on.Account), on.sdk()
		err := l.rows(ctx, in, func(row types.PrincipalResourcePermissions, catalog string) {
			if h, ok := holdingOn(on, row, catalog); ok {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, h)
			}
		})
		if awserr.NotFound(err) || awserr.Denied(err) && awserr.Says(err, "Lake Formation permission") || awserr.Says(err, "Invalid principal") {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list who holds what on %s: %w", on, err)
		}
		return nil
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		in := &lakeformation.ListPermissionsInput{}
		if on.Kind == KindTable {
			// Without it filters are left out.
			in.IncludeRelated = aws.String("TRUE")
		}
		return look(within, in)
	})
	for _, p := range principals {
		group.Go(func() error {
			return look(within, &lakeformation.ListPermissionsInput{Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(p)}})
		})
	}
	return all, group.Wait()
}

// holdingOn is a row, if it is about the resource.
func holdingOn(on Resource, row types.PrincipalResourcePermissions, catalog string) (Holding, bool) {
	if row.Principal == nil || row.Resource == nil {
		return Holding{}, false
	}
	h := Holding{Principal: canonical(aws.ToString(row.Principal.DataLakePrincipalIdentifier)),
		Permissions: fromPermissions(row.Permissions), Grantable: fromPermissions(row.PermissionsWithGrantOption)}
	if row.AdditionalDetails != nil {
		h.Shares = row.AdditionalDetails.ResourceShare
	}
	if r, ok := fromSDK(row.Resource, catalog); ok && r.Kind == KindFilter {
		h.Filter = r.Filter
		return h, on.Kind == KindTable && Table(r.Account, r.Database, r.Table) == on && h.Filter != ""
	} else if ok {
		h.AllTables = r.Kind == KindAllTables
		return h, r == on || on.Kind == KindTable && r == AllTables(on.Account, on.Database)
	}
	if on.Kind != KindTable {
		return h, false
	}
	same := func(database, table *string) bool {
		return strings.EqualFold(aws.ToString(database), on.Database) && strings.EqualFold(aws.ToString(table), on.Table)
	}
	if t := row.Resource.TableWithColumns; t != nil {
		for _, c := range t.ColumnNames {
			h.Columns = append(h.Columns, strings.ToLower(c))
		}
		if t.ColumnWildcard != nil {
			for _, c := range t.ColumnWildcard.ExcludedColumnNames {
				h.Except = append(h.Except, strings.ToLower(c))
			}
		}
		return h, same(t.DatabaseName, t.Name) && !h.Whole()
	}
	return h, false
}
