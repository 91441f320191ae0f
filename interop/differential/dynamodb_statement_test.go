package differential

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"
)

// statement draws a statement of PartiQL, with its parameters.
type statement struct {
	generator
	parameters []types.AttributeValue
}

func (g generator) statement() *statement { return &statement{generator: g} }

// from draws the table, or one of its indexes, and gives the keys that it is read by.
func (s *statement) from() (table string, hash, sort key) {
	table = `"` + s.table + `"`
	if len(s.schema.indexes) > 0 && s.oneIn(3, "index") {
		i := pick(s.t, "index", s.schema.indexes...)
		return table + `."` + i.name + `"`, i.hash, i.sort
	}
	return table, s.schema.hash, s.schema.sort
}

func (s *statement) name(name string) string {
	if !plain(name) || s.oneIn(3, "quoted name") {
		return `"` + name + `"`
	}
	return name
}

// use draws a value as a literal, where it has one, or as a parameter.
func (s *statement) use(v types.AttributeValue) string {
	if !s.oneIn(3, "parameter") {
		if text, ok := written(v); ok {
			return text
		}
	}
	s.parameters = append(s.parameters, v)
	return "?"
}

var literalNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// written writes a value down as a literal, if there is one for it.
func written(v types.AttributeValue) (string, bool) {
	var parts []string
	add := func(v types.AttributeValue, name string) bool {
		text, ok := written(v)
		parts = append(parts, name+text)
		return ok
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return "'" + strings.ReplaceAll(v.Value, "'", "''") + "'", true
	case *types.AttributeValueMemberN:
		return v.Value, literalNumber.MatchString(v.Value)
	case *types.AttributeValueMemberBOOL:
		return strings.ToUpper(fmt.Sprint(v.Value)), true
	case *types.AttributeValueMemberNULL:
		return "NULL", v.Value
	case *types.AttributeValueMemberSS:
		for _, text := range v.Value {
			add(&types.AttributeValueMemberS{Value: text}, "")
		}
		return "<<" + strings.Join(parts, ", ") + ">>", true
	case *types.AttributeValueMemberNS:
		for _, text := range v.Value {
			add(&types.AttributeValueMemberN{Value: text}, "")
		}
		return "<<" + strings.Join(parts, ", ") + ">>", true
	case *types.AttributeValueMemberL:
		for _, element := range v.Value {
			if !add(element, "") {
				return "", false
			}
		}
		return "[" + strings.Join(parts, ", ") + "]", true
	case *types.AttributeValueMemberM:
		for _, name := range slices.Sorted(maps.Keys(v.Value)) {
			if !add(v.Value[name], "'"+name+"': ") {
				return "", false
			}
		}
		return "{" + strings.Join(parts, ", ") + "}", true
	}
	return "", false
}

// path draws the path of an attribute, or of something within one.
func (s *statement) path() string {
	name := pick(s.t, "attribute", attributes...)
	path := s.name(name)
	switch {
	case name == "m" && !s.oneIn(3, "whole map"):
		path += "." + s.name(pick(s.t, "member", "x", "y", "l", "name"))
	case name == "l" && !s.oneIn(3, "whole list"):
		path += fmt.Sprintf("[%d]", s.count(0, 3, "number"))
	}
	return path
}

func (s *statement) condition(depth int) string {
	most := 12
	if depth == 0 {
		most = 8
	}
	switch s.count(0, most, "condition") {
	case 0, 1, 2:
		name := pick(s.t, "attribute", "a", "b", "n", "flag", "name", "ss", "l", "m")
		return s.name(name) + " " + pick(s.t, "comparator", comparators...) + " " + s.use(s.typical(name))
	case 3:
		name := pick(s.t, "attribute", "a", "n", "b")
		return s.name(name) + " BETWEEN " + s.use(s.typical(name)) + " AND " + s.use(s.typical(name))
	case 4:
		name := pick(s.t, "attribute", "a", "n", "b")
		return s.name(name) + " IN [" + s.use(s.typical(name)) + ", " + s.use(s.typical(name)) + "]"
	case 5:
		return s.path() + " IS " + pick(s.t, "not", "", "NOT ") + "MISSING"
	case 6:
		return pick(s.t, "function", "attribute_exists", "attribute_not_exists") + "(" + s.path() + ")"
	case 7:
		return "size(" + s.path() + ") " + pick(s.t, "comparator", comparators...) + " " + fmt.Sprint(s.count(0, 3, "size"))
	case 8:
		return pick(s.t, "function", "begins_with", "contains") + "(" + s.name(pick(s.t, "attribute", "a", "b", "name", "ss")) + ", " + s.use(s.scalar("S")) + ")"
	case 9:
		return "NOT " + "(" + s.condition(depth-1) + ")"
	case 10:
		return "(" + s.condition(depth-1) + ")"
	default:
		return s.condition(depth-1) + pick(s.t, "operator", " AND ", " OR ", " and ") + s.condition(depth-1)
	}
}

// keyed draws a WHERE clause that names one item, and mostly nothing else.
func (s *statement) one() string {
	where := " WHERE " + s.name(s.schema.hash.name) + " = " + s.use(s.keyValue(s.schema.hash, 2))
	if s.schema.sort.name != "" && !s.oneIn(40, "part of a key") {
		where += " AND " + s.name(s.schema.sort.name) + " = " + s.use(s.keyValue(s.schema.sort, 5))
	}
	return where
}

func (s *statement) columns() string {
	if s.oneIn(3, "columns") {
		// Of two columns with the same name it is open which one is returned.
		first := pick(s.t, "column", "a", "b", "n", "m.x")
		return first + ", " + s.name(pick(s.t, "column", "l", "ss", "name", "flag"))
	}
	return "*"
}

