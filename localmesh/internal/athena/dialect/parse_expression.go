package dialect

import (
	"slices"
	"strings"
)

// maxChain is how many operators of a kind follow each other: the engine nests them.
const maxChain = 400

func (p *parser) expression() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	left, err := p.conjunction()
	if err != nil {
		return nil, err
	}
	for n := 0; p.is("or"); n++ {
		if n == maxChain {
			return nil, p.peek().lacking("a chain of more than %d conditions", maxChain)
		}
		b := binary{place: p.next().place, operator: "OR", left: left}
		if b.right, err = p.conjunction(); err != nil {
			return nil, err
		}
		left = b
	}
	return left, nil
}

func (p *parser) conjunction() (expression, error) {
	left, err := p.negation()
	if err != nil {
		return nil, err
	}
	for n := 0; p.is("and"); n++ {
		if n == maxChain {
			return nil, p.peek().lacking("a chain of more than %d conditions", maxChain)
		}
		b := binary{place: p.next().place, operator: "AND", left: left}
		if b.right, err = p.negation(); err != nil {
			return nil, err
		}
		left = b
	}
	return left, nil
}

func (p *parser) negation() (expression, error) {
	if !p.is("not") {
		return p.predicate()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	u := unary{place: p.next().place, operator: "NOT"}
	var err error
	u.of, err = p.negation()
	return u, err
}

var comparisons = []string{"=", "<>", "!=", "<", "<=", ">", ">="}

func (p *parser) predicate() (expression, error) {
	value, err := p.concatenation()
	if err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		switch {
		case t.kind == symbol && slices.Contains(comparisons, t.text):
			p.next()
			if p.is("all") || p.is("any") || p.is("some") {
				return nil, p.peek().lacking("a comparison with %s", strings.ToUpper(p.peek().text))
			}
			b := binary{place: t.place, operator: t.text, left: value}
			if b.right, err = p.concatenation(); err != nil {
				return nil, err
			}
			value = b
			continue
		case p.take("is"):
			if value, err = p.is_(t.place, value); err != nil {
				return nil, err
			}
			continue
		}
		not := p.is("not") && (p.ahead(1).text == "between" || p.ahead(1).text == "in" || p.ahead(1).text == "like")
		if not {
			p.next()
		}
		switch {
		case p.take("between"):
			b := between{place: t.place, value: value, not: not}
			if b.low, err = p.concatenation(); err != nil {
				return nil, err
			}
			if err = p.expect("and"); err != nil {
				return nil, err
			}
			if b.high, err = p.concatenation(); err != nil {
				return nil, err
			}
			value = b
		case p.take("in"):
			in := inList{place: t.place, value: value, not: not}
			if err = p.expectSymbol("("); err != nil {
				return nil, err
			}
			if p.opensQuery() {
				in.query, err = p.query()
			} else {
				in.list, err = p.expressions()
			}
			if err != nil {
				return nil, err
			}
			if err = p.expectSymbol(")"); err != nil {
				return nil, err
			}
			value = in
		case p.take("like"):
			l := likeness{place: t.place, value: value, not: not}
			if l.pattern, err = p.concatenation(); err != nil {
				return nil, err
			}
			if p.take("escape") {
				if l.escape, err = p.concatenation(); err != nil {
					return nil, err
				}
			}
			value = l
		default:
			return value, nil
		}
	}
}

func (p *parser) is_(at place, value expression) (expression, error) {
	not := p.take("not")
	switch {
	case p.take("null"):
		return isNull{at, value, not}, nil
	case p.take("distinct", "from"):
		right, err := p.concatenation()
		return distinctFrom{at, value, right, not}, err
	}
	return nil, p.unexpected("'NULL', 'DISTINCT'")
}

