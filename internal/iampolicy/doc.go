// Package iampolicy is the AWS IAM policy language: it reads, checks and prints
// policy documents, and decides whether a set of them allows a request.
//
// Documents are plain values, made with struct literals or read with [Parse]. Printing
// is canonical, so that two documents that say the same in the same order print the same,
// and Parse of what was printed gives the document again.
//
// [Evaluate] follows the evaluation logic that AWS documents for requests within an account
// and across accounts: an explicit deny wins, the policies of the caller and of the resource
// add up within an account and must both allow across accounts, and permissions boundaries
// and session policies only ever take away. The [Decision] names the statement that decided, or the
// kind of policy that had no allow.
//
// Service and resource control policies of AWS Organizations are not part of the evaluation.
//
// The language: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
// The evaluation: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
//
// # Errors
//
// [Parse] and [Document.Validate] fail with an [*Error], which names the statement and the element, and wraps one of
// [ErrSyntax], [ErrUnknownElement], [ErrMissingElement], [ErrDuplicateElement], [ErrConflictingElements],
// [ErrMisplacedElement], [ErrInvalidValue] and [ErrDuplicateSID].
package iampolicy
