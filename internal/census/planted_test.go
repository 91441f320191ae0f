package census_test

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// analyst is a role that accounts have of their own.
const analyst = "Analyst"

// plant makes what others have, much of it named as the mesh names what it makes. All of it
// must be there afterwards as it is now.
func (w *world) plant() {
	w.t.Helper()
	for _, account := range []string{mesh, airline, shipping, reader, other} {
		w.role(account, analyst, "/", nil)
		// As roles of the mesh are named, tagged and kept, but for a word.
		w.role(account, "DataMeshManagerOfSales", lakemesh.IAMPath, ours())
		w.role(account, lakemesh.MeshProducerRole(airline)+"-audit", lakemesh.IAMPath, ours())
		w.role(account, lakemesh.DataAccessRole("audit"), lakemesh.IAMPath, ours())
	}
	w.role(reader, lakemesh.ProducerRole, "/", nil) // at another path
	w.role(airline, "Crawler", "/", nil)
	w.policies()
	w.lakes()
	w.table()
}

func ours() map[string]string {
	return map[string]string{lakemesh.SolutionTag: lakemesh.SolutionValue}
}

func (w *world) role(account, name, path string, tags map[string]string) {
	w.t.Helper()
	client := iam.NewFromConfig(w.Config(meshtest.Administrator(account)))
	in := &iam.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root","Service":["glue.amazonaws.com","lakeformation.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`)}
	for k, v := range tags {
		in.Tags = append(in.Tags, iamtypes.Tag{Key: &k, Value: &v})
	}
	_, err := client.CreateRole(w.t.Context(), in)
	w.must(err)
	_, err = client.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("lakemesh"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:*","s3:GetObject","s3:ListBucket","lakeformation:GetDataAccess"],"Resource":"*"}]}`)})
	w.must(err)
}

// policies are those of buckets and of the mesh's catalog, with statements named like ours.
func (w *world) policies() {
	w.t.Helper()
	for account, bucket := range map[string]string{airline: meshtest.SampleBucket, shipping: harbourBucket} {
		policy := `{"Version":"2012-10-17","Statement":[` +
			`{"Sid":"LakemeshReadObjectsOfSales","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::ACCOUNT:role/Analyst"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/sales/*"},` +
			`{"Sid":"LakemeshReadObjects7","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::ACCOUNT:role/Analyst"},"Action":"s3:GetObject","Resource":["arn:aws:s3:::BUCKET/never/*"]}]}`
		policy = strings.NewReplacer("ACCOUNT", account, "BUCKET", bucket).Replace(policy)
		_, err := w.S3(account).PutBucketPolicy(w.t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy})
		w.must(err)
	}
	_, err := w.Glue(mesh).PutResourcePolicy(w.t.Context(), &glue.PutResourcePolicyInput{PolicyInJson: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Sid":"LakemeshShareResourceOfSales","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + other + `:root"},"Action":"glue:GetTable","Resource":"arn:aws:glue:us-east-1:` + mesh + `:catalog"}]}`)})
	w.must(err)
}

// lakes are grants, LF-tags, locations and a share, made by hand.
func (w *world) lakes() {
	w.t.Helper()
	ctx := w.t.Context()
	for _, account := range []string{mesh, airline, shipping} {
		lake := w.lakeAdministrator(account)
		for _, key := range []string{"domain-of-sales", "dataproducts", "confidentiality"} {
			_, err := lake.CreateLFTag(ctx, &lakeformation.CreateLFTagInput{TagKey: &key, TagValues: []string{"none", "public"}})
			w.must(err)
		}
	}
	w.Database(mesh, "treasury-"+airline)
	w.Bucket(mesh, "treasury-data")
	w.Table(mesh, "treasury-"+airline, meshtest.CSV("gold", "s3://treasury-data/gold/"))
	lake := w.lakeAdministrator(mesh)
	_, err := lake.AddLFTagsToResource(ctx, &lakeformation.AddLFTagsToResourceInput{Resource: tableOf("treasury-"+airline, "gold"),
		LFTags: []lftypes.LFTagPair{{TagKey: aws.String("domain-of-sales"), TagValues: []string{"public"}}}})
	w.must(err)
	_, err = lake.RegisterResource(ctx, &lakeformation.RegisterResourceInput{ResourceArn: aws.String("arn:aws:s3:::treasury-data/silver"),
		RoleArn: aws.String(lakemesh.RoleARN(mesh, lakemesh.DataAccessRole("audit")))})
	w.must(err)
	w.grant(mesh, "treasury-"+airline, "gold", "arn:aws:iam::"+mesh+":role/"+analyst)
	w.grant(airline, flights, "airports", "arn:aws:iam::"+airline+":role/"+analyst)
	w.grant(airline, hangar, "planes", "arn:aws:iam::"+airline+":role/"+analyst)
	// What is shared with an account beside the mesh.
	w.Table(shipping, harbour, meshtest.CSV("crews", "s3://"+harbourBucket+"/crews/"))
	_, err = w.lakeAdministrator(shipping).RevokePermissions(ctx, &lakeformation.RevokePermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("IAM_ALLOWED_PRINCIPALS")},
		Resource: tableOf(harbour, "crews"), Permissions: []lftypes.Permission{lftypes.PermissionAll}})
	w.must(err)
	w.grant(shipping, harbour, "crews", reader)
}

func tableOf(database, name string) *lftypes.Resource {
	return &lftypes.Resource{Table: &lftypes.TableResource{DatabaseName: &database, Name: &name}}
}

// grant grants by hand.
func (w *world) grant(account, database, table, principal string) {
	w.t.Helper()
	_, err := w.lakeAdministrator(account).GrantPermissions(w.t.Context(), &lakeformation.GrantPermissionsInput{Principal: &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: &principal},
		Resource: tableOf(database, table), Permissions: []lftypes.Permission{lftypes.PermissionSelect, lftypes.PermissionDescribe}})
	w.must(err)
}

// lakeAdministrator makes the administrator of an account one of its data lake.
func (w *world) lakeAdministrator(account string) *lakeformation.Client {
	w.t.Helper()
	client := lakeformation.NewFromConfig(w.Config(meshtest.Administrator(account)))
	out, err := client.GetDataLakeSettings(w.t.Context(), &lakeformation.GetDataLakeSettingsInput{})
	w.must(err)
	out.DataLakeSettings.DataLakeAdmins = []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(meshtest.Administrator(account))}}
	_, err = client.PutDataLakeSettings(w.t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: out.DataLakeSettings})
	w.must(err)
	return client
}

// table is one named like those of the mesh.
func (w *world) table() {
	w.t.Helper()
	client := dynamodb.NewFromConfig(w.Config(meshtest.Administrator(mesh)))
	name := lakemesh.SubscriptionsTable + "Archive"
	_, err := client.CreateTable(w.t.Context(), &dynamodb.CreateTableInput{TableName: &name, BillingMode: dynamotypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("SubscriptionId"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
		KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("SubscriptionId"), KeyType: dynamotypes.KeyTypeHash}},
		Tags:                 []dynamotypes.Tag{{Key: aws.String(lakemesh.SolutionTag), Value: aws.String(lakemesh.SolutionValue)}}})
	w.must(err)
	_, err = client.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: map[string]dynamotypes.AttributeValue{"SubscriptionId": &dynamotypes.AttributeValueMemberS{Value: "old"}}})
	w.must(err)
}
