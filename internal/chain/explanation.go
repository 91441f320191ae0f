package chain

import (
	"slices"

	"github.com/lakemesh/lakemesh"
)

// Question is what an explanation is asked for: why somebody can, or cannot, do something
// with a table of the mesh.
type Question struct {
	// Database and Table are the table, by their names in the mesh.
	Database string `json:"Database"`
	Table    string `json:"Table"`
	// Column narrows it to one column; empty stands for all of them.
	Column string `json:"Column,omitempty"`
	// Principal is an account's id, the ARN of a role or a user, or <account>:IAMPrincipals.
	// Of an account it is asked whether it holds the permission and may hand it on: an
	// account by itself reads nothing.
	Principal string `json:"Principal"`
	// Permission is SELECT if it is empty.
	Permission lakemesh.Permission `json:"Permission"`
}

// State is how a link is.
type State string

// The states of a link.
const (
	// Holds is a link that lets the principal through.
	Holds State = "holds"
	// Differs is a link that lets it through, and is not as it was decided or published.
	Differs State = "differs"
	// Partly is a link that lets it through to a part of the table.
	Partly State = "in part"
	// Broken is a link that does not.
	Broken State = "broken"
	// NotSeen is a link that the one who asks cannot see, or that cannot be told.
	NotSeen State = "not seen"
	// NotNeeded is a link that this way does without.
	NotNeeded State = "not needed"
)

// Verdict is the answer.
type Verdict string

// The verdicts.
const (
	Can    Verdict = "can"
	InPart Verdict = "can in part"
	Cannot Verdict = "cannot"
	// Untold is that all that is seen does not break the chain, and not all of it is seen.
	Untold Verdict = "cannot be told from here"
)

// Step is a link of one way, as it was found.
type Step struct {
	Link  Link  `json:"Link"`
	State State `json:"State"`
	// What says the evidence in words. Account is where it is, Resource what it is about.
	What     string `json:"What"`
	Account  string `json:"Account,omitempty"`
	Resource string `json:"Resource,omitempty"`
	// Reasons are why the permission is held, of a grant.
	Reasons []Reason `json:"Reasons,omitempty"`
	// Mends is who can mend it, or see it, and Command how; empty if no command does.
	Mends   Party  `json:"Mends,omitempty"`
	Command string `json:"Command,omitempty"`
}

// Origin is what kind of reason there is.
type Origin string

// The origins of what somebody holds.
const (
	BySubscription Origin = "subscription"
	ByHand         Origin = "by hand"
	ByIAM          Origin = "IAMAllowedPrincipals"
	ByOwning       Origin = "own account"
	ByRank         Origin = "data lake administrator"
)

// Reason is why somebody holds something.
type Reason struct {
	Origin Origin `json:"Origin"`
	// Subscription is its id, of that origin.
	Subscription string `json:"Subscription,omitempty"`
	// What says what was granted to whom.
	What string `json:"What"`
}

// Path is a way by which a principal can come to hold something.
type Path string

// The ways.
const (
	// ThroughAccount is a grant to the principal's account, which hands it on.
	ThroughAccount Path = "through its account"
	// Directly is a grant of the mesh account to the principal itself.
	Directly Path = "directly"
	// WithAll is a grant of the mesh account to all principals of an account.
	WithAll Path = "with all of its account"
)

// Way is one way, link by link.
type Way struct {
	Path    Path    `json:"Path"`
	Verdict Verdict `json:"Verdict"`
	// Broken is the first link that is broken, if any is.
	Broken Link   `json:"Broken,omitempty"`
	Steps  []Step `json:"Links"`
}

// Explanation is why somebody can, or cannot, do something.
type Explanation struct {
	Question
	// Account is who asked, as Party; empty for several who asked together.
	Account string `json:"Account,omitempty"`
	Party   Party  `json:"Party,omitempty"`
	// Verdict is the answer: that of the best way.
	Verdict Verdict `json:"Verdict"`
	// Ways are those that there are, the best first.
	Ways []Way `json:"Ways"`
	// Notes are what a reader has to know besides.
	Notes []string `json:"Notes"`
}

// links is the order of the links of an explanation.
func links() []Link {
	all := slices.Clone(order)
	return slices.Insert(all, slices.Index(all, BucketPolicy)+1, KeyPolicy)
}

