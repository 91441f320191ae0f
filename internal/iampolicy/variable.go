package iampolicy

import "strings"

// expand replaces the policy variables of a value. What a variable stands for is text: as part of a pattern, the wildcards
// in it are not wildcards. A variable that the request has no single value for, and no default, cannot be resolved.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html.
func (e *evaluation) expand(value string, pattern bool) (string, bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(value, "${")
		name, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			b.WriteString(value)
			return b.String(), true
		}
		b.WriteString(before)
		resolved, ok := e.variable(name)
		if !ok {
			return "", false
		}
		writeLiteral(&b, resolved, pattern)
		value = rest
	}
}

func (e *evaluation) variable(name string) (string, bool) {
	switch name {
	case "*", "?", "$":
		return name, true
	}
	key, fallback, hasDefault := strings.Cut(name, ",")
	if values := e.lookup(strings.TrimSpace(key)); len(values) == 1 {
		return values[0], true
	}
	fallback = strings.TrimSpace(fallback)
	if !hasDefault || len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
		return "", false
	}
	return fallback[1 : len(fallback)-1], true
}

func writeLiteral(b *strings.Builder, text string, pattern bool) {
	for i := range len(text) {
		switch c := text[i]; {
		case pattern && c == '*':
			b.WriteByte(literalStar)
		case pattern && c == '?':
			b.WriteByte(literalQuestion)
		default:
			b.WriteByte(c)
		}
	}
}

func hasVariable(value string) bool { return strings.Contains(value, "${") }
