package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
)

// watchEvery is how long a watch waits between two looks.
const watchEvery = 5 * time.Second

// watched is a line of a watch.
type watched struct {
	Time           string `json:"Time"`
	SubscriptionID string `json:"SubscriptionId"`
	Status         string `json:"Status"`
	// UnderWay is what is being done, and by whom; empty if nothing is.
	UnderWay string `json:"UnderWay,omitempty"`
	By       string `json:"By,omitempty"`
}

func (a *app) subscriptionWatch() *cobra.Command {
	var id subject
	var as string
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Tell what is under way, and each change, as it happens",
		Long: `Tells what is under way: requests that wait, decisions that somebody is carrying out,
consumers that are leaving; and then each change, until it is interrupted. With an id
it ends once nothing is under way any more on that subscription.`,
		Example: `  lakemesh subscription watch
  lakemesh subscription watch 7KqPzR2m --every 10s`,
	}
	cmd.RunE = a.do(func(ctx context.Context, args []string) error {
		if every < time.Second {
			return usageError{lakemesh.Invalid("--every", "at least 1s is expected")}
		}
		typed := id.id
		if len(args) > 0 || typed != "" {
			var err error
			if typed, err = id.get(args); err != nil {
				return err
			}
		}
		side, err := a.sideOf(ctx, as, typed, lakemesh.ProducerIdentity)
		if err != nil {
			return err
		}
		one := ""
		if typed != "" {
			if one, err = a.wholeID(ctx, typed, side); err != nil {
				return err
			}
		}
		return a.watch(ctx, side, one, every)
	})
	id.add(cmd, "subscription-id", "request-id")
	cmd.ValidArgsFunction = a.completeIDs(lakemesh.ProducerIdentity)
	cmd.Flags().DurationVar(&every, "every", watchEvery, "how long to wait between two looks")
	addAs(cmd, &as, "producer")
	return cmd
}

// watch looks again and again, and tells what has changed.
func (a *app) watch(ctx context.Context, side lakemesh.Identity, one string, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	seen := map[string]watched{}
	for first := true; ; first = false {
		list, err := a.subscriptionsOf(ctx, side)
		if ctx.Err() != nil {
			// Whoever watches ends it.
			return nil
		}
		if err != nil {
			return err
		}
		busy := false
		for _, s := range list {
			if one != "" && s.ID != one {
				continue
			}
			now := watchedOf(&s)
			busy = busy || now.UnderWay != ""
			before, known := seen[s.ID]
			seen[s.ID] = now
			if known && before == now || first && now.UnderWay == "" && one == "" {
				continue
			}
			now.Time = lakemesh.FormatTime(a.time())
			if err := a.tellWatched(now, before, known); err != nil {
				return err
			}
		}
		if one != "" && !busy {
			return nil
		}
		if first && one == "" && !busy {
			a.say("nothing is under way")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// watchedOf is what a watch tells of a subscription, without the time.
func watchedOf(s *lakemesh.Subscription) watched {
	w := watched{SubscriptionID: s.ID, Status: string(s.Status), By: s.UpdatedBy}
	switch {
	case s.Claim != nil:
		w.UnderWay, w.By = string(s.Claim.Action), s.Claim.By
	case s.Status == lakemesh.Pending:
		w.UnderWay, w.By = "waits for a decision", s.CreatedBy
	case s.Leaving:
		w.UnderWay = "leaving: waits to be settled"
	}
	return w
}

func (a *app) tellWatched(now, before watched, known bool) error {
	a.screen.done()
	if a.flags.output != "table" {
		// A line each: they come one after the other.
		text, err := json.Marshal(now)
		if err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
		fmt.Fprintln(a.out, string(text))
		return nil
	}
	status := now.Status
	if known && before.Status != now.Status {
		status = before.Status + " → " + now.Status
	}
	words := []string{now.Time, shortID(now.SubscriptionID), status}
	if now.UnderWay != "" {
		words = append(words, now.UnderWay)
	}
	if now.By != "" {
		words = append(words, "by "+briefly(now.By))
	}
	fmt.Fprintln(a.out, line("%s", strings.Join(words, "  ")))
	return nil
}
