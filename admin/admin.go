package admin

import (
	"context"
	"log/slog"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/tracker"
	"github.com/lakemesh/lakemesh/plan"
)

// Admin is an administrator of one account. It is safe for concurrent use.
type Admin struct {
	options lakemesh.Options
	caller  *identity.Identity
	account string
	mesh    string
	region  string
	// partition is that of the region, which all ARNs are of.
	partition lakemesh.Partition
	// linking tells that the region is another than the mesh's, in which a consumer links.
	linking bool
	log     *slog.Logger

	iam      *iam.Client
	lake     *lakeformation.Client
	glue     *glue.Client
	dynamodb *dynamodb.Client
	// scheduler and sqs are called only where schedules end grants.
	scheduler *scheduler.Client
	sqs       *sqs.Client

	// managerLake is Lake Formation as DataMeshManager, which is opened by the first
	// call.
	managerLake *lakeformation.Client
	// managerGlue is Glue as the same.
	managerGlue *glue.Client
}

// New opens the administrator of the account that the credentials belong to. It
// asks once who that is, and makes no other call.
func New(ctx context.Context, o lakemesh.Options) (*Admin, error) {
	if err := lakemesh.CheckAccountID("MeshAccountID", o.MeshAccountID); err != nil {
		return nil, err
	}
	log, err := identity.Logger(o)
	if err != nil {
		return nil, err
	}
	caller, err := identity.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	manager, err := caller.Lazy(caller.Partition().RoleARN(o.MeshAccountID, lakemesh.ManagerRole))
	if err != nil {
		return nil, err
	}
	// fmt prints unexported fields without asking them how, so what is kept here holds
	// no keys.
	o.Credentials, o.Config = nil, nil
	return &Admin{
		options: o, caller: caller, account: caller.Account, mesh: o.MeshAccountID, region: caller.Config.Region, partition: caller.Partition(), log: log,
		iam: iam.NewFromConfig(caller.Config), lake: lakeformation.NewFromConfig(caller.Config), glue: glue.NewFromConfig(caller.Config),
		dynamodb: dynamodb.NewFromConfig(caller.Config), scheduler: scheduler.NewFromConfig(caller.Config), sqs: sqs.NewFromConfig(caller.Config),
		managerLake: lakeformation.NewFromConfig(manager.Config), managerGlue: glue.NewFromConfig(manager.Config),
	}, nil
}

// Account is the account that the administrator works on.
func (a *Admin) Account() string { return a.account }

// Region is the region that the administrator works in.
func (a *Admin) Region() string { return a.region }

// MeshAccount is the data mesh account.
func (a *Admin) MeshAccount() string { return a.mesh }

// RoleOutput is a role.
type RoleOutput struct {
	// RoleARN is the role's ARN.
	RoleARN string `json:"RoleArn"`
}

// inMesh refuses to work outside of the mesh account.
func (a *Admin) inMesh(op string) error {
	if a.account == a.mesh {
		return nil
	}
	return &lakemesh.Error{Op: op, Account: a.account, Resource: "credentials", Kind: lakemesh.ErrWrongAccount,
		Message: "this is done in the mesh account " + a.mesh, Hint: "use credentials of an administrator of account " + a.mesh}
}

// outsideMesh refuses to work in the mesh account.
func (a *Admin) outsideMesh(op, kind string) error {
	if a.account != a.mesh {
		return nil
	}
	return &lakemesh.Error{Op: op, Account: a.account, Resource: "credentials", Kind: lakemesh.ErrWrongAccount,
		Message: "this is the mesh account itself", Hint: "use credentials of an administrator of the " + kind + "'s account"}
}

// apply carries a plan out.
func (a *Admin) apply(ctx context.Context, p *plan.Plan) error {
	for _, w := range p.Warnings {
		a.log.WarnContext(ctx, w, "operation", p.Operation, "account", a.account)
	}
	_, err := p.Apply(ctx, plan.Settings{Concurrency: a.options.Concurrency, Progress: a.options.Progress})
	if err == nil && !p.Empty() {
		a.log.InfoContext(ctx, "done", "operation", p.Operation, "account", a.account, "steps", len(p.Steps))
	}
	return err
}

// concurrency is how many calls may be under way at once.
func (a *Admin) concurrency() int {
	if a.options.Concurrency > 0 {
		return a.options.Concurrency
	}
	return plan.DefaultConcurrency
}

// permissions is the mesh account's Lake Formation as its manager sees it.
func (a *Admin) permissions() *permissions.Lake {
	return &permissions.Lake{Client: a.managerLake, Account: a.mesh}
}

var rolePattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+$`)

// checkRole refuses what is not the ARN of a role of the account.
func checkRole(p lakemesh.Partition, parameter, arn, account string) error {
	if err := p.Check(parameter, arn); err != nil {
		return err
	}
	m := rolePattern.FindStringSubmatch(arn)
	if m == nil {
		return lakemesh.Invalid(parameter, "%q is not the ARN of a role: %s", arn, p.ARN("iam", "", "<account>", "role/<name>"))
	}
	if m[1] != account {
		return lakemesh.Invalid(parameter, "%s belongs to account %s; a crawler runs in the producer's account %s, with a role of it", arn, m[1], account)
	}
	return nil
}

// bucketPattern is what a bucket may be called
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
var bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// checkBuckets checks the names of buckets, of which [EveryBucket] stands alone.
func checkBuckets(names []string) error {
	if len(names) == 1 && names[0] == EveryBucket {
		return nil
	}
	for _, n := range names {
		if !bucketPattern.MatchString(n) {
			return lakemesh.Invalid("Buckets", "%q is not the name of a bucket", n)
		}
	}
	return nil
}

// nameOf is the last part of a role's ARN.
func nameOf(roleARN string) string { return roleARN[strings.LastIndexByte(roleARN, '/')+1:] }

// records reads the records of subscriptions as the mesh's administrator.
func (a *Admin) records() *tracker.Tracker {
	return tracker.New(tracker.Options{Config: a.caller.Config, MeshAccount: a.mesh, By: a.caller.ARN, Log: a.log, Now: a.options.Now})
}
