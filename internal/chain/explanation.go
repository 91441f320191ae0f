package chain

import (
	"slices"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
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
	// Parts are the columns and rows that it lets through to, where that is not all of them.
	Parts []Part `json:"Parts,omitempty"`
	// Reasons are why the permission is held, of a grant.
	Reasons []Reason `json:"Reasons,omitempty"`
	// Mends is who can mend it, and Do with which operation. Where no operation of lakemesh
	// does, Command is one of the AWS CLI that does, if any does. A link that is not seen
	// has none of them: nobody mends what nobody saw broken.
	Mends   Party          `json:"Mends,omitempty"`
	Do      *lakemesh.Call `json:"Do,omitempty"`
	Command string         `json:"Command,omitempty"`
	// Sees is who sees a link that is not seen, or why one is broken, and Look with which
	// operation.
	Sees Party          `json:"Sees,omitempty"`
	Look *lakemesh.Call `json:"Look,omitempty"`
}

// MendedBy is the step with who mends it, and with which operation.
func (s Step) MendedBy(who Party, do *lakemesh.Call) Step {
	s.Mends, s.Do = who, do
	return s
}

// SeenBy is the step with who sees it, and with which operation.
func (s Step) SeenBy(who Party, look *lakemesh.Call) Step {
	s.Sees, s.Look = who, look
	return s
}

// tidy takes out what does not go with the state: of what holds there is nothing to mend,
// and what is not seen is to be looked at.
func (s *Step) tidy() {
	switch s.State {
	case NotSeen:
		s.Mends, s.Do, s.Command = "", nil, ""
	case Holds, NotNeeded:
		s.Mends, s.Do, s.Command, s.Sees, s.Look = "", nil, "", "", nil
	case Broken, Partly, Differs:
		if s.Mends != "" {
			s.Sees, s.Look = "", nil
		}
	}
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
	// ThroughUnits is a grant to organizations or units that the principal's account is in,
	// which hands it on.
	ThroughUnits Path = "through organizations and units"
	// WithAll is a grant of the mesh account to all principals of an account.
	WithAll Path = "with all of its account"
)

// Way is one way, link by link.
type Way struct {
	Path    Path    `json:"Path"`
	Verdict Verdict `json:"Verdict"`
	// Broken is the first link that is broken, if any is.
	Broken Link `json:"Broken,omitempty"`
	// Parts are the columns and rows that can be read by this way, where that is not all of
	// them: what its links let through together.
	Parts []Part `json:"Parts,omitempty"`
	Steps []Step `json:"Links"`
}

// Explanation is why somebody can, or cannot, do something.
type Explanation struct {
	Question
	// Account is who asked, as Party; empty for several who asked together.
	Account string `json:"Account,omitempty"`
	Party   Party  `json:"Party,omitempty"`
	// Verdict is the answer: that of the best way.
	Verdict Verdict `json:"Verdict"`
	// Parts are the columns and rows that can be read by all ways together, where that is a
	// part of them.
	Parts []Part `json:"Parts,omitempty"`
	// Ways are those that there are, the best first.
	Ways []Way `json:"Ways"`
	// Notes are what a reader has to know besides.
	Notes []string `json:"Notes"`
	// Schema are the columns of the table, as far as they are known.
	Schema rowfilter.Table `json:"-"`
}

