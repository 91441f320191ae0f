"""STS and IAM: who is who, and what the documents of IAM may say."""

import datetime
import json

from expect import M, P, C, Caller, allow, at, caller, deny, ok, person, policy, refused, role, same, true, trust


def run():
    identities()
    assuming()
    roles()
    documents()
    people()
    decisions()


def identities():
    mesh, producer = person("Mesh"), person("Producer")
    keys = mesh.keys
    who = ok("sts: who am I", mesh.sts.get_caller_identity)
    same("sts: my account", who.get("Account"), M)
    same("sts: my ARN", who.get("Arn"), f"arn:aws:iam::{M}:user/MeshAdministrator")
    true("sts: my unique id", who.get("UserId", "").startswith("AIDA"))

    wrong = Caller(keys["aws_access_key_id"], "x" * 40)
    unknown = Caller("AKIAAAAAAAAAAAAAAAAA", keys["aws_secret_access_key"])
    tokened = Caller(keys["aws_access_key_id"], keys["aws_secret_access_key"], "no such token")
    for title, code, who in (("a wrong secret", "SignatureDoesNotMatch", wrong), ("an unknown key", "InvalidClientTokenId", unknown),
                             ("a foreign session token", "InvalidClientTokenId", tokened)):
        refused(f"sts: {title}", code, who.sts.get_caller_identity, status=403)
        refused(f"iam: {title}", code, who.iam.list_users, status=403)
    refused("glue: a wrong secret", "InvalidSignatureException", wrong.glue.get_databases, status=400)
    refused("glue: an unknown key", "UnrecognizedClientException", unknown.glue.get_databases, status=400)
    refused("dynamodb: a wrong secret", "InvalidSignatureException", wrong.dynamodb.list_tables, status=400)
    refused("dynamodb: an unknown key", "UnrecognizedClientException", unknown.dynamodb.list_tables, status=400)
    refused("lakeformation: a wrong secret", "InvalidSignatureException", wrong.lakeformation.get_data_lake_settings, status=403)
    refused("ram: an unknown key", "UnrecognizedClientException", unknown.ram.get_resource_share_invitations, status=403)
    refused("s3: a wrong secret", "SignatureDoesNotMatch", wrong.s3.list_buckets, status=403)
    refused("s3: an unknown key", "InvalidAccessKeyId", unknown.s3.list_buckets, status=403)

    past = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(hours=1)
    with at(past):
        refused("sts: a signature of an hour ago", "SignatureDoesNotMatch", mesh.sts.get_caller_identity, status=403, words="expired")
        refused("dynamodb: a signature of an hour ago", "InvalidSignatureException", mesh.dynamodb.list_tables, status=400, words="expired")
        refused("s3: a signature of an hour ago", "RequestTimeTooSkewed", mesh.s3.list_buckets, status=403)

    refused("iam: a user without rights", "AccessDenied", producer.iam.list_users, status=403, words="iam:ListUsers")
    refused("sts: a role that it may not assume", "AccessDenied", producer.sts.assume_role, status=403,
            RoleArn=f"arn:aws:iam::{M}:role/AwsDataMesh/DataMeshManager", RoleSessionName="checks")


