package producer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// byHand is a grant that somebody makes.
type byHand struct {
	to       string
	on       *lftypes.Resource
	all, may []lftypes.Permission
}

const (
	sel  = lftypes.PermissionSelect
	desc = lftypes.PermissionDescribe
	ins  = lftypes.PermissionInsert
	sup  = lftypes.PermissionAll
)

func permissionsOf(all ...lftypes.Permission) []lftypes.Permission { return all }

func onDatabase() *lftypes.Resource {
	return &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(meshDatabase)}}
}

func onColumns(table string, columns ...string) *lftypes.Resource {
	return &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(meshDatabase), Name: &table, ColumnNames: columns}}
}

// give grants by hand, as an administrator of the mesh's data lake does.
func (w *world) give(t *testing.T, all ...byHand) {
	t.Helper()
	for _, g := range all {
		// New roles may be known late.
		if err := meshtest.Try(w.mesh, func() error {
			_, err := manager(t, w).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &g.to},
				Resource: g.on, Permissions: g.all, PermissionsWithGrantOption: g.may})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// wildcard lets the producer's role grant on all tables.
func (w *world) wildcard(t *testing.T, all ...lftypes.Permission) {
	w.give(t, byHand{lakemesh.RoleARN(meshAccount, lakemesh.MeshProducerRole(producerAccount)), allTables(), all, all})
}

// allSeen skips where Lake Formation shows a producer only its own.
func allSeen(t *testing.T, w *world) {
	t.Helper()
	meshtest.Without(t, w.mesh, "what others hold cannot be seen", func(r localmesh.Readings) bool { return r.ListingsShowOwnRows })
}

// everything is all that is granted in the mesh, each as "principal, resource, held".
func (w *world) everything(t *testing.T) []string {
	t.Helper()
	held, may := map[string][]string{}, map[string][]string{}
	pages := lakeformation.NewListPermissionsPaginator(lakeformation.NewFromConfig(w.manager()), &lakeformation.ListPermissionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.PrincipalResourcePermissions {
			r.Resource = simple(r.Resource)
			on := *r.Principal.DataLakePrincipalIdentifier + ", " + where(r.Resource)
			// SELECT comes in a row of its own.
			for _, p := range r.Permissions {
				held[on] = append(held[on], string(p))
			}
			for _, p := range r.PermissionsWithGrantOption {
				may[on] = append(may[on], string(p))
			}
		}
	}
	all := []string{}
	for on := range held {
		slices.Sort(held[on])
		slices.Sort(may[on])
		all = append(all, fmt.Sprintf("%s, %v / %v", on, held[on], may[on]))
	}
	slices.Sort(all)
	return all
}

// simple is a resource without what stands for all columns.
func simple(r *lftypes.Resource) *lftypes.Resource {
	if t := r.TableWithColumns; t != nil && aws.ToString(t.Name) == "ALL_TABLES" {
		return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: t.DatabaseName, TableWildcard: &lftypes.TableWildcard{}}}
	}
	if t := r.TableWithColumns; t != nil && len(t.ColumnNames) == 0 {
		return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: t.DatabaseName, Name: t.Name}}
	}
	return r
}