// Judge brings the links of each way into their order, and says what they come to
// together.
func (e *Explanation) Judge() {
	for i := range e.Ways {
		e.Ways[i].judge(e.Schema)
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
	e.unite()
	// What is broken and what to do about it is best shown of the way that somebody began
	// to go.
	if e.Verdict == Untold || e.Verdict == Cannot {
		slices.SortStableFunc(e.Ways, func(a, b Way) int { return b.begun() - a.begun() })
	}
	if e.Notes == nil {
		e.Notes = []string{}
	}
}

// unite tells what can be read by all ways together, each of which gives a part.
func (e *Explanation) unite() {
	var together Cells
	e.Parts = nil
	for _, w := range e.Ways {
		switch {
		case w.Verdict != InPart:
			continue
		case len(w.Parts) == 0:
			// Some partitions of all columns and rows.
			return
		case together == nil:
			together = CellsOf(w.Parts)
		default:
			together = together.Or(CellsOf(w.Parts))
		}
	}
	if e.Verdict != InPart {
		return
	}
	limited := slices.ContainsFunc(e.Ways, func(w Way) bool { return w.Verdict == InPart && w.limited() })
	if e.Parts = together.Parts(e.Schema); together.Complete(e.Schema, e.Column) && !limited {
		e.Verdict, e.Parts = Can, nil
	}
}

// limited reports whether a way lets through in part for another reason than columns and rows.
func (w *Way) limited() bool {
	return slices.ContainsFunc(w.Steps, func(s Step) bool { return s.State == Partly && len(s.Parts) == 0 })
}

// meet tells what the links of a way let through together.
func (w *Way) meet(schema rowfilter.Table) {
	var both Cells
	last := -1
	for i, s := range w.Steps {
		if len(s.Parts) == 0 || s.State == Broken {
			continue
		}
		if both == nil {
			both = CellsOf(s.Parts)
		} else {
			both = both.And(CellsOf(s.Parts))
		}
		last = i
	}
	if last >= 0 && both.Nothing() {
		s := &w.Steps[last]
		s.State, s.What = Broken, s.What+"; of that the account has nothing"
	}
	w.Parts = both.Parts(schema)
}

func (w *Way) judge(schema rowfilter.Table) {
	slices.SortStableFunc(w.Steps, func(a, b Step) int { return slices.Index(order, a.Link) - slices.Index(order, b.Link) })
	for i := range w.Steps {
		w.Steps[i].tidy()
	}
	w.meet(schema)
	has := func(s State) int { return slices.IndexFunc(w.Steps, func(step Step) bool { return step.State == s }) }
	w.Broken, w.Verdict = "", Can
	switch {
	case has(Broken) >= 0:
		w.Broken, w.Verdict, w.Parts = w.Steps[has(Broken)].Link, Cannot, nil
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
// link what is known of it, where both know it, or neither, the word of the one whose it
// is.
func Together(owner, consumer *Explanation) *Explanation {
	e := &Explanation{Question: owner.Question, Notes: sorted(slices.Concat(owner.Notes, consumer.Notes)), Schema: owner.Schema}
	for _, path := range []Path{ThroughAccount, ThroughUnits, Directly, WithAll} {
		o, c := owner.way(path), consumer.way(path)
		if path == ThroughUnits && len(o.Steps) > 0 && len(c.Steps) == 0 {
			// An account is shown what organizations and units were granted that it is in.
			c.Steps = append(c.Steps, Step{Link: Invitation, State: Broken, Account: consumer.Account, What: "Lake Formation shows account " + consumer.Account + " nothing of it, so the account is in none of them"})
		}
		w := Way{Path: path}
		for _, l := range order {
			whose, other := o, c
			consumers := l == Principal || l == Invitation || l == ResourceLink || l == HandedOn
			if consumers {
				whose, other = c, o
			}
			step, ok := whose.Step(l)
			second, also := other.Step(l)
			switch {
			case ok && (step.State != NotSeen || !also || second.State == NotSeen):
				w.Steps = append(w.Steps, step)
			case also && (ok || consumers || second.State != NotSeen || len(o.Steps) == 0):
				// Of its own links an owner leaves out those alone that this way has not.
				w.Steps = append(w.Steps, second)
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

// way is the explanation's way of a path; one without steps if it has none.
func (e *Explanation) way(path Path) *Way {
	for i := range e.Ways {
		if e.Ways[i].Path == path {
			return &e.Ways[i]
		}
	}
	return &Way{Path: path}
}
