package identity_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/localmesh"
)

func TestAThrottledAPIIsUsedAtNearlyItsRate(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{5, 20, 200} {
		t.Run(fmt.Sprintf("%d a second", rate), func(t *testing.T) {
			t.Parallel()
			throttle(t, rate)
		})
	}
}

// throttle makes half a minute's worth of calls of an operation that is limited.
func throttle(t *testing.T, rate int) {
	calls, workers := 30*rate, 16
	synctest.Test(t, func(t *testing.T) {
		mesh := localmesh.Run(t)
		cfg := mesh.Config("arn:aws:iam::111111111111:role/Admin")
		caller, err := identity.Open(t.Context(), lakemesh.Options{MeshAccountID: "555555555555", Config: &cfg})
		if err != nil {
			t.Fatal(err)
		}
		mesh.SetRate("sts", "GetCallerIdentity", float64(rate))
		mesh.SetLatency(30 * time.Millisecond)
		client := sts.NewFromConfig(caller.Config)
		mesh.ResetCounts()
		begun := time.Now()
		var next atomic.Int32
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for int(next.Add(1)) <= calls {
					if _, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		took := time.Since(begun)
		got := float64(calls) / took.Seconds()
		t.Logf("%d calls in %s: %.1f a second of %d that are allowed, %d attempts", calls, took, got, rate, mesh.Calls())
		if got < 0.9*float64(rate) {
			t.Errorf("%.1f calls a second, want at least 90 %% of %d", got, rate)
		}
	})
}
