package engine

import (
	"context"
	"maps"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lakemesh/lakemesh/localmesh/internal/authz"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// View runs do on a snapshot, for an operation that begins its transactions itself.
func (c *Call) View(do func(*Call) error) error {
	return c.Mesh.Store.View(func(tx store.Tx) error {
		inner := *c
		inner.Tx, inner.memo = tx, map[any]any{}
		err := do(&inner)
		c.authorized = c.authorized || inner.authorized
		return err
	})
}

// Update runs do alone among writers, for an operation that begins its transactions itself.
func (c *Call) Update(do func(*Call) error) error {
	return c.Mesh.Store.Update(func(tx store.Tx) error {
		inner := *c
		inner.Tx, inner.memo, inner.changes, inner.looked = tx, nil, nil, nil
		err := do(&inner)
		c.authorized = c.authorized || inner.authorized
		if err == nil {
			inner.settle()
		}
		return err
	})
}

// behalf marks the context of a call that a service makes for its caller.
type behalf struct{}

func calledVia(ctx context.Context) string {
	service, _ := ctx.Value(behalf{}).(string)
	return service
}

// OnBehalf returns a context for calls that a service ("athena.amazonaws.com") makes with the
// rights of its own caller: IAM is shown so
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_forward_access_sessions.html).
func OnBehalf(ctx context.Context, service string) context.Context {
	return context.WithValue(ctx, behalf{}, service)
}

// via is a question as IAM gets it of a call that a service makes for its caller.
func (c *Call) via(q authz.Question) authz.Question {
	q.Forwarded = q.Forwarded || !c.Mesh.Readings.ForwardedCallsUnmarked
	keys := maps.Clone(q.Keys)
	if keys == nil {
		keys = map[string][]string{}
	}
	for _, key := range []string{"aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"} {
		keys[key] = []string{c.calledVia}
	}
	q.Keys = keys
	return q
}

// For is the call as one of another service of the mesh, which this one asks with the rights
// of its caller: refusals are that service's.
func (c *Call) For(service, operation, via string) *Call {
	inner := *c
	inner.Service, inner.Operation, inner.service, inner.calledVia = service, operation, c.Mesh.services[service], via
	return &inner
}

// Keys are credentials of the caller, with which a service calls others for it. They are
// looked up anew, so that keys that were made inactive or have expired are of no use.
func (c *Call) Keys() aws.Config {
	id := c.Caller.AccessKeyID
	return c.Mesh.Config(c.Region, aws.CredentialsProviderFunc(func(context.Context) (keys aws.Credentials, err error) {
		err = c.Mesh.Store.View(func(tx store.Tx) error {
			s, ok, err := state.Sessions.Get(tx, id)
			if err != nil {
				return err
			}
			if ok {
				keys = aws.Credentials{AccessKeyID: id, SecretAccessKey: s.Secret, SessionToken: s.Token}
				return nil
			}
			k, ok, err := state.AccessKeys.Get(tx, id)
			if err == nil && !ok {
				err = Errorf("UnrecognizedClientException", "The security token included in the request is invalid.")
			}
			keys = aws.Credentials{AccessKeyID: id, SecretAccessKey: k.Secret}
			return err
		})
		return keys, err
	}))
}

// SessionConfig is a configuration for calls of a session.
func (m *Mesh) SessionConfig(region string, s state.Session) aws.Config {
	return m.Config(region, credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.Secret, s.Token))
}

// Config is a configuration whose clients talk to the mesh, in process.
func (m *Mesh) Config(region string, keys aws.CredentialsProvider) aws.Config {
	return aws.Config{Region: region, Credentials: keys, HTTPClient: clientFunc(m.doInside), BaseEndpoint: aws.String("http://127.0.0.1:4577")}
}

// doInside is Do for what the services call themselves.
func (m *Mesh) doInside(r *http.Request) (*http.Response, error) {
	return m.Do(r.WithContext(context.WithValue(r.Context(), inside{}, true)))
}

type clientFunc func(*http.Request) (*http.Response, error)

// Do implements aws.HTTPClient.
func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// Close ends what the services do beside the calls, and releases the store.
func (m *Mesh) Close() error {
	for _, s := range m.services {
		if s.Stop != nil {
			s.Stop()
		}
	}
	return m.Store.Close()
}

// Beyond is the call with another context, for what goes on after its answer.
func (c *Call) Beyond(ctx context.Context) *Call {
	inner := *c
	inner.Context, inner.Tx, inner.changes, inner.looked, inner.memo = ctx, nil, nil, nil, nil
	return &inner
}
