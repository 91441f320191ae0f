package athena_test

import (
	"strings"
	"testing"

	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
)

func header(t *gluetypes.TableInput) { t.Parameters["skip.header.line.count"] = "1" }

func comma(t *gluetypes.TableInput) { t.StorageDescriptor.SerdeInfo.Parameters["field.delim"] = "," }

// orders are a table of texts, numbers, dates and what is missing.
func (w *world) orders() {
	w.t.Helper()
	w.table("orders", "id bigint, customer string, amount decimal(10,2), placed date, paid boolean, weight double", text, header, comma)
	w.put("orders/a.csv", "id,customer,amount,placed,paid,weight\n1,ann,10.50,2024-01-31,true,1.5\n2,bob,3.25,2024-02-29,false,\\N\n3,\\N,\\N,2023-12-01,true,0.25\n")
	w.put("orders/b.csv", "id,customer,amount,placed,paid,weight\n4,Ann,100.00,2024-03-15,,20000000\n")
}

func TestSelect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.orders()
	for _, c := range []struct{ sql, want string }{
		{"SELECT * FROM orders ORDER BY id", "1|ann|10.50|2024-01-31|true|1.5\n2|bob|3.25|2024-02-29|false|∅\n3|∅|∅|2023-12-01|true|0.25\n4|Ann|100.00|2024-03-15|∅|2.0E7"},
		{"SELECT 1", "1"},
		{"SELECT id FROM awsdatacatalog.shop.orders WHERE customer LIKE 'a%'", "1"},
		{`SELECT "orders"."id" FROM "awsdatacatalog"."shop"."orders" ORDER BY amount DESC`, "4\n1\n2\n3"},
		{"SELECT id FROM orders ORDER BY amount", "2\n1\n4\n3"},
		{"SELECT id FROM orders ORDER BY amount NULLS FIRST, id DESC OFFSET 1 LIMIT 2", "2\n1"},
		{"SELECT id FROM orders ORDER BY id FETCH FIRST 2 ROWS ONLY", "1\n2"},
		{"SELECT count(*), count(customer), sum(amount), avg(amount), min(placed), max(weight) FROM orders", "4|3|113.75|37.92|2023-12-01|2.0E7"},
		{"SELECT paid, count(*) AS n FROM orders GROUP BY paid ORDER BY n DESC, paid", "true|2\nfalse|1\n∅|1"},
		{"SELECT year(placed), sum(id) FROM orders GROUP BY 1 HAVING sum(id) > 3 ORDER BY 1", "2024|7"},
		{"SELECT 7/2, -7/2, 7%3, 7.0/2, 7e0/2, 1.1+2.22, 2.5*1.25", "3|-3|1|3.5|3.5|3.32|3.125"},
		{"SELECT 1/0", "DIVISION_BY_ZERO: Division by zero"},
		{"SELECT CAST('x' AS bigint)", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to BIGINT"},
		{"SELECT TRY_CAST('x' AS bigint), TRY_CAST('12' AS integer)", "∅|12"},
		{"SELECT date_trunc('month', placed), date_add('month', 1, placed), date_diff('day', placed, DATE '2024-03-01') FROM orders WHERE id = 1", "2024-01-01|2024-02-29|30"},
		{"SELECT date_format(TIMESTAMP '2024-02-03 04:05:06.789', '%Y/%m/%d %H:%i:%s'), date_parse('2024-02-03', '%Y-%m-%d')", "2024/02/03 04:05:06|2024-02-03 00:00:00.000"},
		{"SELECT placed + INTERVAL '1' MONTH, placed - DATE '2024-01-01' FROM orders WHERE id = 1", "2024-02-29|30 00:00:00.000"},
		{"SELECT from_unixtime(0), TIMESTAMP '2024-01-01 00:00:00'", "1970-01-01 00:00:00.000 UTC|2024-01-01 00:00:00.000"},
		{"SELECT upper('straße'), substr('hello', 2, 3), split_part('a,b,c', ',', 2), strpos('hello', 'l'), regexp_like('abc', 'b.'), 'a' || 'b', concat('x', 'y', 'z')", "STRAßE|ell|b|3|true|ab|xyz"},
		{"SELECT coalesce(customer, 'nobody'), nullif(paid, true), if(id > 2, 'big', 'small') FROM orders WHERE id IN (1, 3) ORDER BY id", "ann|∅|small\nnobody|∅|big"},
		{"SELECT approx_distinct(paid), count_if(paid), count(DISTINCT lower(customer)) FROM orders", "2|2|2"},
		{"SELECT a.id, b.id FROM orders a JOIN orders b ON lower(a.customer) = lower(b.customer) AND a.id < b.id", "1|4"},
		{"SELECT id, row_number() OVER (PARTITION BY paid ORDER BY id DESC) FROM orders ORDER BY id", "1|2\n2|1\n3|1\n4|1"},
		{"WITH big AS (SELECT * FROM orders WHERE amount > 5) SELECT count(*) FROM big", "2"},
		{"SELECT id FROM orders WHERE amount = (SELECT max(amount) FROM orders)", "4"},
		{"SELECT (SELECT id FROM orders)", "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows"},
		{"SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM orders p WHERE p.id = o.id + 1) ORDER BY id", "1\n2\n3"},
		{"SELECT 1 AS a UNION ALL SELECT 2.5 ORDER BY a DESC", "2.5\n1.0"},
		{"SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t(n, s) ORDER BY n", "1|a\n2|∅"},
		{"SELECT x FROM UNNEST(ARRAY[3, 1, 2]) AS t(x) ORDER BY x", "1\n2\n3"},
		{"SELECT ARRAY[1, NULL], cardinality(ARRAY['a','b']), ARRAY['a','b'][2]", "[1, null]|2|b"},
		{"SELECT stddev_pop(id), max_by(customer, id), approx_percentile(id, 0.5) FROM orders", "1.118033988749895|Ann|3"},
		{"SELECT CAST(1.005 AS double), CAST(amount AS varchar), CAST(placed AS timestamp), CAST(paid AS varchar) FROM orders WHERE id = 1", "1.005|10.50|2024-01-31 00:00:00.000|true"},
		{"SELECT 9223372036854775807 + 1", "NUMERIC_VALUE_OUT_OF_RANGE: bigint overflow"},
		{"SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE: the result of an operation on whole numbers is out of the range of their type"},
		{"SELECT CASE paid WHEN true THEN 1 ELSE 2.5 END FROM orders WHERE id = 1", "1.0"},
		{"SELECT count(*) FILTER (WHERE paid) FROM orders", "2"},
		{"SELECT typeof(sum(amount)), typeof(1/2), typeof('a') FROM orders", "decimal(38,2)|integer|varchar(1)"},
		{"SELECT round(2.5e0), round(-2.5e0), round(1.255, 2), floor(-1.5), ceil(1.2e0)", "3.0|-3.0|1.260|-2|2.0"},
		{"SELECT greatest(1, NULL), least(NULL, 2), greatest(2, 3), greatest(id, NULL) FROM orders WHERE id = 1", "∅|∅|3|∅"},
		{"SELECT greatest(1,NULL)", "∅"},
		{"SELECT TRY(1/0), TRY(CAST('x' AS bigint)), TRY(6/2), TRY(date_parse('x', '%Y')), TRY(ARRAY[1][2]), coalesce(TRY(9223372036854775807 + id), -1) FROM orders WHERE id = 1", "∅|∅|3|∅|∅|-1"},
		{"SELECT id, TRY(10/(id - 2) + TRY(1/(id - 3))), TRY(coalesce(1/(id - 2), 5)) FROM orders ORDER BY id", "1|-10|-1\n2|∅|∅\n3|∅|1\n4|6|0"},
		{"SELECT TRY(1/(id - 2)), count(*) FROM orders GROUP BY 1 ORDER BY 1", "-1|1\n0|1\n1|1\n∅|1"},
		{"SELECT TRY(sum(id) / (count(*) - 4)), count(*) FROM orders", "∅|4"},
		{"SELECT count(*) FROM orders WHERE TRY(1/(id - 2)) = 0", "1"},
		{"SELECT TRY(1/0) + 1/0", "DIVISION_BY_ZERO"},
		{"SELECT TRY(sum(1/(id - 2))) FROM orders", "DIVISION_BY_ZERO"},
		{"SELECT TRY(CAST(123456789012345678 AS decimal(38,0)) * 1000)", "NOT_SUPPORTED"},
		{"SELECT array_agg(id ORDER BY id DESC), array_agg(customer ORDER BY id), array_agg(DISTINCT paid ORDER BY paid), array_agg(placed ORDER BY placed) FROM orders", "[4, 3, 2, 1]|[ann, bob, null, Ann]|[false, true, null]|[2023-12-01, 2024-01-31, 2024-02-29, 2024-03-15]"},
		{"SELECT paid, array_agg(amount ORDER BY id) FILTER (WHERE amount > 5) FROM orders GROUP BY paid ORDER BY paid", "false|∅\ntrue|[10.50]\n∅|[100.00]"},
		{"SELECT array_agg(id), cardinality(array_agg(ARRAY[id])) FROM orders WHERE id > 9", "∅|∅"},
		{"SELECT array_agg(ARRAY[id, 7] ORDER BY id)[2] FROM orders", "[2, 7]"},
		{"SELECT x FROM (SELECT array_agg(id) AS a FROM orders) CROSS JOIN UNNEST(a) AS t(x) ORDER BY x", "1\n2\n3\n4"},
		{"SELECT DISTINCT paid FROM orders ORDER BY paid", "false\ntrue\n∅"},
	} {
		if got := w.ask(c.sql); got != c.want && !strings.HasPrefix(got, c.want+":") {
			t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
}

// What is refused is refused with a text that says why, never with another answer.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.orders()
	for _, c := range []struct{ sql, want string }{
		{"SELECT nothing FROM orders", "COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved"},
		{"SELECT 1 FROM nothing", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.shop.nothing' does not exist"},
		{"SELECT 1 FROM nowhere.orders", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nowhere' does not exist"},
		{"SELECT 1 FROM other.shop.orders", "CATALOG_NOT_FOUND"},
		{"SELECT id, count(*) FROM orders", "EXPRESSION_NOT_AGGREGATE: line 1:8: 'id' must be an aggregate expression"},
		{"SELECT id FROM orders WHERE customer = 1", "TYPE_MISMATCH: line 1:38: Cannot apply operator: varchar = integer"},
		{"SELECT customer + 1 FROM orders", "TYPE_MISMATCH"},
		{"SELECT a.id FROM orders a, orders b WHERE id = 1", "AMBIGUOUS_NAME"},
		{"SELECT id FROM orders WHERE sum(id) > 1", "WHERE clause cannot contain aggregations"},
		{"CREATE EXTERNAL TABLE x (a int) LOCATION 's3://data/x/'", "the statement CREATE is not in the local mesh"},
		{"INSERT INTO orders VALUES (1)", "the statement INSERT is not in the local mesh"},
		{"UNLOAD (SELECT 1) TO 's3://results/' WITH (format = 'ORC')", `UNLOAD with the format "ORC" is not in the local mesh`},
		{"EXPLAIN SELECT 1", "the statement EXPLAIN is not in the local mesh"},
		{"ALTER TABLE orders ADD COLUMNS (x int)", "ALTER TABLE ADD is not in the local mesh"},
		{"ATTACH 'x' AS y", "SYNTAX_ERROR"},
		{"PRAGMA table_list", "SYNTAX_ERROR"},
		{"SELECT 1; SELECT 2", "Only one sql statement is allowed"},
		{"SELECT load_extension('x')", "FUNCTION_NOT_FOUND"},
		{"SELECT readfile('/etc/passwd')", "FUNCTION_NOT_FOUND"},
		{"SELECT sqlite_version()", "FUNCTION_NOT_FOUND"},
		{"SELECT * FROM sqlite_master", "TABLE_NOT_FOUND"},
		{"SELECT rowid FROM orders", "COLUMN_NOT_FOUND"},
		{"SELECT lm_single(2, 1)", "FUNCTION_NOT_FOUND"},
		{"SELECT * FROM t0", "TABLE_NOT_FOUND"},
		{"SELECT c0 FROM orders", "COLUMN_NOT_FOUND"},
		{"SELECT * FROM pragma_table_info('x')", "a table function is not in the local mesh"},
		{"SELECT id FROM orders GROUP BY ROLLUP (id)", "GROUP BY ROLLUP is not in the local mesh"},
		{"SELECT", "SYNTAX_ERROR"},
		{"SELECT 'x", "SYNTAX_ERROR"},
		{"SELEC 1", "SYNTAX_ERROR: line 1:1: mismatched input 'selec'"},
	} {
		if got := w.ask(c.sql); !strings.Contains(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.orders()
	w.table("customers", "name string, age int", csv, header)
	// The helper leaves the first row out, which is a header only of SELECT.
	for _, c := range []struct{ sql, want string }{
		{"SHOW TABLES", "orders"},
		{"SHOW TABLES IN shop 'ord*'", ""},
		{"SHOW DATABASES", ""},
		{"SHOW COLUMNS IN customers", "age                 "},
		{"DESCRIBE `shop`.`customers`", "age                 \tint                 \t                    "},
	} {
		if got := w.ask(c.sql); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.sql, got, c.want)
		}
	}
}
