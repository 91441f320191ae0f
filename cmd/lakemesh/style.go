package main

import "charm.land/lipgloss/v2"

// The look of the command line: the sixteen colours that every terminal's theme
// sets, so that they can be read on any background.
var (
	bold   = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
	accent = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	good   = lipgloss.NewStyle().Foreground(lipgloss.Green)
	bad    = lipgloss.NewStyle().Foreground(lipgloss.Red)
	notice = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
)
