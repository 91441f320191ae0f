package acceptance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// spy passes requests on and keeps every secret that goes over the wire: the
// session tokens of requests, and the keys that answers hand out.
type spy struct {
	aws.HTTPClient
	mu      sync.Mutex
	secrets map[string]bool
}

func (s *spy) Do(r *http.Request) (*http.Response, error) {
	s.keep(r.Header.Get("X-Amz-Security-Token"))
	resp, err := s.HTTPClient.Do(r)
	if err != nil || resp.Body == nil {
		return resp, err
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	text := body.String()
	for _, name := range []string{"SecretAccessKey", "SessionToken"} {
		s.keep(between(text, "<"+name+">", "</"+name+">"))
		s.keep(between(text, `"`+name+`":"`, `"`))
	}
	resp.Body = &closable{Buffer: body}
	return resp, nil
}

type closable struct{ bytes.Buffer }

func (*closable) Close() error { return nil }

func between(text, from, to string) string {
	_, rest, found := strings.Cut(text, from)
	if !found {
		return ""
	}
	inner, _, _ := strings.Cut(rest, to)
	return inner
}

func (s *spy) keep(secret string) {
	if secret == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[secret] = true
}

// spied is a provider that tells the spy what it hands out.
type spied struct {
	aws.CredentialsProvider
	spy *spy
}

func (p spied) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := p.CredentialsProvider.Retrieve(ctx)
	p.spy.keep(c.SecretAccessKey)
	p.spy.keep(c.SessionToken)
	return c, err
}

// journal collects what is logged, and what else is said.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) say(things ...any) {
	for _, thing := range things {
		fmt.Fprintf(j, "%v %+v %#v\n", thing, thing, thing)
		if text, err := json.Marshal(thing); err == nil {
			fmt.Fprintf(j, "%s\n", text)
		}
	}
}

func TestNoSecretOfAWholeLifeIsToldAnywhere(t *testing.T) {
	t.Parallel()
	eyes, told := &spy{secrets: map[string]bool{}}, &journal{}
	log := slog.New(slog.NewJSONHandler(told, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
	w := newWorld(t, localmesh.WithLogger(log))
	options := func(keys aws.CredentialsProvider) lakemesh.Options {
		cfg := w.ConfigWith(spied{keys, eyes})
		eyes.HTTPClient, cfg.HTTPClient = cfg.HTTPClient, eyes
		return lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg, LogLevel: "DEBUG", Logger: log, RoleWait: meshtest.RoleWait(w.Mesh.Mesh),
			Progress: func(p lakemesh.Progress) { told.say(p) }}
	}
	administrator := func(account string) lakemesh.Options {
		return options(w.Config(meshtest.Administrator(account)).Credentials)
	}
	producers, consumers := w.user(producerAccount, "Producer", lakemesh.ProducerRole), w.user(consumerAccount, "Consumer", lakemesh.ConsumerRole)
	eyes.keep(producers.SecretAccessKey.Reveal())
	eyes.keep(consumers.SecretAccessKey.Reveal())
	producing, consuming := options(producers), options(consumers)
	producing.Credentials, consuming.Credentials = producers, consumers
	w.AddProducer(otherProducer)
	_, err := admin.BootstrapAccount(t.Context(), admin.BootstrapInput{Type: admin.Both, Mesh: administrator(meshAccount), Account: administrator(otherConsumer)})
	told.say(err)
	w.must(err)

	w.producer, err = producer.New(t.Context(), producing)
	w.must(err)
	w.consumer, err = consumer.New(t.Context(), consuming)
	w.must(err)
	keyed := consuming
	keyed.Credentials = consumers
	administrating, err := admin.New(t.Context(), keyed)
	w.must(err)
	told.say(producing, consuming, w.producer, w.consumer, administrating)
	told.say(*w.producer, *w.consumer, *administrating)
	plan, err := w.producer.PlanCreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: source, Domain: "trade"})
	told.say(plan, err)
	out, err := w.producer.CreateDataProducts(t.Context(), producer.CreateDataProductsInput{SourceDatabaseName: source, Domain: "trade"})
	told.say(out, err)
	id := w.request([]string{orders}, "SELECT", "DESCRIBE")
	w.Fail(localmesh.Fault{Service: "s3", Operation: "PutBucketPolicy", Code: "AccessDenied", Status: 403})
	err = w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrPartial) {
		t.Errorf("got %v, want a partial failure", err)
	}
	told.say(err)
	w.approve(id)
	told.say(w.finalize(id), w.get(id))
	w.reads(self(), orders)
	w.update(id, "DESCRIBE")
	w.end(id)
	told.say(w.get(id))

	// What fails tells nothing either: wrong secrets, wrong accounts, refused hops.
	wrong := producers
	wrong.SecretAccessKey = "a-secret-that-is-not-the-right-one"
	eyes.keep(wrong.SecretAccessKey.Reveal())
	elsewhere := producers
	elsewhere.AccountID = consumerAccount
	for _, keys := range []lakemesh.Credentials{wrong, elsewhere, consumers} {
		o := options(keys)
		o.Credentials = keys
		p, err := producer.New(t.Context(), o)
		if err == nil {
			t.Errorf("credentials %v opened a producer", keys.AccessKeyID)
		}
		told.say(o, p, err)
	}

	if said := told.text.String(); !strings.Contains(said, "GrantPermissions") || !strings.Contains(said, "AssumeRole") {
		t.Error("the log does not tell what was called")
	}
	if len(eyes.secrets) < 12 {
		t.Errorf("only %d secrets were seen", len(eyes.secrets))
	}
	for secret := range eyes.secrets {
		if strings.Contains(told.text.String(), secret) {
			before, _, _ := strings.Cut(told.text.String(), secret)
			t.Errorf("a secret was told after: %s", before[max(0, len(before)-300):])
		}
	}
	for _, v := range w.raw(id) {
		text := fmt.Sprintf("%v", v)
		for secret := range eyes.secrets {
			if strings.Contains(text, secret) {
				t.Errorf("the record holds a secret")
			}
		}
	}
}

