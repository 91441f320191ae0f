"""EventBridge Scheduler: groups, schedules, and what they call. The producer's
administrator makes them in its own account."""

import json
import time

from expect import P, REGION, allow, ok, person, policy, refused, role, same, true

REVOKE = "arn:aws:scheduler:::aws-sdk:lakeformation:revokePermissions"
LATER = "at(2199-12-31T23:59:59)"
GROUP = f"arn:aws:scheduler:{REGION}:{P}:schedule-group/ends"
OFF = {"Mode": "OFF"}


def run():
    owner = person("ProducerAdmin")
    ender = role(owner, P, "Ender", {"Service": "scheduler.amazonaws.com"}, allow(["lakeformation:RevokePermissions", "glue:GetDatabase"]))
    target = {"Arn": REVOKE, "RoleArn": ender, "Input": "{}"}
    groups(owner.scheduler)
    schedules(owner.scheduler, target)
    refusals(owner, target)
    calls(owner, target)


def groups(scheduler):
    same("schedules: the ARN of a group", ok("schedules: make a group", scheduler.create_schedule_group, Name="ends",
         Tags=[{"Key": "a b/c", "Value": "1"}]).get("ScheduleGroupArn"), GROUP)
    refused("schedules: a group twice", "ConflictException", scheduler.create_schedule_group, Name="ends")
    refused("schedules: a group that is not there", "ResourceNotFoundException", scheduler.get_schedule_group, Name="none")
    refused("schedules: delete the group default", "ValidationException", scheduler.delete_schedule_group, Name="default")
    ok("schedules: tag", scheduler.tag_resource, ResourceArn=GROUP, Tags=[{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}])
    ok("schedules: untag", scheduler.untag_resource, ResourceArn=GROUP, TagKeys=["a b/c", "k"])
    same("schedules: tags", scheduler.list_tags_for_resource(ResourceArn=GROUP)["Tags"], [{"Key": "l", "Value": "w"}])
    same("schedules: groups", [g["Name"] for page in scheduler.get_paginator("list_schedule_groups").paginate(
         PaginationConfig={"PageSize": 1}) for g in page["ScheduleGroups"]], ["default", "ends"])


def schedules(scheduler, target):
    given = {"Name": "one", "GroupName": "ends", "ScheduleExpression": LATER, "ScheduleExpressionTimezone": "Europe/Berlin",
             "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}, "Description": "ends", "State": "DISABLED",
             "ActionAfterCompletion": "DELETE", "Target": {**target, "RetryPolicy": {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60},
             "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{P}:dead"}}}
    arn = f"arn:aws:scheduler:{REGION}:{P}:schedule/ends/one"
    same("schedules: the ARN of a schedule", ok("schedules: make one", scheduler.create_schedule, **given).get("ScheduleArn"), arn)
    got = ok("schedules: get it", scheduler.get_schedule, Name="one", GroupName="ends")
    same("schedules: it is what was given", {k: v for k, v in got.items() if k in given}, given)
    true("schedules: it has times", abs(got["CreationDate"].timestamp() - time.time()) < 3600 and got["Arn"] == arn)
    ok("schedules: update it", scheduler.update_schedule, Name="one", GroupName="ends", ScheduleExpression=LATER, FlexibleTimeWindow=OFF, Target=target)
    got = scheduler.get_schedule(Name="one", GroupName="ends")
    same("schedules: what was not given is as by default", (got.get("Description"), got["State"], got["ScheduleExpressionTimezone"],
         got["FlexibleTimeWindow"], got["ActionAfterCompletion"], got["Target"].get("DeadLetterConfig")), (None, "ENABLED", "UTC", OFF, "NONE", None))
    for name in ("two", "three"):
        ok(f"schedules: make {name}", scheduler.create_schedule, Name=name, ScheduleExpression=LATER, FlexibleTimeWindow=OFF, Target=target)
    same("schedules: a listing", [(s["GroupName"], s["Name"]) for page in scheduler.get_paginator("list_schedules").paginate(
         PaginationConfig={"PageSize": 2}) for s in page["Schedules"]], [("default", "three"), ("default", "two"), ("ends", "one")])
    same("schedules: by group and prefix", [s["Name"] for s in scheduler.list_schedules(GroupName="default", NamePrefix="tw", State="ENABLED")["Schedules"]], ["two"])
    ok("schedules: delete one", scheduler.delete_schedule, Name="two")
    refused("schedules: delete it again", "ResourceNotFoundException", scheduler.delete_schedule, Name="two")
    ok("schedules: delete the group", scheduler.delete_schedule_group, Name="ends")
    refused("schedules: its schedules are gone", "ResourceNotFoundException", scheduler.get_schedule, Name="one", GroupName="ends")


