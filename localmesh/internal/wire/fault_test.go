package wire_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// as is errors.As in the form of a test's check.
func as[E error](err error) (bool, error) {
	e, ok := errors.AsType[E](err)
	return ok, e
}

// TestFaultsAreTyped checks that each client takes a fault for its own typed error.
func TestFaultsAreTyped(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	str := aws.String
	tests := []struct {
		name     string
		protocol wire.Protocol
		code     string
		status   int
		fields   map[string]any
		call     func(aws.Config) error
		as       func(error) (bool, error)
	}{
		{
			"glue", wire.AWSJSON11, "EntityNotFoundException", 400, nil,
			func(c aws.Config) error {
				_, err := glue.NewFromConfig(c).GetTable(ctx, &glue.GetTableInput{Name: str("t"), DatabaseName: str("d")})
				return err
			}, as[*gluetypes.EntityNotFoundException],
		},
		{
			"glue, of the receiver", wire.AWSJSON11, "InternalServiceException", 500, nil,
			func(c aws.Config) error {
				_, err := glue.NewFromConfig(c).GetDatabases(ctx, nil)
				return err
			}, as[*gluetypes.InternalServiceException],
		},
		{
			"lakeformation", wire.RestJSON, "EntityNotFoundException", 400, nil,
			func(c aws.Config) error {
				_, err := lakeformation.NewFromConfig(c).GetDataLakeSettings(ctx, nil)
				return err
			}, as[*lftypes.EntityNotFoundException],
		},
		{
			"ram", wire.RestJSON, "UnknownResourceException", 400, nil,
			func(c aws.Config) error {
				_, err := ram.NewFromConfig(c).DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{ResourceShareArn: str("a")})
				return err
			}, as[*ramtypes.UnknownResourceException],
		},
		{
			"sts", wire.Query, "PackedPolicyTooLarge", 400, nil,
			func(c aws.Config) error {
				_, err := sts.NewFromConfig(c).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: str("r"), RoleSessionName: str("s")})
				return err
			}, as[*ststypes.PackedPolicyTooLargeException],
		},
		{
			"iam", wire.Query, "NoSuchEntity", 404, nil,
			func(c aws.Config) error {
				_, err := iam.NewFromConfig(c).GetRole(ctx, &iam.GetRoleInput{RoleName: str("r")})
				return err
			}, as[*iamtypes.NoSuchEntityException],
		},
		{
			"dynamodb", wire.AWSJSON10, "ConditionalCheckFailedException", 400,
			map[string]any{"Item": map[string]any{"k": map[string]string{"S": "v"}}},
			func(c aws.Config) error {
				_, err := dynamodb.NewFromConfig(c).DeleteItem(ctx, &dynamodb.DeleteItemInput{
					TableName: str("t"), Key: map[string]ddbtypes.AttributeValue{"k": &ddbtypes.AttributeValueMemberS{Value: "v"}},
				})
				if e, ok := errors.AsType[*ddbtypes.ConditionalCheckFailedException](err); ok && e.Item["k"] == nil {
					return errors.New("the item is missing")
				}
				return err
			}, as[*ddbtypes.ConditionalCheckFailedException],
		},
		{
			"dynamodb transaction", wire.AWSJSON10, "TransactionCanceledException", 400,
			map[string]any{"CancellationReasons": []map[string]string{{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "m"}}},
			func(c aws.Config) error {
				_, err := dynamodb.NewFromConfig(c).TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []ddbtypes.TransactGetItem{}})
				if e, ok := errors.AsType[*ddbtypes.TransactionCanceledException](err); ok &&
					(len(e.CancellationReasons) != 2 || aws.ToString(e.CancellationReasons[1].Code) != "ConditionalCheckFailed") {
					return errors.New("the reasons are wrong")
				}
				return err
			}, as[*ddbtypes.TransactionCanceledException],
		},
		{
			"s3", wire.RestXML, "NoSuchBucket", 404, map[string]any{"BucketName": "bkt"},
			func(c aws.Config) error {
				_, err := s3.NewFromConfig(c).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: str("bkt")})
				return err
			}, as[*s3types.NoSuchBucket],
		},
		{
			"s3, untyped", wire.RestXML, "NoSuchBucketPolicy", 404, nil,
			func(c aws.Config) error {
				_, err := s3.NewFromConfig(c).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: str("bkt")})
				return err
			}, as[*smithy.GenericAPIError],
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const message = `no "such" <thing> & more é`
			var logged []string
			cfg := config(func(w http.ResponseWriter, _ *http.Request) {
				f := &wire.Fault{Code: tt.code, Message: message, Status: tt.status, Fields: tt.fields, RequestID: "id-1"}
				if err := wire.WriteFault(w, tt.protocol, f); err != nil {
					t.Errorf("WriteFault: %v", err)
				}
			})
			cfg.Logger = logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) {
				logged = append(logged, fmt.Sprintf(format, v...))
			})
			err := tt.call(cfg)
			ok, typed := tt.as(err)
			if !ok {
				t.Fatalf("error = %T %v", err, err)
			}
			api, ok := errors.AsType[smithy.APIError](typed)
			if !ok || strings.TrimSuffix(api.ErrorCode(), "Exception") != strings.TrimSuffix(tt.code, "Exception") || api.ErrorMessage() != message {
				t.Errorf("error = %v", typed)
			}
			resp, ok := errors.AsType[*awshttp.ResponseError](err)
			if !ok || resp.HTTPStatusCode() != tt.status || resp.ServiceRequestID() != "id-1" {
				t.Errorf("response error = %v", err)
			}
			if len(logged) > 0 {
				t.Errorf("the client complains: %q", logged)
			}
		})
	}
}

