package identity

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/printable"
)

// Logger is the options' logger, bounded by their level, and without what others could
// make a reader's terminal do; without a logger, one that drops everything.
func Logger(o lakemesh.Options) (*slog.Logger, error) {
	level := slog.LevelInfo
	if o.LogLevel != "" {
		if err := level.UnmarshalText([]byte(o.LogLevel)); err != nil {
			return nil, lakemesh.Invalid("LogLevel", "%q is not DEBUG, INFO, WARN or ERROR", o.LogLevel)
		}
	}
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler), nil
	}
	return slog.New(bounded{printable.Handler(o.Logger.Handler()), level}), nil
}

// bounded drops what is below a level.
type bounded struct {
	slog.Handler
	level slog.Level
}

// Enabled implements slog.Handler.
func (b bounded) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= b.level && b.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (b bounded) WithAttrs(attrs []slog.Attr) slog.Handler {
	return bounded{b.Handler.WithAttrs(attrs), b.level}
}

// WithGroup implements slog.Handler.
func (b bounded) WithGroup(name string) slog.Handler {
	return bounded{b.Handler.WithGroup(name), b.level}
}

// callLog is the name of the middleware that logs calls.
const callLog = "LakemeshCallLog"

// logged returns a configuration that writes a line a call at debug level: what
// was called and by whom, never what was sent, which can hold secrets.
func logged(cfg aws.Config, log *slog.Logger, who *Identity) aws.Config {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return cfg
	}
	cfg = cfg.Copy()
	mw := middleware.InitializeMiddlewareFunc(callLog, func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		middleware.InitializeOutput, middleware.Metadata, error) {
		begun := time.Now()
		out, md, err := next.HandleInitialize(ctx, in)
		log.DebugContext(ctx, "call", "service", awsmiddleware.GetServiceID(ctx), "operation", awsmiddleware.GetOperationName(ctx),
			"account", who.Account, "as", who.ARN, "took", time.Since(begun).Round(time.Millisecond), "code", awserr.Code(err))
		return out, md, err
	})
	cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
		// An identity opened from another has its configuration; the innermost counts.
		if _, ok := s.Initialize.Get(callLog); ok {
			_, err := s.Initialize.Swap(callLog, mw)
			return err
		}
		return s.Initialize.Add(mw, middleware.After)
	})
	return cfg
}
