package iampolicy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh/internal/iampolicy"
)

const (
	home  = "111111111111"
	other = "222222222222"
)

// The callers of the tests.
var (
	ann    = iampolicy.PrincipalInfo{Account: home, ARN: "arn:aws:iam::111111111111:user/ann", UserID: "AIDAANNEXAMPLE000"}
	reader = iampolicy.PrincipalInfo{
		Account:    home,
		ARN:        "arn:aws:iam::111111111111:role/Reader",
		SessionARN: "arn:aws:sts::111111111111:assumed-role/Reader/job",
		UserID:     "AROAREADEREXAMPLE:job",
	}
	federated = iampolicy.PrincipalInfo{
		Account:    home,
		ARN:        "arn:aws:iam::111111111111:user/ann",
		SessionARN: "arn:aws:sts::111111111111:federated-user/ann",
	}
	root = iampolicy.PrincipalInfo{Account: home, ARN: "arn:aws:iam::111111111111:root", Root: true}
)

func policy(name string, statements ...iampolicy.Statement) []iampolicy.Named {
	d := iampolicy.New(statements...)
	return []iampolicy.Named{{Name: name, Document: &d}}
}

func allow(sid string) iampolicy.Statement {
	return iampolicy.Statement{SID: sid, Effect: iampolicy.Allow, Actions: []string{"s3:*", "sts:*"}, Resources: []string{"*"}}
}

func deny(sid string) iampolicy.Statement {
	s := allow(sid)
	s.Effect = iampolicy.Deny
	return s
}

func to(s iampolicy.Statement, p *iampolicy.Principal) iampolicy.Statement {
	s.Principal = p
	return s
}

func notTo(s iampolicy.Statement, ids ...string) iampolicy.Statement {
	s.NotPrincipal = iampolicy.AWSPrincipal(ids...)
	return s
}

