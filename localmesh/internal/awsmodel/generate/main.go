// Command generate writes the tables of package awsmodel from the SDK's clients:
//
//	go run ./localmesh/internal/awsmodel/generate
//
// Which members of inputs the services honour is read from their code: a member that no
// code reads is refused where somebody sets it. The names of operations are the methods of the clients. How an operation of S3
// looks on HTTP is seen by calling it with a transport that sends nothing.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	files, err := generate()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join("localmesh", "internal", "awsmodel", name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate makes the files of the package by name.
func generate() (map[string][]byte, error) {
	s3, err := s3Table()
	if err != nil {
		return nil, err
	}
	names, err := operationTable()
	if err != nil {
		return nil, err
	}
	members, err := memberTable()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"members_generated.go": members, "s3_generated.go": s3, "operations_generated.go": names}, nil
}
