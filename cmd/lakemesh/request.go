package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/plan"
	"github.com/lakemesh/lakemesh/producer"
)

func (a *app) requestCommand() *cobra.Command {
	return group("request", "Ask for access to data products, and decide on requests",
		a.requestCreate(), a.requestList(), a.requestApprove(), a.requestDeny(), a.requestCancel(), a.requestExtend())
}

func (a *app) requestCreate() *cobra.Command {
	var in consumer.RequestInput
	var end ending
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Ask the owner of a product for access (consumer)",
		Example: `  lakemesh request create --owner-account-id 111111111111 --database-name aviation-111111111111 \
      --tables weather --request-permissions SELECT,DESCRIBE --for 90d
  lakemesh request create --owner-account-id 111111111111 --data-product us-aviation \
      --request-permissions SELECT,DESCRIBE`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			if in.DatabaseName == "" && in.Domain == "" && in.DataProduct == "" {
				return usageError{lakemesh.Invalid("--database-name", "name the database whose tables are asked for, or all of a group: --domain, --data-product")}
			}
			in.Until = end.at
			c, err := a.consumer(ctx)
			if err != nil {
				return err
			}
			return a.write(
				func() (*plan.Plan, error) { return c.PlanRequestAccessToProduct(ctx, in) },
				func() error {
					out, err := c.RequestAccessToProduct(ctx, in)
					if err != nil {
						return err
					}
					return a.show(out, func() {
						fmt.Fprint(a.out, renderFacts(fact{"request", out.SubscriptionID}, fact{"type", strings.ToLower(out.Type)},
							fact{"database", in.DatabaseName}, fact{"tables", groupOr(out.Group, out.TableName)}, fact{"narrowed to", in.Scope.String()}, fact{"until", lakemesh.FormatTime(in.Until)}))
						a.next("the owner decides: lakemesh request approve %s", out.SubscriptionID)
					})
				})
		}),
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&in.OwnerAccountID, "owner-account-id", "", "the account that owns the product")
	f.StringVar(&in.DatabaseName, "database-name", "", "the product's database in the mesh")
	f.Var(list{values: &in.Tables}, "tables", "tables, by name or by regular expressions for whole names (default: the whole database)")
	f.StringVar(&in.Domain, "domain", "", "instead of a database: all tables of this domain of the owner, with those that will be published into it")
	f.StringVar(&in.DataProduct, "data-product", "", "instead of a database: all tables of this data product of the owner; with --domain of that of the domain")
	// As the other commands call it.
	f.StringVar(&in.DataProduct, "data-product-name", "", "the same as --data-product")
	must(f.MarkHidden("data-product-name"))
	f.Var(list{values: &in.RequestPermissions}, "request-permissions", "the permissions to ask for: SELECT, DESCRIBE, INSERT, DELETE, ALTER, DROP, ALL")
	addScope(cmd, &in.Scope)
	a.addEnd(cmd, &end, false, "access does not end by itself")
	f.StringVar(&in.Notes, "notes", "", "a note for the owner")
	required(cmd, "owner-account-id", "request-permissions")
	for _, group := range []string{"domain", "data-product", "data-product-name"} {
		cmd.MarkFlagsMutuallyExclusive("database-name", group)
		cmd.MarkFlagsMutuallyExclusive("tables", group)
	}
	must(cmd.RegisterFlagCompletionFunc("database-name", a.completeDatabases))
	must(cmd.RegisterFlagCompletionFunc("tables", a.completeTables))
	must(cmd.RegisterFlagCompletionFunc("request-permissions", completePermissions))
	return cmd
}

func (a *app) requestList() *cobra.Command {
	var as string
	var shown listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the requests that wait for a decision",
		Args:  cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			side, err := a.side(ctx, as, lakemesh.ProducerIdentity)
			if err != nil {
				return err
			}
			if side == lakemesh.ConsumerIdentity {
				return a.requestsOfConsumer(ctx, shown)
			}
			p, err := a.producer(ctx)
			if err != nil {
				return err
			}
			out, err := p.ListPendingAccessRequests(ctx)
			if err != nil {
				return err
			}
			requestsInOrder(out.Subscriptions)
			return a.show(out, func() { a.printRequests(shown, "CONSUMER", out.Subscriptions) })
		}),
	}
	shown.add(cmd)
	addAs(cmd, &as, "producer")
	return cmd
}

