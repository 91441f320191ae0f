// Package kms is AWS KMS of the local mesh, as far as it takes to tell who may read data
// that is encrypted: customer managed keys and their policies. It encrypts nothing;
// S3 asks it with [Allow] whether a caller may use a key.
//
// What is enforced: a key's policy decides, and the caller's policies where it leaves that
// to them by naming the account; from another account both have to allow. A key that
// is disabled or going to be deleted is not used. There are no grants and rotations, and a
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
			engine.Op("CreateKey", engine.Write, docs+"CreateKey.html",
				"symmetric keys for encryption; the default key policy leaves everything to the account's IAM policies", createKey),
			engine.Op("CancelKeyDeletion", engine.Write, docs+"CancelKeyDeletion.html", "the owner's account only; the key is disabled then", cancelKeyDeletion),
			engine.Op("DescribeKey", engine.Read, docs+"DescribeKey.html", "the key's policy and, from another account, the caller's", describeKey),
			engine.Op("DisableKey", engine.Write, docs+"DisableKey.html", "the owner's account only", disableKey),
			engine.Op("EnableKey", engine.Write, docs+"EnableKey.html", "the owner's account only; not while the key is going to be deleted", enableKey),
			engine.Op("GetKeyPolicy", engine.Read, docs+"GetKeyPolicy.html", "the owner's account only; deleted principals are shown as unique ids", getKeyPolicy),
			engine.Op("PutKeyPolicy", engine.Write, docs+"PutKeyPolicy.html",
				"the owner's account only; 32 KB; principals exist; who writes it must be able to write it again, unless that check is waived", putKeyPolicy),
			engine.Op("ScheduleKeyDeletion", engine.Write, docs+"ScheduleKeyDeletion.html", "the owner's account only; 7 to 30 days", scheduleKeyDeletion),
		},
	}
}
