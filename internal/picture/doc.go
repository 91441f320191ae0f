// Package picture draws a mesh: its accounts, what they have published, who holds what of it,
// and what is not as it was decided. It is pure: from a list of access and a verification to a
// [Mesh], from that to a [View] that fits on a page, and from that to SVG or Mermaid.
//
// Names in it were written by other accounts. What a reader would not see is escaped, and
// everything is quoted for the format that it is written in.
package picture