// requestsOfConsumer lists what the consumer has asked for, as the owners see it.
func (a *app) requestsOfConsumer(ctx context.Context, shown listFlags) error {
	c, err := a.consumer(ctx)
	if err != nil {
		return err
	}
	out, err := c.ListProductAccess(ctx, consumer.ListInput{Statuses: []lakemesh.Status{lakemesh.Pending}})
	if err != nil {
		return err
	}
	inOrder(out.Subscriptions)
	return a.show(out, func() {
		list := make([]producer.PendingRequest, len(out.Subscriptions))
		for i, s := range out.Subscriptions {
			list[i] = producer.PendingRequest{SubscriptionID: s.ID, DatabaseName: s.Database, Group: s.Group, TableName: s.Tables, RequestedGrants: s.Requested.Strings(), RequestedScope: s.RequestedScope,
				RequestedUntil: lakemesh.FormatTime(s.RequestedUntil), SubscriberPrincipal: s.Subscriber, CreationDate: lakemesh.FormatTime(s.Created), CreatedBy: s.CreatedBy,
				Status: s.Status, OwnerPrincipal: s.Owner, Tampered: s.Tampered}
		}
		a.printRequests(shown, "OWNER", list)
	})
}

// printRequests prints requests for one side; with is the column of the other one.
func (a *app) printRequests(f listFlags, with string, list []producer.PendingRequest) {
	l := listing{what: "pending requests",
		headers:     []string{"REQUEST", with, "DATABASE", "TABLES", "ACCESS", "UNTIL", "AGE", "APPROVABLE"},
		wideHeaders: []string{"REQUEST", "DATABASE", "TABLES", "PERMISSIONS", "UNTIL", with, "CREATED", "BY", "APPROVABLE"}}
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.SubscriptionID
	}
	ids = shortIDs(ids)
	for i, r := range list {
		tables, first, approvable := tableNames(r.TableName), firstOf(r.TableName, tableNames(nil)), "yes"
		until, err := parseTime(r.RequestedUntil)
		if err == nil && !until.After(a.time()) {
			approvable = "with another end"
		}
		if r.Tampered != "" {
			approvable = "no (tampered)"
			if len(r.TableName) == 0 {
				tables, first = unknownTables, unknownTables
			}
			a.warn(line("request %s cannot be approved as it is: %s", r.SubscriptionID, r.Tampered))
		}
		if !r.Group.IsZero() {
			tables, first = groupText(r.Group), shortGroup(r.Group)
		}
		other := choose(with == "OWNER", r.OwnerPrincipal, r.SubscriberPrincipal)
		narrowed := narrowedText(&lakemesh.Subscription{Scope: r.RequestedScope})
		l.rows = append(l.rows, []string{ids[i], other, orDash(r.DatabaseName), first + narrowed, permissionsText(r.RequestedGrants), dayOf(until), a.ageOf(r.CreationDate), approvable})
		l.wideRows = append(l.wideRows, []string{r.SubscriptionID, orDash(r.DatabaseName), tables + narrowed, strings.Join(r.RequestedGrants, ","), orDash(r.RequestedUntil), other, r.CreationDate, r.CreatedBy, approvable})
	}
	l.headers, l.rows = without(l.headers, l.rows, "UNTIL", orDash(""))
	l.headers, l.rows = without(l.headers, l.rows, "APPROVABLE", "yes")
	l.wideHeaders, l.wideRows = without(l.wideHeaders, l.wideRows, "UNTIL", orDash(""))
	a.printListing(f, l)
}

