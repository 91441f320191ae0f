package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/ready"
)

const product = ready.SampleDatabase + "-" + ready.ProducerAccount

var published = ready.Once(func(m *ready.Mesh) {
	m.Sample()
	m.Publish(ready.ProducerAccount, ready.SampleDatabase)
})

// streams are what a worker writes.
type streams struct{ out, err bytes.Buffer }

// working is a worker on a mesh, with an environment.
func working(t *testing.T, m *ready.Mesh, account string, env map[string]string) (*worker, *streams) {
	t.Helper()
	s := &streams{}
	w, err := newWorker(t.Context(), func(name string) string {
		if name == "LAKEMESH_MESH_ACCOUNT" {
			return ready.MeshAccount
		}
		return env[name]
	}, &s.out, &s.err)
	if err != nil {
		t.Fatal(err)
	}
	o := m.Options(account)
	w.options.Config, w.options.RoleWait = o.Config, o.RoleWait
	return w, s
}

// invoke has the handler answer an event as Lambda's runtime does.
func invoke(t *testing.T, w *worker, event string) (map[string]any, error) {
	t.Helper()
	text, err := lambda.NewHandler(w.handle).Invoke(t.Context(), []byte(event))
	answer := map[string]any{}
	if err == nil {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	return answer, err
}

func TestEachJobRunsThroughTheHandler(t *testing.T) {
	t.Parallel()
	m := published(t)
	for event, account := range map[string]string{
		`{"job":"sync"}`: ready.ProducerAccount, `{"job":"verify"}`: ready.ProducerAccount, `{"job":"expire"}`: ready.ProducerAccount, `{"job":"settle"}`: ready.ProducerAccount,
		`{"job":"verify","as":"consumer"}`: ready.ConsumerAccount, `{"job":"verify","as":"admin"}`: ready.MeshAccount, `{"job":"expire","as":"admin"}`: ready.MeshAccount,
	} {
		w, s := working(t, m, account, nil)
		answer, err := invoke(t, w, event)
		if err != nil || answer["outcome"] != "done" || answer["Failures"] != 0.0 {
			t.Errorf("%s: %v %v\n%s", event, answer, err, &s.err)
		}
		if strings.Count(s.out.String(), "\n") != 1 || !strings.Contains(s.out.String(), `"_aws":`) {
			t.Errorf("%s: standard output is %s", event, &s.out)
		}
		for line := range strings.Lines(s.err.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: in the log is %s", event, line)
			}
		}
	}
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
	settings.DataLakeAdmins = append(settings.DataLakeAdmins, types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(ready.Administrator(ready.MeshAccount))})
	if _, err := lake.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: settings}); err != nil {
		t.Fatal(err)
	}
	m.Grant(ready.MeshAccount, ready.ConsumerAccount, &types.Resource{Table: &types.TableResource{DatabaseName: aws.String(product), Name: aws.String("routes")}}, types.PermissionSelect)
}

// Drift is told by numbers and the log; for Lambda it is no failure, which it would repeat.
func TestDriftIsAnAnswerAndAJobThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	m := published(t)
	m.Subscribe(ready.Subscription{Tables: []string{"airports"}})
	w, s := working(t, m, ready.ProducerAccount, nil)
	plant(t, m)
	answer, err := invoke(t, w, `{"job":"verify"}`)
	if err != nil || answer["outcome"] != "drift" || answer["Findings"].(float64) < 1 {
		t.Errorf("%v %v", answer, err)
	}
	if !strings.Contains(s.out.String(), `"Outcome":"drift"`) || !strings.Contains(s.err.String(), `"msg":"finding"`) {
		t.Errorf("%s%s", &s.out, &s.err)
	}
	m.Fail(localmesh.Fault{Service: "glue", Operation: "GetTables", Code: "AccessDeniedException", Status: 400})
	if answer, err := invoke(t, w, `{"job":"verify"}`); err == nil || !strings.Contains(s.out.String(), `"Failures":1`) {
		t.Errorf("%v %v", answer, err)
	}
	for _, event := range []string{`{}`, `{"job":"verify","as":"nobody"}`, `{"source":"aws.events"}`} {
		calls := m.Calls()
		if _, err := invoke(t, w, event); err == nil || m.Calls() != calls {
			t.Errorf("%s: %v, %d calls", event, err, m.Calls()-calls)
		}
	}
}

