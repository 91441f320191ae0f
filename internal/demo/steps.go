package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/data"
	"github.com/lakemesh/lakemesh/producer"
)

// sampleRows is how many of the rows that were read are shown.
const sampleRows = 3

// sampleObject is an object of the table that is read.
const sampleObject = "location=Seattle/year=2012/weather.csv"

func (s *story) start(ctx context.Context) (outcome, error) {
	var err error
	if s.mesh, err = s.o.Open(ctx); err != nil {
		return outcome{}, err
	}
	return outcome{result: fmt.Sprintf("%s is the mesh, %s the producer, %s the consumer", s.mesh.Accounts().Mesh, s.mesh.Accounts().Producer, s.mesh.Accounts().Consumer)}, nil
}

func (s *story) setUpMesh(ctx context.Context) (outcome, error) {
	o, err := s.options(lakemesh.MeshIdentity)
	if err != nil {
		return outcome{}, err
	}
	a, err := admin.New(ctx, o)
	if err != nil {
		return outcome{}, err
	}
	// The consumer reads with an engine of its own, which AWS calls external.
	if _, err = a.InitializeMeshAccount(ctx, admin.InitializeMeshInput{AllowFullTableExternalDataAccess: new(true)}); err != nil {
		return outcome{}, err
	}
	status, err := a.Status(ctx)
	if err != nil {
		return outcome{}, err
	}
	if len(status.Problems) > 0 {
		return outcome{}, fmt.Errorf("the mesh account has problems: %s", strings.Join(status.Problems, "; "))
	}
	return outcome{result: "roles, data lake settings and the subscription table are there, no problems found"}, nil
}

func (s *story) enable(ctx context.Context, t admin.AccountType, who lakemesh.Identity) error {
	in := admin.BootstrapInput{Type: t}
	var err error
	if in.Mesh, err = s.options(lakemesh.MeshIdentity); err != nil {
		return err
	}
	if in.Account, err = s.options(who); err != nil {
		return err
	}
	_, err = admin.BootstrapAccount(ctx, in)
	return err
}

func (s *story) enableProducer(ctx context.Context) (outcome, error) {
	if err := s.enable(ctx, admin.Producer, lakemesh.ProducerAdminIdentity); err != nil {
		return outcome{}, err
	}
	o, err := s.options(lakemesh.ProducerIdentity)
	if err != nil {
		return outcome{}, err
	}
	if s.producer, err = producer.New(ctx, o); err != nil {
		return outcome{}, err
	}
	return outcome{result: fmt.Sprintf("%s acts as %s, and as %s in the mesh", s.producer.Account(), lakemesh.ProducerRole, lakemesh.MeshProducerRole(s.producer.Account()))}, nil
}

func (s *story) enableConsumer(ctx context.Context) (outcome, error) {
	if err := s.enable(ctx, admin.Consumer, lakemesh.ConsumerAdminIdentity); err != nil {
		return outcome{}, err
	}
	o, err := s.options(lakemesh.ConsumerIdentity)
	if err != nil {
		return outcome{}, err
	}
	if s.consumer, err = consumer.New(ctx, o); err != nil {
		return outcome{}, err
	}
	cfg, err := configOf(s.mesh, lakemesh.ConsumerIdentity)
	if err != nil {
		return outcome{}, err
	}
	s.reader = s.mesh.Config()
	s.reader.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), s.partition().RoleARN(s.mesh.Accounts().Consumer, lakemesh.ConsumerRole),
		func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "engine" }))
	return outcome{result: fmt.Sprintf("%s acts as %s, and as %s in the mesh", s.consumer.Account(), lakemesh.ConsumerRole, lakemesh.MeshConsumerRole(s.consumer.Account()))}, nil
}

func (s *story) publish(ctx context.Context) (outcome, error) {
	out, err := s.producer.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: Database, Domain: Domain, DataProductName: Product})
	if err != nil {
		return outcome{}, err
	}
	if len(out.Tables) != 3 || len(out.Warnings) > 0 {
		return outcome{}, fmt.Errorf("%d tables were published with warnings %q; 3 without any are expected", len(out.Tables), out.Warnings)
	}
	s.database = out.DatabaseName
	names := make([]string, len(out.Tables))
	for i, t := range out.Tables {
		names[i] = t.SourceTable
	}
	return outcome{result: fmt.Sprintf("%s in %s, of domain %s", strings.Join(names, ", "), s.database, Domain)}, nil
}

func (s *story) find(ctx context.Context) (outcome, error) {
	out, err := s.consumer.ListProducts(ctx, consumer.ListProductsInput{Domain: Domain, DataProductName: Product})
	if err != nil {
		return outcome{}, err
	}
	if len(out.Products) != 3 {
		return outcome{}, fmt.Errorf("%d tables of %s are listed, 3 are expected", len(out.Products), Product)
	}
	return outcome{result: fmt.Sprintf("%d tables of %s; their metadata is public, their data is not", len(out.Products), out.Products[0].Owner)}, nil
}

