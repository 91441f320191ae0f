// Package security has no code of its own: its tests hold the whole project
// against those who want in. That the roles of a mesh may do what they need and
// nothing else, action by action; that no key and no token is ever told; that a
// mesh of a thousand accounts fits AWS's quotas.
//
// The tests take a sample of the longest lists. LAKEMESH_LONG=1 takes all.
package security
