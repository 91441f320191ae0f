// Command pictures draws the pictures of the documentation:
//
//	go run ./tools/pictures docs/pictures
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pictures FOLDER")
		os.Exit(2)
	}
	if err := draw(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func draw(folder string) error {
	all, err := pictures()
	if err != nil {
		return err
	}
	for name, svg := range all {
		if err := os.WriteFile(filepath.Join(folder, name+".svg"), []byte(svg), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// pictures are all of them, by their names.
func pictures() (map[string]string, error) {
	mesh, err := example()
	return map[string]string{"accounts": accounts(), "life": life(), "steps": steps(), "chain": walk(), "example": mesh}, err
}