// The effect of the policies of the caller on a request within an account and across accounts.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	const (
		none     = iampolicy.PolicyKind("")
		identity = iampolicy.IdentityBased
		resource = iampolicy.ResourceBased
		session  = iampolicy.SessionPolicy
		boundary = iampolicy.PermissionsBoundary
		trust    = iampolicy.TrustPolicy
	)
	var (
		yes     = policy("yes", allow("Yes"))
		nothing = []iampolicy.Named{}
		no      = policy("no", deny("No"))
	)
	bucket := func(statements ...iampolicy.Statement) *iampolicy.Named { return &policy("bucket", statements...)[0] }
	named := func(ids ...string) *iampolicy.Named {
		return bucket(to(allow("Named"), iampolicy.AWSPrincipal(ids...)))
	}
	everyone := bucket(to(allow("Everyone"), iampolicy.Everyone()))
	type policies = iampolicy.Policies
	for _, tt := range []struct {
		name    string
		who     iampolicy.PrincipalInfo
		p       policies
		want    iampolicy.Outcome
		missing iampolicy.PolicyKind
	}{
		// The policies of the caller alone.
		{"nothing", ann, policies{}, iampolicy.ImplicitDeny, identity},
		{"identity", ann, policies{Identity: yes}, iampolicy.Allowed, none},
		{"identity denies", ann, policies{Identity: append(yes[:1:1], no...)}, iampolicy.ExplicitDeny, none},
		{"boundary allows", ann, policies{Identity: yes, Boundary: yes}, iampolicy.Allowed, none},
		{"boundary alone", ann, policies{Boundary: yes}, iampolicy.ImplicitDeny, identity},
		{"boundary does not allow", ann, policies{Identity: yes, Boundary: nothing}, iampolicy.ImplicitDeny, boundary},
		{"boundary denies", ann, policies{Identity: yes, Boundary: no}, iampolicy.ExplicitDeny, none},
		{"session allows", reader, policies{Identity: yes, Session: yes}, iampolicy.Allowed, none},
		{"session does not allow", reader, policies{Identity: yes, Session: nothing}, iampolicy.ImplicitDeny, session},
		{"session denies", reader, policies{Identity: yes, Session: no}, iampolicy.ExplicitDeny, none},
		{"session gives nothing", reader, policies{Session: yes}, iampolicy.ImplicitDeny, identity},
		{"root", root, policies{ResourceAccount: home}, iampolicy.Allowed, none},

		// The resource's policy adds to them within the account, by how it names the caller.
		{"user named", ann, policies{Resource: named(ann.ARN), ResourceAccount: home}, iampolicy.Allowed, none},
		{"user named by id", ann, policies{Resource: named(ann.UserID)}, iampolicy.Allowed, none},
		{"user named, boundary does not matter", ann, policies{Resource: named(ann.ARN), Boundary: nothing}, iampolicy.Allowed, none},
		{"another user named", ann, policies{Resource: named(ann.ARN + "a")}, iampolicy.ImplicitDeny, identity},
		{"case of the name", ann, policies{Resource: named("arn:aws:iam::111111111111:user/Ann")}, iampolicy.ImplicitDeny, identity},
		{"role named", reader, policies{Resource: named(reader.ARN)}, iampolicy.Allowed, none},
		{"role named by id", reader, policies{Resource: named("AROAREADEREXAMPLE")}, iampolicy.Allowed, none},
		{"id of another role", reader, policies{Resource: named("AROAREADEREXAMPL")}, iampolicy.ImplicitDeny, identity},
		{"role named, boundary matters", reader, policies{Resource: named(reader.ARN), Boundary: nothing}, iampolicy.ImplicitDeny, boundary},
		{"role named, session matters", reader, policies{Resource: named(reader.ARN), Session: nothing}, iampolicy.ImplicitDeny, session},
		{"role named, limits allow", reader, policies{Resource: named(reader.ARN), Session: yes, Boundary: yes}, iampolicy.Allowed, none},
		{"session named", reader, policies{Resource: named(reader.SessionARN), Session: nothing, Boundary: nothing}, iampolicy.Allowed, none},
		{"session and role named", reader, policies{Resource: named(reader.ARN, reader.SessionARN), Session: nothing}, iampolicy.Allowed, none},
		{"federated user named", federated, policies{Resource: named(federated.SessionARN), Session: nothing}, iampolicy.Allowed, none},
		{"user of federated user named", federated, policies{Resource: named(federated.ARN), Session: nothing}, iampolicy.ImplicitDeny, session},
		{"account named", ann, policies{Resource: named(root.ARN)}, iampolicy.ImplicitDeny, identity},
		{"account named, identity allows", ann, policies{Resource: named(home), Identity: yes}, iampolicy.Allowed, none},
		{"root of the account named", root, policies{Resource: named(home)}, iampolicy.Allowed, none},
		{"everyone", reader, policies{Resource: everyone, Session: nothing, Boundary: nothing}, iampolicy.Allowed, none},
		{"every AWS principal", ann, policies{Resource: named("*")}, iampolicy.Allowed, none},
		{"resource denies everyone", ann, policies{Identity: yes, Resource: bucket(to(deny("No"), iampolicy.Everyone()))}, iampolicy.ExplicitDeny, none},
		{"resource denies root", root, policies{Resource: bucket(to(deny("No"), iampolicy.Everyone()))}, iampolicy.ExplicitDeny, none},
		{"resource denies the account", reader, policies{Identity: yes, Resource: bucket(to(deny("No"), iampolicy.AWSPrincipal(home)))}, iampolicy.ExplicitDeny, none},
		{"resource denies another", ann, policies{Identity: yes, Resource: bucket(to(deny("No"), iampolicy.AWSPrincipal(reader.ARN)))}, iampolicy.Allowed, none},
		{"statement without a principal", ann, policies{Resource: bucket(allow("Nobody"))}, iampolicy.ImplicitDeny, identity},

		// NotPrincipal.
		{"all but others", ann, policies{Resource: bucket(notTo(allow("A"), reader.ARN))}, iampolicy.Allowed, none},
		{"all but the account", ann, policies{Resource: bucket(notTo(allow("A"), home))}, iampolicy.ImplicitDeny, identity},
		{"deny to all but the user", ann, policies{Identity: yes, Resource: bucket(notTo(deny("D"), ann.ARN, root.ARN))}, iampolicy.Allowed, none},
		{"deny to all but the user, without account", ann, policies{Identity: yes, Resource: bucket(notTo(deny("D"), ann.ARN))}, iampolicy.ExplicitDeny, none},
		{"deny to all but the account", ann, policies{Identity: yes, Resource: bucket(notTo(deny("D"), root.ARN))}, iampolicy.ExplicitDeny, none},
		{"deny to all but the session", reader, policies{Identity: yes, Resource: bucket(notTo(deny("D"), reader.SessionARN, reader.ARN, home))}, iampolicy.Allowed, none},
		{"deny to all but the role", reader, policies{Identity: yes, Resource: bucket(notTo(deny("D"), reader.ARN, home))}, iampolicy.ExplicitDeny, none},
		{"deny to all but root", root, policies{Resource: bucket(notTo(deny("D"), root.ARN))}, iampolicy.Allowed, none},

		// Across accounts both sides must allow.
		{"other account, identity only", ann, policies{Identity: yes, ResourceAccount: other}, iampolicy.ImplicitDeny, resource},
		{"other account, resource only", ann, policies{Resource: named(ann.ARN), ResourceAccount: other}, iampolicy.ImplicitDeny, identity},
		{"other account, everyone", ann, policies{Resource: everyone, ResourceAccount: other}, iampolicy.ImplicitDeny, identity},
		{"other account, nothing", ann, policies{ResourceAccount: other}, iampolicy.ImplicitDeny, identity},
		{"other account, both", ann, policies{Identity: yes, Resource: named(ann.ARN), ResourceAccount: other}, iampolicy.Allowed, none},
		{"other account, account named", reader, policies{Identity: yes, Resource: named(home), ResourceAccount: other}, iampolicy.Allowed, none},
		{"other account, its own account named", reader, policies{Identity: yes, Resource: named(other), ResourceAccount: other}, iampolicy.ImplicitDeny, resource},
		{"other account, boundary", ann, policies{Identity: yes, Boundary: nothing, Resource: named(ann.ARN), ResourceAccount: other}, iampolicy.ImplicitDeny, boundary},
		{"other account, session", reader, policies{Identity: yes, Session: nothing, Resource: named(reader.SessionARN), ResourceAccount: other}, iampolicy.ImplicitDeny, session},
		{"other account, root", root, policies{Resource: named(home), ResourceAccount: other}, iampolicy.Allowed, none},
		{"other account, root not named", root, policies{ResourceAccount: other}, iampolicy.ImplicitDeny, resource},

		// A trust policy must allow within the account too.
		{"trust, identity only", ann, policies{Identity: yes, ResourceRequired: true}, iampolicy.ImplicitDeny, trust},
		{"trust names the user", ann, policies{Resource: named(ann.ARN), ResourceRequired: true}, iampolicy.Allowed, none},
		{"trust names the role", reader, policies{Resource: named(reader.ARN), ResourceRequired: true}, iampolicy.Allowed, none},
		{"trust names the account", ann, policies{Resource: named(home), ResourceRequired: true}, iampolicy.ImplicitDeny, identity},
		{"trust names the account, identity allows", ann, policies{Identity: yes, Resource: named(home), ResourceRequired: true}, iampolicy.Allowed, none},
		{"trust, root", root, policies{ResourceRequired: true}, iampolicy.ImplicitDeny, trust},
		{"trust across accounts", ann, policies{Identity: yes, Resource: named(home), ResourceAccount: other, ResourceRequired: true}, iampolicy.Allowed, none},
		{"trust across accounts, trust only", ann, policies{Resource: named(ann.ARN), ResourceAccount: other, ResourceRequired: true}, iampolicy.ImplicitDeny, identity},
		{"trust across accounts, identity only", ann, policies{Identity: yes, ResourceAccount: other, ResourceRequired: true}, iampolicy.ImplicitDeny, trust},

		// Callers without policies of their own.
		{"service", iampolicy.PrincipalInfo{Service: "glue.amazonaws.com"}, policies{Resource: bucket(to(allow("S"), iampolicy.ServicePrincipal("glue.amazonaws.com"))), ResourceAccount: home}, iampolicy.Allowed, none},
		{"other service", iampolicy.PrincipalInfo{Service: "ram.amazonaws.com"}, policies{Resource: bucket(to(allow("S"), iampolicy.ServicePrincipal("glue.amazonaws.com"))), ResourceAccount: home}, iampolicy.ImplicitDeny, resource},
		{"service and everyone", iampolicy.PrincipalInfo{Service: "ram.amazonaws.com"}, policies{Resource: everyone, ResourceAccount: home}, iampolicy.Allowed, none},
		{"user of a service's name", ann, policies{Resource: bucket(to(allow("S"), iampolicy.ServicePrincipal("glue.amazonaws.com")))}, iampolicy.ImplicitDeny, identity},
		{"identity provider", iampolicy.PrincipalInfo{Federated: "www.amazon.com"}, policies{Resource: bucket(to(allow("F"), &iampolicy.Principal{Federated: []string{"www.amazon.com"}})), ResourceAccount: home}, iampolicy.Allowed, none},
		{"anonymous", iampolicy.PrincipalInfo{Anonymous: true}, policies{Resource: everyone, ResourceAccount: home}, iampolicy.Allowed, none},
		{"anonymous, every AWS principal", iampolicy.PrincipalInfo{Anonymous: true}, policies{Resource: named("*"), ResourceAccount: home}, iampolicy.Allowed, none},
		{"anonymous, account named", iampolicy.PrincipalInfo{Anonymous: true}, policies{Resource: named(home), ResourceAccount: home}, iampolicy.ImplicitDeny, resource},
		{"anonymous, nothing", iampolicy.PrincipalInfo{Anonymous: true}, policies{Identity: yes, ResourceAccount: home}, iampolicy.ImplicitDeny, resource},
		{"canonical user", iampolicy.PrincipalInfo{Account: home, ARN: ann.ARN, CanonicalUser: "79a5"}, policies{Identity: yes, Resource: bucket(to(allow("C"), &iampolicy.Principal{CanonicalUser: []string{"79a5"}})), ResourceAccount: other}, iampolicy.Allowed, none},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			request := iampolicy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/x", Principal: tt.who}
			if tt.p.ResourceRequired {
				request.Action, request.Resource = "sts:AssumeRole", "arn:aws:iam::111111111111:role/Steward"
			}
			got := iampolicy.Evaluate(request, tt.p)
			if got.Effect != tt.want || got.Missing != tt.missing || got.Allowed != (tt.want == iampolicy.Allowed) {
				t.Errorf("got %+v, want %s, missing %q", got, tt.want, tt.missing)
			}
		})
	}
}

