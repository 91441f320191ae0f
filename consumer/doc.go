// Package consumer asks for access to data products of the mesh, imports what was
// granted into the consumer's own account, and leaves it again.
//
// A [Consumer] acts as role DataMeshConsumer of its own account, which is a data
// lake administrator there, and through it as role DataMeshAdminConsumer-<account>
// of the mesh account. Every operation that writes has a twin whose name begins
// with Plan, which reads and tells what would be done, and changes nothing. An
// operation on something that already is as it is wanted makes no writing call.
//
// The life of a subscription, seen from here:
//
//	RequestAccessToProduct   asks; the owner decides
//	CancelAccessRequest      takes back what nobody has decided on yet
//	FinalizeSubscription     imports what was granted, and hands it on
//	DeleteSubscription       leaves: everybody's access in the account ends
//
// # Errors
//
// Input is checked before anything changes: what is wrong with it is a
// [github.com/lakemesh/lakemesh.ErrInvalidInput] or a
// [github.com/lakemesh/lakemesh.ErrNotFound]; a subscription of another account is
// a [github.com/lakemesh/lakemesh.ErrWrongAccount], and one in a state from which
// the operation is not legal a [github.com/lakemesh/lakemesh.TransitionError]. An
// operation that failed on its way is a
// [github.com/lakemesh/lakemesh.PartialError]; running the same operation again
// completes it.
package consumer
