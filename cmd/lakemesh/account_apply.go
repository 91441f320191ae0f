package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/internal/enrolment"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/plan"
)

func (a *app) accountApply() *cobra.Command {
	var name string
	var exact bool
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Make all accounts of a file producers and consumers",
		Long: `Does for each account of a file what "account init" and "account enable" do, as the
mesh's administrator and as the administrator of each account, whom the file names: a
profile, or a role that the mesh's administrator may open. An account with
"administrator: none" gets the mesh's half alone.

  mesh: "555555555555"
  defaults:
    administrator: OrganizationAccountAccessRole
  accounts:
    - id: "111111111111"
      type: producer
      buckets: [flights]
    - id: "999999999999"
      type: consumer

The file is checked as a whole before anything is done. An account that fails keeps no
other from being done; which ones failed is told at the end, and the same command
completes them.

What the file leaves out stays: accounts, settings, and what a list does not name, unless
--exact is given. What a file replaces or --exact removes is shown with what it was and will
be; without a terminal it wants --yes. All accounts are looked at before the first is
changed, and what was shown is what is done.`,
		Example: `  lakemesh account apply -f accounts.yaml --dry-run
  lakemesh account apply -f accounts.yaml
  lakemesh account apply -f accounts.yaml --exact --yes`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			return a.applyAccounts(ctx, name, exact)
		}),
	}
	cmd.Flags().StringVarP(&name, "file", "f", "", "the YAML file of the accounts; - reads it from stdin")
	cmd.Flags().BoolVar(&exact, "exact", false, "make lists of buckets and keys as the file has them, and take from accounts what it leaves out of these")
	required(cmd, "file")
	return cmd
}

// enrolling is one account with what opens it.
type enrolling struct {
	account enrolment.Account
	in      admin.BootstrapInput
	// todo is what is to be done, failed why it cannot be, or was not.
	todo   *admin.Enrolment
	failed error
}

// enrolled is what became of an account.
type enrolled struct {
	AccountID string            `json:"AccountId"`
	Type      admin.AccountType `json:"Type"`
	// Result is done, unchanged or failed.
	Result string `json:"Result"`
	// Error says why it failed.
	Error string `json:"Error,omitempty"`
}

const opApply = "ApplyAccounts"

func (a *app) applyAccounts(ctx context.Context, name string, exact bool) error {
	mesh, err := a.options(ctx, lakemesh.MeshIdentity)
	if err != nil {
		return err
	}
	content, err := a.readInput(name)
	if err != nil {
		return err
	}
	accounts, err := enrolment.Read(name, content, mesh.MeshAccountID, regionOf(mesh))
	if err != nil {
		return err
	}
	var all []enrolling
	var unopened []error
	for _, account := range accounts {
		e, err := a.enrolling(ctx, mesh, account, exact)
		if err != nil {
			unopened = append(unopened, &lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: fmt.Sprintf("%s:%d", name, account.Line), Message: fmt.Sprintf("account %s: %v", account.ID, err), Err: err})
		}
		all = append(all, e)
	}
	if len(unopened) > 0 {
		return errors.Join(unopened...)
	}
	if err := lookAt(ctx, all); err != nil {
		return err
	}
	err = a.carry(deed{planned: func() (*plan.Plan, error) { return whole(all), nil }, do: func() error { return a.enrol(ctx, all) }, asks: takesAway, takes: takesAway})
	if err == nil && a.flags.dryRun {
		return partly(outcomes(all))
	}
	return err
}

// regionOf is the region that options are for.
func regionOf(o lakemesh.Options) string { return cmp.Or(o.Region, o.Config.Region) }

// readInput reads a file, or stdin.
func (a *app) readInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(a.in)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, usageError{&lakemesh.Error{Kind: lakemesh.ErrInvalidInput, Resource: "--file", Message: err.Error(), Err: err}}
	}
	return content, nil
}

