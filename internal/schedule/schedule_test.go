package schedule_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/schedule"
)

func TestGood(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"cron(0 */4 * * ? *)",
		"cron(15 12 * * ? *)",
		"cron(0 18 ? * MON-FRI *)",
		"cron(0 8 1 * ? *)",
		"cron(0/15 * * * ? *)",
		"cron(0/10 * ? * MON-FRI *)",
		"cron(0/5 8-17 ? * mon-fri *)",
		"cron(0 9 ? * 2#1 *)",
		"cron(0 9 ? * FRI#5 *)",
		"cron(0 9 ? * 6L *)",
		"cron(0 9 ? * L *)",
		"cron(0 9 L * ? *)",
		"cron(0 9 L-3 * ? *)",
		"cron(0 9 LW * ? *)",
		"cron(0 9 3W * ? *)",
		"cron(0,15,30,45 0-23/2 1,15 JAN,JUL ? 2026-2030)",
		"cron(59 23 31 12 ? 2199)",
		"cron(0 0 1 1 ? 1970)",
		"cron(0 0 1 1 ? 2020/5)",
		"cron( 0  0 1 1 ? * )",
		"cron(0 0 ? * 1,7 *)",
	} {
		if err := schedule.Check("Schedule", text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestBad(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"":                            "form cron(",
		"0 */4 * * ? *":               "form cron(",
		"rate(4 hours)":               "form cron(",
		"cron(0 */4 * * ? *":          "form cron(",
		"cron(0 */4 * * ?)":           "has 5",
		"cron(0 0 */4 * * ? *)":       "has 7",
		"cron(0 4 * * * *)":           "exactly one",
		"cron(0 4 ? * ? *)":           "exactly one",
		"cron(0 4 1 * MON *)":         "exactly one",
		"cron(60 4 * * ? *)":          "minutes:",
		"cron(-1 4 * * ? *)":          "minutes:",
		"cron(? 4 * * 1 *)":           "minutes:",
		"cron(0 24 * * ? *)":          "hours:",
		"cron(0 */0 * * ? *)":         "hours:",
		"cron(0 */x * * ? *)":         "hours:",
		"cron(0 */ * * ? *)":          "hours:",
		"cron(0 5-2 * * ? *)":         "hours:",
		"cron(0 1,,2 * * ? *)":        "hours:",
		"cron(0 *,2 * * ? *)":         "hours:",
		"cron(0 4 0 * ? *)":           "day-of-month:",
		"cron(0 4 32 * ? *)":          "day-of-month:",
		"cron(0 4 32W * ? *)":         "day-of-month:",
		"cron(0 4 W * ? *)":           "day-of-month:",
		"cron(0 4 L-31 * ? *)":        "day-of-month:",
		"cron(0 4 L-0 * ? *)":         "day-of-month:",
		"cron(0 4 L,1 * ? *)":         "day-of-month:",
		"cron(0 4 2#1 * ? *)":         "day-of-month:",
		"cron(0 4 * 13 ? *)":          "month:",
		"cron(0 4 * JANUARY ? *)":     "month:",
		"cron(0 4 * ? 1 *)":           "month:",
		"cron(0 4 ? * 0 *)":           "day-of-week:",
		"cron(0 4 ? * 8 *)":           "day-of-week:",
		"cron(0 4 ? * MON#6 *)":       "day-of-week:",
		"cron(0 4 ? * MON#0 *)":       "day-of-week:",
		"cron(0 4 ? * #1 *)":          "day-of-week:",
		"cron(0 4 ? * LW *)":          "day-of-week:",
		"cron(0 4 ? * MONDAY *)":      "day-of-week:",
		"cron(0 4 ? * 3W *)":          "day-of-week:",
		"cron(0 4 * * ? 1969)":        "year:",
		"cron(0 4 * * ? 2200)":        "year:",
		"cron(0 4 * * ? L)":           "year:",
		"cron(0 4 * * ? 99999999999)": "year:",
		"cron(0 +4 * * ? *)":          "hours:",
	} {
		err := schedule.Check("SyncMeshCatalogSchedule", text)
		if !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%q: %v, want an invalid input", text, err)
			continue
		}
		if !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "SyncMeshCatalogSchedule") {
			t.Errorf("%q: %q does not say %q and the parameter", text, err, says)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("cron(0 */4 * * ? *)")
	f.Add("cron(0 9 ? * 2#1 *)")
	f.Add("cron(L-3 W# ,,/ ? ? -)")
	f.Fuzz(func(t *testing.T, text string) {
		if err := schedule.Check("x", text); err != nil {
			if !errors.Is(err, lakemesh.ErrInvalidInput) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		// What is accepted has six fields, and a ? in one of the days.
		fields := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(text, "cron("), ")"))
		if len(fields) != 6 || (fields[2] == "?") == (fields[4] == "?") {
			t.Errorf("%q is accepted", text)
		}
	})
}
