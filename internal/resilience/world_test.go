package resilience_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

const (
	meshAccount     = meshtest.MeshAccount
	producerAccount = meshtest.ProducerAccount
	consumerAccount = meshtest.ConsumerAccount
	otherConsumer   = meshtest.OtherConsumer

	sourceDatabase = "sales"
	meshDatabase   = sourceDatabase + "-" + producerAccount
)

// state is a mesh at some moment of its life. Tests begin with clones of it.
type state struct {
	mesh *localmesh.Mesh
	// until is when it was left: a test that begins with it begins later.
	until time.Time
	// accounts are those that there are to look at.
	accounts []string
	// subscription is the one that operations are about.
	subscription string
	// sight is what there is in it; nil if nobody has looked.
	sight *sight
	// realTime: other processes take part, and they do not live in a bubble.
	realTime bool
}

// bubble runs a test in a bubble whose time passes only while everybody waits:
// retries, leases and time-outs take none.
func bubble(t *testing.T, realTime bool, test func(t *testing.T)) {
	t.Helper()
	if realTime {
		test(t)
		return
	}
	synctest.Test(t, test)
}

// in runs a test on a clone of the state, in a bubble.
func (s *state) in(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	bubble(t, s.realTime, func(t *testing.T) {
		// Later than whatever happened in the state's own bubble.
		if wait := time.Until(s.until); !s.realTime && wait > 0 {
			<-time.After(wait + time.Minute)
		}
		mesh, err := s.mesh.Clone()
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := mesh.Close(); err != nil {
				t.Error(err)
			}
		}()
		w := &world{mesh: mesh, state: s, subscription: s.subscription}
		w.config = func(account string) aws.Config { return mesh.Config(meshtest.Administrator(account)) }
		test(t, w)
	})
}

// next is the state that follows on this one when something is done.
func (s *state) next(t *testing.T, do func(t *testing.T, w *world)) *state {
	t.Helper()
	next := &state{accounts: s.accounts, realTime: s.realTime}
	s.in(t, func(t *testing.T, w *world) {
		do(t, w)
		mesh, err := w.mesh.Clone()
		if err != nil {
			t.Fatal(err)
		}
		next.mesh, next.until, next.subscription = mesh, time.Now(), w.subscription
	})
	return next
}

// world is a mesh that a test changes.
type world struct {
	mesh  *localmesh.Mesh
	state *state
	// wire, if set, stands between the personas and the mesh.
	wire *wire
	// config is the configuration of an account's administrator.
	config func(account string) aws.Config
	// concurrency is how many calls may be under way at once; 0 means 1.
	concurrency int
	// lease is how long claims last; 0 means the default.
	lease time.Duration
	// subscription is the one that operations are about.
	subscription string
	// producing and consuming are the personas that were opened.
	producing *producer.Producer
	consuming map[string]*consumer.Consumer
}

// another makes the operations that follow those of another program.
func (w *world) another() { w.producing, w.consuming = nil, nil }

// options open a persona of an account, as the account's administrator. Unless a
// test says otherwise one call is made at a time, so that the nth call is the same
// one each time.
func (w *world) options(account string) lakemesh.Options {
	cfg := w.config(account)
	if w.wire != nil {
		cfg.HTTPClient = w.wire
	}
	return lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg, Concurrency: max(w.concurrency, 1), ClaimLease: w.lease, RoleWait: -1}
}

func (w *world) producer(ctx context.Context) (*producer.Producer, error) {
	if w.producing != nil {
		return w.producing, nil
	}
	p, err := producer.New(ctx, w.options(producerAccount))
	if err != nil {
		return nil, err
	}
	w.producing = p
	return p, nil
}

func (w *world) consumer(ctx context.Context, account string) (*consumer.Consumer, error) {
	if c := w.consuming[account]; c != nil {
		return c, nil
	}
	c, err := consumer.New(ctx, w.options(account))
	if err != nil {
		return nil, err
	}
	if w.consuming == nil {
		w.consuming = map[string]*consumer.Consumer{}
	}
	w.consuming[account] = c
	return c, nil
}

