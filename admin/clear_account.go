package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

const opClear = "ClearAccount"

// ClearInput says what an account stops being.
type ClearInput struct {
	// Type is what it stops being.
	Type AccountType
}

// ClearAccount takes from an account what [Admin.InitializeProducerAccount] and
// [Admin.InitializeConsumerAccount] made in it: the role, what it holds in the account's
// own Lake Formation, and that it is a data lake administrator; and of a producer what
// our statements still open in the policies of the account's buckets. It is done by an
// administrator of the account, after [Admin.DisableAccount] in the mesh account: while the
// account is enabled there it is refused, with [lakemesh.ErrIllegalTransition].
//
// Tables, data and what others made stay. It is safe to repeat.
func (a *Admin) ClearAccount(ctx context.Context, in ClearInput) (*DisableOutput, error) {
	c, err := a.clearable(ctx, in)
	if err != nil {
		return nil, err
	}
	return a.carryOut(ctx, a.account, c.closing, c.rest)
}

// PlanClearAccount says what [Admin.ClearAccount] would do.
func (a *Admin) PlanClearAccount(ctx context.Context, in ClearInput) (*plan.Plan, error) {
	c, err := a.clearable(ctx, in)
	if err != nil {
		return nil, err
	}
	return c.whole(), nil
}

// clearable is the clearing of an account that is not enabled in the mesh.
func (a *Admin) clearable(ctx context.Context, in ClearInput) (*clearing, error) {
	c, err := a.clearing(ctx, in)
	if err == nil {
		err = c.refuseEnabled(ctx)
	}
	return c, err
}

// clearing is the clearing of an account, as two plans: closing closes the buckets, while
// the roles that they are open to are still known by their names.
type clearing struct {
	*Admin
	in            ClearInput
	roles         []*leavingRole
	closing, rest *plan.Plan
}

// leavingRole is a role of the account that leaves.
type leavingRole struct {
	name string
	// mesh is the role of the mesh account that it opens.
	mesh  string
	found *foundRole
}

func (c *clearing) whole() *plan.Plan {
	p := &plan.Plan{Operation: opClear}
	p.Append(c.closing)
	p.Append(c.rest, c.closing.Steps...)
	return p
}

func (a *Admin) clearing(ctx context.Context, in ClearInput) (*clearing, error) {
	if err := a.outsideMesh(opClear, "producer or consumer"); err != nil {
		return nil, err
	}
	kind, err := ParseAccountType(string(in.Type))
	if err != nil {
		return nil, err
	}
	in.Type = kind
	c := &clearing{Admin: a, in: in, closing: &plan.Plan{Operation: opClear}, rest: &plan.Plan{Operation: opClear}}
	if kind != Consumer {
		c.roles = append(c.roles, &leavingRole{name: lakemesh.ProducerRole, mesh: lakemesh.MeshProducerRole(a.account)})
	}
	if kind != Producer {
		c.roles = append(c.roles, &leavingRole{name: lakemesh.ConsumerRole, mesh: lakemesh.MeshConsumerRole(a.account)})
	}
	for _, r := range c.roles {
		if r.found, err = a.observeOurRole(ctx, opClear, r.name); err != nil {
			return nil, err
		}
	}
	if kind != Consumer {
		if err := c.planBuckets(ctx); err != nil {
			return nil, err
		}
		if err := c.planKeys(ctx); err != nil {
			return nil, err
		}
	}
	return c, c.planRoles(ctx)
}