func TestActionsAndResources(t *testing.T) {
	t.Parallel()
	const (
		orders = "arn:aws:glue:eu-west-1:111111111111:table/sales/orders"
		hr     = "arn:aws:glue:eu-west-1:111111111111:table/hr/salaries"
	)
	type statement = iampolicy.Statement
	for _, tt := range []struct {
		name             string
		statement        statement
		action, resource string
		want             bool
	}{
		{"action", statement{Actions: []string{"glue:gettable"}, Resources: []string{"*"}}, "glue:GetTable", orders, true},
		{"other action", statement{Actions: []string{"glue:GetTables"}, Resources: []string{"*"}}, "glue:GetTable", orders, false},
		{"not action", statement{NotActions: []string{"iam:*"}, Resources: []string{"*"}}, "glue:GetTable", orders, true},
		{"not action, is", statement{NotActions: []string{"iam:*", "GLUE:*"}, Resources: []string{"*"}}, "glue:GetTable", orders, false},
		{"resource", statement{Actions: []string{"*"}, Resources: []string{hr, "arn:aws:glue:*:*:table/sales/*"}}, "glue:GetTable", orders, true},
		{"not resource", statement{Actions: []string{"*"}, NotResources: []string{"arn:aws:glue:*:*:table/hr/*"}}, "glue:GetTable", orders, true},
		{"not resource, is", statement{Actions: []string{"*"}, NotResources: []string{"arn:aws:glue:*:*:table/hr/*"}}, "glue:GetTable", hr, false},
		{"variable", statement{Actions: []string{"*"}, Resources: []string{"arn:aws:glue:*:*:table/${aws:PrincipalTag/db}/*"}}, "glue:GetTable", orders, true},
		{"unknown variable", statement{Actions: []string{"*"}, Resources: []string{orders, "arn:aws:glue:*:*:table/${a:b}/*"}}, "glue:GetTable", orders, false},
		{"unknown variable, last", statement{Actions: []string{"*"}, Resources: []string{"arn:aws:glue:*:*:table/${a:b}/*", orders}}, "glue:GetTable", orders, false},
		{"unknown variable in not resource", statement{Actions: []string{"*"}, NotResources: []string{"arn:aws:glue:*:*:table/${a:b}/*"}}, "glue:GetTable", orders, false},
		{"no resource", statement{Actions: []string{"*"}, Resources: []string{"*"}}, "glue:GetTable", "", true},
		{"no resource, some named", statement{Actions: []string{"*"}, Resources: []string{orders}}, "glue:GetTable", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.statement.Effect = iampolicy.Allow
			got := iampolicy.Evaluate(iampolicy.Request{
				Action: tt.action, Resource: tt.resource, Principal: ann,
				Keys: map[string][]string{"aws:PrincipalTag/db": {"sales"}},
			}, iampolicy.Policies{Identity: policy("p", tt.statement)})
			if got.Allowed != tt.want {
				t.Errorf("allowed: %v", got.Allowed)
			}
		})
	}
}

