package differential

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/localmesh"
)

// tee is the HTTP client of the SDK clients of a test. It sends each request to
// the local mesh, and the same one to moto's server with moto's keys of the same
// principal; the clients get the mesh's answer, the comparison gets both.
type tee struct {
	t        *testing.T
	mesh     *localmesh.Mesh
	inner    aws.HTTPClient
	endpoint string
	known    *motoList

	// mu makes the order of the requests the same for both.
	mu sync.Mutex
	// keys are moto's access keys for those of the mesh, and accounts the accounts
	// of these.
	keys, accounts map[string]string
	// compared counts the requests by operation.
	compared map[string]int
}

// exchange is a request and what both answered.
type exchange struct {
	// Operation is "iam:CreateRole".
	Operation string
	// Account is who asks.
	Account string
	// Request is the payload.
	Request     string
	mesh, other reply
}

// reply is an HTTP answer in a form that can be compared.
type reply struct {
	Status int
	Code   string `json:",omitempty"`
	Output any    `json:",omitempty"`
}

func newTee(t *testing.T, known *motoList) *tee {
	t.Helper()
	mesh := localmesh.Run(t)
	return &tee{t: t, mesh: mesh, endpoint: startMoto(t), known: known, keys: map[string]string{}, accounts: map[string]string{}, compared: map[string]int{},
		inner: mesh.Config("arn:aws:iam::111111111111:root").HTTPClient}
}

// config is the configuration of clients of a principal of the mesh, whose role
// moto assumes, too.
func (x *tee) config(account, role string) aws.Config {
	x.t.Helper()
	arn := "arn:aws:iam::" + account + ":role/" + role
	cfg := x.mesh.Config(arn)
	creds, err := cfg.Credentials.Retrieve(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	out, err := sts.NewFromConfig(foreign(x.endpoint, http.DefaultClient)).AssumeRole(x.t.Context(), &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("local")})
	if err != nil {
		x.t.Fatal(err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.keys[creds.AccessKeyID] = aws.ToString(out.Credentials.AccessKeyId)
	x.accounts[creds.AccessKeyID] = account
	cfg.HTTPClient = x
	return cfg
}

// unlike says of services that moto does not have, or has without what makes them
// useful, that their calls go to the mesh alone.
func unlike(service string) bool { return service == "lakeformation" || service == "ram" }

var scopePattern = regexp.MustCompile(`Credential=([^/]+)/[0-9]+/[^/]+/([^/]+)/aws4_request`)

// Do implements aws.HTTPClient.
func (x *tee) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := x.inner.Do(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))

	scope := scopePattern.FindStringSubmatch(r.Header.Get("Authorization"))
	if scope == nil || unlike(scope[2]) {
		return resp, nil
	}
	e := exchange{Operation: scope[2] + ":" + operation(scope[2], r, body), Account: x.accounts[scope[1]], Request: string(body)}
	e.mesh = x.reply(e.Operation, resp.StatusCode, answer)
	other, err := x.other(r, scope[1], body)
	if err != nil {
		return nil, err
	}
	defer other.Body.Close()
	otherAnswer, err := io.ReadAll(other.Body)
	if err != nil {
		return nil, err
	}
	e.other = x.reply(e.Operation, other.StatusCode, otherAnswer)
	if e.Operation == "sts:AssumeRole" && resp.StatusCode == http.StatusOK {
		key := element(answer, "AccessKeyId")
		x.keys[key] = element(otherAnswer, "AccessKeyId")
		x.accounts[key], _, _ = strings.Cut(strings.TrimPrefix(element(answer, "Arn"), "arn:aws:sts::"), ":")
	}
	x.compare(e)
	return resp, nil
}

// other sends the request to moto, which checks no signature, but takes the
// account from the access key.
func (x *tee) other(r *http.Request, key string, body []byte) (*http.Response, error) {
	to := x.endpoint + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	copied, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	copied.Header = r.Header.Clone()
	copied.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Credential="+key+"/", "Credential="+x.keys[key]+"/", 1))
	copied.Header.Del("X-Amz-Security-Token")
	return http.DefaultClient.Do(copied)
}

func (x *tee) compare(e exchange) {
	x.compared[e.Operation]++
	if printed(e.mesh) == printed(e.other) || x.known.explains(e) {
		return
	}
	x.t.Errorf("%s is answered in another way (-mesh +moto)\n  %s\n%s", e.Operation, e.Request, gocmp.Diff(e.mesh, e.other))
}

// operation names the operation of a request.
func operation(service string, r *http.Request, body []byte) string {
	switch service {
	case "sts", "iam":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return "(unreadable)"
		}
		return form.Get("Action")
	case "s3":
		what := "Bucket"
		if strings.Contains(strings.Trim(r.URL.Path, "/"), "/") {
			what = "Object"
		}
		for _, part := range []string{"policy", "policyStatus", "location"} {
			if r.URL.Query().Has(part) {
				what = part
			}
		}
		return r.Method + " " + what
	default:
		_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		return name
	}
}

