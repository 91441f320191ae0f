package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxExpires = 7 * 24 * time.Hour
	// A presigned STS request need not say how long it is valid.
	defaultExpires = 15 * time.Minute
)

// Parse reads the signature of r from its Authorization header or from its query
// string. The result claims what it says; [Verify] proves it.
func Parse(r *http.Request) (*Credential, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		// Not a reason to refuse a request whose signature is in its header:
		// canonicalQuery has the last word on the query string.
		query = url.Values{}
	}
	headers := r.Header.Values("Authorization")
	presigned := SignedV2(query) || query.Has("X-Amz-Algorithm") || query.Has("X-Amz-Signature") || query.Has("X-Amz-Credential")
	switch {
	case len(headers) > 1:
		return nil, &MalformedError{Part: "Authorization", Problem: "given more than once"}
	case len(headers) == 1 && presigned:
		return nil, &MalformedError{Part: "Authorization", Problem: "given beside a presigned query string"}
	case len(headers) == 1:
		return parseHeader(r, headers[0])
	case SignedV2(query) && (query.Has("X-Amz-Algorithm") || query.Has("X-Amz-Signature")):
		return nil, &MalformedError{Part: "query string", Problem: "it has signatures of two versions"}
	case SignedV2(query):
		return parseQueryV2(query)
	case presigned:
		return parseQuery(query)
	}
	return nil, ErrMissing
}

func parseHeader(r *http.Request, header string) (*Credential, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if scheme != algorithm {
		return nil, &MalformedError{Part: "Authorization", Problem: "not " + algorithm}
	}
	parts := make(map[string]string, 3)
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := parts[name]; !ok || twice {
			return nil, &MalformedError{Part: "Authorization", Problem: "not a list of distinct name=value"}
		}
		parts[name] = value
	}
	c := &Credential{SecurityToken: r.Header.Get("X-Amz-Security-Token")}
	if err := c.setParts(parts["Credential"], parts["SignedHeaders"], parts["Signature"]); err != nil {
		return nil, err
	}
	if date := r.Header.Get("X-Amz-Date"); date != "" {
		return c, c.setTime(date)
	}
	t, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return nil, &MalformedError{Part: "date", Problem: "neither X-Amz-Date nor Date gives a time"}
	}
	if !slices.Contains(c.SignedHeaders, "date") {
		return nil, &UnsignedHeaderError{Header: "date"}
	}
	return c, c.setTime(t.UTC().Format(timeFormat))
}

func parseQuery(query url.Values) (*Credential, error) {
	for name, values := range query {
		if strings.HasPrefix(name, "X-Amz-") && len(values) > 1 {
			return nil, &MalformedError{Part: name, Problem: "given more than once"}
		}
	}
	if query.Get("X-Amz-Algorithm") != algorithm {
		return nil, &MalformedError{Part: "X-Amz-Algorithm", Problem: "not " + algorithm}
	}
	c := &Credential{Presigned: true, Expires: defaultExpires, SecurityToken: query.Get("X-Amz-Security-Token")}
	if err := c.setParts(query.Get("X-Amz-Credential"), query.Get("X-Amz-SignedHeaders"), query.Get("X-Amz-Signature")); err != nil {
		return nil, err
	}
	if query.Has("X-Amz-Expires") || c.s3() {
		n, err := strconv.ParseUint(query.Get("X-Amz-Expires"), 10, 32)
		c.Expires = time.Duration(n) * time.Second
		if err != nil || n == 0 || c.Expires > maxExpires {
			return nil, &MalformedError{Part: "X-Amz-Expires", Problem: "not between 1 and 604800 seconds"}
		}
	}
	return c, c.setTime(query.Get("X-Amz-Date"))
}

// setParts reads the three parts that both forms have.
func (c *Credential) setParts(credential, signedHeaders, signature string) error {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[4] != terminator || slices.Contains(scope, "") {
		return &MalformedError{Part: "Credential", Problem: "not key/date/region/service/" + terminator}
	}
	c.AccessKeyID, c.Date, c.Region, c.Service = scope[0], scope[1], scope[2], scope[3]

	c.SignedHeaders = strings.Split(signedHeaders, ";")
	for i, name := range c.SignedHeaders {
		if name == "" || name != strings.ToLower(name) || i > 0 && name <= c.SignedHeaders[i-1] {
			return &MalformedError{Part: "SignedHeaders", Problem: "not an ordered list of lower-case names"}
		}
	}
	if !isHex256(signature) {
		return &MalformedError{Part: "Signature", Problem: "not 64 lower-case hexadecimal digits"}
	}
	c.Signature = signature
	return nil
}

func (c *Credential) setTime(date string) error {
	t, err := time.Parse(timeFormat, date)
	if err != nil {
		return &MalformedError{Part: "X-Amz-Date", Problem: "not of the form " + timeFormat}
	}
	if t.Format("20060102") != c.Date {
		return &MalformedError{Part: "Credential", Problem: "its date is not the request's"}
	}
	c.Time = t
	return nil
}
