package expr

import (
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// step is one element of a document path: an attribute, or an index of a list.
type step struct {
	name    string
	index   int
	isIndex bool
}

// Path is a document path. Its first step is always an attribute's name.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.Attributes.html
type Path []step

// Attribute gives the top-level attribute that the path begins at.
func (p Path) Attribute() string { return p[0].name }

// String prints the path as DynamoDB's errors do: [a, b, [1]].
func (p Path) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range p {
		if i > 0 {
			b.WriteString(", ")
		}
		if s.isIndex {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		} else {
			b.WriteString(s.name)
		}
	}
	b.WriteByte(']')
	return b.String()
}

func (p Path) equal(q Path) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// get follows the path within the item.
func (p Path) get(item value.Item) (value.Value, bool) {
	v, ok := item[p[0].name]
	for _, s := range p[1:] {
		if !ok {
			return v, false
		}
		v, ok = s.of(v)
	}
	return v, ok
}

func (s step) of(v value.Value) (value.Value, bool) {
	if !s.isIndex {
		// What is not a map has no attributes: its Map is nil.
		field, ok := v.Map()[s.name]
		return field, ok
	}
	if s.index < len(v.List()) {
		return v.List()[s.index], true
	}
	return value.Value{}, false
}

// checkOverlap refuses paths of which one is within another, or of which one
// takes for a list what the other takes for a map.
func checkOverlap(paths []Path) error {
	for i, p := range paths {
		for _, q := range paths[:i] {
			if err := p.checkAgainst(q); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p Path) checkAgainst(earlier Path) error {
	for i := range min(len(p), len(earlier)) {
		if p[i] == earlier[i] {
			continue
		}
		if p[i].isIndex != earlier[i].isIndex {
			return refuse("Two document paths conflict with each other; must remove or rewrite one of these paths; "+
				"path one: %s, path two: %s", earlier, p)
		}
		return nil
	}
	return refuse("Two document paths overlap with each other; must remove or rewrite one of these paths; "+
		"path one: %s, path two: %s", earlier, p)
}
