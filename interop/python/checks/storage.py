"""S3: buckets, objects, conditions, policies, presigned addresses of both versions,
uploads in pieces and by forms, what a bucket can have."""

import datetime
import io
import json
import urllib.error
import urllib.request

import botocore.auth
from boto3.s3.transfer import TransferConfig
from botocore.awsrequest import AWSRequest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum

from expect import Count, M, P, C, allow, at, deny, ok, person, policy, refused, report, role, same, true


def run():
    objects()
    conditions()
    pieces()
    copies()
    versions()
    settings()
    policies()
    presigned()
    presigned_by_default()
    forms()


def objects():
    admin = person("ProducerAdmin")
    s3, raw = admin.s3, admin.client("s3", validate=False)
    ok("s3: make a bucket", s3.create_bucket, Bucket="harbour")
    refused("s3: a bucket of somebody else", "BucketAlreadyExists", person("ConsumerAdmin").s3.create_bucket, Bucket="harbour", status=409)
    put = ok("s3: write", s3.put_object, Bucket="harbour", Key="a/b c+d.txt", Body=b"hello", Metadata={"k": "v"}, ContentType="text/x")
    got = ok("s3: read", s3.get_object, Bucket="harbour", Key="a/b c+d.txt")
    same("s3: what was written", (got["Body"].read(), got["Metadata"], got["ContentType"], got["ETag"]), (b"hello", {"k": "v"}, "text/x", put["ETag"]))
    same("s3: a range", s3.get_object(Bucket="harbour", Key="a/b c+d.txt", Range="bytes=1-3")["Body"].read(), b"ell")
    etag = put["ETag"]
    for title, code, status, call, arguments in (
        ("an unknown bucket", "NoSuchBucket", 404, s3.list_objects_v2, {"Bucket": "no-such-harbour"}),
        ("an unknown key", "NoSuchKey", 404, s3.get_object, {"Bucket": "harbour", "Key": "none"}),
        ("the head of an unknown key", "404", 404, s3.head_object, {"Bucket": "harbour", "Key": "none"}),
        ("the head of an unknown bucket", "404", 404, s3.head_bucket, {"Bucket": "no-such-harbour"}),
        ("a range beyond the end", "InvalidRange", 416, s3.get_object, {"Bucket": "harbour", "Key": "a/b c+d.txt", "Range": "bytes=9-"}),
        ("unless it has changed", "PreconditionFailed", 412, s3.get_object, {"Bucket": "harbour", "Key": "a/b c+d.txt", "IfMatch": '"0"'}),
        ("only if it has changed", "304", 304, s3.get_object, {"Bucket": "harbour", "Key": "a/b c+d.txt", "IfNoneMatch": etag}),
        ("write only what is new", "PreconditionFailed", 412, s3.put_object, {"Bucket": "harbour", "Key": "a/b c+d.txt", "Body": b"", "IfNoneMatch": "*"}),
        ("copy what is not there", "NoSuchKey", 404, s3.copy_object, {"Bucket": "harbour", "Key": "x", "CopySource": "harbour/none"}),
        ("a bucket that is not empty", "BucketNotEmpty", 409, s3.delete_bucket, {"Bucket": "harbour"}),
        ("a bucket's name in capitals", "InvalidBucketName", 400, raw.create_bucket, {"Bucket": "Harbour"}),
        ("a wrong checksum", "BadDigest", 400, s3.put_object, {"Bucket": "harbour", "Key": "x", "Body": b"hello", "ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}),
        ("a bucket that somebody else should own", "AccessDenied", 403, s3.list_objects_v2, {"Bucket": "harbour", "ExpectedBucketOwner": M}),
    ):
        refused(f"s3: {title}", code, call, status=status, **arguments)
    for n in range(25):
        s3.put_object(Bucket="harbour", Key=f"list/{n % 5}/{n:02}", Body=b"")
    keys = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="harbour", Prefix="list/", PaginationConfig={"PageSize": 7}) for o in page["Contents"]]
    same("s3: pages of keys", keys, sorted(f"list/{n % 5}/{n:02}" for n in range(25)))
    folders = ok("s3: folders", s3.list_objects_v2, Bucket="harbour", Prefix="list/", Delimiter="/")
    same("s3: common prefixes", [p["Prefix"] for p in folders["CommonPrefixes"]], [f"list/{n}/" for n in range(5)])
    deleted = ok("s3: delete several", s3.delete_objects, Bucket="harbour", Delete={"Objects": [{"Key": "list/0/00"}, {"Key": "none"}]})
    same("s3: deleted, there or not", [d["Key"] for d in deleted["Deleted"]], ["list/0/00", "none"])
    copied = ok("s3: copy", s3.copy_object, Bucket="harbour", Key="copy", CopySource={"Bucket": "harbour", "Key": "a/b c+d.txt"})
    same("s3: a copy has its source's tag", copied["CopyObjectResult"]["ETag"], etag)
    ok("s3: tags", s3.put_object_tagging, Bucket="harbour", Key="copy", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    same("s3: an object's tags", s3.get_object_tagging(Bucket="harbour", Key="copy")["TagSet"], [{"Key": "a", "Value": "b"}])
    refused("s3: an operation that is not there", "NotImplemented", s3.get_bucket_metadata_table_configuration, Bucket="harbour", status=501)
    refused("s3: a configuration of metadata that is not there", "NotImplemented", s3.delete_bucket_metadata_table_configuration, Bucket="harbour", status=501)
    ok("s3: does not take the bucket with it", s3.head_bucket, Bucket="harbour")
    refused("s3: an object in a storage class that is none", "InvalidStorageClass", raw.put_object, Bucket="harbour", Key="x", Body=b"", StorageClass="BOGUS", status=400)
    refused("s3: a lock where nothing is locked", "InvalidRequest", s3.put_object, Bucket="harbour", Key="x", Body=b"", ObjectLockLegalHoldStatus="ON", status=400)
    refused("s3: a key of the customer's", "NotImplemented", s3.get_object, Bucket="harbour", Key="copy", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32, status=501)


def conditions():
    s3 = person("ProducerAdmin").s3
    tag = s3.put_object(Bucket="harbour", Key="kept", Body=b"kept")["ETag"]
    wrong = '"0123456789abcdef0123456789abcdef"'
    refused("s3: delete unless it has changed", "PreconditionFailed", s3.delete_object, Bucket="harbour", Key="kept", IfMatch=wrong, status=412)
    refused("s3: delete what must be there", "NoSuchKey", s3.delete_object, Bucket="harbour", Key="none", IfMatch="*", status=404)
    refused("s3: copy over what must not be there", "PreconditionFailed", s3.copy_object, Bucket="harbour", Key="kept", CopySource="harbour/copy", IfNoneMatch="*", status=412)
    refused("s3: copy over what has changed", "PreconditionFailed", s3.copy_object, Bucket="harbour", Key="kept", CopySource="harbour/copy", IfMatch=wrong, status=412)
    answer = s3.delete_objects(Bucket="harbour", Delete={"Objects": [{"Key": "kept", "ETag": wrong}, {"Key": "none"}]})
    same("s3: delete several unless they have changed", [(e["Key"], e["Code"]) for e in answer["Errors"]], [("kept", "PreconditionFailed")])
    same("s3: nothing of it happened", s3.get_object(Bucket="harbour", Key="kept")["Body"].read(), b"kept")
    ok("s3: delete what has not changed", s3.delete_object, Bucket="harbour", Key="kept", IfMatch=tag)


def copies():
    admin = person("ProducerAdmin")
    s3 = admin.s3
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    ok("s3: a copy in parts", s3.copy, {"Bucket": "harbour", "Key": "big"}, "harbour", "big-copy", Config=parts)
    big = bytes(range(256)) * 4096 * 6
    true("s3: has its source's content", s3.get_object(Bucket="harbour", Key="big-copy")["Body"].read() == big)
    head = ok("s3: the second part", s3.head_object, Bucket="harbour", Key="big", PartNumber=2)
    same("s3: is that of an upload in parts", (head["PartsCount"], head["ContentLength"]), (2, len(big) - (5 << 20)))
    refused("s3: a part that is not there", "416", s3.head_object, Bucket="harbour", Key="big", PartNumber=3, status=416)
    got = ok("s3: attributes", s3.get_object_attributes, Bucket="harbour", Key="big", ObjectAttributes=["ETag", "Checksum", "ObjectParts", "ObjectSize", "StorageClass"])
    same("s3: tell its parts", (got["ObjectSize"], got["ObjectParts"]["TotalPartsCount"], got["StorageClass"]), (len(big), 2, "STANDARD"))
    upload = s3.create_multipart_upload(Bucket="harbour", Key="twice")["UploadId"]
    tag = s3.upload_part(Bucket="harbour", Key="twice", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    complete = lambda: s3.complete_multipart_upload(Bucket="harbour", Key="twice", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})  # noqa: E731
    first = ok("s3: complete an upload", complete)
    again = ok("s3: and once more", complete)
    same("s3: with the same answer", again["ETag"], first["ETag"])
    true("s3: where the object is", first["Location"].startswith("http") and first["Location"].endswith("/harbour/twice"))
    bucket = admin.session.resource("s3").Bucket("harbour")
    true("s3: versions", all(v.id == "null" for v in bucket.object_versions.all()))
    refused("s3: a copy of a part that is not there", "NoSuchKey", s3.upload_part_copy, Bucket="harbour", Key="x",
            UploadId=s3.create_multipart_upload(Bucket="harbour", Key="x")["UploadId"], PartNumber=1, CopySource="harbour/none", status=404)


def versions():
    admin = person("ProducerAdmin")
    s3 = admin.s3
    s3.create_bucket(Bucket="layers")
    ok("s3: keep versions", s3.put_bucket_versioning, Bucket="layers", VersioningConfiguration={"Status": "Enabled"})
    first, second = (s3.put_object(Bucket="layers", Key="k", Body=b)["VersionId"] for b in (b"one", b"two"))
    same("s3: the version before", s3.get_object(Bucket="layers", Key="k", VersionId=first)["Body"].read(), b"one")
    marker = ok("s3: delete what has versions", s3.delete_object, Bucket="layers", Key="k")
    true("s3: leaves a marker", marker["DeleteMarker"])
    refused("s3: is gone", "NoSuchKey", s3.get_object, Bucket="layers", Key="k", status=404)
    refused("s3: a marker has no content", "MethodNotAllowed", s3.get_object, Bucket="layers", Key="k", VersionId=marker["VersionId"], status=405)
    listed = s3.list_object_versions(Bucket="layers")
    same("s3: all of its versions", ([v["VersionId"] for v in listed["Versions"]], [m["IsLatest"] for m in listed["DeleteMarkers"]]), ([second, first], [True]))
    refused("s3: a bucket with versions alone", "BucketNotEmpty", s3.delete_bucket, Bucket="layers", status=409)
    ok("s3: delete the marker", s3.delete_object, Bucket="layers", Key="k", VersionId=marker["VersionId"])
    same("s3: and it is back", s3.get_object(Bucket="layers", Key="k")["Body"].read(), b"two")
    refused("s3: a version that is not there", "NoSuchVersion", s3.get_object, Bucket="layers", Key="k", VersionId="none", status=404)
    bucket = admin.session.resource("s3").Bucket("layers")
    ok("s3: delete all versions", bucket.object_versions.delete)
    ok("s3: and the bucket", bucket.delete)


def settings():
    s3 = person("ProducerAdmin").s3
    for title, call in (("acl", s3.get_bucket_acl), ("versioning", s3.get_bucket_versioning), ("encryption", s3.get_bucket_encryption), ("logging", s3.get_bucket_logging),
                        ("ownership", s3.get_bucket_ownership_controls), ("notifications", s3.get_bucket_notification_configuration), ("who pays", s3.get_bucket_request_payment),
                        ("acceleration", s3.get_bucket_accelerate_configuration), ("inventories", s3.list_bucket_inventory_configurations)):
        ok(f"s3: a bucket's {title}", call, Bucket="harbour")
    for code, call in (("NoSuchCORSConfiguration", s3.get_bucket_cors), ("NoSuchWebsiteConfiguration", s3.get_bucket_website),
                       ("ReplicationConfigurationNotFoundError", s3.get_bucket_replication), ("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration),
                       ("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration)):
        refused(f"s3: {code}", code, call, Bucket="harbour", status=404)
    refused("s3: deletes that need a second factor", "NotImplemented", s3.put_bucket_versioning, Bucket="harbour",
            VersioningConfiguration={"Status": "Enabled", "MFADelete": "Enabled"}, MFA="serial 123456", status=501)
    refused("s3: a bucket for everybody by its list", "AccessControlListNotSupported", s3.put_bucket_acl, Bucket="harbour", ACL="public-read", status=400)
    rules = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}]
    ok("s3: a lifecycle", s3.put_bucket_lifecycle_configuration, Bucket="harbour", LifecycleConfiguration={"Rules": rules})
    same("s3: is read back", s3.get_bucket_lifecycle_configuration(Bucket="harbour")["Rules"], rules)
    ok("s3: and removed", s3.delete_bucket_lifecycle, Bucket="harbour")


class Chunked(botocore.auth.S3SigV4Auth):
    """Signs a request whose checksum comes behind its body, in chunks that are not
    signed themselves; boto3 sends those over TLS only."""

    def payload(self, request):
        return "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def send_chunked(admin, key, data, trailer=None):
    body = AwsChunkedWrapper(io.BytesIO(data), checksum_cls=Crc32Checksum, checksum_name="x-amz-checksum-crc32", chunk_size=64 << 10).read()
    if trailer:
        body = body[:body.rindex(b"x-amz-checksum-crc32:")] + b"x-amz-checksum-crc32:" + trailer + b"\r\n\r\n"
    request = AWSRequest("PUT", f"{admin.s3.meta.endpoint_url}/harbour/{key}", data=body, headers={
        "Content-Encoding": "aws-chunked", "X-Amz-Trailer": "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length": str(len(data)), "Content-Length": str(len(body))})
    Chunked(admin.session.get_credentials(), "s3", admin.session.region_name).add_auth(request)
    return fetch(request.url, "PUT", body, dict(request.headers.items()))


def pieces():
    admin = person("ProducerAdmin")
    s3 = admin.s3
    big = bytes(range(256)) * 4096 * 6
    s3.upload_fileobj(io.BytesIO(big), "harbour", "big", Config=TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20))
    head = ok("s3: an upload in parts", s3.head_object, Bucket="harbour", Key="big")
    true("s3: its tag names the number of parts", head["ETag"].endswith('-2"'))
    same("s3: its size", head["ContentLength"], len(big))
    data = b"chunk" * 50000
    same("s3: an upload in chunks", send_chunked(admin, "chunked", data)[0], 200)
    got = s3.get_object(Bucket="harbour", Key="chunked", ChecksumMode="ENABLED")
    same("s3: arrives without its frame", (got["Body"].read() == data, got.get("ContentEncoding")), (True, None))
    true("s3: with the checksum that came behind it", got.get("ChecksumCRC32"))
    Count.errors += 1
    status, body = send_chunked(admin, "chunked", data, b"AAAAAA==")
    report("s3: chunks with a wrong checksum", None if status == 400 and b"<Code>BadDigest</Code>" in body else f"{status} {body[:200]}")
    upload = ok("s3: begin an upload", s3.create_multipart_upload, Bucket="harbour", Key="parts")["UploadId"]
    here = {"Bucket": "harbour", "Key": "parts", "UploadId": upload}
    tags = [s3.upload_part(**here, PartNumber=n, Body=b"small")["ETag"] for n in (1, 2)]
    complete = lambda *parts: s3.complete_multipart_upload(**here, MultipartUpload={"Parts": [{"PartNumber": n, "ETag": t} for n, t in parts]})  # noqa: E731
    refused("s3: parts that are too small", "EntityTooSmall", complete, (1, tags[0]), (2, tags[1]), status=400)
    refused("s3: parts in disorder", "InvalidPartOrder", complete, (2, tags[1]), (1, tags[0]), status=400)
    refused("s3: a part that was not sent", "InvalidPart", complete, (3, tags[0]), status=400)
    refused("s3: an unknown upload", "NoSuchUpload", s3.upload_part, Bucket="harbour", Key="parts", UploadId="none", PartNumber=1, Body=b"", status=404)
    ok("s3: abort an upload", s3.abort_multipart_upload, **here)
    refused("s3: after which it is gone", "NoSuchUpload", s3.list_parts, **here, status=404)


def policies():
    admin, guest = person("ProducerAdmin"), person("ConsumerAdmin")
    s3 = admin.s3
    put = lambda *statements: s3.put_bucket_policy(Bucket="harbour", Policy=policy(*statements))  # noqa: E731
    opening = allow("s3:GetObject", "arn:aws:s3:::harbour/list/*", Principal={"AWS": C})
    refused("s3: no policy", "NoSuchBucketPolicy", s3.get_bucket_policy, Bucket="harbour", status=404)
    refused("s3: another account before", "AccessDenied", guest.s3.get_object, Bucket="harbour", Key="list/1/01", status=403)
    ok("s3: a bucket policy", put, opening)
    same("s3: is read back", json.loads(s3.get_bucket_policy(Bucket="harbour")["Policy"])["Statement"][0]["Action"], "s3:GetObject")
    ok("s3: another account after", guest.s3.get_object, Bucket="harbour", Key="list/1/01")
    refused("s3: in its prefix only", "AccessDenied", guest.s3.get_object, Bucket="harbour", Key="copy", status=403)
    refused("s3: and with its action only", "AccessDenied", guest.s3.put_object, Bucket="harbour", Key="list/x", Body=b"", status=403)
    weak = guest.assume(role(guest, C, "NoStorage", {"AWS": C}, allow("glue:*")))
    refused("s3: both accounts must allow it", "AccessDenied", weak.s3.get_object, Bucket="harbour", Key="list/1/01", status=403)
    refused("s3: another account does not set the policy", "AccessDenied", guest.s3.put_bucket_policy, Bucket="harbour", Policy=policy(opening), status=403)
    ok("s3: not even", put, opening, allow("s3:PutBucketPolicy", "arn:aws:s3:::harbour", Principal={"AWS": C}))
    refused("s3: where the policy lets it", "MethodNotAllowed", guest.s3.put_bucket_policy, Bucket="harbour", Policy=policy(opening), status=405)
    for title, code, status, statements in (
        ("for somebody who does not exist", "MalformedPolicy", 400, [allow("s3:GetObject", "arn:aws:s3:::harbour/*", Principal={"AWS": f"arn:aws:iam::{C}:role/Nobody"})]),
        ("on another bucket", "MalformedPolicy", 400, [allow("s3:GetObject", "arn:aws:s3:::reef/*", Principal="*")]),
        ("without a principal", "MalformedPolicy", 400, [allow("s3:GetObject", "arn:aws:s3:::harbour/*")]),
        ("with an action of another service", "MalformedPolicy", 400, [allow("glue:GetTable", "arn:aws:s3:::harbour/*", Principal="*")]),
        ("with a bucket's action on objects", "MalformedPolicy", 400, [allow("s3:ListBucket", "arn:aws:s3:::harbour/*", Principal="*")]),
        ("of more than 20 KB", "MalformedPolicy", 400, [allow("s3:GetObject", [f"arn:aws:s3:::harbour/{n:04}{'x' * 80}/*" for n in range(220)], Principal={"AWS": C})]),
    ):
        refused(f"s3: a policy {title}", code, put, *statements, status=status)
    ok("s3: lists of a prefix", put, allow("s3:ListBucket", "arn:aws:s3:::harbour", Principal={"AWS": C}, Condition={"StringLike": {"s3:prefix": "list/*"}}))
    ok("s3: list within it", guest.s3.list_objects_v2, Bucket="harbour", Prefix="list/1")
    refused("s3: list beyond it", "AccessDenied", guest.s3.list_objects_v2, Bucket="harbour", status=403)
    ok("s3: a denial", put, deny("s3:GetObject", "arn:aws:s3:::harbour/copy", Principal="*"))
    refused("s3: holds for administrators", "AccessDenied", s3.get_object, Bucket="harbour", Key="copy", status=403)
    ok("s3: remove the policy", s3.delete_bucket_policy, Bucket="harbour")
    ok("s3: and it is open again", s3.get_object, Bucket="harbour", Key="copy")


def fetch(url, method="GET", body=None, headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method, headers=headers or {})) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def presigned():
    s3 = person("ProducerAdmin").client("s3", signature_version="s3v4")
    sign = lambda operation, key="copy", seconds=60: s3.generate_presigned_url(operation, {"Bucket": "harbour", "Key": key}, ExpiresIn=seconds)  # noqa: E731
    same("s3: a presigned address", fetch(sign("get_object")), (200, b"hello"))
    same("s3: a presigned upload", fetch(sign("put_object", "by-address"), "PUT", b"up")[0], 200)
    same("s3: arrives", s3.get_object(Bucket="harbour", Key="by-address")["Body"].read(), b"up")
    with at(datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(minutes=10)):
        expired = sign("get_object")
    for title, url, method, want in (
        ("that has expired", expired, "GET", b"AccessDenied"),
        ("for another key", sign("get_object").replace("/copy", "/big"), "GET", b"SignatureDoesNotMatch"),
        ("for another method", sign("get_object"), "DELETE", b"SignatureDoesNotMatch"),
        ("that was prolonged", sign("get_object").replace("=60", "=600"), "GET", b"SignatureDoesNotMatch"),
    ):
        Count.errors += 1
        status, body = fetch(url, method)
        report(f"s3: an address {title}", None if status == 403 and b"<Code>" + want + b"</Code>" in body else f"{status} {body[:200]}")
    Count.errors += 1
    status, body = fetch(s3.meta.endpoint_url + "/harbour/copy")
    report("s3: without a signature", None if status == 403 and b"AccessDenied" in body else f"{status} {body[:200]}")


