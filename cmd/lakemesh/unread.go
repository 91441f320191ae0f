package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/query"
)

// unread says of a table that a consumer may not read, or not see, that imports hand on to
// those alone whom they name: everybody else of the account is refused as if nothing had been
// imported. about is what the query is on.
func (a *app) unread(ctx context.Context, c *query.Client, as, about string, err error) error {
	known, ok := errors.AsType[*lakemesh.Error](err)
	if !ok || as == "producer" || !handsNothingOn(known) {
		return err
	}
	more := *known
	id, file := a.importedFrom(ctx, about)
	switch {
	case !file:
		more.Hint = strings.TrimPrefix(more.Hint+"; what was imported is read by those alone to whom it was handed on (--principals of its import)", "; ")
		return &more
	case id == "":
		return err
	}
	more.Hint = "what was imported is read by those alone to whom it was handed on; if " + c.Caller() + " is not among them, import it again"
	more.Do = []lakemesh.Call{lakemesh.Do("consumer.FinalizeSubscription", "SubscriptionID", id, "Principals", principalOf(c.Caller()))}
	return &more
}

// handsNothingOn reports whether an error is what Athena says to whom nothing was handed on.
func handsNothingOn(known *lakemesh.Error) bool {
	return errors.Is(known, lakemesh.ErrAccessDenied) || errors.Is(known, lakemesh.ErrNotFound) &&
		slices.ContainsFunc([]string{"no accessible columns", "TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND", "Database "}, func(part string) bool { return strings.Contains(known.Message, part) })
}

// importedFrom is the subscription that a query is on, if there is one: the last of those that
// were imported whose database and tables it names; and whether that can be known. Who asks Athena need not be the consumer of the
// mesh, whose role is not tried in vain.
func (a *app) importedFrom(ctx context.Context, about string) (id string, known bool) {
	file, err := a.credentialsFile(ctx)
	if err != nil || file == nil {
		return "", false
	}
	list, err := a.subscriptionsOf(ctx, lakemesh.ConsumerIdentity, lakemesh.Active)
	if err != nil {
		// It was only to be said more.
		return "", true
	}
	named := func(table string) bool { return strings.Contains(strings.ToLower(about), table) }
	var last lakemesh.Subscription
	for _, s := range list {
		if s.Database != "" && named(s.Database) && (len(s.Tables) == 0 || slices.ContainsFunc(s.Tables, named)) && s.Imported && !s.Scope.Direct() && (last.ID == "" || s.Created.After(last.Created)) {
			last = s
		}
	}
	return last.ID, true
}

// principalOf is what Lake Formation calls a caller. The ARN of a session does not hold the
// path of its role, which is left to whoever types it.
func principalOf(arn string) string {
	if strings.Contains(arn, ":assumed-role/") {
		return "ARN_OF_THE_ROLE"
	}
	return arn
}
