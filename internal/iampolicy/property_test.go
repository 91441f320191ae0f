package iampolicy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

// The vocabulary is small, so that statements often match requests.
var (
	actions    = rapid.SampledFrom([]string{"*", "s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "glue:GetTable", "glue:*Table"})
	resources  = rapid.SampledFrom([]string{"*", "arn:aws:s3:::lake/*", "arn:aws:s3:::lake/a", "arn:aws:s3:::${aws:username, 'lake'}/?", "arn:aws:s3:::${a:x}/a"})
	principals = rapid.SampledFrom([]string{"*", home, other, root.ARN, ann.ARN, reader.ARN, reader.SessionARN})
	operators  = rapid.SampledFrom([]string{
		"StringEquals", "StringNotEquals", "StringLike", "StringNotLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringNotEquals", "ForAnyValue:StringEqualsIgnoreCase",
	})
	keys   = rapid.SampledFrom([]string{"a:x", "A:X", "a:y", "aws:PrincipalAccount"})
	values = rapid.SampledFrom([]string{"1", "2", "*", "", home, "${a:y}", "é <&>"})
)

func some(g *rapid.Generator[string]) *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(g, 1, 3, rapid.ID[string])
}

func statements(named bool) *rapid.Generator[iampolicy.Statement] {
	return rapid.Custom(func(t *rapid.T) iampolicy.Statement {
		s := iampolicy.Statement{Effect: rapid.SampledFrom([]iampolicy.Effect{iampolicy.Allow, iampolicy.Deny}).Draw(t, "effect")}
		if rapid.IntRange(0, 3).Draw(t, "not action") == 0 {
			s.NotActions = some(actions).Draw(t, "actions")
		} else {
			s.Actions = some(actions).Draw(t, "actions")
		}
		if rapid.IntRange(0, 3).Draw(t, "not resource") == 0 {
			s.NotResources = some(resources).Draw(t, "resources")
		} else {
			s.Resources = some(resources).Draw(t, "resources")
		}
		if named {
			p := iampolicy.AWSPrincipal(some(principals).Draw(t, "principals")...)
			switch rapid.IntRange(0, 3).Draw(t, "principal") {
			case 0:
				s.Principal = iampolicy.Everyone()
			case 1:
				s.NotPrincipal = p
			default:
				s.Principal = p
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "conditions") {
			if s.Conditions == nil {
				s.Conditions = iampolicy.Conditions{}
			}
			s.Conditions[operators.Draw(t, "operator")] = rapid.MapOfN(keys, some(values), 1, 2).Draw(t, "keys")
		}
		return s
	})
}

func documents(named bool) *rapid.Generator[iampolicy.Document] {
	return rapid.Custom(func(t *rapid.T) iampolicy.Document {
		d := iampolicy.New(rapid.SliceOfN(statements(named), 1, 4).Draw(t, "statements")...)
		if rapid.Bool().Draw(t, "old") {
			d.Version = iampolicy.Version2008
		}
		return d
	})
}

func attached(t *rapid.T, label string) []iampolicy.Named {
	d := documents(false).Draw(t, label)
	return []iampolicy.Named{{Name: label, Document: &d}}
}

func drawPolicies(t *rapid.T) iampolicy.Policies {
	p := iampolicy.Policies{
		Identity:         attached(t, "identity"),
		ResourceAccount:  rapid.SampledFrom([]string{"", home, other}).Draw(t, "resource account"),
		ResourceRequired: rapid.Bool().Draw(t, "resource required"),
	}
	if rapid.Bool().Draw(t, "has boundary") {
		p.Boundary = attached(t, "boundary")
	}
	if rapid.Bool().Draw(t, "has session policy") {
		p.Session = attached(t, "session")
	}
	if rapid.Bool().Draw(t, "has resource policy") {
		d := documents(true).Draw(t, "resource")
		p.Resource = &iampolicy.Named{Name: "resource", Document: &d}
	}
	return p
}

func drawRequest(t *rapid.T) iampolicy.Request {
	return iampolicy.Request{
		Action:   rapid.SampledFrom([]string{"s3:GetObject", "s3:PutObject", "glue:GetTable"}).Draw(t, "action"),
		Resource: rapid.SampledFrom([]string{"arn:aws:s3:::lake/a", "arn:aws:s3:::lake/b/c", "arn:aws:s3:::ann/a", "*"}).Draw(t, "resource"),
		Principal: rapid.SampledFrom([]iampolicy.PrincipalInfo{
			ann, reader, federated, root, {Service: "glue.amazonaws.com"}, {Anonymous: true},
		}).Draw(t, "caller"),
		Keys: rapid.MapOfN(keys, rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "3", ""}), 0, 2), 0, 3).Draw(t, "keys"),
	}
}