// look is what there is now.
func (w *world) look(t *testing.T) *sight {
	t.Helper()
	s, err := look(context.WithoutCancel(t.Context()), w.mesh, w.state.accounts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shape is what a product looks like.
type shape struct {
	name string
	// source makes the producer's tables and buckets.
	source func(m *meshtest.Mesh)
	// publish is how they are published.
	publish producer.CreateDataProductsInput
	// tables are what is requested; none means the whole database.
	tables []string
	// crowd puts other subscriptions beside the one that is decided on.
	crowd bool
}

const (
	firstBucket  = "sales-data"
	secondBucket = "sales-archive"
)

func shapes() []shape {
	table := func(m *meshtest.Mesh, bucket, name string) {
		m.Table(producerAccount, sourceDatabase, meshtest.CSV(name, "s3://"+bucket+"/"+name+"/"))
	}
	several := func(m *meshtest.Mesh) {
		m.Bucket(producerAccount, firstBucket)
		m.Bucket(producerAccount, secondBucket)
		m.Database(producerAccount, sourceDatabase)
		table(m, firstBucket, "orders")
		table(m, firstBucket, "orders_eu")
		table(m, secondBucket, "customers")
	}
	return []shape{
		{
			name: "one table",
			source: func(m *meshtest.Mesh) {
				m.Bucket(producerAccount, firstBucket)
				m.Database(producerAccount, sourceDatabase)
				table(m, firstBucket, "orders")
			},
			publish: producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase},
			tables:  []string{"orders"},
		},
		{
			name: "two buckets, other subscriptions", source: several, crowd: true,
			publish: producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase, Domain: "Retail", DataProductName: "Orders",
				SyncMeshCrawlerRoleARN: meshtest.CrawlerRole},
			tables: []string{"orders", "customers"},
		},
		{
			name: "partitioned",
			source: func(m *meshtest.Mesh) {
				m.Bucket(producerAccount, firstBucket)
				m.Database(producerAccount, sourceDatabase)
				const location = "s3://" + firstBucket + "/events"
				m.Table(producerAccount, sourceDatabase, meshtest.CSV("events", location, "part"))
				// More than fit into one call.
				m.Partitions(producerAccount, sourceDatabase, "events", location, 0, 130)
			},
			publish: producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase, TableNameRegex: "events", DataProductName: "Events"},
			tables:  []string{"events"},
		},
		{
			name: "whole database", source: several,
			publish: producer.CreateDataProductsInput{SourceDatabaseName: sourceDatabase, ExposeDataMeshDBName: meshDatabase},
		},
	}
}

// life are the states of a product and of a subscription to it. Each is made when it
// is asked for.
type life struct {
	shape  shape
	states map[string]*state
	// realTime as in [state].
	realTime bool
}

func newLife(sh shape) *life { return &life{shape: sh, states: map[string]*state{}} }

