"""Athena of the local mesh, as PyAthena and boto3 see it, and held against DuckDB.

The same files are given to both engines, and queries that are drawn from a list of
expressions are asked of both. DuckDB is not Trino: where they are known to differ, nothing
is asked (greatest of NULL, and where NULLs are sorted).
"""

import datetime
import decimal
import math
import os
import random
import sys
import tempfile

import boto3
import duckdb
from pyathena import connect
from pyathena.error import OperationalError

SEED = int(os.environ.get("LAKEMESH_SEED", "20"))
QUERIES = int(os.environ.get("LAKEMESH_QUERIES", "250"))
RESULTS = "s3://query-results/python/"

CSV = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
JSON = "org.openx.data.jsonserde.JsonSerDe"

COLUMNS = [("id", "bigint"), ("n", "int"), ("x", "double"), ("price", "decimal(10,2)"), ("name", "string"), ("kind", "string"), ("d", "date"), ("ts", "timestamp"), ("ok", "boolean")]


def rows(draw, count):
    def maybe(value):
        return None if draw.random() < 0.1 else value

    for i in range(count):
        day = datetime.date(2020, 1, 1) + datetime.timedelta(days=draw.randrange(1500))
        moment = datetime.datetime(2020, 1, 1) + datetime.timedelta(milliseconds=draw.randrange(10**11))
        yield (i, maybe(draw.randrange(-50, 50)), maybe(draw.randrange(-4000, 4000) / 8), maybe(decimal.Decimal(draw.randrange(-99999, 99999)) / 100),
               maybe(draw.choice(["ann", "Ann", "bob", "eve", "ümlaut", "", "a_b", "a%b", "it's"])), draw.choice(["tea", "cup", "jar"]), maybe(day), maybe(moment), maybe(draw.random() < 0.5))


def set_up(folder):
    draw = random.Random(SEED)
    db = duckdb.connect()
    db.execute("SET TimeZone='UTC'")
    types = {"string": "varchar", "int": "integer"}
    db.execute("CREATE TABLE facts (" + ", ".join(f"{n} {types.get(t, t)}" for n, t in COLUMNS) + ")")
    db.executemany("INSERT INTO facts VALUES (" + ", ".join("?" * len(COLUMNS)) + ")", list(rows(draw, 400)))
    db.execute("CREATE TABLE kinds AS SELECT * FROM (VALUES ('tea', 1), ('cup', 2), ('pot', 3)) t(kind, rank)")
    s3, glue = boto3.client("s3"), boto3.client("glue")
    for bucket in ("query-data", "query-results"):
        s3.create_bucket(Bucket=bucket)
    glue.create_database(DatabaseInput={"Name": "compared"})
    layouts = {"facts_parquet": (PARQUET, f"COPY facts TO '{folder}/facts_parquet' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100)"),
               "facts_json": (JSON, f"COPY facts TO '{folder}/facts_json' (FORMAT json)"),
               "facts_csv": (CSV, f"COPY facts TO '{folder}/facts_csv' (FORMAT csv, HEADER, DELIMITER '|', NULLSTR '\\N', QUOTE '')")}
    for table, (library, copy) in layouts.items():
        db.execute(copy)
        s3.upload_file(f"{folder}/{table}", "query-data", f"{table}/part-0")
        parameters = {"field.delim": "|"} if library == CSV else {}
        glue.create_table(DatabaseName="compared", TableInput={
            "Name": table, "TableType": "EXTERNAL_TABLE", "Parameters": {"skip.header.line.count": "1"} if library == CSV else {},
            "StorageDescriptor": {"Columns": [{"Name": n, "Type": t} for n, t in COLUMNS], "Location": f"s3://query-data/{table}/",
                                  "SerdeInfo": {"SerializationLibrary": library, "Parameters": parameters}}})
        db.execute(f"CREATE VIEW {table} AS SELECT * FROM facts")
    s3.put_object(Bucket="query-data", Key="kinds/a.csv", Body=b"tea|1\ncup|2\npot|3\n")
    glue.create_table(DatabaseName="compared", TableInput={
        "Name": "kinds", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": {"Columns": [{"Name": "kind", "Type": "string"}, {"Name": "rank", "Type": "int"}],
        "Location": "s3://query-data/kinds/", "SerdeInfo": {"SerializationLibrary": CSV, "Parameters": {"field.delim": "|"}}}})
    return db


