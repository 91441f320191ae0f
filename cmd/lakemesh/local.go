package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/demo"
	"github.com/lakemesh/lakemesh/internal/home"
)

func (a *app) localCommand() *cobra.Command {
	cmd := group("local", "Serve the local mesh, and look after it", a.localStart(), a.localStop(), a.localStatus(), a.localEnv(), a.localClone(), a.localLoad(), a.localReset())
	cmd.Long = `The local mesh is an embedded stand-in for the AWS services that a data mesh lives
on. It lives in the folder $LAKEMESH_HOME (default ~/.lakemesh). "lakemesh --local"
works on it without a server; "local start" serves it, so that other AWS programs
can work on it too.`
	return cmd
}

func (a *app) localStart() *cobra.Command {
	var o home.ServeOptions
	var accounts string
	var detach bool
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Serve the local mesh until interrupted, or until \"local stop\"",
		Long: `Serves the local mesh over HTTP, prints its address as the first line, and writes
credentials.json into the folder: Mesh, ProducerAdmin and ConsumerAdmin administer
their accounts, Producer and Consumer may assume DataMeshProducer or
DataMeshConsumer and nothing else. With --detach it goes on in the background, and
the command is done when the server answers.

--region chooses the partition of AWS that a mesh which does not exist yet is in: with
cn-north-1 it is in aws-cn, with us-gov-west-1 in aws-us-gov, and else in aws.

--accounts chooses the ids of these accounts for a mesh that does not exist yet. Any
other id is an account, too: "local env --as" opens it. The address followed by
/_lakemesh/health tells what there is.`,
		Example: `  lakemesh local start --detach
  eval "$(lakemesh local env)"
  aws sts get-caller-identity`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.begun = true
			if err := a.noDryRun("starting the server"); err != nil {
				return err
			}
			if o.Latency < 0 || o.Rate < 0 || o.EventualConsistency < 0 {
				return lakemesh.Invalid("--latency, --rate and --eventual-consistency", "cannot be negative")
			}
			if cmd.Flags().Changed("accounts") {
				chosen, err := home.ParseAccounts("--accounts", accounts)
				if err != nil {
					return err
				}
				o.Accounts = &chosen
			}
			o.Region = a.flags.region
			h, err := home.Find()
			if err != nil {
				return err
			}
			if detach {
				return a.detachServer(cmd, h)
			}
			if log := a.logger(); log.Enabled(cmd.Context(), slog.LevelInfo) {
				o.Log = log
			}
			o.Ready = func(url string) {
				fmt.Fprintln(a.out, url)
				a.say("serving the local mesh of %s; stop with Ctrl-C or lakemesh local stop", h.Dir)
				a.say("credentials are in %s", h.CredentialsPath())
				if o.ExposeToNetwork {
					a.warn("other machines can reach the local mesh")
				}
			}
			if os.Getenv("GOGC") == "" {
				// The state is in the file, and little of what calls leave behind is alive: a
				// collection that is not needed yet delays the calls that are under way.
				debug.SetGCPercent(300)
			}
			return h.Serve(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.Address, "addr", home.DefaultAddress, "host:port to listen on; port 0 takes a free one")
	f.BoolVar(&detach, "detach", false, "go on in the background, and be done when the server answers")
	f.StringVar(&accounts, "accounts", "", "ids of a new mesh, such as mesh=555555555555,producer=111111111111,consumer=999999999999 (the default)")
	f.BoolVar(&o.ExposeToNetwork, "expose-to-network", false, "accept an --addr that other machines can reach")
	f.DurationVar(&o.Latency, "latency", 0, "make each call take that much longer, such as 20ms")
	f.Float64Var(&o.Rate, "rate", 0, "throttle each API to that many calls a second (default: no limit)")
	f.IntVar(&o.EventualConsistency, "eventual-consistency", 0, "be late as AWS is: a change is seen by others after up to that many looks in vain (default: at once)")
	return cmd
}

// detachServer starts this command once more, without --detach, in the background.
func (a *app) detachServer(cmd *cobra.Command, h home.Home) error {
	// The name that this was called by: a link has its own.
	program, err := exec.LookPath(os.Args[0])
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	args := []string{"local", "start"}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "detach" {
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	address, err := h.Detach(cmd.Context(), program, args...)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.out, address)
	a.say("serving the local mesh of %s in the background; lakemesh local stop ends it", h.Dir)
	a.say("credentials are in %s", h.CredentialsPath())
	return nil
}

