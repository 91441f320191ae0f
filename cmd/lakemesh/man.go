package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes the manual pages that packages hold. It is not shown: who
// installs a package has them already.
func (a *app) manCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "Write a manual page a command to a directory",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
	}
	cmd.RunE = a.do(func(_ context.Context, args []string) error {
		if err := a.noDryRun("man"); err != nil {
			return err
		}
		if err := os.MkdirAll(args[0], 0o755); err != nil {
			return err
		}
		root := cmd.Root()
		root.DisableAutoGenTag = true
		// The day in the pages is that of SOURCE_DATE_EPOCH, where it is set.
		return doc.GenManTreeFromOpts(root, doc.GenManTreeOptions{Path: args[0], CommandSeparator: "-",
			Header: &doc.GenManHeader{Section: "1", Source: "lakemesh", Manual: "lakemesh"}})
	})
	return cmd
}
