package s3

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel"
	"github.com/lakemesh/lakemesh/localmesh/internal/sigv4"
)

// address tells which bucket and key a request is about: from the host name
// (bucket.localhost, bucket.s3.eu-west-1.amazonaws.com,
// bucket.s3.cn-north-1.amazonaws.com.cn) or from the path.
func address(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if bucket = hostBucket(host(r)); bucket != "" {
		return bucket, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

func host(r *http.Request) string {
	h := r.Host
	if h == "" {
		h = r.URL.Host
	}
	if name, _, err := net.SplitHostPort(h); err == nil {
		h = name
	}
	return strings.ToLower(h)
}

// hostBucket returns the bucket in front of a host name, or nothing.
func hostBucket(host string) string {
	for _, base := range []string{"localhost", "127.0.0.1"} {
		if prefix, ok := strings.CutSuffix(host, "."+base); ok {
			return withoutService(prefix)
		}
	}
	prefix, ok := strings.CutSuffix(host, "."+lakemesh.PartitionChina.DNSSuffix())
	if !ok {
		prefix, ok = strings.CutSuffix(host, "."+lakemesh.PartitionAWS.DNSSuffix())
	}
	if !ok {
		return ""
	}
	// bucket.s3, bucket.s3.region, and the same without a bucket.
	labels := strings.Split(prefix, ".")
	for i := len(labels) - 1; i >= max(0, len(labels)-3); i-- {
		if labels[i] == "s3" || strings.HasPrefix(labels[i], "s3-") {
			return strings.Join(labels[:i], ".")
		}
	}
	return ""
}

func withoutService(prefix string) string {
	if prefix == "s3" {
		return ""
	}
	return strings.TrimSuffix(prefix, ".s3")
}

// resolve finds the operation from the method, the path, the query string and the
// headers: it is the one of S3's model that has the most of its own parameters in the
// request. What is left over is a parameter of another operation, and then the request
// is for none of those: it must never be taken for the plain one.
func resolve(r *http.Request) string {
	bucket, key := address(r)
	level := awsmodel.OnObject
	switch {
	case bucket == "":
		level = awsmodel.OnService
	case key == "":
		level = awsmodel.OnBucket
	}
	q := r.URL.Query()
	h := headers(r)
	if h.Get("X-Amz-Account-Id") != "" {
		// S3 Control has the same signing name, and an account where S3 has a bucket.
		return "S3 Control: " + r.Method + " " + r.URL.Path
	}
	if isPostForm(r) && level == awsmodel.OnBucket && len(q) == 0 {
		return postObjectName
	}
	var best *awsmodel.S3Operation
	all := awsmodel.S3()
	for i := range all {
		o := &all[i]
		if o.Method == r.Method && o.Level == level && asked(o, q) && (best == nil || closer(o, best, q, h)) {
			best = o
		}
	}
	if best == nil {
		return plain(r.Method, level, q)
	}
	for name := range q {
		if !ignored(q, name) && !taken(best, name) {
			return plain(r.Method, level, q)
		}
	}
	return best.Name
}

// asked tells whether a request has all that an operation always has in its query string.
func asked(o *awsmodel.S3Operation, q url.Values) bool {
	for _, p := range o.Query {
		name, value, valued := strings.Cut(p, "=")
		if !q.Has(name) || valued && q.Get(name) != value {
			return false
		}
	}
	return true
}

// closer tells whether an operation fits a request better than another that fits, too.
func closer(o, than *awsmodel.S3Operation, q url.Values, h http.Header) bool {
	if len(o.Query) != len(than.Query) {
		return len(o.Query) > len(than.Query)
	}
	if a, b := headed(o, h), headed(than, h); a != b {
		return a > b
	}
	return q.Get("x-id") == o.Name
}

// headed is how many headers of an operation's own a request has; -1 if it lacks one.
func headed(o *awsmodel.S3Operation, h http.Header) int {
	for _, name := range o.Header {
		if h.Get(name) == "" {
			return -1
		}
	}
	return len(o.Header)
}

// taken tells whether a parameter is one of an operation's.
func taken(o *awsmodel.S3Operation, name string) bool {
	return slices.ContainsFunc(o.Query, func(p string) bool { n, _, _ := strings.Cut(p, "="); return n == name }) ||
		slices.ContainsFunc(o.Members, func(m awsmodel.Member) bool { return m.Place == awsmodel.InQuery && m.At == name })
}

// ignored tells whether a parameter is about the request as a whole: its signature, the
// name that a client gives the operation, and what AWS lets everybody add for the logs
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html#LogFormatCustom).
func ignored(q url.Values, name string) bool {
	return strings.HasPrefix(strings.ToLower(name), "x-") || sigv4.SignedV2(q) && sigv4.OfSignatureV2(name)
}

// plain names a request that is for none of S3's operations.
func plain(method string, level awsmodel.Level, q url.Values) string {
	name := method + " on " + [...]string{"the service", "a bucket", "an object"}[level]
	var rest []string
	for _, p := range slices.Sorted(maps.Keys(q)) {
		if !ignored(q, p) {
			rest = append(rest, p)
		}
	}
	if len(rest) > 0 {
		name += " with " + strings.Join(rest, ", ")
	}
	return name
}
