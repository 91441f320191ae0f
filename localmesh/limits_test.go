package localmesh_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/localmesh"
)

// signed makes a request that carries a good signature of the administrator.
func signed(t testing.TB, mesh *localmesh.Mesh, service, method, url string, body []byte, header map[string]string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	keys, err := mesh.Config(admin).Credentials.Retrieve(r.Context())
	if err != nil {
		t.Fatal(err)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	if err := signer.SignHTTP(r.Context(), keys, r, hash, service, "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

// answerTo is the status and the body of the answer to a request.
func answerTo(t testing.TB, client *http.Client, r *http.Request) (int, string) {
	t.Helper()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

const (
	form   = "application/x-www-form-urlencoded"
	json11 = "application/x-amz-json-1.1"
)

func TestARequestsSizesAreBounded(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	server := httptest.NewServer(mesh.Handler())
	t.Cleanup(server.Close)
	if err := func() error {
		_, err := s3.NewFromConfig(mesh.Config(admin)).CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String("big")})
		return err
	}(); err != nil {
		t.Fatal(err)
	}
	headers := func(n int) map[string]string {
		h := map[string]string{"Content-Type": form}
		for i := range n {
			h[fmt.Sprintf("X-Extra-%d", i)] = "x"
		}
		return h
	}
	identity := []byte("Action=GetCallerIdentity&Version=2011-06-15")
	glue := map[string]string{"Content-Type": json11, "X-Amz-Target": "AWSGlue.GetDatabases"}
	const mega = 1 << 20
	for name, test := range map[string]struct {
		service, method, path string
		body                  []byte
		header                map[string]string
		chunked               bool
		status                int
		says                  string
	}{
		"a form":                    {"sts", "POST", "/", identity, headers(0), false, 200, "GetCallerIdentityResponse"},
		"many headers":              {"sts", "POST", "/", identity, headers(100), false, 200, "GetCallerIdentityResponse"},
		"too many headers":          {"sts", "POST", "/", identity, headers(200), false, 431, "<Code>RequestHeaderSectionTooLarge</Code>"},
		"too many headers, of JSON": {"glue", "POST", "/", []byte("{}"), join(headers(200), glue), false, 431, `"__type":"RequestHeaderSectionTooLarge"`},
		"too long a form":           {"iam", "POST", "/", bytes.Repeat([]byte("a&"), mega), headers(0), false, 413, "<Code>RequestEntityTooLargeException</Code>"},
		"too long a form in chunks": {"iam", "POST", "/", bytes.Repeat([]byte("a&"), mega), headers(0), true, 413, "<Code>RequestEntityTooLargeException</Code>"},
		"long JSON":                 {"glue", "POST", "/", []byte(`{"x":"` + strings.Repeat("x", 15*mega) + `"}`), glue, false, 200, "DatabaseList"},
		"too long JSON":             {"glue", "POST", "/", []byte(`{"x":"` + strings.Repeat("x", 17*mega) + `"}`), glue, false, 413, "RequestEntityTooLargeException"},
		"too long JSON in chunks":   {"glue", "POST", "/", []byte(`{"x":"` + strings.Repeat("x", 17*mega) + `"}`), glue, true, 413, "RequestEntityTooLargeException"},
		"an object of JSON":         {"s3", "PUT", "/big/o.json", bytes.Repeat([]byte("x"), 20*mega), map[string]string{"Content-Type": "application/json"}, false, 200, ""},
		"too long an object":        {"s3", "PUT", "/big/o", bytes.Repeat([]byte("x"), 65*mega), nil, false, 413, "<Code>RequestEntityTooLargeException</Code>"},
		"deep JSON":                 {"glue", "POST", "/", []byte(`{"DatabaseInput":` + strings.Repeat(`{"a":`, mega)), glue, false, 400, "SerializationException"},
		"deep lists":                {"dynamodb", "POST", "/", bytes.Repeat([]byte("["), mega), map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem"}, false, 400, "SerializationException"},
		"a deep item":               {"dynamodb", "POST", "/", []byte(`{"TableName":"t","Item":{"k":` + strings.Repeat(`{"L":[`, mega/16)), map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem"}, false, 400, "Exception"},
		"a deep form":               {"iam", "POST", "/", []byte("Action=GetRole&Version=2010-05-08&" + strings.Repeat("a.", 400_000) + "=1"), headers(0), false, 400, "<Code>SerializationException</Code>"},
		"an XML bomb": {"s3", "PUT", "/big?tagging", []byte(`<?xml version="1.0"?><!DOCTYPE t [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><Tagging><TagSet><Tag><Key>&c;</Key><Value>&c;</Value></Tag></TagSet></Tagging>`),
			nil, false, 400, "<Code>MalformedXML</Code>"},
		"an XML file of others": {"s3", "PUT", "/big?tagging", []byte(`<!DOCTYPE t [<!ENTITY a SYSTEM "file:///etc/passwd">]><Tagging><TagSet><Tag><Key>&a;</Key><Value>v</Value></Tag></TagSet></Tagging>`),
			nil, false, 400, "<Code>MalformedXML</Code>"},
		"deep XML":    {"s3", "PUT", "/big?tagging", []byte("<Tagging>" + strings.Repeat("<a>", mega)), nil, false, 400, "<Code>MalformedXML</Code>"},
		"deep policy": {"s3", "PUT", "/big?policy", []byte(`{"Statement":` + strings.Repeat(`[`, 15_000)), nil, false, 400, "<Code>MalformedPolicy</Code>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := signed(t, mesh, test.service, test.method, server.URL+test.path, test.body, test.header)
			if test.chunked {
				r.ContentLength, r.Body = -1, io.NopCloser(bytes.NewReader(test.body))
				r.Header.Del("Content-Length")
			}
			status, text := answerTo(t, server.Client(), r)
			if status != test.status || !strings.Contains(text, test.says) {
				t.Errorf("status %d, want %d with %q: %.500s", status, test.status, test.says, text)
			}
		})
	}
}

func join(maps ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range maps {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func TestMalformedSignaturesAreRefusedInAWSsShape(t *testing.T) {
	t.Parallel()
	mesh := localmesh.Run(t)
	server := httptest.NewServer(mesh.Handler())
	t.Cleanup(server.Close)
	good := signed(t, mesh, "sts", http.MethodPost, server.URL, []byte("Action=GetCallerIdentity&Version=2011-06-15"), map[string]string{"Content-Type": form}).Header
	authorization := good.Get("Authorization")
	for name, change := range map[string]func(http.Header){
		"none":             func(h http.Header) { h.Del("Authorization") },
		"empty":            func(h http.Header) { h.Set("Authorization", "") },
		"another scheme":   func(h http.Header) { h.Set("Authorization", "Bearer "+authorization) },
		"version 2":        func(h http.Header) { h.Set("Authorization", "AWS AKIA:c2lnbmF0dXJl") },
		"the scheme alone": func(h http.Header) { h.Set("Authorization", "AWS4-HMAC-SHA256") },
		"no commas":        func(h http.Header) { h.Set("Authorization", strings.ReplaceAll(authorization, ",", "")) },
		"cut":              func(h http.Header) { h.Set("Authorization", authorization[:len(authorization)/2]) },
		"twice":            func(h http.Header) { h["Authorization"] = []string{authorization, authorization + "0"} },
		"a short scope":    func(h http.Header) { h.Set("Authorization", strings.Replace(authorization, "/aws4_request", "", 1)) },
		"a long scope": func(h http.Header) {
			h.Set("Authorization", strings.Replace(authorization, "/aws4_request", "/a/b/c/aws4_request", 1))
		},
		"a service that is not there": func(h http.Header) { h.Set("Authorization", strings.Replace(authorization, "/sts/", "/ec2/", 1)) },
		"another service":             func(h http.Header) { h.Set("Authorization", strings.Replace(authorization, "/sts/", "/iam/", 1)) },
		"another day":                 func(h http.Header) { h.Set("X-Amz-Date", "20200101T000000Z") },
		"no day":                      func(h http.Header) { h.Set("X-Amz-Date", "yesterday") },
		"no signed headers": func(h http.Header) {
			h.Set("Authorization", strings.Replace(authorization, "SignedHeaders=", "SignedHeaders=;;;", 1))
		},
		"a signature of letters": func(h http.Header) {
			h.Set("Authorization", authorization[:strings.LastIndex(authorization, "=")+1]+strings.Repeat("z", 64))
		},
		"no signature":      func(h http.Header) { h.Set("Authorization", authorization[:strings.LastIndex(authorization, "=")+1]) },
		"a huge one":        func(h http.Header) { h.Set("Authorization", authorization+strings.Repeat("0", 40_000)) },
		"another token":     func(h http.Header) { h.Set("X-Amz-Security-Token", "token") },
		"a hash of no body": func(h http.Header) { h.Set("X-Amz-Content-Sha256", "none") },
		"a stream":          func(h http.Header) { h.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = good.Clone()
			change(r.Header)
			status, text := answerTo(t, server.Client(), r)
			if status < 400 || status > 403 && status != http.StatusNotImplemented || !strings.Contains(text, "essage") {
				t.Errorf("status %d: %s", status, text)
			}
		})
	}
}

// pipes is a listener in memory.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p pipes) Close() error   { close(p.done); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func TestAClientThatPausesIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mesh := localmesh.Run(t)
		listener := pipes{make(chan net.Conn), make(chan struct{})}
		server := &http.Server{Handler: mesh.Handler(), ReadHeaderTimeout: time.Minute}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		here, there := net.Pipe()
		listener.conns <- there
		r := signed(t, mesh, "sts", http.MethodPost, "http://127.0.0.1", []byte("Action=GetCallerIdentity&Version=2011-06-15"), map[string]string{"Content-Type": form})
		gone := make(chan struct{})
		begun := time.Now()
		go func() {
			// The header promises more than ever comes.
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("Action="), never(gone)))
			_ = r.Write(here)
		}()
		resp, err := http.ReadResponse(bufio.NewReader(here), r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "<Code>RequestTimeout</Code>") {
			t.Errorf("status %d: %s", resp.StatusCode, text)
		}
		if waited := time.Since(begun); waited < 10*time.Second || waited > time.Minute {
			t.Errorf("it was cut off after %v", waited)
		}
		close(gone)
		if err := errors.Join(here.Close(), server.Close()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// never is a reader that has nothing to say until it is closed.
type never chan struct{}

func (n never) Read([]byte) (int, error) {
	<-n
	return 0, io.EOF
}
