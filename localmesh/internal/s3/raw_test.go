package s3_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lakemesh/lakemesh/localmesh"
)

// Whatever is sent is answered with an error of S3, or with 501.
func TestRequestsThatTheSDKWouldNotSend(t *testing.T) {
	w := newWorld(t)
	w.put("k", "rows")
	paths := []string{"/", "/lake", "/lake/", "/lake/k", "/lake/new", "/nowhere/k", "/lake/%00", "/lake/%FF", "//k"}
	queries := []string{"", "?policy", "?policyStatus", "?location", "?versioning", "?tagging", "?publicAccessBlock", "?uploads", "?delete", "?list-type=2",
		"?list-type=2&max-keys=x", "?list-type=2&continuation-token=%25", "?encoding-type=x", "?uploadId=x", "?uploadId=x&partNumber=0", "?versionId=x",
		"?max-buckets=x", "?uploads&max-uploads=-1", "?acl", "?cors", "?select"}
	bodies := []string{"", "x", "<x/>", `{"Version":"2012-10-17","Statement":[{}]}`, "<Delete><Object></Object></Delete>", "<Tagging><TagSet><Tag/></TagSet></Tagging>"}
	for _, method := range []string{http.MethodPut, http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete, http.MethodPatch} {
		for _, path := range paths {
			for _, query := range queries {
				for _, body := range bodies {
					if body != "" && (method == http.MethodGet || method == http.MethodHead) {
						continue
					}
					status, text := send(t, w.Mesh, method, path+query, body)
					if status >= 500 && status != http.StatusNotImplemented || strings.Contains(text, "Signature") {
						t.Errorf("%s %s with %q: %d %s", method, path+query, body, status, text)
					}
				}
			}
		}
	}
}

// send sends a request by hand.
func send(t *testing.T, mesh *localmesh.Mesh, method, path, body string) (status int, text string) {
	t.Helper()
	cfg := mesh.Config(admin(owner))
	r, err := http.NewRequestWithContext(t.Context(), method, localmesh.Endpoint+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "x" {
		r.Header.Set("X-Amz-Copy-Source", "lake")
	}
	c, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	r.Header.Set("X-Amz-Content-Sha256", hash)
	sign := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }
	if err := v4.NewSigner().SignHTTP(t.Context(), c, r, hash, "s3", "us-east-1", time.Now(), sign); err != nil {
		t.Fatal(err)
	}
	resp, err := cfg.HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}
