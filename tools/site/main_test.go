package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every link of the site leads to a file of it, and every anchor to a heading there.
func TestTheSiteHoldsTogether(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if err := run("../..", out, "https://example.com/"); err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	count := 0
	err := filepath.WalkDir(out, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".html") {
			return err
		}
		count++
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, m := range links.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			at, anchor, _ := strings.Cut(m[1], "#")
			to := file
			if at != "" {
				to = filepath.Join(filepath.Dir(file), filepath.FromSlash(at))
			}
			there, err := os.ReadFile(to)
			if err != nil {
				t.Errorf("%s: %s leads nowhere", file, m[1])
				continue
			}
			if anchor != "" && !strings.Contains(string(there), `id="`+anchor+`"`) {
				t.Errorf("%s: %s has no such heading", file, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 20 {
		t.Errorf("the site has only %d pages", count)
	}
}