// Judge brings the links of each way into their order, and says what they come to
// together.
func (e *Explanation) Judge() {
	for i := range e.Ways {
		e.Ways[i].judge()
	}
	rank := []Verdict{Can, InPart, Untold, Cannot}
	slices.SortStableFunc(e.Ways, func(a, b Way) int { return slices.Index(rank, a.Verdict) - slices.Index(rank, b.Verdict) })
	e.Verdict = Cannot
	if len(e.Ways) > 0 {
		e.Verdict = e.Ways[0].Verdict
	}
	if e.Verdict == InPart && slices.ContainsFunc(e.Ways, func(w Way) bool { return w.Verdict == Untold }) {
		// The other way may give all of it.
		e.Verdict = Untold
	}
	// What is broken and what to do about it is best shown of the way that somebody began
	// to go.
	if e.Verdict == Untold || e.Verdict == Cannot {
		slices.SortStableFunc(e.Ways, func(a, b Way) int { return b.begun() - a.begun() })
	}
	if e.Notes == nil {
		e.Notes = []string{}
	}
}

func (w *Way) judge() {
	all := links()
	slices.SortStableFunc(w.Steps, func(a, b Step) int { return slices.Index(all, a.Link) - slices.Index(all, b.Link) })
	has := func(s State) int { return slices.IndexFunc(w.Steps, func(step Step) bool { return step.State == s }) }
	w.Broken, w.Verdict = "", Can
	switch {
	case has(Broken) >= 0:
		w.Broken, w.Verdict = w.Steps[has(Broken)].Link, Cannot
	case has(NotSeen) >= 0:
		w.Verdict = Untold
	case has(Partly) >= 0:
		w.Verdict = InPart
	}
}

// gone tells of a table that is not there that nothing can reach anybody.
func (w *Way) gone() {
	if s, ok := w.Step(Metadata); !ok || s.State != Broken {
		return
	}
	for i, s := range w.Steps {
		if s.State == Broken && slices.Contains([]Link{Grant, Share, Invitation, HandedOn}, s.Link) {
			w.Steps[i].State, w.Steps[i].What = NotSeen, "nothing can be given on a table that is not there"
			w.Steps[i].Mends, w.Steps[i].Command = "", ""
		}
	}
}

// begun tells how far a way is gone: something is granted, or at least decided.
func (w *Way) begun() int {
	n := 0
	for _, s := range w.Steps {
		reached := s.State == Holds || s.State == Partly || s.State == Differs
		switch {
		case s.Link == Grant && reached:
			n += 4
		case s.Link == HandedOn && reached, s.Link == Record && reached:
			n += 2
		}
	}
	if w.Path == ThroughAccount {
		n++
	}
	return n
}

// Step is a way's step for a link.
func (w *Way) Step(l Link) (_ Step, ok bool) {
	i := slices.IndexFunc(w.Steps, func(s Step) bool { return s.Link == l })
	if i < 0 {
		return Step{}, false
	}
	return w.Steps[i], true
}

// FirstBroken is the first broken link of the way that is shown first, if any is.
func (e *Explanation) FirstBroken() (_ Step, ok bool) {
	if len(e.Ways) == 0 || e.Ways[0].Broken == "" {
		return Step{}, false
	}
	return e.Ways[0].Step(e.Ways[0].Broken)
}

// Together is what two who asked the same see together, an owner and a consumer: of each
// link what is known of it, where both know it the word of the one whose it is.
func Together(owner, consumer *Explanation) *Explanation {
	e := &Explanation{Question: owner.Question, Notes: sorted(slices.Concat(owner.Notes, consumer.Notes))}
	for _, path := range []Path{ThroughAccount, Directly, WithAll} {
		w := Way{Path: path}
		for _, l := range links() {
			of := func(e *Explanation) (Step, bool) {
				for _, way := range e.Ways {
					if way.Path == path {
						return way.Step(l)
					}
				}
				return Step{}, false
			}
			one, ok := of(owner)
			other, also := of(consumer)
			if l == Invitation || l == ResourceLink || l == HandedOn {
				one, ok, other, also = other, also, one, ok
			}
			switch {
			case ok && (one.State != NotSeen || !also):
				w.Steps = append(w.Steps, one)
			case also:
				w.Steps = append(w.Steps, other)
			}
		}
		if len(w.Steps) > 0 {
			w.gone()
			e.Ways = append(e.Ways, w)
		}
	}
	e.Judge()
	return e
}
