package producer

import "github.com/lakemesh/lakemesh/internal/chain"

// The verdicts of an explanation.
const (
	// VerdictCan is that every link holds.
	VerdictCan = chain.Can
	// VerdictInPart is that some columns or rows can be read, or not all partitions.
	VerdictInPart = chain.InPart
	// VerdictCannot is that a link is broken on every way.
	VerdictCannot = chain.Cannot
	// VerdictUntold is that nothing that is seen is broken on one way, and not all is seen.
	VerdictUntold = chain.Untold
)
