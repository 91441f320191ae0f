package main

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The recording on the README is of what the demo prints by now, as far as that is the same
// on every run. The golden is compared with the demo itself by the script that it stands in.
func TestTheRecordingIsOfToday(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join("testdata", "script", "demo.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join("..", "..", "docs", "pictures", "demo.svg"))
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`(?s)<desc>(.*)</desc>`).FindStringSubmatch(string(svg))
	_, golden, found := strings.Cut(string(script), "-- demo.golden --\n")
	if said == nil || !found {
		t.Fatal("there is no recording, or no golden")
	}
	shown := html.UnescapeString(said[1])
	for _, s := range scrubbed {
		shown = s.pattern.ReplaceAllString(shown, s.with)
	}
	if shown != golden {
		t.Errorf("make it anew: lakemesh demo | go run ./tools/recording > docs/pictures/demo.svg\nit shows:\n%s", shown)
	}
}
