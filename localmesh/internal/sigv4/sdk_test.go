package sigv4_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
)

const (
	testKey    = "ASIAEXAMPLE"
	testSecret = "test-secret"
	testToken  = "test/token+with=signs"
)

// check verifies a request as a server does, and returns the payload.
func check(r *http.Request, now time.Time) ([]byte, *sigv4.Credential, error) {
	c, err := sigv4.Parse(r)
	if err != nil {
		return nil, nil, err
	}
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, nil, err
		}
	}
	if err := sigv4.Verify(r, c, testSecret, body, now); err != nil {
		return nil, nil, err
	}
	if sigv4.Streaming(r) {
		body, _, err = sigv4.DecodeChunked(r, c, testSecret, body)
	}
	return body, c, err
}

// A recorder answers every request with an empty success, once it is verified.
type recorder struct {
	t     *testing.T
	calls int
	// streams counts the bodies that came in chunks.
	streams int
	last    *sigv4.Credential
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec.calls++
	_, c, err := check(r, time.Now())
	if err != nil {
		rec.t.Errorf("%s %s: %v\n%v", r.Method, r.URL, err, r.Header)
	}
	if sigv4.Streaming(r) {
		rec.streams++
	}
	rec.last = c
	w.WriteHeader(http.StatusOK)
}

// Do answers in process: the request is the client's own, not a server's.
func (rec *recorder) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	rec.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// callEveryService makes calls of all kinds. Answers are empty, so some calls
// fail to read theirs; that the server verified them is what counts.
func callEveryService(ctx context.Context, cfg aws.Config) int {
	str := aws.String
	s3Client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	calls := []func() error{
		func() error {
			_, err := glue.NewFromConfig(cfg).GetTable(ctx, &glue.GetTableInput{Name: str("t"), DatabaseName: str("d")})
			return err
		},
		func() error {
			_, err := lakeformation.NewFromConfig(cfg).GetDataLakeSettings(ctx, nil)
			return err
		},
		func() error {
			_, err := ram.NewFromConfig(cfg).DeleteResourceShare(ctx, &ram.DeleteResourceShareInput{
				ResourceShareArn: str("arn:aws:ram:eu-west-1:111122223333:resource-share/a b+c"), ClientToken: str("x/y=z&é"),
			})
			return err
		},
		func() error {
			_, err := ram.NewFromConfig(cfg).GetResourceShareInvitations(ctx, nil)
			return err
		},
		func() error {
			_, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
			return err
		},
		func() error {
			_, err := iam.NewFromConfig(cfg).ListRoles(ctx, &iam.ListRolesInput{PathPrefix: str("/a b/")})
			return err
		},
		func() error {
			_, err := dynamodb.NewFromConfig(cfg).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: str("t")})
			return err
		},
		func() error {
			_, err := s3Client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: str("bkt")})
			return err
		},
		func() error {
			_, err := s3Client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: str("bkt"), Policy: str(`{"Version":"2012-10-17"}`)})
			return err
		},
		func() error {
			_, err := s3Client.GetObject(ctx, &s3.GetObjectInput{Bucket: str("bkt"), Key: str("a b/c+d/../é=f//g")})
			return err
		},
		func() error {
			_, err := s3Client.PutObject(ctx, &s3.PutObjectInput{
				Bucket: str("bkt"), Key: str("k"), Body: strings.NewReader("hello"), Metadata: map[string]string{"note": "  two   spaces "},
			})
			return err
		},
		func() error {
			_, err := s3Client.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bkt"), Key: str("empty"), Body: bytes.NewReader(nil)})
			return err
		},
		func() error {
			_, err := s3Client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: str("bkt"), Prefix: str("a/b-c d"), Delimiter: str("/")})
			return err
		},
	}
	for _, call := range calls {
		_ = call() // the answer is empty
	}
	return len(calls)
}

func sdkConfig() aws.Config {
	return aws.Config{
		Region:           "eu-west-1",
		Credentials:      credentials.NewStaticCredentialsProvider(testKey, testSecret, testToken),
		RetryMaxAttempts: 1,
		// What config.LoadDefaultConfig sets.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
	}
}

func TestClientsInProcess(t *testing.T) {
	t.Parallel()
	rec := &recorder{t: t}
	cfg := sdkConfig()
	cfg.HTTPClient = rec
	if want := callEveryService(t.Context(), cfg); rec.calls != want {
		t.Errorf("verified %d calls, want %d", rec.calls, want)
	}
	if rec.last.AccessKeyID != testKey || rec.last.SecurityToken != testToken || rec.last.Region != "eu-west-1" || rec.last.Service != "s3" {
		t.Errorf("credential = %v", rec.last)
	}
}

