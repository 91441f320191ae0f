package security_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// caller makes raw calls as one role.
type caller struct {
	cfg  aws.Config
	ctx  context.Context
	iam  *iam.Client
	sts  *sts.Client
	glue *glue.Client
	lake *lakeformation.Client
	ram  *ram.Client
	s3   *s3.Client
	dyn  *dynamodb.Client
}

func (l *life) caller(cfg aws.Config) caller {
	return caller{cfg, l.ctx, iam.NewFromConfig(cfg), sts.NewFromConfig(cfg), glue.NewFromConfig(cfg), lakeformation.NewFromConfig(cfg),
		ram.NewFromConfig(cfg), identity.S3(cfg), dynamodb.NewFromConfig(cfg)}
}

// attempts are calls by what they try.
type attempts map[string]func() error

// refused checks that AWS refuses all attempts.
func (a attempts) refused(t *testing.T, who string) {
	t.Helper()
	for what, attempt := range a {
		if err := attempt(); !awserr.Denied(err) {
			t.Errorf("%s tries to %s: %v, want AWS to refuse it", who, what, err)
		}
	}
}

// join puts lists of attempts together.
func join(lists ...attempts) attempts {
	all := attempts{}
	for _, list := range lists {
		for what, attempt := range list {
			all[what] = attempt
		}
	}
	return all
}

