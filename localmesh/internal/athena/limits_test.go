package athena_test

import (
	"strings"
	"testing"
)

// A query that is too large fails, and the mesh goes on.
func TestQueriesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.orders()
	nested := "id"
	for range 60 {
		nested = "CASE " + nested + " WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 4 END"
	}
	doubled := "SELECT customer AS x FROM orders"
	for range 40 {
		doubled = "SELECT x || x AS x FROM (" + doubled + ")"
	}
	for name, sql := range map[string]string{
		"brackets":   "SELECT " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000),
		"subselects": strings.Repeat("SELECT * FROM (", 300) + "SELECT 1" + strings.Repeat(")", 300),
		"operators":  "SELECT 1" + strings.Repeat("+1", 50_000),
		"negations":  "SELECT " + strings.Repeat("NOT ", 5000) + "true",
		"signs":      "SELECT " + strings.Repeat("- ", 5000) + "1",
		"cases":      "SELECT " + nested + " FROM orders",
		"texts":      doubled,
		"padding":    "SELECT lpad('x', 2000000000, 'y')",
		"types":      "SELECT CAST(1 AS decimal(99,99))",
		"limit":      "SELECT 1 LIMIT 99999999999999999999999",
		"nothing":    "  -- only a comment",
		"zeros":      "SELECT '\x00'",
	} {
		if got := w.ask(sql); !strings.Contains(got, ": ") {
			t.Errorf("%s: %.200s", name, got)
		}
	}
	if got := w.ask("SELECT count(*) FROM orders"); got != "4" {
		t.Errorf("afterwards: %s", got)
	}
}
