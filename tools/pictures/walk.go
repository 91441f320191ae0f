package main

import (
	"fmt"

	"github.com/lakemesh/lakemesh/internal/chain"
)

// walk shows the chain between a decision and a reader, as verify walks it.
func walk() string {
	links := []struct {
		link          chain.Link
		looks, whoses string
	}{
		{chain.Record, "what was decided, and is not half done", "all"},
		{chain.Filter, "columns and rows: the filter shows what was decided", "owner, admin"},
		{chain.Grant, "Lake Formation grants it, no more and no less", "owner, admin; consumer its own"},
		{chain.OptedIn, "in hybrid access mode: who is to read is opted in", "admin; consumer its own"},
		{chain.Schedule, "what ends has a schedule, if the mesh has schedules", "owner, admin"},
		{chain.Tag, "the copies carry the LF-tags that grants go by", "owner, admin"},
		{chain.Share, "a resource share carries it to the account", "owner, admin; consumer its own"},
		{chain.Invitation, "the account has accepted the share", "consumer"},
		{chain.ResourceLink, "the account has a link to the database", "consumer"},
		{chain.HandedOn, "the roles that are to read were given it", "consumer"},
		{chain.Location, "the place of the data is registered with a role", "owner, admin in part"},
		{chain.BucketPolicy, "the bucket lets this role read there", "owner"},
		{chain.KeyPolicy, "the key lets this role decrypt", "owner"},
		{chain.Metadata, "the copy is as its source", "owner, admin in part"},
		{chain.Partitions, "and so are its partitions", "owner"},
	}
	const high = 34
	c := &canvas{width: 860, height: 110 + len(links)*high + 34, title: "The chain that verify walks"}
	c.text(150, 36, "middle", `font-weight="bold" font-size="14"`, "a decision")
	c.text(290, 36, "start", `font-weight="bold"`, "what has to hold")
	c.text(650, 36, "start", `font-weight="bold"`, "who sees it")
	y := 52
	for i, l := range links {
		c.rect(70, y, 160, high-10, owning)
		c.text(150, y+16, "middle", "", string(l.link))
		c.text(290, y+16, "start", "", l.looks)
		c.text(650, y+16, "start", `fill="`+pale+`"`, l.whoses)
		if i < len(links)-1 {
			c.arrow(fmt.Sprintf("M150 %dL150 %d", y+high-10, y+high-1))
		}
		y += high
	}
	c.arrow(fmt.Sprintf("M150 %dL150 %d", y-10, y+8))
	c.text(150, y+26, "middle", `font-weight="bold" font-size="14"`, "a reader")
	c.text(290, y+26, "start", `fill="`+pale+`"`, "Beside it: the administrator looks at the mesh's setup,")
	c.text(290, y+43, "start", `fill="`+pale+`"`, "a consumer at the roles and users that were named.")
	c.text(20, y+70, "start", `fill="`+pale+`" font-size="11"`, "Each link that does not hold is a finding: missing, too much, or undecided. The exit code is 7 then.")
	return c.String()
}
