// Package localmesh is an embedded, multi-account stand-in for the AWS services
// that a data mesh lives on: STS, IAM, the Glue Data Catalog, Lake Formation,
// RAM, S3, Athena, KMS, Organizations, EventBridge Scheduler and DynamoDB. It speaks their wire
// protocols, so that the real SDK (in process, without a network) and any other AWS client (over HTTP) work on it
// unchanged, and it enforces their rules: signatures, identity and resource
// policies, Lake Formation's grants, RAM's invitations, quotas and batch limits.
//
// In a test, two lines are enough:
//
//	mesh := localmesh.Run(t)
//	cfg := mesh.Config("arn:aws:iam::111111111111:role/Admin")
//
// and every client made from cfg talks to the mesh as that role.
//
// # Accounts and principals
//
// Any twelve-digit account id exists. An account is made by the first principal
// that [Mesh.Config] opens in it, which gets AdministratorAccess; every further
// principal must have been made through IAM. The root of an account always
// exists. Nobody else is exempt from anything.
//
// # Eventual consistency
//
// AWS answers for a change before all of its parts have heard of it. A mesh makes
// its changes known at once, unless it is told otherwise: with
// [WithEventualConsistency] or [Mesh.SetEventualConsistency] others go on seeing
// what was before, or do not know what was made, for a number of times that they
// look. A program that looks again gets through; one that does not, fails as it
// would on AWS.
//
// # Time
//
// Schedules of EventBridge Scheduler are due by the clock of the mesh ([WithClock]), and
// items of DynamoDB are removed two days after their time to live: before a call is
// answered, all that is due is done, as [Mesh.RunDue] does. Calls of schedules that were
// given up are in [Mesh.DeadLetters].
//
// # Readings
//
// Where AWS's documentation leaves open what AWS does, [Readings] choose: a program
// should be right under each of them.
//
// # Errors
//
// Errors reach the client in AWS's own form: a code, a status, a message. An
// operation that the mesh does not have answers 501 and names itself.
package localmesh

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/athena"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/glue"
	"github.com/lakemesh/lakemesh/localmesh/internal/iam"
	"github.com/lakemesh/lakemesh/localmesh/internal/kms"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/organizations"
	"github.com/lakemesh/lakemesh/localmesh/internal/ram"
	"github.com/lakemesh/lakemesh/localmesh/internal/s3"
	"github.com/lakemesh/lakemesh/localmesh/internal/scheduler"
	"github.com/lakemesh/lakemesh/localmesh/internal/sqs"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
	"github.com/lakemesh/lakemesh/localmesh/internal/sts"
)

// Mesh is a running local mesh. It is safe for concurrent use.
type Mesh struct {
	engine  *engine.Mesh
	options options
}

// New starts a mesh in memory. It lives until [Mesh.Close].
func New(opts ...Option) *Mesh {
	return start(store.Memory(), opts)
}

// Open starts a mesh on a folder, and makes the folder if it does not exist. What
// was answered survives the process, however it ends. It fails with [ErrLocked]
// while another process has the folder open, and with [ErrDamaged] where its file is damaged.
func Open(dir string, opts ...Option) (*Mesh, error) {
	s, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	var asked options
	for _, o := range opts {
		o(&asked)
	}
	region, err := homeRegion(s, asked.region)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the local mesh in %s: %w", dir, err), s.Close())
	}
	return start(s, append(slices.Clone(opts), WithRegion(region))), nil
}

// ErrLocked is returned by [Open] when another process has the folder open.
var ErrLocked = store.ErrLocked

// ErrDamaged is returned by [Open] where the folder's file is not as it was written, and by
// calls that come upon a part of it that makes no sense.
var ErrDamaged = store.ErrDamaged

func start(s store.Store, opts []Option) *Mesh {
	m := &Mesh{options: options{region: DefaultRegion, clock: time.Now}}
	for _, o := range opts {
		o(&m.options)
	}
	m.engine = engine.New(s, m.options.seed, services()...)
	m.engine.Clock = m.options.clock
	m.engine.Names = engine.NamesOf(lakemesh.PartitionOf(m.options.region))
	if m.Partition() != lakemesh.PartitionAWS {
		m.engine.Home = m.options.region
	}
	m.engine.Log = m.options.log
	m.engine.Readings = engine.Readings(m.options.readings)
	m.SetEventualConsistency(m.options.looks)
	return m
}

