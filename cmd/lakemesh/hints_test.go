package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lakemesh/lakemesh/internal/home"
)

// Every script of this package is a test of the hints and the next steps that its commands
// print: what names a command names one that can be typed.

// untypable is the exit code of a command line whose advice cannot be typed.
const untypable = 99

// checkedMain is main, which fails where a command that it advises cannot be typed.
func checkedMain() {
	var said bytes.Buffer
	code := run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: io.MultiWriter(os.Stderr, &said)})
	if wrong := untypableIn(said.String()); len(wrong) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(wrong, "\n"))
		code = untypable
	}
	os.Exit(code)
}

// advice is a line that says what to do.
var advice = regexp.MustCompile(`(?m)^(?:hint|next): .*$`)

// advisedIn are the commands that a text's hints and next steps name.
func advisedIn(text string) []string {
	var commands []string
	for _, said := range advice.FindAllString(ansi.Strip(text), -1) {
		for _, command := range spelledOut.FindAllString(said, -1) {
			commands = append(commands, endOfCommand.ReplaceAllString(command, ""))
		}
	}
	return commands
}

// endOfCommand is what of a sentence goes on behind a command.
var endOfCommand = regexp.MustCompile(`(?: (?:tells|ends|and then|in|and|or|does|then|by)\b.*|[.:]?\s*)$`)

// untypableIn says of each command of a text's advice that cannot be typed why.
func untypableIn(text string) []string {
	var wrong []string
	for _, command := range advisedIn(text) {
		if err := typeIt(command); err != nil {
			wrong = append(wrong, fmt.Sprintf("untypable: %q: %v", command, err))
		}
	}
	return wrong
}

func TestWhatCannotBeTypedIsFound(t *testing.T) {
	t.Parallel()
	for text, wrong := range map[string]int{
		"next: lakemesh mesh status\n": 0,
		"hint:  see it: lakemesh --local access list --as admin, or lakemesh mesh init\n":         0,
		"hint:  lakemesh mesh init --help tells more\n":                                           0,
		"hint:  make it: lakemesh account init --account-type producer --buckets a,b; then go on": 0,
		"hint:  make it: lakemesh account init --account-tpye both":                               1,
		"next: the owner: lakemesh request approve":                                               1,
		"hint:  look: lakemesh mesh stats":                                                        1,
		"hint:  look (lakemesh mesh status --all), or lakemesh product list --nonsense":           2,
		"hint:  make it: lakemesh account enable":                                                 1,
	} {
		if got := untypableIn(text); len(got) != wrong {
			t.Errorf("%s: %q, want %d", text, got, wrong)
		}
	}
}

// follow types what the last command's advice names, as it stands, with who is to type it
// behind it: follow code pattern [flag...]. The command is the first that matches.
func follow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: follow code pattern [flag...]")
	}
	wanted := regexp.MustCompile(args[1])
	commands := advisedIn(ts.ReadFile("stderr"))
	for _, command := range commands {
		if wanted.MatchString(command) {
			words, err := shellWords(strings.TrimPrefix(command, "lakemesh "))
			ts.Check(err)
			exits(ts, false, append(append(args[:1:1], words...), args[2:]...))
			return
		}
	}
	ts.Fatalf("no advice matches %s: %q", args[1], commands)
}

// profiles writes shared files of the AWS SDK with a profile for each identity of the local
// mesh that is served at an address: profiles address.
func profiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: profiles address")
	}
	credentials, err := home.Home{Dir: ts.Getenv("LAKEMESH_HOME")}.Credentials()
	ts.Check(err)
	var shared, keys strings.Builder
	for who, c := range credentials.Credentials {
		fmt.Fprintf(&shared, "[profile %s]\nregion = us-east-1\nendpoint_url = %s\n", who, args[0])
		fmt.Fprintf(&keys, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", who, c.AccessKeyID, c.SecretAccessKey.Reveal())
	}
	folder := filepath.Join(ts.Getenv("WORK"), ".aws")
	ts.Check(os.MkdirAll(folder, 0o700))
	ts.Check(os.WriteFile(filepath.Join(folder, "config"), []byte(shared.String()), 0o600))
	ts.Check(os.WriteFile(filepath.Join(folder, "credentials"), []byte(keys.String()), 0o600))
}