func TestDecisionNamesTheStatement(t *testing.T) {
	t.Parallel()
	request := iampolicy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/x", Principal: reader}
	never := iampolicy.Statement{SID: "Never", Effect: iampolicy.Allow, Actions: []string{"iam:*"}, Resources: []string{"*"}}
	trust := to(deny("Closed"), iampolicy.Everyone())
	for _, tt := range []struct {
		name    string
		p       iampolicy.Policies
		want    iampolicy.Decision
		because string
	}{
		{
			"allowed by identity",
			iampolicy.Policies{Identity: append(policy("first", never), policy("second", never, allow("Read"))...)},
			iampolicy.Decision{Allowed: true, Effect: iampolicy.Allowed, Kind: iampolicy.IdentityBased, Policy: "second", SID: "Read", Index: 1},
			"",
		},
		{
			"allowed by resource",
			iampolicy.Policies{Identity: policy("first", never), Resource: &policy("bucket", to(allow(""), iampolicy.AWSPrincipal(reader.ARN)))[0]},
			iampolicy.Decision{Allowed: true, Effect: iampolicy.Allowed, Kind: iampolicy.ResourceBased, Policy: "bucket"},
			"",
		},
		{
			"nothing allows",
			iampolicy.Policies{},
			iampolicy.Decision{Effect: iampolicy.ImplicitDeny, Index: -1, Missing: iampolicy.IdentityBased},
			"because no identity-based policy allows the s3:GetObject action",
		},
		{
			"denied by identity",
			iampolicy.Policies{Identity: policy("first", allow("Read"), deny("Stop"))},
			iampolicy.Decision{Effect: iampolicy.ExplicitDeny, Kind: iampolicy.IdentityBased, Policy: "first", SID: "Stop", Index: 1},
			"with an explicit deny in an identity-based policy",
		},
		{
			"denied by boundary",
			iampolicy.Policies{Identity: policy("first", allow("Read")), Boundary: policy("limit", deny("Stop"))},
			iampolicy.Decision{Effect: iampolicy.ExplicitDeny, Kind: iampolicy.PermissionsBoundary, Policy: "limit", SID: "Stop"},
			"with an explicit deny in a permissions boundary",
		},
		{
			"denied by trust",
			iampolicy.Policies{Identity: policy("first", allow("Read")), Resource: &policy("trust", trust)[0], ResourceRequired: true},
			iampolicy.Decision{Effect: iampolicy.ExplicitDeny, Kind: iampolicy.TrustPolicy, Policy: "trust", SID: "Closed"},
			"with an explicit deny in the role trust policy",
		},
		{
			"not trusted",
			iampolicy.Policies{Identity: policy("first", allow("Read")), ResourceRequired: true},
			iampolicy.Decision{Effect: iampolicy.ImplicitDeny, Index: -1, Missing: iampolicy.TrustPolicy},
			"because no role trust policy allows the sts:AssumeRole action",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			request := request
			if tt.p.ResourceRequired {
				request.Action, request.Resource = "sts:AssumeRole", "arn:aws:iam::111111111111:role/Steward"
			}
			got := iampolicy.Evaluate(request, tt.p)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			if because := got.Because(request.Action); because != tt.because {
				t.Errorf("because %q, want %q", because, tt.because)
			}
		})
	}
}

func BenchmarkEvaluate(b *testing.B) {
	s := allow("Read")
	s.Actions = []string{"glue:Get*", "glue:BatchGet*", "s3:GetObject"}
	s.Resources = []string{"arn:aws:s3:::other/*", "arn:aws:s3:::lake/*"}
	s.Conditions = iampolicy.Conditions{"StringEquals": {"aws:PrincipalAccount": {home}}, "Bool": {"aws:SecureTransport": {"true"}}}
	p := iampolicy.Policies{
		Identity:        policy("many", deny("A"), s),
		Resource:        &policy("bucket", to(s, iampolicy.AWSPrincipal(home)))[0],
		ResourceAccount: home,
	}
	p.Identity[0].Document.Statements[0].Actions = []string{"iam:*"}
	request := iampolicy.Request{
		Action: "s3:GetObject", Resource: "arn:aws:s3:::lake/sales/orders/part-0000.parquet", Principal: reader,
		Keys: map[string][]string{"aws:SecureTransport": {"true"}},
	}
	b.ReportAllocs()
	for b.Loop() {
		if !iampolicy.Evaluate(request, p).Allowed {
			b.Fatal("denied")
		}
	}
}
