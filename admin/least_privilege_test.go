package admin_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lakeformationtypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
)

const random = "ABCDEFGHJKLMNPQRSTUVWX"

var (
	ownRecord   = producerAccount + "-" + consumerAccount + "-" + random
	otherRecord = otherAccount + "-" + "333333333333" + "-" + random
	subscribers = aws.String("AwsDataMeshSubscriptions")
)

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func keyOf(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"SubscriptionId": text(id)}
}

// records fills the subscription table as the mesh account's administrator.
func records(t *testing.T, mesh *localmesh.Mesh) {
	t.Helper()
	client := dynamodb.NewFromConfig(configOf(mesh, meshAccount))
	for _, id := range []string{ownRecord, otherRecord, random} {
		owner, subscriber := producerAccount, consumerAccount
		if id == otherRecord {
			owner, subscriber = otherAccount, "333333333333"
		}
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: subscribers, Item: map[string]types.AttributeValue{
			"SubscriptionId": text(id), "OwnerPrincipal": text(owner), "SubscriberPrincipal": text(subscriber), "Status": text("Pending")}})
		must(t, err)
	}
}

func meshProducer(t *testing.T, mesh *localmesh.Mesh) aws.Config {
	t.Helper()
	return as(t, mesh, producerAccount, lakemesh.RoleARN(producerAccount, "DataMeshProducer"),
		lakemesh.RoleARN(meshAccount, "DataMeshAdminProducer-"+producerAccount))
}

func meshConsumer(t *testing.T, mesh *localmesh.Mesh) aws.Config {
	t.Helper()
	return as(t, mesh, consumerAccount, lakemesh.RoleARN(consumerAccount, "DataMeshConsumer"),
		lakemesh.RoleARN(meshAccount, "DataMeshAdminConsumer-"+consumerAccount))
}

// update sets one attribute, under a condition if one is given.
func update(t *testing.T, client *dynamodb.Client, id, attribute, value, condition string) error {
	t.Helper()
	in := &dynamodb.UpdateItemInput{TableName: subscribers, Key: keyOf(id), UpdateExpression: aws.String("SET #a = :v"),
		ExpressionAttributeNames: map[string]string{"#a": attribute}, ExpressionAttributeValues: map[string]types.AttributeValue{":v": text(value)}}
	if condition != "" {
		in.ConditionExpression = aws.String(condition)
	}
	_, err := client.UpdateItem(t.Context(), in)
	return err
}

func put(t *testing.T, client *dynamodb.Client, id string, attributes ...string) error {
	t.Helper()
	item := keyOf(id)
	for _, a := range attributes {
		item[a] = text("x")
	}
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: subscribers, Item: item})
	return err
}

func get(t *testing.T, client *dynamodb.Client, id string) error {
	t.Helper()
	_, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: subscribers, Key: keyOf(id)})
	return err
}

func query(t *testing.T, client *dynamodb.Client, index, attribute, account string) error {
	t.Helper()
	_, err := client.Query(t.Context(), &dynamodb.QueryInput{TableName: subscribers, IndexName: aws.String("AwsDataMeshSubscriptions-" + index),
		KeyConditionExpression: aws.String("#k = :k"), ExpressionAttributeNames: map[string]string{"#k": attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":k": text(account)}})
	return err
}

// decide writes an item of the table of decisions.
func decide(t *testing.T, client *dynamodb.Client, key, attribute string) error {
	t.Helper()
	_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.DecisionsTable),
		Key: map[string]types.AttributeValue{"Key": text(key)}, UpdateExpression: aws.String("SET #a = :v"),
		ExpressionAttributeNames: map[string]string{"#a": attribute}, ExpressionAttributeValues: map[string]types.AttributeValue{":v": text("x")}})
	return err
}

func readDecisions(t *testing.T, client *dynamodb.Client, keys ...string) error {
	t.Helper()
	all := make([]map[string]types.AttributeValue, len(keys))
	for i, k := range keys {
		all[i] = map[string]types.AttributeValue{"Key": text(k)}
	}
	_, err := client.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{lakemesh.DecisionsTable: {Keys: all}}})
	return err
}

