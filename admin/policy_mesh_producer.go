package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// meshProducerPolicy is what a producer's role in the mesh account may do. It is
// no data lake administrator: what it creates is its own, and Lake Formation keeps
// it from everything else.
func meshProducerPolicy(mesh, producer string, legacyIDs bool) iampolicy.Document {
	records := []string{producer + "-" + oneAccount + "-" + shortID}
	readable := []string{producer + "-*"}
	if legacyIDs {
		// The ids of the original library name no account, so that these records
		// cannot be told apart by key.
		records = append(records, shortID)
		readable = append(readable, shortID, shortID+"#*")
	}
	statements := []iampolicy.Statement{
		allow("Publish", []string{"glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions", "glue:CreateDatabase",
			"glue:UpdateDatabase", "glue:CreateTable", "glue:UpdateTable", "glue:BatchCreatePartition", "glue:BatchUpdatePartition", "glue:TagResource"}, catalogARNs(mesh), nil),
		allow("Grant", grantActions(), anything, nil),
		// Lake Formation knows no resources in IAM policies: what is registered and
		// tagged is for its own permissions to decide.
		allow("Register", []string{"lakeformation:RegisterResource", "lakeformation:RegisterResourceWithPrivilegedAccess",
			"lakeformation:ListResources"}, anything, nil),
		allow("Tag", []string{"lakeformation:GetLFTag", "lakeformation:CreateLFTag", "lakeformation:UpdateLFTag", "lakeformation:GetResourceLFTags",
			"lakeformation:SearchTablesByLFTags", "lakeformation:AddLFTagsToResource"}, anything, nil),
		allow("RegisterWithDataAccessRole", []string{"iam:PassRole"}, []string{lakemesh.RoleARN(mesh, lakemesh.DataAccessRole(producer))},
			iampolicy.Conditions{"StringEquals": {"iam:PassedToService": {"lakeformation.amazonaws.com"}}}),
		assume("AssumeReadOnly", lakemesh.RoleARN(mesh, lakemesh.ReadOnlyRole)),
		queryIndex("FindOwnSubscriptions", mesh, lakemesh.OwnerIndex, producer),
		allow("ReadOwnSubscriptions", readItems(), []string{tableARN(mesh)}, keys(readable...)),
		// The record, the pair's ledger and the owner's lease.
		allow("DecideOwnSubscriptions", []string{"dynamodb:UpdateItem"}, []string{tableARN(mesh)},
			keys(append(records, producer+"-"+oneAccount, producer+"-lease")...)),
		allow("RecordOwnHistory", []string{"dynamodb:PutItem"}, []string{tableARN(mesh)},
			andAttributes(keys(under(records, "#P#*")...), historyAttributes())),
	}
	if legacyIDs {
		statements = append(statements, lookAtTable(mesh))
	}
	return iampolicy.New(append(statements, shareStatements()...)...)
}

// shareStatements are what Lake Formation needs of a grantor's role to share with
// other accounts: it makes and extends RAM shares with the caller's permissions,
// and on acceptance Glue writes the catalog's resource policy with them
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-prereqs.html).
func shareStatements() []iampolicy.Statement {
	catalogs := map[string][]string{"ram:RequestedResourceType": {"glue:Table", "glue:Database", "glue:Catalog"}}
	return []iampolicy.Statement{
		allow("CreateShares", []string{"ram:CreateResourceShare"}, anything, iampolicy.Conditions{"StringLikeIfExists": catalogs}),
		// A share of such a name can be made by anybody who may make shares: what is put
		// into it is limited, too.
		allow("ChangeSharesOfLakeFormation", []string{"ram:AssociateResourceShare", "ram:DisassociateResourceShare",
			"ram:UpdateResourceShare", "ram:DeleteResourceShare"}, anything,
			iampolicy.Conditions{"StringLike": {"ram:ResourceShareName": {"LakeFormation*"}}, "StringLikeIfExists": catalogs}),
		allow("SetPermissionsOfShares", []string{"ram:AssociateResourceSharePermission"}, anything, iampolicy.Conditions{
			"ArnLike": {"ram:PermissionArn": {"arn:aws:ram::aws:permission/AWSRAMLFEnabled*"}}}),
		allow("LookAtShares", []string{"ram:Get*", "ram:List*", "organizations:DescribeOrganization", "organizations:DescribeAccount"},
			anything, nil),
		allow("LetGlueShare", []string{"glue:PutResourcePolicy", "glue:DeleteResourcePolicy"}, anything, nil),
	}
}
