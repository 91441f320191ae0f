package expr

import (
	"errors"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// parser reads one expression by recursive descent.
type parser struct {
	scope     *Scope
	kind      Kind
	text      string
	tokens    []token
	at        int
	operators int
}

func (s *Scope) parser(kind Kind, text string) (*parser, error) {
	p := &parser{scope: s, kind: kind, text: text}
	if len(text) > maxLength {
		return nil, p.wrap(refuse("Expression size has exceeded the maximum allowed size; expression size: %d", len(text)))
	}
	p.tokens = lex(text)
	if len(p.tokens) == 1 {
		return nil, p.wrap(refuse("The expression can not be empty;"))
	}
	return p, nil
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
	if p.at > 0 {
		from = p.tokens[p.at-1]
	}
	if p.at+1 < len(p.tokens) {
		to = p.tokens[p.at+1]
	}
	return refuse("Syntax error; token: \"%s\", near: \"%s\"", t.text, strings.TrimRight(p.text[from.start:to.end], " \t\r\n"))
}

func (p *parser) end() error {
	if p.peek().kind != tokenEnd {
		return p.syntaxError()
	}
	return nil
}

// operator counts an operator or a function against the limit.
func (p *parser) operator() error {
	p.operators++
	if p.operators > maxOperators {
		return refuse("The expression contains too many operators; operator count: %d", p.operators)
	}
	return nil
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
				return nil, refuse("List index is not within the allowable range; index: [%s]", digits)
			}
			if err := p.expectMark("]"); err != nil {
				return nil, err
			}
			path = append(path, step{index: int(index), isIndex: true})
		default:
			if len(path) > maxPathDepth {
				return nil, refuse("The document path has too many nesting elements; nesting levels: %d", len(path))
			}
			p.scope.attributes[path.Attribute()] = true
			return path, nil
		}
	}
}

func (p *parser) pathName() (step, error) {
	switch t := p.peek(); t.kind {
	case tokenWord:
		if isReserved(t.text) {
			return step{}, p.reservedError(t)
		}
		p.at++
		return step{name: t.text}, nil
	case tokenName:
		p.at++
		name, err := p.scope.name(t.text)
		return step{name: name}, err
	}
	return step{}, p.syntaxError()
}

// reservedError tells a keyword of the language out of place, which is a
// mistake of syntax, from a reserved word taken for an attribute's name.
func (p *parser) reservedError(t token) error {
	switch strings.ToUpper(t.text) {
	case "AND", "OR", "NOT", "IN", "BETWEEN":
		return p.syntaxError()
	}
	return refuse("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
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
		return literal{v}, err
	}
	path, err := p.path()
	return pathOperand{path}, err
}

// arguments reads the arguments of a function, in their brackets.
func (p *parser) arguments(read func() (operand, error)) ([]operand, error) {
	if err := p.expectMark("("); err != nil {
		return nil, err
	}
	var args []operand
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
