package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/printable"
)

// completionTime is how long a person who pressed a key is kept waiting.
const completionTime = 5 * time.Second

// completer proposes values. Whatever goes wrong, there is nothing to propose: a
// completion cannot tell an error.
type completer = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective)

func (a *app) complete(list func(ctx context.Context, cmd *cobra.Command) ([]cobra.Completion, error)) completer {
	return func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		// The last of several values, separated by commas, is what is being typed.
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		values, err := list(ctx, cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var fitting []cobra.Completion
		for _, v := range values {
			// A name that cannot be shown as it is cannot be typed by showing it.
			if value, _, _ := strings.Cut(v, "\t"); strings.HasPrefix(v, typed[len(before):]) && printable.Is(value) {
				fitting = append(fitting, before+v)
			}
		}
		slices.Sort(fitting)
		return slices.Compact(fitting), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeIDs proposes the ids of subscriptions in some states, any if none is named.
func (a *app) completeIDs(otherwise lakemesh.Identity, statuses ...lakemesh.Status) completer {
	complete := a.complete(func(ctx context.Context, cmd *cobra.Command) ([]cobra.Completion, error) {
		as := ""
		if f := cmd.Flags().Lookup("as"); f != nil {
			as = f.Value.String()
		}
		side, err := a.side(ctx, as, otherwise)
		if err != nil {
			return nil, err
		}
		list, err := a.subscriptionsOf(ctx, side)
		if err != nil {
			return nil, err
		}
		var ids []cobra.Completion
		for _, s := range list {
			if len(statuses) == 0 || slices.Contains(statuses, s.Status) {
				ids = append(ids, cobra.CompletionWithDesc(s.ID, line("%s %s %s", string(s.Status), s.Database, tablesText(&s))))
			}
		}
		return ids, nil
	})
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, typed)
	}
}

// completeDatabases proposes the databases of the mesh that have public tables.
func (a *app) completeDatabases(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.complete(func(ctx context.Context, _ *cobra.Command) ([]cobra.Completion, error) {
		return a.products(ctx, "", func(p consumer.Product) string { return p.DatabaseName })
	})(cmd, args, typed)
}

// completeTables proposes the tables of the database that --database-name names.
func (a *app) completeTables(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.complete(func(ctx context.Context, cmd *cobra.Command) ([]cobra.Completion, error) {
		return a.products(ctx, cmd.Flag("database-name").Value.String(), func(p consumer.Product) string { return p.TableName })
	})(cmd, args, typed)
}

func (a *app) products(ctx context.Context, database string, name func(consumer.Product) string) ([]cobra.Completion, error) {
	c, err := a.consumer(ctx)
	if err != nil {
		return nil, err
	}
	out, err := c.ListProducts(ctx, consumer.ListProductsInput{DatabaseName: database})
	if err != nil {
		return nil, err
	}
	list := make([]cobra.Completion, len(out.Products))
	for i, p := range out.Products {
		list[i] = name(p)
	}
	return list, nil
}

// completeSourceDatabases proposes the databases of the producer's own catalog.
func (a *app) completeSourceDatabases(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.complete(func(ctx context.Context, _ *cobra.Command) ([]cobra.Completion, error) {
		client, err := a.sourceCatalog(ctx)
		if err != nil {
			return nil, err
		}
		var list []cobra.Completion
		pages := glue.NewGetDatabasesPaginator(client, &glue.GetDatabasesInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, d := range page.DatabaseList {
				if d.TargetDatabase == nil {
					list = append(list, aws.ToString(d.Name))
				}
			}
		}
		return list, nil
	})(cmd, args, typed)
}

// completeSourceTables proposes the tables of --source-database-name.
func (a *app) completeSourceTables(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.complete(func(ctx context.Context, cmd *cobra.Command) ([]cobra.Completion, error) {
		client, err := a.sourceCatalog(ctx)
		if err != nil {
			return nil, err
		}
		var list []cobra.Completion
		database := cmd.Flag("source-database-name").Value.String()
		pages := glue.NewGetTablesPaginator(client, &glue.GetTablesInput{DatabaseName: &database})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, t := range page.TableList {
				if t.TargetTable == nil {
					list = append(list, aws.ToString(t.Name))
				}
			}
		}
		return list, nil
	})(cmd, args, typed)
}

// sourceCatalog is the producer's own catalog, as the producer sees it.
func (a *app) sourceCatalog(ctx context.Context) (*glue.Client, error) {
	o, err := a.options(ctx, lakemesh.ProducerIdentity)
	if err != nil {
		return nil, err
	}
	p, err := identity.OpenProducer(ctx, o)
	if err != nil {
		return nil, err
	}
	return glue.NewFromConfig(p.Own.Config), nil
}

// completePermissions proposes permissions on tables.
func completePermissions(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	var list []cobra.Completion
	for _, p := range lakemesh.TablePermissions() {
		if strings.HasPrefix(string(p), strings.ToUpper(typed[len(before):])) && !strings.Contains(before, string(p)+",") {
			list = append(list, before+string(p))
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