func (x *tee) reply(operation string, status int, body []byte) reply {
	a := reply{Status: status}
	service, name, _ := strings.Cut(operation, ":")
	switch {
	case service == "s3" && strings.HasSuffix(name, "Object"):
		a.Code = element(body, "Code")
		return a
	case len(body) == 0:
		return a
	case service == "s3" && status == http.StatusOK && strings.HasSuffix(name, "policy"):
		a.Output = document(string(body))
		return a
	case service == "s3", service == "iam", service == "sts":
		if status >= http.StatusMultipleChoices {
			a.Code = element(body, "Code")
			return a
		}
		a.Output = xmlTree(body)
	default:
		var fields map[string]any
		if err := json.Unmarshal(body, &fields); err != nil {
			a.Code = "(not JSON)"
			return a
		}
		if status >= http.StatusMultipleChoices {
			code, _ := fields["__type"].(string)
			a.Code = code[strings.LastIndex(code, "#")+1:]
			return a
		}
		a.Output = normal(fields)
	}
	return a
}

// volatile are members that are made up by each server, or tell its time.
var volatile = []string{
	"RequestId", "ResponseMetadata", "RoleId", "UserId", "GroupId", "PolicyId", "AssumedRoleId", "Credentials", "CreateDate", "UpdateDate", "PasswordLastUsed",
	"CreateTime", "UpdateTime", "CreationTime", "LastUpdated", "RoleLastUsed", "LastAccessTime", "CreationDateTime", "TableId", "CreationDate", "AccessKeyId", "SecretAccessKey",
	"LatestStreamArn", "LatestStreamLabel", "LastUpdateToPayPerRequestDateTime", "TableStatus", "IndexStatus", "ItemCount", "TableSizeBytes", "IndexSizeBytes",
	"PolicyHash", "LastModifiedTime", "PackedPolicySize",
}

// normal takes off what differs by nature, puts lists into an order that their
// contents decide, and spells policies in one way.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		clean := map[string]any{}
		for name, inner := range v {
			if slices.Contains(volatile, name) {
				continue
			}
			if n := normal(inner); n != nil {
				clean[name] = n
			}
		}
		return clean
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = normal(v[i])
		}
		slices.SortFunc(list, func(a, b any) int { return cmp.Compare(printed(a), printed(b)) })
		return list
	case string:
		return document(v)
	}
	return v
}

// document is the policy that a text holds, or the text.
func document(text string) any {
	for _, candidate := range []func(string) (string, error){func(s string) (string, error) { return s, nil }, url.QueryUnescape} {
		plain, err := candidate(text)
		if err != nil || !strings.HasPrefix(strings.TrimSpace(plain), "{") {
			continue
		}
		var policy any
		if json.Unmarshal([]byte(plain), &policy) == nil {
			return normal(policy)
		}
	}
	return text
}

var elementPattern = map[string]*regexp.Regexp{
	"Code": regexp.MustCompile(`<Code>([^<]*)</Code>`), "Arn": regexp.MustCompile(`<Arn>([^<]*)</Arn>`), "AccessKeyId": regexp.MustCompile(`<AccessKeyId>([^<]*)</AccessKeyId>`),
}

// element is the text of the first element of the name.
func element(body []byte, name string) string {
	if m := elementPattern[name].FindSubmatch(body); m != nil {
		return string(m[1])
	}
	return ""
}

// xmlTree makes maps and lists of an XML answer: an element with several children
// of one name, or with one named "member", is a list.
func xmlTree(body []byte) any {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return fmt.Sprintf("(unreadable XML: %v)", err)
		}
		if start, ok := token.(xml.StartElement); ok {
			v, err := xmlElement(d, start)
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Sprintf("(unreadable XML: %v)", err)
			}
			return normal(v)
		}
	}
}

func xmlElement(d *xml.Decoder, _ xml.StartElement) (any, error) {
	fields := map[string]any{}
	var content strings.Builder
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			v, err := xmlElement(d, token)
			if err != nil {
				return nil, err
			}
			name := token.Name.Local
			switch before := fields[name].(type) {
			case nil:
				if name == "member" || name == "Contents" {
					fields[name] = []any{v}
				} else {
					fields[name] = v
				}
			case []any:
				fields[name] = append(before, v)
			default:
				fields[name] = []any{before, v}
			}
		case xml.CharData:
			content.Write(token)
		case xml.EndElement:
			if len(fields) == 0 {
				// Nothing, an empty list and an empty text look the same.
				if text := strings.TrimSpace(content.String()); text != "" {
					return text, nil
				}
				return nil, nil
			}
			return fields, nil
		}
	}
}
