package acceptance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/producer"
)

// mistake is an input that has to be refused before anything changes.
type mistake struct {
	do   func() error
	kind error
	// says is what the error has to tell.
	says string
}

// mistakes makes each mistake and checks the error's kind, what it tells, and that
// no call was made that writes.
func (w *world) mistakes(all map[string]mistake) {
	w.t.Helper()
	for name, m := range all {
		w.silent(name, func() {
			err := m.do()
			if !errors.Is(err, m.kind) || !strings.Contains(err.Error(), m.says) {
				w.t.Errorf("%s: %v; want %v that tells %q", name, err, m.kind, m.says)
			}
		})
	}
}

func TestAProducersMistakesChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Table(producerAccount, source, &gluetypes.TableInput{Name: aws.String("totals"), TableType: aws.String("VIRTUAL_VIEW"), ViewOriginalText: aws.String("select 1")})
	pending, active := w.request([]string{orders}, "SELECT"), w.active(customers)
	unknown, foreign := lakemesh.NewSubscriptionID(producerAccount, consumerAccount), lakemesh.NewSubscriptionID(otherProducer, consumerAccount)
	create := func(change func(*producer.CreateDataProductsInput)) func() error {
		return func() error {
			in := producer.CreateDataProductsInput{SourceDatabaseName: source}
			change(&in)
			_, err := w.producer.CreateDataProducts(t.Context(), in)
			return err
		}
	}
	migrate := func(change func(*producer.MigrateInput)) func() error {
		return func() error {
			in := producer.MigrateInput{SourceDatabaseName: source}
			change(&in)
			_, err := w.producer.MigrateTablesToMesh(t.Context(), in)
			return err
		}
	}
	approve := func(id string, grant, grantable []string) func() error {
		return func() error {
			return w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id, GrantPermissions: grant, GrantablePermissions: grantable})
		}
	}
	update := func(id string, grant, grantable []string) func() error {
		return func() error {
			return w.producer.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: id, GrantPermissions: grant, GrantablePermissions: grantable})
		}
	}
	end := func(id string) func() error {
		return func() error {
			return w.producer.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id})
		}
	}
	deny := func(id string) func() error {
		return func() error {
			return w.producer.DenyAccessRequest(t.Context(), producer.DenyInput{RequestID: id})
		}
	}
	w.mistakes(map[string]mistake{
		"publish an unknown database":    {create(func(in *producer.CreateDataProductsInput) { in.SourceDatabaseName = "sale" }), lakemesh.ErrNotFound, "sale"},
		"publish an unknown table":       {create(func(in *producer.CreateDataProductsInput) { in.TableNameRegex = "order" }), lakemesh.ErrNotFound, "order"},
		"publish what nothing matches":   {create(func(in *producer.CreateDataProductsInput) { in.TableNameRegex = "rder.*" }), lakemesh.ErrNotFound, "rder.*"},
		"publish by a broken expression": {create(func(in *producer.CreateDataProductsInput) { in.TableNameRegex = "orders(" }), lakemesh.ErrInvalidInput, "orders("},
		"publish a view":                 {create(func(in *producer.CreateDataProductsInput) { in.TableNameRegex = "totals" }), lakemesh.ErrInvalidInput, "view"},
		"publish by a broken schedule": {create(func(in *producer.CreateDataProductsInput) {
			in.SyncMeshCatalogSchedule, in.SyncMeshCrawlerRoleARN = "daily", meshtest.CrawlerRole
		}), lakemesh.ErrInvalidInput, "cron"},
		"publish by a schedule alone": {create(func(in *producer.CreateDataProductsInput) { in.SyncMeshCatalogSchedule = "cron(0 1 * * ? *)" }), lakemesh.ErrInvalidInput, "SyncMeshCrawlerRoleARN"},
		"publish with another's role": {create(func(in *producer.CreateDataProductsInput) {
			in.SyncMeshCrawlerRoleARN = "arn:aws:iam::" + consumerAccount + ":role/Crawler"
		}), lakemesh.ErrInvalidInput, consumerAccount},
		"publish with a user for a role": {create(func(in *producer.CreateDataProductsInput) {
			in.SyncMeshCrawlerRoleARN = "arn:aws:iam::" + producerAccount + ":user/Crawler"
		}), lakemesh.ErrInvalidInput, "user/Crawler"},
		"publish with an impossible suffix": {create(func(in *producer.CreateDataProductsInput) { in.ExposeTableReferencesWithSuffix = aws.String("/") }), lakemesh.ErrInvalidInput, "Suffix"},
		"publish with a suffix too long": {create(func(in *producer.CreateDataProductsInput) {
			in.ExposeTableReferencesWithSuffix = aws.String(strings.Repeat("x", 250))
		}), lakemesh.ErrInvalidInput, "255"},
		"publish under a name too long":     {create(func(in *producer.CreateDataProductsInput) { in.ExposeDataMeshDBName = strings.Repeat("x", 256) }), lakemesh.ErrInvalidInput, "255"},
		"migrate an unknown database":       {migrate(func(in *producer.MigrateInput) { in.SourceDatabaseName = "sale" }), lakemesh.ErrNotFound, "sale"},
		"migrate a view":                    {migrate(func(in *producer.MigrateInput) { in.TableNameRegex = "totals" }), lakemesh.ErrInvalidInput, "view"},
		"migrate by a broken expression":    {migrate(func(in *producer.MigrateInput) { in.TableNameRegex = "[" }), lakemesh.ErrInvalidInput, "["},
		"approve an unknown permission":     {approve(pending, []string{"READ"}, nil), lakemesh.ErrInvalidInput, "DESCRIBE"},
		"approve a permission of databases": {approve(pending, []string{"CREATE_TABLE"}, nil), lakemesh.ErrInvalidInput, "INSERT"},
		"approve more on than granted":      {approve(pending, []string{"SELECT"}, []string{"SELECT", "INSERT"}), lakemesh.ErrInvalidInput, "INSERT"},
		"approve more on than asked for":    {approve(pending, nil, []string{"DESCRIBE"}), lakemesh.ErrInvalidInput, "DESCRIBE"},
		"approve what is active":            {approve(active, nil, nil), lakemesh.ErrIllegalTransition, "Active"},
		"approve what is unknown":           {approve(unknown, nil, nil), lakemesh.ErrNotFound, unknown},
		"approve another owner's":           {approve(foreign, nil, nil), lakemesh.ErrWrongAccount, otherProducer},
		"approve what is no id":             {approve("orders", nil, nil), lakemesh.ErrInvalidInput, "orders"},
		"deny what is active":               {deny(active), lakemesh.ErrIllegalTransition, "Pending"},
		"deny what is unknown":              {deny(unknown), lakemesh.ErrNotFound, unknown},
		"deny another owner's":              {deny(foreign), lakemesh.ErrWrongAccount, otherProducer},
		"change to an unknown permission":   {update(active, []string{"SELECTS"}, nil), lakemesh.ErrInvalidInput, "SELECTS"},
		"change to more on than granted":    {update(active, []string{"SELECT"}, []string{"DROP"}), lakemesh.ErrInvalidInput, "DROP"},
		"change what is pending":            {update(pending, []string{"SELECT"}, nil), lakemesh.ErrIllegalTransition, "Active"},
		"change another owner's":            {update(foreign, []string{"SELECT"}, nil), lakemesh.ErrWrongAccount, otherProducer},
		"end what is pending":               {end(pending), lakemesh.ErrIllegalTransition, "Active"},
		"end what is unknown":               {end(unknown), lakemesh.ErrNotFound, unknown},
		"end another owner's":               {end(foreign), lakemesh.ErrWrongAccount, otherProducer},
		"look up an unknown database": {func() error {
			return second(w.producer.GetDataProduct(t.Context(), producer.GetDataProductInput{DatabaseName: "sale"}))
		}, lakemesh.ErrNotFound, "sale"},
	})
	if s := w.get(pending); s.Status != lakemesh.Pending || s.Claim != nil || len(s.History) != 1 {
		t.Errorf("the request is %+v", s)
	}
}

func TestAConsumersMistakesChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pending := w.request([]string{orders}, "SELECT")
	unknown, foreign := lakemesh.NewSubscriptionID(producerAccount, consumerAccount), lakemesh.NewSubscriptionID(producerAccount, otherConsumer)
	active := w.active(customers)
	request := func(change func(*consumer.RequestInput)) func() error {
		return func() error {
			in := consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: product, Tables: []string{orders}, RequestPermissions: []string{"SELECT"}}
			change(&in)
			return second(w.consumer.RequestAccessToProduct(t.Context(), in))
		}
	}
	finalize := func(in consumer.FinalizeInput) func() error {
		return func() error { return second(w.consumer.FinalizeSubscription(t.Context(), in)) }
	}
	leave := func(id string) func() error {
		return func() error {
			return w.consumer.DeleteSubscription(t.Context(), consumer.LeaveInput{SubscriptionID: id})
		}
	}
	w.mistakes(map[string]mistake{
		"ask a malformed account":           {request(func(in *consumer.RequestInput) { in.OwnerAccountID = "11111111111" }), lakemesh.ErrInvalidInput, "twelve digits"},
		"ask another owner":                 {request(func(in *consumer.RequestInput) { in.OwnerAccountID = otherProducer }), lakemesh.ErrWrongAccount, producerAccount},
		"ask for an unknown database":       {request(func(in *consumer.RequestInput) { in.DatabaseName = source }), lakemesh.ErrNotFound, source},
		"ask for an unknown table":          {request(func(in *consumer.RequestInput) { in.Tables = []string{orders, "order"} }), lakemesh.ErrNotFound, "order"},
		"ask for what nothing matches":      {request(func(in *consumer.RequestInput) { in.Tables = []string{"rders.*"} }), lakemesh.ErrNotFound, "rders.*"},
		"ask by a broken expression":        {request(func(in *consumer.RequestInput) { in.Tables = []string{"orders("} }), lakemesh.ErrInvalidInput, "orders("},
		"ask for nothing":                   {request(func(in *consumer.RequestInput) { in.RequestPermissions = nil }), lakemesh.ErrInvalidInput, "SELECT"},
		"ask for an unknown permission":     {request(func(in *consumer.RequestInput) { in.RequestPermissions = []string{"READ"} }), lakemesh.ErrInvalidInput, "ALTER, DELETE"},
		"ask for a permission of databases": {request(func(in *consumer.RequestInput) { in.RequestPermissions = []string{"CREATE_TABLE"} }), lakemesh.ErrInvalidInput, "ALTER, DELETE"},
		"ask for a name too long":           {request(func(in *consumer.RequestInput) { in.Tables = []string{strings.Repeat("x", 256)} }), lakemesh.ErrInvalidInput, "255"},
		"import what is pending":            {finalize(consumer.FinalizeInput{SubscriptionID: pending}), lakemesh.ErrIllegalTransition, "Active"},
		"import what is unknown":            {finalize(consumer.FinalizeInput{SubscriptionID: unknown}), lakemesh.ErrNotFound, unknown},
		"import another's":                  {finalize(consumer.FinalizeInput{SubscriptionID: foreign}), lakemesh.ErrWrongAccount, otherConsumer},
		"hand on to another account's role": {finalize(consumer.FinalizeInput{SubscriptionID: active, Principals: []string{"arn:aws:iam::" + otherConsumer + ":role/Admin"}}), lakemesh.ErrInvalidInput, otherConsumer},
		"hand on to what is no ARN":         {finalize(consumer.FinalizeInput{SubscriptionID: active, Principals: []string{"Admin"}}), lakemesh.ErrInvalidInput, "Admin"},
		"import under an impossible name":   {finalize(consumer.FinalizeInput{SubscriptionID: active, LinkDatabaseName: "a/b"}), lakemesh.ErrInvalidInput, "a/b"},
		"import under a name too long":      {finalize(consumer.FinalizeInput{SubscriptionID: active, LinkDatabaseName: strings.Repeat("x", 256)}), lakemesh.ErrInvalidInput, "255"},
		"leave what is pending":             {leave(pending), lakemesh.ErrIllegalTransition, "Active"},
		"leave what is unknown":             {leave(unknown), lakemesh.ErrNotFound, unknown},
		"leave another's":                   {leave(foreign), lakemesh.ErrWrongAccount, otherConsumer},
		"take back what is active": {func() error {
			return w.consumer.CancelAccessRequest(t.Context(), consumer.CancelInput{SubscriptionID: active})
		}, lakemesh.ErrIllegalTransition, "Pending"},
		"list a state that does not exist": {func() error {
			return second(w.consumer.ListProductAccess(t.Context(), consumer.ListInput{Statuses: []lakemesh.Status{"Open"}}))
		}, lakemesh.ErrInvalidInput, "Open"},
		"describe a table that is not there": {func() error {
			return second(w.consumer.GetTableInfo(t.Context(), consumer.TableInfoInput{DatabaseName: product, TableName: "order"}))
		}, lakemesh.ErrNotFound, "order"},
	})
}