def assuming():
    mesh, admin = person("Mesh"), person("ProducerAdmin")
    reader = role(admin, P, "Reader", {"AWS": f"arn:aws:iam::{P}:root"}, allow("s3:ListAllMyBuckets"), allow("sts:AssumeRole"))
    guest = role(admin, P, "Guest", {"AWS": f"arn:aws:iam::{M}:user/MeshAdministrator"}, allow("sts:GetCallerIdentity"))
    vault = role(admin, P, "Vault", {"AWS": f"arn:aws:iam::{P}:root"}, Condition={"StringEquals": {"sts:ExternalId": "open sesame"}})
    closed = role(admin, P, "Closed", {"Service": "glue.amazonaws.com"}, allow("*"))
    assume, raw = admin.sts.assume_role, admin.client("sts", validate=False).assume_role

    session = ok("sts: assume a role of the account", assume, RoleArn=reader, RoleSessionName="me")
    same("sts: the session's ARN", session.get("AssumedRoleUser", {}).get("Arn"), f"arn:aws:sts::{P}:assumed-role/Reader/me")
    me = caller(session["Credentials"])
    same("sts: a session knows itself", ok("sts: a session calls", me.sts.get_caller_identity).get("Arn"), f"arn:aws:sts::{P}:assumed-role/Reader/me")
    ok("sts: a session has its role's rights", me.s3.list_buckets)
    refused("sts: and no other", "AccessDenied", me.iam.list_users, status=403)
    crooked = Caller(session["Credentials"]["AccessKeyId"], session["Credentials"]["SecretAccessKey"], "A" + session["Credentials"]["SessionToken"][1:] + "x")
    refused("sts: a session with a changed token", "InvalidClientTokenId", crooked.sts.get_caller_identity, status=403)
    less = admin.assume(reader, Policy=policy(allow("sts:*")))
    refused("sts: a session policy takes rights away", "AccessDenied", less.s3.list_buckets, status=403)

    ok("sts: assume a role across accounts", mesh.sts.assume_role, RoleArn=guest, RoleSessionName="me")
    ok("sts: with the external id", assume, RoleArn=vault, RoleSessionName="me", ExternalId="open sesame")
    for title, role_arn, more in (
        ("a role that does not exist", f"arn:aws:iam::{P}:role/Nobody", {}),
        ("a role of another account that trusts somebody else", f"arn:aws:iam::{M}:role/Nobody", {}),
        ("a role that trusts a service", closed, {}),
        ("a role that trusts another account's user", guest, {}),
        ("without the external id", vault, {}),
        ("with another external id", vault, {"ExternalId": "open barley"}),
    ):
        refused(f"sts: {title}", "AccessDenied", assume, status=403, RoleArn=role_arn, RoleSessionName="me", **more)
    refused("sts: a role's session name cannot stand for it", "AccessDenied", person("ConsumerAdmin").sts.assume_role, status=403, RoleArn=reader, RoleSessionName="me")

    for title, code, arguments in (
        ("899 seconds", "ValidationError", {"DurationSeconds": 899}),
        ("longer than the role allows", "ValidationError", {"DurationSeconds": 7200}),
        ("longer than any role allows", "ValidationError", {"DurationSeconds": 43201}),
        ("a session name of one letter", "ValidationError", {"RoleSessionName": "x"}),
        ("a session name with a blank", "ValidationError", {"RoleSessionName": "x y"}),
        ("a session policy that is no JSON", "MalformedPolicyDocument", {"Policy": "{"}),
        ("a session policy with a principal", "MalformedPolicyDocument", {"Policy": trust({"AWS": P})}),
        ("a session policy of 2049 characters", "ValidationError", {"Policy": policy(allow("s3:" + "x" * 2049))}),
    ):
        refused(f"sts: {title}", code, raw, status=400, **{"RoleArn": reader, "RoleSessionName": "me", **arguments})
    refused("sts: a chained session of two hours", "ValidationError", me.sts.assume_role, status=400, words="chaining",
            RoleArn=role(admin, P, "Long", {"AWS": reader}, allow("*")), RoleSessionName="me", DurationSeconds=7200)
    refused("sts: a session gets no session token", "AccessDenied", me.sts.get_session_token, status=403)


