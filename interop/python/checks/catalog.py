"""Glue: databases, tables, partitions, links, the catalog's policy, crawlers."""

import json

from expect import M, P, C, REGION, allow, ok, person, policy, refused, role, same, true

CATALOG = f"arn:aws:glue:{REGION}:{P}:"


def table(name, location=None, partitioned=True, **more):
    return {"Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": {"classification": "csv"},
            "StorageDescriptor": {"Location": location or f"s3://shop/{name}", "Columns": [{"Name": "id", "Type": "bigint"}, {"Name": "price", "Type": "double"}]},
            "PartitionKeys": [{"Name": "day", "Type": "string"}] if partitioned else [], **more}


def partition(day):
    return {"Values": [day], "StorageDescriptor": {"Location": f"s3://shop/orders/day={day}", "Columns": [{"Name": "id", "Type": "bigint"}]}}


def run():
    names()
    partitions()
    versions_and_links()
    catalog_policy()
    crawlers_and_tags()


def names():
    admin = person("ProducerAdmin")
    glue, raw = admin.glue, admin.client("glue", validate=False)
    ok("glue: make a database", glue.create_database, DatabaseInput={"Name": "Shop", "Description": "d"})
    same("glue: names are folded", ok("glue: read a database in any case", glue.get_database, Name="SHOP")["Database"]["Name"], "shop")
    ok("glue: make a table", glue.create_table, DatabaseName="shop", TableInput=table("Orders"))
    for n in range(12):
        glue.create_table(DatabaseName="shop", TableInput=table(f"items{n:02}", partitioned=False))
    read = ok("glue: read a table", glue.get_table, DatabaseName="Shop", Name="ORDERS")["Table"]
    same("glue: a table's name is folded", read["Name"], "orders")
    same("glue: whose catalog it is in", read["CatalogId"], P)
    same("glue: a location without a registration", read["IsRegisteredWithLakeFormation"], False)

    for title, code, call, arguments in (
        ("a database that exists", "AlreadyExistsException", glue.create_database, {"DatabaseInput": {"Name": "SHOP"}}),
        ("an unknown database", "EntityNotFoundException", glue.get_database, {"Name": "none"}),
        ("a table that exists", "AlreadyExistsException", glue.create_table, {"DatabaseName": "shop", "TableInput": table("ORDERS")}),
        ("a table in an unknown database", "EntityNotFoundException", glue.create_table, {"DatabaseName": "none", "TableInput": table("x")}),
        ("an unknown table", "EntityNotFoundException", glue.get_table, {"DatabaseName": "shop", "Name": "none"}),
        ("the tables of an unknown database", "EntityNotFoundException", glue.get_tables, {"DatabaseName": "none"}),
        ("change an unknown table", "EntityNotFoundException", glue.update_table, {"DatabaseName": "shop", "TableInput": table("none")}),
        ("remove an unknown table", "EntityNotFoundException", glue.delete_table, {"DatabaseName": "shop", "Name": "none"}),
        ("an empty name", "ValidationException", raw.create_database, {"DatabaseInput": {"Name": ""}}),
        ("a name of 256 letters", "ValidationException", raw.create_database, {"DatabaseInput": {"Name": "x" * 256}}),
        ("a page of 101 tables", "ValidationException", raw.get_tables, {"DatabaseName": "shop", "MaxResults": 101}),
        ("an expression that is none", "InvalidInputException", glue.get_tables, {"DatabaseName": "shop", "Expression": "items("}),
        ("a token that is none", "InvalidInputException", glue.get_tables, {"DatabaseName": "shop", "NextToken": "none"}),
    ):
        refused(f"glue: {title}", code, call, **arguments)

    same("glue: tables by expression", [t["Name"] for t in ok("glue: an expression", glue.get_tables, DatabaseName="shop", Expression="items0[0-2]")["TableList"]],
         ["items00", "items01", "items02"])
    pages = list(glue.get_paginator("get_tables").paginate(DatabaseName="shop", PaginationConfig={"PageSize": 5}))
    same("glue: pages of tables", [len(p["TableList"]) for p in pages], [5, 5, 3])
    same("glue: each table once", len({t["Name"] for p in pages for t in p["TableList"]}), 13)
    answer = ok("glue: remove several tables", glue.batch_delete_table, DatabaseName="shop", TablesToDelete=["items10", "items11", "none"])
    same("glue: and be told which are not there", [(e["TableName"], e["ErrorDetail"]["ErrorCode"]) for e in answer["Errors"]], [("none", "EntityNotFoundException")])
    refused("glue: an operation that is not there", "NotImplemented", glue.list_jobs, status=501)

    weak = admin.assume(role(admin, P, "CatalogReader", {"AWS": P}, allow("glue:GetTable", [CATALOG + "catalog", CATALOG + "database/shop"])))
    refused("glue: a right on the database and not on the table", "AccessDeniedException", weak.glue.get_table, DatabaseName="shop", Name="orders", words="glue:GetTable")
    refused("glue: the catalog of another account", "AccessDeniedException", person("ConsumerAdmin").glue.get_table, CatalogId=P, DatabaseName="shop", Name="orders")


