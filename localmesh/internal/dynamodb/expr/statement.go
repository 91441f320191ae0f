package expr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// Verb is what a statement does.
type Verb string

// The verbs of statements.
const (
	Select Verb = "SELECT"
	Insert Verb = "INSERT"
	Modify Verb = "UPDATE"
	Delete Verb = "DELETE"
	// Exists is a SELECT that only asks whether its item is there.
	Exists Verb = "EXISTS"
)

// Statement is a statement of PartiQL on one table.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
type Statement struct {
	Verb Verb
	// Table is the table's name, or its ARN; Index is empty unless an index is read.
	Table, Index string
	// Columns are what a SELECT returns; nil is everything.
	Columns *Columns
	// Order is what the rows are sorted by.
	Order []Order
	// Item is what INSERT makes.
	Item value.Item
	// Update is what UPDATE does.
	Update *Update
	// Returning is "ALL OLD", "MODIFIED NEW" and so on, or empty.
	Returning string
	// Scope knows the attributes that the statement names.
	Scope *Scope

	where node
}

// Order is an attribute that rows are sorted by.
type Order struct {
	Attribute string
	Down      bool
}

// maxStatement bounds the text of a statement.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteStatement.html
const maxStatement = 8192

// statementParser reads a statement by recursive descent. As in a parser of
// expressions, what is wrong but can be read is noted, and reported at the end.
type statementParser struct {
	parser
	text       string
	parameters []value.Value
	used       int
}

