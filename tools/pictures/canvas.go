package main

import (
	"fmt"
	"html"
	"strings"
)

// Colours of the pictures, one for each party; each is named in the picture as well.
const (
	ink     = "#1f2933"
	pale    = "#52606d"
	border  = "#9fb3c8"
	owning  = "#e3f0fb"
	central = "#fdf3dc"
	holding = "#e8f5e9"
	white   = "#ffffff"
	shut    = "#f3f5f8"
)

// letter is the width of a letter of the pictures' font at its usual size, which is a bound:
// no letter that is used is wider on average.
const letter = 7.0

// canvas is a picture that is being drawn.
type canvas struct {
	b             strings.Builder
	width, height int
	title         string
}

func (c *canvas) rect(x, y, w, h int, fill string) {
	fmt.Fprintf(&c.b, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="%s" stroke="%s"/>`+"\n", x, y, w, h, fill, border)
}

// text writes a line; anchor is start, middle or end.
func (c *canvas) text(x, y int, anchor, attributes, text string) {
	if attributes != "" {
		attributes = " " + attributes
	}
	fmt.Fprintf(&c.b, `<text x="%d" y="%d" text-anchor="%s"%s>%s</text>`+"\n", x, y, anchor, attributes, html.EscapeString(text))
}

// box is a rectangle with a heading and lines below it.
func (c *canvas) box(x, y, w, h int, fill, heading string, lines ...string) {
	c.rect(x, y, w, h, fill)
	c.text(x+12, y+20, "start", `font-weight="bold"`, heading)
	for i, l := range lines {
		c.text(x+12, y+38+i*17, "start", `fill="`+pale+`"`, l)
	}
}

// arrow leads along a path; what it says stands at a place of its own.
func (c *canvas) arrow(path string) {
	fmt.Fprintf(&c.b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5" marker-end="url(#a)"/>`+"\n", path, pale)
}

func (c *canvas) String() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" font-family="'DejaVu Sans', Verdana, 'Helvetica Neue', sans-serif" font-size="12" fill="%s">
<title>%s</title>
<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="%s"/></marker></defs>
<rect width="%d" height="%d" fill="%s"/>
%s</svg>
`, c.width, c.height, c.width, c.height, ink, html.EscapeString(c.title), pale, c.width, c.height, white, c.b.String())
}
