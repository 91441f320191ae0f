package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/home"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func TestWhatWasShownIsDoneOrNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, answer, digest string
		asking, yes          bool
		wantsToAsk           bool
		done                 bool
		expect               string
		kind                 error
	}{
		{name: "agreed", answer: "y\n", digest: "abc", asking: true, wantsToAsk: true, done: true, expect: "abc"},
		{name: "not agreed", answer: "n\n", digest: "abc", asking: true, wantsToAsk: true, kind: errNotConfirmed},
		{name: "nothing to agree to", answer: "n\n", digest: "abc", asking: true, done: true, expect: "abc"},
		{name: "yes", digest: "abc", asking: true, yes: true, wantsToAsk: true, done: true, expect: "given"},
		{name: "no terminal", digest: "abc", wantsToAsk: true, done: true, expect: "given"},
		{name: "cannot be shown", answer: "y\n", asking: true, wantsToAsk: true, kind: lakemesh.ErrChanged},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var errs bytes.Buffer
			a := newApp(streams{in: strings.NewReader(test.answer), out: new(bytes.Buffer), err: &errs})
			a.asking, a.flags.yes = test.asking, test.yes
			expect, done := "given", ""
			err := a.carry(deed{
				planned: func() (*plan.Plan, error) { return &plan.Plan{Operation: "Grant", Digest: test.digest}, nil },
				do:      func() error { done = expect; return nil },
				asks:    func(*plan.Plan) (bool, error) { return test.wantsToAsk, nil },
				about:   func() (string, error) { return "all about it\n", nil },
				expect:  &expect,
			})
			if !errors.Is(err, test.kind) || (done != "") != test.done || done != test.expect {
				t.Errorf("done as %q, want %q; %v", done, test.expect, err)
			}
			asked := test.asking && !test.yes && test.wantsToAsk
			if shown := strings.Contains(errs.String(), "all about it"); shown != asked {
				t.Errorf("shown is %v: %q", shown, errs.String())
			}
		})
	}
}

// person is at the terminal: before an answer is read, meanwhile runs.
type person struct {
	meanwhile func()
	answer    io.Reader
}

func (p *person) Read(b []byte) (int, error) {
	if p.meanwhile != nil {
		p.meanwhile()
		p.meanwhile = nil
	}
	return p.answer.Read(b)
}

// terminalMesh runs commands on a local mesh in memory.
type terminalMesh struct {
	t    *testing.T
	mesh *home.Connection
	// clock tells the time; nil is the computer's.
	clock func() time.Time
}

// emptyTerminalMesh is a local mesh of which nothing is set up.
func emptyTerminalMesh(t *testing.T) *terminalMesh {
	t.Helper()
	mesh, err := home.InMemory(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := mesh.Close(); err != nil {
			t.Error(err)
		}
	})
	return &terminalMesh{t: t, mesh: mesh}
}

func newTerminalMesh(t *testing.T) *terminalMesh {
	t.Helper()
	m := emptyTerminalMesh(t)
	m.run(0, nil, "mesh", "init")
	m.run(0, nil, "account", "enable", "--account-type", "producer")
	m.run(0, nil, "account", "enable", "--account-type", "consumer")
	m.run(0, nil, "local", "load")
	m.run(0, nil, "product", "create", "--source-database-name", "aviation", "--domain", "transport", "--data-product-name", "us-aviation")
	return m
}

// run runs a command and returns what it wrote; who is at the terminal, or nil if nobody is.
func (m *terminalMesh) run(want int, who *person, args ...string) (out, errs string) {
	m.t.Helper()
	var stdout, stderr bytes.Buffer
	a := newApp(streams{in: strings.NewReader(""), out: &stdout, err: &stderr})
	if who != nil {
		a.in, a.asking = who, true
	}
	a.local, a.clock = m.mesh, m.clock
	root := a.root()
	root.SetArgs(append([]string{"--local"}, args...))
	err := root.ExecuteContext(m.t.Context())
	a.screen.done()
	if code := a.report(context.Background(), "lakemesh", err); code != want {
		m.t.Fatalf("%v: exit code %d, want %d: %s", args, code, want, stderr.String())
	}
	return ansi.Strip(stdout.String()), ansi.Strip(stderr.String())
}

