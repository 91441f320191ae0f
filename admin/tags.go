package admin

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// noValue is the one value with which LF-tags are made: a tag must have one.
const noValue = "none"

// meshTags are the LF-tags of the mesh.
func meshTags() []string { return []string{lakemesh.DomainTag, lakemesh.ProductTag} }

// observeTags tells which of the mesh's LF-tags exist.
func (a *Admin) observeTags(ctx context.Context) (map[string]bool, error) {
	found := map[string]bool{}
	for _, key := range meshTags() {
		_, err := a.managerLake.GetLFTag(ctx, &lakeformation.GetLFTagInput{TagKey: aws.String(key)})
		if err != nil && !identity.IsNotFound(err) {
			return nil, identity.Explain("GetLFTag", a.mesh, "LF-tag "+key, err)
		}
		found[key] = err == nil
	}
	return found, nil
}

// planTags adds the steps that make the LF-tags which do not exist.
func (a *Admin) planTags(p *plan.Plan, found map[string]bool, after ...*plan.Step) []*plan.Step {
	var steps []*plan.Step
	for _, key := range meshTags() {
		if found[key] {
			continue
		}
		steps = append(steps, p.Add(plan.Step{
			Kind: plan.CreateTag, Account: a.mesh, Resource: "LF-tag " + key,
			Summary: fmt.Sprintf("create LF-tag %s with the value %q", key, noValue),
			Run: func(ctx context.Context) error {
				err := a.asManager(ctx, "create LF-tag "+key, func(ctx context.Context) error {
					_, err := a.managerLake.CreateLFTag(ctx, &lakeformation.CreateLFTagInput{TagKey: aws.String(key), TagValues: []string{noValue}})
					return err
				})
				if identity.IsAlreadyExists(err) {
					return nil
				}
				return identity.Explain("CreateLFTag", a.mesh, "LF-tag "+key, err)
			},
		}, after...))
	}
	return steps
}
