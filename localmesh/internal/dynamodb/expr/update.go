package expr

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// Functions of update expressions.
const (
	fnIfNotExists = "if_not_exists"
	fnListAppend  = "list_append"
)

// Clauses of update expressions.
const (
	clauseSet    = "SET"
	clauseRemove = "REMOVE"
	clauseAdd    = "ADD"
	clauseDelete = "DELETE"
)

const (
	noSuchAttribute = "The provided expression refers to an attribute that does not exist in the item"
	wrongOperand    = "An operand in the update expression has an incorrect data type"
	invalidPath     = "The document path provided in the update expression is invalid for update"
)

// Update is a change of an item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
type Update struct {
	actions []action
	// plain marks an update that is not an expression, whose errors have other words.
	plain bool
}

type action struct {
	clause string
	path   Path
	// result computes the value of SET.
	result updateOperand
	// operand is the value of ADD and DELETE.
	operand value.Value
}

// Update parses an UpdateExpression.
func (s *Scope) Update(text string) (*Update, error) {
	p, err := s.parser(UpdateExpression, text)
	if err != nil {
		return nil, err
	}
	u, err := p.update()
	if err != nil {
		return nil, p.wrap(err)
	}
	return u, nil
}

func (p *parser) update() (*Update, error) {
	u := &Update{}
	seen := map[string]bool{}
	for len(seen) == 0 || p.peek().kind != tokenEnd {
		clause := strings.ToUpper(p.peek().text)
		switch clause {
		case clauseSet, clauseRemove, clauseAdd, clauseDelete:
		default:
			return nil, p.syntaxError()
		}
		if seen[clause] {
			p.note(refuse("The %q section can only be used once in an update expression;", clause))
		}
		seen[clause] = true
		p.at++
		for {
			a, err := p.action(clause)
			if err != nil {
				return nil, err
			}
			u.actions = append(u.actions, a)
			if !p.acceptMark(",") {
				break
			}
		}
	}
	paths := make([]Path, len(u.actions))
	for i, a := range u.actions {
		paths[i] = a.path
	}
	if err := checkOverlap(paths); err != nil {
		p.note(err)
	}
	return u, p.end()
}

func (p *parser) action(clause string) (action, error) {
	path, err := p.path()
	if err != nil {
		return action{}, err
	}
	a := action{clause: clause, path: path}
	switch clause {
	case clauseSet:
		if err := p.expectMark("="); err != nil {
			return a, err
		}
		p.operator()
		a.result, err = p.sum()
	case clauseAdd, clauseDelete:
		if p.peek().kind != tokenValue {
			return a, p.syntaxError()
		}
		p.operator()
		if a.operand, err = p.scope.value(p.next().text); err != nil {
			p.note(err)
			return a, nil
		}
		t := a.operand.Type()
		if !t.IsSet() && (clause == clauseDelete || t != value.Numeric) {
			p.note(refuse("Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: %s",
				clause, longName(t), allowedFor(clause)))
		}
	}
	return a, err
}

// longName is how errors about ADD and DELETE call a type.
func longName(t value.Type) string {
	switch t {
	case value.String:
		return "STRING"
	case value.Numeric:
		return "NUMBER"
	case value.Binary:
		return "BINARY"
	case value.Bool:
		return "BOOLEAN"
	case value.Map:
		return "MAP"
	case value.List:
		return "LIST"
	}
	return string(t)
}

func allowedFor(clause string) string {
	if clause == clauseAdd {
		return "ALLOWED_FOR_ADD_OPERAND"
	}
	return "ALLOWED_FOR_DELETE_OPERAND"
}

// updateOperand is something that SET can set an attribute to.
type updateOperand interface {
	compute(item value.Item) (value.Value, error)
}

type given struct{ operand }

func (o given) compute(item value.Item) (value.Value, error) {
	v, ok := o.eval(item)
	if !ok {
		return v, refuse(noSuchAttribute)
	}
	return v, nil
}

type ifNotExists struct {
	path Path
	or   updateOperand
}

// compute computes the alternative in any case: it is refused when it refers to
// what does not exist, even if it is not needed.
func (o ifNotExists) compute(item value.Item) (value.Value, error) {
	alternative, err := o.or.compute(item)
	if v, ok := o.path.get(item); ok && err == nil {
		return v, nil
	}
	return alternative, err
}

type listAppend struct{ first, second updateOperand }

func (o listAppend) compute(item value.Item) (value.Value, error) {
	v, w, err := both(o.first, o.second, item)
	if err != nil {
		return v, err
	}
	if v.Type() != value.List || w.Type() != value.List {
		return v, refuse(wrongOperand)
	}
	return value.OfList(slices.Concat(v.List(), w.List())), nil
}

