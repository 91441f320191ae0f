package authz

// AWSManaged returns the document of one of AWS's own managed policies, or what
// of it concerns the services of the local mesh.
func AWSManaged(arn string) (document string, ok bool) {
	const prefix = "arn:aws:iam::aws:policy/"
	if len(arn) <= len(prefix) || arn[:len(prefix)] != prefix {
		return "", false
	}
	switch arn[len(prefix):] {
	case "AdministratorAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, true
	case "ReadOnlyAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:Get*","glue:BatchGet*","glue:List*","glue:Search*","lakeformation:Get*","lakeformation:List*","lakeformation:Describe*","lakeformation:Search*","ram:Get*","ram:List*","iam:Get*","iam:List*","s3:Get*","s3:List*","dynamodb:BatchGet*","dynamodb:Describe*","dynamodb:Get*","dynamodb:List*","dynamodb:Query","dynamodb:Scan","sts:GetCallerIdentity"],"Resource":"*"}]}`, true
	case "AWSLakeFormationDataAdmin":
		// The explicit deny is AWS's own: a data lake administrator with this policy
		// alone cannot make others administrators
		// (https://docs.aws.amazon.com/lake-formation/latest/dg/permissions-reference.html).
		return `{"Version":"2012-10-17","Statement":[{"Sid":"AWSLakeFormationDataAdminAllow","Effect":"Allow","Action":["lakeformation:*","glue:CreateCatalog","glue:UpdateCatalog","glue:DeleteCatalog","glue:GetCatalog","glue:GetCatalogs","glue:GetDatabase","glue:GetDatabases","glue:CreateDatabase","glue:UpdateDatabase","glue:DeleteDatabase","glue:GetConnections","glue:SearchTables","glue:GetTable","glue:CreateTable","glue:UpdateTable","glue:DeleteTable","glue:GetTableVersions","glue:GetPartitions","glue:GetTables","s3:ListBucket","s3:GetBucketLocation","s3:ListAllMyBuckets","s3:GetBucketAcl","iam:ListUsers","iam:ListRoles","iam:GetRole","iam:GetRolePolicy"],"Resource":"*"},{"Sid":"AWSLakeFormationDataAdminDeny","Effect":"Deny","Action":["lakeformation:PutDataLakeSettings"],"Resource":"*"}]}`, true
	case "AWSLakeFormationCrossAccountManager":
		return `{"Version":"2012-10-17","Statement":[{"Sid":"AllowCreateResourceShare","Effect":"Allow","Action":["ram:CreateResourceShare"],"Resource":"*","Condition":{"StringLikeIfExists":{"ram:RequestedResourceType":["glue:Table","glue:Database","glue:Catalog"]}}},{"Sid":"AllowManageResourceShare","Effect":"Allow","Action":["ram:UpdateResourceShare","ram:DeleteResourceShare","ram:AssociateResourceShare","ram:DisassociateResourceShare","ram:GetResourceShares"],"Resource":"*","Condition":{"StringLike":{"ram:ResourceShareName":["LakeFormation*"]}}},{"Sid":"AllowManageResourceSharePermissions","Effect":"Allow","Action":["ram:AssociateResourceSharePermission"],"Resource":"*","Condition":{"ArnLike":{"ram:PermissionArn":["arn:aws:ram::aws:permission/AWSRAMLFEnabled*"]}}},{"Sid":"AllowXAcctManagerPermissions","Effect":"Allow","Action":["glue:PutResourcePolicy","glue:DeleteResourcePolicy","organizations:DescribeOrganization","organizations:DescribeAccount","ram:Get*","ram:List*"],"Resource":"*"},{"Sid":"AllowOrganizationsPermissions","Effect":"Allow","Action":["organizations:ListRoots","organizations:ListAccountsForParent","organizations:ListOrganizationalUnitsForParent"],"Resource":"*"}]}`, true
	case "PowerUserAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles","organizations:DescribeOrganization"],"Resource":"*"}]}`, true
	case "IAMFullAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*"],"Resource":"*"}]}`, true
	case "IAMReadOnlyAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}]}`, true
	case "AmazonS3FullAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}]}`, true
	case "AmazonS3ReadOnlyAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:Describe*"],"Resource":"*"}]}`, true
	case "AmazonDynamoDBFullAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:*"],"Resource":"*"}]}`, true
	case "AmazonDynamoDBReadOnlyAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:BatchGetItem","dynamodb:Describe*","dynamodb:List*","dynamodb:GetItem","dynamodb:Query","dynamodb:Scan"],"Resource":"*"}]}`, true
	case "AWSGlueConsoleFullAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:*","s3:ListAllMyBuckets","s3:ListBucket","s3:GetBucketLocation","iam:ListRoles","iam:ListUsers","iam:ListGroups","iam:ListRolePolicies","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies"],"Resource":"*"},{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::aws-glue-*/*","arn:aws:s3:::*/*aws-glue-*/*"]},{"Effect":"Allow","Action":["s3:CreateBucket"],"Resource":"arn:aws:s3:::aws-glue-*"},{"Effect":"Allow","Action":["iam:PassRole"],"Resource":"arn:aws:iam::*:role/AWSGlueServiceRole*","Condition":{"StringLike":{"iam:PassedToService":["glue.amazonaws.com"]}}}]}`, true
	case "service-role/AWSGlueServiceRole":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:*","s3:GetBucketLocation","s3:ListBucket","s3:ListAllMyBuckets","s3:GetBucketAcl","iam:ListRolePolicies","iam:GetRole","iam:GetRolePolicy"],"Resource":["*"]},{"Effect":"Allow","Action":["s3:CreateBucket"],"Resource":["arn:aws:s3:::aws-glue-*"]},{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":["arn:aws:s3:::aws-glue-*/*","arn:aws:s3:::*/*aws-glue-*/*"]},{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::crawler-public*","arn:aws:s3:::aws-glue-*"]}]}`, true
	case "AmazonAthenaFullAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["athena:*"],"Resource":["*"]},{"Effect":"Allow","Action":["glue:CreateDatabase","glue:DeleteDatabase","glue:GetCatalog","glue:GetCatalogs","glue:GetDatabase","glue:GetDatabases","glue:UpdateDatabase","glue:CreateTable","glue:DeleteTable","glue:BatchDeleteTable","glue:UpdateTable","glue:GetTable","glue:GetTables","glue:BatchCreatePartition","glue:CreatePartition","glue:DeletePartition","glue:BatchDeletePartition","glue:UpdatePartition","glue:GetPartition","glue:GetPartitions","glue:BatchGetPartition"],"Resource":["*"]},{"Effect":"Allow","Action":["s3:GetBucketLocation","s3:GetObject","s3:ListBucket","s3:ListBucketMultipartUploads","s3:ListMultipartUploadParts","s3:AbortMultipartUpload","s3:CreateBucket","s3:PutObject","s3:PutBucketPublicAccessBlock"],"Resource":["arn:aws:s3:::aws-athena-query-results-*"]},{"Effect":"Allow","Action":["s3:ListBucket","s3:GetBucketLocation","s3:ListAllMyBuckets"],"Resource":["*"]},{"Effect":"Allow","Action":["lakeformation:GetDataAccess"],"Resource":["*"]}]}`, true
	case "AWSResourceAccessManagerFullAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ram:*"],"Resource":"*"}]}`, true
	case "AWSResourceAccessManagerReadOnlyAccess":
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ram:Get*","ram:List*"],"Resource":"*"}]}`, true
	}
	return "", false
}

// AWSManagedARNs are the ARNs of the policies that [AWSManaged] has.
func AWSManagedARNs() []string {
	names := []string{
		"AdministratorAccess", "AmazonAthenaFullAccess", "AmazonDynamoDBFullAccess", "AmazonDynamoDBReadOnlyAccess", "AmazonS3FullAccess",
		"AmazonS3ReadOnlyAccess", "AWSGlueConsoleFullAccess", "AWSLakeFormationCrossAccountManager", "AWSLakeFormationDataAdmin",
		"AWSResourceAccessManagerFullAccess", "AWSResourceAccessManagerReadOnlyAccess", "IAMFullAccess", "IAMReadOnlyAccess",
		"PowerUserAccess", "ReadOnlyAccess", "service-role/AWSGlueServiceRole",
	}
	for i, n := range names {
		names[i] = "arn:aws:iam::aws:policy/" + n
	}
	return names
}