// refuseEnabled refuses an account that is enabled in the mesh, which shows by whether its
// role opens the one in the mesh account.
func (c *clearing) refuseEnabled(ctx context.Context) error {
	for _, r := range c.roles {
		if !r.found.exists || r.found.policy == "" {
			continue
		}
		own, err := c.caller.Once().Assume(ctx, r.found.arn)
		if err != nil {
			return identity.Explain(opClear, c.account, "role "+r.name, err)
		}
		_, err = own.Assume(ctx, c.partition.RoleARN(c.mesh, r.mesh))
		switch {
		case err == nil:
			kind := Producer
			if r.name == lakemesh.ConsumerRole {
				kind = Consumer
			}
			return &lakemesh.Error{Op: opClear, Account: c.account, Resource: "account " + c.account, Kind: lakemesh.ErrIllegalTransition,
				Message: fmt.Sprintf("it is enabled as a %s in the mesh", kind),
				Hint:    "let the mesh's administrator disable it first", Do: []lakemesh.Call{lakemesh.Do("admin.DisableAccount", "AccountID", c.account, "Type", string(kind))}}
		case !errors.Is(err, lakemesh.ErrAccessDenied):
			// Only a role that refuses, or is not there, says that the account is not enabled.
			return identity.Explain(opClear, c.account, "role "+c.partition.RoleARN(c.mesh, r.mesh), err)
		}
	}
	return nil
}

