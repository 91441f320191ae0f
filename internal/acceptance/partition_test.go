package acceptance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/census"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/ready"
	"github.com/lakemesh/lakemesh/producer"
)

// names are those of the partition aws, in whatever form they travel.
func namesAWS(text []byte) bool {
	return bytes.Contains(text, []byte("arn:aws:")) || bytes.Contains(bytes.ToLower(text), []byte("arn%3aaws%3a"))
}

// listening is an HTTP client that notes each call whose request or answer names the
// partition aws.
type listening struct {
	client aws.HTTPClient
	mu     *sync.Mutex
	heard  *[]string
}

func (l listening) Do(r *http.Request) (*http.Response, error) {
	var said []byte
	if r.Body != nil {
		var err error
		if said, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(said))
	}
	resp, err := l.client.Do(r)
	if err != nil {
		return resp, err
	}
	answered, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(answered))
	what := r.Method + " " + r.URL.String() + " " + r.Header.Get("X-Amz-Target")
	for where, text := range map[string][]byte{"request": said, "answer": answered, "address": []byte(r.URL.String()),
		"headers": fmt.Append(nil, r.Header), "headers of the answer": fmt.Append(nil, resp.Header)} {
		if namesAWS(text) {
			l.mu.Lock()
			*l.heard = append(*l.heard, where+" of "+what+": "+string(text))
			l.mu.Unlock()
		}
	}
	return resp, nil
}

// elsewhere is a mesh in another partition, in which nothing may name the partition aws.
type elsewhere struct {
	*meshtest.Mesh
	t      *testing.T
	region string
	ears   listening
}

func newElsewhere(t *testing.T, region string) *elsewhere {
	w := &elsewhere{Mesh: meshtest.Accounts(t, localmesh.WithRegion(region)), t: t, region: region, ears: listening{mu: &sync.Mutex{}, heard: &[]string{}}}
	t.Cleanup(func() {
		for _, h := range *w.ears.heard {
			t.Errorf("it names the partition aws: %s", h)
		}
	})
	return w
}

func (w *elsewhere) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// config is that of a principal, listened to.
func (w *elsewhere) config(principal string) aws.Config {
	return w.heard(w.Config(principal))
}

func (w *elsewhere) heard(cfg aws.Config) aws.Config {
	ears := w.ears
	ears.client = cfg.HTTPClient
	cfg.HTTPClient = ears
	return cfg
}

func (w *elsewhere) options(account string) lakemesh.Options {
	o := w.Options(account)
	cfg := w.heard(*o.Config)
	o.Config = &cfg
	return o
}

// shows fails the test where a result names the partition aws.
func (w *elsewhere) shows(what string, result any, err error) {
	w.t.Helper()
	w.must(err)
	text, err := json.Marshal(result)
	w.must(err)
	if s, ok := result.(fmt.Stringer); ok {
		text = append(text, s.String()...)
	}
	if namesAWS(text) {
		w.t.Errorf("%s names the partition aws: %s", what, text)
	}
}

func eachPartition(t *testing.T, do func(t *testing.T, w *elsewhere)) {
	for _, region := range []string{"cn-north-1", "us-gov-west-1"} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			do(t, newElsewhere(t, region))
		})
	}
}

