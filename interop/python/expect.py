"""What the checks are written with: who calls, what is expected, and the count."""

import json
import os
import sys

import boto3
import botocore.auth
from botocore.config import Config
from botocore.exceptions import ClientError

with open(os.environ["CredentialsFile"]) as file:
    CREDENTIALS = json.load(file)

REGION = CREDENTIALS["AWS_REGION"]
M, P, C = (CREDENTIALS[i]["AccountId"] for i in ("Mesh", "ProducerAdmin", "ConsumerAdmin"))


class Count:
    passed = failed = errors = 0


class Caller:
    """Clients with one caller's keys, without retries and, where a check sends
    what boto3 itself would refuse, without its validation."""

    def __init__(self, key, secret, token=None):
        self.keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
        self.session = boto3.session.Session(region_name=REGION, **self.keys)
        self.clients = {}

    def client(self, service, validate=True, **config):
        key = (service, validate, json.dumps(config, sort_keys=True))
        if key not in self.clients:
            self.clients[key] = self.session.client(service, config=Config(
                retries={"total_max_attempts": 1}, parameter_validation=validate, **config))
        return self.clients[key]

    def __getattr__(self, service):
        return self.client(service)

    def assume(self, role, **arguments):
        """The caller that it becomes by assuming a role."""
        return caller(self.sts.assume_role(RoleArn=role, RoleSessionName="checks", **arguments)["Credentials"])


def caller(keys):
    return Caller(keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"))


def person(identity):
    return caller(CREDENTIALS[identity])


def report(name, problem):
    if problem is None:
        Count.passed += 1
        return
    Count.failed += 1
    print(f"FAILED {name}: {problem}", flush=True)


def ok(name, call, *args, **arguments):
    """The call is answered; gives back the answer, {} if it was refused."""
    try:
        answer = call(*args, **arguments)
    except Exception as error:
        report(name, f"{type(error).__name__}: {error}")
        return {}
    report(name, None)
    return answer


def same(name, got, want):
    report(name, None if got == want else f"got {got!r}, want {want!r}")


def true(name, value):
    report(name, None if value else f"got {value!r}")


def modelled_status(error, client):
    """The HTTP status that the service's model gives an error code; those of JSON
    services without one are 400."""
    for shape in client.meta.service_model.error_shapes:
        if error.response["Error"]["Code"] in (shape.error_code, shape.name):
            status = shape.metadata.get("error", {}).get("httpStatusCode")
            if status is None and client.meta.service_model.metadata["protocol"] == "json":
                return 500 if shape.metadata.get("fault") else 400
            return status
    return None


# Lake Formation's model says 403, what it answers in the field is 400.
EITHER = {("lakeformation", "AccessDeniedException"): (400, 403)}


def refused(name, code, call, *args, status=None, words="", **arguments):
    """The call is refused with the code, with the status or else with that of the
    service's model, and with the words in its message."""
    Count.errors += 1
    client = getattr(call, "__self__", None)
    client = getattr(getattr(client, "meta", None), "client", client)
    try:
        answer = call(*args, **arguments)
    except ClientError as error:
        response = error.response
        got, got_status = response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
        want = (status,) if status else ()
        if not want and hasattr(client, "meta"):
            service = client.meta.service_model.service_name
            modelled = modelled_status(error, client)
            want = EITHER.get((service, got)) or ((modelled,) if modelled else ())
        if got != code:
            report(name, f"got {error}, want {code}")
        elif want and got_status not in want:
            report(name, f"got status {got_status} with {code}, want {want}")
        elif words not in response["Error"].get("Message", ""):
            report(name, f"message {response['Error'].get('Message')!r} lacks {words!r}")
        else:
            report(name, None)
        return error.response
    except Exception as error:
        report(name, f"{type(error).__name__}: {error}, want {code}")
        return {}
    answer.pop("ResponseMetadata", None) if isinstance(answer, dict) else None
    report(name, f"it was answered, want {code}: {str(answer)[:300]}")
    return {}


def failures(name, code, answer, entries):
    """A batch is answered with the failures of just these entries, with the code."""
    Count.errors += 1
    got = sorted((f["RequestEntry"]["Id"], f["Error"]["ErrorCode"]) for f in answer.get("Failures", []))
    same(name, got, sorted((e, code) for e in entries))


class at:
    """Signs what is sent within it with another time."""

    def __init__(self, moment):
        self.moment = moment

    def __enter__(self):
        self.before = botocore.auth.get_current_datetime
        botocore.auth.get_current_datetime = lambda *_, **__: self.moment

    def __exit__(self, *_):
        botocore.auth.get_current_datetime = self.before


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def trust(principal, **more):
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def role(by, account, name, principal, *statements, **more):
    """Makes a role with one inline policy and gives back its ARN."""
    by.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(principal, **more))
    if statements:
        by.iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=policy(*statements))
    return f"arn:aws:iam::{account}:role/{name}"


def finish():
    print(f"{Count.passed} passed, {Count.failed} failed, of which {Count.errors} expect an error")
    sys.exit(1 if Count.failed else 0)
