package acceptance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/producer"
)

// adopt takes the records of the original library over, and returns their new ids.
func (w *world) adopt() *admin.AdoptRecordsOutput {
	w.t.Helper()
	m, err := admin.New(w.t.Context(), w.Options(meshAccount))
	w.must(err)
	before := w.allGrants()
	out, err := m.AdoptRecords(w.t.Context())
	w.must(err)
	if after := w.allGrants(); after != before {
		w.t.Errorf("adopting changed access from\n%s\nto\n%s", before, after)
	}
	again, err := m.PlanAdoptRecords(w.t.Context())
	w.must(err)
	if !again.Empty() {
		w.t.Errorf("adopting again would do something: %s", again)
	}
	return out
}

// adopted takes one record over.
func (w *world) adopted(record item) string {
	w.t.Helper()
	id := w.adopt().Adopted[idOf(record)]
	if id == "" {
		w.t.Fatal("the record was not adopted")
	}
	return id
}

// allGrants is what everybody holds in the mesh account, and what the bucket opens.
func (w *world) allGrants() string {
	w.t.Helper()
	var text strings.Builder
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeDatabase, lftypes.DataLakeResourceTypeTable} {
		all, err := w.lake().ObserveKind(w.ctx(), kind)
		w.must(err)
		for _, e := range all.Entries() {
			fmt.Fprintln(&text, e.Principal, e.Resource, e.Permissions, e.Grantable)
		}
	}
	return text.String() + w.bucketPolicy()
}

// The identities that the original library works as.
const (
	originalConsumer = "arn:aws:sts::" + meshAccount + ":assumed-role/DataMeshAdminConsumer-" + consumerAccount + "/DataMeshConsumer"
	originalProducer = "arn:aws:sts::" + meshAccount + ":assumed-role/DataMeshAdminProducer-" + producerAccount + "/DataMeshProducer"
)

func null() dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberNULL{Value: true} }

// originalRequest is a record as the original library writes it for a request. It
// notes nothing, and has no attribute that came later.
func originalRequest(names []string, grants ...string) item {
	i := item{
		"SubscriptionId": str(lakemesh.NewShortID()), "OwnerPrincipal": str(producerAccount), "SubscriberPrincipal": str(consumerAccount),
		"Status": str("Pending"), "DatabaseName": str(product), "RequestedGrants": list(grants...),
		"CreationDate": str("2022-03-04 05:06:07"), "CreatedBy": str(originalConsumer),
	}
	if len(names) > 0 {
		i["TableName"] = list(names...)
	}
	return i
}

func idOf(i item) string { return i["SubscriptionId"].(*dynamotypes.AttributeValueMemberS).Value }

// originalApproval approves a request as the original library does: DESCRIBE on
// the database and the permissions on each table, without the grant option unless
// one was named, and then the record.
func (w *world) originalApproval(i item, granted []string, grantable []string) {
	w.t.Helper()
	lake := lakeformation.NewFromConfig(w.meshProducer())
	account := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(consumerAccount)}
	grant := func(on *lftypes.Resource, all, handOn []lftypes.Permission) {
		w.t.Helper()
		_, err := lake.GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Principal: account, Resource: on, Permissions: all, PermissionsWithGrantOption: handOn})
		w.must(err)
	}
	describe := []lftypes.Permission{lftypes.PermissionDescribe}
	grant(&lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(product)}}, describe, nil)
	var arns []string
	shares := map[string]dynamotypes.AttributeValue{}
	on := []permissions.Resource{permissions.Database(meshAccount, product)}
	for _, v := range i["TableName"].(*dynamotypes.AttributeValueMemberL).Value {
		table := v.(*dynamotypes.AttributeValueMemberS).Value
		both := func(of []string) (sel, others []lftypes.Permission) {
			for _, p := range of {
				if p == "SELECT" {
					sel = append(sel, lftypes.PermissionSelect)
				} else {
					others = append(others, lftypes.Permission(p))
				}
			}
			return sel, others
		}
		sel, others := both(granted)
		handSel, handOthers := both(grantable)
		if len(sel) > 0 {
			grant(&lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{DatabaseName: aws.String(product), Name: aws.String(table),
				ColumnWildcard: &lftypes.ColumnWildcard{}}}, sel, handSel)
		}
		if len(others) > 0 {
			grant(&lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: aws.String(table)}}, others, handOthers)
		}
		arns = append(arns, lakemesh.TableARN(region, meshAccount, product, table))
		on = append(on, permissions.Table(meshAccount, product, table))
	}
	held, err := w.lake().Observe(w.ctx(), on...)
	w.must(err)
	for _, r := range on {
		if share := held.Shares(consumerAccount, r); len(share) > 0 {
			object, kind := r.Table, "Table"
			if object == "" {
				object, kind = product, "Database"
			}
			shares[object] = &dynamotypes.AttributeValueMemberM{Value: item{"type": str(kind), "arn": str(share[0])}}
		}
	}
	i["Status"], i["PermittedGrants"], i["GrantedTableARNs"] = str("Active"), list(granted...), list(arns...)
	i["GrantableGrants"] = null()
	if grantable != nil {
		i["GrantableGrants"] = list(grantable...)
	}
	i["RamShares"] = &dynamotypes.AttributeValueMemberM{Value: shares}
	i["Notes"] = &dynamotypes.AttributeValueMemberSS{Value: []string{"welcome"}}
	i["UpdatedDate"], i["UpdatedBy"] = str("2022-03-05 06:07:08"), str(originalProducer)
	w.put(i)
}

func TestARequestOfTheOriginalLibraryLivesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := originalRequest([]string{orders}, "SELECT", "DESCRIBE")
	w.put(record)
	id := w.adopted(record)

	pending := w.pending(w.producer)
	if len(pending) != 1 {
		t.Fatalf("%d requests are pending, want 1", len(pending))
	}
	got := pending[0]
	if got.SubscriptionID != id || got.DatabaseName != product || !slices.Equal(got.TableName, []string{orders}) || got.CreatedBy != originalConsumer ||
		!slices.Equal(got.RequestedGrants, []string{"DESCRIBE", "SELECT"}) || got.SubscriberPrincipal != consumerAccount || got.CreationDate != "2022-03-04 05:06:07" {
		t.Errorf("pending is %+v", got)
	}
	w.approve(id)
	w.finalize(id)
	w.reads(self(), orders)
	w.update(id, "DESCRIBE")
	w.refused(self(), orders)
	w.opens()
	w.end(id)
	w.holds(consumerAccount, nil)

	s := w.get(id)
	var actions []lakemesh.Action
	for _, e := range s.History {
		actions = append(actions, e.Action)
	}
	want := []lakemesh.Action{lakemesh.ActionRequest, lakemesh.ActionAdopt, lakemesh.ActionApprove, lakemesh.ActionImport, lakemesh.ActionUpdate, lakemesh.ActionDelete}
	if s.Status != lakemesh.Deleted || s.Tampered != "" || !slices.Equal(actions, want) {
		t.Errorf("in the end it is %s, tampered %q, with history %v", s.Status, s.Tampered, actions)
	}
	if s.HistoryFault != nil {
		t.Error(s.HistoryFault)
	}
	// The old record says what became of it once it was brought up to date.
	w.adopt()
	if status := w.raw(idOf(record))["Status"]; status.(*dynamotypes.AttributeValueMemberS).Value != "Deleted" {
		t.Errorf("the old record says %v", status)
	}
}

// What the original library goes on to decide after its records were adopted is taken
// over, if lakemesh has not decided.
func TestWhatTheOriginalLibraryDecidesLaterIsTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := originalRequest([]string{orders}, "SELECT", "DESCRIBE")
	forged := originalRequest([]string{customers}, "SELECT")
	w.put(record)
	w.put(forged)
	known := w.adopt().Adopted
	w.originalApproval(record, []string{"SELECT", "DESCRIBE"}, nil)
	forged["Status"], forged["PermittedGrants"] = str("Active"), list("SELECT")
	forged["GrantedTableARNs"] = list(lakemesh.TableARN(region, meshAccount, product, customers))
	w.put(forged)
	m, err := admin.New(w.t.Context(), w.Options(meshAccount))
	w.must(err)
	out, err := m.AdoptRecords(t.Context())
	w.must(err)
	if s := w.get(known[idOf(record)]); s.Status != lakemesh.Active || s.Permitted.String() != "DESCRIBE, SELECT" {
		t.Errorf("what the library approved is %+v", s)
	}
	if s := w.get(known[idOf(forged)]); s.Status != lakemesh.Pending || len(out.Warnings) == 0 {
		t.Errorf("what nobody granted is %+v, warnings %v", s, out.Warnings)
	}
	w.end(known[idOf(record)])
	w.holds(consumerAccount, nil)
}

