package main

import "strings"

// What somebody may do with a table.
const (
	nothing  = "nothing"
	metadata = "metadata"
	rows     = "rows"
	handOn   = "may hand on"
)

// step is what everybody may do after a step.
type step struct {
	name string
	// producer are the producer's own people, everybody is every consumer of a public
	// product, asking are the administrators of the account that asks, and reader is the role
	// that is to read.
	producer, everybody, asking, reader string
}

// lifeOfATable is who may do what with a table, step by step. A test lives it.
func lifeOfATable() []step {
	return []step{
		{"before it is published", rows, nothing, nothing, nothing},
		{"product create", rows, metadata, metadata, nothing},
		{"request create", rows, metadata, metadata, nothing},
		{"request approve", rows, metadata, handOn, nothing},
		{"subscription import --principals", rows, metadata, handOn, rows},
		{"update to DESCRIBE, import again", rows, metadata, handOn, metadata},
		{"subscription delete", rows, metadata, metadata, nothing},
		{"product unpublish", rows, nothing, nothing, nothing},
	}
}

// steps shows who may see and read what after each step.
func steps() string {
	columns := []string{"the producer's own people", "every consumer, of a public product", "administrators of the asking account", "the role that is to read"}
	table := lifeOfATable()
	fill := map[string]string{nothing: shut, metadata: owning, rows: holding, handOn: central}
	const (
		first, wide = 260, 190
		head, high  = 64, 34
	)
	c := &canvas{width: 20 + first + 4*wide + 20, height: 20 + head + len(table)*high + 54, title: "Who may see and read what after each step"}
	c.text(30, 20+head-12, "start", `font-weight="bold"`, "after")
	for i, name := range columns {
		for j, l := range broken(name, wide-16) {
			c.text(20+first+i*wide+wide/2, 40+j*16, "middle", `font-weight="bold"`, l)
		}
	}
	for i, r := range table {
		y := 20 + head + i*high
		c.text(30, y+22, "start", "", r.name)
		for j, cell := range []string{r.producer, r.everybody, r.asking, r.reader} {
			c.rect(20+first+j*wide+3, y+3, wide-6, high-6, fill[cell])
			c.text(20+first+j*wide+wide/2, y+22, "middle", "", cell)
		}
	}
	y := 20 + head + len(table)*high
	c.text(30, y+24, "start", `fill="`+pale+`" font-size="11"`, "Of a private product (--create-public-metadata=false) no consumer sees the metadata before the approval.")
	c.text(30, y+41, "start", `fill="`+pale+`" font-size="11"`, "Who may hand on can grant it to a role of the own account, itself too. Who had rows keeps what was read until then.")
	return c.String()
}

// broken breaks a text between words.
func broken(text string, wide int) []string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && float64(len(line)+1+len(w))*letter*1.12 > float64(wide) {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(lines, line)
}
