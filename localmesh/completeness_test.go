package localmesh_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel"
	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel/sample"
	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// Every operation of every service's model is answered, or is 501, says so in its own
// protocol and names itself. Every member of every operation that is answered, at any
// depth, is honoured, or refused in the service's code. Which are refused is generated
// from the services' code (package awsmodel): what no code reads. Here it is seen that
// just those are. S3 has a test of its own.
func TestEveryOperationWithEveryMember(t *testing.T) {
	t.Parallel()
	services := map[string]localmesh.ServiceForTest{}
	for _, s := range localmesh.ServicesForTest() {
		services[s.Name] = s
	}
	for name, client := range sample.Clients() {
		if name == "s3" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &completeness{T: t, mesh: localmesh.Run(t), service: services[name]}
			c.cfg = c.mesh.Config(admin)
			inputs := sample.Operations(client)
			for _, operation := range slices.Sorted(maps.Keys(inputs)) {
				c.try(operation, inputs[operation])
			}
			if c.refused == 0 && len(awsmodel.Refused(name)) > 0 || c.unknown == 0 && name != "scheduler" && name != "dynamodbstreams" {
				t.Errorf("%d members were refused, %d operations unknown", c.refused, c.unknown)
			}
		})
	}
}

// completeness is the test of one service.
type completeness struct {
	*testing.T
	mesh    *localmesh.Mesh
	cfg     aws.Config
	service localmesh.ServiceForTest
	// refused and unknown count what was met.
	refused, unknown int
	// code is that of the last answer, where it is in a header.
	code string
}

// glass is a transport that keeps what is sent, and answers nothing.
type glass struct{ request *http.Request }

// errSeen is how a call ends whose request was seen.
var errSeen = errors.New("seen")

func (g *glass) Do(r *http.Request) (*http.Response, error) {
	g.request = r
	body, err := wire.ReadBody(r, 1<<20)
	if err != nil {
		return nil, err
	}
	r.Body = wire.Whole(body)
	return nil, errSeen
}

// request is what the client sends for an operation.
func (c *completeness) request(operation string, in reflect.Type) *http.Request {
	g := &glass{}
	cfg := c.cfg
	cfg.HTTPClient = g
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	method := reflect.ValueOf(sample.NewClient(c.service.Name, cfg)).MethodByName(operation)
	input := sample.Filled(in)
	for i := -1; i < in.NumField() && g.request == nil; i++ {
		if i >= 0 && in.Field(i).IsExported() {
			// Some types have themselves among their members, and are never full.
			input.Elem().Field(i).SetZero()
		}
		// The answer is an error always: what counts is what was sent.
		method.Call([]reflect.Value{reflect.ValueOf(c.Context()), input})
		if g.request == nil && i >= 0 && in.Field(i).IsExported() {
			input.Elem().Field(i).Set(sample.Filled(in).Elem().Field(i))
		}
	}
	return g.request
}

func (c *completeness) try(operation string, in reflect.Type) {
	r := c.request(operation, in)
	if r == nil {
		c.Errorf("the client does not send %s", operation)
		return
	}
	if !slices.Contains(c.service.Operations, operation) {
		status, text := c.send(r, "")
		if status != http.StatusNotImplemented || !strings.Contains(strings.ToLower(text), strings.ToLower(operation)) || !c.inProtocol(text) {
			c.Errorf("%s: %d %s, want 501", operation, status, text)
		}
		c.unknown++
		return
	}
	c.members(r, operation, in, nil, nil)
}

// inProtocol tells whether an error is in the form of the service's protocol.
func (c *completeness) inProtocol(text string) bool {
	if c.service.Protocol == wire.Query {
		return strings.HasPrefix(text, "<ErrorResponse>") && strings.Contains(text, "<Code>")
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil || members["message"] == nil {
		return false
	}
	return c.service.Protocol == wire.RestJSON || members["__type"] != nil
}

// step is a member on the way to another one.
type step struct {
	name string
	kind reflect.Kind // of what it is in: a struct, a list or a map
}

// members sets each member of a struct that stands at a place of the input.
func (c *completeness) members(r *http.Request, operation string, typ reflect.Type, at []step, above []reflect.Type) {
	if slices.Contains(above, typ) {
		return
	}
	above = append(slices.Clone(above), typ)
	for i := range typ.NumField() {
		f := typ.Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" {
			continue
		}
		here := append(slices.Clone(at), step{c.service.Naming(typ.Name(), f.Name), reflect.Struct})
		t := f.Type
		refused, spared := c.isRefused(typ, f.Name)
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 || t.Kind() == reflect.Map {
			if t.Kind() != reflect.Pointer {
				here = append(here, step{"", t.Kind()})
			}
			t = t.Elem()
		}
		if refused {
			c.refuses(r, operation, here, t, spared)
			if spared != "" {
				c.takes(r, operation, here, spared)
			}
			continue
		}
		if t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() {
			c.members(r, operation, t, here, above)
			continue
		}
		c.takes(r, operation, here, valueOf(t))
	}
}

