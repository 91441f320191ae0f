package consumer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/expression"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opRequest = "RequestAccessToProduct"

// fewNames is up to how many exact names are read one by one. Beyond that a
// listing of the database takes fewer calls, or not many more.
const fewNames = 8

// maxPublicName is how long names of databases and tables may be.
const maxPublicName = 255

// RequestInput is what access is asked for.
type RequestInput struct {
	// OwnerAccountID is the producer that owns the product.
	OwnerAccountID string
	// DatabaseName is the product's database in the mesh.
	DatabaseName string
	// Tables are names of tables, or regular expressions that must match the whole
	// of a name, in Go's syntax. What is the name of a table is that table, also if it
	// would be an expression. Nil or empty means the whole database, with the tables
	// that it will have.
	Tables []string
	// Domain and DataProduct ask for a group instead of a database: for all tables that the
	// owner has published into that domain, that data product, or that data product of that
	// domain, and for those that it will publish into it. DatabaseName and Tables are empty
	// then, and Scope can name users and roles alone.
	Domain, DataProduct string
	// RequestPermissions are the permissions on the tables that are asked for:
	// SELECT, DESCRIBE, INSERT, DELETE, ALTER, DROP or ALL. At least one is needed.
	RequestPermissions []string
	// Until is when access shall end, to the second; the zero time is never. The owner can
	// give less or more.
	Until time.Time
	// Scope narrows what is asked for: to columns and rows of each of the tables, which then
	// have to be named, and to users and roles of this account that are to be granted access
	// themselves. The zero value narrows nothing.
	Scope lakemesh.Scope
	// Notes go to the owner with the request; they may be empty.
	Notes string
}

// The types of what a request is for.
const (
	TypeDatabase = "DATABASE"
	TypeTable    = "TABLE"
	TypeGroup    = "GROUP"
)

// RequestOutput tells what was asked for.
type RequestOutput struct {
	// Type is TypeDatabase for a whole database, which DatabaseName names, TypeTable for
	// tables, which TableName names: expressions are resolved, and TypeGroup for a domain or a
	// data product, which Group names.
	Type         string         `json:"Type"`
	Group        lakemesh.Group `json:"Group,omitzero"`
	DatabaseName string         `json:"DatabaseName,omitempty"`
	TableName    []string       `json:"TableName,omitempty"`
	// SubscriptionID is the id of the request, and later of the subscription. In
	// the output of a plan it is not final.
	SubscriptionID string `json:"SubscriptionId"`
	// Until is until when more time is asked for; empty for other requests.
	Until string `json:"Until,omitempty"`
}

// PlanRequestAccessToProduct tells what [Consumer.RequestAccessToProduct] would do.
func (c *Consumer) PlanRequestAccessToProduct(ctx context.Context, in RequestInput) (*plan.Plan, error) {
	p, _, err := c.planRequest(ctx, in)
	return p, err
}

