package ram

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// servicePrincipal is RAM as organizations know it.
const servicePrincipal = "ram.amazonaws.com"

// https://docs.aws.amazon.com/ram/latest/APIReference/API_EnableSharingWithAwsOrganization.html
func enableSharingWithAwsOrganization(c *engine.Call, _ *ram.EnableSharingWithAwsOrganizationInput) (*ram.EnableSharingWithAwsOrganizationOutput, error) {
	if err := c.Allow("ram:EnableSharingWithAwsOrganization"); err != nil {
		return nil, err
	}
	for _, action := range []string{"organizations:DescribeOrganization", "organizations:EnableAWSServiceAccess", "iam:CreateServiceLinkedRole"} {
		if err := c.Forward(authz.Question{Action: action}); err != nil {
			return nil, err
		}
	}
	o, _, found, err := state.OrganizationOf(c.Tx, c.Account())
	if err != nil {
		return nil, err
	}
	if !found || o.Management != c.Account() {
		return nil, engine.Errorf("OperationNotPermittedException", "Only the management account of an organization can enable sharing with it.")
	}
	o.Sharing = true
	if !slices.Contains(o.Services, servicePrincipal) {
		o.Services = append(o.Services, servicePrincipal)
	}
	return &ram.EnableSharingWithAwsOrganizationOutput{ReturnValue: aws.Bool(true)}, state.Organizations.Put(c.Tx, o, o.ID)
}

// checkOrganization refuses to share with another organization than the caller's, and
// with its own before sharing is enabled.
func checkOrganization(c *engine.Call, arn string) error {
	o, _, found, err := state.OrganizationOf(c.Tx, c.Account())
	if err != nil {
		return err
	}
	if !found || !o.Sharing {
		return engine.Errorf("OperationNotPermittedException", "Sharing with AWS Organizations is not enabled.")
	}
	unit := arn[strings.LastIndexByte(arn, '/')+1:]
	if arn == o.ARN() || arn == o.UnitARN(unit) && state.Units.Has(c.Tx, o.ID, unit) {
		return nil
	}
	return engine.Errorf("UnknownResourceException", "Organization %s could not be found", arn)
}

// LeftOrganization ends what an account shares with, and is shared with, without having
// invited or having been invited: it loses access at once
// (https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-invitations.html).
func LeftOrganization(c *engine.Call, account string) error {
	shares, err := state.Shares.All(c.Tx)
	if err != nil {
		return err
	}
	for _, s := range shares {
		principals, err := state.SharePrincipals.All(c.Tx, s.Owner, s.Region, s.ID)
		if err != nil {
			return err
		}
		for _, p := range principals {
			holder := state.PrincipalAccount(p.Entity, s.Owner)
			if p.External || holder == s.Owner || s.Owner != account && holder != account {
				continue
			}
			if err := RemovePrincipal(c, s, p.Entity); err != nil {
				return err
			}
		}
	}
	return nil
}
