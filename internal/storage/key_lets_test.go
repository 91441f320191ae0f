package storage_test

import (
	"testing"

	"github.com/lakemesh/lakemesh/internal/storage"
)

func TestKeyLets(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	const role = "arn:aws:iam::555555555555:role/AwsDataMesh/DataMeshDataAccess-111111111111"
	policy := func(statements string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}` + statements + `]}`
	}
	type want struct{ open, perhaps, denied, certain bool }
	for name, tc := range map[string]struct {
		policy string
		want   want
	}{
		"the default":                     {policy(""), want{}},
		"our own":                         {policy("," + storage.ReadStatement(key, role, "lake")), want{open: true}},
		"our own for another bucket":      {policy("," + storage.ReadStatement(key, role, "lake-0", "lak")), want{}},
		"our own for several buckets":     {policy("," + storage.ReadStatement(key, role, "a", "lake")), want{open: true}},
		"without a resource":              {policy(`,{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"kms:Decrypt"}`), want{}},
		"denied without a resource":       {policy("," + storage.ReadStatement(key, role, "lake") + `,{"Effect":"Deny","Principal":"*","Action":"kms:*"}`), want{open: true}},
		"objects of one folder":           {policy(`,{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::lake/x/*"}}}`), want{}},
		"several, one is the role":        {policy(`,{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:user/alice","` + role + `"]},"Action":["kms:Enc*","kms:Dec*"],"Resource":["*"]}`), want{open: true}},
		"denied to all but others":        {policy("," + storage.ReadStatement(key, role, "lake") + `,{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111111111111:root"]},"Action":"kms:*","Resource":"*"}`), want{open: true, denied: true, certain: true}},
		"denied to other accounts":        {policy("," + storage.ReadStatement(key, role, "lake") + `,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"kms:CallerAccount":["111111111111"]}}}`), want{open: true, denied: true, certain: true}},
		"our statement":                   {policy("," + storage.KeyStatement(role, key)), want{open: true}},
		"our statement for another role":  {policy("," + storage.KeyStatement(role+"0", key)), want{}},
		"our statement for another place": {policy("," + storage.KeyStatement(role, "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab")), want{}},
		"the role's account":              {policy(`,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":["kms:Decrypt"],"Resource":"*"}`), want{open: true}},
		"in an organization":              {policy(`,{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}`), want{perhaps: true}},
		"from that account":               {policy(`,{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"555555555555"}}}`), want{open: true}},
		"other actions":                   {policy(`,{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"kms:DescribeKey","Resource":"*"}`), want{}},
		"denied":                          {policy("," + storage.KeyStatement(role, key) + `,{"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}`), want{open: true, denied: true, certain: true}},
		"denied by network":               {policy("," + storage.KeyStatement(role, key) + `,{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`), want{open: true, denied: true}},
		"denied elsewhere":                {policy("," + storage.KeyStatement(role, key) + `,{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}`), want{open: true}},
	} {
		l, err := storage.KeyLets(tc.policy, storage.KeyRead{Key: key, Role: role, Bucket: "lake"})
		got := want{open: l.Open, perhaps: l.Perhaps, denied: len(l.Denied) > 0}
		for _, d := range l.Denied {
			got.certain = got.certain || d.Certain
		}
		if err != nil || got != tc.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, tc.want)
		}
	}
	if _, err := storage.KeyLets("{", storage.KeyRead{Key: key, Role: role}); err == nil {
		t.Error("what is no policy was read")
	}
}
