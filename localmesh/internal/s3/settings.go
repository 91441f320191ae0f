package s3

// Configurations of buckets that change nothing here. Programs read all of them to find
// out what a bucket is like; what would have to be done is refused.

import (
	"encoding/xml"
	"net/http"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// handler is how a raw operation is answered.
type handler func(*engine.Call, *engine.Request) (*engine.Response, error)

// absent answers that a bucket has no such configuration.
func absent(action, code, message string) handler {
	return func(c *engine.Call, r *engine.Request) (*engine.Response, error) {
		t, err := open(c, r, action, nil)
		if err != nil {
			return nil, err
		}
		return nil, failure(http.StatusNotFound, code, message).with("BucketName", t.bucket.Name).APIError
	}
}

// nothingToDelete deletes a configuration that a bucket never has.
func nothingToDelete(action string) handler {
	return func(c *engine.Call, r *engine.Request) (*engine.Response, error) {
		if _, err := open(c, r, action, nil); err != nil {
			return nil, err
		}
		return answerEmpty(http.StatusNoContent)
	}
}

// fixed answers what every bucket has.
func fixed(action string, answer any) handler {
	return func(c *engine.Call, r *engine.Request) (*engine.Response, error) {
		if _, err := open(c, r, action, nil); err != nil {
			return nil, err
		}
		return answerXML(answer)
	}
}

// unlocked refuses what is about the lock of an object.
func unlocked(action string) handler {
	return func(c *engine.Call, r *engine.Request) (*engine.Response, error) {
		if _, _, err := openObject(c, r, action); err != nil {
			return nil, err
		}
		return nil, failure(http.StatusBadRequest, "InvalidRequest", "Bucket is missing Object Lock Configuration").APIError
	}
}

// configurationList is an empty listing of configurations that have ids.
type configurationList struct {
	XMLName     xml.Name
	XMLNS       string `xml:"xmlns,attr"`
	IsTruncated bool
}

func emptyList(name string) configurationList {
	return configurationList{XMLName: xml.Name{Local: name}, XMLNS: namespace}
}

const noSuchConfiguration = "The specified configuration does not exist."

type bucketStatus struct {
	XMLName xml.Name
	XMLNS   string `xml:"xmlns,attr,omitempty"`
	Status  string `xml:",omitempty"`
	Payer   string `xml:",omitempty"`
}

func statusOf(root, status string) bucketStatus {
	return bucketStatus{XMLName: xml.Name{Local: root}, XMLNS: namespace, Status: status}
}

func getBucketRequestPayment(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	return fixed("s3:GetBucketRequestPayment", bucketStatus{XMLName: xml.Name{Local: "RequestPaymentConfiguration"}, XMLNS: namespace, Payer: "BucketOwner"})(c, r)
}

// inert takes a configuration that says what is so anyway. What it says otherwise is
// refused by read, or because its body has elements that are not there.
func inert(action string, read func(c *engine.Call, r *engine.Request) error) handler {
	return func(c *engine.Call, r *engine.Request) (*engine.Response, error) {
		if _, err := open(c, r, action, nil); err != nil {
			return nil, err
		}
		if err := read(c, r); err != nil {
			return nil, err
		}
		return answerEmpty(http.StatusOK)
	}
}

func readRequestPayment(c *engine.Call, r *engine.Request) error {
	var in struct {
		XMLName xml.Name `xml:"RequestPaymentConfiguration"`
		Payer   string
	}
	if err := readXML(c, r, &in); err != nil {
		return err
	}
	return only("Payer", in.Payer, "BucketOwner", "Requester")
}

func readAccelerate(c *engine.Call, r *engine.Request) error {
	var in struct {
		XMLName xml.Name `xml:"AccelerateConfiguration"`
		Status  string
	}
	if err := readXML(c, r, &in); err != nil {
		return err
	}
	return only("Status", in.Status, "Suspended", "Enabled")
}

// only takes one value of an element; the other that S3 has is refused as such.
func only(element, value, taken, refused string) error {
	switch value {
	case taken:
		return nil
	case refused:
		return notImplemented("Element", element)
	}
	return malformedXML()
}

func readNotification(c *engine.Call, r *engine.Request) error {
	var in struct {
		XMLName xml.Name `xml:"NotificationConfiguration"`
	}
	return readXML(c, r, &in)
}

func readLogging(c *engine.Call, r *engine.Request) error {
	var in struct {
		XMLName xml.Name `xml:"BucketLoggingStatus"`
	}
	return readXML(c, r, &in)
}

func settingOperations() []engine.Operation {
	ops := []engine.Operation{
		op("GetBucketLifecycleConfiguration", engine.Read, "s3:GetLifecycleConfiguration; NoSuchLifecycleConfiguration", getBucketLifecycle),
		op("PutBucketLifecycleConfiguration", engine.Write, "s3:PutLifecycleConfiguration; the rules' form; kept and shown, nothing expires by them", putBucketLifecycle),
		op("DeleteBucketLifecycle", engine.Write, "s3:PutLifecycleConfiguration", deleteBucketLifecycle),
		op("GetBucketOwnershipControls", engine.Read, "s3:GetBucketOwnershipControls; BucketOwnerEnforced", getBucketOwnershipControls),
		op("PutBucketOwnershipControls", engine.Write, "s3:PutBucketOwnershipControls; no other than BucketOwnerEnforced", putBucketOwnershipControls),
		op("DeleteBucketOwnershipControls", engine.Write, "s3:PutBucketOwnershipControls", deleteBucketOwnershipControls),
		op("GetBucketCors", engine.Read, "s3:GetBucketCORS; NoSuchCORSConfiguration", absent("s3:GetBucketCORS", "NoSuchCORSConfiguration", "The CORS configuration does not exist")),
		op("DeleteBucketCors", engine.Write, "s3:PutBucketCORS", nothingToDelete("s3:PutBucketCORS")),
		op("GetBucketWebsite", engine.Read, "s3:GetBucketWebsite; NoSuchWebsiteConfiguration",
			absent("s3:GetBucketWebsite", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")),
		op("DeleteBucketWebsite", engine.Write, "s3:DeleteBucketWebsite", nothingToDelete("s3:DeleteBucketWebsite")),
		op("GetBucketReplication", engine.Read, "s3:GetReplicationConfiguration; ReplicationConfigurationNotFoundError",
			absent("s3:GetReplicationConfiguration", "ReplicationConfigurationNotFoundError", "The replication configuration was not found")),
		op("DeleteBucketReplication", engine.Write, "s3:PutReplicationConfiguration", nothingToDelete("s3:PutReplicationConfiguration")),
		op("GetObjectLockConfiguration", engine.Read, "s3:GetBucketObjectLockConfiguration; ObjectLockConfigurationNotFoundError",
			absent("s3:GetBucketObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")),
		op("GetObjectRetention", engine.Read, "s3:GetObjectRetention; no bucket has object lock", unlocked("s3:GetObjectRetention")),
		op("GetObjectLegalHold", engine.Read, "s3:GetObjectLegalHold; no bucket has object lock", unlocked("s3:GetObjectLegalHold")),
		op("GetBucketNotificationConfiguration", engine.Read, "s3:GetBucketNotification; always empty", fixed("s3:GetBucketNotification", emptyNotification())),
		op("PutBucketNotificationConfiguration", engine.Write, "s3:PutBucketNotification; only an empty one", inert("s3:PutBucketNotification", readNotification)),
		op("GetBucketLogging", engine.Read, "s3:GetBucketLogging; always empty", fixed("s3:GetBucketLogging", statusOf("BucketLoggingStatus", ""))),
		op("PutBucketLogging", engine.Write, "s3:PutBucketLogging; only an empty one", inert("s3:PutBucketLogging", readLogging)),
		op("GetBucketRequestPayment", engine.Read, "s3:GetBucketRequestPayment; BucketOwner", getBucketRequestPayment),
		op("PutBucketRequestPayment", engine.Write, "s3:PutBucketRequestPayment; only BucketOwner", inert("s3:PutBucketRequestPayment", readRequestPayment)),
		op("GetBucketAccelerateConfiguration", engine.Read, "s3:GetAccelerateConfiguration; always empty",
			fixed("s3:GetAccelerateConfiguration", statusOf("AccelerateConfiguration", ""))),
		op("PutBucketAccelerateConfiguration", engine.Write, "s3:PutAccelerateConfiguration; only Suspended", inert("s3:PutAccelerateConfiguration", readAccelerate)),
	}
	for _, kind := range []struct{ name, permission, list string }{
		{"Analytics", "AnalyticsConfiguration", "ListBucketAnalyticsConfigurationResult"},
		{"IntelligentTiering", "IntelligentTieringConfiguration", "ListBucketIntelligentTieringConfigurationsOutput"},
		{"Inventory", "InventoryConfiguration", "ListInventoryConfigurationsResult"},
		{"Metrics", "MetricsConfiguration", "ListMetricsConfigurationsResult"},
	} {
		read, write := "s3:Get"+kind.permission, "s3:Put"+kind.permission
		ops = append(ops,
			op("ListBucket"+kind.name+"Configurations", engine.Read, read+"; none", fixed(read, emptyList(kind.list))),
			op("GetBucket"+kind.name+"Configuration", engine.Read, read+"; none", absent(read, "NoSuchConfiguration", noSuchConfiguration)),
			op("DeleteBucket"+kind.name+"Configuration", engine.Write, write+"; none", absent(write, "NoSuchConfiguration", noSuchConfiguration)))
	}
	return ops
}

func emptyNotification() bucketStatus { return statusOf("NotificationConfiguration", "") }
