package operate_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/goccy/go-yaml"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/localmesh/ready"
	"github.com/lakemesh/lakemesh/operate"
)

// stack is the template of deploy/operate as CloudFormation would make it of some
// parameters: the resources whose conditions hold, with their functions evaluated.
type stack struct {
	t          *testing.T
	parameters map[string]string
	template   struct {
		Parameters map[string]map[string]any `yaml:"Parameters"`
		Conditions map[string]any            `yaml:"Conditions"`
		Resources  map[string]map[string]any `yaml:"Resources"`
	}
}

// absent is AWS::NoValue.
type absent struct{}

func deployed(t *testing.T, side operate.Side) *stack {
	t.Helper()
	text, err := os.ReadFile("../deploy/operate/lakemesh-operate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	account := accounts[side]
	s := &stack{t: t, parameters: map[string]string{"AWS::Partition": "aws", "AWS::AccountId": account, "AWS::Region": "us-east-1", "AWS::StackName": "lakemesh",
		"MeshAccountId": ready.MeshAccount, "Side": string(side), "CodeBucket": "code", "CodeKey": "key"}}
	if err := yaml.Unmarshal(text, &s.template); err != nil {
		t.Fatal(err)
	}
	for name, p := range s.template.Parameters {
		if _, ok := s.parameters[name]; !ok && p["Default"] != nil {
			s.parameters[name] = strings.Trim(jsonOf(p["Default"]), `"`)
		}
	}
	return s
}

// resources are those of a type, by their names.
func (s *stack) resources(of string) map[string]map[string]any {
	found := map[string]map[string]any{}
	for name, r := range s.template.Resources {
		if r["Type"] != of {
			continue
		}
		if c, ok := r["Condition"].(string); ok && !s.holds(c) {
			continue
		}
		found[name] = s.value(r["Properties"]).(map[string]any)
	}
	if len(found) == 0 {
		s.t.Fatalf("there is no %s", of)
	}
	return found
}

func (s *stack) holds(condition string) bool {
	c, ok := s.template.Conditions[condition]
	if !ok {
		s.t.Fatalf("there is no condition %s", condition)
	}
	return s.value(c).(bool)
}

var substituted = regexp.MustCompile(`\$\{([^}]+)\}`)

// value evaluates what functions it holds.
func (s *stack) value(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, e := range v {
			list = append(list, s.value(e))
		}
		return list
	case map[string]any:
		for name, arg := range v {
			if len(v) != 1 {
				break
			}
			switch name {
			case "Ref":
				return s.ref(arg.(string))
			case "Condition":
				if text, ok := arg.(string); ok {
					return s.holds(text)
				}
			case "Fn::Sub":
				return substituted.ReplaceAllStringFunc(arg.(string), func(m string) string { return s.ref(m[2 : len(m)-1]).(string) })
			case "Fn::GetAtt":
				return "att:" + jsonOf(arg)
			case "Fn::Equals":
				both := s.value(arg).([]any)
				return both[0] == both[1]
			case "Fn::Not":
				return !s.value(arg.([]any)[0]).(bool)
			case "Fn::If":
				three := arg.([]any)
				if s.holds(three[0].(string)) {
					return s.value(three[1])
				}
				return s.value(three[2])
			}
		}
		object := map[string]any{}
		for name, e := range v {
			if e := s.value(e); e != (absent{}) {
				object[name] = e
			}
		}
		return object
	}
	return v
}

func (s *stack) ref(name string) any {
	if name == "AWS::NoValue" {
		return absent{}
	}
	if value, ok := s.parameters[name]; ok {
		return value
	}
	if _, ok := s.template.Resources[name]; ok {
		return "ref:" + name
	}
	s.t.Fatalf("there is no %s", name)
	return nil
}

