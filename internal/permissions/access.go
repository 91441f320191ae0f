package permissions

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/access"
)

// Object is the resource in the terms of package access. ok is false for what no
// subscription is on: the catalog, a location, an LF-tag.
func (r Resource) Object() (_ access.Object, ok bool) {
	switch r.Kind {
	case KindDatabase:
		return access.OnDatabase(r.Account, r.Database), true
	case KindTable:
		return access.OnTable(r.Account, r.Database, r.Table), true
	case KindAllTables:
		return access.OnAllTables(r.Account, r.Database), true
	case KindFilter:
		return access.OnFilter(r.Account, r.Database, r.Table, r.Filter), true
	case KindTagged:
		return access.Object{Kind: access.KindTaggedTables, Account: r.Account, Part: r.Expression}, true
	}
	return access.Object{}, false
}

// Of is the resource of an object, as far as lakemesh grants on its kind.
func Of(o access.Object) (_ Resource, ok bool) {
	switch o.Kind {
	case access.KindDatabase:
		return Database(o.Account, o.Database), true
	case access.KindTable:
		return Table(o.Account, o.Database, o.Table), true
	case access.KindAllTables:
		return AllTables(o.Account, o.Database), true
	case access.KindFilter:
		return Filter(o.Account, o.Database, o.Table, o.Part), true
	case access.KindTaggedTables:
		if tags, ok := o.Tags(); ok {
			return Tagged(o.Account, tags), true
		}
	}
	return Resource{}, false
}

// Access are the grants in the terms of package access.
func (g *Grants) Access() access.Grants {
	all := access.Grants{}
	for r, list := range g.on {
		o, ok := r.Object()
		if !ok {
			continue
		}
		for _, h := range list {
			all.Add(access.Key{Grantee: access.Grantee(h.principal), Object: o}, access.Held{Permissions: h.permissions, Grantable: h.grantable})
		}
	}
	return all
}

// Entries are grants as entries, in order. What lakemesh does not grant on is an error.
func Entries(grants access.Grants) ([]Entry, error) {
	entries := make([]Entry, 0, len(grants))
	for k, h := range grants {
		r, ok := Of(k.Object)
		if !ok {
			return nil, fmt.Errorf("%s cannot be granted on yet", k.Object)
		}
		entries = append(entries, Entry{Principal: string(k.Grantee), Resource: r, Permissions: h.Permissions, Grantable: h.Grantable})
	}
	slices.SortFunc(entries, compare)
	return entries, nil
}

// Readers reads who holds what on tables and their parts, and by tags, as far as the
// caller may see it, all pages: what can give data to somebody. Rows that it does not
// understand are kept as unknown.
func (l *Lake) Readers(ctx context.Context) (access.Grants, error) {
	found, parts, err := l.Everything(ctx)
	if err != nil {
		return nil, err
	}
	return parts.Union(found.Access()), nil
}

// Everything reads what [Lake.Readers] reads: found is what is granted on whole resources,
// with the shares that carry it, parts is everything else.
func (l *Lake) Everything(ctx context.Context) (found *Grants, parts access.Grants, _ error) {
	parts, found = access.Grants{}, NewGrants()
	err := l.rows(ctx, &lakeformation.ListPermissionsInput{}, func(row types.PrincipalResourcePermissions, catalog string) {
		if row.Principal == nil {
			return
		}
		if r, ok := fromSDK(row.Resource, catalog); ok {
			found.addRow(r, row)
			return
		}
		parts.Add(access.Key{Grantee: access.Grantee(canonical(aws.ToString(row.Principal.DataLakePrincipalIdentifier))), Object: part(row.Resource, catalog)},
			access.Held{Permissions: fromPermissions(row.Permissions), Grantable: fromPermissions(row.PermissionsWithGrantOption)})
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list who may read: %w", err)
	}
	// Who made something holds something on it.
	if err := l.uncover(ctx, found, slices.Collect(maps.Keys(found.on)), func(Resource) bool { return true }); err != nil {
		return nil, nil, err
	}
	return found, parts, nil
}

// part is the object of a row that is not on a whole resource.
func part(r *types.Resource, catalog string) access.Object {
	owner := func(id *string) string {
		if aws.ToString(id) == "" {
			return catalog
		}
		return *id
	}
	switch {
	case r == nil:
	case r.TableWithColumns != nil:
		t := r.TableWithColumns
		if len(t.ColumnNames) > 0 {
			return access.OnColumns(owner(t.CatalogId), aws.ToString(t.DatabaseName), aws.ToString(t.Name), t.ColumnNames...)
		}
		// All columns but some.
		o := access.OnTable(owner(t.CatalogId), aws.ToString(t.DatabaseName), aws.ToString(t.Name))
		o.Kind = access.KindUnknown
		return o
	case r.LFTagPolicy != nil:
		p := r.LFTagPolicy
		if p.ResourceType == types.ResourceTypeDatabase {
			return access.OnTaggedDatabases(owner(p.CatalogId), tagsOf(p.Expression))
		}
		// A saved expression says nothing here, and stays one that cannot be read.
		return access.OnTaggedTables(owner(p.CatalogId), tagsOf(p.Expression))
	}
	return access.Object{Kind: access.KindUnknown, Account: catalog}
}

func tagsOf(expression []types.LFTag) access.Tags {
	tags := access.Tags{}
	for _, t := range expression {
		tags[FoldTag(aws.ToString(t.TagKey))] = t.TagValues
	}
	return tags
}