const (
	everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	everybody  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`
	administer = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// identities are attempts on the account's identities, which no role of a mesh may
// touch, its own least of all.
func (c caller) identities(role string) attempts {
	return attempts{
		"widen its policy": func() error {
			return errOf(c.iam.PutRolePolicy(c.ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("lakemesh"), PolicyDocument: aws.String(everything)}))
		},
		"attach a policy to itself": func() error {
			return errOf(c.iam.AttachRolePolicy(c.ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: aws.String(administer)}))
		},
		"open itself to everybody": func() error {
			return errOf(c.iam.UpdateAssumeRolePolicy(c.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &role, PolicyDocument: aws.String(everybody)}))
		},
		"lift its boundary": func() error {
			return errOf(c.iam.DeleteRolePermissionsBoundary(c.ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: &role}))
		},
		"make a role": func() error {
			return errOf(c.iam.CreateRole(c.ctx, &iam.CreateRoleInput{RoleName: aws.String("Mine"), Path: aws.String(lakemesh.IAMPath), AssumeRolePolicyDocument: aws.String(everybody)}))
		},
		"make a user": func() error {
			return errOf(c.iam.CreateUser(c.ctx, &iam.CreateUserInput{UserName: aws.String("mine")}))
		},
		"make a key": func() error {
			return errOf(c.iam.CreateAccessKey(c.ctx, &iam.CreateAccessKeyInput{UserName: aws.String("mine")}))
		},
		"make a policy": func() error {
			return errOf(c.iam.CreatePolicy(c.ctx, &iam.CreatePolicyInput{PolicyName: aws.String("mine"), PolicyDocument: aws.String(everything)}))
		},
		"delete its role": func() error { return errOf(c.iam.DeleteRole(c.ctx, &iam.DeleteRoleInput{RoleName: &role})) },
		"list the roles":  func() error { return errOf(c.iam.ListRoles(c.ctx, &iam.ListRolesInput{})) },
	}
}

// roles are attempts to become somebody else.
func (c caller) roles(others ...string) attempts {
	all := attempts{}
	for _, role := range others {
		all["become "+role] = func() error {
			return errOf(c.sts.AssumeRole(c.ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("me")}))
		}
	}
	return all
}

// lakeSettings are attempts on the settings and the LF-tags of the caller's lake.
func (c caller) lakeSettings(role string) attempts {
	return attempts{
		"make itself an administrator": func() error {
			return errOf(c.lake.PutDataLakeSettings(c.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
				DataLakeAdmins: []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: &role}}}}))
		},
		"delete an LF-tag": func() error {
			return errOf(c.lake.DeleteLFTag(c.ctx, &lakeformation.DeleteLFTagInput{TagKey: aws.String("domain")}))
		},
		"forget a location": func() error {
			return errOf(c.lake.DeregisterResource(c.ctx, &lakeformation.DeregisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + bucket)}))
		},
		"give a location another role": func() error {
			return errOf(c.lake.UpdateResource(c.ctx, &lakeformation.UpdateResourceInput{ResourceArn: aws.String("arn:aws:s3:::" + bucket),
				RoleArn: aws.String(lakemesh.RoleARN(meshAccount, lakemesh.ManagerRole))}))
		},
	}
}

// optIns are attempts to have IAM decide again in the place of Lake Formation, which the manager
// and consumers may make: they opt in and out whom they answer for, and opt-ins give nothing.
func (c caller) optIns(role string) attempts {
	return attempts{
		"opt out of Lake Formation": func() error {
			return errOf(c.lake.DeleteLakeFormationOptIn(c.ctx, &lakeformation.DeleteLakeFormationOptInInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &role},
				Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String(product)}}}))
		},
	}
}

// data are attempts to reach the rows without Lake Formation, and to change them.
func (c caller) data() attempts {
	const key = "weather/part=00001/rows.csv"
	return attempts{
		"read rows": func() error {
			return errOf(c.s3.GetObject(c.ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}))
		},
		"list rows": func() error {
			return errOf(c.s3.ListObjectsV2(c.ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String("weather/")}))
		},
		"write rows": func() error {
			return errOf(c.s3.PutObject(c.ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader("x")}))
		},
		"delete rows": func() error {
			return errOf(c.s3.DeleteObject(c.ctx, &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}))
		},
		"make a bucket": func() error {
			return errOf(c.s3.CreateBucket(c.ctx, &s3.CreateBucketInput{Bucket: aws.String("mine")}))
		},
	}
}

// policies are attempts on the policies of buckets.
func (c caller) policies(name string) attempts {
	return attempts{
		"read the policy of bucket " + name: func() error {
			return errOf(c.s3.GetBucketPolicy(c.ctx, &s3.GetBucketPolicyInput{Bucket: &name}))
		},
		"write the policy of bucket " + name: func() error {
			return errOf(c.s3.PutBucketPolicy(c.ctx, &s3.PutBucketPolicyInput{Bucket: &name, Policy: aws.String(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + consumerAccount + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + name + `/*"}]}`)}))
		},
		"delete the policy of bucket " + name: func() error {
			return errOf(c.s3.DeleteBucketPolicy(c.ctx, &s3.DeleteBucketPolicyInput{Bucket: &name}))
		},
	}
}

// metadata are attempts to change the product in the mesh's catalog.
func (c caller) metadata() attempts {
	m, d, n := aws.String(meshAccount), aws.String(product), aws.String("weather")
	moved := meshtest.CSV("weather", "s3://"+bucket+"/routes", "part")
	return attempts{
		"make a database in the mesh": func() error {
			return errOf(c.glue.CreateDatabase(c.ctx, &glue.CreateDatabaseInput{CatalogId: m, DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("mine")}}))
		},
		"change the database": func() error {
			return errOf(c.glue.UpdateDatabase(c.ctx, &glue.UpdateDatabaseInput{CatalogId: m, Name: d, DatabaseInput: &gluetypes.DatabaseInput{Name: d}}))
		},
		"delete the database": func() error {
			return errOf(c.glue.DeleteDatabase(c.ctx, &glue.DeleteDatabaseInput{CatalogId: m, Name: d}))
		},
		"make a table": func() error {
			return errOf(c.glue.CreateTable(c.ctx, &glue.CreateTableInput{CatalogId: m, DatabaseName: d, TableInput: meshtest.CSV("mine", "s3://"+bucket+"/mine")}))
		},
		"move a table": func() error {
			return errOf(c.glue.UpdateTable(c.ctx, &glue.UpdateTableInput{CatalogId: m, DatabaseName: d, TableInput: moved}))
		},
		"add a partition": func() error {
			return errOf(c.glue.BatchCreatePartition(c.ctx, &glue.BatchCreatePartitionInput{CatalogId: m, DatabaseName: d, TableName: n,
				PartitionInputList: []gluetypes.PartitionInput{{Values: []string{"9"}, StorageDescriptor: moved.StorageDescriptor}}}))
		},
		"move a partition": func() error {
			return errOf(c.glue.BatchUpdatePartition(c.ctx, &glue.BatchUpdatePartitionInput{CatalogId: m, DatabaseName: d, TableName: n,
				Entries: []gluetypes.BatchUpdatePartitionRequestEntry{{PartitionValueList: []string{"0"},
					PartitionInput: &gluetypes.PartitionInput{Values: []string{"0"}, StorageDescriptor: moved.StorageDescriptor}}}}))
		},
	}
}

// removals are attempts to remove what was published. Nobody's role may: products
// end with their subscriptions, and what removes them is an administrator.
func (c caller) removals() attempts {
	m, d, n := aws.String(meshAccount), aws.String(product), aws.String("weather")
	return attempts{
		"delete a table": func() error {
			return errOf(c.glue.DeleteTable(c.ctx, &glue.DeleteTableInput{CatalogId: m, DatabaseName: d, Name: n}))
		},
		"delete tables": func() error {
			return errOf(c.glue.BatchDeleteTable(c.ctx, &glue.BatchDeleteTableInput{CatalogId: m, DatabaseName: d, TablesToDelete: []string{"weather"}}))
		},
		"delete a partition": func() error {
			return errOf(c.glue.DeletePartition(c.ctx, &glue.DeletePartitionInput{CatalogId: m, DatabaseName: d, TableName: n, PartitionValues: []string{"00001"}}))
		},
	}
}

// shares are attempts on RAM shares beside Lake Formation's.
func (c caller) shares(invitation string) attempts {
	return attempts{
		"share something else": func() error {
			return errOf(c.ram.CreateResourceShare(c.ctx, &ram.CreateResourceShareInput{Name: aws.String("mine"), Principals: []string{consumerAccount},
				ResourceArns: []string{"arn:aws:ec2:us-east-1:" + meshAccount + ":subnet/subnet-1"}}))
		},
		"accept what a stranger shares": func() error {
			return errOf(c.ram.AcceptResourceShareInvitation(c.ctx, &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: &invitation}))
		},
		"reject what the mesh shares": func() error {
			return errOf(c.ram.RejectResourceShareInvitation(c.ctx, &ram.RejectResourceShareInvitationInput{ResourceShareInvitationArn: &invitation}))
		},
	}
}

// records are attempts on the table of records that no role of a mesh may make.
func (c caller) records(own string) attempts {
	table := aws.String(lakemesh.SubscriptionsTable)
	arn := aws.String("arn:aws:dynamodb:us-east-1:" + meshAccount + ":table/" + lakemesh.SubscriptionsTable)
	str := func(s string) dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberS{Value: s} }
	key := map[string]dynamotypes.AttributeValue{"SubscriptionId": str(own)}
	whole := map[string]dynamotypes.AttributeValue{"SubscriptionId": str(own), "Status": str("Active"), "DecidedStatus": str("Active")}
	return attempts{
		"replace a record": func() error { return errOf(c.dyn.PutItem(c.ctx, &dynamodb.PutItemInput{TableName: arn, Item: whole})) },
		"delete a record": func() error {
			return errOf(c.dyn.DeleteItem(c.ctx, &dynamodb.DeleteItemInput{TableName: arn, Key: key}))
		},
		"replace a record in a batch": func() error {
			return errOf(c.dyn.BatchWriteItem(c.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]dynamotypes.WriteRequest{
				*arn: {{PutRequest: &dynamotypes.PutRequest{Item: whole}}}}}))
		},
		"replace a record in a transaction": func() error {
			return errOf(c.dyn.TransactWriteItems(c.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []dynamotypes.TransactWriteItem{
				{Put: &dynamotypes.Put{TableName: arn, Item: whole}}}}))
		},
		"write another producer's record": func() error {
			return errOf(c.dyn.UpdateItem(c.ctx, &dynamodb.UpdateItemInput{TableName: arn, UpdateExpression: aws.String("SET DecidedStatus = :s"),
				Key:                       map[string]dynamotypes.AttributeValue{"SubscriptionId": str("222222222222-888888888888-" + strings.Repeat("A", 22))},
				ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":s": str("Active")}}))
		},
		"delete the table": func() error { return errOf(c.dyn.DeleteTable(c.ctx, &dynamodb.DeleteTableInput{TableName: table})) },
		"make another table": func() error {
			return errOf(c.dyn.CreateTable(c.ctx, &dynamodb.CreateTableInput{TableName: aws.String("mine"), BillingMode: dynamotypes.BillingModePayPerRequest,
				AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("k"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
				KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: dynamotypes.KeyTypeHash}}}))
		},
		"change the table": func() error {
			return errOf(c.dyn.UpdateTable(c.ctx, &dynamodb.UpdateTableInput{TableName: table, DeletionProtectionEnabled: aws.Bool(false)}))
		},
	}
}

// grants are attempts to let somebody have what the caller may not hand on.
func (c caller) grants(to ...string) attempts {
	all := attempts{}
	for _, principal := range to {
		all["grant a table to "+principal] = func() error {
			return errOf(c.lake.GrantPermissions(c.ctx, &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &principal},
				Resource:    &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: aws.String(meshAccount), DatabaseName: aws.String(product), Name: aws.String("airports")}},
				Permissions: []lftypes.Permission{lftypes.PermissionSelect}}))
		}
	}
	return all
}

// vending are attempts to have credentials vended.
func (c caller) vending() attempts {
	return attempts{"have credentials vended": func() error {
		return errOf(c.lake.GetTemporaryGlueTableCredentials(c.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
			TableArn: aws.String(lakemesh.TableARN(region, meshAccount, product, "weather")), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
			SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}}))
	}}
}

// stranger shares something with the producer and the consumer, and returns the
// invitations.
func (l *life) stranger(t *testing.T) (forProducer, forConsumer string) {
	t.Helper()
	const account = "777777777777"
	l.Database(account, "bait")
	client := lakeformation.NewFromConfig(l.Config(meshtest.Administrator(account)))
	admins := []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(account))}}
	err := errOf(client.PutDataLakeSettings(l.ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
		DataLakeAdmins: admins, Parameters: map[string]string{"CROSS_ACCOUNT_VERSION": "3"}}}))
	if err != nil {
		t.Fatal(err)
	}
	database := &lftypes.Resource{Database: &lftypes.DatabaseResource{Name: aws.String("bait")}}
	err = errOf(client.RevokePermissions(l.ctx, &lakeformation.RevokePermissionsInput{Resource: database, Permissions: []lftypes.Permission{lftypes.PermissionAll},
		Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("IAM_ALLOWED_PRINCIPALS")}}))
	if err != nil {
		t.Fatal(err)
	}
	invitation := func(receiver string) string {
		err := errOf(client.GrantPermissions(l.ctx, &lakeformation.GrantPermissionsInput{Resource: database, Permissions: []lftypes.Permission{lftypes.PermissionDescribe},
			Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(receiver)}}))
		if err != nil {
			t.Fatal(err)
		}
		out, err := ram.NewFromConfig(l.Config(meshtest.Administrator(receiver))).GetResourceShareInvitations(l.ctx, &ram.GetResourceShareInvitationsInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range out.ResourceShareInvitations {
			if aws.ToString(i.SenderAccountId) == account && i.Status == ramtypes.ResourceShareInvitationStatusPending {
				return aws.ToString(i.ResourceShareInvitationArn)
			}
		}
		t.Fatalf("no invitation for %s: %+v", receiver, out.ResourceShareInvitations)
		return ""
	}
	return invitation(producerAccount), invitation(consumerAccount)
}

func TestWhatNoRoleOfAMeshMayDo(t *testing.T) {
	t.Parallel()
	l := newLife(t)
	steps := l.atOnce()
	// Up to the subscriptions' use: everything is published, granted and open.
	for i, s := range steps {
		if s.name == "change a subscription" {
			steps = steps[:i]
			break
		}
	}
	if err := l.live(steps); err != nil {
		t.Fatal(err)
	}
	toProducer, toConsumer := l.stranger(t)
	l.Bucket(consumerAccount, "consumers-own")
	arn := lakemesh.RoleARN
	meshProducer, meshConsumer := lakemesh.MeshProducerRole(producerAccount), lakemesh.MeshConsumerRole(consumerAccount)
	own := l.ids["weather"]

	t.Run("manager", func(t *testing.T) {
		c := l.caller(l.as(meshAccount, lakemesh.ManagerRole))
		settings := c.lakeSettings(arn(meshAccount, lakemesh.ManagerRole))
		// An account's own LF-tags go with it.
		delete(settings, "delete an LF-tag")
		join(c.identities(lakemesh.ManagerRole), settings, c.data(), c.policies(bucket), c.metadata(), c.removals(),
			c.shares(toProducer), c.records(own), c.vending(),
			c.roles(arn(meshAccount, meshProducer), arn(meshAccount, meshConsumer), arn(producerAccount, lakemesh.ProducerRole), arn(consumerAccount, lakemesh.ConsumerRole)),
			attempts{
				"register a location": func() error {
					return errOf(c.lake.RegisterResource(l.ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::mine"), RoleArn: aws.String(arn(meshAccount, lakemesh.ManagerRole))}))
				},
				"decide": func() error {
					return errOf(c.dyn.UpdateItem(l.ctx, &dynamodb.UpdateItemInput{TableName: aws.String(lakemesh.SubscriptionsTable), UpdateExpression: aws.String("SET DecidedStatus = :s"),
						Key:                       map[string]dynamotypes.AttributeValue{"SubscriptionId": &dynamotypes.AttributeValueMemberS{Value: own}},
						ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":s": &dynamotypes.AttributeValueMemberS{Value: "Active"}}}))
				},
				"write the catalog's policy": func() error {
					return errOf(c.glue.PutResourcePolicy(l.ctx, &glue.PutResourcePolicyInput{PolicyInJson: aws.String(everything)}))
				},
			}).refused(t, "the manager")
	})
	t.Run("producer", func(t *testing.T) {
		c := l.caller(l.as(producerAccount, lakemesh.ProducerRole))
		join(c.identities(lakemesh.ProducerRole), c.lakeSettings(arn(producerAccount, lakemesh.ProducerRole)), c.optIns(arn(producerAccount, lakemesh.ProducerRole)), c.data(), c.policies("consumers-own"),
			c.metadata(), c.removals(), c.shares(toProducer), c.records(own), c.vending(), c.grants(consumerAccount, arn(consumerAccount, lakemesh.ConsumerRole)),
			c.roles(arn(meshAccount, lakemesh.ManagerRole), arn(meshAccount, lakemesh.ReadOnlyRole), arn(meshAccount, meshConsumer), arn(consumerAccount, lakemesh.ConsumerRole),
				meshtest.CrawlerRole, meshtest.Administrator(producerAccount)),
			attempts{
				"have a crawler run as an administrator": func() error {
					return errOf(c.glue.CreateCrawler(l.ctx, &glue.CreateCrawlerInput{Name: aws.String("mine"), Role: aws.String(meshtest.Administrator(producerAccount)), DatabaseName: aws.String(source),
						Targets: &gluetypes.CrawlerTargets{S3Targets: []gluetypes.S3Target{{Path: aws.String("s3://" + bucket)}}}}))
				},
				"delete its database": func() error {
					return errOf(c.glue.DeleteDatabase(l.ctx, &glue.DeleteDatabaseInput{Name: aws.String(source)}))
				},
				"change its source table": func() error {
					return errOf(c.glue.UpdateTable(l.ctx, &glue.UpdateTableInput{DatabaseName: aws.String(source), TableInput: meshtest.CSV("routes", "s3://"+bucket+"/elsewhere")}))
				},
				"make an LF-tag": func() error {
					return errOf(c.lake.CreateLFTag(l.ctx, &lakeformation.CreateLFTagInput{TagKey: aws.String("mine"), TagValues: []string{"x"}}))
				},
				"register a location": func() error {
					return errOf(c.lake.RegisterResource(l.ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::mine"), RoleArn: aws.String(meshtest.CrawlerRole)}))
				},
			}).refused(t, "the producer")
	})
	t.Run("consumer", func(t *testing.T) {
		c := l.caller(l.as(consumerAccount, lakemesh.ConsumerRole))
		join(c.identities(lakemesh.ConsumerRole), c.lakeSettings(arn(consumerAccount, lakemesh.ConsumerRole)), c.data(), c.policies("consumers-own"), c.policies(bucket),
			c.metadata(), c.removals(), c.shares(toConsumer), c.records(own), c.grants(producerAccount, meshtest.OtherConsumer, arn(producerAccount, lakemesh.ProducerRole)),
			c.roles(arn(meshAccount, lakemesh.ManagerRole), arn(meshAccount, lakemesh.ReadOnlyRole), arn(meshAccount, meshProducer), arn(producerAccount, lakemesh.ProducerRole),
				meshtest.Administrator(consumerAccount)),
			attempts{
				"make a table": func() error {
					return errOf(c.glue.CreateTable(l.ctx, &glue.CreateTableInput{DatabaseName: aws.String("any"), TableInput: meshtest.CSV("mine", "s3://consumers-own/mine")}))
				},
			}).refused(t, "the consumer")
	})
	t.Run("producer in the mesh", func(t *testing.T) {
		c := l.caller(l.as(meshAccount, meshProducer))
		shares, err := ram.NewFromConfig(l.Config(meshtest.Administrator(meshAccount))).CreateResourceShare(l.ctx, &ram.CreateResourceShareInput{Name: aws.String("others")})
		if err != nil {
			t.Fatal(err)
		}
		share := shares.ResourceShare.ResourceShareArn
		// It makes shares for Lake Formation. There is nothing else to share here.
		receive := c.shares(toProducer)
		delete(receive, "share something else")
		// What it made itself it may remove, for that is how a product is unpublished.
		removals := c.removals()
		delete(removals, "delete tables")
		join(c.identities(meshProducer), c.lakeSettings(arn(meshAccount, meshProducer)), c.optIns(arn(meshAccount, meshProducer)), c.data(), c.policies(bucket), removals, receive, c.records(own), c.vending(),
			c.roles(arn(meshAccount, lakemesh.ManagerRole), arn(meshAccount, meshConsumer), arn(producerAccount, lakemesh.ProducerRole), arn(consumerAccount, lakemesh.ConsumerRole)),
			attempts{
				"join a share of others": func() error {
					return errOf(c.ram.AssociateResourceShare(l.ctx, &ram.AssociateResourceShareInput{ResourceShareArn: share, Principals: []string{producerAccount}}))
				},
				"delete a share of others": func() error {
					return errOf(c.ram.DeleteResourceShare(l.ctx, &ram.DeleteResourceShareInput{ResourceShareArn: share}))
				},
				"scan the records": func() error {
					return errOf(c.dyn.Scan(l.ctx, &dynamodb.ScanInput{TableName: aws.String(lakemesh.SubscriptionsTable)}))
				},
			}).refused(t, "the producer's role in the mesh")
	})
	t.Run("consumer in the mesh", func(t *testing.T) {
		c := l.caller(l.as(meshAccount, meshConsumer))
		join(c.identities(meshConsumer), c.lakeSettings(arn(meshAccount, meshConsumer)), c.optIns(arn(meshAccount, meshConsumer)), c.data(), c.policies(bucket), c.metadata(), c.removals(), c.shares(toConsumer), c.records(own),
			c.vending(), c.grants(consumerAccount, arn(meshAccount, meshConsumer)),
			c.roles(arn(meshAccount, lakemesh.ManagerRole), arn(meshAccount, meshProducer), arn(producerAccount, lakemesh.ProducerRole), arn(consumerAccount, lakemesh.ConsumerRole)),
			attempts{
				"look at the catalog": func() error { return errOf(c.glue.GetDatabases(l.ctx, &glue.GetDatabasesInput{})) },
				"see who holds what":  func() error { return errOf(c.lake.ListPermissions(l.ctx, &lakeformation.ListPermissionsInput{})) },
				"see the shares": func() error {
					return errOf(c.ram.GetResourceShares(l.ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf}))
				},
			}).refused(t, "the consumer's role in the mesh")
	})
	t.Run("read-only", func(t *testing.T) {
		c := l.caller(l.as(meshAccount, lakemesh.ReadOnlyRole))
		join(c.identities(lakemesh.ReadOnlyRole), c.lakeSettings(arn(meshAccount, lakemesh.ReadOnlyRole)), c.optIns(arn(meshAccount, lakemesh.ReadOnlyRole)), c.data(), c.policies(bucket), c.metadata(), c.removals(),
			c.shares(toConsumer), c.records(own), c.vending(), c.grants(consumerAccount, arn(meshAccount, lakemesh.ReadOnlyRole)),
			c.roles(arn(meshAccount, lakemesh.ManagerRole), arn(meshAccount, meshProducer), arn(meshAccount, meshConsumer)),
			attempts{
				"see partitions": func() error {
					return errOf(c.glue.GetPartitions(l.ctx, &glue.GetPartitionsInput{DatabaseName: aws.String(product), TableName: aws.String("weather")}))
				},
				"see who holds what": func() error { return errOf(c.lake.ListPermissions(l.ctx, &lakeformation.ListPermissionsInput{})) },
				"see the settings": func() error {
					return errOf(c.lake.GetDataLakeSettings(l.ctx, &lakeformation.GetDataLakeSettingsInput{}))
				},
			}).refused(t, "the read-only role")
	})
	t.Run("vended session", func(t *testing.T) {
		// What Lake Formation hands out reads one table's rows and does nothing else.
		out, err := lakeformation.NewFromConfig(l.as(consumerAccount, lakemesh.ConsumerRole)).GetTemporaryGlueTableCredentials(l.ctx, &lakeformation.GetTemporaryGlueTableCredentialsInput{
			TableArn: aws.String(lakemesh.TableARN(region, meshAccount, product, "weather")), Permissions: []lftypes.Permission{lftypes.PermissionSelect},
			SupportedPermissionTypes: []lftypes.PermissionType{lftypes.PermissionTypeColumnPermission}})
		if err != nil {
			t.Fatal(err)
		}
		cfg := l.ConfigWith(credentials.NewStaticCredentialsProvider(*out.AccessKeyId, *out.SecretAccessKey, *out.SessionToken))
		c := l.caller(cfg)
		rows := c.data()
		for _, can := range []string{"read rows", "list rows"} {
			if err := rows[can](); err != nil {
				t.Errorf("it cannot %s: %v", can, err)
			}
			delete(rows, can)
		}
		join(c.identities(lakemesh.ManagerRole), c.lakeSettings(arn(meshAccount, lakemesh.ManagerRole)), c.optIns(arn(meshAccount, lakemesh.ManagerRole)), rows, c.policies(bucket), c.metadata(), c.removals(), c.shares(toConsumer),
			c.records(own), c.vending(), c.grants(consumerAccount),
			c.roles(arn(meshAccount, lakemesh.ManagerRole), arn(meshAccount, lakemesh.ReadOnlyRole), arn(meshAccount, meshProducer)),
			attempts{"read another table's rows": func() error {
				return errOf(c.s3.GetObject(l.ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("routes/rows.csv")}))
			}}).refused(t, "a vended session")
	})
	// Nothing that was tried left a trace: the life goes on to its end.
	if err := l.live(l.rest("change a subscription")); err != nil {
		t.Error(err)
	}
}

// rest are the steps from one on.
func (l *life) rest(from string) []step {
	all := l.atOnce()
	for i, s := range all {
		if s.name == from {
			return all[i:]
		}
	}
	return []step{{from, func() error { return fmt.Errorf("no such step: %w", errUnexpected) }}}
}
