package enrolment

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// mostNodes is how many nodes a file may have with its aliases written out. A file of all
// accounts of an organization has fewer; aliases of aliases can make any number of a few lines.
const mostNodes = 200_000

// expanding writes out the aliases and merged keys of a file, so that each part of it can be
// read by itself.
type expanding struct {
	anchors map[string]ast.Node
	nodes   int
}

// misplaced is what is wrong with a node of a file.
type misplaced struct {
	at   *token.Token
	text string
}

func (m *misplaced) Error() string { return m.text }

func (e *expanding) node(n ast.Node) (ast.Node, error) {
	if n == nil {
		return nil, nil
	}
	if e.nodes++; e.nodes > mostNodes {
		return nil, &misplaced{n.GetToken(), "with its aliases written out the file is too long"}
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		// An alias of it within itself has no end, and so finds nothing.
		value, err := e.node(n.Value)
		if err == nil {
			e.anchors[n.Name.GetToken().Value] = value
		}
		return value, err
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		value, ok := e.anchors[name]
		if !ok {
			return nil, &misplaced{n.GetToken(), fmt.Sprintf("there is no anchor %q before it", name)}
		}
		e.nodes += size(value)
		return value, nil
	case *ast.TagNode:
		value, err := e.node(n.Value)
		if n.Start.Value == "!!str" {
			return value, err
		}
		n.Value = value
		return n, err
	case *ast.SequenceNode:
		for i := range n.Values {
			var err error
			if n.Values[i], err = e.node(n.Values[i]); err != nil {
				return nil, err
			}
		}
	case *ast.MappingValueNode:
		return e.mapping(ast.Mapping(n.Start, n.IsFlowStyle, n))
	case *ast.MappingNode:
		return e.mapping(n)
	}
	return n, nil
}

// mapping writes out the values, and puts the keys of merged mappings behind its own.
func (e *expanding) mapping(n *ast.MappingNode) (ast.Node, error) {
	var own, merged []*ast.MappingValueNode
	has := map[string]bool{}
	for _, v := range n.Values {
		value, err := e.node(v.Value)
		if err != nil {
			return nil, err
		}
		if !v.Key.IsMergeKey() {
			v.Value = value
			own, has[v.Key.GetToken().Value] = append(own, v), true
			continue
		}
		from := []ast.Node{value}
		if list, ok := value.(*ast.SequenceNode); ok {
			from = list.Values
		}
		for _, m := range from {
			mapping, ok := m.(*ast.MappingNode)
			if !ok {
				return nil, &misplaced{v.GetToken(), "what is merged is no mapping"}
			}
			merged = append(merged, mapping.Values...)
		}
	}
	for _, v := range merged {
		// Of several the first counts.
		if key := v.Key.GetToken().Value; !has[key] {
			own, has[key] = append(own, v), true
		}
	}
	n.Values = own
	return n, nil
}

// size is how many nodes there are in one.
func size(n ast.Node) int {
	all := 0
	ast.Walk(counter{&all}, n)
	return all
}

type counter struct{ all *int }

// Visit implements [ast.Visitor].
func (c counter) Visit(ast.Node) ast.Visitor {
	*c.all++
	return c
}
