package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/deploy"
)

func (a *app) iacCommand() *cobra.Command {
	return group("iac", "Templates and policies, for infrastructure as code", a.iacRender())
}

// Documents besides the parts of the frame.
const (
	identityPolicies = "identities"
	roleBoundary     = "boundary"
)

func iacDocuments() []string {
	return append(parts(), identityPolicies, roleBoundary)
}

func parts() []string {
	var names []string
	for _, p := range admin.FrameParts() {
		names = append(names, string(p))
	}
	return names
}

func (a *app) iacRender() *cobra.Command {
	var format, directory, kind, sharing, ends string
	var in admin.FrameInput
	cmd := &cobra.Command{
		Use:   "render <document>",
		Short: "Print a template, or policies, for infrastructure as code",
		Long: `Prints what "mesh init" and "account init" would make, for a tool of yours to make it:

  mesh         what the mesh account has once: two roles and two tables
  member       what an account has in itself: a producer's and a consumer's role
  mesh-member  what the mesh account has for one account
  identities   what those may do who run lakemesh, by identity
  boundary     a permissions boundary that lets every role of the mesh work

The mesh's half of an account comes after the account's own: IAM refuses to trust a role
that is not there. Data lake settings, LF-tags and grants are in no template: afterwards
"mesh init", "account init" and "account enable" find what was made and do the rest.

Templates of CloudFormation take the accounts and choices as parameters; the modules of
Terraform, which --directory is needed for, as variables. With --format json the
documents are of the accounts and choices that the flags say, for any other tool.`,
		Example: `  lakemesh iac render mesh --directory templates
  lakemesh iac render mesh --format terraform --directory terraform
  lakemesh iac render member --format json --mesh-account 555555555555 --account-id 111111111111 --account-type producer
  lakemesh iac render identities --mesh-account 555555555555`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("one document is expected: %s", strings.Join(iacDocuments(), ", "))
			}
			return nil
		},
		ValidArgs: iacDocuments(),
		RunE: a.do(func(ctx context.Context, args []string) error {
			document := args[0]
			if !slices.Contains(iacDocuments(), document) {
				message := fmt.Sprintf("%q is none of %s", document, strings.Join(iacDocuments(), ", "))
				if near := near(document, iacDocuments()); len(near) > 0 {
					message += "; did you mean " + near[0] + "?"
				}
				return usageError{lakemesh.Invalid("document", "%s", message)}
			}
			if document == identityPolicies || document == roleBoundary {
				return a.renderPolicies(ctx, document, format, directory)
			}
			switch format {
			case "terraform":
				return a.writeModule(directory)
			case "json":
				in.Type, in.SharingCalls, in.EndSchedules = admin.AccountType(strings.ToLower(kind)), admin.SharingCalls(sharing), admin.EndSchedules(ends)
				return a.renderFrame(ctx, admin.FramePart(document), in, directory)
			}
			return a.renderTemplate(admin.FramePart(document), directory)
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(newChoice(&format, "cloudformation", "terraform", "json"), "format", "cloudformation, terraform or json; policies are JSON in any case")
	flags.StringVar(&directory, "directory", "", "write files into this directory instead; one that is there and says something else is not overwritten")
	flags.StringVar(&in.AccountID, "account-id", "", "for json: the account of the mesh")
	flags.StringVar(&kind, "account-type", "", "for json: what the account is: producer, consumer or both")
	flags.Var(list{values: &in.Buckets}, "buckets", "for json: as of account init")
	flags.StringVar(&in.CrawlerRoleARN, "crawler-role-arn", "", "for json: as of account init")
	flags.Var(list{values: &in.KeyPolicies, none: true}, "key-policy", "for json: as of account init")
	flags.Var(list{values: &in.LinkRegions}, "link-regions", "for json: as of account init")
	flags.Var(list{values: &in.KMSKeys, none: true}, "kms-key", "for json: as of account enable")
	flags.Var(newChoice(&sharing, "", string(admin.ThroughServices), string(admin.Direct)), "sharing-calls", "for json: as of mesh init (default: through-services)")
	flags.Var(newChoice(&ends, "", string(admin.EndsScheduled), string(admin.EndsByOwners)), "end-schedules", "for json: as of mesh init (default: off)")
	for name, values := range map[string][]string{"format": {"cloudformation", "terraform", "json"}, "account-type": {"producer", "consumer", "both"},
		"sharing-calls": {string(admin.ThroughServices), string(admin.Direct)}, "end-schedules": {string(admin.EndsScheduled), string(admin.EndsByOwners)}} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
	}
	return cmd
}

