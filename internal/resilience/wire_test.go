package resilience_test

import (
	"context"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh/localmesh"
)

// kind is what becomes of one call of an operation.
type kind string

// The kinds of failures.
const (
	// refused: AWS refuses the call, which has no effect.
	refused kind = "refused"
	// failing: AWS fails, and goes on failing until the SDK gives up.
	failing kind = "failing"
	// throttled: AWS throttles the call, and its repetition.
	throttled kind = "throttled"
	// lost: the call takes effect, the answer is lost, and the SDK makes it again.
	lost kind = "lost"
	// unheard: the call takes effect and the program hears of a failure.
	unheard kind = "unheard"
	// cancelled: the context ends before the call takes effect.
	cancelled kind = "cancelled"
	// interrupted: the context ends while the call is under way, and it takes effect.
	interrupted kind = "interrupted"
	// killed: the program ends before the call.
	killed kind = "killed"
	// killedLater: the program ends when the call has taken effect.
	killedLater kind = "killed later"
)

func kinds() []kind {
	return []kind{refused, failing, throttled, lost, unheard, cancelled, interrupted, killed, killedLater}
}

// maxAttempts is at least how often the SDK tries a call.
const maxAttempts = 8

// wire is the way of a persona's calls to the mesh. It counts them, and lets the
// nth one fail.
type wire struct {
	mesh *localmesh.Mesh
	next aws.HTTPClient
	kind kind
	nth  int
	// cancel ends the context of the operation.
	cancel context.CancelFunc

	planned *localmesh.PlannedFault
	mu      sync.Mutex
	calls   int
	struck  bool
	dead    bool
}

// errUnheard is a failure that the SDK does not make up for.
type errUnheard struct{}

func (errUnheard) Error() string { return "the connection is gone" }

// CanceledError keeps the SDK from trying again.
func (errUnheard) CanceledError() bool { return true }

// newWire stands before the mesh. The failures that AWS itself answers with are
// planned in the mesh, which words them as each service does.
func newWire(w *world, k kind, nth int, cancel context.CancelFunc) *wire {
	x := &wire{mesh: w.mesh, kind: k, nth: nth, cancel: cancel, next: w.mesh.Config("").HTTPClient}
	fault := localmesh.Fault{Nth: nth}
	switch k {
	case refused:
		fault.Code, fault.Message, fault.Status = "AccessDenied", "a planned fault", http.StatusForbidden
	case failing:
		fault.Times, fault.Code, fault.Message, fault.Status = maxAttempts, "InternalFailure", "a planned fault", http.StatusInternalServerError
	case throttled:
		fault.Times, fault.Code, fault.Message, fault.Status = 2, "ThrottlingException", "Rate exceeded", http.StatusBadRequest
	case lost:
		fault.Moment = localmesh.After
	default:
		return x
	}
	x.planned = w.mesh.Fail(fault)
	return x
}

// reached tells whether the nth call was made.
func (x *wire) reached() bool {
	if x.planned != nil {
		return x.planned.Hits() > 0
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.struck
}

// mend ends all failures.
func (x *wire) mend() {
	x.mesh.ClearFaults()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.kind, x.dead = "", false
}

// Do implements aws.HTTPClient.
func (x *wire) Do(r *http.Request) (*http.Response, error) {
	x.mu.Lock()
	x.calls++
	now := x.calls == x.nth && x.kind != ""
	x.struck = x.struck || now
	dead, k := x.dead, x.kind
	if now && (k == killed || k == killedLater) {
		x.dead = true
	}
	x.mu.Unlock()
	if dead {
		return nil, errUnheard{}
	}
	if !now {
		return x.next.Do(r)
	}
	switch k {
	case cancelled:
		x.cancel()
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		// What tidies up does not end with the context.
		return x.next.Do(r)
	case killed:
		return nil, errUnheard{}
	case unheard, interrupted, killedLater:
		resp, err := x.next.Do(r)
		if err != nil {
			return nil, err
		}
		if k == interrupted {
			x.cancel()
			if r.Context().Err() == nil {
				return resp, nil
			}
		}
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
		if k == interrupted {
			return nil, r.Context().Err()
		}
		return nil, errUnheard{}
	}
	return x.next.Do(r)
}
