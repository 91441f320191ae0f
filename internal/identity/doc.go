// Package identity opens the identities that a persona acts with: who calls, its
// role in its own account, and its role in the mesh account. Each is opened once;
// its credentials renew themselves before they expire.
//
// It is also the one place that decides which errors of AWS are tried again (see
// [MaxAttempts]) and what the others mean (see [Explain]).
//
// # Errors
//
// Credentials of another account are [lakemesh.ErrWrongAccount]; a role that may
// not be assumed is [lakemesh.ErrAccessDenied], and its hint says which role
// must trust or permit whom, and which command makes it so. No error holds a secret.
package identity
