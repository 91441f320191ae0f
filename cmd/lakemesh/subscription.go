package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) subscriptionCommand() *cobra.Command {
	return group("subscription", "See, import, change and end subscriptions",
		a.subscriptionList(lakemesh.ProducerIdentity), a.subscriptionGet(), a.subscriptionUpdate(), a.subscriptionDelete(), a.subscriptionImport(),
		a.subscriptionSettle(), a.subscriptionTidy(), a.subscriptionAbort(), a.subscriptionWatch())
}

// subscriptionList lists as the side that is the default for the command's name.
func (a *app) subscriptionList(otherwise lakemesh.Identity) *cobra.Command {
	var as string
	var statuses []string
	var soon time.Duration
	var shown listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List subscriptions, as their owner or as their subscriber",
		Args:  cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			wanted, err := parseStatuses(statuses)
			if err != nil {
				return err
			}
			side, err := a.side(ctx, as, otherwise)
			if err != nil {
				return err
			}
			if side == lakemesh.ConsumerIdentity {
				return a.listAsConsumer(ctx, shown, wanted, soon)
			}
			p, err := a.producer(ctx)
			if err != nil {
				return err
			}
			var in producer.ListSubscriptionsInput
			if len(wanted) == 1 {
				in.Status = wanted[0]
			}
			out, err := p.ListSubscriptions(ctx, in)
			if err != nil {
				return err
			}
			if len(wanted) > 1 {
				out.Subscriptions = slices.DeleteFunc(out.Subscriptions, func(s lakemesh.Subscription) bool { return !slices.Contains(wanted, s.Status) })
			}
			inOrder(out.Subscriptions)
			if soon > 0 {
				out.Subscriptions = endingWithin(out.Subscriptions, a.time(), soon)
			}
			return a.show(out, func() { a.printSubscriptions(shown, "subscriptions", side, out.Subscriptions) })
		}),
	}
	cmd.Flags().Var(&spanFlag{span: &soon}, "ending-within", "only those that end within 30d, 12w or 36h from now on, or are over, the next first")
	cmd.Flags().Var(list{values: &statuses}, "status", "only these states: Pending, Active, Denied, Deleted (default: all)")
	must(cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions([]string{"Pending", "Active", "Denied", "Deleted"}, cobra.ShellCompDirectiveNoFileComp)))
	shown.add(cmd)
	addAs(cmd, &as, strings.ToLower(string(otherwise)))
	return cmd
}

func parseStatuses(names []string) ([]lakemesh.Status, error) {
	all := consumer.AllStatuses()
	if len(names) == 0 {
		return all, nil
	}
	var wanted []lakemesh.Status
	for _, n := range names {
		i := slices.IndexFunc(all, func(s lakemesh.Status) bool { return strings.EqualFold(string(s), n) })
		if i < 0 {
			return nil, lakemesh.Invalid("--status", "%q is not a state of a subscription; the states are %v", n, all)
		}
		wanted = append(wanted, all[i])
	}
	return wanted, nil
}

func (a *app) listAsConsumer(ctx context.Context, shown listFlags, statuses []lakemesh.Status, soon time.Duration) error {
	c, err := a.consumer(ctx)
	if err != nil {
		return err
	}
	out, err := c.ListProductAccess(ctx, consumer.ListInput{Statuses: statuses})
	if err != nil {
		return err
	}
	inOrder(out.Subscriptions)
	if soon > 0 {
		out.Subscriptions = endingWithin(out.Subscriptions, a.time(), soon)
	}
	return a.show(out, func() { a.printSubscriptions(shown, "subscriptions", lakemesh.ConsumerIdentity, out.Subscriptions) })
}