// enrolling opens the administrators of an account. It makes no call.
func (a *app) enrolling(ctx context.Context, mesh lakemesh.Options, account enrolment.Account, exact bool) (enrolling, error) {
	e := enrolling{account: account}
	e.in = admin.BootstrapInput{Type: account.Type, Mesh: mesh, Account: mesh, AccountID: account.ID, MeshAlone: account.Administrator == enrolment.None, CrawlerRoleARN: account.CrawlerRoleARN, Buckets: account.Buckets, KeyPolicies: account.KeyPolicies,
		Add: !exact, LinkRegions: account.LinkRegions, AccountRoles: account.Roles, MeshRoles: account.Roles}
	if exact {
		e.in.KMSKeys = account.KMSKeys
	} else {
		e.in.AddKMSKeys = account.KMSKeys
	}
	switch arn := account.AdministratorARN(lakemesh.PartitionOf(regionOf(mesh))); {
	case account.Administrator == enrolment.None:
		return e, nil
	case account.Profile != "":
		if a.flags.local {
			return e, errors.New("the local mesh has no profiles; leave profile out, and the administrators of its credentials file are taken")
		}
		log, err := identity.Logger(mesh)
		if err != nil {
			return e, err
		}
		cfg, err := identity.Load(ctx, identity.Source{Profile: account.Profile, Region: regionOf(mesh), Log: log})
		e.in.Account.Config, e.in.Account.Credentials = &cfg, nil
		return e, err
	case arn != "":
		caller, err := identity.Open(ctx, mesh)
		if err != nil {
			return e, err
		}
		there, err := caller.Lazy(arn)
		if err != nil {
			return e, err
		}
		e.in.Account.Config, e.in.Account.Credentials = &there.Config, nil
		return e, nil
	}
	file, err := a.credentialsFile(ctx)
	if err != nil {
		return e, err
	}
	if file != nil {
		for _, who := range []lakemesh.Identity{lakemesh.ProducerAdminIdentity, lakemesh.ConsumerAdminIdentity} {
			if c, ok := file.Credentials[who]; ok && c.AccountID == account.ID {
				e.in.Account.Credentials = &c
				return e, nil
			}
		}
	}
	return e, errors.New("nothing opens an administrator of it: give it a profile, or an administrator (the name of a role that the mesh's administrator may open), or none where a template makes its own half")
}

// lookAt looks at all accounts, once, and plans what is to be done with each. Those of which
// that fails keep no other from being done.
func lookAt(ctx context.Context, all []enrolling) error {
	for i := range all {
		e := &all[i]
		e.todo, e.failed = admin.PrepareAccount(ctx, e.in)
		if ctx.Err() != nil {
			return errors.Join(e.failed, ctx.Err())
		}
	}
	return nil
}

// whole is what is to be done in all accounts.
func whole(all []enrolling) *plan.Plan {
	whole := &plan.Plan{Operation: opApply}
	for _, e := range all {
		if e.failed != nil {
			continue
		}
		p := *e.todo.Plan()
		// What is true of each of them is said once.
		for _, w := range p.Warnings {
			if w = "account " + e.account.ID + ": " + w; !slices.Contains(whole.Warnings, w) {
				whole.Warn("%s", w)
			}
		}
		p.Warnings = nil
		whole.Append(&p)
	}
	return whole
}

// outcomes are the failures of accounts, and how many did not fail.
func outcomes(all []enrolling) (int, []lakemesh.StepError) {
	var failed []lakemesh.StepError
	for _, e := range all {
		if e.failed != nil {
			failed = append(failed, lakemesh.StepError{Step: "account " + e.account.ID, Err: e.failed})
		}
	}
	return len(all) - len(failed), failed
}

// enrol makes all accounts what the file says, one after the other: their halves in the mesh
// account change the same things there. What was looked at is what is done.
func (a *app) enrol(ctx context.Context, all []enrolling) error {
	results := make([]enrolled, 0, len(all))
	for i := range all {
		e := &all[i]
		r := enrolled{AccountID: e.account.ID, Type: e.account.Type, Result: "unchanged"}
		if e.failed == nil && e.todo.Plan().Empty() {
			for _, w := range e.todo.Plan().Warnings {
				a.warn("account " + e.account.ID + ": " + w)
			}
		}
		if e.failed == nil && !e.todo.Plan().Empty() {
			r.Result = "done"
			_, e.failed = e.todo.Do(ctx)
		}
		if ctx.Err() != nil {
			return errors.Join(e.failed, a.showEnrolled(results))
		}
		if e.failed != nil {
			r.Result, r.Error = "failed", e.failed.Error()
		}
		results = append(results, r)
	}
	if err := a.showEnrolled(results); err != nil {
		return err
	}
	done, failures := outcomes(all)
	if len(failures) == 0 {
		a.nextStatus()
	}
	return partly(done, failures)
}

func (a *app) showEnrolled(results []enrolled) error {
	return a.show(results, func() {
		rows := make([][]string, len(results))
		for i, r := range results {
			rows[i] = []string{r.AccountID, string(r.Type), r.Result}
		}
		fmt.Fprint(a.out, renderTable([]string{"ACCOUNT", "TYPE", "RESULT"}, rows))
	})
}

// partly is the error of the accounts that failed: that of the only one, where it is, and
// nothing was done.
func partly(done int, failed []lakemesh.StepError) error {
	switch {
	case len(failed) == 0:
		return nil
	case len(failed) == 1 && done == 0:
		return fmt.Errorf("%s: %w", strings.TrimSpace(failed[0].Step), failed[0].Err)
	}
	return &lakemesh.PartialError{Op: opApply, Done: done, Failed: failed}
}
