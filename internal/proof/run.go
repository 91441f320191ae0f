package proof

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// removalTime is how long an interrupted run goes on to remove what it has made.
const removalTime = 20 * time.Minute

// Run builds the stage, runs the checks and the life, removes everything and reports. The report
// is of what was tried also where the run failed or was interrupted; what could not be removed is
// in the journal.
func Run(ctx context.Context, outlook *Outlook, o Options) (*Report, error) {
	if err := outlook.Refuse(ctx, o); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find the name of this machine: %w", err)
	}
	run := strings.ToLower(rand.Text()[:8])
	j, err := begin(o.Folder, Header{Run: run, Begun: time.Now().UTC(), Accounts: outlook.Accounts, Process: os.Getpid(), Host: host})
	if err != nil {
		return nil, err
	}
	o.say("run %s; its journal is %s", run, j.Path())
	report := &Report{Run: run, Begun: j.Header.Begun, Accounts: outlook.Accounts}
	s := &Stage{run: run, journal: j, accounts: map[Part]*Account{}, patience: o.patience(), tell: o.say}
	for _, a := range outlook.Accounts {
		s.accounts[a.Part] = a
	}
	err = s.play(ctx, o, report)
	// The removal has its own time: whoever interrupts wants the accounts as they were.
	removal, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalTime)
	defer cancel()
	o.say("remove everything")
	removed := clean(removal, j, s.accounts, o)
	if removed != nil {
		report.Left = removed.Error()
		removed = fmt.Errorf("%w\nrun lakemesh acceptance clean", removed)
	}
	report.Ended = time.Now().UTC()
	report.complete(o)
	return report, errors.Join(err, removed)
}

func (s *Stage) play(ctx context.Context, o Options, report *Report) error {
	o.say("build the stage")
	if err := s.build(ctx); err != nil {
		return fmt.Errorf("the stage could not be built: %w", err)
	}
	for _, c := range Checks() {
		if !o.wants(c) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		o.say("ask about %s", c.Name)
		found := s.try(ctx, c)
		report.Findings = append(report.Findings, found...)
		for _, f := range found {
			if f.Verdict == Different {
				o.say("  different: %s %s: %s", f.Rule, f.Question, f.Answer)
			}
		}
	}
	if !o.wantsLife() {
		return ctx.Err()
	}
	return s.live(ctx, report)
}

// theLife is what asks for the life beside numbers of rules.
const theLife = "life"

// wantsLife reports whether the life of a product is lived.
func (o *Options) wantsLife() bool {
	return !o.SkipLife && (len(o.Only) == 0 || slices.Contains(o.Only, theLife))
}

// wants reports whether a check is about a rule that is asked for.
func (o *Options) wants(c Check) bool {
	return len(o.Only) == 0 || slices.ContainsFunc(c.Rules, func(rule string) bool { return o.wantsRule(rule) })
}

func (o *Options) wantsRule(rule string) bool {
	return len(o.Only) == 0 || slices.ContainsFunc(o.Only, func(begin string) bool {
		return rule == begin || strings.HasPrefix(rule, strings.TrimSuffix(begin, ".")+".")
	})
}
