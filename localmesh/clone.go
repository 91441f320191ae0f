package localmesh

import (
	"errors"
	"fmt"

	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// Clone starts a mesh in memory that begins as this one is now; neither sees what
// happens in the other from then on. A clone of a mesh in memory costs little, so
// that many tests can begin with a state that was expensive to make.
//
// A clone has the options of its original as opts change them. Planned faults,
// counts, delays and rates are not copied, and what was on its way to be known in
// the original is known in the clone. Credentials of the original are valid
// in the clone, but the configurations that [Mesh.Config] made talk to the original.
func (m *Mesh) Clone(opts ...Option) (*Mesh, error) {
	s, err := store.Copy(m.engine.Store)
	if err != nil {
		return nil, fmt.Errorf("clone the local mesh: %w", err)
	}
	inherited := m.options
	// With the original's seed the clone would hand out identifiers a second time.
	inherited.seed = 0
	clone := start(s, append([]Option{func(o *options) { *o = inherited }}, opts...))
	clone.engine.LearnFrom(m.engine)
	if err := samePartition(m.Region(), clone.Region()); err != nil {
		return nil, errors.Join(fmt.Errorf("clone the local mesh: %w", err), clone.Close())
	}
	return clone, nil
}