func TestPersonasAreOpenedWithGoodOptionsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open := func(account string, change func(*lakemesh.Options)) map[string]func() error {
		o := w.Options(account)
		change(&o)
		return map[string]func() error{
			"producer": func() error { return second(producer.New(t.Context(), o)) },
			"consumer": func() error { return second(consumer.New(t.Context(), o)) },
			"admin":    func() error { return second(admin.New(t.Context(), o)) },
		}
	}
	for name, c := range map[string]struct {
		change func(*lakemesh.Options)
		says   string
	}{
		"a malformed mesh account": {func(o *lakemesh.Options) { o.MeshAccountID = "mesh" }, "twelve digits"},
		"no mesh account":          {func(o *lakemesh.Options) { o.MeshAccountID = "" }, "twelve digits"},
		"a malformed region":       {func(o *lakemesh.Options) { o.Region = "Ireland" }, "Ireland"},
		"a region with a slash":    {func(o *lakemesh.Options) { o.Region = "us-east-1/../" }, "us-east-1/../"},
		"a level that is none":     {func(o *lakemesh.Options) { o.LogLevel = "LOUD" }, "LOUD"},
	} {
		for persona, do := range open(producerAccount, c.change) {
			if persona == "admin" && name == "no mesh account" {
				continue // An administrator of the mesh account need not name it.
			}
			w.mistakes(map[string]mistake{persona + " with " + name: {do, lakemesh.ErrInvalidInput, c.says}})
			if calls := w.Calls(); calls > 0 {
				t.Errorf("%s with %s made %d calls", persona, name, calls)
			}
		}
	}
}

