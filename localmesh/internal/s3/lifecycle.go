package s3

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
)

type lifecycleConfiguration struct {
	XMLName xml.Name        `xml:"LifecycleConfiguration"`
	XMLNS   string          `xml:"xmlns,attr,omitempty"`
	Rule    []lifecycleRule `xml:"Rule"`
}

type lifecycleRule struct {
	ID                             string                `xml:",omitempty"`
	Prefix                         *string               `xml:",omitempty"`
	Filter                         *lifecycleFilter      `xml:",omitempty"`
	Status                         string                `xml:",omitempty"`
	Transition                     []lifecycleTransition `xml:",omitempty"`
	Expiration                     *lifecycleExpiration  `xml:",omitempty"`
	NoncurrentVersionTransition    []lifecycleNoncurrent `xml:",omitempty"`
	NoncurrentVersionExpiration    *lifecycleNoncurrent  `xml:",omitempty"`
	AbortIncompleteMultipartUpload *lifecycleAbort       `xml:",omitempty"`
}

type lifecycleFilter struct {
	Prefix                *string       `xml:",omitempty"`
	Tag                   *xmlTag       `xml:",omitempty"`
	ObjectSizeGreaterThan *int64        `xml:",omitempty"`
	ObjectSizeLessThan    *int64        `xml:",omitempty"`
	And                   *lifecycleAnd `xml:",omitempty"`
}

type lifecycleAnd struct {
	Prefix                *string  `xml:",omitempty"`
	Tag                   []xmlTag `xml:",omitempty"`
	ObjectSizeGreaterThan *int64   `xml:",omitempty"`
	ObjectSizeLessThan    *int64   `xml:",omitempty"`
}

type lifecycleTransition struct {
	Date         string `xml:",omitempty"`
	Days         *int   `xml:",omitempty"`
	StorageClass string
}

type lifecycleExpiration struct {
	Date                      string `xml:",omitempty"`
	Days                      *int   `xml:",omitempty"`
	ExpiredObjectDeleteMarker *bool  `xml:",omitempty"`
}

type lifecycleNoncurrent struct {
	NoncurrentDays          *int   `xml:",omitempty"`
	NewerNoncurrentVersions *int   `xml:",omitempty"`
	StorageClass            string `xml:",omitempty"`
}

type lifecycleAbort struct{ DaysAfterInitiation int }

const (
	maxRules               = 1000
	maxRuleID              = 255
	transitionMinimum      = "X-Amz-Transition-Default-Minimum-Object-Size"
	lifecycleSetting       = "lifecycle"
	defaultTransitionClass = "all_storage_classes_128K"
)

func noLifecycle(b state.Bucket) error {
	return failure(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist").with("BucketName", b.Name).APIError
}

func getBucketLifecycle(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:GetLifecycleConfiguration", nil)
	if err != nil {
		return nil, err
	}
	kept, ok := t.bucket.Settings[lifecycleSetting]
	if !ok {
		return nil, noLifecycle(t.bucket)
	}
	return &engine.Response{Status: http.StatusOK, Body: []byte(kept),
		Header: http.Header{"Content-Type": {"application/xml"}, transitionMinimum: {t.bucket.Settings[transitionMinimum]}}}, nil
}

// putBucketLifecycle keeps the rules. Nothing expires or moves by them.
func putBucketLifecycle(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutLifecycleConfiguration", nil)
	if err != nil {
		return nil, err
	}
	minimum := r.Header.Get(transitionMinimum)
	switch minimum {
	case "":
		minimum = defaultTransitionClass
	case defaultTransitionClass, "varies_by_storage_class":
	default:
		return nil, invalidArgument("Invalid value", "x-amz-transition-default-minimum-object-size", minimum)
	}
	var in lifecycleConfiguration
	if err := readXML(c, r, &in); err != nil {
		return nil, err
	}
	if err := checkRules(c, in.Rule); err != nil {
		return nil, err
	}
	in.XMLNS = namespace
	kept, err := answerXML(in)
	if err != nil {
		return nil, err
	}
	t.bucket.Settings = maps.Clone(t.bucket.Settings)
	if t.bucket.Settings == nil {
		t.bucket.Settings = map[string]string{}
	}
	t.bucket.Settings[lifecycleSetting], t.bucket.Settings[transitionMinimum] = string(kept.Body), minimum
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return &engine.Response{Status: http.StatusOK, Header: http.Header{transitionMinimum: {minimum}}}, nil
}

// checkRules checks the form of the rules, and gives an id to those without one.
func checkRules(c *engine.Call, rules []lifecycleRule) error {
	if len(rules) == 0 || len(rules) > maxRules {
		return malformedXML()
	}
	ids := map[string]bool{}
	for i := range rules {
		rule := &rules[i]
		if rule.ID == "" {
			rule.ID = c.Mesh.UUID()
		}
		switch {
		case len(rule.ID) > maxRuleID:
			return invalidArgument("ID length should not exceed allowed limit of 255", "ID", rule.ID)
		case ids[rule.ID]:
			return invalidArgument("Rule ID must be unique. Found same ID for more than one rule", "ID", rule.ID)
		case rule.Status != "Enabled" && rule.Status != "Disabled", (rule.Prefix == nil) == (rule.Filter == nil):
			return malformedXML()
		case len(rule.Transition) == 0 && rule.Expiration == nil && len(rule.NoncurrentVersionTransition) == 0 &&
			rule.NoncurrentVersionExpiration == nil && rule.AbortIncompleteMultipartUpload == nil:
			return failure(http.StatusBadRequest, "InvalidRequest", "At least one action needs to be specified in a rule").APIError
		}
		ids[rule.ID] = true
		if e := rule.Expiration; e != nil && e.Days != nil && *e.Days < 1 {
			return invalidArgument("'Days' for Expiration action must be a positive integer", "Days", "")
		}
		for _, class := range classesOf(rule) {
			if !slices.Contains([]string{"GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"}, class) {
				return malformedXML()
			}
		}
	}
	return nil
}

// classesOf are the storage classes that a rule moves objects to.
func classesOf(rule *lifecycleRule) []string {
	var classes []string
	for _, t := range rule.Transition {
		classes = append(classes, t.StorageClass)
	}
	for _, t := range rule.NoncurrentVersionTransition {
		classes = append(classes, t.StorageClass)
	}
	return classes
}

func deleteBucketLifecycle(c *engine.Call, r *engine.Request) (*engine.Response, error) {
	t, err := open(c, r, "s3:PutLifecycleConfiguration", nil)
	if err != nil {
		return nil, err
	}
	t.bucket.Settings = maps.Clone(t.bucket.Settings)
	delete(t.bucket.Settings, lifecycleSetting)
	if err := state.S3Buckets.Put(c.Tx, t.bucket, t.bucket.Name); err != nil {
		return nil, err
	}
	return answerEmpty(http.StatusNoContent)
}
