package rowfilter

import (
	"strconv"
	"strings"
)

// A Kind is what a type is.
type Kind int

// The kinds of types. [Other] is every type that row filters do not support.
const (
	Other Kind = iota
	String
	Char
	Varchar
	Int
	Bigint
	Decimal
	Float
	Double
	Bool
	Struct
)

// A Type is the type of a column.
type Type struct {
	Kind Kind
	// Length is how many characters a CHAR or VARCHAR has at most; 0 when nothing is said.
	Length int
	// Precision and Scale are the digits of a DECIMAL, and those of them after the point.
	Precision, Scale int
	// Fields are those of a STRUCT.
	Fields []Field
	// Name is the type as the table has it.
	Name string
}

// A Field is one of a struct.
type Field struct {
	Name string
	Type Type
}

const (
	// maxTypeLength is how long Glue lets a type be
	// (https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html).
	maxTypeLength = 131072
	maxTypeDepth  = 32
	// maxPrecision is Hive's, Athena's and Redshift's for DECIMAL.
	maxPrecision = 38
)

// ParseType reads a type as Glue has it in a table: Hive's. What it does not know, or what
// is not a type at all, is [Other].
//
// https://docs.aws.amazon.com/athena/latest/ug/data-types.html
func ParseType(s string) Type {
	if len(s) > maxTypeLength {
		return Type{Name: s[:64] + "…"}
	}
	return parseType(s, 0)
}

func parseType(s string, depth int) Type {
	s = strings.TrimSpace(s)
	t := Type{Name: s}
	head, rest := strings.ToLower(s), ""
	if i := strings.IndexAny(s, "<("); i >= 0 {
		head, rest = strings.ToLower(strings.TrimSpace(s[:i])), s[i:]
	}
	switch {
	case rest == "":
		t.Kind = plainTypes[head]
		if t.Kind == Decimal {
			// Hive's default.
			t.Precision, t.Scale = 10, 0
		}
	case head == "struct" && depth < maxTypeDepth:
		t.Fields = fields(rest, depth)
		if t.Fields != nil {
			t.Kind = Struct
		}
	case head == "char" || head == "varchar" || head == "decimal":
		t.sized(plainTypes[head], rest)
	}
	return t
}

var plainTypes = map[string]Kind{
	"string": String, "char": Char, "varchar": Varchar, "int": Int, "integer": Int, "long": Bigint, "bigint": Bigint,
	"decimal": Decimal, "float": Float, "double": Double, "boolean": Bool,
}

// sized reads the numbers of a type. Without sense in them it stays Other.
func (t *Type) sized(kind Kind, rest string) {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(rest, "("), ")")
	if !ok || rest[0] != '(' {
		return
	}
	var numbers []int
	for part := range strings.SplitSeq(inner, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 0 {
			return
		}
		numbers = append(numbers, n)
	}
	switch {
	case kind != Decimal && len(numbers) == 1 && numbers[0] > 0:
		t.Kind, t.Length = kind, numbers[0]
	case kind == Decimal && len(numbers) <= 2 && numbers[0] > 0 && numbers[0] <= maxPrecision:
		if numbers = append(numbers, 0); numbers[1] <= numbers[0] {
			t.Kind, t.Precision, t.Scale = Decimal, numbers[0], numbers[1]
		}
	}
}

// fields reads <name:type,...>; nil when it is none.
func fields(s string, depth int) []Field {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(s, "<"), ">")
	if !ok || s[0] != '<' {
		return nil
	}
	var all []Field
	begin, open := 0, 0
	for i := 0; i <= len(inner); i++ {
		switch {
		case i < len(inner) && (inner[i] == '<' || inner[i] == '('):
			open++
		case i < len(inner) && (inner[i] == '>' || inner[i] == ')'):
			if open--; open < 0 {
				return nil
			}
		case i == len(inner) || inner[i] == ',' && open == 0:
			name, typ, ok := strings.Cut(inner[begin:i], ":")
			name = strings.Trim(strings.TrimSpace(name), "`")
			if !ok || name == "" {
				return nil
			}
			all = append(all, Field{name, parseType(typ, depth+1)})
			begin = i + 1
		}
	}
	return all
}

// isText reports whether values are strings.
func (t Type) isText() bool { return t.Kind == String || t.Kind == Char || t.Kind == Varchar }

// isFloat reports whether values are binary fractions, among them NaN.
func (t Type) isFloat() bool { return t.Kind == Float || t.Kind == Double }

// isNumber reports whether values are numbers.
func (t Type) isNumber() bool {
	return t.Kind == Int || t.Kind == Bigint || t.Kind == Decimal || t.isFloat()
}

// same reports whether two types have the same values.
func (t Type) same(o Type) bool {
	return t.Kind == o.Kind && t.Length == o.Length && t.Precision == o.Precision && t.Scale == o.Scale
}
