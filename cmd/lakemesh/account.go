package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/plan"
)

func (a *app) accountCommand() *cobra.Command {
	return group("account", "Make accounts producers and consumers of the mesh", a.accountEnable(), a.accountInit(), a.accountApply(), a.accountStatus(), a.accountDisable(), a.accountClear())
}

// accountFlags are what enabling and initializing an account have in common.
type accountFlags struct {
	accountType string
	crawlerRole string
	buckets     []string
	kmsKeys     []string
	linkRegions []string
	addKMSKeys  []string
	keyPolicies []string
	roles       roleFlags
}

func (f *accountFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.accountType, "account-type", "", "what the account becomes: producer, consumer or both")
	flags.StringVar(&f.crawlerRole, "crawler-role-arn", "", "a role of the producer's account for Glue crawlers, or none (default: as before)")
	flags.Var(list{values: &f.buckets}, "buckets", "the producer's buckets, or * for every bucket of its account (default: as before; at first every bucket)")
	flags.Var(list{values: &f.keyPolicies, none: true}, "key-policy", "the ARN of a key of the producer's account whose policy the producer keeps, as it keeps those of buckets; repeat for several, none for no key (default: as before; at first none)")
	flags.Var(list{values: &f.linkRegions}, "link-regions", "regions besides the mesh's in which a consumer links to products (default: those it has; named ones are added)")
	must(cmd.RegisterFlagCompletionFunc("account-type", cobra.FixedCompletions([]string{"producer", "consumer", "both"}, cobra.ShellCompDirectiveNoFileComp)))
	required(cmd, "account-type")
	f.roles.add(cmd)
}

// administratorOf is the identity that sets an account of the kind up.
func administratorOf(t admin.AccountType) lakemesh.Identity {
	if t == admin.Consumer {
		return lakemesh.ConsumerAdminIdentity
	}
	return lakemesh.ProducerAdminIdentity
}

// accountArgument is the account of a flag or of the argument.
func accountArgument(flag string, args []string) (string, error) {
	switch {
	case len(args) == 0:
		return flag, nil
	case flag != "" && flag != args[0]:
		return "", usageError{lakemesh.Invalid("--account-id", "both %s and %s are given", flag, args[0])}
	}
	return args[0], nil
}

func (a *app) accountEnable() *cobra.Command {
	var f accountFlags
	var accountID string
	cmd := &cobra.Command{
		Use:   "enable [account-id]",
		Short: "Make an account a producer, a consumer or both",
		Long: `Sets an account up in both places: its role in its own account, as ProducerAdmin
or ConsumerAdmin of the credentials file, and its role in the mesh account, as Mesh.

With an account id only the mesh account's half is done, for an account whose own
administrator has run "lakemesh account init". Both are safe to repeat: what is left out
stays as it is. What becomes narrower is shown, and without a terminal wants --yes.`,
		Args: cobra.MaximumNArgs(1),
		RunE: a.do(func(ctx context.Context, args []string) error {
			t, err := admin.ParseAccountType(f.accountType)
			if err != nil {
				return err
			}
			if accountID, err = accountArgument(accountID, args); err != nil {
				return err
			}
			if accountID != "" {
				return a.enableInMesh(ctx, t, accountID, f)
			}
			return a.bootstrap(ctx, t, f)
		}),
	}
	f.add(cmd)
	cmd.Flags().Var(list{values: &f.kmsKeys, none: true}, "kms-key", "the ARN of a key of KMS that the producer's data is encrypted with; repeat for several, none for no key (default: the keys that were named before)")
	cmd.Flags().Var(list{values: &f.addKMSKeys}, "add-kms-key", "the ARN of a further such key, beside those that were named before")
	cmd.Flags().StringVar(&accountID, "account-id", "", "do the mesh account's half only, for this account")
	return cmd
}

// bootstrap sets the account up in both places.
func (a *app) bootstrap(ctx context.Context, t admin.AccountType, f accountFlags) error {
	if err := a.needsBoth(ctx, "account enable", "run \"account init\" in the account and \"account enable --account-id\" in the mesh account"); err != nil {
		return err
	}
	options, err := f.roles.options()
	if err != nil {
		return err
	}
	in := admin.BootstrapInput{Type: t, CrawlerRoleARN: f.crawlerRole, Buckets: f.buckets, KMSKeys: f.kmsKeys, AddKMSKeys: f.addKMSKeys, KeyPolicies: f.keyPolicies, LinkRegions: f.linkRegions, AccountRoles: options, MeshRoles: options}
	if in.Mesh, err = a.options(ctx, lakemesh.MeshIdentity); err != nil {
		return err
	}
	if in.Account, err = a.options(ctx, administratorOf(t)); err != nil {
		return err
	}
	return a.setUp(
		func() (*plan.Plan, error) { return admin.PlanBootstrapAccount(ctx, in) },
		func() error {
			out, err := admin.BootstrapAccount(ctx, in)
			if err != nil {
				return err
			}
			return a.show(out, func() {
				var facts []fact
				for _, half := range []struct {
					name  string
					roles *admin.BootstrappedRoles
				}{{"producer", out.Producer}, {"consumer", out.Consumer}} {
					if half.roles != nil {
						facts = append(facts, fact{half.name + "'s role", half.roles.Account.RoleARN}, fact{"its role in the mesh", half.roles.Mesh.RoleARN})
					}
				}
				fmt.Fprint(a.out, renderFacts(facts...))
				a.nextStatus()
			})
		})
}

// enabling is one half of what makes an account a producer or a consumer.
type enabling struct {
	plan func() (*plan.Plan, error)
	do   func() (*admin.AccountOutput, error)
}

