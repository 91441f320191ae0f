package athena_test

import (
	"strings"
	"testing"
)

// What a table does by itself is what the engine would have done: a subquery keeps it from it.
func TestTablesDoWhatTheEngineWould(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.table("facts", "id bigint, n int, x double, price decimal(10,2), name string, d date, ok boolean", text, comma)
	w.put("facts/a", strings.Join([]string{
		`1,5,1.5,2.50,ann,2024-01-01,true`, `2,\N,0.1,\N,bob,2024-01-02,false`, `3,5,\N,1.25,\N,2024-01-01,\N`, `4,-7,0.2,2.50,ann,\N,true`,
		`5,5,1e300,99.99,Ann,2023-01-01,false`, `6,0,-1e300,-1.00,,2024-01-02,true`, `7,\N,0.3,2.50,bob,2024-01-01,\N`,
	}, "\n"))
	w.put("facts/b", `8,5,2.5,0.00,eve,2024-05-05,true`)
	for _, sql := range []string{
		"SELECT count(*), count(n), sum(n), avg(n), min(n), max(n), sum(x), avg(x), sum(price), min(name), max(d), min(ok) FROM facts",
		"SELECT count(*), sum(n), max(name) FROM facts WHERE id > 100",
		"SELECT n, count(*), sum(price) FROM facts GROUP BY n ORDER BY n",
		"SELECT name, ok, count(*), max(x) FROM facts GROUP BY name, ok ORDER BY 1, 2",
		"SELECT name, count(DISTINCT n), count(DISTINCT d) FROM facts GROUP BY 1 HAVING count(*) > 1 ORDER BY 2, 1",
		"SELECT d, sum(n) + count(*) AS s, CASE WHEN max(price) > 2 THEN 'x' END FROM facts WHERE n >= 0 AND name <> 'eve' GROUP BY d ORDER BY s DESC, d",
		"SELECT upper(name), count(*) FROM facts GROUP BY name ORDER BY name",
		"SELECT count(*) FROM facts HAVING count(*) > 3",
		"SELECT count(*) FROM facts HAVING count(*) > 30",
		"SELECT id, n FROM facts WHERE n = 5 ORDER BY id",
		"SELECT id FROM facts WHERE price BETWEEN 1.25 AND 2.50 ORDER BY id",
		"SELECT id FROM facts WHERE x > 0.1 AND d >= DATE '2024-01-01' ORDER BY id",
		"SELECT id FROM facts WHERE name IN ('ann', 'bob') AND n IS NOT NULL ORDER BY id",
		"SELECT id FROM facts WHERE name IS NULL OR n = 0 ORDER BY id",
		"SELECT id FROM facts WHERE 5 > n AND length(name) >= 0 ORDER BY id",
		"SELECT id, n FROM facts ORDER BY n, id LIMIT 3",
		"SELECT id, n FROM facts ORDER BY n DESC NULLS FIRST, id LIMIT 4",
		"SELECT id, name FROM facts ORDER BY name DESC, id OFFSET 2 LIMIT 3",
		"SELECT id AS n FROM facts ORDER BY n DESC LIMIT 2",
		"SELECT n AS id FROM facts ORDER BY facts.id LIMIT 2",
		"SELECT id, count(*) OVER () FROM facts ORDER BY id LIMIT 2",
		"SELECT *, row_number() OVER (ORDER BY id) FROM facts ORDER BY n, id LIMIT 2",
		"SELECT id FROM facts WHERE ok ORDER BY x LIMIT 2",
		"SELECT DISTINCT n FROM facts ORDER BY n LIMIT 2",
		"SELECT max(n) FROM facts WHERE n = (SELECT max(n) FROM facts)",
		"SELECT n FROM facts GROUP BY n HAVING EXISTS (SELECT 1 FROM facts g WHERE g.n = facts.n) ORDER BY n",
		"SELECT count(*) FROM facts UNION ALL SELECT sum(n) FROM facts WHERE n > 0 ORDER BY 1",
		"SELECT a.n FROM (SELECT n, count(*) AS c FROM facts GROUP BY n) a WHERE a.c > 1 ORDER BY 1",
		"SELECT sum(id) FROM facts WHERE id < 3.5",
		"SELECT count(*) FROM facts WHERE n = 5.5",
		"SELECT count(*) FROM facts WHERE price = 2.5",
	} {
		want := w.ask(strings.Replace(sql, " FROM facts", " FROM (SELECT * FROM facts) AS facts", 1))
		if strings.Contains(want, "line 1") {
			t.Fatalf("%s: %s", sql, want)
		}
		if got := w.ask(sql); got != want {
			t.Errorf("%s\n got %q\nwant %q", sql, got, want)
		}
	}
	if got := w.ask("SELECT sum(9223372036854775807 + 0) FROM facts"); !strings.Contains(got, "overflow") {
		t.Errorf("a sum that is too large: %s", got)
	}
}
