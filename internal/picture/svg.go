package picture

import (
	"fmt"
	"html"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/lakemesh/lakemesh/internal/printable"
)

// Measures of a picture, in pixels. Texts are in a font whose letters are all of one width,
// so that it is known before it is drawn whether they fit.
const (
	fontSize = 12
	// letter is the width of one, rounded up: 0.602 of the size in most such fonts.
	letter    = 7.4
	rowHeight = 22
	boxHead   = 28
	boxGap    = 14
	padding   = 10
	margin    = 24
	leftWide  = 330
	between   = 170
	rightWide = 430
	width     = margin + leftWide + between + rightWide + margin
)

// colours of what there is to tell apart; each is told by a word or a dash as well.
const (
	ink     = "#1f2933"
	pale    = "#52606d"
	line    = "#829ab1"
	owning  = "#e3f0fb"
	holding = "#e8f5e9"
	border  = "#9fb3c8"
	wrong   = "#c0261c"
	amiss   = "#b35900"
)

// canvas collects a picture from top to bottom.
type canvas struct {
	strings.Builder
}

// SVG draws a view. Boxes on the left are owners with their products, those on the right are
// who holds something of them; each arrow ends at the line that says what.
func (v *View) SVG() string {
	var back, front canvas
	y := float64(margin + 16)
	front.text(margin, y, width-2*margin, v.Title, `font-weight="bold" font-size="15"`)
	y += 18
	for _, n := range v.Notes {
		for _, l := range wrap(n, letters(width-2*margin)) {
			y += 4
			front.text(margin, y+8, width-2*margin, l, `fill="`+pale+`"`)
			y += 14
		}
	}
	y += 22
	front.text(margin, y, leftWide, "who publishes", `fill="`+pale+`" font-style="italic"`)
	front.text(margin+leftWide+between, y, rightWide, "who holds what", `fill="`+pale+`" font-style="italic"`)
	top := y + 10
	right := float64(margin + leftWide + between)

	// The shorter column stands in the middle of the longer one, where most arrows begin.
	var left, held float64
	for _, o := range v.Owners {
		left += high(len(o.Products)) + boxGap
	}
	for _, h := range v.Holders {
		held += high(len(h.Accesses)) + boxGap
	}
	at := map[string]float64{}
	y = top + max(0, (held-left)/2)
	for _, o := range v.Owners {
		y = v.owner(&front, o, y, at) + boxGap
	}
	bottom := y
	y = top + max(0, (left-held)/2)
	for _, h := range v.Holders {
		y = v.holder(&front, h, y, func(a Access, end float64) {
			begin, ok := at[a.Product]
			if !ok {
				return
			}
			x1, x2 := float64(margin+leftWide), right-6
			fmt.Fprintf(&back, `<path d="M%.0f %.0f C%.0f %.0f %.0f %.0f %.0f %.0f" fill="none" %s/>`+"\n",
				x1, begin, x1+between/2, begin, x2-between/2, end, x2, end, stroke(a))
		}) + boxGap
	}
	bottom = max(bottom, y)
	if len(v.Owners) == 0 && len(v.Holders) == 0 {
		front.text(margin, bottom+14, width-2*margin, "no account is enabled, and nothing is published", "")
		bottom += 30
	}
	bottom = v.explained(&front, bottom+10)
	bottom = v.told(&front, bottom)

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%.0f" viewBox="0 0 %d %.0f" role="img" font-family="ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', 'Liberation Mono', monospace" font-size="%d" fill="%s">`+"\n",
		width, bottom, width, bottom, fontSize, ink)
	fmt.Fprintf(&b, "<title>%s</title>\n", escaped(v.Title))
	fmt.Fprintf(&b, `<defs>%s%s%s</defs>`+"\n", head("arrow", line), head("arrow-amiss", amiss), head("arrow-wrong", wrong))
	fmt.Fprintf(&b, `<rect width="%d" height="%.0f" fill="#ffffff"/>`+"\n", width, bottom)
	b.WriteString(back.String())
	b.WriteString(front.String())
	b.WriteString("</svg>\n")
	return b.String()
}