func TestABucketPolicyThatWouldBeTooBigIsFoundBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.request([]string{orders}, "SELECT")
	statements, policy := []map[string]any{}, ""
	for n := range 100 {
		statements = append(statements, map[string]any{"Sid": fmt.Sprintf("Other%d", n), "Effect": "Allow", "Action": "s3:GetObject",
			"Principal": map[string]string{"AWS": "arn:aws:iam::" + producerAccount + ":root"}, "Resource": "arn:aws:s3:::" + bucket + "/" + strings.Repeat("x", 50) + fmt.Sprint(n)})
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
		w.must(err)
		if len(text) > 20_250 {
			break
		}
		policy = string(text)
	}
	meshtest.Before(w.Mesh.Mesh, func() {
		_, err := w.S3(producerAccount).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String(bucket), Policy: aws.String(policy)})
		w.must(err)
	})
	before := w.raw(id)
	w.ResetCounts()
	err := w.producer.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: id})
	if !errors.Is(err, lakemesh.ErrQuota) || !strings.Contains(err.Error(), bucket) {
		t.Errorf("approve into a full bucket policy: %v, want a quota error that names the bucket", err)
	}
	// Not even the owner's lease was taken.
	if calls := w.Writes(); len(calls) > 0 {
		t.Errorf("it made writing calls: %v", calls)
	}
	if diff := cmp.Diff(before, w.raw(id), cmpopts.IgnoreUnexported(dynamotypes.AttributeValueMemberS{}, dynamotypes.AttributeValueMemberL{}, dynamotypes.AttributeValueMemberSS{})); diff != "" {
		t.Errorf("the request changed:\n%s", diff)
	}
	w.holds(consumerAccount, nil)
	// With room in the policy the same command does it.
	meshtest.Before(w.Mesh.Mesh, func() {
		_, err := w.S3(producerAccount).DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String(bucket)})
		w.must(err)
	})
	w.approve(id)
	if !slices.Equal(w.open(), []string{orders + "/"}) {
		t.Errorf("open prefixes are %v", w.open())
	}
}