func TestWriteResultDynamoDB(t *testing.T) {
	t.Parallel()
	body := []byte(`{"TableNames":["a"]}`)
	var header http.Header
	cfg := config(func(w http.ResponseWriter, _ *http.Request) {
		if err := wire.WriteResult(w, wire.AWSJSON10, "id-1", body); err != nil {
			t.Errorf("WriteResult: %v", err)
		}
		header = w.Header()
	})
	cfg.Logger = logging.LoggerFunc(func(_ logging.Classification, format string, v ...any) {
		t.Errorf("the client complains: "+format, v...)
	})
	out, err := dynamodb.NewFromConfig(cfg).ListTables(t.Context(), nil)
	if err != nil || len(out.TableNames) != 1 {
		t.Fatalf("ListTables = %v, %v", out, err)
	}
	if got, want := header.Get("X-Amz-Crc32"), strconv.Itoa(int(crc32.ChecksumIEEE(body))); got != want {
		t.Errorf("X-Amz-Crc32 = %s, want %s", got, want)
	}
	if got := header.Get("Content-Type"); got != "application/x-amz-json-1.0" {
		t.Errorf("Content-Type = %s", got)
	}
}

func TestFaultOf(t *testing.T) {
	t.Parallel()
	own := &wire.Fault{Code: "ThrottlingException", Message: "slow down"}
	tests := []struct {
		err    error
		code   string
		status int
	}{
		{own, "ThrottlingException", 0},
		{fmt.Errorf("get table: %w", own), "ThrottlingException", 0},
		{fmt.Errorf("decode: %w", &wire.SerializationError{Member: "A.B", Problem: "p"}), "SerializationException", 400},
		{&wire.TooLargeError{Limit: 1}, "RequestEntityTooLargeException", 413},
		{&wire.UnknownOperationError{Protocol: wire.Query, Operation: "X"}, "InvalidAction", 400},
		{&wire.UnknownOperationError{Protocol: wire.AWSJSON11}, "UnknownOperationException", 400},
		{&wire.UnknownOperationError{Protocol: wire.RestJSON}, "UnknownOperationException", 404},
		{errors.New("other"), "", 0},
	}
	for _, tt := range tests {
		f, ok := wire.FaultOf(tt.err)
		if ok != (tt.code != "") || ok && (f.Code != tt.code || f.Status != tt.status) {
			t.Errorf("FaultOf(%v) = %v, %v", tt.err, f, ok)
		}
	}
}
