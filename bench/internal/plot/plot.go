// Package plot draws curves over logarithmic axes as SVG. The pictures have no
// background of their own and follow the reader's choice of light or dark.
package plot

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Chart is a picture of curves. Both axes are logarithmic.
type Chart struct {
	// Title stands above; X and Y say what the axes are.
	Title, X, Y string
	// Series are the curves, in the order of the legend.
	Series []Series
}

// Series is one curve.
type Series struct {
	// Name stands in the legend.
	Name string
	// Points are in the order of X. Those that are not above zero are left out: a
	// logarithmic axis has no place for them.
	Points []Point
	// Dashed curves are what others are held against. They have the colour of the
	// curve before them.
	Dashed bool
}

// Point is a measured point.
type Point struct{ X, Y float64 }

// The picture's measures.
const (
	width, height             = 790, 440
	left, right, top, bottom  = 70, 210, 44, 56
	tickLength, radius        = 5, 3
	lineHeight, legendMargin  = 20, 16
	plotWidth, plotHeight     = width - left - right, height - top - bottom
	legendX                   = width - right + legendMargin
	minorLength, swatch, base = 3, 24, 10
)

// colours can be told apart on white and on black.
var colours = [...]string{"#2f81f7", "#d97706", "#1a9f5a", "#b45bd9", "#dc3b4b", "#0f9fb0"}

const style = `text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}
.grid{stroke:#d0d7de;stroke-width:1}
.axis{stroke:#59636e;stroke-width:1;fill:none}
.curve{fill:none;stroke-width:2}
.least{fill:none;stroke-width:1.5;stroke-dasharray:5 4;opacity:.75}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#30363d}.axis{stroke:#9198a1}}`