func where(r *lftypes.Resource) string {
	switch {
	case r.Database != nil:
		return "database " + *r.Database.Name
	case r.Table != nil && r.Table.TableWildcard != nil:
		return "all tables of " + *r.Table.DatabaseName
	case r.Table != nil:
		return "table " + aws.ToString(r.Table.Name)
	case r.TableWithColumns != nil:
		return fmt.Sprint("columns ", r.TableWithColumns.ColumnNames, " of ", *r.TableWithColumns.Name)
	case r.DataLocation != nil:
		return *r.DataLocation.ResourceArn
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// adopt takes grants over, and checks that it makes no call which changes access.
func (w *world) adopt(t *testing.T, in producer.AdoptGrantsInput) *producer.AdoptGrantsOutput {
	t.Helper()
	before := w.everything(t)
	policy := w.openPrefixes(t)
	w.mesh.ResetCounts()
	out, err := w.producer.AdoptGrants(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range writes(w.mesh) {
		if call != "dynamodb:UpdateItem" && call != "dynamodb:TransactWriteItems" {
			t.Errorf("taking grants over calls %s", call)
		}
	}
	if len(out.Adopted) == 0 && len(writes(w.mesh)) > 0 {
		t.Errorf("nothing is taken over, and it writes %v", writes(w.mesh))
	}
	if diff := cmp.Diff(before, w.everything(t)); diff != "" {
		t.Errorf("taking grants over changed access (-before +after):\n%s", diff)
	}
	if after := w.openPrefixes(t); !slices.Equal(policy, after) {
		t.Errorf("taking grants over opened %v, was %v", after, policy)
	}
	return out
}

// told is what was taken over and left, in short.
func told(out *producer.AdoptGrantsOutput) (adopted, left []string) {
	adopted, left = []string{}, []string{}
	for _, a := range out.Adopted {
		adopted = append(adopted, fmt.Sprintf("%s: %s / %s on %s", a.Consumer, strings.Join(a.Permissions, ","), strings.Join(a.Grantable, ","), strings.Join(a.Tables, ",")))
	}
	for _, l := range out.Left {
		left = append(left, fmt.Sprintf("%s: %s / %s on %s", l.Principal, strings.Join(l.Permissions, ","), strings.Join(l.Grantable, ","), l.Resource))
	}
	slices.Sort(adopted)
	slices.Sort(left)
	return adopted, left
}

// remains checks that nothing is there beside what was, but for what was left.
func (w *world) remains(t *testing.T, was []string, left []producer.LeftGrant) {
	t.Helper()
	there := slices.DeleteFunc(w.everything(t), func(g string) bool { return slices.Contains(was, g) })
	names := strings.NewReplacer("all tables of database ", "all tables of ", "columns id of table ", "columns [id] of ", meshDatabase+".", "")
	held, may := map[string][]string{}, map[string][]string{}
	for _, l := range left {
		on := l.Principal + ", " + names.Replace(l.Resource)
		held[on], may[on] = slices.Sorted(slices.Values(append(held[on], l.Permissions...))), slices.Sorted(slices.Values(append(may[on], l.Grantable...)))
	}
	want := []string{}
	for on := range held {
		want = append(want, fmt.Sprintf("%s, %v / %v", on, held[on], may[on]))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, there); diff != "" {
		t.Errorf("in the end there is (-want what was left, +got):\n%s", diff)
	}
}

func TestGrantsThatWereMadeByHandBecomeSubscriptionsAndEndExactly(t *testing.T) {
	t.Parallel()
	const c, other = consumerAccount, otherConsumer
	role := lakemesh.RoleARN(c, lakemesh.ConsumerRole)
	database, table := "database "+meshDatabase, func(name string) string { return "table " + meshDatabase + "." + name }
	for name, test := range map[string]struct {
		wild          []lftypes.Permission
		give          []byHand
		adopted, left []string
		// missing tells that a subscription comes with more than is there.
		missing bool
	}{
		"as the console grants: everything": {give: []byHand{{c, tableOf("orders"), permissionsOf(sup), permissionsOf(sup)}, {c, onDatabase(), permissionsOf(desc), permissionsOf(desc)}},
			adopted: []string{c + ": ALL / ALL on orders"}, missing: true},
		"SELECT without DESCRIBE": {give: []byHand{{c, tableOf("orders"), permissionsOf(sel), nil}}, adopted: []string{c + ": SELECT /  on orders"}, missing: true},
		"DESCRIBE alone":          {give: []byHand{{c, tableOf("orders"), permissionsOf(desc), nil}, {c, onDatabase(), permissionsOf(desc), nil}}, adopted: []string{c + ": DESCRIBE /  on orders"}},
		"some may be handed on": {give: []byHand{{c, tableOf("orders"), permissionsOf(sel, desc, ins), permissionsOf(sel)}, {c, onDatabase(), permissionsOf(desc), permissionsOf(desc)}},
			adopted: []string{c + ": DESCRIBE,INSERT,SELECT / SELECT on orders"}, missing: true},
		"the same on two tables, something else on the third, and two accounts": {
			give: []byHand{{c, tableOf("orders"), permissionsOf(sel, desc), nil}, {c, tableOf("customers"), permissionsOf(sel, desc), nil}, {c, tableOf("orders_eu"), permissionsOf(desc), nil},
				{other, tableOf("orders"), permissionsOf(desc), permissionsOf(desc)}},
			adopted: []string{other + ": DESCRIBE / DESCRIBE on orders", c + ": DESCRIBE /  on orders_eu", c + ": DESCRIBE,SELECT /  on customers,orders"}, missing: true},
		"all tables": {wild: permissionsOf(sel, desc), give: []byHand{{c, allTables(), permissionsOf(sel, desc), permissionsOf(sel, desc)}, {c, onDatabase(), permissionsOf(desc), permissionsOf(desc)}},
			adopted: []string{c + ": DESCRIBE,SELECT / DESCRIBE,SELECT on "}, missing: true},
		"all tables, and the same and more on each": {wild: permissionsOf(desc),
			give:    []byHand{{c, allTables(), permissionsOf(desc), nil}, {c, tableOf("orders"), permissionsOf(desc), nil}, {c, tableOf("customers"), permissionsOf(desc, ins), nil}},
			adopted: []string{c + ": DESCRIBE /  on ", c + ": DESCRIBE,INSERT /  on customers"}, missing: true},
		"the database alone": {give: []byHand{{c, onDatabase(), permissionsOf(desc), nil}}, left: []string{c + ": DESCRIBE /  on " + database}},
		"the database may be handed on, and no table": {give: []byHand{{c, onDatabase(), permissionsOf(desc), permissionsOf(desc)}, {c, tableOf("orders"), permissionsOf(desc), nil}},
			adopted: []string{c + ": DESCRIBE /  on orders"}, left: []string{c + ": DESCRIBE / DESCRIBE on " + database}},
		"more than DESCRIBE on the database": {give: []byHand{{c, onDatabase(), permissionsOf(desc, lftypes.PermissionCreateTable), nil}, {c, tableOf("orders"), permissionsOf(desc), nil}},
			adopted: []string{c + ": DESCRIBE /  on orders"}, left: []string{c + ": CREATE_TABLE /  on " + database}},
		"columns, and to a role": {give: []byHand{{c, onColumns("orders", "id"), permissionsOf(sel), nil}, {role, tableOf("customers"), permissionsOf(sel), nil}},
			left: []string{role + ": SELECT /  on " + table("customers"), c + ": SELECT /  on columns id of " + table("orders")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			allSeen(t, w)
			if test.wild != nil {
				w.wildcard(t, test.wild...)
			}
			empty := w.everything(t)
			w.give(t, test.give...)

			todo, err := w.producer.PlanAdoptGrants(t.Context(), producer.AdoptGrantsInput{})
			if err != nil {
				t.Fatal(err)
			}
			out := w.adopt(t, producer.AdoptGrantsInput{Expect: todo.Digest})
			adopted, left := told(out)
			if test.adopted == nil {
				test.adopted = []string{}
			}
			if test.left == nil {
				test.left = []string{}
			}
			slices.Sort(test.adopted)
			slices.Sort(test.left)
			if diff := cmp.Diff(test.adopted, adopted); diff != "" {
				t.Errorf("taken over (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.left, left); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			if len(todo.Steps) != len(out.Adopted) {
				t.Errorf("the plan says\n%s", todo)
			}
			lacks := slices.ContainsFunc(out.Adopted, func(a producer.AdoptedGrants) bool { return len(a.Missing) > 0 })
			if lacks != test.missing {
				t.Errorf("missing is %+v, want some: %t", out.Adopted, test.missing)
			}
			// A second time there is nothing to take over.
			if again := w.adopt(t, producer.AdoptGrantsInput{}); len(again.Adopted) > 0 {
				t.Errorf("once more it takes over %+v", again.Adopted)
			}
			// What is left is all that is undecided, and what is missing was told.
			v, said := w.verify(t, producer.VerifyInput{})
			for _, f := range v.Findings {
				if f.Kind == "undecided" && !slices.ContainsFunc(out.Left, func(l producer.LeftGrant) bool { return l.Principal == f.Principal && l.Resource == f.Resource }) {
					t.Errorf("verify finds %q", said)
				}
				if f.Kind == "missing" && !lacks {
					t.Errorf("verify finds missing what was not told: %q", said)
				}
			}
			for _, a := range out.Adopted {
				s := w.get(t, a.SubscriptionID)
				if s.Tampered != "" || s.HistoryFault != nil || len(s.History) != 1 || s.History[0].Action != lakemesh.ActionAdopt || s.History[0].By == "" {
					t.Errorf("the record is %+v", s)
				}
				w.end(t, a.SubscriptionID)
			}
			w.remains(t, empty, out.Left)
		})
	}
}

// Whatever was granted by hand, and is decided afterwards: once all has ended there is
// what was left, and nothing else.
func TestWhateverWasTakenOverEndsExactly(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("life ", seed), func(t *testing.T) {
			t.Parallel()
			takenOver(t, rand.New(rand.NewPCG(seed, 2)))
		})
	}
}

func takenOver(t *testing.T, random *rand.Rand) {
	w := newWorld(t)
	allSeen(t, w)
	w.wildcard(t, sel, desc, ins)
	was := w.everything(t)
	maybe := func() bool { return random.IntN(2) == 0 }
	some := func(all ...lftypes.Permission) []lftypes.Permission {
		return slices.DeleteFunc(slices.Clone(all), func(lftypes.Permission) bool { return maybe() })
	}
	accounts := []string{consumerAccount, otherConsumer}
	tables := []string{"orders", "orders_eu", "customers"}
	for _, to := range []string{consumerAccount, otherConsumer, lakemesh.RoleARN(otherConsumer, lakemesh.ConsumerRole)} {
		on := []*lftypes.Resource{tableOf("orders"), tableOf("orders_eu"), tableOf("customers"), allTables()}
		if slices.Contains(accounts, to) {
			on = append(on, onDatabase())
		}
		for _, r := range on {
			all := some(sel, desc, ins)
			if r.Database != nil {
				all = some(desc, lftypes.PermissionCreateTable)
			}
			if may := some(all...); len(all) > 0 && maybe() {
				if !slices.Contains(accounts, to) {
					may = nil
				}
				w.give(t, byHand{to, r, all, may})
			}
		}
	}
	w.give(t, byHand{"777777777777", onColumns("customers", "id"), permissionsOf(sel), nil})
	out := w.adopt(t, producer.AdoptGrantsInput{})
	v, said := w.verify(t, producer.VerifyInput{})
	for _, f := range v.Findings {
		if f.Kind == "undecided" && !slices.ContainsFunc(out.Left, func(l producer.LeftGrant) bool { return l.Principal == f.Principal && l.Resource == f.Resource }) {
			t.Errorf("verify finds %q, left is %+v", said, out.Left)
		}
	}
	var active []string
	for _, g := range out.Adopted {
		active = append(active, g.SubscriptionID)
	}
	for range 4 {
		if maybe() {
			id := w.request(t, accounts[random.IntN(2)], []string{tables[random.IntN(3)]}, "SELECT", "DESCRIBE")
			w.approve(t, producer.ApproveInput{RequestID: id})
			active = append(active, id)
		} else if len(active) > 0 {
			in := producer.UpdateInput{SubscriptionID: active[random.IntN(len(active))], GrantPermissions: []string{"SELECT", "INSERT"}[:1+random.IntN(2)], GrantablePermissions: []string{"SELECT"}[:random.IntN(2)]}
			if err := w.producer.UpdateSubscriptionPermissions(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
	}
	random.Shuffle(len(active), func(i, j int) { active[i], active[j] = active[j], active[i] })
	for _, id := range active {
		w.end(t, id)
	}
	w.remains(t, was, out.Left)
	v, said = w.verify(t, producer.VerifyInput{})
	for _, f := range v.Findings {
		if f.Kind != "undecided" {
			t.Errorf("in the end verify finds %q", said)
		}
	}
}

func TestASurplusBesideASubscriptionIsARecordOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	allSeen(t, w)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT", "DESCRIBE")
	w.approve(t, producer.ApproveInput{RequestID: id, GrantablePermissions: []string{}})
	w.give(t, byHand{consumerAccount, tableOf("orders"), permissionsOf(sel, ins), permissionsOf(sel)})
	out := w.adopt(t, producer.AdoptGrantsInput{Consumer: consumerAccount, Database: meshDatabase, Table: "orders"})
	adopted, left := told(out)
	if !slices.Equal(adopted, []string{consumerAccount + ": INSERT /  on orders"}) || len(left) != 1 || len(out.Left[0].Do) != 1 {
		t.Fatalf("adopted %q, left %+v", adopted, out.Left)
	}
	want := lakemesh.Do("producer.UpdateSubscriptionPermissions", "SubscriptionID", id, "GrantPermissions", "DESCRIBE,SELECT", "GrantablePermissions", "SELECT")
	if diff := cmp.Diff([]lakemesh.Call{want}, out.Left[0].Do); diff != "" {
		t.Errorf("what takes it in (-want +got):\n%s", diff)
	}
	if err := w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"DESCRIBE", "SELECT"}, GrantablePermissions: []string{"SELECT"}}); err != nil {
		t.Fatal(err)
	}
	if again := w.adopt(t, producer.AdoptGrantsInput{}); len(again.Adopted)+len(again.Left) > 0 {
		t.Errorf("once it was updated there is %+v", again)
	}
	w.end(t, id)
	w.holds(t, consumerAccount, map[string]string{"database": "DESCRIBE / ", "orders": "INSERT / "})
	w.end(t, out.Adopted[0].SubscriptionID)
	w.holds(t, consumerAccount, nil)
}

