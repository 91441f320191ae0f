package iac_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/lakemesh/lakemesh/admin"
)

// A template of CloudFormation, evaluated as far as ours need it: whatever else stands in
// one fails the test.

// call is a function of CloudFormation, such as !Ref.
type call struct {
	name string
	arg  any
}

// entry is an entry of a mapping, whose order the resources keep.
type entry struct {
	key   string
	value any
}

type mapping []entry

func (m mapping) get(key string) any {
	for _, e := range m {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// noValue is what takes out the property or the entry that it is the value of.
type noValue struct{}

func readTemplate(t testing.TB, part admin.FramePart) mapping {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployed, "cloudformation", "lakemesh-"+string(part)+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 51200 {
		t.Errorf("the template %s has %d bytes; a body of more than 51200 has to be put into a bucket", part, len(text))
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, file.Docs[0].Body).(mapping)
}

func decode(t testing.TB, n ast.Node) any {
	t.Helper()
	switch n := n.(type) {
	case *ast.MappingNode:
		var m mapping
		for _, v := range n.Values {
			m = append(m, entry{fmt.Sprint(decode(t, v.Key)), decode(t, v.Value)})
		}
		return m
	case *ast.MappingValueNode:
		return mapping{{fmt.Sprint(decode(t, n.Key)), decode(t, n.Value)}}
	case *ast.SequenceNode:
		list := []any{}
		for _, v := range n.Values {
			list = append(list, decode(t, v))
		}
		return list
	case *ast.TagNode:
		return call{strings.TrimPrefix(n.Start.Value, "!"), decode(t, n.Value)}
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.IntegerNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.MappingKeyNode:
		return decode(t, n.Value)
	}
	t.Fatalf("%T at %s", n, n.GetPath())
	return nil
}

// stack is a template with its parameters, in an account.
type stack struct {
	t          testing.TB
	template   mapping
	account    string
	region     string
	parameters map[string]string
	// refused is the rule that refuses the parameters.
	refused error
	// made are the resources that were made: what Ref and the attribute Arn are.
	made map[string]struct{ ref, arn string }
}

func newStack(t testing.TB, part admin.FramePart, account, region string, parameters map[string]string) *stack {
	t.Helper()
	s := &stack{t: t, template: readTemplate(t, part), account: account, region: region, parameters: map[string]string{}, made: map[string]struct{ ref, arn string }{}}
	declared, _ := s.template.get("Parameters").(mapping)
	for name, value := range parameters {
		if declared.get(name) == nil {
			t.Fatalf("template %s has no parameter %s", part, name)
		}
		s.parameters[name] = value
	}
	for _, p := range declared {
		value, given := s.parameters[p.key]
		if !given {
			fallback, ok := p.value.(mapping).get("Default").(string)
			if !ok {
				t.Fatalf("parameter %s is not given", p.key)
			}
			value = fallback
		}
		if legal, ok := p.value.(mapping).get("AllowedValues").([]any); ok && !slices.Contains(legal, any(value)) {
			t.Fatalf("parameter %s: %q is none of %v", p.key, value, legal)
		}
		if pattern, ok := p.value.(mapping).get("AllowedPattern").(string); ok && !regexp.MustCompile("^(?:"+pattern+")$").MatchString(value) {
			t.Fatalf("parameter %s: %q is not of %s", p.key, value, pattern)
		}
		s.parameters[p.key] = value
	}
	rules, _ := s.template.get("Rules").(mapping)
	for _, r := range rules {
		for _, a := range r.value.(mapping).get("Assertions").([]any) {
			if s.value(a.(mapping).get("Assert")) != true {
				s.refused = fmt.Errorf("%s: %s", r.key, a.(mapping).get("AssertDescription"))
			}
		}
	}
	return s
}

// ref is what a name stands for: a parameter, a pseudo parameter, or a resource that was made.
func (s *stack) ref(name string) any {
	s.t.Helper()
	switch name {
	case "AWS::AccountId":
		return s.account
	case "AWS::Region":
		return s.region
	case "AWS::Partition":
		return "aws"
	case "AWS::NoValue":
		return noValue{}
	}
	if r, ok := s.made[name]; ok {
		return r.ref
	}
	value, ok := s.parameters[name]
	if !ok {
		s.t.Fatalf("nothing is called %s", name)
	}
	if s.template.get("Parameters").(mapping).get(name).(mapping).get("Type") == "CommaDelimitedList" {
		list := []any{}
		for _, v := range strings.Split(value, ",") {
			list = append(list, strings.TrimSpace(v))
		}
		return list
	}
	return value
}

var substitution = regexp.MustCompile(`\$\{([^}]+)\}`)

// value evaluates what stands in a template.
func (s *stack) value(v any) any {
	s.t.Helper()
	switch v := v.(type) {
	case mapping:
		out := mapping{}
		for _, e := range v {
			if x := s.value(e.value); x != any(noValue{}) {
				out = append(out, entry{e.key, x})
			}
		}
		return out
	case []any:
		out := []any{}
		for _, e := range v {
			if x := s.value(e); !isNoValue(x) {
				out = append(out, x)
			}
		}
		return out
	case call:
		return s.call(v)
	}
	return v
}

func isNoValue(v any) bool {
	_, is := v.(noValue)
	return is
}

func (s *stack) call(c call) any {
	s.t.Helper()
	switch c.name {
	case "Ref":
		return s.ref(c.arg.(string))
	case "GetAtt":
		name, attribute, _ := strings.Cut(c.arg.(string), ".")
		if attribute != "Arn" {
			s.t.Fatalf("attribute %s", c.arg)
		}
		return s.made[name].arn
	case "Sub":
		return substitution.ReplaceAllStringFunc(c.arg.(string), func(m string) string {
			return s.ref(strings.Trim(m, "${}")).(string)
		})
	case "If":
		args := c.arg.([]any)
		if s.condition(args[0].(string)) {
			return s.value(args[1])
		}
		return s.value(args[2])
	case "Condition":
		return s.condition(c.arg.(string))
	case "Equals":
		args := s.value(c.arg).([]any)
		return args[0] == args[1]
	case "Not":
		return !s.value(c.arg).([]any)[0].(bool)
	case "And":
		return !slices.Contains(s.value(c.arg).([]any), any(false))
	case "Join":
		args := s.value(c.arg).([]any)
		var texts []string
		for _, v := range args[1].([]any) {
			texts = append(texts, v.(string))
		}
		return strings.Join(texts, args[0].(string))
	}
	s.t.Fatalf("function %s", c.name)
	return nil
}

func (s *stack) condition(name string) bool {
	s.t.Helper()
	c := s.template.get("Conditions").(mapping).get(name)
	if c == nil {
		s.t.Fatalf("no condition %s", name)
	}
	return s.value(c).(bool)
}

// resource is a resource as it is to be made.
type resource struct {
	id, kind   string
	properties map[string]any
}

// resources gives the resources whose conditions hold to a function, one after the other:
// what one is evaluated to can depend on those before it.
func (s *stack) resources(each func(r resource)) {
	s.t.Helper()
	for _, e := range s.template.get("Resources").(mapping) {
		m := e.value.(mapping)
		if c, ok := m.get("Condition").(string); ok && !s.condition(c) {
			continue
		}
		if kept := m.get("DeletionPolicy"); kept != "RetainExceptOnCreate" && kept != "Retain" || m.get("UpdateReplacePolicy") != "Retain" {
			s.t.Errorf("resource %s goes with its stack", e.key)
		}
		s.made[e.key] = struct{ ref, arn string }{e.key, e.key}
		each(resource{e.key, m.get("Type").(string), plain(s.value(m.get("Properties"))).(map[string]any)})
	}
}

// plain makes ordinary maps of mappings.
func plain(v any) any {
	switch v := v.(type) {
	case mapping:
		out := map[string]any{}
		for _, e := range v {
			out[e.key] = plain(e.value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	}
	return v
}

// take takes a property out; what is left at the end is one that nobody knows.
func (r resource) take(name string) any {
	v := r.properties[name]
	delete(r.properties, name)
	return v
}

func (r resource) text(name string) string {
	v, ok := r.take(name).(string)
	if !ok {
		return ""
	}
	return v
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