// more gives a copy of the document with one more statement at any place.
func more(t *rapid.T, d *iampolicy.Document, s iampolicy.Statement) *iampolicy.Document {
	at := rapid.IntRange(0, len(d.Statements)).Draw(t, "at")
	return &iampolicy.Document{Version: d.Version, ID: d.ID, Statements: slices.Insert(slices.Clone(d.Statements), at, s)}
}

// add puts a statement of this effect into one of the policies.
func add(t *rapid.T, p iampolicy.Policies, effect iampolicy.Effect) iampolicy.Policies {
	lists := []*[]iampolicy.Named{&p.Identity}
	if p.Boundary != nil {
		lists = append(lists, &p.Boundary)
	}
	if p.Session != nil {
		lists = append(lists, &p.Session)
	}
	which := rapid.IntRange(0, len(lists)).Draw(t, "policy")
	s := statements(which == len(lists)).Draw(t, "statement")
	s.Effect = effect
	switch {
	case which < len(lists):
		old := (*lists[which])[0]
		*lists[which] = []iampolicy.Named{{Name: old.Name, Document: more(t, old.Document, s)}}
	case p.Resource != nil:
		p.Resource = &iampolicy.Named{Name: p.Resource.Name, Document: more(t, p.Resource.Document, s)}
	default:
		d := iampolicy.New(s)
		p.Resource = &iampolicy.Named{Name: "resource", Document: &d}
	}
	return p
}

func TestAddingDenyNeverAllows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		request, p := drawRequest(t), drawPolicies(t)
		before := iampolicy.Evaluate(request, p)
		after := iampolicy.Evaluate(request, add(t, p, iampolicy.Deny))
		if after.Allowed && !before.Allowed {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	})
}

func TestAddingAllowNeverDenies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		request, p := drawRequest(t), drawPolicies(t)
		before := iampolicy.Evaluate(request, p)
		after := iampolicy.Evaluate(request, add(t, p, iampolicy.Allow))
		if before.Allowed && !after.Allowed {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	})
}

// The order of statements and values, and the case of actions and condition keys, do not matter.
func TestOrderAndCaseDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		request, p := drawRequest(t), drawPolicies(t)
		before := iampolicy.Evaluate(request, p)
		other := rewrite(t, *p.Identity[0].Document)
		p.Identity = []iampolicy.Named{{Name: "identity", Document: &other}}
		if p.Resource != nil {
			other := rewrite(t, *p.Resource.Document)
			p.Resource = &iampolicy.Named{Name: "resource", Document: &other}
		}
		request.Action = strings.ToUpper(request.Action)
		after := iampolicy.Evaluate(request, p)
		if before.Effect != after.Effect || before.Missing != after.Missing {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	})
}

func rewrite(t *rapid.T, d iampolicy.Document) iampolicy.Document {
	d.Statements = rapid.Permutation(d.Statements).Draw(t, "statements")
	for i := range d.Statements {
		s := &d.Statements[i]
		s.Actions, s.NotActions = recase(t, s.Actions), recase(t, s.NotActions)
		s.Resources, s.NotResources = rapid.Permutation(s.Resources).Draw(t, "order"), rapid.Permutation(s.NotResources).Draw(t, "order")
		conditions := iampolicy.Conditions{}
		for operator, keys := range s.Conditions {
			conditions[operator] = map[string][]string{}
			for key, values := range keys {
				// Keys of two cases in one operator are two conditions, and stay so.
				if _, two := keys[strings.ToUpper(key)]; !two {
					key = strings.ToUpper(key)
				}
				conditions[operator][key] = rapid.Permutation(values).Draw(t, "values")
			}
		}
		s.Conditions = conditions
	}
	return d
}

func recase(t *rapid.T, actions []string) []string {
	out := rapid.Permutation(actions).Draw(t, "order")
	for i := range out {
		if rapid.Bool().Draw(t, "upper") {
			out[i] = strings.ToUpper(out[i])
		}
	}
	return out
}

func TestParseOfPrintIsTheDocument(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := documents(rapid.Bool().Draw(t, "named")).Draw(t, "document")
		d.ID = rapid.String().Draw(t, "id")
		for i := range d.Statements {
			d.Statements[i].SID = rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "sid") + strings.Repeat("x", i)
		}
		got, err := iampolicy.Parse([]byte(d.String()))
		if err != nil {
			t.Fatalf("%v\n%s", err, d)
		}
		if diff := cmp.Diff(d, *got); diff != "" {
			t.Fatalf("(-printed +parsed)\n%s", diff)
		}
		if d.String() != got.String() {
			t.Fatalf("prints differ:\n%s\n%s", d, got)
		}
	})
}
