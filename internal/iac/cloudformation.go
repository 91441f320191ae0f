package iac

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// A template holds a policy between two comments. The first one's indentation is that of
// what is rendered.
var (
	renderBegin = regexp.MustCompile(`^( *)# rendered: ((?:trust|policy) of [\w-]+)$`)
	renderEnd   = "# end of what is rendered"
)

// CloudFormation renders the policies of a part into the template that holds it.
func CloudFormation(part admin.FramePart, template []byte) ([]byte, error) {
	all, err := policies(part)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	within := false
	for line := range strings.Lines(string(template)) {
		if within {
			if within = strings.TrimSpace(line) != renderEnd; within {
				continue
			}
		}
		out.WriteString(line)
		m := renderBegin.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		statements, ok := all[m[2]]
		if !ok {
			return nil, fmt.Errorf("template %s: there is no %s", part, m[2])
		}
		delete(all, m[2])
		within = true
		y := yamlPolicy{member: part == admin.FrameMember, indent: len(m[1]), out: &out}
		y.document(statements)
	}
	if within {
		return nil, fmt.Errorf("template %s: a policy without %q", part, renderEnd)
	}
	if len(all) > 0 {
		return nil, fmt.Errorf("template %s lacks %v", part, slices.Sorted(maps.Keys(all)))
	}
	return out.Bytes(), nil
}

// conditionOf are the templates' conditions of choices.
func conditionOf(c Choice) string {
	return map[Choice]string{WithCrawlerRole: "HasCrawlerRole", WithBuckets: "HasBuckets", WithKeyPolicies: "HasKeyPolicies", WithLinkRegions: "HasLinkRegions",
		WithKMSKeys: "HasKmsKeys", ThroughServices: "SharesThroughServices", WithSchedules: "EndsBySchedules"}[c]
}

// cloudFormationList is what in templates stands for lists of parameters.
func cloudFormationList(value string) (string, bool) {
	list, ok := map[string]string{
		bucketARN: "!Ref BucketArns", crawlerRole: "!Ref CrawlerRoleArn", keyPolicy: "!Ref KeyPolicies", kmsKey: "!Ref KmsKeys", linkRegion: "!Ref LinkRegions",
		kmsService: `!If [HasKmsServices, !Ref KmsServices, !Sub "s3.${AWS::Region}.amazonaws.com"]`,
	}[value]
	return list, ok
}

const noValue = "!Ref AWS::NoValue"

// yamlPolicy writes a policy as YAML with CloudFormation's functions.
type yamlPolicy struct {
	// member tells that the stack is in the member's account, else it is in the mesh's.
	member bool
	indent int
	out    *bytes.Buffer
}

func (y yamlPolicy) line(depth int, format string, args ...any) {
	fmt.Fprintf(y.out, "%s%s\n", strings.Repeat(" ", y.indent+depth), fmt.Sprintf(format, args...))
}

func (y yamlPolicy) document(statements []statement) {
	y.line(0, `Version: "%s"`, iampolicy.Version2012)
	y.line(0, "Statement:")
	for _, s := range statements {
		if s.when == "" {
			y.statement(2, s)
			continue
		}
		y.line(2, "- !If")
		y.line(4, "- %s", conditionOf(s.when))
		y.statement(4, s)
		y.line(4, "- %s", noValue)
	}
}