// WriteSVG draws the chart.
func (c Chart) WriteSVG(to io.Writer) error {
	w := bufio.NewWriter(to)
	x, y := c.axes()
	x.pixels, x.origin = plotWidth, left
	y.pixels, y.origin = -plotHeight, top+plotHeight
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height, html.EscapeString(c.Title))
	fmt.Fprintf(w, "\n<style>%s</style>\n", style)
	fmt.Fprintf(w, `<text class="title" x="%d" y="24">%s</text>`+"\n", left, html.EscapeString(c.Title))
	for _, t := range x.ticks() {
		at := x.place(t.value)
		length := minorLength
		if t.label != "" {
			length = tickLength
			fmt.Fprintf(w, `<line class="grid" x1="%s" y1="%d" x2="%s" y2="%d"/>`+"\n", px(at), top, px(at), top+plotHeight)
			fmt.Fprintf(w, `<text x="%s" y="%d" text-anchor="middle">%s</text>`+"\n", px(at), top+plotHeight+lineHeight, t.label)
		}
		fmt.Fprintf(w, `<line class="axis" x1="%s" y1="%d" x2="%s" y2="%d"/>`+"\n", px(at), top+plotHeight, px(at), top+plotHeight+length)
	}
	for _, t := range y.ticks() {
		at := y.place(t.value)
		length := minorLength
		if t.label != "" {
			length = tickLength
			fmt.Fprintf(w, `<line class="grid" x1="%d" y1="%s" x2="%d" y2="%s"/>`+"\n", left, px(at), left+plotWidth, px(at))
			const gap, middle = 9, 4
			fmt.Fprintf(w, `<text x="%d" y="%s" text-anchor="end">%s</text>`+"\n", left-gap, px(at+middle), t.label)
		}
		fmt.Fprintf(w, `<line class="axis" x1="%d" y1="%s" x2="%d" y2="%s"/>`+"\n", left-length, px(at), left, px(at))
	}
	fmt.Fprintf(w, `<path class="axis" d="M%d %dV%dH%d"/>`+"\n", left, top, top+plotHeight, left+plotWidth)
	const under, beside = 14, 18
	fmt.Fprintf(w, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", left+plotWidth/2, height-under, html.EscapeString(c.X))
	fmt.Fprintf(w, `<text transform="translate(%d %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", beside, top+plotHeight/2, html.EscapeString(c.Y))
	c.curves(w, x, y)
	fmt.Fprintln(w, "</svg>")
	return w.Flush()
}

func (c Chart) curves(w io.Writer, x, y axis) {
	solid := -1
	for i, s := range c.Series {
		if !s.Dashed || solid < 0 {
			solid++
		}
		colour := colours[solid%len(colours)]
		class := "curve"
		if s.Dashed {
			class = "least"
		}
		var d strings.Builder
		for _, p := range s.Points {
			if !drawable(p) {
				continue
			}
			step := "L"
			if d.Len() == 0 {
				step = "M"
			}
			fmt.Fprintf(&d, "%s%s %s", step, px(x.place(p.X)), px(y.place(p.Y)))
			if !s.Dashed {
				fmt.Fprintf(w, `<circle cx="%s" cy="%s" r="%d" fill="%s"/>`+"\n", px(x.place(p.X)), px(y.place(p.Y)), radius, colour)
			}
		}
		if d.Len() > 0 {
			fmt.Fprintf(w, `<path class="%s" stroke="%s" d="%s"/>`+"\n", class, colour, d.String())
		}
		at := top + lineHeight/2 + i*lineHeight
		fmt.Fprintf(w, `<path class="%s" stroke="%s" d="M%d %dh%d"/>`+"\n", class, colour, legendX, at, swatch)
		const gap, middle = 8, 4
		fmt.Fprintf(w, `<text x="%d" y="%d">%s</text>`+"\n", legendX+swatch+gap, at+middle, html.EscapeString(s.Name))
	}
}

func drawable(p Point) bool { return p.X > 0 && p.Y > 0 }

// px is a length with as many digits as can be seen.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// axis is a logarithmic axis from one value to another.
type axis struct {
	from, to       float64
	origin, pixels float64
}

// axes are made to hold all points, with room to the next marks.
func (c Chart) axes() (x, y axis) {
	x, y = axis{from: math.Inf(1)}, axis{from: math.Inf(1)}
	for _, s := range c.Series {
		for _, p := range s.Points {
			if drawable(p) {
				x.hold(p.X)
				y.hold(p.Y)
			}
		}
	}
	return x.rounded(), y.rounded()
}

func (a *axis) hold(v float64) { a.from, a.to = min(a.from, v), max(a.to, v) }

// marks are where an axis may begin and end in a decade.
var marks = [...]float64{1, 2, 5, base}

// slack is for numbers that a computer cannot write exactly.
const slack = 1e-9

func (a axis) rounded() axis {
	if a.to == 0 {
		return axis{from: 1, to: base}
	}
	low := math.Pow(base, math.Floor(math.Log10(a.from)))
	high := math.Pow(base, math.Floor(math.Log10(a.to)))
	for _, m := range slices.Backward(marks[:]) {
		if low*m <= a.from*(1+slack) {
			a.from = low * m
			break
		}
	}
	for _, m := range marks {
		if high*m >= a.to*(1-slack) {
			a.to = high * m
			break
		}
	}
	if a.to <= a.from {
		a.to = a.from * base
	}
	return a
}

func (a axis) place(v float64) float64 {
	return a.origin + a.pixels*(math.Log10(v)-math.Log10(a.from))/(math.Log10(a.to)-math.Log10(a.from))
}

// tick is a mark of an axis. It has a label if it is a decade.
type tick struct {
	value float64
	label string
}

func (a axis) ticks() []tick {
	var all []tick
	for decade := math.Floor(math.Log10(a.from)); decade <= math.Ceil(math.Log10(a.to)); decade++ {
		for m := 1; m < base; m++ {
			v := float64(m) * math.Pow(base, decade)
			if v < a.from*(1-slack) || v > a.to*(1+slack) {
				continue
			}
			t := tick{value: v}
			if m == 1 {
				t.label = label(v)
			}
			all = append(all, t)
		}
	}
	return all
}

// label writes a number shortly: 0.1, 10, 1k, 10M.
func label(v float64) string {
	const thousand, million = 1e3, 1e6
	switch {
	case v >= million:
		return number(v/million) + "M"
	case v >= thousand:
		return number(v/thousand) + "k"
	}
	return number(v)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
