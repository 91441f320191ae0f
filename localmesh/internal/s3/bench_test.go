package s3

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Every request to S3 goes through it.
func BenchmarkResolve(b *testing.B) {
	r := httptest.NewRequest(http.MethodGet, "http://localhost/lake/k?x-id=GetObject", http.NoBody)
	for b.Loop() {
		resolve(r)
	}
}
