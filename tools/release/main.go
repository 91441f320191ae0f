// Command release makes what a release consists of in a folder, dist by default:
// archives for each target with the manual pages and completions, packages for
// Debian, Fedora and Alpine, an image and a function of lakemesh-operate, a bill of
// materials a binary, a Homebrew formula, SHA256SUMS, and with -key its signature.
//
//	go run ./tools/release
//	go run ./tools/release -targets linux/amd64 -out /tmp/dist -key minisign.key
//
// The same commit and the same Go give the same bytes, whenever and wherever it runs:
// times are those of the commit, and the version is what Go itself writes into a
// binary: the commit's tag, or a pseudo-version.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// allTargets are the targets of a release.
const allTargets = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is one run.
type release struct {
	// root is the repository, out where everything is written.
	root, out string
	targets   []target
	// key is the file of minisign's secret key; empty signs nothing.
	key string
	// dirty allows a tree that is not what was committed.
	dirty bool
	// stamp is what Go wrote into the binaries.
	stamp stamp
	log   io.Writer
}

func run(ctx context.Context, args []string, log io.Writer) error {
	r := &release{log: log}
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.StringVar(&r.root, "root", ".", "the repository")
	flags.StringVar(&r.out, "out", "dist", "where everything is written; what was there is removed")
	flags.StringVar(&r.key, "key", "", "file of the secret key of minisign that SHA256SUMS is signed with; it has no password")
	flags.BoolVar(&r.dirty, "dirty", false, "go on where the tree is not what was committed")
	list := flags.String("targets", allTargets, "what to build for, as GOOS/GOARCH,...")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("what is %q? Everything is said with flags", flags.Arg(0))
	}
	var err error
	if r.targets, err = parseTargets(*list); err != nil {
		return err
	}
	if r.root, err = filepath.Abs(r.root); err != nil {
		return err
	}
	if r.out, err = filepath.Abs(r.out); err != nil {
		return err
	}
	return r.make(ctx)
}

// make makes everything. What is made last is the sums, so that a folder without them
// is not a release.
func (r *release) make(ctx context.Context) (err error) {
	// Go looks for a version in a clone alone, and this is known before anything is built.
	if info, err := os.Stat(filepath.Join(r.root, ".git")); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is no clone of the repository (and no further worktree of one): it has no version", r.root)
	}
	if err := clear(r.out); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "lakemesh-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	r.say("building")
	built, err := r.build(ctx, work)
	if err != nil {
		return err
	}
	r.say("version %s of %s", r.stamp.version, r.stamp.time.Format("2006-01-02"))
	extras, err := r.extras(ctx, work)
	if err != nil {
		return fmt.Errorf("manual pages and completions: %w", err)
	}
	for _, b := range built {
		if err := r.archive(b, extras); err != nil {
			return fmt.Errorf("archive for %s: %w", b.target, err)
		}
		if err := r.billOfMaterials(ctx, b); err != nil {
			return fmt.Errorf("bill of materials for %s: %w", b.target, err)
		}
		if b.target.os != "linux" {
			continue
		}
		if err := r.packages(ctx, work, b, extras); err != nil {
			return fmt.Errorf("packages for %s: %w", b.target, err)
		}
		if err := r.function(b); err != nil {
			return fmt.Errorf("function for %s: %w", b.target, err)
		}
	}
	if err := r.image(built); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	sums, err := sumAll(r.out)
	if err != nil {
		return err
	}
	if err := r.formula(sums); err != nil {
		return fmt.Errorf("formula: %w", err)
	}
	return r.seal(ctx)
}

// clear makes an empty folder, and removes only what a release has made before.
func clear(out string) error {
	entries, err := os.ReadDir(out)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return os.MkdirAll(out, 0o755)
	case err != nil:
		return err
	}
	isOurs := func(e os.DirEntry) bool {
		name := e.Name()
		return strings.HasPrefix(name, "lakemesh") || strings.HasPrefix(name, sumsFile)
	}
	if i := slices.IndexFunc(entries, func(e os.DirEntry) bool { return !isOurs(e) }); i >= 0 {
		return fmt.Errorf("%s has %s, which no release has made: it is not cleared", out, entries[i].Name())
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(out, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) say(format string, args ...any) { fmt.Fprintf(r.log, format+"\n", args...) }