func change(table *string, keyName, key, attribute string) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{TableName: table, Key: map[string]types.AttributeValue{keyName: text(key)},
		UpdateExpression: aws.String("SET #a = :v"), ExpressionAttributeNames: map[string]string{"#a": attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": text("x")}}}
}

func TestAConsumersMeshRoleWritesItsOwnWordsOnly(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	records(t, mesh)
	client := dynamodb.NewFromConfig(meshConsumer(t, mesh))
	pair := producerAccount + "-" + consumerAccount

	wantOK(t, "read its own request", get(t, client, ownRecord))
	wantOK(t, "read its own inbox", get(t, client, pair+"#inbox"))
	_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		change(subscribers, "SubscriptionId", ownRecord, "Notes"), change(subscribers, "SubscriptionId", ownRecord+"#C#000001", "By"),
		change(subscribers, "SubscriptionId", pair+"#inbox", "Open")}})
	wantOK(t, "write a request, its history and the inbox at once", err)
	wantOK(t, "read what concerns it at once", readDecisions(t, client, ownRecord, ownRecord+"#000001", pair, pair+"#0001", "members"))

	wantDenied(t, "read another's request", get(t, client, otherRecord))
	wantDenied(t, "read a record of the original library", get(t, client, random))
	wantDenied(t, "write another's request", update(t, client, otherRecord, "Notes", "x", ""))
	wantDenied(t, "write a record of the original library", update(t, client, random, "Notes", "x", ""))
	for _, attribute := range []string{"DecidedStatus", "Claim", "DecidedBy", "Digest", "Anything"} {
		wantDenied(t, "write "+attribute+", which is none of the consumer's", update(t, client, ownRecord, attribute, "Active", ""))
	}
	// What its owner mirrors into the request decides nothing; a consumer can take it out if
	// it leaves no room.
	wantOK(t, "make room", update(t, client, ownRecord, "PermittedGrants", "x", ""))
	wantDenied(t, "name other attributes in a condition", update(t, client, ownRecord, "Notes", "x", "attribute_exists(Claim)"))
	for what, key := range map[string]string{"a decision": ownRecord, "an owner's history": ownRecord + "#000001", "a ledger": pair, "a page of a ledger": pair + "#0001",
		"a directory": producerAccount + "-directory", "a lease": producerAccount + "-lease", "its own lease as an owner": consumerAccount + "-lease", "the members": "members"} {
		wantDenied(t, "write "+what, decide(t, client, key, "Notes"))
	}
	for what, key := range map[string]string{"another's decision": otherRecord, "a directory": producerAccount + "-directory", "a lease": producerAccount + "-lease"} {
		wantDenied(t, "read "+what, readDecisions(t, client, key))
		wantDenied(t, "read "+what+" along with its own", readDecisions(t, client, ownRecord, key))
	}
	wantDenied(t, "put its request", put(t, client, ownRecord, "Notes"))
	wantDenied(t, "put its history", put(t, client, ownRecord+"#C#000001", "By"))
	_, err = client.Scan(t.Context(), &dynamodb.ScanInput{TableName: subscribers})
	wantDenied(t, "scan", err)
	_, err = client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(lakemesh.DecisionsTable)})
	wantDenied(t, "scan the decisions", err)
	_, err = client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: subscribers, Key: keyOf(ownRecord)})
	wantDenied(t, "delete its request", err)
	_, err = client.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		*subscribers: {Keys: []map[string]types.AttributeValue{keyOf(ownRecord), keyOf(otherRecord)}}}})
	wantDenied(t, "read another's request along with its own", err)
	_, err = client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		change(subscribers, "SubscriptionId", ownRecord, "Notes"), change(aws.String(lakemesh.DecisionsTable), "Key", ownRecord, "Notes")}})
	wantDenied(t, "decide in a transaction", err)
	_, err = client.ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: aws.String(
		fmt.Sprintf(`UPDATE "AwsDataMeshSubscriptions" SET Notes='x' WHERE SubscriptionId='%s'`, ownRecord))})
	if err == nil {
		t.Error("it wrote with PartiQL")
	}
}

