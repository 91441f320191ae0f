package operate_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/ready"
	"github.com/lakemesh/lakemesh/operate"
	"github.com/lakemesh/lakemesh/producer"
)

const product = ready.SampleDatabase + "-" + ready.ProducerAccount

var published = ready.Once(func(m *ready.Mesh) {
	m.Sample()
	m.Publish(ready.ProducerAccount, ready.SampleDatabase)
})

// accounts are the accounts whose administrators do jobs.
var accounts = map[operate.Side]string{operate.Producer: ready.ProducerAccount, operate.Consumer: ready.ConsumerAccount, operate.Admin: ready.MeshAccount}

// do does a job as the administrator of the side's account.
func do(t *testing.T, m *ready.Mesh, j operate.Job) (*operate.Result, error) {
	t.Helper()
	return operate.Run(t.Context(), m.Options(accounts[cmp.Or(j.As, operate.Producer)]), j)
}

// want asserts how a job ends, and numbers of it: "Findings=0".
func want(t *testing.T, m *ready.Mesh, j operate.Job, outcome operate.Outcome, numbers ...string) *operate.Result {
	t.Helper()
	r, err := do(t, m, j)
	if r.Outcome != outcome || (err != nil) != (outcome == operate.Failed) {
		t.Errorf("%+v ended as %s, not %s: %v %+v", j, r.Outcome, outcome, err, r.Findings)
	}
	for _, number := range numbers {
		name, text, _ := strings.Cut(number, "=")
		if value, ok := r.Value(name); !ok || jsonOf(value) != text {
			t.Errorf("%+v: %s is %v (%v), not %s", j, name, value, ok, text)
		}
	}
	return r
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// plant grants the consumer what nobody decided, as a data lake administrator of the
// mesh account can.
func plant(t *testing.T, m *ready.Mesh) {
	t.Helper()
	lake := lakeformation.NewFromConfig(m.Config(ready.Administrator(ready.MeshAccount)))
	out, err := lake.GetDataLakeSettings(t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	settings := out.DataLakeSettings
	settings.DataLakeAdmins = append(settings.DataLakeAdmins, lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(ready.Administrator(ready.MeshAccount))})
	if _, err := lake.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings}); err != nil {
		t.Fatal(err)
	}
	m.Grant(ready.MeshAccount, ready.ConsumerAccount, &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: aws.String(product), Name: aws.String("routes")}}, lftypes.PermissionSelect)
}

func TestVerifyTellsDriftOnEachSideThatSeesIt(t *testing.T) {
	t.Parallel()
	m := published(t)
	m.Subscribe(ready.Subscription{Tables: []string{"airports"}})
	for _, side := range []operate.Side{operate.Producer, operate.Consumer, operate.Admin} {
		r := want(t, m, operate.Job{Name: operate.Verify, As: side}, operate.Done, "Findings=0", "TooMuch=0", "Missing=0", "Undecided=0", "Failures=0", "Subscriptions=1")
		if r.ExitCode() != 0 || r.Account != accounts[side] {
			t.Errorf("exit code %d, account %s", r.ExitCode(), r.Account)
		}
	}
	plant(t, m)
	r := want(t, m, operate.Job{Name: operate.Verify}, operate.Drift, "Findings=1", "Undecided=1", "Failures=0")
	if r.ExitCode() != 7 {
		t.Errorf("exit code %d", r.ExitCode())
	}
	want(t, m, operate.Job{Name: operate.Verify, As: operate.Admin, Database: product}, operate.Drift, "Undecided=1")
	// It is told, and nothing else: what nobody decided is still there.
	want(t, m, operate.Job{Name: operate.Verify}, operate.Drift, "Findings=1")
}