// planBuckets closes what our statements open, in the policies of the account's buckets, to
// roles of the mesh account. Statements that are not exactly ours stay.
func (c *clearing) planBuckets(ctx context.Context) error {
	client := identity.S3(c.caller.Config)
	buckets := storage.Buckets{Client: client, Account: c.account}
	var names []string
	pages := s3.NewListBucketsPaginator(client, &s3.ListBucketsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return identity.Explain("ListBuckets", c.account, "buckets", err)
		}
		for _, b := range page.Buckets {
			names = append(names, aws.ToString(b.Name))
		}
	}
	opened := make([]map[string][]string, len(names))
	unread := make([]error, len(names))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(c.concurrency())
	for i, name := range names {
		g.Go(func() error {
			found, err := buckets.Inspect(gctx, name, nil)
			if err != nil {
				unread[i] = err
				return gctx.Err()
			}
			opened[i] = found.Named
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	closed := map[string][]storage.Place{}
	for i, name := range names {
		if unread[i] != nil {
			// A policy that cannot be read, or a bucket of another region. The others need not wait.
			c.closing.Warn("the policy of bucket %s was not looked at (%v): if lakemesh opened the bucket, its statements are still there", name, unread[i])
		}
		for role, prefixes := range opened[i] {
			if !strings.HasPrefix(role, c.partition.ARN("iam", "", c.mesh, "role/")) {
				continue
			}
			for _, prefix := range prefixes {
				closed[role] = append(closed[role], storage.Place{Bucket: name, Prefix: prefix})
			}
		}
	}
	var wanted []storage.Access
	for role, places := range closed {
		wanted = append(wanted, storage.Access{Role: role, Close: places})
	}
	changes, err := buckets.Prepare(ctx, wanted...)
	if err != nil {
		return identity.Explain("GetBucketPolicy", c.account, "buckets", err)
	}
	for _, change := range changes {
		buckets.Step(c.closing, change)
	}
	return nil
}

// planKeys takes our statements for roles of the mesh account out of the policies of the
// keys that the producer's role keeps.
func (c *clearing) planKeys(ctx context.Context) error {
	keys := storage.Keys{Client: kms.NewFromConfig(c.caller.Config), Account: c.account}
	for _, r := range c.roles {
		for _, key := range resourcesOf(r.found.policy, "kms:PutKeyPolicy") {
			policy, err := keys.Policy(ctx, key)
			if err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				c.closing.Warn("the policy of key %s was not looked at (%v): if lakemesh let a role decrypt with it, its statement is still there", key, err)
				continue
			}
			readers, err := storage.KeyReaders(policy, key)
			if err != nil {
				return identity.Explain("GetKeyPolicy", c.account, "key "+key, err)
			}
			shut := slices.DeleteFunc(readers, func(r storage.KeyReader) bool {
				return !strings.HasPrefix(r.Role, c.partition.ARN("iam", "", c.mesh, "role/"))
			})
			if len(shut) > 0 {
				keys.Step(c.closing, storage.KeyChange{Key: key, Shut: shut})
			}
		}
	}
	return nil
}

// planRoles ends what the roles hold, takes them from the administrators and removes them.
func (c *clearing) planRoles(ctx context.Context) error {
	settings, err := c.observeSettings(ctx)
	if err != nil {
		return err
	}
	var after []*plan.Step
	var gone []string
	for _, r := range c.roles {
		gone = append(gone, c.partition.RoleARN(c.account, r.name))
		steps, err := c.planHoldings(ctx, r, isAdministrator(settings, c.partition.RoleARN(c.account, r.name)))
		if err != nil {
			return err
		}
		after = append(after, steps...)
		if r.name == lakemesh.ConsumerRole {
			if steps, err = c.planLinkRegions(ctx, r); err != nil {
				return err
			}
			after = append(after, steps...)
		}
	}
	if step := c.planPutBack(c.rest, settings, putBack{retire: gone}, after...); step != nil {
		after = append(after, step)
	}
	for _, r := range c.roles {
		c.planRoleRemoval(c.rest, r.name, r.found, after...)
	}
	return nil
}

// planLinkRegions undoes what was made in the regions besides the mesh's in which the
// consumer's role links. One that the account has disabled since keeps nothing else from being
// cleared.
func (c *clearing) planLinkRegions(ctx context.Context, r *leavingRole) ([]*plan.Step, error) {
	var all []*plan.Step
	for _, region := range linkRegionsIn(r.found.policy) {
		there := *c
		there.Admin = c.inRegion(region)
		settings, err := there.observeSettings(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			c.rest.Warn("region %s was not looked at: role %s may be a data lake administrator there (%v)", region, r.name, err)
			continue
		}
		steps, err := there.planHoldings(ctx, r, isAdministrator(settings, r.found.arn))
		if err != nil {
			return nil, err
		}
		all = append(all, steps...)
		if step := there.planPutBack(c.rest, settings, putBack{retire: []string{r.found.arn}}, steps...); step != nil {
			all = append(all, step)
		}
	}
	return all, nil
}

// planHoldings ends what a role holds in the account's own Lake Formation, so that none of it
// is there for a role that is made under the same name. The role itself does it: it is a
// data lake administrator, and whether the caller is nobody knows.
func (c *clearing) planHoldings(ctx context.Context, r *leavingRole, administrator bool) ([]*plan.Step, error) {
	if !r.found.exists || r.found.policy == "" {
		return nil, nil
	}
	own, err := c.caller.Assume(ctx, r.found.arn)
	if err != nil {
		return nil, identity.Explain(opClear, c.account, "role "+r.name, err)
	}
	cfg := own.Config.Copy()
	cfg.Region = c.region
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(cfg), Account: c.account}
	holdings, err := lake.Holdings(ctx)
	if err != nil {
		return nil, c.explainLake("ListPermissions", err)
	}
	// Who is no administrator is shown at least what it holds itself.
	entries, rest := holdings.Of(r.found.arn)
	if !administrator {
		for _, e := range entries {
			c.rest.Warn("role %s holds %s on %s, and is no data lake administrator any more that could revoke it", r.name, e.Permissions, e.Resource)
		}
		return nil, nil
	}
	var steps []*plan.Step
	batches := lake.Batches()
	for _, e := range entries {
		steps = append(steps, batches.Revoke(c.rest, e)...)
	}
	for _, row := range rest {
		steps = append(steps, batches.RevokeRow(c.rest, row))
	}
	return steps, c.sayLinks(ctx, catalog.New(glue.NewFromConfig(cfg), c.account, c.region, c.concurrency()))
}

// sayLinks warns of links to the mesh that are left: whose they are nobody can tell.
func (c *clearing) sayLinks(ctx context.Context, own *catalog.Catalog) error {
	databases, err := own.Links(ctx, c.mesh)
	if err != nil {
		return identity.Explain("GetDatabases", c.account, "catalog", err)
	}
	if len(databases) == 0 {
		return nil
	}
	slices.Sort(databases)
	text := fmt.Sprintf("these resource links to the mesh"+c.elsewhere()+" stay, and lead nowhere when the account has left: %s", some(databases))
	if !slices.Contains(c.rest.Warnings, text) {
		c.rest.Warn("%s", text)
	}
	return nil
}
