package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// catalogPolicy is the resource policy of an account's Data Catalog.
type catalogPolicy struct {
	// document is nil if the catalog has no policy.
	document *iampolicy.Document
	hash     string
}

func (a *Admin) observeCatalogPolicy(ctx context.Context) (catalogPolicy, error) {
	out, err := a.glue.GetResourcePolicy(ctx, &glue.GetResourcePolicyInput{})
	if identity.IsNotFound(err) {
		return catalogPolicy{}, nil
	}
	if err != nil {
		return catalogPolicy{}, identity.Explain("GetResourcePolicy", a.account, "resource policy of the catalog", err)
	}
	if aws.ToString(out.PolicyInJson) == "" {
		return catalogPolicy{}, nil
	}
	document, err := iampolicy.Parse([]byte(*out.PolicyInJson))
	if err != nil {
		return catalogPolicy{}, &lakemesh.Error{Op: "GetResourcePolicy", Account: a.account, Resource: "resource policy of the catalog",
			Kind: lakemesh.ErrInvalidInput, Err: err, Hint: "mend the policy in the Glue console"}
	}
	return catalogPolicy{document: document, hash: aws.ToString(out.PolicyHash)}, nil
}

// shareService makes the RAM shares of a catalog; shareAction is what it needs
// where a catalog has a resource policy. Without the statement a grant to another
// account succeeds and its share fails in silence
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-cross-account.html).
const (
	shareService = "ram.amazonaws.com"
	shareAction  = "glue:ShareResource"
)

// shareResource lets RAM share what is in the catalog.
func (a *Admin) shareResource() iampolicy.Statement {
	return iampolicy.Statement{
		SID: "LakemeshShareResource", Effect: iampolicy.Allow, Principal: iampolicy.ServicePrincipal(shareService), Actions: []string{shareAction},
		Resources: []string{a.partition.CatalogARN(a.region, a.account), a.partition.DatabaseARN(a.region, a.account, "*"),
			a.partition.TableARN(a.region, a.account, "*", "*")},
	}
}

// allowsSharing reports whether the policy lets RAM share whatever is in the
// catalog. A catalog without a policy needs nothing.
func (a *Admin) allowsSharing(p catalogPolicy) bool {
	if p.document == nil {
		return true
	}
	wanted := a.shareResource()
	if slices.ContainsFunc(p.document.Statements, func(s iampolicy.Statement) bool { return iampolicy.New(s).String() == iampolicy.New(wanted).String() }) {
		return true
	}
	// Names that nobody has a statement for.
	unknown := []string{a.partition.CatalogARN(a.region, a.account), a.partition.DatabaseARN(a.region, a.account, anyName),
		a.partition.TableARN(a.region, a.account, anyName, anyName)}
	for _, resource := range unknown {
		decision := iampolicy.Evaluate(
			iampolicy.Request{Action: shareAction, Resource: resource, Principal: iampolicy.PrincipalInfo{Service: shareService}},
			iampolicy.Policies{Resource: &iampolicy.Named{Name: "catalog", Document: p.document}, ResourceAccount: a.account})
		if decision.Effect != iampolicy.Allowed {
			return false
		}
	}
	return true
}

// anyName stands for databases and tables that do not exist yet.
const anyName = "lakemesh-any-name"

func (a *Admin) planCatalogPolicy(p *plan.Plan, have catalogPolicy) (*plan.Step, error) {
	if a.allowsSharing(have) {
		return nil, nil
	}
	next := a.withSharing(have)
	if n := len(next.String()); n > maxCatalogPolicy {
		return nil, quotaError(a.account, "resource policy of the catalog", "characters in a catalog's resource policy", maxCatalogPolicy, n,
			"remove statements that are not needed any more")
	}
	return p.Add(plan.Step{
		Kind: plan.PutCatalogPolicy, Account: a.account, Resource: "resource policy of the catalog", Detail: next,
		Summary: "let RAM share what is in the catalog: add " + shareAction + " to the catalog's resource policy", Run: a.putCatalogPolicy,
	}), nil
}

func (a *Admin) withSharing(p catalogPolicy) iampolicy.Document {
	next := *p.document
	next.Statements = append(slices.DeleteFunc(slices.Clone(next.Statements), func(s iampolicy.Statement) bool {
		return s.SID == a.shareResource().SID
	}), a.shareResource())
	return next
}

// putCatalogPolicy adds the statement to the policy as it is now. Glue writes only
// if nobody else has written meanwhile; then it begins anew.
func (a *Admin) putCatalogPolicy(ctx context.Context) error {
	err := poll.Until(ctx, identity.Propagation, "the resource policy of the catalog to be free of other writers", func(ctx context.Context) (bool, error) {
		have, err := a.observeCatalogPolicy(ctx)
		if err != nil || a.allowsSharing(have) {
			return err == nil, err
		}
		_, err = a.glue.PutResourcePolicy(ctx, &glue.PutResourcePolicyInput{
			PolicyInJson: aws.String(a.withSharing(have).String()), PolicyHashCondition: aws.String(have.hash),
			PolicyExistsCondition: types.ExistConditionMustExist, EnableHybrid: types.EnableHybridValuesTrue,
		})
		var changed *types.ConditionCheckFailureException
		if errors.As(err, &changed) {
			return false, poll.NotYet(fmt.Errorf("another writer was faster: %w", err))
		}
		return err == nil, err
	})
	return identity.Explain("PutResourcePolicy", a.account, "resource policy of the catalog", err)
}
