package glue

// https://docs.aws.amazon.com/glue/latest/dg/security_iam_resource-based-policy-examples.html
// https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-cross-account.html

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// maxPolicy is the longest resource policy, in bytes.
const maxPolicy = 10 * 1024

func policyOperations() []engine.Operation {
	return []engine.Operation{
		engine.Op("PutResourcePolicy", engine.Write, api+"PutResourcePolicy.html",
			"IAM on the catalog; 10 KB; conditions on existence and hash; principals exist and are not wildcards; ARNs are of this catalog; EnableHybrid while Lake Formation shares exist.", putResourcePolicy),
		engine.Op("GetResourcePolicy", engine.Read, api+"GetResourcePolicy.html",
			"IAM on the catalog; EntityNotFoundException when there is none.", getResourcePolicy),
		engine.Op("GetResourcePolicies", engine.Read, api+"GetResourcePolicies.html",
			"IAM on the catalog; the resource policy, and one policy for each resource that Lake Formation shares through RAM.", getResourcePolicies),
		engine.Op("DeleteResourcePolicy", engine.Write, api+"DeleteResourcePolicy.html",
			"IAM on the catalog; condition on the hash.", deleteResourcePolicy),
	}
}

// openPolicy authorizes an operation on the caller's own resource policy and
// reads it. There is one policy a catalog.
func openPolicy(c *engine.Call, action string, resource *string) (state.CatalogPolicy, bool, error) {
	r := state.Resource{Account: c.Account(), Region: c.Region}
	if err := c.Allow(action, arns(r)[0]); err != nil {
		return state.CatalogPolicy{}, false, err
	}
	if resource != nil && *resource != arns(r)[0] {
		return state.CatalogPolicy{}, false, invalid("Resource policies are set on the catalog %s only", arns(r)[0])
	}
	return state.GetCatalogPolicy(c.Tx, r.Account, r.Region)
}

func conditionFailed(message string) error {
	return engine.Errorf("ConditionCheckFailureException", "%s", message)
}