def roles():
    admin = person("ProducerAdmin")
    iam, raw = admin.iam, admin.client("iam", validate=False)
    document = trust({"AWS": f"arn:aws:iam::{P}:root"})
    made = ok("iam: make a role", iam.create_role, RoleName="Worker", Path="/team/", AssumeRolePolicyDocument=document, Tags=[{"Key": "a", "Value": "b"}])
    same("iam: a role's path is in its ARN", made.get("Role", {}).get("Arn"), f"arn:aws:iam::{P}:role/team/Worker")
    same("iam: a role keeps its document", ok("iam: read a role", iam.get_role, RoleName="Worker")["Role"]["AssumeRolePolicyDocument"], json.loads(document))
    inline = {"RoleName": "Worker", "PolicyName": "p", "PolicyDocument": policy(allow("s3:GetObject"))}
    ok("iam: an inline policy", iam.put_role_policy, **inline)

    for title, code, call, arguments in (
        ("a role that exists", "EntityAlreadyExists", iam.create_role, {"RoleName": "Worker", "AssumeRolePolicyDocument": document}),
        ("a role that exists in other letters", "EntityAlreadyExists", iam.create_role, {"RoleName": "WORKER", "AssumeRolePolicyDocument": document}),
        ("an unknown role", "NoSuchEntity", iam.get_role, {"RoleName": "Nobody"}),
        ("remove an unknown role", "NoSuchEntity", iam.delete_role, {"RoleName": "Nobody"}),
        ("remove a role with a policy", "DeleteConflict", iam.delete_role, {"RoleName": "Worker"}),
        ("an unknown inline policy", "NoSuchEntity", iam.get_role_policy, {"RoleName": "Worker", "PolicyName": "q"}),
        ("attach an unknown policy", "NoSuchEntity", iam.attach_role_policy, {"RoleName": "Worker", "PolicyArn": f"arn:aws:iam::{P}:policy/none"}),
        ("detach what is not attached", "NoSuchEntity", iam.detach_role_policy, {"RoleName": "Worker", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("a role's name of 65 letters", "ValidationError", raw.create_role, {"RoleName": "x" * 65, "AssumeRolePolicyDocument": document}),
        ("a role's name with a slash", "ValidationError", raw.create_role, {"RoleName": "a/b", "AssumeRolePolicyDocument": document}),
        ("sessions of two minutes", "ValidationError", raw.create_role, {"RoleName": "Short", "AssumeRolePolicyDocument": document, "MaxSessionDuration": 120}),
        ("a service-linked role of an unknown service", "InvalidInput", iam.create_service_linked_role, {"AWSServiceName": "nothing.example.com"}),
    ):
        refused(f"iam: {title}", code, call, **arguments)

    ok("iam: Lake Formation's service-linked role", iam.create_service_linked_role, AWSServiceName="lakeformation.amazonaws.com")
    refused("iam: a second service-linked role", "InvalidInput", iam.create_service_linked_role, AWSServiceName="lakeformation.amazonaws.com",
            words="has been taken in this account, please try a different suffix")
    refused("iam: change a service-linked role", "UnmodifiableEntity", iam.attach_role_policy, RoleName="AWSServiceRoleForLakeFormationDataAccess",
            PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

    for n in range(10):
        iam.attach_role_policy(RoleName="Worker", PolicyArn=iam.create_policy(PolicyName=f"attached{n}", PolicyDocument=policy(allow("s3:GetObject")))["Policy"]["Arn"])
    eleventh = iam.create_policy(PolicyName="eleventh", PolicyDocument=policy(allow("s3:GetObject")))["Policy"]["Arn"]
    refused("iam: an eleventh managed policy of a role", "LimitExceeded", iam.attach_role_policy, RoleName="Worker", PolicyArn=eleventh)
    pages = list(iam.get_paginator("list_attached_role_policies").paginate(RoleName="Worker", PaginationConfig={"PageSize": 3}))
    same("iam: pages of attached policies", [len(p["AttachedPolicies"]) for p in pages], [3, 3, 3, 1])
    same("iam: pages of roles", sorted(r["RoleName"] for p in iam.get_paginator("list_roles").paginate(PathPrefix="/team/", PaginationConfig={"PageSize": 1})
                                       for r in p["Roles"]), ["Worker"])
    refused("iam: remove an attached policy", "DeleteConflict", iam.delete_policy, PolicyArn=f"arn:aws:iam::{P}:policy/attached0")

    # A trust policy keeps who somebody was, not the name.
    iam.create_user(UserName="Leaver")
    iam.create_role(RoleName="Heirloom", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{P}:user/Leaver"}))
    iam.delete_user(UserName="Leaver")
    left = ok("iam: a role that trusts somebody who left", iam.get_role, RoleName="Heirloom")["Role"]["AssumeRolePolicyDocument"]
    true("iam: names the unique id", left["Statement"][0]["Principal"]["AWS"].startswith("AIDA"))
    refused("iam: which cannot be written back", "MalformedPolicyDocument", iam.update_assume_role_policy, RoleName="Heirloom", PolicyDocument=json.dumps(left))


def documents():
    iam = person("ProducerAdmin").iam
    create = lambda document: iam.create_role(RoleName="Faulty", AssumeRolePolicyDocument=document)  # noqa: E731
    for title, document in (
        ("no JSON", "{"),
        ("a principal that does not exist", trust({"AWS": f"arn:aws:iam::{P}:user/Nobody"})),
        ("a role that does not exist", trust({"AWS": f"arn:aws:iam::{C}:role/Nobody"})),
        ("no principal", policy({"Effect": "Allow", "Action": "sts:AssumeRole"})),
        ("a resource", policy({"Effect": "Allow", "Principal": {"AWS": P}, "Action": "sts:AssumeRole", "Resource": "*"})),
        ("an action of another service", policy({"Effect": "Allow", "Principal": {"AWS": P}, "Action": "s3:GetObject"})),
        ("an unknown effect", policy({"Effect": "Perhaps", "Principal": {"AWS": P}, "Action": "sts:AssumeRole"})),
        ("no statement", json.dumps({"Version": "2012-10-17"})),
    ):
        refused(f"iam: a trust policy with {title}", "MalformedPolicyDocument", create, document, status=400)
    put = lambda *statements: iam.put_role_policy(RoleName="Worker", PolicyName="q", PolicyDocument=policy(*statements))  # noqa: E731
    for title, statement in (
        ("a principal", allow("s3:*", Principal="*")),
        ("no resource", {"Effect": "Allow", "Action": "s3:*"}),
        ("no action", {"Effect": "Allow", "Resource": "*"}),
        ("both Action and NotAction", allow("s3:*", NotAction="s3:GetObject")),
        ("an unknown operator", allow("s3:*", Condition={"StringIsh": {"aws:PrincipalArn": "x"}})),
        ("an unknown element", allow("s3:*", Colour="blue")),
    ):
        refused(f"iam: an inline policy with {title}", "MalformedPolicyDocument", put, statement, status=400)
    refused("iam: inline policies of more than 10240 characters", "LimitExceeded", put, allow(["s3:" + "x" * 100 + str(n) for n in range(100)]), status=409)
    make = lambda *statements: iam.create_policy(PolicyName="Big", PolicyDocument=policy(*statements))  # noqa: E731
    refused("iam: a managed policy of more than 6144 characters", "LimitExceeded", make, allow(["s3:" + "x" * 100 + str(n) for n in range(60)]), status=409)
    refused("iam: two statements of one Sid", "MalformedPolicyDocument", make, allow("s3:*", Sid="a"), allow("s3:*", Sid="a"), status=400)

    versioned = ok("iam: a managed policy", iam.create_policy, PolicyName="Versioned", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
    refused("iam: a managed policy that exists", "EntityAlreadyExists", iam.create_policy, PolicyName="Versioned", PolicyDocument=policy(allow("s3:*")))
    for _ in range(4):
        iam.create_policy_version(PolicyArn=versioned, PolicyDocument=policy(allow("s3:*")), SetAsDefault=True)
    refused("iam: a sixth version", "LimitExceeded", iam.create_policy_version, PolicyArn=versioned, PolicyDocument=policy(allow("s3:*")), words="versions")
    refused("iam: remove the default version", "DeleteConflict", iam.delete_policy_version, PolicyArn=versioned, VersionId="v5")
    refused("iam: remove an unknown version", "NoSuchEntity", iam.delete_policy_version, PolicyArn=versioned, VersionId="v9")
    ok("iam: remove the oldest version", iam.delete_policy_version, PolicyArn=versioned, VersionId="v1")
    same("iam: the next version has a new name",
         ok("iam: a next version", iam.create_policy_version, PolicyArn=versioned, PolicyDocument=policy(allow("s3:*")))["PolicyVersion"]["VersionId"], "v6")


def people():
    iam = person("ProducerAdmin").iam
    ok("iam: make a user", iam.create_user, UserName="Ada")
    refused("iam: a user that exists", "EntityAlreadyExists", iam.create_user, UserName="ada")
    refused("iam: a user's name with a blank", "ValidationError", iam.create_user, UserName="a b", status=400)
    refused("iam: an unknown user", "NoSuchEntity", iam.get_user, UserName="Nobody")
    keys = ok("iam: an access key", iam.create_access_key, UserName="Ada")["AccessKey"]
    iam.create_access_key(UserName="Ada")
    refused("iam: a third access key", "LimitExceeded", iam.create_access_key, UserName="Ada")
    refused("iam: remove a user with keys", "DeleteConflict", iam.delete_user, UserName="Ada")
    ada = Caller(keys["AccessKeyId"], keys["SecretAccessKey"])
    ok("iam: everybody may ask who it is", ada.sts.get_caller_identity)
    iam.update_access_key(UserName="Ada", AccessKeyId=keys["AccessKeyId"], Status="Inactive")
    refused("iam: an inactive key", "InvalidClientTokenId", ada.sts.get_caller_identity, status=403)
    iam.update_access_key(UserName="Ada", AccessKeyId=keys["AccessKeyId"], Status="Active")
    iam.put_user_policy(UserName="Ada", PolicyName="p", PolicyDocument=policy(allow("iam:*"), deny("iam:DeleteUser")))
    ok("iam: what a policy allows", ada.iam.list_users)
    refused("iam: what a policy denies", "AccessDenied", ada.iam.delete_user, UserName="Ada", status=403, words="explicit deny")
    iam.put_user_permissions_boundary(UserName="Ada", PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    refused("iam: what the boundary does not allow", "AccessDenied", ada.iam.create_user, UserName="Eve", status=403)

    refused("iam: a user into an unknown group", "NoSuchEntity", iam.add_user_to_group, GroupName="none", UserName="Ada")
    for n in range(11):
        iam.create_group(GroupName=f"group{n}")
        if n < 10:
            iam.add_user_to_group(GroupName=f"group{n}", UserName="Ada")
    refused("iam: an eleventh group", "LimitExceeded", iam.add_user_to_group, GroupName="group10", UserName="Ada")
    ok("iam: once more into the same group", iam.add_user_to_group, GroupName="group0", UserName="Ada")
    refused("iam: remove a group with users", "DeleteConflict", iam.delete_group, GroupName="group0")
    refused("iam: an operation that is not there", "NotImplemented", iam.list_saml_providers, status=501)


def decisions():
    iam = person("ProducerAdmin").iam
    user = f"arn:aws:iam::{P}:user/Ada"
    results = ok("iam: simulate", iam.simulate_principal_policy, PolicySourceArn=user, ActionNames=["iam:ListUsers", "iam:DeleteUser", "s3:PutObject"])
    same("iam: simulated decisions", [r["EvalDecision"] for r in results["EvaluationResults"]], ["allowed", "explicitDeny", "implicitDeny"])
    results = ok("iam: simulate documents", iam.simulate_custom_policy, PolicyInputList=[policy(allow("s3:GetObject", "arn:aws:s3:::b/${aws:username}/*"))],
                 ActionNames=["s3:GetObject"], ResourceArns=["arn:aws:s3:::b/ada/x", "arn:aws:s3:::b/eve/x"],
                 ContextEntries=[{"ContextKeyName": "aws:username", "ContextKeyType": "string", "ContextKeyValues": ["ada"]}])
    same("iam: policy variables", [r["EvalDecision"] for r in results["EvaluationResults"]], ["allowed", "implicitDeny"])
