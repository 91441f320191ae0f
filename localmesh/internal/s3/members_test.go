package s3_test

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel/sample"
	lms3 "github.com/lakemesh/lakemesh/localmesh/internal/s3"
)

// call makes a call of the SDK by its name.
func call(t *testing.T, c *s3.Client, operation string, in reflect.Value) error {
	t.Helper()
	out := reflect.ValueOf(c).MethodByName(operation).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
	err, _ := out[1].Interface().(error)
	return err
}

// unsent tells whether the client refused a call by itself.
func unsent(err error) bool {
	var response *awshttp.ResponseError
	return err != nil && !errors.As(err, &response)
}

// required are the members without which the client does not send.
func required(t *testing.T, c *s3.Client, operation string, in reflect.Type) []string {
	t.Helper()
	var names []string
	for i := range in.NumField() {
		without := sample.Filled(in)
		if !in.Field(i).IsExported() {
			continue
		}
		without.Elem().Field(i).SetZero()
		if unsent(call(t, c, operation, without)) {
			names = append(names, in.Field(i).Name)
		}
	}
	return names
}

// Every operation of S3's model is answered, or is 501 and names itself; every member of
// every operation that is answered is honoured, or 501.
func TestEveryOperationWithEveryMember(t *testing.T) {
	w := newWorld(t)
	for _, bucket := range []string{"bucket", "other"} {
		_, err := w.owner.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket})
		succeeded(t, err)
	}
	cfg := w.Config(admin(owner))
	cfg.RetryMaxAttempts = 1
	c := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = true
		o.DisableS3ExpressSessionAuth = aws.Bool(true)
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	})
	offered, honoured := lms3.Offered(), lms3.Honoured
	inputs := sample.Operations(sample.Clients()["s3"])
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		in := inputs[name]
		if name == "WriteGetObjectResponse" || name == "ListDirectoryBuckets" {
			continue // They are sent to other hosts, signed for other services.
		}
		must := required(t, c, name, in)
		if !offered[name] {
			if err := call(t, c, name, sample.With(in, must...)); !isNotImplemented(err) || !strings.Contains(err.Error(), name) && !strings.Contains(err.Error(), "501") {
				t.Errorf("%s: %v, want NotImplemented", name, err)
			}
			continue
		}
		// What an operation must have is honoured by its being there.
		if err := call(t, c, name, sample.With(in, must...)); isNotImplemented(err) && !strings.Contains(err.Error(), "An element") {
			t.Errorf("%s with what it needs: %v", name, err)
		}
		taken := strings.Fields(honoured[name] + " " + lms3.Common)
		for i := range in.NumField() {
			f := in.Field(i)
			if !f.IsExported() || slices.Contains(must, f.Name) || slices.Contains(taken, f.Name) {
				continue
			}
			err := call(t, c, name, sample.With(in, append(slices.Clone(must), f.Name)...))
			if !isNotImplemented(err) {
				t.Errorf("%s with %s: %v, want NotImplemented", name, f.Name, err)
			}
		}
	}
}

func isNotImplemented(err error) bool {
	var api smithy.APIError
	var response *awshttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusNotImplemented &&
		// An answer to HEAD has no body.
		errors.As(err, &api) && (api.ErrorCode() == "NotImplemented" || api.ErrorCode() == "UnknownError")
}

