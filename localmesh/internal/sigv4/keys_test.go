package sigv4_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
)

// A key that is remembered opens what it opened before, and nothing else: neither for another
// secret, service, region or day, nor for another body.
func TestRememberedKeysOpenWhatTheySigned(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var keys sigv4.Keys
	verify := func(secret, with, service, region string, at time.Time, body string) error {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:4577/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte("signed"))
		if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: testKey, SecretAccessKey: secret}, r, hex.EncodeToString(sum[:]), service, region, at); err != nil {
			t.Fatal(err)
		}
		c, err := sigv4.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		return keys.Verify(r, c, with, []byte(body), at)
	}
	for range 2 {
		for _, service := range []string{"glue", "sts"} {
			for _, region := range []string{"us-east-1", "eu-west-1"} {
				for _, at := range []time.Time{now, now.AddDate(0, 0, 1)} {
					if err := verify(testSecret, testSecret, service, region, at, "signed"); err != nil {
						t.Errorf("%s in %s at %s: %v", service, region, at, err)
					}
				}
			}
		}
		for name, err := range map[string]error{
			"another secret of the signer": verify("other", testSecret, "glue", "us-east-1", now, "signed"),
			"another secret of the server": verify(testSecret, "other", "glue", "us-east-1", now, "signed"),
			"another body":                 verify(testSecret, testSecret, "glue", "us-east-1", now, "changed"),
		} {
			if !errors.Is(err, sigv4.ErrMismatch) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
