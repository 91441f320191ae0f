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
completes them. Nothing is taken away: not from accounts that the file leaves out, and no
bucket or key from one that has more than the file says, unless --exact is given.`,
		Example: `  lakemesh account apply -f accounts.yaml --dry-run
  lakemesh account apply -f accounts.yaml`,
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
	// mesh is set where the mesh's half alone is made.
	mesh *admin.Admin
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
	accounts, err := enrolment.Read(name, content, mesh.MeshAccountID)
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
	if a.flags.dryRun {
		return a.planAccounts(ctx, all)
	}
	return a.enrol(ctx, all)
}

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
	e.in = admin.BootstrapInput{Type: account.Type, Mesh: mesh, Account: mesh, CrawlerRoleARN: account.CrawlerRoleARN, Buckets: account.Buckets, KeyPolicies: account.KeyPolicies,
		Add: !exact, LinkRegions: account.LinkRegions, AccountRoles: account.Roles, MeshRoles: account.Roles}
	if exact {
		e.in.KMSKeys = account.KMSKeys
	} else {
		e.in.AddKMSKeys = account.KMSKeys
	}
	switch arn := account.AdministratorARN(lakemesh.PartitionOf(cmp.Or(mesh.Region, mesh.Config.Region))); {
	case account.Administrator == enrolment.None:
		var err error
		e.mesh, err = admin.New(ctx, mesh)
		return e, err
	case account.Profile != "":
		if a.flags.local {
			return e, errors.New("the local mesh has no profiles; leave profile out, and the administrators of its credentials file are taken")
		}
		cfg, err := identity.Load(ctx, identity.Source{Profile: account.Profile, Region: cmp.Or(mesh.Region, mesh.Config.Region)})
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

// plan plans one account.
func (e enrolling) plan(ctx context.Context) (*plan.Plan, error) {
	if e.mesh == nil {
		if err := e.owns(ctx); err != nil {
			return nil, err
		}
		return admin.PlanBootstrapAccount(ctx, e.in)
	}
	whole := &plan.Plan{Operation: opApply}
	if e.in.Type != admin.Consumer {
		p, err := e.mesh.PlanEnableAccountAsProducer(ctx, e.producer())
		if err != nil {
			return nil, err
		}
		whole.Append(p)
	}
	if e.in.Type != admin.Producer {
		p, err := e.mesh.PlanEnableAccountAsConsumer(ctx, e.consumer())
		if err != nil {
			return nil, err
		}
		whole.Append(p)
	}
	return whole, nil
}

// owns refuses credentials of another account than the file's: what opens them may have
// been mixed up.
func (e enrolling) owns(ctx context.Context) error {
	account, err := admin.New(ctx, e.in.Account)
	if err != nil {
		return err
	}
	if account.Account() != e.account.ID {
		return &lakemesh.Error{Op: opApply, Account: account.Account(), Resource: "account " + e.account.ID, Kind: lakemesh.ErrWrongAccount,
			Message: "what opens its administrator opens one of account " + account.Account()}
	}
	return nil
}

func (e enrolling) producer() admin.EnableProducerInput {
	return admin.EnableProducerInput{AccountID: e.account.ID, CrawlerRoleARN: e.in.CrawlerRoleARN, KMSKeys: e.in.KMSKeys, AddKMSKeys: e.in.AddKMSKeys, Roles: e.in.MeshRoles}
}

func (e enrolling) consumer() admin.EnableConsumerInput {
	return admin.EnableConsumerInput{AccountID: e.account.ID, Roles: e.in.MeshRoles}
}

// apply makes one account what the file says, and reports whether anything was to be done.
func (e enrolling) apply(ctx context.Context) (changed bool, err error) {
	p, err := e.plan(ctx)
	if err != nil || p.Empty() {
		return false, err
	}
	if e.mesh == nil {
		_, err = admin.BootstrapAccount(ctx, e.in)
		return true, err
	}
	if e.in.Type != admin.Consumer {
		_, err = e.mesh.EnableAccountAsProducer(ctx, e.producer())
	}
	if err == nil && e.in.Type != admin.Producer {
		_, err = e.mesh.EnableAccountAsConsumer(ctx, e.consumer())
	}
	return true, err
}

// planAccounts shows what would be done in all accounts.
func (a *app) planAccounts(ctx context.Context, all []enrolling) error {
	whole := &plan.Plan{Operation: opApply}
	var failed []lakemesh.StepError
	for _, e := range all {
		p, err := e.plan(ctx)
		if err != nil {
			failed = append(failed, lakemesh.StepError{Step: "account " + e.account.ID, Err: err})
			continue
		}
		// What is true of each of them is said once.
		for _, w := range p.Warnings {
			if w = "account " + e.account.ID + ": " + w; !slices.Contains(whole.Warnings, w) {
				whole.Warn("%s", w)
			}
		}
		p.Warnings = nil
		whole.Append(p)
	}
	if err := a.show(whole, func() { fmt.Fprint(a.out, a.renderPlan(whole)) }); err != nil {
		return err
	}
	return partly(len(all)-len(failed), failed)
}

// enrol makes all accounts what the file says, one after the other: their halves in the mesh
// account change the same things there.
func (a *app) enrol(ctx context.Context, all []enrolling) error {
	results := make([]enrolled, 0, len(all))
	var failed []lakemesh.StepError
	for _, e := range all {
		r := enrolled{AccountID: e.account.ID, Type: e.account.Type, Result: "unchanged"}
		changed, err := e.apply(ctx)
		if ctx.Err() != nil {
			return errors.Join(err, a.showEnrolled(results))
		}
		switch {
		case err != nil:
			r.Result, r.Error = "failed", err.Error()
			failed = append(failed, lakemesh.StepError{Step: "account " + e.account.ID, Err: err})
		case changed:
			r.Result = "done"
		}
		results = append(results, r)
	}
	if err := a.showEnrolled(results); err != nil {
		return err
	}
	return partly(len(all)-len(failed), failed)
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
