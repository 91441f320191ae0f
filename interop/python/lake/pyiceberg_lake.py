"""pyiceberg with the Glue catalog: tables are made, appended to, evolved, read back and dropped."""

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import GreaterThan
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType

from outsider import ENDPOINT, REGION, bucket, equal, outsider, refused

bucket("iceberg-lake")


def catalog(keys=None):
    more = {}
    if keys:
        more = {"client.access-key-id": keys["AccessKeyId"], "client.secret-access-key": keys["SecretAccessKey"], "client.session-token": keys["SessionToken"]}
    return load_catalog("glue", **{"type": "glue", "glue.endpoint": ENDPOINT, "glue.region": REGION, "s3.endpoint": ENDPOINT,
                                   "s3.region": REGION, "warehouse": "s3://iceberg-lake/warehouse", **more})


mine = catalog()
mine.create_namespace("ice", {"location": "s3://iceberg-lake/warehouse/ice"})
equal("namespaces", mine.list_namespaces(), [("ice",)])
table = mine.create_table("ice.people", Schema(NestedField(1, "id", LongType(), required=False), NestedField(2, "name", StringType(), required=False)))
table.append(pa.table({"id": [1, 2], "name": ["Ada", "Grace"]}))
table.append(pa.table({"id": [3], "name": ["Edsger"]}))
equal("rows", sorted(table.scan().to_arrow()["id"].to_pylist()), [1, 2, 3])
equal("a filter", table.scan(row_filter=GreaterThan("id", 1)).to_arrow().num_rows, 2)
with table.update_schema() as update:
    update.add_column("country", StringType())
table = mine.load_table("ice.people")
equal("columns", [f.name for f in table.schema().fields], ["id", "name", "country"])
table.overwrite(pa.table({"id": [4], "name": ["Barbara"], "country": ["US"]}))
equal("after overwriting", mine.load_table("ice.people").scan().to_arrow().to_pylist(), [{"id": 4, "name": "Barbara", "country": "US"}])
equal("snapshots", len(table.snapshots()) >= 3, True)
first = table.snapshots()[0].snapshot_id
equal("the first snapshot", table.scan(snapshot_id=first).to_arrow().num_rows, 2)

other = catalog(outsider())
refused("loading it as an outsider", lambda: other.load_table("ice.people"), "AccessDenied", "not authorized")

mine.rename_table("ice.people", "ice.persons")
equal("tables", mine.list_tables("ice"), [("ice", "persons")])
mine.drop_table("ice.persons")
mine.drop_namespace("ice")
equal("namespaces at the end", mine.list_namespaces(), [])
print("done")
