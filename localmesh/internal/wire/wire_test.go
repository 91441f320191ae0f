package wire_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

type color string

// A sample has a member of every kind.
type sample struct {
	Text    *string
	Plain   string
	Enum    color
	Flag    *bool
	On      bool
	Small   *int32
	Large   int64
	Count   uint16
	Real    *float64
	Float   float32
	At      *time.Time
	Blob    []byte
	Names   []string
	Lists   [][]string
	Subs    []sample
	Sub     *sample
	Enums   map[string]color
	ByColor map[color]*sample
	Raw     *shout
	Union   any
	Func    func()
}

// A shout reads and writes its own JSON.
type shout struct{ word string }

func (s shout) MarshalJSON() ([]byte, error) { return json.Marshal(strings.ToUpper(s.word)) }

func (s *shout) UnmarshalJSON(data []byte) error {
	var word string
	if err := json.Unmarshal(data, &word); err != nil {
		return err
	}
	if word != strings.ToUpper(word) {
		return errors.New("not loud")
	}
	s.word = strings.ToLower(word)
	return nil
}

func ptr[T any](v T) *T { return &v }

func samples() *rapid.Generator[sample] {
	text := rapid.String()
	enum := rapid.Map(rapid.SampledFrom([]string{"RED", "GREEN"}), func(s string) color { return color(s) })
	instant := rapid.Map(rapid.Int64Range(-62135596800000, 253402300799999), func(ms int64) time.Time { return time.UnixMilli(ms).UTC() })
	return rapid.Custom(func(t *rapid.T) sample {
		s := sample{
			Plain: text.Draw(t, "Plain"), On: rapid.Bool().Draw(t, "On"), Large: rapid.Int64().Draw(t, "Large"),
			Count: rapid.Uint16().Draw(t, "Count"), Float: rapid.Float32().Draw(t, "Float"),
		}
		if rapid.Bool().Draw(t, "full") {
			s.Text, s.Enum, s.Flag = ptr(text.Draw(t, "Text")), enum.Draw(t, "Enum"), ptr(rapid.Bool().Draw(t, "Flag"))
			s.Small, s.Real = ptr(rapid.Int32().Draw(t, "Small")), ptr(rapid.Float64().Draw(t, "Real"))
			s.At, s.Blob = ptr(instant.Draw(t, "At")), rapid.SliceOf(rapid.Byte()).Draw(t, "Blob")
			s.Names = rapid.SliceOf(text).Draw(t, "Names")
			s.Lists = rapid.SliceOfN(rapid.SliceOfN(text, 0, 2), 0, 2).Draw(t, "Lists")
			s.Enums = rapid.MapOf(text, enum).Draw(t, "Enums")
			s.Sub = &sample{Text: ptr(text.Draw(t, "Sub"))}
			s.Subs = []sample{{Enum: "RED"}, {Names: []string{}}}
		}
		return s
	})
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	for _, naming := range []wire.Naming{wire.AsIs, wire.LowerFirst} {
		codec := wire.NewCodec(naming)
		rapid.Check(t, func(rt *rapid.T) {
			want := samples().Draw(rt, "sample")
			data, err := codec.EncodeJSON(want)
			if err != nil {
				rt.Fatal(err)
			}
			if !json.Valid(data) {
				rt.Fatalf("not JSON: %s", data)
			}
			var got sample
			if err := codec.DecodeJSON(data, &got); err != nil {
				rt.Fatalf("%v\n%s", err, data)
			}
			if d := cmp.Diff(want, got, cmp.AllowUnexported(shout{}), cmp.Comparer(func(a, b func()) bool { return true })); d != "" {
				rt.Fatalf("%s\n%s", d, data)
			}
		})
	}
}

