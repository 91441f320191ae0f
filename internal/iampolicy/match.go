package iampolicy

import (
	"strings"
	"unicode/utf8"
)

// In an expanded pattern these bytes stand for the characters themselves, which would be wildcards otherwise.
// Neither occurs in UTF-8.
const (
	literalStar     = '\xfe'
	literalQuestion = '\xff'
)

// matchText matches a pattern in which "*" is any text and "?" any one character. It goes through the text once
// and returns to the last "*" only, so that no pattern takes longer than its length times that of the text.
func matchText(pattern, text string, ignoreCase bool) bool {
	p, t := 0, 0
	star, starText := -1, 0
	for t < len(text) {
		if p < len(pattern) {
			switch c := pattern[p]; {
			case c == '*':
				star, starText = p, t
				p++
				continue
			case c == '?':
				p++
				t += runeLen(text, t)
				continue
			case sameByte(c, text[t], ignoreCase):
				p++
				t++
				continue
			}
		}
		if star < 0 {
			return false
		}
		starText += runeLen(text, starText)
		p, t = star+1, starText
	}
	return onlyStars(pattern[p:])
}

// MatchAction reports whether an action is one that a pattern of a policy means.
func MatchAction(pattern, action string) bool { return matchAction(pattern, action) }

// matchAction matches an action, whose case does not matter.
func matchAction(pattern, action string) bool { return matchText(pattern, action, true) }

// matchResource matches the Resource element. Wildcards stay within the segments of an ARN, that is between colons,
// except for a "*" that is the last character of its segment, which matches beyond the colon:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html.
// The sixth segment is the rest of the ARN, whose colons are no boundaries.
//
// It is the algorithm of matchText with two stars to return to: the last that stays within its segment, and when
// that reached the segment's end, the last that does not.
func matchResource(pattern, text string) bool {
	rest := resourcePart(pattern)
	p, t := 0, 0
	wide, wideText := -1, 0
	narrow, narrowText := -1, 0
	for t < len(text) {
		if p < len(pattern) {
			switch c := pattern[p]; {
			case c == '*':
				if p >= rest || p+1 == len(pattern) || pattern[p+1] == ':' {
					wide, wideText, narrow = p, t, -1
				} else {
					narrow, narrowText = p, t
				}
				p++
				continue
			case c == '?':
				if p >= rest || text[t] != ':' {
					p++
					t += runeLen(text, t)
					continue
				}
			case sameByte(c, text[t], false):
				p++
				t++
				continue
			}
		}
		switch {
		case narrow >= 0 && text[narrowText] != ':':
			narrowText += runeLen(text, narrowText)
			p, t = narrow+1, narrowText
		case wide >= 0:
			wideText += runeLen(text, wideText)
			p, t, narrow = wide+1, wideText, -1
		default:
			return false
		}
	}
	return onlyStars(pattern[p:])
}

// resourcePart is the index of what comes after the fifth colon, or the length when there are fewer.
func resourcePart(arn string) int {
	at := 0
	for range 5 {
		i := strings.IndexByte(arn[at:], ':')
		if i < 0 {
			return len(arn)
		}
		at += i + 1
	}
	return at
}

// matchARN compares as ArnLike does: each of the six parts by itself.
func matchARN(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	for range 5 {
		patternPart, patternRest, ok := strings.Cut(pattern, ":")
		if !ok {
			return false
		}
		part, rest, ok := strings.Cut(arn, ":")
		if !ok || !matchText(patternPart, part, false) {
			return false
		}
		pattern, arn = patternRest, rest
	}
	return matchText(pattern, arn, false)
}

func onlyStars(pattern string) bool {
	return strings.Trim(pattern, "*") == ""
}

func runeLen(text string, at int) int {
	if text[at] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(text[at:])
	return n
}

func sameByte(pattern, text byte, ignoreCase bool) bool {
	switch pattern {
	case text:
		return true
	case literalStar:
		return text == '*'
	case literalQuestion:
		return text == '?'
	}
	return ignoreCase && lower(pattern) == lower(text)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
