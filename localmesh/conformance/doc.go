// Package conformance holds the local mesh against the rules of AWS that it
// stands in for: each rule of docs/aws-rules.md that a client can observe has a
// test here that names it.
//
// The package has tests only. They use the mesh as any program does: through the
// SDK's clients, over the wire.
package conformance
