package rowfilter

// An Expr is a condition as it is written: [All], [And], [Or], [Not], [Compare],
// [Between], [In], [Like] or [IsNull]. The list is closed.
type Expr interface {
	// String prints the expression so that Parse gives it again.
	String() string
	expr()
}

// All lets every row through: TRUE, the condition that Lake Formation lists for a filter with
// all rows (https://docs.aws.amazon.com/cli/latest/reference/lakeformation/list-data-cells-filter.html).
type All struct{}

// And lets through what all of its terms do; there are at least two.
type And struct{ Terms []Expr }

// Or lets through what any of its terms does; there are at least two.
type Or struct{ Terms []Expr }

// Not is true where its term is false. Where that is unknown, so is Not.
type Not struct{ Term Expr }

// Compare compares a column with a constant.
type Compare struct {
	Column Path
	Op     Op
	Value  Constant
}

// Between is true from the low to the high constant, both included. Nothing is
// between a high and a low one; AWS's own example has BETWEEN 'Z' AND 'U'.
type Between struct {
	Column    Path
	Not       bool
	Low, High Constant
}

// In is true for a column that equals one of the values; there is at least one.
type In struct {
	Column Path
	Not    bool
	Values []Constant
}

// Like is true for a string that a pattern matches as a whole: % is any string, _ any
// character. Case matters.
type Like struct {
	Column  Path
	Not     bool
	Pattern Constant
}

// IsNull is true for a column without a value. It alone is never unknown.
type IsNull struct {
	Column Path
	Not    bool
}

func (All) expr()     {}
func (And) expr()     {}
func (Or) expr()      {}
func (Not) expr()     {}
func (Compare) expr() {}
func (Between) expr() {}
func (In) expr()      {}
func (Like) expr()    {}
func (IsNull) expr()  {}

// An Op compares.
type Op string

// The operators; != is read as [NotEqual].
const (
	Equal          Op = "="
	NotEqual       Op = "<>"
	Less           Op = "<"
	LessOrEqual    Op = "<="
	Greater        Op = ">"
	GreaterOrEqual Op = ">="
)

// inverse is the operator that is true where this one is false.
func (o Op) inverse() Op {
	switch o {
	case Equal:
		return NotEqual
	case NotEqual:
		return Equal
	case Less:
		return GreaterOrEqual
	case LessOrEqual:
		return Greater
	case Greater:
		return LessOrEqual
	default:
		return Less
	}
}

// holds reports whether the operator is true of two values that compare as sign says.
func (o Op) holds(sign int) bool {
	switch o {
	case Equal:
		return sign == 0
	case NotEqual:
		return sign != 0
	case Less:
		return sign < 0
	case LessOrEqual:
		return sign <= 0
	case Greater:
		return sign > 0
	default:
		return sign >= 0
	}
}

// ordered reports whether the operator asks which of two values is the greater.
func (o Op) ordered() bool { return o != Equal && o != NotEqual }

// A Path names a column, or a field of one: customer.address.zip.
type Path struct {
	Names []Name
	At    Position
}

// A Name is a part of a path.
type Name struct {
	Text string
	// Quoted names stand in double quotes, and mean this spelling alone.
	Quoted bool
}

// A ConstantKind is how a constant is written.
type ConstantKind int

// The kinds of constants.
const (
	Text ConstantKind = iota
	Number
	Boolean
)

// A Constant is a value in a condition.
type Constant struct {
	Kind ConstantKind
	// Text is the string itself, without quotes; the number in digits; TRUE or FALSE.
	Text string
	At   Position
}
