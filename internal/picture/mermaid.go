package picture

import (
	"fmt"
	"strings"

	"github.com/lakemesh/lakemesh/internal/printable"
)

// Mermaid writes a view as a flowchart of Mermaid, for a page or a forge that draws it.
func (v *View) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	fmt.Fprintf(&b, "  %%%% %s\n", quoted(v.Title))
	for i, n := range v.Notes {
		fmt.Fprintf(&b, "  note%d[/\"%s\"/]\n", i+1, quoted(n))
	}
	products := map[string]string{}
	for i, o := range v.Owners {
		fmt.Fprintf(&b, "  subgraph owner%d[\"%s\"]\n", i+1, quoted(o.Account.name()+role(o.Account, "producer")))
		if len(o.Products) == 0 {
			fmt.Fprintf(&b, "    empty%d[\"nothing published\"]\n", i+1)
		}
		for _, p := range o.Products {
			id := fmt.Sprintf("product%d", len(products)+1)
			products[p.Name] = id
			class, more := "", ""
			if n := v.finds(p.Name); n > 0 {
				class, more = ":::wrong", "<br/>"+counted(n, "finding")
			} else if p.Tables > 0 {
				more = "<br/>" + counted(p.Tables, "table")
			}
			fmt.Fprintf(&b, "    %s[\"%s%s\"]%s\n", id, quoted(label(p.Name)), more, class)
		}
		b.WriteString("  end\n")
	}
	for i, h := range v.Holders {
		fmt.Fprintf(&b, "  holder%d([\"%s\"])\n", i+1, quoted(h.Account.name()+role(h.Account, "consumer")))
	}
	arrows := 0
	styles := map[string][]string{}
	for i, h := range v.Holders {
		for _, a := range h.Accesses {
			id, ok := products[a.Product]
			if !ok {
				continue
			}
			arrow := "-->"
			if a.Pending || urgency(a) > 0 {
				arrow = "-.->"
			}
			switch {
			case a.ByHand:
				styles[amiss] = append(styles[amiss], fmt.Sprint(arrows))
			case urgency(a) > 0:
				styles[wrong] = append(styles[wrong], fmt.Sprint(arrows))
			case a.Pending:
				styles[border] = append(styles[border], fmt.Sprint(arrows))
			}
			fmt.Fprintf(&b, "  %s %s|\"%s<br/>%s\"| holder%d\n", id, arrow, quoted(a.what()), quoted(a.how()), i+1)
			arrows++
		}
	}
	if len(v.Owners) == 0 && len(v.Holders) == 0 {
		b.WriteString("  nothing[\"no account is enabled, and nothing is published\"]\n")
	}
	b.WriteString("  classDef wrong stroke:" + wrong + ",color:" + wrong + "\n")
	for _, colour := range []string{wrong, amiss, border} {
		if len(styles[colour]) > 0 {
			fmt.Fprintf(&b, "  linkStyle %s stroke:%s\n", strings.Join(styles[colour], ","), colour)
		}
	}
	v.mermaidLegend(&b)
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "  %%%% %s: %s\n", quoted(f.Title), quoted(f.What))
	}
	return b.String()
}

// mermaidLegend says what the kinds of arrows are, where there are several or some are left out.
func (v *View) mermaidLegend(b *strings.Builder) {
	looks := map[kind]string{decided: "a line", pending: "grey dots", byHand: "amber dashes"}
	var lines []string
	for _, k := range v.legend() {
		look := looks[k.as.kind()]
		if k.as.Drift {
			look = "red dots"
		}
		lines = append(lines, quoted(look+": "+k.text))
	}
	if len(lines) == 1 {
		lines = nil
	}
	if v.Unasked {
		lines = append(lines, quoted(unasked))
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "  legend[/\"%s\"/]\n", strings.Join(lines, "<br/>"))
	}
}

// quoted writes a text so that Mermaid takes nothing in it for its own words, nor a browser
// for a tag: what is not plain is written as Mermaid's entity of its number.
func quoted(text string) string {
	var b strings.Builder
	for _, r := range printable.Line(text) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" _.,:*+-/()=", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
