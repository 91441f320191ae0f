// Package contexts keeps what a person would otherwise type with each command: which mesh,
// in which region, with which profile, as which side. A context has a name, and one of them
// is in use:
//
//	current: prod
//	contexts:
//	  prod:
//	    mesh-account: "555555555555"
//	    region: eu-central-1
//	    profile: producer
//	    as: producer
//
// The file holds no secrets.
package contexts

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/lakemesh/lakemesh"
)

// Context is what a command takes where no flag says otherwise. What is empty is not said.
type Context struct {
	// MeshAccount is the data mesh account.
	MeshAccount string `json:"MeshAccount,omitempty" yaml:"mesh-account,omitempty"`
	// Region is where the mesh is.
	Region string `json:"Region,omitempty" yaml:"region,omitempty"`
	// Profile is a profile of the AWS SDK's shared files.
	Profile string `json:"Profile,omitempty" yaml:"profile,omitempty"`
	// CredentialsFile is a file with the identities' keys; it and Profile exclude each other.
	CredentialsFile string `json:"CredentialsFile,omitempty" yaml:"credentials-file,omitempty"`
	// As is one of [Sides], for commands that several of them have.
	As string `json:"As,omitempty" yaml:"as,omitempty"`
}

// Sides are those as which somebody works: a producer, a consumer, or the mesh's administrator.
func Sides() []string { return []string{"producer", "consumer", "admin"} }

// Check refuses what no command could use.
func (c Context) Check() error {
	if c.MeshAccount != "" {
		if err := lakemesh.CheckAccountID("mesh-account", c.MeshAccount); err != nil {
			return err
		}
	}
	if c.Region != "" {
		if err := lakemesh.CheckRegion("region", c.Region); err != nil {
			return err
		}
	}
	switch {
	case c.As != "" && !slices.Contains(Sides(), c.As):
		return lakemesh.Invalid("as", "%q is none of %s", c.As, strings.Join(Sides(), ", "))
	case c.Profile != "" && c.CredentialsFile != "":
		return lakemesh.Invalid("profile", "a profile and a credentials file exclude each other")
	}
	return nil
}

// namePattern is the form of a context's name.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckName refuses names that could not be typed as an argument. none stands for no
// context.
func CheckName(name string) error {
	if name == None || !namePattern.MatchString(name) {
		return lakemesh.Invalid("context", "%q is no name for a context: up to 64 letters, digits, dots, hyphens and underscores, and not %q", name, None)
	}
	return nil
}

// None is what is named where no context shall be used.
const None = "none"

// File is the file of contexts.
type File struct {
	// Current is the name of the context in use; empty if none is.
	Current string `yaml:"current,omitempty"`
	// Contexts are those that there are, by name.
	Contexts map[string]Context `yaml:"contexts,omitempty"`

	path string
}

// Path is where the file is: contexts.yaml in the folder lakemesh of $XDG_CONFIG_HOME, or
// of the user's configuration folder where that is not set
// (https://specifications.freedesktop.org/basedir-spec/latest/). It is empty where there is
// no such folder, as for a user without a home.
func Path() string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return ""
		}
	}
	return filepath.Join(dir, "lakemesh", "contexts.yaml")
}

// Read reads the file of a path; one that does not exist has no contexts. What is wrong with
// it is a [lakemesh.ErrInvalidInput] that tells the line.
func Read(path string) (*File, error) {
	f := &File{Contexts: map[string]Context{}, path: path}
	text, err := os.ReadFile(path)
	if path == "" || errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the contexts: %w", err)
	}
	wrong := func(err error) error {
		resource, message := path, err.Error()
		if known, ok := errors.AsType[yaml.Error](err); ok {
			// What else it says is an excerpt of several lines.
			message = known.GetMessage()
			if token := known.GetToken(); token != nil {
				resource = fmt.Sprintf("%s:%d", path, token.Position.Line)
			}
		}
		return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: resource, Message: "the contexts cannot be read: " + message, Err: err,
			Hint: "correct the file, or remove it and set the contexts again: lakemesh context set NAME"}
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(f); err != nil && len(bytes.TrimSpace(text)) > 0 {
		return nil, wrong(err)
	}
	for name, c := range f.Contexts {
		err := CheckName(name)
		if err == nil {
			err = c.Check()
		}
		if err != nil {
			return nil, wrong(fmt.Errorf("context %s: %w", name, err))
		}
	}
	if f.Contexts == nil {
		f.Contexts = map[string]Context{}
	}
	return f, nil
}

// Get is the context of a name.
func (f *File) Get(name string) (Context, error) {
	c, ok := f.Contexts[name]
	if !ok {
		return c, &lakemesh.Error{Kind: lakemesh.ErrNotFound, Resource: "context " + name, Message: "there is none of this name",
			Hint: "see those that there are: lakemesh context list"}
	}
	return c, nil
}

// Write writes the file, all of it or nothing, for its user alone.
func (f *File) Write() error {
	if f.path == "" {
		return &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "contexts", Message: "there is no folder to keep them in", Hint: "set XDG_CONFIG_HOME, or HOME"}
	}
	text, err := yaml.Marshal(f)
	if err != nil {
		return fmt.Errorf("write the contexts: %w", err)
	}
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write the contexts: %w", err)
	}
	temporary, err := os.CreateTemp(dir, "contexts-*")
	if err != nil {
		return fmt.Errorf("write the contexts: %w", err)
	}
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), f.path)
	}
	if err != nil {
		return fmt.Errorf("write the contexts: %w", errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}