// What was a danger: a bucket, an object and its content outlive all that is not known.
func TestWhatIsNotKnownChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	lake, k := aws.String("lake"), aws.String("k")
	for name, do := range map[string]func() error{
		"DeleteBucketMetadataConfiguration": func() error {
			_, err := w.owner.DeleteBucketMetadataConfiguration(t.Context(), &s3.DeleteBucketMetadataConfigurationInput{Bucket: lake})
			return err
		},
		"UpdateObjectEncryption": func() error {
			_, err := w.owner.UpdateObjectEncryption(t.Context(), &s3.UpdateObjectEncryptionInput{Bucket: lake, Key: k,
				ObjectEncryption: &types.ObjectEncryptionMemberSSEKMS{Value: types.SSEKMSEncryption{KMSKeyArn: aws.String("arn:aws:kms:us-east-1:111111111111:key/k")}}})
			return err
		},
		"RestoreObject": func() error {
			_, err := w.owner.RestoreObject(t.Context(), &s3.RestoreObjectInput{Bucket: lake, Key: k})
			return err
		},
		"PutBucketAbac": func() error {
			_, err := w.owner.PutBucketAbac(t.Context(), &s3.PutBucketAbacInput{Bucket: lake, AbacStatus: &types.AbacStatus{Status: types.BucketAbacStatusEnabled}})
			return err
		},
		"PutBucketWebsite": func() error {
			_, err := w.owner.PutBucketWebsite(t.Context(), &s3.PutBucketWebsiteInput{Bucket: lake,
				WebsiteConfiguration: &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: aws.String("i")}}})
			return err
		},
	} {
		if err := do(); !isNotImplemented(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, request := range []string{"DELETE /lake?somethingNew", "DELETE /lake/k?somethingNew", "PUT /lake/k?renameObject", "PUT /lake/k?encryption", "POST /lake?metadataTable",
		"DELETE /lake?metadataTable", "PUT /lake/k?partNumber=1", "PUT /lake/k?versions", "DELETE /lake/k?policy", "DELETE /lake?policy&acl", "PUT /lake/k?x-amz-write-offset-bytes=3",
		"DELETE /lake/k?retention", "PUT /lake/k?annotation&annotationName=a"} {
		method, path, _ := strings.Cut(request, " ")
		if status, text := send(t, w.Mesh, method, path, "<x/>"); status != http.StatusNotImplemented {
			t.Errorf("%s: %d %s", request, status, text)
		}
	}
	if got, err := w.get(w.owner, "k"); err != nil || got != "rows" {
		t.Errorf("the object is %q, %v", got, err)
	}
}

// Elements in a body are honoured or refused, in what the mesh does not do and in what
// nobody knows.
func TestElementsThatAreNotHonoured(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	for _, tt := range []struct{ request, body, code string }{
		{"POST /lake?delete", `<Delete><Object><Key>k</Key><Size>9</Size></Object></Delete>`, "NotImplemented"},
		{"POST /lake?delete", `<Delete><Object><Key>k</Key><LastModifiedTime>x</LastModifiedTime></Object></Delete>`, "NotImplemented"},
		{"POST /lake?delete", `<Delete><Object><Key>k</Key><Colour>9</Colour></Object></Delete>`, "MalformedXML"},
		{"PUT /new", `<CreateBucketConfiguration><Location><Name>a</Name></Location></CreateBucketConfiguration>`, "NotImplemented"},
		{"PUT /new", `<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>`, "NotImplemented"},
		{"PUT /lake?notification", `<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>`, "NotImplemented"},
		{"PUT /lake?logging", `<BucketLoggingStatus><LoggingEnabled/></BucketLoggingStatus>`, "NotImplemented"},
		{"PUT /lake?versioning", `<VersioningConfiguration><Status>Sometimes</Status></VersioningConfiguration>`, "MalformedXML"},
		{"PUT /lake?versioning", `<VersioningConfiguration><Status>Suspended</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>`, "NotImplemented"},
		{"PUT /lake?versioning", `<VersioningConfiguration/>`, "IllegalVersioningConfigurationException"},
		{"PUT /lake?requestPayment", `<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>`, "NotImplemented"},
		{"PUT /lake?accelerate", `<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>`, "NotImplemented"},
		{"PUT /lake?ownershipControls", `<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`, "NotImplemented"},
		{"PUT /lake?encryption", `<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>`, "NotImplemented"},
		{"PUT /lake?cors", `<CORSConfiguration/>`, "NotImplemented"},
	} {
		method, path, _ := strings.Cut(tt.request, " ")
		if status, text := send(t, w.Mesh, method, path, tt.body); !strings.Contains(text, "<Code>"+tt.code+"</Code>") {
			t.Errorf("%s with %s: %d %s, want %s", tt.request, tt.body, status, text, tt.code)
		}
	}
	if got, err := w.get(w.owner, "k"); err != nil || got != "rows" {
		t.Errorf("the object is %q, %v", got, err)
	}
}

// Headers that no operation of the model has are refused; those that belong to every
// request are not.
func TestHeadersOfNoOperation(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	get := func(name, value string) error {
		_, err := w.owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("lake"), Key: aws.String("k")}, header(name, value))
		return err
	}
	put := func(name, value string) error {
		_, err := w.owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("new"), Body: strings.NewReader("x")}, header(name, value))
		return err
	}
	for _, name := range []string{"X-Amz-Something-New", "X-Amz-Fetch-Owner", "X-Amz-Copy-Source-If-Match", "X-Amz-Server-Side-Encryption-Customer-Algorithm"} {
		if err := get(name, "v"); !isNotImplemented(err) {
			t.Errorf("read with %s: %v", name, err)
		}
		if err := put(name, "v"); !isNotImplemented(err) {
			t.Errorf("write with %s: %v", name, err)
		}
	}
	for _, name := range []string{"If-Unmodified-Since", "If-Modified-Since", "Content-Range"} {
		if err := put(name, "Fri, 01 Jan 2100 00:00:00 GMT"); !isNotImplemented(err) {
			t.Errorf("write with %s: %v", name, err)
		}
	}
	for _, name := range []string{"X-Amz-User-Agent", "X-Amz-Api-Version", "X-Request-Id", "Cookie", "X-Forwarded-For"} {
		succeeded(t, get(name, "v"))
	}
}
