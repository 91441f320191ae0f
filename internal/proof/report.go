package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Report is what a run has found.
type Report struct {
	Run      string     `json:"Run"`
	Begun    time.Time  `json:"Begun"`
	Ended    time.Time  `json:"Ended"`
	Accounts []*Account `json:"Accounts"`
	// Version is the version of lakemesh.
	Version string `json:"Version,omitempty"`
	// Life are the steps of a product's life, Findings the answers to the questions of the checks.
	Life     []Step    `json:"Life,omitempty"`
	Findings []Finding `json:"Findings"`
	// Rules are the rules of docs/aws-rules.md, each with a verdict, and Doubts what lakemesh assumes.
	Rules  []RuleReport  `json:"Rules"`
	Doubts []DoubtReport `json:"Doubts,omitempty"`
	// Left says what could not be removed.
	Left string `json:"Left,omitempty"`
}

// RuleReport is what was found about a rule.
type RuleReport struct {
	Number  string  `json:"Number"`
	What    string  `json:"What"`
	Verdict Verdict `json:"Verdict"`
	// Reason says why it was not tried.
	Reason string `json:"Reason,omitempty"`
	// Asked is how many questions were asked about it.
	Asked int `json:"Asked,omitempty"`
}

// DoubtReport is what was found about something that lakemesh assumes.
type DoubtReport struct {
	Doubt   string   `json:"Doubt"`
	Rules   []string `json:"Rules"`
	Verdict Verdict  `json:"Verdict"`
}

// complete works out the verdicts of rules and doubts.
func (r *Report) complete(o Options) {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return compareRules(a.Rule, b.Rule) })
	r.Rules, r.Doubts = nil, nil
	for _, rule := range Rules() {
		if !o.wantsRule(rule.Number) {
			continue
		}
		verdict, asked, reason := r.verdict(rule.Number)
		if verdict == NotTried && reason == "" {
			if reason = untried(rule.Number); reason == "" {
				reason = "the run ended before"
			}
		}
		r.Rules = append(r.Rules, RuleReport{Number: rule.Number, What: rule.What, Verdict: verdict, Asked: asked, Reason: reason})
	}
	for _, c := range Checks() {
		if c.Doubt == "" || !o.wants(c) {
			continue
		}
		worst := Same
		for _, rule := range c.Rules {
			if verdict, _, _ := r.verdict(rule); verdict == Different || verdict == NotTried && worst == Same {
				worst = verdict
			}
		}
		r.Doubts = append(r.Doubts, DoubtReport{Doubt: c.Doubt, Rules: c.Rules, Verdict: worst})
	}
}

// verdict is that of a rule: different if one answer is, and not tried only if all of it was not.
func (r *Report) verdict(rule string) (verdict Verdict, asked int, reason string) {
	verdict = NotTried
	for _, f := range r.Findings {
		if f.Rule != rule {
			continue
		}
		if f.Verdict == NotTried {
			reason = f.Answer
			continue
		}
		asked++
		if f.Verdict == Different || verdict == NotTried {
			verdict = f.Verdict
		}
	}
	if verdict != NotTried {
		reason = ""
	}
	return verdict, asked, reason
}

// Count is how many rules have a verdict.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, rule := range r.Rules {
		if rule.Verdict == v {
			n++
		}
	}
	return n
}

// Differences are the findings, and the steps of the life, that are not as expected.
func (r *Report) Differences() int {
	n := 0
	for _, f := range r.Findings {
		if f.Verdict == Different {
			n++
		}
	}
	for _, s := range r.Life {
		if s.Verdict == Different {
			n++
		}
	}
	return n
}

// Write writes the report as Markdown and as JSON, to two files of one name.
func (r *Report) Write(folder string) (markdown string, err error) {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", fmt.Errorf("write the report: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("write the report: %w", err)
	}
	base := filepath.Join(folder, "lakemesh-acceptance-"+r.Run)
	return base + ".md", errors.Join(os.WriteFile(base+".json", append(data, '\n'), 0o644), os.WriteFile(base+".md", []byte(r.Markdown()), 0o644))
}

// Markdown is the report for people.
func (r *Report) Markdown() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# lakemesh acceptance, run %s", r.Run)
	p("")
	where := "AWS"
	if len(r.Accounts) > 0 && r.Accounts[0].Endpoint != "" {
		where = "`" + r.Accounts[0].Endpoint + "`, which is not AWS"
	}
	p("Asked: %s, from %s to %s UTC.", where, r.Begun.Format("2006-01-02 15:04"), r.Ended.Format("2006-01-02 15:04"))
	if r.Version != "" {
		p("Version: %s.", r.Version)
	}
	p("")
	p("| account | part | region |")
	p("| --- | --- | --- |")
	for _, a := range r.Accounts {
		p("| %s | %s | %s |", cell(strings.Join(append([]string{a.ID}, a.Aliases...), " ")), a.Part, a.Region)
	}
	p("")
	p("Of %d rules %d are the same, %d are different, %d were not tried.", len(r.Rules), r.Count(Same), r.Count(Different), r.Count(NotTried))
	if r.Left != "" {
		p("")
		p("**Not everything was removed.** %s", r.Left)
	}
	r.differences(p)
	r.life(p)
	if len(r.Doubts) > 0 {
		p("\n## What lakemesh assumes\n")
		p("| assumed | rules | verdict |")
		p("| --- | --- | --- |")
		for _, d := range r.Doubts {
			p("| %s | %s | %s |", cell(d.Doubt), strings.Join(d.Rules, ", "), d.Verdict)
		}
	}
	p("\n## Rule by rule\n")
	p("| rule | what AWS does | verdict | |")
	p("| --- | --- | --- | --- |")
	for _, rule := range r.Rules {
		note := rule.Reason
		if rule.Asked > 0 {
			note = fmt.Sprintf("%d asked", rule.Asked)
		}
		p("| %s | %s | %s | %s |", rule.Number, cell(rule.What), rule.Verdict, cell(note))
	}
	return b.String()
}

func (r *Report) differences(p func(string, ...any)) {
	if r.Differences() == 0 {
		return
	}
	p("\n## What is different\n")
	for _, s := range r.Life {
		if s.Verdict == Different {
			p("- In the life, *%s*: %s", s.Title, cell(s.Result))
		}
	}
	for _, f := range r.Findings {
		if f.Verdict != Different {
			continue
		}
		p("- Rule %s, *%s*: expected `%s`, the answer was `%s`.", f.Rule, cell(f.Question), cell(f.Expected), cell(f.Answer))
		if f.Reading != "" {
			p("  The local mesh answers so with the reading `%s`.", f.Reading)
		}
	}
}

func (r *Report) life(p func(string, ...any)) {
	if len(r.Life) == 0 {
		return
	}
	p("\n## The life of a data product\n")
	p("| step | verdict | | took |")
	p("| --- | --- | --- | --- |")
	for _, s := range r.Life {
		p("| %s | %s | %s | %s |", s.Title, s.Verdict, cell(s.Result), s.Took)
	}
}

// cell is a text in one cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "`", "'", "<", "&lt;").Replace(text)
}