func putResourcePolicy(c *engine.Call, in *glue.PutResourcePolicyInput) (*glue.PutResourcePolicyOutput, error) {
	if in.PolicyInJson == nil {
		return nil, constraint("policyInJson", "null", "not be null")
	}
	old, exists, err := openPolicy(c, "glue:PutResourcePolicy", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if len(*in.PolicyInJson) < 2 {
		return nil, constraint("policyInJson", *in.PolicyInJson, "have length greater than or equal to 2")
	}
	if len(*in.PolicyInJson) > maxPolicy {
		return nil, engine.Errorf("ResourceNumberLimitExceededException", "The resource policy exceeds the limit of %d bytes", maxPolicy)
	}
	document, err := checkPolicy(c, *in.PolicyInJson)
	if err != nil {
		return nil, err
	}
	switch in.PolicyExistsCondition {
	case types.ExistConditionMustExist:
		if !exists {
			return nil, conditionFailed("The resource policy does not exist")
		}
	case types.ExistConditionNotExist:
		if exists {
			return nil, conditionFailed("The resource policy exists already")
		}
	case types.ExistConditionNone, "":
	default:
		return nil, constraint("policyExistsCondition", string(in.PolicyExistsCondition), "satisfy enum value set: [NOT_EXIST, MUST_EXIST, NONE]")
	}
	if h := aws.ToString(in.PolicyHashCondition); in.PolicyHashCondition != nil && (!exists || h != old.Hash) {
		return nil, conditionFailed("The hash of the resource policy is not the one that was expected")
	}
	switch in.EnableHybrid {
	case types.EnableHybridValuesTrue:
	case types.EnableHybridValuesFalse, "":
		shared, err := sharedByLakeFormation(c)
		if err != nil {
			return nil, err
		}
		if len(shared) > 0 {
			return nil, invalid("EnableHybrid must be TRUE while resources of the catalog are shared through AWS RAM")
		}
	default:
		return nil, constraint("enableHybrid", string(in.EnableHybrid), "satisfy enum value set: [TRUE, FALSE]")
	}
	// Glue gives a policy back in its own spelling: statements as a list, and lists
	// of one value as that value.
	text := document.String()
	sum := sha256.Sum256([]byte(text))
	policy := state.CatalogPolicy{Account: c.Account(), Region: c.Region, Policy: text,
		Hash: base64.StdEncoding.EncodeToString(sum[:16]), Created: c.Now, Updated: c.Now}
	if exists {
		policy.Created = old.Created
	}
	return &glue.PutResourcePolicyOutput{PolicyHash: aws.String(policy.Hash)},
		state.CatalogPolicies.Put(c.Tx, policy, policy.Account, policy.Region)
}

// checkPolicy reads a resource policy and checks who and what it may name.
func checkPolicy(c *engine.Call, text string) (*iampolicy.Document, error) {
	d, err := iampolicy.Parse([]byte(text))
	if err == nil {
		err = d.Validate(iampolicy.ResourceBased)
	}
	if err != nil {
		return nil, invalid("Invalid resource policy: %v", err)
	}
	ours := base(state.Resource{Account: c.Account(), Region: c.Region})
	for _, s := range d.Statements {
		for _, p := range []*iampolicy.Principal{s.Principal, s.NotPrincipal} {
			if err := checkPrincipal(c, p); err != nil {
				return nil, err
			}
		}
		for _, action := range append(append([]string{}, s.Actions...), s.NotActions...) {
			if service, _, _ := strings.Cut(action, ":"); !strings.EqualFold(service, "glue") {
				return nil, invalid("Invalid resource policy: action %s is not an action of AWS Glue", action)
			}
		}
		for _, arn := range append(append([]string{}, s.Resources...), s.NotResources...) {
			if !strings.HasPrefix(arn, ours) {
				return nil, invalid("Invalid resource policy: resource %s does not belong to this catalog (%s)", arn, ours+"catalog")
			}
		}
	}
	return d, nil
}

// checkPrincipal refuses wildcards, and users and roles that do not exist. Any
// account exists.
func checkPrincipal(c *engine.Call, p *iampolicy.Principal) error {
	if p == nil {
		return nil
	}
	if p.All {
		return invalid("Invalid resource policy: the principal must not be a wildcard")
	}
	for _, id := range p.AWS {
		if id == "*" {
			return invalid("Invalid resource policy: the principal must not be a wildcard")
		}
		_, kind, _, ok := state.SplitPrincipalARN(id)
		if !ok && len(id) == 12 && strings.Trim(id, "0123456789") == "" || kind == "root" {
			continue
		}
		exists, err := state.PrincipalExists(c.Tx, id)
		if err != nil {
			return err
		}
		if !exists {
			return invalid("Invalid resource policy: invalid principal %s", id)
		}
	}
	return nil
}

func getResourcePolicy(c *engine.Call, in *glue.GetResourcePolicyInput) (*glue.GetResourcePolicyOutput, error) {
	p, exists, err := openPolicy(c, "glue:GetResourcePolicy", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, notFound("Policy not found")
	}
	return &glue.GetResourcePolicyOutput{
		PolicyInJson: aws.String(p.Policy), PolicyHash: aws.String(p.Hash), CreateTime: aws.Time(p.Created), UpdateTime: aws.Time(p.Updated),
	}, nil
}

func deleteResourcePolicy(c *engine.Call, in *glue.DeleteResourcePolicyInput) (*glue.DeleteResourcePolicyOutput, error) {
	p, exists, err := openPolicy(c, "glue:DeleteResourcePolicy", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, notFound("Policy not found")
	}
	if in.PolicyHashCondition != nil && *in.PolicyHashCondition != p.Hash {
		return nil, conditionFailed("The hash of the resource policy is not the one that was expected")
	}
	return &glue.DeleteResourcePolicyOutput{}, state.CatalogPolicies.Delete(c.Tx, p.Account, p.Region)
}

// sharing is a resource of the catalog that Lake Formation shares, and with whom.
type sharing struct {
	resource   string
	principals []string
	share      state.Share
}

// sharedByLakeFormation lists what the account shares through the RAM shares that
// Lake Formation made.
func sharedByLakeFormation(c *engine.Call) ([]sharing, error) {
	shares, err := state.Shares.All(c.Tx, c.Account(), c.Region)
	if err != nil {
		return nil, err
	}
	var all []sharing
	for _, s := range shares {
		if s.Grantor == "" || s.Status != state.ShareActive {
			continue
		}
		principals, err := state.SharePrincipals.All(c.Tx, s.Owner, s.Region, s.ID)
		if err != nil {
			return nil, err
		}
		resources, err := state.ShareResources.All(c.Tx, s.Owner, s.Region, s.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range resources {
			one := sharing{resource: r.Entity, share: s}
			for _, p := range principals {
				if p.Status == state.Associated {
					one.principals = append(one.principals, p.Entity)
				}
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// getResourcePolicies lists the resource policy, and what RAM's shares amount to
// as policies.
// https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-getresourcepolicies.html
func getResourcePolicies(c *engine.Call, in *glue.GetResourcePoliciesInput) (*glue.GetResourcePoliciesOutput, error) {
	size, err := pageSize(in.MaxResults, 1000)
	if err != nil {
		return nil, err
	}
	p, exists, err := openPolicy(c, "glue:GetResourcePolicies", nil)
	if err != nil {
		return nil, err
	}
	var policies []types.GluePolicy
	if exists {
		policies = append(policies, types.GluePolicy{
			PolicyInJson: aws.String(p.Policy), PolicyHash: aws.String(p.Hash), CreateTime: aws.Time(p.Created), UpdateTime: aws.Time(p.Updated),
		})
	}
	shared, err := sharedByLakeFormation(c)
	if err != nil {
		return nil, err
	}
	for _, s := range shared {
		if len(s.principals) == 0 {
			continue
		}
		statements, err := sharedStatements(c, s)
		if err != nil {
			return nil, err
		}
		d := iampolicy.New(statements...)
		text, err := d.MarshalJSON()
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		policies = append(policies, types.GluePolicy{
			PolicyInJson: aws.String(string(text)), PolicyHash: aws.String(base64.StdEncoding.EncodeToString(sum[:16])),
			CreateTime: aws.Time(s.share.Created), UpdateTime: aws.Time(s.share.Updated),
		})
	}
	out := &glue.GetResourcePoliciesOutput{GetResourcePoliciesResponseList: []types.GluePolicy{}}
	start, err := offset(in.NextToken, len(policies))
	if err != nil {
		return nil, err
	}
	end := min(start+size, len(policies))
	out.GetResourcePoliciesResponseList = append(out.GetResourcePoliciesResponseList, policies[start:end]...)
	if end < len(policies) {
		out.NextToken = offsetToken(end)
	}
	return out, nil
}

// sharedStatements are what a share amounts to: a statement for accounts and principals,
// and one for each organization and unit. (What AWS writes for the latter is not
// documented.)
func sharedStatements(c *engine.Call, s sharing) ([]iampolicy.Statement, error) {
	allow := iampolicy.Statement{Effect: iampolicy.Allow, Resources: []string{s.resource}, Actions: shareActions(s.resource)}
	var plain []string
	var statements []iampolicy.Statement
	for _, p := range s.principals {
		if !state.IsOrganizationARN(p) {
			plain = append(plain, p)
			continue
		}
		o, _, _, err := state.OrganizationOf(c.Tx, s.share.Owner)
		if err != nil {
			return nil, err
		}
		inside := allow
		inside.Principal = iampolicy.Everyone()
		inside.Conditions = iampolicy.Conditions{"StringEquals": {"aws:PrincipalOrgID": {o.ID}}}
		if p != o.ARN() {
			path, err := state.OrganizationPath(c.Tx, o, state.PrincipalAccount(p, ""))
			if err != nil {
				return nil, err
			}
			inside.Conditions = iampolicy.Conditions{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": {path + "*"}}}
		}
		statements = append(statements, inside)
	}
	if len(plain) > 0 {
		allow.Principal = iampolicy.AWSPrincipal(plain...)
		statements = append([]iampolicy.Statement{allow}, statements...)
	}
	return statements, nil
}

// shareActions are what RAM's permission lets the recipients of a share do.
func shareActions(arn string) []string {
	if strings.Contains(arn, ":table/") {
		return []string{"glue:GetTable", "glue:GetTables", "glue:GetTableVersion", "glue:GetTableVersions", "glue:GetPartition",
			"glue:GetPartitions", "glue:BatchGetPartition", "glue:SearchTables"}
	}
	return []string{"glue:GetDatabase", "glue:GetDatabases"}
}
