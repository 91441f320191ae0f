package printable

import (
	"context"
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Handler is a log handler that gives another one nothing but lines: the message, the
// keys and the values. A value that is safe as it is reaches the other as it is; any
// other becomes its text.
func Handler(h slog.Handler) slog.Handler { return handler{h} }

type handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	safe := slog.NewRecord(r.Time, r.Level, Line(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		safe.AddAttrs(attr(a))
		return true
	})
	return h.Handler.Handle(ctx, safe)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	safe := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		safe[i] = attr(a)
	}
	return handler{h.Handler.WithAttrs(safe)}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(Line(name))} }

func attr(a slog.Attr) slog.Attr { return slog.Attr{Key: Line(a.Key), Value: value(a.Value.Resolve())} }

func value(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(Line(v.String()))
	case slog.KindGroup:
		group := v.Group()
		safe := make([]slog.Attr, len(group))
		for i, a := range group {
			safe[i] = attr(a)
		}
		return slog.GroupValue(safe...)
	case slog.KindAny:
		for _, text := range texts(v.Any()) {
			if !Is(text) {
				return slog.StringValue(Line(fmt.Sprintf("%+v", v.Any())))
			}
		}
	}
	return v
}

// texts are what handlers make of a value: what it prints as, and what it encodes as.
func texts(v any) []string {
	all := []string{fmt.Sprintf("%+v", v)}
	if t, ok := v.(encoding.TextMarshaler); ok {
		if text, err := t.MarshalText(); err == nil {
			all = append(all, string(text))
		}
	}
	if j, ok := v.(json.Marshaler); ok {
		if text, err := j.MarshalJSON(); err == nil {
			all = append(all, string(text))
		}
	}
	return all
}
