package resilience_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/lakemesh/lakemesh/internal/meshtest"
)

// asChild names what a process that a test started is to do.
const asChild = "LAKEMESH_RESILIENCE_CHILD"

// TestMain is the beginning of the processes that tests start and kill, too.
func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(asChild) {
	case "":
		os.Exit(meshtest.Run(m))
	case childOperates:
		err = operate()
	case childServes:
		err = serve()
	default:
		err = fmt.Errorf("%s=%q", asChild, os.Getenv(asChild))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
