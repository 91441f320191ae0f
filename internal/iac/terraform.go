package iac

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/admin"
)

// Terraform renders the policies of a part as files for the function templatefile of
// Terraform, by the names of the files.
func Terraform(part admin.FramePart) (map[string][]byte, error) {
	all, err := policies(part)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, statements := range all {
		kind, of, _ := strings.Cut(name, " of ")
		text, err := terraformPolicy(statements)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[of+"."+kind+".json.tftpl"] = text
	}
	return files, nil
}

// terraformChoices are the variables of choices.
func terraformChoice(c Choice) string {
	return map[Choice]string{WithCrawlerRole: "crawler_role_arn != null", WithBuckets: "length(bucket_arns) > 0", WithKeyPolicies: "length(key_policies) > 0",
		WithLinkRegions: "length(link_regions) > 0", WithKMSKeys: "length(kms_keys) > 0", ThroughServices: "through_services", WithSchedules: "end_schedules"}[c]
}

// terraformList is what stands for lists of variables.
func terraformList(value string) (string, bool) {
	variable, ok := map[string]string{bucketARN: "bucket_arns", keyPolicy: "key_policies", kmsKey: "kms_keys", kmsService: "kms_services", linkRegion: "link_regions"}[value]
	return "${jsonencode(" + variable + ")}", ok
}

// terraformPolicy writes a policy as JSON with directives. What follows an entry that may
// not be there begins with a comma: the first entry always is there.
func terraformPolicy(statements []statement) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n")
	for i, s := range statements {
		comma := ""
		if i > 0 {
			comma = ",\n"
		}
		text, err := terraformStatement(s)
		if err != nil {
			return nil, err
		}
		if s.when != "" {
			fmt.Fprintf(&out, "%%{ if %s }%s%s%%{ endif }", terraformChoice(s.when), comma, text)
			continue
		}
		out.WriteString(comma + text)
	}
	out.WriteString("\n  ]\n}\n")
	return out.Bytes(), nil
}

func terraformStatement(s statement) (string, error) {
	var fields []string
	field := func(name string, value any) error {
		text, err := terraformValue(value)
		fields = append(fields, fmt.Sprintf("      %q: %s", name, text))
		return err
	}
	var errs []error
	if s.SID != "" {
		errs = append(errs, field("Sid", s.SID))
	}
	errs = append(errs, field("Effect", string(s.Effect)))
	switch {
	case s.Principal == nil:
	case s.Principal.All:
		errs = append(errs, field("Principal", "*"))
	case len(s.Principal.AWS) > 0:
		errs = append(errs, field("Principal", map[string]any{"AWS": s.Principal.AWS}))
	default:
		errs = append(errs, field("Principal", map[string]any{"Service": s.Principal.Service}))
	}
	errs = append(errs, field("Action", s.Actions))
	switch {
	case s.resourcesWhen != "":
		on, err := terraformValue(s.Resources)
		off, errOff := terraformValue(s.otherwise)
		fields = append(fields, fmt.Sprintf("      \"Resource\": %%{ if %s }%s%%{ else }%s%%{ endif }", terraformChoice(s.resourcesWhen), on, off))
		errs = append(errs, err, errOff)
	case len(s.Resources) > 0:
		errs = append(errs, field("Resource", s.Resources))
	}
	for _, err := range errs {
		if err != nil {
			return "", err
		}
	}
	text := "    {\n" + strings.Join(fields, ",\n")
	conditions, err := terraformConditions(s)
	return text + conditions + "\n    }", err
}

// terraformConditions writes the conditions, those last that a choice brings.
func terraformConditions(s statement) (string, error) {
	var always, chosen []string
	var choice Choice
	for _, operator := range slices.Sorted(maps.Keys(s.Conditions)) {
		value, err := terraformValue(s.Conditions[operator])
		if err != nil {
			return "", err
		}
		entry := fmt.Sprintf("        %q: %s", operator, value)
		if c := s.operators[operator]; c != "" {
			chosen, choice = append(chosen, entry), c
			continue
		}
		always = append(always, entry)
	}
	whole := func(entries []string) string {
		return ",\n      \"Condition\": {\n" + strings.Join(entries, ",\n") + "\n      }"
	}
	switch {
	case len(s.Conditions) == 0:
		return "", nil
	case len(chosen) == 0:
		return whole(always), nil
	case len(always) == 0:
		return fmt.Sprintf("%%{ if %s }%s%%{ endif }", terraformChoice(choice), whole(chosen)), nil
	}
	always[len(always)-1] += fmt.Sprintf("%%{ if %s },\n%s%%{ endif }", terraformChoice(choice), strings.Join(chosen, ",\n"))
	return whole(always), nil
}

// terraformValue writes a value with the variables in it. Several texts stand one below
// the other.
func terraformValue(v any) (string, error) {
	var one string
	switch v := v.(type) {
	case string:
		one = v
	case []string:
		if len(v) != 1 {
			lines := make([]string, len(v))
			for i, s := range v {
				text, err := terraformValue(s)
				if err != nil {
					return "", err
				}
				lines[i] = "        " + text
			}
			return "[\n" + strings.Join(lines, ",\n") + "\n      ]", nil
		}
		if list, ok := terraformList(v[0]); ok {
			return list, nil
		}
		one = v[0]
	case map[string]any, map[string][]string:
		return terraformMap(v)
	default:
		return "", fmt.Errorf("a value of %T", v)
	}
	one = strings.NewReplacer(crawlerRole, "${crawler_role_arn}", memberAccount, "${account_id}", meshAccount, "${mesh_account_id}", region, "${region}", "arn:aws:", "arn:${partition}:").Replace(one)
	text, err := json.Marshal(one)
	return string(text), err
}

// oneLine is a list of several lines in one.
func oneLine(list string) string {
	lines := strings.Split(list, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.ReplaceAll(strings.Join(lines, ""), `",`, `", `)
}

func terraformMap(v any) (string, error) {
	entries := map[string]any{}
	switch v := v.(type) {
	case map[string]any:
		entries = v
	case map[string][]string:
		for key, values := range v {
			entries[key] = values
		}
	}
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		text, err := terraformValue(entries[key])
		if err != nil {
			return "", err
		}
		// In a line of its own, since there are few.
		texts = append(texts, fmt.Sprintf("%q: %s", key, oneLine(text)))
	}
	return "{" + strings.Join(texts, ", ") + "}", nil
}