func (p *parser) operators(operand func() (expression, error), operators string) (expression, error) {
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		t := p.peek()
		if t.kind != symbol || !strings.Contains(operators, " "+t.text+" ") {
			return left, nil
		}
		if n == maxChain {
			return nil, t.lacking("a chain of more than %d operators", maxChain)
		}
		p.next()
		b := binary{place: t.place, operator: t.text, left: left}
		if b.right, err = operand(); err != nil {
			return nil, err
		}
		left = b
	}
}

func (p *parser) concatenation() (expression, error) { return p.operators(p.sum, " || ") }
func (p *parser) sum() (expression, error)           { return p.operators(p.product, " + - ") }
func (p *parser) product() (expression, error)       { return p.operators(p.signed, " * / % ") }

func (p *parser) signed() (expression, error) {
	t := p.peek()
	if t.kind == symbol && (t.text == "-" || t.text == "+") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		p.next()
		of, err := p.signed()
		if err != nil || t.text == "+" {
			return of, err
		}
		if l, ok := of.(literal); ok && l.kind == "number" && !l.minus {
			l.minus, l.place = true, t.place
			return l, nil
		}
		return unary{t.place, "-", of}, nil
	}
	e, err := p.primary()
	if err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		switch {
		case p.takeSymbol("["):
			i, err := p.expression()
			if err != nil {
				return nil, err
			}
			if err := p.expectSymbol("]"); err != nil {
				return nil, err
			}
			e = subscript{t.place, e, i}
		case p.takeSymbol("."):
			n, err := p.identifier()
			if err != nil {
				return nil, err
			}
			e = field{t.place, e, n}
		case p.is("at", "time", "zone"):
			return nil, t.lacking("AT TIME ZONE")
		default:
			return e, nil
		}
	}
}

func (p *parser) primary() (expression, error) {
	t := p.peek()
	switch t.kind {
	case number:
		p.next()
		return literal{place: t.place, kind: "number", text: t.text}, nil
	case text:
		p.next()
		return literal{place: t.place, kind: "text", text: t.text}, nil
	case symbol:
		return p.primarySymbol()
	case word:
		if e, ok, err := p.keyword(); ok || err != nil {
			return e, err
		}
	case end:
		return nil, p.unexpected("<expression>")
	}
	return p.nameOrCall()
}

func (p *parser) primarySymbol() (expression, error) {
	t := p.peek()
	switch t.text {
	case "-":
		p.next()
		if n := p.peek(); n.kind == number {
			p.next()
			return literal{place: t.place, kind: "number", text: n.text, minus: true}, nil
		}
	case "?":
		return p.parameter()
	case "(":
		if p.opensQuery() {
			p.next()
			q, err := p.query()
			if err != nil {
				return nil, err
			}
			return scalarQuery{t.place, q}, p.expectSymbol(")")
		}
		p.next()
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		if p.isSymbol(",") {
			return nil, t.lacking("a row of values")
		}
		return e, p.expectSymbol(")")
	}
	return nil, p.unexpected("<expression>")
}

