// Package adversary has tests in which one party of a mesh does what its roles allow,
// and the others have to remain undisturbed.
package adversary
