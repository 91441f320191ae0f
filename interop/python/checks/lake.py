"""Lake Formation within one account: settings, permissions, locations, LF-tags."""

from expect import M, P, C, allow, caller, failures, ok, person, refused, role, same, true
from checks.catalog import table

BUCKET = "reef"


def to(principal):
    return {"DataLakePrincipalIdentifier": principal}


def on_table(name, database="reef", catalog=P):
    return {"Table": {"CatalogId": catalog, "DatabaseName": database, "Name": name}}


def on_database(name="reef", catalog=P):
    return {"Database": {"CatalogId": catalog, "Name": name}}


def on_columns(name, *columns):
    return {"TableWithColumns": {"CatalogId": P, "DatabaseName": "reef", "Name": name, "ColumnNames": list(columns)}}


def grant(by, principal, resource, *permissions, grantable=()):
    return by.lakeformation.grant_permissions(Principal=to(principal), Resource=resource, Permissions=list(permissions), PermissionsWithGrantOption=list(grantable))


def entry(number, principal, resource, *permissions, grantable=()):
    return {"Id": str(number), "Principal": to(principal), "Resource": resource, "Permissions": list(permissions), "PermissionsWithGrantOption": list(grantable)}


def run():
    settings()
    prepare()
    permissions()
    batches()
    locations()
    tags()


def settings():
    admin = person("ProducerAdmin")
    lake, raw = admin.lakeformation, admin.client("lakeformation", validate=False)
    now = ok("lake: settings", lake.get_data_lake_settings)["DataLakeSettings"]
    same("lake: a new account's version of sharing", now["Parameters"]["CROSS_ACCOUNT_VERSION"], "4")
    same("lake: a new account leaves tables to IAM", now["CreateTableDefaultPermissions"], [{"Principal": to("IAM_ALLOWED_PRINCIPALS"), "Permissions": ["ALL"]}])
    change = lambda **new: raw.put_data_lake_settings(DataLakeSettings={**now, **new})  # noqa: E731
    users = []
    for n in range(30):
        users.append(to(admin.iam.create_user(UserName=f"steward{n}")["User"]["Arn"]))
    me = now["DataLakeAdmins"]
    ok("lake: 30 administrators", change, DataLakeAdmins=me + users[:29])
    for title, new in (
        ("31 administrators", {"DataLakeAdmins": me + users}),
        ("an administrator that does not exist", {"DataLakeAdmins": me + [to(f"arn:aws:iam::{P}:user/Nobody")]}),
        ("an administrator of another account", {"DataLakeAdmins": me + [to(f"arn:aws:iam::{M}:user/MeshAdministrator")]}),
        ("an account as administrator", {"DataLakeAdmins": me + [to(P)]}),
        ("a sixth version of sharing", {"Parameters": {"CROSS_ACCOUNT_VERSION": "6"}}),
        ("a version that is no number", {"Parameters": {"CROSS_ACCOUNT_VERSION": "latest"}}),
        ("an unknown parameter", {"Parameters": {"COLOUR": "blue"}}),
        ("default permissions for somebody", {"CreateTableDefaultPermissions": [{"Principal": to(C), "Permissions": ["SELECT"]}]}),
        ("default permissions that are not ALL", {"CreateTableDefaultPermissions": [{"Principal": to("IAM_ALLOWED_PRINCIPALS"), "Permissions": ["SELECT"]}]}),
    ):
        refused(f"lake: {title}", "InvalidInputException", change, **new, status=400)
    same("lake: what was refused changed nothing", len(lake.get_data_lake_settings()["DataLakeSettings"]["DataLakeAdmins"]), 30)
    ok("lake: nothing is left to IAM any more", change, DataLakeAdmins=me, CreateDatabaseDefaultPermissions=[], CreateTableDefaultPermissions=[])
    refused("lake: the settings of another account", "AccessDeniedException", person("ConsumerAdmin").lakeformation.get_data_lake_settings, CatalogId=P)