// keyword reads expressions that begin with a word of their own.
func (p *parser) keyword() (e expression, ok bool, err error) {
	t, after := p.peek(), p.ahead(1)
	bracket := after.kind == symbol && after.text == "("
	switch t.text {
	case "null":
		p.next()
		return literal{place: t.place, kind: "null"}, true, nil
	case "true", "false":
		p.next()
		return literal{place: t.place, kind: "boolean", text: t.text}, true, nil
	case "date", "timestamp", "decimal", "double", "real", "bigint", "integer", "smallint", "tinyint", "varchar", "char", "boolean", "json", "time":
		if after.kind == text {
			p.next()
			p.next()
			switch t.text {
			case "date", "timestamp", "decimal":
				return literal{place: t.place, kind: t.text, text: after.text}, true, nil
			case "json", "time", "char":
				return nil, true, t.lacking("a literal of the type %s", strings.ToUpper(t.text))
			}
			return cast{place: t.place, value: literal{place: after.place, kind: "text", text: after.text}, to: plainNames[t.text]}, true, nil
		}
		if t.text == "double" && p.is("double", "precision") && p.ahead(2).kind == text {
			p.next()
			p.next()
			v := p.next()
			return cast{place: t.place, value: literal{place: v.place, kind: "text", text: v.text}, to: Type{Kind: Double}}, true, nil
		}
	case "interval":
		if after.kind == text || after.kind == symbol && (after.text == "-" || after.text == "+") {
			e, err = p.interval()
			return e, true, err
		}
	case "x":
		if after.kind == text && after.column == t.column+1 {
			return nil, true, t.lacking("a binary literal")
		}
	case "case":
		e, err = p.caseOf()
		return e, true, err
	case "exists":
		if bracket {
			p.next()
			p.next()
			q, err := p.query()
			if err != nil {
				return nil, true, err
			}
			return exists{t.place, q}, true, p.expectSymbol(")")
		}
	case "cast", "try_cast":
		if bracket {
			e, err = p.cast()
			return e, true, err
		}
	case "extract":
		if bracket {
			e, err = p.extract()
			return e, true, err
		}
	case "position":
		if bracket {
			p.next()
			p.next()
			needle, err := p.concatenation()
			if err != nil {
				return nil, true, err
			}
			if err := p.expect("in"); err != nil {
				return nil, true, err
			}
			hay, err := p.concatenation()
			if err != nil {
				return nil, true, err
			}
			return call{place: t.place, name: "strpos", args: []expression{hay, needle}}, true, p.expectSymbol(")")
		}
	case "current_date", "current_timestamp", "localtimestamp", "current_user", "current_time", "localtime", "current_catalog", "current_schema":
		p.next()
		return call{place: t.place, name: t.text}, true, nil
	case "array":
		if after.kind == symbol && after.text == "[" {
			p.next()
			p.next()
			a := arrayOf{place: t.place}
			if !p.isSymbol("]") {
				if a.values, err = p.expressions(); err != nil {
					return nil, true, err
				}
			}
			return a, true, p.expectSymbol("]")
		}
	case "trim":
		if bracket {
			e, err = p.trim()
			return e, true, err
		}
	case "row", "map", "normalize", "listagg", "grouping":
		if bracket {
			return nil, true, t.lacking("%s", strings.ToUpper(t.text))
		}
	}
	return nil, false, nil
}

func (p *parser) interval() (expression, error) {
	l := literal{place: p.next().place, kind: "interval"}
	if p.takeSymbol("-") {
		l.minus = true
	} else {
		p.takeSymbol("+")
	}
	if p.peek().kind != text {
		return nil, p.unexpected("<string>")
	}
	l.text = p.next().text
	t := p.next()
	l.unit = t.text
	switch l.unit {
	case "second", "minute", "hour", "day", "month", "year":
	default:
		return nil, t.fail(CodeSyntax, "mismatched input '%s'. Expecting: 'DAY', 'HOUR', 'MINUTE', 'MONTH', 'SECOND', 'YEAR'", t.text)
	}
	if p.is("to") {
		return nil, t.lacking("an interval with TO")
	}
	return l, nil
}

func (p *parser) caseOf() (expression, error) {
	c := caseOf{place: p.next().place}
	var err error
	if !p.is("when") {
		if c.operand, err = p.expression(); err != nil {
			return nil, err
		}
	}
	for p.take("when") {
		when, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expect("then"); err != nil {
			return nil, err
		}
		then, err := p.expression()
		if err != nil {
			return nil, err
		}
		c.when, c.then = append(c.when, when), append(c.then, then)
	}
	if len(c.when) == 0 {
		return nil, p.unexpected("'WHEN'")
	}
	if p.take("else") {
		if c.other, err = p.expression(); err != nil {
			return nil, err
		}
	}
	return c, p.expect("end")
}

