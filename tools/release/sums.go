package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sumsFile has a line a file, as sha256sum -c reads it.
const sumsFile = "SHA256SUMS"

// sumAll sums what is in a folder, by name.
func sumAll(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	for _, e := range entries {
		if sums[e.Name()], err = sum(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

func sum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}

// seal writes the sums of everything, and signs them.
func (r *release) seal(ctx context.Context) error {
	sums, err := sumAll(r.out)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&b, "%s  %s\n", sums[name], name)
	}
	file := filepath.Join(r.out, sumsFile)
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return err
	}
	if r.key == "" {
		r.say("not signed: no -key was given")
		return nil
	}
	// Without a comment of ours minisign writes the time of day into the signature.
	return r.tool(ctx, "minisign", "-S", "-s", r.key, "-m", file, "-x", file+".minisig",
		"-c", "signature of lakemesh "+r.stamp.version, "-t", "lakemesh "+r.stamp.version+" "+sumsFile)
}
