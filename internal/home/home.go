// Package home is the local mesh of a folder: its accounts and their keys, its
// server, and the connection to it, through the server if one is running and in
// process if not.
//
// # Errors
//
// [ErrBusy] tells that another process has the folder open, [ErrRunning] that a
// server is running there, [ErrNotRunning] that none is. A wrong address is a
// [lakemesh.ErrInvalidInput].
package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lakemesh/lakemesh"

	"github.com/lakemesh/lakemesh/localmesh"
)

// Variable is the environment variable that names the folder.
const Variable = "LAKEMESH_HOME"

// The accounts of a local mesh for which no others were chosen.
const (
	MeshAccount     = "555555555555"
	ProducerAccount = "111111111111"
	ConsumerAccount = "999999999999"
)

// The files of the folder. The store's own file is named by the local mesh.
const (
	credentialsFile = "credentials.json"
	serverFile      = "server.json"
	storeFile       = "mesh.db"
)

var (
	// ErrBusy is returned while another process has the folder open.
	ErrBusy = errors.New("the local mesh is in use by another process")
	// ErrRunning is returned where a server is running that must not.
	ErrRunning = errors.New("the local mesh's server is running")
	// ErrNotRunning is returned where no server is running that should.
	ErrNotRunning = errors.New("the local mesh's server is not running")
)

// Home is a folder with a local mesh.
type Home struct {
	// Dir is its absolute path.
	Dir string
}

// Find returns the folder that $LAKEMESH_HOME names, else .lakemesh in the home
// directory. It need not exist.
func Find() (Home, error) {
	dir := os.Getenv(Variable)
	if dir == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return Home{}, &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "home directory", Message: "there is none", Err: err,
				Hint: "set " + Variable + " to the folder of the local mesh"}
		}
		dir = filepath.Join(user, ".lakemesh")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Home{}, fmt.Errorf("find the folder of the local mesh: %w", err)
	}
	return Home{Dir: dir}, nil
}

// CredentialsPath is the path of the folder's credentials file.
func (h Home) CredentialsPath() string { return filepath.Join(h.Dir, credentialsFile) }

// Credentials reads the folder's credentials file.
func (h Home) Credentials() (*lakemesh.CredentialsFile, error) {
	return lakemesh.ReadCredentialsFile(h.CredentialsPath())
}

// Exists tells whether the folder holds a local mesh.
func (h Home) Exists() bool {
	_, err := os.Stat(filepath.Join(h.Dir, storeFile))
	return err == nil
}

// Reset removes the local mesh and the files that belong to it, and the folder
// itself if nothing else is in it. It fails with [ErrRunning] while its server is
// running, and with [ErrBusy] while another process has it open.
func (h Home) Reset() error {
	if !h.Exists() {
		return h.removeFiles()
	}
	mesh, err := h.open()
	if errors.Is(err, localmesh.ErrDamaged) {
		// Nobody can use it any more.
		return h.removeFiles()
	}
	if err != nil {
		return err
	}
	// The lock ends with Close. Whoever opens the store in between finds a file that
	// is removed under it, which is as good as a reset right after it.
	if err := mesh.Close(); err != nil {
		return fmt.Errorf("close the local mesh: %w", err)
	}
	return h.removeFiles()
}

func (h Home) removeFiles() error {
	for _, name := range []string{serverFile, logFile, credentialsFile, storeFile} {
		if err := os.Remove(filepath.Join(h.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("reset the local mesh: %w", err)
		}
	}
	if err := h.unignore(); err != nil {
		return err
	}
	entries, err := os.ReadDir(h.Dir)
	if err != nil || len(entries) > 0 {
		return nil //nolint:nilerr // A folder that is gone, or that holds other things, is as wanted.
	}
	if err := os.Remove(h.Dir); err != nil {
		return fmt.Errorf("reset the local mesh: %w", err)
	}
	return nil
}