func (a *app) printSubscriptions(f listFlags, what string, side lakemesh.Identity, list []lakemesh.Subscription) {
	other := "CONSUMER"
	if side == lakemesh.ConsumerIdentity {
		other = "OWNER"
	}
	l := listing{what: what,
		headers:     []string{"ID", "STATUS", other, "DATABASE", "TABLES", "ACCESS", "UNTIL", "AGE"},
		wideHeaders: []string{"SUBSCRIPTION", "STATUS", "DATABASE", "TABLES", "PERMISSIONS", "UNTIL", "OWNER", "SUBSCRIBER", "IMPORTED"}}
	ids := make([]string, len(list))
	for i, s := range list {
		ids[i] = s.ID
	}
	ids = shortIDs(ids)
	for i, s := range list {
		permissions, until := s.Permitted.Strings(), s.Until
		if s.Status == lakemesh.Pending {
			permissions, until = s.Requested.Strings(), s.RequestedUntil
		}
		status, with := statusText(&s), s.Subscriber
		if side == lakemesh.ConsumerIdentity {
			with = s.Owner
		}
		first := tablesText(&s)
		if !s.Group.IsZero() {
			first = shortGroup(s.Group)
		}
		if s.Group.IsZero() && !s.TablesUnknown {
			first = firstOf(s.Tables, tableNames(nil))
		}
		mark := ""
		if s.Status == lakemesh.Active && !s.Imported {
			mark, l.note = "*", "* not imported yet, or not as it is now"
		}
		l.rows = append(l.rows, []string{ids[i], status + mark, with, orDash(s.Database), first + narrowedText(&s), permissionsText(permissions), dayOf(until), age(s.Created, a.time())})
		l.wideRows = append(l.wideRows, []string{s.ID, status, orDash(s.Database), tablesText(&s) + narrowedText(&s), orDash(strings.Join(permissions, ",")), orDash(endText(&s)), s.Owner, s.Subscriber,
			choose(s.Status == lakemesh.Active, choose(s.Imported, "yes", "no"), "-")})
	}
	l.headers, l.rows = without(l.headers, l.rows, "UNTIL", orDash(""))
	l.wideHeaders, l.wideRows = without(l.wideHeaders, l.wideRows, "UNTIL", orDash(""))
	a.printListing(f, l)
}

func statusText(s *lakemesh.Subscription) string {
	switch {
	case s.Tampered != "":
		return string(s.Status) + " (tampered)"
	case s.Leaving:
		return string(s.Status) + " (leaving)"
	case s.Over:
		return string(s.Status) + " (over)"
	case s.Claim != nil:
		return fmt.Sprintf("%s (%s under way)", s.Status, s.Claim.Action)
	}
	return string(s.Status)
}

func (a *app) subscriptionGet() *cobra.Command {
	var id subject
	var as string
	cmd := &cobra.Command{
		Use:   "get",
		Short: "Show a subscription with its history",
	}
	cmd.RunE = a.do(func(ctx context.Context, args []string) error {
		typed, err := id.get(args)
		if err != nil {
			return err
		}
		side, err := a.sideOf(ctx, as, typed, lakemesh.ProducerIdentity)
		if err != nil {
			return err
		}
		id, err := a.wholeID(ctx, typed, side)
		if err != nil {
			return err
		}
		var s *lakemesh.Subscription
		if side == lakemesh.ConsumerIdentity {
			c, openErr := a.consumer(ctx)
			if openErr != nil {
				return openErr
			}
			s, err = c.GetSubscription(ctx, id)
		} else {
			p, openErr := a.producer(ctx)
			if openErr != nil {
				return openErr
			}
			s, err = p.GetSubscription(ctx, id)
		}
		if err != nil {
			return err
		}
		return a.show(s, func() { fmt.Fprint(a.out, renderSubscription(s, a.width)) })
	})
	id.add(cmd, "subscription-id", "request-id")
	cmd.ValidArgsFunction = a.completeIDs(lakemesh.ProducerIdentity)
	addAs(cmd, &as, "producer")
	return cmd
}

