package rowfilter

import (
	"slices"
	"strings"
)

// A pattern is that of a LIKE: % is any string, and _ any character.
type pattern struct {
	text string
	// runes are its characters, with one % for several in a row.
	runes []rune
	// texts and ones have a bit for each % and each _, and literals for each other character.
	texts, ones cells
	literals    map[rune]cells
}

const (
	anyText      = '%'
	anyCharacter = '_'
)

func newPattern(text string) *pattern {
	p := &pattern{text: text, literals: map[rune]cells{}}
	for _, r := range text {
		if n := len(p.runes); r != anyText || n == 0 || p.runes[n-1] != anyText {
			p.runes = append(p.runes, r)
		}
	}
	size := len(p.runes) + 1
	p.texts, p.ones = newCells(size), newCells(size)
	for i, r := range p.runes {
		switch r {
		case anyText:
			p.texts.put(i)
		case anyCharacter:
			p.ones.put(i)
		default:
			if p.literals[r] == nil {
				p.literals[r] = newCells(size)
			}
			p.literals[r].put(i)
		}
	}
	return p
}

// begin is where a match can be before any character: bit i is before character i of the
// pattern, and the last one behind all.
func (p *pattern) begin() cells {
	at := newCells(len(p.runes) + 1)
	at.put(0)
	p.skip(at)
	return at
}

// skip goes past each % too, which matches nothing as well. There are no two in a row.
func (p *pattern) skip(at cells) {
	carry := uint64(0)
	for i := range at {
		past := at[i] & p.texts[i]
		at[i] |= past<<1 | carry
		carry = past >> 63
	}
}

// step goes on by a character.
func (p *pattern) step(at cells, r rune) {
	literals, carry := p.literals[r], uint64(0)
	for i := range at {
		past := at[i] & p.ones[i]
		if literals != nil {
			past |= at[i] & literals[i]
		}
		at[i] = at[i]&p.texts[i] | past<<1 | carry
		carry = past >> 63
	}
	p.skip(at)
}

// after is where a match can be after a text.
func (p *pattern) after(text string) cells {
	at := p.begin()
	for _, r := range text {
		p.step(at, r)
	}
	return at
}

// accepts reports whether all of the pattern was matched.
func (p *pattern) accepts(at cells) bool { return at.has(len(p.runes)) }

// matches reports whether the pattern matches all of a text. It takes no longer than the
// product of the lengths.
func (p *pattern) matches(text string) bool { return p.accepts(p.after(text)) }

// within reports whether whatever p matches, q does: whether q matches p, read as a text
// in which the wildcards stand for themselves. It may miss some, and claims none wrongly.
func (p *pattern) within(q *pattern) bool {
	at := q.begin()
	for _, r := range p.runes {
		if r != anyText {
			// No literal is a _, so that it is matched by wildcards alone.
			q.step(at, r)
			continue
		}
		for i := range at {
			at[i] &= q.texts[i]
		}
		q.skip(at)
	}
	return q.accepts(at)
}

// apart reports whether nothing is matched by both: they begin or end with different texts.
func (p *pattern) apart(q *pattern) bool {
	return clash(p.runes, q.runes) || clash(reversed(p.runes), reversed(q.runes))
}

func reversed(runes []rune) []rune {
	r := slices.Clone(runes)
	slices.Reverse(r)
	return r
}

func clash(p, q []rune) bool {
	for i := 0; i < min(len(p), len(q)) && p[i] != anyText && q[i] != anyText; i++ {
		if p[i] != q[i] && p[i] != anyCharacter && q[i] != anyCharacter {
			return true
		}
	}
	return false
}

// manyCharacters is how long a pattern may be that is looked at closely: what follows
// from a longer one can be undecided.
const manyCharacters = 100

// sureAbout tells whether the pattern matches a text, and whether that stays so whatever
// number of blanks comes after it. Redshift takes a VARCHAR with blanks at its end for equal to one
// without, and yet matches them.
func (p *pattern) sureAbout(text string) (matches, sure bool) {
	at := p.after(text)
	matches = p.accepts(at)
	if matches && strings.HasSuffix(p.text, "%") {
		return matches, true
	}
	if len(p.runes) > manyCharacters {
		return matches, false
	}
	// One more blank than the pattern has characters is matched by a %, which can as well
	// match one less.
	for range len(p.runes) + 1 {
		if p.step(at, ' '); p.accepts(at) != matches {
			return matches, false
		}
	}
	return matches, true
}
