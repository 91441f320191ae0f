package main

import (
	"fmt"

	"github.com/lakemesh/lakemesh"
)

// accounts shows what is in which account, and which way roles, metadata and rows go.
func accounts() string {
	const (
		producer, consumer = "111111111111", "999999999999"
		side, centre, gap  = 272, 334, 112
		left               = 20
		middle             = left + side + gap
		right              = middle + centre + gap
		box                = 56
	)
	wide := map[int]int{left: side, middle: centre, right: side}
	c := &canvas{width: right + side + 20, height: 560, title: "The accounts of a mesh, their roles, and what goes between them"}
	for _, a := range []struct {
		x          int
		fill, name string
	}{{left, owning, "producer " + producer}, {middle, central, "mesh 555555555555"}, {right, holding, "consumer " + consumer}} {
		c.rect(a.x, 16, wide[a.x], 528, a.fill)
		c.text(a.x+wide[a.x]/2, 40, "middle", `font-weight="bold" font-size="14"`, a.name)
	}
	at := func(row int) int { return 56 + row*70 }
	put := func(x, row int, heading, line string) {
		c.box(x+12, at(row), wide[x]-24, box, white, heading, line)
	}
	// over leads from one account to the next; what it says stands above it.
	over := func(from, row int, back bool, says string) {
		x1, x2, y := from+wide[from]-12, from+wide[from]+gap+10, at(row)+box/2
		if back {
			x1, x2 = x2+2, x1+2
		}
		c.arrow(fmt.Sprintf("M%d %dL%d %d", x1, y, x2, y))
		c.text(from+wide[from]+gap/2, y-7, "middle", `font-size="11"`, says)
	}
	put(left, 0, "Glue database aviation", "the tables, as their owner has them")
	put(middle, 0, "database aviation-"+producer, "a copy of the metadata")
	put(right, 0, "resource link to the database", "what queries of the consumer name")
	over(left, 0, false, "publish")
	over(middle, 0, false, "grant, share")

	put(left, 1, lakemesh.ProducerRole, "whom the producer's people open")
	put(middle, 1, lakemesh.MeshProducerRole(producer), "publishes, decides, grants")
	over(left, 1, false, "opens")

	put(middle, 2, lakemesh.MeshConsumerRole(consumer), "asks, and nothing else")
	put(right, 2, lakemesh.ConsumerRole, "whom the consumer's people open")
	over(middle, 2, true, "opens")

	put(middle, 3, lakemesh.ReadOnlyRole, "describes public metadata, for members")
	put(middle, 4, lakemesh.ManagerRole, "administers; for few people")
	put(middle, 5, "two tables of records", "requests; decisions, by owners alone")

	put(left, 6, "S3 bucket", "the data, which is never copied")
	put(middle, 6, lakemesh.DataAccessRole(producer), "reads for whoever was granted it")
	put(right, 6, "role Analyst", "reads rows, by Athena or Spark")
	over(left, 6, true, "reads")
	over(middle, 6, true, "asks for rows")
	return c.String()
}