// The whole life of a product is the same in each partition, and no call, answer, plan, record
// or policy names another one.
func TestALifeInAnotherPartition(t *testing.T) {
	t.Parallel()
	eachPartition(t, func(t *testing.T, w *elsewhere) {
		partition := lakemesh.PartitionOf(w.region)
		if w.Partition() != partition {
			t.Fatalf("the mesh is in %s", w.Partition())
		}
		w.Sample()
		// The data is under a key, so that keys are named, too.
		made, err := kms.NewFromConfig(w.config(w.RoleARN(producerAccount, "Admin"))).CreateKey(t.Context(), &kms.CreateKeyInput{})
		w.must(err)
		key := aws.ToString(made.KeyMetadata.Arn)
		_, err = s3.NewFromConfig(w.config(w.RoleARN(producerAccount, "Admin"))).PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: aws.String(ready.SampleBucket),
			ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{
				SSEAlgorithm: s3types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &key}}}}})
		w.must(err)
		own, err := admin.New(t.Context(), w.options(producerAccount))
		w.must(err)
		_, err = own.InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{CrawlerRoleARN: w.RoleARN(producerAccount, "Crawler"), KeyPolicies: []string{key}})
		w.must(err)
		a, err := admin.New(t.Context(), w.options(meshAccount))
		w.must(err)
		plan, err := a.PlanInitializeMeshAccount(t.Context(), admin.InitializeMeshInput{EndSchedules: admin.EndsScheduled})
		w.shows("plan of the mesh", plan, err)
		_, err = a.InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{EndSchedules: admin.EndsScheduled})
		w.must(err)
		_, err = a.EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount, AddKMSKeys: []string{key}})
		w.must(err)

		p, err := producer.New(t.Context(), w.options(producerAccount))
		w.must(err)
		c, err := consumer.New(t.Context(), w.options(consumerAccount))
		w.must(err)
		publish := producer.CreateDataProductsInput{SourceDatabaseName: ready.SampleDatabase, Domain: "transport", DataProductName: "us-aviation"}
		todo, err := p.PlanCreateDataProducts(t.Context(), publish)
		w.shows("plan to publish", todo, err)
		published, err := p.CreateDataProducts(t.Context(), publish)
		w.shows("publication", published, err)

		analyst, clerk := w.Reader(consumerAccount, "Analyst"), w.Reader(consumerAccount, "Clerk")
		if got := w.RoleARN(consumerAccount, "Analyst"); analyst != got || !strings.HasPrefix(analyst, "arn:"+string(partition)+":iam::") {
			t.Fatalf("the reader is %s", analyst)
		}
		asked, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: published.DatabaseName,
			Tables: []string{"airports"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
		w.must(err)
		approve, err := p.PlanApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: asked.SubscriptionID})
		w.shows("plan to approve", approve, err)
		w.must(p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: asked.SubscriptionID}))
		imported, err := c.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: asked.SubscriptionID, Principals: []string{analyst}})
		w.shows("import", imported, err)
		// Another one is for a role alone, and has an end, which a schedule guards.
		named, err := c.RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: published.DatabaseName, Tables: []string{"routes"},
			RequestPermissions: []string{"SELECT", "DESCRIBE"}, Scope: lakemesh.Scope{Principals: []string{clerk}}, Until: time.Now().Add(48 * time.Hour)})
		w.must(err)
		w.must(p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: named.SubscriptionID}))
		_, err = c.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: named.SubscriptionID})
		w.must(err)

		w.CanRead(analyst, published.DatabaseName, "airports", "id=1 value=airports")
		w.CanRead(clerk, published.DatabaseName, "routes", "id=1 value=routes")
		w.CannotRead(clerk, published.DatabaseName, "airports")

		for side, verify := range map[string]func() (any, []chain.Finding, error){
			"administrator": func() (any, []chain.Finding, error) {
				v, err := a.Verify(t.Context(), admin.VerifyInput{})
				if err != nil {
					return nil, nil, err
				}
				return v, v.Findings, nil
			},
			"producer": func() (any, []chain.Finding, error) {
				v, err := p.Verify(t.Context(), producer.VerifyInput{})
				if err != nil {
					return nil, nil, err
				}
				return v, v.Findings, nil
			},
			"consumer": func() (any, []chain.Finding, error) {
				v, err := c.Verify(t.Context(), consumer.VerifyInput{})
				if err != nil {
					return nil, nil, err
				}
				return v, v.Findings, nil
			},
		} {
			v, findings, err := verify()
			w.shows("verification by the "+side, v, err)
			if len(findings) > 0 {
				t.Errorf("the %s finds %+v", side, findings)
			}
		}
		// Neither side sees all links, and none that it sees is broken: roles, keys, locations and
		// buckets are compared by their ARNs.
		for principal, table := range map[string]string{analyst: "airports", clerk: "routes"} {
			q := chain.Question{Database: published.DatabaseName, Table: table, Principal: principal}
			for side, explain := range map[string]func() (*chain.Explanation, error){
				"consumer":      func() (*chain.Explanation, error) { return c.Explain(t.Context(), q) },
				"producer":      func() (*chain.Explanation, error) { return p.Explain(t.Context(), q) },
				"administrator": func() (*chain.Explanation, error) { return a.Explain(t.Context(), q) },
			} {
				e, err := explain()
				w.shows("explanation by the "+side, e, err)
				if e.Verdict == chain.Cannot || e.Ways[0].Broken != "" {
					t.Errorf("%s reads %s, to the %s: %s\n%+v", principal, table, side, e.Verdict, e.Ways)
				}
			}
		}
		list, err := a.AccessList(t.Context(), admin.AccessListInput{})
		w.shows("access list", list, err)
		status, err := a.Status(t.Context())
		w.shows("status", status, err)
		subscription, err := p.GetSubscription(t.Context(), named.SubscriptionID)
		w.shows("record", subscription, err)

		// What there is in all accounts: policies, shares, grants, schedules, records.
		w.counted()

		w.must(p.UpdateSubscriptionPermissions(t.Context(), producer.UpdateInput{SubscriptionID: asked.SubscriptionID, GrantPermissions: []string{"DESCRIBE"}}))
		w.Holds(meshAccount, consumerAccount, "database "+published.DatabaseName+": DESCRIBE, may grant DESCRIBE", "table "+published.DatabaseName+".airports: DESCRIBE, may grant DESCRIBE")
		for _, id := range []string{asked.SubscriptionID, named.SubscriptionID} {
			w.must(p.DeleteSubscription(t.Context(), producer.DeleteInput{SubscriptionID: id, Reason: "it is over"}))
		}
		w.CannotRead(clerk, published.DatabaseName, "routes")
		gone, err := p.UnpublishDataProducts(t.Context(), producer.UnpublishInput{SourceDatabaseName: ready.SampleDatabase})
		w.shows("what was unpublished", gone, err)
		w.Open(producerAccount, ready.SampleBucket)
		w.Holds(meshAccount, consumerAccount)
		w.counted()
	})
}