func (a *app) localStop() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop the server of the local mesh",
		Args:  cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			if err := a.noDryRun("stopping the server"); err != nil {
				return err
			}
			err = h.Stop(ctx)
			if errors.Is(err, home.ErrNotRunning) {
				a.say("it is not running")
				return nil
			}
			if err == nil {
				a.say("stopped")
			}
			return err
		}),
	}
}

func (a *app) localStatus() *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell whether the local mesh is served, and where",
		Long: `Tells whether the local mesh is served, and where. With --wait it waits up to that
long for a server that is starting, and fails if there is none by then.`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			if wait < 0 {
				return lakemesh.Invalid("--wait", "cannot be negative")
			}
			if wait > 0 {
				if err := h.Wait(ctx, wait); err != nil {
					return err
				}
			}
			s, err := h.Status(ctx)
			if err != nil {
				return err
			}
			return a.show(s, func() {
				facts := []fact{{"folder", s.Folder}, {"mesh", choose(h.Exists(), "there", "none yet")}, {"server", choose(s.Running, "running", "not running")}}
				if s.Running {
					facts = append(facts, fact{"address", s.Address}, fact{"process", fmt.Sprint(s.PID)}, fact{"started", s.Started + " UTC"},
						fact{"calls", fmt.Sprint(s.Calls)})
				}
				fmt.Fprint(a.out, renderFacts(facts...))
			})
		}),
	}
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait up to that long for a server that is starting, such as 30s")
	return cmd
}

