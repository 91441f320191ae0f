package security_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

// wiretap passes requests on, keeps the secrets that go over the wire, and can
// garble answers.
type wiretap struct {
	mu      sync.Mutex
	secrets map[string]bool
	// garble changes an answer's body; nil leaves all as they are.
	garble func(operation string, body []byte) []byte
}

// tapped is a client whose wire is tapped.
type tapped struct {
	aws.HTTPClient
	tap *wiretap
}

var (
	handedOut = regexp.MustCompile(`(?:<(?:SecretAccessKey|SessionToken)>|"(?:SecretAccessKey|SessionToken)":")([^<"]+)`)
	actions   = regexp.MustCompile(`Action=([A-Za-z]+)`)
)

func (c tapped) Do(r *http.Request) (*http.Response, error) {
	c.tap.keep(r.Header.Get("X-Amz-Security-Token"))
	operation := r.Header.Get("X-Amz-Target")
	if r.Body != nil && operation == "" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if found := actions.FindSubmatch(body); found != nil {
			operation = string(found[1])
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := c.HTTPClient.Do(r)
	if err != nil || resp.Body == nil {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	for _, found := range handedOut.FindAllSubmatch(body, -1) {
		c.tap.keep(string(found[1]))
	}
	if c.tap.garble != nil {
		body = c.tap.garble(operation, body)
		resp.ContentLength = int64(len(body))
		resp.Header.Del("Content-Length")
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (w *wiretap) keep(secret string) {
	const shortest = 16
	if len(secret) < shortest {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets[secret] = true
}

// keeping is a provider whose keys the wiretap keeps.
type keeping struct {
	aws.CredentialsProvider
	tap *wiretap
}

func (k keeping) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := k.CredentialsProvider.Retrieve(ctx)
	k.tap.keep(c.SecretAccessKey)
	k.tap.keep(c.SessionToken)
	return c, err
}

// record is everything that was said.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

// say says things in all the ways in which they can be printed; an error with
// everything that it wraps.
func (r *record) say(things ...any) {
	for _, thing := range things {
		fmt.Fprintf(r, "%v\n%+v\n%#v\n%s\n%q\n", thing, thing, thing, thing, thing)
		if text, err := json.Marshal(thing); err == nil {
			fmt.Fprintf(r, "%s\n", text)
		}
		switch e := thing.(type) {
		case interface{ Unwrap() error }:
			if inner := e.Unwrap(); inner != nil {
				r.say(inner)
			}
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				r.say(inner)
			}
		}
	}
}

// watched is a life of which everything that is said is kept, by the personas and
// by the mesh.
func watched(t *testing.T) (*life, *wiretap, *record) {
	t.Helper()
	tap, told := &wiretap{secrets: map[string]bool{}}, &record{}
	log := slog.New(slog.NewJSONHandler(told, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
	l := newLife(t, localmesh.WithLogger(log))
	l.tell = told.say
	l.options = func(o *lakemesh.Options) {
		cfg := o.Config.Copy()
		cfg.Credentials, cfg.HTTPClient = keeping{cfg.Credentials, tap}, tapped{cfg.HTTPClient, tap}
		o.Config, o.LogLevel, o.Logger = &cfg, "DEBUG", log
		o.Progress = func(p lakemesh.Progress) { told.say(p) }
	}
	return l, tap, told
}

// silent checks that no secret was told.
func silent(t *testing.T, tap *wiretap, told *record) {
	t.Helper()
	text := told.text.String()
	for secret := range tap.secrets {
		if before, _, found := strings.Cut(text, secret); found {
			t.Errorf("a secret was told after: %s", before[max(0, len(before)-300):])
		}
	}
}

// shown is how often the answers of a kind are garbled, and each operation fails,
// by default.
const shown = 3

func TestNothingThatFailsTellsASecret(t *testing.T) {
	t.Parallel()
	var calls []localmesh.Count
	t.Run("nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l, tap, told := watched(t)
			if err := l.live(l.steps()); err != nil {
				t.Fatal(err)
			}
			calls = l.Counts()
			silent(t, tap, told)
			// The administrators' sessions, and those of each role on the way.
			const fewest = 12
			if len(tap.secrets) < fewest || !strings.Contains(told.text.String(), `"operation":"BatchGrantPermissions"`) {
				t.Errorf("%d secrets in %d bytes", len(tap.secrets), told.text.Len())
			}
			t.Logf("%d secrets, %d bytes said, %d operations", len(tap.secrets), told.text.Len(), len(calls))
		})
	})
	type failure struct {
		name  string
		fault localmesh.Fault
	}
	var failures []failure
	const forever = 1 << 20
	for _, c := range calls {
		failures = append(failures,
			failure{c.Service + ":" + c.Operation + " is refused", localmesh.Fault{Service: c.Service, Operation: c.Operation, Nth: 1 + c.Calls/2, Times: forever,
				Code: "AccessDeniedException", Message: "no", Status: http.StatusBadRequest}},
			failure{c.Service + ":" + c.Operation + " is lost", localmesh.Fault{Service: c.Service, Operation: c.Operation, Times: forever, Moment: localmesh.After}},
		)
	}
	if !long() && len(failures) > shown {
		rand.Shuffle(len(failures), func(i, j int) { failures[i], failures[j] = failures[j], failures[i] })
		failures = failures[:shown]
	}
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, tap, told := watched(t)
				steps := l.steps()
				// What was there before is no concern of this test.
				if err := steps[0].do(); err != nil {
					t.Fatal(err)
				}
				l.Fail(f.fault)
				err := l.live(steps[1:])
				l.ClearFaults()
				silent(t, tap, told)
				if err != nil {
					t.Logf("%.200s", err.Error())
				}
			})
		})
	}
}

func TestAnswersThatCannotBeReadTellNoSecret(t *testing.T) {
	t.Parallel()
	for name, garble := range map[string]func([]byte) []byte{
		"cut in half":   func(b []byte) []byte { return b[:len(b)*3/4] },
		"of no form":    func(b []byte) []byte { return append([]byte("<!-- "), b...) },
		"of wrong type": func(b []byte) []byte { return bytes.Replace(b, []byte("<Expiration>"), []byte("<Expiration>never"), 1) },
		"with no keys":  func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("AccessKeyId"), []byte("Nothing")) },
		"doubled":       func(b []byte) []byte { return append(b, b...) },
		"empty":         func([]byte) []byte { return nil },
	} {
		for _, operation := range []string{"AssumeRole", "GetCallerIdentity"} {
			t.Run(operation+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l, tap, told := watched(t)
					tap.garble = func(called string, body []byte) []byte {
						if called != operation {
							return body
						}
						return garble(body)
					}
					// The first steps open every role.
					err := l.live(append([]step{{"begin", l.begin}}, l.setUp()...))
					silent(t, tap, told)
					if err != nil {
						t.Logf("%.300s", err.Error())
					}
				})
			})
		}
	}
}
