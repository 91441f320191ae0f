package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opFinalize = "FinalizeSubscription"

// shareWait is how long what was shared may take to become visible.
const shareWait = 2 * time.Minute

// maxDatabaseName is how long the name of a database may be
// (https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-databases.html).
const maxDatabaseName = 255

// FinalizeInput says how a granted subscription is imported.
type FinalizeInput struct {
	// SubscriptionID is the subscription; it must be active.
	SubscriptionID string
	// Principals are users and roles of the consumer's account, by their ARNs with
	// paths, that access is handed on to; <account>:IAMPrincipals stands for all of
	// them. Nil means the role DataMeshConsumer itself, an empty list that is not nil
	// nobody.
	Principals []string
	// LinkDatabaseName is the name of the resource link in the consumer's catalog;
	// empty means the name of the database in the mesh.
	LinkDatabaseName string
}

// FinalizeOutput tells what was imported.
type FinalizeOutput struct {
	SubscriptionID string `json:"SubscriptionId"`
	// DatabaseName is the database in the mesh, LinkDatabase the resource link to it
	// in the consumer's catalog.
	DatabaseName string `json:"DatabaseName"`
	LinkDatabase string `json:"LinkDatabase"`
	// Tables are the tables of the subscription; empty means all of the database.
	Tables []string `json:"Tables"`
	// Principals are whom access was handed on to, Permissions what they hold on
	// the tables. Both are empty if nobody was given access.
	Principals  []string `json:"Principals"`
	Permissions []string `json:"Permissions"`
	// AcceptedShares are the ARNs of the RAM shares that were accepted now.
	AcceptedShares []string `json:"AcceptedShares"`
	// Warnings are what the user should know, above all that nobody was given access.
	Warnings []string `json:"Warnings,omitempty"`
}

// finalizing is what is known before a subscription is imported.
type finalizing struct {
	consumer   *Consumer
	record     *tracker.Record
	principals []string
	link       string
	// pending are invitations that wait to be accepted, and late the shares whose
	// invitations came, and were accepted, while everything was waited for.
	pending []sharing.Invitation
	late    []string
	// visible tells that all that was granted can be seen, and seen names the tables
	// of the database that can.
	visible bool
	seen    []string
	// linked tells that the link is there.
	linked bool
	held   *permissions.Grants
}

// PlanFinalizeSubscription tells what [Consumer.FinalizeSubscription] would do.
func (c *Consumer) PlanFinalizeSubscription(ctx context.Context, in FinalizeInput) (*plan.Plan, error) {
	p, _, err := c.planFinalize(ctx, in)
	return p, err
}

