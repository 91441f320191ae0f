package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// homepage is where the project is.
const homepage = "https://github.com/lakemesh/lakemesh"

//go:embed lakemesh.rb.tmpl
var formulaText string

// formula writes the Homebrew formula, of the archives that are there of the four that
// Homebrew knows.
func (r *release) formula(sums map[string]string) error {
	text, err := renderFormula(r.stamp, sums, r.archiveName)
	if err != nil || text == "" {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, "lakemesh.rb"), []byte(text), 0o644)
}

// brewed is an archive in the formula.
type brewed struct{ URL, SHA256 string }

func renderFormula(s stamp, sums map[string]string, name func(target) string) (string, error) {
	t, err := template.New("formula").Parse(formulaText)
	if err != nil {
		return "", err
	}
	data := map[string]any{"Homepage": homepage, "Version": s.plain()}
	for key, on := range map[string]target{"MacARM": {"darwin", "arm64"}, "MacIntel": {"darwin", "amd64"}, "LinuxARM": {"linux", "arm64"}, "LinuxIntel": {"linux", "amd64"}} {
		file := name(on) + ".tar.gz"
		sum, ok := sums[file]
		if !ok {
			// A release of fewer targets has no formula: a formula with a hole would be installed
			// as if nothing were missing.
			return "", nil
		}
		data[key] = brewed{fmt.Sprintf("%s/releases/download/%s/%s", homepage, s.version, file), sum}
	}
	var b strings.Builder
	err = t.Execute(&b, data)
	return b.String(), err
}
