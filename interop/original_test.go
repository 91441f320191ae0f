package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/lakemesh/lakemesh"
)

// original is the library aws-data-mesh-utils, in a process of its own.
type original struct {
	*mesh
	requests io.WriteCloser
	answers  *bufio.Reader
}

func (m *mesh) original(python string) *original {
	m.Helper()
	cmd := exec.Command(python, "-B", "python/original.py")
	// The library takes the mesh account's administrator from the environment,
	// whomever it is given.
	cmd.Env = m.environment(lakemesh.MeshIdentity)
	var log strings.Builder
	cmd.Stderr = &log
	requests, err := cmd.StdinPipe()
	if err != nil {
		m.Fatal(err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		m.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() {
		if err := requests.Close(); err != nil {
			m.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			m.Errorf("the library: %v", err)
		}
		if m.Failed() {
			m.Logf("what the library printed:\n%s", log.String())
		}
	})
	return &original{mesh: m, requests: requests, answers: bufio.NewReader(answers)}
}

type arguments = map[string]any

// failure is an exception of the library, or of boto3 below it.
type failure struct {
	Type, Code, Message string
}

func (o *original) try(identity, method string, with arguments) (json.RawMessage, *failure) {
	o.Helper()
	request, err := json.Marshal(map[string]any{"as": identity, "call": method, "with": with})
	if err != nil {
		o.Fatal(err)
	}
	if _, err := o.requests.Write(append(request, '\n')); err != nil {
		o.Fatal(err)
	}
	line, err := o.answers.ReadBytes('\n')
	if err != nil {
		o.Fatalf("%s %s: the library ended: %v", identity, method, err)
	}
	var answer struct {
		Result json.RawMessage
		Error  *failure
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		o.Fatal(err)
	}
	return answer.Result, answer.Error
}

// call calls a method that works, and reads its result into out, unless that is nil.
func (o *original) call(out any, identity, method string, with arguments) {
	o.Helper()
	result, failed := o.try(identity, method, with)
	if failed != nil {
		o.Fatalf("%s.%s: %s %s: %s", identity, method, failed.Type, failed.Code, failed.Message)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(result, out); err != nil {
		o.Fatalf("%s.%s: %s: %v", identity, method, result, err)
	}
}

// fails calls a method that does not work, on AWS neither.
func (o *original) fails(kind, words, identity, method string, with arguments) {
	o.Helper()
	result, failed := o.try(identity, method, with)
	if failed == nil {
		o.Errorf("%s.%s: got %s, want %s", identity, method, result, kind)
	} else if failed.Type != kind || !strings.Contains(failed.Message, words) {
		o.Errorf("%s.%s: got %s: %s, want %s: %s", identity, method, failed.Type, failed.Message, kind, words)
	}
}

// record is what both programs tell about a subscription.
type record struct {
	SubscriptionID  string `json:"SubscriptionId"`
	Status          string
	DatabaseName    string
	TableName       []string
	RequestedGrants []string
	PermittedGrants []string
	GrantableGrants []string
}

type records struct {
	Subscriptions []record
}

func (r records) ids() []string {
	var ids []string
	for _, s := range r.Subscriptions {
		ids = append(ids, s.SubscriptionID)
	}
	slices.Sort(ids)
	return ids
}

// lakemesh runs the command line, which has to succeed, and reads its result.
func (m *mesh) lakemesh(out any, args ...string) {
	m.Helper()
	result, log, code, err := run(m.Context(), patience, m.environment(lakemesh.MeshIdentity), m.program, append(args, "--output", "json")...)
	if err != nil || code != 0 {
		m.Fatalf("lakemesh %s: exit code %d, %v\n%s%s", strings.Join(args, " "), code, err, result, log)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal([]byte(result), out); err != nil {
		m.Fatalf("lakemesh %s: %s: %v", strings.Join(args, " "), result, err)
	}
}

const product = "weather-" + producerAccount

// The original library sets a mesh up and works on it, with what does not work in
// it; then lakemesh carries on with its records and grants.
func TestLakemeshCarriesOnWhereTheOriginalWorked(t *testing.T) {
	t.Parallel()
	python := installed(t, "original", "python")
	m := start(t)
	m.weather("observations", "stations", "sensors")
	o := m.original(python)

	// Setting the accounts up.
	var set struct {
		Manager, ReadOnly   struct{ RoleArn string }
		SubscriptionTracker struct{ Table string }
	}
	o.call(&set, "Mesh", "initialize_mesh_account", nil)
	if set.Manager.RoleArn != lakemesh.RoleARN(meshAccount, "DataMeshManager") || !strings.HasSuffix(set.SubscriptionTracker.Table, "table/AwsDataMeshSubscriptions") {
		t.Errorf("mesh account: %+v", set)
	}
	if s := m.settings(); s.Parameters["CROSS_ACCOUNT_VERSION"] != "1" {
		t.Errorf("the library leaves out the version of sharing, which is the first then, and %v is told", s.Parameters)
	}
	// "Both" is the producer's half alone.
	o.call(nil, "Macros", "bootstrap_account", arguments{"account_type": "Both", "mesh_credentials": "Mesh", "account_credentials": "ProducerAdmin"})
	if !m.hasRole(lakemesh.ProducerAdminIdentity, "DataMeshProducer") || m.hasRole(lakemesh.ProducerAdminIdentity, "DataMeshConsumer") {
		t.Error("bootstrapping an account as both did not make just the producer's role")
	}
	o.call(nil, "ConsumerAdmin", "initialize_consumer_account", nil)
	o.call(nil, "Mesh", "enable_account_as_consumer", arguments{"account_id": consumerAccount})
	o.fails("Exception", "Function should not run within the Data Mesh Account", "Mesh", "initialize_producer_account", nil)

	// Publishing. The name that is returned is not the product's; the SELECT of the
	// producer's account is lost, because its grant option has more than itself.
	var published struct {
		DatabaseName string
		Tables       []struct{ SourceTable, LinkTable string }
	}
	create := arguments{"source_database_name": "weather", "domain": "Weather", "data_product_name": "Observations"}
	o.call(&published, "Producer", "create_data_products", create)
	if published.DatabaseName != "weather" || len(published.Tables) != 3 || published.Tables[0].LinkTable != "observations_link" {
		t.Errorf("published: %+v", published)
	}
	o.call(nil, "Producer", "create_data_products", create)
	m.granted(producerAccount, "observations", "ALTER DELETE DESCRIBE INSERT | ALTER DELETE DESCRIBE INSERT")
	o.fails("AttributeError", "_load_glue_tables", "Producer", "get_data_product", arguments{"database_name": "weather", "table_name_regex": "observations"})

	// Requests.
	ids := map[string]string{}
	for _, table := range []string{"observations", "stations", "sensors"} {
		var requested struct {
			Type           string
			SubscriptionID string `json:"SubscriptionId"`
		}
		o.call(&requested, "Consumer", "request_access_to_product", arguments{"owner_account_id": producerAccount, "database_name": product,
			"tables": []string{table}, "request_permissions": []string{"SELECT"}})
		if requested.Type != "TABLE" || len(requested.SubscriptionID) != 22 {
			t.Errorf("requested %s: %+v", table, requested)
		}
		ids[table] = requested.SubscriptionID
	}
	o.fails("AccessDeniedException", "Required Describe on none", "Consumer", "request_access_to_product", arguments{"owner_account_id": producerAccount, "database_name": product,
		"tables": []string{"none"}, "request_permissions": []string{"SELECT"}})
	var pending records
	o.call(&pending, "Producer", "list_pending_access_requests", nil)
	if len(pending.Subscriptions) != 3 {
		t.Errorf("pending: %+v", pending)
	}

	// Approving. The library puts a list of statements among the statements of the
	// catalog's policy, after it has granted: the grants are there, the record is
	// pending, and the bucket is open.
	approve := arguments{"request_id": ids["observations"], "decision_notes": "welcome"}
	o.fails("InvalidInputException", "resource policy", "Producer", "approve_access_request", approve)
	m.granted(consumerAccount, "observations", "DESCRIBE SELECT |")
	if s := o.subscription("Producer", ids["observations"]); s.Status != "Pending" {
		t.Errorf("after an approval that failed: %+v", s)
	}
	before := m.bucketPolicy()
	for _, opened := range []string{"role/aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess", consumerAccount, `"arn:aws:s3:::weather-lake/*"`} {
		if !strings.Contains(before, opened) {
			t.Errorf("the bucket's policy %s lacks %s", before, opened)
		}
	}
	// Where the policy has a statement for the consumer already, it adds none.
	m.openCatalog()
	o.call(nil, "Producer", "approve_access_request", approve)
	o.fails("Exception", "already Active", "Producer", "approve_access_request", approve)
	if s := o.subscription("Producer", ids["observations"]); s.Status != "Active" || fmt.Sprint(s.PermittedGrants) != "[SELECT]" {
		t.Errorf("approved: %+v", s)
	}
	m.granted(consumerAccount, "observations", "DESCRIBE SELECT |")

	// Finalizing, and what the consumer sees: nothing, for nothing can be handed on.
	o.call(nil, "Consumer", "finalize_subscription", arguments{"subscription_id": ids["observations"]})
	o.fails("AccessDeniedException", "Required Describe", "Consumer", "get_table_info", arguments{"database_name": product, "table_name": "observations"})
	var access records
	o.call(&access, "Consumer", "list_product_access", nil)
	if len(access.Subscriptions) != 3 {
		t.Errorf("product access, which are all that are not deleted: %+v", access)
	}

	// Changing. What the library adds to every grant, it takes away here again.
	o.call(nil, "Producer", "update_subscription_permissions", arguments{"subscription_id": ids["observations"],
		"grant_permissions": []string{"SELECT", "INSERT"}, "grantable_permissions": []string{}, "notes": "more"})
	m.granted(consumerAccount, "observations", "INSERT SELECT |")
	o.fails("TypeError", "table_name", "Producer", "delete_subscription", arguments{"subscription_id": ids["observations"], "reason": "over"})
	// A denial records what was asked for as if it were permitted.
	o.call(nil, "Producer", "deny_access_request", arguments{"request_id": ids["sensors"], "decision_notes": "no"})
	if s := o.subscription("Producer", ids["sensors"]); s.Status != "Denied" || fmt.Sprint(s.PermittedGrants) != "[SELECT]" {
		t.Errorf("denied: %+v", s)
	}

	// A consumer cannot leave a share that is not its own.
	o.fails("UnknownResourceException", "", "Consumer", "delete_subscription", arguments{"subscription_id": ids["observations"], "reason": "over"})
	m.granted(consumerAccount, "observations", "INSERT SELECT |")
	// Migrating publishes, and then does not find what should remove the originals.
	o.fails("AttributeError", "safe_remove_glue_objects", "Producer", "migrate_tables_to_mesh", arguments{"source_database_name": "weather", "table_name_regex": "sensors"})

	// Now lakemesh. It takes the mesh over, with the records under ids of their own.
	// Whom the library's roles trusted besides loses that.
	m.lakemesh(nil, "mesh", "init", "--yes")
	m.lakemesh(nil, "account", "enable", "--account-type", "producer", "--yes")
	m.lakemesh(nil, "account", "enable", "--account-type", "consumer", "--yes")
	var adopted struct{ Adopted map[string]string }
	m.lakemesh(&adopted, "adopt", "records")
	if len(adopted.Adopted) != 3 {
		t.Fatalf("adopted: %+v", adopted)
	}
	m.granted(consumerAccount, "observations", "INSERT SELECT |")
	old := map[string]string{}
	for table, id := range ids {
		old[table], ids[table] = id, adopted.Adopted[id]
	}
	var listed records
	m.lakemesh(&listed, "subscription", "list", "--as", "producer")
	if !slices.Equal(listed.ids(), sorted(ids["observations"], ids["stations"], ids["sensors"])) {
		t.Errorf("lakemesh lists %+v", listed)
	}
	m.lakemesh(&pending, "request", "list", "--as", "producer")
	if !slices.Equal(pending.ids(), []string{ids["stations"]}) {
		t.Errorf("lakemesh sees as pending: %+v", pending)
	}
	m.lakemesh(nil, "request", "approve", ids["stations"], "--decision-notes", "welcome")
	m.granted(consumerAccount, "stations", "SELECT | SELECT")
	if s := o.subscription("Consumer", ids["stations"]); s.Status != "Active" || fmt.Sprint(s.PermittedGrants) != "[SELECT]" {
		t.Errorf("the library reads what lakemesh approved as %+v", s)
	}
	m.lakemesh(nil, "subscription", "update", ids["observations"], "--grant-permissions", "SELECT", "--notes", "less", "--yes")
	m.granted(consumerAccount, "observations", "SELECT | SELECT")
	if s := o.subscription("Consumer", ids["observations"]); fmt.Sprint(s.PermittedGrants, s.GrantableGrants) != "[SELECT] [SELECT]" {
		t.Errorf("the library reads what lakemesh changed as %+v", s)
	}
	m.lakemesh(nil, "subscription", "import", ids["observations"])
	if err := m.consumerSees("observations"); err != nil {
		t.Errorf("after lakemesh has imported the subscription: %v", err)
	}
	m.lakemesh(nil, "subscription", "delete", ids["observations"], "--as", "producer", "--reason", "over", "--yes")
	m.granted(consumerAccount, "observations", "")
	m.granted(consumerAccount, "stations", "SELECT | SELECT")
	if err := m.consumerSees("observations"); err == nil {
		t.Error("the consumer sees the table after its subscription has ended")
	}
	if result, failed := o.try("Producer", "get_subscription", arguments{"request_id": ids["observations"]}); failed != nil || string(result) != "null" {
		t.Errorf("the library shows a deleted subscription: %s %v", result, failed)
	}
	m.lakemesh(nil, "subscription", "delete", ids["stations"], "--as", "producer", "--reason", "over", "--yes")
	m.granted(consumerAccount, "stations", "")
	// The old records say what became of them once they were brought up to date.
	if status := m.statusOf(old["stations"]); status != "Pending" {
		t.Errorf("before that the old record says %s", status)
	}
	m.lakemesh(nil, "adopt", "records")
	if status := m.statusOf(old["stations"]); status != "Deleted" {
		t.Errorf("after that the old record says %s", status)
	}
	if after := m.bucketPolicy(); after != before {
		t.Errorf("lakemesh left the bucket's policy as %s, want the library's %s", after, before)
	}
}

// lakemesh sets a mesh up and works on it, and the original library reads it.
func TestTheOriginalReadsWhatLakemeshWrote(t *testing.T) {
	t.Parallel()
	python := installed(t, "original", "python")
	m := start(t)
	m.weather("observations", "stations")
	m.lakemesh(nil, "mesh", "init")
	m.lakemesh(nil, "account", "enable", "--account-type", "producer", "--yes")
	m.lakemesh(nil, "account", "enable", "--account-type", "consumer", "--yes")
	m.lakemesh(nil, "product", "create", "--source-database-name", "weather")
	ids := map[string]string{}
	for _, table := range []string{"observations", "stations"} {
		var requested struct {
			SubscriptionID string `json:"SubscriptionId"`
		}
		m.lakemesh(&requested, "request", "create", "--owner-account-id", producerAccount, "--database-name", product, "--tables", table, "--request-permissions", "SELECT,DESCRIBE")
		ids[table] = requested.SubscriptionID
	}
	o := m.original(python)
	var pending, access records
	o.call(&pending, "Producer", "list_pending_access_requests", nil)
	if !slices.Equal(pending.ids(), sorted(ids["observations"], ids["stations"])) {
		t.Errorf("the library sees as pending: %+v", pending)
	}
	m.lakemesh(nil, "request", "approve", ids["observations"], "--decision-notes", "welcome")
	m.lakemesh(nil, "request", "deny", ids["stations"], "--decision-notes", "no")
	o.call(&pending, "Producer", "list_pending_access_requests", nil)
	if len(pending.Subscriptions) != 0 {
		t.Errorf("the library sees as pending: %+v", pending)
	}
	for _, who := range []string{"Producer", "Consumer"} {
		s := o.subscription(who, ids["observations"])
		if s.Status != "Active" || fmt.Sprint(s.TableName, sorted(s.PermittedGrants...), sorted(s.GrantableGrants...)) != "[observations] [DESCRIBE SELECT] [DESCRIBE SELECT]" {
			t.Errorf("%s reads an approved subscription as %+v", who, s)
		}
		if s := o.subscription(who, ids["stations"]); s.Status != "Denied" || len(s.PermittedGrants) != 0 {
			t.Errorf("%s reads a denied subscription as %+v", who, s)
		}
	}
	o.call(&access, "Consumer", "list_product_access", nil)
	if !slices.Equal(access.ids(), sorted(ids["observations"], ids["stations"])) {
		t.Errorf("the library lists the access %+v", access)
	}
	o.fails("Exception", "already Active", "Producer", "approve_access_request", arguments{"request_id": ids["observations"]})

	// Of a subscription to a data product, which names no database, it decides nothing.
	m.lakemesh(nil, "product", "create", "--source-database-name", "weather", "--data-product-name", "climate")
	var requested struct {
		SubscriptionID string `json:"SubscriptionId"`
	}
	m.lakemesh(&requested, "request", "create", "--owner-account-id", producerAccount, "--data-product", "climate", "--request-permissions", "SELECT,DESCRIBE")
	o.call(&pending, "Producer", "list_pending_access_requests", nil)
	if !slices.Equal(pending.ids(), []string{requested.SubscriptionID}) {
		t.Errorf("the library sees as pending: %+v", pending)
	}
	if result, failed := o.try("Producer", "approve_access_request", arguments{"request_id": requested.SubscriptionID}); failed == nil {
		t.Errorf("the library approves what names no database: %s", result)
	}
	m.lakemesh(nil, "request", "approve", requested.SubscriptionID)
	if s := o.subscription("Consumer", requested.SubscriptionID); s.Status != "Active" {
		t.Errorf("the library reads it as %+v", s)
	}
}

func (o *original) subscription(identity, id string) record {
	o.Helper()
	var s record
	o.call(&s, identity, "get_subscription", arguments{"request_id": id})
	return s
}

func sorted(texts ...string) []string {
	slices.Sort(texts)
	return texts
}
