package s3_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A checksum that comes behind a chunked body is held against it
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html).
func TestTheChecksumBehindABody(t *testing.T) {
	const content = "a,b\n1,2\n"
	right := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(content))))
	for _, test := range []struct {
		name, trailer, code string
	}{
		{"right", "x-amz-checksum-crc32:" + right, ""},
		{"wrong", "x-amz-checksum-crc32:AAAAAA==", "BadDigest"},
		{"missing", "", "MalformedTrailerError"},
		{"another", "x-amz-checksum-sha1:" + right, "MalformedTrailerError"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			cfg := w.Config(admin(owner))
			body := fmt.Sprintf("%x\r\n%s\r\n0\r\n%s\r\n\r\n", len(content), content, test.trailer)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://s3.us-east-1.amazonaws.com/lake/chunked", bytes.NewReader([]byte(body)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Encoding", "aws-chunked")
			r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
			r.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(len(content)))
			const mode = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
			r.Header.Set("X-Amz-Content-Sha256", mode)
			keys, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, mode, "s3", "us-east-1", time.Now(), func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }); err != nil {
				t.Fatal(err)
			}
			before := r.Header.Clone()
			answer, err := cfg.HTTPClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			text, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if test.code == "" && answer.StatusCode != http.StatusOK {
				t.Errorf("refused: %d %s", answer.StatusCode, text)
			}
			if test.code != "" && (answer.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "<Code>"+test.code+"</Code>")) {
				t.Errorf("got %d %s, want %s", answer.StatusCode, text, test.code)
			}
			if len(before) != len(r.Header) {
				t.Error("the client's own headers were changed")
			}
		})
	}
}
