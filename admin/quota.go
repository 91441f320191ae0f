package admin

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// Quotas of AWS that a mesh can come near
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html,
// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DataLakeSettings.html,
// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-security.html,
// https://docs.aws.amazon.com/general/latest/gr/lake-formation.html).
const (
	maxTrustPolicy    = 2048
	maxInlinePolicies = 10240
	maxAdministrators = 30
	maxCatalogPolicy  = 10240
	maxTags           = 1000
)

// nearMaxTags is how many LF-tags are near to the quota.
const nearMaxTags = maxTags * 9 / 10

func quotaError(account, resource, quota string, limit, would int, hint string) error {
	return &lakemesh.Error{Account: account, Resource: resource, Kind: lakemesh.ErrQuota,
		Message: fmt.Sprintf("it would take %d, and the quota of %s is %d", would, quota, limit), Hint: hint}
}

// fits refuses a role whose documents are longer than IAM takes them, beside other inline
// policies of so many characters.
func (r role) fits(account string, others int) error {
	resource := "role " + r.name
	if n := r.trust.Size(); n > maxTrustPolicy {
		return quotaError(account, resource, "characters in a trust policy", maxTrustPolicy, n, "name fewer principals")
	}
	n := r.policy.Size() + others
	if n <= maxInlinePolicies {
		return nil
	}
	hint := "remove other inline policies of the role"
	switch longest := mostNamed(settingsIn(r.name, r.policy.String())); {
	case longest != "" && others > 0:
		hint += ", or name fewer " + longest
	case longest != "":
		hint = "name fewer " + longest
	}
	return quotaError(account, resource, "characters in a role's inline policies", maxInlinePolicies, n, hint)
}

// mostNamed is the setting with the most values; empty if there are none.
func mostNamed(all []setting) string {
	name, most := "", 0
	for _, s := range all {
		if len(s.values) > most {
			name, most = s.name, len(s.values)
		}
	}
	return name
}

// checkRoleQuotas refuses roles whose policies are too long, and more new roles
// than the account may have. It is called before anything is made.
func (a *Admin) checkRoleQuotas(ctx context.Context, wanted []role, found []*foundRole) error {
	missing := 0
	for i, want := range wanted {
		if err := want.fits(a.account, found[i].otherInline); err != nil {
			return err
		}
		if !found[i].exists {
			missing++
		}
	}
	if missing == 0 {
		return nil
	}
	summary, err := a.iam.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
	if identity.IsAccessDenied(err) {
		// It is a courtesy: without it, IAM refuses the role that is one too many.
		a.log.WarnContext(ctx, "cannot see how many roles the account may have", "account", a.account, "error", err)
		return nil
	}
	if err != nil {
		return identity.Explain("GetAccountSummary", a.account, "quotas of IAM", err)
	}
	have, limit := int(summary.SummaryMap[string(types.SummaryKeyTypeRoles)]), int(summary.SummaryMap[string(types.SummaryKeyTypeRolesQuota)])
	if limit > 0 && have+missing > limit {
		return quotaError(a.account, "IAM", "roles in an account", limit, have+missing, "ask AWS to raise the quota \"Roles per account\", or delete roles")
	}
	return nil
}
