package iampolicy_test

import (
	"fmt"
	"testing"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// benchPolicy has as many statements as the policy of a persona's role.
func benchPolicy() string {
	text := `{"Version":"2012-10-17","Statement":[`
	for i := range 20 {
		text += fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Action":["glue:Get*","glue:CreateTable","s3:Get*"],"Resource":["arn:aws:glue:*:11111111%04d:table/*/*","arn:aws:glue:*:111111111111:database/d%d"]},`, i, i, i)
	}
	return text + `{"Effect":"Allow","Action":"lakeformation:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"111111111111"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/AwsDataMesh/*"}}}]}`
}

func BenchmarkEvaluateRole(b *testing.B) {
	d, err := iampolicy.Parse([]byte(benchPolicy()))
	if err != nil {
		b.Fatal(err)
	}
	policies := iampolicy.Policies{Identity: []iampolicy.Named{{Name: "p", Document: d}}}
	const role = "arn:aws:iam::111111111111:role/AwsDataMesh/DataMeshProducer"
	who := iampolicy.PrincipalInfo{Account: "111111111111", ARN: role, SessionARN: "arn:aws:sts::111111111111:assumed-role/DataMeshProducer/x", UserID: "AROAX:x"}
	keys := map[string][]string{"aws:principalaccount": {"111111111111"}, "aws:principalarn": {role}}
	for _, v := range []struct {
		name, action, resource string
		allowed                bool
	}{
		{"Condition", "lakeformation:GrantPermissions", "*", true},
		{"LastOf20", "glue:GetDatabase", "arn:aws:glue:us-east-1:111111111111:database/d19", true},
		{"None", "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:111111111111:table/t", false},
	} {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if d := iampolicy.Evaluate(iampolicy.Request{Action: v.action, Resource: v.resource, Principal: who, Keys: keys}, policies); d.Allowed != v.allowed {
					b.Fatalf("%+v", d)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(benchPolicy())
	b.ReportAllocs()
	for range b.N {
		if _, err := iampolicy.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
