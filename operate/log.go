package operate

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/printable"
)

// shownFindings is how many findings are logged one by one; the rest is counted.
const shownFindings = 100

// Log logs the result: what was found, a line each, what was left out, and the outcome
// with its numbers and their units. What others wrote is made safe for a reader's terminal.
func (r *Result) Log(ctx context.Context, to *slog.Logger) {
	log := slog.New(printable.Handler(to.Handler())).With("job", r.Job.Name, "as", r.Job.As, "mesh", r.MeshAccount, "account", r.Account)
	for i, f := range r.Findings {
		if i == shownFindings {
			log.WarnContext(ctx, "more findings", "findings", len(r.Findings)-i)
			break
		}
		log.WarnContext(ctx, "finding", "kind", f.Kind, "link", f.Link, "in", f.Account, "resource", f.Resource, "principal", f.Principal, "what", f.What,
			"subscriptions", strings.Join(f.Subscriptions, ","), "repairs", f.Repairs, "command", f.Command, "byHand", f.ByHand)
	}
	for _, text := range r.Warnings {
		log.WarnContext(ctx, "warning", "text", text)
	}
	var numbers []any
	for _, m := range r.Metrics {
		numbers = append(numbers, slog.Group(m.Name, "value", m.Value, "unit", m.Unit))
	}
	level, attrs := slog.LevelInfo, []any{"outcome", r.Outcome, slog.Group("metrics", numbers...)}
	if len(r.Subscriptions) > 0 {
		attrs = append(attrs, "subscriptions", strings.Join(r.Subscriptions, ","))
	}
	switch r.Outcome {
	case Failed:
		level = slog.LevelError
		attrs = append(attrs, "error", r.Err.Error())
		if known, ok := errors.AsType[*lakemesh.Error](r.Err); ok {
			attrs = append(attrs, "hint", known.HintIn(lakemesh.Call.String))
		}
	case Drift:
		level = slog.LevelWarn
	}
	log.Log(ctx, level, "job ended", attrs...)
}
