package producer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

const opAdoptGrants = "AdoptGrants"

// AdoptGrantsInput narrows which grants are taken over. What is empty narrows nothing.
type AdoptGrantsInput struct {
	// Consumer is an account.
	Consumer string
	// Database is a product's database in the mesh, Table a table of it.
	Database, Table string
	// Expect is the digest of the plan that was shown; see [ApproveInput].
	Expect string
}

// AdoptedGrants are grants that became a subscription.
type AdoptedGrants struct {
	// SubscriptionID is empty in a plan.
	SubscriptionID string `json:"SubscriptionId,omitempty"`
	Consumer       string `json:"Consumer"`
	DatabaseName   string `json:"DatabaseName"`
	// Tables are the tables; empty means all of the database.
	Tables      []string `json:"Tables"`
	Permissions []string `json:"Permissions"`
	Grantable   []string `json:"GrantablePermissions"`
	// Missing is what a subscription comes with and is not there, so that the consumer may
	// not be able to read: nothing of it is made by taking grants over.
	Missing []string `json:"Missing,omitempty"`
}

// LeftGrant is a grant that stays as it is, and why.
type LeftGrant struct {
	Principal   string   `json:"Principal"`
	Resource    string   `json:"Resource"`
	Permissions []string `json:"Permissions"`
	Grantable   []string `json:"GrantablePermissions"`
	Why         string   `json:"Why"`
	// Do takes it in; mostly empty.
	Do []lakemesh.Call `json:"Do,omitempty"`
}

// AdoptGrantsOutput tells what became of grants that were made by hand.
type AdoptGrantsOutput struct {
	Adopted []AdoptedGrants `json:"Adopted"`
	// Left are those that cannot become subscriptions.
	Left []LeftGrant `json:"Left"`
	// Justified counts the grants of consumers that subscriptions justify already.
	Justified int `json:"Justified"`
	// Warnings are what the owner should know: what is missing, what is left and why, and
	// what may be hidden.
	Warnings []string `json:"Warnings,omitempty"`
}

