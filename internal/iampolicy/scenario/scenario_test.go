package scenario

import (
	"strings"
	"testing"
)

// A file that says something that would not be looked at is refused.
func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	const good = `theme: t
docs: page
setups:
  lake:
    buckets: {lake: {account: "111111111111"}}
scenarios:
  - name: one
    setup: lake
    with:
      users: {"arn:aws:iam::111111111111:user/ann": {inline: {p: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}}}
    as: {principal: "arn:aws:iam::111111111111:user/ann", token: true}
    ask: {action: "s3:GetObject", on: "arn:aws:s3:::lake/a"}
    want: {decision: allowed, by: identity, policy: p}
`
	f, err := parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := f.Scenarios[0].Decide(); err != nil || !d.Allowed {
		t.Fatalf("decided %+v, %v", d, err)
	}
	for _, tt := range []struct{ name, old, new string }{
		{"field of the file", "theme: t", "theme: t\nfoo: 1"},
		{"field of a setup", "buckets: {", "foo: {}\n    buckets: {"},
		{"field of a bucket", `{account: "111111111111"}`, `{account: "111111111111", foo: 1}`},
		{"field of a scenario", "    ask:", "    foo: 1\n    ask:"},
		{"field of a user", "{inline:", "{foo: 1, inline:"},
		{"field of a caller", "token: true", "foo: true"},
		{"field of a question", "{action:", "{foo: 1, action:"},
		{"field of an answer", "{decision: allowed", "{foo: 1, decision: allowed"},
		{"field of a statement", "Effect: Allow", "Effect: Allow, Foo: 1"},
		{"no theme", "theme: t\n", ""},
		{"no page", "docs: page\n", ""},
		{"no name", "name: one", `name: ""`},
		{"unknown setup", "setup: lake", "setup: pond"},
		{"unknown decision", "decision: allowed", "decision: yes"},
		{"unknown kind", "by: identity", "by: me"},
		{"allowed by nothing", ", policy: p}", "}"},
		{"allowed and missing", ", policy: p}", ", policy: p, missing: identity}"},
		{"denied by nothing", "{decision: allowed, by: identity, policy: p}", "{decision: explicit deny}"},
		{"nothing missing", "{decision: allowed, by: identity, policy: p}", "{decision: implicit deny}"},
		{"principal in an identity policy", "Effect: Allow", `Effect: Allow, Principal: "*"`},
		{"unknown managed policy", "{inline:", `{attached: "arn:aws:iam::111111111111:policy/p", inline:`},
		{"outcome without a reason", "    as:", "    wire: {outcome: refused}\n    as:"},
		{"not asked and simulated", "    as:", "    wire: {none: a, simulate: b}\n    as:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bad := strings.Replace(good, tt.old, tt.new, 1)
			if bad == good {
				t.Fatal("nothing was replaced")
			}
			if _, err := parse([]byte(bad)); err == nil {
				t.Errorf("accepted:\n%s", bad)
			}
		})
	}
	_, first, _ := strings.Cut(good, "  - name")
	twice := good + "  - name" + first
	if _, err := parse([]byte(twice)); err == nil {
		t.Error("accepted a name used twice")
	}
}

// A scenario that is about what is not set up is wrong, and says so.
func TestWhatCannotBeDecided(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		s    Scenario
	}{
		{"unknown user", Scenario{As: Caller{Principal: "arn:aws:iam::111111111111:user/ann"}}},
		{"no principal", Scenario{As: Caller{Principal: "ann"}}},
		{"unknown role", Scenario{As: Caller{Principal: "arn:aws:iam::111111111111:root", Assume: []Hop{{Role: "arn:aws:iam::111111111111:role/x"}}}}},
		{"no ARN", Scenario{As: Caller{Anonymous: true}, Ask: Ask{On: Texts{"lake"}}}},
		{
			"a role on the way that may not be assumed",
			Scenario{
				With: Setup{
					Users: map[string]User{"arn:aws:iam::111111111111:user/ann": {}},
					Roles: map[string]Role{"arn:aws:iam::111111111111:role/x": {}},
				},
				As: Caller{Principal: "arn:aws:iam::111111111111:user/ann", Assume: []Hop{{Role: "arn:aws:iam::111111111111:role/x"}}},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.s.Ask.Action = "s3:GetObject"
			if d, err := tt.s.Decide(); err == nil {
				t.Errorf("decided %+v", d)
			}
		})
	}
}
