"""deltalake (delta-rs), whose commits rely on conditional writes of S3."""

import os

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from outsider import ENDPOINT, REGION, bucket, equal, outsider, refused

bucket("delta-lake")
uri = "s3://delta-lake/people"
options = {"AWS_ENDPOINT_URL": ENDPOINT, "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
           "AWS_SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"], "aws_conditional_put": "etag"}
for start in (0, 3):
    write_deltalake(uri, pa.table({"id": [start + 1, start + 2, start + 3], "part": ["a", "b", "a"]}), mode="append", partition_by=["part"], storage_options=options)
table = DeltaTable(uri, storage_options=options)
equal("version", table.version(), 1)
equal("rows", sorted(table.to_pyarrow_table()["id"].to_pylist()), [1, 2, 3, 4, 5, 6])
table.delete("id = 2")
table.update(updates={"part": "'c'"}, predicate="id = 5")
equal("after changes", sorted(DeltaTable(uri, storage_options=options).to_pyarrow_table()["id"].to_pylist()), [1, 3, 4, 5, 6])
equal("the version before", len(DeltaTable(uri, version=1, storage_options=options).to_pyarrow_table()), 6)
table.optimize.compact()
table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
equal("after vacuuming", len(DeltaTable(uri, storage_options=options).to_pyarrow_table()), 5)

# Two writers that begin at the same version: one of them has to notice.
one, other = DeltaTable(uri, storage_options=options), DeltaTable(uri, storage_options=options)
one.delete("id = 1")
refused("deleting what another has deleted", lambda: other.delete("id = 1"), "conflict", "concurrent", "transaction")

keys = outsider()
refused("as an outsider", lambda: DeltaTable(uri, storage_options={**options, "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"], "AWS_SESSION_TOKEN": keys["SessionToken"]}), "AccessDenied", "403", "forbidden")
print("done")
