package admin_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

// rewriting stands before the mesh and changes what it answers: AWS as it is for a
// moment.
type rewriting struct {
	next aws.HTTPClient
	// operation is what is answered differently, times how often; 0 is always.
	operation string
	times     int64
	old, new  string

	done atomic.Int64
}

// Do implements aws.HTTPClient.
func (r *rewriting) Do(request *http.Request) (*http.Response, error) {
	matches := strings.HasSuffix(request.Header.Get("X-Amz-Target"), "."+r.operation)
	if request.Header.Get("X-Amz-Target") == "" && request.Body != nil {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return nil, err
		}
		request.Body = io.NopCloser(strings.NewReader(string(body)))
		matches = strings.Contains(string(body), "Action="+r.operation+"&")
	}
	response, err := r.next.Do(request)
	if err != nil || !matches || r.times > 0 && r.done.Load() >= r.times {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	text := string(body)
	if strings.Contains(text, r.old) {
		r.done.Add(1)
	}
	text = strings.ReplaceAll(text, r.old, r.new)
	response.Body, response.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	response.Header.Del("Content-Length")
	response.Header.Del("X-Amz-Crc32")
	return response, nil
}

// optionsWith are the options of an account's administrator who is answered
// differently.
func optionsWith(t *testing.T, mesh *localmesh.Mesh, account string, r *rewriting) lakemesh.Options {
	t.Helper()
	o := optionsOf(mesh, account)
	r.next = o.Config.HTTPClient
	o.Config.HTTPClient = r
	return o
}