// FinalizeSubscription imports a granted subscription: it accepts the mesh's RAM
// shares that carry it, links the mesh's database into the consumer's catalog, and
// hands on to principals of the account what the owner lets it hand on. It works
// as DataMeshConsumer, a data lake administrator of its account: only
// administrators see what was granted to the account, until they hand it on
// (https://docs.aws.amazon.com/lake-formation/latest/dg/regranting-shared-resources.html).
//
// It can be repeated. When the owner changes the permissions, what had been handed
// on can end with them; a repetition hands on again. One that finds everything done
// makes no writing call.
//
// A subscription that is not active is a [lakemesh.TransitionError], one that is
// being changed at this moment a [lakemesh.ClaimedError]. A different object under
// the link's name is [lakemesh.ErrInvalidInput], an invitation that has expired
// [lakemesh.ErrAccessDenied].
func (c *Consumer) FinalizeSubscription(ctx context.Context, in FinalizeInput) (*FinalizeOutput, error) {
	p, f, err := c.planFinalize(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := c.apply(ctx, p); err != nil {
		return nil, err
	}
	return f.output(p), nil
}

func (c *Consumer) planFinalize(ctx context.Context, in FinalizeInput) (*plan.Plan, *finalizing, error) {
	f := &finalizing{consumer: c}
	var err error
	if f.principals, err = c.namedPrincipals(in.Principals); err != nil {
		return nil, nil, err
	}
	if f.record, err = c.subscription(ctx, opFinalize, in.SubscriptionID); err != nil {
		return nil, nil, err
	}
	if err := importable(f.record); err != nil {
		return nil, nil, err
	}
	if f.link, err = linkName(in.LinkDatabaseName, f.record.Database); err != nil {
		return nil, nil, err
	}
	if err := f.observe(ctx); err != nil {
		return nil, nil, err
	}
	return f.plan(), f, nil
}

// importable refuses a record that cannot be imported now.
func importable(r *tracker.Record) error {
	if err := believed(opFinalize, r); err != nil {
		return err
	}
	if err := legal(opFinalize, r, lakemesh.ActionImport); err != nil {
		return err
	}
	if r.Leaving {
		return &lakemesh.Error{Op: opFinalize, Resource: "subscription " + r.ID, Kind: lakemesh.ErrIllegalTransition,
			Message: "this account has left it", Hint: "ask for access anew", Do: []lakemesh.Call{lakemesh.Do("consumer.RequestAccessToProduct")}}
	}
	if r.Claim != nil {
		return advised(opFinalize, r, &lakemesh.ClaimedError{SubscriptionID: r.ID, Wanted: lakemesh.ActionImport, Claim: *r.Claim},
			"the owner, account "+r.Owner+", is changing it; import it again afterwards")
	}
	return nil
}

// linkName is the name of the link, folded as Glue does.
func linkName(asked, meshDatabase string) (string, error) {
	if asked == "" {
		return strings.ToLower(meshDatabase), nil
	}
	name := strings.ToLower(strings.TrimSpace(asked))
	if name == "" || len(name) > maxDatabaseName || strings.ContainsAny(name, "/\x00\r\n") {
		return "", lakemesh.Invalid("LinkDatabaseName", "%q is not a name for a database: 1 to %d characters, without slashes", asked, maxDatabaseName)
	}
	return name, nil
}

func (c *Consumer) receiver() sharing.Receiver {
	return sharing.Receiver{Client: c.ram, Account: c.account}
}

// shareARNs are the RAM shares that carry a subscription, as its owner recorded
// them.
func shareARNs(s *lakemesh.Subscription) []string {
	var arns []string
	for _, share := range s.RAMShares {
		if share.ARN != "" {
			arns = append(arns, share.ARN)
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// observe reads what is there.
func (f *finalizing) observe(ctx context.Context) error {
	var err error
	if f.visible, err = f.look(ctx); err != nil {
		return err
	}
	if err := f.invitations(ctx); err != nil {
		return err
	}
	if err := f.lookForLink(ctx); err != nil {
		return err
	}
	return f.lookForGrants(ctx)
}

// look reports whether everything that was granted can be seen. Of a whole database
// that is the database, and a table if any was shared.
func (f *finalizing) look(ctx context.Context) (bool, error) {
	c, r := f.consumer, f.record
	if _, ok, err := c.shared.database(ctx, r.Database); err != nil || !ok {
		return false, err
	}
	if !r.WholeDatabase() {
		return f.lookForNamed(ctx)
	}
	list, err := c.shared.tables(ctx, r.Database)
	if err != nil {
		return false, err
	}
	f.seen = f.seen[:0]
	for i := range list {
		f.seen = append(f.seen, strings.ToLower(aws.ToString(list[i].Name)))
	}
	if err := f.lookForPublished(ctx); err != nil {
		return false, err
	}
	return len(f.seen) > 0 || !sharesTables(&r.Subscription), nil
}

// lookForPublished asks by their names for the tables that the mesh shows in the
// database and the listing of what was shared lacks: it can be late. One that cannot be
// seen may not have been granted yet, so that it is not waited for.
func (f *finalizing) lookForPublished(ctx context.Context) error {
	c, r := f.consumer, f.record
	published, err := c.public.tables(ctx, r.Database)
	if err != nil {
		c.log.WarnContext(ctx, "could not see what is published in the database; only what is listed as shared is imported", "database", r.Database, "error", err)
		return nil
	}
	listed := make(map[string]bool, len(f.seen))
	for _, name := range f.seen {
		listed[name] = true
	}
	var mu sync.Mutex
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i := range published {
		name := strings.ToLower(aws.ToString(published[i].Name))
		if listed[name] {
			continue
		}
		group.Go(func() error {
			_, ok, err := c.shared.table(asking, r.Database, name)
			if err == nil && ok {
				mu.Lock()
				defer mu.Unlock()
				f.seen = append(f.seen, name)
			}
			return err
		})
	}
	return group.Wait()
}

// fewTables is up to how many tables are asked for by their names rather than listed.
const fewTables = 3

// lookForNamed reports whether the tables that the record names can be seen. That a
// listing of another account's database has all that was shared of it is not documented,
// so those that it lacks are asked for by their names.
func (f *finalizing) lookForNamed(ctx context.Context) (bool, error) {
	c, r := f.consumer, f.record
	var listed []string
	if len(r.Tables) > fewTables {
		list, err := c.shared.tables(ctx, r.Database)
		if err != nil {
			return false, err
		}
		for i := range list {
			listed = append(listed, strings.ToLower(aws.ToString(list[i].Name)))
		}
	}
	visible := make([]bool, len(r.Tables))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(c.concurrency())
	for i, name := range r.Tables {
		if visible[i] = slices.Contains(listed, strings.ToLower(name)); visible[i] {
			continue
		}
		group.Go(func() (err error) {
			_, visible[i], err = c.shared.table(asking, r.Database, name)
			return err
		})
	}
	err := group.Wait()
	return err == nil && !slices.Contains(visible, false), err
}

// sharesTables reports whether one of the recorded shares carries tables.
func sharesTables(s *lakemesh.Subscription) bool {
	for _, share := range s.RAMShares {
		if strings.EqualFold(share.Type, "table") {
			return true
		}
	}
	return false
}

// invitations reads the mesh's invitations to the subscription's shares: those of
// nobody else, and to no other share where the record says which they are. Of several to
// one share the last one counts.
func (f *finalizing) invitations(ctx context.Context) error {
	c := f.consumer
	shares := shareARNs(&f.record.Subscription)
	all, err := c.receiver().Invitations(ctx, c.meshAccount, shares)
	if len(shares) == 0 && !f.visible {
		// Lake Formation did not say which shares carry what was granted, as it need not.
		all, err = c.receiver().InvitationsOf(ctx, c.meshAccount)
	}
	if err != nil {
		return err
	}
	last := map[string]sharing.Invitation{}
	for _, i := range all {
		last[i.Share] = i
	}
	for _, i := range last {
		switch {
		case i.Pending():
			f.pending = append(f.pending, i)
		case i.Status != ramtypes.ResourceShareInvitationStatusAccepted && !f.visible:
			// Nothing is pending for this share: this only words why not.
			_, err := c.receiver().AcceptPending(ctx, c.meshAccount, []string{i.Share})
			return err
		}
	}
	slices.SortFunc(f.pending, func(a, b sharing.Invitation) int { return strings.Compare(a.Share, b.Share) })
	return nil
}

// lookForLink reports whether the link is there, and refuses a different object
// under its name.
func (f *finalizing) lookForLink(ctx context.Context) error {
	c := f.consumer
	db, ok, err := c.own.database(ctx, f.link)
	if err != nil || !ok {
		return err
	}
	if c.linksTo(db, f.record.Database) {
		f.linked = true
		return nil
	}
	what := "a database of your own"
	if t := db.TargetDatabase; t != nil {
		what = fmt.Sprintf("a link to database %s of account %s", aws.ToString(t.DatabaseName), aws.ToString(t.CatalogId))
	}
	return &lakemesh.Error{Op: opFinalize, Account: c.account, Resource: "database " + f.link, Kind: lakemesh.ErrInvalidInput,
		Message: "the name is taken by " + what, Hint: "choose another name for the link with LinkDatabaseName (--link-database-name)"}
}

// lookForGrants reads what the principals hold, and what the account may hand on.
func (f *finalizing) lookForGrants(ctx context.Context) error {
	f.held = permissions.NewGrants()
	if len(f.principals) == 0 {
		return nil
	}
	c, s := f.consumer, &f.record.Subscription
	var resources []permissions.Resource
	if f.visible {
		resources = append(f.tables(), permissions.Database(c.meshAccount, s.Database))
		if s.WholeDatabase() {
			resources = append(resources, permissions.AllTables(c.meshAccount, s.Database))
		}
	}
	if f.linked {
		resources = append(resources, permissions.Database(c.account, f.link))
	}
	held, err := c.grants(ctx, opFinalize, resources)
	if err != nil {
		return err
	}
	f.held = held
	return nil
}

// tables are the tables of the subscription: those that it names, or all that can
// be seen.
func (f *finalizing) tables() []permissions.Resource {
	c, s := f.consumer, &f.record.Subscription
	names := s.Tables
	if s.WholeDatabase() {
		names = f.seen
	}
	list := make([]permissions.Resource, len(names))
	for i, t := range names {
		list[i] = permissions.Table(c.meshAccount, s.Database, t)
	}
	return list
}

// objects are what is handed on. A whole database is all of its tables at once
// where the owner could grant that, and else each of them.
func (f *finalizing) objects() []permissions.Resource {
	c, s := f.consumer, &f.record.Subscription
	all := permissions.AllTables(c.meshAccount, s.Database)
	if s.WholeDatabase() && len(f.held.Of(c.account, all).Permissions) > 0 {
		return []permissions.Resource{all}
	}
	return f.tables()
}

// grantable is what may be handed on, on one of the objects: what the subscription
// says, as far as the owner's grant is known not to say less.
func (f *finalizing) grantable(r permissions.Resource) lakemesh.Permissions {
	handed := passed(&f.record.Subscription)
	account := f.held.Of(f.consumer.account, r)
	if len(account.Permissions) == 0 || account.Grantable.Has(lakemesh.All) {
		return handed
	}
	return handed.Intersect(account.Grantable)
}

// wanted is what each principal is to hold on the link, and on what is shared.
func (f *finalizing) wanted() (link, shared []permissions.Entry) {
	c, s := f.consumer, &f.record.Subscription
	describe := lakemesh.NewPermissions(lakemesh.Describe)
	for _, principal := range f.recipients() {
		link = append(link, permissions.Entry{Principal: principal, Resource: permissions.Database(c.account, f.link), Permissions: describe})
		shared = append(shared, permissions.Entry{Principal: principal, Resource: permissions.Database(c.meshAccount, s.Database), Permissions: describe})
		for _, o := range f.objects() {
			if handed := f.grantable(o); len(handed) > 0 {
				shared = append(shared, permissions.Entry{Principal: principal, Resource: o, Permissions: handed})
			}
		}
	}
	return link, shared
}

// recipients are the principals that get anything: nobody does if the owner lets
// the account hand nothing on, not even the database.
func (f *finalizing) recipients() []string {
	if len(passed(&f.record.Subscription)) == 0 {
		return nil
	}
	return f.principals
}

func (f *finalizing) plan() *plan.Plan {
	c, r := f.consumer, f.record
	p := &plan.Plan{Operation: opFinalize}
	ready := f.planShares(p)
	var link *plan.Step
	if !f.linked {
		link = p.Add(plan.Step{
			Kind: plan.CreateLink, Account: c.account, Resource: "database " + f.link,
			Summary: fmt.Sprintf("link database %s to database %s of the mesh", f.link, r.Database),
			Run:     f.createLink,
		}, ready)
	}
	handed := f.planGrants(p, ready, link)
	last := append(slices.Clone(handed), ready, link)
	// Whoever is given access later stands in the history, too.
	if !r.Imported || len(handed) > 0 {
		p.Add(plan.Step{
			Kind: plan.Record, Account: c.meshAccount, Resource: "subscription " + r.ID,
			Summary: "record subscription " + r.ID + " as imported",
			Run:     func(ctx context.Context) error { return c.tracker.Imported(ctx, r, f.recipients()) },
		}, last...)
	}
	switch {
	case len(f.principals) == 0:
		p.Warn("nobody was given access: only data lake administrators of account %s see the tables until access is handed on to principals", c.account)
	case len(passed(&r.Subscription)) == 0:
		p.Warn("nobody was given access: the owner, account %s, permitted %s but lets account %s hand none of it on",
			r.Owner, r.Permitted, c.account)
	}
	return p
}

// planGrants adds the steps that hand access on, and returns the last of them.
func (f *finalizing) planGrants(p *plan.Plan, ready, link *plan.Step) []*plan.Step {
	if ready != nil && f.record.WholeDatabase() && len(f.recipients()) > 0 {
		// Which tables there are is not known before they can be seen.
		return []*plan.Step{p.Add(plan.Step{
			Kind: plan.Grant, Account: f.consumer.account, Resource: "all tables of database " + f.record.Database,
			Summary: fmt.Sprintf("grant %s on all tables of database %s to %s", passed(&f.record.Subscription), f.record.Database,
				strings.Join(f.principals, ", ")),
			Run: f.handOn,
		}, ready, link)}
	}
	var steps []*plan.Step
	onLink, onShared := f.wanted()
	batches := f.consumer.lake.Batches()
	for _, e := range permissions.Missing(f.held, onShared) {
		steps = append(steps, batches.Grant(p, e, ready)...)
	}
	for _, e := range permissions.Missing(f.held, onLink) {
		steps = append(steps, batches.Grant(p, e, link)...)
	}
	return steps
}

// handOn hands access on to what can be seen now.
func (f *finalizing) handOn(ctx context.Context) error {
	now := &finalizing{consumer: f.consumer, record: f.record, principals: f.principals, link: f.link}
	if err := now.observe(ctx); err != nil {
		return err
	}
	p := &plan.Plan{Operation: opFinalize}
	now.planGrants(p, nil, nil)
	_, err := p.Apply(ctx, plan.Settings{Concurrency: f.consumer.concurrency()})
	return err
}

// planShares adds the steps that accept the shares and wait for what they carry;
// it returns the last of them, or nil if there is nothing to wait for.
func (f *finalizing) planShares(p *plan.Plan) *plan.Step {
	c, r := f.consumer, f.record
	if f.visible && len(f.pending) == 0 {
		return nil
	}
	var accepted []*plan.Step
	for _, i := range f.pending {
		accepted = append(accepted, p.Add(plan.Step{
			Kind: plan.AcceptShare, Account: c.account, Resource: "resource share " + i.Name,
			Summary: fmt.Sprintf("accept resource share %s of mesh account %s", i.Name, c.meshAccount),
			Run:     func(ctx context.Context) error { return c.receiver().Accept(ctx, i) },
		}))
	}
	return p.Add(plan.Step{
		Kind: plan.AwaitShare, Account: c.account, Resource: "database " + r.Database,
		Summary: "wait until " + f.what() + " of the mesh can be seen",
		Run:     f.await,
	}, accepted...)
}

// what names what was granted.
func (f *finalizing) what() string {
	if f.record.WholeDatabase() {
		return "database " + f.record.Database
	}
	return fmt.Sprintf("%s in database %s", strings.Join(f.record.Tables, ", "), f.record.Database)
}

// await waits until everything can be seen. Invitations that were late are
// accepted on the way.
func (f *finalizing) await(ctx context.Context) error {
	c := f.consumer
	shares := shareARNs(&f.record.Subscription)
	err := poll.Until(ctx, shareWait, f.what()+" of the mesh to become visible", func(ctx context.Context) (bool, error) {
		ok, err := f.look(ctx)
		if err != nil || ok {
			return ok, err
		}
		var accepted []string
		if len(shares) == 0 {
			accepted, err = c.receiver().AcceptOf(ctx, c.meshAccount)
		} else {
			accepted, err = c.receiver().AcceptPending(ctx, c.meshAccount, shares)
		}
		f.late = append(f.late, accepted...)
		return false, err
	})
	if err == nil {
		return nil
	}
	return identity.Explain(opFinalize, c.account, f.what(), err)
}

// createLink makes the link. Somebody who was faster is fine if it is the same.
func (f *finalizing) createLink(ctx context.Context) error {
	c := f.consumer
	err := c.own.CreateDatabase(ctx, catalog.DatabaseLink(f.link, c.meshAccount, strings.ToLower(f.record.Database)), nil)
	if errors.Is(err, catalog.ErrExists) {
		if err := f.lookForLink(ctx); err != nil || f.linked {
			return err
		}
	}
	return identity.Explain(opFinalize, c.account, "database "+f.link, err)
}

func (f *finalizing) output(p *plan.Plan) *FinalizeOutput {
	r := f.record
	out := &FinalizeOutput{SubscriptionID: r.ID, DatabaseName: r.Database, LinkDatabase: f.link, Tables: nonNil(r.Tables),
		Principals: []string{}, Permissions: []string{}, AcceptedShares: []string{}, Warnings: p.Warnings}
	if to := f.recipients(); len(to) > 0 {
		out.Principals, out.Permissions = to, passed(&r.Subscription).Strings()
	}
	for _, i := range f.pending {
		out.AcceptedShares = append(out.AcceptedShares, i.Share)
	}
	for _, share := range f.late {
		if !slices.Contains(out.AcceptedShares, share) {
			out.AcceptedShares = append(out.AcceptedShares, share)
		}
	}
	return out
}

// nonNil makes an empty list of none, which JSON writes as [].
func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
