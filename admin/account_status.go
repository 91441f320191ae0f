package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// accountStatus is the status of an account that is not the mesh account.
func (a *Admin) accountStatus(ctx context.Context, out *StatusOutput) error {
	names := []string{lakemesh.ProducerRole, lakemesh.ConsumerRole}
	found := make([]*foundRole, len(names))
	g, gctx := errgroup.WithContext(ctx)
	for i, name := range names {
		g.Go(func() (err error) { found[i], err = a.observeRole(gctx, name); return err })
	}
	g.Go(func() error {
		settings, err := a.observeSettings(gctx)
		for _, admin := range settings.DataLakeAdmins {
			out.Administrators = append(out.Administrators, aws.ToString(admin.DataLakePrincipalIdentifier))
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	statuses := make([]*RoleStatus, len(names))
	for i, name := range names {
		s := &RoleStatus{RoleARN: a.partition.RoleARN(a.account, name), Exists: found[i].exists}
		s.Administrator = slices.Contains(out.Administrators, s.RoleARN)
		switch {
		case !s.Exists:
		case !s.Administrator || found[i].policy == "" || !trustsOnly(found[i].trust, a.partition.Root(a.account)):
			out.Problems = append(out.Problems, fmt.Sprintf("role %s is not set up completely: the account must be initialized again", name))
		case len(found[i].differences(a.ownRoleAgain(name, found[i]))) > 0:
			out.Problems = append(out.Problems, fmt.Sprintf("role %s is not as this version makes it: the account must be initialized again, with the same crawler role, buckets and keys", name))
		}
		statuses[i] = s
	}
	out.Producer, out.Consumer = statuses[0], statuses[1]
	if out.Producer.Exists {
		out.Producer.Buckets = bucketsIn(found[0].policy)
		if slices.Equal(out.Producer.Buckets, []string{EveryBucket}) {
			out.Warnings = append(out.Warnings, allBucketsWarning())
		}
	}
	if out.Consumer.LinkRegions = linkRegionsIn(found[1].policy); len(out.Consumer.LinkRegions) > 0 {
		a.checkLinkRegions(ctx, out)
	}
	if !out.Producer.Exists && !out.Consumer.Exists {
		out.Problems = append(out.Problems, "the account is neither a producer nor a consumer")
	}
	meshRoles := []string{lakemesh.MeshProducerRole(a.account), lakemesh.MeshConsumerRole(a.account)}
	for i, s := range statuses {
		if s.Exists {
			a.tryHops(ctx, out, s.RoleARN, a.partition.RoleARN(a.mesh, meshRoles[i]))
		}
	}
	return nil
}

// tryHops opens the roles as a persona does, each once. What the caller itself may
// not open says nothing about the account.
func (a *Admin) tryHops(ctx context.Context, out *StatusOutput, own, inMesh string) {
	from := a.caller.Once()
	for i, role := range []string{own, inMesh, a.partition.RoleARN(a.mesh, lakemesh.ReadOnlyRole)} {
		next, err := from.Assume(ctx, role)
		hop := HopStatus{RoleARN: role, From: from.ARN}
		if err != nil {
			hop.Problem = err.Error()
		}
		out.Hops = append(out.Hops, hop)
		switch {
		case err != nil && i == 0:
			out.Warnings = append(out.Warnings, "the roles beyond could not be tried: "+err.Error())
			return
		case err != nil:
			out.Problems = append(out.Problems, err.Error())
			return
		}
		from = next
	}
}

// ownRoleAgain is the account's own role as this version makes it from what it was
// made from.
func (a *Admin) ownRoleAgain(name string, found *foundRole) role {
	want := role{name: name, trust: trustAccount(a.partition, a.account)}
	if name == lakemesh.ConsumerRole {
		want.policy = consumerPolicy(a.partition, a.mesh, a.account, linkRegionsIn(found.policy))
		return want
	}
	var in InitializeProducerInput
	in.keep(found)
	want.policy = producerPolicy(a.partition, a.mesh, a.account, in.CrawlerRoleARN, in.Buckets, in.KeyPolicies)
	return want
}

// allBucketsWarning is told where a producer's buckets were not named.
func allBucketsWarning() string {
	return lakemesh.ProducerRole + " may write the policy of every bucket of its account, and so open each of them to anybody; " +
		"initialize the account again with the names of the buckets that it publishes from: " + lakemesh.Do("admin.InitializeProducerAccount", "Buckets", "BUCKET,BUCKET").String()
}

// bucketsIn are the buckets whose policies a role's policy lets it write; * for all.
func bucketsIn(policy string) []string {
	var buckets []string
	for _, arn := range resourcesOf(policy, "s3:PutBucketPolicy") {
		buckets = append(buckets, arn[strings.LastIndexByte(arn, ':')+1:])
	}
	return buckets
}

// crawlerRoleIn is the role that a producer's policy lets crawlers have; empty for
// none.
func crawlerRoleIn(policy string) string {
	if roles := resourcesOf(policy, "iam:PassRole"); len(roles) == 1 {
		return roles[0]
	}
	return ""
}

// resourcesOf are the resources on which a policy of ours allows an action.
func resourcesOf(policy, action string) []string {
	d, err := iampolicy.Parse([]byte(policy))
	if err != nil {
		return nil
	}
	for _, s := range d.Statements {
		if s.Effect == iampolicy.Allow && slices.Contains(s.Actions, action) {
			return s.Resources
		}
	}
	return nil
}
