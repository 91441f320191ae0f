package localmesh

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// inhabited is a mesh on which there is something of each kind.
func inhabited(t testing.TB) (*Mesh, aws.Credentials) {
	t.Helper()
	m := Run(t)
	ctx := context.Background()
	cfg := m.Config("arn:aws:iam::111111111111:root")
	keys, err := cfg.Credentials.Retrieve(ctx)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(err)
	_, err = iam.NewFromConfig(cfg).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}`)})
	check(err)
	catalog := glue.NewFromConfig(cfg)
	_, err = catalog.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String("d")}})
	check(err)
	_, err = catalog.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: aws.String("d"), TableInput: &gluetypes.TableInput{Name: aws.String("t"),
		PartitionKeys: []gluetypes.Column{{Name: aws.String("p"), Type: aws.String("int")}}}})
	check(err)
	store := s3.NewFromConfig(cfg)
	_, err = store.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bkt")})
	check(err)
	_, err = store.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"), Body: strings.NewReader("rows")})
	check(err)
	_, err = dynamodb.NewFromConfig(cfg).CreateTable(ctx, &dynamodb.CreateTableInput{TableName: aws.String("tbl"), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("k"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: ddbtypes.KeyTypeHash}}})
	check(err)
	return m, keys
}

// FuzzRequest sends arbitrary requests, signed well or not at all: whatever comes is
// answered as AWS would, and nothing breaks.
func FuzzRequest(f *testing.F) {
	template, keys := inhabited(f)
	for _, s := range template.engine.Services() {
		for _, op := range s.Operations {
			switch s.Protocol {
			case wire.AWSJSON10, wire.AWSJSON11:
				prefix := map[string]string{"glue": "AWSGlue.", "dynamodb": "DynamoDB_20120810.", "kms": "TrentService.", "sqs": "AmazonSQS."}[s.Name]
				f.Add(s.Name, http.MethodPost, "/", prefix+op.Name, []byte(`{"DatabaseName":"d","TableName":"tbl","Name":"t","Key":{"k":{"S":"v"}},"Item":{"k":{"S":"v"}},"Expression":"p > 1","PartitionValues":["1"]}`), true)
			case wire.RestJSON:
				if s.Name == "scheduler" {
					continue
				}
				path, method := "/"+op.Name, http.MethodPost
				if s.Name == "ram" {
					path = strings.ToLower(path)
					if strings.HasPrefix(path, "/delete") {
						method, path = http.MethodDelete, path+"?resourceShareArn=arn&clientToken=x"
					}
				}
				f.Add(s.Name, method, path, "", []byte(`{"Principal":{"DataLakePrincipalIdentifier":"111111111111"},"Resource":{"Table":{"DatabaseName":"d","Name":"t"}},"Permissions":["SELECT"],"resourceOwner":"SELF","name":"x"}`), true)
			case wire.Query:
				f.Add(s.Name, http.MethodPost, "/", "", []byte("Action="+op.Name+"&RoleName=r&PolicyName=p&PolicyDocument={}&RoleArn=arn:aws:iam::111111111111:role/r&RoleSessionName=s&Tags.member.1.Key=k"), true)
			case wire.RestXML:
			}
		}
	}
	for _, path := range []string{"/", "/bkt", "/bkt?policy", "/bkt?tagging", "/bkt?list-type=2&prefix=k&max-keys=1", "/bkt/k", "/bkt/k?uploads", "/bkt/k?uploadId=1&partNumber=1", "/bkt?delete", "/bkt/k?tagging", "/bkt?versioning"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodHead} {
			f.Add("s3", method, path, "", []byte("<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"), true)
		}
	}
	for _, path := range []string{"/schedules/s?groupName=g&clientToken=t", "/schedules?NamePrefix=s&MaxResults=1&State=ENABLED", "/schedule-groups/g", "/schedule-groups",
		"/tags/arn%3Aaws%3Ascheduler%3Aus-east-1%3A111111111111%3Aschedule-group%2Fdefault?TagKeys=k&TagKeys=l", "/schedules/a%2Fb"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete} {
			f.Add("scheduler", method, path, "", []byte(`{"ScheduleExpression":"at(2030-01-01T00:00:00)","FlexibleTimeWindow":{"Mode":"OFF"},"Tags":[{"Key":"k","Value":"v"}],"Target":{"Arn":"arn:aws:scheduler:::aws-sdk:glue:deleteTable","RoleArn":"arn:aws:iam::111111111111:role/r","Input":"{}"}}`), true)
		}
	}
	f.Add("", http.MethodGet, "/bkt/k", "", []byte(nil), false)
	f.Fuzz(func(t *testing.T, service, method, path, target string, body []byte, sign bool) {
		where, err := url.ParseRequestURI(path)
		if err != nil || !validToken(method) || len(body) > 1<<16 {
			t.Skip("not a request that an HTTP client can send, or a long one")
		}
		where.Scheme, where.Host = "http", "127.0.0.1"
		mesh, err := template.Clone()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = mesh.Close() }()
		r := (&http.Request{Method: method, URL: where, Host: "127.0.0.1", Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)),
			ContentLength: int64(len(body)), RequestURI: path, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(t.Context())
		if target != "" && !strings.ContainsAny(target, "\r\n\x00") {
			r.Header.Set("X-Amz-Target", target)
		}
		if service == "iam" || service == "sts" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if sign {
			sum := sha256.Sum256(body)
			hash := hex.EncodeToString(sum[:])
			if service == "s3" {
				r.Header.Set("X-Amz-Content-Sha256", hash)
			}
			signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
			if err := signer.SignHTTP(t.Context(), keys, r, hash, service, "us-east-1", time.Now()); err != nil {
				t.Skip("not a request that can be signed: ", err)
			}
		}
		w := httptest.NewRecorder()
		mesh.Handler().ServeHTTP(w, r)
		if problem := wrong(w); problem != "" {
			t.Errorf("%s: %s", problem, w.Body)
		}
	})
}

// wrong says what is wrong with an answer, if anything is.
func wrong(w *httptest.ResponseRecorder) string {
	text := w.Body.String()
	switch {
	case w.Code >= 500 && w.Code != http.StatusNotImplemented:
		return fmt.Sprintf("status %d", w.Code)
	case w.Code < 200:
		return fmt.Sprintf("status %d", w.Code)
	case strings.Contains(text, "the local mesh failed"):
		return "it panicked"
	case w.Code >= 400 && w.Header().Get("X-Amzn-Requestid") == "" && w.Header().Get("X-Amz-Request-Id") == "":
		return fmt.Sprintf("status %d without a request's id", w.Code)
	}
	return ""
}

// validToken tells whether a server would take this for a method.
func validToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune("()<>@,;:\\\"/[]?={}", c)
	})
}