def partitions():
    admin = person("ProducerAdmin")
    glue, raw = admin.glue, admin.client("glue", validate=False)
    here = {"DatabaseName": "shop", "TableName": "orders"}
    ok("glue: a partition", glue.create_partition, **here, PartitionInput=partition("000"))
    same("glue: 100 partitions at once", ok("glue: 100 partitions", glue.batch_create_partition, **here,
                                            PartitionInputList=[partition(f"{n:03}") for n in range(1, 101)]).get("Errors", []), [])
    answer = ok("glue: partitions that exist among new ones", glue.batch_create_partition, **here, PartitionInputList=[partition("100"), partition("101")])
    same("glue: are told apart", [(e["PartitionValues"], e["ErrorDetail"]["ErrorCode"]) for e in answer["Errors"]], [(["100"], "AlreadyExistsException")])
    for title, code, call, arguments in (
        ("101 partitions at once", "ValidationException", raw.batch_create_partition, {"PartitionInputList": [partition(f"x{n}") for n in range(101)]}),
        ("remove 26 partitions at once", "ValidationException", raw.batch_delete_partition, {"PartitionsToDelete": [{"Values": [str(n)]} for n in range(26)]}),
        ("read 1001 partitions at once", "ValidationException", raw.batch_get_partition, {"PartitionsToGet": [{"Values": [str(n)]} for n in range(1001)]}),
        ("change 101 partitions at once", "ValidationException", raw.batch_update_partition,
         {"Entries": [{"PartitionValueList": [str(n)], "PartitionInput": partition(str(n))} for n in range(101)]}),
        ("a page of 1001 partitions", "ValidationException", raw.get_partitions, {"MaxResults": 1001}),
        ("segment 10 of 10", "InvalidInputException", raw.get_partitions, {"Segment": {"SegmentNumber": 10, "TotalSegments": 10}}),
        ("a partition that exists", "AlreadyExistsException", glue.create_partition, {"PartitionInput": partition("000")}),
        ("a partition of two values", "InvalidInputException", glue.create_partition, {"PartitionInput": {"Values": ["1", "2"]}}),
        ("an unknown partition", "EntityNotFoundException", glue.get_partition, {"PartitionValues": ["none"]}),
        ("remove an unknown partition", "EntityNotFoundException", glue.delete_partition, {"PartitionValues": ["none"]}),
        ("an expression on an unknown key", "InvalidInputException", glue.get_partitions, {"Expression": "week='1'"}),
        ("an expression that is none", "InvalidInputException", glue.get_partitions, {"Expression": "day=="}),
    ):
        refused(f"glue: {title}", code, call, **here, **arguments)
    same("glue: partitions by expression", [p["Values"] for p in ok("glue: a partition expression", glue.get_partitions, **here,
                                            Expression="day >= '099' AND day < '101'")["Partitions"]], [["099"], ["100"]])
    pages = list(glue.get_paginator("get_partitions").paginate(**here, PaginationConfig={"PageSize": 50}))
    same("glue: pages of partitions", len({p["Values"][0] for page in pages for p in page["Partitions"]}), 102)
    segments = [glue.get_paginator("get_partitions").paginate(**here, Segment={"SegmentNumber": n, "TotalSegments": 4}) for n in range(4)]
    same("glue: segments of partitions", sorted(p["Values"][0] for s in segments for page in s for p in page["Partitions"]), [f"{n:03}" for n in range(102)])
    bare = ok("glue: partitions without columns", glue.get_partitions, **here, ExcludeColumnSchema=True, MaxResults=1)["Partitions"][0]
    true("glue: have no columns", not bare["StorageDescriptor"].get("Columns"))
    answer = ok("glue: several partitions", glue.batch_get_partition, **here, PartitionsToGet=[{"Values": ["001"]}, {"Values": ["none"]}])
    same("glue: those that are there", [p["Values"] for p in answer["Partitions"]], [["001"]])


