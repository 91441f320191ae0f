package sigv4

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html

import (
	"crypto/hmac"
	"crypto/sha1" // Signature Version 2 is made with it.
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SignedV2 tells whether a query string carries a signature of Version 2, which
// boto3 and the AWS CLI make for the addresses of S3 that they presign for an endpoint
// of one's own.
func SignedV2(q url.Values) bool { return q.Has("AWSAccessKeyId") || q.Has("Signature") }

// OfSignatureV2 tells whether a parameter is part of a signature of Version 2. The two
// headers stand in the query string where a client expects that nobody sends them.
func OfSignatureV2(name string) bool {
	switch name {
	case "AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5":
		return true
	}
	return false
}

// OfSignature tells whether a parameter is part of a signature of Version 4.
func OfSignature(name string) bool {
	switch strings.ToLower(name) {
	case "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature",
		"x-amz-security-token", "x-amz-content-sha256":
		return true
	}
	return false
}

// A NotCoveredError tells that a parameter which tells operations apart is not among
// those that a signature of Version 2 covers.
type NotCoveredError struct {
	// Parameter is its name.
	Parameter string
}

// Error implements error.
func (e *NotCoveredError) Error() string {
	return "the parameter " + strconv.Quote(e.Parameter) + " is not covered by a signature of version 2. Please use AWS4-HMAC-SHA256."
}

// parseQueryV2 reads a signature of Version 2 from a query string.
func parseQueryV2(query url.Values) (*Credential, error) {
	for name, values := range query {
		if (OfSignatureV2(name) || strings.HasPrefix(strings.ToLower(name), "x-amz-")) && len(values) > 1 {
			return nil, &MalformedError{Part: name, Problem: "given more than once"}
		}
	}
	c := &Credential{V2: true, Presigned: true, Service: "s3", AccessKeyID: query.Get("AWSAccessKeyId"), Signature: query.Get("Signature")}
	for name, values := range query {
		if strings.EqualFold(name, "x-amz-security-token") {
			c.SecurityToken = values[0]
		}
	}
	if c.AccessKeyID == "" || c.Signature == "" {
		return nil, &MalformedError{Part: "query string", Problem: "AWSAccessKeyId, Signature and Expires belong together"}
	}
	at, err := strconv.ParseInt(query.Get("Expires"), 10, 64)
	if err != nil || at < 0 || at > 1<<40 {
		return nil, &MalformedError{Part: "Expires", Problem: "not a number of seconds"}
	}
	c.Time = time.Unix(at, 0)
	return c, nil
}

// VerifyV2 checks that r was signed by the holder of secret with Version 2, and that it
// has not expired. bucket is the one that the host name names, if it does.
func VerifyV2(r *http.Request, c *Credential, secret, bucket string, now time.Time) error {
	paths := []string{r.URL.EscapedPath()}
	if paths[0] == "" {
		paths[0] = "/"
	}
	if bucket != "" {
		paths[0] = "/" + bucket + paths[0]
	} else if strings.Count(paths[0], "/") == 1 && paths[0] != "/" {
		// Some clients sign a bucket's path as it would be behind its host name.
		paths = append(paths, paths[0]+"/")
	}
	matches := false
	for _, path := range paths {
		text, err := stringToSignV2(r, path)
		if err != nil {
			return err
		}
		matches = matches || hmac.Equal([]byte(signV2(secret, text)), []byte(c.Signature))
	}
	if !matches {
		return ErrMismatch
	}
	if now.After(c.Time) {
		return &ExpiredError{At: c.Time}
	}
	return nil
}

func signV2(secret, text string) string {
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// coveredV2 tells whether a parameter goes into the signature.
func coveredV2(name string) bool {
	switch name {
	case "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location", "logging", "metrics",
		"notification", "object-lock", "partNumber", "policy", "replication", "requestPayment", "restore", "select", "select-type", "storageClass",
		"tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
		"response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
		"response-content-type", "response-expires":
		return true
	}
	return false
}

// harmless tells whether a parameter may go without being covered: those that choose the
// page of a listing, which Version 2 never covered, and those that S3 ignores.
func harmless(name string) bool {
	switch name {
	case "continuation-token", "delimiter", "encoding-type", "fetch-owner", "key-marker", "list-type", "marker", "max-keys", "max-parts", "max-uploads",
		"part-number-marker", "prefix", "start-after", "upload-id-marker", "version-id-marker":
		return true
	}
	return strings.HasPrefix(name, "x-") && !strings.HasPrefix(name, "x-amz-")
}

func stringToSignV2(r *http.Request, path string) (string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", &MalformedError{Part: "query string", Problem: "a broken percent-encoding"}
	}
	standard := func(name string) string {
		if v := r.Header.Get(name); v != "" {
			return v
		}
		return query.Get(name)
	}
	// In the query string they stand for headers.
	amz := map[string]string{}
	for name, values := range query {
		if strings.HasPrefix(strings.ToLower(name), "x-amz-") {
			amz[strings.ToLower(name)] = strings.TrimSpace(values[0])
		} else if !OfSignatureV2(name) && !coveredV2(name) && !harmless(name) {
			return "", &NotCoveredError{Parameter: name}
		}
	}
	for name, values := range r.Header {
		lower := strings.ToLower(name)
		if !strings.HasPrefix(lower, "x-amz-") {
			continue
		}
		if _, twice := amz[lower]; twice {
			return "", &MalformedError{Part: lower, Problem: "given in a header and in the query string"}
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.TrimSpace(v)
		}
		amz[lower] = strings.Join(trimmed, ",")
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	var b strings.Builder
	for _, line := range []string{method, standard("content-md5"), standard("content-type"), query.Get("Expires")} {
		b.WriteString(line + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(amz)) {
		b.WriteString(name + ":" + amz[name] + "\n")
	}
	resource, err := canonicalResourceV2(path, r.URL.RawQuery)
	return b.String() + resource, err
}

// canonicalResourceV2 is the path with the covered parameters as they mean.
func canonicalResourceV2(path, rawQuery string) (string, error) {
	var covered []string
	for part := range strings.SplitSeq(rawQuery, "&") {
		name, value, valued := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return "", &MalformedError{Part: "query string", Problem: "a broken percent-encoding"}
		}
		if !coveredV2(name) {
			continue
		}
		if value, err = url.PathUnescape(value); err != nil {
			return "", &MalformedError{Part: "query string", Problem: "a broken percent-encoding"}
		}
		if valued {
			name += "=" + value
		}
		covered = append(covered, name)
	}
	slices.SortStableFunc(covered, func(a, b string) int {
		a, _, _ = strings.Cut(a, "=")
		b, _, _ = strings.Cut(b, "=")
		return strings.Compare(a, b)
	})
	if len(covered) > 0 {
		path += "?" + strings.Join(covered, "&")
	}
	return path, nil
}
