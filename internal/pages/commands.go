package pages

import (
	"regexp"
	"strings"
)

// Lines are the command lines of a block: what is continued is joined, and comments, prompts
// and what is said behind a command are taken out.
func (b Block) Lines() []string {
	if b.Language != "" && b.Language != "sh" {
		return nil
	}
	var lines []string
	for line := range strings.Lines(continued.ReplaceAllString(b.Text, " ")) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

var (
	called    = regexp.MustCompile(`(?:^|[(;|&]\s*|\$\(|=|"\$\()lakemesh( (?:[^|;)>"']|"[^"]*"|'[^']*')*)?`)
	continued = regexp.MustCompile(`\s*\\\n\s*`)
	// said is what is told behind a command, with some distance or as a comment.
	said = regexp.MustCompile(`\s{3,}\S.*$|\s+#.*$`)
	word = regexp.MustCompile(`(?:[^\s"']|"[^"]*"|'[^']*')+`)
)

// Calls are the calls of lakemesh in a command line, each as its arguments.
func Calls(line string) [][]string {
	var calls [][]string
	for _, m := range called.FindAllStringSubmatch(line, -1) {
		rest := said.ReplaceAllString(m[1], "")
		args := []string{}
		for _, w := range word.FindAllString(rest, -1) {
			if w == "&" || w == "&&" || w == "\\" {
				break
			}
			args = append(args, strings.NewReplacer(`"`, "", `'`, "").Replace(w))
		}
		calls = append(calls, args)
	}
	return calls
}

var runs = regexp.MustCompile(`^(?:[a-z]+=\$\()?lakemesh (?:--local .*|demo)$`)

// Runs reports whether a block can be run on a local mesh as it stands: every line is a
// call of lakemesh there.
func (b Block) Runs() bool {
	lines := b.Lines()
	for _, l := range lines {
		if !runs.MatchString(l) || strings.Contains(l, "<") || strings.Contains(l, "…") {
			return false
		}
	}
	return len(lines) > 0
}
