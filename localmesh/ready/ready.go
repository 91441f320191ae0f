// Package ready gives a test a local mesh on which everything is set up: a mesh account, a
// producer and a consumer, each with its administrator, and, if the test wants them, sample
// tables, products and subscriptions.
//
//	m := ready.Run(t)
//	m.Sample()
//	product := m.Publish(ready.ProducerAccount, ready.SampleDatabase)
//	analyst := m.Reader(ready.ConsumerAccount, "Analyst")
//	m.Subscribe(ready.Subscription{Tables: []string{"airports"}, Readers: []string{analyst}})
//	m.CanRead(analyst, product, "airports", "id=1 value=airports")
//
// The accounts are set up once in a process; each test gets a clone, which no other test sees.
// [Once] does the same for a state of your own.
//
// What a [Mesh] does before the test's own work fails the test if it cannot be done; what it
// asserts ([Mesh.Holds], [Mesh.CanRead], [Mesh.CannotRead], [Mesh.Open]) is an error of the test,
// which goes on. On a mesh that is eventually consistent the assertions look until it is so.
//
// A client in another process or another language has the same mesh over HTTP: see
// docs/testing.md.
package ready

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// The accounts that are set up.
const (
	MeshAccount     = "555555555555"
	ProducerAccount = "111111111111"
	ConsumerAccount = "999999999999"
)

// Mesh is a local mesh whose accounts are set up, for one test.
type Mesh struct {
	*localmesh.Mesh
	t testing.TB
}

// Run gives a test a mesh with the three accounts; it is closed when the test ends. Counts
// begin at zero, and everybody knows of everything that was set up.
//
// With options the accounts are set up anew, because they can depend on them; without, the mesh
// is a clone. The environment is obeyed as by [localmesh.Run].
func Run(t testing.TB, opts ...localmesh.Option) *Mesh {
	t.Helper()
	if len(opts) > 0 {
		m := &Mesh{localmesh.Run(t, opts...), t}
		if err := m.long(func() error { return setUp(t.Context(), m.Mesh) }); err != nil {
			t.Fatal(err)
		}
		m.ResetCounts()
		return m
	}
	original, err := accounts()
	if err != nil {
		t.Fatal(err)
	}
	return &Mesh{original.RunClone(t), t}
}

// On is a mesh of the caller's, on which nothing is set up yet.
func On(t testing.TB, m *localmesh.Mesh) *Mesh { return &Mesh{m, t} }

// Once makes a state once, for the first test that wants it, and gives each test a clone of it:
//
//	var published = ready.Once(func(m *ready.Mesh) { m.Sample(); m.Publish(ready.ProducerAccount, ready.SampleDatabase) })
//
//	func TestSomething(t *testing.T) { m := published(t); … }
//
// Counts begin at zero. If the state cannot be made, the tests fail that want it. For a test that
// gives options, it is made anew with them.
func Once(prepare func(m *Mesh)) func(t testing.TB, opts ...localmesh.Option) *Mesh {
	var once sync.Once
	var original *localmesh.Mesh
	return func(t testing.TB, opts ...localmesh.Option) *Mesh {
		t.Helper()
		if len(opts) > 0 {
			m := Run(t, opts...)
			prepare(m)
			m.ResetCounts()
			return m
		}
		once.Do(func() {
			m := Run(t)
			prepare(m)
			if t.Failed() {
				return
			}
			clone, err := m.Clone(localmesh.WithEventualConsistency(0))
			if err != nil {
				t.Fatal(err)
			}
			original = clone
		})
		if original == nil {
			t.Fatal("the state that this test begins with could not be made: see the first test that failed")
		}
		return &Mesh{original.RunClone(t), t}
	}
}

// TB is the test that the mesh is for.
func (m *Mesh) TB() testing.TB { return m.t }

// accounts is the mesh that clones are made of. It is made once and changed by nobody, so it is
// no state: it is a value that takes a moment to compute.
var accounts = sync.OnceValues(func() (*localmesh.Mesh, error) {
	asked, err := localmesh.FromEnvironment()
	if err != nil {
		return nil, err
	}
	m := localmesh.New(append(asked, localmesh.WithEventualConsistency(0))...)
	if err := setUp(context.Background(), m); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
})

// setUp sets the three accounts up.
func setUp(ctx context.Context, m *localmesh.Mesh) error {
	a, err := adminOf(ctx, m, MeshAccount)
	if err != nil {
		return err
	}
	if _, err := a.InitializeMeshAccount(ctx, admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true)}); err != nil {
		return fmt.Errorf("set the mesh account up: %w", err)
	}
	if err := makeCrawlerRole(ctx, m, ProducerAccount); err != nil {
		return err
	}
	if err := addProducer(ctx, m, ProducerAccount); err != nil {
		return err
	}
	return addConsumer(ctx, m, ConsumerAccount)
}

