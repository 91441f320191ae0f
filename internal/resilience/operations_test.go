package resilience_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

// operation is a writing operation of a persona.
type operation struct {
	name string
	// from is the state that it begins with.
	from func(t *testing.T) *state
	// run opens the persona and runs the operation.
	run func(ctx context.Context, w *world) error
	// decision tells that it grants and revokes under a claim: without a trace in
	// the records, nothing may have changed.
	decision bool
	// halves tells that the records are those of its first half: there is more to do when
	// they are as they will be.
	halves bool
	// passing tells of a right that the operation needs for a while, and that nobody
	// has afterwards.
	passing func(line string) bool
	// leaves is what verifying finds afterwards; nil does not verify. ofConsumer verifies
	// the consumer's side, too.
	leaves     []string
	ofConsumer bool
	// holds checks what is to hold also when the operation failed half way.
	holds func(t *testing.T, w *world)
}

// operations are the producer's and the consumer's.
func (l *life) operations() []operation {
	all := []operation{
		{name: "create", from: l.source, run: l.create},
		{name: "migrate", from: l.source, run: l.migrate, passing: removal},
		{name: "request", from: l.published, run: l.request},
		{name: "cancel", from: l.requested, run: cancel, decision: true},
		{name: "deny", from: l.requested, run: deny, decision: true},
		{name: "approve", from: l.requested, decision: true, run: func(ctx context.Context, w *world) error { return approve(ctx, w, nil) }},
		{name: "approve, nothing grantable", from: l.requested, decision: true,
			run: func(ctx context.Context, w *world) error { return approve(ctx, w, []string{}) }},
		{name: "widen", from: l.active, decision: true,
			run: func(ctx context.Context, w *world) error {
				return update(ctx, w, "SELECT", "INSERT", "DESCRIBE", "DELETE")
			}},
		{name: "narrow", from: l.imported, decision: true,
			run: func(ctx context.Context, w *world) error { return update(ctx, w, "DESCRIBE") }},
		{name: "delete", from: l.imported, run: remove, decision: true},
		{name: "delete what was never imported", from: l.active, run: remove, decision: true},
		{name: "finalize", from: l.active, run: func(ctx context.Context, w *world) error { return l.finalize(ctx, w, consumerAccount) }},
		{name: "leave", from: l.imported, run: leave},
		{name: "settle", from: l.left, run: settle, decision: true},
		{name: "abort an approval", from: l.halfApproved, run: abort, decision: true},
		{name: "abort an update", from: l.halfUpdated, run: abort, decision: true},
		{name: "abort a deletion", from: l.halfDeleted, run: abort, decision: true},
		{name: "finish an approval", from: l.halfApproved, decision: true, run: func(ctx context.Context, w *world) error { return approve(ctx, w, nil) }},
	}
	if l.shape.tables == nil {
		// Into a database which somebody subscribes to.
		all = append(all, operation{name: "create another table", from: l.grown, run: l.create})
	}
	for i := range all {
		op := &all[i]
		op.leaves = []string{}
		switch op.name {
		case "leave":
			// That it was left is recorded first; what was handed on ends after that. It is settled
			// next.
			op.halves = true
			op.leaves, op.ofConsumer = []string{"too much, record"}, true
		case "finalize":
			op.ofConsumer = true
		}
	}
	return all
}

// removal is the right to drop an original that was migrated; it goes with it.
func removal(line string) bool {
	return strings.HasPrefix(line, producerAccount+" lake: ") && strings.Contains(line, " may DROP on ")
}