def presigned_by_default():
    """What boto3 and the AWS CLI presign for an endpoint of one's own: version 2."""
    s3 = person("ProducerAdmin").s3
    sign = lambda operation, seconds=60, **more: s3.generate_presigned_url(operation, {"Bucket": "harbour", **more}, ExpiresIn=seconds)  # noqa: E731
    url = sign("get_object", Key="a/b c+d.txt")
    true("s3: an address of version 2", "AWSAccessKeyId=" in url)
    same("s3: is answered", fetch(url), (200, b"hello"))
    same("s3: with a header that it chooses", fetch(sign("get_object", Key="copy", ResponseContentType="text/a b"))[0], 200)
    same("s3: a listing", fetch(sign("list_objects_v2", Prefix="list/"))[0], 200)
    same("s3: an upload", fetch(sign("put_object", Key="by-default", Metadata={"a": "b"}, StorageClass="STANDARD_IA"), "PUT", b"up", {"Content-Type": ""})[0], 200)
    head = s3.head_object(Bucket="harbour", Key="by-default")
    same("s3: with what stands for headers in it", (head["Metadata"], head["StorageClass"]), ({"a": "b"}, "STANDARD_IA"))
    for title, address, method, status, want in (
        ("that has expired", sign("get_object", seconds=-1, Key="copy"), "GET", 403, b"AccessDenied"),
        ("for another key", sign("get_object", Key="copy").replace("/copy", "/big"), "GET", 403, b"SignatureDoesNotMatch"),
        ("for another method", sign("get_object", Key="copy"), "DELETE", 403, b"SignatureDoesNotMatch"),
        ("with a subresource more", sign("get_object", Key="copy") + "&acl", "GET", 403, b"SignatureDoesNotMatch"),
        ("with another operation behind it", sign("list_objects_v2") + "&publicAccessBlock", "GET", 501, b"NotImplemented"),
    ):
        Count.errors += 1
        got, body = fetch(address, method)
        report(f"s3: an address of version 2 {title}", None if got == status and want in body else f"{got} {body[:200]}")


