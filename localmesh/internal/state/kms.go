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
	// Disabled keys cannot be used; Deletion is when the key is deleted, if it is going to be.
	Disabled bool      `json:",omitempty"`
	Deletion time.Time `json:",omitzero"`
	// Rotated keys have their material replaced every RotationDays days.
	Rotated      bool              `json:",omitempty"`
	RotationDays int32             `json:",omitempty"`
	Tags         map[string]string `json:",omitempty"`
}

// KMSAliases are the names that keys were given.
var KMSAliases = store.Table[KMSAlias]{Bucket: "kms.alias"} // account, region, name

// KMSAlias is a name of a key.
type KMSAlias struct {
	Name, Account, Region string
	// Key is the key's id.
	Key string
	// Created is when the name was given, Updated when it was given to another key.
	Created time.Time `json:",omitzero"`
	Updated time.Time `json:",omitzero"`
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