type arithmetic struct {
	minus         bool
	first, second updateOperand
}

func (o arithmetic) compute(item value.Item) (value.Value, error) {
	v, w, err := both(o.first, o.second, item)
	if err != nil {
		return v, err
	}
	if v.Type() != value.Numeric || w.Type() != value.Numeric {
		return v, refuse(wrongOperand)
	}
	n := w.Number()
	if o.minus {
		n, err = v.Number().Subtract(n)
	} else {
		n, err = v.Number().Add(n)
	}
	return value.OfNumber(n), err
}

func both(first, second updateOperand, item value.Item) (v, w value.Value, err error) {
	if v, err = first.compute(item); err != nil {
		return v, w, err
	}
	w, err = second.compute(item)
	return v, w, err
}

// sum reads an operand, or two with + or - between them.
func (p *parser) sum() (updateOperand, error) {
	first, err := p.updateOperand()
	if err != nil || !p.isMark("+") && !p.isMark("-") {
		return first, err
	}
	sign := p.next().text
	p.operator()
	second, err := p.updateOperand()
	if err != nil {
		return nil, err
	}
	p.checkLiterals(sign, value.Numeric, first, second)
	return arithmetic{sign == "-", first, second}, nil
}

// checkLiterals refuses values that are of the wrong type whatever the item is.
func (p *parser) checkLiterals(operator string, want value.Type, operands ...updateOperand) {
	for _, o := range operands {
		g, ok := o.(given)
		if !ok {
			continue
		}
		if l, ok := g.operand.(literal); ok && l.value.Type() != want {
			p.note(wrongType(operator, l.value.Type()))
		}
	}
}

func (p *parser) updateOperand() (updateOperand, error) {
	if p.acceptMark("(") {
		return bracketed(p, p.sum)
	}
	if !p.atFunction() {
		o, err := p.simpleOperand()
		return given{o}, err
	}
	name := p.next().text
	p.operator()
	args, err := arguments(p, p.sum)
	if err != nil {
		return nil, err
	}
	switch name {
	case fnIfNotExists, fnListAppend:
	case fnExists, fnNotExists, fnType, fnBeginsWith, fnContains, fnSize:
		p.note(refuse("The function is not allowed in an update expression; function: %s", name))
		return args[0], nil
	default:
		p.note(refuse("Invalid function name; function: %s", name))
		return args[0], nil
	}
	if len(args) != 2 {
		p.note(wrongCount(name, len(args)))
		return args[0], nil
	}
	if name == fnListAppend {
		p.checkLiterals(name, value.List, args...)
		return listAppend{args[0], args[1]}, nil
	}
	if g, ok := args[0].(given); ok {
		if path, ok := g.operand.(pathOperand); ok {
			return ifNotExists{path.path, args[1]}, nil
		}
	}
	p.note(refuse("Operator or function requires a document path; operator or function: %s", name))
	return args[0], nil
}

// Attributes gives the top-level attributes that the update changes, sorted.
func (u *Update) Attributes() []string { return u.Changed().Attributes() }

// Changed is the projection on what the update changes, as UPDATED_OLD and
// UPDATED_NEW return it.
func (u *Update) Changed() *Projection {
	p := &Projection{paths: make([]Path, len(u.actions))}
	for i, a := range u.actions {
		p.paths[i] = a.path
	}
	return p
}

// What UpdateItem counts beside the attributes that it writes. No document has it; it
// is what the limit of an item's size shows.
const (
	updateCost     = 3
	setCost        = 19
	setElementCost = 20
	removeCost     = 2
)

// Size is what UpdateItem holds against the limit of an item's size, beside the item:
// the attributes that it writes, as they are then, and something for each action. Hence
// the key and what the update leaves alone do not count.
func (u *Update) Size(item value.Item) int {
	size := updateCost
	counted := map[string]bool{}
	for _, a := range u.actions {
		if a.clause == clauseRemove || a.clause == clauseDelete {
			size += removeCost
			continue
		}
		if a.path[len(a.path)-1].isIndex {
			size += setElementCost
		} else {
			size += setCost
		}
		if name := a.path.Attribute(); !counted[name] {
			counted[name] = true
			size += len(name) + item[name].Size()
		}
	}
	return size
}