func (p *parser) cast() (expression, error) {
	t := p.next()
	p.next()
	c := cast{place: t.place, try: t.text == "try_cast"}
	var err error
	if c.value, err = p.expression(); err != nil {
		return nil, err
	}
	if err = p.expect("as"); err != nil {
		return nil, err
	}
	if c.to, err = p.typeName(); err != nil {
		return nil, err
	}
	return c, p.expectSymbol(")")
}

// typeName reads a type as SQL has it.
func (p *parser) typeName() (Type, error) {
	at := p.next()
	t, ok := plainNames[at.text]
	switch {
	case at.text == "string" || at.text == "float" && at.kind == quotedWord || at.text == "long" || at.text == "binary":
		return t, at.fail(CodeMismatch, "Unknown type: %s", at.text)
	case !ok || at.kind != word && at.kind != quotedWord:
		return t, at.lacking("the type %s in a query", strings.ToUpper(at.text))
	case at.text == "double":
		p.take("precision")
	}
	if p.takeSymbol("(") {
		var err error
		if t.Precision, err = p.integer(); err != nil {
			return t, err
		}
		if t.Kind == Decimal && p.takeSymbol(",") {
			if t.Scale, err = p.integer(); err != nil {
				return t, err
			}
		}
		if err := p.expectSymbol(")"); err != nil {
			return t, err
		}
		switch {
		case t.Kind == Decimal && (t.Precision < 1 || t.Precision > 38 || t.Scale > t.Precision):
			return t, at.fail("INVALID_FUNCTION_ARGUMENT", "Invalid DECIMAL precision and scale: (%d, %d)", t.Precision, t.Scale)
		case t.Kind == Timestamp && t.Precision > 6:
			return t, at.lacking("TIMESTAMP(%d)", t.Precision)
		case t.Kind != Decimal && t.Kind != Varchar && t.Kind != Char && t.Kind != Timestamp:
			return t, at.fail(CodeSyntax, "the type %s has no size", at.text)
		}
	}
	if t.Kind == Timestamp && p.is("with") {
		return t, at.lacking("TIMESTAMP WITH TIME ZONE as a type of CAST")
	}
	return t, nil
}

func (p *parser) extract() (expression, error) {
	t := p.next()
	p.next()
	part := p.next()
	if err := p.expect("from"); err != nil {
		return nil, err
	}
	v, err := p.expression()
	if err != nil {
		return nil, err
	}
	switch part.text {
	case "year", "quarter", "month", "week", "day", "hour", "minute", "second", "day_of_week", "dow", "day_of_year", "doy", "day_of_month":
	default:
		return nil, part.lacking("EXTRACT of %s", strings.ToUpper(part.text))
	}
	return call{place: t.place, name: part.text, args: []expression{v}}, p.expectSymbol(")")
}

// trim reads trim(x), trim(BOTH FROM x) and their like.
func (p *parser) trim() (expression, error) {
	t := p.next()
	p.next()
	c := call{place: t.place, name: "trim"}
	switch {
	case p.take("leading"):
		c.name = "ltrim"
	case p.take("trailing"):
		c.name = "rtrim"
	default:
		p.take("both")
	}
	if p.take("from") {
		v, err := p.expression()
		c.args = []expression{v}
		if err != nil {
			return nil, err
		}
		return c, p.expectSymbol(")")
	}
	v, err := p.expression()
	if err != nil {
		return nil, err
	}
	c.args = []expression{v}
	switch {
	case p.take("from"):
		of, err := p.expression()
		if err != nil {
			return nil, err
		}
		c.args = []expression{of, v}
	case p.takeSymbol(","):
		with, err := p.expression()
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, with)
	}
	return c, p.expectSymbol(")")
}

