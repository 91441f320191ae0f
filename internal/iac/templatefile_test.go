package iac_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/admin"
)

// What Terraform's templatefile does, as far as our files need it; what else stands in one is
// left over, and no policy then. Package interop has OpenTofu do the same.
var (
	innermost = regexp.MustCompile(`(?s)%\{ if ([^}]+) \}((?:[^%]|%[^{])*)(?:%\{ else \}((?:[^%]|%[^{])*))?%\{ endif \}`)
	encoded   = regexp.MustCompile(`\$\{jsonencode\((\w+)\)\}`)
	named     = regexp.MustCompile(`\$\{(\w+)\}`)
	filled    = regexp.MustCompile(`^length\((\w+)\) > 0$`)
)

func templateFile(t testing.TB, text string, variables map[string]any) string {
	t.Helper()
	holds := func(condition string) bool {
		if m := filled.FindStringSubmatch(condition); m != nil {
			return len(variables[m[1]].([]string)) > 0
		}
		if name, ok := strings.CutSuffix(condition, " != null"); ok {
			return variables[name] != any("")
		}
		return variables[condition].(bool)
	}
	for innermost.MatchString(text) {
		text = innermost.ReplaceAllStringFunc(text, func(all string) string {
			m := innermost.FindStringSubmatch(all)
			if holds(m[1]) {
				return m[2]
			}
			return m[3]
		})
	}
	text = encoded.ReplaceAllStringFunc(text, func(all string) string {
		return asJSON(t, variables[encoded.FindStringSubmatch(all)[1]])
	})
	return named.ReplaceAllStringFunc(text, func(all string) string {
		value, ok := variables[named.FindStringSubmatch(all)[1]].(string)
		if !ok {
			t.Fatalf("no variable %s", all)
		}
		return value
	})
}

func TestTheModulesSayWhatSetUpSays(t *testing.T) {
	t.Parallel()
	for _, part := range admin.FrameParts() {
		for _, v := range combinations(part) {
			t.Run(fmt.Sprintf("%s/%s", part, v.name), func(t *testing.T) {
				t.Parallel()
				in := admin.FrameInput{MeshAccountID: meshAccount, AccountID: producerAccount, Type: admin.Both, Region: region}
				v.choose(&in)
				frame, err := admin.FrameOf(part, in)
				if err != nil {
					return
				}
				buckets, services := []string{}, []string{}
				for _, b := range in.Buckets {
					buckets = append(buckets, "arn:aws:s3:::"+b)
				}
				for _, k := range in.KMSKeys {
					services = append(services, "s3."+strings.Split(k, ":")[3]+".amazonaws.com")
				}
				variables := map[string]any{"partition": "aws", "region": region, "mesh_account_id": meshAccount, "account_id": producerAccount, "bucket_arns": buckets,
					"crawler_role_arn": in.CrawlerRoleARN, "key_policies": in.KeyPolicies, "link_regions": in.LinkRegions, "kms_keys": in.KMSKeys, "kms_services": slices.Compact(services),
					"through_services": in.SharingCalls != admin.Direct, "end_schedules": in.EndSchedules == admin.EndsScheduled}
				read := func(name string) string {
					text, err := os.ReadFile(filepath.Join(deployed, "terraform", "modules", string(part), "policies", name+".json.tftpl"))
					if err != nil {
						t.Fatal(err)
					}
					return canonical(t, templateFile(t, string(text), variables))
				}
				for _, r := range frame.Roles {
					name := strings.TrimSuffix(r.RoleName, "-"+producerAccount)
					if diff := cmp.Diff(string(r.Trust), read(name+".trust")); diff != "" {
						t.Errorf("whom %s trusts:\n%s", r.RoleName, diff)
					}
					if diff := cmp.Diff(string(r.Policy), read(name+".policy")); diff != "" {
						t.Errorf("what %s may do:\n%s", r.RoleName, diff)
					}
				}
				for _, q := range frame.Queues {
					if diff := cmp.Diff(q.Attributes["Policy"], read("lakemesh-ends.policy")); diff != "" {
						t.Errorf("who writes to %s:\n%s", q.QueueName, diff)
					}
				}
			})
		}
	}
}