func TestAProducersMeshRoleDecidesOnItsOwnOnly(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	records(t, mesh)
	client := dynamodb.NewFromConfig(meshProducer(t, mesh))
	pair := producerAccount + "-" + consumerAccount
	decisions := aws.String(lakemesh.DecisionsTable)

	wantOK(t, "read a request", get(t, client, ownRecord))
	wantOK(t, "read an inbox", get(t, client, pair+"#inbox"))
	_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		change(decisions, "Key", ownRecord, "State"), change(decisions, "Key", ownRecord+"#000001", "By"), change(decisions, "Key", pair, "Active"),
		change(decisions, "Key", pair+"#0001", "Ended"), change(decisions, "Key", producerAccount+"-directory", "Accounts"), change(decisions, "Key", producerAccount+"-lease", "Holder")}})
	wantOK(t, "decide in a transaction", err)
	if !mesh.Readings().WritesNameIndexKeys {
		// Where a write names the keys of indexes, too, there is no mirror: it is best
		// effort, and an owner does not get to write whose request it is.
		wantOK(t, "mirror a decision", update(t, client, ownRecord, "PermittedGrants", "x", ""))
	}
	wantOK(t, "read what it decided at once", readDecisions(t, client, ownRecord, pair, producerAccount+"-directory", producerAccount+"-lease", "members"))

	for _, attribute := range []string{"Notes", "RequestedGrants", "TableName", "OwnerPrincipal", "SubscriberPrincipal", "CreatedBy", "Anything"} {
		wantDenied(t, "write "+attribute+", which is the consumer's", update(t, client, ownRecord, attribute, "x", ""))
	}
	wantDenied(t, "write a consumer's history", update(t, client, ownRecord+"#C#000001", "Status", "x", ""))
	wantDenied(t, "write an inbox", update(t, client, pair+"#inbox", "Status", "x", ""))
	wantDenied(t, "read another's request", get(t, client, otherRecord))
	wantDenied(t, "read a record of the original library", get(t, client, random))
	wantDenied(t, "mirror on another's request", update(t, client, otherRecord, "Status", "Active", ""))
	wantDenied(t, "mirror on a record of the original library", update(t, client, random, "Status", "Active", ""))
	for what, key := range map[string]string{"another's decision": otherRecord, "another's lease": otherAccount + "-lease", "another's directory": otherAccount + "-directory", "the members": "members"} {
		wantDenied(t, "write "+what, decide(t, client, key, "State"))
	}
	wantDenied(t, "read another's decision", readDecisions(t, client, otherRecord))
	wantDenied(t, "put a request", put(t, client, ownRecord, "Status"))
	for _, table := range []*string{subscribers, decisions} {
		_, err = client.Scan(t.Context(), &dynamodb.ScanInput{TableName: table})
		wantDenied(t, "scan", err)
	}
	_, err = client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: subscribers, Key: keyOf(ownRecord)})
	wantDenied(t, "delete a request", err)
	_, err = client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: decisions, Key: map[string]types.AttributeValue{"Key": text(ownRecord)}})
	wantDenied(t, "delete a decision", err)
}

