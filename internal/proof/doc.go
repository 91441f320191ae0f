// Package proof asks AWS, in three sandbox accounts, whether it does what lakemesh and the local
// mesh go by: rule by rule of docs/aws-rules.md, and the whole life of a data product.
//
// What it asks is data: a [Check] names the rules that it is about and asks through the clients of
// the SDK alone, as the principals of a [Stage]. The same checks run on the local mesh in this
// package's tests, where each has to find what the local mesh says, and where planted differences
// have to be found.
//
// # What is made, and how it goes away
//
// Everything has a name that begins with [Prefix] and the run's id, but for the mesh of the life,
// whose names lakemesh fixes: the accounts must have none before. Before anything is made, the
// [Journal] on disk says so, so that [Clean] removes what a run left that was killed. Data lake
// settings are read, and written with members added; they are put back at the end, and by Clean.
//
// # Errors
//
// What is not as expected on AWS is no error but a [Finding] of the report. Accounts that are no
// sandboxes are refused with [lakemesh.ErrInvalidInput] or [lakemesh.ErrConflict] before anything
// is made.
package proof
