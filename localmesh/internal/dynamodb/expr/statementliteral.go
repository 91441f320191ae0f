package expr

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// operand reads a path, a literal or a parameter.
func (p *statementParser) operand() (operand, error) {
	t := p.peek()
	switch {
	case t.kind == tokenQuoted, t.kind == tokenWord && !isLiteralWord(t.text):
		path, err := p.path()
		return pathOperand{path}, err
	}
	v, err := p.literal("")
	return literal{v}, err
}

// literal reads a value; at is where it stands within the one that it is part of.
func (p *statementParser) literal(at string) (value.Value, error) {
	t := p.next()
	switch t.kind {
	case tokenText:
		return value.Of(t.text), nil
	case tokenLiteral:
		return number(t.text, at)
	case tokenParameter:
		if p.used++; p.used > len(p.parameters) {
			return value.Value{}, refuse("Number of parameters in request and statement don't match.")
		}
		return p.parameters[p.used-1], nil
	case tokenWord:
		if p.peek().kind == tokenMark && p.peek().text == "(" && !isLiteralWord(t.text) {
			return value.Value{}, p.unsupportedType(strings.ToLower(t.text), at, t)
		}
		switch strings.ToUpper(t.text) {
		case "TRUE", "FALSE":
			return value.OfBool(strings.EqualFold(t.text, "TRUE")), nil
		case "NULL":
			return value.OfNull(), nil
		}
	case tokenMark:
		switch t.text {
		case "-", "+":
			if n := p.next(); n.kind == tokenLiteral {
				return number(t.text+n.text, at)
			}
			p.at--
		case "[":
			return p.list("]", at)
		case "<<":
			list, err := p.list(">>", at)
			if err != nil {
				return list, err
			}
			return bag(list.List())
		case "{":
			return p.fields(func(name string) string { return at + "." + name })
		}
	}
	return value.Value{}, malformed("Unexpected term")
}

// number reads a number. What Java's decimals cannot hold is no number at all.
func number(text, at string) (value.Value, error) {
	mantissa, power, _ := strings.Cut(strings.ToLower(text), "e")
	if power != "" {
		_, fraction, _ := strings.Cut(mantissa, ".")
		exponent, err := strconv.ParseInt(power, 10, 64)
		scale := int64(len(fraction)) - exponent
		if err != nil || exponent != int64(int32(exponent)) || scale > math.MaxInt32 || scale < math.MinInt32 {
			return value.Value{}, malformed("")
		}
	}
	n, err := value.ParseNumber(text)
	var bad *value.Error
	if errors.As(err, &bad) {
		return value.Value{}, refuse("%s under root%s", bad.Message, at)
	}
	return value.OfNumber(n), err
}

func (p *statementParser) list(closing, at string) (value.Value, error) {
	values := []value.Value{}
	for !p.acceptMark(closing) {
		if len(values) > 0 {
			if err := p.mark(","); err != nil {
				return value.Value{}, err
			}
		}
		v, err := p.member(at + "[" + strconv.Itoa(len(values)) + "]")
		if err != nil {
			return v, err
		}
		values = append(values, v)
	}
	return value.OfList(values), nil
}

// bag makes the set that a bag of values is.
func bag(values []value.Value) (value.Value, error) {
	if len(values) == 0 {
		return value.Value{}, refuse("Empty bags are not supported")
	}
	for _, v := range values {
		if v.Type() != values[0].Type() || !v.Type().Ordered() {
			return value.Value{}, refuse("Bags of values of more than one type, or of other types than strings, numbers and binaries are not supported")
		}
	}
	set, err := value.OfElements(values)
	var bad *value.Error
	if errors.As(err, &bad) {
		return set, refuse("%s", bad.Message)
	}
	return set, err
}

// fields reads a map: an item, whose attributes are places of their own, or a part of one.
func (p *statementParser) fields(at func(name string) string) (value.Value, error) {
	item := value.Item{}
	for !p.acceptMark("}") {
		if len(item) > 0 {
			if err := p.mark(","); err != nil {
				return value.Value{}, err
			}
		}
		name := p.next()
		if name.kind != tokenText && name.kind != tokenQuoted {
			p.at--
			return value.Value{}, p.unexpected()
		}
		if err := p.mark(":"); err != nil {
			return value.Value{}, err
		}
		if name.text == "" {
			return value.Value{}, refuse("Empty attribute name")
		}
		v, err := p.member(at(name.text))
		if err != nil {
			return v, err
		}
		if _, twice := item[name.text]; twice {
			return value.Value{}, refuse("Duplicate key found in map: %s", name.text)
		}
		item[name.text] = v
	}
	return value.OfMap(item), nil
}
