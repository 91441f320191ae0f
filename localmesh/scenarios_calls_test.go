package localmesh_test

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/lakemesh/lakemesh/internal/iampolicy/scenario"
)

// anyPolicy is for calls that take a policy whatever it says.
const anyPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`

// requests are the calls that ask for an action.
var requests = map[string]func(*request) error{
	"s3:GetObject": func(r *request) error {
		bucket, key := r.object()
		_, err := s3.NewFromConfig(r.cfg).GetObject(r.t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		return err
	},
	"s3:PutObject": func(r *request) error {
		bucket, key := r.object()
		_, err := s3.NewFromConfig(r.cfg).PutObject(r.t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")})
		return err
	},
	"s3:DeleteObject": func(r *request) error {
		bucket, key := r.object()
		_, err := s3.NewFromConfig(r.cfg).DeleteObject(r.t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
		return err
	},
	"s3:ListBucket": func(r *request) error {
		bucket, _ := r.object()
		most, err := number(r.one("s3:max-keys"))
		if err != nil {
			return err
		}
		_, err = s3.NewFromConfig(r.cfg).ListObjectsV2(r.t.Context(), &s3.ListObjectsV2Input{
			Bucket: &bucket, Prefix: r.one("s3:prefix"), Delimiter: r.one("s3:delimiter"), MaxKeys: most,
		})
		return err
	},
	"s3:ListAllMyBuckets": func(r *request) error {
		_, err := s3.NewFromConfig(r.cfg).ListBuckets(r.t.Context(), &s3.ListBucketsInput{})
		return err
	},
	"s3:GetBucketLocation": func(r *request) error {
		bucket, _ := r.object()
		_, err := s3.NewFromConfig(r.cfg).GetBucketLocation(r.t.Context(), &s3.GetBucketLocationInput{Bucket: &bucket})
		return err
	},
	"s3:CreateBucket": func(r *request) error {
		bucket, _ := r.object()
		in := &s3.CreateBucketInput{Bucket: &bucket}
		if l := r.one("s3:locationconstraint"); l != nil {
			in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(*l)}
		}
		_, err := s3.NewFromConfig(r.cfg).CreateBucket(r.t.Context(), in)
		return err
	},
	"s3:PutBucketPolicy": func(r *request) error {
		bucket, _ := r.object()
		policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::` + bucket + `/none"}]}`
		_, err := s3.NewFromConfig(r.cfg).PutBucketPolicy(r.t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy})
		return err
	},
	"s3:PutObjectTagging": func(r *request) error {
		bucket, key := r.object()
		var tags []s3types.Tag
		for _, k := range r.all("s3:RequestObjectTagKeys") {
			tags = append(tags, s3types.Tag{Key: &k, Value: r.one("s3:RequestObjectTag/" + k)})
		}
		_, err := s3.NewFromConfig(r.cfg).PutObjectTagging(r.t.Context(), &s3.PutObjectTaggingInput{Bucket: &bucket, Key: &key, Tagging: &s3types.Tagging{TagSet: tags}})
		return err
	},

	"sts:AssumeRole":        assumeRole,
	"sts:TagSession":        assumeRole,
	"sts:SetSourceIdentity": assumeRole,

	"iam:GetRole": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).GetRole(r.t.Context(), &iam.GetRoleInput{RoleName: r.name()})
		return err
	},
	"iam:GetUser": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).GetUser(r.t.Context(), &iam.GetUserInput{UserName: r.name()})
		return err
	},
	"iam:ListRoles": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).ListRoles(r.t.Context(), &iam.ListRolesInput{})
		return err
	},
	"iam:ListUsers": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).ListUsers(r.t.Context(), &iam.ListUsersInput{})
		return err
	},
	"iam:CreateUser": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).CreateUser(r.t.Context(), &iam.CreateUserInput{
			UserName: r.name(), Path: r.path(), PermissionsBoundary: r.one("iam:PermissionsBoundary"), Tags: iamTags(r.tags()),
		})
		return err
	},
	"iam:CreateRole": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).CreateRole(r.t.Context(), &iam.CreateRoleInput{
			RoleName: r.name(), Path: r.path(), PermissionsBoundary: r.one("iam:PermissionsBoundary"), Tags: iamTags(r.tags()),
			AssumeRolePolicyDocument: &scenario.DefaultTrust(scenario.Account(r.on)).JSON,
		})
		return err
	},
	"iam:TagRole": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).TagRole(r.t.Context(), &iam.TagRoleInput{RoleName: r.name(), Tags: iamTags(r.tags())})
		return err
	},
	"iam:DeleteRole": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).DeleteRole(r.t.Context(), &iam.DeleteRoleInput{RoleName: r.name()})
		return err
	},
	"iam:AttachRolePolicy": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).AttachRolePolicy(r.t.Context(), &iam.AttachRolePolicyInput{RoleName: r.name(), PolicyArn: r.one("iam:PolicyARN")})
		return err
	},
	"iam:PutRolePolicy": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).PutRolePolicy(r.t.Context(), &iam.PutRolePolicyInput{
			RoleName: r.name(), PolicyName: aws.String("new"), PolicyDocument: aws.String(anyPolicy),
		})
		return err
	},
	"iam:DeleteRolePermissionsBoundary": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).DeleteRolePermissionsBoundary(r.t.Context(), &iam.DeleteRolePermissionsBoundaryInput{RoleName: r.name()})
		return err
	},
	"iam:DeleteUserPermissionsBoundary": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).DeleteUserPermissionsBoundary(r.t.Context(), &iam.DeleteUserPermissionsBoundaryInput{UserName: r.name()})
		return err
	},
	"iam:CreatePolicy": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).CreatePolicy(r.t.Context(), &iam.CreatePolicyInput{PolicyName: r.name(), Path: r.path(), PolicyDocument: aws.String(anyPolicy)})
		return err
	},
	"iam:CreatePolicyVersion": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).CreatePolicyVersion(r.t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: &r.on, PolicyDocument: aws.String(anyPolicy)})
		return err
	},
	"iam:CreateServiceLinkedRole": func(r *request) error {
		_, err := iam.NewFromConfig(r.cfg).CreateServiceLinkedRole(r.t.Context(), &iam.CreateServiceLinkedRoleInput{AWSServiceName: r.one("iam:AWSServiceName")})
		return err
	},
	"iam:PassRole": passRole,

	"glue:GetDatabase": func(r *request) error {
		account, database, _ := r.catalog()
		_, err := glue.NewFromConfig(r.cfg).GetDatabase(r.t.Context(), &glue.GetDatabaseInput{CatalogId: &account, Name: &database})
		return err
	},
	"glue:GetTable": func(r *request) error {
		account, database, table := r.catalog()
		_, err := glue.NewFromConfig(r.cfg).GetTable(r.t.Context(), &glue.GetTableInput{CatalogId: &account, DatabaseName: &database, Name: &table})
		return err
	},
	"glue:CreateDatabase": func(r *request) error {
		account, database, _ := r.catalog()
		_, err := glue.NewFromConfig(r.cfg).CreateDatabase(r.t.Context(), &glue.CreateDatabaseInput{CatalogId: &account, DatabaseInput: &gluetypes.DatabaseInput{Name: &database}})
		return err
	},
	"glue:DeleteTable": func(r *request) error {
		account, database, table := r.catalog()
		_, err := glue.NewFromConfig(r.cfg).DeleteTable(r.t.Context(), &glue.DeleteTableInput{CatalogId: &account, DatabaseName: &database, Name: &table})
		return err
	},

	"lakeformation:GetDataLakeSettings": func(r *request) error {
		_, err := lakeformation.NewFromConfig(r.cfg).GetDataLakeSettings(r.t.Context(), &lakeformation.GetDataLakeSettingsInput{})
		return err
	},
	"lakeformation:PutDataLakeSettings": func(r *request) error {
		_, err := lakeformation.NewFromConfig(r.cfg).PutDataLakeSettings(r.t.Context(), &lakeformation.PutDataLakeSettingsInput{
			DataLakeSettings: &lftypes.DataLakeSettings{DataLakeAdmins: dataLakePrincipals([]string{r.s.As.Principal})},
		})
		return err
	},

	"ram:GetResourceShares": func(r *request) error {
		_, err := ram.NewFromConfig(r.cfg).GetResourceShares(r.t.Context(), &ram.GetResourceSharesInput{ResourceOwner: ramtypes.ResourceOwnerSelf})
		return err
	},
	"ram:CreateResourceShare": func(r *request) error {
		external := r.one("ram:RequestedAllowsExternalPrincipals")
		// The type follows from the resources.
		r.all("ram:RequestedResourceType")
		_, err := ram.NewFromConfig(r.cfg).CreateResourceShare(r.t.Context(), &ram.CreateResourceShareInput{
			Name: aws.String("share"), ResourceArns: r.all("ram:ResourceArn"), Principals: r.all("ram:Principal"),
			AllowExternalPrincipals: aws.Bool(external == nil || *external == "true"),
		})
		return err
	},
	"ram:UpdateResourceShare": shareCall(func(r *request, c *ram.Client, arn string) error {
		_, err := c.UpdateResourceShare(r.t.Context(), &ram.UpdateResourceShareInput{ResourceShareArn: &arn, AllowExternalPrincipals: aws.Bool(true)})
		return err
	}),
	"ram:DeleteResourceShare": shareCall(func(r *request, c *ram.Client, arn string) error {
		_, err := c.DeleteResourceShare(r.t.Context(), &ram.DeleteResourceShareInput{ResourceShareArn: &arn})
		return err
	}),

	"dynamodb:GetItem": func(r *request) error {
		key := r.leading()[0]
		r.all("dynamodb:Select") // It follows from the projection.
		in := &dynamodb.GetItemInput{TableName: r.name(), Key: key}
		in.ProjectionExpression, in.ExpressionAttributeNames = r.projection()
		_, err := dynamodb.NewFromConfig(r.cfg).GetItem(r.t.Context(), in)
		return err
	},
	"dynamodb:BatchGetItem": func(r *request) error {
		wanted := dynamodbtypes.KeysAndAttributes{Keys: r.leading()}
		r.all("dynamodb:Select")
		wanted.ProjectionExpression, wanted.ExpressionAttributeNames = r.projection()
		_, err := dynamodb.NewFromConfig(r.cfg).BatchGetItem(r.t.Context(), &dynamodb.BatchGetItemInput{
			RequestItems: map[string]dynamodbtypes.KeysAndAttributes{*r.name(): wanted},
		})
		return err
	},
	"dynamodb:Query": func(r *request) error {
		key := r.leading()[0]
		in := &dynamodb.QueryInput{TableName: r.name(), KeyConditionExpression: aws.String("#key = :key"), ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{}}
		in.ProjectionExpression, in.ExpressionAttributeNames = r.projection()
		if in.ExpressionAttributeNames == nil {
			in.ExpressionAttributeNames = map[string]string{}
		}
		for k, v := range key {
			in.ExpressionAttributeNames["#key"], in.ExpressionAttributeValues[":key"] = k, v
		}
		if s := r.one("dynamodb:Select"); s != nil {
			in.Select = dynamodbtypes.Select(*s)
		}
		_, err := dynamodb.NewFromConfig(r.cfg).Query(r.t.Context(), in)
		return err
	},
	"dynamodb:Scan": func(r *request) error {
		in := &dynamodb.ScanInput{TableName: r.name()}
		in.ProjectionExpression, in.ExpressionAttributeNames = r.projection()
		if s := r.one("dynamodb:Select"); s != nil {
			in.Select = dynamodbtypes.Select(*s)
		}
		_, err := dynamodb.NewFromConfig(r.cfg).Scan(r.t.Context(), in)
		return err
	},
	"dynamodb:PutItem": func(r *request) error {
		item := r.leading()[0]
		for _, a := range r.all("dynamodb:Attributes") {
			if item[a] == nil {
				item[a] = &dynamodbtypes.AttributeValueMemberS{Value: "x"}
			}
		}
		_, err := dynamodb.NewFromConfig(r.cfg).PutItem(r.t.Context(), &dynamodb.PutItemInput{TableName: r.name(), Item: item, ReturnValues: r.returnValues()})
		return err
	},
	"dynamodb:UpdateItem": func(r *request) error {
		in := &dynamodb.UpdateItemInput{
			TableName: r.name(), Key: r.leading()[0], ReturnValues: r.returnValues(),
			ExpressionAttributeNames: map[string]string{}, ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{},
		}
		var sets []string
		for _, a := range r.all("dynamodb:Attributes") {
			if in.Key[a] == nil {
				sets = append(sets, "#"+a+" = :"+a)
				in.ExpressionAttributeNames["#"+a] = a
				in.ExpressionAttributeValues[":"+a] = &dynamodbtypes.AttributeValueMemberS{Value: "x"}
			}
		}
		in.UpdateExpression = aws.String("SET " + strings.Join(sets, ", "))
		_, err := dynamodb.NewFromConfig(r.cfg).UpdateItem(r.t.Context(), in)
		return err
	},
	"dynamodb:DeleteItem": func(r *request) error {
		in := &dynamodb.DeleteItemInput{TableName: r.name(), Key: r.leading()[0], ReturnValues: r.returnValues()}
		r.all("dynamodb:Attributes") // The key's own.
		_, err := dynamodb.NewFromConfig(r.cfg).DeleteItem(r.t.Context(), in)
		return err
	},
	"dynamodb:DeleteTable": func(r *request) error {
		_, err := dynamodb.NewFromConfig(r.cfg).DeleteTable(r.t.Context(), &dynamodb.DeleteTableInput{TableName: r.name()})
		return err
	},
	"dynamodb:DescribeTable": func(r *request) error {
		// A table of another account is named by its ARN.
		_, err := dynamodb.NewFromConfig(r.cfg).DescribeTable(r.t.Context(), &dynamodb.DescribeTableInput{TableName: &r.on})
		return err
	},
}

