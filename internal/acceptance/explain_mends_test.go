package acceptance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// What an explanation names as the mend of a broken link mends it, when it is done by whom
// it names: the next explanation finds the link whole. Doing what is named until nothing is
// broken any more ends in a table that can be read, but for what nobody's command mends.

// mostMends is how many steps it may take from a table that was never asked for to one
// that can be read.
const mostMends = 8

func TestWhatAnExplanationNamesMends(t *testing.T) {
	t.Parallel()
	late := os.Getenv("LAKEMESH_EVENTUAL_CONSISTENCY") != ""
	views := []string{"both"}
	if long() {
		views = []string{"both", "owner", "consumer", "administrator"}
	}
	for life, live := range lives() {
		for name, d := range deeds() {
			sample := life == "imported" && (d.broken != "" || name == "the account is granted nothing to give") || name == "nothing"
			if !long() && (!sample || late && life != "imported") {
				continue
			}
			for _, view := range views {
				if life != "imported" && name != "nothing" {
					continue
				}
				t.Run(life+"/"+name+"/"+view, func(t *testing.T) {
					t.Parallel()
					w := newExplaining(t)
					// What was mended is looked at right after it was.
					w.SetEventualConsistency(0)
					live(w)
					if err := d.do(w); err != nil {
						t.Skipf("it does not apply: %v", err)
					}
					w.mends(view, d.lasts)
				})
			}
		}
	}
}

// named is what an explanation names as the mend of a link.
func named(s chain.Step) string {
	if s.Do != nil {
		return s.Do.String()
	}
	return s.Command
}

// mends does what explanations of a view name until nothing is broken. What lasts no
// command mends.
func (w *explaining) mends(view string, lasts bool) {
	w.t.Helper()
	q := chain.Question{Database: product, Table: orders, Principal: w.analyst, Permission: lakemesh.Select}
	// What a consumer asks for its owner approves, what an owner lets be handed on the
	// consumer hands on, and what it shares again the consumer accepts.
	steps := map[chain.Link]bool{chain.Record: true, chain.HandedOn: true, chain.Invitation: true}
	var done []string
	for range mostMends {
		e, err := w.seenBy(view, q)
		if errors.Is(err, lakemesh.ErrNotFound) && view != "both" {
			return
		}
		w.must(err)
		broken, is := e.FirstBroken()
		if !is {
			if truth := w.truth(q); view == "both" && truth == chain.Cannot && e.Verdict != chain.Untold {
				w.t.Errorf("after %q nothing is broken, and it %s:\n%s", done, truth, told(e))
			}
			return
		}
		if broken.Do == nil && broken.Command == "" {
			if asks := view != "both" && broken.Look != nil; !lasts && !asks {
				w.t.Errorf("after %q nothing is named that mends the %s:\n%s", done, broken.Link, told(e))
			}
			return
		}
		said := named(broken)
		done = append(done, string(broken.Mends)+": "+said)
		if err := w.carriesOut(broken); err != nil {
			w.t.Errorf("after %q the %s cannot be mended: %v\n%s", done[:len(done)-1], broken.Link, err, told(e))
			return
		}
		path := e.Ways[0].Path
		if !w.inTheEnd(func() bool {
			if e, err = w.seenBy(view, q); err != nil {
				return false
			}
			for _, way := range e.Ways {
				s, ok := way.Step(broken.Link)
				settled := broken.Do != nil && broken.Do.Operation == "producer.SettleDepartures"
				goesOn := (settled || steps[broken.Link]) && named(s) != said
				if way.Path == path && ok && s.State == chain.Broken && !goesOn {
					return false
				}
			}
			return true
		}) {
			w.t.Errorf("after %q the %s is still broken (%v):\n%s", done, broken.Link, err, told(e))
			return
		}
	}
	w.t.Errorf("it is not mended by %q", done)
}

// seenBy is the explanation of a view.
func (w *explaining) seenBy(view string, q chain.Question) (*chain.Explanation, error) {
	w.t.Helper()
	switch view {
	case "owner":
		return w.producer.Explain(w.ctx(), q)
	case "consumer":
		return w.consumer.Explain(w.ctx(), q)
	case "administrator":
		return w.admin().Explain(w.ctx(), q)
	}
	o, err := w.producer.Explain(w.ctx(), q)
	if err != nil {
		return nil, err
	}
	c, err := w.consumer.Explain(w.ctx(), q)
	if err != nil {
		return nil, err
	}
	return chain.Together(o, c), nil
}

func (w *explaining) admin() *admin.Admin {
	w.t.Helper()
	a, err := admin.New(w.ctx(), w.Options(meshAccount))
	w.must(err)
	return a
}

