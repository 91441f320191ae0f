package sigv4_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
)

func BenchmarkVerify(b *testing.B) {
	for _, size := range []int{100, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			body := strings.Repeat("x", size)
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://127.0.0.1:4577/", strings.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
			r.Header.Set("X-Amz-Target", "AWSGlue.GetTable")
			now, sum := time.Now(), sha256.Sum256([]byte(body))
			err = v4.NewSigner().SignHTTP(b.Context(), aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret, SessionToken: testToken},
				r, hex.EncodeToString(sum[:]), "glue", "us-east-1", now)
			if err != nil {
				b.Fatal(err)
			}
			var keys sigv4.Keys
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for range b.N {
				c, err := sigv4.Parse(r)
				if err != nil {
					b.Fatal(err)
				}
				if err := keys.Verify(r, c, testSecret, []byte(body), now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
