package interop

import (
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

// call is one call of a sequence. What Terraform's AWS provider takes for "there is none" stands
// in none: it goes on then, and fails at every other error.
type call struct {
	what string
	none string
	do   func(t *testing.T) error
}

// sequence makes the calls in order; each of them has to be answered as the provider needs it.
func sequence(t *testing.T, calls ...call) {
	t.Helper()
	for _, c := range calls {
		err := c.do(t)
		var refused smithy.APIError
		switch {
		case c.none == "" && err != nil:
			t.Fatalf("%s: %v", c.what, err)
		case c.none != "" && (!errors.As(err, &refused) || refused.ErrorCode() != c.none):
			t.Fatalf("%s: %v; want %s", c.what, err, c.none)
		}
	}
}

func done[T any](_ T, err error) error { return err }

// administrator is a configuration of an account whose data lake it administers.
func administrator(t *testing.T, m *localmesh.Mesh) aws.Config {
	t.Helper()
	const arn = "arn:aws:iam::" + producerAccount + ":role/Terraform"
	cfg := m.Config(arn)
	_, err := lakeformation.NewFromConfig(cfg).PutDataLakeSettings(t.Context(), &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &lftypes.DataLakeSettings{
		DataLakeAdmins: []lftypes.DataLakePrincipal{{DataLakePrincipalIdentifier: aws.String(arn)}}}})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// The calls that Terraform's AWS provider makes for a resource, in the order in which it makes
// them: create, read it back, change it, read it again, delete it, and look until it is gone.
// https://github.com/hashicorp/terraform-provider-aws says which; nothing of it is here but that.

func TestTerraformsBucket(t *testing.T) {
	t.Parallel()
	m := localmesh.Run(t)
	client := identity.S3(administrator(t, m))
	b := aws.String("terraformed")
	ctx := t.Context()
	read := []call{
		{"head", "", func(*testing.T) error { return done(client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: b})) }},
		{"location", "", func(*testing.T) error {
			return done(client.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: b}))
		}},
		{"policy", "NoSuchBucketPolicy", func(*testing.T) error {
			return done(client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b}))
		}},
		{"ACL", "", func(t *testing.T) error {
			out, err := client.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: b})
			if err == nil && (len(out.Grants) != 1 || out.Grants[0].Permission != s3types.PermissionFullControl || out.Owner == nil) {
				t.Errorf("the ACL is %+v", out)
			}
			return err
		}},
		{"CORS", "NoSuchCORSConfiguration", func(*testing.T) error {
			return done(client.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: b}))
		}},
		{"website", "NoSuchWebsiteConfiguration", func(*testing.T) error {
			return done(client.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: b}))
		}},
		{"versioning", "", func(*testing.T) error {
			return done(client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: b}))
		}},
		{"acceleration", "", func(*testing.T) error {
			return done(client.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: b}))
		}},
		{"who pays", "", func(*testing.T) error {
			return done(client.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: b}))
		}},
		{"logging", "", func(*testing.T) error {
			return done(client.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: b}))
		}},
		{"lifecycle", "NoSuchLifecycleConfiguration", func(*testing.T) error {
			return done(client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b}))
		}},
		{"replication", "ReplicationConfigurationNotFoundError", func(*testing.T) error {
			return done(client.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: b}))
		}},
		{"encryption", "", func(t *testing.T) error {
			out, err := client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: b})
			if err == nil && out.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm != s3types.ServerSideEncryptionAes256 {
				t.Errorf("the encryption is %+v", out.ServerSideEncryptionConfiguration)
			}
			return err
		}},
		{"object lock", "ObjectLockConfigurationNotFoundError", func(*testing.T) error {
			return done(client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: b}))
		}},
		{"ownership", "", func(t *testing.T) error {
			out, err := client.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: b})
			if err == nil && out.OwnershipControls.Rules[0].ObjectOwnership != s3types.ObjectOwnershipBucketOwnerEnforced {
				t.Errorf("the ownership is %+v", out.OwnershipControls)
			}
			return err
		}},
		{"public access", "", func(*testing.T) error {
			return done(client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b}))
		}},
	}
	tags := s3types.Tagging{TagSet: []s3types.Tag{{Key: aws.String("team"), Value: aws.String("lake")}}}
	all := slices.Concat([]call{{"create", "", func(*testing.T) error { return done(client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b})) }}}, read, []call{
		{"tags of none", "NoSuchTagSet", func(*testing.T) error {
			return done(client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b}))
		}},
		{"tag", "", func(*testing.T) error {
			return done(client.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: b, Tagging: &tags}))
		}},
		{"tags", "", func(*testing.T) error {
			return done(client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b}))
		}},
	}, read, []call{
		{"delete", "", func(*testing.T) error {
			return done(client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b}))
		}},
		{"head of none", "NotFound", func(*testing.T) error { return done(client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: b})) }},
	})
	sequence(t, all...)
}

