package main

import "github.com/lakemesh/lakemesh"

// life shows the states of a subscription, and the commands that lead from one to another.
func life() string {
	c := &canvas{width: 1060, height: 390, title: "The life of a subscription"}
	c.box(190, 130, 170, 62, owning, string(lakemesh.Pending), "nothing is granted")
	c.box(520, 130, 190, 62, holding, string(lakemesh.Active), "what was decided is granted")
	c.box(890, 130, 150, 62, shut, string(lakemesh.Deleted), "the record stays")
	c.box(190, 300, 170, 62, shut, string(lakemesh.Denied), "nothing was granted")
	say := func(x, y int, anchor, command, who string) {
		c.text(x, y, anchor, `font-weight="bold" font-size="11"`, command)
		c.text(x, y+15, anchor, `fill="`+pale+`" font-size="11"`, who)
	}
	c.arrow("M20 161L186 161")
	say(100, 133, "middle", "request create", "the consumer")
	c.arrow("M360 161L516 161")
	say(438, 133, "middle", "request approve", "the owner")
	c.arrow("M275 192L275 296")
	say(285, 240, "start", "request deny", "the owner")
	c.arrow("M275 130C275 20 965 20 965 126")
	say(620, 20, "middle", "request cancel", "the consumer takes the request back")
	c.arrow("M710 161L886 161")
	say(798, 118, "middle", "subscription delete", "the owner; or expire,")
	c.text(798, 148, "middle", `fill="`+pale+`" font-size="11"`, "when its end has come")
	// What changes nothing of the state.
	c.arrow("M560 192C560 262 670 262 670 196")
	say(615, 268, "middle", "subscription import", "the consumer links it, and hands it on to its roles")
	say(615, 306, "middle", "subscription update", "the owner grants more or less, or moves the end")
	say(615, 344, "middle", "subscription delete --as consumer", "the consumer leaves; the owner's side settles it")
	return c.String()
}
