// Package resilience holds the tests that break things: a call that fails at
// any point of any operation, a process that is killed, a store whose process is
// killed, and many who decide at the same time. Whatever fails, nobody may be left
// with access that nobody decided on, nothing half-done may be recorded as done, and
// the same command again must lead to where it would have led without the failure.
//
// By default a sample of the cases runs. With LAKEMESH_LONG=1 all of them do; that
// takes minutes.
//
//	LAKEMESH_LONG=1 go test -timeout 2h -v ./internal/resilience
package resilience
