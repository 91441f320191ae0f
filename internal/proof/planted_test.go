package proof

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh/internal/census"
	"github.com/lakemesh/lakemesh/localmesh"
)

// Each reading that a check tells apart is planted, and has to be reported with its name.
func TestReadingsAreFound(t *testing.T) {
	t.Parallel()
	for rule, names := range map[string][]string{
		"8.1": {"transaction-keys-as-set"}, "8.2": {"batch-keys-singly"}, "8.3": {"writes-name-index-keys"}, "8.4": {"inherited-tags-unasked"}, "8.5": {"inherited-identity-unasked"},
		"8.7": {"location-roles-trust-glue"}, "8.9": {"locations-verified-once"}, "8.10": {"unreachable-locations-refused"}, "8.11": {"privileged-access-grants-nothing"},
		"8.16": {"listings-show-own-rows"}, "8.18": {"listed-rows-split", "listed-rows-merged"}, "8.19": {"row-filters-need-plain-tables"}, "8.20": {"granted-filters-stay"},
		"8.22": {"columns-handed-on"}, "8.23": {"past-schedules-refused"}, "8.24": {"hybrid-grants-need-no-opt-in"}, "8.25": {"direct-grants-share-the-account"},
		"8.26": {"absent-principals-accepted"}, "8.27": {"tag-grants-handed-on-in-full"}, "8.28": {"saved-expressions-stay-inside"}, "8.30": {"columns-beside-wider-grants"},
		"1.3.2": {"sharing-needs-no-invitation"}, "8.12": {"forwarded-calls-unmarked"}, "8.14": {"first-version-of-sharing", "fifth-version-of-sharing"}, "8.15": {"set-context-refused"},
	} {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				readings, err := localmesh.ParseReadings(name)
				if err != nil {
					t.Fatal(err)
				}
				mesh := localmesh.Run(t, localmesh.WithReadings(readings), localmesh.WithEventualConsistency(0))
				o := options(t)
				o.Only, o.Patience = []string{rule}, 400*1e6
				report := ran(t, mesh, o)
				found := slices.ContainsFunc(report.Findings, func(f Finding) bool {
					return f.Rule == rule && f.Verdict == Different && strings.Contains(f.Reading, name)
				})
				if !found {
					t.Errorf("not found; what was: %+v", report.Findings)
				}
				if i := slices.IndexFunc(report.Rules, func(r RuleReport) bool { return r.Number == rule }); report.Rules[i].Verdict != Different {
					t.Errorf("the rule is %s", report.Rules[i].Verdict)
				}
				if !strings.Contains(report.Markdown(), "with the reading `") {
					t.Error("the report does not tell the reading")
				}
			})
		}
	}
}

// changed changes answers on their way.
type changed struct {
	to     aws.HTTPClient
	change func(r *http.Request, answer *http.Response, body []byte) []byte
}

func (c changed) Do(r *http.Request) (*http.Response, error) {
	answer, err := c.to.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	body = c.change(r, answer, body)
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	answer.Header.Del("Content-Length")
	return answer, answer.Header.Write(io.Discard)
}

// An AWS that answers in other words, or lets through what it should refuse, is reported with what
// it said; and what it does not do is not taken for it.
func TestChangedAnswersAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule, operation string
		change          func(answer *http.Response, body []byte) []byte
		says            string
	}{
		"another code": {"6.2.1", "AWSGlue.CreateTable", func(answer *http.Response, body []byte) []byte {
			answer.Header.Set("X-Amzn-Errortype", strings.ReplaceAll(answer.Header.Get("X-Amzn-Errortype"), "AlreadyExistsException", "ConflictException"))
			return bytes.ReplaceAll(body, []byte("AlreadyExistsException"), []byte("ConflictException"))
		}, "ConflictException: "},
		"refused, and accepted in the answer": {"5.1.6", "AWSGlue.GetTables", func(answer *http.Response, body []byte) []byte {
			if answer.StatusCode == http.StatusOK {
				return body
			}
			answer.StatusCode, answer.Status = http.StatusOK, "200 OK"
			answer.Header.Del("X-Amzn-Errortype")
			return []byte(`{"TableList":[]}`)
		}, "accepted"},
		"other words": {"1.10.4", "/RevokePermissions", func(_ *http.Response, body []byte) []byte {
			return bytes.ReplaceAll(body, []byte("No permissions revoked"), []byte("Nothing was there"))
		}, "InvalidInputException: Nothing was there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mesh := localmesh.Run(t, localmesh.WithReadings(localmesh.Readings{}), localmesh.WithEventualConsistency(0))
			o := options(t)
			o.Only, o.Patience = []string{c.rule}, 400*1e6
			outlook, err := look(t.Context(), accountsOf(t, mesh, func(cfg *aws.Config) {
				cfg.HTTPClient = changed{cfg.HTTPClient, func(r *http.Request, answer *http.Response, body []byte) []byte {
					if r.Header.Get("X-Amz-Target") == c.operation || r.URL.Path == c.operation {
						return c.change(answer, body)
					}
					return body
				}}
			}), o)
			if err != nil {
				t.Fatal(err)
			}
			report, err := Run(t.Context(), outlook, o)
			if report == nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(report.Findings, func(f Finding) bool {
				return f.Rule == c.rule && f.Verdict == Different && strings.Contains(f.Answer, c.says)
			}) {
				t.Errorf("not found: %+v", report.Findings)
			}
		})
	}
}

// What cannot be put back, as docs/leaving.md says it.
func stays() []census.Exception {
	return []census.Exception{{Why: "RAM shows shares for a while after they were deleted, and invitations longer than that", Is: func(line string, appeared bool) bool {
		return appeared && (strings.Contains(line, " ram: share ") && strings.Contains(line, `"Status":"DELETED"`) || strings.Contains(line, " ram: association ") && strings.Contains(line, `"Status":"DISASSOCIATED"`) ||
			strings.Contains(line, " ram: invitation ") && strings.Contains(line, `"ResourceShareName":"LakeFormation`))
	}}}
}
