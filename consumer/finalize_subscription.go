package consumer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/sharing"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opFinalize = "FinalizeSubscription"

// shareWait is how long what was shared may take to become visible.
const shareWait = 2 * time.Minute

// unitWait is how long what was shared with the account's organization, or a unit of it, may
// take: nobody is invited, and the approval has waited for the share.
const unitWait = 15 * time.Second

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
	// LinkRegion is the region of the account in which the link is made; the role
	// DataMeshConsumer must be a data lake administrator there, see
	// admin.InitializeConsumerInput. Empty means where links of the subscription were made
	// before, at first the mesh's region. Everything else is in the mesh's region in any case.
	// Where links are in several, LinkDatabaseName is the name of the one in the mesh's.
	LinkRegion string
}

// FinalizeOutput tells what was imported.
type FinalizeOutput struct {
	SubscriptionID string `json:"SubscriptionId"`
	// DatabaseName is the database in the mesh, LinkDatabase the resource link to it
	// in the consumer's catalog.
	DatabaseName string `json:"DatabaseName"`
	LinkDatabase string `json:"LinkDatabase"`
	// LinkRegions are the regions of the links, if they are not in the mesh's alone.
	// LinkDatabase is the one in the first.
	LinkRegions []string `json:"LinkRegions,omitempty"`
	// Group is the domain or the data product of the subscription, if it is on one. Links are
	// the links to each of its databases then, by the databases, and DatabaseName and
	// LinkDatabase are empty unless it is in one database.
	Group lakemesh.Group    `json:"Group,omitzero"`
	Links map[string]string `json:"Links,omitempty"`
	// Tables are the tables of the subscription; empty means all of the database, or all of
	// the group.
	Tables []string `json:"Tables"`
	// Principals are whom access was handed on to, Permissions what they hold on
	// every one of the tables. Both are empty if nobody was given access.
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
	// elsewhere tells that no link is wanted in the mesh's region, otherLinks are those in
	// others, and addsHome that one in the mesh's region comes to them. warnings are about
	// regions that were left out.
	elsewhere  bool
	addsHome   bool
	otherLinks []*otherLink
	warnings   []string
	// patience is how long principals are waited for that Lake Formation does not know; 0 is
	// as long as always.
	patience time.Duration
	// further tells that of a group this is not the first database, with which what goes by
	// LF-tags is handed on.
	further bool
	// arrived are the steps that wait for all databases of a group.
	arrived []*plan.Step
	// noted are the steps that record the regions of links, of all databases of a group.
	noted map[string]*plan.Step
	// marked are the tables of the database that their owner keeps in hybrid access mode,
	// unopted who is to be opted in to them. sawFirst tells that all of that was known before
	// anything was planned.
	marked   map[string]bool
	unopted  []permissions.OptIn
	sawFirst bool
	// unshared tells that a share that the record names was not in effect.
	unshared bool
	// handed is what was known when access was handed on later than planned, on what could
	// not be seen before; nil if it was not.
	handed *finalizing
}

// PlanFinalizeSubscription tells what [Consumer.FinalizeSubscription] would do.
func (c *Consumer) PlanFinalizeSubscription(ctx context.Context, in FinalizeInput) (*plan.Plan, error) {
	r, err := c.subscription(ctx, opFinalize, in.SubscriptionID)
	if err != nil {
		return nil, err
	}
	if !r.Group.IsZero() {
		return c.planFinalizeGroup(ctx, in, r)
	}
	p, f, err := c.planFinalize(ctx, in, r)
	if err != nil {
		return nil, err
	}
	f.warnBefore(p)
	return p, nil
}

