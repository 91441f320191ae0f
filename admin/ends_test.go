package admin_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// ends is a mesh in which subscriptions end, and whose time a test moves.
type ends struct {
	*meshtest.Mesh
	t     *testing.T
	ahead atomic.Int64
}

func newEnds(t *testing.T) *ends {
	t.Helper()
	w := &ends{t: t}
	w.Mesh = meshtest.Accounts(t, localmesh.WithClock(w.now))
	w.Bucket(meshtest.ProducerAccount, "sales-data")
	w.Database(meshtest.ProducerAccount, "sales")
	for _, name := range []string{"orders", "customers"} {
		w.Table(meshtest.ProducerAccount, "sales", meshtest.CSV(name, "s3://sales-data/"+name+"/"))
	}
	_, err := w.producer().CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: "sales"})
	w.must(err)
	return w
}

func (w *ends) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func (w *ends) options(account string) lakemesh.Options {
	o := w.Options(account)
	o.Now = w.now
	return o
}

func (w *ends) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *ends) producer() *producer.Producer {
	w.t.Helper()
	p, err := producer.New(w.t.Context(), w.options(meshtest.ProducerAccount))
	w.must(err)
	return p
}

func (w *ends) admin() *admin.Admin {
	w.t.Helper()
	a, err := admin.New(w.t.Context(), w.options(meshtest.MeshAccount))
	w.must(err)
	return a
}

// subscribe makes an active subscription to a table that ends after some time.
func (w *ends) subscribe(table string, lasts time.Duration) string {
	w.t.Helper()
	c, err := consumer.New(w.t.Context(), w.options(meshtest.ConsumerAccount))
	w.must(err)
	in := consumer.RequestInput{OwnerAccountID: meshtest.ProducerAccount, DatabaseName: verifiedDatabase, Tables: []string{table}, RequestPermissions: []string{"SELECT"}}
	if lasts > 0 {
		in.Until = w.now().Add(lasts)
	}
	out, err := c.RequestAccessToProduct(w.t.Context(), in)
	w.must(err)
	w.must(w.producer().ApproveAccessRequest(w.t.Context(), producer.ApproveInput{RequestID: out.SubscriptionID}))
	return out.SubscriptionID
}

// found are the administrator's findings about schedules and grants.
func (w *ends) found() (found []string) {
	w.t.Helper()
	v, err := w.admin().Verify(w.t.Context(), admin.VerifyInput{})
	w.must(err)
	for _, f := range v.Findings {
		if f.Link == chain.Schedule || f.Link == chain.Grant || f.Link == chain.Setup {
			found = append(found, string(f.Kind)+", "+string(f.Link)+": "+f.Resource+": "+f.What)
		}
	}
	return found
}

func TestTheAdministratorEndsWhatIsOverOfAllOwners(t *testing.T) {
	t.Parallel()
	w := newEnds(t)
	over, stays := w.subscribe("orders", time.Hour), w.subscribe("customers", 0)
	out, err := w.admin().ExpireSubscriptions(t.Context())
	w.must(err)
	if len(out.Revoked)+len(out.Unrecorded) > 0 {
		t.Errorf("before any end it revoked %q", out.Revoked)
	}
	w.ahead.Add(int64(2 * time.Hour))
	todo, err := w.admin().PlanExpireSubscriptions(t.Context())
	w.must(err)
	if len(todo.Steps) != 1 {
		t.Errorf("planned are %v", todo)
	}
	out, err = w.admin().ExpireSubscriptions(t.Context())
	w.must(err)
	if len(out.Revoked) != 1 || !strings.Contains(out.Revoked[0], "orders") || !slices.Equal(out.Unrecorded[meshtest.ProducerAccount], []string{over}) || len(out.Lost) > 0 {
		t.Errorf("got %+v", out)
	}
	if found := w.found(); len(found) > 0 {
		t.Errorf("afterwards: %q", found)
	}
	// The owner records it, with nothing left to revoke.
	done, err := w.producer().ExpireSubscriptions(t.Context())
	w.must(err)
	if !slices.Equal(done.Subscriptions, []string{over}) {
		t.Errorf("the owner ended %q", done.Subscriptions)
	}
	s, err := w.producer().GetSubscription(t.Context(), stays)
	w.must(err)
	if s.Status != lakemesh.Active {
		t.Errorf("the other one is %s", s.Status)
	}
	out, err = w.admin().ExpireSubscriptions(t.Context())
	w.must(err)
	if len(out.Revoked)+len(out.Unrecorded) > 0 {
		t.Errorf("again: %+v", out)
	}
}