func head(id, colour string) string {
	return fmt.Sprintf(`<marker id="%s" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="%s"/></marker>`, id, colour)
}

// stroke is how an arrow is drawn: what was decided and is there as a line, what is there by
// hand dashed and thick, what is decided and not so dotted, what is asked for thin and dotted.
func stroke(a Access) string {
	switch {
	case a.ByHand:
		return `stroke="` + amiss + `" stroke-width="2.5" stroke-dasharray="10 5" marker-end="url(#arrow-amiss)"`
	case a.Drift || a.Missing:
		return `stroke="` + wrong + `" stroke-width="2" stroke-dasharray="2 4" marker-end="url(#arrow-wrong)"`
	case a.Pending:
		return `stroke="` + border + `" stroke-width="1.3" stroke-dasharray="1 4" marker-end="url(#arrow)"`
	}
	return `stroke="` + line + `" stroke-width="1.3" marker-end="url(#arrow)"`
}

func colour(a Access) string {
	switch {
	case a.ByHand:
		return amiss
	case a.Drift || a.Missing:
		return wrong
	case a.Pending:
		return pale
	}
	return ink
}

// owner draws the box of an owner and says at which height each of its products is.
func (v *View) owner(c *canvas, o Owner, y float64, at map[string]float64) float64 {
	height := high(len(o.Products))
	c.box(margin, y, leftWide, height, owning)
	c.text(margin+padding, y+18, leftWide-2*padding, o.Account.name()+role(o.Account, "producer"), `font-weight="bold"`)
	row := y + boxHead
	if len(o.Products) == 0 {
		c.text(margin+padding, row+15, leftWide-2*padding, "nothing published", `fill="`+pale+`"`)
	}
	for _, p := range o.Products {
		tail := ""
		if p.Tables > 0 {
			tail = counted(p.Tables, "table")
		}
		fill := ink
		if n := v.finds(p.Name); n > 0 {
			tail, fill = counted(n, "finding"), wrong
		}
		room := float64(leftWide-2*padding) - float64(len(tail)+2)*letter
		c.text(margin+padding, row+15, room, label(p.Name), `fill="`+fill+`"`)
		c.tail(margin+leftWide-padding, row+15, tail, fill)
		at[p.Name] = row + rowHeight/2
		row += rowHeight
	}
	return y + height
}

// high is how high a box with so many lines is; one without any says so in a line.
func high(rows int) float64 { return float64(boxHead + max(1, rows)*rowHeight + padding/2) }

// holder draws the box of one who holds something, and tells where each arrow ends.
func (v *View) holder(c *canvas, h Holder, y float64, arrow func(Access, float64)) float64 {
	x := float64(margin + leftWide + between)
	height := high(len(h.Accesses))
	c.box(x, y, rightWide, height, holding)
	c.text(x+padding, y+18, rightWide-2*padding, h.Account.name()+role(h.Account, "consumer"), `font-weight="bold"`)
	row := y + boxHead
	if len(h.Accesses) == 0 {
		c.text(x+padding, row+15, rightWide-2*padding, "holds nothing", `fill="`+pale+`"`)
	}
	for _, a := range h.Accesses {
		how := fit(a.how(), 26)
		room := letters(rightWide-2*padding) - ansi.StringWidth(how) - 2
		// The product can be shortened: its arrow leads to it.
		what := fit(a.what(), room/2)
		text := fit(label(a.Product), room-ansi.StringWidth(what)-1) + " " + what
		c.titled(x+padding, row+15, text, `fill="`+colour(a)+`"`, full(a))
		c.tail(x+rightWide-padding, row+15, how, colour(a))
		arrow(a, row+rowHeight/2)
		row += rowHeight
	}
	return y + height
}