// counted fails the test where anything that there is in the accounts names the partition aws.
func (w *elsewhere) counted() {
	w.t.Helper()
	people := map[string]string{}
	for _, account := range []string{meshAccount, producerAccount, consumerAccount} {
		people[account] = w.RoleARN(account, "Admin")
	}
	lines, err := census.Take(w.t.Context(), w.Mesh.Mesh.Mesh, census.Options{Accounts: people})
	w.must(err)
	own := 0
	for _, line := range lines {
		if namesAWS([]byte(line)) {
			w.t.Errorf("it is there, and names the partition aws: %s", line)
		}
		if strings.Contains(line, "arn:"+string(w.Partition())+":") {
			own++
		}
	}
	if own == 0 {
		w.t.Error("nothing that is there has an ARN")
	}
}

// Nobody of another partition is granted anything, whoever names them.
func TestPrincipalsOfAnotherPartitionAreRefused(t *testing.T) {
	t.Parallel()
	eachPartition(t, func(t *testing.T, w *elsewhere) {
		w.Sample()
		database := w.Publish(producerAccount, ready.SampleDatabase)
		p, c := w.Producer(producerAccount), w.Consumer(consumerAccount)
		foreign := []string{lakemesh.PartitionAWS.ARN("iam", "", consumerAccount, "role/Admin"), "arn:aws-iso:iam::" + consumerAccount + ":role/Admin"}
		refused := func(what, named string, err error) {
			t.Helper()
			of, _ := lakemesh.PartitionOfARN(named)
			want := fmt.Sprintf("is of partition %s, and this mesh is in %s", of, w.Partition())
			if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s for %s: %v; want %q", what, named, err, want)
			}
		}
		ask := consumer.RequestInput{OwnerAccountID: producerAccount, DatabaseName: database, Tables: []string{"airports"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}}
		asked, err := c.RequestAccessToProduct(t.Context(), ask)
		w.must(err)
		for _, who := range foreign {
			ask.Scope.Principals = []string{who}
			_, err := c.RequestAccessToProduct(t.Context(), ask)
			refused("a request", who, err)
			refused("an approval", who, p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: asked.SubscriptionID, Scope: producer.ScopeInput{Principals: []string{who}}}))
			_, err = c.Explain(t.Context(), chain.Question{Database: database, Table: "airports", Principal: who})
			refused("an explanation", who, err)
			_, err = w.Admin(producerAccount).InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{CrawlerRoleARN: strings.Replace(who, consumerAccount, producerAccount, 1)})
			refused("a crawler's role", who, err)
			of, _ := lakemesh.PartitionOfARN(who)
			_, err = w.Admin(producerAccount).InitializeProducerAccount(t.Context(), admin.InitializeProducerInput{KeyPolicies: []string{of.ARN("kms", w.region, producerAccount, "key/k")}})
			refused("a key", who, err)
			_, err = w.Admin(meshAccount).EnableAccountAsProducer(t.Context(), admin.EnableProducerInput{AccountID: producerAccount, KMSKeys: []string{of.ARN("kms", w.region, producerAccount, "key/k")}})
			refused("a key", who, err)
			_, err = w.Admin(meshAccount).InitializeMeshAccount(t.Context(), admin.InitializeMeshInput{Roles: admin.RoleOptions{PermissionsBoundary: of.ARN("iam", "", meshAccount, "policy/bound")}})
			refused("a boundary", who, err)
		}
		w.must(p.ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: asked.SubscriptionID}))
		for _, who := range foreign {
			_, err := c.FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: asked.SubscriptionID, Principals: []string{who}})
			refused("an import", who, err)
			w.Holds(consumerAccount, who)
		}
	})
}

