package localmesh

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// Skewed is a configuration of the mesh for a program whose clock goes ahead of the
// mesh's by a duration, or behind it by a negative one. What the program signs is too
// old or too new for the mesh, which refuses it as AWS does and tells its own time, so
// that a client that corrects for the difference, as the SDK does, gets through with
// its second try. What the program itself takes for the time is its own affair.
func (m *Mesh) Skewed(cfg aws.Config, by time.Duration) aws.Config {
	cfg.HTTPClient = engine.Skewed{Mesh: m.engine, By: by}
	return cfg
}
