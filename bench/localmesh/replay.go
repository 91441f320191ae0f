package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// recorder is the HTTP client of the SDK's clients. In a context of [write] it
// keeps a request instead of sending it, so that what is measured is the server
// and not how long a client takes to write requests and to read answers.
type recorder struct{ *http.Client }

// recorded is a signed request; its signature is valid for some minutes.
type recorded struct {
	method, url string
	header      http.Header
	host        string
	body        []byte
}

type recording struct{}

var errRecorded = errors.New("the request was recorded")

// Do implements aws.HTTPClient.
func (c recorder) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if to, ok := r.Context().Value(recording{}).(*recorded); ok {
		*to = recorded{method: r.Method, url: r.URL.String(), header: r.Header.Clone(), host: r.Host, body: body}
		return nil, errRecorded
	}
	// The SDK takes its body away as soon as it has an answer. A server that answers
	// within microseconds is faster than the writer's last look at the body, which
	// then breaks the connection; a body of our own stays.
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.Client.Do(r)
}

// write makes the request of a call without sending it.
func write(ctx context.Context, k call, c *clients, i int) (*recorded, error) {
	to := new(recorded)
	err := k.do(context.WithValue(ctx, recording{}, to), c, i)
	if !errors.Is(err, errRecorded) {
		return nil, fmt.Errorf("the request was not recorded: %w", err)
	}
	return to, nil
}

// send sends a recorded request and reads the answer.
func (r *recorded) send(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	req.Header, req.Host = r.header, r.host
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	var answer bytes.Buffer
	_, err = io.Copy(&answer, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s: %s", resp.Status, answer.Bytes())
	}
	return nil
}