def send_form(post, content, **more):
    """Sends a form as a browser does."""
    line = "----lakemesh"
    fields = {**post["fields"], **more}
    body = b"".join(f'--{line}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items())
    body += f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n\r\n'.encode() + content + f"\r\n--{line}--\r\n".encode()
    return fetch(post["url"], "POST", body, {"Content-Type": f"multipart/form-data; boundary={line}"})


def forms():
    admin = person("ProducerAdmin")
    for version in (None, "s3v4"):
        s3 = admin.client("s3", **({"signature_version": version} if version else {}))
        name = version or "version 2"
        sign = lambda key="form/${filename}", seconds=60, conditions=(["content-length-range", 1, 8],), **fields: s3.generate_presigned_post(  # noqa: E731
            "harbour", key, Fields=fields or None, Conditions=list(conditions) + [{n: v} for n, v in fields.items()], ExpiresIn=seconds)  # noqa: B023
        same(f"s3: a form of {name}", send_form(sign(), b"rows")[0], 204)
        same("s3: arrives", s3.get_object(Bucket="harbour", Key="form/f.csv")["Body"].read(), b"rows")
        status, body = send_form(sign(success_action_status="201"), b"rows")
        same("s3: and says where", (status, b"<Key>form/f.csv</Key>" in body), (201, True))
        for title, post, content, more, want in (
            ("that has expired", sign(seconds=-1), b"rows", {}, (403, b"Policy expired")),
            ("with more than it may have", sign(), b"too many rows", {}, (400, b"EntityTooLarge")),
            ("for another key", sign("form/k"), b"rows", {"key": "other"}, (403, b"Policy Condition failed")),
            ("with a field more", sign(), b"rows", {"x-amz-meta-a": "b"}, (403, b"Extra input fields")),
            ("with another policy", sign(), b"rows", {"policy": "e30="}, (403, b"SignatureDoesNotMatch")),
            ("that nobody signed", {"url": sign()["url"], "fields": {"key": "form/k"}}, b"rows", {}, (403, b"AccessDenied")),
        ):
            Count.errors += 1
            status, body = send_form(post, content, **more)
            report(f"s3: a form of {name} {title}", None if (status, want[1] in body) == (want[0], True) else f"{status} {body[:200]}")
