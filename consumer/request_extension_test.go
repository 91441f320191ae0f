package consumer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/producer"
)

// How much longer is counted from the end that there is, and from now where that has passed
// or somebody ended it early.
func TestHowMuchLongerIsCountedFromTheEndThatThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const day = 24 * time.Hour
	end := time.Now().UTC().Add(30 * day).Truncate(time.Second)
	out, err := w.consumer.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database,
		Tables: []string{"orders"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Until: end})
	w.must(err)
	id := out.SubscriptionID
	w.approve(id)
	asked := func(in consumer.ExtensionInput) string {
		t.Helper()
		in.SubscriptionID = id
		out, err := w.consumer.RequestExtension(t.Context(), in)
		w.must(err)
		s, err := w.consumer.GetSubscription(t.Context(), out.SubscriptionID)
		w.must(err)
		if lakemesh.FormatTime(s.RequestedUntil) != out.Until {
			t.Errorf("it says %s, and asks until %s", out.Until, s.RequestedUntil)
		}
		return out.Until
	}
	if got, want := asked(consumer.ExtensionInput{For: 90 * day}), lakemesh.FormatTime(end.Add(90*day)); got != want {
		t.Errorf("90 days more end on %s, want %s", got, want)
	}
	if got, want := asked(consumer.ExtensionInput{For: time.Minute}), lakemesh.FormatTime(end.Add(time.Minute)); got != want {
		t.Errorf("a minute more ends at %s, want %s", got, want)
	}
	for _, in := range []consumer.ExtensionInput{{SubscriptionID: id, For: -day}, {SubscriptionID: id, For: day, Until: end.Add(day)}} {
		if _, err := w.consumer.RequestExtension(t.Context(), in); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%+v: %v", in, err)
		}
	}
	w.must(w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id}))
	last := time.Now().UTC().Add(7 * day)
	if got, want := asked(consumer.ExtensionInput{For: 7 * day}), last.Format("2006-01-02")+" 23:59:59"; got != want {
		t.Errorf("7 days after an early end are until %s, want %s", got, want)
	}
}