class Queries:
    """Queries that both dialects read the same way."""

    def __init__(self, draw):
        self.draw = draw

    def number(self, depth=2):
        d = self.draw
        if depth == 0 or d.random() < 0.3:
            return d.choice(["n", "id", "f.id", "7", "-3", "length(name)", "n % 7", "abs(n)", "strpos(name, 'n')", "year(d)", "month(ts)", "date_diff('day', d, DATE '2021-03-04')", "hour(ts)"])
        return d.choice([f"({self.number(depth - 1)} + {self.number(depth - 1)})", f"({self.number(depth - 1)} - {self.number(depth - 1)})", f"({self.number(depth - 1)} * 3)",
                         f"coalesce({self.number(depth - 1)}, {self.number(depth - 1)})", f"CASE WHEN {self.condition(depth - 1)} THEN {self.number(depth - 1)} ELSE {self.number(depth - 1)} END",
                         f"nullif({self.number(depth - 1)}, 3)", f"CAST({self.number(depth - 1)} AS bigint)", "greatest(id, 200)"])

    def real(self):
        return self.draw.choice(["x", "x / 4", "x * 2.5e0", "x + n", "abs(x)", "floor(x)", "ceil(x)", "CAST(price AS double)", "CAST(n AS double) / 8"])

    def exact(self):
        return self.draw.choice(["price", "price + 1.25", "price * 2", "price - 0.5", "abs(price)", "- price", "coalesce(price, 0.00)"])

    def word(self, depth=2):
        d = self.draw
        if depth == 0 or d.random() < 0.4:
            return d.choice(["name", "f.kind", "'x'", "'it''s'"])
        w = self.word(depth - 1)
        return d.choice([f"upper({w})", f"lower({w})", f"({w} || {self.word(depth - 1)})", f"substr({w}, 2)", f"substr({w}, 1, 2)", f"replace({w}, 'a', 'zz')", f"trim({w})", f"reverse({w})",
                         f"coalesce({w}, 'none')", f"CAST({self.number(0)} AS varchar)", f"CASE WHEN {self.condition(depth - 1)} THEN {w} END"])

    def moment(self):
        return self.draw.choice(["d", "ts", "date_trunc('month', ts)", "date_trunc('year', d)", "CAST(ts AS date)", "date_trunc('hour', ts)"])

    def condition(self, depth=2):
        d = self.draw
        if depth == 0 or d.random() < 0.4:
            return d.choice([f"{self.number(0)} > {d.randrange(-20, 20)}", f"name LIKE '{d.choice(['a%', '%n%', 'A__', '%b', '%'])}'", "ok", "NOT ok", "name IS NULL", "price BETWEEN -100 AND 250.5",
                             "n IN (1, 2, 3, 5, 8)", "f.kind = 'tea'", "d >= DATE '2021-06-01'", "ts < TIMESTAMP '2022-01-01 00:00:00'", "x IS NOT NULL", "price > 10", "name NOT IN ('ann', 'bob')",
                             "n NOT BETWEEN 0 AND 10", "name < 'b'", "x = 0.5", "n IS DISTINCT FROM 3", "f.kind IN (SELECT kind FROM kinds WHERE rank > 1)",
                             "EXISTS (SELECT 1 FROM kinds k WHERE k.kind = f.kind)", "regexp_like(name, '^[aA]')"])
        return d.choice([f"({self.condition(depth - 1)} AND {self.condition(depth - 1)})", f"({self.condition(depth - 1)} OR {self.condition(depth - 1)})", f"NOT ({self.condition(depth - 1)})"])

    def value(self):
        return self.draw.choice([self.number, self.real, self.exact, self.word, self.moment, self.condition])()

    def aggregate(self):
        return self.draw.choice([lambda: "count(*)", lambda: f"count({self.value()})", lambda: f"sum({self.number()})", lambda: f"min({self.word()})", lambda: f"max({self.moment()})", lambda: f"avg({self.number(0)})",
                                 lambda: f"sum({self.exact()})", lambda: f"count(DISTINCT {self.word()})", lambda: f"count(*) FILTER (WHERE {self.condition()})", lambda: f"max({self.exact()})", lambda: f"min({self.real()})",
                                 lambda: "array_join(array_agg(name ORDER BY f.id), ',')", lambda: "array_join(array_agg(DISTINCT f.kind ORDER BY f.kind), '+')",
                                 lambda: "sum(x)", lambda: "stddev_pop(n)", lambda: "bool_or(ok)"])()

    def query(self):
        d = self.draw
        table = d.choice(["facts_parquet", "facts_json", "facts_csv"])
        where = f" WHERE {self.condition()}" if d.random() < 0.7 else ""
        kind = d.randrange(9)
        if kind == 0:
            keys = d.choice(["f.kind", "ok", "year(d)", "f.kind, ok"])
            having = d.choice(["", " HAVING count(*) > 5"])
            return f"SELECT {keys}, {self.aggregate()} AS v, {self.aggregate()} FROM {table} f{where} GROUP BY {keys}{having}"
        if kind == 1:
            return f"SELECT {self.aggregate()}, {self.aggregate()}, {self.aggregate()} FROM {table} f{where}"
        if kind == 2:
            join = d.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
            other = d.choice(["facts_parquet", "facts_json", "copied"])
            more = d.choice(["", "", " AND g.n > 3", " AND g.name IN ('ann', 'eve')", " AND f.d = g.d"])
            return d.choice([f"SELECT f.id, k.rank, k.kind FROM {table} f {join} kinds k ON f.kind = k.kind{where}",
                             f"SELECT f.kind, count(*), count(g.n), sum(g.id), max(g.name) FROM {table} f {join} {other} g ON f.id = g.id{more} GROUP BY f.kind",
                             f"SELECT f.id, g.id FROM {table} f {join} {other} g ON f.n = g.n AND f.name = g.name{more} WHERE f.id < 40",
                             f"SELECT k.rank, count(DISTINCT f.name), sum(f.price) FROM {table} f LEFT JOIN {other} g ON f.d = g.d{more} JOIN kinds k ON f.kind = k.kind GROUP BY k.rank",
                             f"SELECT s.rank, count(*) FROM seen s {join} {table} f ON s.kind = f.kind GROUP BY s.rank"])
        if kind == 3:
            over = d.choice(["row_number()", "rank()", "sum(n)", "lag(id)", "count(*)", "max(price)"])
            frame = " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW" if over in ("sum(n)", "count(*)") and d.random() < 0.5 else ""
            return f"SELECT f.id, {over} OVER (PARTITION BY f.kind ORDER BY f.id{frame}) FROM {table} f{where}"
        if kind == 4:
            way = d.choice(["", " DESC"])
            key = d.choice(["n", "price", "name", "d", "x"])
            # DuckDB is told where NULLs are: Trino has them last.
            return f"SELECT f.id, {key} FROM {table} f{where} ORDER BY {key}{way} NULLS LAST, f.id OFFSET {d.randrange(5)} LIMIT {d.randrange(1, 30)}"
        if kind == 5:
            op = d.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
            return f"WITH a AS (SELECT f.kind, n FROM {table} f{where}) SELECT kind, n FROM a {op} SELECT kind, 3 FROM kinds"
        if kind in (7, 8):
            # What tables do by themselves.
            simple = d.choice(["", " WHERE n > 3", " WHERE f.kind = 'tea' AND n <= 20", " WHERE id BETWEEN 50 AND 300 AND name <> 'bob'", " WHERE name IN ('ann', 'eve') AND ok IS NOT NULL", " WHERE price >= 12.50 AND x < 100",
                               " WHERE d < DATE '2022-02-02'", " WHERE n IS NULL", " WHERE 5 < n AND n % 2 = 0", " WHERE ts >= TIMESTAMP '2021-01-01 00:00:00'", " WHERE id < 0"])
            if kind == 7:
                keys = d.choice(["", "f.kind", "ok", "name, f.kind", "n", "d", "ok, n"])
                columns = ", ".join(d.choice(["count(*)", "count(name)", "sum(n)", "sum(x)", "sum(price)", "avg(n)", "avg(x)", "min(name)", "max(d)", "min(price)", "max(x)", "count(DISTINCT name)", "count(DISTINCT n)",
                                              "sum(n) + count(*)", "max(id) - min(id)", "count(DISTINCT price)", "min(ok)", "max(ts)", "CASE WHEN count(*) > 10 THEN sum(id) END"]) for _ in range(3))
                if not keys:
                    return f"SELECT {columns} FROM {table} f{simple}"
                having = d.choice(["", "", " HAVING count(*) > 3", " HAVING sum(n) > 10"])
                return f"SELECT {keys}, {columns} FROM {table} f{simple} GROUP BY {keys}{having}"
            key, way = d.choice(["n", "name", "d", "price", "x", "ts", "ok", "id", "f.kind"]), d.choice(["NULLS LAST", "DESC NULLS LAST", "NULLS FIRST", "DESC NULLS FIRST"])
            return f"SELECT {d.choice(['*', 'id, name', key + ', id'])} FROM {table} f{simple} ORDER BY {key} {way}, id LIMIT {d.randrange(1, 12)}"
        return f"SELECT {d.choice(['', 'DISTINCT '])}{self.value()} AS a, {self.value()} AS b, {self.value()} AS c FROM {table} f{where}"


