package permissions

import (
	"context"
	"fmt"
)

// uncover asks what the others hold on the resources, where a listing shows nothing but
// what the caller holds itself. Whether who is no data lake administrator is shown more
// is not documented; asked for a principal and a resource, Lake Formation answers
// (https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html).
// What is granted and not seen would be neither revoked nor kept open. Where anybody else
// is shown, or nobody, this makes no call. asked reports which filters are asked about.
func (l *Lake) uncover(ctx context.Context, found *Grants, resources []Resource, asked func(Resource) bool) error {
	if l.Others == nil || !found.shows(l.Self) {
		return nil
	}
	others, err := l.Others(ctx)
	if err != nil {
		return fmt.Errorf("find out who holds permissions that a listing may not show: %w", err)
	}
	for _, other := range others {
		held, err := l.ObserveOf(ctx, other, resources...)
		if err != nil {
			return err
		}
		found.merge(held)
	}
	if err := l.apart(ctx, found); err != nil {
		return err
	}
	if l.OnFilters == nil {
		return nil
	}
	onFilters, err := l.OnFilters(ctx)
	if err != nil {
		return fmt.Errorf("find out who holds permissions on filters that a listing may not show: %w", err)
	}
	for k, h := range onFilters {
		if r, ok := Of(k.Object); ok && r.Kind == KindFilter && asked(r) {
			found.add(Entry{Principal: string(k.Grantee), Resource: r, Permissions: h.Permissions, Grantable: h.Grantable})
		}
	}
	return nil
}

// shows reports whether there are grants, and all of them to the principal or to
// everybody of its account or to everybody whom IAM lets through.
func (g *Grants) shows(principal string) bool {
	any := false
	for _, list := range g.on {
		for _, h := range list {
			if canonical(h.principal) == canonical(principal) {
				any = true
			} else if h.principal != AllowedByIAM {
				return false
			}
		}
	}
	return any
}
