package home

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
)

const anyRole = "arn:aws:iam::123456789012:role/team/Admin"

func at(address string, keys aws.CredentialsProvider) aws.Config {
	return aws.Config{Region: "eu-central-1", BaseEndpoint: &address, HTTPClient: awshttp.NewBuildableClient(), Credentials: keys}
}

func TestAccountsAreReadOrRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mesh=100000000001": "mesh=100000000001,producer=111111111111,consumer=999999999999",
		"consumer=100000000003, producer=100000000002,mesh=100000000001": "mesh=100000000001,producer=100000000002,consumer=100000000003",
		"":                                    "",
		"mesh":                                "",
		"mesh=":                               "",
		"mesh=12345678901":                    "",
		"mesh=x00000000001":                   "",
		"lake=100000000001":                   "",
		"mesh=100000000001,mesh=100000000002": "",
		"mesh=100000000001,producer=100000000001": "",
		"producer=555555555555":                   "",
		"mesh=100000000001,":                      "",
	} {
		got, err := ParseAccounts("--accounts", text)
		switch {
		case want == "" && !errors.Is(err, lakemesh.ErrInvalidInput):
			t.Errorf("%q is read as %s, %v; want it refused", text, got, err)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q is read as %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestAServerHasTheAccountsThatWereChosen(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	chosen := Accounts{"100000000001", "100000000002", "100000000003"}
	url := serve(t, h, ServeOptions{Address: "127.0.0.1:0", Accounts: &chosen})
	c, err := h.Connect(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	closing(t, c)
	if c.Accounts() != chosen {
		t.Errorf("the accounts are %s, want %s", c.Accounts(), chosen)
	}
	who, err := sts.NewFromConfig(config(t, c, lakemesh.ProducerAdminIdentity)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(who.Account) != chosen.Producer {
		t.Errorf("the producer's administrator is %v, %v", who, err)
	}
	var health Health
	if err := json.Unmarshal(get(t, url+healthPath, nil, http.StatusOK), &health); err != nil || health.Status != "ready" ||
		health.Accounts["consumer"] != chosen.Consumer || len(health.Services) < 10 {
		t.Errorf("the health page says %+v, %v", health, err)
	}
}

func TestAMeshKeepsTheAccountsThatItHas(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	c, err := h.Connect(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	other := Accounts{"100000000001", "100000000002", "100000000003"}
	if err := h.Serve(t.Context(), ServeOptions{Address: "127.0.0.1:0", Accounts: &other}); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("other accounts: %v", err)
	}
	same := DefaultAccounts()
	serve(t, h, ServeOptions{Address: "127.0.0.1:0", Accounts: &same})
}

// get is the body of an answer with a status.
func get(t *testing.T, url string, headers map[string]string, status int) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Body.Close() }()
	body, err := io.ReadAll(out.Body)
	if err != nil || out.StatusCode != status {
		t.Errorf("%s answers %s, %s (%v), want %d", url, out.Status, body, err, status)
	}
	return body
}

func TestTheHealthPageIsForProgramsAndForPeople(t *testing.T) {
	t.Parallel()
	url := serve(t, Home{Dir: t.TempDir()}, ServeOptions{Address: "127.0.0.1:0"})
	page := string(get(t, url+healthPath, map[string]string{"Accept": "text/html,*/*;q=0.8"}, http.StatusOK))
	for _, want := range []string{"<title>", url, MeshAccount, "lakeformation"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	get(t, url+healthPath, map[string]string{"Host": "attacker.example"}, http.StatusMisdirectedRequest)
}

func TestKeysOfAnyPrincipalAreForWhoHasTheToken(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	url := serve(t, h, ServeOptions{Address: "127.0.0.1:0"})
	for _, token := range []string{"", "wrong"} {
		for _, header := range []string{tokenHeader, "Authorization"} {
			if body := get(t, url+credentialsPath+"?as="+anyRole, map[string]string{header: token}, http.StatusForbidden); strings.Contains(string(body), "SecretAccessKey") {
				t.Errorf("with the token %q keys are given away", token)
			}
		}
	}
	keys, err := h.Keys(t.Context(), anyRole)
	if err != nil {
		t.Fatal(err)
	}
	who, err := sts.NewFromConfig(at(url, keys)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || !strings.HasPrefix(aws.ToString(who.Arn), "arn:aws:sts::123456789012:assumed-role/Admin/") {
		t.Errorf("the keys are those of %v, %v", who, err)
	}
	for _, wrong := range []string{"", "Admin", "arn:aws:iam::123456789012:role/Other", "arn:aws:iam::1:role/Admin", "arn:aws:iam::" + MeshAccount + ":user/Nobody"} {
		if _, err := h.Keys(t.Context(), wrong); !errors.Is(err, lakemesh.ErrNotFound) {
			t.Errorf("keys of %q: %v", wrong, err)
		}
	}
	// The SDKs get them by themselves, as in a container.
	endpoint, token, err := h.KeysEndpoint(t.Context(), anyRole)
	if err != nil {
		t.Fatal(err)
	}
	provider := endpointcreds.New(endpoint, func(o *endpointcreds.Options) { o.AuthorizationToken = token.Reveal() })
	who, err = sts.NewFromConfig(at(url, provider)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(who.Account) != "123456789012" {
		t.Errorf("an SDK that gets its keys by itself is %v, %v", who, err)
	}
	if got, err := provider.Retrieve(t.Context()); err != nil || !got.CanExpire {
		t.Errorf("the keys do not end: %v, %v", got.Expires, err)
	}
}

func TestAClonesWayIsItsOwn(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	url := serve(t, h, ServeOptions{Address: "127.0.0.1:0"})
	keys, err := h.Keys(t.Context(), anyRole)
	if err != nil {
		t.Fatal(err)
	}
	create := func(address, name string) {
		t.Helper()
		if _, err := glue.NewFromConfig(at(address, keys)).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &name}}); err != nil {
			t.Fatal(err)
		}
	}
	databases := func(address string) string {
		t.Helper()
		out, err := glue.NewFromConfig(at(address, keys)).GetDatabases(t.Context(), &glue.GetDatabasesInput{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, d := range out.DatabaseList {
			names = append(names, aws.ToString(d.Name))
		}
		return strings.Join(names, " ")
	}
	create(url, "before")
	one, err := h.Clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := h.Clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	create(one.Address, "one")
	create(url, "original")
	for address, want := range map[string]string{url: "before original", one.Address: "before one", other.Address: "before"} {
		if got := databases(address); got != want {
			t.Errorf("%s has databases %s, want %s", address, got, want)
		}
	}
	if err := h.EndClone(t.Context(), one.Address); err != nil {
		t.Error(err)
	}
	err = poll.Until(t.Context(), 10*time.Second, "the clone to end", func(ctx context.Context) (bool, error) {
		return errors.Is(h.EndClone(ctx, one.Address), lakemesh.ErrNotFound), nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{url, "nowhere", "http://192.0.2.1:80", "https://127.0.0.1:1"} {
		if err := h.EndClone(t.Context(), wrong); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("ending %s: %v", wrong, err)
		}
	}
	if got := databases(other.Address); got != "before" {
		t.Errorf("the other clone has databases %s", got)
	}
}

func TestClonesAreBounded(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	serve(t, h, ServeOptions{Address: "127.0.0.1:0"})
	for range maxClones {
		if _, err := h.Clone(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Clone(t.Context()); !errors.Is(err, lakemesh.ErrConflict) {
		t.Errorf("one more: %v", err)
	}
}

func TestWaitingForAServer(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	if err := h.Wait(t.Context(), time.Millisecond); !errors.Is(err, ErrNotRunning) {
		t.Errorf("waiting in vain: %v", err)
	}
	serve(t, h, ServeOptions{Address: "127.0.0.1:0"})
	if err := h.Wait(t.Context(), time.Minute); err != nil {
		t.Error(err)
	}
}
