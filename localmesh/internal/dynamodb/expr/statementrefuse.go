package expr

import (
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// What PartiQL has and DynamoDB has not is refused here, in the words of DynamoDB Local.

var (
	operatorMarks = []string{"+", "-", "*", "/", "%", "||"}
	aggregates    = []string{"avg", "count", "max", "min", "sum"}
)

// atOperator gives the operator of a calculation that comes next, if one does.
func (p *statementParser) atOperator() (string, bool) {
	t := p.peek()
	return t.text, t.kind == tokenMark && slices.Contains(operatorMarks, t.text)
}

// atSign gives the sign that comes next before something that is not a number.
func (p *statementParser) atSign() (string, bool) {
	sign := p.peek().text
	return sign, (p.isMark("-") || p.isMark("+")) && p.tokens[p.at+1].kind != tokenLiteral
}

func wrongOperator(operator string) error {
	return refuse("Unsupported operator in Condition Expression. Operator: %s", operator)
}

// isCondition reports whether the function is one of conditions.
func isCondition(function string) bool {
	switch function {
	case fnExists, fnNotExists, fnType, fnBeginsWith, fnContains, fnSize:
		return true
	}
	return false
}

func (p *statementParser) unsupportedToken(t token) error {
	return refuse("Unsupported token in expression: %s at %s", t.text, place(p.text, t))
}

// aggregate refuses a function of several rows.
func (p *statementParser) aggregate() error {
	t := p.peek()
	if t.text = strings.ToLower(t.text); slices.Contains(aggregates, t.text) {
		return p.unsupportedToken(t)
	}
	return nil
}

// query refuses a query, or a CASE, in the place of a value or a table.
func (p *statementParser) query() error {
	switch t := p.peek(); {
	case p.isWord("CASE"):
		return p.unsupportedToken(t)
	case t.kind == tokenMark && t.text == "(":
		inner := p.tokens[p.at+1]
		if inner.kind != tokenWord || !strings.EqualFold(inner.text, "SELECT") {
			return nil
		}
		if p.at > 0 && strings.EqualFold(p.tokens[p.at-1].text, "FROM") {
			return refuse("Unexpected from source")
		}
		return p.unsupportedToken(inner)
	}
	return nil
}

// like refuses a comparison with a pattern.
func (p *statementParser) like() error {
	if p.isWord("LIKE") || p.isWord("NOT") && strings.EqualFold(p.tokens[p.at+1].text, "LIKE") {
		return wrongOperator("like")
	}
	return nil
}

// otherSelection refuses a selection of other things than attributes of rows.
func (p *statementParser) otherSelection() error {
	switch {
	case p.isWord("DISTINCT"):
		return refuse("Unsupported token in expression: DISTINCT")
	case p.isWord("VALUE"), p.isWord("PIVOT"):
		return refuse("Select projection doesn't support value or pivot keywords")
	}
	return nil
}

// column reads a column of a SELECT, which is the path of an attribute.
func (p *statementParser) column() (Path, error) {
	if p.acceptMark("(") {
		path, err := p.column()
		if err != nil {
			return nil, err
		}
		return path, p.mark(")")
	}
	t := p.peek()
	switch t.kind {
	case tokenText, tokenLiteral, tokenParameter:
		return nil, p.noColumn()
	case tokenMark:
		if slices.Contains([]string{"-", "+", "[", "{", "<<"}, t.text) {
			return nil, p.noColumn()
		}
	case tokenWord:
		if p.atFunction() || isLiteralWord(t.text) || strings.EqualFold(t.text, "CASE") {
			return nil, p.noColumn()
		}
	}
	path, err := p.path()
	if _, ok := p.atOperator(); ok && err == nil {
		return nil, p.noColumn()
	}
	return path, err
}

func (p *statementParser) noColumn() error {
	return refuse("Unexpected path component at %s", place(p.text, p.peek()))
}

// join refuses to read from more than one table.
func (p *statementParser) join() error {
	if p.isMark(",") || slices.ContainsFunc([]string{"JOIN", "INNER", "LEFT", "RIGHT", "CROSS", "OUTER"}, p.isWord) {
		return refuse("Only select from a single table or index is supported.")
	}
	return nil
}

// otherClause refuses the clauses of a SELECT that DynamoDB does not know.
func (p *statementParser) otherClause() error {
	switch {
	case p.isWord("GROUP"):
		return refuse("Unsupported clause: GROUP BY")
	case p.acceptWord("HAVING"):
		// Of a condition DynamoDB names the place of its operator.
		at := p.peek()
		for _, t := range p.tokens[p.at:] {
			if t.kind == tokenMark && isCompared(t.text) {
				at = t
				break
			}
		}
		return refuse("Unsupported clause: HAVING at %s", place(p.text, at))
	case p.acceptWord("LIMIT"):
		return refuse("Unsupported clause: LIMIT at %s", place(p.text, p.peek()))
	}
	return nil
}

// structure reads the beginning of an item, and refuses one that is written down in another way than {…}.
func (p *statementParser) structure() error {
	switch t := p.peek(); {
	case t.kind == tokenText, t.kind == tokenLiteral, t.kind == tokenParameter, p.isMark("["), p.isMark("<<"):
		return refuse("Unsupported format in item expression. Please use struct format {...} to express item values for insert statement. at %s",
			place(p.text, t))
	}
	return p.mark("{")
}

// otherInsertion refuses what is not the VALUE of one item.
func (p *statementParser) otherInsertion() error {
	if p.isMark("<<") || p.isMark("{") || p.isWord("SELECT") {
		return refuse("Unsupported operation: InsertOp")
	}
	return leftOver()
}

// definition refuses a statement that neither reads nor writes items.
func (p *statementParser) definition() error {
	for word, operation := range map[string]string{"CREATE": "Create", "DROP": "Drop"} {
		if !p.acceptWord(word) {
			continue
		}
		switch {
		case p.isWord("TABLE"):
			return refuse("Unsupported operation: %sTable", operation)
		case p.isWord("INDEX"):
			return refuse("Unsupported operation: %sIndex", operation)
		}
	}
	return malformed("Expected data manipulation")
}

// unsupportedType refuses what is not a value where one is wanted, within the value at the place.
func (p *statementParser) unsupportedType(what, at string, t token) error {
	at = strings.NewReplacer("[", ".", "]", "").Replace(at)
	return refuse("Unsupported data type: %s under key root%s at %s", what, at, place(p.text, t))
}

// member reads a value within another one, which cannot be calculated.
func (p *statementParser) member(at string) (value.Value, error) {
	t := p.peek()
	if sign, ok := p.atSign(); ok {
		return value.Value{}, p.unsupportedType(calculation(sign, at), at, t)
	}
	if t.kind == tokenQuoted || t.kind == tokenWord && !p.atFunction() && !isStatementWord(t.text) {
		return value.Value{}, p.unsupportedType(t.text, at, t)
	}
	v, err := p.literal(at)
	if operator, ok := p.atOperator(); ok && err == nil {
		return value.Value{}, p.unsupportedType(calculation(operator, at), at, p.peek())
	}
	return v, err
}

// calculation is what DynamoDB calls a calculation in an attribute, or in a part of one.
func calculation(operator, at string) string {
	if at == "" {
		return operator
	}
	return "NAry"
}