// as makes the role that the template has for the jobs, and returns options of it.
func (s *stack) as(m *ready.Mesh, side operate.Side) lakemesh.Options {
	s.t.Helper()
	account := accounts[side]
	policies := map[string]string{}
	for name, p := range s.resources("AWS::IAM::RolePolicy") {
		policies[name] = jsonOf(p["PolicyDocument"])
	}
	if len(policies) != 1 {
		s.t.Fatalf("the role has %d policies", len(policies))
	}
	client := iam.NewFromConfig(m.Config(ready.Administrator(account)))
	role := "LakemeshJobs"
	_, err := client.CreateRole(s.t.Context(), &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}]}`)})
	for name, document := range policies {
		if err == nil {
			_, err = client.PutRolePolicy(s.t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: &name, PolicyDocument: &document})
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := m.Config("arn:aws:iam::" + account + ":role/" + role)
	return lakemesh.Options{MeshAccountID: ready.MeshAccount, Config: &cfg, RoleWait: ready.RoleWait(m.Mesh)}
}

// The jobs of each side's schedules go through with the rights that the template gives,
// and its alarms look at numbers that they write.
func TestTheTemplatesSchedulesRightsAndAlarmsFit(t *testing.T) {
	t.Parallel()
	jobs := map[operate.Side][]operate.Name{
		operate.Producer: {operate.Expire, operate.Settle, operate.Sync, operate.Verify},
		operate.Consumer: {operate.Verify},
		operate.Admin:    {operate.Expire, operate.Verify},
	}
	for side, want := range jobs {
		t.Run(string(side), func(t *testing.T) {
			t.Parallel()
			m := published(t)
			m.Subscribe(ready.Subscription{Tables: []string{"airports"}})
			s := deployed(t, side)
			o := s.as(m, side)
			written := map[string]bool{}
			var scheduled []operate.Name
			for name, schedule := range s.resources("AWS::Scheduler::Schedule") {
				j, err := operate.ParseJob([]byte(schedule["Target"].(map[string]any)["Input"].(string)))
				if err != nil || j.As != side {
					t.Fatalf("schedule %s: %+v, %v", name, j, err)
				}
				scheduled = append(scheduled, j.Name)
				if expression, _ := schedule["ScheduleExpression"].(string); !regexp.MustCompile(`^rate\([0-9]+ (minutes|hours?)\)$`).MatchString(expression) {
					t.Errorf("schedule %s: %v", name, schedule["ScheduleExpression"])
				}
				r, err := operate.Run(t.Context(), o, j)
				if err != nil || r.Outcome != operate.Done {
					t.Errorf("%s: %s %v %+v", j.Name, r.Outcome, err, r.Findings)
				}
				for series := range seriesOf(t, r) {
					written[series] = true
				}
			}
			slices.Sort(scheduled)
			if !slices.Equal(scheduled, want) {
				t.Errorf("scheduled are %v, not %v", scheduled, want)
			}
			alarms := s.resources("AWS::CloudWatch::Alarm")
			if len(alarms) != len(want)+1 {
				t.Errorf("%d alarms for %d jobs", len(alarms), len(want))
			}
			for name, a := range alarms {
				dimensions := map[string]string{}
				for _, d := range a["Dimensions"].([]any) {
					dimensions[d.(map[string]any)["Name"].(string)] = d.(map[string]any)["Value"].(string)
				}
				if series := seriesName(a["Namespace"].(string), a["MetricName"].(string), dimensions); !written[series] {
					t.Errorf("%s looks at %s, which no job wrote; written are %v", name, series, slices.Sorted(maps.Keys(written)))
				}
			}
		})
	}
}

// seriesName names a metric with its dimensions, as CloudWatch tells one from another.
func seriesName(namespace, metric string, dimensions map[string]string) string {
	return namespace + "/" + metric + jsonOf(dimensions)
}

// seriesOf are the metrics that CloudWatch would make of a result's line.
func seriesOf(t *testing.T, r *operate.Result) map[string]float64 {
	t.Helper()
	var b strings.Builder
	if err := r.WriteMetrics(&b); err != nil {
		t.Fatal(err)
	}
	var line struct {
		AWS struct {
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name string }
			}
		} `json:"_aws"`
	}
	values := map[string]any{}
	if err := json.Unmarshal([]byte(b.String()), &line); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b.String()), &values); err != nil {
		t.Fatal(err)
	}
	series := map[string]float64{}
	for _, d := range line.AWS.CloudWatchMetrics {
		for _, set := range d.Dimensions {
			dimensions := map[string]string{}
			for _, name := range set {
				dimensions[name] = values[name].(string)
			}
			for _, metric := range d.Metrics {
				series[seriesName(d.Namespace, metric.Name, dimensions)] = values[metric.Name].(float64)
			}
		}
	}
	return series
}

// The alarm on drift goes off by what is planted, and by nothing else.
func TestDriftMovesTheMetricOfTheAlarm(t *testing.T) {
	t.Parallel()
	m := published(t)
	m.Subscribe(ready.Subscription{Tables: []string{"airports"}})
	alarm := deployed(t, operate.Producer).resources("AWS::CloudWatch::Alarm")["DriftAlarm"]
	series := seriesName(operate.Namespace, alarm["MetricName"].(string), map[string]string{"Mesh": ready.MeshAccount, "Job": "verify", "As": "producer"})
	value := func() float64 {
		r, err := do(t, m, operate.Job{Name: operate.Verify})
		if err != nil {
			t.Fatal(err)
		}
		v, ok := seriesOf(t, r)[series]
		if !ok {
			t.Fatalf("there is no %s", series)
		}
		return v
	}
	if v := value(); v != 0 || alarm["ComparisonOperator"] != "GreaterThanThreshold" || jsonOf(alarm["Threshold"]) != "0" {
		t.Errorf("%v before anything was planted, for %v", v, alarm)
	}
	plant(t, m)
	if v := value(); v != 1 {
		t.Errorf("%v after something was planted", v)
	}
}

// An administrator's role of the template revokes what is over, also where schedules end
// grants as well, and sees those.
func TestTheAdministratorsRoleRevokesWhatIsOver(t *testing.T) {
	t.Parallel()
	m := published(t)
	a := m.Admin(ready.MeshAccount)
	if _, err := a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{EndSchedules: admin.EndsScheduled}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.UpgradeMesh(t.Context(), admin.UpgradeMeshInput{}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	id := subscribeUntil(t, m, now.Add(time.Hour))
	o := deployed(t, operate.Admin).as(m, operate.Admin)
	r, err := operate.Run(t.Context(), o, operate.Job{Name: operate.Verify, As: operate.Admin})
	if err != nil || r.Outcome != operate.Done || len(r.Warnings) > 0 {
		t.Errorf("%s %v %+v %v", r.Outcome, err, r.Findings, r.Warnings)
	}
	o.Now = func() time.Time { return now.Add(2 * time.Hour) }
	r, err = operate.Run(t.Context(), o, operate.Job{Name: operate.Expire, As: operate.Admin})
	if n, _ := r.Value("Revoked"); err != nil || n == 0 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], id) {
		t.Errorf("%v %+v", err, r)
	}
	m.Holds(ready.MeshAccount, ready.ConsumerAccount)
}

// What a role of a side may do besides opening the mesh's role is to look.
func TestTheJobsRolesMayOnlyOpenTheirSidesRoleAndLook(t *testing.T) {
	t.Parallel()
	for side := range accounts {
		for name, p := range deployed(t, side).resources("AWS::IAM::RolePolicy") {
			for _, statement := range p["PolicyDocument"].(map[string]any)["Statement"].([]any) {
				st := statement.(map[string]any)
				for _, action := range actions(st["Action"]) {
					_, verb, _ := strings.Cut(action, ":")
					if action != "sts:AssumeRole" && !regexp.MustCompile(`^(Get|List|Describe|BatchGet|Query|Scan)[A-Za-z]*$`).MatchString(verb) {
						t.Errorf("%s of %s may %s", name, side, action)
					}
					if action == "sts:AssumeRole" && !strings.Contains(jsonOf(st["Resource"]), ":role/AwsDataMesh/DataMesh") {
						t.Errorf("%s of %s may open %v", name, side, st["Resource"])
					}
				}
			}
		}
	}
}

func actions(v any) []string {
	if text, ok := v.(string); ok {
		return []string{text}
	}
	var all []string
	for _, e := range v.([]any) {
		all = append(all, e.(string))
	}
	return all
}