func TestTheChoiceOfSchedulesIsMadeKeptAndTakenBack(t *testing.T) {
	t.Parallel()
	w := newEnds(t)
	a := w.admin()
	early := w.subscribe("orders", time.Hour)
	_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{EndSchedules: admin.EndsScheduled})
	w.must(err)
	// Until the producer is brought up to date it decides as before.
	w.subscribe("customers", time.Hour)
	if n := len(w.Schedules()); n != 0 {
		t.Errorf("%d schedules of a producer that has no role for them", n)
	}
	_, err = a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	w.must(err)
	for _, again := range []func() error{
		func() error { _, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{}); return err },
		func() error { _, err := a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{}); return err },
	} {
		w.ResetCounts()
		w.must(again())
		for _, c := range w.Counts() {
			if strings.HasPrefix(c.Operation, "Create") || strings.HasPrefix(c.Operation, "Put") || strings.HasPrefix(c.Operation, "Update") || strings.HasPrefix(c.Operation, "Delete") || strings.HasPrefix(c.Operation, "Set") {
				t.Errorf("again: %d %s:%s", c.Calls, c.Service, c.Operation)
			}
		}
	}
	status, err := a.Status(t.Context())
	w.must(err)
	if status.Mesh.EndSchedules != admin.EndsScheduled || len(status.Problems) > 0 {
		t.Errorf("status: %s, %q", status.Mesh.EndSchedules, status.Problems)
	}
	// What was granted before gets its schedules by the owner's repair.
	if found := w.found(); len(found) != 3 {
		t.Errorf("found %q, want three schedules missing", found)
	}
	v, err := w.producer().Verify(t.Context(), producer.VerifyInput{})
	w.must(err)
	_, err = w.producer().Repair(t.Context(), v)
	w.must(err)
	if found := w.found(); len(found) > 0 || len(w.Schedules()) != 3 {
		t.Errorf("after the repair: %q, %d schedules", found, len(w.Schedules()))
	}

	_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{EndSchedules: admin.EndsByOwners})
	w.must(err)
	w.ahead.Add(int64(2 * time.Hour))
	w.must(w.RunDue(t.Context()))
	s, err := w.producer().GetSubscription(t.Context(), early)
	w.must(err)
	if !s.Over {
		t.Error("it is not over")
	}
	a = w.admin()
	if found := w.found(); len(found) == 0 {
		t.Error("what was scheduled was carried out after the choice was taken back")
	}
	_, err = a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{})
	w.must(err)
	_, err = sqs.NewFromConfig(w.Config(meshtest.Administrator(meshtest.MeshAccount))).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(lakemesh.EndingQueue(meshtest.ProducerAccount))})
	if err == nil {
		t.Error("the queue is still there")
	}
	_, err = w.producer().ExpireSubscriptions(t.Context())
	w.must(err)
}

func TestTheAdministratorRemovesSchedulesThatNobodyDecided(t *testing.T) {
	t.Parallel()
	w := newEnds(t)
	w.ScheduleEnds()
	w.subscribe("orders", time.Hour)
	client := scheduler.NewFromConfig(w.Config(meshtest.Administrator(meshtest.MeshAccount)))
	_, err := client.CreateSchedule(t.Context(), &scheduler.CreateScheduleInput{GroupName: aws.String(lakemesh.EndingGroup), Name: aws.String(meshtest.ProducerAccount + "-planted"),
		ScheduleExpression: aws.String("at(2099-01-01T00:00:00)"), FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: "OFF"},
		Target: &schedulertypes.Target{Arn: aws.String("arn:aws:scheduler:::aws-sdk:lakeformation:revokePermissions"), Input: aws.String("{}"),
			RoleArn: aws.String(lakemesh.RoleARN(meshtest.MeshAccount, lakemesh.EndingRole(meshtest.ProducerAccount)))}})
	w.must(err)
	found := w.found()
	if len(found) != 1 || !strings.HasPrefix(found[0], "too much, schedule: schedule 111111111111-planted") {
		t.Errorf("found %q", found)
	}
	v, err := w.admin().Verify(t.Context(), admin.VerifyInput{})
	w.must(err)
	_, err = w.admin().Repair(t.Context(), v)
	w.must(err)
	if found := w.found(); len(found) > 0 || len(w.Schedules()) != 2 {
		t.Errorf("after the repair: %q, %d schedules", found, len(w.Schedules()))
	}
}

func TestEndingGoesWithTheProducerAndTheMesh(t *testing.T) {
	t.Parallel()
	w := newEnds(t)
	w.ScheduleEnds()
	id := w.subscribe("orders", time.Hour)
	w.must(w.producer().DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}))
	out, err := w.producer().UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: "sales"})
	w.must(err)
	for _, warning := range out.Warnings {
		if strings.Contains(warning, "DataMeshEnding") {
			t.Error(warning)
		}
	}
	_, err = w.admin().DisableAccount(t.Context(), admin.DisableInput{AccountID: meshtest.ProducerAccount, Type: admin.Producer})
	w.must(err)
	_, err = w.admin().DisableAccount(t.Context(), admin.DisableInput{AccountID: meshtest.ConsumerAccount, Type: admin.Consumer})
	w.must(err)
	_, err = w.admin().DestroyMesh(t.Context(), admin.DestroyMeshInput{Confirm: meshtest.MeshAccount})
	w.must(err)
	cfg := w.Config(meshtest.Administrator(meshtest.MeshAccount))
	groups, err := scheduler.NewFromConfig(cfg).ListScheduleGroups(t.Context(), &scheduler.ListScheduleGroupsInput{})
	w.must(err)
	if len(groups.ScheduleGroups) != 1 {
		t.Errorf("groups that stay: %d", len(groups.ScheduleGroups))
	}
	if _, err := sqs.NewFromConfig(cfg).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(lakemesh.EndingQueue(meshtest.ProducerAccount))}); err == nil {
		t.Error("the queue stays")
	}
}
