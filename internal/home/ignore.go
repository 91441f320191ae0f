package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// ignoreFile keeps the folder, which holds keys, out of a repository that it is in.
const ignoreFile = ".gitignore"

// ignored is what stands in it: all of the folder.
const ignored = "*\n"

// ignore keeps the folder out of version control, if it holds nothing but the mesh.
func (h Home) ignore() error {
	if alone, err := h.holdsOnly(serverFile, logFile, credentialsFile, storeFile); err != nil || !alone {
		return err
	}
	if err := os.WriteFile(filepath.Join(h.Dir, ignoreFile), []byte(ignored), 0o600); err != nil {
		return fmt.Errorf("keep the local mesh out of version control: %w", err)
	}
	return nil
}

// unignore removes what ignore made, if nothing else is left in the folder.
func (h Home) unignore() error {
	path := filepath.Join(h.Dir, ignoreFile)
	text, err := os.ReadFile(path)
	if err != nil || string(text) != ignored {
		return nil //nolint:nilerr // One that is not there, or not ours, stays as it is.
	}
	if alone, err := h.holdsOnly(ignoreFile); err != nil || !alone {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reset the local mesh: %w", err)
	}
	return nil
}

// holdsOnly reports whether the folder holds nothing but some files.
func (h Home) holdsOnly(names ...string) (bool, error) {
	entries, err := os.ReadDir(h.Dir)
	if err != nil {
		return false, fmt.Errorf("look at the local mesh's folder: %w", err)
	}
	return !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !slices.Contains(names, e.Name()) }), nil
}
