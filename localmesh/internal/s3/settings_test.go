package s3_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Programs that look after buckets read all that a bucket can have.
func TestWhatABucketHasByDefault(t *testing.T) {
	w := newWorld(t)
	lake := aws.String("lake")
	for code, do := range map[string]func() error{
		"NoSuchCORSConfiguration": func() error {
			_, err := w.owner.GetBucketCors(t.Context(), &s3.GetBucketCorsInput{Bucket: lake})
			return err
		},
		"NoSuchWebsiteConfiguration": func() error {
			_, err := w.owner.GetBucketWebsite(t.Context(), &s3.GetBucketWebsiteInput{Bucket: lake})
			return err
		},
		"ReplicationConfigurationNotFoundError": func() error {
			_, err := w.owner.GetBucketReplication(t.Context(), &s3.GetBucketReplicationInput{Bucket: lake})
			return err
		},
		"ObjectLockConfigurationNotFoundError": func() error {
			_, err := w.owner.GetObjectLockConfiguration(t.Context(), &s3.GetObjectLockConfigurationInput{Bucket: lake})
			return err
		},
		"NoSuchLifecycleConfiguration": func() error {
			_, err := w.owner.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: lake})
			return err
		},
		"NoSuchConfiguration": func() error {
			_, err := w.owner.GetBucketMetricsConfiguration(t.Context(), &s3.GetBucketMetricsConfigurationInput{Bucket: lake, Id: aws.String("all")})
			return err
		},
	} {
		refused(t, do(), code, http.StatusNotFound)
	}
	acl, err := w.owner.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: lake})
	succeeded(t, err)
	if len(acl.Grants) != 1 || acl.Grants[0].Permission != types.PermissionFullControl || *acl.Grants[0].Grantee.ID != *acl.Owner.ID || acl.Grants[0].Grantee.Type != types.TypeCanonicalUser {
		t.Errorf("grants are %+v", acl.Grants)
	}
	ownership, err := w.owner.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: lake})
	succeeded(t, err)
	if ownership.OwnershipControls.Rules[0].ObjectOwnership != types.ObjectOwnershipBucketOwnerEnforced {
		t.Errorf("ownership is %v", ownership.OwnershipControls.Rules)
	}
	pays, err := w.owner.GetBucketRequestPayment(t.Context(), &s3.GetBucketRequestPaymentInput{Bucket: lake})
	succeeded(t, err)
	if pays.Payer != types.PayerBucketOwner {
		t.Errorf("payer is %s", pays.Payer)
	}
	logging, err := w.owner.GetBucketLogging(t.Context(), &s3.GetBucketLoggingInput{Bucket: lake})
	succeeded(t, err)
	if logging.LoggingEnabled != nil {
		t.Errorf("logging is %v", logging.LoggingEnabled)
	}
	for name, do := range map[string]func() error{
		"accelerate": func() error {
			_, err := w.owner.GetBucketAccelerateConfiguration(t.Context(), &s3.GetBucketAccelerateConfigurationInput{Bucket: lake})
			return err
		},
		"notification": func() error {
			_, err := w.owner.GetBucketNotificationConfiguration(t.Context(), &s3.GetBucketNotificationConfigurationInput{Bucket: lake})
			return err
		},
		"inventory": func() error {
			_, err := w.owner.ListBucketInventoryConfigurations(t.Context(), &s3.ListBucketInventoryConfigurationsInput{Bucket: lake})
			return err
		},
		"without notification": func() error {
			_, err := w.owner.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: lake, NotificationConfiguration: &types.NotificationConfiguration{}})
			return err
		},
		"without logging": func() error {
			_, err := w.owner.PutBucketLogging(t.Context(), &s3.PutBucketLoggingInput{Bucket: lake, BucketLoggingStatus: &types.BucketLoggingStatus{}})
			return err
		},
		"delete what is not there": func() error {
			_, err := w.owner.DeleteBucketWebsite(t.Context(), &s3.DeleteBucketWebsiteInput{Bucket: lake})
			return err
		},
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = w.owner.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: lake, ACL: types.BucketCannedACLPublicRead})
	refused(t, err, "AccessControlListNotSupported", http.StatusBadRequest)
}

func TestLifecycleIsKept(t *testing.T) {
	w := newWorld(t)
	lake := aws.String("lake")
	put := func(rules ...types.LifecycleRule) error {
		_, err := w.owner.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{Bucket: lake, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules}})
		return err
	}
	expire := &types.LifecycleExpiration{Days: aws.Int32(3)}
	rule := types.LifecycleRule{ID: aws.String("old"), Status: types.ExpirationStatusEnabled, Expiration: expire,
		Filter:                         &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: aws.String("tmp/"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}},
		Transitions:                    []types.Transition{{Days: aws.Int32(1), StorageClass: types.TransitionStorageClassGlacier}},
		AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)}}
	succeeded(t, put(rule, types.LifecycleRule{Status: types.ExpirationStatusDisabled, Expiration: expire, Filter: &types.LifecycleRuleFilter{}}))
	out, err := w.owner.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: lake})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Rules) != 2 || *out.Rules[0].Filter.And.Prefix != "tmp/" || *out.Rules[0].AbortIncompleteMultipartUpload.DaysAfterInitiation != 7 ||
		out.Rules[0].Transitions[0].StorageClass != types.TransitionStorageClassGlacier || *out.Rules[1].ID == "" ||
		out.TransitionDefaultMinimumObjectSize != types.TransitionDefaultMinimumObjectSizeAllStorageClasses128k {
		t.Errorf("rules are %+v", out)
	}
	refused(t, put(types.LifecycleRule{Status: "Sometimes", Expiration: expire, Filter: &types.LifecycleRuleFilter{}}), "MalformedXML", http.StatusBadRequest)
	refused(t, put(types.LifecycleRule{Status: types.ExpirationStatusEnabled, Expiration: expire}), "MalformedXML", http.StatusBadRequest)
	refused(t, put(types.LifecycleRule{Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{}}), "InvalidRequest", http.StatusBadRequest)
	refused(t, put(rule, rule), "InvalidArgument", http.StatusBadRequest)
	_, err = w.other.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{Bucket: lake, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{rule}}})
	refused(t, err, "AccessDenied", http.StatusForbidden)
	_, err = w.owner.DeleteBucketLifecycle(t.Context(), &s3.DeleteBucketLifecycleInput{Bucket: lake})
	succeeded(t, err)
	_, err = w.owner.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: lake})
	refused(t, err, "NoSuchLifecycleConfiguration", http.StatusNotFound)
}
