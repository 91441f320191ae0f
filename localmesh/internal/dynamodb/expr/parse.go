package expr

import (
	"errors"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// parser reads one expression by recursive descent. It stops at a mistake of
// syntax; anything else that is wrong is noted and the first of it reported at
// the end, because DynamoDB reports mistakes of syntax before all others.
type parser struct {
	scope     *Scope
	kind      Kind
	text      string
	tokens    []token
	at        int
	operators int
	noted     error
}

func (s *Scope) parser(kind Kind, text string) (*parser, error) {
	p := &parser{scope: s, kind: kind, text: text}
	if len(text) > maxLength {
		return nil, p.wrap(refuse("Expression size has exceeded the maximum allowed size; expression size: %d", len(text)))
	}
	p.tokens = lex(text)
	if text == "" {
		return nil, p.wrap(refuse("The expression can not be empty;"))
	}
	return p, nil
}

// note keeps the first thing that is wrong but is no mistake of syntax.
func (p *parser) note(err error) {
	if p.noted == nil {
		p.noted = err
	}
}

// end refuses what is left of the expression, and then what was noted.
func (p *parser) end() error {
	if p.peek().kind != tokenEnd {
		return p.syntaxError()
	}
	return p.noted
}

// wrap says in which parameter an error is.
func (p *parser) wrap(err error) error {
	var refused *Error
	if !errors.As(err, &refused) {
		return err
	}
	return refuse("Invalid %s: %s", p.kind, refused.Message)
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// isMark says whether the next token is the operator, bracket, comma or dot.
func (p *parser) isMark(mark string) bool {
	t := p.peek()
	return t.kind == tokenMark && t.text == mark
}

func (p *parser) acceptMark(mark string) bool {
	if !p.isMark(mark) {
		return false
	}
	p.at++
	return true
}

func (p *parser) expectMark(mark string) error {
	if !p.acceptMark(mark) {
		return p.syntaxError()
	}
	return nil
}

// isWord says whether the next token is the keyword, in upper or lower case.
func (p *parser) isWord(keyword string) bool {
	t := p.peek()
	return t.kind == tokenWord && strings.EqualFold(t.text, keyword)
}

func (p *parser) acceptWord(keyword string) bool {
	if !p.isWord(keyword) {
		return false
	}
	p.at++
	return true
}

// atFunction says whether a function's name comes next.
func (p *parser) atFunction() bool {
	if p.peek().kind != tokenWord {
		return false
	}
	after := p.tokens[p.at+1]
	return after.kind == tokenMark && after.text == "("
}

// syntaxError names the token and its neighbours.
func (p *parser) syntaxError() error {
	t := p.peek()
	from, to := t, t
	if len(p.tokens) == 1 {
		from.start = 0
	}
	if p.at > 0 {
		from = p.tokens[p.at-1]
	}
	if p.at+1 < len(p.tokens) {
		to = p.tokens[p.at+1]
	}
	near := p.text[from.start:to.end]
	if strings.TrimSpace(near) != "" {
		near = strings.TrimRight(near, " \t\r\n")
	}
	return refuse("Syntax error; token: \"%s\", near: \"%s\"", t.text, near)
}

// operator counts an operator or a function against the limit.
func (p *parser) operator() {
	p.operators++
	if p.operators > maxOperators {
		p.note(refuse("The expression contains too many operators; operator count: %d", p.operators))
	}
}

// path reads a document path: names, placeholders of names, and indexes.
func (p *parser) path() (Path, error) {
	first, err := p.pathName()
	if err != nil {
		return nil, err
	}
	path := Path{first}
	for {
		switch {
		case p.acceptMark("."):
			s, err := p.pathName()
			if err != nil {
				return nil, err
			}
			path = append(path, s)
		case p.acceptMark("["):
			if p.peek().kind != tokenNumber {
				return nil, p.syntaxError()
			}
			digits := p.next().text
			index, err := strconv.ParseInt(digits, 10, 32)
			if err != nil {
				p.note(refuse("List index is not within the allowable range; index: [%s]", digits))
			}
			if err := p.expectMark("]"); err != nil {
				return nil, err
			}
			path = append(path, step{index: int(index), isIndex: true})
		default:
			if len(path) > maxPathDepth {
				p.note(refuse("The document path has too many nesting elements; nesting levels: %d", len(path)))
			}
			p.scope.see(path)
			return path, nil
		}
	}
}

func (p *parser) pathName() (step, error) {
	switch t := p.peek(); t.kind {
	case tokenWord:
		if isKeyword(t.text) {
			return step{}, p.syntaxError()
		}
		if isReserved(t.text) {
			p.note(refuse("Attribute name is a reserved keyword; reserved keyword: %s", t.text))
		}
		p.at++
		return step{name: t.text}, nil
	case tokenName:
		p.at++
		name, err := p.scope.name(t.text)
		if err != nil {
			p.note(err)
		}
		return step{name: name}, nil
	}
	return step{}, p.syntaxError()
}

// isKeyword says whether the word belongs to the language: where a name is
// expected it is a mistake of syntax, not only a reserved word.
func isKeyword(word string) bool {
	switch strings.ToUpper(word) {
	case "AND", "OR", "NOT", "IN", "BETWEEN":
		return true
	}
	return false
}

// operand is something that has a value for an item.
type operand interface {
	// eval gives the value, or says that the item has none.
	eval(item value.Item) (value.Value, bool)
}

type pathOperand struct{ path Path }

func (o pathOperand) eval(item value.Item) (value.Value, bool) { return o.path.get(item) }

type literal struct{ value value.Value }

func (o literal) eval(value.Item) (value.Value, bool) { return o.value, true }

// simpleOperand reads a path or a placeholder of a value.
func (p *parser) simpleOperand() (operand, error) {
	if p.peek().kind == tokenValue {
		v, err := p.scope.value(p.next().text)
		if err != nil {
			p.note(err)
		}
		return literal{v}, nil
	}
	path, err := p.path()
	return pathOperand{path}, err
}

// bracketed reads what stands in brackets around an operand, which is not
// again in brackets.
func bracketed[T any](p *parser, read func() (T, error)) (T, error) {
	if p.isMark("(") {
		p.note(redundantBrackets())
	}
	o, err := read()
	if err != nil {
		return o, err
	}
	return o, p.expectMark(")")
}

func redundantBrackets() error { return refuse("The expression has redundant parentheses;") }

// arguments reads the arguments of a function, in their brackets.
func arguments[T any](p *parser, read func() (T, error)) ([]T, error) {
	if err := p.expectMark("("); err != nil {
		return nil, err
	}
	var args []T
	for {
		arg, err := read()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if !p.acceptMark(",") {
			return args, p.expectMark(")")
		}
	}
}

func wrongCount(function string, count int) error {
	return refuse("Incorrect number of operands for operator or function; operator or function: %s, "+
		"number of operands: %d", function, count)
}

func wrongType(function string, t value.Type) error {
	return refuse("Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
		function, t)
}
