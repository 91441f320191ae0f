package producer_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakemesh/lakemesh/producer"
)

func TestRepeatDoesItAtOnceAndOnceAnInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var at []time.Duration
		err := producer.Repeat(ctx, time.Minute, func(context.Context) {
			at = append(at, time.Since(began))
			if len(at) == 2 {
				// It takes longer than the interval: the next one is not begun meanwhile.
				time.Sleep(90 * time.Second)
			}
			if len(at) == 4 {
				cancel()
			}
		})
		want := []time.Duration{0, time.Minute, 150 * time.Second, 3 * time.Minute}
		if err == nil || len(at) != len(want) {
			t.Fatalf("done at %v, %v", at, err)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("done at %v, want %v", at, want)
			}
		}
	})
}
