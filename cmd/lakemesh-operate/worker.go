package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/operate"
)

// closing is how long before its end a function stops its job, so that what was done
// is still told.
const closing = 5 * time.Second

// worker does jobs.
type worker struct {
	options   lakemesh.Options
	log       *slog.Logger
	stdout    io.Writer
	telemetry *telemetry
}

func newWorker(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) (*worker, error) {
	w := &worker{stdout: stdout}
	level := slog.LevelInfo
	if text := getenv("LAKEMESH_LOG_LEVEL"); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			return nil, lakemesh.Invalid("LAKEMESH_LOG_LEVEL", "%q is not debug, info, warn or error", text)
		}
	}
	w.log = slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: level}))
	w.options = lakemesh.Options{MeshAccountID: getenv("LAKEMESH_MESH_ACCOUNT"), Region: getenv("AWS_REGION"), Logger: w.log, LogLevel: level.String()}
	if err := lakemesh.CheckAccountID("LAKEMESH_MESH_ACCOUNT", w.options.MeshAccountID); err != nil {
		return nil, err
	}
	var err error
	if w.telemetry, err = newTelemetry(ctx, getenv); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	w.options.APIOptions = w.telemetry.middleware
	return w, nil
}

// handle is the function of AWS Lambda. What verify finds is no error: AWS would call
// the function again for it. The answer is the outcome.
func (w *worker) handle(ctx context.Context, event json.RawMessage) (map[string]any, error) {
	job, err := operate.ParseJob(event)
	if err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-closing))
		defer cancel()
	}
	result, err := w.do(ctx, job)
	answer := map[string]any{"outcome": result.Outcome}
	for _, m := range result.Metrics {
		answer[m.Name] = m.Value
	}
	return answer, err
}

// do does a job and tells of it everywhere. That it could not be told is an error, too.
func (w *worker) do(ctx context.Context, job operate.Job) (*operate.Result, error) {
	traced, end := w.telemetry.begin(ctx, job)
	result, err := operate.Run(traced, w.options, job)
	end(result)
	result.Log(ctx, w.log)
	told := result.WriteMetrics(w.stdout)
	// A function stands still after its answer, so that nothing may be left to send. It is
	// no failure of the job, which must not be done again for it.
	if failed := w.telemetry.flush(context.WithoutCancel(ctx)); failed != nil {
		w.log.ErrorContext(ctx, "telemetry", "error", failed.Error())
	}
	return result, errors.Join(err, told)
}
