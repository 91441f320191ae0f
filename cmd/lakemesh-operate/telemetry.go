package main

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/aws/smithy-go/middleware"
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-sdk-go-v2/otelaws" //nolint:staticcheck // It is maintained no more, and has no successor that can be had as a module.
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/lakemesh/lakemesh/operate"
)

// scope names who measures.
const scope = "github.com/lakemesh/lakemesh/cmd/lakemesh-operate"

// sending is how long is waited for traces and metrics to be taken.
const sending = 4 * time.Second

// telemetry sends traces and metrics where OpenTelemetry's environment variables say,
// and nowhere if none of them says
// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/).
type telemetry struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
	// middleware is that of each call to AWS.
	middleware []func(*middleware.Stack) error
}

func newTelemetry(ctx context.Context, getenv func(string) string) (*telemetry, error) {
	t := &telemetry{}
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return t, nil
	}
	everything := getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != ""
	who, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "lakemesh-operate"), attribute.String("service.version", version)),
		resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return nil, err
	}
	if everything || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "" {
		exporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, err
		}
		t.traced(who, sdktrace.WithBatcher(exporter))
	}
	if everything || getenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") != "" {
		exporter, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, err
		}
		if err := t.measured(who, sdkmetric.NewPeriodicReader(exporter)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// traced makes each call a span, in that of its job.
func (t *telemetry) traced(who *resource.Resource, to sdktrace.TracerProviderOption) {
	t.traces = sdktrace.NewTracerProvider(sdktrace.WithResource(who), to)
	otelaws.AppendMiddlewares(&t.middleware, otelaws.WithTracerProvider(t.traces))
}

// measured measures each call.
func (t *telemetry) measured(who *resource.Resource, to sdkmetric.Reader) error {
	t.metrics = sdkmetric.NewMeterProvider(sdkmetric.WithResource(who), sdkmetric.WithReader(to))
	call, err := measureCalls(t.metrics.Meter(scope))
	t.middleware = append(t.middleware, call)
	return err
}

// begin begins the span of a job; what is returned ends it.
func (t *telemetry) begin(ctx context.Context, job operate.Job) (context.Context, func(*operate.Result)) {
	if t.traces == nil {
		return ctx, func(r *operate.Result) { t.record(ctx, r) }
	}
	ctx, span := t.traces.Tracer(scope).Start(ctx, "lakemesh "+string(job.Name), trace.WithAttributes(
		attribute.String("lakemesh.job", string(job.Name)), attribute.String("lakemesh.as", string(job.As))))
	return ctx, func(r *operate.Result) {
		span.SetAttributes(attribute.String("lakemesh.as", string(r.Job.As)), attribute.String("lakemesh.mesh", r.MeshAccount), attribute.String("lakemesh.outcome", string(r.Outcome)))
		if r.Err != nil {
			span.RecordError(r.Err)
			span.SetStatus(codes.Error, "the job failed")
		}
		t.record(ctx, r)
		span.End()
	}
}

// record records the numbers of a job, as they are after it.
func (t *telemetry) record(ctx context.Context, r *operate.Result) {
	if t.metrics == nil {
		return
	}
	on := metric.WithAttributes(attribute.String("lakemesh.job", string(r.Job.Name)), attribute.String("lakemesh.as", string(r.Job.As)), attribute.String("lakemesh.mesh", r.MeshAccount))
	for _, m := range r.Metrics {
		unit := "1"
		if m.Unit == operate.Milliseconds {
			unit = "ms"
		}
		gauge, err := t.metrics.Meter(scope).Float64Gauge("lakemesh.job."+snake(m.Name), metric.WithUnit(unit))
		if err != nil {
			// Names are ours, and a test looks at them: this cannot be.
			continue
		}
		gauge.Record(ctx, m.Value, on)
	}
}

// snake is a name as OpenTelemetry writes names: too_much for TooMuch.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// flush sends what was gathered.
func (t *telemetry) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sending)
	defer cancel()
	var failed []error
	if t.traces != nil {
		failed = append(failed, t.traces.ForceFlush(ctx))
	}
	if t.metrics != nil {
		failed = append(failed, t.metrics.ForceFlush(ctx))
	}
	return errors.Join(failed...)
}
