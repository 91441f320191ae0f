package printable_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/internal/printable"
)

type valuer struct{ text string }

func (v valuer) LogValue() slog.Value { return slog.StringValue(v.text) }

func TestALogHoldsNothingThatIsNotSeen(t *testing.T) {
	t.Parallel()
	const hostile = "x\r\n\x1b]52;c;aGk=\x07\u009b\u202e\xff"
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			log := slog.New(printable.Handler(handler(&b)))
			log = log.With(hostile, hostile).WithGroup(hostile)
			log.Info(hostile, hostile, hostile, "error", errors.New(hostile), "list", []string{hostile}, "valuer", valuer{hostile},
				"struct", struct{ Name string }{hostile}, "map", map[string]any{hostile: []any{hostile}}, "number", 7,
				slog.Group(hostile, slog.String(hostile, hostile)), "nothing", nil)
			text := b.String()
			if printable.Text(text) != text || strings.Count(text, "\n") != 1 || !strings.Contains(text, "]52") || !strings.Contains(text, "7") {
				t.Errorf("%q", text)
			}
		})
	}
}

func TestWhatIsSafeIsLoggedAsItIs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	cause := errors.New("cause")
	kept := false
	log := slog.New(printable.Handler(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if err, ok := a.Value.Any().(error); ok {
			kept = errors.Is(err, cause)
		}
		return a
	}})))
	log.Info("fine", "error", fmt.Errorf("wrapped: %w", cause))
	if !kept {
		t.Error("an error that is safe is not an error any more")
	}
}
