package lakeformation

import (
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// DatabaseCreated grants a new database's creator all permissions on it, with the
// grant option, and IAM_ALLOWED_PRINCIPALS what the account's settings say
// (https://docs.aws.amazon.com/lake-formation/latest/dg/implicit-permissions.html).
func DatabaseCreated(c *engine.Call, db state.Database) error {
	perms := databasePermissions
	if db.IsLink() {
		perms = linkPermissions
	}
	s, err := settingsOf(c, db.Account, db.Region)
	if err != nil {
		return err
	}
	return created(c, state.Securable{Kind: state.KindDatabase, Resource: db.Resource()}, perms, s.DatabaseDefaults)
}

// TableCreated grants a new table's creator all permissions on it, with the grant
// option, and the default permissions of its database or else of the account's
// settings.
func TableCreated(c *engine.Call, t state.Table) error {
	perms := tablePermissions
	switch {
	case t.IsLink():
		perms = linkPermissions
	case t.IsView():
		perms = viewPermissions
	}
	s, err := settingsOf(c, t.Account, t.Region)
	if err != nil {
		return err
	}
	defaults := s.TableDefaults
	db, _, err := state.GetDatabase(c.Tx, t.Account, t.Region, t.Database)
	if err != nil {
		return err
	}
	if db.TableDefaults != nil {
		defaults = db.TableDefaults
	}
	on := state.Securable{Kind: state.KindTable, Resource: t.Resource()}
	if err := created(c, on, perms, defaults); err != nil || t.Account == c.Account() {
		return err
	}
	return createdForAccount(c, on, perms)
}

// created writes the grants that a new object begins with.
func created(c *engine.Call, on state.Securable, perms []string, defaults []state.DefaultPermission) error {
	g := state.Grant{
		On: on, Principal: c.Caller.Principal, By: c.Account(), Permissions: perms, Grantable: perms,
		Updated: c.Now, UpdatedBy: c.Caller.Principal,
	}
	if err := state.PutGrant(c.Tx, g); err != nil {
		return err
	}
	for _, d := range defaults {
		g := state.Grant{On: on, Principal: d.Principal, By: on.Account, Permissions: sorted(d.Permissions), Updated: c.Now, UpdatedBy: c.Caller.Principal}
		if d.Principal == c.Caller.Principal && on.Account == c.Account() {
			g.Permissions, g.Grantable = union(d.Permissions, perms), perms
		}
		if err := state.PutGrant(c.Tx, g); err != nil {
			return err
		}
	}
	return nil
}

// createdForAccount gives the account of a creator who used a CREATE_TABLE that
// was shared with it all permissions on the table, through the share of the
// database.
func createdForAccount(c *engine.Call, on state.Securable, perms []string) error {
	database := state.Securable{Kind: state.KindDatabase, Resource: on.Resource}
	database.Table = ""
	account, err := asRecipient(c, c.Account())
	if err != nil {
		return err
	}
	for _, principal := range account {
		shared, found, err := state.GetGrant(c.Tx, database, principal, on.Account)
		if err != nil {
			return err
		}
		if !found || !slices.Contains(shared.Permissions, createTable) {
			continue
		}
		return state.PutGrant(c.Tx, state.Grant{
			On: on, Principal: principal, By: on.Account, Permissions: perms, Grantable: perms,
			Updated: c.Now, UpdatedBy: c.Caller.Principal, Shares: shared.Shares,
		})
	}
	return nil
}

// DatabaseDeleted removes the grants on a database and on all tables of it, and
// its LF-tags. RAM shares that carry it stay: AWS leaves them to be deleted by
// hand when something is dropped before it is revoked
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-notes.html).
func DatabaseDeleted(c *engine.Call, db state.Database) error {
	for _, kind := range []state.Kind{state.KindDatabase, state.KindTable, state.KindColumns, state.KindFilter} {
		if err := forget(c, db.Account, db.Region, string(kind), db.Name); err != nil {
			return err
		}
	}
	if _, err := state.CellFilters.DeleteAll(c.Tx, db.Account, db.Region, db.Name); err != nil {
		return err
	}
	return state.UnassignTags(c.Tx, db.Resource())
}

// TableDeleted removes the grants on a table, its data cells filters and its
// LF-tags; RAM shares stay, as with [DatabaseDeleted].
func TableDeleted(c *engine.Call, t state.Table) error {
	for _, kind := range []state.Kind{state.KindTable, state.KindColumns, state.KindFilter} {
		if err := forget(c, t.Account, t.Region, string(kind), t.Database, t.Name); err != nil {
			return err
		}
	}
	if _, err := state.CellFilters.DeleteAll(c.Tx, t.Account, t.Region, t.Database, t.Name); err != nil {
		return err
	}
	return state.UnassignTags(c.Tx, t.Resource())
}

// forget removes all grants, and opt-ins, whose key begins with these parts.
func forget(c *engine.Call, key ...string) error {
	grants, err := state.GrantsOn(c.Tx, key...)
	if err != nil {
		return err
	}
	for _, g := range grants {
		g.Permissions = nil
		if err := state.PutGrant(c.Tx, g); err != nil {
			return err
		}
	}
	_, err = state.OptIns.DeleteAll(c.Tx, key...)
	return err
}
