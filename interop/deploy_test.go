package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// deployed are the templates of the repository.
const deployed = "../deploy"

// judged runs a program and fails the test if that does.
func judged(t *testing.T, env []string, program string, args ...string) string {
	t.Helper()
	out, log, code, err := run(t.Context(), 10*time.Minute, append(os.Environ(), env...), program, args...)
	if err != nil || code != 0 {
		t.Fatalf("%s %s: exit code %d, %v\n%s%s", filepath.Base(program), strings.Join(args, " "), code, err, out, log)
	}
	return out
}

func TestCloudFormationsLinter(t *testing.T) {
	t.Parallel()
	linter := installed(t, "iac", "cfn-lint")
	templates, err := filepath.Glob(deployed + "/cloudformation/*.yaml")
	if err != nil || len(templates) != 3 {
		t.Fatalf("%v, %v", templates, err)
	}
	judged(t, nil, linter, append([]string{"--non-zero-exit-code", "informational", "--regions", "us-east-1", "eu-west-1", "--template"}, templates...)...)
	// It can find something.
	text, err := os.ReadFile(templates[0])
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte(strings.Replace(string(text), "RoleName:", "RolName:", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, code, err := run(t.Context(), time.Minute, os.Environ(), linter, "--template", bad); err != nil || code == 0 || !strings.Contains(out, "RolName") {
		t.Errorf("a misspelt property passes: exit code %d, %v\n%s", code, err, out)
	}
}

func TestCheckov(t *testing.T) {
	t.Parallel()
	checkov := installed(t, "iac", "checkov")
	out := judged(t, nil, checkov, "--skip-download", "--quiet", "--compact", "--framework", "cloudformation", "terraform", "--output", "json", "--directory", deployed)
	var reports []struct {
		Type    string                                `json:"check_type"`
		Summary struct{ Passed, Failed, Skipped int } `json:"summary"`
	}
	if err := json.Unmarshal([]byte(out), &reports); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(reports) != 2 {
		t.Errorf("%d reports; want one each of CloudFormation and of Terraform", len(reports))
	}
	// What is skipped says why in the template: the keys of the two tables, and with CloudFormation
	// those of a queue and a log, and four things that a function of no VPC has not.
	skipped := map[string]int{"terraform": 2, "cloudformation": 8}
	for _, r := range reports {
		if r.Summary.Passed < 10 || r.Summary.Failed > 0 || r.Summary.Skipped != skipped[r.Type] {
			t.Errorf("%s: %+v; want 10 that pass, none that fails, and %d skipped", r.Type, r.Summary, skipped[r.Type])
		}
	}
}

// tofu is OpenTofu with the provider that stands in for the one of AWS, on a copy of the
// modules. Its build is too long for everybody who tests: where it is not there the test is
// skipped, whatever CI says.
type tofu struct {
	t       *testing.T
	program string
	modules string
	env     []string
}

func startTofu(t *testing.T) *tofu {
	t.Helper()
	folder, ok := environmentIfThere(t, "opentofu")
	if !ok {
		t.Skip("OpenTofu is not installed: run interop/opentofu/install, which takes minutes")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "tofurc")
	if err := os.WriteFile(config, fmt.Appendf(nil, "provider_installation {\n  dev_overrides {\n    \"hashicorp/aws\" = %q\n  }\n  direct {}\n}\n", filepath.Join(folder, "bin")), 0o600); err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(dir, "modules-of-lakemesh")
	if err := os.CopyFS(modules, os.DirFS(deployed+"/terraform")); err != nil {
		t.Fatal(err)
	}
	return &tofu{t, filepath.Join(folder, "bin", "tofu"), modules, []string{"TF_CLI_CONFIG_FILE=" + config, "TF_CLI_ARGS=-no-color", "CHECKPOINT_DISABLE=1"}}
}

func (f *tofu) run(env []string, dir string, args ...string) string {
	f.t.Helper()
	return judged(f.t, append(f.env, env...), f.program, append([]string{"-chdir=" + dir}, args...)...)
}

func TestOpenTofuAcceptsTheModules(t *testing.T) {
	t.Parallel()
	f := startTofu(t)
	f.run(nil, f.modules, "fmt", "-check", "-recursive", "-diff")
	f.run(nil, f.modules, "get")
	f.run(nil, f.modules, "validate")
	for _, module := range admin.FrameParts() {
		dir := filepath.Join(f.modules, "modules", string(module))
		f.run(nil, dir, "validate")
		if out := f.run(nil, dir, "test"); !strings.Contains(out, " passed, 0 failed.") {
			t.Errorf("%s: %s", module, out)
		}
	}
	// The provider can refuse something.
	main := filepath.Join(f.modules, "modules", "mesh", "main.tf")
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(main, []byte(strings.Replace(string(text), "assume_role_policy ", "assume_rol_policy ", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, log, code, err := run(t.Context(), time.Minute, append(os.Environ(), f.env...), f.program, "-chdir="+filepath.Dir(main), "validate"); err != nil || code == 0 || !strings.Contains(log, "assume_rol_policy") {
		t.Errorf("a misspelt argument passes: exit code %d, %v\n%s", code, err, log)
	}
}

// What the modules make is what set-up makes.
func TestOpenTofuMakesTheRolesOfSetUp(t *testing.T) {
	t.Parallel()
	f := startTofu(t)
	key := "arn:aws:kms:us-east-1:" + producerAccount + ":key/1"
	for _, c := range []struct {
		name, account, config string
		part                  admin.FramePart
		in                    admin.FrameInput
	}{
		{"mesh", meshAccount, `module "it" { source = "../modules-of-lakemesh/modules/mesh" }`, admin.FrameMesh, admin.FrameInput{}},
		{"producer", producerAccount, `module "it" {
  source           = "../modules-of-lakemesh/modules/member"
  mesh_account_id  = "` + meshAccount + `"
  account_type     = "producer"
  buckets          = ["one", "two"]
  crawler_role_arn = "arn:aws:iam::` + producerAccount + `:role/Crawler"
  key_policies     = ["` + key + `"]
}`, admin.FrameMember, admin.FrameInput{AccountID: producerAccount, Type: admin.Producer, Buckets: []string{"one", "two"}, CrawlerRoleARN: "arn:aws:iam::" + producerAccount + ":role/Crawler", KeyPolicies: []string{key}}},
		{"both", producerAccount, `module "it" {
  source          = "../modules-of-lakemesh/modules/member"
  mesh_account_id = "` + meshAccount + `"
  account_type    = "both"
  link_regions    = ["us-west-2", "eu-central-1"]
}`, admin.FrameMember, admin.FrameInput{AccountID: producerAccount, Type: admin.Both, LinkRegions: []string{"eu-central-1", "us-west-2"}}},
		{"mesh-member", meshAccount, `module "it" {
  source        = "../modules-of-lakemesh/modules/mesh-member"
  account_id    = "` + producerAccount + `"
  account_type  = "both"
  kms_keys      = ["` + key + `"]
  end_schedules = true
}`, admin.FrameMeshMember, admin.FrameInput{AccountID: producerAccount, Type: admin.Both, KMSKeys: []string{key}, EndSchedules: admin.EndsScheduled}},
		{"direct", meshAccount, `module "it" {
  source        = "../modules-of-lakemesh/modules/mesh-member"
  account_id    = "` + producerAccount + `"
  account_type  = "producer"
  sharing_calls = "direct"
}`, admin.FrameMeshMember, admin.FrameInput{AccountID: producerAccount, Type: admin.Producer, SharingCalls: admin.Direct}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &tofu{t, f.program, f.modules, f.env}
			dir := filepath.Join(filepath.Dir(f.modules), c.name)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(c.config+"\noutput \"policies\" { value = module.it.policies }\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			env := []string{"STUB_ACCOUNT=" + c.account}
			f.run(env, dir, "get")
			f.run(env, dir, "apply", "-auto-approve")
			var roles struct {
				Resources []struct {
					Type      string `json:"type"`
					Instances []struct {
						Attributes map[string]any `json:"attributes"`
					} `json:"instances"`
				} `json:"resources"`
			}
			state, err := os.ReadFile(filepath.Join(dir, "terraform.tfstate"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(state, &roles); err != nil {
				t.Fatal(err)
			}
			got := map[string][3]string{}
			for _, r := range roles.Resources {
				for _, i := range r.Instances {
					switch r.Type {
					case "aws_iam_role":
						name := i.Attributes["name"].(string)
						got[name] = [3]string{i.Attributes["description"].(string), read(t, i.Attributes["assume_role_policy"].(string)), got[name][2]}
					case "aws_iam_role_policy":
						name := i.Attributes["role"].(string)
						got[name] = [3]string{got[name][0], got[name][1], i.Attributes["name"].(string) + read(t, i.Attributes["policy"].(string))}
					case "aws_sqs_queue_policy":
						got["queue"] = [3]string{"", "", read(t, i.Attributes["policy"].(string))}
					}
				}
			}
			c.in.MeshAccountID, c.in.Region = meshAccount, "eu-west-1"
			frame, err := admin.FrameOf(c.part, c.in)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string][3]string{}
			for _, r := range frame.Roles {
				want[r.RoleName] = [3]string{r.Description, string(r.Trust), r.PolicyName + string(r.Policy)}
			}
			for _, q := range frame.Queues {
				want["queue"] = [3]string{"", "", q.Attributes["Policy"]}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// read is a policy as set-up writes it.
func read(t *testing.T, text string) string {
	t.Helper()
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}
