package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// noValue is the one value with which LF-tags are made.
const noValue = lakemesh.NoTagValue

// meshTags are the LF-tags that all producers share.
func meshTags() []string { return []string{lakemesh.DomainTag, lakemesh.ProductTag} }

// ownerTags are the LF-tags of one producer. The mesh's administrator makes them, and
// no producer can make any, so that nobody takes another's
// (docs/decisions/0013-tags-belong-to-their-owner.md).
func ownerTags(account string) []string {
	return []string{lakemesh.OwnerTag(lakemesh.DomainTag, account), lakemesh.OwnerTag(lakemesh.ProductTag, account)}
}

// observeTags reports which of the LF-tags exist.
func (a *Admin) observeTags(ctx context.Context, keys []string) (map[string]bool, error) {
	found := map[string]bool{}
	for _, key := range keys {
		_, err := a.managerLake.GetLFTag(ctx, &lakeformation.GetLFTagInput{TagKey: aws.String(key)})
		if err != nil && !identity.IsNotFound(err) {
			return nil, identity.Explain("GetLFTag", a.mesh, "LF-tag "+key, err)
		}
		found[key] = err == nil
	}
	return found, nil
}

// planTags adds the steps that make the LF-tags which do not exist.
func (a *Admin) planTags(p *plan.Plan, keys []string, found map[string]bool, after ...*plan.Step) []*plan.Step {
	var steps []*plan.Step
	for _, key := range keys {
		if found[key] {
			continue
		}
		steps = append(steps, p.Add(plan.Step{
			Kind: plan.CreateTag, Account: a.mesh, Resource: "LF-tag " + key,
			Summary: fmt.Sprintf("create LF-tag %s with the value %q", key, noValue),
			Run: func(ctx context.Context) error {
				if err := a.rememberTag(ctx, key); err != nil {
					return err
				}
				err := a.asManager(ctx, "create LF-tag "+key, func(ctx context.Context) error {
					_, err := a.managerLake.CreateLFTag(ctx, &lakeformation.CreateLFTagInput{TagKey: aws.String(key), TagValues: []string{noValue}})
					return err
				})
				if identity.IsAlreadyExists(err) {
					return nil
				}
				if awserr.Is(err, "ResourceNumberLimitExceededException") {
					return &lakemesh.Error{Op: "CreateLFTag", Account: a.mesh, Resource: "LF-tag " + key, Kind: lakemesh.ErrQuota, Code: awserr.Code(err), Err: err,
						Message: awserr.Message(err), Hint: "ask AWS to raise the quota of LF-tags of Lake Formation in the mesh account, and run the same command again"}
				}
				return identity.Explain("CreateLFTag", a.mesh, "LF-tag "+key, err)
			},
		}, after...))
	}
	return steps
}

// rememberTag records that the mesh makes one of the LF-tags that all producers share,
// before it does. One that is there already is somebody else's, and is not recorded.
func (a *Admin) rememberTag(ctx context.Context, key string) error {
	if !slices.Contains(meshTags(), key) {
		return nil
	}
	err := a.asManager(ctx, "look for LF-tag "+key, func(ctx context.Context) error {
		_, err := a.managerLake.GetLFTag(ctx, &lakeformation.GetLFTagInput{TagKey: aws.String(key)})
		return err
	})
	switch {
	case err == nil:
		return nil
	case !identity.IsNotFound(err):
		return identity.Explain("GetLFTag", a.mesh, "LF-tag "+key, err)
	}
	return a.writeBefore(ctx, nil, []string{key})
}

// tagsWarning says that the LF-tags of so many producers come near the quota; empty if
// they do not. What the quota is in this account, and which other tags it has, is not
// looked at.
func tagsWarning(producers int) string {
	n := len(meshTags()) + producers*len(ownerTags(""))
	if n < nearMaxTags {
		return ""
	}
	return fmt.Sprintf("%d producers take %d LF-tags, and an account has a quota of %d unless AWS has raised it: ask AWS in time", producers, n, maxTags)
}

// ownerGrants let a producer add values to its own LF-tags, assign them, show them to others,
// and grant by them what subscriptions to domains and data products give.
func ownerGrants(p lakemesh.Partition, mesh, account string) []permissions.Entry {
	var all []permissions.Entry
	for _, key := range ownerTags(account) {
		all = append(all, permissions.Entry{Principal: p.RoleARN(mesh, lakemesh.MeshProducerRole(account)), Resource: permissions.Tag(mesh, key),
			Permissions: lakemesh.NewPermissions(lakemesh.Alter, permissions.Associate, lakemesh.Describe, permissions.GrantWithTag), Grantable: lakemesh.NewPermissions(lakemesh.Describe)})
	}
	return all
}

// foundOwnerTags is what was found of a producer's own LF-tags.
type foundOwnerTags struct {
	exist map[string]bool
	// held is what anybody holds on them.
	held *permissions.Grants
}

// observeOwnerTags reads a producer's own LF-tags.
func (a *Admin) observeOwnerTags(ctx context.Context, account string) (found foundOwnerTags, err error) {
	if found.exist, err = a.observeTags(ctx, ownerTags(account)); err != nil {
		return found, err
	}
	found.held = permissions.NewGrants()
	var there []permissions.Resource
	for _, key := range ownerTags(account) {
		if found.exist[key] {
			there = append(there, permissions.Tag(a.mesh, key))
		}
	}
	if len(there) == 0 {
		return found, nil
	}
	if found.held, err = a.permissions().Observe(ctx, there...); err != nil {
		return found, identity.Explain("ListPermissions", a.mesh, "permissions on the LF-tags of producer "+account, err)
	}
	return found, nil
}

// planOwnerTags adds the steps that make a producer's LF-tags its own: those that do
// not exist are made, and what others hold of the owner's rights is taken from them.
// role is the step that makes the producer's role.
func (a *Admin) planOwnerTags(p *plan.Plan, batches *permissions.Batches, account string, found foundOwnerTags, role *plan.Step) {
	owner := a.partition.RoleARN(a.mesh, lakemesh.MeshProducerRole(account))
	for _, wanted := range ownerGrants(a.partition, a.mesh, account) {
		key := wanted.Resource.Tag
		after := append(a.planTags(p, []string{key}, found.exist), role)
		for _, other := range found.held.Others(wanted.Resource, owner) {
			batches.Revoke(p, other)
		}
		for _, e := range permissions.Missing(found.held, []permissions.Entry{wanted}) {
			batches.Grant(p, e, after...)
		}
	}
}
