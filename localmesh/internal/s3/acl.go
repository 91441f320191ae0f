package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
//
// Buckets have their lists of access control disabled, as new ones have: the owner's
// account has everything, and nothing can be changed.

import (
	"encoding/xml"
	"net/http"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

const bucketOwnerEnforced = "BucketOwnerEnforced"

type accessControlPolicy struct {
	XMLName           xml.Name `xml:"AccessControlPolicy"`
	XMLNS             string   `xml:"xmlns,attr"`
	Owner             *owner
	AccessControlList struct{ Grant []aclGrant }
}

type aclGrant struct {
	Grantee    aclGrantee
	Permission string
}

type aclGrantee struct {
	XSI  string `xml:"xmlns:xsi,attr"`
	Type string `xml:"xsi:type,attr"`
	ID   string
}

func ownersACL(b state.Bucket) (*engine.Response, error) {
	out := accessControlPolicy{XMLNS: namespace, Owner: ownerOf(b.Account)}
	out.AccessControlList.Grant = []aclGrant{{Permission: "FULL_CONTROL",
		Grantee: aclGrantee{XSI: "http://www.w3.org/2001/XMLSchema-instance", Type: "CanonicalUser", ID: b.Account}}}
	return answerXML(out)
}

func getBucketACL(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetBucketAcl", nil)
	if err != nil {
		return nil, err
	}
	return ownersACL(t.bucket)
}

func getObjectACL(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, _, err := openObject(c, r, "s3:GetObjectAcl")
	if err != nil {
		return nil, err
	}
	return ownersACL(t.bucket)
}

func putBucketACL(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	if _, err := open(c, r, "s3:PutBucketAcl", nil); err != nil {
		return nil, err
	}
	return nil, noACL()
}

func putObjectACL(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	if _, _, err := openObject(c, r, "s3:PutObjectAcl"); err != nil {
		return nil, err
	}
	return nil, noACL()
}

func noACL() error {
	return failure(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs").APIError
}

// checkOwnership takes the one ownership that buckets have.
func checkOwnership(ownership string) error {
	switch ownership {
	case "", bucketOwnerEnforced:
		return nil
	case "BucketOwnerPreferred", "ObjectWriter":
		return notImplemented("Header", "x-amz-object-ownership")
	}
	return invalidArgument("Invalid x-amz-object-ownership header: "+ownership, "x-amz-object-ownership", ownership)
}

type ownershipControls struct {
	XMLName xml.Name        `xml:"OwnershipControls"`
	XMLNS   string          `xml:"xmlns,attr,omitempty"`
	Rule    []ownershipRule `xml:"Rule"`
}

type ownershipRule struct{ ObjectOwnership string }

func getBucketOwnershipControls(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetBucketOwnershipControls", nil)
	if err != nil {
		return nil, err
	}
	if t.bucket.NoOwnershipControls {
		return nil, failure(http.StatusNotFound, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found").with("BucketName", t.bucket.Name).APIError
	}
	return answerXML(ownershipControls{XMLNS: namespace, Rule: []ownershipRule{{bucketOwnerEnforced}}})
}

func putBucketOwnershipControls(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutBucketOwnershipControls", nil)
	if err != nil {
		return nil, err
	}
	var in ownershipControls
	if err := readXML(c, r, &in); err != nil {
		return nil, err
	}
	if len(in.Rule) != 1 {
		return nil, malformedXML()
	}
	switch in.Rule[0].ObjectOwnership {
	case bucketOwnerEnforced:
	case "BucketOwnerPreferred", "ObjectWriter":
		return nil, notImplemented("Element", "ObjectOwnership")
	default:
		return nil, malformedXML()
	}
	t.bucket.NoOwnershipControls = false
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusOK)
}

// deleteBucketOwnershipControls forgets that they were set. What they say goes on: it is
// how the bucket was made.
func deleteBucketOwnershipControls(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutBucketOwnershipControls", nil)
	if err != nil {
		return nil, err
	}
	t.bucket.NoOwnershipControls = true
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}
