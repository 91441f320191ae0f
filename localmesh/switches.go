package localmesh

import (
	"fmt"
	"slices"
	"time"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/iam"
	"github.com/lakemesh/lakemesh/localmesh/internal/ram"
	"github.com/lakemesh/lakemesh/localmesh/internal/state"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Count is how often an operation was called.
type Count struct {
	// Service is the service's signing name: "glue".
	Service string `json:"service"`
	// Operation is the operation's name: "CreateTable".
	Operation string `json:"operation"`
	// Calls is the number of calls, refused and throttled ones among them.
	Calls int `json:"calls"`
}

// Counts returns how often each operation was called since the start or the last
// [Mesh.ResetCounts], in the order of service and operation.
func (m *Mesh) Counts() []Count {
	list := m.engine.Counts.List()
	counts := make([]Count, len(list))
	for i, c := range list {
		counts[i] = Count(c)
	}
	return counts
}

// Calls returns the number of calls since the start or the last [Mesh.ResetCounts].
func (m *Mesh) Calls() int { return m.engine.Counts.Total() }

// ResetCounts sets all counts to zero.
func (m *Mesh) ResetCounts() { m.engine.Counts.Reset() }

// SetLatency makes each call take d longer; 0 is the default.
func (m *Mesh) SetLatency(d time.Duration) { m.engine.Traffic.SetLatency(d) }

// SetRate limits an operation to perSecond calls a second, and throttles what
// comes beyond in the service's own words; 0 lifts the limit. Empty names stand
// for every operation that has no limit of its own.
func (m *Mesh) SetRate(service, operation string, perSecond float64) {
	m.engine.Traffic.SetRate(service, operation, perSecond)
}

// SetEventualConsistency says from now on what [WithEventualConsistency] says from
// the start. 0 makes everything known at once, also what is on its way.
func (m *Mesh) SetEventualConsistency(looks int) {
	m.engine.Settling.Set(looks, m.options.seed)
}

// EventualConsistency is how often an observer misses a change at most; 0 if
// changes are known at once.
func (m *Mesh) EventualConsistency() int { return m.engine.Settling.Looks() }

// Moment is when a planned fault strikes a call.
type Moment int

// The moments of a planned fault.
const (
	// Before refuses the call before it took effect.
	Before Moment = iota
	// After lets the call take effect and cuts the connection before the answer.
	After
)

// Fault is a planned fault.
type Fault struct {
	// Service and Operation choose the calls; empty means any.
	Service, Operation string
	// Nth is the number of the first matching call that fails, from 1; 0 means 1.
	Nth int
	// Times is how many matching calls in a row fail; 0 means 1. The SDK tries a
	// call three times by default, so a fault that is to reach the program strikes
	// three times, or has a code that is not retried.
	Times int
	// Moment tells whether the failing call takes effect.
	Moment Moment
	// Code, Message and Status are the answer to a call that fails Before; without
	// a code it is InternalServiceException with status 500.
	Code, Message string
	Status        int
}

// PlannedFault is a fault that was planned with [Mesh.Fail].
type PlannedFault struct {
	mesh  *Mesh
	fault *engine.Fault
}

// Hits tells how often the fault struck.
func (p *PlannedFault) Hits() int { return p.mesh.engine.Faults.Hit(p.fault) }

// Fail plans a fault. A mesh that was started with [Run] fails its test if a
// planned fault was not reached.
func (m *Mesh) Fail(f Fault) *PlannedFault {
	planned := engine.Fault{Service: f.Service, Operation: f.Operation, Nth: f.Nth, Times: f.Times, Moment: engine.Moment(f.Moment)}
	if f.Code != "" {
		planned.Error = &engine.APIError{Code: f.Code, Message: f.Message, Status: f.Status}
	}
	return &PlannedFault{mesh: m, fault: m.engine.Faults.Plan(planned)}
}

// ClearFaults forgets all planned faults.
func (m *Mesh) ClearFaults() { m.engine.Faults.Clear() }

// PendingFaults describes the planned faults that did not strike as often as
// planned.
func (m *Mesh) PendingFaults() []string {
	var pending []string
	for _, f := range m.engine.Faults.Pending() {
		pending = append(pending, fmt.Sprintf("call %d of %s:%s", f.Nth, orAny(f.Service), orAny(f.Operation)))
	}
	return pending
}

func orAny(name string) string {
	if name == "" {
		return "*"
	}
	return name
}

// SetQuota raises or lowers an adjustable quota of an account: "roles",
// "policies", "groups" or "users" of IAM; "databases", "tables" (of a database) or
// "tables of an account" of Glue; "LF-Tags", "LF-Tag values" (of a tag), "LF-Tag
// expressions" or "registered paths" of Lake Formation; "resource shares", "resource
// associations", "principal associations", "resources of a share", "principals of a
// share" or "pending invitations" of RAM; and those that iam:GetAccountSummary names, such
// as "RolesQuota" or "AssumeRolePolicySizeQuota". There are no others: any other
// name is an error.
func (m *Mesh) SetQuota(account, quota string, value int) error {
	if !iam.IsQuota(quota) && !slices.Contains(otherQuotas(), quota) {
		return fmt.Errorf("%q is not a quota that the local mesh has", quota)
	}
	return m.engine.Store.Update(func(tx store.Tx) error {
		a, ok, err := state.Accounts.Get(tx, account)
		if err != nil {
			return err
		}
		if !ok {
			a = state.Account{ID: account, Created: m.engine.Clock().UTC()}
		}
		if a.Quotas == nil {
			a.Quotas = map[string]int{}
		}
		a.Quotas[quota] = value
		return state.Accounts.Put(tx, a, account)
	})
}

// otherQuotas are the quotas of Glue, Lake Formation and RAM.
func otherQuotas() []string {
	return append([]string{"databases", "tables", "tables of an account", "LF-Tags", "LF-Tag values", "LF-Tag expressions", "registered paths"}, ram.Quotas()...)
}
