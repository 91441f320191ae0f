package tracker

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

// The accounts.
const (
	owner      = "111111111111"
	subscriber = "999999999999"
	mesh       = "555555555555"
)

// world is a mesh with the two tables and nothing else. Both sides write as the mesh's
// administrator: what keeps them apart is tested where roles are.
type world struct {
	testing.TB

	mesh   *localmesh.Mesh
	client *dynamodb.Client
}

func newWorld(t testing.TB, opts ...localmesh.Option) *world {
	t.Helper()
	w := &world{TB: t, mesh: localmesh.Run(t, opts...)}
	w.client = dynamodb.NewFromConfig(w.config())
	for table, key := range map[string]string{lakemesh.SubscriptionsTable: attrID, lakemesh.DecisionsTable: keyAttribute} {
		_, err := w.client.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(key), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(key), KeyType: types.KeyTypeHash}}})
		w.must(err)
	}
	members := inDecisions(membersKey)
	members.AddTo(attrProducers, owner)
	members.AddTo(attrConsumers, subscriber)
	w.must(w.tracker(Options{}).update(t.Context(), members))
	return w
}

func (w *world) config() aws.Config { return w.mesh.Config("arn:aws:iam::" + mesh + ":role/Admin") }

func (w *world) tracker(o Options) *Tracker {
	o.Config, o.MeshAccount = w.config(), mesh
	if o.By == "" {
		o.By = "somebody"
	}
	return New(o)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// request makes a request for tables of a database; none stand for all of them.
func (w *world) request(t *Tracker, note string, tables ...string) *Record {
	w.Helper()
	_, words, err := t.PendingTwin(w.Context(), owner, subscriber, Words{Database: "sales", Tables: tables, Whole: len(tables) == 0,
		Requested: lakemesh.NewPermissions(lakemesh.Select, lakemesh.Describe), Note: note})
	w.must(err)
	w.must(t.Request(w.Context(), owner, subscriber, words))
	return w.get(t, words.ID(owner, subscriber))
}

func (w *world) get(t *Tracker, id string) *Record {
	w.Helper()
	r, err := t.Get(w.Context(), id)
	w.must(err)
	return r
}

// decide takes a decision from its claim to its record.
func (w *world) decide(t *Tracker, id string, a lakemesh.Action, permitted ...lakemesh.Permission) *Record {
	w.Helper()
	lease, ctx, err := t.Acquire(w.Context(), owner, id, a)
	w.must(err)
	defer func() { w.must(lease.Release(ctx)) }()
	ledger, err := t.Ledger(ctx, owner, subscriber)
	w.must(err)
	set := lakemesh.NewPermissions(permitted...)
	held, err := lease.Claim(ctx, w.get(t, id), ledger, lakemesh.Claim{Action: a, Permissions: set}, nil, true)
	w.must(err)
	w.must(held.Finish(ctx, Outcome{Status: a.Target(), Permitted: set, Reason: "because"}))
	return w.get(t, id)
}

// item reads an item as it stands.
func (w *world) item(table, id string) item {
	w.Helper()
	i, err := w.tracker(Options{}).getItem(w.Context(), table, id)
	w.must(err)
	return i
}

// put replaces an item.
func (w *world) put(table string, i item) {
	w.Helper()
	_, err := w.client.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: i})
	w.must(err)
}

// ids are the ids of the owner's subscriptions in a state.
func (w *world) ids(t *Tracker, state lakemesh.Status) string {
	w.Helper()
	var ids []string
	w.must(t.Owned(w.Context(), owner, state, func(r *Record) bool {
		ids = append(ids, r.ID)
		return true
	}))
	return strings.Join(ids, " ")
}