func TestSyncBringsTheCopyUpToDate(t *testing.T) {
	t.Parallel()
	m := published(t)
	want(t, m, operate.Job{Name: operate.Sync}, operate.Done, "Products=1", "Steps=0")
	source := m.Glue(ready.ProducerAccount)
	change := func(table string) {
		t.Helper()
		out, err := source.GetTable(t.Context(), &glue.GetTableInput{DatabaseName: aws.String(ready.SampleDatabase), Name: &table})
		if err != nil {
			t.Fatal(err)
		}
		d := out.Table.StorageDescriptor
		d.Columns = append(d.Columns, gluetypes.Column{Name: aws.String("added"), Type: aws.String("string")})
		_, err = source.UpdateTable(t.Context(), &glue.UpdateTableInput{DatabaseName: aws.String(ready.SampleDatabase), TableInput: &gluetypes.TableInput{
			Name: &table, StorageDescriptor: d, TableType: out.Table.TableType, Parameters: out.Table.Parameters, PartitionKeys: out.Table.PartitionKeys}})
		if err != nil {
			t.Fatal(err)
		}
	}
	change("airports")
	change("routes")
	// The name is a name, not an expression.
	if r := want(t, m, operate.Job{Name: operate.Sync, SourceDatabase: ready.SampleDatabase, Table: "air.*"}, operate.Failed, "Failures=1"); r.ExitCode() != 3 {
		t.Errorf("exit code %d", r.ExitCode())
	}
	want(t, m, operate.Job{Name: operate.Sync, SourceDatabase: ready.SampleDatabase, Table: "airports"}, operate.Done, "Tables=1", "Steps=1")
	want(t, m, operate.Job{Name: operate.Sync, Database: product}, operate.Done, "Steps=1")
	want(t, m, operate.Job{Name: operate.Sync}, operate.Done, "Steps=0", "Warnings=0")
}

// subscribeUntil has the consumer get a table until a time.
func subscribeUntil(t *testing.T, m *ready.Mesh, until time.Time) string {
	t.Helper()
	asked, err := m.Consumer(ready.ConsumerAccount).RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: ready.ProducerAccount, DatabaseName: product,
		Tables: []string{"airports"}, RequestPermissions: []string{"SELECT"}, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Producer(ready.ProducerAccount).ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: asked.SubscriptionID}); err != nil {
		t.Fatal(err)
	}
	return asked.SubscriptionID
}

func TestExpireEndsWhatIsOverAndAnAdministratorRevokesIt(t *testing.T) {
	t.Parallel()
	m := published(t)
	now := time.Now()
	id := subscribeUntil(t, m, now.Add(time.Hour))
	want(t, m, operate.Job{Name: operate.Expire}, operate.Done, "Ended=0")
	later := func(j operate.Job) *operate.Result {
		t.Helper()
		o := m.Options(accounts[cmp.Or(j.As, operate.Producer)])
		o.Now = func() time.Time { return now.Add(2 * time.Hour) }
		r, err := operate.Run(t.Context(), o, j)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := later(operate.Job{Name: operate.Expire, As: operate.Admin})
	if n, _ := r.Value("Unrecorded"); n != 1 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], id) {
		t.Errorf("the administrator: %+v", r)
	}
	if r := later(operate.Job{Name: operate.Expire}); !slices.Equal(r.Subscriptions, []string{id}) {
		t.Errorf("the owner: %+v", r)
	}
	m.Holds(ready.MeshAccount, ready.ConsumerAccount)
}

func TestSettleFinishesDepartures(t *testing.T) {
	t.Parallel()
	m := published(t)
	id := m.Subscribe(ready.Subscription{Tables: []string{"airports"}})
	want(t, m, operate.Job{Name: operate.Settle}, operate.Done, "Ended=0")
	if err := m.Consumer(ready.ConsumerAccount).DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id}); err != nil {
		t.Fatal(err)
	}
	if r := want(t, m, operate.Job{Name: operate.Settle}, operate.Done, "Ended=1"); !slices.Equal(r.Subscriptions, []string{id}) {
		t.Errorf("ended %v", r.Subscriptions)
	}
	want(t, m, operate.Job{Name: operate.Verify}, operate.Done, "Findings=0")
}

// What could not be looked at is not told as nothing: an alarm on findings must not be
// ended by it.
func TestAJobThatFailsTellsThatAndNoNumbersThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	m := published(t)
	m.Fail(localmesh.Fault{Service: "glue", Operation: "GetTables", Code: "AccessDeniedException", Status: 400, Message: "no"})
	r := want(t, m, operate.Job{Name: operate.Verify}, operate.Failed, "Failures=1")
	if _, known := r.Value("Findings"); known {
		t.Error("it tells how many findings there are")
	}
	if r.ExitCode() != 5 || !errors.Is(r.Err, lakemesh.ErrAccessDenied) {
		t.Errorf("exit code %d: %v", r.ExitCode(), r.Err)
	}
	var line bytes.Buffer
	if err := r.WriteMetrics(&line); err != nil || strings.Contains(line.String(), "Findings") || !strings.Contains(line.String(), `"Failures":1`) {
		t.Errorf("%v %s", err, &line)
	}
}