// once makes a state the first time that it is asked for.
func (l *life) once(name string, do func() *state) *state {
	s := l.states[name]
	if s == nil {
		s = do()
		l.states[name] = s
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// begin makes the first state of all.
func begin(t *testing.T, realTime bool, accounts []string, start func(t *testing.T) *localmesh.Mesh) *state {
	t.Helper()
	s := &state{accounts: accounts, realTime: realTime}
	bubble(t, realTime, func(t *testing.T) {
		var err error
		// What the test started ends with its bubble.
		s.mesh, err = start(t).Clone()
		must(t, err)
		s.until = time.Now()
	})
	return s
}

// source: the accounts are set up, nothing is published.
func (l *life) source(t *testing.T) *state {
	return l.once("source", func() *state {
		accounts := []string{meshAccount, producerAccount, consumerAccount, otherConsumer}
		return begin(t, l.realTime, accounts, func(t *testing.T) *localmesh.Mesh {
			m := meshtest.Accounts(t)
			m.AddConsumer(otherConsumer)
			l.shape.source(m)
			return m.Mesh.Mesh
		})
	})
}

func (l *life) published(t *testing.T) *state {
	return l.follow(t, "published", l.source, func(t *testing.T, w *world) {
		must(t, l.create(t.Context(), w))
		if !l.shape.crowd {
			return
		}
		// Another consumer reads one of the tables, and the consumer has another
		// subscription to another one.
		for _, other := range []struct {
			account string
			tables  []string
		}{{otherConsumer, []string{"customers"}}, {consumerAccount, []string{"orders", "orders_eu"}}} {
			must(t, l.ask(t.Context(), w, other.account, other.tables, "SELECT", "DESCRIBE"))
			must(t, approve(t.Context(), w, nil))
			must(t, l.finalize(t.Context(), w, other.account))
		}
	})
}

func (l *life) requested(t *testing.T) *state {
	return l.follow(t, "requested", l.published, func(t *testing.T, w *world) { must(t, l.request(t.Context(), w)) })
}

func (l *life) active(t *testing.T) *state {
	return l.follow(t, "active", l.requested, func(t *testing.T, w *world) { must(t, approve(t.Context(), w, nil)) })
}

func (l *life) imported(t *testing.T) *state {
	return l.follow(t, "imported", l.active, func(t *testing.T, w *world) { must(t, l.finalize(t.Context(), w, consumerAccount)) })
}

func (l *life) left(t *testing.T) *state {
	return l.follow(t, "left", l.imported, func(t *testing.T, w *world) { must(t, leave(t.Context(), w)) })
}

// overlapping: the consumer has two more subscriptions, which share tables with each
// other and with the first one. The state is about both.
func (l *life) overlapping(t *testing.T) *state {
	return l.follow(t, "overlapping", l.published, func(t *testing.T, w *world) {
		var ids []string
		for _, permission := range []string{"INSERT", "DELETE"} {
			must(t, l.ask(t.Context(), w, consumerAccount, []string{"orders", "customers"}, "SELECT", permission))
			must(t, approve(t.Context(), w, nil))
			ids = append(ids, w.subscription)
		}
		w.subscription = strings.Join(ids, " ")
	})
}

// grown: the producer has another table, which is not published yet.
func (l *life) grown(t *testing.T) *state {
	return l.follow(t, "grown", l.imported, func(t *testing.T, w *world) {
		_, err := glue.NewFromConfig(w.mesh.Config(meshtest.Administrator(producerAccount))).CreateTable(t.Context(), &glue.CreateTableInput{
			DatabaseName: aws.String(sourceDatabase), TableInput: meshtest.CSV("returns", "s3://"+secondBucket+"/returns/")})
		must(t, err)
	})
}

// A decision that was begun and not finished.

func (l *life) halfApproved(t *testing.T) *state {
	return l.follow(t, "half approved", l.requested, func(t *testing.T, w *world) {
		half(t, w, func() error { return approve(t.Context(), w, nil) })
	})
}

func (l *life) halfUpdated(t *testing.T) *state {
	return l.follow(t, "half updated", l.imported, func(t *testing.T, w *world) {
		half(t, w, func() error { return update(t.Context(), w, "DESCRIBE", "DELETE") })
	})
}

func (l *life) halfDeleted(t *testing.T) *state {
	return l.follow(t, "half deleted", l.imported, func(t *testing.T, w *world) {
		half(t, w, func() error { return remove(t.Context(), w) })
	})
}

// follow is the state that follows on another one.
func (l *life) follow(t *testing.T, name string, from func(t *testing.T) *state, do func(t *testing.T, w *world)) *state {
	t.Helper()
	return l.once(name, func() *state { return from(t).next(t, do) })
}

// half lets a decision fail after grants were changed, when it is to be recorded.
func half(t *testing.T, w *world, decide func() error) {
	t.Helper()
	// The first transaction claims, the second one records.
	planned := w.mesh.Fail(localmesh.Fault{Service: "dynamodb", Operation: "TransactWriteItems", Nth: 2,
		Code: "AccessDeniedException", Message: "a planned fault", Status: 400})
	if err := decide(); err == nil || planned.Hits() != 1 {
		t.Fatalf("a decision that was to fail gave %v, with %d faults", err, planned.Hits())
	}
}

func (l *life) create(ctx context.Context, w *world) error {
	p, err := w.producer(ctx)
	if err != nil {
		return err
	}
	_, err = p.CreateDataProducts(ctx, l.shape.publish)
	return err
}

func (l *life) migrate(ctx context.Context, w *world) error {
	p, err := w.producer(ctx)
	if err != nil {
		return err
	}
	in := l.shape.publish
	_, err = p.MigrateTablesToMesh(ctx, producer.MigrateInput{SourceDatabaseName: in.SourceDatabaseName, TableNameRegex: in.TableNameRegex,
		Domain: in.Domain, DataProductName: in.DataProductName, SyncMeshCrawlerRoleARN: in.SyncMeshCrawlerRoleARN})
	return err
}

func (l *life) request(ctx context.Context, w *world) error {
	return l.ask(ctx, w, consumerAccount, l.shape.tables, "SELECT", "INSERT", "DESCRIBE")
}

func (l *life) ask(ctx context.Context, w *world, account string, tables []string, permissions ...string) error {
	c, err := w.consumer(ctx, account)
	if err != nil {
		return err
	}
	out, err := c.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: meshDatabase,
		Tables: tables, RequestPermissions: permissions, Notes: "for the report"})
	if err == nil {
		w.subscription = out.SubscriptionID
	}
	return err
}

