package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// Who interrupts at a question has said no, and need not press Enter.
func TestAnInterruptionAnswersAQuestion(t *testing.T) {
	t.Parallel()
	in, typing := io.Pipe()
	defer typing.Close()
	a := newApp(streams{in: in, out: &bytes.Buffer{}, err: &bytes.Buffer{}})
	interrupted := make(chan struct{})
	a.asking, a.interrupted = true, interrupted
	close(interrupted)
	if err := a.confirm("Remove it?"); !errors.Is(err, errNotConfirmed) {
		t.Errorf("got %v", err)
	}
}

// Without a terminal nobody can be asked: what takes something away then wants somebody's
// word in the command itself.
func TestWhatTakesAwayWantsAWordWithoutATerminal(t *testing.T) {
	t.Parallel()
	m := newTerminalMesh(t)
	id := m.request("SELECT,DESCRIBE")
	m.run(0, nil, "request", "approve", id)
	m.run(0, nil, "subscription", "import", id)
	m.run(0, nil, "product", "migrate", "--source-database-name", "aviation", "--table-name-regex", "routes", "--yes")
	const db = "aviation-111111111111"
	refused := func(hint string, args ...string) {
		t.Helper()
		_, errs := m.run(exitUnconfirmed, nil, args...)
		m.want(errs, "^error: .*nobody can be asked without a terminal; nothing was changed$", "^hint: .*--dry-run.*--yes"+hint)
	}
	for _, test := range []struct {
		hint string
		args []string
	}{
		{".*--expect", []string{"subscription", "update", id, "--grant-permissions", "DESCRIBE"}},
		{".*--expect", []string{"subscription", "update", id, "--grant-permissions", "SELECT,DESCRIBE", "--grantable-permissions", "none"}},
		{".*--expect", []string{"subscription", "delete", id}},
		{"$", []string{"subscription", "delete", id, "--as", "consumer"}},
		{".*--confirm " + db + "$", []string{"product", "unpublish", "--source-database-name", "aviation", "--end-subscriptions"}},
		{".*--confirm aviation$", []string{"product", "restore", "--source-database-name", "aviation"}},
		{"$", []string{"product", "migrate", "--source-database-name", "aviation", "--table-name-regex", "airports"}},
	} {
		refused(test.hint, test.args...)
	}
	out, _ := m.run(0, nil, "subscription", "get", id)
	m.want(out, "^status +Active$", "^permitted +DESCRIBE,SELECT$", "^grantable +DESCRIBE,SELECT$")
	// What gives is not refused, nor what changes nothing.
	m.run(0, nil, "subscription", "update", id, "--grant-permissions", "DESCRIBE,SELECT")
	m.run(0, nil, "subscription", "update", id, "--grant-permissions", "DESCRIBE,SELECT,INSERT")
	m.run(0, nil, "subscription", "tidy")

	m.run(2, nil, "product", "unpublish", "--source-database-name", "aviation", "--end-subscriptions", "--confirm", "aviation")
	m.run(0, nil, "product", "restore", "--source-database-name", "aviation", "--confirm", "aviation")
	m.run(0, nil, "product", "unpublish", "--source-database-name", "aviation", "--expose-data-mesh-db-name", "Aviation", "--confirm", "aviation")
	m.run(0, nil, "product", "unpublish", "--source-database-name", "aviation", "--end-subscriptions", "--confirm", db)
	refused("$", "subscription", "tidy")
	m.run(0, nil, "subscription", "tidy", "--yes")
	for _, test := range []struct{ name, args string }{
		{"111111111111", "account disable 111111111111 --account-type producer"}, {"111111111111", "account disable --account-type producer"},
	} {
		refused(".*--confirm "+test.name+"$", strings.Fields(test.args)...)
	}
	m.run(0, nil, "account", "disable", "111111111111", "--account-type", "producer", "--yes")
	refused(".*--confirm 111111111111$", "account", "clear", "--account-type", "producer")
	m.run(0, nil, "account", "clear", "--account-type", "producer", "--yes")
	m.run(0, nil, "account", "disable", "--account-type", "consumer", "--yes")
	refused(".*--confirm 555555555555$", "mesh", "destroy")
	m.run(0, nil, "mesh", "destroy", "--confirm", "555555555555")
}
