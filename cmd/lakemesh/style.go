package main

import (
	"charm.land/lipgloss/v2"

	"github.com/lakemesh/lakemesh/internal/printable"
)

// The look of the command line: the sixteen colours that every terminal's theme
// sets, so that they can be read on any background. Who adds one looks at styles, too.
var (
	bold   = look{lipgloss.NewStyle().Bold(true)}
	faint  = look{lipgloss.NewStyle().Faint(true)}
	accent = look{lipgloss.NewStyle().Foreground(lipgloss.Cyan)}
	good   = look{lipgloss.NewStyle().Foreground(lipgloss.Green)}
	bad    = look{lipgloss.NewStyle().Foreground(lipgloss.Red)}
	notice = look{lipgloss.NewStyle().Foreground(lipgloss.Yellow)}
)

// look is a style of a part of a line.
type look struct{ style lipgloss.Style }

// styled is a part of a line that is safe and has a look.
type styled string

// Render gives a text the look.
func (l look) Render(text string) styled { return styled(l.style.Render(printable.Line(text))) }
