// The AWS SDK for JavaScript against the local mesh: what it does for a program, and what it is refused.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";

import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateDatabaseCommand, CreateTableCommand as CreateGlueTableCommand, GetTableCommand, GlueClient, paginateGetTables } from "@aws-sdk/client-glue";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand, waitUntilRoleExists } from "@aws-sdk/client-iam";
import { GrantPermissionsCommand, LakeFormationClient, ListPermissionsCommand } from "@aws-sdk/client-lakeformation";
import { CreateBucketCommand, DeleteObjectsCommand, GetObjectCommand, PutObjectCommand, S3Client, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { DynamoDBDocumentClient, GetCommand, PutCommand, TransactWriteCommand, paginateQuery } from "@aws-sdk/lib-dynamodb";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const { Account: account } = await new STSClient().send(new GetCallerIdentityCommand({}));
const refused = (name) => (error) => error.name === name || assert.fail(`${error.name}: ${error.message}, want ${name}`);

// S3: streams, parts, checksums, pages, presigned addresses, conditions.
const s3 = new S3Client({ forcePathStyle: true });
const Bucket = "from-javascript";
await s3.send(new CreateBucketCommand({ Bucket }));
const big = randomBytes(12 * 2 ** 20);
await new Upload({ client: s3, params: { Bucket, Key: "big", Body: Readable.from([big]) }, partSize: 5 * 2 ** 20, queueSize: 2 }).done();
const read = await s3.send(new GetObjectCommand({ Bucket, Key: "big", ChecksumMode: "ENABLED" }));
assert.deepEqual(Buffer.from(await read.Body.transformToByteArray()), big);
await Promise.all([...Array(25).keys()].map((i) => s3.send(new PutObjectCommand({ Bucket, Key: `many/${i}`, Body: `${i}` }))));
let keys = [];
for await (const page of paginateListObjectsV2({ client: s3, pageSize: 10 }, { Bucket, Prefix: "many/" })) keys.push(...page.Contents.map((o) => o.Key));
assert.equal(keys.length, 25);
const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }));
assert.equal(Deleted.length, 25);
await s3.send(new PutObjectCommand({ Bucket, Key: "once", Body: "one", IfNoneMatch: "*" }));
await assert.rejects(s3.send(new PutObjectCommand({ Bucket, Key: "once", Body: "two", IfNoneMatch: "*" })), refused("PreconditionFailed"));
const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "once" }), { expiresIn: 60 });
assert.equal(await (await fetch(url)).text(), "one");
assert.equal((await fetch(url.replace("/once", "/big"))).status, 403);
// By default the SDK signs the checksum of no content into an address, and S3 holds what is sent against it.
const empty = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "signed" }), { expiresIn: 60 });
assert.equal((await fetch(empty, { method: "PUT", body: "by an address" })).status, 400);
const plain = new S3Client({ forcePathStyle: true, requestChecksumCalculation: "WHEN_REQUIRED" });
const put = await getSignedUrl(plain, new PutObjectCommand({ Bucket, Key: "signed" }), { expiresIn: 60 });
assert.equal((await fetch(put, { method: "PUT", body: "by an address" })).status, 200);
await assert.rejects(s3.send(new GetObjectCommand({ Bucket, Key: "none" })), refused("NoSuchKey"));

// DynamoDB: documents, conditions, transactions, pages.
const dynamo = DynamoDBDocumentClient.from(new DynamoDBClient(), { marshallOptions: { removeUndefinedValues: true } });
await dynamo.send(new CreateTableCommand({ TableName: "people", BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [{ AttributeName: "team", AttributeType: "S" }, { AttributeName: "n", AttributeType: "N" }],
  KeySchema: [{ AttributeName: "team", KeyType: "HASH" }, { AttributeName: "n", KeyType: "RANGE" }] }));
