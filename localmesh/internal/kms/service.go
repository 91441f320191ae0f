// Package kms is AWS KMS of the local mesh, as far as it takes to tell who may read data
// that is encrypted: customer managed keys and their policies. It encrypts nothing;
// S3 asks it with [Allow] whether a caller may use a key.
//
// What is enforced: a key's policy decides, and the caller's policies where it leaves that
// to them by naming the account; from another account both have to allow. A key that
// is disabled or going to be deleted is not used. There are no grants, nothing rotates, and a
// key that is going to be deleted never is.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/control-access.html
package kms

import (
	"net/http"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

const docs = "https://docs.aws.amazon.com/kms/latest/APIReference/API_"

// Service returns KMS.
func Service() engine.Service {
	return engine.Service{
		Name: "kms", Title: "AWS KMS", Protocol: wire.AWSJSON11, Naming: wire.AsIs,
		DeniedCode: "AccessDeniedException", DeniedStatus: http.StatusBadRequest, InvalidCode: "UnsupportedOperationException", ThrottleCode: "ThrottlingException", ThrottleStatus: http.StatusBadRequest,
		Operations: []engine.Operation{
			engine.Op("CreateAlias", engine.Write, docs+"CreateAlias.html", "permission on the alias and on the key; names; alias/aws/ is reserved", createAlias),
			engine.Op("UpdateAlias", engine.Write, docs+"UpdateAlias.html", "permission on the alias and on both keys", updateAlias),
			engine.Op("DeleteAlias", engine.Write, docs+"DeleteAlias.html", "permission on the alias and on its key", deleteAlias),
			engine.Op("ListAliases", engine.Read, docs+"ListAliases.html", "permission on *; pages", listAliases),
			engine.Op("CreateKey", engine.Write, docs+"CreateKey.html",
				"symmetric keys for encryption; the default key policy leaves everything to the account's IAM policies", createKey),
			engine.Op("CancelKeyDeletion", engine.Write, docs+"CancelKeyDeletion.html", "the owner's account only; the key is disabled then", cancelKeyDeletion),
			engine.Op("DescribeKey", engine.Read, docs+"DescribeKey.html", "the key's policy and, from another account, the caller's", describeKey),
			engine.Op("DisableKey", engine.Write, docs+"DisableKey.html", "the owner's account only", disableKey),
			engine.Op("EnableKey", engine.Write, docs+"EnableKey.html", "the owner's account only; not while the key is going to be deleted", enableKey),
			engine.Op("GetKeyPolicy", engine.Read, docs+"GetKeyPolicy.html", "the owner's account only; deleted principals are shown as unique ids", getKeyPolicy),
			engine.Op("PutKeyPolicy", engine.Write, docs+"PutKeyPolicy.html",
				"the owner's account only; 32 KB; principals exist; who writes it must be able to write it again, unless that check is waived", putKeyPolicy),
			engine.Op("ListKeys", engine.Read, docs+"ListKeys.html", "permission on *; pages", listKeys),
			engine.Op("ListKeyPolicies", engine.Read, docs+"ListKeyPolicies.html", "the owner's account only", listKeyPolicies),
			engine.Op("EnableKeyRotation", engine.Write, docs+"EnableKeyRotation.html", "the owner's account only; 90 to 2,560 days; the setting is kept, and nothing rotates", enableKeyRotation),
			engine.Op("DisableKeyRotation", engine.Write, docs+"DisableKeyRotation.html", "the owner's account only", disableKeyRotation),
			engine.Op("GetKeyRotationStatus", engine.Read, docs+"GetKeyRotationStatus.html", "the key's policy and, from another account, the caller's", getKeyRotationStatus),
			engine.Op("TagResource", engine.Write, docs+"TagResource.html", "the owner's account only; tags are condition keys; 50 tags", tagResource),
			engine.Op("UntagResource", engine.Write, docs+"UntagResource.html", "the owner's account only", untagResource),
			engine.Op("ListResourceTags", engine.Read, docs+"ListResourceTags.html", "the owner's account only; pages", listResourceTags),
			engine.Op("ScheduleKeyDeletion", engine.Write, docs+"ScheduleKeyDeletion.html", "the owner's account only; 7 to 30 days", scheduleKeyDeletion),
		},
	}
}