func renderSubscription(s *lakemesh.Subscription, width int) string {
	text := renderFactsIn(width,
		fact{"subscription", s.ID}, fact{"status", statusText(s)}, fact{"tampered", s.Tampered},
		fact{"owner", s.Owner}, fact{"subscriber", s.Subscriber}, fact{"database", s.Database}, fact{"tables", tablesText(s)},
		fact{"asked as", strings.Join(s.Expressions, ",")},
		fact{"requested", strings.Join(s.Requested.Strings(), ",")}, fact{"permitted", strings.Join(s.Permitted.Strings(), ",")},
		fact{"grantable", strings.Join(s.Grantable.Strings(), ",")}, fact{"imported", choose(s.Imported, "yes", choose(s.Status == lakemesh.Active, "no", ""))},
		fact{"asked only", s.RequestedScope.String()}, fact{"given only", s.Scope.String()},
		fact{"linked in regions", strings.Join(s.LinkRegions, ", ")},
		fact{"asked until", lakemesh.FormatTime(s.RequestedUntil)}, fact{"until", lakemesh.FormatTime(s.Until)},
		fact{"created", lakemesh.FormatTime(s.Created) + " by " + s.CreatedBy}, fact{"updated", strings.TrimSuffix(lakemesh.FormatTime(s.Updated)+" by "+s.UpdatedBy, " by ")},
		fact{"notes", s.Notes}, fact{"history", historyText(s)})
	if len(s.History) == 0 {
		return text
	}
	return text + "\n" + renderHistory(s.History, width)
}

// historyText says whether the history is what it was when it was written.
func historyText(s *lakemesh.Subscription) string {
	switch {
	case s.HistoryFault != nil:
		return s.HistoryFault.String()
	case len(s.History) == 0:
		return ""
	}
	return "holds"
}

func renderHistory(events []lakemesh.Event, width int) string {
	rows := make([][]string, len(events))
	for i, e := range events {
		change := string(e.To)
		if e.From != "" && e.From != e.To {
			change = string(e.From) + " → " + string(e.To)
		}
		held := orDash(strings.Join(e.Permissions.Strings(), ","))
		if !e.Scope.IsZero() {
			held += " (" + e.Scope.String() + ")"
		}
		rows[i] = []string{lakemesh.FormatTime(e.At), string(e.Action), change, held, e.By, e.Reason}
	}
	headers := []string{"TIME (UTC)", "ACTION", "STATUS", "PERMISSIONS", "BY", "REASON"}
	whole := renderTable(headers, rows)
	if width == 0 || lipgloss.Width(whole) <= width {
		return whole
	}
	return renderBlocks(headers, rows, width)
}

func (a *app) subscriptionUpdate() *cobra.Command {
	var in producer.UpdateInput
	var end ending
	var scope narrowing
	cmd := changing(a, change[*producer.Producer]{
		use: "update", short: "Set the permissions of an active subscription (producer)",
		flag: "subscription-id", other: "request-id", id: &in.SubscriptionID,
		who: lakemesh.ProducerIdentity, on: []lakemesh.Status{lakemesh.Active}, open: a.producer, expect: &in.Expect,
		asks: func(ctx context.Context, p *producer.Producer, todo *plan.Plan) (bool, error) {
			s, err := p.GetSubscription(ctx, in.SubscriptionID)
			if err != nil {
				return false, err
			}
			in.Until, in.Scope = end.named(), scope.named()
			more, err := grantsMore(s, in, todo)
			if more || err != nil {
				return more, err
			}
			return leavesLess(s, in, todo)
		},
		takes: func(ctx context.Context, p *producer.Producer, todo *plan.Plan) (bool, error) {
			in.Until, in.Scope = end.named(), scope.named()
			s, err := p.GetSubscription(ctx, in.SubscriptionID)
			if err != nil {
				return false, err
			}
			return leavesLess(s, in, todo)
		},
		about: func(ctx context.Context, p *producer.Producer) (string, error) {
			s, err := p.GetSubscription(ctx, in.SubscriptionID)
			if err != nil {
				return "", err
			}
			in.Until, in.Scope = end.named(), scope.named()
			return renderUpdate(s, in)
		},
		plan: func(ctx context.Context, p *producer.Producer) (*plan.Plan, error) {
			in.Until, in.Scope = end.named(), scope.named()
			return p.PlanUpdateSubscriptionPermissions(ctx, in)
		},
		do: func(ctx context.Context, p *producer.Producer) error {
			in.Until, in.Scope = end.named(), scope.named()
			before, err := p.GetSubscription(ctx, in.SubscriptionID)
			if err != nil {
				return err
			}
			if err := p.UpdateSubscriptionPermissions(ctx, in); err != nil {
				return err
			}
			after, err := p.GetSubscription(ctx, in.SubscriptionID)
			if err != nil {
				return err
			}
			if len(after.History) == len(before.History) {
				a.say("nothing to do: %s is so already", in.SubscriptionID)
				return nil
			}
			a.say("updated %s", in.SubscriptionID)
			if !after.Imported {
				a.next("the consumer imports it again: lakemesh subscription import %s", in.SubscriptionID)
			}
			return nil
		},
	})
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(list{values: &in.GrantPermissions}, "grant-permissions", "the permissions that hold afterwards (default: those that hold)")
	f.Var(list{values: &in.GrantablePermissions, none: true}, "grantable-permissions", "what the consumer may grant on afterwards; none for nothing (default: all that are granted, or what it may)")
	addNarrowing(cmd, &scope, "default: as it is")
	a.addEnd(cmd, &end, true, "as before")
	f.StringVar(&in.Notes, "notes", "", "a note about the change")
	must(cmd.RegisterFlagCompletionFunc("grant-permissions", completePermissions))
	must(cmd.RegisterFlagCompletionFunc("grantable-permissions", completePermissions))
	return cmd
}