// full is all that is known of an access, for who points at it.
func full(a Access) string {
	lines := []string{label(a.Product), strings.Join(a.Tables, ", "), a.how()}
	if len(a.Principals) > 0 {
		lines = append(lines, "for "+strings.Join(a.Principals, ", "))
	}
	for _, id := range a.Subscriptions {
		lines = append(lines, "subscription "+id)
	}
	return strings.Join(lines, "\n")
}

// role says what an account is besides what its place in the picture says.
func role(a Account, side string) string {
	switch {
	case !isAccount.MatchString(a.ID):
		return ""
	case a.Producer && a.Consumer:
		return " (producer and consumer)"
	}
	return " (" + side + ")"
}

// explained says what the kinds of arrows are.
func (v *View) explained(c *canvas, y float64) float64 {
	x := float64(margin)
	for _, k := range v.legend() {
		fmt.Fprintf(c, `<path d="M%.0f %.0fh34" fill="none" %s/>`+"\n", x, y+6, stroke(k.as))
		c.text(x+44, y+10, 300, k.text, `fill="`+pale+`"`)
		x += 44 + float64(len(k.text)+3)*letter
	}
	if v.Unasked {
		y += 20
		c.text(margin, y+10, width-2*margin, unasked, `fill="`+pale+`"`)
	}
	return y + 28
}

// told writes the findings out.
func (v *View) told(c *canvas, y float64) float64 {
	if len(v.Findings) == 0 {
		return y + 8
	}
	y += 18
	c.text(margin, y, width-2*margin, "Not as it was decided", `font-weight="bold" fill="`+wrong+`"`)
	for _, f := range v.Findings {
		y += 22
		c.text(margin, y, width-2*margin, f.Title+" (the "+f.Repairs+" repairs it)", `fill="`+wrong+`"`)
		for i, l := range wrap(f.What, letters(width-2*margin)-2) {
			if i == 2 {
				break
			}
			y += 16
			c.text(margin+2*letter, y, width-2*margin-2*letter, l, "")
		}
	}
	return y + margin
}

func (c *canvas) box(x, y, w, h float64, fill string) {
	fmt.Fprintf(c, `<rect x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="6" fill="%s" stroke="%s"/>`+"\n", x, y, w, h, fill, border)
}

// text writes a text that is cut to what there is room for; all of it is told to who points
// at it.
func (c *canvas) text(x, y, room float64, text, attributes string) {
	c.titled(x, y, fit(text, letters(room)), attributes, text)
}

func (c *canvas) titled(x, y float64, text, attributes, title string) {
	if attributes != "" {
		attributes = " " + attributes
	}
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f"%s>%s`, x, y, attributes, escaped(text))
	if title != text {
		fmt.Fprintf(c, "<title>%s</title>", html.EscapeString(printable.Text(title)))
	}
	c.WriteString("</text>\n")
}

// tail writes a text that ends at x.
func (c *canvas) tail(x, y float64, text, fill string) {
	if text != "" {
		fmt.Fprintf(c, `<text x="%.1f" y="%.1f" text-anchor="end" fill="%s">%s</text>`+"\n", x, y, fill, escaped(text))
	}
}

func escaped(text string) string { return html.EscapeString(printable.Line(text)) }

func letters(room float64) int { return int(room / letter) }

// fit cuts the middle out of a text that is too long: names differ at both of their ends.
func fit(text string, size int) string {
	text = printable.Line(text)
	have := ansi.StringWidth(text)
	if have <= size {
		return text
	}
	if size < 4 {
		return ansi.Truncate(text, max(size, 1), "…")
	}
	begin := size / 2
	return ansi.Truncate(text, begin, "") + "…" + ansi.TruncateLeft(text, have-(size-begin-1), "")
}

// wrap breaks a text between words; a word that is longer than a line is cut.
func wrap(text string, size int) []string {
	var lines []string
	for word := range strings.FieldsSeq(printable.Line(text)) {
		word = fit(word, size)
		if n := len(lines); n > 0 && ansi.StringWidth(lines[n-1])+1+ansi.StringWidth(word) <= size {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}
