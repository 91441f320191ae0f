package security_test

import (
	"os"
	"testing"

	"github.com/lakemesh/lakemesh/internal/meshtest"
)

func TestMain(m *testing.M) { os.Exit(meshtest.Run(m)) }