func assumeRole(r *request) error {
	in := &sts.AssumeRoleInput{RoleArn: &r.on, RoleSessionName: r.one("sts:RoleSessionName"), ExternalId: r.one("sts:ExternalId"),
		SourceIdentity: r.one("sts:SourceIdentity"), TransitiveTagKeys: r.all("sts:TransitiveTagKeys")}
	if in.RoleSessionName == nil {
		in.RoleSessionName = aws.String("job")
	}
	for k, v := range r.tags() {
		in.Tags = append(in.Tags, ststypes.Tag{Key: &k, Value: &v})
	}
	_, err := sts.NewFromConfig(r.cfg).AssumeRole(r.t.Context(), in)
	return err
}

// passRole passes a role to the service that iam:PassedToService names.
func passRole(r *request) error {
	switch service := *r.one("iam:PassedToService"); service {
	case "glue.amazonaws.com":
		_, err := glue.NewFromConfig(r.cfg).CreateCrawler(r.t.Context(), &glue.CreateCrawlerInput{
			Name: aws.String("crawler"), Role: &r.on, DatabaseName: aws.String("sales"),
			Targets: &gluetypes.CrawlerTargets{S3Targets: []gluetypes.S3Target{{Path: aws.String("s3://lake/sales")}}},
		})
		return err
	case "lakeformation.amazonaws.com":
		_, err := lakeformation.NewFromConfig(r.cfg).RegisterResource(r.t.Context(), &lakeformation.RegisterResourceInput{
			ResourceArn: aws.String("arn:aws:s3:::lake/sales"), RoleArn: &r.on,
		})
		return err
	default:
		r.t.Fatalf("there is no call that passes a role to %s", service)
		return nil
	}
}

