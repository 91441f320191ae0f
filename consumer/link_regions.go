package consumer

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/plan"
)

// Everything of a product is in the mesh's region: the tables, the shares, what was granted
// and what is handed on. The link by which queries name it, and DESCRIBE on the link, are in
// the region of who reads
// (https://docs.aws.amazon.com/lake-formation/latest/dg/data-access-across-region.html).

// linkPlace is the consumer's catalog in one region.
type linkPlace struct {
	region string
	// own is the catalog, lake the Lake Formation of the region.
	own  view
	lake *permissions.Lake
}

// linkPlaces makes the places of regions with the consumer's credentials. It keeps the
// configuration to itself, so that whoever prints a consumer does not print it.
func linkPlaces(cfg aws.Config, account string, concurrency int) func(region string) linkPlace {
	return func(region string) linkPlace {
		there := cfg.Copy()
		there.Region = region
		return linkPlace{region: region, own: view{Catalog: catalog.New(glue.NewFromConfig(there), account, region, concurrency)},
			lake: &permissions.Lake{Client: lakeformation.NewFromConfig(there), Account: account, Patience: principalPatience}}
	}
}

// linksIn is where links of a region are.
func (c *Consumer) linksIn(region string) linkPlace {
	if region == c.region {
		return linkPlace{region: c.region, own: c.own, lake: c.lake}
	}
	return c.place(region)
}

// linksTo reports whether a database of the region's catalog is a resource link to one of
// the mesh. A target without a region is one of the link's own region.
func (p linkPlace) linksTo(c *Consumer, db *types.Database, meshDatabase string) bool {
	if !catalog.IsDatabaseLinkTo(db, c.meshAccount, meshDatabase) {
		return false
	}
	region := aws.ToString(db.TargetDatabase.Region)
	return region == c.region || region == "" && p.region == c.region
}

// linked are the links of the region to databases of the mesh, by their names: the
// databases that they lead to.
func (p linkPlace) linked(ctx context.Context, c *Consumer) (map[string]string, error) {
	all, err := p.own.databases(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for i := range all {
		if t := all[i].TargetDatabase; t != nil && p.linksTo(c, &all[i], aws.ToString(t.DatabaseName)) {
			found[strings.ToLower(aws.ToString(all[i].Name))] = strings.ToLower(aws.ToString(t.DatabaseName))
		}
	}
	return found, nil
}

// linkRegions are the regions in which a subscription's links are to be, the mesh's own
// first. It is that one alone until another is chosen.
func (c *Consumer) linkRegions(s *lakemesh.Subscription) []string {
	if len(s.LinkRegions) == 0 {
		return []string{c.region}
	}
	regions := c.otherRegions(s)
	if slices.Contains(s.LinkRegions, c.region) {
		regions = slices.Insert(regions, 0, c.region)
	}
	return regions
}

// linksAtHome reports whether a subscription's link is to be in the mesh's own region.
func (c *Consumer) linksAtHome(s *lakemesh.Subscription) bool {
	return slices.Contains(c.linkRegions(s), c.region)
}

// otherRegions are the regions besides the mesh's in which links of subscriptions may be, in
// order.
func (c *Consumer) otherRegions(subscriptions ...*lakemesh.Subscription) []string {
	var all []string
	for _, s := range subscriptions {
		all = append(all, s.LinkRegions...)
	}
	all = slices.DeleteFunc(all, func(r string) bool { return r == c.region })
	slices.Sort(all)
	return slices.Compact(all)
}

// open refuses a region in which no link can be made: one that there is not, that the
// account has not enabled, or in which its role is no data lake administrator, so that it
// could not let anybody see the link, nor take it away.
func (p linkPlace) open(ctx context.Context, c *Consumer, op string) error {
	self := c.partition.RoleARN(c.account, lakemesh.ConsumerRole)
	out, err := p.lake.Client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err == nil && slices.ContainsFunc(out.DataLakeSettings.DataLakeAdmins, func(a lftypes.DataLakePrincipal) bool { return aws.ToString(a.DataLakePrincipalIdentifier) == self }) {
		return nil
	}
	if err == nil || identity.IsAccessDenied(err) {
		return &lakemesh.Error{Op: op, Account: c.account, Resource: "region " + p.region, Kind: lakemesh.ErrAccessDenied, Err: err,
			Message: "role " + lakemesh.ConsumerRole + " is not set up to link there",
			Hint:    "an administrator of account " + c.account + " opens the region for links", Do: []lakemesh.Call{lakemesh.Do("admin.InitializeConsumerAccount", "LinkRegions", p.region)}}
	}
	return identity.Explain(op, c.account, "region "+p.region, identity.NoRegion(op, c.account, p.region, err))
}

// elsewhere names the region in the words of a step, where it is not the mesh's.
func (p linkPlace) elsewhere(c *Consumer) string {
	if p.region == c.region {
		return ""
	}
	return " in region " + p.region
}

// said names the region in the words of steps.
func (p linkPlace) said(c *Consumer, steps []*plan.Step) []*plan.Step {
	for _, s := range steps {
		s.Summary += p.elsewhere(c)
	}
	return steps
}
