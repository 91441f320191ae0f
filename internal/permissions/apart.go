package permissions

import (
	"context"
	"fmt"
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
)

// ByTags is what principals hold by LF-tags, by what was decided.
type ByTags struct {
	// Held is that, on expressions of LF-tags. Tables are the LF-tags of the tables that carry
	// them.
	Held   access.Grants
	Tables map[access.Object]map[string]string
	// Named is what was decided on tables, and on all tables of databases, by their names.
	Named access.Grants
}

// apart takes out of what was found what is held by LF-tags and not by a table's name. Asked
// about one principal and one resource, Lake Formation answers with what is in effect
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html),
// so that nothing tells a grant by name beside one by LF-tags. What was decided by name is
// taken to be there: revoking what is not does no harm.
func (l *Lake) apart(ctx context.Context, found *Grants) error {
	if l.ByTags == nil {
		return nil
	}
	of, err := l.ByTags(ctx)
	if err != nil {
		return fmt.Errorf("find out who holds permissions by LF-tags: %w", err)
	}
	if of == nil {
		return nil
	}
	for r, list := range found.on {
		on, ok := r.Object()
		if !ok || r.Kind != KindTable {
			continue
		}
		// The list may be shared.
		list = slices.Clone(list)
		for i := range list {
			list[i] = of.without(list[i], on)
		}
		found.on[r] = slices.DeleteFunc(list, func(h held) bool { return len(h.permissions) == 0 })
	}
	return nil
}

// untagged takes out of what is in effect all that is held by LF-tags: a grant by name beside it
// is in the listing, or is not there.
func (l *Lake) untagged(ctx context.Context, found *Grants) error {
	if l.ByTags == nil {
		return nil
	}
	of, err := l.ByTags(ctx)
	if err != nil || of == nil {
		return err
	}
	for r, list := range found.on {
		if on, ok := r.Object(); ok && r.Kind == KindTable {
			list = slices.Clone(list)
			for i, h := range list {
				tagged := of.tagged(h.principal, on)
				list[i].permissions, list[i].grantable = h.permissions.Minus(tagged), h.grantable.Minus(tagged)
			}
			found.on[r] = slices.DeleteFunc(list, func(h held) bool { return len(h.permissions) == 0 })
		}
	}
	return nil
}

// tagged is what a principal holds on a table by LF-tags.
func (b *ByTags) tagged(principal string, on access.Object) (tagged lakemesh.Permissions) {
	for k, by := range b.Held {
		if tags, ok := k.Object.Tags(); ok && string(k.Grantee) == principal && tags.Match(b.Tables[on]) {
			tagged = tagged.Union(by.Permissions).Union(lakemesh.NewPermissions(lakemesh.Describe))
		}
	}
	return tagged
}

// without is what is held on a table by its name.
func (b *ByTags) without(h held, on access.Object) held {
	tagged := b.tagged(h.principal, on)
	if len(tagged) == 0 {
		return h
	}
	grantee := access.Grantee(h.principal)
	named := b.Named[access.Key{Grantee: grantee, Object: on}].Union(b.Named[access.Key{Grantee: grantee, Object: access.OnAllTables(on.Account, on.Database)}])
	h.permissions = h.permissions.Minus(tagged).Union(h.permissions.Intersect(named.Permissions))
	h.grantable = h.grantable.Minus(tagged).Union(h.grantable.Intersect(named.Grantable))
	return h
}
