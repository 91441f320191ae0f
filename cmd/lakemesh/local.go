package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/demo"
	"github.com/lakemesh/lakemesh/internal/home"
)

func (a *app) localCommand() *cobra.Command {
	cmd := group("local", "Serve the local mesh, and look after it", a.localStart(), a.localStop(), a.localStatus(), a.localEnv(), a.localLoad(), a.localReset())
	cmd.Long = `The local mesh is an embedded stand-in for the AWS services that a data mesh lives
on. It lives in the folder $LAKEMESH_HOME (default ~/.lakemesh). "lakemesh --local"
works on it without a server; "local start" serves it, so that other AWS programs
can work on it too.`
	return cmd
}

func (a *app) localStart() *cobra.Command {
	var o home.ServeOptions
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Serve the local mesh until interrupted, or until \"local stop\"",
		Long: `Serves the local mesh over HTTP, prints its address as the first line, and writes
credentials.json into the folder: Mesh, ProducerAdmin and ConsumerAdmin administer
their accounts, Producer and Consumer may assume DataMeshProducer or
DataMeshConsumer and nothing else.`,
		Example: `  lakemesh local start &
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
			h, err := home.Find()
			if err != nil {
				return err
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
			return h.Serve(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.Address, "addr", home.DefaultAddress, "host:port to listen on; port 0 takes a free one")
	f.BoolVar(&o.ExposeToNetwork, "expose-to-network", false, "accept an --addr that other machines can reach")
	f.DurationVar(&o.Latency, "latency", 0, "make each call take that much longer, such as 20ms")
	f.Float64Var(&o.Rate, "rate", 0, "throttle each API to that many calls a second (default: no limit)")
	f.IntVar(&o.EventualConsistency, "eventual-consistency", 0, "let others miss each change up to that many times that they look (default: known at once)")
	return cmd
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
	return &cobra.Command{
		Use:   "status",
		Short: "Tell whether the local mesh is served, and where",
		Args:  cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			h, err := home.Find()
			if err != nil {
				return err
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
}

func (a *app) localEnv() *cobra.Command {
	var who string
	legal := make([]string, 0, len(lakemesh.Identities()))
	for _, i := range lakemesh.Identities() {
		legal = append(legal, string(i))
	}
	cmd := &cobra.Command{
		Use:     "env",
		Short:   "Print the environment for other AWS programs, for a shell to evaluate",
		Example: `  eval "$(lakemesh local env --identity ProducerAdmin)"`,
		Args:    cobra.NoArgs,
		RunE: a.do(func(ctx context.Context, _ []string) error {
			h, err := home.Find()
			if err != nil {
				return err
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
			keys, err := file.Get(lakemesh.Identity(who))
			if err != nil {
				return err
			}
			// The keys open the local mesh alone; this command is there to print them.
			for _, v := range [][2]string{
				{"AWS_ENDPOINT_URL", s.Address}, {"AWS_REGION", file.Region}, {"AWS_DEFAULT_REGION", file.Region},
				{lakemesh.CredentialsFileVariable, h.CredentialsPath()},
				{"AWS_ACCESS_KEY_ID", keys.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey.Reveal()},
			} {
				fmt.Fprintf(a.out, "export %s=%s\n", v[0], quote(v[1]))
			}
			fmt.Fprintln(a.out, "unset AWS_SESSION_TOKEN AWS_PROFILE")
			return nil
		}),
	}
	cmd.Flags().Var(newChoice(&who, legal...), "identity", "whose keys: "+strings.Join(legal, ", "))
	must(cmd.RegisterFlagCompletionFunc("identity", cobra.FixedCompletions(legal, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// quote quotes a value for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

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