func (a *app) localEnv() *cobra.Command {
	var who, principal string
	var renewed bool
	var wait time.Duration
	legal := make([]string, 0, len(lakemesh.Identities()))
	for _, i := range lakemesh.Identities() {
		legal = append(legal, string(i))
	}
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print the environment for other AWS programs, for a shell to evaluate",
		Long: `Prints the environment for other AWS programs, for a shell to evaluate.

--as opens any user, role or root of any account, by its ARN: the first principal
that is opened in an account is made and administers it, others have to exist. The
keys of a role end after an hour; with --renewed programs get them from the server by
themselves, and new ones when they end, as in a container of ECS.`,
		Example: `  eval "$(lakemesh local env --identity ProducerAdmin)"
  eval "$(lakemesh local env --as arn:aws:iam::123456789012:role/Admin)"`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			if wait > 0 {
				if err := h.Wait(ctx, wait); err != nil {
					return err
				}
			}
			s, err := h.Status(ctx)
			if err != nil {
				return err
			}
			if !s.Running {
				return fmt.Errorf("%w in %s", home.ErrNotRunning, h.Dir)
			}
			file, err := h.Credentials()
			if err != nil {
				return err
			}
			if renewed && principal == "" {
				return lakemesh.Invalid("--renewed", "it goes with --as")
			}
			// The keys open the local mesh alone; this command is there to print them.
			var lines strings.Builder
			print := func(name, value string) { fmt.Fprintf(&lines, "export %s=%s\n", name, quote(value)) }
			clear := []string{"AWS_PROFILE"}
			print("AWS_ENDPOINT_URL", s.Address)
			print("AWS_REGION", file.Region)
			print("AWS_DEFAULT_REGION", file.Region)
			if principal == "" {
				print(lakemesh.CredentialsFileVariable, h.CredentialsPath())
			} else {
				// The file would act as its own identities, and not as the principal.
				clear = append(clear, lakemesh.CredentialsFileVariable)
				print(meshAccountVariable, file.Credentials[lakemesh.MeshIdentity].AccountID)
			}
			if renewed {
				endpoint, token, err := h.KeysEndpoint(ctx, principal)
				if err == nil {
					// A principal that there is not is told of now.
					_, err = h.Keys(ctx, principal)
				}
				if err != nil {
					return err
				}
				print("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint)
				print("AWS_CONTAINER_AUTHORIZATION_TOKEN", token.Reveal())
				clear = append(clear, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
			} else {
				keys, err := file.Get(lakemesh.Identity(who))
				if principal != "" {
					keys, err = h.Keys(ctx, principal)
				}
				if err != nil {
					return err
				}
				print("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
				print("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey.Reveal())
				if token := keys.SessionToken.Reveal(); token != "" {
					print("AWS_SESSION_TOKEN", token)
				} else {
					clear = append(clear, "AWS_SESSION_TOKEN")
				}
			}
			// All or nothing: a shell evaluates it.
			fmt.Fprint(a.out, lines.String()+"unset "+strings.Join(clear, " ")+"\n")
			return nil
		}),
	}
	f := cmd.Flags()
	f.Var(newChoice(&who, legal...), "identity", "whose keys: "+strings.Join(legal, ", "))
	f.Var(newName(&principal, ""), "as", "ARN of a user, a role or a root of any account whose keys are wanted instead")
	f.DurationVar(&wait, "wait", 0, "wait up to that long for a server that is starting, such as 30s")
	f.BoolVar(&renewed, "renewed", false, "let programs renew the keys by themselves; with --as")
	cmd.MarkFlagsMutuallyExclusive("identity", "as")
	must(cmd.RegisterFlagCompletionFunc("identity", cobra.FixedCompletions(legal, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// quote quotes a value for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func (a *app) localClone() *cobra.Command {
	var end string
	cmd := &cobra.Command{
		Use:   "clone",
		Short: "Serve a clone of the running local mesh at an address of its own",
		Long: `Has the server serve a clone of its mesh as it is now, in memory, and prints the
clone's address. Neither sees what happens in the other from then on, and the keys of
one are valid in both: so each test of a suite can begin with the same state. A clone
lives until --end, or until the server stops.`,
		Example: `  clone=$(lakemesh local clone)
  aws --endpoint-url "$clone" glue get-databases
  lakemesh local clone --end "$clone"`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			if end != "" {
				if err := a.noDryRun("ending a clone"); err != nil {
					return err
				}
				if err := h.EndClone(ctx, end); err != nil {
					return err
				}
				a.say("ended")
				return nil
			}
			if err := a.noDryRun("making a clone"); err != nil {
				return err
			}
			made, err := h.Clone(ctx)
			if err != nil {
				return err
			}
			return a.show(made, func() { fmt.Fprintln(a.out, made.Address) })
		}),
	}
	cmd.Flags().StringVar(&end, "end", "", "address of a clone to end instead")
	return cmd
}

func (a *app) localLoad() *cobra.Command {
	return &cobra.Command{
		Use:   "load",
		Short: "Put sample tables of real data into the producer's account",
		Long: `Puts airports, routes and weather of the United States into the producer's account
of the local mesh: objects in S3, and tables in the Glue database aviation, which a
producer has before it publishes them.`,
		Args: cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			if err := a.noDryRun("loading sample tables"); err != nil {
				return err
			}
			if err := a.connect(ctx); err != nil {
				return err
			}
			loaded, err := demo.Load(ctx, a.local)
			if err != nil {
				return err
			}
			return a.show(loaded, func() {
				rows := make([][]string, len(loaded.Tables))
				for i, t := range loaded.Tables {
					rows[i] = []string{loaded.DatabaseName, t.TableName, fmt.Sprint(t.Rows), fmt.Sprint(t.Partitions), t.Location}
				}
				a.printTable("tables", []string{"DATABASE", "TABLE", "ROWS", "PARTITIONS", "LOCATION"}, rows)
				a.next("lakemesh --local product create --source-database-name %s", loaded.DatabaseName)
			})
		}),
	}
}

func (a *app) localReset() *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Remove the local mesh and everything in it",
		Args:  cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			h, err := home.Find()
			if err != nil {
				return err
			}
			if s, err := h.Status(ctx); err == nil && s.Running {
				return fmt.Errorf("%w at %s", home.ErrRunning, s.Address)
			}
			if a.flags.dryRun {
				a.say("would remove the local mesh of %s", h.Dir)
				return nil
			}
			if h.Exists() {
				if err := a.confirm("Remove the local mesh of " + h.Dir + " and everything in it?"); err != nil {
					return err
				}
			}
			if err := h.Reset(); err != nil {
				return err
			}
			a.say("removed the local mesh of %s", h.Dir)
			return nil
		}),
	}
}

// since is a duration for people.
func since(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
