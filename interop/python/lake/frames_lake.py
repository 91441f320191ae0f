"""pandas, polars, DuckDB and s3fs beside each other, on the same objects."""

import io

import boto3
import duckdb
import pandas
import polars
import s3fs

from outsider import ENDPOINT, REGION, bucket, equal, outsider, refused

bucket("frames")
fs = s3fs.S3FileSystem(endpoint_url=ENDPOINT)
frame = pandas.DataFrame({"id": range(100_000), "text": ["x" * (i % 50) for i in range(100_000)]})
with fs.open("frames/people/part-0.parquet", "wb", block_size=5 * 2**20) as out:
    frame.to_parquet(out)
with fs.open("frames/people/part-0.parquet") as content:
    equal("pandas over s3fs", len(pandas.read_parquet(content)), 100_000)
options = {"aws_endpoint_url": ENDPOINT, "aws_region": REGION, "aws_allow_http": "true"}
equal("polars", polars.scan_parquet("s3://frames/people/*.parquet", storage_options=options).filter(polars.col("id") >= 99_990).collect().height, 10)
duckdb.register_filesystem(fs)
equal("DuckDB", duckdb.sql("SELECT count(*), max(length(text)) FROM 's3://frames/people/*.parquet' WHERE id % 2 = 1").fetchall(), [(50_000, 49)])
duckdb.sql("COPY (SELECT id, id % 3 AS part FROM 's3://frames/people/*.parquet') TO 's3://frames/parts' (FORMAT parquet, PARTITION_BY (part), OVERWRITE_OR_IGNORE)")
equal("what DuckDB wrote", duckdb.sql("SELECT count(*) FROM read_parquet('s3://frames/parts/*/*.parquet', hive_partitioning = true) WHERE part = 1").fetchall(), [(33_333,)])
fs.copy("frames/people/part-0.parquet", "frames/copy/part-0.parquet")
equal("listing", fs.ls("frames", refresh=True), ["frames/copy", "frames/parts", "frames/people"])
equal("sizes", fs.size("frames/copy/part-0.parquet"), fs.size("frames/people/part-0.parquet"))
# Above 5 MiB s3fs and boto3 write in parts.
big = bytes(range(256)) * 4 * 2**13
with fs.open("frames/big", "wb", block_size=5 * 2**20) as out:
    out.write(big)
equal("a large object", fs.cat("frames/big") == big, True)
boto3.client("s3").upload_fileobj(io.BytesIO(big + big), "frames", "bigger")
equal("a range", fs.cat_file("frames/bigger", start=len(big) - 2, end=len(big) + 2), big[-2:] + big[:2])
fs.rm("frames/copy", recursive=True)
equal("after removing", fs.exists("frames/copy"), False)

keys = outsider()
other = s3fs.S3FileSystem(endpoint_url=ENDPOINT, key=keys["AccessKeyId"], secret=keys["SecretAccessKey"], token=keys["SessionToken"])
refused("as an outsider", lambda: other.cat("frames/big"), "Forbidden", "AccessDenied", "PermissionError")
print("done")
