"""A role that may call everything and read nothing: what it is refused is refused by the
bucket's owner's policies or by Lake Formation, and not by the program."""

import os
import sys

import boto3


def refused(what, attempt, *words):
    """Tells that an attempt was refused, in one of the words."""
    try:
        got = attempt()
    except Exception as error:
        # Programs wrap AWS's answer several times.
        texts = []
        while error is not None:
            texts.append(f"{type(error).__name__}: {error}")
            error = error.__cause__ or error.__context__
        if not any(w.lower() in t.lower() for w in words for t in texts):
            raise AssertionError(f"{what}: refused for another reason: {texts}")
        return
    raise AssertionError(f"{what}: not refused, got {got!r}")


def equal(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
REGION = os.environ["AWS_REGION"]


def bucket(name):
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def outsider():
    """Keys of a role of the account that has no policy at all."""
    iam = boto3.client("iam")
    account = boto3.client("sts").get_caller_identity()["Account"]
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"sts:AssumeRole"}]}' % account
    role = iam.create_role(RoleName="Outsider-" + os.path.basename(sys.argv[0]).removesuffix(".py"), AssumeRolePolicyDocument=trust)["Role"]
    return boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="out")["Credentials"]