// ParseStatement reads a statement, in which each ? stands for the next parameter.
func ParseStatement(text string, parameters []value.Value) (*Statement, error) {
	if len(text) > maxStatement {
		return nil, refuse("1 validation error detected: Value at 'statement' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxStatement)
	}
	tokens, err := lexStatement(text)
	if err != nil {
		return nil, err
	}
	scope, err := NewScope(nil, nil)
	if err != nil {
		return nil, err
	}
	p := &statementParser{parser: parser{scope: scope, tokens: tokens, text: text}, text: text, parameters: parameters}
	s, err := p.statement()
	if err != nil {
		return nil, err
	}
	p.acceptMark(";")
	if p.peek().kind != tokenEnd {
		return nil, leftOver()
	}
	if p.noted != nil {
		return nil, p.noted
	}
	if p.used != len(parameters) {
		return nil, refuse("Number of parameters in request and statement don't match.")
	}
	return s, nil
}

func leftOver() error { return malformed("Unexpected token after expression") }

// unexpected refuses the token that comes next.
func (p *statementParser) unexpected() error {
	if p.peek().kind == tokenEnd {
		return malformed("Unexpected end of statement")
	}
	return malformed("Unexpected token")
}

func (p *statementParser) expectWord(keyword string) error {
	if !p.acceptWord(keyword) {
		return p.unexpected()
	}
	return nil
}

func (p *statementParser) mark(mark string) error {
	if !p.acceptMark(mark) {
		return p.unexpected()
	}
	return nil
}

func (p *statementParser) statement() (*Statement, error) {
	s := &Statement{Scope: p.scope}
	switch {
	case p.acceptWord("SELECT"):
		s.Verb = Select
		return s, p.selection(s)
	case p.isWord("EXISTS") && p.atFunction():
		p.at += 2
		s.Verb = Exists
		if err := p.expectWord("SELECT"); err != nil {
			return nil, err
		}
		if err := p.selection(s); err != nil {
			return nil, err
		}
		return s, p.mark(")")
	case p.acceptWord("INSERT"):
		s.Verb = Insert
		return s, p.insertion(s)
	case p.acceptWord("UPDATE"):
		s.Verb = Modify
		if err := p.table(s); err != nil {
			return nil, err
		}
		if err := p.changes(s); err != nil {
			return nil, err
		}
		return s, p.rest(s)
	case p.acceptWord("DELETE"):
		s.Verb = Delete
		if err := p.expectWord("FROM"); err != nil {
			return nil, err
		}
		if err := p.table(s); err != nil {
			return nil, err
		}
		return s, p.rest(s)
	case p.acceptWord("FROM"):
		// The form of an UPDATE that begins with its table.
		s.Verb = Modify
		if err := p.table(s); err != nil {
			return nil, err
		}
		if err := p.condition(s); err != nil {
			return nil, err
		}
		if err := p.changes(s); err != nil {
			return nil, err
		}
		return s, p.returning(s)
	}
	return nil, p.definition()
}

func (p *statementParser) rest(s *Statement) error {
	if err := p.condition(s); err != nil {
		return err
	}
	return p.returning(s)
}

// condition reads a WHERE clause, if there is one.
func (p *statementParser) condition(s *Statement) error {
	if !p.acceptWord("WHERE") {
		return nil
	}
	var err error
	s.where, err = p.disjunction()
	return err
}

func (p *statementParser) selection(s *Statement) error {
	if err := p.otherSelection(); err != nil {
		return err
	}
	if !p.acceptMark("*") {
		s.Columns = &Columns{}
		for {
			path, err := p.column()
			if err != nil {
				return err
			}
			s.Columns.paths = append(s.Columns.paths, path)
			if p.isWord("AS") {
				return refuse("Aliasing is not supported")
			}
			if !p.acceptMark(",") {
				break
			}
		}
	}
	if err := p.expectWord("FROM"); err != nil {
		return err
	}
	if err := p.query(); err != nil {
		return err
	}
	if err := p.table(s); err != nil {
		return err
	}
	if err := p.join(); err != nil {
		return err
	}
	if err := p.condition(s); err != nil {
		return err
	}
	if err := p.order(s); err != nil {
		return err
	}
	return p.otherClause()
}

// order reads an ORDER BY clause, if there is one.
func (p *statementParser) order(s *Statement) error {
	if !p.acceptWord("ORDER") {
		return nil
	}
	if err := p.expectWord("BY"); err != nil {
		return err
	}
	for {
		path, err := p.path()
		if err != nil {
			return err
		}
		o := Order{Attribute: path.Attribute(), Down: p.acceptWord("DESC")}
		if !o.Down {
			p.acceptWord("ASC")
		}
		s.Order = append(s.Order, o)
		if !p.acceptMark(",") {
			return nil
		}
	}
}

// table reads the name of a table, and of an index.
func (p *statementParser) table(s *Statement) error {
	names, err := p.tableNames()
	if err != nil {
		return err
	}
	switch {
	case slices.Contains(names, ""):
		return refuse("Path component cannot be an empty string")
	case len(names) > 2:
		return refuse("A path may contain at most 2 components in the FROM clause")
	}
	s.Table = names[0]
	if len(names) == 2 {
		s.Index = names[1]
		if s.Verb != Select && s.Verb != Exists {
			p.note(refuse("This operation is not supported on an index"))
		}
	}
	if t := p.peek(); t.kind == tokenQuoted || t.kind == tokenWord && (strings.EqualFold(t.text, "AS") || !isStatementWord(t.text)) {
		return refuse("Aliasing is not supported")
	}
	return nil
}

func (p *statementParser) tableNames() ([]string, error) {
	var names []string
	for {
		t := p.peek()
		if t.kind != tokenQuoted && (t.kind != tokenWord || isStatementWord(t.text)) {
			return nil, p.unexpected()
		}
		p.at++
		names = append(names, t.text)
		if !p.acceptMark(".") {
			return names, nil
		}
	}
}

func (p *statementParser) insertion(s *Statement) error {
	if err := p.expectWord("INTO"); err != nil {
		return err
	}
	names, err := p.tableNames()
	if err != nil {
		return err
	}
	switch {
	case len(names) > 1:
		return refuse("FROM clause may only contain a single table name")
	case names[0] == "":
		return refuse("Path component cannot be an empty string")
	}
	s.Table = names[0]
	if !p.acceptWord("VALUE") {
		return p.otherInsertion()
	}
	if err := p.structure(); err != nil {
		return err
	}
	v, err := p.fields(func(string) string { return "" })
	if err != nil {
		return err
	}
	s.Item = v.Map()
	for name := range s.Item {
		p.scope.attribute(name)
	}
	return nil
}

// returning reads a RETURNING clause, if there is one.
func (p *statementParser) returning(s *Statement) error {
	if !p.acceptWord("RETURNING") {
		return nil
	}
	var words []string
	for _, choice := range [][2]string{{"ALL", "MODIFIED"}, {"OLD", "NEW"}} {
		switch {
		case p.acceptWord(choice[0]):
			words = append(words, choice[0])
		case p.acceptWord(choice[1]):
			words = append(words, choice[1])
		default:
			return p.unexpected()
		}
	}
	if err := p.mark("*"); err != nil {
		return err
	}
	s.Returning = strings.Join(words, " ")
	if s.Verb == Delete && s.Returning != "ALL OLD" {
		p.note(refuse("Invalid returning clause: RETURNING %s *. Only RETURNING ALL OLD * is allowed in DELETE statements.", s.Returning))
	}
	return nil
}

// path reads a document path: names, with a dot or in brackets, and indexes.
func (p *statementParser) path() (Path, error) {
	t := p.peek()
	if t.kind != tokenQuoted && (t.kind != tokenWord || isStatementWord(t.text)) {
		return nil, p.unexpected()
	}
	p.at++
	path := Path{{name: t.text}}
	for {
		switch {
		case p.acceptMark("."):
			t := p.peek()
			if t.kind != tokenQuoted && (t.kind != tokenWord || isStatementWord(t.text)) {
				return nil, malformed("Invalid path dot component")
			}
			p.at++
			path = append(path, step{name: t.text})
		case p.acceptMark("["):
			switch t := p.next(); t.kind {
			case tokenText:
				path = append(path, step{name: t.text})
			case tokenLiteral:
				index, err := strconv.ParseInt(t.text, 10, 32)
				if err != nil {
					return nil, malformed("Unexpected token")
				}
				path = append(path, step{index: int(index), isIndex: true})
			default:
				return nil, malformed("Unexpected token")
			}
			if err := p.mark("]"); err != nil {
				return nil, err
			}
		default:
			p.scope.see(path)
			return path, nil
		}
	}
}

// isLiteralWord reports whether the word is a value.
func isLiteralWord(word string) bool {
	switch strings.ToUpper(word) {
	case "TRUE", "FALSE", "NULL":
		return true
	}
	return false
}

// isStatementWord reports whether the word belongs to the language, so that a name
// that is the same has to be quoted.
func isStatementWord(word string) bool {
	switch strings.ToUpper(word) {
	case "SELECT", "FROM", "WHERE", "ORDER", "BY", "ASC", "DESC", "INSERT", "INTO", "VALUE", "VALUES", "UPDATE", "SET", "REMOVE", "DELETE",
		"RETURNING", "AND", "OR", "NOT", "IN", "IS", "BETWEEN", "MISSING", "NULL", "TRUE", "FALSE", "EXISTS", "INNER", "OUTER", "JOIN", "LEFT",
		"RIGHT", "CROSS", "GROUP", "HAVING", "LIMIT", "OFFSET", "UNION", "AS", "AT", "ON", "LIKE", "CASE", "WHEN", "THEN", "ELSE", "END", "PIVOT":
		return true
	}
	return false
}