func TestClientsOverHTTP(t *testing.T) {
	t.Parallel()
	rec := &recorder{t: t}
	srv := httptest.NewServer(rec)
	defer srv.Close()
	cfg := sdkConfig()
	cfg.HTTPClient = srv.Client()
	cfg.BaseEndpoint = aws.String(srv.URL)
	if want := callEveryService(t.Context(), cfg); rec.calls != want {
		t.Errorf("verified %d calls, want %d", rec.calls, want)
	}
}

func TestClientsOverTLS(t *testing.T) {
	t.Parallel()
	rec := &recorder{t: t} // S3 leaves bodies unsigned over TLS and sends checksums in trailers
	srv := httptest.NewTLSServer(rec)
	defer srv.Close()
	cfg := sdkConfig()
	cfg.HTTPClient = srv.Client()
	cfg.BaseEndpoint = aws.String(srv.URL)
	if want := callEveryService(t.Context(), cfg); rec.calls != want {
		t.Errorf("verified %d calls, want %d", rec.calls, want)
	}
	if rec.streams == 0 {
		t.Error("no body came in chunks")
	}
}

func TestPresigned(t *testing.T) {
	t.Parallel()
	ctx, cfg := t.Context(), sdkConfig()
	get, err := s3.NewPresignClient(s3.NewFromConfig(cfg)).PresignGetObject(ctx,
		&s3.GetObjectInput{Bucket: aws.String("bkt"), Key: aws.String("a b/c")}, s3.WithPresignExpires(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	identity, err := sts.NewPresignClient(sts.NewFromConfig(cfg)).PresignGetCallerIdentity(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, method, url string
		header            http.Header
		expires           time.Duration
	}{
		{"s3", get.Method, get.URL, get.SignedHeader, time.Hour},
		{"sts", identity.Method, identity.URL, identity.SignedHeader, 15 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			build := func(url string) *http.Request {
				r := request(t, tt.method, url, nil)
				for k, v := range tt.header {
					if k != "Host" {
						r.Header[k] = v
					}
				}
				return r
			}
			now := time.Now()
			_, c, err := check(build(tt.url), now)
			if err != nil {
				t.Fatalf("check: %v", err)
			}
			if !c.Presigned || c.Expires != tt.expires || c.SecurityToken != testToken {
				t.Errorf("presigned=%v expires=%v token=%q", c.Presigned, c.Expires, c.SecurityToken)
			}
			var expired *sigv4.ExpiredError
			if _, _, err := check(build(tt.url), now.Add(tt.expires+time.Minute)); !errors.As(err, &expired) {
				t.Errorf("after it expired: %v", err)
			}
			var skew *sigv4.SkewError
			if _, _, err := check(build(tt.url), now.Add(-time.Hour)); !errors.As(err, &skew) {
				t.Errorf("before it was signed: %v", err)
			}
			for name, url := range map[string]string{
				"a parameter more": tt.url + "&x=y",
				"another time":     strings.Replace(tt.url, "X-Amz-Date=20", "X-Amz-Date=21", 1),
				"another region":   strings.ReplaceAll(tt.url, "eu-west-1%2F", "eu-west-2%2F"),
				"another token":    strings.Replace(tt.url, "X-Amz-Security-Token=t", "X-Amz-Security-Token=u", 1),
				"token twice":      tt.url + "&X-Amz-Security-Token=other",
				"signature twice":  tt.url + "&X-Amz-Signature=" + strings.Repeat("0", 64),
				"expiry":           tt.url + "&X-Amz-Expires=604800",
			} {
				if _, _, err := check(build(url), now); err == nil {
					t.Errorf("%s: accepted", name)
				}
			}
			extra := build(tt.url)
			extra.Header.Set("X-Amz-Acl", "public-read")
			var unsigned *sigv4.UnsignedHeaderError
			if _, _, err := check(extra, now); !errors.As(err, &unsigned) {
				t.Errorf("an X-Amz- header more: %v", err)
			}
		})
	}
}

// signed returns a request that the SDK's signer signed.
func signed(t testing.TB, service, method, target, body string, header http.Header, at time.Time) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header[k] = v
	}
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	err = v4.NewSigner().SignHTTP(context.Background(),
		aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret, SessionToken: testToken},
		r, hash, service, "eu-west-1", at, func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTampering(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		change func(r *http.Request)
		want   error // nil for any
	}{
		{"method", func(r *http.Request) { r.Method = http.MethodPut }, sigv4.ErrMismatch},
		{"path", func(r *http.Request) { r.URL.Path = "/Other" }, sigv4.ErrMismatch},
		{"query", func(r *http.Request) { r.URL.RawQuery = "a=2" }, sigv4.ErrMismatch},
		{"query more", func(r *http.Request) { r.URL.RawQuery += "&b=1" }, sigv4.ErrMismatch},
		{"host", func(r *http.Request) { r.Host = "elsewhere" }, sigv4.ErrMismatch},
		{"header", func(r *http.Request) { r.Header.Set("X-Amz-Target", "AWSGlue.DeleteTable") }, sigv4.ErrMismatch},
		{"header twice", func(r *http.Request) { r.Header.Add("X-Amz-Target", "AWSGlue.DeleteTable") }, sigv4.ErrMismatch},
		{"header gone", func(r *http.Request) { r.Header.Del("X-Amz-Target") }, sigv4.ErrMismatch},
		{"token", func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") }, sigv4.ErrMismatch},
		{"token gone", func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }, sigv4.ErrMismatch},
		{"time", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260301T120001Z") }, sigv4.ErrMismatch},
		{"day", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260302T120000Z") }, nil},
		{"no time", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, nil},
		{"an X-Amz- header more", func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public-read") }, nil},
		{"region", replaceAuth("eu-west-1", "eu-west-2"), sigv4.ErrMismatch},
		{"service", replaceAuth("/glue/", "/sts/"), sigv4.ErrMismatch},
		{"scope date", replaceAuth("/20260301/", "/20260302/"), nil},
		{"signed headers", replaceAuth("host;", ""), nil},
		{"signed headers' order", replaceAuth("host;x-amz-date", "x-amz-date;host"), nil},
		{"algorithm", replaceAuth("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA512 "), nil},
		{"signature", func(r *http.Request) {
			auth := r.Header.Get("Authorization")
			r.Header.Set("Authorization", auth[:len(auth)-64]+strings.Repeat("0", 64))
		}, sigv4.ErrMismatch},
		{"signature cut", func(r *http.Request) {
			auth := r.Header.Get("Authorization")
			r.Header.Set("Authorization", auth[:len(auth)-1])
		}, nil},
		{"no authorization", func(r *http.Request) { r.Header.Del("Authorization") }, sigv4.ErrMissing},
		{"two authorizations", func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, nil},
		{"both forms", func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Signature=a" }, nil},
		{"body", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"A":2}`)) }, sigv4.ErrMismatch},
		{"body unsigned by other than S3", func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }, nil},
	}
	header := http.Header{"X-Amz-Target": {"AWSGlue.GetTable"}}
	build := func(t *testing.T) *http.Request {
		return signed(t, "glue", http.MethodPost, "https://glue.eu-west-1.amazonaws.com/Op?a=1", `{"A":1}`, header, at)
	}
	if _, _, err := check(build(t), at); err != nil {
		t.Fatalf("untouched: %v", err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := build(t)
			tt.change(r)
			_, _, err := check(r, at)
			if err == nil {
				t.Fatal("accepted")
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
			for _, secret := range []string{testSecret, testToken} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("error %q tells a secret", err)
				}
			}
		})
	}
}

func replaceAuth(from, to string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
	}
}

func TestS3Body(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := signed(t, "s3", http.MethodPut, "https://bkt.s3.amazonaws.com/k", "body", nil, at)
	r.Body = io.NopCloser(strings.NewReader("other"))
	if _, _, err := check(r, at); !errors.Is(err, sigv4.ErrPayloadHash) {
		t.Errorf("another body: %v", err)
	}
	r = signed(t, "s3", http.MethodPut, "https://bkt.s3.amazonaws.com/k", "body", nil, at)
	r.Header.Del("X-Amz-Content-Sha256")
	var malformed *sigv4.MalformedError
	if _, _, err := check(r, at); !errors.As(err, &malformed) {
		t.Errorf("no hash: %v", err)
	}
}

func TestSkew(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for service, allowed := range map[string]time.Duration{"glue": 5 * time.Minute, "s3": 15 * time.Minute} {
		for _, sign := range []time.Duration{-1, 1} {
			for off, ok := range map[time.Duration]bool{allowed: true, allowed + time.Second: false} {
				r := signed(t, service, http.MethodPost, "https://example.com/", "", nil, at)
				_, _, err := check(r, at.Add(sign*off))
				var skew *sigv4.SkewError
				if ok && err != nil || !ok && !errors.As(err, &skew) {
					t.Errorf("%s off by %v: %v", service, sign*off, err)
				}
				if words := map[time.Duration]string{1: "Signature expired", -1: "Signature not yet current"}[sign]; !ok && !strings.HasPrefix(err.Error(), words) {
					t.Errorf("%s off by %v: %v, want %s", service, sign*off, err, words)
				}
			}
		}
	}
}

func TestCredentialDoesNotPrintSecrets(t *testing.T) {
	t.Parallel()
	r := signed(t, "glue", http.MethodPost, "https://example.com/", "", nil, time.Now())
	c, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{c, *c} {
			s := fmt.Sprintf(format, v)
			if strings.Contains(s, testToken) || strings.Contains(s, c.Signature) {
				t.Errorf("%s of %T prints %s", format, v, s)
			}
		}
	}
}

// TestAnySignedRequest checks that whatever the SDK's signer signs is accepted,
// both as the client's request and as it arrives at a server.
func TestAnySignedRequest(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		service := rapid.SampledFrom([]string{"glue", "s3", "ram"}).Draw(rt, "service")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abz AZ09-_.~/+=&?%:é世\"'*()!$,;@#")), 0, 12, -1)
		target := "https://example.com/"
		if service == "s3" { // all others have fixed paths
			for segment := range strings.SplitSeq(text.Draw(rt, "path"), "/") {
				target += escapePath(segment) + "/"
			}
		}
		for i, p := range rapid.SliceOfN(text, 0, 4).Draw(rt, "query") {
			target += map[bool]string{true: "?", false: "&"}[i == 0] + escapePath(p) + "=" + escapePath(p)
		}
		header := http.Header{}
		for _, v := range rapid.SliceOfN(rapid.StringMatching(`[ -~]{0,20}`), 0, 3).Draw(rt, "values") {
			header.Add("X-Amz-Meta-Note", v)
		}
		body := rapid.String().Draw(rt, "body")
		r := signed(t, service, http.MethodPut, target, body, header, at)
		if _, _, err := check(r.Clone(t.Context()), at); err != nil && !errors.Is(err, io.EOF) {
			rt.Fatalf("%s: %v", target, err)
		}
	})
}

func escapePath(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if slices.Contains([]byte("abzAZ09-_.~"), c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=A/20260301/r/s3/aws4_request,SignedHeaders=host,Signature="+strings.Repeat("0", 64), "", "20260301T000000Z")
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20260301%2Fr%2Fs3%2Faws4_request&X-Amz-Date=20260301T000000Z"+
		"&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature="+strings.Repeat("0", 64), "")
	f.Add("AWS4-HMAC-SHA256", "a=%zz", "x")
	f.Fuzz(func(t *testing.T, authorization, query, date string) {
		r := request(t, http.MethodGet, "https://example.com/", map[string]string{"X-Amz-Date": date})
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		r.URL.RawQuery = query
		c, err := sigv4.Parse(r)
		if err != nil {
			return
		}
		if c.AccessKeyID == "" || len(c.Signature) != 64 || len(c.SignedHeaders) == 0 || c.Time.IsZero() {
			t.Errorf("an incomplete credential: %v", c)
		}
		if err := sigv4.Verify(r, c, "secret", nil, c.Time); err == nil {
			t.Errorf("accepted %q %q", authorization, query)
		}
	})
}

func FuzzDecodeChunked(f *testing.F) {
	f.Add("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", 5)
	f.Add("0\r\n\r\n", 0)
	f.Fuzz(func(t *testing.T, body string, length int) {
		r := request(t, http.MethodPut, "https://example.com/", map[string]string{
			"X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length": fmt.Sprint(length),
		})
		payload, _, err := sigv4.DecodeChunked(r, &sigv4.Credential{}, "", []byte(body))
		if err == nil && len(payload) != length {
			t.Errorf("%d bytes, want %d", len(payload), length)
		}
		r.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
		if _, _, err := sigv4.DecodeChunked(r, &sigv4.Credential{}, "secret", []byte(body)); err == nil {
			t.Error("accepted without signatures")
		}
	})
}