// shareCall makes a share of the wanted name first, as the account's administrator.
func shareCall(call func(r *request, c *ram.Client, arn string) error) func(*request) error {
	return func(r *request) error {
		owner := ram.NewFromConfig(r.Config(administrator(scenario.Account(r.on))))
		out, err := owner.CreateResourceShare(r.t.Context(), &ram.CreateResourceShareInput{
			Name: r.one("ram:ResourceShareName"), AllowExternalPrincipals: aws.Bool(true),
		})
		r.must(nil, err)
		r.all("ram:AllowsExternalPrincipals")
		return call(r, ram.NewFromConfig(r.cfg), *out.ResourceShare.ResourceShareArn)
	}
}

// leading are the keys of the items that the request touches.
func (r *request) leading() []map[string]dynamodbtypes.AttributeValue {
	var all []map[string]dynamodbtypes.AttributeValue
	for _, v := range r.all("dynamodb:LeadingKeys") {
		all = append(all, map[string]dynamodbtypes.AttributeValue{
			r.s.With.Tables[r.on].Key: &dynamodbtypes.AttributeValueMemberS{Value: v},
		})
	}
	if len(all) == 0 {
		r.t.Fatal("dynamodb:LeadingKeys is needed")
	}
	return all
}

// projection asks for the attributes that the question names.
func (r *request) projection() (*string, map[string]string) {
	attributes := r.all("dynamodb:Attributes")
	if len(attributes) == 0 {
		return nil, nil
	}
	names := map[string]string{}
	var placeholders []string
	for _, a := range attributes {
		names["#"+a] = a
		placeholders = append(placeholders, "#"+a)
	}
	return aws.String(strings.Join(placeholders, ", ")), names
}

func (r *request) returnValues() dynamodbtypes.ReturnValue {
	if v := r.one("dynamodb:ReturnValues"); v != nil {
		return dynamodbtypes.ReturnValue(*v)
	}
	return ""
}
