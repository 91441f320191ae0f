"""awswrangler: datasets of Parquet and CSV with their tables and partitions in the Glue catalog."""

import awswrangler as wr
import boto3
import pandas

from outsider import ENDPOINT, bucket, equal, outsider, refused

bucket("wrangler-lake")
for service in ("s3", "glue", "sts", "lakeformation", "dynamodb"):
    setattr(wr.config, f"{service}_endpoint_url", ENDPOINT)
wr.catalog.create_database("wrangled")
frame = pandas.DataFrame({"id": [1, 2, 3], "name": ["Ada", "Grace", None], "born": pandas.to_datetime(["1815-12-10", "1906-12-09", "1930-05-11"]), "year": [1815, 1906, 1930]})
wr.s3.to_parquet(frame, path="s3://wrangler-lake/people/", dataset=True, database="wrangled", table="people", partition_cols=["year"], mode="overwrite",
                 glue_table_settings={"description": "people", "columns_comments": {"id": "the key"}})
equal("types", wr.catalog.get_table_types("wrangled", "people"), {"id": "bigint", "name": "string", "born": "timestamp", "year": "bigint"})
equal("partitions", sorted(v[0] for v in wr.catalog.get_partitions("wrangled", "people").values()), ["1815", "1906", "1930"])
equal("rows", len(wr.s3.read_parquet_table(database="wrangled", table="people")), 3)
equal("some partitions", list(wr.s3.read_parquet("s3://wrangler-lake/people/", dataset=True, partition_filter=lambda x: x["year"] > "1900")["id"]), [2, 3])
wr.s3.to_parquet(frame.assign(id=[4, 5, 6], country="GB"), path="s3://wrangler-lake/people/", dataset=True, database="wrangled", table="people",
                 partition_cols=["year"], mode="append", catalog_versioning=True)
equal("a new column", "country" in wr.catalog.get_table_types("wrangled", "people"), True)
equal("versions", wr.catalog.get_table_number_of_versions("wrangled", "people"), 2)
equal("comments", wr.catalog.get_columns_comments("wrangled", "people")["id"], "the key")
wr.s3.to_csv(frame, path="s3://wrangler-lake/csv/", dataset=True, index=False, database="wrangled", table="csv")
equal("tables", sorted(t["Name"] for t in wr.catalog.get_tables(database="wrangled")), ["csv", "people"])
equal("search", [t["Name"] for t in wr.catalog.search_tables(text="people")], ["people"])
wr.catalog.upsert_table_parameters(parameters={"owner": "team"}, database="wrangled", table="people")
equal("parameters", wr.catalog.get_table_parameters("wrangled", "people")["owner"], "team")
wr.catalog.delete_partitions(table="people", database="wrangled", partitions_values=[["1815"]])
equal("partitions left", len(wr.catalog.get_partitions("wrangled", "people")), 2)
boto3.client("dynamodb").create_table(TableName="items", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                                      AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}], BillingMode="PAY_PER_REQUEST")
wr.dynamodb.put_items([{"id": i, "n": i * i} for i in range(60)], "items")
equal("items", len(wr.dynamodb.read_items("items", allow_full_scan=True)), 60)

keys = outsider()
other = boto3.Session(aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])
refused("as an outsider", lambda: wr.s3.read_parquet_table(database="wrangled", table="people", boto3_session=other), "AccessDenied", "not authorized")
wr.catalog.delete_database("wrangled")
equal("databases", list(wr.catalog.databases()["Database"]) if len(wr.catalog.databases()) else [], [])
print("done")
