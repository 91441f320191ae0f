package lakeformation

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

// https://docs.aws.amazon.com/lake-formation/latest/dg/managing-tag-expressions.html

func expressionSecurable(account, region, name string) state.Securable {
	return state.Securable{Kind: state.KindExpression, Resource: state.Resource{Account: account, Region: region}, Name: name}
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_CreateLFTagExpression.html
func createLFTagExpression(c *engine.Call, in *lakeformation.CreateLFTagExpressionInput) (*lakeformation.CreateLFTagExpressionOutput, error) {
	if err := c.Allow("lakeformation:CreateLFTagExpression"); err != nil {
		return nil, err
	}
	if err := ownCatalog(c, in.CatalogId); err != nil {
		return nil, err
	}
	if err := Require(c, state.Resource{Account: c.Account(), Region: c.Region}, createExpression); err != nil {
		return nil, err
	}
	e := state.TagExpression{Account: c.Account(), Region: c.Region, Name: aws.ToString(in.Name), Description: aws.ToString(in.Description)}
	if e.Name == "" || len(e.Name) > 255 {
		return nil, invalid("The name of an expression must have 1 to 255 characters.")
	}
	if state.TagExpressions.Has(c.Tx, e.Account, e.Region, e.Name) {
		return nil, invalid("LF-Tag expression already exists: %s", e.Name)
	}
	most, err := quota(c, "LF-Tag expressions", maxExpressions)
	if err != nil {
		return nil, err
	}
	if count(c, state.TagExpressions) >= most {
		return nil, engine.Errorf("ResourceNumberLimitExceededException", "An account can have at most %d LF-Tag expressions.", most)
	}
	if e.Expression, err = checkExpression(c, in.Expression); err != nil {
		return nil, err
	}
	on := expressionSecurable(e.Account, e.Region, e.Name)
	if err := write(c, part{on: on, perms: allows(on), grantable: allows(on)}, c.Caller.Principal); err != nil {
		return nil, err
	}
	return &lakeformation.CreateLFTagExpressionOutput{}, state.TagExpressions.Put(c.Tx, e, e.Account, e.Region, e.Name)
}

func checkExpression(c *engine.Call, in []types.LFTag) ([]state.TagValues, error) {
	if len(in) == 0 {
		return nil, invalid("An expression must be given.")
	}
	terms, err := readExpression(in, false)
	if err != nil {
		return nil, err
	}
	for _, term := range terms {
		if err := tagExists(c, tagSecurable(c.Account(), c.Region, "", ""), term); err != nil {
			return nil, err
		}
	}
	return terms, nil
}

// savedExpression finds a saved expression on which the caller holds a permission.
func savedExpression(c *engine.Call, catalog, name *string, perm string) (state.TagExpression, error) {
	owner, err := catalogOf(c, catalog)
	if err != nil {
		return state.TagExpression{}, err
	}
	on := expressionSecurable(owner, c.Region, aws.ToString(name))
	if err := savedExpressionExists(c, on); err != nil {
		return state.TagExpression{}, err
	}
	ok, err := holdsExpression(c, on, perm)
	if err != nil {
		return state.TagExpression{}, err
	}
	if !ok {
		return state.TagExpression{}, c.Denied("Insufficient Lake Formation permission(s): Required " + spoken(perm) + " on " + on.Name)
	}
	e, _, err := state.TagExpressions.Get(c.Tx, owner, c.Region, on.Name)
	return e, err
}

func holdsExpression(c *engine.Call, on state.Securable, perm string) (bool, error) {
	if on.Account == c.Account() {
		if ok, err := isAdmin(c); err != nil || ok {
			return ok, err
		}
	}
	for _, principal := range []string{c.Caller.Principal, everyone(c.Account())} {
		ok, err := heldPlain(c, on, principal, false, perm)
		if err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetLFTagExpression.html
func getLFTagExpression(c *engine.Call, in *lakeformation.GetLFTagExpressionInput) (*lakeformation.GetLFTagExpressionOutput, error) {
	if err := c.Allow("lakeformation:GetLFTagExpression"); err != nil {
		return nil, err
	}
	e, err := savedExpression(c, in.CatalogId, in.Name, describe)
	if err != nil {
		return nil, err
	}
	return &lakeformation.GetLFTagExpressionOutput{
		CatalogId: aws.String(e.Account), Name: aws.String(e.Name), Description: aws.String(e.Description), Expression: expressionAnswer(e.Expression),
	}, nil
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_UpdateLFTagExpression.html
func updateLFTagExpression(c *engine.Call, in *lakeformation.UpdateLFTagExpressionInput) (*lakeformation.UpdateLFTagExpressionOutput, error) {
	if err := c.Allow("lakeformation:UpdateLFTagExpression"); err != nil {
		return nil, err
	}
	if err := ownCatalog(c, in.CatalogId); err != nil {
		return nil, err
	}
	e, err := savedExpression(c, in.CatalogId, in.Name, alter)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		e.Description = *in.Description
	}
	if e.Expression, err = checkExpression(c, in.Expression); err != nil {
		return nil, err
	}
	return &lakeformation.UpdateLFTagExpressionOutput{}, state.TagExpressions.Put(c.Tx, e, e.Account, e.Region, e.Name)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DeleteLFTagExpression.html
func deleteLFTagExpression(c *engine.Call, in *lakeformation.DeleteLFTagExpressionInput) (*lakeformation.DeleteLFTagExpressionOutput, error) {
	if err := c.Allow("lakeformation:DeleteLFTagExpression"); err != nil {
		return nil, err
	}
	if err := ownCatalog(c, in.CatalogId); err != nil {
		return nil, err
	}
	e, err := savedExpression(c, in.CatalogId, in.Name, drop)
	if err != nil {
		return nil, err
	}
	if err := forget(c, expressionSecurable(e.Account, e.Region, e.Name).Key()...); err != nil {
		return nil, err
	}
	return &lakeformation.DeleteLFTagExpressionOutput{}, state.TagExpressions.Delete(c.Tx, e.Account, e.Region, e.Name)
}

// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListLFTagExpressions.html
func listLFTagExpressions(c *engine.Call, in *lakeformation.ListLFTagExpressionsInput) (*lakeformation.ListLFTagExpressionsOutput, error) {
	if err := c.Allow("lakeformation:ListLFTagExpressions"); err != nil {
		return nil, err
	}
	owner, err := catalogOf(c, in.CatalogId)
	if err != nil {
		return nil, err
	}
	all, err := state.TagExpressions.All(c.Tx, owner, c.Region)
	if err != nil {
		return nil, err
	}
	var seen []state.TagExpression
	for _, e := range all {
		ok, err := holdsExpression(c, expressionSecurable(e.Account, e.Region, e.Name), describe)
		if err != nil {
			return nil, err
		}
		if ok {
			seen = append(seen, e)
		}
	}
	seen, next, err := page(seen, func(e state.TagExpression) string { return e.Name }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &lakeformation.ListLFTagExpressionsOutput{NextToken: next, LFTagExpressions: []types.LFTagExpression{}}
	for _, e := range seen {
		out.LFTagExpressions = append(out.LFTagExpressions, types.LFTagExpression{
			CatalogId: aws.String(e.Account), Name: aws.String(e.Name), Description: aws.String(e.Description), Expression: expressionAnswer(e.Expression),
		})
	}
	return out, nil
}
