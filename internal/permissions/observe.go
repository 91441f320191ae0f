package permissions

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"

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
//
// Whether a listing of everything shows a role that is no administrator all that it
// would be shown of one resource is not documented. So tables of which such a listing
// has nothing are asked for by themselves: a few of them, and all if that finds
// anything.
func (l *Lake) Observe(ctx context.Context, resources ...Resource) (*Grants, error) {
	found, err := l.observe(ctx, resources...)
	if err == nil {
		err = l.uncover(ctx, found, resources, func(r Resource) bool { return slices.Contains(resources, r) })
	}
	return found, err
}

func (l *Lake) observe(ctx context.Context, resources ...Resource) (*Grants, error) {
	found := NewGrants()
	wanted := make(map[Resource]bool, len(resources))
	tables := map[string]int{} // by the account that owns them
	for _, r := range resources {
		if !wanted[r] && r.onTables() {
			tables[r.Account]++
		}
		wanted[r] = true
	}
	var single, listed []Resource
	for r := range wanted {
		if !r.onTables() || tables[r.Account] <= fewTables {
			single = append(single, r)
		} else {
			listed = append(listed, r)
		}
	}
	var mu sync.Mutex
	keep := func(r Resource, row types.PrincipalResourcePermissions) {
		if wanted[r] {
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
		group.Go(func() error { return l.listOn(gctx, r, keep) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	unlisted := slices.DeleteFunc(listed, func(r Resource) bool { return len(found.on[r]) > 0 })
	var incomplete atomic.Bool
	look := func(ctx context.Context, r Resource) (bool, error) {
		shown := false
		err := l.listOn(ctx, r, func(got Resource, row types.PrincipalResourcePermissions) {
			shown = shown || got == r
			keep(got, row)
		})
		if shown {
			incomplete.Store(true)
		}
		return shown, err
	}
	// On all tables of a database at once there is seldom anything; that says nothing
	// about the listing.
	all := func(r Resource) bool { return r.Kind == KindAllTables }
	if err := probe(ctx, slices.DeleteFunc(slices.Clone(unlisted), all), look); err != nil || !incomplete.Load() {
		return found, err
	}
	return found, probe(ctx, slices.DeleteFunc(unlisted, func(r Resource) bool { return !all(r) }), look)
}

// Listed reads what is granted on tables of an account's catalog in pages, and gives what
// is on the resources. That a resource has nothing there does not say that it has none.
func (l *Lake) Listed(ctx context.Context, owner string, resources []Resource) (*Grants, error) {
	wanted := make(map[Resource]bool, len(resources))
	for _, r := range resources {
		wanted[r] = true
	}
	found := NewGrants()
	in := &lakeformation.ListPermissionsInput{CatalogId: aws.String(owner), ResourceType: types.DataLakeResourceTypeTable}
	err := l.list(ctx, in, func(r Resource, row types.PrincipalResourcePermissions) {
		if wanted[r] {
			found.addRow(r, row)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list the permissions on tables of account %s: %w", owner, err)
	}
	return found, nil
}

// listOn lists what is granted on one resource, to everybody.
func (l *Lake) listOn(ctx context.Context, r Resource, each func(Resource, types.PrincipalResourcePermissions)) error {
	in := &lakeformation.ListPermissionsInput{CatalogId: aws.String(r.Account), Resource: r.sdk()}
	if err := l.list(ctx, in, each); err != nil && !awserr.NotFound(err) {
		return fmt.Errorf("list the permissions on %s: %w", r, err)
	}
	return nil
}

// probe looks at a few of the resources, and at the others if one of those looks found
// anything.
func probe(ctx context.Context, resources []Resource, look func(ctx context.Context, r Resource) (found bool, err error)) error {
	slices.SortFunc(resources, func(a, b Resource) int { return compare(Entry{Resource: a}, Entry{Resource: b}) })
	first := resources[:min(fewTables, len(resources))]
	for _, some := range [][]Resource{first, resources[len(first):]} {
		var any atomic.Bool
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(observeWidth)
		for _, r := range some {
			group.Go(func() error {
				found, err := look(gctx, r)
				if found {
					any.Store(true)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if !any.Load() {
			return nil
		}
	}
	return nil
}

// Confirm asks again for what is wanted and was not found on resources that exist: on
// the resource, and what the principal holds there in effect. What that shows is added
// to what was found, and where a listing hid that, what [AllowedByIAM] holds. It makes no call if nothing is missing, and few if nothing is
// found. Where the caller may not ask for somebody else, that is no error.
func (l *Lake) Confirm(ctx context.Context, have *Grants, want []Entry) error {
	missing := map[Resource][]Entry{}
	var on []Resource
	for _, e := range Missing(have, want) {
		if len(missing[e.Resource]) == 0 {
			on = append(on, e.Resource)
		}
		missing[e.Resource] = append(missing[e.Resource], e)
	}
	var mu sync.Mutex
	return probe(ctx, on, func(ctx context.Context, r Resource) (bool, error) {
		shown := NewGrants()
		if err := l.listOn(ctx, r, func(got Resource, row types.PrincipalResourcePermissions) {
			if got == r {
				shown.addRow(r, row)
			}
		}); err != nil {
			return false, err
		}
		// Where others are shown the listing is no narrower than what there is.
		narrow := shown.shows(l.Self)
		for _, e := range Missing(shown, missing[r]) {
			effective, err := l.ObserveOf(ctx, e.Principal, r)
			if err != nil && !awserr.Denied(err) && !awserr.Is(err, "InvalidInputException") {
				return false, err
			}
			if err != nil {
				continue
			}
			if !narrow {
				if err := l.untagged(ctx, effective); err != nil {
					return false, err
				}
			}
			shown.merge(effective)
		}
		if len(Missing(shown, missing[r])) < len(missing[r]) {
			// A listing that hid this hides as well what is open to everybody.
			open, err := l.ObserveOf(ctx, AllowedByIAM, r)
			if err != nil && !awserr.Denied(err) && !awserr.Is(err, "InvalidInputException") {
				return false, err
			}
			if err == nil {
				shown.merge(open)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		before := len(Missing(have, missing[r]))
		have.merge(shown)
		return len(Missing(have, missing[r])) < before, nil
	})
}

// merge adds grants to grants.
func (g *Grants) merge(o *Grants) {
	for r, list := range o.on {
		for _, h := range list {
			g.add(h.entry(r), h.shares...)
		}
	}
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
			if r.Kind == KindFilter {
				// Of a filter nothing is answered about a principal, or that there is nothing
				// (https://github.com/hashicorp/terraform-provider-aws/issues/48360).
				in.Principal = nil
			}
			err := l.list(gctx, in, func(got Resource, row types.PrincipalResourcePermissions) {
				// With a principal, Lake Formation also tells what covers the resource
				// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html).
				if got != r || row.Principal == nil || canonical(aws.ToString(row.Principal.DataLakePrincipalIdentifier)) != canonical(principal) {
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
	err := l.list(ctx, &lakeformation.ListPermissionsInput{ResourceType: kind}, found.addRow)
	if err != nil {
		return nil, fmt.Errorf("list the permissions on resources of type %s: %w", kind, err)
	}
	// Who made something holds something on it.
	return found, l.uncover(ctx, found, slices.Collect(maps.Keys(found.on)), func(Resource) bool { return false })
}

// list tells of each row of a listing, to its last token: a page may be empty, and is
// not the last one for it.
func (l *Lake) list(ctx context.Context, in *lakeformation.ListPermissionsInput, each func(Resource, types.PrincipalResourcePermissions)) error {
	return l.rows(ctx, in, func(row types.PrincipalResourcePermissions, catalog string) {
		if r, ok := fromSDK(row.Resource, catalog); ok {
			each(r, row)
		}
	})
}

// rows tells of each row of a listing, whatever it is on, and of the catalog that is
// meant where the row names none.
func (l *Lake) rows(ctx context.Context, in *lakeformation.ListPermissionsInput, each func(row types.PrincipalResourcePermissions, catalog string)) error {
	in.MaxResults = aws.Int32(pageSize)
	catalog := l.Account
	if in.CatalogId != nil {
		catalog = *in.CatalogId
	}
	pages := lakeformation.NewListPermissionsPaginator(l.Client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, row := range page.PrincipalResourcePermissions {
			each(row, catalog)
		}
	}
	return nil
}

// accountRoot is the form of an account as IAM's policies name it.
var accountRoot = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):root$`)

// canonical is the one form of a principal: an account is its number.
func canonical(principal string) string {
	if m := accountRoot.FindStringSubmatch(principal); m != nil {
		return m[1]
	}
	return principal
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
	g.add(Entry{Principal: canonical(aws.ToString(row.Principal.DataLakePrincipalIdentifier)), Resource: r,
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