func TestARequestOfTheOriginalLibraryIsDeniedOrTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, test := range map[string]struct {
		do   func(id string) error
		want lakemesh.Status
	}{
		"denied": {func(id string) error {
			return w.openProducer(producerAccount).DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id, DecisionNotes: "no"})
		}, lakemesh.Denied},
		"taken back": {func(id string) error {
			return w.openConsumer(consumerAccount).CancelAccessRequest(t.Context(), consumer.CancelInput{SubscriptionID: id, Reason: "a mistake"})
		}, lakemesh.Deleted},
	} {
		record := originalRequest([]string{orders}, "SELECT")
		record["Notes"] = &dynamotypes.AttributeValueMemberSS{Value: []string{"please"}}
		w.put(record)
		id := w.adopted(record)
		w.must(test.do(id))
		if s := w.get(id); s.Status != test.want || s.Tampered != "" || len(s.Notes) != 2 || s.Permitted != nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
	w.holds(consumerAccount, nil)
}

func TestASubscriptionOfTheOriginalLibraryIsChangedAndEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := originalRequest([]string{orders, customers}, "SELECT", "DESCRIBE")
	w.originalApproval(record, []string{"SELECT", "DESCRIBE"}, nil)
	id := w.adopted(record)
	w.holds(consumerAccount, map[string]string{"database": "DESCRIBE / ", orders: "DESCRIBE, SELECT / ", customers: "DESCRIBE, SELECT / "})

	active, access := w.owned(w.producer, producer.ListSubscriptionsInput{Status: lakemesh.Active}), w.used(w.consumer, consumer.ListInput{})
	for who, all := range map[string][]lakemesh.Subscription{"owner": active, "subscriber": access} {
		if len(all) != 1 || all[0].ID != id || all[0].Tampered != "" || all[0].Permitted.String() != "DESCRIBE, SELECT" ||
			len(all[0].Grantable) != 0 || len(all[0].TableARNs) != 2 || len(all[0].RAMShares) == 0 || !slices.Equal(all[0].Notes, []string{"welcome"}) {
			t.Errorf("the %s lists %+v", who, all)
		}
	}

	// It justifies what it granted: another subscription's end takes nothing of it.
	other := w.request([]string{orders}, "SELECT", "INSERT")
	w.approve(other)
	w.end(other)
	w.holds(consumerAccount, map[string]string{"database": "DESCRIBE / ", orders: "DESCRIBE, SELECT / ", customers: "DESCRIBE, SELECT / "})

	w.update(id, "SELECT", "DESCRIBE")
	w.holds(consumerAccount, map[string]string{"database": "DESCRIBE / DESCRIBE", orders: "DESCRIBE, SELECT / DESCRIBE, SELECT",
		customers: "DESCRIBE, SELECT / DESCRIBE, SELECT"})
	w.opens(orders, customers)
	w.finalize(id)
	w.reads(self(), orders, customers)
	w.end(id)
	w.holds(consumerAccount, nil)
	w.refused(self(), orders, customers)
	if s := w.get(id); s.Status != lakemesh.Deleted || s.Tampered != "" {
		t.Errorf("it is %s, tampered %q", s.Status, s.Tampered)
	}
}

func TestADatabaseSubscriptionOfTheOriginalLibraryIsEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// The original grants DESCRIBE on the database, and nothing on its tables.
	record := originalRequest(nil, "SELECT")
	record["TableName"] = list()
	w.originalApproval(record, []string{"SELECT"}, nil)
	delete(record, "TableName")
	record["GrantedTableARNs"] = list()
	w.put(record)
	w.holds(consumerAccount, map[string]string{"database": "DESCRIBE / "})
	w.end(w.adopted(record))
	w.holds(consumerAccount, nil)
}

func TestADenialOfTheOriginalLibraryJustifiesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := originalRequest([]string{orders}, "SELECT")
	record["Status"], record["PermittedGrants"] = str("Denied"), list("SELECT")
	record["GrantableGrants"], record["GrantedTableARNs"] = null(), null()
	record["Notes"] = &dynamotypes.AttributeValueMemberSS{Value: []string{"no"}}
	record["UpdatedDate"], record["UpdatedBy"] = str("2022-03-05 06:07:08"), str(originalProducer)
	w.put(record)
	id := w.adopted(record)
	if s := w.get(id); s.Status != lakemesh.Denied || s.Tampered != "" || s.Permitted != nil {
		t.Errorf("it is %+v", s)
	}
	for name, err := range map[string]error{
		"approve": w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}),
		"delete":  w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}),
	} {
		if !errors.Is(err, lakemesh.ErrIllegalTransition) {
			t.Errorf("%s: %v, want an illegal transition", name, err)
		}
	}
	other := w.request([]string{orders}, "SELECT")
	w.approve(other)
	w.end(other)
	w.holds(consumerAccount, nil)
}

