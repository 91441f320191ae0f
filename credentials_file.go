package lakemesh

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// CredentialsFileVariable is the environment variable that names the credentials
// file.
const CredentialsFileVariable = "CredentialsFile"

// Identity is the name of an identity in a credentials file.
type Identity string

// The identities of a credentials file. Mesh, ProducerAdmin and ConsumerAdmin set
// accounts up; Producer and Consumer do the daily work.
const (
	MeshIdentity          Identity = "Mesh"
	ProducerIdentity      Identity = "Producer"
	ProducerAdminIdentity Identity = "ProducerAdmin"
	ConsumerIdentity      Identity = "Consumer"
	ConsumerAdminIdentity Identity = "ConsumerAdmin"
)

// Identities are the identities that a credentials file can hold, in the order in
// which they are written.
func Identities() []Identity {
	return []Identity{MeshIdentity, ProducerIdentity, ProducerAdminIdentity, ConsumerIdentity, ConsumerAdminIdentity}
}

// regionKey is the key of the region in a credentials file.
const regionKey = "AWS_REGION"

// credentialKeys are the keys of an identity, the last one optional.
var credentialKeys = [...]string{"AccountId", "AccessKeyId", "SecretAccessKey", "SessionToken"}

// maxCredentialsFile is how much of a credentials file is read; a larger one is none.
const maxCredentialsFile = 1 << 20

// CredentialsFile is the JSON file in which the original library keeps its access
// keys: AWS_REGION, and an identity each for Mesh, Producer, ProducerAdmin,
// Consumer and ConsumerAdmin.
type CredentialsFile struct {
	// Region is where the mesh is; empty if the file does not say.
	Region string
	// Credentials are the identities that the file holds.
	Credentials map[Identity]Credentials

	path string
}

// Get returns the credentials of an identity. It fails with [ErrInvalidInput] if
// the file does not hold it.
func (f *CredentialsFile) Get(who Identity) (Credentials, error) {
	c, ok := f.Credentials[who]
	if !ok {
		return Credentials{}, &Error{Kind: ErrInvalidInput, Resource: f.name(),
			Message: fmt.Sprintf("it has no %q", who),
			Hint:    fmt.Sprintf("add %q with AccountId, AccessKeyId and SecretAccessKey", who)}
	}
	return c, nil
}

func (f *CredentialsFile) name() string {
	if f.path == "" {
		return "credentials file"
	}
	return "credentials file " + f.path
}

// ReadCredentialsFile reads a credentials file. An unreadable or malformed file is
// an [ErrInvalidInput] that tells the line and the key, and never a secret.
//
// Identities whose values are all empty, as in a template that was filled in
// partly, are left out.
func ReadCredentialsFile(path string) (*CredentialsFile, error) {
	unreadable := func(err error) error {
		// A PathError names the path again.
		if pathError := (*os.PathError)(nil); errors.As(err, &pathError) {
			err = pathError.Err
		}
		return &Error{Kind: ErrInvalidInput, Resource: "credentials file " + path, Message: "cannot be read: " + err.Error(), Err: err,
			Hint: "name a JSON file with --credentials-file or in the environment variable " + CredentialsFileVariable}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(err)
	}
	// Nothing is written through it.
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxCredentialsFile+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(data) > maxCredentialsFile {
		return nil, Invalid("credentials file "+path, "it is larger than 1 MiB, which no credentials file is")
	}
	return ParseCredentialsFile(path, data)
}

