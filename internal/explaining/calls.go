package explaining

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// What mends a link is data: an operation of the library with its arguments, or, where
// lakemesh has none, a command of the AWS CLI.

// none is how a list of permissions says that there are none.
const none = "none"

func list(set lakemesh.Permissions) string {
	if len(set) == 0 {
		return none
	}
	return strings.Join(set.Strings(), ",")
}

func updating(r *tracker.Record, permitted, grantable lakemesh.Permissions) *lakemesh.Call {
	c := lakemesh.Do("producer.UpdateSubscriptionPermissions", "SubscriptionID", r.ID, "GrantPermissions", list(permitted), "GrantablePermissions", list(grantable))
	return &c
}

// Restores has a subscription be again as it was decided, if it is one that can be: not
// while somebody decides on it, and not when its consumer has left it.
func Restores(r *tracker.Record) *lakemesh.Call {
	if r.Status != lakemesh.Active || r.Claim != nil || r.Leaving || r.Fault != "" {
		return nil
	}
	return updating(r, r.Permitted, r.Grantable)
}

// restoring is the first of the subscriptions that can be brought to what was decided.
func restoring(records []*tracker.Record) *lakemesh.Call {
	for _, r := range records {
		if c := Restores(r); c != nil {
			return c
		}
	}
	return nil
}

// widens has a subscription give what is asked for, and let it be handed on.
func (a Asked) widens(r *tracker.Record) *lakemesh.Call {
	if Restores(r) == nil {
		return nil
	}
	more := lakemesh.NewPermissions(a.Permission)
	return updating(r, r.Permitted.Union(more), r.Grantable.Union(more))
}

// OwnerByName is the account in which the name of the database ends.
func (a Asked) OwnerByName() string { return a.Database[strings.LastIndex(a.Database, "-")+1:] }

// requests asks for what is asked about.
func (a Asked) requests(owner string) *lakemesh.Call {
	if owner == "" {
		owner = a.OwnerByName()
	}
	c := lakemesh.Do("consumer.RequestAccessToProduct", "OwnerAccountID", owner, "DatabaseName", a.Database, "Tables", a.Table,
		"RequestPermissions", list(lakemesh.NewPermissions(lakemesh.Describe, a.Permission)))
	return &c
}

func approves(r *tracker.Record) *lakemesh.Call {
	c := lakemesh.Do("producer.ApproveAccessRequest", "RequestID", r.ID)
	return &c
}

func aborts(r *tracker.Record) *lakemesh.Call {
	c := lakemesh.Do("producer.AbortDecision", "SubscriptionID", r.ID)
	return &c
}

// settles ends a subscription that its consumer has left, before it can ask anew. It is
// nil if another one gives what is asked for, or none does.
func (a Asked) settles(records []*tracker.Record) *lakemesh.Call {
	justified := a.Justifying(records)
	if len(justified) == 0 || slices.ContainsFunc(justified, func(r *tracker.Record) bool { return !r.Leaving }) {
		return nil
	}
	c := lakemesh.Do("producer.SettleDepartures")
	return &c
}

// leftBehind is a link that is broken because its consumer has left. Settling that ends it
// and gives nothing back; it makes room for another request.
func (a Asked) leftBehind(s chain.Step, settles *lakemesh.Call) chain.Step {
	s.What += fmt.Sprintf("; account %s has left the subscription: when its owner has settled that, which ends it, the account can ask for it anew", a.Home)
	return s.MendedBy(chain.Owner, settles)
}

// Imports brings a subscription into the consumer's account.
func Imports(r *tracker.Record) *lakemesh.Call {
	if r.Status != lakemesh.Active || r.Claim != nil || r.Leaving || r.Fault != "" {
		return nil
	}
	c := lakemesh.Do("consumer.FinalizeSubscription", "SubscriptionID", r.ID)
	return &c
}

// importsTo imports a subscription for the principal that is asked about, through a link
// of that name.
func (a Asked) importsTo(r *tracker.Record, link string) *lakemesh.Call {
	c := Imports(r)
	if c == nil {
		return nil
	}
	with := *c
	if !r.Scope.Direct() {
		// Whom the owner granted access itself is given the link without being named.
		with = c.With("Principals", a.Principal)
	}
	if link != "" && link != a.Database {
		with = with.With("LinkDatabaseName", link)
	}
	return &with
}

