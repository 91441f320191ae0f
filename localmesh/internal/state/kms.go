package state

import (
	"fmt"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// KMSKeys are the customer managed keys of KMS.
var KMSKeys = store.Table[KMSKey]{Bucket: "kms.key"} // account, region, id

// KMSKey is a key. It encrypts nothing: who may use it is all that counts here.
type KMSKey struct {
	ID, Account, Region string
	Description         string `json:",omitempty"`
	Created             time.Time
	// Policy is the key policy. Principals in it are kept as unique ids; Principals has the
	// ARN that each was named by.
	Policy     string
	Principals map[string]string `json:",omitempty"`
}

// ARN returns the key's ARN.
func (k KMSKey) ARN() string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", k.Region, k.Account, k.ID)
}

// Encryption is how an object is encrypted: nil means with a key of S3's own.
type Encryption struct {
	// Algorithm is aws:kms or aws:kms:dsse.
	Algorithm string
	// Key is the key as it was named: an ARN, an id or an alias; empty means the one that
	// AWS manages for S3 in the account.
	Key string `json:",omitempty"`
	// BucketKey is for the answer only.
	BucketKey bool `json:",omitempty"`
}
