package meshtest

import (
	"os"
	"runtime/debug"
	"testing"
)

// Run runs the tests of a package that makes many meshes, for its TestMain. Their calls leave
// much behind that is needed no more, of which little is alive at any time: a fifth of the
// processors would be spent on looking for it. GOGC goes before it.
func Run(m *testing.M) int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	return m.Run()
}