// Who works in a region of one partition with somebody of another is told so before anything
// is done.
func TestARegionOfAnotherPartitionIsRefused(t *testing.T) {
	t.Parallel()
	w := newElsewhere(t, "cn-north-1")
	for region, want := range map[string]string{"us-iso-east-1": "the partition aws-iso", "eusc-de-east-1": "the partition aws-eusc"} {
		o := w.Options(meshAccount)
		o.Region = region
		if _, err := admin.New(t.Context(), o); !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("region %s: %v", region, err)
		}
	}
	o := w.Options(meshAccount)
	for _, region := range []string{"us-east-1", "us-gov-west-1"} {
		o.Region = region
		if _, err := admin.New(t.Context(), o); !errors.Is(err, lakemesh.ErrAccessDenied) {
			t.Errorf("region %s: %v", region, err)
		}
	}
	o.Region = "cn-northwest-1"
	if _, err := admin.New(t.Context(), o); err != nil {
		t.Errorf("another region of the same partition: %v", err)
	}
	_, err := w.Admin(consumerAccount).InitializeConsumerAccount(t.Context(), admin.InitializeConsumerInput{LinkRegions: []string{"eu-west-1"}})
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "eu-west-1 is of partition aws, and this mesh is in aws-cn") {
		t.Errorf("links in a region of another partition: %v", err)
	}
	w.Sample()
	asked, err := w.Consumer(consumerAccount).RequestAccessToProduct(t.Context(), consumer.RequestInput{OwnerAccountID: producerAccount,
		DatabaseName: w.Publish(producerAccount, ready.SampleDatabase), Tables: []string{"airports"}, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
	w.must(err)
	w.must(w.Producer(producerAccount).ApproveAccessRequest(t.Context(), producer.ApproveInput{RequestID: asked.SubscriptionID}))
	_, err = w.Consumer(consumerAccount).FinalizeSubscription(t.Context(), consumer.FinalizeInput{SubscriptionID: asked.SubscriptionID, LinkRegion: "eu-west-1"})
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "eu-west-1 is of partition aws, and this mesh is in aws-cn") {
		t.Errorf("a link in a region of another partition: %v", err)
	}
}

// The caller whom AWS names is of the region's partition, or nothing is done.
func TestACallerOfAnotherPartitionIsRefused(t *testing.T) {
	t.Parallel()
	m := meshtest.Accounts(t, localmesh.WithRegion("us-gov-west-1"))
	o := m.Options(meshAccount)
	cfg := *o.Config
	cfg.HTTPClient = renaming{cfg.HTTPClient}
	o.Config = &cfg
	_, err := admin.New(t.Context(), o)
	if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "is of partition aws, and region us-gov-west-1 is in aws-us-gov") {
		t.Errorf("%v", err)
	}
}

// renaming answers as another partition would.
type renaming struct{ client aws.HTTPClient }

func (n renaming) Do(r *http.Request) (*http.Response, error) {
	resp, err := n.client.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, []byte("arn:aws-us-gov:"), []byte("arn:aws:"))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// What is written for another partition is refused as AWS does it.
func TestPoliciesOfAnotherPartitionAreRefused(t *testing.T) {
	t.Parallel()
	for region, foreign := range map[string]lakemesh.Partition{"us-east-1": "aws-cn", "cn-north-1": "aws", "us-gov-west-1": "aws-cn"} {
		m := localmesh.Run(t, localmesh.WithRegion(region))
		cfg := m.Config(m.RoleARN(producerAccount, "Admin"))
		client := iam.NewFromConfig(cfg)
		for text, want := range map[string]string{
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"` + foreign.BucketARN("b") + `"}]}`:       `MalformedPolicyDocument: Partition "` + string(foreign) + `" is not valid for resource "` + foreign.BucketARN("b") + `".`,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"` + m.Partition().BucketARN("b") + `"}]}`: "",
		} {
			_, err := client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("Admin"), PolicyName: aws.String("p"), PolicyDocument: &text})
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %s: %v; want %q", region, text, err, want)
			}
		}
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + foreign.Root(meshAccount) + `"}}]}`
		_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: &trust})
		if want := `Invalid principal in policy: "AWS":"` + foreign.Root(meshAccount) + `"`; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: trust in %s: %v; want %q", region, foreign, err, want)
		}
		if _, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(foreign.ARN("iam", "", producerAccount, "role/Admin")), RoleSessionName: aws.String("me")}); err == nil {
			t.Errorf("%s: a role of %s was opened", region, foreign)
		}
		if _, err := m.Config(foreign.ARN("iam", "", producerAccount, "role/Admin")).Credentials.Retrieve(t.Context()); err == nil || !strings.Contains(err.Error(), "is of partition "+string(foreign)) {
			t.Errorf("%s: %v", region, err)
		}
	}
}