def versions_and_links():
    glue = person("ProducerAdmin").glue
    changed = table("orders", Description="changed")
    ok("glue: change a table", glue.update_table, DatabaseName="shop", TableInput=changed)
    same("glue: its versions", len(ok("glue: versions", glue.get_table_versions, DatabaseName="shop", TableName="orders")["TableVersions"]), 2)
    ok("glue: change it without a version", glue.update_table, DatabaseName="shop", TableInput=changed, SkipArchive=True)
    refused("glue: a version that is not there", "EntityNotFoundException", glue.get_table_version, DatabaseName="shop", TableName="orders", VersionId="77")
    refused("glue: change a table that somebody else has changed", "ConcurrentModificationException", glue.update_table, DatabaseName="shop", TableInput=changed, VersionId="0")

    link = lambda name, target, database="shop", catalog=P: {"Name": name, "TargetTable": {"CatalogId": catalog, "DatabaseName": database, "Name": target}}  # noqa: E731
    ok("glue: a link to a table", glue.create_table, DatabaseName="shop", TableInput=link("orders_link", "orders"))
    ok("glue: a link to what is not there", glue.create_table, DatabaseName="shop", TableInput=link("dangling", "none", "none", M))
    ok("glue: a link to a link", glue.create_table, DatabaseName="shop", TableInput=link("chained", "orders_link"))
    read = glue.get_table(DatabaseName="shop", Name="orders_link")["Table"]
    same("glue: a link shows its target's columns", [c["Name"] for c in read["StorageDescriptor"]["Columns"]], ["id", "price"])
    same("glue: under its own name", (read["Name"], read["TargetTable"]["Name"]), ("orders_link", "orders"))
    true("glue: a dangling link shows itself", not glue.get_table(DatabaseName="shop", Name="dangling")["Table"].get("StorageDescriptor", {}).get("Columns"))
    true("glue: only one hop is followed", not glue.get_table(DatabaseName="shop", Name="chained")["Table"].get("StorageDescriptor", {}).get("Columns"))
    ok("glue: a link to a database", glue.create_database, DatabaseInput={"Name": "shop_link", "TargetDatabase": {"CatalogId": P, "DatabaseName": "shop"}})
    ok("glue: removing a link", glue.delete_database, Name="shop_link")
    ok("glue: leaves its target", glue.get_database, Name="shop")