func (l *life) finalize(ctx context.Context, w *world, account string) error {
	c, err := w.consumer(ctx, account)
	if err != nil {
		return err
	}
	_, err = c.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: w.subscription})
	return err
}

func cancel(ctx context.Context, w *world) error {
	c, err := w.consumer(ctx, consumerAccount)
	if err != nil {
		return err
	}
	return c.CancelAccessRequest(ctx, consumer.CancelInput{SubscriptionID: w.subscription, Reason: "not needed"})
}

func leave(ctx context.Context, w *world) error {
	c, err := w.consumer(ctx, consumerAccount)
	if err != nil {
		return err
	}
	return c.DeleteSubscription(ctx, consumer.LeaveInput{SubscriptionID: w.subscription, Reason: "the report is done"})
}

func approve(ctx context.Context, w *world, grantable []string) error {
	p, err := w.producer(ctx)
	if err != nil {
		return err
	}
	return p.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: w.subscription, GrantablePermissions: grantable, DecisionNotes: "granted"})
}

func deny(ctx context.Context, w *world) error {
	p, err := w.producer(ctx)
	if err != nil {
		return err
	}
	return p.DenyAccessRequest(ctx, producer.DenyInput{RequestID: w.subscription, DecisionNotes: "not this quarter"})
}

func update(ctx context.Context, w *world, permissions ...string) error {
	p, err := w.producer(ctx)
	if err != nil {
		return err
	}
	return p.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: w.subscription, GrantPermissions: permissions, Notes: "changed"})
}

func remove(ctx context.Context, w *world) error {
	p, err := w.producer(ctx)
	if err != nil {
		return err
	}
	return p.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: w.subscription, Reason: "over"})
}

func abort(ctx context.Context, w *world) error {
	p, err := w.producer(ctx)
	if err != nil {
		return err
	}
	return p.AbortDecision(ctx, producer.AbortInput{SubscriptionID: w.subscription, Reason: "a mistake"})
}

func settle(ctx context.Context, w *world) error {
	p, err := w.producer(ctx)
	if err != nil {
		return err
	}
	_, err = p.SettleDepartures(ctx)
	return err
}