// RequestAccessToProduct asks the owner of a product for access to some or all of
// its tables. Expressions are resolved now, on the public metadata of the mesh, and
// the tables that they mean are recorded with them. Asking for the same again while
// the request is pending returns the same request.
//
// An unknown database or table, and an expression that means none, is
// [lakemesh.ErrNotFound]; a product of another owner [lakemesh.ErrWrongAccount].
func (c *Consumer) RequestAccessToProduct(ctx context.Context, in RequestInput) (*RequestOutput, error) {
	p, out, err := c.planRequest(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := c.apply(ctx, p); err != nil {
		return nil, err
	}
	return out, nil
}

func (c *Consumer) planRequest(ctx context.Context, in RequestInput) (*plan.Plan, *RequestOutput, error) {
	s, wanted, err := c.request(in)
	if err != nil {
		return nil, nil, err
	}
	var notes []string
	looked, err := c.areThere(ctx, opRequest, s.RequestedScope.Principals)
	if err != nil {
		return nil, nil, err
	}
	if !looked {
		notes = append(notes, "whether there are the users and roles that it is asked for is not known: this account's role may not look. What is asked for one that there is not cannot be approved")
	}
	if s.Group.IsZero() {
		var said []string
		said, err = c.resolve(ctx, &s, in.Tables, wanted)
		notes = append(notes, said...)
	} else {
		err = c.resolveGroup(ctx, &s)
	}
	if err != nil {
		return nil, nil, err
	}
	words := tracker.Words{Database: s.Database, Group: s.Group, Tables: s.Tables, Whole: s.WholeDatabase(), Expressions: s.Expressions, Requested: s.Requested, Until: s.RequestedUntil, Scope: s.RequestedScope, Note: in.Notes}
	if err := tracker.CheckWords(words); err != nil {
		return nil, nil, err
	}
	p := &plan.Plan{Operation: opRequest, Warnings: notes}
	out := &RequestOutput{Type: TypeTable, TableName: s.Tables}
	what := strings.Join(s.Tables, ", ") + " in database " + s.Database
	switch {
	case !s.Group.IsZero():
		out.Type, out.Group, what = TypeGroup, s.Group, "all tables of "+s.Group.String()
	case s.WholeDatabase():
		out.Type, out.DatabaseName, what = TypeDatabase, s.Database, "the whole database "+s.Database
	}
	twin, words, err := c.tracker.PendingTwin(ctx, s.Owner, c.account, words)
	if err != nil {
		return nil, nil, err
	}
	if twin != nil {
		out.SubscriptionID = twin.ID
		p.Warn("the same was asked for on %s and is pending: subscription %s", lakemesh.FormatTime(twin.Created), twin.ID)
		return p, out, nil
	}
	out.SubscriptionID = words.ID(s.Owner, c.account)
	p.Add(plan.Step{
		Kind: plan.Record, Account: c.meshAccount, Resource: "subscription " + out.SubscriptionID, Detail: out,
		Summary: fmt.Sprintf("ask account %s for %s on %s%s%s", s.Owner, s.Requested, what, scopeText(s.RequestedScope), untilText(s.RequestedUntil)),
		Run:     func(ctx context.Context) error { return c.tracker.Request(ctx, s.Owner, c.account, words) },
	})
	return p, out, nil
}

// untilText says when something ends, if it does.
func untilText(until time.Time) string {
	if until.IsZero() {
		return ""
	}
	return ", until " + lakemesh.FormatTime(until) + " (UTC)"
}

// scopeText says what something is narrowed to, if it is.
func scopeText(s lakemesh.Scope) string {
	if s.IsZero() {
		return ""
	}
	return ", " + s.String()
}

// request checks the input by itself.
func (c *Consumer) request(in RequestInput) (lakemesh.Subscription, []expression.Expression, error) {
	var s lakemesh.Subscription
	if err := lakemesh.CheckAccountID("OwnerAccountID", in.OwnerAccountID); err != nil {
		return s, nil, err
	}
	if in.OwnerAccountID == c.account {
		return s, nil, lakemesh.Invalid("OwnerAccountID", "account %s is your own: its products need no subscription", c.account)
	}
	if in.OwnerAccountID == c.meshAccount {
		return s, nil, lakemesh.Invalid("OwnerAccountID", "account %s is the mesh itself; name the producer that owns the product", c.meshAccount)
	}
	group, err := lakemesh.NewGroup(in.Domain, in.DataProduct)
	if err != nil {
		return s, nil, err
	}
	if !group.IsZero() {
		if in.DatabaseName != "" || len(in.Tables) > 0 {
			return s, nil, lakemesh.Invalid("DatabaseName", "a domain or a data product is asked for by itself, whatever databases its tables are in: leave the database and the tables out")
		}
	} else if n := utf8.RuneCountInString(in.DatabaseName); n == 0 || n > maxPublicName {
		return s, nil, lakemesh.Invalid("DatabaseName", "a database's name has 1 to %d characters, and this has %d", maxPublicName, n)
	}
	requested, err := lakemesh.ParsePermissions(in.RequestPermissions...)
	if err != nil {
		return s, nil, err
	}
	if len(requested) == 0 {
		return s, nil, lakemesh.Invalid("RequestPermissions", "at least one is needed; the valid ones are %s", lakemesh.Permissions(lakemesh.TablePermissions()))
	}
	if !in.Until.IsZero() && !in.Until.After(c.now()) {
		return s, nil, lakemesh.Invalid("Until", "%s (UTC) has passed: name a later end, or none", lakemesh.FormatTime(in.Until))
	}
	wanted := make([]expression.Expression, len(in.Tables))
	for i, text := range in.Tables {
		if text == "" {
			return s, nil, lakemesh.Invalid("Tables", "an empty name; leave Tables out to ask for the whole database")
		}
		if wanted[i], err = expression.Parse("Tables", text); err != nil {
			return s, nil, err
		}
	}
	scope, err := c.scope(in, requested)
	if err != nil {
		return s, nil, err
	}
	s = lakemesh.Subscription{Owner: in.OwnerAccountID, Subscriber: c.account,
		Database: strings.ToLower(in.DatabaseName), Group: group, TablesUnknown: !group.IsZero(), Requested: requested, RequestedScope: scope}
	if !in.Until.IsZero() {
		s.RequestedUntil = in.Until.UTC().Truncate(time.Second)
	}
	return s, wanted, nil
}

// scope checks what the request is narrowed to, as far as that can be without the tables.
func (c *Consumer) scope(in RequestInput, requested lakemesh.Permissions) (lakemesh.Scope, error) {
	s, err := parts.Normal(in.Scope)
	if err != nil || s.IsZero() {
		return s, err
	}
	if err := access.CheckPrincipals(c.partition, c.account, s.Principals); err != nil {
		return s, err
	}
	switch {
	case !s.Partly():
	case in.Domain != "" || in.DataProduct != "":
		return s, lakemesh.Invalid("Columns", "columns and rows are parts of tables that are named, and of no domain or data product: name the database and the tables instead")
	case len(in.Tables) == 0:
		return s, lakemesh.Invalid("Tables", "columns and rows are parts of tables that are named: name the tables")
	case !requested.Has(lakemesh.Select) || !requested.SubsetOf(lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe)):
		// What is written is never filtered
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html).
		return s, lakemesh.Invalid("RequestPermissions", "columns and rows are given with SELECT, beside which DESCRIBE may be named, and with nothing else; named is %s", requested)
	}
	return s, nil
}

