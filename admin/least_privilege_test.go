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

func TestAConsumersMeshRoleTouchesItsOwnRequestsOnly(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	records(t, mesh)
	client := dynamodb.NewFromConfig(meshConsumer(t, mesh))

	wantOK(t, "read its own record", get(t, client, ownRecord))
	wantOK(t, "find its own records", query(t, client, "Subscriber", "SubscriberPrincipal", consumerAccount))
	wantOK(t, "write its own request", update(t, client, ownRecord, "Notes", "please", ""))
	wantOK(t, "write its own history", put(t, client, ownRecord+"#C#2026-01-01T00:00:00Z-abcd", "By", "Action"))

	wantDenied(t, "read another's record", get(t, client, otherRecord))
	wantDenied(t, "read a record of the original library", get(t, client, random))
	wantDenied(t, "write another's record", update(t, client, otherRecord, "Notes", "x", ""))
	wantDenied(t, "find another's records", query(t, client, "Subscriber", "SubscriberPrincipal", "333333333333"))
	wantDenied(t, "find an owner's records", query(t, client, "Owner", "OwnerPrincipal", producerAccount))
	for _, attribute := range []string{"DecidedStatus", "PermittedGrants", "GrantableGrants", "GrantedTableARNs", "RamShares", "Claim", "DecidedBy", "Anything"} {
		wantDenied(t, "write "+attribute+", which is the producer's", update(t, client, ownRecord, attribute, "Active", ""))
	}
	wantDenied(t, "probe the producer's attributes by a condition", update(t, client, ownRecord, "Notes", "x", "attribute_exists(DecidedStatus)"))
	wantDenied(t, "replace its record", put(t, client, ownRecord, "OwnerPrincipal", "SubscriberPrincipal", "Status"))
	wantDenied(t, "write the producer's history", put(t, client, ownRecord+"#P#2026-01-01T00:00:00Z-abcd", "By", "Action"))
	wantDenied(t, "hide a record in its history", put(t, client, ownRecord+"#C#2026-01-01T00:00:00Z-abce", "OwnerPrincipal", "Status"))
	wantDenied(t, "write the pair's ledger", update(t, client, producerAccount+"-"+consumerAccount, "Active", "x", ""))
	wantDenied(t, "take the producer's lease", update(t, client, producerAccount+"-lease", "Holder", "x", ""))
	_, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: subscribers})
	wantDenied(t, "scan", err)
	_, err = client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: subscribers, Key: keyOf(ownRecord)})
	wantDenied(t, "delete its record", err)
	_, err = client.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		*subscribers: {Keys: []map[string]types.AttributeValue{keyOf(ownRecord), keyOf(otherRecord)}}}})
	wantDenied(t, "read another's record along with its own", err)
	_, err = client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Update: &types.Update{
		TableName: subscribers, Key: keyOf(ownRecord), UpdateExpression: aws.String("SET DecidedStatus = :v"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": text("Active")}}}}})
	wantDenied(t, "approve itself in a transaction", err)
	_, err = client.ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: aws.String(
		fmt.Sprintf(`UPDATE "AwsDataMeshSubscriptions" SET DecidedStatus='Active' WHERE SubscriptionId='%s'`, ownRecord))})
	if err == nil {
		t.Error("it approved itself with PartiQL")
	}
}

func TestAProducersMeshRoleTouchesItsOwnRecordsOnly(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
	records(t, mesh)
	client := dynamodb.NewFromConfig(meshProducer(t, mesh))

	wantOK(t, "read its own record", get(t, client, ownRecord))
	wantOK(t, "find its own records", query(t, client, "Owner", "OwnerPrincipal", producerAccount))
	wantOK(t, "decide", update(t, client, ownRecord, "DecidedStatus", "Denied", "attribute_not_exists(Claim)"))
	wantOK(t, "take its lease", update(t, client, producerAccount+"-lease", "Holder", "x", ""))
	wantOK(t, "write the pair's ledger", update(t, client, producerAccount+"-"+consumerAccount, "Active", "x", ""))
	wantOK(t, "write its history", put(t, client, ownRecord+"#P#2026-01-01T00:00:00Z-abcd", "By", "Action"))

	wantDenied(t, "read another's record", get(t, client, otherRecord))
	wantDenied(t, "read a record of the original library", get(t, client, random))
	wantDenied(t, "decide on another's record", update(t, client, otherRecord, "DecidedStatus", "Active", ""))
	wantDenied(t, "find another's records", query(t, client, "Owner", "OwnerPrincipal", otherAccount))
	wantDenied(t, "find a subscriber's records", query(t, client, "Subscriber", "SubscriberPrincipal", producerAccount))
	wantDenied(t, "write a consumer's history", put(t, client, ownRecord+"#C#2026-01-01T00:00:00Z-abcd", "By", "Action"))
	wantDenied(t, "replace a record", put(t, client, ownRecord, "OwnerPrincipal", "Status"))
	wantDenied(t, "take another's lease", update(t, client, otherAccount+"-lease", "Holder", "x", ""))
	_, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: subscribers})
	wantDenied(t, "scan", err)
	_, err = client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: subscribers, Key: keyOf(ownRecord)})
	wantDenied(t, "delete a record", err)
}

func TestAProducersMeshRoleCannotAdministerTheMesh(t *testing.T) {
	t.Parallel()
	mesh, _ := bootstrapped(t)
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
	bootstrap(t, mesh, otherAccount, admin.Producer)
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

func TestRecordsOfTheOriginalLibraryAreOpenedOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	a := adminOf(t, mesh, meshAccount)
	_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{LegacySubscriptionIDs: true})
	must(t, err)
	bootstrap(t, mesh, producerAccount, admin.Producer)
	bootstrap(t, mesh, consumerAccount, admin.Consumer)
	records(t, mesh)
	p, c := dynamodb.NewFromConfig(meshProducer(t, mesh)), dynamodb.NewFromConfig(meshConsumer(t, mesh))
	wantOK(t, "a producer decides", update(t, p, random, "DecidedStatus", "Denied", ""))
	wantOK(t, "a consumer reads", get(t, c, random))
	wantDenied(t, "a consumer decides", update(t, c, random, "DecidedStatus", "Active", ""))
	wantDenied(t, "a consumer reads another's", get(t, c, otherRecord))

	// Saying nothing leaves it as it is.
	mesh.ResetCounts()
	_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{})
	must(t, err)
	if w := writes(mesh); len(w) > 0 {
		t.Errorf("wrote %v", w)
	}
}

func TestPoliciesStayFarBelowTheQuota(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	a := adminOf(t, mesh, meshAccount)
	_, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{LegacySubscriptionIDs: true})
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
