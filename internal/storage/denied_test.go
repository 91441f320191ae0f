package storage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/internal/storage"
)

// Policies as buckets of data lakes have them: what a reader of the mesh meets is said
// before anything is opened, and what has nothing to do with it is not.
func TestThePlanSaysWhetherABucketDeniesReaders(t *testing.T) {
	t.Parallel()
	const mesh, reads = "555555555555", "cannot be read"
	const may, some = "may not be readable", "of some objects"
	deny := func(sid, action, resource, condition string) string {
		if condition != "" {
			condition = `,"Condition":` + condition
		}
		return fmt.Sprintf(`{"Sid":%q,"Effect":"Deny","Principal":"*","Action":%q,"Resource":%q%s}`, sid, action, "arn:aws:s3:::one"+resource, condition)
	}
	for name, c := range map[string]struct {
		statement string
		// says are parts of the warning; without any there is none.
		says []string
	}{
		"accounts of the owner's only": {deny("OnlyUs", "s3:*", "/*", `{"StringNotEquals":{"aws:PrincipalAccount":["111111111111","222222222222"]}}`),
			[]string{"(OnlyUs)", "s3:GetObject", "aws:PrincipalAccount StringNotEquals 111111111111, 222222222222", reads, `"ArnNotEquals": {"aws:PrincipalArn": "` + reader + `"}`}},
		"accounts, the mesh's among them": {deny("OnlyUs", "s3:*", "/*", `{"StringNotEquals":{"aws:PrincipalAccount":["111111111111","`+mesh+`"]}}`), nil},
		"listing by others": {deny("OnlyUs", "s3:ListBucket", "", `{"StringNotEquals":{"aws:PrincipalAccount":"111111111111"}}`),
			[]string{"(OnlyUs)", "denied s3:ListBucket", reads}},
		"roles by their ARNs": {deny("Roles", "s3:GetObject", "/*", `{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::111111111111:role/Etl*"]}}`),
			[]string{"(Roles)", reads, "add the role to the exceptions"}},
		"roles by their ARNs, ours among them": {deny("Roles", "s3:*", "/*", `{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::111111111111:role/Etl*","`+reader+`"]}}`), nil},
		"roles by their ids": {deny("Ids", "s3:*", "/*", `{"StringNotLike":{"aws:userId":["AROAEXAMPLEID00000000:*","AIDAEXAMPLEID00000000","111111111111"]}}`),
			[]string{"(Ids)", "aws:userId StringNotLike", may}},
		"users and accounts by their ids": {deny("Ids", "s3:*", "/*", `{"StringNotLike":{"aws:userId":["AIDAEXAMPLEID00000000","111111111111"]}}`),
			[]string{"(Ids)", reads}},
		"one endpoint": {deny("Vpce", "s3:*", "/*", `{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`),
			[]string{"(Vpce)", "aws:SourceVpce StringNotEquals vpce-1", may, "ArnNotEquals"}},
		"one endpoint, our role excepted": {deny("Vpce", "s3:*", "/*", `{"StringNotEquals":{"aws:SourceVpce":"vpce-1"},"ArnNotEquals":{"aws:PrincipalArn":"`+reader+`"}}`), nil},
		"networks, services excepted": {deny("Net", "s3:*", "/*", `{"NotIpAddressIfExists":{"aws:SourceIp":"198.51.100.0/24"},"StringNotEqualsIfExists":{"aws:SourceVpc":"vpc-1"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false","aws:ViaAWSService":"false"}}`),
			[]string{"(Net)", "aws:SourceIp NotIpAddressIfExists 198.51.100.0/24", "aws:ViaAWSService", may}},
		"services that call by themselves": {deny("Svc", "s3:*", "/*", `{"Bool":{"aws:PrincipalIsAWSService":"true"}}`), nil},
		"one organization": {deny("Org", "s3:*", "/*", `{"StringNotEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}`),
			[]string{"(Org)", "aws:PrincipalOrgID", may}},
		"one organization, by IAM's own variable": {deny("Org", "s3:*", "/*", `{"StringNotEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}`),
			[]string{"(Org)", reads}},
		"by a tag of the role": {deny("Tag", "s3:*", "/*", `{"StringNotEquals":{"aws:PrincipalTag/team":"lake"}}`), []string{"(Tag)", "aws:PrincipalTag/team", may}},
		"without TLS":          {deny("Tls", "s3:*", "/*", `{"Bool":{"aws:SecureTransport":"false"}}`), nil},
		"without TLS, or from elsewhere in the same statement": {deny("Tls", "s3:*", "/*", `{"Bool":{"aws:SecureTransport":"false"},"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`), nil},
		"old TLS":    {deny("Tls", "s3:*", "/*", `{"NumericLessThan":{"s3:TlsVersion":"1.2"}}`), nil},
		"newest TLS": {deny("Tls", "s3:*", "/*", `{"NumericLessThan":{"s3:TlsVersion":"1.3"}}`), []string{"(Tls)", may}},
		"access points only": {deny("Points", "s3:*", "/*", `{"StringNotEquals":{"s3:DataAccessPointAccount":"111111111111"}}`),
			[]string{"(Points)", reads}},
		"without a second factor": {deny("Mfa", "s3:*", "/*", `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`), []string{"(Mfa)", reads}},
		"unencrypted writes":      {deny("Sse", "s3:PutObject", "/*", `{"Null":{"s3:x-amz-server-side-encryption":"true"}}`), nil},
		"everything but writes by a condition on writing": {deny("Sse", "s3:*", "/*", `{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}`),
			[]string{"(Sse)", reads}},
		"objects with a tag":          {deny("Pii", "s3:GetObject", "/*", `{"StringEquals":{"s3:ExistingObjectTag/pii":"true"}}`), []string{"(Pii)", "s3:ExistingObjectTag/pii", may}},
		"listing of another folder":   {deny("List", "s3:ListBucket", "", `{"StringLike":{"s3:prefix":["y/*"]}}`), nil},
		"listing but of some folders": {deny("List", "s3:ListBucket", "", `{"StringNotLike":{"s3:prefix":["y/*"]}}`), []string{"(List)", "denied s3:ListBucket", reads}},
		"below what is opened":        {deny("Part", "s3:GetObject", "/x/secret/*", ""), []string{"(Part)", some, may}},
		"by a variable":               {deny("Var", "s3:GetObject", "/${aws:PrincipalTag/home}/*", ""), []string{"(Var)", some, may}},
		"all but somebody": {`{"Sid":"Np","Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111111111111:root","` + reader + `","arn:aws:iam::` + mesh + `:root"]},"Action":"s3:*","Resource":"arn:aws:s3:::one/*"}`,
			[]string{"(Np)", "NotPrincipal", reads, `"Principal": "*"`}},
		"deleting": {deny("Keep", "s3:Delete*", "/*", ""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, b := buckets(t, "one")
			policy := `{"Version":"2012-10-17","Statement":[` + c.statement + `]}`
			if _, err := b.Client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("one"), Policy: &policy}); err != nil {
				t.Fatal(err)
			}
			changes, err := b.Prepare(t.Context(), storage.Access{Role: reader, Open: []storage.Place{{Bucket: "one", Prefix: "x/"}}})
			if err != nil || len(changes) != 1 {
				t.Fatal(changes, err)
			}
			said := strings.Join(changes[0].Warnings, "\n")
			for _, part := range c.says {
				if !strings.Contains(said, part) {
					t.Errorf("%q does not say %q", said, part)
				}
			}
			if len(c.says) == 0 && said != "" {
				t.Errorf("it says %q", said)
			}
		})
	}
}