// resolve finds the tables that are asked for in the mesh's public metadata, and
// checks whose they are. It returns what is worth a word of how they were understood.
func (c *Consumer) resolve(ctx context.Context, s *lakemesh.Subscription, texts []string, wanted []expression.Expression) (notes []string, _ error) {
	d, ok, err := c.public.database(ctx, s.Database)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &lakemesh.Error{Op: opRequest, Account: c.meshAccount, Resource: "database " + s.Database, Kind: lakemesh.ErrNotFound,
			Message: "the mesh has no such database, or its metadata is not public", Hint: "list what there is", Do: []lakemesh.Call{lakemesh.Do("consumer.ListProducts")}}
	}
	found, err := c.candidates(ctx, s, wanted)
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		return nil, c.checkOwner(s, d, found)
	}
	chosen := map[string]types.Table{}
	for _, e := range wanted {
		meant, literal, err := meaning(s.Database, e, found)
		if err != nil {
			return nil, err
		}
		if literal.more > 0 {
			notes = append(notes, fmt.Sprintf("%q is the name of a table, so it means that table alone, and not the %d more that it matches as a regular expression", e, literal.more))
		}
		if literal.left != "" {
			notes = append(notes, fmt.Sprintf("left out table %q: AWS writes that name for all tables, so it cannot be granted", literal.left))
		}
		if _, plain := e.Name(); !plain && !literal.is {
			s.Expressions = texts
		}
		for _, t := range meant {
			chosen[strings.ToLower(aws.ToString(t.Name))] = t
		}
	}
	if err := c.checkOwner(s, d, slices.Collect(maps.Values(chosen))); err != nil {
		return nil, err
	}
	s.Tables = slices.Sorted(maps.Keys(chosen))
	for _, name := range s.Tables {
		t := chosen[name]
		if err := parts.Of(s.Database, &t).Check(s.RequestedScope); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

// resolveGroup looks for the group that is asked for in the mesh's public metadata.
func (c *Consumer) resolveGroup(ctx context.Context, s *lakemesh.Subscription) error {
	for _, err := range c.publicLake.TablesWithTags(ctx, s.Group.Tags(s.Owner)) {
		if err == nil {
			return nil
		}
		if !c.public.hides(err) && !awserr.NotFound(err) {
			return identity.Explain(opRequest, c.meshAccount, s.Group.String(), err)
		}
		break
	}
	return &lakemesh.Error{Op: opRequest, Account: c.meshAccount, Resource: s.Group.String(), Kind: lakemesh.ErrNotFound,
		Message: "account " + s.Owner + " has no table in it whose metadata and LF-tags are public", Hint: "list what there is", Do: []lakemesh.Call{lakemesh.Do("consumer.ListProducts")}}
}

// understood says how an expression was understood.
type understood struct {
	// is tells that it is the name of a table; more is how many others it would have
	// matched.
	is   bool
	more int
	// left is a table that it matches and that cannot be granted.
	left string
}

// meaning are the tables that an expression means among those of a database. A name that
// exists is that name.
func meaning(database string, e expression.Expression, found []types.Table) (meant []types.Table, how understood, _ error) {
	for _, t := range found {
		name := aws.ToString(t.Name)
		if e.Names(name) {
			if err := expression.RefuseSentinel("Tables", strings.ToLower(name)); err != nil {
				return nil, how, err
			}
			how.is = true
			how.more += len(meant)
			meant = []types.Table{t}
			continue
		}
		switch {
		case !e.Match(name):
		case how.is:
			how.more++
		case expression.Sentinel(name):
			how.left = name
		default:
			meant = append(meant, t)
		}
	}
	if len(meant) > 0 {
		return meant, how, nil
	}
	if err := e.Fault(); err != nil {
		return nil, how, err
	}
	return nil, how, &lakemesh.Error{Op: opRequest, Resource: "table " + database + "." + e.String(), Kind: lakemesh.ErrNotFound,
		Message: "no table of that name is public in the database, and the expression matches none",
		Hint:    "list what there is", Do: []lakemesh.Call{lakemesh.Do("consumer.ListProducts", "DatabaseName", database)}}
}

// candidates are the tables among which the request's are: all of the database,
// or those of exact names.
func (c *Consumer) candidates(ctx context.Context, s *lakemesh.Subscription, wanted []expression.Expression) ([]types.Table, error) {
	maybe := slices.ContainsFunc(wanted, func(e expression.Expression) bool { _, plain := e.Name(); return !plain })
	if len(wanted) == 0 || len(wanted) > fewNames || maybe {
		list, err := c.public.tables(ctx, s.Database)
		return list, err
	}
	found := make([]*types.Table, len(wanted))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i, e := range wanted {
		name, _ := e.Name()
		group.Go(func() error {
			t, ok, err := c.public.table(ctx, s.Database, name)
			if ok {
				found[i] = t
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var list []types.Table
	for _, t := range found {
		if t != nil {
			list = append(list, *t)
		}
	}
	return list, nil
}

// checkOwner refuses products of another owner.
func (c *Consumer) checkOwner(s *lakemesh.Subscription, d *types.Database, list []types.Table) error {
	for i := range list {
		if owner := ownerOf(d, &list[i]); owner != s.Owner {
			return c.wrongOwner(s, "table "+s.Database+"."+aws.ToString(list[i].Name), owner)
		}
	}
	if owner := publisherOf(d); len(list) == 0 && owner != s.Owner {
		return c.wrongOwner(s, "database "+s.Database, owner)
	}
	return nil
}

func (c *Consumer) wrongOwner(s *lakemesh.Subscription, what, owner string) error {
	if owner == "" {
		return &lakemesh.Error{Op: opRequest, Account: c.meshAccount, Resource: what, Kind: lakemesh.ErrNotFound,
			Message: "it does not tell which account owns it, so account " + s.Owner + " cannot be asked for it",
			Hint:    "ask the producer to publish it again"}
	}
	return &lakemesh.Error{Op: opRequest, Account: c.meshAccount, Resource: what, Kind: lakemesh.ErrWrongAccount,
		Message: "it belongs to account " + owner + ", not to account " + s.Owner, Hint: "ask for it with OwnerAccountID " + owner}
}

// ownerOf is the account that published a table of the mesh, or empty. What stands at the
// database decides: who may alter a table may write another account there.
func ownerOf(d *types.Database, t *types.Table) string {
	if owner := catalog.OwnerOf(d); owner != "" {
		return owner
	}
	if owner := aws.ToString(t.Owner); lakemesh.CheckAccountID("Owner", owner) == nil {
		return owner
	}
	return accountAtEnd(aws.ToString(d.Name))
}

// publisherOf is the account that publishes in a database of the mesh, or empty.
func publisherOf(d *types.Database) string {
	return cmp.Or(catalog.OwnerOf(d), accountAtEnd(aws.ToString(d.Name)))
}

// accountAtEnd is the account in a name of the form <database>-<account>, or empty.
func accountAtEnd(databaseName string) string {
	i := strings.LastIndexByte(databaseName, '-')
	if i < 0 || lakemesh.CheckAccountID("Owner", databaseName[i+1:]) != nil {
		return ""
	}
	return databaseName[i+1:]
}
