package expr

import (
	"maps"
	"slices"

	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb/value"
)

// Projection is a selection of attributes, and of parts of them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html
type Projection struct{ paths []Path }

// Projection parses a ProjectionExpression.
func (s *Scope) Projection(text string) (*Projection, error) {
	p, err := s.parser(ProjectionExpression, text)
	if err != nil {
		return nil, err
	}
	var paths []Path
	for {
		path, err := p.path()
		if err != nil {
			return nil, p.wrap(err)
		}
		paths = append(paths, path)
		if !p.acceptMark(",") {
			break
		}
	}
	if err := checkOverlap(paths); err != nil {
		p.note(err)
	}
	if err := p.end(); err != nil {
		return nil, p.wrap(err)
	}
	return &Projection{paths}, nil
}

// Attributes gives the top-level attributes of the projection, sorted.
func (p *Projection) Attributes() []string {
	names := map[string]bool{}
	for _, path := range p.paths {
		names[path.Attribute()] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Of gives the part of the item that the projection selects.
func (p *Projection) Of(item value.Item) value.Item {
	root := &selection{}
	for _, path := range p.paths {
		root.add(path)
	}
	projected := value.Item{}
	for name, part := range root.fields {
		if v, ok := item[name]; ok {
			if w, ok := part.of(v); ok {
				projected[name] = w
			}
		}
	}
	return projected
}

// selection is the tree of the paths of a projection. A leaf selects everything.
type selection struct {
	fields  map[string]*selection
	indexes map[int]*selection
}

func (s *selection) add(path Path) {
	if len(path) == 0 {
		return
	}
	child := &selection{}
	if path[0].isIndex {
		if s.indexes == nil {
			s.indexes = map[int]*selection{}
		}
		if s.indexes[path[0].index] == nil {
			s.indexes[path[0].index] = child
		}
		child = s.indexes[path[0].index]
	} else {
		if s.fields == nil {
			s.fields = map[string]*selection{}
		}
		if s.fields[path[0].name] == nil {
			s.fields[path[0].name] = child
		}
		child = s.fields[path[0].name]
	}
	child.add(path[1:])
}

// of selects from a value; it says false when nothing is left of it. Selected
// elements of a list move together.
func (s *selection) of(v value.Value) (value.Value, bool) {
	switch {
	case s.fields != nil:
		part := value.Item{}
		for name, child := range s.fields {
			if field, ok := v.Map()[name]; ok {
				if w, ok := child.of(field); ok {
					part[name] = w
				}
			}
		}
		return value.OfMap(part), len(part) > 0
	case s.indexes != nil:
		var part []value.Value
		for _, i := range slices.Sorted(maps.Keys(s.indexes)) {
			if i < len(v.List()) {
				if w, ok := s.indexes[i].of(v.List()[i]); ok {
					part = append(part, w)
				}
			}
		}
		return value.OfList(part), len(part) > 0
	}
	return v, true
}
