package scheduler

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// zones are time zones of all sorts: none, whole hours, half and quarter hours, half an
// hour of summer time, and one that left out a day.
var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"}

// Each moment that clocks show is read as a moment at which they show the same, and the
// first one of these.
func TestWhatClocksShowIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		// From 1970 to 2199.
		want := time.Unix(rapid.Int64Range(0, 7_258_118_399).Draw(t, "moment"), 0)
		text := want.In(zone).Format(atFormat)
		got, err := moment("at("+text+")", name)
		if err != nil {
			t.Fatal(err)
		}
		if got.In(zone).Format(atFormat) != text || got.After(want) || want.Sub(got) > 2*time.Hour {
			t.Errorf("%s in %s is %v, want %v", text, name, got.UTC(), want.UTC())
		}
		if name == "UTC" && !got.Equal(want) {
			t.Errorf("%s is %v, want %v", text, got.UTC(), want.UTC())
		}
	})
}

// Whatever is accepted is an expression in the one form that there is.
func FuzzMoment(f *testing.F) {
	for _, seed := range []string{"at(2027-03-28T02:30:00)", "at(2027-10-31T02:30:00)", "at(2028-02-29T23:59:59)", "at(2027-02-29T00:00:00)",
		"at(2027-03-01T06:00:00Z)", "at(2027-03-01T06:00:00,5)", "at(+027-03-01T06:00:00)", "rate(5 minutes)", "cron(0 8 * * ? *)", "at()", "at(", "(", "at(2027-03-01T06:00:60)"} {
		for _, zone := range append([]string{"", "Local", "Etc/GMT+12"}, zones...) {
			f.Add(seed, zone)
		}
	}
	f.Fuzz(func(t *testing.T, expression, zone string) {
		got, err := moment(expression, zone)
		var refused *engine.APIError
		if err != nil {
			if !errors.As(err, &refused) || refused.Code != "ValidationException" && refused.Code != "NotImplemented" {
				t.Errorf("%q in %q: %v", expression, zone, err)
			}
			return
		}
		where, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatalf("%q is no zone: %v", zone, err)
		}
		if again := "at(" + got.In(where).Format(atFormat) + ")"; again != expression {
			t.Errorf("%q in %q is read as %q", expression, zone, again)
		}
	})
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, path, operation, name string }{
		{http.MethodGet, "/schedules", "ListSchedules", ""},
		{http.MethodGet, "/schedules/", "ListSchedules", ""},
		{http.MethodGet, "/base/of/a/client/schedules", "ListSchedules", ""},
		{http.MethodGet, "/schedules/schedules", "GetSchedule", "schedules"},
		{http.MethodPut, "/base/schedules/a%2Fb", "UpdateSchedule", "a/b"},
		{http.MethodDelete, "/schedule-groups/tags", "DeleteScheduleGroup", "tags"},
		{http.MethodPatch, "/schedules/a", "PATCH /schedules/a", "a"},
		{http.MethodPost, "/schedules", "POST /schedules", ""},
		{http.MethodGet, "/", "GET /", ""},
	} {
		r := &http.Request{Method: c.method, URL: &url.URL{}}
		u, err := url.ParseRequestURI(c.path)
		if err != nil {
			t.Fatal(err)
		}
		r.URL = u
		if got := resolve(r); got != c.operation {
			t.Errorf("%s %s is %s, want %s", c.method, c.path, got, c.operation)
		}
		if got := parameters(r).Get("Name"); got != c.name {
			t.Errorf("%s %s names %q, want %q", c.method, c.path, got, c.name)
		}
	}
	r := &http.Request{URL: &url.URL{Path: "/tags/x", RawPath: "/tags/arn%3Aaws%2Fx", RawQuery: "TagKeys=b&TagKeys=a"}}
	r.URL.Path = "/tags/arn:aws/x"
	if got := parameters(r).Encode(); !strings.Contains(got, "ResourceArn=arn%3Aaws%2Fx") || !strings.Contains(got, "TagKeys.member.1=b&TagKeys.member.2=a") {
		t.Errorf("parameters are %s", got)
	}
}
