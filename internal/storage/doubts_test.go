package storage_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/plan"
)

func TestThePlanNamesStatementsThatMayStandInTheWay(t *testing.T) {
	t.Parallel()
	// S3 answers policies in a form of its own; these are in it already.
	const us, all, one = `"Principal":{"AWS":"` + reader + `"}`, `"Principal":"*"`, `"Resource":"arn:aws:s3:::one/*"`
	for name, c := range map[string]struct {
		statement string
		// opening and closing are what a plan that opens and one that closes says.
		opening, closing string
	}{
		"a name that begins like ours":  {`{"Sid":"LakemeshReadObjectsBlocked","Effect":"Deny",` + us + `,"Action":"s3:GetObject",` + one + `}`, "denies reading (LakemeshReadObjectsBlocked)", ""},
		"ours turned":                   {`{"Sid":"LakemeshReadObjects","Effect":"Deny",` + us + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::one/x/*"}`, "denies reading (LakemeshReadObjects)", ""},
		"ours with a condition":         {`{"Sid":"LakemeshReadObjects","Effect":"Allow",` + us + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::one/x/*","Condition":{"StringEquals":{"aws:SourceVpc":"v"}}}`, "not as lakemesh writes it (LakemeshReadObjects)", "not as lakemesh writes it (LakemeshReadObjects)"},
		"everybody denied":              {`{"Sid":"No","Effect":"Deny",` + all + `,"Action":"s3:*",` + one + `}`, "(No)", ""},
		"all but somebody denied":       {`{"Sid":"No","Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::111111111111:role/Admin","arn:aws:sts::111111111111:assumed-role/Admin/local"]},"NotAction":"s3:PutObject","NotResource":"arn:aws:s3:::one/y/*"}`, "(No)", ""},
		"the account denied listing":    {`{"Sid":"No","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::555555555555:root"},"Action":"s3:List*","Resource":"arn:aws:s3:::one"}`, "(No)", ""},
		"below what is opened":          {`{"Sid":"No","Effect":"Deny",` + all + `,"Action":"s3:getobject","Resource":"arn:aws:s3:::one/x/secret/*"}`, "(No)", ""},
		"a pattern":                     {`{"Sid":"No","Effect":"Deny",` + all + `,"Action":"*","Resource":"arn:aws:s3:::one/*.csv"}`, "(No)", ""},
		"no name":                       {`{"Effect":"Deny",` + all + `,"Action":"s3:*",` + one + `}`, `without a name that begins with {"Effect":"Deny"`, ""},
		"another folder":                {`{"Sid":"No","Effect":"Deny",` + all + `,"Action":"s3:*","Resource":"arn:aws:s3:::one/y/*"}`, "", ""},
		"writing":                       {`{"Sid":"No","Effect":"Deny",` + all + `,"Action":["s3:Put*","s3:DeleteObject"],` + one + `}`, "", ""},
		"somebody else":                 {`{"Sid":"No","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"s3:*",` + one + `}`, "", ""},
		"without TLS":                   {`{"Sid":"No","Effect":"Deny",` + all + `,"Action":"s3:*",` + one + `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, "", ""},
		"with TLS":                      {`{"Sid":"No","Effect":"Deny",` + all + `,"Action":"s3:*",` + one + `,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`, "(No)", ""},
		"allowed by others":             {`{"Sid":"Yes","Effect":"Allow",` + us + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::one/x/*"}`, "", ""},
		"exactly ours for another role": {`{"Sid":"LakemeshReadObjects","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::one/x/*"}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, b := buckets(t, "one")
			policy := `{"Version":"2012-10-17","Statement":[` + c.statement + `]}`
			if _, err := b.Client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("one"), Policy: &policy}); err != nil {
				t.Fatal(err)
			}
			places := []storage.Place{{Bucket: "one", Prefix: "x/"}}
			// The second time nothing is to be written, and it is said all the same.
			for _, w := range []struct {
				access storage.Access
				want   string
				steps  int
			}{
				{storage.Access{Role: reader, Open: places}, c.opening, 1}, {storage.Access{Role: reader, Open: places}, c.opening, 0},
				{storage.Access{Role: reader, Close: places}, c.closing, 1}, {storage.Access{Role: reader, Close: places}, c.closing, 0},
			} {
				changes, err := b.Prepare(t.Context(), w.access)
				if err != nil {
					t.Fatal(err)
				}
				todo := &plan.Plan{Operation: "test"}
				for _, c := range changes {
					b.Step(todo, c)
				}
				if said := strings.Join(todo.Warnings, "\n"); len(todo.Steps) != w.steps || (said == "") != (w.want == "") || !strings.Contains(said, w.want) {
					t.Errorf("%+v: %s, want %d steps and a warning %q", w.access, todo, w.steps, w.want)
				}
				if _, err := todo.Apply(t.Context(), plan.Settings{}); err != nil {
					t.Fatal(err)
				}
				if got := policyOf(t, b, "one"); !strings.Contains(got, c.statement) {
					t.Fatalf("%s became %s", c.statement, got)
				}
			}
			if got := policyOf(t, b, "one"); got != policy {
				t.Errorf("opened and closed: %s", got)
			}
		})
	}
}
