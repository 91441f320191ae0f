package organizations

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/ram"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// id makes an id in the form of Organizations: a prefix, and lower-case letters and digits.
func id(c *engine.Call, prefix string, n int) string { return strings.ToLower(c.Mesh.ID(prefix, n)) }

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganization.html
func createOrganization(c *engine.Call, in *organizations.CreateOrganizationInput) (*organizations.CreateOrganizationOutput, error) {
	if err := c.Allow("organizations:CreateOrganization"); err != nil {
		return nil, err
	}
	if in.FeatureSet != "" && in.FeatureSet != types.OrganizationFeatureSetAll {
		return nil, engine.Errorf("NotImplementedException", "the local mesh has organizations with all features only").WithStatus(501)
	}
	if state.Members.Has(c.Tx, c.Account()) {
		return nil, engine.Errorf("AlreadyInOrganizationException", "The AWS account is already a member of an organization.")
	}
	o := state.Organization{ID: id(c, "o-", 10), Management: c.Account(), Root: id(c, "r-", 4)}
	if err := state.Organizations.Put(c.Tx, o, o.ID); err != nil {
		return nil, err
	}
	m := state.Member{Account: c.Account(), Organization: o.ID, Parent: o.Root, Joined: c.Now}
	return &organizations.CreateOrganizationOutput{Organization: organizationAnswer(o)}, state.Members.Put(c.Tx, m, m.Account)
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
func describeOrganization(c *engine.Call, _ *organizations.DescribeOrganizationInput) (*organizations.DescribeOrganizationOutput, error) {
	o, _, err := open(c, "DescribeOrganization")
	return &organizations.DescribeOrganizationOutput{Organization: organizationAnswer(o)}, err
}

func organizationAnswer(o state.Organization) *types.Organization {
	return &types.Organization{
		Id: aws.String(o.ID), Arn: aws.String(o.ARN()), FeatureSet: types.OrganizationFeatureSetAll, MasterAccountId: aws.String(o.Management),
		MasterAccountArn: aws.String(accountARN(o, o.Management)),
	}
}

func accountARN(o state.Organization, account string) string {
	return "arn:aws:organizations::" + o.Management + ":account/" + o.ID + "/" + account
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAWSServiceAccessForOrganization.html
func listServiceAccess(c *engine.Call, in *organizations.ListAWSServiceAccessForOrganizationInput) (*organizations.ListAWSServiceAccessForOrganizationOutput, error) {
	o, err := manage(c, "ListAWSServiceAccessForOrganization")
	if err != nil {
		return nil, err
	}
	names, next, err := page(o.Services, func(s string) string { return s }, in.MaxResults, in.NextToken)
	out := &organizations.ListAWSServiceAccessForOrganizationOutput{NextToken: next, EnabledServicePrincipals: []types.EnabledServicePrincipal{}}
	for _, n := range names {
		out.EnabledServicePrincipals = append(out.EnabledServicePrincipals, types.EnabledServicePrincipal{ServicePrincipal: aws.String(n)})
	}
	return out, err
}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_DisableAWSServiceAccess.html
func disableServiceAccess(c *engine.Call, in *organizations.DisableAWSServiceAccessInput) (*organizations.DisableAWSServiceAccessOutput, error) {
	o, err := manage(c, "DisableAWSServiceAccess")
	if err != nil {
		return nil, err
	}
	service := aws.ToString(in.ServicePrincipal)
	if !slices.Contains(o.Services, service) {
		return nil, invalid("You specified an unrecognized service principal.")
	}
	o.Services = slices.DeleteFunc(o.Services, func(s string) bool { return s == service })
	if service == "ram.amazonaws.com" {
		o.Sharing = false
		members, err := membersOf(c, o)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if err := ram.LeftOrganization(c, m.Account); err != nil {
				return nil, err
			}
		}
	}
	return &organizations.DisableAWSServiceAccessOutput{}, state.Organizations.Put(c.Tx, o, o.ID)
}

func invalid(format string, args ...any) error {
	return engine.Errorf("InvalidInputException", format, args...)
}

// maxPage is the size of a page.
const maxPage = 20

// page cuts items, which are in the order of their keys, to the page that the token names.
func page[T any](items []T, key func(T) string, size *int32, token *string) ([]T, *string, error) {
	n := int(aws.ToInt32(size))
	if size == nil {
		n = maxPage
	}
	if n < 1 || n > maxPage {
		return nil, nil, invalid("MaxResults must be between 1 and %d.", maxPage)
	}
	after, err := engine.FromToken(token)
	if err != nil {
		return nil, nil, err
	}
	items = slices.DeleteFunc(slices.Clone(items), func(item T) bool { return after != "" && key(item) <= after })
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if len(items) <= n {
		return items, nil, nil
	}
	return items[:n], engine.NextToken(key(items[n-1])), nil
}
