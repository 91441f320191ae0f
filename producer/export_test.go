package producer

// InPortionsOf makes a producer publish so many tables at once.
func InPortionsOf(p *Producer, tables int) { p.portionSize = tables }

// Repeat is what watching is made of.
var Repeat = repeat
