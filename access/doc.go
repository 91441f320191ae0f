// Package access computes who shall hold what. It is pure: it calls nothing, reads no
// clock and keeps nothing. What is there is observed by others, and what it answers is
// applied by others.
//
// A subscription says its [Terms]: what ([Scope]) for whom ([Grantee]), with which
// permissions, until when. Four functions do the work:
//
//   - [Want] computes what all terms together justify, and why.
//   - [Diff] compares that with what is there, and with what lakemesh itself made.
//     It revokes nothing else than what was made.
//   - [Prefixes] computes which prefixes of buckets must be open, and to which role.
//   - [Catalog] is what both need to know of databases and tables.
//
// Whatever is decided, the change is the same two lines: replace one of the terms, and
// compare anew. Nothing is computed from the difference of one decision, so the order of
// decisions does not matter, and what fell out by itself is found.
//
// Whoever verifies compares and does not apply. Whoever explains reads [Wanted.Why].
//
// # Errors
//
// Terms that contradict themselves are a [github.com/lakemesh/lakemesh.Error] of the
// kind ErrInvalidInput, and nothing is computed from the others: who computed without
// them would revoke what they justify. What sound terms want and the catalog cannot give
// is no error; it stands in [Wanted.Unmet].
package access
