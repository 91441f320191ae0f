package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/x/ansi"
	"github.com/goccy/go-yaml"

	"github.com/lakemesh/lakemesh/internal/printable"
	"github.com/lakemesh/lakemesh/plan"
)

// show writes a result to stdout: as JSON or YAML in its documented shape, or the
// way that people says for people. A nil result is shown to people alone.
func (a *app) show(result any, people func()) error {
	a.screen.done()
	if a.flags.output == "table" {
		people()
		return nil
	}
	if result == nil {
		return nil
	}
	text, err := encode(result, a.flags.output)
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if _, err := a.out.Write(text); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// encode writes a value as JSON or YAML.
func encode(value any, form string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	if form == "yaml" {
		return asYAML(b.Bytes())
	}
	return b.Bytes(), nil
}

// asYAML makes YAML of JSON. Texts of several lines, or that hold what is not seen, are
// quoted with escapes, as are those which the encoder would write so that they read as
// something else ("? a"): their readers get them as they are.
func asYAML(text []byte) ([]byte, error) {
	var value any
	if err := yaml.UnmarshalWithOptions(text, &value, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	return yaml.MarshalWithOptions(value, yaml.CustomMarshaler(func(s string) ([]byte, error) {
		plain, err := yaml.Marshal(s)
		var back any
		if err == nil && printable.Is(s) && yaml.Unmarshal(plain, &back) == nil && back == any(s) {
			return plain, nil
		}
		return []byte(strconv.QuoteToASCII(s)), nil
	}))
}

// renderPlan is a plan for people.
func (a *app) renderPlan(p *plan.Plan) string {
	var b strings.Builder
	if p.Empty() {
		b.WriteString(line("%s: nothing to do\n", ownWords(p.Operation)))
	} else {
		rows := make([][]string, len(p.Steps))
		for i, s := range p.Steps {
			rows[i] = []string{fmt.Sprint(i + 1), s.Account, s.Summary}
		}
		b.WriteString(line("%s: %d %s\n", ownWords(p.Operation), len(rows), choose(len(rows) == 1, "step", "steps")))
		b.WriteString(renderHanging([]string{"STEP", "ACCOUNT", "WHAT"}, rows, a.width))
	}
	for _, w := range p.Warnings {
		b.WriteString(hung(line("%s %s", notice.Render("warning:"), a.here(w)), len("warning: "), a.width) + "\n")
	}
	if p.Digest != "" {
		b.WriteString(line("%s %s\n", faint.Render("digest:"), p.Digest))
	}
	return b.String()
}

// renderTable is a table without lines, which a person reads and a program can cut.
func renderTable(headers []string, rows [][]string) string {
	safe := make([][]string, len(rows))
	for i, row := range rows {
		safe[i] = eachLine(row)
	}
	t := table.New().Headers(headers...).Rows(safe...).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderHeader(false).BorderColumn(false).BorderRow(false).Wrap(false).
		StyleFunc(func(row, col int) lipgloss.Style {
			style := lipgloss.NewStyle()
			if col < len(headers)-1 {
				style = style.PaddingRight(2)
			}
			if row == table.HeaderRow {
				return style.Bold(true)
			}
			return style
		})
	return trimLines(t.String())
}

// renderRows is renderTable on a terminal that is wide enough; on a narrower one each
// row is a block of lines, so that identifiers stay whole.
func renderRows(headers []string, rows [][]string, width int) string {
	whole := renderTable(headers, rows)
	if width == 0 || lipgloss.Width(whole) <= width {
		return whole
	}
	return renderBlocks(headers, rows, 0)
}

// renderBlocks is a block of lines for each row, whose texts are broken at a width; 0 breaks
// none.
func renderBlocks(headers []string, rows [][]string, width int) string {
	blocks := make([]string, len(rows))
	for i, row := range rows {
		facts := make([]fact, len(headers))
		for j, h := range headers {
			facts[j] = fact{strings.ToLower(h), row[j]}
		}
		blocks[i] = renderFactsIn(width, facts...)
	}
	return strings.Join(blocks, "\n")
}

// leastColumn is how wide the last column of a table has to be for its texts to be broken
// in it.
const leastColumn = 30

// renderHanging is renderTable on a terminal that is wide enough; on a narrower one the texts
// of the last column go on below where they began. Words, such as ARNs, stay whole.
func renderHanging(headers []string, rows [][]string, width int) string {
	whole := renderTable(headers, rows)
	begins := 0
	for i := range headers[:len(headers)-1] {
		column := ansi.StringWidth(headers[i])
		for _, row := range rows {
			column = max(column, ansi.StringWidth(printable.Line(row[i])))
		}
		begins += column + len("  ")
	}
	if width == 0 || lipgloss.Width(whole) <= width {
		return whole
	}
	if width-begins < leastColumn {
		return renderBlocks(headers, rows, width)
	}
	var b strings.Builder
	for l := range strings.Lines(whole) {
		b.WriteString(hung(strings.TrimRight(l, "\n"), begins, width) + "\n")
	}
	return b.String()
}

// hung breaks a line at the width of a terminal; what follows stands at a column.
func hung(line string, column, width int) string {
	if width == 0 || ansi.StringWidth(line) <= width {
		return line
	}
	head, text := ansi.Truncate(line, column, ""), ansi.Strip(ansi.TruncateLeft(line, column, ""))
	return head + wrapped(text, width-column, strings.Repeat(" ", column))
}

// fact is a line of a description: what and its value, or a line for each of its values.
type fact struct {
	name string
	// value is a string or a []string.
	value any
}

// lines are what is written of the value.
func (f fact) lines() []string {
	switch value := f.value.(type) {
	case []string:
		return eachLine(value)
	case string:
		if value == "" {
			return nil
		}
		return []string{printable.Line(value)}
	default:
		return []string{line("%v", value)}
	}
}

// renderFacts writes facts one a line, aligned; those without a value are left out.
func renderFacts(facts ...fact) string { return renderFactsIn(0, facts...) }

// renderFactsIn breaks values at the width of a terminal; 0 breaks none.
func renderFactsIn(terminal int, facts ...fact) string {
	width := 0
	for _, f := range facts {
		if len(f.lines()) > 0 {
			width = max(width, len(f.name))
		}
	}
	var b strings.Builder
	for _, f := range facts {
		if lines := f.lines(); len(lines) > 0 {
			indent := strings.Repeat(" ", width+2)
			for i, l := range lines {
				lines[i] = strings.TrimPrefix(hung(indent+l, len(indent), terminal), indent)
			}
			fmt.Fprintf(&b, "%s  %s\n", faint.Render(fmt.Sprintf("%-*s", width, f.name)), strings.Join(lines, "\n"+indent))
		}
	}
	return b.String()
}

func trimLines(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// say tells a person on stderr what was done.
func (a *app) say(format string, args ...any) {
	a.screen.done()
	fmt.Fprintln(a.err, line(format, args...))
}

// warn tells a person on stderr what to look at, each thing once: personas both log
// their warnings and return them.
func (a *app) warn(warnings ...string) {
	for _, w := range warnings {
		if w == "" {
			continue
		}
		if _, told := a.warned.LoadOrStore(printable.Line(w), true); !told {
			a.advise(notice.Render("warning:")+" ", w)
		}
	}
}

// next tells a person on stderr what comes next.
func (a *app) next(format string, args ...any) {
	if a.flags.output == "table" {
		a.advise(accent.Render("next:")+" ", line(format, args...))
	}
}

// meshCommands finds the commands in a text that work on AWS or on the local mesh.
var meshCommands = regexp.MustCompile(`\blakemesh ((?:mesh|account|product|request|subscription|access|verify|query|explain|adopt|expire|iac)\b)`)

// here makes the calls of the library in a text commands, and the commands those for where
// the person works.
func (a *app) here(text string) string { return a.hereWith(text, a.whereFor) }

// hereWith is here with what is typed behind the program's name for each command.
func (a *app) hereWith(text string, where func(said string) string) string {
	text = ownWords(commands(text))
	var b strings.Builder
	end := 0
	for _, at := range meshCommands.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[end:at[0]] + "lakemesh" + where(text[at[2]:]) + " ")
		end = at[2]
	}
	return b.String() + text[end:]
}
