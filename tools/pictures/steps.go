package main

import "strings"

// steps shows who may see and read what after each step.
func steps() string {
	const (
		nothing  = "nothing"
		metadata = "metadata"
		rows     = "rows"
	)
	columns := []string{"the producer's own people", "every consumer, of a public product", "administrators of the asking account", "the role that is to read"}
	table := []struct {
		step  string
		cells [4]string
	}{
		{"before it is published", [4]string{rows, nothing, nothing, nothing}},
		{"product create", [4]string{rows, metadata, metadata, nothing}},
		{"request create", [4]string{rows, metadata, metadata, nothing}},
		{"request approve", [4]string{rows, metadata, "may hand on", nothing}},
		{"subscription import --principals", [4]string{rows, metadata, "may hand on", rows}},
		{"update to DESCRIBE, import again", [4]string{rows, metadata, "may hand on", metadata}},
		{"subscription delete", [4]string{rows, metadata, metadata, nothing}},
		{"product unpublish", [4]string{rows, nothing, nothing, nothing}},
	}
	fill := map[string]string{nothing: shut, metadata: owning, rows: holding, "may hand on": central}
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
		c.text(30, y+22, "start", "", r.step)
		for j, cell := range r.cells {
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
