package lakeformation

import (
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-underlying-data.html

// s3path turns an S3 URL or ARN into "bucket" or "bucket/prefix"; ok is false for
// anything else.
func s3path(location string) (path string, ok bool) {
	for _, prefix := range []string{"s3://", "s3a://", "s3n://", "arn:aws:s3:::"} {
		if rest, found := strings.CutPrefix(location, prefix); found {
			rest = strings.TrimSuffix(rest, "*")
			rest = strings.TrimRight(rest, "/")
			bucket, _, _ := strings.Cut(rest, "/")
			return rest, bucket != ""
		}
	}
	return "", false
}

// ancestors are a path and the paths above it, the longest first.
func ancestors(path string) []string {
	all := []string{path}
	for {
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return all
		}
		path = strings.TrimRight(path[:i], "/")
		all = append(all, path)
	}
}

// under tells whether a path is another one or below it.
func under(path, parent string) bool {
	return path == parent || strings.HasPrefix(path, parent+"/")
}

// registration finds the registered location that a path is in. Of several the
// longest path wins; AWS does not document which role it takes.
func registration(c *engine.Call, account, path string) (state.Location, bool, error) {
	return registrationIn(c, c.Region, account, path)
}

func registrationIn(c *engine.Call, region, account, path string) (state.Location, bool, error) {
	for _, p := range ancestors(path) {
		l, found, err := state.Locations.Get(c.Tx, account, region, p)
		if err != nil || found {
			return l, found, err
		}
	}
	return state.Location{}, false, nil
}

// Registered tells whether an S3 path, or one above it, is registered in the
// account, in a Region: that of the catalog of whose data it is asked.
func Registered(c *engine.Call, region, account, location string) (bool, error) {
	path, ok := s3path(location)
	if !ok {
		return false, nil
	}
	_, found, err := registrationIn(c, region, account, path)
	return found, err
}

// RequireLocation refuses unless the caller may make objects in the account's
// catalog that point at the S3 path: where the path is registered, it needs
// DATA_LOCATION_ACCESS. That is so in hybrid access mode, too, whether or not the
// caller was opted in
// (https://docs.aws.amazon.com/lake-formation/latest/dg/notes-hybrid.html).
func RequireLocation(c *engine.Call, account, location string) error {
	path, ok := s3path(location)
	if !ok {
		return nil
	}
	_, found, err := registration(c, account, path)
	if err != nil || !found {
		return err
	}
	ok, err = holdsLocation(c, account, path, false)
	if err != nil || ok {
		return err
	}
	return c.Denied("Insufficient Lake Formation permission(s) on s3://" + path)
}

// holdsLocation tells whether the caller has DATA_LOCATION_ACCESS on a path, or
// with grantable set may hand it on. It covers the paths below the one that it
// was granted on.
func holdsLocation(c *engine.Call, account, path string, grantable bool) (bool, error) {
	if account == c.Account() {
		if ok, err := isAdmin(c); err != nil || ok {
			return ok, err
		}
	}
	principals := []string{c.Caller.Principal, everyone(c.Account())}
	if account == c.Account() {
		principals = append(principals, state.IAMAllowedPrincipals)
	} else if ok, err := isAdmin(c); err != nil {
		return false, err
	} else if ok && grantable {
		account, err := asRecipient(c, c.Account())
		if err != nil {
			return false, err
		}
		principals = append(principals, account...)
	}
	for _, p := range ancestors(path) {
		on := state.Securable{Kind: state.KindLocation, Resource: state.Resource{Account: account, Region: c.Region}, Path: p}
		for _, principal := range principals {
			ok, err := heldPlain(c, on, principal, grantable, dataLocationAccess)
			if err != nil || ok {
				return ok, err
			}
		}
	}
	return false, nil
}

// heldPlain tells whether a principal holds a permission on a thing that is no
// catalog object: a location or an LF-tag. What a recipient account handed on
// counts as long as the account has it.
func heldPlain(c *engine.Call, on state.Securable, principal string, grantable bool, perm string) (bool, error) {
	for _, by := range []string{on.Account, state.PrincipalAccount(principal, on.Account)} {
		g, found, err := state.GetGrant(c.Tx, on, principal, by)
		if err != nil {
			return false, err
		}
		list := g.Permissions
		if grantable {
			list = g.Grantable
		}
		if !found || !slices.Contains(list, perm) && (perm != describe || !slices.Contains(list, associate)) {
			continue
		}
		if by == on.Account {
			return true, nil
		}
		backed, err := accountHoldsPlain(c, on, by, perm)
		if err != nil || backed {
			return backed, err
		}
	}
	return false, nil
}

// accountHoldsPlain tells whether another account was granted a permission on a
// location, or one above it, or on an LF-tag.
func accountHoldsPlain(c *engine.Call, on state.Securable, account, perm string) (bool, error) {
	wider := []state.Securable{on}
	switch {
	case on.Kind == state.KindLocation:
		wider = nil
		for _, p := range ancestors(on.Path) {
			above := on
			above.Path = p
			wider = append(wider, above)
		}
	case on.Kind == state.KindTag && on.TagValue != "":
		every := on
		every.TagValue = "*"
		wider = append(wider, every)
	}
	principals, err := asRecipient(c, account)
	if err != nil {
		return false, err
	}
	for _, w := range wider {
		for _, principal := range principals {
			g, found, err := state.GetGrant(c.Tx, w, principal, on.Account)
			if err != nil {
				return false, err
			}
			if found && (slices.Contains(g.Permissions, perm) || perm == describe && slices.Contains(g.Permissions, associate)) {
				return true, nil
			}
		}
	}
	return false, nil
}
