// Package lakemesh is the vocabulary of a data mesh on AWS: subscriptions and
// their states, permissions, names of accounts' roles, options, and typed errors.
//
// The work is done by the three personas, each in a package of its own:
//
//   - [github.com/lakemesh/lakemesh/admin] sets accounts up: the mesh account,
//     producers and consumers;
//   - [github.com/lakemesh/lakemesh/producer] publishes tables as data products and
//     decides on requests for them;
//   - [github.com/lakemesh/lakemesh/consumer] asks for access, imports what was
//     granted, and leaves it again.
//
// Package [github.com/lakemesh/lakemesh/localmesh] is an embedded stand-in for the
// AWS services involved, for trying and testing without an AWS account.
//
// # Errors
//
// Every error that the personas return can be examined with errors.Is against
// the sentinels of this package (ErrNotFound, ErrIllegalTransition, ErrClaimed,
// ErrAccessDenied, ErrWrongAccount, ErrInvalidInput, ErrPartial, ErrQuota,
// ErrTampered) and with errors.As against [*Error], which tells the operation, the
// account, the resource, AWS's error code, and what to do.
package lakemesh
