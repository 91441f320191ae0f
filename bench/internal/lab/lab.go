// Package lab is what the benchmark is measured in: a local mesh in a process of
// its own, and each operation that is measured in a process of its own, so that
// the memory of the one is not that of the other. They talk HTTP, as they would
// with AWS; the benchmark tells them what to do over their standard input.
package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/lakemesh/lakemesh/localmesh"
)

// The accounts of the lab.
const (
	MeshAccount     = "555555555555"
	ProducerAccount = "111111111111"
	ConsumerAccount = "999999999999"
	// OtherMesh and OtherProducer are lakemesh's where the original library has the
	// others: the two cannot share the LF-tags of a mesh account.
	OtherMesh     = "444444444444"
	OtherProducer = "222222222222"
)

// Administrator is the ARN of an account's administrator.
func Administrator(account string) string { return "arn:aws:iam::" + account + ":role/Admin" }

// peer is a process that answers one line of JSON with one line of JSON.
type peer struct {
	cmd     *exec.Cmd
	to      io.WriteCloser
	from    *bufio.Reader
	encoder *json.Encoder
}

// spawn starts this program again, as something else. Its standard error is ours.
func spawn(ctx context.Context, as string) (*peer, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, as)
	cmd.Stderr = os.Stderr
	// At the end of its input it ends by itself.
	return begin(cmd)
}

func begin(cmd *exec.Cmd) (*peer, error) {
	to, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return &peer{cmd: cmd, to: to, from: bufio.NewReader(from), encoder: json.NewEncoder(to)}, nil
}

// ask sends a line and reads the answer into out.
func (p *peer) ask(request, out any) error {
	if err := p.encoder.Encode(request); err != nil {
		return fmt.Errorf("ask the other process: %w", err)
	}
	return p.read(out)
}

func (p *peer) read(out any) error {
	line, err := p.from.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the other process has ended: %w", err)
	}
	return json.Unmarshal(line, out)
}

func (p *peer) close() error {
	return errors.Join(p.to.Close(), p.cmd.Wait())
}

// Mesh is a local mesh in a process of its own.
type Mesh struct {
	peer *peer
	// URL is where it answers.
	URL string
}

// order is what the mesh's process is told to do; the fields that it needs are
// set.
type order struct {
	Do            string
	Principal     string        `json:",omitempty"`
	Latency       time.Duration `json:",omitempty"`
	Operation     string        `json:",omitempty"`
	Rate          float64       `json:",omitempty"`
	Product       Product       `json:"Product"`
	Records       Records       `json:"Records"`
	Subscriptions Subscriptions `json:"Subscriptions"`
}

// report is its answer.
type report struct {
	Error   string            `json:",omitempty"`
	URL     string            `json:",omitempty"`
	Counts  []localmesh.Count `json:",omitempty"`
	Keys    Keys              `json:"Keys"`
	Traffic Traffic           `json:"Traffic"`
	Bytes   int               `json:",omitempty"`
}

// Keys are an access key, and a token where it is a session's.
type Keys struct{ ID, Secret, Token string }

// Traffic is what became of the calls of an operation with a limit.
type Traffic struct {
	// Admitted and Throttled calls.
	Admitted, Throttled int
	// Lasted is the time from the first of them to the last.
	Lasted time.Duration
}

// StartMesh starts a mesh in which the mesh account, a producer and a consumer are
// set up; with bare, one in which nothing is set up, with users for the original
// library.
func StartMesh(ctx context.Context, bare bool) (*Mesh, error) {
	p, err := spawn(ctx, MeshCommand)
	if err != nil {
		return nil, err
	}
	m := &Mesh{peer: p}
	do := "set up"
	if bare {
		do = "bare"
	}
	r, err := m.do(order{Do: do})
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	m.URL = r.URL
	return m, nil
}

// Close ends the mesh.
func (m *Mesh) Close() error { return m.peer.close() }

func (m *Mesh) do(o order) (report, error) {
	var r report
	if err := m.peer.ask(o, &r); err != nil {
		return r, fmt.Errorf("the mesh, %s: %w", o.Do, err)
	}
	if r.Error != "" {
		return r, fmt.Errorf("the mesh, %s: %s", o.Do, r.Error)
	}
	return r, nil
}

// Fresh takes the mesh back to where it was after its start.
func (m *Mesh) Fresh() error {
	_, err := m.do(order{Do: "fresh"})
	return err
}

// Keep makes what is there now what Fresh goes back to.
func (m *Mesh) Keep() error {
	_, err := m.do(order{Do: "keep"})
	return err
}

// SetUpBeside sets the other mesh account and the other producer up.
func (m *Mesh) SetUpBeside() error {
	_, err := m.do(order{Do: "set up beside"})
	return err
}

// SetLatency makes each call take so long.
func (m *Mesh) SetLatency(d time.Duration) error {
	_, err := m.do(order{Do: "latency", Latency: d})
	return err
}

// Limit limits an operation of Glue to so many calls a second, and begins to watch
// its traffic.
func (m *Mesh) Limit(operation string, perSecond float64) error {
	_, err := m.do(order{Do: "limit", Operation: operation, Rate: perSecond})
	return err
}

// Traffic is what became of the calls of the limited operation.
func (m *Mesh) Traffic() (Traffic, error) {
	r, err := m.do(order{Do: "traffic"})
	return r.Traffic, err
}

// Reset sets the counts to zero.
func (m *Mesh) Reset() error {
	_, err := m.do(order{Do: "reset"})
	return err
}

// Counts are the calls since the counts were last set to zero.
func (m *Mesh) Counts() ([]localmesh.Count, error) {
	r, err := m.do(order{Do: "counts"})
	return r.Counts, err
}

// Keys opens a principal.
func (m *Mesh) Keys(principal string) (Keys, error) {
	r, err := m.do(order{Do: "keys", Principal: principal})
	return r.Keys, err
}

// Load makes a database with tables in a producer's account.
func (m *Mesh) Load(p Product) error {
	_, err := m.do(order{Do: "load", Product: p})
	return err
}

// PolicyBytes is how large the policy of a product's one bucket is.
func (m *Mesh) PolicyBytes(p Product) (int, error) {
	r, err := m.do(order{Do: "policy", Product: p})
	return r.Bytes, err
}

// Subscribe makes subscriptions to the product that was published.
func (m *Mesh) Subscribe(s Subscriptions) error {
	_, err := m.do(order{Do: "subscribe", Subscriptions: s})
	return err
}

// LoadRecords writes requests.
func (m *Mesh) LoadRecords(records Records) error {
	_, err := m.do(order{Do: "records", Records: records})
	return err
}