func (a *app) requestApprove() *cobra.Command {
	var in producer.ApproveInput
	var end ending
	var scope narrowing
	cmd := changing(a, change[*producer.Producer]{
		use: "approve", short: "Approve a request: grant what it asks for, or other permissions (producer)",
		long: `Grants what a request asks for, or what the flags say: other permissions, columns or
rows, to others, until another end. At a terminal it shows what was asked for, by whom,
and what would be granted, and asks. What was shown is done, or nothing. A program names
the plan that somebody has looked at by --expect.

Without an id it walks a person at a terminal through all requests that wait: each is
shown with its plan, and can be approved, narrowed, denied or skipped.`,
		flag: "request-id", other: "subscription-id", id: &in.RequestID,
		who: lakemesh.ProducerIdentity, on: []lakemesh.Status{lakemesh.Pending}, open: a.producer,
		asks: alwaysAsk[*producer.Producer], expect: &in.Expect,
		about: func(ctx context.Context, p *producer.Producer) (string, error) {
			s, err := p.GetSubscription(ctx, in.RequestID)
			if err != nil {
				return "", err
			}
			in.Until, in.Scope = end.named(), scope.named()
			return renderApproval(s, in)
		},
		plan: func(ctx context.Context, p *producer.Producer) (*plan.Plan, error) {
			in.Until, in.Scope = end.named(), scope.named()
			return p.PlanApproveAccessRequest(ctx, in)
		},
		do: func(ctx context.Context, p *producer.Producer) error {
			in.Until, in.Scope = end.named(), scope.named()
			if err := p.ApproveAccessRequest(ctx, in); err != nil {
				return err
			}
			a.say("%s %s", good.Render("approved"), in.RequestID)
			a.next("the consumer imports it: lakemesh subscription import %s", in.RequestID)
			return nil
		},
	})
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(list{values: &in.GrantPermissions}, "grant-permissions", "what is granted (default: all that was requested)")
	f.Var(list{values: &in.GrantablePermissions, none: true}, "grantable-permissions", "what the consumer may grant on in its account; none for nothing (default: all that is granted)")
	addNarrowing(cmd, &scope, "default: as was asked for")
	a.addEnd(cmd, &end, true, "as was asked for")
	addDecisionNotes(cmd, &in.DecisionNotes)
	must(cmd.RegisterFlagCompletionFunc("grant-permissions", completePermissions))
	must(cmd.RegisterFlagCompletionFunc("grantable-permissions", completePermissions))
	one := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		named := len(args) > 0 || cmd.Flags().Changed("request-id") || cmd.Flags().Changed("subscription-id")
		if !named && a.asking && !decides(cmd) {
			return a.do(func(ctx context.Context, _ []string) error { return a.walkInbox(ctx) })(cmd, args)
		}
		if !named && !a.asking {
			a.begun = true
			return usageError{lakemesh.Invalid("--request-id", "it is required, as the argument or as the flag; without it requests are walked through, which takes a terminal")}
		}
		return one(cmd, args)
	}
	cmd.Example = `  lakemesh request approve
  lakemesh request approve 7KqPzR2m --dry-run
  lakemesh request approve 7KqPzR2m --grant-permissions SELECT --for 90d --decision-notes "for the delay study"`
	return cmd
}

// decides reports whether a flag says something of one decision, which no walk through all
// requests could heed.
func decides(cmd *cobra.Command) bool {
	found := false
	cmd.Flags().Visit(func(f *pflag.Flag) { found = found || cmd.InheritedFlags().Lookup(f.Name) == nil })
	return found
}

func (a *app) requestDeny() *cobra.Command {
	var in producer.DenyInput
	cmd := changing(a, change[*producer.Producer]{
		use: "deny", short: "Deny a request (producer)",
		flag: "request-id", other: "subscription-id", id: &in.RequestID,
		who: lakemesh.ProducerIdentity, on: []lakemesh.Status{lakemesh.Pending}, open: a.producer, expect: &in.Expect,
		plan: func(ctx context.Context, p *producer.Producer) (*plan.Plan, error) {
			return p.PlanDenyAccessRequest(ctx, in)
		},
		do: func(ctx context.Context, p *producer.Producer) error {
			if err := p.DenyAccessRequest(ctx, in); err != nil {
				return err
			}
			a.say("denied %s", in.RequestID)
			return nil
		},
	})
	addDecisionNotes(cmd, &in.DecisionNotes)
	return cmd
}

