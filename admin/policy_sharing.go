package admin

import (
	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// SharingCalls says who may make the calls by which Lake Formation shares with
// other accounts: it makes them with the rights of whoever grants.
type SharingCalls string

const (
	// ThroughServices lets producers' roles change RAM's shares and the catalog's
	// resource policy through Lake Formation and RAM alone, so that no producer can
	// change what another one shares.
	ThroughServices SharingCalls = "through-services"
	// Direct lets them make those calls themselves, too: for a mesh in which Lake
	// Formation is refused otherwise.
	Direct SharingCalls = "direct"
)

// ParseSharingCalls reads the name of a way; empty stands for leaving it as it is.
func ParseSharingCalls(name string) (SharingCalls, error) {
	switch c := SharingCalls(name); c {
	case "", ThroughServices, Direct:
		return c, nil
	}
	return "", lakemesh.Invalid("SharingCalls", "%q is neither %s nor %s", name, ThroughServices, Direct)
}

// endShareStatements are what Lake Formation needs of who revokes the last that an account
// was granted: the share goes with it, and the catalog's resource policy changes.
func endShareStatements(p lakemesh.Partition, calls SharingCalls) []iampolicy.Statement {
	var statements []iampolicy.Statement
	for _, s := range shareStatements(p, calls) {
		switch s.SID {
		case "ChangeSharesOfLakeFormation":
			s.SID, s.Actions = "EndSharesOfLakeFormation", []string{"ram:DisassociateResourceShare", "ram:UpdateResourceShare", "ram:DeleteResourceShare"}
		case "LetServicesLookAtShares", "LetGlueShare":
		default:
			continue
		}
		statements = append(statements, s)
	}
	return statements
}

// shareStatements are what Lake Formation needs of a grantor's role to share with
// other accounts: it makes and extends RAM shares with the caller's permissions,
// and RAM writes the catalog's resource policy with them
// (https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-prereqs.html).
//
// A call that a service makes with its caller's permissions has aws:ViaAWSService
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html).
// That these calls are such is shown by a policy of AWS's own that demands it of
// them, by name of the service, of a role which shares through Lake Formation
// (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonDataZoneGlueManageAccessRolePolicy.html).
func shareStatements(p lakemesh.Partition, calls SharingCalls) []iampolicy.Statement {
	catalogs := map[string][]string{"ram:RequestedResourceType": {"glue:Table", "glue:Database", "glue:Catalog"}}
	through := func(c iampolicy.Conditions) iampolicy.Conditions {
		if calls != Direct {
			c["Bool"] = map[string][]string{"aws:ViaAWSService": {"true"}}
		}
		return c
	}
	return []iampolicy.Statement{
		allow("CreateShares", []string{"ram:CreateResourceShare"}, anything, through(iampolicy.Conditions{"StringLikeIfExists": catalogs})),
		// A share of such a name can be made by anybody who may make shares: what is put
		// into it is limited, too.
		allow("ChangeSharesOfLakeFormation", []string{"ram:AssociateResourceShare", "ram:DisassociateResourceShare",
			"ram:UpdateResourceShare", "ram:DeleteResourceShare"}, anything,
			through(iampolicy.Conditions{"StringLike": {"ram:ResourceShareName": {"LakeFormation*"}}, "StringLikeIfExists": catalogs})),
		allow("SetPermissionsOfShares", []string{"ram:AssociateResourceSharePermission"}, anything, through(iampolicy.Conditions{
			"ArnLike": {"ram:PermissionArn": {p.ARN("ram", "", "aws", "permission/AWSRAMLFEnabled*")}}})),
		allow("LetServicesLookAtShares", []string{"ram:Get*", "ram:List*"}, anything, through(iampolicy.Conditions{})),
		// What is granted is followed until it has arrived.
		allow("LookAtShares", []string{"ram:GetResourceShareAssociations",
			"organizations:DescribeOrganization", "organizations:DescribeAccount"}, anything, nil),
		allow("LetGlueShare", []string{"glue:PutResourcePolicy", "glue:DeleteResourcePolicy"}, anything, through(iampolicy.Conditions{})),
	}
}