// ParseCredentialsFile reads the content of a credentials file; path is what it is
// called in errors, which are those of [ReadCredentialsFile].
func ParseCredentialsFile(path string, data []byte) (*CredentialsFile, error) {
	p, err := parseJSON("credentials file "+path, data)
	if err != nil {
		return nil, err
	}
	f := &CredentialsFile{Credentials: map[Identity]Credentials{}, path: path}
	err = p.object("", func(key string) error {
		if key == regionKey {
			f.Region, err = p.text(key)
			return err
		}
		for _, who := range Identities() {
			if key != string(who) {
				continue
			}
			c, given, err := p.credentials(key)
			if given {
				f.Credentials[who] = c
			}
			return err
		}
		return p.fail(key, "unknown key; the known ones are %s, %s", regionKey, joinIdentities())
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// ParseCredentials reads one identity: {"AccountId", "AccessKeyId",
// "SecretAccessKey", "SessionToken" (optional)}. Errors are those of
// [ReadCredentialsFile]; name is what the text is called in them.
func ParseCredentials(name string, data []byte) (Credentials, error) {
	p, err := parseJSON(name, data)
	if err != nil {
		return Credentials{}, err
	}
	c, given, err := p.credentials("")
	if err == nil && !given {
		err = p.fail("", "AccountId, AccessKeyId and SecretAccessKey are required")
	}
	return c, err
}

// Write writes the credentials file, for its owner's eyes only (mode 0600). A
// reader sees the old content or the new, never a part.
func (f *CredentialsFile) Write(path string) error {
	text := func(s string) string {
		// A string is always encoded.
		b, _ := json.Marshal(s)
		return string(b)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "{\n  %s: %s", text(regionKey), text(f.Region))
	for _, who := range Identities() {
		c, ok := f.Credentials[who]
		if !ok {
			continue
		}
		fmt.Fprintf(&b, ",\n  %s: {\n    \"AccountId\": %s,\n    \"AccessKeyId\": %s,\n    \"SecretAccessKey\": %s",
			text(string(who)), text(c.AccountID), text(c.AccessKeyID), text(c.SecretAccessKey.Reveal()))
		if c.SessionToken != "" {
			fmt.Fprintf(&b, ",\n    \"SessionToken\": %s", text(c.SessionToken.Reveal()))
		}
		b.WriteString("\n  }")
	}
	b.WriteString("\n}\n")
	// os.CreateTemp makes files with mode 0600.
	temporary, err := os.CreateTemp(filepath.Dir(path), ".credentials-*")
	if err != nil {
		return fmt.Errorf("write the credentials file: %w", err)
	}
	_, err = temporary.WriteString(b.String())
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write the credentials file: %w", errors.Join(err, ignoreMissing(os.Remove(temporary.Name()))))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func joinIdentities() string {
	names := make([]string, 0, len(Identities()))
	for _, who := range Identities() {
		names = append(names, string(who))
	}
	return strings.Join(names, ", ")
}

// jsonParser reads JSON strictly and knows on which line it is. What it says never
// quotes a value, which could be a secret.
type jsonParser struct {
	name string
	data []byte
	dec  *json.Decoder
}

func parseJSON(name string, data []byte) (*jsonParser, error) {
	// Editors on Windows begin a file with a byte order mark.
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	p := &jsonParser{name: name, data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	var whole any
	if err := json.Unmarshal(data, &whole); err != nil {
		at := int64(len(data))
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			at = syntax.Offset
		}
		return nil, p.failAt(at, "", "malformed JSON")
	}
	return p, nil
}

// object reads an object and gives each key to read, which reads its value.
func (p *jsonParser) object(key string, read func(key string) error) error {
	token, err := p.dec.Token()
	if err != nil || token != json.Delim('{') {
		return p.fail(key, "an object is expected")
	}
	seen := map[string]bool{}
	for p.dec.More() {
		token, err := p.dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return p.fail(key, "malformed JSON")
		}
		path := name
		if key != "" {
			path = key + "." + name
		}
		if seen[name] {
			return p.fail(path, "the key is there twice")
		}
		seen[name] = true
		if err := read(path); err != nil {
			return err
		}
	}
	if _, err := p.dec.Token(); err != nil {
		return p.fail(key, "malformed JSON")
	}
	return nil
}

// text reads a string.
func (p *jsonParser) text(key string) (string, error) {
	token, err := p.dec.Token()
	s, ok := token.(string)
	if err != nil || !ok {
		return "", p.fail(key, "a string is expected")
	}
	if strings.TrimSpace(s) != s {
		return "", p.fail(key, "the value has white space around it")
	}
	return s, nil
}

// credentials reads one identity; given is false if all of its values are empty.
func (p *jsonParser) credentials(key string) (c Credentials, given bool, err error) {
	values := map[string]string{}
	begin := int64(0)
	err = p.object(key, func(path string) error {
		if begin == 0 {
			begin = p.dec.InputOffset()
		}
		name := path[strings.LastIndexByte(path, '.')+1:]
		for _, known := range credentialKeys {
			if name == known {
				value, err := p.text(path)
				values[name] = value
				given = given || value != ""
				return err
			}
		}
		return p.fail(path, "unknown key; the known ones are %s", strings.Join(credentialKeys[:], ", "))
	})
	if err != nil || !given {
		return Credentials{}, false, err
	}
	for _, required := range credentialKeys[:3] {
		if values[required] == "" {
			return Credentials{}, false, p.failAt(begin, join(key, required), "it is missing or empty")
		}
	}
	if !accountPattern.MatchString(values["AccountId"]) {
		return Credentials{}, false, p.failAt(begin, join(key, "AccountId"), "it is not an account id: twelve digits")
	}
	return Credentials{AccountID: values["AccountId"], AccessKeyID: values["AccessKeyId"],
		SecretAccessKey: Secret(values["SecretAccessKey"]), SessionToken: Secret(values["SessionToken"])}, true, nil
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// fail is an error about what was just read.
func (p *jsonParser) fail(key, format string, args ...any) error {
	return p.failAt(p.dec.InputOffset(), key, format, args...)
}

func (p *jsonParser) failAt(offset int64, key, format string, args ...any) error {
	offset = min(offset, int64(len(p.data)))
	line := 1 + bytes.Count(p.data[:offset], []byte("\n"))
	where := fmt.Sprintf("line %d", line)
	if key != "" {
		where += fmt.Sprintf(", key %q", key)
	}
	return &Error{Kind: ErrInvalidInput, Resource: p.name, Message: where + ": " + fmt.Sprintf(format, args...)}
}