// Apply gives the item as the update makes it, and leaves the old one alone.
// All operands are those of the old item, whatever the order of the clauses.
func (u *Update) Apply(old value.Item) (value.Item, error) {
	item := maps.Clone(old)
	if item == nil {
		item = value.Item{}
	}
	var removals []Path
	// Elements that are set beyond the end of a list are appended in the order of their indexes.
	for _, a := range u.inOrder() {
		if a.clause == clauseRemove {
			removals = append(removals, a.path)
			continue
		}
		v, err := a.value(old)
		if err != nil {
			return nil, u.reword(err)
		}
		if a.clause == clauseDelete && v.Len() == 0 {
			// Nothing is left of the set, or there was none.
			removals = append(removals, a.path)
			continue
		}
		if err := set(item, a.path, v); err != nil {
			return nil, err
		}
	}
	// Later elements of a list first: indexes are those of the old list.
	slices.SortStableFunc(removals, func(p, q Path) int { return comparePaths(q, p) })
	for _, path := range removals {
		if err := remove(item, path); err != nil {
			return nil, err
		}
	}
	return item, nil
}

// reword puts the refusal of an operand into the words of the update's form.
func (u *Update) reword(err error) error {
	var refused *Error
	if u.plain && errors.As(err, &refused) && refused.Message == wrongOperand {
		return refuse("Type mismatch for attribute to update")
	}
	return err
}

func (u *Update) inOrder() []action {
	sorted := slices.Clone(u.actions)
	slices.SortStableFunc(sorted, func(a, b action) int { return comparePaths(a.path, b.path) })
	return sorted
}

func comparePaths(p, q Path) int {
	return slices.CompareFunc(p, q, func(s, t step) int {
		if s.isIndex && t.isIndex {
			return s.index - t.index
		}
		return strings.Compare(s.name, t.name)
	})
}

// value computes what SET, ADD or DELETE makes of the attribute.
func (a action) value(old value.Item) (value.Value, error) {
	if a.clause == clauseSet {
		return a.result.compute(old)
	}
	before, ok := a.path.get(old)
	switch {
	case !ok && a.clause == clauseDelete:
		return value.Value{}, nil
	case !ok:
		return a.operand, nil
	case before.Type() != a.operand.Type():
		return before, refuse(wrongOperand)
	case a.clause == clauseDelete:
		return before.Without(a.operand), nil
	case before.Type() == value.Numeric:
		sum, err := before.Number().Add(a.operand.Number())
		return value.OfNumber(sum), err
	case before.Type() == value.List:
		return value.OfList(slices.Concat(before.List(), a.operand.List())), nil
	}
	return before.Union(a.operand), nil
}

// set puts the value at the path of the item. What the item shares with an
// older one is copied first.
func set(item value.Item, path Path, v value.Value) error {
	return change(item, path, func(parent value.Value, last step) value.Value {
		if last.isIndex {
			list := slices.Clone(parent.List())
			if last.index < len(list) {
				list[last.index] = v
			} else {
				list = append(list, v)
			}
			return value.OfList(list)
		}
		fields := maps.Clone(parent.Map())
		fields[last.name] = v
		return value.OfMap(fields)
	}, v)
}

// remove takes away what is at the path, if anything is.
func remove(item value.Item, path Path) error {
	return change(item, path, func(parent value.Value, last step) value.Value {
		if last.isIndex {
			if last.index >= len(parent.List()) {
				return parent
			}
			return value.OfList(slices.Delete(slices.Clone(parent.List()), last.index, last.index+1))
		}
		fields := maps.Clone(parent.Map())
		delete(fields, last.name)
		return value.OfMap(fields)
	}, value.Value{})
}

// change replaces the container of what is at the path by what edit makes of
// it. A path of one step is an attribute of the item itself, which becomes top.
func change(item value.Item, path Path, edit func(value.Value, step) value.Value, top value.Value) error {
	name := path.Attribute()
	if len(path) == 1 {
		if top.IsZero() {
			delete(item, name)
		} else {
			item[name] = top
		}
		return nil
	}
	v, ok := item[name]
	if !ok {
		return refuse(invalidPath)
	}
	changed, err := changeWithin(v, path[1:], edit)
	if err != nil {
		return err
	}
	item[name] = changed
	return nil
}

func changeWithin(v value.Value, path Path, edit func(value.Value, step) value.Value) (value.Value, error) {
	s := path[0]
	if s.isIndex && v.Type() != value.List || !s.isIndex && v.Type() != value.Map {
		return v, refuse(invalidPath)
	}
	if len(path) == 1 {
		return edit(v, s), nil
	}
	child, ok := s.of(v)
	if !ok {
		return v, refuse(invalidPath)
	}
	changed, err := changeWithin(child, path[1:], edit)
	if err != nil {
		return v, err
	}
	if s.isIndex {
		list := slices.Clone(v.List())
		list[s.index] = changed
		return value.OfList(list), nil
	}
	fields := maps.Clone(v.Map())
	fields[s.name] = changed
	return value.OfMap(fields), nil
}
