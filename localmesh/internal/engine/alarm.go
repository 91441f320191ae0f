package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Alarm is what a service does by itself when its time has come.
type Alarm struct {
	// Next is when the next of it is due; ok is false if nothing is.
	Next func(tx store.Tx) (at time.Time, ok bool, err error)
	// Ring does the one that is due first. It must not be due any more then.
	Ring func(ctx context.Context, m *Mesh) error
}

// inTime marks the context of what a service does by itself.
type inTime struct{}

func alarmed(ctx context.Context) bool {
	marked, _ := ctx.Value(inTime{}).(bool)
	return marked
}

// RunDue does what is due by the mesh's clock, one after the other in the order of
// time. Each call from outside has it done first, so that nobody sees a moment at
// which something that was due was not done.
func (m *Mesh) RunDue(ctx context.Context) error {
	if alarmed(ctx) {
		return nil
	}
	now := m.Clock()
	for _, s := range m.services {
		if s.Alarm == nil {
			continue
		}
		due, err := m.isDue(s.Alarm, now)
		if err != nil || !due {
			if err != nil {
				return err
			}
			continue
		}
		if err := m.ring(ctx, s.Alarm, now); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mesh) isDue(a *Alarm, now time.Time) (due bool, err error) {
	err = m.Store.View(func(tx store.Tx) error {
		at, ok, err := a.Next(tx)
		due = ok && !at.After(now)
		return err
	})
	return due, err
}

func (m *Mesh) ring(ctx context.Context, a *Alarm, now time.Time) error {
	m.due.Lock()
	defer m.due.Unlock()
	for {
		due, err := m.isDue(a, now)
		if err != nil || !due {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// Who happens to call when it is due must not be able to cut it short.
		if err := a.Ring(context.WithValue(context.WithoutCancel(ctx), inTime{}, true), m); err != nil {
			return err
		}
	}
}

// Act runs in one transaction what a service does by itself in a region.
func (m *Mesh) Act(ctx context.Context, service, region string, do func(*Call) error) error {
	return m.Store.Update(func(tx store.Tx) error {
		c := &Call{Context: ctx, Service: service, Region: region, Tx: tx, Now: m.Clock().UTC(), RequestID: m.UUID(), Mesh: m,
			service: m.services[service], authorized: true, inTime: true}
		if err := do(c); err != nil {
			return err
		}
		c.settle()
		return nil
	})
}

// Has reports whether the mesh has an operation of a service.
func (m *Mesh) Has(service, operation string) bool {
	s, ok := m.services[service]
	return ok && slices.ContainsFunc(s.Operations, func(o Operation) bool { return o.Name == operation })
}

// Answer is what came back to [Mesh.Send].
type Answer struct {
	// Status is the HTTP status; 0 means that there was no answer.
	Status int
	// Code and Message are those of an error.
	Code, Message string
}

// OK reports whether the call succeeded.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Send makes a call with a session's credentials, as everybody does who calls from
// outside: signed, counted, authorized, with planned faults and limits of rates.
func (m *Mesh) Send(ctx context.Context, session state.Session, region, service, operation string, payload []byte) (Answer, error) {
	r, err := outgoing(m.services[service], operation, payload)
	if err != nil {
		return Answer{}, err
	}
	r = r.WithContext(context.WithValue(ctx, inside{}, true))
	sum := sha256.Sum256(payload)
	keys := aws.Credentials{AccessKeyID: session.AccessKeyID, SecretAccessKey: session.Secret, SessionToken: session.Token}
	if err := v4.NewSigner().SignHTTP(ctx, keys, r, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		return Answer{}, fmt.Errorf("sign %s of %s: %w", operation, service, err)
	}
	rec := httptest.NewRecorder()
	if err := m.serve(rec, r); err != nil {
		// The answer is lost, as it is with a planned fault.
		return Answer{Code: "ConnectionLost", Message: err.Error()}, nil
	}
	a := Answer{Status: rec.Code}
	if a.OK() {
		return a, nil
	}
	var body struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		return Answer{}, fmt.Errorf("answer of %s to %s: %w", service, operation, err)
	}
	a.Code, a.Message = rec.Header().Get("X-Amzn-ErrorType"), body.Message
	return a, nil
}

// outgoing is the request of an operation, for the protocols whose operations take
// nothing but a body in JSON.
func outgoing(s *Service, operation string, payload []byte) (*http.Request, error) {
	path, target, media := "/", "", s.Protocol.ContentType()
	switch {
	case s.Protocol == wire.AWSJSON10 || s.Protocol == wire.AWSJSON11:
		target = s.Name + "." + operation
	case s.Protocol == wire.RestJSON && s.Resolve == nil:
		path += operation
	default:
		return nil, fmt.Errorf("%s of %s is not called with a body in JSON alone", operation, s.Title)
	}
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1"+path, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", media)
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	return r, nil
}
