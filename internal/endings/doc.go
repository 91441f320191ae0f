// Package endings has EventBridge Scheduler end what was granted until a day: one-time
// schedules in the mesh account, each of which makes one RevokePermissions as the ending
// role of the producer whose grant it is. What shall end when is computed by package
// access; here it is compared with the schedules that are there, and made so.
//
// A schedule's name is made of what it ends, so that it is found without a list: listing
// can be allowed for all schedules of an account only
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html).
// It is removed once it was carried out; that it is not there says nothing of whether that
// succeeded.
//
// # Errors
//
// They have AWS's code in their chain. A schedule that was carried out while it was being
// moved or removed is an [ErrCarriedOut].
package endings
