// Package admin sets the accounts of a data mesh up: the mesh account itself,
// producers' and consumers' accounts, and the roles that these have in the mesh
// account.
//
// [New] opens the administrator of one account. [Admin.InitializeMeshAccount],
// [Admin.EnableAccountAsProducer] and [Admin.EnableAccountAsConsumer] are done in
// the mesh account, [Admin.InitializeProducerAccount] and
// [Admin.InitializeConsumerAccount] in the other one. [BootstrapAccount] does both
// halves for an account.
//
// Every operation observes what is there and changes only what differs: doing it
// again changes nothing, and doing it again after a failure completes it. Each has
// a Plan... twin that says what would be done and changes nothing. Roles that the
// original library made are taken over: their trust becomes ours, policies that
// others attached stay and are pointed out.
//
// # Errors
//
// Bad input, and credentials of the wrong account, are refused before anything
// changes ([lakemesh.ErrInvalidInput], [lakemesh.ErrWrongAccount]); so is what
// would pass a quota of AWS ([lakemesh.ErrQuota]). What fails half-way is a
// [*lakemesh.PartialError] that lists what was done.
package admin