// renderTemplate prints a template of CloudFormation.
func (a *app) renderTemplate(part admin.FramePart, directory string) error {
	name := "lakemesh-" + string(part) + ".yaml"
	text, err := fs.ReadFile(deploy.Files, "cloudformation/"+name)
	if err != nil {
		return err
	}
	return a.printFile(text, directory, name)
}

// printFile writes a file to stdout, or into a directory.
func (a *app) printFile(text []byte, directory, name string) error {
	a.screen.done()
	if directory != "" {
		return a.writeFiles(directory, map[string][]byte{name: text})
	}
	_, err := a.out.Write(text)
	return err
}

// writeModule writes the module of Terraform with its submodules.
func (a *app) writeModule(directory string) error {
	if directory == "" {
		return usageError{lakemesh.Invalid("--directory", "a module of Terraform is several files: say where to write them")}
	}
	const root = "terraform"
	files := map[string][]byte{}
	err := fs.WalkDir(deploy.Files, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(deploy.Files, name)
		files[strings.TrimPrefix(name, root+"/")] = text
		return err
	})
	if err != nil {
		return err
	}
	return a.writeFiles(directory, files)
}

// writeFiles writes files into a directory. What is there and says something else may have
// been changed by somebody: then nothing is written.
func (a *app) writeFiles(directory string, files map[string][]byte) error {
	var changed []string
	for name, text := range files {
		have, err := os.ReadFile(filepath.Join(directory, filepath.FromSlash(name)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !bytes.Equal(have, text):
			changed = append(changed, name)
		}
	}
	if len(changed) > 0 {
		slices.Sort(changed)
		return &lakemesh.Error{Kind: lakemesh.ErrConflict, Resource: "directory " + directory, Message: "other files of these names are there: " + strings.Join(changed, ", ") + "; nothing was written",
			Hint: "name another directory, compare, and take over what is to be taken over"}
	}
	for name, text := range files {
		file := filepath.Join(directory, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // Templates are no secret.
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil { //nolint:gosec // Templates are no secret.
			return err
		}
	}
	a.say("%d %s in %s", len(files), choose(len(files) == 1, "file", "files"), directory)
	return nil
}

// renderFrame prints what set-up would make for accounts.
func (a *app) renderFrame(ctx context.Context, part admin.FramePart, in admin.FrameInput, directory string) error {
	where, err := a.inContext()
	if err != nil {
		return err
	}
	file, err := a.credentialsFile(ctx)
	if err != nil {
		return err
	}
	if in.MeshAccountID, err = a.meshAccount(where, file); err != nil {
		return err
	}
	if in.Region, err = a.region(where, file); err != nil {
		return err
	}
	in.Region = cmp.Or(in.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
	if in.Region == "" && in.EndSchedules == admin.EndsScheduled {
		return usageError{lakemesh.Invalid("--region", "the policy of the queue of what schedules could not end names the mesh's region: give it")}
	}
	frame, err := admin.FrameOf(part, in)
	if err != nil {
		return usageError{err}
	}
	return a.printJSON(frame, directory, "lakemesh-"+string(part)+".json")
}

// renderPolicies prints policies that are of no part.
func (a *app) renderPolicies(ctx context.Context, document, format, directory string) error {
	if format == "terraform" {
		return usageError{lakemesh.Invalid("--format", "policies are printed as JSON, which both CloudFormation and Terraform take")}
	}
	if document == roleBoundary {
		return a.printJSON(admin.Boundary(), directory, "lakemesh-boundary.json")
	}
	where, err := a.inContext()
	if err != nil {
		return err
	}
	file, err := a.credentialsFile(ctx)
	if err != nil {
		return err
	}
	mesh, err := a.meshAccount(where, file)
	if err != nil {
		return err
	}
	region, err := a.region(where, file)
	if err != nil {
		return err
	}
	policies, err := admin.IdentityPolicies(lakemesh.PartitionOf(region), mesh)
	if err != nil {
		return err
	}
	return a.printJSON(policies, directory, "lakemesh-identities.json")
}

// printJSON prints JSON for people, too, or YAML if that was asked for.
func (a *app) printJSON(value any, directory, name string) error {
	if directory == "" && a.flags.output == "yaml" {
		return a.show(value, func() {})
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return a.printFile(text.Bytes(), directory, name)
}
