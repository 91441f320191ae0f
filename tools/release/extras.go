package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// shells are the shells that have completions, with the names of their files in
// packages.
var shells = []struct{ name, archived, installed string }{
	{"bash", "lakemesh.bash", "/usr/share/bash-completion/completions/lakemesh"},
	{"zsh", "_lakemesh", "/usr/share/zsh/site-functions/_lakemesh"},
	{"fish", "lakemesh.fish", "/usr/share/fish/vendor_completions.d/lakemesh.fish"},
	{"powershell", "lakemesh.ps1", ""},
}

// extras are the files beside the program.
type extras struct {
	// pages are the manual pages, completions the scripts by shell, docs the rest.
	pages       []string
	completions map[string]string
	docs        []string
}

// extras has the program write its manual pages and completions.
func (r *release) extras(ctx context.Context, work string) (*extras, error) {
	program, err := r.hosted(ctx, work)
	if err != nil {
		return nil, err
	}
	x := &extras{completions: map[string]string{}, docs: []string{filepath.Join(r.root, "LICENSE"), filepath.Join(r.root, "README.md"), filepath.Join(r.root, "CHANGELOG.md")}}
	pages := filepath.Join(work, "man")
	env := append(os.Environ(), "SOURCE_DATE_EPOCH="+r.stamp.epoch(), "LAKEMESH_HOME="+filepath.Join(work, "home"))
	man := exec.CommandContext(ctx, program, "man", pages)
	man.Env = env
	if out, err := man.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	if x.pages, err = filepath.Glob(filepath.Join(pages, "*.1")); err != nil {
		return nil, err
	}
	if len(x.pages) == 0 {
		return nil, fmt.Errorf("no manual page was written")
	}
	slices.Sort(x.pages)
	if err := os.MkdirAll(filepath.Join(work, "completions"), 0o755); err != nil {
		return nil, err
	}
	for _, shell := range shells {
		cmd := exec.CommandContext(ctx, program, "completion", shell.name)
		cmd.Env = env
		script, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("completion %s: %w", shell.name, err)
		}
		path := filepath.Join(work, "completions", shell.archived)
		if err := os.WriteFile(path, script, 0o644); err != nil {
			return nil, err
		}
		x.completions[shell.name] = path
	}
	return x, nil
}
