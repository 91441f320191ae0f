package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// formats are the kinds of packages: of Debian, of Fedora, of Alpine.
var formats = []string{"deb", "rpm", "apk"}

// packages makes the packages for a Linux target with nfpm.
func (r *release) packages(ctx context.Context, work string, b built, x *extras) error {
	dir := filepath.Join(work, "package-"+b.target.arch)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	config, err := r.nfpm(dir, b, x)
	if err != nil {
		return err
	}
	// YAML is a superset of JSON.
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "nfpm.yaml")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	for _, format := range formats {
		to := filepath.Join(r.out, "lakemesh-"+r.stamp.plain()+"-linux-"+b.target.arch+"."+format)
		if err := r.tool(ctx, "nfpm", "package", "--config", file, "--packager", format, "--target", to); err != nil {
			return err
		}
	}
	return nil
}

// content is a file of a package.
type content struct {
	Src  string   `json:"src"`
	Dst  string   `json:"dst"`
	Type string   `json:"type,omitempty"`
	Info fileInfo `json:"file_info"`
}

type fileInfo struct {
	Mode  int       `json:"mode"`
	MTime time.Time `json:"mtime"`
}

// nfpm is the configuration of a package (https://nfpm.goreleaser.com/docs/configuration/).
func (r *release) nfpm(dir string, b built, x *extras) (map[string]any, error) {
	var contents []content
	add := func(src, dst string, mode int) {
		contents = append(contents, content{Src: src, Dst: dst, Info: fileInfo{mode, r.stamp.time}})
	}
	add(b.cli, "/usr/bin/lakemesh", 0o755)
	for _, shell := range shells {
		if shell.installed != "" {
			add(x.completions[shell.name], shell.installed, 0o644)
		}
	}
	for _, page := range x.pages {
		data, err := os.ReadFile(page)
		if err != nil {
			return nil, err
		}
		if data, err = manualPage(data); err != nil {
			return nil, err
		}
		name := filepath.Base(page) + ".gz"
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return nil, err
		}
		add(filepath.Join(dir, name), "/usr/share/man/man1/"+name, 0o644)
	}
	add(filepath.Join(r.root, "LICENSE"), "/usr/share/doc/lakemesh/copyright", 0o644)
	return map[string]any{
		"name": "lakemesh", "arch": b.target.arch, "platform": "linux", "version": r.stamp.version, "version_schema": "semver",
		"section": "utils", "priority": "optional", "license": "Apache-2.0", "homepage": homepage, "vendor": "lakemesh",
		"maintainer": "The lakemesh authors", "description": "Runs a data mesh on AWS, or on a local mesh.",
		"mtime": r.stamp.time, "contents": contents,
		// What makes a package says on which machine it was made, unless it is told.
		"rpm": map[string]any{"buildhost": "lakemesh", "summary": "Runs a data mesh on AWS"},
		"deb": map[string]any{"compression": "gzip"},
	}, nil
}

// tool runs a program of tools/package, which go builds from its sources.
func (r *release) tool(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"tool", "-modfile=" + filepath.Join(r.root, "tools", "package", "go.mod"), name}, args...)...)
	cmd.Dir = r.root
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+r.stamp.epoch(), "GOFLAGS=", "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s%s", name, err, strings.TrimSpace(stderr.String()), out)
	}
	return nil
}