func TestEachCallIsASpanInThatOfItsJobAndIsMeasured(t *testing.T) {
	t.Parallel()
	m := published(t)
	w, _ := working(t, m, ready.ProducerAccount, nil)
	spans, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	w.telemetry.traced(resource.Empty(), sdktrace.WithSyncer(spans))
	if err := w.telemetry.measured(resource.Empty(), reader); err != nil {
		t.Fatal(err)
	}
	w.options.APIOptions = w.telemetry.middleware
	m.ResetCounts()
	if _, err := invoke(t, w, `{"job":"sync"}`); err != nil {
		t.Fatal(err)
	}
	calls := m.Calls()
	all := spans.GetSpans()
	i := slices.IndexFunc(all, func(s tracetest.SpanStub) bool { return s.Name == "lakemesh sync" })
	if i < 0 || all[i].Status.Code == codes.Error {
		t.Fatalf("the job is no span of %d", len(all))
	}
	within := 0
	for _, s := range all {
		if s.Parent.SpanID() == all[i].SpanContext.SpanID() {
			within++
		}
	}
	if within != calls || len(all) != calls+1 {
		t.Errorf("%d of %d spans are in that of the job, for %d calls", within, len(all), calls)
	}
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	measured, units := uint64(0), map[string]string{}
	for _, metric := range data.ScopeMetrics[0].Metrics {
		units[metric.Name] = metric.Unit
		if h, ok := metric.Data.(metricdata.Histogram[float64]); ok {
			for _, point := range h.DataPoints {
				measured += point.Count
			}
		}
	}
	if int(measured) != calls {
		t.Errorf("%d calls were measured of %d", measured, calls)
	}
	for name, unit := range map[string]string{"rpc.client.call.duration": "s", "lakemesh.call.attempts": "{attempt}", "lakemesh.job.failures": "1", "lakemesh.job.duration": "ms", "lakemesh.job.steps": "1"} {
		if units[name] != unit {
			t.Errorf("%s has the unit %q of %v", name, units[name], units)
		}
	}
	// A job that fails is a span that failed.
	m.Fail(localmesh.Fault{Service: "glue", Operation: "GetTables", Code: "AccessDeniedException", Status: 400})
	if _, err := invoke(t, w, `{"job":"sync"}`); err == nil {
		t.Error("it did not fail")
	}
	all = spans.GetSpans()
	if last := all[len(all)-1]; last.Name != "lakemesh sync" || last.Status.Code != codes.Error {
		t.Errorf("the last span is %s: %+v", last.Name, last.Status)
	}
}

// What goes over OTLP is sent before the function answers, and that nobody takes it is no
// failure of the job. The exporters read the process's environment, so that this test has
// it for itself.
func TestTelemetryIsSentBeforeTheAnswer(t *testing.T) {
	var mu sync.Mutex
	got := map[string]int{}
	status := http.StatusOK
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			got[r.URL.Path] += len(body)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(collector.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	m := published(t)
	w, s := working(t, m, ready.ProducerAccount, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL})
	if _, err := invoke(t, w, `{"job":"settle"}`); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	if got["/v1/traces"] == 0 || got["/v1/metrics"] == 0 {
		t.Errorf("sent was %v", got)
	}
	status = http.StatusBadRequest
	mu.Unlock()
	if answer, err := invoke(t, w, `{"job":"settle"}`); err != nil || answer["outcome"] != "done" || !strings.Contains(s.err.String(), `"msg":"telemetry"`) {
		t.Errorf("%v %v %s", answer, err, &s.err)
	}
}

func TestTheProgramsExitCodes(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	for _, test := range []struct {
		args []string
		env  func(string) string
		code int
	}{
		{[]string{"version"}, none, 0},
		{nil, none, 2},
		{[]string{"verify"}, none, 2},
		{[]string{"verify", "-as"}, none, 2},
		{[]string{"verify", "more"}, none, 2},
		{[]string{"repair"}, func(name string) string { return map[string]string{"LAKEMESH_MESH_ACCOUNT": ready.MeshAccount}[name] }, 2},
		{[]string{"verify"}, func(name string) string {
			return map[string]string{"LAKEMESH_MESH_ACCOUNT": ready.MeshAccount, "LAKEMESH_LOG_LEVEL": "loud"}[name]
		}, 2},
	} {
		var s streams
		if code := once(t.Context(), test.args, test.env, &s.out, &s.err); code != test.code {
			t.Errorf("%v: exit code %d, not %d\n%s", test.args, code, test.code, &s.err)
		}
	}
}