func TestAProducersMeshRoleCannotAdministerTheMesh(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t, plainly())
	cfg := meshProducer(t, mesh)
	lake, identities, catalog := lakeformation.NewFromConfig(cfg), iam.NewFromConfig(cfg), glue.NewFromConfig(cfg)

	settings := settingsOf(t, mesh, meshAccount)
	_, err := lake.PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &settings})
	wantDenied(t, "change the settings", err)
	_, err = identities.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("DataMeshAdminReadOnly"), PolicyName: aws.String("more"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})
	wantDenied(t, "change the read-only role", err)
	_, err = identities.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("DataMeshManager"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}`)})
	wantDenied(t, "change who may be the manager", err)
	_, err = lake.RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::flights/live"),
		RoleArn: aws.String(lakemesh.RoleARN(meshAccount, "DataMeshManager"))})
	wantDenied(t, "register a location with the manager's role", err)
	_, err = lake.RegisterResource(t.Context(), &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::flights/live"),
		RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.DataAccessRole(producerAccount))), WithPrivilegedAccess: true})
	wantOK(t, "register a location with its own data access role", err)
	_, err = lake.DeregisterResource(t.Context(), &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::flights/live")})
	wantDenied(t, "deregister a location", err)
	_, err = lake.DeleteLFTag(t.Context(), &lakeformation.DeleteLFTagInput{TagKey: aws.String("domain")})
	wantDenied(t, "delete the domains", err)

	// It owns what it creates, and nothing else.
	_, err = catalog.CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("flights-" + producerAccount)}})
	wantOK(t, "create a database", err)
	meshtest.Before(mesh, func() { bootstrap(t, mesh, otherAccount, admin.Producer) })
	other := as(t, mesh, otherAccount, lakemesh.RoleARN(otherAccount, "DataMeshProducer"), lakemesh.RoleARN(meshAccount, "DataMeshAdminProducer-"+otherAccount))
	_, err = glue.NewFromConfig(other).CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: aws.String("flights-" + producerAccount),
		TableInput: &gluetypes.TableInput{Name: aws.String("intruder")}})
	wantDenied(t, "create a table in another's database", err)
	_, err = lakeformation.NewFromConfig(other).GrantPermissions(t.Context(), &lakeformation.GrantPermissionsInput{
		Principal:   &lakeformationtypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(otherAccount)},
		Resource:    &lakeformationtypes.Resource{Database: &lakeformationtypes.DatabaseResource{Name: aws.String("flights-" + producerAccount)}},
		Permissions: []lakeformationtypes.Permission{lakeformationtypes.PermissionDescribe}})
	wantDenied(t, "share another's database", err)
}

func TestProducersLabelProductsWithDomains(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	lake := lakeformation.NewFromConfig(meshProducer(t, mesh))
	_, err := lake.UpdateLFTag(t.Context(), &lakeformation.UpdateLFTagInput{TagKey: aws.String("domain"), TagValuesToAdd: []string{"aviation"}})
	wantOK(t, "add a domain", err)
	_, err = glue.NewFromConfig(meshProducer(t, mesh)).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("flights")}})
	wantOK(t, "create a database", err)
	out, err := lake.AddLFTagsToResource(t.Context(), &lakeformation.AddLFTagsToResourceInput{
		Resource: &lakeformationtypes.Resource{Database: &lakeformationtypes.DatabaseResource{Name: aws.String("flights")}},
		LFTags:   []lakeformationtypes.LFTagPair{{TagKey: aws.String("domain"), TagValues: []string{"aviation"}}}})
	must(t, err)
	if len(out.Failures) > 0 {
		t.Errorf("%+v", out.Failures)
	}
}

func TestOnlyRolesOfTheMeshOpenTheReadOnlyRole(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	readOnly := lakemesh.RoleARN(meshAccount, "DataMeshAdminReadOnly")
	for name, cfg := range map[string]aws.Config{"producer": meshProducer(t, mesh), "consumer": meshConsumer(t, mesh)} {
		err := meshtest.Try(mesh, func() error {
			_, err := assume(t.Context(), cfg, readOnly)
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, cfg := range map[string]aws.Config{
		"administrator of the mesh": configOf(mesh, meshAccount),
		"DataMeshConsumer":          as(t, mesh, consumerAccount, lakemesh.RoleARN(consumerAccount, "DataMeshConsumer")),
		"outsider":                  configOf(mesh, otherAccount),
	} {
		_, err := assume(t.Context(), cfg, readOnly)
		wantDenied(t, name+" opens the read-only role", err)
	}
	for name, role := range map[string]string{"manager": "DataMeshManager", "data access": lakemesh.DataAccessRole(producerAccount)} {
		_, err := assume(t.Context(), meshConsumer(t, mesh), lakemesh.RoleARN(meshAccount, role))
		wantDenied(t, "a consumer opens the role of the "+name, err)
	}
}

func TestPoliciesStayFarBelowTheQuota(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	a := adminOf(t, mesh, meshAccount)
	_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	bootstrap(t, mesh, producerAccount, admin.Both)
	for _, account := range []string{meshAccount, producerAccount} {
		client := iam.NewFromConfig(configOf(mesh, account))
		roles, err := client.ListRoles(t.Context(), &iam.ListRolesInput{PathPrefix: aws.String("/AwsDataMesh/")})
		must(t, err)
		for _, r := range roles.Roles {
			out, err := client.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: r.RoleName, PolicyName: aws.String("lakemesh")})
			must(t, err)
			plain, err := url.PathUnescape(*out.PolicyDocument)
			must(t, err)
			// The quota of a role's inline policies is 10,240 characters; others need room too.
			if n := len(plain); n > 7500 {
				t.Errorf("the policy of %s has %d characters", *r.RoleName, n)
			}
			d := decode(t, out.PolicyDocument)
			if len(d.Statement) == 0 {
				t.Errorf("the policy of %s is empty", *r.RoleName)
			}
		}
	}
}