def plain(value):
    """A value in the form in which the engines are compared."""
    if isinstance(value, decimal.Decimal):
        return ("n", round(float(value), 6))
    if isinstance(value, bool):
        return ("b", value)
    if isinstance(value, int):
        return ("n", round(float(value), 6))
    if isinstance(value, float):
        return ("n", float("%.9g" % value) if math.isfinite(value) else repr(value))
    if isinstance(value, datetime.datetime):
        return ("t", value.isoformat(timespec="milliseconds"))
    if isinstance(value, datetime.date):
        return ("t", datetime.datetime(value.year, value.month, value.day).isoformat(timespec="milliseconds"))
    return ("s", value)


def compare(db, cursor):
    draw = random.Random(SEED)
    queries, failed, refused = Queries(draw), 0, 0
    for _ in range(QUERIES):
        sql = queries.query()
        try:
            want = [tuple(plain(v) for v in row) for row in db.execute(sql).fetchall()]
        except duckdb.Error:
            continue  # DuckDB is stricter here.
        try:
            got = [tuple(plain(v) for v in row) for row in cursor.execute(sql).fetchall()]
        except OperationalError as e:
            refused += 1
            if "not in the local mesh" not in str(e):
                failed += 1
            print("refused:", e, "\n   ", sql)
            continue
        if " LIMIT " not in sql:
            want, got = sorted(want, key=repr), sorted(got, key=repr)
        if want != got:
            failed += 1
            differ = [(w, g) for w, g in zip(want, got) if w != g][:2]
            print(f"differs: {sql}\n    {len(want)} rows, {len(got)} rows: {differ}")
    print(f"{QUERIES} queries, {failed} differ, {refused} refused")
    return failed == 0 and refused * 10 < QUERIES


