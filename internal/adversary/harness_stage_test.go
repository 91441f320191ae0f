package adversary_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// party is one side of the mesh: an account as a producer or as a consumer.
type party struct {
	account  string
	produces bool
}

func (p party) String() string {
	if p.produces {
		return "producer " + p.account
	}
	return "consumer " + p.account
}

// roles are the ARNs of the roles by which a party acts.
func (p party) roles() []string {
	if p.produces {
		return []string{lakemesh.RoleARN(inMesh, lakemesh.MeshProducerRole(p.account)), lakemesh.RoleARN(p.account, lakemesh.ProducerRole)}
	}
	return []string{lakemesh.RoleARN(inMesh, lakemesh.MeshConsumerRole(p.account)), lakemesh.RoleARN(p.account, lakemesh.ConsumerRole)}
}

func (p party) side() string {
	side, _, _ := strings.Cut(p.String(), " ")
	return side + "s"
}

// sides are the parties that the harness plays, by their sides. The first of a side has
// more of a life.
func sides() [][]party {
	return [][]party{{{theConsumer, false}, {otherConsumer, false}}, {{theOwner, true}, {otherOwner, true}}}
}

// cost is what a command took: calls of AWS, and bytes that were sent and received.
type cost struct {
	runs, calls int
	bytes       int64
}

// stage is a mesh in some state, with the parties' personas and what they decided.
type stage struct {
	*localmesh.Mesh
	ctx   context.Context
	model *model
	// wire counts the bytes of the personas.
	wire *wire

	producers map[string]*producer.Producer
	consumers map[string]*consumer.Consumer
	// costs are what the commands took, by the names of the commands.
	costs map[string]cost
	// bomb is a packed list; packing it takes long.
	bomb []byte
	// rest is what others than consumers hold on products, as it was seen last.
	rest map[string]map[string]string
}

// wire is an HTTP client that counts what goes over it.
type wire struct {
	next  aws.HTTPClient
	calls int64
	bytes int64
	mu    chan struct{}
}

func newWire(next aws.HTTPClient) *wire { return &wire{next: next, mu: make(chan struct{}, 1)} }

// Do implements aws.HTTPClient.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	out, err := w.next.Do(r)
	w.mu <- struct{}{}
	defer func() { <-w.mu }()
	w.calls++
	if r.ContentLength > 0 {
		w.bytes += r.ContentLength
	}
	if err == nil && out.Body != nil {
		body, failed := io.ReadAll(out.Body)
		if failed != nil {
			return out, failed
		}
		if failed := out.Body.Close(); failed != nil {
			return out, failed
		}
		w.bytes += int64(len(body))
		out.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	return out, err
}

func stageOn(ctx context.Context, m *localmesh.Mesh, of *model) *stage {
	return &stage{Mesh: m, ctx: ctx, model: of, wire: newWire(m.Config(meshtest.Administrator(inMesh)).HTTPClient),
		producers: map[string]*producer.Producer{}, consumers: map[string]*consumer.Consumer{}, costs: map[string]cost{}, rest: map[string]map[string]string{}}
}

// clone is a stage of its own that begins as this one is now.
func (s *stage) clone() (*stage, error) {
	m, err := s.Clone()
	if err != nil {
		return nil, err
	}
	c := stageOn(s.ctx, m, s.model.clone())
	c.bomb = s.bomb
	return c, nil
}

func (s *stage) options(account string) lakemesh.Options {
	cfg := s.Config(meshtest.Administrator(account))
	cfg.HTTPClient = s.wire
	return lakemesh.Options{MeshAccountID: inMesh, Config: &cfg, RoleWait: meshtest.RoleWait(s.Mesh)}
}

func (s *stage) producer(account string) (*producer.Producer, error) {
	if p := s.producers[account]; p != nil {
		return p, nil
	}
	p, err := producer.New(s.ctx, s.options(account))
	s.producers[account] = p
	return p, err
}

func (s *stage) consumer(account string) (*consumer.Consumer, error) {
	if c := s.consumers[account]; c != nil {
		return c, nil
	}
	c, err := consumer.New(s.ctx, s.options(account))
	s.consumers[account] = c
	return c, err
}

