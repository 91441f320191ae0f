package identity_test

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
)

// An endpoint that nobody serves is told at once, with what names it.
func TestAnEndpointAtWhichNobodyIsIsToldAtOnce(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""), BaseEndpoint: aws.String(at)}
	dials := 0
	cfg.HTTPClient = dialling(func() { dials++ })
	_, err = identity.Open(t.Context(), lakemesh.Options{Config: &cfg, MeshAccountID: "555555555555"})
	known, ok := errors.AsType[*lakemesh.Error](err)
	if !ok || known.Resource != at || !strings.Contains(known.Message, "nothing answers there") || !strings.Contains(known.Hint, "AWS_ENDPOINT_URL") {
		t.Errorf("%v", err)
	}
	if dials != 1 {
		t.Errorf("it was tried %d times, as if somebody could come", dials)
	}
}

// dialling is a client that tells of each request.
type dialling func()

func (d dialling) Do(r *http.Request) (*http.Response, error) {
	d()
	return http.DefaultClient.Do(r)
}