func (a *app) subscriptionDelete() *cobra.Command {
	var id subject
	var reason, as, expect string
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "End a subscription: as its owner, or leave it as its subscriber",
		Long: `As the producer: takes away everything that this subscription alone justified, and
keeps its record. As the consumer: ends the access of everybody in its account; the
producer's side is told, and finishes with "lakemesh subscription settle".`,
	}
	cmd.RunE = a.do(func(ctx context.Context, args []string) error {
		typed, err := id.get(args)
		if err != nil {
			return err
		}
		side, err := a.sideOf(ctx, as, typed, lakemesh.ProducerIdentity)
		if err != nil {
			return err
		}
		id, err := a.wholeID(ctx, typed, side)
		if err != nil {
			return err
		}
		if side == lakemesh.ConsumerIdentity {
			if expect != "" {
				return usageError{lakemesh.Invalid("--expect", "the plan of leaving has no digest")}
			}
			c, err := a.consumer(ctx)
			if err != nil {
				return err
			}
			in := consumer.LeaveInput{SubscriptionID: id, Reason: reason}
			return a.carry(deed{
				asks: always, takes: always,
				planned: func() (*plan.Plan, error) { return c.PlanDeleteSubscription(ctx, in) },
				do: func() error {
					if err := c.DeleteSubscription(ctx, in); err != nil {
						return err
					}
					a.say("left %s", id)
					a.next("the owner finishes: lakemesh subscription settle")
					return nil
				},
			})
		}
		p, err := a.producer(ctx)
		if err != nil {
			return err
		}
		if err := a.wholeOrShown(typed, id, &expect); err != nil {
			return err
		}
		in := producer.DeleteInput{SubscriptionID: id, Reason: reason, Expect: expect}
		return a.carry(deed{
			asks: always, takes: always, expect: &in.Expect,
			planned: func() (*plan.Plan, error) { return p.PlanDeleteSubscription(ctx, in) },
			do: func() error {
				if err := p.DeleteSubscription(ctx, in); err != nil {
					return err
				}
				a.say("deleted %s", id)
				return nil
			},
		})
	})
	id.add(cmd, "subscription-id", "request-id")
	cmd.ValidArgsFunction = a.completeIDs(lakemesh.ProducerIdentity, lakemesh.Active)
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	addExpect(cmd, &expect)
	addAs(cmd, &as, "producer")
	return cmd
}

