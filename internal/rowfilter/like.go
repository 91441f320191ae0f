package rowfilter

import (
	"slices"
	"strings"
)

// A pattern is that of a LIKE, character by character: % is any string, and _ any character.
type pattern []rune

const (
	anyText      = '%'
	anyCharacter = '_'
)

// states are the places of a pattern at which a match can be: before the character of that
// index, or behind all.
type states []bool

func (p pattern) begin() states {
	s := make(states, len(p)+1)
	s[0] = true
	p.skip(s)
	return s
}

// skip goes past each % too, which matches nothing as well.
func (p pattern) skip(s states) {
	for i, r := range p {
		if s[i] && r == anyText {
			s[i+1] = true
		}
	}
}

// step goes on by a character.
func (p pattern) step(s states, r rune) states {
	next := make(states, len(s))
	for i, want := range p {
		switch {
		case !s[i]:
		case want == anyText:
			next[i] = true
		case want == anyCharacter || want == r:
			next[i+1] = true
		}
	}
	p.skip(next)
	return next
}

// accepts reports whether all of the pattern was matched.
func (p pattern) accepts(s states) bool { return s[len(p)] }

// matches reports whether the pattern matches all of a text. It takes no longer than the
// product of the lengths.
func (p pattern) matches(text string) bool {
	s := p.begin()
	for _, r := range text {
		s = p.step(s, r)
	}
	return p.accepts(s)
}

// within reports whether whatever p matches, q does: whether q matches p, read as a text
// in which the wildcards stand for themselves. It may miss some, and claims none wrongly.
func (p pattern) within(q pattern) bool {
	s := q.begin()
	for _, r := range p {
		next := make(states, len(s))
		for i, want := range q {
			switch {
			case !s[i]:
			case want == anyText:
				next[i] = true
			case r == anyText:
			case want == anyCharacter || want == r && r != anyCharacter:
				next[i+1] = true
			}
		}
		q.skip(next)
		s = next
	}
	return q.accepts(s)
}

// apart reports whether nothing is matched by both: they begin or end with different texts.
func (p pattern) apart(q pattern) bool {
	return clash(p, q) || clash(p.reversed(), q.reversed())
}

func (p pattern) reversed() pattern {
	r := slices.Clone(p)
	slices.Reverse(r)
	return r
}

func clash(p, q pattern) bool {
	for i := 0; i < min(len(p), len(q)) && p[i] != anyText && q[i] != anyText; i++ {
		if p[i] != q[i] && p[i] != anyCharacter && q[i] != anyCharacter {
			return true
		}
	}
	return false
}

// manyCharacters is how long a pattern may be for sureAbout to look closely.
const manyCharacters = 100

// sureAbout tells whether the pattern matches a text, and whether that stays so whatever
// number of blanks comes after it. Redshift takes a VARCHAR with blanks at its end for equal to one
// without, and yet matches them.
func (p pattern) sureAbout(text string) (matches, sure bool) {
	s := p.begin()
	for _, r := range text {
		s = p.step(s, r)
	}
	matches = p.accepts(s)
	if matches && strings.HasSuffix(string(p), "%") {
		return matches, true
	}
	if len(p) > manyCharacters {
		return matches, false
	}
	// One more blank than the pattern has characters is matched by a %, which can as well
	// match one less.
	for range len(p) + 1 {
		if s = p.step(s, ' '); p.accepts(s) != matches {
			return matches, false
		}
	}
	return matches, true
}
