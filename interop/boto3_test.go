package interop

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh"
)

// What boto3 sees of each service: python/boto3_checks.py says what it expects.
func TestBoto3(t *testing.T) {
	t.Parallel()
	python := installed(t, "clients", "python")
	m := start(t)
	out, log, code, err := run(t.Context(), 5*time.Minute, m.environment(lakemesh.MeshIdentity), python, "python/boto3_checks.py")
	t.Logf("%s%s", out, log)
	if err != nil || code != 0 {
		t.Fatalf("exit code %d, %v", code, err)
	}
	counts := regexp.MustCompile(`(?m)^(\d+) passed, 0 failed, of which (\d+) expect an error$`).FindStringSubmatch(out)
	if counts == nil {
		t.Fatal("no count of the checks")
	}
	passed, _ := strconv.Atoi(counts[1])
	errors, _ := strconv.Atoi(counts[2])
	if passed < 200 || 2*errors < passed {
		t.Errorf("%d checks, %d of which expect an error; want 200, half of which do", passed, errors)
	}
}
