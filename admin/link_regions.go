package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

// Roles belong to an account as a whole, and data lake administrators to a region of it.
// A consumer links in other regions than the mesh's where its role is an administrator
// as well. Which these are is its policy's to say: the role may look at the settings of
// Lake Formation there, and nowhere else.

const lookAtSettings = "lakeformation:GetDataLakeSettings"

// linkRegionsIn are the regions besides the mesh's in which a consumer's role may link.
func linkRegionsIn(policy string) []string {
	d, err := iampolicy.Parse([]byte(policy))
	if err != nil {
		return nil
	}
	for _, s := range d.Statements {
		if s.Effect == iampolicy.Allow && slices.Contains(s.Actions, lookAtSettings) {
			return s.Conditions["StringEquals"]["aws:RequestedRegion"]
		}
	}
	return nil
}

// linkRegions are the regions that are asked for together with those that the role has,
// in order, without the mesh's own.
func (a *Admin) linkRegions(asked []string, found *foundRole) ([]string, error) {
	for _, r := range asked {
		if err := a.partition.CheckRegion("LinkRegions", r); err != nil {
			return nil, err
		}
	}
	all := append(slices.Clone(asked), linkRegionsIn(found.policy)...)
	all = slices.DeleteFunc(all, func(r string) bool { return r == a.region })
	slices.Sort(all)
	return slices.Compact(all), nil
}

// inRegion is the administrator of the same account in another region of it.
func (a *Admin) inRegion(region string) *Admin {
	cfg := a.caller.Config.Copy()
	cfg.Region = region
	there := *a
	there.region, there.linking, there.lake, there.glue = region, region != a.region, lakeformation.NewFromConfig(cfg), glue.NewFromConfig(cfg)
	return &there
}

// elsewhere names the region in the words of a step, where it is not the mesh's.
func (a *Admin) elsewhere() string {
	if !a.linking {
		return ""
	}
	return " of region " + a.region
}

// planLinkRegions makes a consumer's role a data lake administrator in regions. Nothing
// else is changed there: whether other tables of the region are open to whom IAM lets
// through is the account's own affair.
func (a *Admin) planLinkRegions(ctx context.Context, p *plan.Plan, regions []string) error {
	role := slices.Clone(p.Steps)
	for _, region := range regions {
		there := a.inRegion(region)
		settings, err := there.observeSettings(ctx)
		if err != nil {
			return identity.NoRegion("GetDataLakeSettings", a.account, region, err)
		}
		if _, err := there.planSettings(p, settings, wantedSettings{administrator: a.partition.RoleARN(a.account, lakemesh.ConsumerRole)}, role...); err != nil {
			return err
		}
	}
	return nil
}

// checkLinkRegions tells of regions in which a consumer's role is to link and cannot.
func (a *Admin) checkLinkRegions(ctx context.Context, out *StatusOutput) {
	for _, region := range out.Consumer.LinkRegions {
		settings, err := a.inRegion(region).observeSettings(ctx)
		switch {
		case err != nil:
			out.Problems = append(out.Problems, fmt.Sprintf("region %s, in which role %s links, cannot be looked at: %v", region, lakemesh.ConsumerRole, identity.NoRegion("GetDataLakeSettings", a.account, region, err)))
		case !isAdministrator(settings, out.Consumer.RoleARN):
			out.Problems = append(out.Problems, fmt.Sprintf("role %s is no data lake administrator in region %s, in which it links: the account must be initialized again", lakemesh.ConsumerRole, region))
		}
	}
}
