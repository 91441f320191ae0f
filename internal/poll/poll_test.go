package poll_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakemesh/lakemesh/internal/poll"
)

// A role is made, and is visible only at the third look.
func ExampleUntil() {
	looks := 0
	err := poll.Until(context.Background(), time.Minute, "role DataMeshManager to be visible", func(context.Context) (bool, error) {
		looks++
		return looks == 3, nil
	})
	fmt.Println(looks, err)
	// Output: 3 <nil>
}

func TestUntilReturnsAtOnceWhenDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if err := poll.Until(t.Context(), time.Minute, "x", func(context.Context) (bool, error) { return true, nil }); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begun); d != 0 {
			t.Errorf("waited %s", d)
		}
	})
}

func TestUntilSaysWhatItWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("refused")
		looks := 0
		err := poll.Until(t.Context(), time.Minute, "the role to be visible", func(context.Context) (bool, error) {
			looks++
			return false, poll.NotYet(refused)
		})
		var timeout *poll.TimeoutError
		if !errors.As(err, &timeout) || !errors.Is(err, refused) || !strings.Contains(err.Error(), "the role to be visible: refused") {
			t.Fatalf("got %v", err)
		}
		if timeout.Waited != time.Minute {
			t.Errorf("waited %s, want exactly the limit", timeout.Waited)
		}
		if looks < 10 || looks > 60 {
			t.Errorf("looked %d times in a minute", looks)
		}
	})
}

func TestUntilStopsAtAnErrorThatStays(t *testing.T) {
	t.Parallel()
	fatal := errors.New("fatal")
	looks := 0
	err := poll.Until(t.Context(), time.Minute, "x", func(context.Context) (bool, error) { looks++; return false, fatal })
	if !errors.Is(err, fatal) || looks != 1 {
		t.Errorf("got %v after %d looks", err, looks)
	}
}

func TestUntilEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("stopped by the user")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(stopped) })
		begun := time.Now()
		err := poll.Until(ctx, time.Hour, "the share", func(context.Context) (bool, error) { return false, nil })
		if !errors.Is(err, stopped) || !strings.Contains(err.Error(), "the share") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begun); d != 3*time.Second {
			t.Errorf("ended after %s", d)
		}
	})
}