func (s *statement) selection() string {
	columns := s.columns()
	table, hash, sort := s.from()
	text := "SELECT " + columns + " FROM " + table
	if s.oneIn(8, "all") {
		if s.oneIn(2, "filter") {
			text += " WHERE " + s.condition(1)
		}
		return text
	}
	text += " WHERE " + s.name(hash.name)
	several := s.oneIn(4, "several keys")
	if several {
		text += " IN [" + s.use(s.keyValue(hash, 2)) + ", " + s.use(s.keyValue(hash, 2)) + "]"
	} else {
		text += " = " + s.use(s.keyValue(hash, 2))
	}
	if sort.name != "" && s.oneIn(2, "sort key") {
		switch s.count(0, 2, "condition of sort key") {
		case 0, 1:
			text += " AND " + s.name(sort.name) + pick(s.t, "comparator", " = ", " < ", " <= ", " > ", " >= ") + s.use(s.keyValue(sort, 5))
		default:
			text += " AND " + s.name(sort.name) + " BETWEEN " + s.use(s.keyValue(sort, 5)) + " AND " + s.use(s.keyValue(sort, 5))
		}
	}
	if s.oneIn(3, "filter") {
		text += " AND " + pick(s.t, "bracket", "(") + s.condition(1) + ")"
	}
	if sort.name != "" && s.oneIn(3, "order") {
		text += " ORDER BY " + s.name(sort.name) + pick(s.t, "direction", "", " ASC", " DESC")
	}
	return text
}

func (s *statement) change() string {
	switch s.count(0, 3, "change") {
	case 0:
		it := s.item()
		var members []string
		for _, name := range slices.Sorted(maps.Keys(it)) {
			members = append(members, "'"+name+"': "+s.use(it[name]))
		}
		return `INSERT INTO "` + s.table + `" VALUE {` + strings.Join(members, ", ") + "}"
	case 1:
		text := `DELETE FROM "` + s.table + `"` + s.one()
		if s.oneIn(3, "condition") {
			text += " AND " + s.condition(1)
		}
		return text + pick(s.t, "returning", "", "", " RETURNING ALL OLD *")
	default:
		text := `UPDATE "` + s.table + `"`
		for range s.count(1, 2, "changes") {
			text += s.clause()
		}
		text += s.one()
		if s.oneIn(3, "condition") {
			text += " AND " + s.condition(1)
		}
		return text + pick(s.t, "returning", "", "", " RETURNING ALL OLD *", " RETURNING ALL NEW *", " RETURNING MODIFIED OLD *", " RETURNING MODIFIED NEW *")
	}
}

// clause draws a SET or a REMOVE of an UPDATE.
func (s *statement) clause() string {
	switch s.count(0, 5, "clause") {
	case 0:
		return " REMOVE " + s.path()
	case 1:
		n := s.name("n")
		return " SET " + n + " = " + n + pick(s.t, "sign", " + ", " - ") + s.use(s.valueOf("N", 0))
	case 2:
		return " SET " + s.name("l") + " = list_append(" + s.name("l") + ", " + s.use(s.valueOf("L", 1)) + ")"
	case 3:
		name := pick(s.t, "set", "ss", "ns")
		return " SET " + name + " = " + pick(s.t, "function", "set_add", "set_delete") + "(" + name + ", " + s.use(s.typical(name)) + ")"
	case 4:
		path := s.path()
		return " SET " + path + " = if_not_exists(" + path + ", " + s.use(s.value(1)) + ")"
	default:
		return " SET " + s.path() + " = " + s.use(s.value(2))
	}
}

func (g generator) executed() any {
	s := g.statement()
	text := pick(g.t, "kind", s.selection, s.change)()
	in := &dynamodb.ExecuteStatementInput{Statement: &text, Parameters: s.parameters, ReturnValuesOnConditionCheckFailure: g.onFailure()}
	if strings.HasPrefix(text, "SELECT") {
		in.ReturnValuesOnConditionCheckFailure = ""
		if g.oneIn(3, "pages") {
			in.Limit = aws.Int32(int32(g.count(1, 5, "limit")))
		}
	}
	return in
}

// several draws a batch of reads or of changes.
func (g generator) severalStatements() any {
	in := &dynamodb.BatchExecuteStatementInput{}
	reads := rapid.Bool().Draw(g.t, "reads")
	for range g.count(1, 3, "statements") {
		s := g.statement()
		var text string
		if reads {
			text = "SELECT " + s.columns() + ` FROM "` + g.table + `"` + s.one()
		} else {
			text = s.change()
		}
		in.Statements = append(in.Statements, types.BatchStatementRequest{Statement: &text, Parameters: s.parameters})
	}
	return in
}

// transaction draws a transaction of reads or of changes.
func (g generator) transaction() any {
	in := &dynamodb.ExecuteTransactionInput{}
	reads := rapid.Bool().Draw(g.t, "reads")
	for range g.count(1, 3, "statements") {
		s := g.statement()
		var text string
		switch {
		case reads:
			text = "SELECT " + s.columns() + ` FROM "` + g.table + `"` + s.one()
		case g.oneIn(5, "check"):
			text = `EXISTS(SELECT * FROM "` + g.table + `"` + s.one() + " AND " + s.condition(0) + ")"
		default:
			text, _, _ = strings.Cut(s.change(), " RETURNING")
		}
		in.TransactStatements = append(in.TransactStatements, types.ParameterizedStatement{Statement: &text, Parameters: s.parameters})
	}
	return in
}

// changes says whether a statement changes items.
func changes(text *string) bool {
	for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
		if strings.HasPrefix(aws.ToString(text), verb) {
			return true
		}
	}
	return false
}
