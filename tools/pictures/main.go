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
	for name, svg := range pictures() {
		if err := os.WriteFile(filepath.Join(os.Args[1], name+".svg"), []byte(svg), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, "pictures:", err)
			os.Exit(1)
		}
	}
}

// pictures are all of them, by their names.
func pictures() map[string]string {
	return map[string]string{"accounts": accounts(), "life": life(), "steps": steps(), "chain": walk()}
}
