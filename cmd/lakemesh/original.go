package main

import (
	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
)

// originalCommands are the commands of the original's command line, under their own
// names and with their own arguments. They are not shown.
func (a *app) originalCommands() []*cobra.Command {
	var commands []*cobra.Command
	add := func(name string, c *cobra.Command) {
		c.Use = name
		c.Hidden = true
		// Scripts that were written for the original were never asked.
		c.PreRun = func(*cobra.Command, []string) { a.flags.yes = a.flags.yes || !a.asking }
		commands = append(commands, c)
	}
	add("install-mesh-objects", a.meshInit())
	add("enable-account", a.accountEnable())
	add("create-data-product", a.productCreate())
	add("migrate-tables-to-mesh", a.productMigrate())
	add("get-data-product", a.productGet())
	add("get-table-info", a.productGet())
	add("request-access", a.requestCreate())
	add("list-pending-requests", a.requestList())
	add("list-pending-access-requests", a.requestList())
	add("approve-subscription", a.requestApprove())
	add("approve-access-request", a.requestApprove())
	add("deny-subscription", a.requestDeny())
	add("deny-access-request", a.requestDeny())
	add("modify-subscription", a.subscriptionUpdate())
	add("delete-subscription", a.subscriptionDelete())
	add("get-subscription", a.subscriptionGet())
	add("import-subscription", a.subscriptionImport())
	add("list-subscriptions", a.subscriptionList(lakemesh.ConsumerIdentity))
	return commands
}
