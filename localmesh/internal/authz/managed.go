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
	}
	return "", false
}
