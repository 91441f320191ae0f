"""DynamoDB: items, conditions, queries, transactions, and their refusals."""

import decimal

from boto3.dynamodb.conditions import Attr, Key

from expect import C, M, P, REGION, allow, ok, person, refused, role, same, true


def run():
    mesh = person("Mesh")
    dynamo, raw = mesh.dynamodb, mesh.client("dynamodb", validate=False)
    resource = mesh.session.resource("dynamodb")
    definition = {
        "TableName": "Orders", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": a, "AttributeType": t} for a, t in (("Customer", "S"), ("Number", "N"), ("State", "S"))],
        "KeySchema": [{"AttributeName": "Customer", "KeyType": "HASH"}, {"AttributeName": "Number", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{"IndexName": "ByState", "Projection": {"ProjectionType": "ALL"},
                                    "KeySchema": [{"AttributeName": "State", "KeyType": "HASH"}, {"AttributeName": "Number", "KeyType": "RANGE"}]}],
    }
    ok("dynamodb: make a table", dynamo.create_table, **definition)
    dynamo.get_waiter("table_exists").wait(TableName="Orders")
    orders = resource.Table("Orders")
    definitions(dynamo, raw, definition)
    items(dynamo, orders)
    queries(dynamo, orders)
    transactions(dynamo, orders)
    rights(mesh)


def definitions(dynamo, raw, definition):
    same("dynamodb: a table's ARN", ok("dynamodb: describe", dynamo.describe_table, TableName="Orders")["Table"]["TableArn"], f"arn:aws:dynamodb:{REGION}:{M}:table/Orders")
    for title, code, call, arguments in (
        ("a table that exists", "ResourceInUseException", dynamo.create_table, definition),
        ("a table without its key's definition", "ValidationException", dynamo.create_table, {**definition, "TableName": "Other", "AttributeDefinitions": definition["AttributeDefinitions"][:1]}),
        ("a table with a definition too many", "ValidationException", dynamo.create_table, {**definition, "TableName": "Other", "GlobalSecondaryIndexes": [], }),
        ("a table's name of two letters", "ValidationException", raw.create_table, {**definition, "TableName": "ab"}),
        ("an unknown table", "ResourceNotFoundException", dynamo.describe_table, {"TableName": "None"}),
        ("an item of an unknown table", "ResourceNotFoundException", dynamo.get_item, {"TableName": "None", "Key": {"a": {"S": "b"}}}),
        ("remove an unknown table", "ResourceNotFoundException", dynamo.delete_table, {"TableName": "None"}),
    ):
        refused(f"dynamodb: {title}", code, call, **arguments)


def key(customer, number):
    return {"Customer": {"S": customer}, "Number": {"N": str(number)}}


def items(dynamo, orders):
    put = lambda **more: orders.put_item(Item={"Customer": "ada", "Number": 1, "State": "open", "Entries": ["a", "b"], "Tags": {"x", "y"}, "Sum": decimal.Decimal("1.10")}, **more)  # noqa: E731
    ok("dynamodb: a new item", put, ConditionExpression=Attr("Customer").not_exists())
    got = ok("dynamodb: read it", orders.get_item, Key={"Customer": "ada", "Number": 1}, ConsistentRead=True)["Item"]
    same("dynamodb: what was written", got, {"Customer": "ada", "Number": 1, "State": "open", "Entries": ["a", "b"], "Tags": {"x", "y"}, "Sum": decimal.Decimal("1.1")})
    update = lambda **more: orders.update_item(Key={"Customer": "ada", "Number": 1}, **more)  # noqa: E731
    answer = ok("dynamodb: change it", update, UpdateExpression="SET #s = :s, Entries = list_append(Entries, :l), Amount = if_not_exists(Amount, :z) + :one ADD Tags :t REMOVE #sum",
                ConditionExpression=Attr("State").is_in(["open", "new"]) & Attr("Entries").size().eq(2), ExpressionAttributeNames={"#s": "State", "#sum": "Sum"},
                ExpressionAttributeValues={":s": "paid", ":l": ["c"], ":z": 0, ":one": 1, ":t": {"z"}}, ReturnValues="ALL_NEW")
    same("dynamodb: what it is then", answer["Attributes"], {"Customer": "ada", "Number": 1, "State": "paid", "Entries": ["a", "b", "c"], "Tags": {"x", "y", "z"}, "Amount": 1})
    state = {"#s": "State"}
    for title, code, call, arguments in (
        ("an item that exists", "ConditionalCheckFailedException", put, {"ConditionExpression": Attr("Customer").not_exists()}),
        ("a state that it has not", "ConditionalCheckFailedException", update,
         {"UpdateExpression": "SET #s = :s", "ConditionExpression": Attr("State").eq("open"), "ExpressionAttributeNames": state, "ExpressionAttributeValues": {":s": "shut"}}),
        ("remove unless it is so", "ConditionalCheckFailedException", orders.delete_item, {"Key": {"Customer": "ada", "Number": 1}, "ConditionExpression": Attr("State").eq("open")}),
        ("a reserved word", "ValidationException", update, {"UpdateExpression": "SET State = :s", "ExpressionAttributeValues": {":s": "x"}}),
        ("an expression that is none", "ValidationException", update, {"UpdateExpression": "SET #s :s", "ExpressionAttributeNames": state, "ExpressionAttributeValues": {":s": "x"}}),
        ("a value that is not given", "ValidationException", update, {"UpdateExpression": "SET #s = :s", "ExpressionAttributeNames": state}),
        ("a value that is not used", "ValidationException", update,
         {"UpdateExpression": "SET #s = :s", "ExpressionAttributeNames": state, "ExpressionAttributeValues": {":s": "x", ":t": "y"}}),
        ("a name that is not used", "ValidationException", update,
         {"UpdateExpression": "SET a = :s", "ExpressionAttributeNames": state, "ExpressionAttributeValues": {":s": "x"}}),
        ("two changes of one path", "ValidationException", update,
         {"UpdateExpression": "SET #s = :s, #s = :s", "ExpressionAttributeNames": state, "ExpressionAttributeValues": {":s": "x"}}),
        ("a change of the key", "ValidationException", update, {"UpdateExpression": "SET #n = :s", "ExpressionAttributeNames": {"#n": "Number"}, "ExpressionAttributeValues": {":s": 2}}),
        ("a number added to a text", "ValidationException", update,
         {"UpdateExpression": "SET #s = #s + :s", "ExpressionAttributeNames": state, "ExpressionAttributeValues": {":s": 1}}),
        ("a path into a text", "ValidationException", update,
         {"UpdateExpression": "SET #s.x = :s", "ExpressionAttributeNames": state, "ExpressionAttributeValues": {":s": 1}}),
        ("an item without its key", "ValidationException", orders.put_item, {"Item": {"Customer": "ada"}}),
        ("a key of another type", "ValidationException", orders.put_item, {"Item": {"Customer": "ada", "Number": "1"}}),
        ("an empty key", "ValidationException", orders.put_item, {"Item": {"Customer": "", "Number": 1}}),
        ("half a key", "ValidationException", orders.get_item, {"Key": {"Customer": "ada"}}),
        ("an item of more than 400 KB", "ValidationException", orders.put_item, {"Item": {"Customer": "big", "Number": 1, "Text": "x" * 410000}}),
    ):
        refused(f"dynamodb: {title}", code, call, **arguments, status=400)
    low = lambda item: dynamo.put_item(TableName="Orders", Item={**key("eve", 1), **item})  # noqa: E731
    refused("dynamodb: an empty set", "ValidationException", low, {"a": {"SS": []}}, status=400)
    refused("dynamodb: a set with an element twice", "ValidationException", low, {"a": {"SS": ["x", "x"]}}, status=400)
    refused("dynamodb: a number of 39 digits", "ValidationException", low, {"a": {"N": "1" * 39}}, status=400)
    refused("dynamodb: a number that is none", "ValidationException", low, {"a": {"N": "one"}}, status=400)
    got = refused("dynamodb: with the item that is in the way", "ConditionalCheckFailedException", orders.put_item, Item={"Customer": "ada", "Number": 1},
                  ConditionExpression=Attr("Customer").not_exists(), ReturnValuesOnConditionCheckFailure="ALL_OLD")
    same("dynamodb: the item in the way", got.get("Item", {}).get("State"), {"S": "paid"})


def queries(dynamo, orders):
    with orders.batch_writer() as batch:
        for n in range(60):
            batch.put_item(Item={"Customer": "bob", "Number": n, "State": ("open", "paid")[n % 2], "Text": "x" * 100})
        batch.put_item(Item={"Customer": "carl", "Number": 1000, "State": "open"})
    pages = list(dynamo.get_paginator("query").paginate(TableName="Orders", KeyConditionExpression="Customer = :c", ExpressionAttributeValues={":c": {"S": "bob"}},
                                                        PaginationConfig={"PageSize": 25}))
    same("dynamodb: pages of a query", [p["Count"] for p in pages], [25, 25, 10])
    same("dynamodb: in the order of numbers", [int(i["Number"]["N"]) for p in pages for i in p["Items"]], list(range(60)))
    backwards = ok("dynamodb: backwards", orders.query, KeyConditionExpression=Key("Customer").eq("bob") & Key("Number").between(10, 20), ScanIndexForward=False, Limit=2)
    same("dynamodb: the last first", [int(i["Number"]) for i in backwards["Items"]], [20, 19])
    by_state = ok("dynamodb: an index", orders.query, IndexName="ByState", KeyConditionExpression=Key("State").eq("open"), FilterExpression=Attr("Customer").eq("carl"), Select="COUNT")
    same("dynamodb: a filter counts what it looked at", (by_state["Count"], by_state["ScannedCount"]), (1, 31))
    for title, arguments in (
        ("without its key", {"KeyConditionExpression": Key("Number").eq(1)}),
        ("with a filter on its key", {"KeyConditionExpression": Key("Customer").eq("bob"), "FilterExpression": Attr("Number").eq(1)}),
        ("with an unequal key", {"KeyConditionExpression": Key("Customer").gt("bob")}),
        ("of an unknown index", {"IndexName": "None", "KeyConditionExpression": Key("Customer").eq("bob")}),
        ("of an index, consistently", {"IndexName": "ByState", "KeyConditionExpression": Key("State").eq("open"), "ConsistentRead": True}),
        ("from a key that is none", {"KeyConditionExpression": Key("Customer").eq("bob"), "ExclusiveStartKey": {"Customer": "bob"}}),
    ):
        refused(f"dynamodb: a query {title}", "ValidationException", orders.query, **arguments, status=400)
    refused("dynamodb: 26 writes in a batch", "ValidationException", dynamo.batch_write_item, status=400,
            RequestItems={"Orders": [{"PutRequest": {"Item": key("cid", n)}} for n in range(26)]})
    refused("dynamodb: 101 reads in a batch", "ValidationException", dynamo.batch_get_item, RequestItems={"Orders": {"Keys": [key("bob", n) for n in range(101)]}}, status=400)
    refused("dynamodb: one item twice in a batch", "ValidationException", dynamo.batch_get_item, RequestItems={"Orders": {"Keys": [key("bob", 1), key("bob", 1)]}}, status=400)


def transactions(dynamo, orders):
    write = lambda *actions, **more: dynamo.transact_write_items(TransactItems=list(actions), **more)  # noqa: E731
    put = lambda k, **more: {"Put": {"TableName": "Orders", "Item": k, **more}}  # noqa: E731
    absent = {"ConditionExpression": "attribute_not_exists(Customer)"}
    ok("dynamodb: a transaction", write, put(key("dan", 1), **absent), put(key("dan", 2), **absent))
    answer = refused("dynamodb: a transaction one of whose conditions fails", "TransactionCanceledException", write, put(key("dan", 3), **absent), put(key("dan", 2), **absent), status=400)
    same("dynamodb: its reasons", [r["Code"] for r in answer.get("CancellationReasons", [])], ["None", "ConditionalCheckFailed"])
    true("dynamodb: wrote nothing", "Item" not in dynamo.get_item(TableName="Orders", Key=key("dan", 3)))
    refused("dynamodb: one item twice in a transaction", "ValidationException", write, put(key("dan", 4)), put(key("dan", 4)), status=400)
    refused("dynamodb: 101 writes in a transaction", "ValidationException", write, *[put(key("eli", n)) for n in range(101)], status=400)
    refused("dynamodb: an empty transaction", "ValidationException", person("Mesh").client("dynamodb", validate=False).transact_write_items, TransactItems=[], status=400)
    ok("dynamodb: a transaction with a token", write, put(key("fay", 1)), ClientRequestToken="token-1")
    ok("dynamodb: the same once more", write, put(key("fay", 1)), ClientRequestToken="token-1")
    refused("dynamodb: another under its token", "IdempotentParameterMismatchException", write, put(key("fay", 2)), ClientRequestToken="token-1", status=400)
    read = ok("dynamodb: read in a transaction", dynamo.transact_get_items, TransactItems=[{"Get": {"TableName": "Orders", "Key": key("dan", n)}} for n in (1, 9)])
    same("dynamodb: what is there", [bool(r.get("Item")) for r in read["Responses"]], [True, False])


def rights(mesh):
    arn = f"arn:aws:dynamodb:{REGION}:{M}:table/Orders"
    clerk = mesh.assume(role(mesh, M, "Clerk", {"AWS": M}, allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], arn, Condition={
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ada"], "dynamodb:Attributes": ["Customer", "Number", "Note"]},
        "StringEqualsIfExists": {"dynamodb:ReturnValues": ["NONE", "UPDATED_OLD", "UPDATED_NEW"], "dynamodb:Select": "SPECIFIC_ATTRIBUTES"}})))
    update = lambda k, name: clerk.dynamodb.update_item(TableName="Orders", Key=k, UpdateExpression="SET #a = :v",  # noqa: E731
                                                        ExpressionAttributeNames={"#a": name}, ExpressionAttributeValues={":v": {"S": "x"}})
    ok("dynamodb: an attribute that it may change", update, key("ada", 1), "Note")
    refused("dynamodb: an attribute that it may not", "AccessDeniedException", update, key("ada", 1), "State", status=400)
    refused("dynamodb: somebody else's item", "AccessDeniedException", update, key("bob", 1), "Note", status=400)
    refused("dynamodb: an action that it has not", "AccessDeniedException", clerk.dynamodb.delete_item, TableName="Orders", Key=key("ada", 1), status=400)
    refused("dynamodb: another account's table", "AccessDeniedException", person("ConsumerAdmin").dynamodb.get_item, TableName=arn, Key=key("ada", 1), status=400)
    refused("dynamodb: an operation that is not there", "NotImplemented", mesh.dynamodb.list_global_tables, status=501)
