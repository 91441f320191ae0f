package engine

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// The names of what is learned of later, as several services have to do with it.

// NewPrincipal notes that the call makes a user or a role. For a while other
// services do not know it, and policies cannot name it.
func (c *Call) NewPrincipal(arn string) { c.Changed("principal "+arn, nil) }

// Unknown tells whether a principal that exists is too new to be known to the
// service for this caller.
func (c *Call) Unknown(arn string) bool { return c.Missing("principal " + arn) }

// NewPolicies notes that the call changes the policies of a user or a role from what
// they were. For a while each service decides by those.
func (c *Call) NewPolicies(arn string, before state.Permissions) {
	c.Changed("policies of "+arn, before)
}

// knownCaller is the caller with the policies that the service knows of.
func (c *Call) knownCaller() authz.Caller {
	caller := c.Caller
	if !c.Settles() || caller.Principal == "" {
		return caller
	}
	for _, missed := range c.Missed("policies of " + caller.Principal) {
		if before, ok := missed.(state.Permissions); ok {
			caller.Known = &before
			break
		}
	}
	return caller
}

// NewlyShared notes that the call shares a table, or with "*" all tables of a
// database, with another account. For a while lists there do not have it.
func (c *Call) NewlyShared(r state.Resource, account string) { c.Changed(listing(r, account), nil) }

// Unlisted reports whether a shared table is too new for the caller's lists.
func (c *Call) Unlisted(r state.Resource) bool {
	every := r
	every.Table = state.AllTables
	one, all := c.Missing(listing(r, c.Account())), c.Missing(listing(every, c.Account()))
	return one || all
}

func listing(r state.Resource, account string) string {
	return "listing of " + r.Account + " " + r.Region + " " + state.Fold(r.Database) + " " + state.Fold(r.Table) + " in " + account
}

// NewLocation notes that the call registers a path of an account with Lake
// Formation.
func (c *Call) NewLocation(account, path string) { c.Changed(location(c, account, path), nil) }

// UnknownLocation tells whether a registered path is too new to be granted on by
// this caller.
func (c *Call) UnknownLocation(account, path string) bool {
	return c.Missing(location(c, account, path))
}

func location(c *Call, account, path string) string {
	return "location " + path + " of " + account + " in " + c.Region
}