// In the mesh of the original library everybody could write every record. One that says
// more than is granted is not believed.
func TestARecordOfTheOriginalLibraryIsAdoptedAsFarAsItsGrantsAreThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claims := func(names []string, permitted ...string) item {
		record := originalRequest(names, "SELECT")
		record["Status"], record["PermittedGrants"] = str("Active"), list(permitted...)
		var arns []string
		for _, n := range names {
			arns = append(arns, lakemesh.TableARN(region, meshAccount, product, n))
		}
		if names == nil {
			arns = []string{lakemesh.TableARN(region, meshAccount, product, "*")}
		}
		record["GrantedTableARNs"] = list(arns...)
		return record
	}
	nothing, whole := claims([]string{orders}, "ALL"), claims(nil, "SELECT")
	another := claims([]string{orders}, "SELECT")
	another["SubscriberPrincipal"] = str(otherConsumer)
	w.put(nothing)
	w.put(whole)
	w.put(another)
	more := originalRequest([]string{customers}, "SELECT")
	w.originalApproval(more, []string{"SELECT"}, nil)
	more["PermittedGrants"] = list("SELECT", "INSERT", "ALTER")
	w.put(more)
	nobody := originalRequest([]string{orders}, "SELECT")
	nobody["OwnerPrincipal"] = str("x")
	w.put(nobody)
	odd := originalRequest([]string{orders}, "SELECT")
	odd["TableName"] = &dynamotypes.AttributeValueMemberN{Value: "1"}
	w.put(odd)

	out := w.adopt()
	for name, record := range map[string]item{"nothing held": nothing, "a whole database": whole, "another subscriber": another, "nobody's": nobody, "odd": odd} {
		if id := out.Adopted[idOf(record)]; id != "" && name != "a whole database" {
			t.Errorf("%s: adopted as %s", name, id)
		}
		if name != "a whole database" && !slices.ContainsFunc(out.Warnings, func(text string) bool { return strings.Contains(text, idOf(record)) }) {
			t.Errorf("%s: nothing is said about it in %q", name, out.Warnings)
		}
	}
	if s := w.get(out.Adopted[idOf(more)]); s.Permitted.String() != "SELECT" {
		t.Errorf("adopted is %+v", s)
	}
	// What is published next is granted to nobody but for what was held.
	w.Table(producerAccount, source, meshtest.CSV("returns", location("returns")))
	w.publish(w.producer, source)
	for account, want := range map[string]string{consumerAccount: "SELECT", otherConsumer: ""} {
		for name, has := range w.grants(account) {
			if name == "returns" && has != "" && want == "" || strings.Contains(has, "INSERT") || strings.Contains(has, "ALL") {
				t.Errorf("account %s holds %s on %s", account, has, name)
			}
		}
	}
}