def refusals(owner, target):
    make = owner.client("scheduler", validate=False).create_schedule
    good = {"Name": "bad", "ScheduleExpression": LATER, "FlexibleTimeWindow": OFF, "Target": target}
    for title, change in (
        ("a name with a space", {"Name": "a b"}),
        ("a name that is too long", {"Name": "n" * 65}),
        ("an expression with a zone", {"ScheduleExpression": "at(2199-12-31T23:59:59Z)"}),
        ("a zone that is none", {"ScheduleExpressionTimezone": "Mars"}),
        ("no window", {"FlexibleTimeWindow": None}),
        ("a window without minutes", {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}),
        ("too many attempts", {"Target": {**target, "RetryPolicy": {"MaximumRetryAttempts": 186}}}),
        ("a FIFO queue", {"Target": {**target, "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{P}:dead.fifo"}}}),
        ("a target that reads", {"Target": {**target, "Arn": "arn:aws:scheduler:::aws-sdk:lakeformation:listPermissions"}}),
        ("an action in capitals", {"Target": {**target, "Arn": "arn:aws:scheduler:::aws-sdk:lakeformation:RevokePermissions"}}),
        ("no input", {"Target": {"Arn": REVOKE, "RoleArn": target["RoleArn"]}}),
        ("a role that does not trust it", {"Target": {**target, "RoleArn": role(owner, P, "Distrusting", {"Service": "glue.amazonaws.com"})}}),
    ):
        refused(f"schedules: {title}", "ValidationException", make, **{k: v for k, v in {**good, **change}.items() if v is not None})
    refused("schedules: a group that is not there", "ResourceNotFoundException", make, **good, GroupName="none")
    refused("schedules: a recurring one", "NotImplemented", make, status=501, words="recurring", **{**good, "ScheduleExpression": "rate(1 day)"})
    clerk = owner.assume(role(owner, P, "EndingClerk", {"AWS": P}, allow("scheduler:*", f"arn:aws:scheduler:{REGION}:{P}:schedule/default/mine-*")))
    refused("schedules: no right to pass the role", "AccessDeniedException", clerk.scheduler.create_schedule, status=403, words="iam:PassRole", **{**good, "Name": "mine-1"})
    refused("schedules: another's schedule", "AccessDeniedException", clerk.scheduler.get_schedule, status=403, words="schedule/default/three", Name="three")
    owner.iam.put_role_policy(RoleName="EndingClerk", PolicyName="pass", PolicyDocument=policy(allow("iam:PassRole", target["RoleArn"])))
    ok("schedules: with that right", clerk.scheduler.create_schedule, **{**good, "Name": "mine-1"})


def calls(owner, target):
    lake = owner.lakeformation
    owner.glue.create_database(DatabaseInput={"Name": "ending"})
    reader = role(owner, P, "EndingReader", {"AWS": P}, allow("*"))
    row = {"Principal": {"DataLakePrincipalIdentifier": reader}, "Resource": {"Database": {"Name": "ending"}}, "Permissions": ["ALTER"]}
    held = lambda: lake.list_permissions(Principal=row["Principal"], Resource=row["Resource"])["PrincipalResourcePermissions"]
    lake.grant_permissions(**row)
    settings = lake.get_data_lake_settings()["DataLakeSettings"]
    once = {"ScheduleExpression": "at(2020-01-01T00:00:00)", "FlexibleTimeWindow": OFF, "ActionAfterCompletion": "DELETE", "Target": {**target, "Input": json.dumps(row)}}
    ok("schedules: one that is due, as a role that may not", owner.scheduler.create_schedule, Name="weak", **once)
    same("schedules: it revoked nothing", len(held()), 1)
    admins = settings["DataLakeAdmins"] + [{"DataLakePrincipalIdentifier": target["RoleArn"]}]
    lake.put_data_lake_settings(DataLakeSettings={**settings, "DataLakeAdmins": admins})
    ok("schedules: one that is due, as a role that may", owner.scheduler.create_schedule, Name="strong", **once)
    same("schedules: it revoked", held(), [])
    refused("schedules: and is gone", "ResourceNotFoundException", owner.scheduler.get_schedule, Name="strong")
    lake.put_data_lake_settings(DataLakeSettings=settings)