func (s *story) refusedBefore(ctx context.Context) (outcome, error) {
	if rows, err := s.rows(ctx, tableToRead); err == nil {
		return outcome{}, &lakemesh.Error{Kind: lakemesh.ErrIllegalTransition, Resource: "the folder's mesh",
			Message: fmt.Sprintf("the consumer can read %d rows of %s before the demo has granted anything", len(rows), tableToRead),
			Hint:    "a subscription of yours is active there; reset the mesh (lakemesh local reset), or run the demo without --keep"}
	}
	return s.refusal(ctx, tableToRead, sampleObject)
}

func (s *story) request(ctx context.Context) (outcome, error) {
	out, err := s.consumer.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: s.mesh.Accounts().Producer, DatabaseName: s.database,
		Tables: []string{tableToRead}, RequestPermissions: []string{"SELECT", "DESCRIBE"}, Notes: "to compare delays with the weather"})
	if err != nil {
		return outcome{}, err
	}
	s.report.SubscriptionID = out.SubscriptionID
	return outcome{result: fmt.Sprintf("DESCRIBE, SELECT on %s: %s", tableToRead, out.SubscriptionID)}, nil
}

func (s *story) seeRequest(ctx context.Context) (outcome, error) {
	out, err := s.producer.ListPendingAccessRequests(ctx)
	if err != nil {
		return outcome{}, err
	}
	for _, r := range out.Subscriptions {
		if r.SubscriptionID == s.report.SubscriptionID {
			return outcome{result: fmt.Sprintf("%s asks for %s on %s.%s, by %s", r.SubscriberPrincipal, strings.Join(r.RequestedGrants, ", "),
				r.DatabaseName, strings.Join(r.TableName, ", "), r.CreatedBy)}, nil
		}
	}
	return outcome{}, fmt.Errorf("request %s is not among the %d pending ones", s.report.SubscriptionID, len(out.Subscriptions))
}

func (s *story) approval() producer.ApproveInput {
	return producer.ApproveInput{RequestID: s.report.SubscriptionID, DecisionNotes: "for the delay study"}
}

func (s *story) seePlan(ctx context.Context) (outcome, error) {
	p, err := s.producer.PlanApproveAccessRequest(ctx, s.approval())
	if err != nil {
		return outcome{}, err
	}
	lines := make([]string, len(p.Steps))
	for i, step := range p.Steps {
		lines[i] = fmt.Sprintf("%d. [%s] %s", i+1, step.Account, step.Summary)
	}
	return outcome{result: fmt.Sprintf("approving takes %d steps, and nothing is done yet", len(p.Steps)), detail: lines}, nil
}

func (s *story) approve(ctx context.Context) (outcome, error) {
	if err := s.producer.ApproveAccessRequest(ctx, s.approval()); err != nil {
		return outcome{}, err
	}
	sub, err := s.producer.GetSubscription(ctx, s.report.SubscriptionID)
	if err != nil {
		return outcome{}, err
	}
	if sub.Status != lakemesh.Active {
		return outcome{}, fmt.Errorf("the subscription is %s after its approval", sub.Status)
	}
	return outcome{result: fmt.Sprintf("the subscription is %s with %s, grantable %s", sub.Status, sub.Permitted, sub.Grantable)}, nil
}

func (s *story) importIt(ctx context.Context) (outcome, error) {
	out, err := s.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: s.report.SubscriptionID})
	if err != nil {
		return outcome{}, err
	}
	return outcome{result: fmt.Sprintf("%s accepted, %s linked, %s handed on to %s", count(len(out.AcceptedShares), "share"),
		out.LinkDatabase, strings.Join(out.Permissions, ", "), lakemesh.ConsumerRole)}, nil
}

func (s *story) read(ctx context.Context) (outcome, error) {
	rows, err := s.rows(ctx, tableToRead)
	if err != nil {
		return outcome{}, err
	}
	if err := sameRows(rows); err != nil {
		return outcome{}, err
	}
	s.report.Rows = len(rows)
	detail := []string{"location, year, date, precipitation, temp_max, temp_min, wind, weather"}
	for _, r := range rows[:sampleRows] {
		detail = append(detail, strings.Join(r, ", "))
	}
	detail = append(detail, "...")
	return outcome{result: fmt.Sprintf("%s rows through credentials that Lake Formation vended, the same as the producer's", thousands(len(rows))), detail: detail}, nil
}

