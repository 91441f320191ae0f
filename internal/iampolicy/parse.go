package iampolicy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxDepth is deeper than any policy: document, statements, statement, conditions, operator, values.
const maxDepth = 8

// Parse reads a policy document, strictly: what the grammar does not know is an error. What a document may hold
// depends also on what it is used as; see [Document.Validate].
func Parse(data []byte) (*Document, error) {
	root, err := readJSON(data)
	if err != nil {
		return nil, err
	}
	d, err := readDocument(root)
	if err != nil {
		return nil, err
	}
	if err := d.validate(); err != nil {
		return nil, err
	}
	return d, nil
}

// UnmarshalJSON reads a policy document as [Parse] does.
func (d *Document) UnmarshalJSON(data []byte) error {
	parsed, err := Parse(data)
	if err != nil {
		return err
	}
	*d = *parsed
	return nil
}

// A node is a JSON value that kept the order and the duplicates of its members, which
// encoding/json drops: the grammar forbids an element given twice.
type node struct {
	kind    nodeKind
	text    string
	members []member
	items   []node
}

type member struct {
	name  string
	value node
}

type nodeKind uint8

const (
	stringNode nodeKind = iota
	scalarNode          // A number or a Boolean.
	nullNode
	listNode
	objectNode
)

func readJSON(data []byte) (node, error) {
	// The decoder of tokens checks less than the decoder of values.
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return node{}, syntaxError(err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	n, err := readNode(dec, 0)
	var known *Error
	switch {
	case errors.As(err, &known):
		return node{}, err
	case err != nil:
		return node{}, syntaxError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return node{}, &Error{Statement: -1, Detail: "text after the document", Err: ErrSyntax}
	}
	return n, nil
}

func syntaxError(err error) error {
	detail := err.Error()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		detail = fmt.Sprintf("at byte %d: %v", syntax.Offset, err)
	}
	return &Error{Statement: -1, Detail: detail, Err: ErrSyntax}
}

func readNode(dec *json.Decoder, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, &Error{Statement: -1, Detail: "nested too deeply for a policy", Err: ErrSyntax}
	}
	token, err := dec.Token()
	if err != nil {
		return node{}, err
	}
	switch v := token.(type) {
	case string:
		return node{kind: stringNode, text: v}, nil
	case json.Number:
		return node{kind: scalarNode, text: v.String()}, nil
	case bool:
		return node{kind: scalarNode, text: fmt.Sprint(v)}, nil
	case json.Delim:
		if v == '[' {
			return readList(dec, depth)
		}
		return readObject(dec, depth)
	default:
		return node{kind: nullNode}, nil
	}
}

func readList(dec *json.Decoder, depth int) (node, error) {
	n := node{kind: listNode}
	for dec.More() {
		item, err := readNode(dec, depth+1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := dec.Token()
	return n, err
}

func readObject(dec *json.Decoder, depth int) (node, error) {
	n := node{kind: objectNode}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return node{}, err
		}
		value, err := readNode(dec, depth+1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name: fmt.Sprint(name), value: value})
	}
	_, err := dec.Token()
	return n, err
}

// A place is where in the document the reader is, for the errors.
type place struct {
	statement int
	sid       string
}

func (p place) fail(element string, err error, format string, args ...any) error {
	return &Error{Statement: p.statement, SID: p.sid, Element: element, Err: err, Detail: fmt.Sprintf(format, args...)}
}

// object checks that n is an object without duplicates.
func (p place) object(element string, n node) ([]member, error) {
	if n.kind != objectNode {
		return nil, p.fail(element, ErrInvalidValue, "must be an object")
	}
	seen := make(map[string]bool, len(n.members))
	for _, m := range n.members {
		if seen[m.name] {
			return nil, p.fail(join(element, m.name), ErrDuplicateElement, "")
		}
		seen[m.name] = true
	}
	return n.members, nil
}

func (p place) text(element string, n node) (string, error) {
	if n.kind != stringNode {
		return "", p.fail(element, ErrInvalidValue, "must be a string")
	}
	return n.text, nil
}

// texts reads a string or a list of strings, of which there must be one at least.
func (p place) texts(element string, n node) ([]string, error) {
	return p.list(element, n, "a string or a list of strings", func(kind nodeKind) bool { return kind == stringNode })
}

// values reads the values of a condition key, where numbers and Booleans may go without quotation marks.
func (p place) values(element string, n node) ([]string, error) {
	return p.list(element, n, "a string, a number, a Boolean, or a list of them",
		func(kind nodeKind) bool { return kind == stringNode || kind == scalarNode })
}