func (m *terminalMesh) request(permissions string) string {
	m.t.Helper()
	out, _ := m.run(0, nil, "request", "create", "--owner-account-id", "111111111111", "--database-name", "aviation-111111111111", "--tables", "weather",
		"--request-permissions", permissions, "--notes", "please", "-o", "json")
	return regexp.MustCompile(`"SubscriptionId": "(.*)"`).FindStringSubmatch(out)[1]
}

func (m *terminalMesh) want(text string, parts ...string) {
	m.t.Helper()
	for _, part := range parts {
		if !regexp.MustCompile("(?m)" + part).MatchString(text) {
			m.t.Errorf("%s is not in:\n%s", part, text)
		}
	}
}

func TestAnApproverSeesWhatIsGrantedAndIsAsked(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	id := m.request("SELECT")
	says := func(answer string) *person { return &person{answer: strings.NewReader(answer)} }

	_, errs := m.run(8, says("n\n"), "request", "approve", id, "--grant-permissions", "SELECT,INSERT", "--grantable-permissions", "none")
	m.want(errs, "^request +"+id, "^asked by +arn:aws:iam::999999999999:user/Consumer", "^of account +999999999999", `^on +\d{4}-`, "^notes +please",
		"^tables +weather", "^asks for +SELECT$", "^is granted +INSERT, SELECT$", "^may hand on +nothing$", "^more than was asked for +INSERT$",
		"grant .*INSERT", "^warning: INSERT is more than account 999999999999 asked for", "^digest: [a-z2-7]{32}$", `Do it\? \[y/N\]`, "not confirmed")
	out, _ := m.run(0, nil, "request", "list")
	m.want(out, shortID(id))

	// It is withdrawn while the approver reads.
	_, errs = m.run(4, &person{func() { m.run(0, nil, "request", "cancel", id) }, strings.NewReader("y\n")}, "request", "approve", id)
	m.want(errs, "cannot approve")
	out, _ = m.run(0, nil, "subscription", "get", id)
	m.want(out, "^status +Deleted$", "^history +holds")

	id = m.request("SELECT")
	m.run(0, says("yes\n"), "request", "approve", id)
	out, _ = m.run(0, nil, "subscription", "get", id)
	m.want(out, "^status +Active$", "^permitted +SELECT$")
}

func TestAnUpdateThatGrantsMoreIsAskedAndDoneAsShown(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	id := m.request("SELECT,DESCRIBE")
	m.run(0, nil, "request", "approve", id)

	// What the consumer's principals lose is said before the question.
	_, errs := m.run(8, &person{answer: strings.NewReader("")}, "subscription", "update", id, "--grant-permissions", "SELECT,DESCRIBE", "--grantable-permissions", "none")
	m.want(errs, "^hands on no more +DESCRIBE, SELECT$", "^warning: whoever in account 999999999999 was given .*SELECT.*loses it at once.*none of it on again$", `Do it\? \[y/N\]`)
	_, errs = m.run(0, &person{answer: strings.NewReader("y\n")}, "subscription", "update", id, "--grant-permissions", "DESCRIBE")
	m.want(errs, "^loses +SELECT$", `Do it\? \[y/N\]`)
	// Nothing is asked where nothing changes.
	_, errs = m.run(0, &person{answer: strings.NewReader("")}, "subscription", "update", id, "--grant-permissions", "DESCRIBE")
	if strings.Contains(errs, "[y/N]") {
		t.Errorf("asked: %s", errs)
	}
	_, errs = m.run(8, &person{answer: strings.NewReader("\n")}, "subscription", "update", id, "--grant-permissions", "DESCRIBE,INSERT")
	m.want(errs, "^has +DESCRIBE$", "^will have +DESCRIBE, INSERT$", "^more than it has +INSERT$", "^more than was asked for +INSERT$")

	// Somebody else changes it while the owner reads.
	other := func() { m.run(0, nil, "subscription", "update", id, "--grant-permissions", "DESCRIBE,DELETE") }
	_, errs = m.run(4, &person{other, strings.NewReader("y\n")}, "subscription", "update", id, "--grant-permissions", "DESCRIBE,INSERT")
	m.want(errs, "is not what was shown", "^hint: +look at the plan again")
	out, _ := m.run(0, nil, "subscription", "get", id)
	m.want(out, "^permitted +DELETE,DESCRIBE$")
	other = func() { m.run(0, nil, "subscription", "update", id, "--grant-permissions", "DESCRIBE", "--yes") }
	m.run(4, &person{other, strings.NewReader("y\n")}, "subscription", "delete", id)
	out, _ = m.run(0, nil, "subscription", "get", id)
	m.want(out, "^status +Active$", "^permitted +DESCRIBE$")
}