def catalog_policy():
    admin = person("ProducerAdmin")
    glue = admin.glue
    statement = lambda **more: policy({"Effect": "Allow", "Principal": {"AWS": C}, "Action": "glue:GetDatabase",  # noqa: E731
                                       "Resource": [CATALOG + "catalog", CATALOG + "database/shop"], **more})
    refused("glue: no policy", "EntityNotFoundException", glue.get_resource_policy)
    refused("glue: remove no policy", "EntityNotFoundException", glue.delete_resource_policy)
    refused("glue: a policy that must exist", "ConditionCheckFailureException", glue.put_resource_policy, PolicyInJson=statement(), PolicyExistsCondition="MUST_EXIST")
    first = ok("glue: a policy", glue.put_resource_policy, PolicyInJson=statement(), PolicyExistsCondition="NOT_EXIST")["PolicyHash"]
    refused("glue: a policy that must not exist", "ConditionCheckFailureException", glue.put_resource_policy, PolicyInJson=statement(), PolicyExistsCondition="NOT_EXIST")
    refused("glue: a policy that somebody else has changed", "ConditionCheckFailureException", glue.put_resource_policy, PolicyInJson=statement(), PolicyHashCondition="stale")
    for title, text in (
        ("for everybody", statement(Principal="*")),
        ("for somebody who does not exist", statement(Principal={"AWS": f"arn:aws:iam::{C}:role/Nobody"})),
        ("on another catalog", statement(Resource=f"arn:aws:glue:{REGION}:{M}:catalog")),
        ("on another service", statement(Action="s3:GetObject")),
        ("with a list of statements among its statements", json.dumps({"Version": "2012-10-17", "Statement": [json.loads(statement())["Statement"]]})),
        ("that is no JSON", "{]"),
    ):
        refused(f"glue: a policy {title}", "InvalidInputException", glue.put_resource_policy, PolicyInJson=text)
    consumer = person("ConsumerAdmin")
    same("glue: the policy lets another account in", ok("glue: a database of another account", consumer.glue.get_database, CatalogId=P, Name="shop")["Database"]["Name"], "shop")
    refused("glue: as far as it goes", "AccessDeniedException", consumer.glue.delete_database, CatalogId=P, Name="shop")
    ok("glue: remove the policy", glue.delete_resource_policy, PolicyHashCondition=first)
    refused("glue: and nobody is let in any more", "AccessDeniedException", consumer.glue.get_database, CatalogId=P, Name="shop")


def crawlers_and_tags():
    admin = person("ProducerAdmin")
    glue = admin.glue
    crawler_role = role(admin, P, "Crawler", {"Service": "glue.amazonaws.com"}, allow("s3:GetObject"))
    crawler = {"Name": "nightly", "Role": crawler_role, "DatabaseName": "shop", "Targets": {"S3Targets": [{"Path": "s3://shop/orders"}]}, "Schedule": "cron(0 2 * * ? *)"}
    ok("glue: a crawler", glue.create_crawler, **crawler)
    refused("glue: a crawler that exists", "AlreadyExistsException", glue.create_crawler, **crawler)
    refused("glue: an unknown crawler", "EntityNotFoundException", glue.get_crawler, Name="none")
    refused("glue: a crawler without targets", "InvalidInputException", glue.create_crawler, **{**crawler, "Name": "b", "Targets": {}})
    refused("glue: a schedule that is none", "InvalidInputException", glue.create_crawler, **{**crawler, "Name": "b", "Schedule": "at night"})
    weak = admin.assume(role(admin, P, "CrawlerMaker", {"AWS": P}, allow("glue:*")))
    refused("glue: a crawler with a role that may not be passed", "AccessDeniedException", weak.glue.create_crawler, **{**crawler, "Name": "b"}, words="iam:PassRole")

    arn = CATALOG + "database/shop"
    ok("glue: tag a database", glue.tag_resource, ResourceArn=arn, TagsToAdd={"Solution": "DataMeshUtils"})
    same("glue: its tags", ok("glue: tags", glue.get_tags, ResourceArn=arn)["Tags"], {"Solution": "DataMeshUtils"})
    refused("glue: tag what is not there", "EntityNotFoundException", glue.tag_resource, ResourceArn=CATALOG + "database/none", TagsToAdd={"a": "b"})
    refused("glue: 51 tags", "ValidationException", admin.client("glue", validate=False).tag_resource, ResourceArn=arn, TagsToAdd={str(n): "x" for n in range(51)})
    found = ok("glue: search tables", glue.search_tables, SearchText="items0")["TableList"]
    same("glue: finds them by name", sorted(t["Name"] for t in found), [f"items{n:02}" for n in range(10)])