// administration are the operations of administrators, on accounts that are not
// set up yet.
func administration() []operation {
	initMesh := on(meshAccount, func(ctx context.Context, a *admin.Admin) error {
		_, err := a.InitializeMeshAccount(ctx, admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true)})
		return err
	})
	initProducer := on(producerAccount, func(ctx context.Context, a *admin.Admin) error {
		_, err := a.InitializeProducerAccount(ctx, admin.InitializeProducerInput{CrawlerRoleARN: meshtest.CrawlerRole, Buckets: []string{firstBucket}})
		return err
	})
	initConsumer := on(consumerAccount, func(ctx context.Context, a *admin.Admin) error {
		_, err := a.InitializeConsumerAccount(ctx, admin.InitializeConsumerInput{})
		return err
	})
	enableProducer := on(meshAccount, func(ctx context.Context, a *admin.Admin) error {
		_, err := a.EnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: producerAccount})
		return err
	})
	enableConsumer := on(meshAccount, func(ctx context.Context, a *admin.Admin) error {
		_, err := a.EnableAccountAsConsumer(ctx, admin.EnableConsumerInput{AccountID: consumerAccount})
		return err
	})
	bootstrap := func(ctx context.Context, w *world) error {
		_, err := admin.BootstrapAccount(ctx, admin.BootstrapInput{Type: admin.Both, Mesh: w.options(meshAccount), Account: w.options(producerAccount),
			CrawlerRoleARN: meshtest.CrawlerRole})
		return err
	}
	l := newLife(shape{})
	bare := func(t *testing.T) *state { return l.once("bare", func() *state { return bareAccounts(t) }) }
	first := func(t *testing.T) *state {
		return l.follow(t, "mesh", bare, func(t *testing.T, w *world) { must(t, initMesh(t.Context(), w)) })
	}
	second := func(t *testing.T) *state {
		return l.follow(t, "accounts", first, func(t *testing.T, w *world) {
			must(t, initProducer(t.Context(), w))
			must(t, initConsumer(t.Context(), w))
		})
	}
	return []operation{
		{name: "initialize the mesh", from: bare, run: initMesh},
		{name: "initialize a producer", from: first, run: initProducer},
		{name: "initialize a consumer", from: first, run: initConsumer},
		{name: "enable a producer", from: second, run: enableProducer},
		{name: "enable a consumer", from: second, run: enableConsumer},
		{name: "bootstrap", from: first, run: bootstrap},
	}
}

// ready: the mesh is set up, and several accounts to be enabled in it.
func ready(t *testing.T) *state {
	t.Helper()
	bare := bareAccounts(t, meshtest.OtherProducer, otherConsumer)
	return bare.next(t, func(t *testing.T, w *world) {
		must(t, on(meshAccount, func(ctx context.Context, a *admin.Admin) error {
			_, err := a.InitializeMeshAccount(ctx, admin.InitializeMeshInput{})
			return err
		})(t.Context(), w))
		for _, account := range []string{producerAccount, meshtest.OtherProducer, consumerAccount, otherConsumer} {
			must(t, on(account, func(ctx context.Context, a *admin.Admin) error {
				_, err := a.InitializeProducerAccount(ctx, admin.InitializeProducerInput{})
				if err == nil {
					_, err = a.InitializeConsumerAccount(ctx, admin.InitializeConsumerInput{})
				}
				return err
			})(t.Context(), w))
		}
	})
}

// bareAccounts have an administrator each, and the producer's a role for crawlers.
func bareAccounts(t *testing.T, more ...string) *state {
	t.Helper()
	accounts := append([]string{meshAccount, producerAccount, consumerAccount}, more...)
	return begin(t, false, accounts, func(t *testing.T) *localmesh.Mesh {
		mesh := localmesh.Run(t)
		for _, account := range accounts {
			_, err := iam.NewFromConfig(mesh.Config(meshtest.Administrator(account))).ListRoles(t.Context(), &iam.ListRolesInput{})
			must(t, err)
		}
		_, err := iam.NewFromConfig(mesh.Config(meshtest.Administrator(producerAccount))).CreateRole(t.Context(), &iam.CreateRoleInput{
			RoleName: aws.String("Crawler"), AssumeRolePolicyDocument: aws.String(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
		must(t, err)
		return mesh
	})
}

// on makes an operation of an account's administrator.
func on(account string, do func(ctx context.Context, a *admin.Admin) error) func(ctx context.Context, w *world) error {
	return func(ctx context.Context, w *world) error {
		a, err := admin.New(ctx, w.options(account))
		if err != nil {
			return err
		}
		return do(ctx, a)
	}
}