def prepare():
    """Makes the database "reef" with a registered location, and people."""
    admin = person("ProducerAdmin")
    admin.s3.create_bucket(Bucket=BUCKET)
    for name in ("corals", "fish", "sharks"):
        admin.s3.put_object(Bucket=BUCKET, Key=f"{name}/data.csv", Body=b"1,2\n")
    lake_role = role(admin, P, "LakeAccess", {"Service": "lakeformation.amazonaws.com"}, allow("s3:*"))
    ok("lake: register a location", admin.lakeformation.register_resource, ResourceArn=f"arn:aws:s3:::{BUCKET}", RoleArn=lake_role)
    admin.glue.create_database(DatabaseInput={"Name": "reef"})
    for name in ("corals", "fish", "sharks"):
        admin.glue.create_table(DatabaseName="reef", TableInput=table(name, f"s3://{BUCKET}/{name}", partitioned=False))
    everything = allow("*")
    for name in ("Analyst", "Second", "Builder"):
        role(admin, P, name, {"AWS": P}, everything)
    same("lake: a registered location", admin.glue.get_table(DatabaseName="reef", Name="fish")["Table"]["IsRegisteredWithLakeFormation"], True)


def permissions():
    admin = person("ProducerAdmin")
    lake, raw = admin.lakeformation, admin.client("lakeformation", validate=False)
    analyst_arn, second_arn = f"arn:aws:iam::{P}:role/Analyst", f"arn:aws:iam::{P}:role/Second"
    analyst, second = admin.assume(analyst_arn), admin.assume(second_arn)
    see = analyst.glue.get_table
    fish = {"DatabaseName": "reef", "Name": "fish"}
    refused("lake: a table without a grant", "AccessDeniedException", see, **fish, words="Required Describe on fish")
    true("lake: nor is it listed", "reef" not in [d["Name"] for d in ok("lake: list databases", analyst.glue.get_databases)["DatabaseList"]])
    ok("lake: grant SELECT on a table", grant, admin, analyst_arn, on_table("fish"), "SELECT")
    same("lake: its reader sees it", ok("lake: read it", see, **fish)["Table"]["Name"], "fish")
    refused("lake: and no other", "AccessDeniedException", see, DatabaseName="reef", Name="sharks")
    same("lake: only it is listed", [t["Name"] for t in analyst.glue.get_tables(DatabaseName="reef")["TableList"]], ["fish"])
    refused("lake: SELECT is not ALTER", "AccessDeniedException", analyst.glue.update_table, DatabaseName="reef", TableInput=table("fish", f"s3://{BUCKET}/fish", partitioned=False))
    refused("lake: SELECT is not DROP", "AccessDeniedException", analyst.glue.delete_table, **fish)
    refused("lake: without the grant option", "AccessDeniedException", grant, analyst, second_arn, on_table("fish"), "SELECT")
    ok("lake: some columns", grant, admin, second_arn, on_columns("sharks", "id"), "SELECT")
    same("lake: are all that is seen", [c["Name"] for c in second.glue.get_table(DatabaseName="reef", Name="sharks")["Table"]["StorageDescriptor"]["Columns"]], ["id"])

    for title, code, arguments in (
        ("CREATE_TABLE on a table", "InvalidInputException", (analyst_arn, on_table("corals"), "CREATE_TABLE")),
        ("SELECT on a database", "InvalidInputException", (analyst_arn, on_database(), "SELECT")),
        ("INSERT on columns", "InvalidInputException", (analyst_arn, on_columns("corals", "id"), "INSERT")),
        ("DESCRIBE to who sees some columns", "InvalidInputException", (second_arn, on_table("sharks"), "DESCRIBE")),
        ("an unknown column", "InvalidInputException", (analyst_arn, on_columns("corals", "none"), "SELECT")),
        ("an unknown table", "EntityNotFoundException", (analyst_arn, on_table("none"), "SELECT")),
        ("an unknown database", "EntityNotFoundException", (analyst_arn, on_database("none"), "DESCRIBE")),
        ("somebody who does not exist", "InvalidInputException", (f"arn:aws:iam::{P}:role/Nobody", on_table("fish"), "SELECT")),
        ("a session", "InvalidInputException", (f"arn:aws:sts::{P}:assumed-role/Analyst/me", on_table("fish"), "SELECT")),
        ("a principal that is none", "InvalidInputException", ("somebody", on_table("fish"), "SELECT")),
    ):
        refused(f"lake: grant to or on {title}", code, grant, admin, *arguments, status=400)
    refused("lake: a grant option beyond the grant", "InvalidInputException", grant, admin, analyst_arn, on_table("fish"), "SELECT", grantable=["SELECT", "INSERT"])
    refused("lake: some columns with the grant option", "InvalidInputException", grant, admin, analyst_arn, on_columns("corals", "id"), "SELECT", grantable=["SELECT"])
    refused("lake: an unknown permission", "InvalidInputException", raw.grant_permissions, Principal=to(analyst_arn), Resource=on_table("fish"), Permissions=["PAINT"])
    refused("lake: no resource", "InvalidInputException", raw.grant_permissions, Principal=to(analyst_arn), Resource={}, Permissions=["SELECT"])
    refused("lake: revoke what was not granted", "InvalidInputException", lake.revoke_permissions, Principal=to(analyst_arn), Resource=on_table("fish"),
            Permissions=["ALTER"], words="No permissions revoked")

    ok("lake: with the grant option", grant, admin, analyst_arn, on_table("fish"), "SELECT", grantable=["SELECT"])
    ok("lake: it is handed on", grant, analyst, second_arn, on_table("fish"), "SELECT")
    refused("lake: and no more than it", "AccessDeniedException", grant, analyst, second_arn, on_table("fish"), "INSERT")
    ok("lake: revoke", lake.revoke_permissions, Principal=to(analyst_arn), Resource=on_table("fish"), Permissions=["SELECT"], PermissionsWithGrantOption=["SELECT"])
    refused("lake: what was revoked", "AccessDeniedException", see, **fish)

    listed = ok("lake: list permissions", lake.list_permissions, Principal=to(second_arn), Resource=on_table("sharks"))["PrincipalResourcePermissions"]
    same("lake: columns are rows of their own", [(list(r["Resource"]), r["Permissions"]) for r in listed], [(["TableWithColumns"], ["SELECT"])])
    refused("lake: list a principal's permissions on nothing", "InvalidInputException", lake.list_permissions, Principal=to(second_arn), words="Resource is mandatory")
    refused("lake: list permissions on columns", "InvalidInputException", lake.list_permissions, Resource=on_columns("sharks", "id"))
    refused("lake: a page of 1001 permissions", "InvalidInputException", raw.list_permissions, MaxResults=1001, status=400)
    rows, token = [], {}
    for _ in range(100):
        page = lake.list_permissions(Resource=on_table("sharks"), MaxResults=1, **token)
        rows += page["PrincipalResourcePermissions"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    same("lake: pages of permissions", len(rows), len(lake.list_permissions(Resource=on_table("sharks"))["PrincipalResourcePermissions"]))

    weak = admin.assume(role(admin, P, "Tourist", {"AWS": P}, allow("glue:*")))
    refused("lake: without the right in IAM", "AccessDeniedException", weak.lakeformation.list_permissions, words="lakeformation:ListPermissions")


def batches():
    admin = person("ProducerAdmin")
    lake = admin.lakeformation
    second = f"arn:aws:iam::{P}:role/Second"
    for n in range(21):
        admin.glue.create_table(DatabaseName="reef", TableInput=table(f"wave{n:02}", f"s3://{BUCKET}/wave{n:02}", partitioned=False))
    entries = [entry(n, second, on_table(f"wave{n:02}"), "SELECT") for n in range(21)]
    failures("lake: a batch of 20 grants", "", ok("lake: 20 grants", lake.batch_grant_permissions, Entries=entries[:20]), [])
    refused("lake: a batch of 21 grants", "InvalidInputException", lake.batch_grant_permissions, Entries=entries)
    refused("lake: a batch of 21 revocations", "InvalidInputException", lake.batch_revoke_permissions, Entries=entries)
    refused("lake: two entries of one id", "InvalidInputException", lake.batch_grant_permissions, Entries=[entries[0], {**entries[1], "Id": "0"}])
    mixed = [entries[20], entry("a", second, on_table("none"), "SELECT"), entry("b", second, on_table("wave00"), "SELECT", grantable=["SELECT"])]
    failures("lake: a batch with an unknown table", "EntityNotFoundException", ok("lake: part of a batch", lake.batch_grant_permissions, Entries=mixed), ["a"])
    ok("lake: the rest of it is granted", admin.assume(second).glue.get_table, DatabaseName="reef", Name="wave20")
    again = ok("lake: revoke a batch", lake.batch_revoke_permissions, Entries=[entry(1, second, on_table("wave01"), "SELECT"), entry(2, second, on_table("wave02"), "ALTER")])
    failures("lake: a batch that revokes what was not granted", "InvalidInputException", again, ["2"])


def locations():
    admin = person("ProducerAdmin")
    lake = admin.lakeformation
    builder_arn = f"arn:aws:iam::{P}:role/Builder"
    builder = admin.assume(builder_arn)
    make = lambda name, path: builder.glue.create_table(DatabaseName="reef", TableInput=table(name, path, partitioned=False))  # noqa: E731
    refused("lake: a location that is registered", "AlreadyExistsException", lake.register_resource, ResourceArn=f"arn:aws:s3:::{BUCKET}", RoleArn=f"arn:aws:iam::{P}:role/LakeAccess")
    refused("lake: a location that is none", "InvalidInputException", lake.register_resource, ResourceArn="s3://reef", UseServiceLinkedRole=True)
    refused("lake: describe an unknown location", "EntityNotFoundException", lake.describe_resource, ResourceArn="arn:aws:s3:::none")
    refused("lake: deregister an unknown location", "EntityNotFoundException", lake.deregister_resource, ResourceArn="arn:aws:s3:::none")
    refused("lake: a table without CREATE_TABLE", "AccessDeniedException", make, "squid", f"s3://{BUCKET}/squid")
    ok("lake: grant CREATE_TABLE", grant, admin, builder_arn, on_database(), "CREATE_TABLE")
    refused("lake: a table at a registered location", "AccessDeniedException", make, "squid", f"s3://{BUCKET}/squid", words=f"s3://{BUCKET}/squid")
    ok("lake: a table elsewhere", make, "octopus", "s3://elsewhere/octopus")
    location = {"DataLocation": {"CatalogId": P, "ResourceArn": f"arn:aws:s3:::{BUCKET}/squid"}}
    ok("lake: grant DATA_LOCATION_ACCESS", grant, admin, builder_arn, location, "DATA_LOCATION_ACCESS")
    ok("lake: a table at a location that it may use", make, "squid", f"s3://{BUCKET}/squid")
    refused("lake: and not beside it", "AccessDeniedException", make, "whale", f"s3://{BUCKET}/whale")
    ok("lake: who makes a table owns it", builder.glue.delete_table, DatabaseName="reef", Name="squid")
    refused("lake: access to a location that is not registered", "AccessDeniedException", grant, admin, builder_arn,
            {"DataLocation": {"CatalogId": P, "ResourceArn": "arn:aws:s3:::elsewhere"}}, "DATA_LOCATION_ACCESS")
    passer = admin.assume(role(admin, P, "Registrar", {"AWS": P}, allow("lakeformation:*")))
    refused("lake: register with a role that may not be passed", "AccessDeniedException", passer.lakeformation.register_resource,
            ResourceArn="arn:aws:s3:::elsewhere", RoleArn=f"arn:aws:iam::{P}:role/LakeAccess", words="iam:PassRole")

    analyst_arn = f"arn:aws:iam::{P}:role/Analyst"
    analyst = admin.assume(analyst_arn)
    vend = lambda name: analyst.lakeformation.get_temporary_glue_table_credentials(  # noqa: E731
        TableArn=f"arn:aws:glue:us-east-1:{P}:table/reef/{name}", Permissions=["SELECT"], DurationSeconds=900, SupportedPermissionTypes=["COLUMN_PERMISSION"])
    refused("lake: credentials without the account's consent", "AccessDeniedException", vend, "corals")
    settings_now = lake.get_data_lake_settings()["DataLakeSettings"]
    lake.put_data_lake_settings(DataLakeSettings={**settings_now, "AllowFullTableExternalDataAccess": True})
    refused("lake: credentials without a grant", "AccessDeniedException", vend, "corals")
    grant(admin, analyst_arn, on_table("corals"), "SELECT")
    reader = caller(ok("lake: credentials for a table", vend, "corals"))
    same("lake: read the data", reader.s3.get_object(Bucket=BUCKET, Key="corals/data.csv")["Body"].read(), b"1,2\n")
    refused("lake: and no other table's", "AccessDenied", reader.s3.get_object, Bucket=BUCKET, Key="fish/data.csv", status=403)
    refused("lake: nor write it", "AccessDenied", reader.s3.put_object, Bucket=BUCKET, Key="corals/more.csv", Body=b"", status=403)
    refused("lake: nor anything else", "AccessDeniedException", reader.glue.get_databases)


def tags():
    admin = person("ProducerAdmin")
    lake, raw = admin.lakeformation, admin.client("lakeformation", validate=False)
    ok("lake: an LF-tag", lake.create_lf_tag, TagKey="Domain", TagValues=["Ocean", "River"])
    same("lake: LF-tags are folded", ok("lake: read it", lake.get_lf_tag, TagKey="DOMAIN")["TagValues"], ["ocean", "river"])
    for title, code, call, arguments in (
        ("that exists", "InvalidInputException", lake.create_lf_tag, {"TagKey": "domain", "TagValues": ["x"]}),
        ("of 51 values", "InvalidInputException", raw.create_lf_tag, {"TagKey": "wide", "TagValues": [str(n) for n in range(51)]}),
        ("without values", "InvalidInputException", raw.create_lf_tag, {"TagKey": "empty", "TagValues": []}),
        ("with a long name", "InvalidInputException", raw.create_lf_tag, {"TagKey": "x" * 51, "TagValues": ["x"]}),
        ("that is not there", "EntityNotFoundException", lake.get_lf_tag, {"TagKey": "none"}),
        ("to change that is not there", "EntityNotFoundException", lake.update_lf_tag, {"TagKey": "none", "TagValuesToAdd": ["x"]}),
        ("to remove that is not there", "EntityNotFoundException", lake.delete_lf_tag, {"TagKey": "none"}),
    ):
        refused(f"lake: an LF-tag {title}", code, call, **arguments, status=400)
    add = lambda name, *pairs: lake.add_lf_tags_to_resource(Resource=on_table(name), LFTags=[{"TagKey": k, "TagValues": v} for k, v in pairs])  # noqa: E731
    same("lake: tag a table", ok("lake: add an LF-tag", add, "fish", ("DOMAIN", ["OCEAN"])).get("Failures", []), [])
    same("lake: the table's tag", ok("lake: a table's tags", lake.get_resource_lf_tags, Resource=on_table("fish"))["LFTagsOnTable"][0]["TagValues"], ["ocean"])
    for title, pair in (("an unknown LF-tag", ("none", ["x"])), ("an unknown value", ("domain", ["desert"])), ("two values of one LF-tag", ("domain", ["ocean", "river"]))):
        answer = ok(f"lake: add {title}", add, "fish", pair)
        true(f"lake: {title} is a failure of its own", answer.get("Failures"))
    refused("lake: remove a value that is in use", "InvalidInputException", lake.update_lf_tag, TagKey="domain", TagValuesToDelete=["ocean"])
    analyst_arn = f"arn:aws:iam::{P}:role/Analyst"
    analyst = admin.assume(analyst_arn)
    expression = {"LFTagPolicy": {"CatalogId": P, "ResourceType": "TABLE", "Expression": [{"TagKey": "Domain", "TagValues": ["Ocean"]}]}}
    refused("lake: before a grant by tag", "AccessDeniedException", analyst.glue.get_table, DatabaseName="reef", Name="fish")
    ok("lake: grant by tag", grant, admin, analyst_arn, expression, "DESCRIBE", "SELECT")
    ok("lake: opens the tagged table", analyst.glue.get_table, DatabaseName="reef", Name="fish")
    refused("lake: and no other", "AccessDeniedException", analyst.glue.get_table, DatabaseName="reef", Name="sharks")
    ok("lake: remove the tag", lake.remove_lf_tags_from_resource, Resource=on_table("fish"), LFTags=[{"TagKey": "domain", "TagValues": ["ocean"]}])
    refused("lake: closes it again", "AccessDeniedException", analyst.glue.get_table, DatabaseName="reef", Name="fish")
