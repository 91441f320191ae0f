package admin

import (
	"maps"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// Glue ARNs are written for every region: roles belong to an account as a whole,
// and one account can be the mesh of several regions.

// catalogARNs are an account's Data Catalog with all databases and tables. Glue
// asks for the catalog and the database of a table as well
// (https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html).
func catalogARNs(p lakemesh.Partition, account string) []string {
	return []string{
		p.CatalogARN("*", account), p.DatabaseARN("*", account, "*"), p.TableARN("*", account, "*", "*"),
	}
}

func allow(sid string, actions, resources []string, conditions iampolicy.Conditions) iampolicy.Statement {
	return iampolicy.Statement{SID: sid, Effect: iampolicy.Allow, Actions: actions, Resources: resources, Conditions: conditions}
}

var anything = []string{"*"}

// readMetadata are the actions that see databases and tables. Lake Formation
// decides on each object.
func readMetadata() []string {
	return []string{"glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables"}
}

// optInActions opt in and out, and see who is. Lake Formation lets data lake administrators
// alone do it
// (https://docs.aws.amazon.com/lake-formation/latest/dg/hybrid-access-mode.html).
func optInActions() []string {
	return []string{"lakeformation:CreateLakeFormationOptIn", "lakeformation:DeleteLakeFormationOptIn", "lakeformation:ListLakeFormationOptIns"}
}

// grantActions grant and revoke, within what Lake Formation lets the role grant.
// AWS wants the four of them together, and the right to read what is granted on
// (https://docs.aws.amazon.com/lake-formation/latest/dg/required-permissions-for-grant.html).
func grantActions() []string {
	return []string{"lakeformation:GrantPermissions", "lakeformation:BatchGrantPermissions", "lakeformation:RevokePermissions",
		"lakeformation:BatchRevokePermissions", "lakeformation:ListPermissions"}
}

// A hop from role to role. A session that began with tags which go along with it, as
// those of EKS Pod Identity do, or with a source identity, hands them on whether
// the program wants to or not, and AWS asks for the right to at every hop, of the
// caller and of the role's trust policy
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html).
const (
	assumeRole        = "sts:AssumeRole"
	tagSession        = "sts:TagSession"
	setSourceIdentity = "sts:SetSourceIdentity"
)

// sessionTags are the tags with which sessions of the mesh account's roles may come
// from other accounts: those of EKS Pod Identity
// (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html). Any tag could
// be one by which a policy of the mesh account opens something.
func sessionTags() []string {
	return []string{"eks-cluster-arn", "eks-cluster-name", "kubernetes-namespace", "kubernetes-service-account", "kubernetes-pod-name", "kubernetes-pod-uid"}
}

// assume lets a role open another one.
func assume(sid, roleARN string) iampolicy.Statement {
	return allow(sid, []string{assumeRole, tagSession, setSourceIdentity}, []string{roleARN}, nil)
}

// trustAccount lets those people of an account open the role whom an administrator
// of that account has permitted to.
func trustAccount(p lakemesh.Partition, account string) iampolicy.Document {
	return iampolicy.New(trust(iampolicy.AWSPrincipal(p.Root(account)), nil, assumeRole, tagSession, setSourceIdentity))
}

// trustRole lets one role of one account open the role, and nobody else.
func trustRole(roleARN string) iampolicy.Document {
	return trustInMesh(iampolicy.AWSPrincipal(roleARN), nil)
}

// trustInMesh lets somebody open a role of the mesh account, with the session tags
// that may come there. Tags that the caller's session hands on are those of the
// request to some readers of AWS's documentation, and transitive ones only to others:
// both are bounded.
func trustInMesh(who *iampolicy.Principal, conditions iampolicy.Conditions) iampolicy.Document {
	tagged := iampolicy.Conditions{"ForAllValues:StringEquals": {"aws:TagKeys": sessionTags(), "sts:TransitiveTagKeys": sessionTags()}}
	maps.Copy(tagged, conditions)
	return iampolicy.New(trust(who, conditions, assumeRole, setSourceIdentity), trust(who, tagged, tagSession))
}

func trust(who *iampolicy.Principal, conditions iampolicy.Conditions, actions ...string) iampolicy.Statement {
	return iampolicy.Statement{Effect: iampolicy.Allow, Principal: who, Actions: actions, Conditions: conditions}
}

// acceptShares lets a role see its account's invitations, and accept those of the
// mesh account alone.
func acceptShares(mesh string, more ...string) []iampolicy.Statement {
	return []iampolicy.Statement{
		allow("SeeShares", append(more, "ram:GetResourceShareInvitations"), anything, nil),
		allow("AcceptSharesOfTheMesh", []string{"ram:AcceptResourceShareInvitation"}, anything,
			iampolicy.Conditions{"StringEquals": {"ram:ShareOwnerAccountId": {mesh}}}),
	}
}