// carriesOut does what mends a step, as whom it names.
func (w *explaining) carriesOut(s chain.Step) error {
	w.t.Helper()
	if s.Do == nil {
		return w.carriesOutByAWS(s)
	}
	arguments := map[string]string{}
	for _, a := range s.Do.Arguments {
		arguments[a.Name] = a.Value
	}
	list := func(name string) []string {
		switch arguments[name] {
		case "":
			return nil
		case "none":
			return []string{}
		}
		return strings.Split(arguments[name], ",")
	}
	if side, _, _ := strings.Cut(s.Do.Operation, "."); map[string]chain.Party{"producer": chain.Owner, "consumer": chain.Consumer, "admin": chain.Administrator}[side] != s.Mends {
		return fmt.Errorf("%s is not for the %s to do", s.Do.Operation, s.Mends)
	}
	ctx := w.ctx()
	var err error
	switch s.Do.Operation {
	case "producer.ApproveAccessRequest":
		err = w.producer.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: arguments["RequestID"]})
	case "producer.UpdateSubscriptionPermissions":
		err = w.producer.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: arguments["SubscriptionID"], GrantPermissions: list("GrantPermissions"), GrantablePermissions: list("GrantablePermissions")})
	case "producer.SettleDepartures":
		_, err = w.producer.SettleDepartures(ctx)
	case "producer.CreateDataProducts":
		_, err = w.producer.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: arguments["SourceDatabaseName"], TableNameRegex: arguments["TableNameRegex"], ExposeDataMeshDBName: arguments["ExposeDataMeshDBName"]})
	case "producer.SyncProducts":
		_, err = w.producer.SyncProducts(ctx, producer.SyncInput{DatabaseName: arguments["DatabaseName"], TableNameRegex: arguments["TableNameRegex"]})
	case "consumer.RequestAccessToProduct":
		_, err = w.consumer.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: arguments["OwnerAccountID"], DatabaseName: arguments["DatabaseName"], Tables: list("Tables"), RequestPermissions: list("RequestPermissions")})
	case "consumer.FinalizeSubscription":
		_, err = w.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: arguments["SubscriptionID"], Principals: list("Principals"), LinkDatabaseName: arguments["LinkDatabaseName"]})
	case "admin.EnableAccountAsProducer":
		_, err = w.admin().EnableAccountAsProducer(ctx, admin.EnableProducerInput{AccountID: arguments["AccountID"], KMSKeys: list("KMSKey")})
	default:
		return fmt.Errorf("nobody here does %s", s.Do)
	}
	return err
}

// carriesOutByAWS does what a command of the AWS CLI does.
func (w *explaining) carriesOutByAWS(s chain.Step) error {
	w.t.Helper()
	cfg := map[chain.Party]aws.Config{chain.Owner: w.as(producerAccount, lakemesh.ProducerRole), chain.Consumer: w.Config(self()), chain.Administrator: w.Config(meshtest.Administrator(meshAccount))}[s.Mends]
	words := strings.Fields(s.Command)
	if len(words) < 3 || words[0] != "aws" {
		return fmt.Errorf("no command of the AWS CLI: %s", s.Command)
	}
	flags := map[string]string{}
	for i := 3; i+1 < len(words); i += 2 {
		flags[words[i]] = strings.Trim(words[i+1], "'")
	}
	lake := lakeformation.NewFromConfig(cfg)
	principal := &lftypes.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(strings.TrimPrefix(flags["--principal"], "DataLakePrincipalIdentifier="))}
	permissions := []lftypes.Permission{lftypes.Permission(flags["--permissions"])}
	var on lftypes.Resource
	if text := flags["--resource"]; text != "" {
		if err := json.Unmarshal([]byte(text), &on); err != nil {
			return err
		}
	}
	switch words[1] + " " + words[2] {
	case "lakeformation grant-permissions":
		_, err := lake.GrantPermissions(w.ctx(), &lakeformation.GrantPermissionsInput{Principal: principal, Permissions: permissions, Resource: &on})
		return err
	case "lakeformation revoke-permissions":
		_, err := lake.RevokePermissions(w.ctx(), &lakeformation.RevokePermissionsInput{Principal: principal, Permissions: permissions, Resource: &on})
		return err
	case "lakeformation deregister-resource":
		_, err := lake.DeregisterResource(w.ctx(), &lakeformation.DeregisterResourceInput{ResourceArn: aws.String(flags["--resource-arn"])})
		return err
	case "ram accept-resource-share-invitation":
		_, err := ram.NewFromConfig(cfg).AcceptResourceShareInvitation(w.ctx(), &ram.AcceptResourceShareInvitationInput{ResourceShareInvitationArn: aws.String(flags["--resource-share-invitation-arn"])})
		return err
	case "glue create-database":
		var in gluetypes.DatabaseInput
		if err := json.Unmarshal([]byte(flags["--database-input"]), &in); err != nil {
			return err
		}
		_, err := glue.NewFromConfig(cfg).CreateDatabase(w.ctx(), &glue.CreateDatabaseInput{DatabaseInput: &in})
		return err
	}
	return fmt.Errorf("nobody here does %s", s.Command)
}

// What would be granted is never named as a way to look: who sees a link is asked, and
// that changes nothing.
func TestWhoDoesNotSeeIsToldWhomToAsk(t *testing.T) {
	t.Parallel()
	w := newExplaining(t)
	w.SetEventualConsistency(0)
	lives()["imported"](w)
	w.must(deeds()["DESCRIBE on all tables is all that is left"].do(w))
	for _, view := range []string{"both", "owner", "consumer", "administrator"} {
		for _, permission := range []lakemesh.Permission{lakemesh.Select, lakemesh.Insert} {
			e, err := w.seenBy(view, chain.Question{Database: product, Table: orders, Principal: w.analyst, Permission: permission})
			w.must(err)
			for _, way := range e.Ways {
				for _, s := range way.Steps {
					if s.State == chain.NotSeen && (s.Do != nil || s.Command != "") {
						t.Errorf("%s: what mends the %s is named, which is not seen: %+v", view, s.Link, s)
					}
					if s.Look != nil && !strings.HasSuffix(s.Look.Operation, ".Explain") {
						t.Errorf("%s: to see the %s %s is named", view, s.Link, s.Look)
					}
					if view == "both" && (strings.Contains(s.What, "the owner sees") || strings.Contains(s.What, consumerAccount+" sees")) && way.Path == chain.ThroughAccount {
						t.Errorf("both are told to ask one of them: %+v", s)
					}
				}
			}
			if broken, ok := e.FirstBroken(); permission == lakemesh.Select && view != "owner" && (!ok || broken.Link != chain.Grant || !strings.Contains(broken.What, "DESCRIBE")) {
				t.Errorf("%s: the first broken link is %+v:\n%s", view, broken, told(e))
			}
		}
	}
}
