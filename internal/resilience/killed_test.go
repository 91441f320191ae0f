package resilience_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/localmesh"
)

// childOperates is a process that runs one operation against a mesh of its parent.
const childOperates = "operates"

// task is what such a process is told, in its environment.
type task struct {
	// Shape and Operation name what to run.
	Shape, Operation string
	// Subscription is what it is about.
	Subscription string
	// Endpoint is where the mesh is served.
	Endpoint string
	// Keys open the administrators of the accounts.
	Keys map[string]aws.Credentials
}

const taskVariable = "LAKEMESH_RESILIENCE_TASK"

// shortLease lets a killed program's claim run out soon.
const shortLease = 300 * time.Millisecond

// operate is the child: it runs the operation and tells what came of it.
func operate() error {
	var given task
	if err := json.Unmarshal([]byte(os.Getenv(taskVariable)), &given); err != nil {
		return err
	}
	for _, sh := range shapes() {
		for _, op := range newLife(sh).operations() {
			if sh.name == given.Shape && op.name == given.Operation {
				return op.run(context.Background(), &world{subscription: given.Subscription, lease: shortLease, config: given.config})
			}
		}
	}
	return fmt.Errorf("no operation %s on %s", given.Operation, given.Shape)
}

func (s *task) config(account string) aws.Config {
	k := s.Keys[account]
	return aws.Config{Region: localmesh.DefaultRegion, BaseEndpoint: aws.String(s.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken)}
}

// deadly serves a mesh, and kills a process at its nth call.
type deadly struct {
	mesh http.Handler
	nth  int
	// later lets the call take effect first.
	later bool

	mu      sync.Mutex
	calls   int
	process *os.Process
	struck  bool
}

// ServeHTTP implements http.Handler.
func (d *deadly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.calls++
	now, dead := d.calls == d.nth, d.struck
	d.mu.Unlock()
	if dead {
		panic(http.ErrAbortHandler)
	}
	if !now {
		d.mesh.ServeHTTP(w, r)
		return
	}
	if d.later {
		d.mesh.ServeHTTP(httptest.NewRecorder(), r)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.struck = true
	if err := d.process.Kill(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	panic(http.ErrAbortHandler)
}

// A process that is killed at any call of an operation leaves what the same command
// completes, once its claim has run out.
func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	for _, sh := range shapes() {
		if !long() && !sh.crowd {
			continue
		}
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLife(sh)
			l.realTime = true
			number := 0
			for _, op := range l.operations() {
				if !long() && !slices.Contains([]string{"approve", "delete", "finalize"}, op.name) {
					continue
				}
				whole := op.undisturbed(t)
				from := op.from(t)
				for n := 1; n <= whole.calls; n++ {
					for _, later := range []bool{false, true} {
						number++
						const every, everyByDefault = 5, 17
						if long() && number%every != 0 || !long() && number%everyByDefault != 0 {
							continue
						}
						t.Run(fmt.Sprintf("%s/%d/%t", op.name, n, later), func(t *testing.T) {
							t.Parallel()
							from.in(t, func(t *testing.T, w *world) { op.killed(t, w, whole, sh, n, later) })
						})
					}
				}
			}
		})
	}
}

// killed runs the operation in a process that is killed at its nth call, and then
// again in this one.
func (op *operation) killed(t *testing.T, w *world, whole *undisturbed, sh shape, n int, later bool) {
	given := task{Shape: sh.name, Operation: op.name, Subscription: w.subscription, Keys: map[string]aws.Credentials{}}
	for _, account := range w.state.accounts {
		k, err := w.mesh.Config(meshtest.Administrator(account)).Credentials.Retrieve(t.Context())
		must(t, err)
		given.Keys[account] = k
	}
	d := &deadly{mesh: w.mesh.Handler(), nth: n, later: later}
	server := httptest.NewUnstartedServer(d)
	defer server.Close()
	given.Endpoint = "http://" + server.Listener.Addr().String()
	told, err := json.Marshal(given)
	must(t, err)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), asChild+"="+childOperates, taskVariable+"="+string(told))
	var said bytes.Buffer
	child.Stdout, child.Stderr = &said, &said
	must(t, child.Start())
	d.process = child.Process
	// Until now its calls wait.
	server.Start()
	err = child.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process was to be killed at call %d of %d, and ended with %v: %s", n, whole.calls, err, &said)
	}
	// A handler may still be at work on a call of the dead.
	server.Close()

	left := w.look(t)
	op.checkLeft(t, whole, left, errors.New("killed"))
	w.lease = shortLease
	err = poll.Until(t.Context(), time.Minute, "the claim of a killed process to run out", func(ctx context.Context) (bool, error) {
		err := op.run(ctx, w)
		if errors.Is(err, lakemesh.ErrClaimed) {
			err = poll.NotYet(err)
		}
		return err == nil, err
	})
	done := slices.Equal(decisions(left), decisions(whole.after))
	if err != nil && (!done || !errors.Is(err, lakemesh.ErrIllegalTransition)) {
		t.Errorf("the same command again: %v", err)
	}
	if diff := difference(whole.after.withoutLeases().lines(), w.look(t).withoutLeases().lines()); diff != "" {
		t.Errorf("without a failure (-), and after a killed process (+):\n%s", diff)
	}
}