func (a *app) subscriptionImport() *cobra.Command {
	var in consumer.FinalizeInput
	cmd := changing(a, change[*consumer.Consumer]{
		use: "import", short: "Import an approved subscription into the consumer's account (consumer)",
		long: `Accepts the mesh's shares, makes the database's resource link, and hands access on
to principals of the account: by default to the role DataMeshConsumer. It is safe
to repeat, and has to be after the owner has changed the permissions.

With --link-region the link is made in another region of the account, which
"account init --link-regions" has opened; shares and grants stay in the mesh's
region. Import it again with another region for a link there, too.`,
		flag: "subscription-id", other: "request-id", id: &in.SubscriptionID,
		who: lakemesh.ConsumerIdentity, on: []lakemesh.Status{lakemesh.Active}, open: a.consumer,
		plan: func(ctx context.Context, c *consumer.Consumer) (*plan.Plan, error) {
			return c.PlanFinalizeSubscription(ctx, in)
		},
		do: func(ctx context.Context, c *consumer.Consumer) error {
			out, err := c.FinalizeSubscription(ctx, in)
			if out == nil {
				return err
			}
			a.warn(out.Warnings...)
			shown := a.show(out, func() {
				fmt.Fprint(a.out, renderFacts(fact{"imported", out.SubscriptionID}, fact{"database", out.DatabaseName}, fact{"link", linksText(out)},
					fact{"linked in regions", strings.Join(out.LinkRegions, ", ")},
					fact{"tables", importedTables(out)}, fact{"handed on to", out.Principals},
					fact{"permissions", strings.Join(out.Permissions, ",")}))
			})
			// Some of it could not be handed on.
			return cmp.Or(err, shown)
		},
	})
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(list{values: &in.Principals, none: true}, "principals", "ARNs of roles and users of the account that get access; none for nobody (default: DataMeshConsumer)")
	f.StringVar(&in.LinkDatabaseName, "link-database-name", "", "the name of the database's link (default: its name in the mesh)")
	f.StringVar(&in.LinkRegion, "link-region", "", "make the link in this region of the account (default: where it was made before; at first the mesh's region)")
	return cmd
}

// linksText are the links of an import, a line each.
func linksText(out *consumer.FinalizeOutput) []string {
	if len(out.Links) == 0 {
		return []string{out.LinkDatabase}
	}
	return slices.Sorted(maps.Values(out.Links))
}

// importedTables are the tables of an import.
func importedTables(out *consumer.FinalizeOutput) string {
	if !out.Group.IsZero() {
		return groupText(out.Group)
	}
	return tableNames(out.Tables)
}

func (a *app) subscriptionSettle() *cobra.Command {
	return &cobra.Command{
		Use:   "settle",
		Short: "Finish the subscriptions that their consumers have left (producer)",
		Args:  cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			p, err := a.producer(ctx)
			if err != nil {
				return err
			}
			return a.write(
				func() (*plan.Plan, error) { return planSettling(ctx, p) },
				func() error {
					out, err := p.SettleDepartures(ctx)
					if err != nil {
						return err
					}
					return a.show(out, func() {
						for _, id := range out.Subscriptions {
							a.say("settled %s", id)
						}
						if len(out.Subscriptions) == 0 {
							a.say("nobody has left")
						}
					})
				})
		}),
	}
}

// planSettling is what settling would do: the deletion of each subscription that
// its consumer has left.
func planSettling(ctx context.Context, p *producer.Producer) (*plan.Plan, error) {
	whole := &plan.Plan{Operation: "SettleDepartures"}
	out, err := p.ListSubscriptions(ctx, producer.ListSubscriptionsInput{Status: lakemesh.Active})
	if err != nil {
		return nil, err
	}
	for _, s := range out.Subscriptions {
		if !s.Leaving {
			continue
		}
		one, err := p.PlanDeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: s.ID})
		if err != nil {
			return nil, err
		}
		whole.Append(one)
	}
	return whole, nil
}

func (a *app) subscriptionAbort() *cobra.Command {
	var in producer.AbortInput
	cmd := changing(a, change[*producer.Producer]{
		use: "abort", short: "Take back a decision that was begun and not finished (producer)",
		flag: "subscription-id", other: "request-id", id: &in.SubscriptionID,
		who: lakemesh.ProducerIdentity, open: a.producer, asks: alwaysAsk[*producer.Producer], expect: &in.Expect,
		takes: func(_ context.Context, _ *producer.Producer, todo *plan.Plan) (bool, error) { return takesAway(todo) },
		plan: func(ctx context.Context, p *producer.Producer) (*plan.Plan, error) {
			return p.PlanAbortDecision(ctx, in)
		},
		do: func(ctx context.Context, p *producer.Producer) error {
			if err := p.AbortDecision(ctx, in); err != nil {
				return err
			}
			a.say("aborted the decision on %s", in.SubscriptionID)
			return nil
		},
	})
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why")
	return cmd
}