func (p *parser) nameOrCall() (expression, error) {
	t := p.peek()
	// left, right, replace and others are functions, although some are words of joins.
	first := t.text
	if t.kind == word && p.ahead(1).kind == symbol && p.ahead(1).text == "(" && (first == "left" || first == "right") {
		return nil, t.fail(CodeFunction, "Function '%s' not registered", first)
	}
	first, err := p.identifier()
	if err != nil {
		return nil, err
	}
	if p.isSymbol("(") {
		return p.call(t, first)
	}
	if p.isSymbol("->") {
		return nil, t.lacking("a lambda expression")
	}
	n := name{place: t.place, parts: []string{first}}
	for p.isSymbol(".") && (p.ahead(1).kind == word || p.ahead(1).kind == quotedWord) {
		p.next()
		part := p.next()
		n.parts = append(n.parts, part.text)
	}
	return n, nil
}

func (p *parser) call(t token, function string) (expression, error) {
	c := call{place: t.place, name: function}
	p.next()
	var err error
	switch {
	case p.takeSymbol("*"):
		c.star = true
	case p.isSymbol(")"):
	default:
		if p.take("distinct") {
			c.distinct = true
		} else {
			p.take("all")
		}
		if c.args, err = p.expressions(); err != nil {
			return nil, err
		}
		// substring(x FROM a FOR b)
		if (function == "substring" || function == "substr") && p.take("from") {
			from, err := p.expression()
			if err != nil {
				return nil, err
			}
			c.args = append(c.args, from)
			if p.take("for") {
				length, err := p.expression()
				if err != nil {
					return nil, err
				}
				c.args = append(c.args, length)
			}
		}
		if p.take("order", "by") {
			if c.order, err = p.sortItems(); err != nil {
				return nil, err
			}
		}
	}
	if err = p.expectSymbol(")"); err != nil {
		return nil, err
	}
	if p.is("within") {
		return nil, p.peek().lacking("WITHIN GROUP")
	}
	if p.is("filter") && p.ahead(1).text == "(" {
		p.next()
		p.next()
		if err = p.expect("where"); err != nil {
			return nil, err
		}
		if c.filter, err = p.expression(); err != nil {
			return nil, err
		}
		if err = p.expectSymbol(")"); err != nil {
			return nil, err
		}
	}
	if p.is("ignore", "nulls") || p.is("respect", "nulls") {
		return nil, p.peek().lacking("%s NULLS", strings.ToUpper(p.peek().text))
	}
	if p.is("over") {
		c.over, err = p.window()
	}
	return c, err
}

func (p *parser) window() (*window, error) {
	w := &window{place: p.next().place}
	if !p.isSymbol("(") {
		return nil, p.peek().lacking("a named window")
	}
	p.next()
	var err error
	if p.take("partition", "by") {
		if w.partition, err = p.expressions(); err != nil {
			return nil, err
		}
	}
	if p.take("order", "by") {
		if w.order, err = p.sortItems(); err != nil {
			return nil, err
		}
	}
	if p.is("rows") || p.is("range") || p.is("groups") {
		f := &frame{unit: strings.ToUpper(p.next().text)}
		if p.take("between") {
			if f.start, err = p.bound(); err != nil {
				return nil, err
			}
			if err = p.expect("and"); err != nil {
				return nil, err
			}
			if f.end, err = p.bound(); err != nil {
				return nil, err
			}
		} else {
			if f.start, err = p.bound(); err != nil {
				return nil, err
			}
			f.end = bound{kind: "CURRENT ROW"}
		}
		w.frame = f
	}
	return w, p.expectSymbol(")")
}

func (p *parser) bound() (bound, error) {
	switch {
	case p.take("unbounded", "preceding"):
		return bound{kind: "UNBOUNDED PRECEDING"}, nil
	case p.take("unbounded", "following"):
		return bound{kind: "UNBOUNDED FOLLOWING"}, nil
	case p.take("current", "row"):
		return bound{kind: "CURRENT ROW"}, nil
	}
	e, err := p.rowCount()
	if err != nil {
		return bound{}, err
	}
	if p.take("preceding") {
		return bound{kind: "PRECEDING", value: e}, nil
	}
	return bound{kind: "FOLLOWING", value: e}, p.expect("following")
}