// AdoptGrants takes over what was granted by hand on this producer's products: each
// consumer gets active subscriptions that say what it holds, no more and no less. From
// then on it is as if lakemesh had granted it: it is listed and verified, and updating or
// deleting the subscription takes it away.
//
// No call is made that changes access. What a subscription comes with and is not there,
// such as an open prefix, is told and not made. What no subscription can say stays as it
// is, and is told as well. Repeating it takes over what has been granted since.
//
// It fails with [lakemesh.ErrInvalidInput] and [lakemesh.ErrNotFound] before anything is
// written, with [lakemesh.ErrAccessDenied] if Lake Formation hides all grants, and with
// [lakemesh.ErrChanged] if the plan is not the expected one.
func (p *Producer) AdoptGrants(ctx context.Context, in AdoptGrantsInput) (*AdoptGrantsOutput, error) {
	a, err := p.lookForGrants(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(a.granted) == 0 {
		todo, err := a.plan(nil)
		if err != nil {
			return nil, err
		}
		return a.output(todo), nil
	}
	lease, kept, err := p.records.Acquire(ctx, p.account, opAdoptGrants+" "+lakemesh.NewShortID(), lakemesh.ActionAdopt)
	if err != nil {
		return nil, err
	}
	defer func() {
		if failed := lease.Release(ctx); failed != nil {
			// What was written stands, and the lease runs out by itself.
			p.log.WarnContext(ctx, "could not give the lease back", "error", failed)
		}
	}()
	// Somebody may have decided in the meantime.
	if a, err = p.lookForGrants(kept, in); err != nil {
		return nil, p.lost(kept, err)
	}
	todo, err := a.plan(lease)
	if err != nil {
		return nil, err
	}
	if err := p.apply(kept, todo); err != nil {
		return nil, p.lost(kept, err)
	}
	return a.output(todo), nil
}

// PlanAdoptGrants tells what [Producer.AdoptGrants] would do. What it returns cannot be
// applied.
func (p *Producer) PlanAdoptGrants(ctx context.Context, in AdoptGrantsInput) (*plan.Plan, error) {
	a, err := p.lookForGrants(ctx, in)
	if err != nil {
		return nil, err
	}
	todo, err := a.plan(nil)
	if err != nil {
		return nil, err
	}
	return todo.Preview(), nil
}

// checkAdopt checks the input, and brings names into the form in which they are kept.
func (p *Producer) checkAdopt(in *AdoptGrantsInput) error {
	in.Consumer = strings.TrimSpace(in.Consumer)
	in.Database, in.Table = strings.ToLower(strings.TrimSpace(in.Database)), strings.ToLower(strings.TrimSpace(in.Table))
	if in.Table != "" && in.Database == "" {
		return lakemesh.Invalid("Table", "a table is one of a database: name the product, too")
	}
	if in.Consumer == "" {
		return nil
	}
	if err := lakemesh.CheckAccountID("Consumer", in.Consumer); err != nil {
		return err
	}
	if in.Consumer == p.account || in.Consumer == p.meshAccount {
		return lakemesh.Invalid("Consumer", "%s is the %s's own account: what it holds is not held by a subscription", in.Consumer,
			map[bool]string{true: "owner", false: "mesh"}[in.Consumer == p.account])
	}
	return nil
}

// adoption is what was found of grants that were made by hand.
type adoption struct {
	*inspected
	in AdoptGrantsInput

	// granted become subscriptions; missing is, for each, what it would lack.
	granted []tracker.Granted
	missing [][]string
	ids     []string
	left    []LeftGrant
	// justified counts grants of consumers that need no taking over.
	justified int
	warnings  []string
}

// about reports whether a grant is asked about.
func (in AdoptGrantsInput) about(k access.Key) bool {
	if in.Consumer != "" && in.Consumer != k.Grantee.Account() || in.Database != "" && in.Database != k.Object.Database {
		return false
	}
	return in.Table == "" || in.Table == k.Object.Table || k.Object.Kind == access.KindDatabase
}

// judge computes what the grants become.
func (a *adoption) judge() error {
	there := a.have.Access()
	granted := a.inspected.granted()
	made, allowed := granted.Decided()
	asked := func(k access.Key) bool { return a.in.about(k) && granted.Watched(k) }
	foreign := granted.Undecided(access.Diff(made, allowed, there.Union(a.parts).On(asked)).Foreign.On(asked))
	for k, h := range there.On(asked) {
		if string(k.Grantee) == k.Grantee.Account() && h.Minus(foreign[k]).Equal(h) && !h.Empty() && !a.theirs(k, h) {
			a.justified++
		}
	}
	adoptions, left := access.Adopt(foreign, a.catalogRead(nil), func(database, table string) bool { return a.owns(database, table) })
	for _, l := range left {
		if a.in.Table != "" && l.Key.Object.Kind == access.KindDatabase {
			continue
		}
		a.leave(l, granted)
	}
	for _, o := range adoptions {
		if err := a.take(o); err != nil {
			return err
		}
	}
	return a.leaveFound(asked, granted, there)
}

// take makes a record of an adoption.
func (a *adoption) take(o access.Adoption) error {
	t := o.Terms
	g := tracker.Granted{Owner: t.Owner, Subscriber: string(t.Grantees[0]), Database: t.Scope.Database, Tables: t.Scope.Tables, Whole: t.Scope.AllTables,
		Permitted: t.Permissions, Grantable: t.Grantable}
	var err error
	if g.Found, err = encodeKept(o.Keep); err != nil {
		return err
	}
	if err := tracker.CheckGranted(g); err != nil {
		return fmt.Errorf("grants of account %s on database %s: %w", g.Subscriber, g.Database, err)
	}
	a.granted = append(a.granted, g)
	return nil
}

// leave notes what stays as it is.
func (a *adoption) leave(l access.Leftover, granted *chain.Granted) {
	g := LeftGrant{Principal: string(l.Key.Grantee), Resource: l.Key.Object.String(), Permissions: l.Held.Permissions.Strings(), Grantable: l.Held.Grantable.Strings(), Why: l.Why}
	if len(l.Held.Permissions) == 0 && l.Key.Object.Kind != access.KindDatabase {
		g.Do = a.widens(l, granted)
	}
	a.left = append(a.left, g)
}

// widens is how a subscription comes to say what may be handed on as well.
func (a *adoption) widens(l access.Leftover, granted *chain.Granted) []lakemesh.Call {
	subscriptions := granted.SubscriptionsOn(l.Key)
	for _, r := range a.records {
		if !slices.Contains(subscriptions, r.ID) || r.Status != lakemesh.Active || r.Claim != nil || r.Leaving || !l.Held.Grantable.SubsetOf(r.Permitted) {
			continue
		}
		return []lakemesh.Call{lakemesh.Do("producer.UpdateSubscriptionPermissions", "SubscriptionID", r.ID, "GrantPermissions", strings.Join(r.Permitted.Strings(), ","),
			"GrantablePermissions", strings.Join(r.Grantable.Union(l.Held.Grantable).Strings(), ","))}
	}
	return nil
}

// output is what became of it.
func (a *adoption) output(todo *plan.Plan) *AdoptGrantsOutput {
	out := &AdoptGrantsOutput{Adopted: make([]AdoptedGrants, len(a.granted)), Left: a.left, Justified: a.justified, Warnings: todo.Warnings}
	if out.Left == nil {
		out.Left = []LeftGrant{}
	}
	for i := range a.granted {
		out.Adopted[i] = a.adopted(i)
	}
	return out
}

func (a *adoption) adopted(i int) AdoptedGrants {
	g := a.granted[i]
	one := AdoptedGrants{Consumer: g.Subscriber, DatabaseName: g.Database, Tables: append([]string{}, g.Tables...), Permissions: g.Permitted.Strings(),
		Grantable: g.Grantable.Strings(), Missing: a.missing[i]}
	if i < len(a.ids) {
		one.SubscriptionID = a.ids[i]
	}
	return one
}

// plan writes a record for each subscription, under the lease; nil is for a preview.
func (a *adoption) plan(lease *tracker.Lease) (*plan.Plan, error) {
	todo := &plan.Plan{Operation: opAdoptGrants}
	a.ids = make([]string, len(a.granted))
	for i, g := range a.granted {
		todo.Add(plan.Step{Kind: plan.Record, Account: a.meshAccount, Resource: "subscription of account " + g.Subscriber, Detail: a.adopted(i),
			Summary: fmt.Sprintf("record as a subscription what account %s holds by hand: %s on %s", g.Subscriber, chain.Held(access.Held{Permissions: g.Permitted, Grantable: g.Grantable}), onWhat(g)),
			Run: func(ctx context.Context) (err error) {
				a.ids[i], err = lease.AdoptGrants(ctx, g)
				return err
			}})
		for _, what := range a.missing[i] {
			todo.Warn("account %s on %s: %s", g.Subscriber, onWhat(g), what)
		}
	}
	for _, l := range a.left {
		text := fmt.Sprintf("not taken over: %s of %s on %s: %s", heldText(l), l.Principal, l.Resource, l.Why)
		for _, call := range l.Do {
			text += ": " + call.String()
		}
		todo.Warn("%s", text)
	}
	for _, w := range a.warnings {
		todo.Warn("%s", w)
	}
	todo.Digest = todo.ComputeDigest()
	return todo, expected(&decision{op: opAdoptGrants, expect: a.in.Expect}, todo)
}

// onWhat names what a subscription is on, and of many tables the first.
func onWhat(g tracker.Granted) string {
	if g.Whole {
		return "all tables of database " + g.Database
	}
	names := g.Tables[:min(len(g.Tables), mostNamed)]
	text := strings.Join(names, ", ")
	if more := len(g.Tables) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s in database %s", text, g.Database)
}

func heldText(l LeftGrant) string {
	permitted, grantable := strings.Join(l.Permissions, ", "), strings.Join(l.Grantable, ", ")
	switch {
	case permitted == "":
		return "the right to hand on " + grantable
	case grantable == "":
		return permitted
	}
	return permitted + " (to hand on: " + grantable + ")"
}

// explainAdopt words an error of AWS.
func (p *Producer) explainAdopt(err error) error {
	return identity.Explain(opAdoptGrants, p.meshAccount, "the products of account "+p.account, err)
}