func TestTerraformsRoleAndPolicy(t *testing.T) {
	t.Parallel()
	m := localmesh.Run(t)
	client := iam.NewFromConfig(administrator(t, m))
	ctx := t.Context()
	r, p := aws.String("Terraformed"), aws.String("terraformed")
	trust := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	doc := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"glue:Get*","Resource":"*"}]}`)
	var arn *string
	sequence(t,
		call{"create the policy", "", func(*testing.T) error {
			out, err := client.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: p, PolicyDocument: doc, Description: aws.String("read the catalog")})
			if err == nil {
				arn = out.Policy.Arn
			}
			return err
		}},
		call{"the policy", "", func(*testing.T) error { return done(client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})) }},
		call{"its version", "", func(*testing.T) error {
			return done(client.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}))
		}},
		call{"create the role", "", func(*testing.T) error {
			return done(client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: r, AssumeRolePolicyDocument: trust}))
		}},
		call{"the role", "", func(*testing.T) error { return done(client.GetRole(ctx, &iam.GetRoleInput{RoleName: r})) }},
		call{"inline policies", "", func(*testing.T) error {
			return done(client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: r}))
		}},
		call{"attach", "", func(*testing.T) error {
			return done(client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: r, PolicyArn: arn}))
		}},
		call{"attached policies", "", func(*testing.T) error {
			return done(client.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: r}))
		}},
		call{"the policy's versions", "", func(*testing.T) error {
			return done(client.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn}))
		}},
		call{"instance profiles before it is deleted", "", func(*testing.T) error {
			return done(client.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: r}))
		}},
		call{"detach", "", func(*testing.T) error {
			return done(client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: r, PolicyArn: arn}))
		}},
		call{"delete the role", "", func(*testing.T) error { return done(client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: r})) }},
		call{"no role", "NoSuchEntity", func(*testing.T) error { return done(client.GetRole(ctx, &iam.GetRoleInput{RoleName: r})) }},
		call{"delete the policy", "", func(*testing.T) error {
			return done(client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
		}},
		call{"no policy", "NoSuchEntity", func(*testing.T) error { return done(client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})) }},
	)
}

func TestTerraformsCatalogAndGrants(t *testing.T) {
	t.Parallel()
	m := localmesh.Run(t)
	cfg := administrator(t, m)
	ctx := t.Context()
	catalog, lake := glue.NewFromConfig(cfg), lakeformation.NewFromConfig(cfg)
	db, table, account := aws.String("terraformed"), aws.String("orders"), aws.String(producerAccount)
	input := func(comment string) *gluetypes.TableInput {
		return &gluetypes.TableInput{Name: table, TableType: aws.String("EXTERNAL_TABLE"), Parameters: map[string]string{"comment": comment},
			StorageDescriptor: &gluetypes.StorageDescriptor{Columns: []gluetypes.Column{{Name: aws.String("id"), Type: aws.String("bigint")}, {Name: aws.String("name"), Type: aws.String("string")}}}}
	}
	principal := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String("arn:aws:iam::" + producerAccount + ":role/Reader")}
	trust := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	onTable := &lftypes.Resource{TableWithColumns: &lftypes.TableWithColumnsResource{CatalogId: account, DatabaseName: db, Name: table, ColumnWildcard: &lftypes.ColumnWildcard{}}}
	filter := &lftypes.DataCellsFilter{TableCatalogId: account, DatabaseName: db, TableName: table, Name: aws.String("some"), ColumnNames: []string{"id"}, RowFilter: &lftypes.RowFilter{AllRowsWildcard: &lftypes.AllRowsWildcard{}}}
	tag := lftypes.LFTagPair{CatalogId: account, TagKey: aws.String("level"), TagValues: []string{"open"}}
	sequence(t,
		call{"create the database", "", func(*testing.T) error {
			return done(catalog.CreateDatabase(ctx, &glue.CreateDatabaseInput{CatalogId: account, DatabaseInput: &gluetypes.DatabaseInput{Name: db, CreateTableDefaultPermissions: []gluetypes.PrincipalPermissions{}}}))
		}},
		call{"the database", "", func(*testing.T) error {
			return done(catalog.GetDatabase(ctx, &glue.GetDatabaseInput{CatalogId: account, Name: db}))
		}},
		call{"its tags", "", func(*testing.T) error {
			return done(catalog.GetTags(ctx, &glue.GetTagsInput{ResourceArn: aws.String("arn:aws:glue:" + region + ":" + producerAccount + ":database/terraformed")}))
		}},
		call{"create the table", "", func(*testing.T) error {
			return done(catalog.CreateTable(ctx, &glue.CreateTableInput{CatalogId: account, DatabaseName: db, TableInput: input("one")}))
		}},
		call{"the table", "", func(*testing.T) error {
			return done(catalog.GetTable(ctx, &glue.GetTableInput{CatalogId: account, DatabaseName: db, Name: table}))
		}},
		call{"its indexes", "", func(*testing.T) error {
			return done(catalog.GetPartitionIndexes(ctx, &glue.GetPartitionIndexesInput{CatalogId: account, DatabaseName: db, TableName: table}))
		}},
		call{"change the table", "", func(*testing.T) error {
			return done(catalog.UpdateTable(ctx, &glue.UpdateTableInput{CatalogId: account, DatabaseName: db, TableInput: input("two"), SkipArchive: aws.Bool(true)}))
		}},
		call{"a reader", "", func(*testing.T) error {
			return done(iam.NewFromConfig(cfg).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("Reader"), AssumeRolePolicyDocument: trust}))
		}},
		call{"grant", "", func(*testing.T) error {
			return done(lake.GrantPermissions(ctx, &lakeformation.GrantPermissionsInput{CatalogId: account, Principal: principal, Resource: onTable, Permissions: []lftypes.Permission{lftypes.PermissionSelect}}))
		}},
		call{"what is granted", "", func(t *testing.T) error {
			out, err := lake.ListPermissions(ctx, &lakeformation.ListPermissionsInput{CatalogId: account, Principal: principal,
				Resource: &lftypes.Resource{Table: &lftypes.TableResource{CatalogId: account, DatabaseName: db, Name: table}}})
			if err == nil && (len(out.PrincipalResourcePermissions) != 1 || out.PrincipalResourcePermissions[0].Resource.TableWithColumns == nil) {
				t.Errorf("granted is %+v", out.PrincipalResourcePermissions)
			}
			return err
		}},
		call{"revoke", "", func(*testing.T) error {
			return done(lake.RevokePermissions(ctx, &lakeformation.RevokePermissionsInput{CatalogId: account, Principal: principal, Resource: onTable, Permissions: []lftypes.Permission{lftypes.PermissionSelect}}))
		}},
		call{"create the tag", "", func(*testing.T) error {
			return done(lake.CreateLFTag(ctx, &lakeformation.CreateLFTagInput{CatalogId: account, TagKey: tag.TagKey, TagValues: []string{"open", "closed"}}))
		}},
		call{"the tag", "", func(*testing.T) error {
			return done(lake.GetLFTag(ctx, &lakeformation.GetLFTagInput{CatalogId: account, TagKey: tag.TagKey}))
		}},
		call{"assign it", "", func(t *testing.T) error {
			out, err := lake.AddLFTagsToResource(ctx, &lakeformation.AddLFTagsToResourceInput{CatalogId: account, LFTags: []lftypes.LFTagPair{tag},
				Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: account, Name: db}}})
			if err == nil && len(out.Failures) > 0 {
				t.Errorf("not assigned: %+v", out.Failures)
			}
			return err
		}},
		call{"what is assigned", "", func(*testing.T) error {
			return done(lake.GetResourceLFTags(ctx, &lakeformation.GetResourceLFTagsInput{CatalogId: account, ShowAssignedLFTags: aws.Bool(true),
				Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: account, Name: db}}}))
		}},
		call{"take it off", "", func(*testing.T) error {
			return done(lake.RemoveLFTagsFromResource(ctx, &lakeformation.RemoveLFTagsFromResourceInput{CatalogId: account, LFTags: []lftypes.LFTagPair{tag},
				Resource: &lftypes.Resource{Database: &lftypes.DatabaseResource{CatalogId: account, Name: db}}}))
		}},
		call{"delete the tag", "", func(*testing.T) error {
			return done(lake.DeleteLFTag(ctx, &lakeformation.DeleteLFTagInput{CatalogId: account, TagKey: tag.TagKey}))
		}},
		call{"create the filter", "", func(*testing.T) error {
			return done(lake.CreateDataCellsFilter(ctx, &lakeformation.CreateDataCellsFilterInput{TableData: filter}))
		}},
		call{"the filter", "", func(*testing.T) error {
			return done(lake.GetDataCellsFilter(ctx, &lakeformation.GetDataCellsFilterInput{TableCatalogId: account, DatabaseName: db, TableName: table, Name: filter.Name}))
		}},
		call{"delete the filter", "", func(*testing.T) error {
			return done(lake.DeleteDataCellsFilter(ctx, &lakeformation.DeleteDataCellsFilterInput{TableCatalogId: account, DatabaseName: db, TableName: table, Name: filter.Name}))
		}},
		call{"no filter", "EntityNotFoundException", func(*testing.T) error {
			return done(lake.GetDataCellsFilter(ctx, &lakeformation.GetDataCellsFilterInput{TableCatalogId: account, DatabaseName: db, TableName: table, Name: filter.Name}))
		}},
		call{"delete the table", "", func(*testing.T) error {
			return done(catalog.DeleteTable(ctx, &glue.DeleteTableInput{CatalogId: account, DatabaseName: db, Name: table}))
		}},
		call{"no table", "EntityNotFoundException", func(*testing.T) error {
			return done(catalog.GetTable(ctx, &glue.GetTableInput{CatalogId: account, DatabaseName: db, Name: table}))
		}},
		call{"delete the database", "", func(*testing.T) error {
			return done(catalog.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{CatalogId: account, Name: db}))
		}},
		call{"no database", "EntityNotFoundException", func(*testing.T) error {
			return done(catalog.GetDatabase(ctx, &glue.GetDatabaseInput{CatalogId: account, Name: db}))
		}},
	)
}

func TestTerraformsShareKeyAndTable(t *testing.T) {
	t.Parallel()
	m := localmesh.Run(t)
	cfg := administrator(t, m)
	ctx := t.Context()
	shares, keys, tables := ram.NewFromConfig(cfg), kms.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	var share, key, table *string
	name := aws.String("terraformed")
	sequence(t,
		call{"create the share", "", func(*testing.T) error {
			out, err := shares.CreateResourceShare(ctx, &ram.CreateResourceShareInput{Name: name, AllowExternalPrincipals: aws.Bool(true)})
			if err == nil {
				share = out.ResourceShare.ResourceShareArn
			}
			return err
		}},
		call{"the share", "", func(t *testing.T) error {
			out, err := shares.GetResourceShares(ctx, &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf, ResourceShareArns: []string{aws.ToString(share)}})
			if err == nil && (len(out.ResourceShares) != 1 || out.ResourceShares[0].Status != ramtypes.ResourceShareStatusActive) {
				t.Errorf("the share is %+v", out.ResourceShares)
			}
			return err
		}},
		call{"its permissions", "", func(*testing.T) error {
			return done(shares.ListResourceSharePermissions(ctx, &ram.ListResourceSharePermissionsInput{ResourceShareArn: share}))
		}},
		call{"associate", "", func(*testing.T) error {
			return done(shares.AssociateResourceShare(ctx, &ram.AssociateResourceShareInput{ResourceShareArn: share, Principals: []string{consumerAccount}}))
		}},
		call{"the association", "", func(*testing.T) error {
			return done(shares.GetResourceShareAssociations(ctx, &ram.GetResourceShareAssociationsInput{AssociationType: ramtypes.ResourceShareAssociationTypePrincipal,
				ResourceShareArns: []string{aws.ToString(share)}, Principal: aws.String(consumerAccount)}))
		}},
		call{"tag it", "", func(*testing.T) error {
			return done(shares.TagResource(ctx, &ram.TagResourceInput{ResourceShareArn: share, Tags: []ramtypes.Tag{{Key: aws.String("team"), Value: aws.String("lake")}}}))
		}},
		call{"delete the share", "", func(*testing.T) error {
			return done(shares.DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{ResourceShareArn: share}))
		}},
		call{"create the key", "", func(*testing.T) error {
			out, err := keys.CreateKey(ctx, &kms.CreateKeyInput{Description: name})
			if err == nil {
				key = out.KeyMetadata.KeyId
			}
			return err
		}},
		call{"the key", "", func(*testing.T) error { return done(keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key})) }},
		call{"its policy", "", func(*testing.T) error {
			return done(keys.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: key, PolicyName: aws.String("default")}))
		}},
		call{"its rotation", "", func(*testing.T) error {
			return done(keys.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: key}))
		}},
		call{"its tags", "", func(*testing.T) error {
			return done(keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: key}))
		}},
		call{"delete the key", "", func(*testing.T) error {
			return done(keys.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key, PendingWindowInDays: aws.Int32(7)}))
		}},
		call{"create the table", "", func(*testing.T) error {
			out, err := tables.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: name, BillingMode: dynamotypes.BillingModePayPerRequest,
				AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
				KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}}})
			if err == nil {
				table = out.TableDescription.TableArn
			}
			return err
		}},
		call{"the table", "", func(*testing.T) error {
			return done(tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: name}))
		}},
		call{"its backups", "", func(*testing.T) error {
			return done(tables.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: name}))
		}},
		call{"its time to live", "", func(*testing.T) error {
			return done(tables.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: name}))
		}},
		call{"its tags", "", func(*testing.T) error {
			return done(tables.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: table}))
		}},
		call{"delete the table", "", func(*testing.T) error {
			return done(tables.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: name}))
		}},
		call{"no table", "ResourceNotFoundException", func(*testing.T) error {
			return done(tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: name}))
		}},
	)
}
