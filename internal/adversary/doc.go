// Package adversary holds tests in which a party of the mesh works against another
// one, with raw calls that its own roles may make. It has no code.
package adversary
