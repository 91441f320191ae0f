// Package awsmodel is what the SDK's models say of the services that the local mesh
// stands in for: every operation by its name, and for S3, whose operations differ by
// method, path, query string and headers alone, how each is told from the others.
//
// The tables are generated from the SDK's clients (go run
// ./localmesh/internal/awsmodel/generate), and a test of that folder says when they
// are not those of the SDK in go.mod any more. So nothing that AWS has can be taken
// for something else because nobody thought of it.
package awsmodel

import (
	"slices"
	"strings"
)

// Level is what an operation of S3 is about.
type Level int

// The levels.
const (
	OnService Level = iota
	OnBucket
	OnObject
)

// Place is where a member of an input stands in a request to S3.
type Place int

// The places.
const (
	InQuery Place = iota
	InHeader
	// InPrefixedHeaders is a map of which each entry is a header.
	InPrefixedHeaders
	InBody
)

// Member is a member of an input of S3.
type Member struct {
	// Name is the member's name in the model.
	Name string
	// Place is where it stands.
	Place Place
	// At is the name of the parameter or header, the prefix of the headers, or the name of the
	// body's root element; a body without one is the member itself.
	At string
}

// S3Operation is how an operation of S3 is told from the others, and what it takes.
type S3Operation struct {
	Name, Method string
	Level        Level
	// Query are the parameters that it always has: name, or name=value.
	Query []string
	// Header are the headers that it always has.
	Header []string
	// Members are those of its input that are not in the path.
	Members []Member
	// Elements are the names of all elements that its body may have.
	Elements []string
}

// S3Named is the operation of S3 with a name.
func S3Named(name string) (S3Operation, bool) {
	i, ok := slices.BinarySearchFunc(s3Operations, name, func(o S3Operation, name string) int { return strings.Compare(o.Name, name) })
	if !ok {
		return S3Operation{}, false
	}
	return s3Operations[i], true
}

// Known reports whether a service has an operation of that name.
func Known(service, operation string) bool {
	_, ok := slices.BinarySearch(operations[service], operation)
	return ok
}

// Operations are the names of a service's operations, in order.
func Operations(service string) []string { return operations[service] }

// Refused are the members of the inputs of a service that its code does not honour:
// Type.Field, or Type.Field=value where the value says what is so without it. S3 has a
// table of its own.
func Refused(service string) []string { return refused[service] }

// Own are the struct types of the model that a service has a type of its own for.
func Own(name string) []string { return own[name] }

// S3 are the operations of S3.
func S3() []S3Operation { return s3Operations }
