package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest writes r in the one form that both sides sign.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func canonicalRequest(r *http.Request, c *Credential, payloadHash string) (string, error) {
	path, err := canonicalPath(r.URL, c.s3())
	if err != nil {
		return "", err
	}
	query, err := canonicalQuery(r.URL.RawQuery, c.Presigned)
	if err != nil {
		return "", err
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	var b strings.Builder
	for _, line := range []string{method, path, query} {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	for _, name := range c.SignedHeaders {
		values := headerValues(r, name)
		if values == nil {
			return "", ErrMismatch // a header was signed and has been taken away
		}
		b.WriteString(name)
		b.WriteByte(':')
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(squeeze(v))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(c.SignedHeaders, ";"))
	b.WriteByte('\n')
	b.WriteString(payloadHash)
	return b.String(), nil
}

// headerValues returns the values of a header, some of which net/http keeps
// outside of the header map.
func headerValues(r *http.Request, name string) []string {
	switch name {
	case "host":
		if r.Host != "" {
			return []string{r.Host}
		}
		return []string{r.URL.Host} // a client's request that never left the process
	case "content-length":
		if v := r.Header.Values(name); len(v) > 0 {
			return v
		}
		return []string{strconv.FormatInt(max(r.ContentLength, 0), 10)}
	case "transfer-encoding":
		return r.TransferEncoding
	}
	if v := r.Header.Values(name); len(v) > 0 {
		return v
	}
	var values []string
	for k, v := range r.Header { // in process, names may not be in their canonical case
		if strings.EqualFold(k, name) {
			values = append(values, v...)
		}
	}
	return values
}

// squeeze trims s and makes every run of spaces one.
func squeeze(s string) string {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "  ") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] != ' ' || s[i-1] != ' ' {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// canonicalPath encodes the path once for S3. All others sign the path
// normalized and encoded twice, which is once more than it was sent.
func canonicalPath(u *url.URL, s3 bool) (string, error) {
	sent := u.EscapedPath()
	if sent == "" {
		return "/", nil
	}
	segments := strings.Split(sent, "/")
	if !s3 {
		segments = withoutDots(segments)
	}
	for i, s := range segments {
		// However the client spelled it on the wire, it signed it encoded in full.
		plain, err := url.PathUnescape(s)
		if err != nil {
			return "", &MalformedError{Part: "path", Problem: "a broken percent-encoding"}
		}
		segments[i] = uriEncode(plain)
		if !s3 {
			segments[i] = uriEncode(segments[i])
		}
	}
	return strings.Join(segments, "/"), nil
}

// withoutDots removes empty, "." and ".." segments, and keeps a trailing slash.
func withoutDots(segments []string) []string {
	out := []string{""}
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "..":
			if len(out) > 1 {
				out = out[:len(out)-1]
			}
		case s != "" && s != ".":
			out = append(out, s)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	if len(out) == 1 {
		out = append(out, "")
	}
	return out
}

// canonicalQuery sorts the parameters by their encoded names and values. A
// parameter without a value ("?policy") is signed as one with an empty value.
func canonicalQuery(raw string, presigned bool) (string, error) {
	type param struct{ name, value string }
	var params []param
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return "", &MalformedError{Part: "query string", Problem: "a broken percent-encoding"}
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return "", &MalformedError{Part: "query string", Problem: "a broken percent-encoding"}
		}
		if presigned && name == "X-Amz-Signature" {
			continue
		}
		params = append(params, param{uriEncode(name), uriEncode(value)})
	}
	slices.SortFunc(params, func(a, b param) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		b.WriteByte('=')
		b.WriteString(p.value)
	}
	return b.String(), nil
}

// uriEncode encodes every byte but the unreserved ones of RFC 3986.
func uriEncode(s string) string {
	const upperHex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9',
			c == '-', c == '.', c == '_', c == '~':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String()
}
