package lakeformation

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// entry is one grant or revocation of a request.
type entry struct {
	catalog     *string
	principal   *types.DataLakePrincipal
	resource    *types.Resource
	permissions []types.Permission
	grantable   []types.Permission
	condition   *types.Condition
}

// part is what an entry says about one securable. An entry on LF-tags says
// something about the key, and about each of its values.
type part struct {
	on               state.Securable
	perms, grantable []string
}

// names are the permissions of a request; one that does not exist is refused.
func names(perms []types.Permission) ([]string, error) {
	out := make([]string, 0, len(perms))
	for _, p := range perms {
		if !slices.Contains(p.Values(), p) {
			return nil, invalid("Invalid permission: %s", string(p))
		}
		out = append(out, string(p))
	}
	return sorted(out), nil
}

// parts are what the entry says about each securable, checked against the table
// of what can be granted on what.
func (e entry) parts(c *engine.Call, t target) ([]part, error) {
	perms, err := names(e.permissions)
	if err != nil {
		return nil, err
	}
	grantable, err := names(e.grantable)
	if err != nil {
		return nil, err
	}
	if e.condition != nil && e.condition.Expression != nil {
		return nil, invalid("Conditions on permissions are not supported.")
	}
	if len(perms)+len(grantable) == 0 {
		return nil, invalid("Permissions must be given.")
	}
	if t.on.Kind != state.KindTag {
		may, err := valid(c, t)
		if err != nil {
			return nil, err
		}
		if bad := without(union(perms, grantable), may); len(bad) > 0 {
			return nil, modification(bad, t.on)
		}
		return []part{{on: t.on, perms: perms, grantable: grantable}}, nil
	}
	key, value := t.on, t.on
	value.TagValue = "*"
	if bad := without(union(perms, grantable), union(allows(key), allows(value))); len(bad) > 0 {
		return nil, modification(bad, key)
	}
	var out []part
	add := func(on state.Securable) {
		p := part{on: on, perms: within(perms, allows(on)), grantable: within(grantable, allows(on))}
		if len(p.perms)+len(p.grantable) > 0 {
			out = append(out, p)
		}
	}
	add(key)
	for _, v := range t.values {
		on := key
		on.TagValue = v
		add(on)
	}
	return out, nil
}

// modification refuses permissions that cannot be granted on the kind of resource.
func modification(bad []string, on state.Securable) error {
	return modified("%v cannot be granted on a resource of the type %s.", bad, on.Kind)
}

// valid are the permissions that can be granted on the target, which depend on
// whether a table is a view or a resource link.
func valid(c *engine.Call, t target) ([]string, error) {
	if t.columnsOnly {
		return []string{selecting}, nil
	}
	switch {
	case t.on.Kind == state.KindDatabase:
		db, _, err := state.GetDatabase(c.Tx, t.on.Account, t.on.Region, t.on.Database)
		if db.IsLink() {
			return linkPermissions, err
		}
		return allows(t.on), err
	case t.on.Kind == state.KindTable && t.on.Table != state.AllTables:
		table, _, err := state.GetTable(c.Tx, t.on.Account, t.on.Region, t.on.Database, t.on.Table)
		switch {
		case table.IsLink():
			return linkPermissions, err
		case table.IsView():
			return viewPermissions, err
		}
		return allows(t.on), err
	}
	return allows(t.on), nil
}

// exists refuses a target that is not there.
func exists(c *engine.Call, t target) error {
	on := t.on
	switch on.Kind {
	case state.KindCatalog:
	case state.KindDatabase:
		if !state.ResourceExists(c.Tx, on.Resource) {
			return notFound("Database not found: %s", on.Database)
		}
	case state.KindTable, state.KindColumns, state.KindFilter:
		return tableExists(c, on)
	case state.KindLocation:
		_, found, err := registration(c, on.Account, on.Path)
		if err != nil {
			return err
		}
		if !found {
			// The API's model gives an AccessDeniedException the status 403; this one was
			// seen with 400.
			return c.Denied("Resource does not exist or requester is not authorized to access requested permissions.").WithStatus(400)
		}
	case state.KindTag:
		return tagExists(c, on, state.TagValues{Key: on.TagKey, Values: t.values})
	case state.KindPolicy:
		if on.Name != "" {
			return savedExpressionExists(c, on)
		}
		for _, term := range on.Expression {
			if err := tagExists(c, on, term); err != nil {
				return err
			}
		}
	case state.KindExpression:
		return savedExpressionExists(c, on)
	}
	return nil
}

func savedExpressionExists(c *engine.Call, on state.Securable) error {
	if !state.TagExpressions.Has(c.Tx, on.Account, on.Region, on.Name) {
		return notFound("LF-Tag expression not found: %s", on.Name)
	}
	return nil
}

func tagExists(c *engine.Call, on state.Securable, want state.TagValues) error {
	tag, found, err := state.LFTags.Get(c.Tx, on.Account, on.Region, want.Key)
	if err != nil {
		return err
	}
	if !found {
		return notFound("Tag key does not exist: %s", want.Key)
	}
	for _, v := range want.Values {
		if v != "*" && !slices.Contains(tag.Values, v) {
			return notFound("Tag value %s does not exist for the key %s", v, want.Key)
		}
	}
	return nil
}

func tableExists(c *engine.Call, on state.Securable) error {
	database := on.Resource
	database.Table = ""
	if !state.ResourceExists(c.Tx, database) {
		return notFound("Database not found: %s", on.Database)
	}
	if on.Table == state.AllTables {
		return nil
	}
	t, found, err := state.GetTable(c.Tx, on.Account, on.Region, on.Database, on.Table)
	if err != nil {
		return err
	}
	if !found {
		return notFound("Table not found: %s", on.Table)
	}
	switch on.Kind {
	case state.KindFilter:
		if !state.CellFilters.Has(c.Tx, on.Account, on.Region, on.Database, on.Table, on.Filter) {
			return notFound("Data cells filter not found: %s", on.Filter)
		}
	case state.KindColumns:
		have := foldAll(t.ColumnNames())
		if bad := without(on.Columns, have); len(bad) > 0 {
			return invalid("You cannot grant/revoke permission on non-existent column %s.", bad[0])
		}
		for _, key := range t.PartitionKeys {
			if on.Excluded && slices.Contains(on.Columns, state.Fold(key.Name)) {
				return invalid("The partition key %s cannot be excluded.", key.Name)
			}
		}
	}
	return nil
}