// sameRows compares what was read with the producer's data, and sorts it.
func sameRows(rows [][]string) error {
	want, err := parse(data.Weather())
	if err != nil {
		return err
	}
	for i, r := range want {
		want[i] = append([]string{r[0], r[1][:4]}, r[1:]...)
	}
	order := func(a, b []string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[2], b[2])) }
	slices.SortStableFunc(want, order)
	slices.SortStableFunc(rows, order)
	if !slices.EqualFunc(rows, want, slices.Equal[[]string]) {
		return fmt.Errorf("the %d rows that were read are not the producer's %d", len(rows), len(want))
	}
	return nil
}

func (s *story) refusedOther(ctx context.Context) (outcome, error) {
	return s.refusal(ctx, tableNotFor, tableNotFor+".csv")
}

func (s *story) narrow(ctx context.Context) (outcome, error) {
	err := s.producer.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: s.report.SubscriptionID,
		GrantPermissions: []string{"DESCRIBE"}, Notes: "the study is over, the metadata may stay"})
	if err != nil {
		return outcome{}, err
	}
	sub, err := s.producer.GetSubscription(ctx, s.report.SubscriptionID)
	if err != nil {
		return outcome{}, err
	}
	if got := sub.Permitted.String(); got != "DESCRIBE" {
		return outcome{}, fmt.Errorf("the subscription permits %s after it was narrowed to DESCRIBE", got)
	}
	return outcome{result: "SELECT is taken away, DESCRIBE stays"}, nil
}

// refusedNarrowed imports again, because a change on the producer's side ends what
// had been handed on; then the metadata can be seen, and the data cannot.
func (s *story) refusedNarrowed(ctx context.Context) (outcome, error) {
	if _, err := s.consumer.FinalizeSubscription(ctx, consumer.FinalizeInput{SubscriptionID: s.report.SubscriptionID}); err != nil {
		return outcome{}, err
	}
	if _, err := s.describe(ctx); err != nil {
		return outcome{}, fmt.Errorf("the metadata cannot be seen with DESCRIBE: %w", err)
	}
	out, err := s.refusal(ctx, tableToRead, sampleObject)
	out.detail = append(out.detail, "the metadata of "+tableToRead+" can still be seen")
	return out, err
}

// describe asks for the metadata of the table, as the consumer's own role.
func (s *story) describe(ctx context.Context) (*glue.GetTableOutput, error) {
	return glue.NewFromConfig(s.reader).GetTable(ctx, &glue.GetTableInput{CatalogId: aws.String(s.mesh.Accounts().Mesh), DatabaseName: &s.database, Name: aws.String(tableToRead)})
}

func (s *story) deleteIt(ctx context.Context) (outcome, error) {
	if err := s.producer.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: s.report.SubscriptionID, Reason: "no longer needed"}); err != nil {
		return outcome{}, err
	}
	return outcome{result: "every grant that it alone justified is revoked, its record stays"}, nil
}

func (s *story) refusedAfter(ctx context.Context) (outcome, error) {
	out, err := s.refusal(ctx, tableToRead, sampleObject)
	if err != nil {
		return outcome{}, err
	}
	if _, err := s.describe(ctx); err == nil {
		return outcome{}, errors.New("the consumer's role still sees the table after its subscription was deleted")
	}
	return out, nil
}

func (s *story) record(ctx context.Context) (outcome, error) {
	sub, err := s.producer.GetSubscription(ctx, s.report.SubscriptionID)
	if err != nil {
		return outcome{}, err
	}
	if sub.Status != lakemesh.Deleted {
		return outcome{}, fmt.Errorf("the subscription is %s, Deleted is expected", sub.Status)
	}
	var lines []string
	done := map[lakemesh.Action]bool{}
	for _, e := range sub.History {
		done[e.Action] = true
		line := fmt.Sprintf("%s  %-7s  %-7s  by %s", lakemesh.FormatTime(e.At), e.Action, e.To, e.By)
		if e.Reason != "" {
			line += ": " + e.Reason
		}
		lines = append(lines, line)
	}
	for _, a := range []lakemesh.Action{lakemesh.ActionRequest, lakemesh.ActionApprove, lakemesh.ActionUpdate, lakemesh.ActionDelete} {
		if !done[a] {
			return outcome{}, fmt.Errorf("the history does not tell of %q", a)
		}
	}
	return outcome{result: fmt.Sprintf("it is %s, and its history has %s", sub.Status, count(len(sub.History), "entry", "entries")), detail: lines}, nil
}

func count(n int, word string, plural ...string) string {
	switch {
	case n == 1:
		return "1 " + word
	case len(plural) > 0:
		return fmt.Sprintf("%d %s", n, plural[0])
	}
	return fmt.Sprintf("%d %ss", n, word)
}