func TestCredentialsOfEachFormOpenAPersonaOfTheirOwnAccountOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.user(consumerAccount, "Consumer", lakemesh.ConsumerRole)
	session, err := w.Config(meshtest.Administrator(consumerAccount)).Credentials.Retrieve(t.Context())
	w.must(err)
	temporary := lakemesh.Credentials{AccountID: consumerAccount, AccessKeyID: session.AccessKeyID, SecretAccessKey: lakemesh.Secret(session.SecretAccessKey),
		SessionToken: lakemesh.Secret(session.SessionToken)}
	change := func(c lakemesh.Credentials, do func(*lakemesh.Credentials)) lakemesh.Credentials {
		do(&c)
		return c
	}
	role, err := w.Config(self()).Credentials.Retrieve(t.Context())
	w.must(err)
	for name, test := range map[string]struct {
		provider aws.CredentialsProvider
		kind     error
		says     string
	}{
		"keys of a user":                 {user, nil, ""},
		"a pointer to them":              {&user, nil, ""},
		"keys that name no account":      {change(user, func(c *lakemesh.Credentials) { c.AccountID = "" }), nil, ""},
		"keys of a session":              {temporary, nil, ""},
		"any provider":                   {w.Config(meshtest.Administrator(consumerAccount)).Credentials, nil, ""},
		"a session of the role itself":   {aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return role, nil }), nil, ""},
		"keys that name another account": {change(user, func(c *lakemesh.Credentials) { c.AccountID = producerAccount }), lakemesh.ErrWrongAccount, consumerAccount},
		"a session of another account":   {change(temporary, func(c *lakemesh.Credentials) { c.AccountID = otherConsumer }), lakemesh.ErrWrongAccount, consumerAccount},
		"keys of a producer":             {w.user(producerAccount, "Producer", lakemesh.ProducerRole), lakemesh.ErrAccessDenied, lakemesh.ConsumerRole},
		"a session of the mesh account":  {w.Config(meshtest.Administrator(meshAccount)).Credentials, lakemesh.ErrWrongAccount, meshAccount},
		"a wrong secret":                 {change(user, func(c *lakemesh.Credentials) { c.SecretAccessKey = "wrong" }), lakemesh.ErrAccessDenied, "SignatureDoesNotMatch"},
		"an unknown key":                 {change(user, func(c *lakemesh.Credentials) { c.AccessKeyID = "AKIAUNKNOWNUNKNOWN12" }), lakemesh.ErrAccessDenied, "InvalidClientTokenId"},
		"a session without its token":    {change(temporary, func(c *lakemesh.Credentials) { c.SessionToken = "" }), lakemesh.ErrAccessDenied, "InvalidClientTokenId"},
		"no key at all":                  {lakemesh.Credentials{AccountID: consumerAccount}, lakemesh.ErrInvalidInput, "AccessKeyId"},
		"a provider that fails for itself": {aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("no token in the cache")
		}), nil, "no token in the cache"},
	} {
		cfg := w.ConfigWith(nil)
		w.silent(name, func() {
			_, err := consumer.New(t.Context(), lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg, Credentials: test.provider, RoleWait: -1})
			switch {
			case test.says == "" && err != nil:
				t.Errorf("%s: %v", name, err)
			case test.says != "" && (err == nil || test.kind != nil && !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says)):
				t.Errorf("%s: %v; want %v that tells %q", name, err, test.kind, test.says)
			}
		})
	}
}

func TestAUserWhoseKeyIsTakenAwayIsRefusedAtTheNextOpening(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := w.user(producerAccount, "Producer", lakemesh.ProducerRole)
	cfg := w.ConfigWith(keys)
	open := func() error {
		return second(producer.New(t.Context(), lakemesh.Options{MeshAccountID: meshAccount, Config: &cfg, Credentials: keys, RoleWait: -1}))
	}
	w.must(open())
	_, err := iam.NewFromConfig(w.Config(meshtest.Administrator(producerAccount))).UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{
		UserName: aws.String("Producer"), AccessKeyId: aws.String(keys.AccessKeyID), Status: "Inactive"})
	w.must(err)
	if err := open(); !errors.Is(err, lakemesh.ErrAccessDenied) {
		t.Errorf("with a key that is inactive: %v, want access denied", err)
	}
}
