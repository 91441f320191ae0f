package main

import (
	"context"
	"errors"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// measureCalls is middleware of the SDK that measures how long each call took, with all
// its attempts, and counts the attempts; otelaws has no metrics. The names are those of
// OpenTelemetry's conventions
// (https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/).
func measureCalls(meter metric.Meter) (func(*middleware.Stack) error, error) {
	duration, err := meter.Float64Histogram("rpc.client.call.duration", metric.WithUnit("s"), metric.WithDescription("How long calls to AWS took."))
	if err != nil {
		return nil, err
	}
	attempts, err := meter.Int64Counter("lakemesh.call.attempts", metric.WithUnit("{attempt}"), metric.WithDescription("How often calls to AWS were tried."))
	if err != nil {
		return nil, err
	}
	measure := middleware.InitializeMiddlewareFunc("LakemeshCallMetrics", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		middleware.InitializeOutput, middleware.Metadata, error) {
		begun := time.Now()
		out, md, err := next.HandleInitialize(ctx, in)
		attributes := []attribute.KeyValue{attribute.String("rpc.system.name", "aws-api"), attribute.String("rpc.service", awsmiddleware.GetServiceID(ctx)),
			attribute.String("rpc.method", awsmiddleware.GetServiceID(ctx)+"/"+awsmiddleware.GetOperationName(ctx))}
		if err != nil {
			attributes = append(attributes, attribute.String("error.type", errorType(err)))
		}
		on := metric.WithAttributes(attributes...)
		duration.Record(ctx, time.Since(begun).Seconds(), on)
		if tried, ok := retry.GetAttemptResults(md); ok {
			attempts.Add(ctx, int64(len(tried.Results)), on)
		}
		return out, md, err
	})
	return func(s *middleware.Stack) error { return s.Initialize.Add(measure, middleware.After) }, nil
}

// errorType is AWS's code: never a message, of which there is no end of different ones.
func errorType(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return "_OTHER"
}