// run runs a command and notes what it took.
func (s *stage) run(name string, command func() error) error {
	before := cost{0, int(s.wire.calls), s.wire.bytes}
	err := command()
	had := s.costs[name]
	s.costs[name] = cost{had.runs + 1, had.calls + int(s.wire.calls) - before.calls, had.bytes + s.wire.bytes - before.bytes}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// model is what the parties have decided, as far as their commands succeeded.
type model struct {
	// tables are the published tables by database in the mesh.
	tables map[string][]string
	subs   map[string]*subscription
	// names are the ids of subscriptions by the names that the life gives them.
	names map[string]string
}

// subscription is what the parties know of a subscription.
type subscription struct {
	id, owner, subscriber, database string
	// tables are the tables asked for; nil stands for all.
	tables    []string
	requested []string
	status    lakemesh.Status
	permitted lakemesh.Permissions
	leaving   bool
	// covers are the tables that it was extended to, if it is on all tables.
	covers []string
	// decided are the owner's decisions, oldest first.
	decided []lakemesh.Action
}

func (m *model) clone() *model {
	c := &model{tables: map[string][]string{}, subs: map[string]*subscription{}, names: maps.Clone(m.names)}
	for d, t := range m.tables {
		c.tables[d] = slices.Clone(t)
	}
	for id, s := range m.subs {
		copied := *s
		copied.decided, copied.covers = slices.Clone(s.decided), slices.Clone(s.covers)
		c.subs[id] = &copied
	}
	return c
}

// of are the subscriptions for which keep is true, in the order of their ids.
func (m *model) of(keep func(*subscription) bool) []*subscription {
	var all []*subscription
	for _, id := range slices.Sorted(maps.Keys(m.subs)) {
		if keep(m.subs[id]) {
			all = append(all, m.subs[id])
		}
	}
	return all
}

// on are the tables that a subscription is on.
func (m *model) on(s *subscription) []string {
	if s.tables == nil {
		return s.covers
	}
	return s.tables
}

// holds is what an account holds on a database of an owner: "database" or a table's
// name, to permissions.
func (m *model) holds(account, database string) map[string]lakemesh.Permissions {
	all := map[string]lakemesh.Permissions{}
	for _, s := range m.subs {
		if s.status != lakemesh.Active || s.subscriber != account || s.database != database {
			continue
		}
		all["database"] = lakemesh.NewPermissions(lakemesh.Describe)
		for _, t := range m.on(s) {
			all[t] = all[t].Union(s.permitted)
		}
	}
	return all
}

// The products: a database of each owner.
const (
	sourceName      = "sales"
	saleBucket      = "sales-data"
	rivalSource     = "air"
	rivalBucket     = "air-data"
	theProduct      = sourceName + "-" + theOwner
	rivalProduct    = rivalSource + "-" + otherOwner
	theDomain       = "trade"
	laterTable      = "returns"
	latestTable     = "late"
	tableOfTheRival = "flights"
	// partitioned has no partitions yet.
	partitioned = "orders_eu"
)

func bucketOf(owner string) string {
	if owner == theOwner {
		return saleBucket
	}
	return rivalBucket
}

func productOf(owner string) string {
	if owner == theOwner {
		return theProduct
	}
	return rivalProduct
}

// newStage is a mesh of two producers and two consumers, before anything was published.
func newStage(t *testing.T) *stage {
	t.Helper()
	m := meshtest.Accounts(t)
	m.AddProducer(otherOwner)
	m.AddConsumer(otherConsumer)
	for _, owner := range []string{theOwner, otherOwner} {
		name, tables := sourceName, []string{"customers", "orders", "orders_eu"}
		if owner == otherOwner {
			name, tables = rivalSource, []string{tableOfTheRival}
		}
		m.Bucket(owner, bucketOf(owner))
		m.Database(owner, name)
		for _, table := range tables {
			addTable(m, owner, name, table)
		}
	}
	s := stageOn(context.WithoutCancel(t.Context()), m.Mesh.Mesh, &model{tables: map[string][]string{}, subs: map[string]*subscription{}, names: map[string]string{}})
	s.bomb = bomb()
	return s
}

func addTable(m *meshtest.Mesh, owner, database, table string) {
	var keys []string
	if table == partitioned {
		keys = []string{"year"}
	}
	m.Table(owner, database, meshtest.CSV(table, "s3://"+bucketOf(owner)+"/"+table+"/", keys...))
	m.Put(owner, bucketOf(owner), table+"/rows.csv", rowsOfTable(table))
}

func rowsOfTable(table string) string { return "id,value\n1," + table + "\n" }

var errStage = errors.New("not as it should be")

// The commands. Each keeps the model.

func (s *stage) publish(t testing.TB, owner string, more ...string) error {
	p, err := s.producer(owner)
	if err != nil {
		return err
	}
	source, tables := sourceName, []string{"customers", "orders", "orders_eu"}
	if owner == otherOwner {
		source, tables = rivalSource, []string{tableOfTheRival}
	}
	for _, table := range more {
		addTable(meshtest.On(t, s.Mesh), owner, source, table)
	}
	return s.run("publish as "+owner, func() error {
		out, err := p.CreateDataProducts(s.ctx, producer.CreateDataProductsInput{SourceDatabaseName: source, Domain: theDomain})
		if err == nil && len(out.Warnings) > 0 {
			err = fmt.Errorf("%w: warnings %q", errStage, out.Warnings)
		}
		if err != nil {
			return err
		}
		if s.model.tables[productOf(owner)] == nil {
			s.model.tables[productOf(owner)] = tables
		}
		s.model.tables[productOf(owner)] = append(s.model.tables[productOf(owner)], more...)
		return s.extended(owner, more)
	})
}

// extended notes that subscriptions to all tables were extended, but for those that
// their consumer has left, by a command or by itself.
func (s *stage) extended(owner string, tables []string) error {
	if len(tables) == 0 {
		return nil
	}
	all, err := s.scan()
	if err != nil {
		return err
	}
	for _, sub := range s.model.of(func(sub *subscription) bool {
		return sub.owner == owner && sub.status == lakemesh.Active && sub.tables == nil
	}) {
		if !marksLeaving(all, sub.id) {
			sub.covers = append(sub.covers, tables...)
			sub.decided = append(sub.decided, lakemesh.ActionUpdate)
		}
	}
	return nil
}

func (s *stage) request(name, subscriber, owner string, tables []string, wanted ...string) error {
	c, err := s.consumer(subscriber)
	if err != nil {
		return err
	}
	return s.run("request as "+subscriber, func() error {
		out, err := c.RequestAccessToProduct(s.ctx, consumer.RequestInput{OwnerAccountID: owner, DatabaseName: productOf(owner), Tables: tables, RequestPermissions: wanted})
		if err != nil {
			return err
		}
		s.model.names[name] = out.SubscriptionID
		if s.model.subs[out.SubscriptionID] == nil {
			s.model.subs[out.SubscriptionID] = &subscription{id: out.SubscriptionID, owner: owner, subscriber: subscriber, database: productOf(owner), tables: tables,
				requested: wanted, status: lakemesh.Pending}
		}
		return nil
	})
}

// named is a subscription by the name that the life gave it.
func (s *stage) named(name string) *subscription { return s.model.subs[s.model.names[name]] }

// decide carries a decision of an owner out, and keeps the model if it succeeds.
func (s *stage) decide(sub *subscription, a lakemesh.Action, decision func(*producer.Producer) error, after func()) error {
	p, err := s.producer(sub.owner)
	if err != nil {
		return err
	}
	return s.run(fmt.Sprintf("%s %s", a, sub.id), func() error {
		if err := decision(p); err != nil {
			return err
		}
		sub.decided = append(sub.decided, a)
		after()
		return nil
	})
}

func (s *stage) approve(sub *subscription) error {
	return s.decide(sub, lakemesh.ActionApprove, func(p *producer.Producer) error {
		return p.ApproveAccessRequest(s.ctx, producer.ApproveInput{RequestID: sub.id})
	}, func() {
		permitted, _ := lakemesh.ParsePermissions(sub.requested...)
		sub.status, sub.permitted, sub.covers = lakemesh.Active, permitted, slices.Clone(s.model.tables[sub.database])
	})
}

func (s *stage) deny(sub *subscription) error {
	return s.decide(sub, lakemesh.ActionDeny, func(p *producer.Producer) error {
		return p.DenyAccessRequest(s.ctx, producer.DenyInput{RequestID: sub.id})
	}, func() { sub.status = lakemesh.Denied })
}

func (s *stage) narrow(sub *subscription) error {
	less := lakemesh.NewPermissions(lakemesh.Describe)
	if sub.permitted.Equal(less) {
		return nil
	}
	return s.decide(sub, lakemesh.ActionUpdate, func(p *producer.Producer) error {
		return p.UpdateSubscriptionPermissions(s.ctx, producer.UpdateInput{SubscriptionID: sub.id, GrantPermissions: []string{"DESCRIBE"}})
	}, func() { sub.permitted = less })
}

func (s *stage) end(sub *subscription) error {
	return s.decide(sub, lakemesh.ActionDelete, func(p *producer.Producer) error {
		return p.DeleteSubscription(s.ctx, producer.DeleteInput{SubscriptionID: sub.id, Reason: "it is over"})
	}, func() { sub.status, sub.permitted, sub.leaving = lakemesh.Deleted, nil, false })
}

// settle ends what was left. What a party that is not trusted has marked as left is
// its own to end.
func (s *stage) settle(owner, distrusted string) error {
	p, err := s.producer(owner)
	if err != nil {
		return err
	}
	return s.run("settle as "+owner, func() error {
		out, err := p.SettleDepartures(s.ctx)
		if err != nil {
			return err
		}
		for _, sub := range s.model.of(func(sub *subscription) bool { return sub.owner == owner && sub.status == lakemesh.Active }) {
			settled := slices.Contains(out.Subscriptions, sub.id)
			if settled != sub.leaving && sub.subscriber != distrusted {
				return fmt.Errorf("%w: settled %q is %t, and it was left: %t", errStage, sub.id, settled, sub.leaving)
			}
			if settled {
				sub.status, sub.permitted, sub.leaving = lakemesh.Deleted, nil, false
				sub.decided = append(sub.decided, lakemesh.ActionDelete)
			}
		}
		return nil
	})
}

func (s *stage) use(sub *subscription) error {
	c, err := s.consumer(sub.subscriber)
	if err != nil {
		return err
	}
	return s.run("import "+sub.id, func() error {
		_, err := c.FinalizeSubscription(s.ctx, consumer.FinalizeInput{SubscriptionID: sub.id})
		return err
	})
}

func (s *stage) leave(sub *subscription) error {
	c, err := s.consumer(sub.subscriber)
	if err != nil {
		return err
	}
	return s.run("leave "+sub.id, func() error {
		err := c.DeleteSubscription(s.ctx, consumer.LeaveInput{SubscriptionID: sub.id, Reason: "enough"})
		if err == nil {
			sub.leaving = true
		}
		return err
	})
}

func (s *stage) cancel(sub *subscription) error {
	c, err := s.consumer(sub.subscriber)
	if err != nil {
		return err
	}
	return s.run("cancel "+sub.id, func() error {
		err := c.CancelAccessRequest(s.ctx, consumer.CancelInput{SubscriptionID: sub.id, Reason: "no need"})
		if err == nil {
			sub.status = lakemesh.Deleted
		}
		return err
	})
}

// moment is one call of the life.
type moment struct {
	name string
	do   func(t testing.TB, s *stage) error
}

// life is the life of the parties, one command a moment.
func life() []moment {
	on := func(name string, do func(*stage, *subscription) error) func(testing.TB, *stage) error {
		return func(_ testing.TB, s *stage) error { return do(s, s.named(name)) }
	}
	asks := func(name, subscriber, owner string, tables []string, wanted ...string) func(testing.TB, *stage) error {
		return func(_ testing.TB, s *stage) error { return s.request(name, subscriber, owner, tables, wanted...) }
	}
	return []moment{
		{"publish", func(t testing.TB, s *stage) error { return s.publish(t, theOwner) }},
		{"another publishes", func(t testing.TB, s *stage) error { return s.publish(t, otherOwner) }},
		{"request", asks("a", theConsumer, theOwner, []string{"orders"}, "SELECT", "DESCRIBE")},
		{"another requests", asks("b", otherConsumer, theOwner, []string{"customers", "orders"}, "SELECT", "DESCRIBE")},
		{"request all", asks("all", theConsumer, theOwner, nil, "DESCRIBE")},
		{"request of another", asks("x", theConsumer, otherOwner, []string{tableOfTheRival}, "SELECT", "DESCRIBE")},
		{"approve", on("a", (*stage).approve)},
		{"approve the other's", on("b", (*stage).approve)},
		{"another approves", on("x", (*stage).approve)},
		{"import", on("a", (*stage).use)},
		{"the other imports", on("b", (*stage).use)},
		{"import of another", on("x", (*stage).use)},
		{"another request", asks("c", theConsumer, theOwner, []string{"customers"}, "SELECT")},
		{"update to less", on("a", (*stage).narrow)},
		{"approve all", on("all", (*stage).approve)},
		{"publish again", func(t testing.TB, s *stage) error { return s.publish(t, theOwner, laterTable) }},
		{"deny", on("c", (*stage).deny)},
		{"request to be cancelled", asks("d", theConsumer, theOwner, []string{"orders_eu"}, "SELECT")},
		{"cancel", on("d", (*stage).cancel)},
		{"import all", on("all", (*stage).use)},
		{"leave", on("all", (*stage).leave)},
		{"settle", func(_ testing.TB, s *stage) error { return s.settle(theOwner, "") }},
		{"delete", on("a", (*stage).end)},
		{"the same again", asks("e", theConsumer, theOwner, []string{"orders"}, "SELECT", "DESCRIBE")},
		{"approve it again", on("e", (*stage).approve)},
		{"import it again", on("e", (*stage).use)},
		{"delete the other's", on("b", (*stage).end)},
		{"leave the last", on("e", (*stage).leave)},
	}
}

// reading vends credentials for a table as a principal, and reads its rows.
func (s *stage) reading(principal, owner, table string) (string, error) {
	return s.readingIn(principal, owner, table, bucketOf(owner))
}

// readingIn is reading of a table whose rows are in some bucket.
func (s *stage) readingIn(principal, owner, table, bucket string) (string, error) {
	out, err := lakeformation.NewFromConfig(s.Config(principal)).GetTemporaryGlueTableCredentials(s.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
		TableArn: aws.String(lakemesh.TableARN(localmesh.DefaultRegion, inMesh, productOf(owner), table)), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
		SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
	if err != nil {
		return "", err
	}
	keys := credentials.NewStaticCredentialsProvider(aws.ToString(out.AccessKeyId), aws.ToString(out.SecretAccessKey), aws.ToString(out.SessionToken))
	got, err := identity.S3(s.ConfigWith(keys)).GetObject(s.ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(table + "/rows.csv")})
	if err != nil {
		return "", err
	}
	rows, err := io.ReadAll(got.Body)
	return string(rows), errors.Join(err, got.Body.Close())
}

// bucketPolicy is the policy of an owner's bucket; empty if it has none.
func (s *stage) bucketPolicy(owner string) (string, error) {
	out, err := identity.S3(s.Config(meshtest.Administrator(owner))).GetBucketPolicy(s.ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(bucketOf(owner))})
	if err != nil {
		if strings.Contains(err.Error(), "NoSuchBucketPolicy") {
			return "", nil
		}
		return "", err
	}
	if !json.Valid([]byte(aws.ToString(out.Policy))) {
		return "", fmt.Errorf("%w: the policy %q", errStage, aws.ToString(out.Policy))
	}
	return aws.ToString(out.Policy), nil
}
