package sigv4_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
)

const (
	iamSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	s3Secret  = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func request(t *testing.T, method, target string, header map[string]string) *http.Request {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{}}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	return r
}

func authorization(key, date, scope, signedHeaders, signature string) string {
	return fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s/%s/aws4_request,SignedHeaders=%s,Signature=%s",
		key, date, scope, signedHeaders, signature)
}

// TestDocumentedRequests checks the requests whose signatures AWS documents.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
func TestDocumentedRequests(t *testing.T) {
	t.Parallel()
	may2013 := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	aug2015 := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	s3 := func(signed, signature string) string {
		return authorization("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1/s3", signed, signature)
	}
	suite := func(signed, signature string) string {
		return authorization("AKIDEXAMPLE", "20150830", "us-east-1/service", signed, signature)
	}
	tests := []struct {
		name   string
		method string
		url    string
		header map[string]string
		body   string
		secret string
		now    time.Time
	}{
		{
			name: "IAM ListUsers", method: "GET", url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
			header: map[string]string{
				"Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
				"X-Amz-Date":   "20150830T123600Z",
				"Authorization": authorization("AKIDEXAMPLE", "20150830", "us-east-1/iam", "content-type;host;x-amz-date",
					"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
			},
			secret: iamSecret, now: aug2015,
		},
		{
			name: "vanilla", method: "GET", url: "https://example.amazonaws.com/",
			header: map[string]string{
				"X-Amz-Date":    "20150830T123600Z",
				"Authorization": suite("host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
			},
			secret: iamSecret, now: aug2015,
		},
		{
			name: "relative path", method: "GET", url: "https://example.amazonaws.com/example/..",
			header: map[string]string{
				"X-Amz-Date":    "20150830T123600Z",
				"Authorization": suite("host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
			},
			secret: iamSecret, now: aug2015,
		},
		{
			name: "slashes", method: "GET", url: "https://example.amazonaws.com//",
			header: map[string]string{
				"X-Amz-Date":    "20150830T123600Z",
				"Authorization": suite("host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
			},
			secret: iamSecret, now: aug2015,
		},
		{
			name: "S3 get object", method: "GET", url: "https://examplebucket.s3.amazonaws.com/test.txt",
			header: map[string]string{
				"Range": "bytes=0-9", "X-Amz-Content-Sha256": emptyHash, "X-Amz-Date": "20130524T000000Z",
				"Authorization": s3("host;range;x-amz-content-sha256;x-amz-date",
					"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
			},
			secret: s3Secret, now: may2013,
		},
		{
			name: "S3 put object", method: "PUT", url: "https://examplebucket.s3.amazonaws.com/test$file.text",
			header: map[string]string{
				"Date": "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Date": "20130524T000000Z", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY",
				"X-Amz-Content-Sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
				"Authorization": s3("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
					"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
			},
			body: "Welcome to Amazon S3.", secret: s3Secret, now: may2013,
		},
		{
			name: "S3 parameter without a value", method: "GET", url: "https://examplebucket.s3.amazonaws.com/?lifecycle",
			header: map[string]string{
				"X-Amz-Content-Sha256": emptyHash, "X-Amz-Date": "20130524T000000Z",
				"Authorization": s3("host;x-amz-content-sha256;x-amz-date",
					"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
			},
			secret: s3Secret, now: may2013,
		},
		{
			name: "S3 list objects", method: "GET", url: "https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2",
			header: map[string]string{
				"X-Amz-Content-Sha256": emptyHash, "X-Amz-Date": "20130524T000000Z",
				"Authorization": s3("host;x-amz-content-sha256;x-amz-date",
					"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
			},
			secret: s3Secret, now: may2013,
		},
		{
			name: "S3 presigned", method: "GET",
			url: "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256" +
				"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
				"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
				"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
			secret: s3Secret, now: may2013.Add(23 * time.Hour),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := request(t, tt.method, tt.url, tt.header)
			c, err := sigv4.Parse(r)
			if err != nil {
				t.Fatalf("Parse: %v", err)
			}
			if err := sigv4.Verify(r, c, tt.secret, []byte(tt.body), tt.now); err != nil {
				t.Errorf("Verify: %v", err)
			}
			if err := sigv4.Verify(r, c, tt.secret+"x", []byte(tt.body), tt.now); err == nil {
				t.Error("Verify accepts a wrong secret")
			}
		})
	}
}

// chunkedRequest is the example upload of 65 KiB in three chunks.
func chunkedRequest(t *testing.T, mode, extra, signed, signature string) *http.Request {
	header := map[string]string{
		"X-Amz-Content-Sha256": mode, "X-Amz-Date": "20130524T000000Z", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY",
		"X-Amz-Decoded-Content-Length": "66560", "Content-Encoding": "aws-chunked",
		"Authorization": authorization("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1/s3", signed, signature),
	}
	if extra != "" {
		header["X-Amz-Trailer"] = extra
	} else {
		header["Content-Length"] = "66824"
	}
	return request(t, "PUT", "https://s3.amazonaws.com/examplebucket/chunkObject.txt", header)
}

func chunk(size int, signature string) string {
	s := fmt.Sprintf("%x;chunk-signature=%s\r\n", size, signature)
	if size > 0 {
		s += strings.Repeat("a", size) + "\r\n"
	}
	return s
}

// TestDocumentedChunks checks the uploads whose chunk signatures AWS documents.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
func TestDocumentedChunks(t *testing.T) {
	t.Parallel()
	now := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		r    *http.Request
		body string
		want string // the trailer x-amz-checksum-crc32c
	}{
		{
			name: "signed",
			r: chunkedRequest(t, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "",
				"content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
				"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"),
			body: chunk(65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
				chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497") +
				chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9") + "\r\n",
		},
		{
			name: "signed with a trailer",
			r: chunkedRequest(t, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "x-amz-checksum-crc32c",
				"content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
				"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"),
			body: chunk(65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2") +
				chunk(1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7") +
				chunk(0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992") +
				"x-amz-checksum-crc32c:sOO8/Q==\r\n" +
				"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
			want: "sOO8/Q==",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := sigv4.Parse(tt.r)
			if err != nil {
				t.Fatalf("Parse: %v", err)
			}
			if err := sigv4.Verify(tt.r, c, s3Secret, nil, now); err != nil {
				t.Fatalf("Verify: %v", err)
			}
			if !sigv4.Streaming(tt.r) {
				t.Error("Streaming = false")
			}
			payload, trailer, err := sigv4.DecodeChunked(tt.r, c, s3Secret, []byte(tt.body))
			if err != nil {
				t.Fatalf("DecodeChunked: %v", err)
			}
			if !bytes.Equal(payload, bytes.Repeat([]byte("a"), 66560)) {
				t.Errorf("payload of %d bytes is wrong", len(payload))
			}
			if got := trailer.Get("X-Amz-Checksum-Crc32c"); got != tt.want {
				t.Errorf("trailer = %q, want %q", got, tt.want)
			}

			// Nothing of it may change: neither data nor order nor a trailer, and nothing may be cut off.
			for name, body := range map[string]string{
				"data":      strings.Replace(tt.body, "aaa", "aba", 1),
				"cut":       tt.body[:65536+90],
				"no end":    strings.Join(strings.SplitAfter(tt.body, "\r\n")[:4], ""),
				"signature": strings.Replace(tt.body, "chunk-signature=", "chunk-signature=0", 1),
				"unsigned":  strings.Replace(tt.body, ";chunk-signature=", ";other=", 1),
				"size":      strings.Replace(tt.body, "10000;", "fffffffffffffff;", 1),
				"trailer":   strings.TrimSuffix(tt.body, "\r\n") + "x-amz-meta-a:b\r\n\r\n",
			} {
				if _, _, err := sigv4.DecodeChunked(tt.r, c, s3Secret, []byte(body)); err == nil {
					t.Errorf("%s: accepted", name)
				}
			}
		})
	}
}
