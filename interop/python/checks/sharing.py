"""RAM, and Lake Formation across accounts: who sees what before and after the
invitation is accepted. The mesh account owns, the consumer receives."""

from expect import M, P, C, REGION, allow, caller, failures, ok, person, refused, role, same, true
from checks.catalog import table
from checks.lake import entry, grant, on_database, on_table, to

PEARL = ("pearl", M)


def pearl(name):
    return on_table(name, *PEARL)


def run():
    prepare()
    before_and_after()
    handing_on()
    links_and_data()
    revoking()
    shares()


def prepare():
    mesh = person("Mesh")
    lake = mesh.lakeformation
    mesh.s3.create_bucket(Bucket="pearls")
    mesh.s3.put_object(Bucket="pearls", Key="white/data.csv", Body=b"pearl\n")
    reader = role(mesh, M, "PearlAccess", {"Service": "lakeformation.amazonaws.com"}, allow("s3:*"))
    lake.register_resource(ResourceArn="arn:aws:s3:::pearls", RoleArn=reader)
    mesh.glue.create_database(DatabaseInput={"Name": "pearl"})
    for name in ("white", "black"):
        mesh.glue.create_table(DatabaseName="pearl", TableInput=table(name, f"s3://pearls/{name}", partitioned=False))
    refused("sharing: a table that is left to IAM", "AccessDeniedException", grant, mesh, C, pearl("white"), "SELECT", words="Illegal combination")
    now = lake.get_data_lake_settings()["DataLakeSettings"]
    lake.put_data_lake_settings(DataLakeSettings={**now, "CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": [], "AllowFullTableExternalDataAccess": True})
    for name in ("white", "black"):
        ok(f"sharing: take {name} from IAM", lake.revoke_permissions, Principal=to("IAM_ALLOWED_PRINCIPALS"), Resource=pearl(name), Permissions=["ALL"])
    ok("sharing: take the database from IAM", lake.revoke_permissions, Principal=to("IAM_ALLOWED_PRINCIPALS"), Resource=on_database(*PEARL), Permissions=["ALL"])
    consumer = person("ConsumerAdmin")
    settings = consumer.lakeformation.get_data_lake_settings()["DataLakeSettings"]
    consumer.lakeformation.put_data_lake_settings(DataLakeSettings={**settings, "CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []})


def before_and_after():
    mesh, consumer, producer = person("Mesh"), person("ConsumerAdmin"), person("ProducerAdmin")
    white = {"CatalogId": M, "DatabaseName": "pearl", "Name": "white"}
    see = consumer.glue.get_table
    for title, arguments in (
        ("DROP on a database", (C, on_database(*PEARL), "DROP")),
        ("ALL on a database", (C, on_database(*PEARL), "ALL")),
        ("the grant option to a role of another account", (f"arn:aws:iam::{C}:user/ConsumerAdministrator", pearl("white"), "SELECT")),
    ):
        refused(f"sharing: {title}", "InvalidInputException", grant, mesh, *arguments, grantable=arguments[2:])
    refused("sharing: an organization that is none", "InvalidInputException", grant, mesh, "arn:aws:organizations::1:organization/x", pearl("white"), "SELECT")

    answer = ok("sharing: grant to an account", mesh.lakeformation.batch_grant_permissions, Entries=[
        entry(1, C, on_database(*PEARL), "DESCRIBE", grantable=["DESCRIBE"]), entry(2, C, pearl("white"), "SELECT", "DESCRIBE", grantable=["SELECT", "DESCRIBE"]),
        entry(3, C, pearl("none"), "SELECT")])
    failures("sharing: all but the unknown table", "EntityNotFoundException", answer, ["3"])
    refused("sharing: before the invitation is accepted", "AccessDeniedException", see, **white)
    same("sharing: nothing is listed either", [d["Name"] for d in consumer.glue.get_databases(ResourceShareType="FOREIGN")["DatabaseList"]], [])
    refused("sharing: nor handed on", "AccessDeniedException", grant, consumer, f"arn:aws:iam::{C}:user/ConsumerAdministrator", pearl("white"), "SELECT")

    invitations = [i for page in consumer.ram.get_paginator("get_resource_share_invitations").paginate(PaginationConfig={"PageSize": 1})
                   for i in page["resourceShareInvitations"]]
    same("sharing: one invitation for databases, one for tables", [(i["senderAccountId"], i["status"]) for i in invitations], [(M, "PENDING")] * 2)
    true("sharing: their names", all(i["resourceShareName"].startswith("LakeFormation") for i in invitations))
    first = invitations[0]["resourceShareInvitationArn"]
    refused("sharing: an invitation to somebody else", "ResourceShareInvitationArnNotFoundException", producer.ram.accept_resource_share_invitation, resourceShareInvitationArn=first)
    refused("sharing: the sender does not accept", "ResourceShareInvitationArnNotFoundException", mesh.ram.accept_resource_share_invitation, resourceShareInvitationArn=first)
    refused("sharing: an invitation that is none", "MalformedArnException", consumer.ram.accept_resource_share_invitation, resourceShareInvitationArn="invitation")
    refused("sharing: an unknown invitation", "ResourceShareInvitationArnNotFoundException", consumer.ram.accept_resource_share_invitation, resourceShareInvitationArn=first[:-4] + "0000")
    weak = consumer.assume(role(consumer, C, "Shy", {"AWS": C}, allow("glue:*")))
    refused("sharing: without the right in IAM", "AccessDeniedException", weak.ram.accept_resource_share_invitation, resourceShareInvitationArn=first)
    for i in invitations:
        same("sharing: accept", ok("sharing: an invitation", consumer.ram.accept_resource_share_invitation, resourceShareInvitationArn=i["resourceShareInvitationArn"])
             ["resourceShareInvitation"]["status"], "ACCEPTED")
    refused("sharing: accept again", "ResourceShareInvitationAlreadyAcceptedException", consumer.ram.accept_resource_share_invitation, resourceShareInvitationArn=first)
    refused("sharing: reject what is accepted", "ResourceShareInvitationAlreadyAcceptedException", consumer.ram.reject_resource_share_invitation, resourceShareInvitationArn=first)

    same("sharing: after it is accepted", ok("sharing: the administrator sees it", see, **white)["Table"]["CatalogId"], M)
    refused("sharing: and no other table", "AccessDeniedException", see, **{**white, "Name": "black"})
    refused("sharing: nobody else in the account sees it", "AccessDeniedException", weak.glue.get_table, **white)
    refused("sharing: no other account sees it", "AccessDeniedException", producer.glue.get_table, **white)
    same("sharing: it is listed with what is shared", [d["Name"] for d in consumer.glue.get_databases(ResourceShareType="FOREIGN")["DatabaseList"]], ["pearl"])
    same("sharing: and not with what is one's own", [d["Name"] for d in consumer.glue.get_databases()["DatabaseList"]], [])
    same("sharing: only the shared table", [t["Name"] for t in consumer.glue.get_tables(CatalogId=M, DatabaseName="pearl")["TableList"]], ["white"])
    rows = mesh.lakeformation.list_permissions(Resource=pearl("white"))["PrincipalResourcePermissions"]
    true("sharing: the owner sees which share carries it", all(r["AdditionalDetails"]["ResourceShare"] for r in rows if r["Principal"] == to(C)))
    ok("sharing: another table", grant, mesh, C, pearl("black"), "SELECT")
    same("sharing: comes without another invitation", len(consumer.ram.get_resource_share_invitations()["resourceShareInvitations"]), 2)
    ok("sharing: and is seen", see, **{**white, "Name": "black"})


def handing_on():
    consumer = person("ConsumerAdmin")
    diver = role(consumer, C, "Diver", {"AWS": C}, allow("*"))
    for title, code, arguments in (
        ("to another account", "AccessDeniedException", (P, pearl("white"), "SELECT")),
        ("back to the owner", "AccessDeniedException", (f"arn:aws:iam::{M}:user/MeshAdministrator", pearl("white"), "SELECT")),
        ("to everybody whom IAM lets through", "AccessDeniedException", ("IAM_ALLOWED_PRINCIPALS", pearl("white"), "ALL")),
        ("more than was granted", "AccessDeniedException", (diver, pearl("white"), "INSERT")),
        ("what came without the grant option", "AccessDeniedException", (diver, pearl("black"), "SELECT")),
        ("what was not shared", "AccessDeniedException", (diver, on_database(*PEARL), "CREATE_TABLE")),
    ):
        refused(f"sharing: hand on {title}", code, grant, consumer, *arguments)
    refused("sharing: a reader before", "AccessDeniedException", consumer.assume(diver).glue.get_table, CatalogId=M, DatabaseName="pearl", Name="white")
    ok("sharing: hand on to a role of the account", grant, consumer, diver, pearl("white"), "SELECT")
    ok("sharing: a reader after", consumer.assume(diver).glue.get_table, CatalogId=M, DatabaseName="pearl", Name="white")


def links_and_data():
    consumer = person("ConsumerAdmin")
    diver = consumer.assume(f"arn:aws:iam::{C}:role/Diver")
    glue = consumer.glue
    ok("sharing: a database for links", glue.create_database, DatabaseInput={"Name": "mine"})
    ok("sharing: a link to a shared table", glue.create_table, DatabaseName="mine",
       TableInput={"Name": "white_link", "TargetTable": {"CatalogId": M, "DatabaseName": "pearl", "Name": "white"}})
    refused("sharing: a link is not open to everybody", "AccessDeniedException", diver.glue.get_table, DatabaseName="mine", Name="white_link")
    ok("sharing: DESCRIBE on a link", grant, consumer, f"arn:aws:iam::{C}:role/Diver", on_table("white_link", "mine", C), "DESCRIBE")
    refused("sharing: SELECT on a link", "InvalidInputException", grant, consumer, f"arn:aws:iam::{C}:role/Diver", on_table("white_link", "mine", C), "SELECT")
    link = ok("sharing: a reader through the link", diver.glue.get_table, DatabaseName="mine", Name="white_link")["Table"]
    same("sharing: sees the target's columns", [c["Name"] for c in link["StorageDescriptor"]["Columns"]], ["id", "price"])

    vend = lambda name: diver.lakeformation.get_temporary_glue_table_credentials(  # noqa: E731
        TableArn=f"arn:aws:glue:{REGION}:{M}:table/pearl/{name}", Permissions=["SELECT"], SupportedPermissionTypes=["COLUMN_PERMISSION"])
    data = caller(ok("sharing: credentials for the data", vend, "white"))
    same("sharing: the data of another account", data.s3.get_object(Bucket="pearls", Key="white/data.csv")["Body"].read(), b"pearl\n")
    refused("sharing: and no other data", "AccessDenied", data.s3.get_object, Bucket="pearls", Key="black/data.csv")
    refused("sharing: credentials for what was not handed on", "AccessDeniedException", vend, "black")
    refused("sharing: the data with one's own rights", "AccessDenied", diver.s3.get_object, Bucket="pearls", Key="white/data.csv", status=403)


def revoking():
    mesh, consumer = person("Mesh"), person("ConsumerAdmin")
    diver = consumer.assume(f"arn:aws:iam::{C}:role/Diver")
    refused("sharing: an account does not revoke its own", "InvalidInputException", consumer.lakeformation.revoke_permissions, Principal=to(C), Resource=pearl("white"), Permissions=["SELECT"])
    ok("sharing: revoke from an account", mesh.lakeformation.revoke_permissions, Principal=to(C), Resource=pearl("white"),
       Permissions=["SELECT", "DESCRIBE"], PermissionsWithGrantOption=["SELECT", "DESCRIBE"])
    refused("sharing: ends what it handed on", "AccessDeniedException", diver.glue.get_table, CatalogId=M, DatabaseName="pearl", Name="white")
    refused("sharing: ends the administrator's view", "AccessDeniedException", consumer.glue.get_table, CatalogId=M, DatabaseName="pearl", Name="white")
    ok("sharing: leaves the other table", consumer.glue.get_table, CatalogId=M, DatabaseName="pearl", Name="black")


def shares():
    mesh, consumer = person("Mesh"), person("ConsumerAdmin")
    ram, raw = mesh.ram, mesh.client("ram", validate=False)
    owned = ok("ram: own shares", ram.get_resource_shares, resourceOwner="SELF")["resourceShares"]
    arn = owned[0]["resourceShareArn"]
    principals = ok("ram: with whom", ram.get_resource_share_associations, associationType="PRINCIPAL", resourceShareArns=[arn])["resourceShareAssociations"]
    same("ram: a principal's association", [(a["associatedEntity"], a["status"]) for a in principals], [(C, "ASSOCIATED")])
    for title, code, call, arguments in (
        ("an owner that is none", "InvalidParameterException", raw.get_resource_shares, {"resourceOwner": "THEM"}),
        ("a kind of association that is none", "InvalidParameterException", raw.get_resource_share_associations, {"associationType": "THING"}),
        ("a page of 501", "InvalidParameterException", raw.get_resource_shares, {"resourceOwner": "SELF", "maxResults": 501}),
        ("a token that is none", "InvalidNextTokenException", ram.get_resource_shares, {"resourceOwner": "SELF", "nextToken": "none"}),
        ("associations of an unknown share", "UnknownResourceException", ram.get_resource_share_associations, {"associationType": "PRINCIPAL", "resourceShareArns": [arn[:-4] + "0000"]}),
        ("associations of what is no share", "MalformedArnException", ram.get_resource_share_associations, {"associationType": "PRINCIPAL", "resourceShareArns": ["share"]}),
        ("remove an unknown share", "UnknownResourceException", ram.delete_resource_share, {"resourceShareArn": arn[:-4] + "0000"}),
        ("remove another account's share", "UnknownResourceException", consumer.ram.delete_resource_share, {"resourceShareArn": arn}),
    ):
        refused(f"ram: {title}", code, call, **arguments)