// What was there before a subscription gave the same is not taken over while that lasts.
func TestWhatWasThereBeforeASubscriptionIsTakenOverWhenThatHasEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	allSeen(t, w)
	w.give(t, byHand{consumerAccount, tableOf("orders"), permissionsOf(sel), nil})
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id, GrantablePermissions: []string{}})
	out := w.adopt(t, producer.AdoptGrantsInput{})
	if len(out.Adopted) != 0 || len(out.Left) != 1 || !strings.Contains(out.Left[0].Why, id) {
		t.Fatalf("while the subscription lasts: %+v", out)
	}
	w.end(t, id)
	out = w.adopt(t, producer.AdoptGrantsInput{})
	if len(out.Adopted) != 1 {
		t.Fatalf("afterwards: %+v", out)
	}
	w.end(t, out.Adopted[0].SubscriptionID)
	w.holds(t, consumerAccount, nil)
	// Made again and taken over again, it is another subscription.
	w.give(t, byHand{consumerAccount, tableOf("orders"), permissionsOf(sel), nil})
	again := w.adopt(t, producer.AdoptGrantsInput{})
	if len(again.Adopted) != 1 || again.Adopted[0].SubscriptionID == out.Adopted[0].SubscriptionID {
		t.Errorf("again: %+v", again)
	}
}

func TestTwoOwnersProgramsTakeOverOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	allSeen(t, w)
	w.give(t, byHand{consumerAccount, tableOf("orders"), permissionsOf(sel), nil}, byHand{otherConsumer, tableOf("orders"), permissionsOf(sel), nil})
	type answer struct {
		out *producer.AdoptGrantsOutput
		err error
	}
	answers := make(chan answer)
	for range 3 {
		p := w.openProducer(t)
		go func() {
			out, err := p.AdoptGrants(t.Context(), producer.AdoptGrantsInput{})
			answers <- answer{out, err}
		}()
	}
	n := 0
	for range 3 {
		a := <-answers
		if a.err != nil {
			t.Error(a.err)
			continue
		}
		n += len(a.out.Adopted)
	}
	if n != 2 {
		t.Errorf("%d were taken over by three programs, want 2", n)
	}
}

func TestAdoptingRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		in   producer.AdoptGrantsInput
		kind error
		says string
	}{
		{producer.AdoptGrantsInput{Consumer: "12"}, lakemesh.ErrInvalidInput, "twelve digits"},
		{producer.AdoptGrantsInput{Consumer: producerAccount}, lakemesh.ErrInvalidInput, "owner's own account"},
		{producer.AdoptGrantsInput{Consumer: meshAccount}, lakemesh.ErrInvalidInput, "mesh's own account"},
		{producer.AdoptGrantsInput{Table: "orders"}, lakemesh.ErrInvalidInput, "name the product"},
		{producer.AdoptGrantsInput{Database: "nowhere"}, lakemesh.ErrNotFound, "published no table"},
		{producer.AdoptGrantsInput{Database: meshDatabase, Table: "nothing"}, lakemesh.ErrNotFound, "none that this account has published"},
	} {
		w.mesh.ResetCounts()
		_, err := w.producer.AdoptGrants(t.Context(), test.in)
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v, want %v that says %q", test.in, err, test.kind, test.says)
		}
		if wrote := writes(w.mesh); len(wrote) > 0 {
			t.Errorf("%+v wrote %v", test.in, wrote)
		}
	}
	allSeen(t, w)
	w.give(t, byHand{consumerAccount, tableOf("orders"), permissionsOf(sel), nil})
	todo, err := w.producer.PlanAdoptGrants(t.Context(), producer.AdoptGrantsInput{})
	if err != nil {
		t.Fatal(err)
	}
	w.give(t, byHand{consumerAccount, tableOf("orders"), permissionsOf(ins), nil})
	if _, err := w.producer.AdoptGrants(t.Context(), producer.AdoptGrantsInput{Expect: todo.Digest}); !errors.Is(err, lakemesh.ErrChanged) {
		t.Errorf("another plan than was shown: %v", err)
	}
}