// enableInMesh does the mesh account's half.
func (a *app) enableInMesh(ctx context.Context, t admin.AccountType, accountID string, f accountFlags) error {
	options, err := f.roles.options()
	if err != nil {
		return err
	}
	mesh, err := a.admin(ctx, lakemesh.MeshIdentity)
	if err != nil {
		return err
	}
	if len(f.linkRegions) > 0 {
		return usageError{lakemesh.Invalid("--link-regions", "they are chosen in the account itself: lakemesh account init --account-type consumer --link-regions %s", strings.Join(f.linkRegions, ","))}
	}
	if f.keyPolicies != nil {
		return usageError{lakemesh.Invalid("--key-policy", "it is given in the account itself, by its administrator: lakemesh account init --account-type producer --key-policy %s", cmp.Or(strings.Join(f.keyPolicies, ","), "none"))}
	}
	if t == admin.Consumer && (f.kmsKeys != nil || f.addKMSKeys != nil) {
		return usageError{lakemesh.Invalid("--kms-key", "a consumer has no keys: its data is the producers'")}
	}
	producerIn := admin.EnableProducerInput{AccountID: accountID, CrawlerRoleARN: f.crawlerRole, KMSKeys: f.kmsKeys, AddKMSKeys: f.addKMSKeys, Roles: options}
	consumerIn := admin.EnableConsumerInput{AccountID: accountID, Roles: options}
	return a.enable(t, enabling{
		func() (*plan.Plan, error) { return mesh.PlanEnableAccountAsProducer(ctx, producerIn) },
		func() (*admin.AccountOutput, error) { return mesh.EnableAccountAsProducer(ctx, producerIn) },
	}, enabling{
		func() (*plan.Plan, error) { return mesh.PlanEnableAccountAsConsumer(ctx, consumerIn) },
		func() (*admin.AccountOutput, error) { return mesh.EnableAccountAsConsumer(ctx, consumerIn) },
	})
}

// enable does one half, in one account, for the type that is asked for.
func (a *app) enable(t admin.AccountType, asProducer, asConsumer enabling) error {
	var halves []enabling
	if t != admin.Consumer {
		halves = append(halves, asProducer)
	}
	if t != admin.Producer {
		halves = append(halves, asConsumer)
	}
	var roles []admin.AccountOutput
	err := a.setUp(
		func() (*plan.Plan, error) {
			whole := &plan.Plan{}
			for _, h := range halves {
				p, err := h.plan()
				if err != nil {
					return nil, err
				}
				whole.Operation = p.Operation
				whole.Append(p)
			}
			return whole, nil
		},
		func() error {
			for _, h := range halves {
				out, err := h.do()
				if err != nil {
					return err
				}
				roles = append(roles, *out)
			}
			return nil
		})
	if err != nil || a.flags.dryRun {
		return err
	}
	var result any = roles
	if len(roles) == 1 {
		result = roles[0]
	}
	return a.show(result, func() {
		for _, r := range roles {
			fmt.Fprint(a.out, renderFacts(fact{"role", r.RoleARN}))
		}
		a.nextAfter(t, roles)
	})
}

func (a *app) accountInit() *cobra.Command {
	var f accountFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Do the account's own half of enabling it, as its administrator",
		Args:  cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			t, err := admin.ParseAccountType(f.accountType)
			if err != nil {
				return err
			}
			options, err := f.roles.options()
			if err != nil {
				return err
			}
			account, err := a.admin(ctx, administratorOf(t))
			if err != nil {
				return err
			}
			producerIn := admin.InitializeProducerInput{CrawlerRoleARN: f.crawlerRole, Buckets: f.buckets, KeyPolicies: f.keyPolicies, Roles: options}
			if t == admin.Producer && len(f.linkRegions) > 0 {
				return usageError{lakemesh.Invalid("--link-regions", "a producer links in the mesh's region alone")}
			}
			if t == admin.Consumer && f.keyPolicies != nil {
				return usageError{lakemesh.Invalid("--key-policy", "a consumer has no keys: its data is the producers'")}
			}
			consumerIn := admin.InitializeConsumerInput{Roles: options, LinkRegions: f.linkRegions}
			return a.enable(t, enabling{
				func() (*plan.Plan, error) { return account.PlanInitializeProducerAccount(ctx, producerIn) },
				func() (*admin.AccountOutput, error) { return account.InitializeProducerAccount(ctx, producerIn) },
			}, enabling{
				func() (*plan.Plan, error) { return account.PlanInitializeConsumerAccount(ctx, consumerIn) },
				func() (*admin.AccountOutput, error) { return account.InitializeConsumerAccount(ctx, consumerIn) },
			})
		}),
	}
	f.add(cmd)
	return cmd
}

func (a *app) accountStatus() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell how a producer's or a consumer's account is set up",
		Long: `Tells how a producer's or a consumer's account is set up, and what is wrong with it.
With problems the exit code is 9.`,
		Example: `  lakemesh account status --as consumer`,
		Args:    cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			side, err := a.side(ctx, as, lakemesh.ProducerIdentity)
			if err != nil {
				return err
			}
			who := lakemesh.ProducerAdminIdentity
			if side == lakemesh.ConsumerIdentity {
				who = lakemesh.ConsumerAdminIdentity
			}
			account, err := a.admin(ctx, who)
			if err != nil {
				return err
			}
			out, err := account.Status(ctx)
			if err != nil {
				return err
			}
			return a.showStatus(out)
		}),
	}
	addAs(cmd, &as, "producer")
	return cmd
}
