"""Spark with Iceberg on the Glue catalog: SQL that makes, merges, evolves and reads tables, and an outsider."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lake"))

from pyspark.sql import SparkSession

from outsider import ENDPOINT, REGION, bucket, equal, outsider, refused

bucket("spark-lake")
builder = SparkSession.builder.master("local[1]").appName("lakemesh")
for key, value in {
    "spark.jars": ",".join(sorted(os.path.join(os.environ["LAKEMESH_JARS"], j) for j in os.listdir(os.environ["LAKEMESH_JARS"]))),
    "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
}.items():
    builder = builder.config(key, value)
for name, keys in {"mine": None, "other": outsider()}.items():
    catalog = {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "glue", ".glue.endpoint": ENDPOINT, ".s3.endpoint": ENDPOINT, ".s3.path-style-access": "true",
               ".client.region": REGION, ".warehouse": "s3://spark-lake/warehouse"}
    if keys:
        catalog |= {".client.credentials-provider": "software.amazon.awssdk.auth.credentials.SystemPropertyCredentialsProvider",
                    ".s3.access-key-id": keys["AccessKeyId"], ".s3.secret-access-key": keys["SecretAccessKey"], ".s3.session-token": keys["SessionToken"]}
        builder = builder.config("spark.driver.extraJavaOptions",
                                 f"-Daws.accessKeyId={keys['AccessKeyId']} -Daws.secretAccessKey={keys['SecretAccessKey']} -Daws.sessionToken={keys['SessionToken']}")
    else:
        # The environment has the keys of the account's administrator; properties of the system go before it.
        catalog |= {".client.credentials-provider": "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider"}
    for key, value in catalog.items():
        builder = builder.config(f"spark.sql.catalog.{name}{key}", value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")
rows = lambda sql: [tuple(r) for r in spark.sql(sql).collect()]

spark.sql("CREATE NAMESPACE mine.sales")
spark.sql("CREATE TABLE mine.sales.orders (id BIGINT, country STRING, amount DECIMAL(10,2), day DATE) USING iceberg PARTITIONED BY (country)")
spark.sql("INSERT INTO mine.sales.orders VALUES (1, 'DE', 10.50, DATE '2026-01-01'), (2, 'FR', 20.00, DATE '2026-01-02'), (3, 'DE', 30.25, DATE '2026-01-03')")
equal("rows", rows("SELECT id FROM mine.sales.orders WHERE country = 'DE' ORDER BY id"), [(1,), (3,)])
spark.sql("MERGE INTO mine.sales.orders t USING (SELECT 3L id, 'DE' country, CAST(99 AS DECIMAL(10,2)) amount, DATE '2026-01-03' day UNION ALL SELECT 4L, 'IT', CAST(1 AS DECIMAL(10,2)), DATE '2026-01-04') s "
          "ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
equal("after merging", rows("SELECT id, CAST(amount AS STRING) FROM mine.sales.orders ORDER BY id"), [(1, "10.50"), (2, "20.00"), (3, "99.00"), (4, "1.00")])
spark.sql("ALTER TABLE mine.sales.orders ADD COLUMN note STRING AFTER id")
spark.sql("ALTER TABLE mine.sales.orders RENAME COLUMN amount TO price")
spark.sql("DELETE FROM mine.sales.orders WHERE id = 2")
equal("columns", spark.table("mine.sales.orders").columns, ["id", "note", "country", "price", "day"])
equal("history", rows("SELECT count(*) FROM mine.sales.orders.snapshots")[0][0] >= 3, True)
spark.sql("CALL mine.system.rewrite_data_files(table => 'sales.orders')")
equal("after compaction", rows("SELECT sum(price) FROM mine.sales.orders")[0][0].to_eng_string(), "110.50")
equal("tables", rows("SHOW TABLES IN mine.sales"), [("sales", "orders", False)])
refused("as an outsider", lambda: rows("SELECT * FROM other.sales.orders"), "AccessDenied", "not authorized")
spark.sql("DROP TABLE mine.sales.orders PURGE")
spark.sql("DROP NAMESPACE mine.sales")
equal("namespaces", rows("SHOW NAMESPACES IN mine"), [])
spark.stop()
print("done")