for (let n = 0; n < 20; n++) await dynamo.send(new PutCommand({ TableName: "people", Item: { team: "a", n, tags: new Set(["x", "y"]), nested: { list: [1, "two", null, true] } } }));
const { Item } = await dynamo.send(new GetCommand({ TableName: "people", Key: { team: "a", n: 3 } }));
assert.deepEqual(Item, { team: "a", n: 3, tags: new Set(["x", "y"]), nested: { list: [1, "two", null, true] } });
await assert.rejects(dynamo.send(new PutCommand({ TableName: "people", Item: { team: "a", n: 3 }, ConditionExpression: "attribute_not_exists(n)" })), refused("ConditionalCheckFailedException"));
await assert.rejects(dynamo.send(new TransactWriteCommand({ TransactItems: [
  { Put: { TableName: "people", Item: { team: "b", n: 1 } } },
  { ConditionCheck: { TableName: "people", Key: { team: "a", n: 99 }, ConditionExpression: "attribute_exists(n)" } }] })), refused("TransactionCanceledException"));
let count = 0;
for await (const page of paginateQuery({ client: dynamo, pageSize: 7 }, { TableName: "people", KeyConditionExpression: "team = :t", ExpressionAttributeValues: { ":t": "a" } })) count += page.Count;
assert.equal(count, 20);

// A role that Lake Formation decides about.
const iam = new IAMClient();
const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: account }, Action: "sts:AssumeRole" }] };
const role = (await iam.send(new CreateRoleCommand({ RoleName: "Analyst", AssumeRolePolicyDocument: JSON.stringify(trust) }))).Role;
await waitUntilRoleExists({ client: iam, maxWaitTime: 10 }, { RoleName: "Analyst" });
const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: ["glue:Get*", "lakeformation:Get*"], Resource: "*" }] };
await iam.send(new PutRolePolicyCommand({ RoleName: "Analyst", PolicyName: "read", PolicyDocument: JSON.stringify(policy) }));
const vended = (await new STSClient().send(new AssumeRoleCommand({ RoleArn: role.Arn, RoleSessionName: "js" }))).Credentials;
const analyst = new GlueClient({ credentials: { accessKeyId: vended.AccessKeyId, secretAccessKey: vended.SecretAccessKey, sessionToken: vended.SessionToken } });
const glue = new GlueClient();
await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: "js", CreateTableDefaultPermissions: [] } }));
const Columns = [{ Name: "id", Type: "bigint" }, { Name: "name", Type: "string" }];
for (const Name of ["one", "two"]) {
  await glue.send(new CreateGlueTableCommand({ DatabaseName: "js", TableInput: { Name, Parameters: {}, StorageDescriptor: { Columns, Location: `s3://${Bucket}/${Name}/` } } }));
}
await assert.rejects(analyst.send(new GetTableCommand({ DatabaseName: "js", Name: "one" })), refused("AccessDeniedException"));
const lake = new LakeFormationClient();
await lake.send(new GrantPermissionsCommand({ Principal: { DataLakePrincipalIdentifier: role.Arn },
  Resource: { TableWithColumns: { DatabaseName: "js", Name: "one", ColumnNames: ["id"] } }, Permissions: ["SELECT"] }));
const seen = (await analyst.send(new GetTableCommand({ DatabaseName: "js", Name: "one" }))).Table;
assert.deepEqual(seen.StorageDescriptor.Columns.map((c) => c.Name), ["id"]);
let tables = [];
for await (const page of paginateGetTables({ client: analyst }, { DatabaseName: "js" })) tables.push(...page.TableList.map((t) => t.Name));
assert.deepEqual(tables, ["one"]);
const { PrincipalResourcePermissions: rows } = await lake.send(new ListPermissionsCommand({ Principal: { DataLakePrincipalIdentifier: role.Arn },
  Resource: { Table: { DatabaseName: "js", Name: "one" } } }));
assert.deepEqual(rows.map((r) => r.Permissions), [["SELECT"]]);
console.log("done");
