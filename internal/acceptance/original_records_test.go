package acceptance_test

import (
	"errors"
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

// openLegacy lets the accounts' roles use records whose ids name no accounts.
func (w *world) openLegacy() {
	w.t.Helper()
	m, err := admin.New(w.t.Context(), w.Options(meshAccount))
	w.must(err)
	_, err = m.InitializeMeshAccount(w.t.Context(), admin.InitializeMeshInput{})
	w.must(err)
	_, err = m.EnableAccountAsProducer(w.t.Context(), admin.EnableProducerInput{AccountID: producerAccount})
	w.must(err)
	_, err = m.EnableAccountAsConsumer(w.t.Context(), admin.EnableConsumerInput{AccountID: consumerAccount})
	w.must(err)
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
	w.openLegacy()
	w.producer, w.consumer = w.openProducer(producerAccount), w.openConsumer(consumerAccount)
	record := originalRequest([]string{orders}, "SELECT", "DESCRIBE")
	id := idOf(record)
	w.put(record)

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
	want := []lakemesh.Action{lakemesh.ActionRequest, lakemesh.ActionApprove, lakemesh.ActionImport, lakemesh.ActionUpdate, lakemesh.ActionDelete}
	if s.Status != lakemesh.Deleted || s.Tampered != "" || !slices.Equal(actions, want) {
		t.Errorf("in the end it is %s, tampered %q, with history %v", s.Status, s.Tampered, actions)
	}
}

func TestARequestOfTheOriginalLibraryIsDeniedOrTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.openLegacy()
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
		w.must(test.do(idOf(record)))
		if s := w.get(idOf(record)); s.Status != test.want || s.Tampered != "" || len(s.Notes) != 2 || s.Permitted != nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
	w.holds(consumerAccount, nil)
}

func TestASubscriptionOfTheOriginalLibraryIsChangedAndEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.openLegacy()
	record := originalRequest([]string{orders, customers}, "SELECT", "DESCRIBE")
	w.originalApproval(record, []string{"SELECT", "DESCRIBE"}, nil)
	id := idOf(record)
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
	w.openLegacy()
	// The original grants DESCRIBE on the database, and nothing on its tables.
	record := originalRequest(nil, "SELECT")
	record["TableName"] = list()
	w.originalApproval(record, []string{"SELECT"}, nil)
	delete(record, "TableName")
	record["GrantedTableARNs"] = list()
	w.put(record)
	w.holds(consumerAccount, map[string]string{"database": "DESCRIBE / "})
	w.end(idOf(record))
	w.holds(consumerAccount, nil)
}

func TestADenialOfTheOriginalLibraryJustifiesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.openLegacy()
	record := originalRequest([]string{orders}, "SELECT")
	record["Status"], record["PermittedGrants"] = str("Denied"), list("SELECT")
	record["GrantableGrants"], record["GrantedTableARNs"] = null(), null()
	record["Notes"] = &dynamotypes.AttributeValueMemberSS{Value: []string{"no"}}
	record["UpdatedDate"], record["UpdatedBy"] = str("2022-03-05 06:07:08"), str(originalProducer)
	w.put(record)
	if s := w.get(idOf(record)); s.Status != lakemesh.Denied || s.Tampered != "" {
		t.Errorf("it is %s, tampered %q", s.Status, s.Tampered)
	}
	for name, err := range map[string]error{
		"approve": w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: idOf(record)}),
		"delete":  w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: idOf(record)}),
	} {
		if !errors.Is(err, lakemesh.ErrIllegalTransition) {
			t.Errorf("%s: %v, want an illegal transition", name, err)
		}
	}
	other := w.request([]string{orders}, "SELECT")
	w.approve(other)
	w.end(other)
	w.holds(consumerAccount, nil)

	// The denial carries PermittedGrants, but not that anything was granted; a
	// consumer that turns it into Active is not believed.
	w.must(w.set(w.meshConsumer(), idOf(record), item{"Status": str("Active")}))
	if s := w.get(idOf(record)); s.Status == lakemesh.Active || s.Tampered == "" {
		t.Errorf("a denial that its consumer made active counts as %s, tampered %q", s.Status, s.Tampered)
	}
	again := w.request([]string{orders}, "SELECT")
	w.approve(again)
	w.end(again)
	w.holds(consumerAccount, nil)
}

func TestWithoutTheChoiceRecordsOfTheOriginalLibraryAreRefusedWithAHint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := originalRequest([]string{orders}, "SELECT")
	w.put(record)
	id := idOf(record)
	w.silent("work on a record that is not open", func() {
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
			if !ok || !errors.Is(err, lakemesh.ErrAccessDenied) || !strings.Contains(told.Hint, "lakemesh mesh init --legacy-subscription-ids") {
				t.Errorf("%s: %v, want access denied with the hint how to open it", name, err)
			}
		}
	})
	if _, err := w.producer.GetSubscription(t.Context(), id); !errors.Is(err, lakemesh.ErrAccessDenied) {
		t.Errorf("%v", err)
	}
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

func TestAnAdministratorSeesWhoseRecordsAreOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := originalRequest([]string{orders}, "SELECT")
	w.put(record)
	w.openLegacy()
	// The choice is remembered: what is set up later has it as well.
	w.AddConsumer(otherConsumer)
	other := w.openConsumer(otherConsumer)
	if _, err := other.GetSubscription(t.Context(), idOf(record)); !errors.Is(err, lakemesh.ErrWrongAccount) {
		t.Errorf("another consumer reads the record by its id: %v, want wrong account", err)
	}
	if listed := w.used(other, consumer.ListInput{Statuses: consumer.AllStatuses()}); len(listed) != 0 {
		t.Errorf("another consumer lists %v", listed)
	}
	if err := w.set(w.Config(meshtest.Administrator(consumerAccount)), idOf(record), item{"Status": str("Active")}); err == nil {
		t.Error("the consumer's administrator wrote to the mesh's table")
	}
}
