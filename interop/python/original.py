"""Calls the library aws-data-mesh-utils as it comes, for the Go tests.

Reads one request a line: {"as": identity of the credentials file, "call": method,
"with": arguments}. Answers one line each: {"result": ...} or {"error": {"type",
"code", "message"}}. What the library itself prints goes to standard error.
"""

import json
import os
import sys
import tempfile


def find_the_local_mesh(address):
    """Leads the botocore that the library asks for, which is older than
    AWS_ENDPOINT_URL, to the address: by its own files of endpoints and settings."""
    host = address.removeprefix("http://").rstrip("/")
    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "endpoints.json"), "w") as f:
        json.dump({"version": 3, "partitions": [{
            "partition": "aws", "partitionName": "AWS Standard", "dnsSuffix": "amazonaws.com", "regionRegex": ".*", "regions": {"us-east-1": {"description": ""}}, "services": {},
            "defaults": {"hostname": host, "protocols": ["http"], "signatureVersions": ["v4"]},
        }]}, f)
    with open(os.path.join(folder, "config"), "w") as f:
        f.write("[default]\nsts_regional_endpoints = regional\ns3 =\n    addressing_style = path\n    us_east_1_regional_endpoint = regional\n")
    os.environ.update(AWS_DATA_PATH=folder, AWS_CONFIG_FILE=os.path.join(folder, "config"))


answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

find_the_local_mesh(os.environ["AWS_ENDPOINT_URL"])

import botocore.exceptions  # noqa: E402
from data_mesh_util.DataMeshAdmin import DataMeshAdmin  # noqa: E402
from data_mesh_util.DataMeshConsumer import DataMeshConsumer  # noqa: E402
from data_mesh_util.DataMeshMacros import DataMeshMacros  # noqa: E402
from data_mesh_util.DataMeshProducer import DataMeshProducer  # noqa: E402

CLASSES = {
    "Mesh": DataMeshAdmin,
    "ProducerAdmin": DataMeshAdmin,
    "ConsumerAdmin": DataMeshAdmin,
    "Producer": DataMeshProducer,
    "Consumer": DataMeshConsumer,
}


class Library:
    def __init__(self, credentials):
        self.credentials = credentials
        self.instances = {}

    def instance(self, identity):
        options = {
            "data_mesh_account_id": self.credentials["Mesh"]["AccountId"],
            "region_name": self.credentials["AWS_REGION"],
        }
        if identity == "Macros":
            return DataMeshMacros(**options)
        if identity not in self.instances:
            self.instances[identity] = CLASSES[identity](use_credentials=self.credentials[identity], **options)
        return self.instances[identity]

    def call(self, identity, method, arguments):
        for name, value in arguments.items():
            # An argument that holds an identity's name stands for its credentials.
            if name.endswith("_credentials"):
                arguments[name] = self.credentials[value]
        return getattr(self.instance(identity), method)(**arguments)


def describe(error):
    described = {"type": type(error).__name__, "code": "", "message": str(error)}
    if isinstance(error, botocore.exceptions.ClientError):
        described["code"] = error.response["Error"]["Code"]
    return {"error": described}


def main():
    with open(os.environ["CredentialsFile"]) as f:
        library = Library(json.load(f))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": library.call(request["as"], request["call"], request.get("with") or {})}
        except Exception as error:
            answer = describe(error)
        # Numbers and sets of DynamoDB have no form of their own in JSON.
        print(json.dumps(answer, default=lambda v: sorted(v) if isinstance(v, (set, frozenset)) else str(v)), file=answers, flush=True)


if __name__ == "__main__":
    main()
