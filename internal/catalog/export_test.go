package catalog

// ReadInSegmentsAfter makes a catalog read so many pages of partitions before it
// reads the rest in segments.
func ReadInSegmentsAfter(c *Catalog, pages int) { c.pagesInRow = pages }