// isRefused tells whether the table refuses a member, and which value of it not.
func (c *completeness) isRefused(typ reflect.Type, field string) (refused bool, but string) {
	for _, r := range awsmodel.Refused(c.service.Name) {
		name, member, _ := strings.Cut(r, ".")
		member, value, _ := strings.Cut(member, "=")
		if member == field && (name == typ.Name() || slices.Contains(awsmodel.Own(name), typ.Name())) {
			return true, value
		}
	}
	return false, ""
}

// valueOf is a value of a type that looks valid.
func valueOf(t reflect.Type) any {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		if values := v.MethodByName("Values"); values.IsValid() {
			return values.Call(nil)[0].Index(0).String()
		}
		return "value"
	case reflect.Bool:
		return true
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return 1700000000
		}
		return map[string]any{"value": "value"}
	case reflect.Slice:
		return "dmFsdWU="
	case reflect.Interface:
		return map[string]any{"S": "value"}
	}
	return 1
}

func (c *completeness) refuses(r *http.Request, operation string, at []step, t reflect.Type, spared string) {
	c.refused++
	value := valueOf(t)
	if value == spared {
		value = "ANOTHER"
	}
	status, text := c.ask(r, at, value)
	if status != http.StatusBadRequest || !strings.Contains(c.code+text, c.service.InvalidCode) || !strings.Contains(text, path(at)) || !c.inProtocol(text) {
		c.Errorf("%s with %s: %d %s, want %s", operation, path(at), status, text, c.service.InvalidCode)
	}
}

func (c *completeness) takes(r *http.Request, operation string, at []step, value any) {
	status, text := c.ask(r, at, value)
	if status >= 500 || strings.Contains(text, "does not honour") {
		c.Errorf("%s with %s: %d %s", operation, path(at), status, text)
	}
}

// path is the last member's name: refusals name where it is.
func path(at []step) string {
	for _, s := range slices.Backward(at) {
		if s.name != "" {
			return s.name
		}
	}
	return ""
}

// ask sends the operation with just one member.
func (c *completeness) ask(r *http.Request, at []step, value any) (int, string) {
	if c.service.Protocol == wire.Query || r.Method == http.MethodDelete || r.Method == http.MethodGet {
		form := url.Values{}
		if c.service.Protocol == wire.Query {
			form.Set("Action", c.action(r))
		}
		name := make([]string, 0, len(at))
		for _, s := range at {
			switch s.kind {
			case reflect.Slice:
				name = append(name, "member", "1")
			case reflect.Map:
				form.Set(strings.Join(append(slices.Clone(name), "entry", "1", "key"), "."), "key")
				name = append(name, "entry", "1", "value")
			default:
				name = append(name, s.name)
			}
		}
		text := "value"
		switch v := value.(type) {
		case string:
			text = v
		case bool:
			text = "true"
		case int:
			text = "1"
		case map[string]any:
			name = append(name, "value")
		}
		form.Set(strings.Join(name, "."), text)
		if c.service.Protocol == wire.Query {
			return c.send(r, form.Encode())
		}
		changed := r.Clone(c.Context())
		changed.URL.RawQuery = form.Encode()
		return c.send(changed, "")
	}
	for _, s := range slices.Backward(at) {
		switch s.kind {
		case reflect.Slice:
			value = []any{value}
		case reflect.Map:
			value = map[string]any{"key": value}
		default:
			value = map[string]any{s.name: value}
		}
	}
	body, err := json.Marshal(value)
	if err != nil {
		c.Fatal(err)
	}
	return c.send(r, string(body))
}

// action is the operation that a recorded request of a query service names.
func (c *completeness) action(r *http.Request) string {
	text, err := wire.ReadBody(r, 1<<20)
	if err != nil {
		c.Fatal(err)
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		c.Fatal(err)
	}
	return form.Get("Action")
}

// send sends a recorded request, with another body unless that is empty, signed anew.
func (c *completeness) send(recorded *http.Request, body string) (status int, text string) {
	r, err := http.NewRequestWithContext(c.Context(), recorded.Method, recorded.URL.String(), strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	for _, name := range []string{"Content-Type", "X-Amz-Target"} {
		if v := recorded.Header.Get(name); v != "" {
			r.Header.Set(name, v)
		}
	}
	if body == "" && c.service.Protocol == wire.Query {
		return c.send(recorded, "Action="+c.action(recorded))
	}
	keys, err := c.cfg.Credentials.Retrieve(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(c.Context(), keys, r, hex.EncodeToString(sum[:]), c.service.Signing, "us-east-1", time.Now()); err != nil {
		c.Fatal(err)
	}
	resp, err := c.cfg.HTTPClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	c.code = resp.Header.Get("X-Amzn-Errortype")
	return resp.StatusCode, string(answer)
}