func TestEncodeJSON(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_700_000_000, 0)
	tests := []struct {
		name   string
		naming wire.Naming
		in     any
		want   string
	}{
		{"nothing", wire.AsIs, nil, `{}`},
		{"nil pointer", wire.AsIs, (*glue.GetTableOutput)(nil), `{}`},
		{"empty output", wire.AsIs, &glue.DeleteTableOutput{}, `{}`},
		{"zero values of scalars stay", wire.AsIs, gluetypes.Table{Name: ptr("t")}, `{"Name":"t","IsRegisteredWithLakeFormation":false,"Retention":0}`},
		{"lower first", wire.LowerFirst, struct{ ResourceShareArn *string }{ptr("a")}, `{"resourceShareArn":"a"}`},
		{"empty list", wire.AsIs, struct{ A, B []string }{A: []string{}}, `{"A":[]}`},
		{"empty map", wire.AsIs, struct{ A, B map[string]string }{A: map[string]string{}}, `{"A":{}}`},
		{"empty blob", wire.AsIs, struct{ A, B []byte }{A: []byte{}}, `{"A":""}`},
		{"ordered map", wire.AsIs, struct{ A map[string]string }{map[string]string{"b": "2", "a": "1"}}, `{"A":{"a":"1","b":"2"}}`},
		{"empty enum", wire.AsIs, struct {
			A color
			B string
		}{}, `{"B":""}`},
		{"time", wire.AsIs, struct{ A, B, C time.Time }{A: at, B: at.Add(50 * time.Millisecond)}, `{"A":1700000000,"B":1700000000.050}`},
		{"early time", wire.AsIs, struct{ A time.Time }{time.UnixMilli(-1500)}, `{"A":-1.500}`},
		{"odd floats", wire.AsIs, struct{ A, B, C float64 }{math.NaN(), math.Inf(1), math.Inf(-1)}, `{"A":"NaN","B":"Infinity","C":"-Infinity"}`},
		{"escapes", wire.AsIs, struct{ A string }{"\"\\\n\x00</é\xff"}, `{"A":"\"\\\u000a\u0000</é` + "\ufffd" + `"}`},
		{"own JSON", wire.AsIs, struct {
			A shout
			B *shout
			C *shout
			D []shout
			E map[string]shout
		}{A: shout{"a"}, B: &shout{"b"}, D: []shout{{"d"}}, E: map[string]shout{"k": {"e"}}}, `{"A":"A","B":"B","D":["D"],"E":{"k":"E"}}`},
		{"union", wire.AsIs, struct{ A any }{1}, `{}`},
		{"lower-case shapes of Glue", wire.Glue, gluetypes.TableOptimizer{Type: "compaction"}, `{"type":"compaction"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := wire.NewCodec(tt.naming).EncodeJSON(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   string
		want sample
	}{
		{"empty body", ` `, sample{}},
		{"empty object", `{ }`, sample{}},
		{"null body", `null`, sample{}},
		{"nulls are absent", `{"Text":null,"Subs":null,"Names":["a",null],"Enums":{"a":null,"b":"RED"}}`,
			sample{Names: []string{"a"}, Enums: map[string]color{"b": "RED"}}},
		{"unknown members", `{"Other":{"a":[1,2.5e3,"x",true,false,null,{}]},"Plain":"p"}`, sample{Plain: "p"}},
		{"names are exact", `{"plain":"p","PLAIN":"p"}`, sample{}},
		{"unions and functions", `{"Union":{"S":"x"},"Func":1}`, sample{}},
		{"escapes", `{"Plain":"\u00e9\ud83d\ude00\n\"\/"}`, sample{Plain: "é😀\n\"/"}},
		{"integers in other forms", `{"Large":1e3,"Small":5.0}`, sample{Large: 1000, Small: ptr(int32(5))}},
		{"time", `{"At":1700000000.25}`, sample{At: ptr(time.UnixMilli(1700000000250).UTC())}},
		{"empty collections", `{"Names":[],"Enums":{},"Blob":""}`, sample{Names: []string{}, Enums: map[string]color{}, Blob: []byte{}}},
		{"own JSON", `{"Raw":"LOUD"}`, sample{Raw: &shout{"loud"}}},
		{"the last of several", `{"Plain":"a","Plain":"b"}`, sample{Plain: "b"}},
		{"floats", `{"Real":"Infinity"}`, sample{Real: ptr(math.Inf(1))}},
	}
	codec := wire.NewCodec(wire.AsIs)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got sample
			if err := codec.DecodeJSON([]byte(tt.in), &got); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(shout{}), cmp.Comparer(func(a, b func()) bool { return true })); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, member string
	}{
		{"a list for a body", `[]`, ""},
		{"a broken body", `{`, ""},
		{"no colon", `{"Plain" "a"}`, ""},
		{"a trailing comma", `{"Plain":"a",}`, ""},
		{"no name", `{1:2}`, ""},
		{"something after", `{} x`, ""},
		{"a broken unknown member", `{"Other":[1,}`, ""},
		{"a broken literal", `{"On":trve}`, "On"},
		{"a broken null", `{"On":nul`, "On"},
		{"a broken number", `{"Large":01}`, ""},
		{"a lone minus", `{"Large":-}`, "Large"},
		{"a control character", "{\"Plain\":\"a\nb\"}", "Plain"},
		{"an endless string", `{"Plain":"a`, "Plain"},
		{"an endless escape", `{"Plain":"a\`, "Plain"},
		{"a broken escape", `{"Plain":"\x"}`, "Plain"},
		{"a number for a string", `{"Text":1}`, "Text"},
		{"a string for a number", `{"Small":"1"}`, "Small"},
		{"a string for a float", `{"Real":"1"}`, "Real"},
		{"a string for a boolean", `{"Flag":"true"}`, "Flag"},
		{"a string for a time", `{"At":"2026-01-01T00:00:00Z"}`, "At"},
		{"a time out of range", `{"At":1e300}`, "At"},
		{"a fraction for an integer", `{"Small":1.5}`, "Small"},
		{"an integer that does not fit", `{"Small":2147483648}`, "Small"},
		{"a negative count", `{"Count":-1}`, "Count"},
		{"a float that does not fit", `{"Float":1e300}`, "Float"},
		{"no base64", `{"Blob":"*"}`, "Blob"},
		{"an object for a list", `{"Names":{}}`, "Names"},
		{"a list for an object", `{"Sub":[]}`, "Sub"},
		{"a list for a map", `{"Enums":[]}`, "Enums"},
		{"an element", `{"Names":["a",2]}`, "Names[1]"},
		{"an element's member", `{"Subs":[{},{"Subs":[{"Sub":{"Text":[]}}]}]}`, "Subs[1].Subs[0].Sub.Text"},
		{"a map's value", `{"ByColor":{"RED":{"Text":{}}}}`, `ByColor["RED"].Text`},
		{"own JSON", `{"Raw":"quiet"}`, "Raw"},
	}
	codec := wire.NewCodec(wire.AsIs)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := codec.DecodeJSON([]byte(tt.in), &sample{})
			e, ok := errors.AsType[*wire.SerializationError](err)
			if !ok {
				t.Fatalf("error = %v", err)
			}
			if e.Member != tt.member {
				t.Errorf("member = %q, want %q: %v", e.Member, tt.member, err)
			}
		})
	}
}

func TestDepthIsBounded(t *testing.T) {
	t.Parallel()
	codec := wire.NewCodec(wire.AsIs)
	const n = 100_000
	for name, in := range map[string]string{
		"known":   strings.Repeat(`{"Sub":`, n),
		"unknown": strings.Repeat(`{"Other":`, n),
		"lists":   `{"Other":` + strings.Repeat(`[`, n),
		"closed":  `{"Other":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `}`,
	} {
		err := codec.DecodeJSON([]byte(in), &sample{})
		if err == nil || !strings.Contains(err.Error(), "deeper") {
			t.Errorf("%s: %.100v", name, err)
		}
	}
	if err := codec.DecodeQuery(url.Values{strings.Repeat("Sub.", n) + "Text": {"x"}}, &sample{}); err == nil {
		t.Error("query: accepted")
	}
	loop := &sample{}
	loop.Sub = loop
	if _, err := codec.EncodeJSON(loop); err == nil {
		t.Error("a cycle: accepted")
	}
	if _, err := codec.EncodeQuery("Op", "", "", loop); err == nil {
		t.Error("a cycle in XML: accepted")
	}
}

func TestDecodeTarget(t *testing.T) {
	t.Parallel()
	codec := wire.NewCodec(wire.AsIs)
	for _, dst := range []any{nil, sample{}, (*sample)(nil)} {
		if err := codec.DecodeJSON([]byte(`{}`), dst); err == nil {
			t.Errorf("DecodeJSON into %T: no error", dst)
		}
		if err := codec.DecodeQuery(nil, dst); err == nil {
			t.Errorf("DecodeQuery into %T: no error", dst)
		}
	}
}

func TestDecodeQuery(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     sample
	}{
		{"scalars", "Text=a+b%26&On=true&Small=-5&Large=9&Real=1.5&Enum=RED&Blob=AAE%3D&Action=X&Version=1",
			sample{Text: ptr("a b&"), On: true, Small: ptr(int32(-5)), Large: 9, Real: ptr(1.5), Enum: "RED", Blob: []byte{0, 1}}},
		{"time", "At=2026-01-02T03:04:05.6Z", sample{At: ptr(time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC))}},
		{"list", "Names.member.2=b&Names.member.1=a&Names.member.10=c", sample{Names: []string{"a", "b", "c"}}},
		{"flattened list", "Names.1=a&Names.2=b", sample{Names: []string{"a", "b"}}},
		{"empty list", "Names=", sample{Names: []string{}}},
		{"list of lists", "Lists.member.1.member.1=a&Lists.member.2.member.1=b", sample{Lists: [][]string{{"a"}, {"b"}}}},
		{"structures", "Subs.member.1.Text=a&Subs.member.1.Sub.On=true", sample{Subs: []sample{{Text: ptr("a"), Sub: &sample{On: true}}}}},
		{"map", "Enums.entry.1.key=a&Enums.entry.1.value=RED&Enums.entry.2.key=b&Enums.entry.2.value=GREEN",
			sample{Enums: map[string]color{"a": "RED", "b": "GREEN"}}},
		{"flattened map", "Enums.1.key=a&Enums.1.value=RED", sample{Enums: map[string]color{"a": "RED"}}},
		{"map of structures", "ByColor.entry.1.key=RED&ByColor.entry.1.value.Text=a", sample{ByColor: map[color]*sample{"RED": {Text: ptr("a")}}}},
		{"no number is too high", "Names.member.999999999=a", sample{Names: []string{"a"}}},
		{"unions", "Union=1&Func=2", sample{}},
	}
	codec := wire.NewCodec(wire.AsIs)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			form, err := url.ParseQuery(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			var got sample
			if err := codec.DecodeQuery(form, &got); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(shout{}), cmp.Comparer(func(a, b func()) bool { return true })); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestDecodeQueryRefuses(t *testing.T) {
	t.Parallel()
	for in, member := range map[string]string{
		"On=yes":                               "On",
		"Small=x":                              "Small",
		"Large=9223372036854775808":            "Large",
		"At=1700000000":                        "At",
		"Blob=*":                               "Blob",
		"Text.Sub=a":                           "Text",
		"Names.member.x=a":                     "Names",
		"Names.member.01=a":                    "Names",
		"Names.member.-1=a":                    "Names",
		"Subs.member.1.Small=x":                "Subs[0].Small",
		"Enums.entry.1.value=RED":              "Enums[0]",
		"Enums.entry.1.key=RED":                "Enums[0]",
		"ByColor.1.key=a&ByColor.1.value.On=x": `ByColor["a"].On`,
	} {
		form, err := url.ParseQuery(in)
		if err != nil {
			t.Fatal(err)
		}
		err = wire.NewCodec(wire.AsIs).DecodeQuery(form, &sample{})
		e, ok := errors.AsType[*wire.SerializationError](err)
		if !ok || e.Member != member {
			t.Errorf("%s: error = %v, want one of %s", in, err, member)
		}
	}
}

func TestEncodeQuery(t *testing.T) {
	t.Parallel()
	codec := wire.NewCodec(wire.AsIs)
	const head, tail = `<OpResponse xmlns="https://example.com/">`, `<ResponseMetadata><RequestId>id&lt;</RequestId></ResponseMetadata></OpResponse>`
	tests := []struct {
		name string
		out  any
		want string
	}{
		{"nothing", nil, ``},
		{"empty", &iam.DeleteRoleOutput{}, `<OpResult></OpResult>`},
		{"members", struct {
			A *string
			B []string
			C map[string]int32
			D *time.Time
			E []byte
			F bool
			G float64
			H *string
			I color
			J uint8
			K float64
		}{A: ptr("<a>"), B: []string{"x", "y"}, C: map[string]int32{"b": 2, "a": 1}, D: ptr(time.UnixMilli(1_700_000_000_500)),
			E: []byte("e"), G: 1.5, K: math.Inf(-1)},
			`<OpResult><A>&lt;a&gt;</A><B><member>x</member><member>y</member></B>` +
				`<C><entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></C>` +
				`<D>2023-11-14T22:13:20.5Z</D><E>ZQ==</E><F>false</F><G>1.5</G><J>0</J><K>-Infinity</K></OpResult>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := codec.EncodeQuery("Op", "https://example.com/", "id<", tt.out)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(head+tt.want+tail, string(got)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestOperation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		protocol         wire.Protocol
		method, url      string
		target           string
		prefix, op, fail string
	}{
		{name: "glue", protocol: wire.AWSJSON11, method: "POST", url: "/", target: "AWSGlue.GetTable", prefix: "AWSGlue", op: "GetTable"},
		{name: "dynamodb", protocol: wire.AWSJSON10, method: "POST", url: "/", target: "DynamoDB_20120810.Query", prefix: "DynamoDB_20120810", op: "Query"},
		{name: "no target", protocol: wire.AWSJSON10, method: "POST", url: "/", fail: "no operation"},
		{name: "a target without a dot", protocol: wire.AWSJSON10, method: "POST", url: "/", target: "Query", fail: "no operation"},
		{name: "an odd target", protocol: wire.AWSJSON10, method: "POST", url: "/", target: "A.<b>", fail: "<b>"},
		{name: "GET", protocol: wire.AWSJSON10, method: "GET", url: "/", target: "AWSGlue.GetTable", fail: "no operation"},
		{name: "query", protocol: wire.Query, method: "GET", url: "/?Action=AssumeRole&Version=2011-06-15", prefix: "2011-06-15", op: "AssumeRole"},
		{name: "no action", protocol: wire.Query, method: "GET", url: "/", fail: "no operation"},
		{name: "lakeformation", protocol: wire.RestJSON, method: "POST", url: "/DeleteLFTag", op: "DeleteLFTag"},
		{name: "ram", protocol: wire.RestJSON, method: "POST", url: "/getresourceshares", op: "getresourceshares"},
		{name: "ram deletion", protocol: wire.RestJSON, method: "DELETE", url: "/deleteresourceshare?a=b", op: "deleteresourceshare"},
		{name: "path prefix", protocol: wire.RestJSON, method: "POST", url: "/mesh/ram/getresourceshares/", op: "getresourceshares"},
		{name: "wrong method", protocol: wire.RestJSON, method: "POST", url: "/deleteresourceshare", fail: "POST deleteresourceshare"},
		{name: "GET page", protocol: wire.RestJSON, method: "GET", url: "/ListResources", fail: "GET ListResources"},
		{name: "no path", protocol: wire.RestJSON, method: "POST", url: "/", fail: "no operation"},
		{name: "s3", protocol: wire.RestXML, method: "GET", url: "/bkt", fail: "no operation"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tt.method, "http://localhost"+tt.url, nil)
			r.Header.Set("X-Amz-Target", tt.target)
			form, err := wire.Form(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			prefix, op, err := wire.Operation(tt.protocol, r, form)
			if tt.fail != "" {
				if _, ok := errors.AsType[*wire.UnknownOperationError](err); !ok || !strings.Contains(err.Error(), tt.fail) {
					t.Errorf("error = %v, want one with %q", err, tt.fail)
				}
				return
			}
			if err != nil || prefix != tt.prefix || op != tt.op {
				t.Errorf("Operation = %q, %q, %v", prefix, op, err)
			}
		})
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "http://localhost/?Action=A&B=1&X-Amz-Signature=s", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	got, err := wire.Form(r, []byte("B=2&C=3"))
	if want := (url.Values{"Action": {"A"}, "B": {"2"}, "C": {"3"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Form = %v, %v", got, err)
	}
	for name, r := range map[string]*http.Request{
		"query": {URL: &url.URL{RawQuery: "a=%zz"}, Header: r.Header},
		"body":  {URL: &url.URL{}, Header: r.Header},
		"type":  {URL: &url.URL{}, Header: http.Header{"Content-Type": {"application/json"}}},
	} {
		if _, err := wire.Form(r, []byte("a=%zz")); err == nil {
			t.Errorf("a bad %s: accepted", name)
		}
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		body   io.Reader
		length int64
		want   string
		err    bool
	}{
		{"none", nil, 0, "", false},
		{"at the limit", strings.NewReader("12345"), 5, "12345", false},
		{"over the limit", strings.NewReader("123456"), 6, "", true},
		{"over the limit, unannounced", strings.NewReader("123456"), -1, "", true},
		{"announced too large", strings.NewReader("1"), 6, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{ContentLength: tt.length}
			if tt.body != nil {
				r.Body = io.NopCloser(tt.body)
			}
			got, err := wire.ReadBody(r, 5)
			if _, tooLarge := errors.AsType[*wire.TooLargeError](err); tooLarge != tt.err || string(got) != tt.want {
				t.Errorf("ReadBody = %q, %v", got, err)
			}
		})
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `null`, `{"Plain":"\u00e9","Names":["a",null],"Sub":{"Small":1.0},"At":1.5,"Raw":"X","Other":[{"a":1e-5}]}`,
		`{"Enums":{"a":"b"},"Blob":"AA==","Real":"NaN"}`, `[`, `{"Plain":"`,
	} {
		f.Add([]byte(s))
	}
	codec := wire.NewCodec(wire.AsIs)
	f.Fuzz(func(t *testing.T, data []byte) {
		var v sample
		err := codec.DecodeJSON(data, &v)
		if err != nil {
			if _, ok := errors.AsType[*wire.SerializationError](err); !ok {
				t.Fatalf("error = %T %v", err, err)
			}
			return
		}
		if len(strings.Trim(string(data), " \t\r\n")) > 0 && !json.Valid(data) {
			t.Fatalf("accepted what is not JSON: %q", data)
		}
		again, err := codec.EncodeJSON(v)
		if err != nil || !json.Valid(again) {
			t.Fatalf("EncodeJSON = %q, %v", again, err)
		}
		var w sample
		if err := codec.DecodeJSON(again, &w); err != nil {
			t.Fatalf("decode %s again: %v", again, err)
		}
	})
}

func FuzzDecodeQuery(f *testing.F) {
	f.Add("Names.member.1=a&Sub.On=true&Enums.entry.1.key=a&Enums.entry.1.value=b")
	f.Add("At=2026-01-02T03:04:05Z&Names=&Subs.1.Text=x")
	codec := wire.NewCodec(wire.AsIs)
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		var v sample
		if err := codec.DecodeQuery(form, &v); err != nil {
			if _, ok := errors.AsType[*wire.SerializationError](err); !ok {
				t.Fatalf("error = %T %v", err, err)
			}
			return
		}
		if _, err := codec.EncodeQuery("Op", "", "", v); err != nil && v.Raw == nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkDecodeJSON(b *testing.B) {
	codec := wire.NewCodec(wire.Glue)
	in := &glue.CreateTableInput{}
	(&filler{}).fill(reflect.ValueOf(in).Elem(), 0)
	data, err := codec.EncodeJSON(in)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := codec.DecodeJSON(data, &glue.CreateTableInput{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeJSON(b *testing.B) {
	codec := wire.NewCodec(wire.Glue)
	out := &glue.GetPartitionsOutput{}
	for range 1000 {
		var p gluetypes.Partition
		(&filler{}).fill(reflect.ValueOf(&p).Elem(), 0)
		out.Partitions = append(out.Partitions, p)
	}
	b.ReportAllocs()
	for b.Loop() {
		data, err := codec.EncodeJSON(out)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
	}
}
