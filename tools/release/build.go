package main

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// target is what a binary runs on.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

// host is what this program runs on.
func host() target { return target{runtime.GOOS, runtime.GOARCH} }

func parseTargets(list string) ([]target, error) {
	var targets []target
	for text := range strings.SplitSeq(list, ",") {
		goos, goarch, ok := strings.Cut(text, "/")
		if !ok || !slices.Contains(strings.Split(allTargets, ","), text) {
			return nil, fmt.Errorf("%q is no target of a release: they are %s", text, allTargets)
		}
		if t := (target{goos, goarch}); !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// built are the binaries for a target.
type built struct {
	target target
	// cli is lakemesh; operate is lakemesh-operate, for Linux alone.
	cli, operate string
}

// name is the name of the program in an archive.
func (b built) name() string {
	if b.target.os == "windows" {
		return "lakemesh.exe"
	}
	return "lakemesh"
}

// stamp is what Go writes into a binary about what it was made of.
type stamp struct {
	// version is that of the module: v1.2.3.
	version string
	// time is when the commit was made.
	time time.Time
}

// build builds everything, and learns the version from the binaries.
func (r *release) build(ctx context.Context, work string) ([]built, error) {
	var all []built
	for _, t := range r.targets {
		dir := filepath.Join(work, t.os+"-"+t.arch)
		b := built{target: t}
		b.cli = filepath.Join(dir, b.name())
		if err := r.compile(ctx, t, r.root, b.cli, "./cmd/lakemesh", ""); err != nil {
			return nil, err
		}
		s, err := r.read(b.cli)
		if err != nil {
			return nil, err
		}
		if r.stamp != (stamp{}) && s != r.stamp {
			return nil, fmt.Errorf("the tree changed while it was built: %s, then %s", r.stamp.version, s.version)
		}
		r.stamp = s
		if t.os == "linux" {
			b.operate = filepath.Join(dir, "lakemesh-operate")
			// It is a module of its own, whose tags nobody makes: it has the version of the whole.
			if err := r.compile(ctx, t, filepath.Join(r.root, "cmd", "lakemesh-operate"), b.operate, ".", " -X main.version="+s.version); err != nil {
				return nil, err
			}
		}
		all = append(all, b)
	}
	return all, nil
}

// compile builds one program. Neither where it is built nor when is in it.
func (r *release) compile(ctx context.Context, t target, dir, to, pkg, ldflags string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid="+ldflags, "-o", to, pkg)
	cmd.Dir = dir
	// What a developer has set for other builds does not get into this one.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s for %s: %w\n%s", pkg, t, err, out)
	}
	return nil
}

// read reads the version of a binary, and refuses one that no commit stands for.
func (r *release) read(binary string) (stamp, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return stamp{}, err
	}
	return r.stampOf(info)
}

func (r *release) stampOf(info *debug.BuildInfo) (stamp, error) {
	s := stamp{version: info.Main.Version}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.time":
			var err error
			if s.time, err = time.Parse(time.RFC3339, setting.Value); err != nil {
				return stamp{}, err
			}
		case "vcs.modified":
			if setting.Value == "true" && !r.dirty {
				return stamp{}, errors.New("the tree is not what was committed; commit it, or say -dirty")
			}
		}
	}
	if s.version == "" || s.version == "(devel)" || s.time.IsZero() {
		return stamp{}, errors.New("the tree has no version: build it in a clone of the repository")
	}
	return s, nil
}

// hosted returns the program for the machine that this runs on, and builds it if it is
// none of the targets.
func (r *release) hosted(ctx context.Context, work string) (string, error) {
	b := built{target: host()}
	path := filepath.Join(work, b.target.os+"-"+b.target.arch, b.name())
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, r.compile(ctx, b.target, r.root, path, "./cmd/lakemesh", "")
}

// plain is the version without its v.
func (s stamp) plain() string { return strings.TrimPrefix(s.version, "v") }

// epoch is the time in seconds, as programs want it that make the same bytes again.
func (s stamp) epoch() string {
	return cmp.Or(os.Getenv("SOURCE_DATE_EPOCH"), fmt.Sprint(s.time.Unix()))
}