func TestCallsAreCountedWithRetriesAndThrottles(t *testing.T) {
	t.Parallel()
	m := published(t)
	m.ResetCounts()
	m.Fail(localmesh.Fault{Service: "glue", Operation: "GetTables", Code: "ThrottlingException", Status: 400, Times: 2})
	r := want(t, m, operate.Job{Name: operate.Sync}, operate.Done, "Retries=2", "Throttles=2")
	if n, _ := r.Value("Calls"); int(n) != m.Calls()-2 {
		t.Errorf("%v calls, the mesh counts %d with those that were tried again", n, m.Calls())
	}
}

func TestTheLineHasEachNumberOnceWithItsUnit(t *testing.T) {
	t.Parallel()
	m := published(t)
	r := want(t, m, operate.Job{Name: operate.Verify, Database: product}, operate.Done)
	var out bytes.Buffer
	if err := r.WriteMetrics(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("it is no line: %s", &out)
	}
	var line struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	values := map[string]any{}
	if err := errors.Join(json.Unmarshal(out.Bytes(), &line), json.Unmarshal(out.Bytes(), &values)); err != nil {
		t.Fatal(err)
	}
	d := line.AWS.CloudWatchMetrics[0]
	if line.AWS.Timestamp != r.Begun.UnixMilli() || d.Namespace != operate.Namespace || len(d.Metrics) != len(r.Metrics) {
		t.Errorf("%+v", line)
	}
	// CloudWatch wants each dimension and each metric as a member of the line, a text and a number.
	for _, name := range d.Dimensions[0] {
		if text, ok := values[name].(string); !ok || text == "" {
			t.Errorf("dimension %s is %v", name, values[name])
		}
	}
	seen := map[string]bool{}
	for _, metric := range d.Metrics {
		if _, ok := values[metric.Name].(float64); !ok || seen[metric.Name] || (metric.Unit != "Count" && metric.Unit != "Milliseconds") {
			t.Errorf("metric %+v is %v", metric, values[metric.Name])
		}
		seen[metric.Name] = true
	}
}

func TestWhatOthersWroteIsNoLineOfTheLog(t *testing.T) {
	t.Parallel()
	r := &operate.Result{Job: operate.Job{Name: operate.Verify}, Outcome: operate.Drift, Findings: []operate.Finding{{What: "a\nb\x1b[31m"}}, Warnings: []string{"c\nd"}}
	var out bytes.Buffer
	r.Log(t.Context(), slog.New(slog.NewTextHandler(&out, nil)))
	if n := strings.Count(out.String(), "\n"); n != 3 || strings.Contains(out.String(), "\x1b") || strings.Contains(out.String(), `x1b`) {
		t.Errorf("%d lines: %s", n, &out)
	}
}

func TestJobsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for text, right := range map[string]bool{
		`{"job":"sync"}`: true, `{"job":"verify","as":"consumer"}`: true, `{"job":"expire","as":"admin"}`: true, `{"job":"settle"}`: true,
		`{"job":"sync","sourceDatabase":"a","table":"b"}`: true,
		``: false, `{}`: false, `[]`: false, `"sync"`: false, `{"job":"repair"}`: false, `{"job":"settle","as":"admin"}`: false, `{"job":"sync","as":"consumer"}`: false,
		`{"job":"expire","as":"consumer"}`: false, `{"job":"sync","tabel":"b"}`: false, `{"job":"verify","table":"b"}`: false, `{"job":"settle","database":"b"}`: false,
		`{"job":"sync"} {"job":"verify"}`: false,
	} {
		j, err := operate.ParseJob([]byte(text))
		if (err == nil) != right || (right && j.As == "") || (!right && !errors.Is(err, lakemesh.ErrInvalidInput)) {
			t.Errorf("%s: %+v, %v", text, j, err)
		}
	}
}

func TestAJobThatIsNoneIsNotDone(t *testing.T) {
	t.Parallel()
	m := ready.Run(t)
	r, err := operate.Run(t.Context(), m.Options(ready.ProducerAccount), operate.Job{Name: "drop"})
	if !errors.Is(err, lakemesh.ErrInvalidInput) || r.ExitCode() != 2 || m.Calls() != 0 {
		t.Errorf("%v, exit code %d, %d calls", err, r.ExitCode(), m.Calls())
	}
}
