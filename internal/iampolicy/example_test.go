package iampolicy_test

import (
	"fmt"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// A reader may see one database of the catalog, and nobody may drop anything.
func Example() {
	policy := iampolicy.New(
		iampolicy.Statement{
			SID:       "ReadSales",
			Effect:    iampolicy.Allow,
			Actions:   []string{"glue:Get*"},
			Resources: []string{"arn:aws:glue:eu-west-1:111111111111:table/sales/*"},
			Conditions: iampolicy.Conditions{
				"StringEquals": {"aws:PrincipalAccount": {"111111111111"}},
			},
		},
		iampolicy.Statement{
			SID:       "DropNothing",
			Effect:    iampolicy.Deny,
			Actions:   []string{"glue:Delete*"},
			Resources: []string{"*"},
		},
	)
	fmt.Println(policy)

	reader := iampolicy.PrincipalInfo{
		Account:    "111111111111",
		ARN:        "arn:aws:iam::111111111111:role/Reader",
		SessionARN: "arn:aws:sts::111111111111:assumed-role/Reader/ann",
	}
	for _, action := range []string{"glue:GetTable", "glue:DeleteTable", "glue:UpdateTable"} {
		decision := iampolicy.Evaluate(iampolicy.Request{
			Action:    action,
			Resource:  "arn:aws:glue:eu-west-1:111111111111:table/sales/orders",
			Principal: reader,
		}, iampolicy.Policies{
			Identity: []iampolicy.Named{{Name: "reader", Document: &policy}},
		})
		if decision.Effect == iampolicy.ImplicitDeny {
			fmt.Printf("%s: %s, %s\n", action, decision.Effect, decision.Because(action))
		} else {
			fmt.Printf("%s: %s by %q\n", action, decision.Effect, decision.SID)
		}
	}
	// Output:
	// {"Version":"2012-10-17","Statement":[{"Sid":"ReadSales","Effect":"Allow","Action":"glue:Get*","Resource":"arn:aws:glue:eu-west-1:111111111111:table/sales/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"111111111111"}}},{"Sid":"DropNothing","Effect":"Deny","Action":"glue:Delete*","Resource":"*"}]}
	// glue:GetTable: allowed by "ReadSales"
	// glue:DeleteTable: explicitDeny by "DropNothing"
	// glue:UpdateTable: implicitDeny, because no identity-based policy allows the glue:UpdateTable action
}
