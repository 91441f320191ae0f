package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"go/format"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel"
	"github.com/lakemesh/lakemesh/localmesh/internal/awsmodel/sample"
)

// errSent is how a call ends whose request was seen.
var errSent = errors.New("seen")

// glass is a transport that keeps what it is given.
type glass struct {
	request *http.Request
	body    []byte
}

// Do implements s3.HTTPClient.
func (g *glass) Do(r *http.Request) (*http.Response, error) {
	g.request = r
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		g.body = body
	}
	return nil, errSent
}

// show calls an operation and returns what it sent; nil if the client refused.
func show(operation string, in reflect.Value) *glass {
	g := &glass{}
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://localhost"), UsePathStyle: true, HTTPClient: g,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), Retryer: aws.NopRetryer{},
		DisableS3ExpressSessionAuth: aws.Bool(true),
		RequestChecksumCalculation:  aws.RequestChecksumCalculationWhenRequired,
	})
	// The answer is an error always: what counts is whether something was sent.
	reflect.ValueOf(client).MethodByName(operation).Call([]reflect.Value{reflect.ValueOf(context.Background()), in})
	if g.request == nil {
		return nil
	}
	return g
}

func s3Table() ([]byte, error) {
	inputs := sample.Operations(sample.Clients()["s3"])
	var b bytes.Buffer
	b.WriteString(header + "var s3Operations = []S3Operation{\n")
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		o, ok, err := s3Operation(name, inputs[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "{Name: %q, Method: %q, Level: %s", o.Name, o.Method, [...]string{"OnService", "OnBucket", "OnObject"}[o.Level])
		if len(o.Query) > 0 {
			fmt.Fprintf(&b, ", Query: %#v", o.Query)
		}
		if len(o.Header) > 0 {
			fmt.Fprintf(&b, ", Header: %#v", o.Header)
		}
		b.WriteString(", Members: []Member{\n")
		for _, m := range o.Members {
			place := [...]string{"InQuery", "InHeader", "InPrefixedHeaders", "InBody"}[m.Place]
			fmt.Fprintf(&b, "{%q, %s, %q},\n", m.Name, place, m.At)
		}
		b.WriteString("}")
		if len(o.Elements) > 0 {
			fmt.Fprintf(&b, ", Elements: %#v", o.Elements)
		}
		b.WriteString("},\n")
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

// elsewhere are operations that are sent to other hosts than S3's, signed for other
// services; they cannot arrive.
func elsewhere() []string { return []string{"WriteGetObjectResponse"} }

// s3Operation sees what an operation always has, and where each member goes.
func s3Operation(name string, in reflect.Type) (awsmodel.S3Operation, bool, error) {
	o := awsmodel.S3Operation{Name: name}
	if slices.Contains(elsewhere(), name) {
		return o, false, nil
	}
	full := show(name, sample.Filled(in))
	if full == nil {
		return o, false, errors.New("the client refuses it with all members set")
	}
	o.Elements = elements(full.body)
	var required []string
	for i := range in.NumField() {
		f := in.Field(i)
		if !f.IsExported() {
			continue
		}
		without := sample.Filled(in)
		without.Elem().Field(i).SetZero()
		if show(name, without) == nil {
			required = append(required, f.Name)
		}
	}
	least := show(name, sample.With(in, required...))
	if least == nil {
		return o, false, errors.New("the client refuses it without its optional members")
	}
	o.Method = least.request.Method
	switch path := strings.Trim(least.request.URL.Path, "/"); path {
	case "":
		o.Level = awsmodel.OnService
	case "bucket":
		o.Level = awsmodel.OnBucket
	case "bucket/key":
		o.Level = awsmodel.OnObject
	default:
		return o, false, fmt.Errorf("path %q", path)
	}
	inRequired, err := members(name, in, required, required)
	if err != nil {
		return o, false, err
	}
	for key, values := range least.request.URL.Query() {
		switch {
		case key == "x-id":
		case at(inRequired, awsmodel.InQuery, key) || values[0] == "":
			o.Query = append(o.Query, key)
		default:
			o.Query = append(o.Query, key+"="+values[0])
		}
	}
	slices.Sort(o.Query)
	for _, m := range inRequired {
		if m.Place == awsmodel.InHeader {
			o.Header = append(o.Header, m.At)
		}
	}
	slices.Sort(o.Header)
	var rest []string
	for i := range in.NumField() {
		if f := in.Field(i); f.IsExported() && !slices.Contains(required, f.Name) {
			rest = append(rest, f.Name)
		}
	}
	optional, err := members(name, in, required, rest)
	if err != nil {
		return o, false, err
	}
	o.Members = slices.Concat(inRequired, optional)
	slices.SortFunc(o.Members, func(a, b awsmodel.Member) int { return strings.Compare(a.Name, b.Name) })
	return o, true, nil
}

func at(members []awsmodel.Member, place awsmodel.Place, name string) bool {
	return slices.ContainsFunc(members, func(m awsmodel.Member) bool { return m.Place == place && m.At == name })
}

// members tells where each of the named members goes: it is what a request has that a
// request with another value of it has not.
func members(operation string, in reflect.Type, required, names []string) ([]awsmodel.Member, error) {
	var found []awsmodel.Member
	for _, name := range names {
		if name == "Bucket" || name == "Key" {
			continue
		}
		one := sample.With(in, append(slices.Clone(required), name)...)
		// An optional member is compared with none, a required one with another value of it.
		before, after := show(operation, sample.With(in, required...)), show(operation, one)
		if slices.Contains(required, name) {
			sample.Change(one.Elem().FieldByName(name))
			after = show(operation, one)
		}
		if before == nil || after == nil {
			return nil, fmt.Errorf("%s is refused by the client", name)
		}
		m, ok := difference(name, before, after)
		if !ok {
			return nil, fmt.Errorf("%s is nowhere", name)
		}
		m.Name = name
		found = append(found, m)
	}
	return found, nil
}

// bySDK are headers that differ from request to request.
func bySDK(name string) bool {
	switch name {
	case "Authorization", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "X-Amz-Date", "X-Amz-Content-Sha256", "User-Agent", "Content-Length",
		"Accept-Encoding", "Content-Md5":
		return true
	}
	return false
}

func difference(name string, before, after *glass) (awsmodel.Member, bool) {
	was, is := before.request.URL.Query(), after.request.URL.Query()
	for _, key := range slices.Sorted(maps.Keys(is)) {
		if !slices.Equal(was[key], is[key]) {
			return awsmodel.Member{Place: awsmodel.InQuery, At: key}, true
		}
	}
	h, old := after.request.Header, before.request.Header
	// Naming an algorithm makes the client send the checksum as well.
	if named := "X-Amz-Sdk-Checksum-Algorithm"; name == "ChecksumAlgorithm" && h.Get(named) != old.Get(named) {
		return awsmodel.Member{Place: awsmodel.InHeader, At: strings.ToLower(named)}, true
	}
	for _, key := range slices.Sorted(maps.Keys(h)) {
		if slices.Equal(old[key], h[key]) || bySDK(key) || (key == "X-Amz-Client-Token" && name != "ClientToken") {
			continue
		}
		// A checksum follows its body.
		if strings.HasPrefix(key, "X-Amz-Checksum-") && !bytes.Equal(before.body, after.body) {
			continue
		}
		if prefix, ok := strings.CutSuffix(strings.ToLower(key), "entry"); ok {
			return awsmodel.Member{Place: awsmodel.InPrefixedHeaders, At: prefix}, true
		}
		// A body says its kind; its member stands in the body.
		if key != "Content-Type" || bytes.Equal(before.body, after.body) {
			return awsmodel.Member{Place: awsmodel.InHeader, At: strings.ToLower(key)}, true
		}
	}
	for _, key := range []string{"Content-Length", "Content-Md5"} {
		if bytes.Equal(before.body, after.body) && !slices.Equal(old[key], h[key]) {
			return awsmodel.Member{Place: awsmodel.InHeader, At: strings.ToLower(key)}, true
		}
	}
	if bytes.Equal(before.body, after.body) {
		if before.request.ContentLength != after.request.ContentLength {
			return awsmodel.Member{Place: awsmodel.InHeader, At: "content-length"}, true
		}
		return awsmodel.Member{}, false
	}
	return awsmodel.Member{Place: awsmodel.InBody, At: root(after.body)}, true
}

// elements are the names of the elements of a body in XML, without that of its root.
func elements(body []byte) []string {
	names := map[string]bool{}
	for d := xml.NewDecoder(bytes.NewReader(body)); ; {
		t, err := d.Token()
		if err != nil {
			// At its end, or because the body is none: an object's content.
			delete(names, root(body))
			return slices.Sorted(maps.Keys(names))
		}
		if e, ok := t.(xml.StartElement); ok {
			names[e.Name.Local] = true
		}
	}
}

// root is the name of the root element of a body in XML.
func root(body []byte) string {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		if e, ok := t.(xml.StartElement); ok {
			return e.Name.Local
		}
	}
}
