package permissions

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// fewTables is up to how many tables are asked for one by one. Beyond that, one
// listing of all grants on tables, a thousand a page, takes fewer calls.
const fewTables = 4

// Observe reads what is granted on the resources, to everybody, all pages. A
// resource that does not exist has no grants.
func (l *Lake) Observe(ctx context.Context, resources ...Resource) (*Grants, error) {
	found := NewGrants()
	wanted := make(map[Resource]bool, len(resources))
	tables := map[string]int{} // by the account that owns them
	for _, r := range resources {
		if !wanted[r] && r.onTables() {
			tables[r.Account]++
		}
		wanted[r] = true
	}
	var single []Resource
	for r := range wanted {
		if !r.onTables() || tables[r.Account] <= fewTables {
			single = append(single, r)
		}
	}
	var mu sync.Mutex
	keep := func(row types.PrincipalResourcePermissions) {
		if r, ok := l.fromSDK(row.Resource); ok && wanted[r] {
			mu.Lock()
			defer mu.Unlock()
			found.addRow(r, row)
		}
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(observeWidth)
	for owner, n := range tables {
		if n <= fewTables {
			continue
		}
		group.Go(func() error {
			in := &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner), ResourceType: types.DataLakeResourceTypeTable}
			if err := l.list(gctx, in, keep); err != nil {
				return fmt.Errorf("list the permissions on tables of account %s: %w", owner, err)
			}
			return nil
		})
	}
	for _, r := range single {
		group.Go(func() error {
			in := &lakeformation.ListPermissionsInput{CatalogId: aws.String(r.Account), Resource: r.sdk()}
			if err := l.list(gctx, in, keep); err != nil && !awserr.NotFound(err) {
				return fmt.Errorf("list the permissions on %s: %w", r, err)
			}
			return nil
		})
	}
	return found, group.Wait()
}

// observeWidth is how many listings are under way at once.
const observeWidth = 8

// ObserveOf reads what one principal holds on the resources, which takes the same
// number of calls whatever others hold. What it holds by other means than a grant
// to itself is left out, as is a resource that does not exist. A principal that
// Lake Formation does not know holds nothing.
func (l *Lake) ObserveOf(ctx context.Context, principal string, resources ...Resource) (*Grants, error) {
	found := NewGrants()
	var mu sync.Mutex
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(observeWidth)
	for _, r := range resources {
		group.Go(func() error {
			in := &lakeformation.ListPermissionsInput{CatalogId: aws.String(r.Account), Resource: r.sdk(),
				Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(principal)}}
			err := l.list(gctx, in, func(row types.PrincipalResourcePermissions) {
				// With a principal, Lake Formation also tells what covers the resource
				// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html).
				got, ok := l.fromSDK(row.Resource)
				if !ok || got != r || row.Principal == nil || aws.ToString(row.Principal.DataLakePrincipalIdentifier) != principal {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				found.addRow(r, row)
			})
			if err != nil && !awserr.NotFound(err) && !awserr.Says(err, "Invalid principal") {
				return fmt.Errorf("list what %s holds on %s: %w", principal, r, err)
			}
			return nil
		})
	}
	return found, group.Wait()
}

// ObserveKind reads everything that is granted on resources of a kind and that
// the caller may see, all pages.
func (l *Lake) ObserveKind(ctx context.Context, kind types.DataLakeResourceType) (*Grants, error) {
	found := NewGrants()
	err := l.list(ctx, &lakeformation.ListPermissionsInput{ResourceType: kind}, func(row types.PrincipalResourcePermissions) {
		if r, ok := l.fromSDK(row.Resource); ok {
			found.addRow(r, row)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list the permissions on resources of type %s: %w", kind, err)
	}
	return found, nil
}

func (l *Lake) list(ctx context.Context, in *lakeformation.ListPermissionsInput, each func(types.PrincipalResourcePermissions)) error {
	in.MaxResults = aws.Int32(pageSize)
	pages := lakeformation.NewListPermissionsPaginator(l.Client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, row := range page.PrincipalResourcePermissions {
			each(row)
		}
	}
	return nil
}

// addRow adds a row of an answer. What one principal holds on one resource can
// come in several rows.
func (g *Grants) addRow(r Resource, row types.PrincipalResourcePermissions) {
	if row.Principal == nil {
		return
	}
	var shares []string
	if row.AdditionalDetails != nil {
		shares = row.AdditionalDetails.ResourceShare
	}
	g.add(Entry{Principal: aws.ToString(row.Principal.DataLakePrincipalIdentifier), Resource: r,
		Permissions: fromPermissions(row.Permissions), Grantable: fromPermissions(row.PermissionsWithGrantOption)}, shares...)
}

func fromPermissions(list []types.Permission) lakemesh.Permissions {
	set := make([]lakemesh.Permission, len(list))
	for i, p := range list {
		set[i] = lakemesh.Permission(p)
	}
	return lakemesh.NewPermissions(set...)
}

func toPermissions(set lakemesh.Permissions) []types.Permission {
	list := make([]types.Permission, len(set))
	for i, p := range set {
		list[i] = types.Permission(p)
	}
	return list
}
