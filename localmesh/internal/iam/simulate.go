package iam

// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func simulateOperations() []engine.Operation {
	return []engine.Operation{
		read("SimulatePrincipalPolicy", "permission on the ARN of the user, group or role; decides by its policies, with the condition keys that are given", simulatePrincipalPolicy),
		read("SimulateCustomPolicy", "permission on *; decides by the policies that are given", simulateCustomPolicy),
	}
}

// simulation is what both operations have in common.
type simulation struct {
	actions, resources, documents, boundaries []string
	context                                   []types.ContextEntry
	resourcePolicy, resourceOwner, caller     *string
	marker                                    *string
	maxItems                                  *int32
}

func named(documents []string, kind iampolicy.PolicyKind, label string) ([]iampolicy.Named, error) {
	var all []iampolicy.Named
	for i, text := range documents {
		d, err := readDocument(&text, kind)
		if err != nil {
			return nil, invalidInput("Invalid policy: %s", err.Error())
		}
		all = append(all, iampolicy.Named{Name: fmt.Sprintf("%s.%d", label, i+1), Document: d})
	}
	return all, nil
}

// run decides every action on every resource.
func (s simulation) run(policies iampolicy.Policies, principal iampolicy.PrincipalInfo) (*page[types.EvaluationResult], error) {
	if len(s.actions) == 0 {
		return nil, mustNotBeNull("actionNames")
	}
	more, err := named(s.documents, iampolicy.IdentityBased, "PolicyInputList")
	if err != nil {
		return nil, err
	}
	policies.Identity = append(policies.Identity, more...)
	if len(s.boundaries) > 0 {
		if policies.Boundary, err = named(s.boundaries, iampolicy.PermissionsBoundary, "PermissionsBoundaryPolicyInputList"); err != nil {
			return nil, err
		}
	}
	if s.resourcePolicy != nil {
		resource, err := named([]string{*s.resourcePolicy}, iampolicy.ResourceBased, "ResourcePolicy")
		if err != nil {
			return nil, err
		}
		policies.Resource = &resource[0]
	}
	if s.resourceOwner != nil {
		account, _, _, _ := state.SplitPrincipalARN(*s.resourceOwner)
		policies.ResourceAccount = account
	}
	keys := map[string][]string{}
	for _, e := range s.context {
		keys[aws.ToString(e.ContextKeyName)] = e.ContextKeyValues
	}
	resources := s.resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	p, err := newPage[types.EvaluationResult](s.marker, s.maxItems)
	if err != nil {
		return nil, err
	}
	for i, action := range s.actions {
		if service, name, ok := strings.Cut(action, ":"); !ok || service == "" || name == "" {
			return nil, invalidInput("Invalid Action Name: %s", action)
		}
		for j, r := range resources {
			d := iampolicy.Evaluate(iampolicy.Request{Action: action, Resource: r, Principal: principal, Keys: keys}, policies)
			if !p.add(fmt.Sprintf("%06d/%06d", i, j), result(action, r, d)) {
				return p, nil
			}
		}
	}
	return p, nil
}

func result(action, resource string, d iampolicy.Decision) types.EvaluationResult {
	e := types.EvaluationResult{
		EvalActionName: aws.String(action), EvalResourceName: aws.String(resource),
		EvalDecision: types.PolicyEvaluationDecisionType(d.Effect), MatchedStatements: []types.Statement{}, MissingContextValues: []string{},
	}
	if d.Index >= 0 {
		e.MatchedStatements = append(e.MatchedStatements, types.Statement{SourcePolicyId: aws.String(d.Policy)})
	}
	if d.Missing == iampolicy.PermissionsBoundary {
		e.PermissionsBoundaryDecisionDetail = &types.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: false}
	}
	return e
}

func simulateCustomPolicy(c *engine.Call, in *iam.SimulateCustomPolicyInput) (*iam.SimulateCustomPolicyOutput, error) {
	if err := c.Allow("iam:SimulateCustomPolicy"); err != nil {
		return nil, err
	}
	if len(in.PolicyInputList) == 0 {
		return nil, mustNotBeNull("policyInputList")
	}
	s := simulation{actions: in.ActionNames, resources: in.ResourceArns, documents: in.PolicyInputList, boundaries: in.PermissionsBoundaryPolicyInputList,
		context: in.ContextEntries, resourcePolicy: in.ResourcePolicy, resourceOwner: in.ResourceOwner, caller: in.CallerArn, marker: in.Marker, maxItems: in.MaxItems}
	principal := iampolicy.PrincipalInfo{Account: c.Account()}
	if s.caller != nil {
		account, _, _, ok := state.SplitPrincipalARN(*s.caller)
		if !ok {
			return nil, invalidInput("The caller ARN %s is not valid.", *s.caller)
		}
		principal = iampolicy.PrincipalInfo{Account: account, ARN: *s.caller}
	}
	p, err := s.run(iampolicy.Policies{}, principal)
	if err != nil {
		return nil, err
	}
	return &iam.SimulateCustomPolicyOutput{EvaluationResults: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func simulatePrincipalPolicy(c *engine.Call, in *iam.SimulatePrincipalPolicyInput) (*iam.SimulatePrincipalPolicyOutput, error) {
	arn := aws.ToString(in.PolicySourceArn)
	if err := c.Allow("iam:SimulatePrincipalPolicy", arn); err != nil {
		return nil, err
	}
	account, kind, _, ok := state.SplitPrincipalARN(arn)
	if !ok || (kind != "user" && kind != "role") {
		return nil, invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	exists, err := state.PrincipalExists(c.Tx, arn)
	if err != nil {
		return nil, err
	}
	if !exists || account != c.Account() {
		return nil, noSuchEntity("%s does not exist", arn)
	}
	policies, err := c.Mesh.Policies().Gather(c.Tx, authz.Caller{Account: account, ARN: arn, Principal: arn})
	if err != nil {
		return nil, err
	}
	s := simulation{actions: in.ActionNames, resources: in.ResourceArns, documents: in.PolicyInputList, boundaries: in.PermissionsBoundaryPolicyInputList,
		context: in.ContextEntries, resourcePolicy: in.ResourcePolicy, resourceOwner: in.ResourceOwner, marker: in.Marker, maxItems: in.MaxItems}
	p, err := s.run(policies, iampolicy.PrincipalInfo{Account: account, ARN: arn})
	if err != nil {
		return nil, err
	}
	return &iam.SimulatePrincipalPolicyOutput{EvaluationResults: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
