package plan_test

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh/plan"
)

// drawPlan draws a plan that says a few words, so that plans are often nearly alike.
func drawPlan(t *rapid.T) (*plan.Plan, []string) {
	word := rapid.SampledFrom([]string{"", "a", "b", "ab", "1", "a\nb", "\xff"})
	p := &plan.Plan{Operation: word.Draw(t, "operation"), Warnings: rapid.SliceOfN(word, 0, 3).Draw(t, "warnings")}
	for range rapid.IntRange(0, 4).Draw(t, "steps") {
		p.Add(plan.Step{Kind: plan.Kind(word.Draw(t, "kind")), Account: word.Draw(t, "account"), Resource: word.Draw(t, "resource"),
			Summary: word.Draw(t, "summary"), Detail: rapid.SampledFrom([]any{nil, "a", []string{"a", "b"}, map[string]any{"a": 1, "b": 2}}).Draw(t, "detail")})
	}
	return p, rapid.SliceOfN(word, 0, 3).Draw(t, "parts")
}

func TestADigestStandsForWhatThePlanSaysInAnyOrder(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z2-7]{32}$`)
	rapid.Check(t, func(t *rapid.T) {
		p, parts := drawPlan(t)
		digest := p.ComputeDigest(parts...)
		if !form.MatchString(digest) || p.Digest != "" {
			t.Fatalf("the digest is %q, and the plan's is %q", digest, p.Digest)
		}
		other := &plan.Plan{Operation: p.Operation, Warnings: rapid.Permutation(p.Warnings).Draw(t, "other warnings"), Digest: "set"}
		for _, s := range rapid.Permutation(p.Steps).Draw(t, "other steps") {
			c := *s
			c.Early, c.Run = true, func(context.Context) error { return nil }
			other.Steps = append(other.Steps, &c)
		}
		if got := other.ComputeDigest(parts...); got != digest {
			t.Fatalf("in another order the digest is %s, not %s", got, digest)
		}
		if got := p.Preview().ComputeDigest(parts...); got != digest {
			t.Fatalf("the preview's digest is %s, not %s", got, digest)
		}
	})
}

func TestPlansThatSayDifferentThingsHaveDifferentDigests(t *testing.T) {
	t.Parallel()
	// said writes everything that a plan says in one form, apart from the digest's.
	said := func(p *plan.Plan, parts []string) string {
		steps := make([]string, len(p.Steps))
		for i, s := range p.Steps {
			detail, err := json.Marshal(s.Detail)
			if err != nil {
				t.Fatal(err)
			}
			steps[i] = quoted(string(s.Kind), s.Account, s.Resource, s.Summary, string(detail))
		}
		slices.Sort(steps)
		return quoted(p.Operation, quoted(parts...), quoted(steps...), quoted(slices.Sorted(slices.Values(p.Warnings))...))
	}
	rapid.Check(t, func(t *rapid.T) {
		p, parts := drawPlan(t)
		o, more := drawPlan(t)
		if rapid.Bool().Draw(t, "alike") {
			// Most of it is the same: one text moves or changes.
			o, more = p.Preview(), slices.Clone(parts)
			switch rapid.IntRange(0, 3).Draw(t, "change") {
			case 0:
				more = append(more, "a")
			case 1:
				o.Warn("a")
			case 2:
				o.Operation += "a"
			case 3:
				if len(o.Steps) > 0 {
					o.Steps[0].Account, o.Steps[0].Resource = o.Steps[0].Resource, o.Steps[0].Account
				}
			}
		}
		if same := said(p, parts) == said(o, more); same != (p.ComputeDigest(parts...) == o.ComputeDigest(more...)) {
			t.Fatalf("say the same: %v; digests %s of\n%s\nand %s of\n%s", same, p.ComputeDigest(parts...), said(p, parts), o.ComputeDigest(more...), said(o, more))
		}
	})
}

// quoted joins texts so that no two lists look alike.
func quoted(texts ...string) string {
	var b strings.Builder
	for _, text := range texts {
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(text, "\\", "\\\\"), ",", "\\,") + ",")
	}
	return b.String()
}

func TestAPlanThatCannotBeShownInFullHasNoDigest(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "Test"}
	p.Add(plan.Step{Detail: func() {}})
	if got := p.ComputeDigest("part"); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestTheDigestIsShownLast(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Operation: "Test"}
	p.Warn("beware")
	p.Digest = p.ComputeDigest()
	for _, shown := range []*plan.Plan{p, p.Preview()} {
		if want := "Test: nothing to do\n  warning: beware\n  digest: " + p.Digest + "\n"; shown.String() != want {
			t.Errorf("got\n%swant\n%s", shown, want)
		}
		data, err := json.Marshal(shown)
		if want := `{"Operation":"Test","Steps":[],"Warnings":["beware"],"Digest":"` + p.Digest + `"}`; err != nil || string(data) != want {
			t.Errorf("%s, %v; want %s", data, err, want)
		}
	}
}