// AsksOwner asks the same of the owner.
func (a Asked) AsksOwner() *lakemesh.Call {
	return a.asks(lakemesh.Do("producer.Explain", "Database", a.Database, "Table", a.Table, "Principal", a.Principal))
}

// AsksConsumer asks the same of the consumer.
func (a Asked) AsksConsumer() *lakemesh.Call {
	return a.asks(lakemesh.Do("consumer.Explain", "Database", a.Database, "Table", a.Table, "Principal", a.Principal))
}

// AsksAdministrator asks the same of the mesh's administrator.
func (a Asked) AsksAdministrator() *lakemesh.Call {
	return a.asks(lakemesh.Do("admin.Explain", "Database", a.Database, "Table", a.Table, "Principal", a.Principal))
}

func (a Asked) asks(c lakemesh.Call) *lakemesh.Call {
	if a.Column != "" {
		c = c.With("Column", a.Column)
	}
	if a.Permission != lakemesh.Select {
		c = c.With("Permission", string(a.Permission))
	}
	return &c
}

// Revoking is the command of the AWS CLI that takes a permission on a table of the mesh
// away.
func Revoking(principal, permission, database, table string) string {
	return ofLakeFormation("revoke-permissions", principal, permission, map[string]any{"Table": map[string]any{"DatabaseName": database, "Name": table}})
}

// handing is the command with which an account hands on what is asked about, as far as it
// may.
func (a Asked) handing(h Held) string {
	name := map[string]any{"CatalogId": a.Mesh, "DatabaseName": a.Database, "Name": a.Table}
	i := slices.IndexFunc(h.Rows, func(r permissions.Holding) bool { return a.gives(r.Grantable) && r.Whole() })
	if i < 0 {
		i = slices.IndexFunc(h.Rows, func(r permissions.Holding) bool { return a.gives(r.Grantable) })
	}
	if i < 0 {
		return ""
	}
	on := map[string]any{"Table": name}
	switch r := h.Rows[i]; {
	case r.Filter != "":
		on = map[string]any{"DataCellsFilter": map[string]any{"TableCatalogId": a.Mesh, "DatabaseName": a.Database, "TableName": a.Table, "Name": r.Filter}}
	case len(r.Except) > 0:
		name["ColumnWildcard"] = map[string]any{"ExcludedColumnNames": r.Except}
		on = map[string]any{"TableWithColumns": name}
	case len(r.Columns) > 0:
		name["ColumnNames"] = r.Columns
		on = map[string]any{"TableWithColumns": name}
	}
	permission := a.Permission
	if held := h.Rows[i].Grantable; !held.Has(permission) && !held.Has(lakemesh.All) {
		// Whoever holds any of them sees the table.
		permission = held[0]
	}
	return ofLakeFormation("grant-permissions", a.Principal, string(permission), on)
}

// showing is the command with which an account shows a resource link to a principal.
func (a Asked) showing(link permissions.Resource) string {
	on := map[string]any{"Database": map[string]any{"Name": link.Database}}
	if link.Table != "" {
		on = map[string]any{"Table": map[string]any{"DatabaseName": link.Database, "Name": link.Table}}
	}
	return ofLakeFormation("grant-permissions", a.Principal, string(lakemesh.Describe), on)
}

// linking is the command with which an account links to the database of the mesh.
func (a Asked) linking(region string) string {
	return "aws glue create-database --database-input " + asJSON(map[string]any{"Name": a.Database,
		"TargetDatabase": map[string]any{"CatalogId": a.Mesh, "DatabaseName": a.Database, "Region": region}})
}

func ofLakeFormation(command, principal, permission string, on map[string]any) string {
	return fmt.Sprintf("aws lakeformation %s --principal DataLakePrincipalIdentifier=%s --permissions %s --resource %s", command, principal, permission, asJSON(on))
}

// asJSON is data as an argument of a command.
func asJSON(data map[string]any) string {
	raw, err := json.Marshal(data)
	if err != nil {
		// Texts alone: there is nothing in it that has no JSON.
		return err.Error()
	}
	return "'" + strings.ReplaceAll(string(raw), "'", `'\''`) + "'"
}

// unjustified mends what an account may not do with the table because nobody decided that
// it may: by what the record needs next.
func (a Asked) unjustified(s chain.Step, records []*tracker.Record, owner string) chain.Step {
	next := a.Record(records, owner, false)
	if next.State != chain.Broken {
		return s.MendedBy(chain.Owner, nil)
	}
	return s.MendedBy(next.Mends, next.Do)
}
