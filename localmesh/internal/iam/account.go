package iam

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html

import (
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

func accountOperations() []engine.Operation {
	return []engine.Operation{
		read("GetAccountSummary", "permission on *", getAccountSummary),
		read("ListAccountAliases", "permission on *; there are none", listAccountAliases),
	}
}

func getAccountSummary(c *engine.Call, _ *iam.GetAccountSummaryInput) (*iam.GetAccountSummaryOutput, error) {
	if err := c.Allow("iam:GetAccountSummary"); err != nil {
		return nil, err
	}
	m := map[string]int32{
		"Roles": int32(count(c.Tx, state.Roles, c.Account())), "Users": int32(count(c.Tx, state.Users, c.Account())),
		"Groups": int32(count(c.Tx, state.Groups, c.Account())), "Policies": int32(count(c.Tx, state.Policies, c.Account())),
		"AccountMFAEnabled": 0,
	}
	for name := range defaultQuotas() {
		n, err := quota(c, name)
		if err != nil {
			return nil, err
		}
		m[name] = int32(n)
	}
	return &iam.GetAccountSummaryOutput{SummaryMap: m}, nil
}

func listAccountAliases(c *engine.Call, _ *iam.ListAccountAliasesInput) (*iam.ListAccountAliasesOutput, error) {
	if err := c.Allow("iam:ListAccountAliases"); err != nil {
		return nil, err
	}
	return &iam.ListAccountAliasesOutput{AccountAliases: []string{}}, nil
}