func TestAProgramNamesThePlanThatItExpects(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	digest := func(args ...string) string {
		t.Helper()
		out, _ := m.run(0, nil, append(args, "--dry-run")...)
		found := regexp.MustCompile("(?m)^digest: (.*)$").FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("no digest in %s", out)
		}
		return found[1]
	}
	id := m.request("SELECT")
	for _, args := range [][]string{
		{"request", "deny", m.request("DESCRIBE")},
		{"request", "approve", id},
		{"subscription", "update", id, "--grant-permissions", "DESCRIBE"},
		{"subscription", "delete", id},
	} {
		with := digest(args...)
		_, errs := m.run(4, nil, append(args, "--expect", strings.Repeat("a", len(with)))...)
		m.want(errs, "is not what was shown")
		m.run(0, nil, append(args, "--expect", with)...)
	}
	m.run(2, nil, "subscription", "delete", id, "--as", "consumer", "--expect", "x")
	// There is no decision to take back.
	m.run(4, nil, "subscription", "abort", id, "--expect", "x")
}

func TestWhatIsWrongWithARequestIsShown(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	a := terminal(&out, &errs)
	a.printRequests(listFlags{}, "CONSUMER", []producer.PendingRequest{
		{SubscriptionID: "good", TableName: []string{}},
		{SubscriptionID: "bad", TableName: []string{}, Tampered: "its tables cannot be read"},
	})
	text := ansi.Strip(out.String())
	for _, part := range []string{`(?m)^good .*\(whole database\).* yes$`, `(?m)^bad .*\(unknown\).* no \(tampered\)$`} {
		if !regexp.MustCompile(part).MatchString(text) {
			t.Errorf("%s is not in:\n%s", part, text)
		}
	}
	if !strings.Contains(errs.String(), "request bad cannot be approved as it is: its tables cannot be read") {
		t.Errorf("the reason is not told: %q", errs.String())
	}

	s := lakemesh.Subscription{ID: "bad", Status: lakemesh.Pending, TablesUnknown: true, Tampered: "it was changed",
		History: []lakemesh.Event{{}, {}}, HistoryFault: &lakemesh.HistoryFault{Side: "consumer", Entry: 2, Message: "its hash is another one"}}
	approval, err := renderApproval(&s, producer.ApproveInput{GrantPermissions: []string{"SELECT"}})
	if err != nil {
		t.Fatal(err)
	}
	out.Reset()
	a.printSubscriptions(listFlags{}, "subscriptions", lakemesh.ProducerIdentity, []lakemesh.Subscription{s})
	for name, text := range map[string]string{"get": renderSubscription(&s, 0), "approve": approval, "list": out.String()} {
		if text = ansi.Strip(text); strings.Contains(text, "whole database") || !strings.Contains(text, "(unknown)") || !strings.Contains(text, "(tampered)") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if text := ansi.Strip(renderSubscription(&s, 0)); !strings.Contains(text, "entry 2 of the consumer's history does not hold: its hash is another one") || strings.Contains(text, "holds") {
		t.Error(text)
	}
}

// A variable that was never set agrees to nothing.
func TestAnEmptyExpectIsRefused(t *testing.T) {
	t.Parallel()
	for _, empty := range []string{"", " "} {
		expect := ""
		if err := (digest{&expect}).Set(empty); err == nil {
			t.Errorf("%q is taken for a digest", empty)
		}
	}
	expect := ""
	if err := (digest{&expect}).Set("abc"); err != nil || expect != "abc" {
		t.Errorf("%q, %v", expect, err)
	}
}
