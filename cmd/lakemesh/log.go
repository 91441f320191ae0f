package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/lmittmann/tint"

	"github.com/lakemesh/lakemesh/internal/printable"
)

// logger writes to stderr at the level of --log-level. At the level that holds if
// nothing is said, what is logged are warnings for people, and they look like that.
func (a *app) logger() *slog.Logger {
	if a.flags.logLevel == defaultLogLevel {
		return slog.New(warnings{a})
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.flags.logLevel)); err != nil {
		level = slog.LevelWarn
	}
	if a.screen.terminal {
		_, plain := os.LookupEnv("NO_COLOR")
		return slog.New(printable.Handler(tint.NewTextHandler(a.screen, &tint.Options{Level: level, TimeFormat: "15:04:05.000", NoColor: plain})))
	}
	return slog.New(printable.Handler(slog.NewJSONHandler(a.screen, &slog.HandlerOptions{Level: level})))
}

// warnings is a log handler that tells warnings to people, each once.
type warnings struct{ app *app }

// Enabled implements slog.Handler.
func (w warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle implements slog.Handler.
func (w warnings) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(attr slog.Attr) bool {
		if attr.Key == "error" {
			text += ": " + attr.Value.String()
		}
		return true
	})
	w.app.warn(text)
	return nil
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements slog.Handler.
func (w warnings) WithGroup(string) slog.Handler { return w }
