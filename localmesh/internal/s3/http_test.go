package s3_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Over HTTP clients put the bucket into the host name, and send bodies whose
// length they do not know in chunks with a checksum at the end.
func TestOverHTTP(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewTLSServer(w.Handler())
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.ServerName = "example.com" // whom the test server's certificate is for
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := w.Config(admin(owner))
	cfg.HTTPClient = &http.Client{Transport: transport}
	cfg.BaseEndpoint = aws.String("https://localhost:" + port)
	c := s3.NewFromConfig(cfg)

	for _, algorithm := range []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256} {
		key := aws.String("dir/" + string(algorithm) + " ä+&=.csv")
		_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("lake"), Key: key, ChecksumAlgorithm: algorithm,
			ContentLength: aws.Int64(8), Body: io.LimitReader(strings.NewReader("a,b\n1,2\n"), 8)})
		if err != nil {
			t.Fatal(err)
		}
		// The client checks the checksum of what it reads.
		out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("lake"), Key: key, ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(out.Body)
		if err != nil || string(body) != "a,b\n1,2\n" || aws.ToString(out.ContentEncoding) != "" {
			t.Errorf("%s: content is %q (%s), %v", algorithm, body, aws.ToString(out.ContentEncoding), err)
		}
	}
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("lake"), Key: aws.String("none")})
	refused(t, err, "NotFound", http.StatusNotFound)
	if head != nil {
		t.Errorf("head is %v", head)
	}
}