// statement writes a statement as an entry of a list.
func (y yamlPolicy) statement(depth int, s statement) {
	lead := "- "
	field := func(format string, args ...any) {
		y.line(depth, lead+format, args...)
		lead = "  "
	}
	if s.SID != "" {
		field("Sid: %s", y.text(s.SID))
	}
	field("Effect: %s", string(s.Effect))
	switch {
	case s.Principal == nil:
	case s.Principal.All:
		field(`Principal: "*"`)
	default:
		field("Principal:")
		for _, p := range []struct {
			kind string
			ids  []string
		}{{"AWS", s.Principal.AWS}, {"Service", s.Principal.Service}} {
			if len(p.ids) > 0 {
				y.values(depth+4, p.kind, p.ids)
			}
		}
	}
	y.values(depth+2, "Action", s.Actions)
	switch {
	case len(s.Resources) == 0:
	case s.resourcesWhen != "":
		y.line(depth+2, "Resource: !If")
		y.line(depth+4, "- %s", conditionOf(s.resourcesWhen))
		y.line(depth+4, "- %s", y.oneLine(s.Resources))
		y.line(depth+4, "- %s", y.oneLine(s.otherwise))
	default:
		y.values(depth+2, "Resource", s.Resources)
	}
	if len(s.Conditions) > 0 {
		y.conditions(depth+2, s)
	}
}

// conditions writes the conditions. Those that a choice brings are few and short.
func (y yamlPolicy) conditions(depth int, s statement) {
	if len(s.operators) == len(s.Conditions) {
		for _, c := range s.operators {
			y.line(depth, "Condition: !If")
			y.line(depth+2, "- %s", conditionOf(c))
			for i, operator := range slices.Sorted(maps.Keys(s.Conditions)) {
				y.line(depth+2, "%s%s:", map[bool]string{true: "- ", false: "  "}[i == 0], y.text(operator))
				y.keys(depth+6, s.Conditions[operator])
			}
			y.line(depth+2, "- %s", noValue)
			return
		}
	}
	y.line(depth, "Condition:")
	for _, operator := range slices.Sorted(maps.Keys(s.Conditions)) {
		if c := s.operators[operator]; c != "" {
			y.line(depth+2, "%s: !If", y.text(operator))
			y.line(depth+4, "- %s", conditionOf(c))
			keys := slices.Sorted(maps.Keys(s.Conditions[operator]))
			for i, key := range keys {
				y.line(depth+4, "%s%s: %s", map[bool]string{true: "- ", false: "  "}[i == 0], y.text(key), y.oneLine(s.Conditions[operator][key]))
			}
			y.line(depth+4, "- %s", noValue)
			continue
		}
		y.line(depth+2, "%s:", y.text(operator))
		y.keys(depth+4, s.Conditions[operator])
	}
}

func (y yamlPolicy) keys(depth int, keys map[string][]string) {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		y.values(depth, y.text(key), keys[key])
	}
}

// values writes one value beside its name, and several below it.
func (y yamlPolicy) values(depth int, name string, values []string) {
	if len(values) == 1 {
		y.line(depth, "%s: %s", name, y.oneLine(values))
		return
	}
	y.line(depth, "%s:", name)
	for _, v := range values {
		y.line(depth+2, "- %s", y.text(v))
	}
}

// oneLine writes values in one line.
func (y yamlPolicy) oneLine(values []string) string {
	if len(values) == 1 {
		if list, ok := cloudFormationList(values[0]); ok {
			return list
		}
		return y.text(values[0])
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = y.text(v)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// plainText is what YAML reads as the text that it is, but for plainWord: IAM's operator
// Null would be no value.
var (
	plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9./_-]*(:[A-Za-z0-9./_-]+)*$`)
	plainWord = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n)$`)
)

// text writes a text, with CloudFormation's parameters in it.
func (y yamlPolicy) text(s string) string {
	own, mesh := "${AccountId}", "${AWS::AccountId}"
	if y.member {
		own, mesh = "${AWS::AccountId}", "${MeshAccountId}"
	}
	substituted := strings.NewReplacer(memberAccount, own, meshAccount, mesh, region, "${AWS::Region}", "arn:aws:", "arn:${AWS::Partition}:").Replace(s)
	if substituted == own || substituted == mesh {
		return "!Ref " + strings.Trim(substituted, "${}")
	}
	quoted := `"` + substituted + `"`
	switch {
	case substituted != s:
		return "!Sub " + quoted
	case plainText.MatchString(s) && !plainWord.MatchString(s):
		return s
	}
	return quoted
}
