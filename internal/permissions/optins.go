package permissions

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/plan"
)

// Where [AllowedByIAM] holds something in hybrid access mode, Lake Formation decides for
// those principals alone that were opted in: without an opt-in their grants are silent,
// and with one and no grant they are refused
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-workflow.html).

// OptIn is a principal for whom Lake Formation decides on a resource.
type OptIn struct {
	// Principal is an account id or the ARN of an identity.
	Principal string
	// Resource is a database, all of its tables, or a table.
	Resource Resource
}

// OptedIn is an opt-in that there is.
type OptedIn struct {
	OptIn
	// By is the ARN of who made it, or changed it last; empty if that is not told.
	By string
}

// OptIns are the opt-ins that the caller's account made, of every principal, on what is
// asked about: on one resource, or with none given on all. Only data lake administrators
// see them. They are never asked for by a principal: one of another account is refused as a
// filter (https://github.com/hashicorp/terraform-provider-aws/issues/49106). Those on what
// lakemesh opts nobody in to, such as the catalog, and those under a condition are left out.
// On what there is not, or the account may not see any more, nobody is opted in.
func (l *Lake) OptIns(ctx context.Context, on ...Resource) ([]OptedIn, error) {
	asked := []*types.Resource{nil}
	if len(on) > 0 {
		asked = asked[:0]
		for _, r := range on {
			asked = append(asked, r.sdk())
		}
	}
	var all []OptedIn
	for i, r := range asked {
		pages := lakeformation.NewListLakeFormationOptInsPaginator(l.Client, &lakeformation.ListLakeFormationOptInsInput{Resource: r, MaxResults: aws.Int32(pageSize)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil && len(on) > 0 && (awserr.NotFound(err) || awserr.Denied(err) && awserr.Says(err, "does not exist")) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("list who is opted in: %w", err)
			}
			for _, row := range page.LakeFormationOptInsInfoList {
				found, ok := fromSDK(row.Resource, l.Account)
				if !ok || row.Principal == nil || row.Condition != nil || len(on) > 0 && found != on[i] {
					continue
				}
				all = append(all, OptedIn{OptIn{aws.ToString(row.Principal.DataLakePrincipalIdentifier), found}, aws.ToString(row.LastUpdatedBy)})
			}
		}
	}
	return all, nil
}

// PlanOptIn adds the step that opts a principal in.
func (l *Lake) PlanOptIn(p *plan.Plan, o OptIn, after ...*plan.Step) *plan.Step {
	return p.Add(plan.Step{Kind: plan.OptIn, Account: l.Account, Resource: o.Resource.String(), Summary: fmt.Sprintf("opt %s in to %s", o.Principal, o.Resource),
		Run: func(ctx context.Context) error {
			_, err := l.Client.CreateLakeFormationOptIn(ctx, &lakeformation.CreateLakeFormationOptInInput{
				Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(o.Principal)}, Resource: o.Resource.sdk()})
			if awserr.Is(err, "AlreadyExistsException") {
				return nil
			}
			return err
		}}, after...)
}

// PlanOptOut adds the step that opts a principal out. One that is not opted in is.
func (l *Lake) PlanOptOut(p *plan.Plan, o OptIn, after ...*plan.Step) *plan.Step {
	return p.Add(plan.Step{Kind: plan.OptOut, Account: l.Account, Resource: o.Resource.String(), Summary: fmt.Sprintf("opt %s out of %s", o.Principal, o.Resource),
		Run: func(ctx context.Context) error {
			_, err := l.Client.DeleteLakeFormationOptIn(ctx, &lakeformation.DeleteLakeFormationOptInInput{
				Principal: &types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(o.Principal)}, Resource: o.Resource.sdk()})
			if awserr.NotFound(err) {
				return nil
			}
			return err
		}}, after...)
}

// HybridVersion is the least cross-account version at which what [AllowedByIAM] holds is
// shared
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-prerequisites.html).
const HybridVersion = 4

// CrossAccountVersion is the account's cross-account version; 0 if it is none that is
// known.
func (l *Lake) CrossAccountVersion(ctx context.Context) (int, error) {
	out, err := l.Client.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil || out.DataLakeSettings == nil {
		return 0, err
	}
	version, err := strconv.Atoi(out.DataLakeSettings.Parameters["CROSS_ACCOUNT_VERSION"])
	if err != nil {
		return 0, nil //nolint:nilerr // A version that is no number is one that is not known.
	}
	return version, nil
}
