package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/producer"
)

// shownID is how much of an id lists show: the beginning of its last part, which differs from
// subscription to subscription. It can be typed where an id is wanted.
const shownID = 8

// leastID is how much of an id has to be typed.
const leastID = 4

// shortIDs are the ids of a list as it shows them: as short as they can be told apart.
func shortIDs(ids []string) []string {
	length := shownID
	for {
		short := make([]string, len(ids))
		whole := map[string]string{}
		clash := false
		for i, id := range ids {
			tail := id[strings.LastIndexByte(id, '-')+1:]
			short[i] = tail[:min(length, len(tail))]
			clash = clash || whole[short[i]] != "" && whole[short[i]] != id
			whole[short[i]] = id
		}
		if !clash {
			return short
		}
		if length++; length > len(lakemesh.NewShortID()) {
			// Their accounts alone differ.
			return ids
		}
	}
}

// shortID is an id as a line of its own shows it.
func shortID(id string) string { return shortIDs([]string{id})[0] }

// shortPattern is what may be the beginning of an id's last part.
var shortPattern = regexp.MustCompile(`^[2-9A-HJ-NP-Za-kmnopq-z]+$`)

// wholeID is the id of a subscription that was typed whole, or as lists show it: any
// beginning of its last part that no other subscription has, of those that a side sees.
func (a *app) wholeID(ctx context.Context, typed string, side lakemesh.Identity) (string, error) {
	_, _, legacy, malformed := lakemesh.ParseSubscriptionID(typed)
	switch {
	case malformed == nil && !legacy:
		return typed, nil
	case malformed != nil && shortPattern.MatchString(typed) && len(typed) < leastID:
		return "", lakemesh.Invalid("subscription "+typed, "at least %d characters of an id's last part are expected", leastID)
	case malformed != nil && !shortPattern.MatchString(typed):
		return "", &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "subscription id",
			Message: fmt.Sprintf("%q is neither a whole id, <owner account>-<subscriber account>-<22 characters>, nor the beginning of its last part, in which small letters and capitals differ", typed),
			Hint:    "see them: lakemesh subscription list"}
	}
	// Those in any state: what begins like one that was withdrawn is not the one that was seen.
	list, err := a.subscriptionsOf(ctx, side)
	if err != nil {
		return "", a.partyOfShort(ctx, typed, side, err)
	}
	fitting := beginWith(list, typed)
	switch {
	case len(fitting) == 1:
		return fitting[0], nil
	case len(fitting) > 1:
		return "", &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "subscription " + typed,
			Message: "several begin so: " + strings.Join(fitting, ", "), Hint: "type more of the one that is meant"}
	case legacy:
		// An id of the original library is that short.
		return typed, nil
	}
	return "", &lakemesh.Error{Kind: lakemesh.ErrNotFound, Resource: "subscription " + typed, Message: "none begins so, of those that the " + strings.ToLower(string(side)) + " sees",
		Hint: "see them: lakemesh subscription list --as " + strings.ToLower(string(side))}
}

// wholeOrShown refuses a short id for a decision that nobody looks at: its beginning does not
// hold what was asked for, as the whole id does. A consumer can search for notes with which
// two of its requests begin alike, and put one in the place of the other.
func (a *app) wholeOrShown(typed, whole string, expect *string) error {
	shown := a.flags.dryRun || a.asking && !a.flags.yes || expect != nil && *expect != ""
	if typed == whole || shown {
		return nil
	}
	return usageError{&lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "subscription " + typed,
		Message: "the beginning of an id names a request, and does not hold what it asks for: where nobody is shown the plan the whole id is wanted, or --expect",
		Hint:    "look at it, and take the whole id: lakemesh subscription get " + typed}}
}

// beginWith are the ids whose last part begins so.
func beginWith(list []lakemesh.Subscription, typed string) []string {
	var ids []string
	for _, s := range list {
		if strings.HasPrefix(s.ID[strings.LastIndexByte(s.ID, '-')+1:], typed) && !slices.Contains(ids, s.ID) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// subscriptionsOf are the subscriptions that a side sees, in some states; in any if none is
// named.
func (a *app) subscriptionsOf(ctx context.Context, side lakemesh.Identity, statuses ...lakemesh.Status) ([]lakemesh.Subscription, error) {
	if side == lakemesh.ConsumerIdentity {
		c, err := a.consumer(ctx)
		if err != nil {
			return nil, err
		}
		if len(statuses) == 0 {
			statuses = consumer.AllStatuses()
		}
		out, err := c.ListProductAccess(ctx, consumer.ListInput{Statuses: statuses})
		if err != nil {
			return nil, err
		}
		return out.Subscriptions, nil
	}
	p, err := a.producer(ctx)
	if err != nil {
		return nil, err
	}
	var in producer.ListSubscriptionsInput
	if len(statuses) == 1 {
		in.Status = statuses[0]
	}
	out, err := p.ListSubscriptions(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(statuses) > 1 {
		out.Subscriptions = slices.DeleteFunc(out.Subscriptions, func(s lakemesh.Subscription) bool { return !slices.Contains(statuses, s.Status) })
	}
	return out.Subscriptions, nil
}