// warnBefore says in a plan that is shown what an import may fail with.
func (f *finalizing) warnBefore(p *plan.Plan) {
	if err := f.notHeld(); err != nil {
		p.Warn("%v", err)
	}
	if unknown := f.unheardOf(); len(unknown) > 0 {
		p.Warn("whether there is %s Lake Formation tells only when it is handed access", strings.Join(unknown, ", "))
	}
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
// [lakemesh.ErrAccessDenied], a principal that there is not a [lakemesh.ErrNotFound]. What
// the subscription lets the account hand on and the account does not hold, because somebody
// took it away by hand, is an [lakemesh.ErrAccessDenied], too: all else is imported then,
// and the output is returned with the error.
//
// Of a group each database is linked, under its own name unless a link of another name leads
// there. When a table of it is published in another database, the subscription is to be
// imported again. A database that is gone, and that the owner has not taken out of the record
// yet, is left out with a warning.
func (c *Consumer) FinalizeSubscription(ctx context.Context, in FinalizeInput) (*FinalizeOutput, error) {
	r, err := c.subscription(ctx, opFinalize, in.SubscriptionID)
	if err != nil {
		return nil, err
	}
	if !r.Group.IsZero() {
		return c.finalizeGroup(ctx, in, r)
	}
	p, f, err := c.planFinalize(ctx, in, r)
	if err != nil {
		return nil, err
	}
	if !f.record.Imported && len(f.withheld()) > 0 {
		if p, f, err = c.awaitGrants(ctx, in); err != nil {
			return nil, err
		}
	}
	if err := c.apply(ctx, p); err != nil {
		return nil, f.failed(ctx, err)
	}
	if err := f.optInLate(ctx); err != nil {
		return nil, err
	}
	if f.handed != nil {
		f.held, f.seen = f.handed.held, f.handed.seen
	}
	return f.output(p), f.notHeld()
}

// planFinalize plans an import of the record that was read.
func (c *Consumer) planFinalize(ctx context.Context, in FinalizeInput, r *tracker.Record) (*plan.Plan, *finalizing, error) {
	f, err := c.prepare(ctx, in, r)
	if err != nil {
		return nil, nil, err
	}
	if f.link, err = linkName(in.LinkDatabaseName, f.record.Database); err != nil {
		return nil, nil, err
	}
	if f.record.Unasked && in.LinkDatabaseName == "" {
		if f.link, err = f.linkByHand(ctx); err != nil {
			return nil, nil, err
		}
	}
	if err := f.chooseRegions(ctx, in); err != nil {
		return nil, nil, err
	}
	if err := f.observe(ctx); err != nil {
		return nil, nil, err
	}
	return f.plan(), f, nil
}

// prepare checks what an import is asked for, and whom access is to be handed on to.
func (c *Consumer) prepare(ctx context.Context, in FinalizeInput, r *tracker.Record) (*finalizing, error) {
	f := &finalizing{consumer: c, record: r}
	var err error
	if f.principals, err = c.namedPrincipals(in.Principals); err != nil {
		return nil, err
	}
	if err := importable(f.record); err != nil {
		return nil, err
	}
	if direct(f.record) {
		if in.Principals != nil && !slices.Equal(slices.Sorted(slices.Values(f.principals)), f.record.Scope.Principals) {
			return nil, lakemesh.Invalid("Principals", "the owner granted access to %s directly, and the account has nothing to hand on: leave the principals out", strings.Join(f.record.Scope.Principals, ", "))
		}
		f.principals = f.record.Scope.Principals
	}
	looked, err := c.areThere(ctx, opFinalize, f.principals)
	if err != nil {
		return nil, err
	}
	if !looked {
		f.patience = unseenPatience
	}
	return f, nil
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
			Message: "this account has left it", Hint: "ask for access anew", Do: []lakemesh.Call{anew(r, time.Time{})}}
	}
	if r.Over {
		return &lakemesh.Error{Op: opFinalize, Resource: "subscription " + r.ID, Kind: lakemesh.ErrIllegalTransition,
			Message: "it ended on " + lakemesh.FormatTime(r.Until) + " (UTC)", Hint: "ask its owner, account " + r.Owner + ", for more time", Do: []lakemesh.Call{lakemesh.Do("consumer.RequestExtension", "SubscriptionID", r.ID)}}
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

// fewTables is up to how many tables are asked for by their names rather than listed.
const fewTables = 3

func (f *finalizing) output(p *plan.Plan) *FinalizeOutput {
	r := f.record
	out := &FinalizeOutput{SubscriptionID: r.ID, DatabaseName: r.Database, LinkDatabase: f.link, Tables: nonNil(r.Tables),
		Principals: []string{}, Permissions: []string{}, AcceptedShares: []string{}, Warnings: p.Warnings}
	if to := f.recipients(); len(to) > 0 {
		if given := f.given(); len(given) > 0 {
			out.Principals, out.Permissions = to, given.Strings()
		}
	}
	for _, l := range f.otherLinks {
		out.LinkRegions = append(out.LinkRegions, l.region)
	}
	if len(out.LinkRegions) > 0 && !f.elsewhere {
		out.LinkRegions = slices.Insert(out.LinkRegions, 0, f.consumer.region)
	} else if len(out.LinkRegions) > 0 {
		out.LinkDatabase = f.otherLinks[0].name
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
