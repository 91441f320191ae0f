package producer_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/producer"
)

// listed is a list in short: what each principal holds on each object, of these origins.
func listed(l *access.List, origins ...access.Origin) map[string]string {
	held := map[string]access.Held{}
	for _, e := range l.Entries {
		if len(origins) == 0 || slices.Contains(origins, e.Origin) {
			on := fmt.Sprintf("%s: %s %s.%s %v %s", e.Principal, e.Kind, e.Database, e.Table, e.Columns, e.Tags)
			held[on] = held[on].Union(access.Held{Permissions: e.Permissions, Grantable: e.Grantable})
		}
	}
	all := map[string]string{}
	for on, h := range held {
		all[on] = h.Permissions.String() + " / " + h.Grantable.String()
	}
	return all
}

// through is which subscriptions a list names for what.
func through(l *access.List) map[string]string {
	all := map[string]string{}
	for _, e := range l.Entries {
		if e.Origin == access.BySubscription {
			all[fmt.Sprintf("%s: %s %s.%s", e.Principal, e.Kind, e.Database, e.Table)] = fmt.Sprint(e.Permissions, e.Grantable, e.Through, e.Since)
		}
	}
	return all
}

// A list of now has what Lake Formation has, no more and no less; and a list of a moment
// that has passed has what the list of that moment had by subscriptions.
func TestListsHaveWhatIsHeldAndWhatWasHeld(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("life ", seed), func(t *testing.T) {
			t.Parallel()
			life(t, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

func life(t *testing.T, random *rand.Rand) {
	w := newWorld(t)
	allSeen(t, w)
	a, err := admin.New(t.Context(), w.accounts.Options(meshAccount))
	if err != nil {
		t.Fatal(err)
	}
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(w.manager()), Account: meshAccount}
	type moment struct {
		at   time.Time
		held map[string]string
		why  map[string]string
	}
	var moments []moment
	var active []string
	accounts, tables := []string{consumerAccount, otherConsumer}, []string{"orders", "orders_eu", "customers"}
	some := func(all ...string) []string {
		chosen := []string{all[random.IntN(len(all))]}
		for _, one := range all {
			if random.IntN(2) == 0 && !slices.Contains(chosen, one) {
				chosen = append(chosen, one)
			}
		}
		return chosen
	}
	step := func() string {
		account := accounts[random.IntN(2)]
		kind := random.IntN(5)
		if len(active) == 0 && kind < 3 {
			kind = 3
		}
		switch kind {
		case 0:
			i := random.IntN(len(active))
			w.end(t, active[i])
			active = slices.Delete(active, i, i+1)
			return "end"
		case 1, 2:
			granted := some("SELECT", "DESCRIBE", "INSERT")
			in := producer.UpdateInput{SubscriptionID: active[random.IntN(len(active))], GrantPermissions: granted, GrantablePermissions: some(granted...)}
			if err := w.producer.UpdateSubscriptionPermissions(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			return "update"
		case 3:
			id := w.request(t, account, some(tables...), some("SELECT", "DESCRIBE", "INSERT")...)
			in := producer.ApproveInput{RequestID: id}
			if random.IntN(2) == 0 {
				in.GrantablePermissions = []string{}
			}
			w.approve(t, in)
			active = append(active, id)
			return "approve"
		}
		// What a subscription comes with is there, too: a list of a moment that has passed has
		// it in any case.
		w.give(t, byHand{account, onDatabase(), permissionsOf(desc), nil}, byHand{account, tableOf(tables[random.IntN(3)]), permissionsOf(ins, desc)[:1+random.IntN(2)], nil})
		if random.IntN(2) == 0 {
			return "by hand"
		}
		out, err := w.producer.AdoptGrants(t.Context(), producer.AdoptGrantsInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range out.Adopted {
			active = append(active, g.SubscriptionID)
		}
		return "adopt"
	}
	there := func() map[string]string {
		readers, err := lake.Readers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for k, h := range readers {
			want[fmt.Sprintf("%s: %s %s.%s %v %s", k.Grantee, k.Object.Kind, k.Object.Database, k.Object.Table, k.Object.Columns(), access.Tags(nil))] = h.Permissions.String() + " / " + h.Grantable.String()
		}
		return want
	}
	for range 9 {
		did := step()
		mine, err := w.producer.AccessList(t.Context(), producer.AccessListInput{})
		if err != nil {
			t.Fatal(err)
		}
		all, err := a.AccessList(t.Context(), admin.AccessListInput{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(there(), listed(all)); diff != "" {
			t.Fatalf("after %s the administrator's list differs from Lake Formation (-there +listed):\n%s", did, diff)
		}
		if diff := cmp.Diff(listed(all, access.BySubscription, access.ByHand), listed(mine, access.BySubscription, access.ByHand)); diff != "" {
			t.Fatalf("after %s the owner's list differs from the administrator's:\n%s", did, diff)
		}
		moments = append(moments, moment{time.Now(), listed(mine, access.BySubscription), through(mine)})
	}
	for n, m := range moments {
		then, err := w.producer.AccessList(t.Context(), producer.AccessListInput{At: &m.at})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m.held, listed(then)); diff != "" {
			t.Errorf("of moment %d the list says something else (-then +now):\n%s", n, diff)
		}
		if diff := cmp.Diff(m.why, through(then)); diff != "" {
			t.Errorf("of moment %d the list names others (-then +now):\n%s", n, diff)
		}
	}

	// What somebody took away by hand is not in the list, whatever a subscription says.
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	w.revokeByHand(t, tableOf("orders"), permissionsOf(sel), permissionsOf(sel))
	all, err := a.AccessList(t.Context(), admin.AccessListInput{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(there(), listed(all)); diff != "" {
		t.Errorf("after a grant was revoked by hand the list differs from Lake Formation (-there +listed):\n%s", diff)
	}
}

// A role of a consumer to which somebody granted by hand is in the list, whether or not
// its account has a subscription.
func TestAGrantToARoleOfAConsumerIsListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	allSeen(t, w)
	role := lakemesh.RoleARN(consumerAccount, lakemesh.ConsumerRole)
	w.give(t, byHand{role, tableOf("orders"), permissionsOf(sel), nil})
	byHandOf := func() *access.Entry {
		list, err := w.producer.AccessList(t.Context(), producer.AccessListInput{ListFilter: access.ListFilter{Principal: consumerAccount, Table: "orders"}})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list.Entries, func(e access.Entry) bool { return e.Principal == role && e.Account == consumerAccount })
		if i < 0 {
			return nil
		}
		return &list.Entries[i]
	}
	if e := byHandOf(); e == nil || e.Origin != access.ByHand || !e.Permissions.Has(lakemesh.Select) {
		t.Errorf("without a subscription: %+v", e)
	}
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id, GrantablePermissions: []string{}})
	if e := byHandOf(); e == nil || e.Origin != access.ByHand {
		t.Errorf("beside a subscription of which nothing may be handed on: %+v", e)
	}
}

func TestAListOfWhatIsNotThereSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, f := range []access.ListFilter{{Database: "nowhere"}, {Table: "nothing", Database: meshDatabase}, {Principal: "777777777777"}} {
		list, err := w.producer.AccessList(t.Context(), producer.AccessListInput{ListFilter: f})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Entries) > 0 || !slices.ContainsFunc(list.Notes, func(n string) bool {
			return n == "nothing that is granted is as asked for; that it exists is not looked at"
		}) {
			t.Errorf("%+v: %+v", f, list)
		}
	}
}

// Lake Formation answers who may not list with an empty list: that is no list of nobody.
func TestAListThatIsKeptFromItsReaderIsRefusedAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request(t, consumerAccount, []string{"orders"}, "SELECT")
	w.approve(t, producer.ApproveInput{RequestID: id})
	if _, err := w.asking[consumerAccount].FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	blind := func(account string) lakemesh.Options {
		o := w.accounts.Options(account)
		cfg := meshtest.Answering(*o.Config, func(_ string, _, out any) {
			switch out := out.(type) {
			case *lakeformation.ListPermissionsOutput:
				out.PrincipalResourcePermissions = nil
			case *lakeformation.GetDataLakeSettingsOutput:
				out.DataLakeSettings.DataLakeAdmins = nil
			}
		})
		o.Config = &cfg
		return o
	}
	p, err := producer.New(t.Context(), blind(producerAccount))
	if err != nil {
		t.Fatal(err)
	}
	c, err := consumer.New(t.Context(), blind(consumerAccount))
	if err != nil {
		t.Fatal(err)
	}
	a, err := admin.New(t.Context(), blind(meshAccount))
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := admin.New(t.Context(), w.accounts.Options(producerAccount))
	if err != nil {
		t.Fatal(err)
	}
	for who, test := range map[string]struct {
		list func() (*access.List, error)
		kind error
		says []string
	}{
		"owner": {func() (*access.List, error) { return p.AccessList(t.Context(), producer.AccessListInput{}) }, lakemesh.ErrAccessDenied,
			[]string{"shows no grants at all", "admin.AccessList()", "admin.UpgradeMesh()"}},
		"consumer": {func() (*access.List, error) { return c.AccessList(t.Context(), consumer.AccessListInput{}) }, lakemesh.ErrAccessDenied,
			[]string{"shows no grants at all", "DataMeshConsumer has to be a data lake administrator", "admin.InitializeConsumerAccount()"}},
		"administrator": {func() (*access.List, error) { return a.AccessList(t.Context(), admin.AccessListInput{}) }, lakemesh.ErrAccessDenied,
			[]string{"DataMeshManager is no data lake administrator", "admin.InitializeMeshAccount()"}},
		"another account's administrator": {func() (*access.List, error) { return wrong.AccessList(t.Context(), admin.AccessListInput{}) }, lakemesh.ErrWrongAccount,
			[]string{"this is done in the mesh account " + meshAccount}},
		"owner who adopts": {func() (*access.List, error) {
			_, err := p.AdoptGrants(t.Context(), producer.AdoptGrantsInput{})
			return nil, err
		}, lakemesh.ErrAccessDenied, []string{"shows no grants at all"}},
	} {
		list, err := test.list()
		if list != nil || !errors.Is(err, test.kind) {
			t.Errorf("%s: %+v, %v", who, list, err)
			continue
		}
		for _, text := range test.says {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v; want that it says %q", who, err, text)
			}
		}
	}
}
