package glue

// https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
// https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html

import (
	"errors"
	"slices"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// Lake Formation's permissions that the catalog asks for.
const (
	lfAlter          = "ALTER"
	lfCreateDatabase = "CREATE_DATABASE"
	lfCreateTable    = "CREATE_TABLE"
	lfDelete         = "DELETE"
	lfDescribe       = "DESCRIBE"
	lfDrop           = "DROP"
	lfInsert         = "INSERT"
	lfSelect         = "SELECT"
)

// base is what the ARNs of r's catalog begin with.
func base(r state.Resource) string { return "arn:aws:glue:" + r.Region + ":" + r.Account + ":" }

// arns are the ARNs that IAM must allow for an operation on r: the object and
// everything above it.
func arns(r state.Resource) []string {
	all := []string{base(r) + "catalog"}
	if r.Database != "" {
		all = append(all, base(r)+"database/"+r.Database)
	}
	if r.Table != "" {
		all = append(all, base(r)+"table/"+r.Database+"/"+r.Table)
	}
	return all
}

// access is what IAM has let a caller do on an object: the rest is for Lake
// Formation to decide.
type access struct {
	c *engine.Call
	// byPolicy is set when the owner's resource policy lets a caller of another
	// account through.
	byPolicy bool
}

// authorize asks IAM whether the caller may do action on r and on extra ARNs. In
// the caller's own account the identity's policies and the catalog's resource
// policy add up. In another account the identity's must allow; the owner's
// consent is the resource policy, or else a share, which Lake Formation knows.
func authorize(c *engine.Call, action string, r state.Resource, extra ...string) (access, error) {
	policy, _, err := state.GetCatalogPolicy(c.Tx, r.Account, r.Region)
	if err != nil {
		return access{}, err
	}
	q := authz.Question{
		Action: action, Resources: append(arns(r), extra...), ResourceAccount: r.Account,
		ResourcePolicy: policy.Policy, ResourcePolicyName: "the resource policy of the catalog",
	}
	if r.Account == c.Account() {
		return access{c: c}, c.Authorize(q)
	}
	own := q
	own.ResourcePolicy, own.IdentityOnly = "", true
	if err := c.Authorize(own); err != nil {
		return access{}, err
	}
	if policy.Policy == "" {
		return access{c: c}, nil
	}
	d, err := c.Decide(q)
	if err != nil {
		return access{}, err
	}
	if !d.Allowed && d.Detail.Effect == iampolicy.ExplicitDeny {
		return access{}, c.Denied(d.Reason)
	}
	return access{c: c, byPolicy: d.Allowed}, nil
}

// holds tells whether the caller has one of Lake Formation's permissions on r.
func (a access) holds(r state.Resource, perms ...string) (bool, error) {
	ok, err := lakeformation.Holds(a.c, r, perms...)
	if err != nil || ok || !a.byPolicy {
		return ok, err
	}
	return a.iamDecides(r, perms)
}

// require refuses unless the caller has one of Lake Formation's permissions on r.
func (a access) require(r state.Resource, perms ...string) error {
	err := lakeformation.Require(a.c, r, perms...)
	if err == nil || !a.byPolicy {
		return err
	}
	ok, failed := a.iamDecides(r, perms)
	if failed != nil {
		return failed
	}
	if ok {
		return nil
	}
	return err
}

// iamDecides tells whether IAM_ALLOWED_PRINCIPALS holds one of the permissions on
// r, so that a resource policy is enough for a caller of another account, unless it
// was opted in to Lake Formation's permissions.
func (a access) iamDecides(r state.Resource, perms []string) (bool, error) {
	if opted, err := lakeformation.OptedIn(a.c, r); err != nil || opted {
		return false, err
	}
	on := state.Securable{Kind: state.KindTable, Resource: r}
	switch {
	case r.Database == "":
		on.Kind = state.KindCatalog
	case r.Table == "":
		on.Kind = state.KindDatabase
	}
	g, ok, err := state.GetGrant(a.c.Tx, on, state.IAMAllowedPrincipals, r.Account)
	if err != nil || !ok {
		return false, err
	}
	if slices.Contains(perms, lfDescribe) && len(g.Permissions) > 0 {
		return true, nil // every permission implies DESCRIBE
	}
	return slices.ContainsFunc(g.Permissions, func(p string) bool { return p == "ALL" || slices.Contains(perms, p) }), nil
}

// columns are the columns of a table that the caller may see.
func (a access) columns(r state.Resource) (all bool, names []string, err error) {
	all, names, err = lakeformation.Columns(a.c, r)
	if err != nil || all || !a.byPolicy {
		return all, names, err
	}
	ok, err := a.iamDecides(r, []string{lfSelect})
	return ok, names, err
}

// absent is the error for an object that is not there. Whoever could not have
// seen it, nor may make one, is told that the access is denied: Lake Formation
// does not let a caller find out what there is.
func (a access) absent(r state.Resource) error {
	parent, create := state.Resource{Account: r.Account, Region: r.Region}, lfCreateDatabase
	if r.Table != "" {
		parent.Database, create = r.Database, lfCreateTable
	}
	ok := false
	if create == lfCreateDatabase || state.ResourceExists(a.c.Tx, parent) {
		var err error
		if ok, err = a.holds(parent, create); err != nil {
			return err
		}
	}
	if !ok {
		if err := a.require(r, lfDescribe); err != nil {
			return err
		}
	}
	if r.Table != "" {
		return notFound("Table %s not found.", r.Table)
	}
	return notFound("Database %s not found.", r.Database)
}

// refused tells an answer in AWS's form from a failure of the mesh itself.
func refused(err error) bool {
	var e *engine.APIError
	return errors.As(err, &e)
}

// place is a database as the caller reached it: directly, or through a resource
// link, in which case the database is the link's target.
type place struct {
	access
	db state.Database
	// throughLink is set when the caller named a resource link.
	throughLink bool
}

// openDatabase finds the database that a table operation names, with the table's
// name for IAM (or "" for an operation on the database), and follows a resource
// link, one hop. The caller needs IAM's permission on both, and DESCRIBE on the
// link.
// https://docs.aws.amazon.com/lake-formation/latest/dg/resource-links-about.html
func openDatabase(c *engine.Call, action string, r state.Resource, extra func(state.Resource) []string) (place, error) {
	if extra == nil {
		extra = func(state.Resource) []string { return nil }
	}
	a, err := authorize(c, action, r, extra(r)...)
	if err != nil {
		return place{}, err
	}
	db, ok, err := state.GetDatabase(c.Tx, r.Account, r.Region, r.Database)
	if err != nil {
		return place{}, err
	}
	named := state.Resource{Account: r.Account, Region: r.Region, Database: r.Database}
	if !ok {
		return place{}, a.absent(named)
	}
	if !db.IsLink() {
		return place{access: a, db: db}, nil
	}
	if err := a.require(named, lfDescribe); err != nil {
		return place{}, err
	}
	target := *db.Target
	target.Table = r.Table
	if a, err = authorize(c, action, target, extra(target)...); err != nil {
		return place{}, err
	}
	linked, ok, err := state.GetDatabase(c.Tx, target.Account, target.Region, target.Database)
	if err != nil {
		return place{}, err
	}
	if !ok {
		return place{}, a.absent(state.Resource{Account: target.Account, Region: target.Region, Database: target.Database})
	}
	if linked.IsLink() {
		return place{}, invalid("Resource link %s points at another resource link, %s; only one is followed", db.Name, linked.Name)
	}
	return place{access: a, db: linked, throughLink: true}, nil
}

// table names a table of the place.
func (p place) table(name string) state.Resource {
	r := p.db.Resource()
	r.Table = name
	return r
}

// find looks a table of the place up.
func (p place) find(name string) (state.Table, error) {
	t, ok, err := state.GetTable(p.c.Tx, p.db.Account, p.db.Region, p.db.Name, name)
	if err != nil {
		return t, err
	}
	if !ok {
		return t, p.absent(p.table(name))
	}
	return t, nil
}

// openTable finds the table that an operation names, without following a link to
// a table.
func openTable(c *engine.Call, action string, catalogID, database, table *string, extra func(state.Resource) []string) (place, state.Table, error) {
	r, err := named(c, catalogID, database, table)
	if err != nil {
		return place{}, state.Table{}, err
	}
	p, err := openDatabase(c, action, r, extra)
	if err != nil {
		return place{}, state.Table{}, err
	}
	t, err := p.find(r.Table)
	return p, t, err
}

// named is the table that a request names.
func named(c *engine.Call, catalogID, database, table *string) (state.Resource, error) {
	r := state.Resource{Region: c.Region}
	var err error
	if r.Account, err = catalog(c, catalogID); err != nil {
		return r, err
	}
	if r.Database, err = name("databaseName", database); err != nil {
		return r, err
	}
	r.Table, err = name("tableName", table)
	return r, err
}

// follow goes from a resource link to its target, for which IAM must allow the
// action as well. A table that is no link is handed back as it is.
func (p place) follow(action string, t state.Table) (access, state.Table, error) {
	if !t.IsLink() {
		return p.access, t, nil
	}
	if err := p.require(t.Resource(), lfDescribe); err != nil {
		return access{}, t, err
	}
	a, err := authorize(p.c, action, *t.Target)
	if err != nil {
		return a, t, err
	}
	target, ok, err := state.GetTable(p.c.Tx, t.Target.Account, t.Target.Region, t.Target.Database, t.Target.Table)
	if err != nil {
		return a, t, err
	}
	if !ok {
		return a, t, a.absent(*t.Target)
	}
	if target.IsLink() {
		return a, t, invalid("Resource link %s points at another resource link, %s; only one is followed", t.Name, target.Name)
	}
	return a, target, nil
}