func (p place) list(element string, n node, want string, ok func(nodeKind) bool) ([]string, error) {
	items := n.items
	if n.kind != listNode {
		items = []node{n}
	}
	if len(items) == 0 {
		return nil, p.fail(element, ErrInvalidValue, "must not be empty")
	}
	texts := make([]string, 0, len(items))
	for _, item := range items {
		if !ok(item.kind) {
			return nil, p.fail(element, ErrInvalidValue, "must be %s", want)
		}
		texts = append(texts, item.text)
	}
	return texts, nil
}

func join(element, name string) string {
	if element == "" {
		return name
	}
	return element + "." + name
}

func readDocument(root node) (*Document, error) {
	where := place{statement: -1}
	members, err := where.object("", root)
	if err != nil {
		return nil, err
	}
	d := &Document{}
	for _, m := range members {
		switch m.name {
		case "Version":
			if d.Version, err = where.text(m.name, m.value); err == nil && d.Version == "" {
				err = where.fail(m.name, ErrInvalidValue, "must not be empty")
			}
		case "Id":
			d.ID, err = where.text(m.name, m.value)
		case "Statement":
			d.Statements, err = readStatements(m.value)
		default:
			err = where.fail(m.name, ErrUnknownElement, "")
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

func readStatements(n node) ([]Statement, error) {
	items := n.items
	if n.kind != listNode {
		items = []node{n}
	}
	statements := make([]Statement, 0, len(items))
	for i, item := range items {
		s, err := readStatement(place{statement: i}, item)
		if err != nil {
			return nil, err
		}
		statements = append(statements, s)
	}
	return statements, nil
}

func readStatement(where place, n node) (Statement, error) {
	var s Statement
	// The id comes first, so that errors about the elements before it name it too.
	for _, m := range n.members {
		if m.name == "Sid" && m.value.kind == stringNode {
			where.sid = m.value.text
		}
	}
	members, err := where.object("", n)
	if err != nil {
		return s, err
	}
	for _, m := range members {
		switch m.name {
		case "Sid":
			s.SID, err = where.text(m.name, m.value)
		case "Effect":
			var effect string
			effect, err = where.text(m.name, m.value)
			s.Effect = Effect(effect)
		case "Action":
			s.Actions, err = where.texts(m.name, m.value)
		case "NotAction":
			s.NotActions, err = where.texts(m.name, m.value)
		case "Resource":
			s.Resources, err = where.texts(m.name, m.value)
		case "NotResource":
			s.NotResources, err = where.texts(m.name, m.value)
		case "Principal":
			s.Principal, err = readPrincipal(where, m)
		case "NotPrincipal":
			s.NotPrincipal, err = readPrincipal(where, m)
		case "Condition":
			s.Conditions, err = readConditions(where, m.value)
		default:
			err = where.fail(m.name, ErrUnknownElement, "")
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

func readPrincipal(where place, m member) (*Principal, error) {
	if m.value.kind == stringNode {
		if m.value.text != "*" {
			return nil, where.fail(m.name, ErrInvalidValue, "must be \"*\" or an object, not %q", m.value.text)
		}
		return &Principal{All: true}, nil
	}
	members, err := where.object(m.name, m.value)
	if err != nil {
		return nil, err
	}
	p := &Principal{}
	for _, kind := range members {
		element := join(m.name, kind.name)
		switch kind.name {
		case "AWS":
			p.AWS, err = where.texts(element, kind.value)
		case "Service":
			p.Service, err = where.texts(element, kind.value)
		case "Federated":
			p.Federated, err = where.texts(element, kind.value)
		case "CanonicalUser":
			p.CanonicalUser, err = where.texts(element, kind.value)
		default:
			err = where.fail(element, ErrUnknownElement, "")
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// readConditions drops what says nothing: no operators, and operators without keys, which AWS accepts.
func readConditions(where place, n node) (Conditions, error) {
	operators, err := where.object("Condition", n)
	if err != nil {
		return nil, err
	}
	var conditions Conditions
	for _, operator := range operators {
		element := join("Condition", operator.name)
		keys, err := where.object(element, operator.value)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			values, err := where.values(join(element, key.name), key.value)
			if err != nil {
				return nil, err
			}
			if conditions == nil {
				conditions = Conditions{}
			}
			if conditions[operator.name] == nil {
				conditions[operator.name] = map[string][]string{}
			}
			conditions[operator.name][key.name] = values
		}
	}
	return conditions, nil
}