func addProducer(ctx context.Context, m *localmesh.Mesh, account string) error {
	own, err := adminOf(ctx, m, account)
	if err != nil {
		return err
	}
	if _, err := own.InitializeProducerAccount(ctx, admin.InitializeProducerInput{CrawlerRoleARN: m.RoleARN(account, "Crawler")}); err != nil {
		return fmt.Errorf("set producer %s up: %w", account, err)
	}
	mesh, err := adminOf(ctx, m, MeshAccount)
	if err != nil {
		return err
	}
	if _, err := mesh.EnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: account}); err != nil {
		return fmt.Errorf("enable producer %s: %w", account, err)
	}
	return nil
}

func addConsumer(ctx context.Context, m *localmesh.Mesh, account string) error {
	own, err := adminOf(ctx, m, account)
	if err != nil {
		return err
	}
	if _, err := own.InitializeConsumerAccount(ctx, admin.InitializeConsumerInput{}); err != nil {
		return fmt.Errorf("set consumer %s up: %w", account, err)
	}
	mesh, err := adminOf(ctx, m, MeshAccount)
	if err != nil {
		return err
	}
	if _, err := mesh.EnableAccountAsConsumer(ctx, admin.EnableConsumerInput{AccountID: account}); err != nil {
		return fmt.Errorf("enable consumer %s: %w", account, err)
	}
	return nil
}

func adminOf(ctx context.Context, m *localmesh.Mesh, account string) (*admin.Admin, error) {
	return admin.New(ctx, optionsOf(m, account))
}

// AddProducer sets another producer up. The role of its crawlers has been there for long.
func (m *Mesh) AddProducer(account string) {
	m.t.Helper()
	m.must(m.long(func() error { return makeCrawlerRole(m.t.Context(), m.Mesh, account) }))
	m.must(addProducer(m.t.Context(), m.Mesh, account))
}

// AddConsumer sets another consumer up.
func (m *Mesh) AddConsumer(account string) {
	m.t.Helper()
	m.must(addConsumer(m.t.Context(), m.Mesh, account))
}

// Administrator is the ARN of an account's administrator, whom [localmesh.Mesh.Config] opens, in
// a mesh of the partition aws. In others it is [localmesh.Mesh.RoleARN] of "Admin".
func Administrator(account string) string {
	return lakemesh.PartitionAWS.ARN("iam", "", account, "role/Admin")
}

// Options are those of a persona that is opened by the account's administrator.
func (m *Mesh) Options(account string) lakemesh.Options { return optionsOf(m.Mesh, account) }

func optionsOf(m *localmesh.Mesh, account string) lakemesh.Options {
	cfg := attended(m, account, m.Config(m.RoleARN(account, "Admin")))
	return lakemesh.Options{MeshAccountID: MeshAccount, Config: &cfg, RoleWait: RoleWait(m)}
}

// RoleWait is how long roles are tried that refuse: not again on a mesh that knows
// everything at once, because they always will, and for a moment on one that is
// late.
func RoleWait(m interface{ EventualConsistency() int }) time.Duration {
	if m.EventualConsistency() == 0 {
		return -1
	}
	return 5 * time.Second
}

// Admin opens the administrator of an account.
func (m *Mesh) Admin(account string) *admin.Admin {
	m.t.Helper()
	a, err := admin.New(m.t.Context(), m.Options(account))
	m.must(err)
	return a
}

// Producer opens a producer that was set up.
func (m *Mesh) Producer(account string) *producer.Producer {
	m.t.Helper()
	p, err := producer.New(m.t.Context(), m.Options(account))
	m.must(err)
	return p
}

// Consumer opens a consumer that was set up.
func (m *Mesh) Consumer(account string) *consumer.Consumer {
	m.t.Helper()
	c, err := consumer.New(m.t.Context(), m.Options(account))
	m.must(err)
	return c
}

// Glue is a client of the account's administrator.
func (m *Mesh) Glue(account string) *glue.Client {
	return glue.NewFromConfig(m.Config(m.RoleARN(account, "Admin")))
}

// S3 is a client of the account's administrator.
func (m *Mesh) S3(account string) *s3.Client {
	return identity.S3(m.Config(m.RoleARN(account, "Admin")))
}

// ctx outlives the test's own, for what is done at its end.
func (m *Mesh) ctx() context.Context { return context.WithoutCancel(m.t.Context()) }

func (m *Mesh) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// long does what was done long before the test begins: everybody knows of it.
func (m *Mesh) long(do func() error) error {
	looks := m.EventualConsistency()
	m.SetEventualConsistency(0)
	defer m.SetEventualConsistency(looks)
	return do()
}

// Soon reports whether something comes to hold: at once, or, on a mesh that is eventually
// consistent, once it was looked for as often as a change can be missed. It takes no time.
func (m *Mesh) Soon(holds func() bool) bool { return Soon(m.Mesh, holds) }

// Looks is how often a test looks before it takes what it sees for the end of the
// matter: once on a mesh that knows everything at once. On one that is late, each
// thing that a look depends on can be missed as often as the mesh lets it.
func Looks(m interface{ EventualConsistency() int }) int {
	const things = 24
	return 1 + things*m.EventualConsistency()
}

// Soon is [Mesh.Soon] for any mesh.
func Soon(m interface{ EventualConsistency() int }, holds func() bool) bool {
	for range Looks(m) {
		if holds() {
			return true
		}
	}
	return false
}
