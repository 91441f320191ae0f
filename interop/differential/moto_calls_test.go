package differential

import (
	"fmt"
	"math/rand/v2"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// generatedAccount is an account that the personas do not use.
const generatedAccount = "333333333333"

// calls is how many generated calls a service gets.
func calls() int {
	if long() {
		return 5000
	}
	return 250
}

func one[V any](r *rand.Rand, from ...V) V { return from[r.IntN(len(from))] }

// The generated calls are about few names, so that they often meet what an earlier
// call has made or taken away. Their errors are answers like others: the tee
// compares them.

func iamCalls(x *tee, r *rand.Rand) {
	ctx := x.t.Context()
	c := iam.NewFromConfig(x.config(generatedAccount, "Admin"))
	role := func() *string { return aws.String(one(r, "Reader", "Writer", "Nobody")) }
	path := func() *string { return one(r, nil, aws.String("/"), aws.String("/team/")) }
	policyName := func() *string { return aws.String(one(r, "read", "write")) }
	policyARN := func() *string {
		return aws.String(one(r, "arn:aws:iam::"+generatedAccount+":policy/first", "arn:aws:iam::"+generatedAccount+":policy/second", "arn:aws:iam::aws:policy/AdministratorAccess"))
	}
	trust := func() *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` +
			one(r, `{"AWS":"arn:aws:iam::`+generatedAccount+`:root"}`, `{"Service":"glue.amazonaws.com"}`) + `,"Action":"sts:AssumeRole"}]}`)
	}
	document := func() *string {
		if r.IntN(20) == 0 {
			return aws.String(one(r, "{", "{}", `{"Version":"2012-10-17"}`, `{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}`))
		}
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + one(r, `"s3:GetObject"`, `["s3:GetObject","s3:PutObject"]`) + `,"Resource":"*"}]}`)
	}
	// A policy with versions left. Those that the calls below are about are not
	// deleted, as moto counts their attachments in another way.
	left := "arn:aws:iam::" + generatedAccount + ":policy/left"
	_, _ = c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("left"), PolicyDocument: document()})
	_, _ = c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &left, PolicyDocument: document()})
	_, _ = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &left})
	for range calls() {
		switch r.IntN(22) {
		case 0, 1:
			_, _ = c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: role(), Path: path(), AssumeRolePolicyDocument: trust(),
				Description: one(r, nil, aws.String("a role")), Tags: one(r, nil, []iamtypes.Tag{{Key: aws.String("Solution"), Value: aws.String("DataMesh")}})})
		case 2:
			_, _ = c.GetRole(ctx, &iam.GetRoleInput{RoleName: role()})
		case 3:
			_, _ = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role()})
		case 4:
			_, _ = c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: role(), PolicyDocument: trust()})
		case 5, 6:
			_, _ = c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role(), PolicyName: policyName(), PolicyDocument: document()})
		case 7:
			_, _ = c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: role(), PolicyName: policyName()})
		case 8:
			_, _ = c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: role(), PolicyName: policyName()})
		case 9:
			_, _ = c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: role()})
		case 10:
			_, _ = c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: role()})
		case 11:
			_, _ = c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role(), PolicyArn: policyARN()})
		case 12:
			_, _ = c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role(), PolicyArn: policyARN()})
		case 13:
			_, _ = c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String(one(r, "first", "second")), PolicyDocument: document()})
		case 14:
			_, _ = c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: policyARN()})
		case 15:
			_, _ = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: aws.String("arn:aws:iam::" + generatedAccount + ":policy/none")})
		case 16:
			_, _ = c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: aws.String("arn:aws:iam::" + generatedAccount + ":policy/" + one(r, "first", "second")), PolicyDocument: document(), SetAsDefault: r.IntN(2) == 0})
		case 17:
			_, _ = c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: aws.String("arn:aws:iam::" + generatedAccount + ":policy/" + one(r, "first", "second"))})
		case 18:
			_, _ = c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: aws.String("arn:aws:iam::" + generatedAccount + ":policy/" + one(r, "first", "second")), VersionId: aws.String(one(r, "v1", "v2", "v3"))})
		case 19:
			_, _ = c.TagRole(ctx, &iam.TagRoleInput{RoleName: role(), Tags: []iamtypes.Tag{{Key: aws.String(one(r, "a", "b")), Value: aws.String(one(r, "1", "2"))}}})
		case 20:
			_, _ = c.UntagRole(ctx, &iam.UntagRoleInput{RoleName: role(), TagKeys: []string{one(r, "a", "b")}})
		default:
			_, _ = c.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: role()})
		}
	}
}

func stsCalls(x *tee, r *rand.Rand) {
	ctx := x.t.Context()
	cfg := x.config(generatedAccount, "Admin")
	c, i := sts.NewFromConfig(cfg), iam.NewFromConfig(cfg)
	trust := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + generatedAccount + `:root"},"Action":"sts:AssumeRole"}]}`)
	_, _ = i.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("Assumed"), Path: aws.String("/team/"), AssumeRolePolicyDocument: trust})
	for range calls() / 10 {
		_, _ = c.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + generatedAccount + ":role/team/Assumed"), RoleSessionName: aws.String(one(r, "a1", "session@x", "a=b"))}
		switch r.IntN(8) {
		case 0:
			in.DurationSeconds = aws.Int32(one[int32](r, 899, 900, 3600, 43201))
		case 1:
			in.RoleSessionName = aws.String(one(r, "a", "with space", "long-long-long-long-long-long-long-long-long-long-long-long-long-1"))
		case 2:
			in.Policy = aws.String(one(r, "{", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`))
		case 3:
			in.RoleArn = aws.String(one(r, "arn:aws:iam::"+generatedAccount+":role/None", "not an ARN at all...."))
		}
		_, _ = c.AssumeRole(ctx, in)
	}
}

func s3Calls(x *tee, r *rand.Rand) {
	ctx := x.t.Context()
	c := identity.S3(x.config(generatedAccount, "Admin"))
	bucket := func() *string { return aws.String(one(r, "moto-first", "moto-second")) }
	_, _ = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("moto-malformed")})
	for range calls() {
		switch r.IntN(10) {
		case 0:
			_, _ = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket()})
		case 1:
			_, _ = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket()})
		case 2:
			_, _ = c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: bucket()})
		case 3, 4, 5:
			name := bucket()
			resource := fmt.Sprintf("arn:aws:s3:::%s/%s", *name, one(r, "*", "a/*"))
			policy := `{"Version":"2012-10-17","Statement":[{"Sid":"` + one(r, "One", "Two") + `","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + generatedAccount + `:root"},"Action":"` +
				one(r, "s3:GetObject", "s3:PutObject") + `","Resource":"` + resource + `"}]}`
			if r.IntN(10) == 0 {
				// moto takes these: they go to a bucket that no other call is about.
				name, policy = aws.String("moto-malformed"), one(r, "{", "{}", `{"Version":"2012-10-17","Statement":[]}`, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`)
			}
			_, _ = c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: &policy})
		case 6:
			_, _ = c.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket()})
		case 7:
			_, _ = c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: bucket()})
		default:
			_, _ = c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket()})
		}
	}
}

func glueCalls(x *tee, r *rand.Rand) {
	ctx := x.t.Context()
	c := glue.NewFromConfig(x.config(generatedAccount, "Admin"))
	database := func() *string { return aws.String(one(r, "sales", "sales", "flights")) }
	table := func() *string { return aws.String(one(r, "orders", "orders", "people")) }
	tableInput := func() *types.TableInput {
		in := meshtest.CSV(one(r, "orders", "orders", "people"), "s3://bucket/"+one(r, "a", "b")+"/", "part")
		in.Description = one(r, nil, aws.String("text"))
		return in
	}
	partition := func() types.PartitionInput {
		value := one(r, "1", "2", "3", "4")
		return types.PartitionInput{Values: []string{value}, StorageDescriptor: meshtest.CSV("orders", "s3://bucket/part="+value).StorageDescriptor}
	}
	for range calls() {
		switch r.IntN(20) {
		case 0, 1:
			_, _ = c.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: database(), Description: one(r, nil, aws.String("text")),
				Parameters: one(r, nil, map[string]string{"k": "v"})}})
		case 2:
			_, _ = c.GetDatabase(ctx, &glue.GetDatabaseInput{Name: database()})
		case 3:
			if r.IntN(3) == 0 {
				_, _ = c.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{Name: database()})
			}
		case 4:
			name := database()
			_, _ = c.UpdateDatabase(ctx, &glue.UpdateDatabaseInput{Name: name, DatabaseInput: &types.DatabaseInput{Name: name, Description: aws.String("changed")}})
		case 5:
			_, _ = c.GetDatabases(ctx, &glue.GetDatabasesInput{})
		case 6, 7, 8:
			_, _ = c.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: database(), TableInput: tableInput()})
		case 9:
			_, _ = c.GetTable(ctx, &glue.GetTableInput{DatabaseName: database(), Name: table()})
		case 10:
			_, _ = c.GetTables(ctx, &glue.GetTablesInput{DatabaseName: database()})
		case 11:
			_, _ = c.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: database(), TableInput: tableInput()})
		case 12:
			_, _ = c.DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: database(), Name: table()})
		case 13, 14:
			_, _ = c.CreatePartition(ctx, &glue.CreatePartitionInput{DatabaseName: database(), TableName: table(), PartitionInput: ptr(partition())})
		case 15:
			list := []types.PartitionInput{partition()}
			if p := partition(); p.Values[0] != list[0].Values[0] {
				list = append(list, p)
			}
			_, _ = c.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: database(), TableName: table(), PartitionInputList: list})
		case 16:
			_, _ = c.GetPartition(ctx, &glue.GetPartitionInput{DatabaseName: database(), TableName: table(), PartitionValues: []string{one(r, "1", "2", "3", "4")}})
		case 17:
			_, _ = c.GetPartitions(ctx, &glue.GetPartitionsInput{DatabaseName: database(), TableName: table()})
		case 18:
			_, _ = c.DeletePartition(ctx, &glue.DeletePartitionInput{DatabaseName: database(), TableName: table(), PartitionValues: []string{one(r, "1", "2", "3", "4")}})
		default:
			_, _ = c.GetTableVersions(ctx, &glue.GetTableVersionsInput{DatabaseName: database(), TableName: table()})
		}
	}
}

func dynamodbCalls(x *tee, r *rand.Rand) {
	ctx := x.t.Context()
	c := dynamodb.NewFromConfig(x.config(generatedAccount, "Admin"))
	table := aws.String("subscriptions")
	_, _ = c.CreateTable(ctx, schemas[1].create(*table))
	key := func() item { return item{"SubscriptionId": text(one(r, "s1", "s2", "s3", "s4"))} }
	name := func() string { return one(r, "owner", "subscriber") }
	condition := func() *string {
		return one(r, nil, aws.String("attribute_not_exists(SubscriptionId)"), aws.String("attribute_exists(SubscriptionId)"), aws.String("a = :owner"), aws.String("n < :one"),
			aws.String("attribute_not_exists(claim) OR claim.holder = :owner"), aws.String("contains(notes, :owner)"))
	}
	values := func(expressions ...*string) item {
		return used(item{":owner": text("owner"), ":one": number("1"), ":subscriber": text("subscriber"),
			":notes": &ddbtypes.AttributeValueMemberSS{Value: []string{"owner"}}, ":list": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{text("x")}},
			":claim": &ddbtypes.AttributeValueMemberM{Value: item{"holder": text("owner")}}, ":empty": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{}}}, expressions...)
	}
	update := func() *string {
		return aws.String(one(r, "SET a = :owner, b = :subscriber", "SET n = if_not_exists(n, :one) + :one", "ADD n :one", "ADD notes :notes", "DELETE notes :notes", "REMOVE n, claim",
			"SET claim = :claim", "SET claim.holder = :subscriber", "SET history = list_append(if_not_exists(history, :empty), :list)", "SET b = :subscriber REMOVE a", "SET SubscriptionId = :owner"))
	}
	for range calls() {
		switch r.IntN(10) {
		case 0:
			it := key()
			it["a"], it["b"] = text(name()), text(name())
			it["n"] = number(one(r, "0", "1", "2.5"))
			when := condition()
			_, _ = c.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: it, ConditionExpression: when, ExpressionAttributeValues: values(when)})
		case 1, 2, 3:
			what, when := update(), condition()
			_, _ = c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: table, Key: key(), UpdateExpression: what, ConditionExpression: when, ExpressionAttributeValues: values(what, when),
				ReturnValues: one(r, "", ddbtypes.ReturnValueAllNew, ddbtypes.ReturnValueAllOld)})
		case 4:
			when := condition()
			_, _ = c.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: key(), ConditionExpression: when, ExpressionAttributeValues: values(when), ReturnValues: one(r, "", ddbtypes.ReturnValueAllOld)})
		case 5:
			_, _ = c.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key(), ConsistentRead: aws.Bool(true), ProjectionExpression: one(r, nil, aws.String("a, n"))})
		case 6:
			_, _ = c.Query(ctx, &dynamodb.QueryInput{TableName: table, IndexName: aws.String("Owner"), KeyConditionExpression: aws.String("a = :owner"), ExpressionAttributeValues: values(aws.String("a = :owner"))})
		case 7:
			_, _ = c.Scan(ctx, &dynamodb.ScanInput{TableName: table, FilterExpression: aws.String("attribute_exists(n)")})
		case 8:
			_, _ = c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]ddbtypes.KeysAndAttributes{*table: {Keys: []item{
				{"SubscriptionId": text("s1")}, {"SubscriptionId": text("s2")}}}}})
		default:
			what, when, check := update(), condition(), condition()
			if check == nil {
				check = aws.String("attribute_exists(SubscriptionId)")
			}
			_, _ = c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []ddbtypes.TransactWriteItem{
				{Update: &ddbtypes.Update{TableName: table, Key: item{"SubscriptionId": text("s1")}, UpdateExpression: what, ConditionExpression: when, ExpressionAttributeValues: values(what, when)}},
				{ConditionCheck: &ddbtypes.ConditionCheck{TableName: table, Key: item{"SubscriptionId": text("s2")}, ConditionExpression: check, ExpressionAttributeValues: values(check)}},
			}})
		}
	}
}

func ptr[V any](v V) *V { return &v }
