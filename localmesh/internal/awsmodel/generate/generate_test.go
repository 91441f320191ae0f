package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What is committed is what the SDK in go.mod says.
func TestTablesAreOfToday(t *testing.T) {
	t.Parallel()
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		have, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is out of date: go run ./localmesh/internal/awsmodel/generate", name)
		}
	}
}
