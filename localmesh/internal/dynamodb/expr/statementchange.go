package expr

import "strings"

// changes reads the SET and REMOVE clauses of an UPDATE.
func (p *statementParser) changes(s *Statement) error {
	s.Update = &Update{}
	for {
		clause := clauseSet
		switch {
		case p.acceptWord(clauseSet):
		case p.acceptWord(clauseRemove):
			clause = clauseRemove
		default:
			if len(s.Update.actions) == 0 {
				return p.unexpected()
			}
			paths := make([]Path, len(s.Update.actions))
			for i, a := range s.Update.actions {
				paths[i] = a.path
			}
			if err := checkOverlap(paths); err != nil {
				p.note(err)
			}
			return nil
		}
		for {
			path, err := p.path()
			if err != nil {
				return err
			}
			a := action{clause: clause, path: path}
			if clause == clauseSet {
				if a, err = p.assignment(path); err != nil {
					return err
				}
			}
			s.Update.actions = append(s.Update.actions, a)
			if !p.acceptMark(",") {
				break
			}
		}
	}
}

// assignment reads what a SET clause assigns to the path.
func (p *statementParser) assignment(path Path) (action, error) {
	a := action{clause: clauseSet, path: path}
	if err := p.mark("="); err != nil {
		return a, err
	}
	if p.atFunction() {
		switch strings.ToLower(p.peek().text) {
		case "set_add":
			a.clause = clauseAdd
		case "set_delete":
			a.clause = clauseDelete
		}
	}
	if a.clause == clauseSet {
		var err error
		a.result, err = p.sum()
		return a, err
	}
	name := p.next()
	upper, at := strings.ToUpper(name.text), place(p.text, name)
	p.at++
	first := p.peek()
	var args []operand
	for !p.acceptMark(")") {
		if len(args) > 0 {
			if err := p.mark(","); err != nil {
				return a, err
			}
		}
		o, err := p.operand()
		if err != nil {
			return a, err
		}
		args = append(args, o)
	}
	if len(args) != 2 {
		return a, refuse("%s must have exactly two arguments at %s", upper, at)
	}
	if set, ok := args[0].(pathOperand); !ok || !set.path.equal(path) {
		return a, refuse("The first argument to %s must equal the assignment value at %s", upper, at)
	}
	l, ok := args[1].(literal)
	if !ok || !l.value.Type().IsSet() {
		return a, refuse("The second argument to %s must be a value with type SET at %s", upper, place(p.text, first))
	}
	a.operand = l.value
	return a, nil
}

// sum reads operands with + and - between them.
func (p *statementParser) sum() (updateOperand, error) {
	first, err := p.assigned()
	for err == nil && (p.isMark("+") || p.isMark("-")) {
		minus := p.next().text == "-"
		var second updateOperand
		second, err = p.assigned()
		first = arithmetic{minus, first, second}
	}
	if operator, ok := p.atOperator(); ok && err == nil {
		return nil, refuse("Unsupported operator in Update Expression. Operator: %s", operator)
	}
	return first, err
}

func (p *statementParser) assigned() (updateOperand, error) {
	if p.acceptMark("(") {
		o, err := p.sum()
		if err != nil {
			return nil, err
		}
		return o, p.mark(")")
	}
	if sign, ok := p.atSign(); ok {
		return nil, wrongCount(sign, 1)
	}
	if err := p.query(); err != nil {
		return nil, err
	}
	if !p.atFunction() {
		o, err := p.operand()
		return given{o}, err
	}
	if err := p.aggregate(); err != nil {
		return nil, err
	}
	name := p.next()
	p.at++
	var args []updateOperand
	for !p.acceptMark(")") {
		if len(args) > 0 {
			if err := p.mark(","); err != nil {
				return nil, err
			}
		}
		o, err := p.sum()
		if err != nil {
			return nil, err
		}
		args = append(args, o)
	}
	function := strings.ToLower(name.text)
	switch {
	case isCondition(function):
		return nil, refuse("The function is not allowed in an update expression; function: %s", function)
	case function != fnIfNotExists && function != fnListAppend:
		return nil, refuse("Unrecognized function: %s at %s", function, place(p.text, name))
	case len(args) != 2:
		return nil, wrongCount(function, len(args))
	case function == fnListAppend:
		return listAppend{args[0], args[1]}, nil
	}
	if g, ok := args[0].(given); ok {
		if path, ok := g.operand.(pathOperand); ok {
			return ifNotExists{path.path, args[1]}, nil
		}
	}
	return nil, refuse("Operator or function requires a document path; operator or function: %s", function)
}
