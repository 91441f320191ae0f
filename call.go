package lakemesh

import (
	"fmt"
	"slices"
	"strings"
)

// Call is an operation of this library with its arguments, as something to do: an error
// tells by it what mends what went wrong. It is data, so that every front end can say it in
// its own words; the command line says a command.
type Call struct {
	// Operation is a method behind the name of its package: producer.DeleteSubscription.
	Operation string `json:"Operation"`
	// Arguments are those that are known. The caller adds what is lacking.
	Arguments []Argument `json:"Arguments,omitempty"`
}

// Argument is a field of an operation's input, or a parameter of it, and its value.
type Argument struct {
	Name  string `json:"Name"`
	Value string `json:"Value"`
}

// Do makes a [Call] of an operation, with the names and values of its arguments in turn.
func Do(operation string, arguments ...string) Call {
	c := Call{Operation: operation}
	for i := 0; i+1 < len(arguments); i += 2 {
		c.Arguments = append(c.Arguments, Argument{Name: arguments[i], Value: arguments[i+1]})
	}
	return c
}

// With is the call with one argument more.
func (c Call) With(name, value string) Call {
	c.Arguments = append(slices.Clone(c.Arguments), Argument{Name: name, Value: value})
	return c
}

// String is the call as a Go programmer would write it.
func (c Call) String() string {
	arguments := make([]string, len(c.Arguments))
	for i, a := range c.Arguments {
		arguments[i] = fmt.Sprintf("%s: %q", a.Name, a.Value)
	}
	return c.Operation + "(" + strings.Join(arguments, ", ") + ")"
}