func services() []engine.Service {
	return []engine.Service{
		sts.Service(), iam.Service(), glue.Service(), lakeformation.Service(), ram.Service(), s3.Service(), kms.Service(), scheduler.Service(),
		organizations.Service(), dynamodb.Service(), dynamodb.Streams(), sqs.Service(), athena.Service(),
	}
}

// Close releases the mesh. Calls after it fail.
func (m *Mesh) Close() error { return m.engine.Close() }

// DefaultRegion is the region of configurations that name none.
const DefaultRegion = "us-east-1"

type options struct {
	region   string
	clock    func() time.Time
	seed     uint64
	log      *slog.Logger
	looks    int
	anyHost  bool
	readings Readings
}

// Option changes a mesh at its start.
type Option func(*options)

// WithRegion sets the region of the configurations that [Mesh.Config] makes. The
// mesh itself answers for every region of the same partition of AWS: with cn-north-1 it is
// in aws-cn, with us-gov-west-1 in aws-us-gov, and else in aws ([Mesh.Partition]). A mesh
// that is opened on a folder without it has the region that it began with.
func WithRegion(region string) Option { return func(o *options) { o.region = region } }

// WithClock sets the mesh's time: creation dates, the end of sessions and
// invitations, and when schedules are due. The age of signatures is always checked against the real time,
// because clients sign with it.
func WithClock(now func() time.Time) Option { return func(o *options) { o.clock = now } }

// WithSeed makes identifiers, and the keys that the mesh hands out, repeatable.
// Such a mesh is for tests only: its secrets can be predicted.
func WithSeed(seed uint64) Option { return func(o *options) { o.seed = seed } }

// WithEventualConsistency makes what was changed known to others only after they
// have looked for it in vain: each observer at least once and at most looks times.
// How often is drawn from the change, the observer and the seed, never from the
// time, so that a client that looks again always gets there, two clients get there
// at different moments, and a repetition goes the same way. 0 is the default:
// everything is known at once.
//
// An observer is a principal that calls a service; who made a change has to look,
// too. One call is one look. These are late:
//
//   - A new user or role. Lake Formation refuses it as a principal of grants,
//     revocations and settings (InvalidInputException, "Invalid principal"), and
//     trust policies and bucket policies that name it are malformed
//     (MalformedPolicyDocument and MalformedPolicy, "Invalid principal in policy").
//   - A new role can be read, but operations that change it answer NoSuchEntity,
//     and so does AttachRolePolicy for a new managed policy.
//   - A trust policy. AssumeRole goes by the one before, and refuses everybody for
//     a role that is new; so does EventBridge Scheduler when a schedule is made.
//   - A registered location. Lake Formation refuses grants on it
//     (InvalidInputException, "register the S3 path").
//   - An invitation of RAM. It is not listed and cannot be accepted.
//   - An association of a resource or, once its invitation was accepted, of a
//     principal with a share. It is ASSOCIATING, and what is shared is not visible.
//     It has one state: whoever looks moves it on for everybody.
//   - Writes to a DynamoDB table, for reads that are not consistent: on the table,
//     and by themselves on each of its indexes. They see the table as it was before
//     the last writes.
//   - A bucket policy. The one before, or none, decides and is shown.
//   - A DynamoDB table that is made, changed or deleted. It is not described at
//     first, and then CREATING, UPDATING or DELETING, in which its items, its tags and
//     its backups are not to be had. It has one state for everybody.
//   - The policies of a user or a role, inline and attached, for each service by
//     itself, which goes by those before.
//   - A table that is shared with another account. GetTables does not list it there.
//
// The Data Catalog, grants, data lake settings, groups, boundaries and objects are
// known at once. So is everything in a mesh that is cloned, or opened again.
func WithEventualConsistency(looks int) Option { return func(o *options) { o.looks = looks } }

// WithLogger writes a line a call at debug level. Secrets are never logged.
func WithLogger(log *slog.Logger) Option { return func(o *options) { o.log = log } }

// WithAnyHost makes [Mesh.Handler] answer requests for any host name. Without it
// only loopback names are accepted, so that a page in a browser cannot reach the
// mesh by a name that it controls.
func WithAnyHost() Option { return func(o *options) { o.anyHost = true } }

// Handler serves the mesh over HTTP.
func (m *Mesh) Handler() http.Handler { return newHandler(m) }

// Region is that of the configurations that [Mesh.Config] makes.
func (m *Mesh) Region() string { return m.options.region }

// Services are the names of the services that the mesh stands in for, as their requests are
// signed for.
func (m *Mesh) Services() []string {
	var names []string
	for _, s := range m.engine.Services() {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