// Where Lake Formation shows a producer nothing of others, an account that is named is
// asked about.
func TestAnAccountThatIsNamedIsAskedAboutWhereListingsShowOwnRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, localmesh.WithReadings(localmesh.Readings{ListingsShowOwnRows: true}))
	w.give(t, byHand{consumerAccount, tableOf("orders"), permissionsOf(sel, desc), permissionsOf(sel)}, byHand{consumerAccount, onDatabase(), permissionsOf(desc), permissionsOf(desc)})
	if out := w.adopt(t, producer.AdoptGrantsInput{}); len(out.Adopted) != 0 {
		t.Errorf("without a name it takes over %+v", out.Adopted)
	}
	out := w.adopt(t, producer.AdoptGrantsInput{Consumer: consumerAccount})
	if adopted, _ := told(out); !slices.Equal(adopted, []string{consumerAccount + ": DESCRIBE,SELECT / SELECT on orders"}) {
		t.Fatalf("named, it takes over %q", adopted)
	}
	w.end(t, out.Adopted[0].SubscriptionID)
	w.holds(t, consumerAccount, nil)
}

// An account that is not enabled has a subscription that its owner sees and ends.
func TestGrantsOfAnAccountThatIsNotEnabledAreTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	allSeen(t, w)
	const stranger = "777777777777"
	w.give(t, byHand{stranger, tableOf("orders"), permissionsOf(desc), nil})
	todo, err := w.producer.PlanAdoptGrants(t.Context(), producer.AdoptGrantsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(todo.Warnings, func(text string) bool { return strings.Contains(text, "not enabled as a consumer") }) {
		t.Errorf("the plan says\n%s", todo)
	}
	out := w.adopt(t, producer.AdoptGrantsInput{})
	if len(out.Adopted) != 1 {
		t.Fatalf("%+v", out)
	}
	a, err := admin.New(t.Context(), w.accounts.Options(meshAccount))
	if err != nil {
		t.Fatal(err)
	}
	list, err := a.AccessList(t.Context(), admin.AccessListInput{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list.Entries, func(e access.Entry) bool { return e.Principal == stranger })
	if i < 0 || list.Entries[i].Since == nil || !slices.Equal(list.Entries[i].Through, []string{out.Adopted[0].SubscriptionID}) {
		t.Errorf("the list of access has %+v", list.Entries)
	}
	w.end(t, out.Adopted[0].SubscriptionID)
	w.holds(t, stranger, nil)
}