def written(db, folder):
    """What CREATE TABLE AS has written is read by DuckDB, and is the same."""
    s3 = boto3.client("s3")
    files = [o["Key"] for o in s3.list_objects_v2(Bucket="query-data", Prefix="copied/")["Contents"]]
    for i, key in enumerate(files):
        s3.download_file("query-data", key, f"{folder}/copied-{i}.parquet")
    [(other,)] = db.execute(f"SELECT count(*) FROM ((FROM facts EXCEPT ALL FROM '{folder}/copied-*.parquet') UNION ALL (FROM '{folder}/copied-*.parquet' EXCEPT ALL FROM facts))").fetchall()
    types = db.execute(f"SELECT typeof(COLUMNS(*)) FROM '{folder}/copied-*.parquet' LIMIT 1").fetchone()
    assert other == 0 and types == db.execute("SELECT typeof(COLUMNS(*)) FROM facts LIMIT 1").fetchone(), (other, types)


def pyathena_checks():
    cursor = connect(s3_staging_dir=RESULTS, region_name=os.environ["AWS_REGION"], schema_name="compared").cursor()
    cursor.execute("SELECT id, name, price, d, ts, ok FROM facts_parquet WHERE id = %(id)d", {"id": 3})
    assert [c[0] for c in cursor.description] == ["id", "name", "price", "d", "ts", "ok"], cursor.description
    assert [c[1] for c in cursor.description] == ["bigint", "varchar", "decimal", "date", "timestamp", "boolean"], cursor.description
    assert cursor.fetchone()[0] == 3
    assert cursor.data_scanned_in_bytes > 0
    assert cursor.get_table_metadata("kinds").columns[1].type == "int"
    assert {t.name for t in cursor.list_table_metadata()} == {"facts_parquet", "facts_json", "facts_csv", "kinds"}
    cursor.execute("SHOW TABLES 'k*'")
    assert [row[0] for row in cursor.fetchall()] == ["kinds"]
    cursor.execute("SELECT id FROM facts_json ORDER BY id")
    assert [row[0] for row in cursor.fetchall()] == list(range(400))
    try:
        cursor.execute("SELECT nothing FROM kinds")
        raise AssertionError("a column that is not there")
    except OperationalError as e:
        assert "COLUMN_NOT_FOUND" in str(e), e
    try:
        cursor.execute("INSERT INTO kinds VALUES ('pan', 4)")
        raise AssertionError("a row was written")
    except OperationalError as e:
        assert "not in the local mesh" in str(e), e
    cursor.execute("CREATE TABLE copied WITH (external_location = 's3://query-data/copied/') AS SELECT * FROM facts_parquet")
    cursor.execute("CREATE VIEW seen AS SELECT f.kind, k.rank FROM copied f JOIN kinds k ON f.kind = k.kind")
    print("PyAthena: passed")
    return cursor


def main():
    with tempfile.TemporaryDirectory() as folder:
        db = set_up(folder)
        cursor = pyathena_checks()
        written(db, folder)
        db.execute("CREATE VIEW copied AS FROM facts")
        db.execute("CREATE VIEW seen AS SELECT f.kind, k.rank FROM copied f JOIN kinds k ON f.kind = k.kind")
        # Trino leaves nulls out, and joins nothing to an empty text; DuckDB joins it to null.
        db.execute("CREATE MACRO array_join(a, s) AS CASE WHEN a IS NULL THEN NULL ELSE coalesce(array_to_string(a, s), '') END")
        return 0 if compare(db, cursor) else 1


if __name__ == "__main__":
    sys.exit(main())