// addDecisionNotes adds the flag for a note about a decision, also under the short
// name that other commands have for it.
func addDecisionNotes(cmd *cobra.Command, notes *string) {
	cmd.Flags().StringVar(notes, "decision-notes", "", "a note about the decision")
	cmd.Flags().StringVar(notes, "notes", "", "a note about the decision")
	must(cmd.Flags().MarkHidden("notes"))
}

func (a *app) requestCancel() *cobra.Command {
	var in consumer.CancelInput
	cmd := changing(a, change[*consumer.Consumer]{
		use: "cancel", short: "Take a pending request back (consumer)",
		flag: "request-id", other: "subscription-id", id: &in.SubscriptionID,
		who: lakemesh.ConsumerIdentity, on: []lakemesh.Status{lakemesh.Pending}, open: a.consumer,
		plan: func(ctx context.Context, c *consumer.Consumer) (*plan.Plan, error) {
			return c.PlanCancelAccessRequest(ctx, in)
		},
		do: func(ctx context.Context, c *consumer.Consumer) error {
			if err := c.CancelAccessRequest(ctx, in); err != nil {
				return err
			}
			a.say("cancelled %s", in.SubscriptionID)
			return nil
		},
	})
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why")
	return cmd
}

func (a *app) requestExtend() *cobra.Command {
	var in consumer.ExtensionInput
	var end ending
	cmd := changing(a, change[*consumer.Consumer]{
		use: "extend", short: "Ask for more time on a subscription that ends (consumer)",
		long: `Makes a request of its own: for the same tables, with the permissions that the subscription
gives, until a later end. Once the owner approves it both subscriptions stand side by side.`,
		flag: "subscription-id", other: "request-id", id: &in.SubscriptionID,
		who: lakemesh.ConsumerIdentity, on: []lakemesh.Status{lakemesh.Active}, open: a.consumer,
		plan: func(ctx context.Context, c *consumer.Consumer) (*plan.Plan, error) {
			in.Until = end.at
			return c.PlanRequestExtension(ctx, in)
		},
		do: func(ctx context.Context, c *consumer.Consumer) error {
			in.Until = end.at
			out, err := c.RequestExtension(ctx, in)
			if err != nil {
				return err
			}
			return a.show(out, func() {
				fmt.Fprint(a.out, renderFacts(fact{"request", out.SubscriptionID}, fact{"extends", in.SubscriptionID}, fact{"until", out.Until}))
				a.next("the owner decides: lakemesh request approve %s", out.SubscriptionID)
			})
		},
	})
	cmd.Example = `  lakemesh request extend 7KqPzR2m --for 90d`
	cmd.Flags().Var(&untilFlag{end: &end}, "until", "the new end: 2027-03-31 for all of that day, or a time such as 2027-03-31T18:00:00Z")
	cmd.Flags().Var(&spanFlag{span: &in.For}, "for", "how much longer, counted from the end that it has, or from now if that has passed: 90d, 12w, 36h or 30m")
	cmd.MarkFlagsMutuallyExclusive("until", "for")
	cmd.MarkFlagsOneRequired("until", "for")
	cmd.Flags().StringVar(&in.Notes, "notes", "", "a note for the owner")
	return cmd
}

// tablesText are the tables of a subscription for people.
func tablesText(s *lakemesh.Subscription) string {
	if !s.Group.IsZero() {
		return groupText(s.Group)
	}
	if s.TablesUnknown {
		return unknownTables
	}
	return tableNames(s.Tables)
}

// groupText is what a subscription to a group is on.
func groupText(g lakemesh.Group) string { return "(all of " + g.String() + ")" }

// shortGroup is what a list says of a subscription to a group.
func shortGroup(g lakemesh.Group) string { return "all of " + cmp.Or(g.DataProduct, g.Domain) }

// groupOr is what a subscription to a group is on, or the tables of another one.
func groupOr(g lakemesh.Group, tables []string) []string {
	if g.IsZero() {
		return tables
	}
	return []string{groupText(g)}
}

// unknownTables stand where it cannot be read which tables were asked for.
const unknownTables = "(unknown)"

// tableNames are the names of tables, or none for a whole database.
func tableNames(tables []string) string {
	if len(tables) == 0 {
		return "(whole database)"
	}
	return strings.Join(tables, ",")
}
