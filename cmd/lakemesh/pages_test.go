package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh/internal/pages"
)

// documentation is every page that a user reads.
func documentation(t *testing.T) []*pages.Page {
	t.Helper()
	all, err := pages.All(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every command line in the documentation has a command that there is, flags that this
// command has, with values that it takes, and those that it requires.
func TestCommandsOfTheDocumentationAreThere(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, p := range documentation(t) {
		for _, b := range p.Blocks {
			for _, line := range b.Lines() {
				for _, args := range pages.Calls(line) {
					if err := check(args, true); err != nil {
						t.Errorf("%s:%d: %s: %v", p.Path, b.Line, line, err)
					}
					checked++
				}
			}
		}
		for _, code := range p.Codes {
			if !strings.HasPrefix(code, "lakemesh ") || strings.Contains(code, "...") || strings.Contains(code, "…") || strings.ContainsAny(code, "[|") {
				continue
			}
			for _, args := range pages.Calls(code) {
				if err := check(args, false); err != nil {
					t.Errorf("%s: `%s`: %v", p.Path, code, err)
				}
				checked++
			}
		}
	}
	if checked < 90 {
		t.Errorf("only %d calls were found", checked)
	}
}

// check reads a command line as the program does, and runs nothing.
func check(args []string, whole bool) error {
	a := &app{}
	root := a.root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	root.SetContext(context.Background())
	if strings.Contains(strings.Join(args, " "), "...") {
		return nil
	}
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	if !whole {
		// In a sentence values are often left out.
		for _, r := range rest {
			name, _, _ := strings.Cut(strings.TrimPrefix(r, "--"), "=")
			if strings.HasPrefix(r, "--") && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
				return fmt.Errorf("there is no flag --%s", name)
			}
		}
		return nil
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd.HasSubCommands() && cmd.Flags().NArg() > 0 {
		return noSuchCommand(cmd, cmd.Flags().Args())
	}
	if cmd.DisableFlagParsing || cmd.HasSubCommands() {
		return nil
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	return cmd.ValidateRequiredFlags()
}

// A check that finds nothing wrong shows nothing.
func TestCommandsThatAreNotThereAreFound(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"lakemesh mesh inti", "lakemesh mesh init --nope", "lakemesh product create", "lakemesh verify --as nobody", "lakemesh --local product list extra",
		"id=$(lakemesh request nope)", "true; lakemesh nope", `eval "$(lakemesh local enw)"`,
	} {
		calls := pages.Calls(line)
		if len(calls) != 1 {
			t.Errorf("%s: %d calls are found", line, len(calls))
			continue
		}
		if check(calls[0], true) == nil {
			t.Errorf("%s: nothing is wrong", line)
		}
	}
}

// What can be run of a page is run, from its top to its bottom, on a local mesh of its own.
func TestDocumentationRuns(t *testing.T) {
	t.Parallel()
	for _, p := range documentation(t) {
		script := "set -eu\n"
		for _, b := range p.Blocks {
			if b.Runs() {
				script += b.Text + "\n"
			}
		}
		if !strings.Contains(script, "lakemesh") {
			continue
		}
		t.Run(p.Path, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			cmd := exec.CommandContext(t.Context(), "bash", "-x", "-c", script)
			cmd.Dir = folder
			cmd.Env = append(cmd.Environ(), "HOME="+folder, "LAKEMESH_HOME="+filepath.Join(folder, "mesh"), "AWS_EC2_METADATA_DISABLED=true", "XDG_CONFIG_HOME="+folder)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}
