// Package producer publishes tables as data products of the mesh, and decides on
// the requests of consumers for them.
//
// A [Producer] acts as role DataMeshProducer of its own account and, through it,
// as role DataMeshAdminProducer-<account> of the mesh account. Every operation that
// writes has a twin whose name begins with Plan, which reads and tells what would
// be done, and changes nothing. An operation on something that already is as it is
// wanted makes no writing call.
//
// # Errors
//
// Input is checked before anything changes: what is wrong with it is a
// [github.com/lakemesh/lakemesh.ErrInvalidInput] or a
// [github.com/lakemesh/lakemesh.ErrNotFound]. An operation that failed on its way
// is a [github.com/lakemesh/lakemesh.PartialError]; running the same operation
// again completes it.
package producer
