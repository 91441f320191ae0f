// Package ram is the local mesh's AWS Resource Access Manager: resource shares,
// the invitations that they send, and who has accepted them.
//
// Lake Formation makes its shares through [CreateShare], [AddResource] and
// [AddPrincipal], and asks [Reaches] whether a share has become effective.
//
// A principal of another account is external and must accept an invitation, unless
// both are in an organization that has sharing enabled. What AWS does some time after the
// answer (an association that goes from ASSOCIATING to ASSOCIATED) is done here
// at once, save for what waits for somebody's acceptance.
package ram

import (
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

const docs = "https://docs.aws.amazon.com/ram/latest/APIReference/API_"

// Service returns the service.
func Service() engine.Service {
	return engine.Service{
		Name: "ram", Title: "AWS RAM", Protocol: wire.RestJSON, Naming: wire.LowerFirst,
		DeniedCode: "AccessDeniedException", DeniedStatus: 403, InvalidCode: "InvalidParameterException", ThrottleCode: "ThrottlingException", ThrottleStatus: 429,
		Operations: []engine.Operation{
			engine.Op("CreateResourceShare", engine.Write, docs+"CreateResourceShare.html",
				"resources must exist and belong to the caller's account; at most 100 of each kind; external principals only if allowed; client tokens", createResourceShare),
			engine.Op("GetResourceShares", engine.Read, docs+"GetResourceShares.html",
				"SELF shows own shares, OTHER-ACCOUNTS only those whose invitation was accepted", getResourceShares),
			engine.Op("UpdateResourceShare", engine.Write, docs+"UpdateResourceShare.html",
				"only the owner's; name and whether external principals are allowed", updateResourceShare),
			engine.Op("DeleteResourceShare", engine.Write, docs+"DeleteResourceShare.html",
				"only the owner's; ends all access through the share", deleteResourceShare),
			engine.Op("AssociateResourceShare", engine.Write, docs+"AssociateResourceShare.html",
				"only the owner's; a new principal is invited, one whose invitation was missed only after it was disassociated", associateResourceShare),
			engine.Op("DisassociateResourceShare", engine.Write, docs+"DisassociateResourceShare.html",
				"the owner's; what is not in the share is refused", disassociateResourceShare),
			engine.Op("GetResourceShareAssociations", engine.Read, docs+"GetResourceShareAssociations.html",
				"only of shares that the caller's account owns", getResourceShareAssociations),
			engine.Op("GetResourceShareInvitations", engine.Read, docs+"GetResourceShareInvitations.html",
				"only invitations to the caller's account; they expire after 12 hours; a page may be empty before the last", getResourceShareInvitations),
			engine.Op("AcceptResourceShareInvitation", engine.Write, docs+"AcceptResourceShareInvitation.html",
				"only the receiver, once, in time; the grantor's right to glue:PutResourcePolicy is asked for again", acceptResourceShareInvitation),
			engine.Op("RejectResourceShareInvitation", engine.Write, docs+"RejectResourceShareInvitation.html",
				"only the receiver, once, in time", rejectResourceShareInvitation),
			engine.Op("ListPendingInvitationResources", engine.Read, docs+"ListPendingInvitationResources.html",
				"only of a pending invitation to the caller's account", listPendingInvitationResources),
			engine.Op("ListResources", engine.Read, docs+"ListResources.html",
				"SELF shows what the account shares, OTHER-ACCOUNTS what reached it", listResources),
			engine.Op("ListPrincipals", engine.Read, docs+"ListPrincipals.html",
				"SELF shows whom the account shares with, OTHER-ACCOUNTS who shares with it", listPrincipals),
			engine.Op("ListPermissions", engine.Read, docs+"ListPermissions.html",
				"the managed permissions of the Glue resource types", listPermissions),
			engine.Op("AssociateResourceSharePermission", engine.Write, docs+"AssociateResourceSharePermission.html",
				"only the owner's share, with ram:PermissionArn and ram:ResourceShareName; one permission a resource type, replaced only if that is said", associateResourceSharePermission),
			engine.Op("DisassociateResourceSharePermission", engine.Write, docs+"DisassociateResourceSharePermission.html",
				"only the owner's share, with ram:PermissionArn and ram:ResourceShareName; not while the share has resources of the type", disassociateResourceSharePermission),
			engine.Op("EnableSharingWithAwsOrganization", engine.Write, docs+"EnableSharingWithAwsOrganization.html",
				"the organization's management account only, with the rights to open the organization to RAM", enableSharingWithAwsOrganization),
			engine.Op("GetPermission", engine.Read, docs+"GetPermission.html",
				"the managed permissions of the Glue resource types", getPermission),
			engine.Op("TagResource", engine.Write, docs+"TagResource.html",
				"only the owner's share, with tag keys; 50 tags; managed permissions have none", tagResource),
			engine.Op("UntagResource", engine.Write, docs+"UntagResource.html",
				"only the owner's share, with tag keys", untagResource),
			engine.Op("ListResourceSharePermissions", engine.Read, docs+"ListResourceSharePermissions.html",
				"the managed permissions of a share that the caller owns or has accepted", listResourceSharePermissions),
		},
	}
}