func TestRecordsOfTheOriginalLibraryAreNotDecidedOnUnderTheirOldIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := originalRequest([]string{orders}, "SELECT")
	w.put(record)
	id := idOf(record)
	w.silent("work on a record that was not adopted", func() {
		for name, err := range map[string]error{
			"approve":       w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id}),
			"deny":          w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id}),
			"update":        w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: []string{"SELECT"}}),
			"delete":        w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}),
			"read":          second(w.producer.GetSubscription(t.Context(), id)),
			"consumer read": second(w.consumer.GetSubscription(t.Context(), id)),
			"import":        second(w.consumer.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: id})),
			"leave":         w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}),
			"cancel":        w.consumer.CancelAccessRequest(t.Context(), consumer.CancelInput{SubscriptionID: id}),
		} {
			told, ok := errors.AsType[*lakemesh.Error](err)
			if !ok || !errors.Is(err, lakemesh.ErrNotFound) || len(told.Do) != 1 || told.Do[0].Operation != "admin.AdoptRecords" {
				t.Errorf("%s: %v, want not found with the hint how to adopt it", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestOurRecordsHaveTheTypesThatTheOriginalLibraryReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	types := func(i item) map[string]string {
		got := map[string]string{}
		for name, v := range i {
			switch v := v.(type) {
			case *dynamotypes.AttributeValueMemberS:
				got[name] = "S"
			case *dynamotypes.AttributeValueMemberSS:
				got[name] = "SS"
			case *dynamotypes.AttributeValueMemberBOOL:
				got[name] = "BOOL"
			case *dynamotypes.AttributeValueMemberL:
				got[name] = "L"
				for _, e := range v.Value {
					if _, ok := e.(*dynamotypes.AttributeValueMemberS); !ok {
						t.Errorf("%s holds a %T", name, e)
					}
				}
			case *dynamotypes.AttributeValueMemberM:
				got[name] = "M"
			default:
				t.Errorf("%s is a %T", name, v)
			}
		}
		return got
	}
	check := func(when, id string, want map[string]string) {
		t.Helper()
		have := types(w.raw(id))
		for name, kind := range want {
			if have[name] != kind {
				t.Errorf("%s, %s is %q, want %q", when, name, have[name], kind)
			}
		}
	}
	out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product,
		Tables: []string{orders, customers}, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Notes: "for the report"})
	w.must(err)
	id := out.SubscriptionID
	requested := map[string]string{"SubscriptionId": "S", "OwnerPrincipal": "S", "SubscriberPrincipal": "S", "Status": "S", "DatabaseName": "S",
		"TableName": "L", "RequestedGrants": "L", "Notes": "SS", "CreationDate": "S", "CreatedBy": "S"}
	check("after the request", id, requested)
	w.must(w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id, DecisionNotes: "fine"}))
	decided := map[string]string{"PermittedGrants": "L", "GrantableGrants": "L", "GrantedTableARNs": "L", "RamShares": "M", "UpdatedDate": "S", "UpdatedBy": "S"}
	for name, kind := range requested {
		decided[name] = kind
	}
	check("after the approval", id, decided)
	w.finalize(id)
	decided["ImportedToConsumer"] = "BOOL"
	check("after the import", id, decided)
	record := w.raw(id)
	for _, name := range []string{"CreationDate", "UpdatedDate"} {
		if at := record[name].(*dynamotypes.AttributeValueMemberS).Value; len(at) != len(lakemesh.TimeFormat) || at[10] != ' ' {
			t.Errorf("%s is %q, want YYYY-MM-DD HH:MM:SS", name, at)
		}
	}
	shares := record["RamShares"].(*dynamotypes.AttributeValueMemberM).Value
	if len(shares) == 0 || shares[product] == nil {
		t.Errorf("RamShares are of %v, want one under the database's name", shares)
	}
	for object, v := range shares {
		share, ok := v.(*dynamotypes.AttributeValueMemberM)
		if !ok {
			t.Errorf("the share of %s is a %T", object, v)
			continue
		}
		kind, _ := share.Value["type"].(*dynamotypes.AttributeValueMemberS)
		arn, _ := share.Value["arn"].(*dynamotypes.AttributeValueMemberS)
		if kind == nil || arn == nil || kind.Value != "Database" && kind.Value != "Table" || !strings.HasPrefix(arn.Value, "arn:aws:ram:") {
			t.Errorf("the share of %s is %v", object, share.Value)
		}
	}
	arns := record["GrantedTableARNs"].(*dynamotypes.AttributeValueMemberL).Value
	if len(arns) != 2 || arns[0].(*dynamotypes.AttributeValueMemberS).Value != lakemesh.TableARN(region, meshAccount, product, customers) {
		t.Errorf("GrantedTableARNs are %v", arns)
	}
	w.update(id, "DESCRIBE")
	check("after a change", id, decided)
	w.end(id)
	check("after the end", id, decided)
	denied := w.request([]string{orders}, "INSERT")
	w.must(w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: denied}))
	check("after a denial", denied, map[string]string{"Status": "S", "UpdatedBy": "S", "PermittedGrants": "", "GrantableGrants": "", "GrantedTableARNs": ""})
	whole := w.request(nil, "SELECT")
	check("of a whole database", whole, map[string]string{"DatabaseName": "S", "TableName": "", "Notes": ""})
}

func TestOnlyTheMeshsAdministratorAdopts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, err := admin.New(t.Context(), w.Options(producerAccount))
	w.must(err)
	if _, err := m.AdoptRecords(t.Context()); !errors.Is(err, lakemesh.ErrWrongAccount) {
		t.Errorf("got %v, want wrong account", err)
	}
}
