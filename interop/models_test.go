package interop

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
)

// linked is the database that the consumer reads the product in.
const linked = "aviation-" + producerAccount

// aviation sets the accounts up, publishes the sample tables, and gives the consumer three columns of one of them.
func (m *mesh) aviation() {
	m.Helper()
	local := func(out any, args ...string) {
		m.Helper()
		m.lakemesh(out, append([]string{"--local"}, args...)...)
	}
	local(nil, "mesh", "init", "--allow-full-table-external-data-access")
	local(nil, "account", "enable", "--account-type", "producer")
	local(nil, "account", "enable", "--account-type", "consumer")
	local(nil, "local", "load")
	local(nil, "product", "create", "--source-database-name", "aviation", "--domain", "transport", "--data-product-name", "us-aviation")
	local(nil, "request", "create", "--owner-account-id", producerAccount, "--database-name", linked, "--tables", "weather", "--columns", "date,location,weather", "--request-permissions", "SELECT,DESCRIBE")
	var asked struct {
		Subscriptions []struct {
			SubscriptionID string `json:"SubscriptionId"`
		}
	}
	// What only reads takes no --yes.
	out, log, code, err := run(m.Context(), patience, m.environment(lakemesh.MeshIdentity), m.program, "--local", "request", "list", "--output", "json")
	if err != nil || code != 0 {
		m.Fatalf("request list: exit code %d, %v\n%s", code, err, log)
	}
	m.must(json.Unmarshal([]byte(out), &asked))
	if len(asked.Subscriptions) != 1 {
		m.Fatalf("requests: %+v", asked)
	}
	id := asked.Subscriptions[0].SubscriptionID
	local(nil, "request", "approve", id)
	local(nil, "subscription", "import", id, "--principals", "arn:aws:iam::"+consumerAccount+":user/ConsumerAdministrator")
}

// bucket makes one.
func (m *mesh) bucket(identity lakemesh.Identity, name string) {
	m.Helper()
	storage := s3.NewFromConfig(m.config(identity), func(o *s3.Options) { o.UsePathStyle = true })
	m.must2(storage.CreateBucket(m.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)}))
}

// datacontract tests what a consumer was promised by asking Athena, and sees what was not granted as missing.
func TestDataContract(t *testing.T) {
	t.Parallel()
	program := installed(t, "models", "datacontract")
	m := start(t)
	m.aviation()
	m.bucket(lakemesh.ConsumerAdminIdentity, "contract-results")
	path, err := filepath.Abs("python/models")
	if err != nil {
		t.Fatal(err)
	}
	env := append(m.environment(lakemesh.ConsumerAdminIdentity), "PYTHONPATH="+path, "COLUMNS=200", "NO_COLOR=1")
	test := func(file string) (string, int) {
		t.Helper()
		out, log, code, err := run(t.Context(), 3*time.Minute, env, program, "test", file)
		if err != nil {
			t.Fatalf("%v\n%s%s", err, out, log)
		}
		return out, code
	}
	if out, code := test(filepath.Join(path, "weather.odcs.yaml")); code != 0 || !strings.Contains(out, "Data contract is valid") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	content, err := os.ReadFile(filepath.Join(path, "weather.odcs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	more := filepath.Join(t.TempDir(), "more.odcs.yaml")
	if err := os.WriteFile(more, []byte(strings.Replace(string(content), "      - name: location\n", "      - name: temp_max\n        logicalType: number\n      - name: location\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := test(more); code == 0 || !strings.Contains(out, "temp_max") {
		t.Errorf("a column that is not granted: exit code %d\n%s", code, out)
	}
}

// dbt builds tables and views of a source, and tests them; a consumer builds on the columns that it was given.
func TestDBT(t *testing.T) {
	t.Parallel()
	program := installed(t, "models", "dbt")
	m := start(t)
	m.aviation()
	for _, c := range []struct {
		who            lakemesh.Identity
		source, bucket string
	}{{lakemesh.ProducerAdminIdentity, "aviation", "producer-models"}, {lakemesh.ConsumerAdminIdentity, linked, "consumer-models"}} {
		m.bucket(c.who, c.bucket)
		folder := t.TempDir()
		if err := os.CopyFS(folder, os.DirFS("python/models/dbt")); err != nil {
			t.Fatal(err)
		}
		env := append(m.environment(c.who), "DBT_BUCKET="+c.bucket, "DBT_SOURCE="+c.source, "DBT_SEND_ANONYMOUS_USAGE_STATS=false", "NO_COLOR=1")
		dbt := func(wantCode int, want string, args ...string) {
			t.Helper()
			out, log, code, err := run(t.Context(), 3*time.Minute, env, program, append(args, "--project-dir", folder, "--profiles-dir", folder)...)
			if err != nil || code != wantCode || !strings.Contains(out, want) {
				t.Errorf("%s: dbt %s: exit code %d, %v\n%s%s", c.who, strings.Join(args, " "), code, err, out, log)
			}
		}
		if c.who == lakemesh.ProducerAdminIdentity {
			dbt(0, "PASS=9 WARN=0 ERROR=0", "build")
			// What is there is replaced.
			dbt(0, "PASS=3 WARN=0 ERROR=0", "run")
			continue
		}
		dbt(0, "All checks passed!", "debug")
		dbt(0, "PASS=9 WARN=0 ERROR=0", "build")
		dbt(0, "drizzle", "show", "--select", "kinds")
		dbt(2, "Column 'temp_max' cannot be resolved", "show", "--inline", "select temp_max from {{ source('aviation', 'weather') }}")
	}
}
