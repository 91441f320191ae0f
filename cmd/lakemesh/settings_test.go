package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/lakemesh/lakemesh"
)

// bareMesh is a local mesh of which nothing is set up, with a few roles and policies in the
// accounts.
func bareMesh(t *testing.T) *terminalMesh {
	t.Helper()
	m := emptyTerminalMesh(t)
	for _, who := range []lakemesh.Identity{lakemesh.MeshIdentity, lakemesh.ProducerAdminIdentity, lakemesh.ConsumerAdminIdentity} {
		client := m.iam(who)
		for _, name := range []string{"CrawlerA", "CrawlerB"} {
			_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"BoundA", "BoundB"} {
			_, err := client.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return m
}

func (m *terminalMesh) iam(who lakemesh.Identity) *iam.Client {
	m.t.Helper()
	c, err := m.mesh.Credentials.Get(who)
	if err != nil {
		m.t.Fatal(err)
	}
	cfg := m.mesh.Config()
	cfg.Credentials = c
	return iam.NewFromConfig(cfg)
}

func (m *terminalMesh) calls() int {
	m.t.Helper()
	n, err := m.mesh.Calls(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

// What is left out keeps what is; what is said is set; what that takes away is shown, with
// what it was and will be, and wants agreement.
func TestASettingThatNarrowsIsShownAndWantsAgreement(t *testing.T) {
	t.Parallel()
	const role, key, boundary = "arn:aws:iam::111111111111:role/", "arn:aws:kms:us-east-1:111111111111:key/", "arn:aws:iam::555555555555:policy/"
	one, two := key+"1", key+"2"
	const (
		initialize = "account init --account-type producer"
		enable     = "account enable 111111111111 --account-type producer"
	)
	for name, c := range map[string]struct {
		// command is repeated: first with flags, then with none, then with fewer, which takes
		// away what shown says.
		command, first, fewer, shown string
		// more takes nothing away; empty if nothing can be more.
		more string
	}{
		"buckets":                   {initialize, "--buckets flights,weather", "--buckets weather", "from flights, weather to weather", "--buckets flights,weather,routes"},
		"every bucket":              {initialize, "", "--buckets weather", "from every bucket to weather", "--buckets *"},
		"every bucket again":        {initialize, "--buckets *", "--buckets weather", "from every bucket to weather", ""},
		"crawler role":              {initialize, "--crawler-role-arn " + role + "CrawlerA", "--crawler-role-arn " + role + "CrawlerB", "crawler role from " + role + "CrawlerA to " + role + "CrawlerB", ""},
		"no crawler role":           {initialize, "--crawler-role-arn " + role + "CrawlerA", "--crawler-role-arn none", "crawler role from " + role + "CrawlerA to none", ""},
		"keys' policies":            {initialize, "--key-policy " + one + "," + two, "--key-policy " + two, "from " + one + ", " + two + " to " + two, "--key-policy " + one + "," + two + "," + key + "3"},
		"no key's policy":           {initialize, "--key-policy " + one, "--key-policy none", "from " + one + " to none", ""},
		"boundary":                  {initialize, "--permissions-boundary BoundA", "--permissions-boundary BoundB", "boundary from .*BoundA to .*BoundB", ""},
		"a first boundary":          {initialize, "", "--permissions-boundary BoundB", "boundary from none to .*BoundB", "--tags team=lake"},
		"keys":                      {enable, "--kms-key " + one + "," + two, "--kms-key " + two, "from " + one + ", " + two + " to " + two, "--add-kms-key " + key + "3"},
		"no key":                    {enable, "--kms-key " + one, "--kms-key none", "from " + one + " to none", "--kms-key " + one + "," + two},
		"many keys":                 {enable, "--kms-key " + strings.Join(keys(key, 0, 9), ","), "--kms-key " + strings.Join(keys(key, 1, 9), ","), "from 9 to 8, without " + key + "0$", "--add-kms-key " + two + "2"},
		"boundary in the mesh":      {enable, "--permissions-boundary BoundA", "--permissions-boundary BoundB", "boundary from " + boundary + "BoundA to " + boundary + "BoundB", ""},
		"both halves, keys":         {"account enable --account-type producer", "--kms-key " + one + " --buckets flights", "--kms-key none", "from " + one + " to none", "--kms-key " + one + "," + two},
		"both halves, buckets":      {"account enable --account-type producer", "--buckets flights,weather", "--buckets flights", "from flights, weather to flights", "--buckets flights,weather,routes"},
		"external engines":          {"mesh init", "--allow-full-table-external-data-access", "--allow-full-table-external-data-access=false", "no full table access any more", "--tags team=lake"},
		"calls that change shares":  {"mesh init", "--sharing-calls direct", "--sharing-calls through-services", "share through-services, and no more direct", ""},
		"schedules":                 {"mesh init", "--end-schedules on", "--end-schedules off", "no schedule ends", ""},
		"boundary of the mesh":      {"mesh init", "--permissions-boundary BoundA", "--permissions-boundary BoundB", "boundary from " + boundary + "BoundA to " + boundary + "BoundB", ""},
		"boundary by an upgrade":    {"mesh upgrade", "--permissions-boundary BoundA", "--permissions-boundary BoundB", "boundary from " + boundary + "BoundA to " + boundary + "BoundB", ""},
		"consumer's boundary":       {"account init --account-type consumer", "--link-regions eu-west-1 --permissions-boundary BoundA", "--permissions-boundary BoundB", "boundary from .*BoundA to .*BoundB", "--link-regions eu-north-1"},
		"consumer's, in the mesh":   {"account enable 999999999999 --account-type consumer", "--permissions-boundary BoundA", "--permissions-boundary BoundB", "boundary from .*BoundA to .*BoundB", "--tags team=lake"},
		"consumer's, a tag changes": {"account init --account-type consumer", "--tags stage=prod --permissions-boundary BoundA", "--tags stage=test --permissions-boundary BoundB", "tag stage from prod to test; permissions boundary", "--tags stage=next"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := bareMesh(t)
			m.run(0, nil, "mesh", "init")
			m.run(0, nil, "account", "enable", "--account-type", "producer")
			m.run(0, nil, "account", "enable", "--account-type", "consumer")
			with := func(flags string, more ...string) []string {
				return append(append(strings.Fields(c.command), strings.Fields(flags)...), more...)
			}
			m.run(0, nil, with(c.first, "--yes")...)
			out, _ := m.run(0, nil, with("", "--dry-run")...)
			m.want(out, "nothing to do")
			if c.more != "" {
				m.run(0, nil, with(c.more)...)
				out, _ = m.run(0, nil, with(c.more, "--dry-run")...)
				m.want(out, "nothing to do")
				m.run(0, nil, with(c.first, "--yes")...)
			}

			before, _ := m.run(0, nil, with(c.fewer, "--dry-run")...)
			m.want(before, c.shown)
			_, errs := m.run(exitUnconfirmed, nil, with(c.fewer)...)
			m.want(errs, "nothing was changed$", "--yes")
			_, errs = m.run(exitUnconfirmed, &person{answer: strings.NewReader("n\n")}, with(c.fewer)...)
			m.want(errs, c.shown)
			if after, _ := m.run(0, nil, with(c.fewer, "--dry-run")...); after != before {
				t.Errorf("after two refusals:\n%s\nbefore:\n%s", after, before)
			}
			m.run(0, &person{answer: strings.NewReader("y\n")}, with(c.fewer)...)
			out, _ = m.run(0, nil, with(c.fewer, "--dry-run")...)
			m.want(out, "nothing to do")
			// Nobody is asked where nothing is taken away.
			m.run(0, nil, with(c.fewer)...)
		})
	}
}

// keys are the ARNs of keys from one number to before another.
func keys(prefix string, from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprint(prefix, i))
	}
	return all
}

// apply applies a file of one producer.
func (m *terminalMesh) apply(want int, who *person, producer string, flags ...string) (out, errs string) {
	m.t.Helper()
	name := filepath.Join(m.t.TempDir(), "accounts.yaml")
	if err := os.WriteFile(name, []byte("accounts:\n  - id: 111111111111\n    type: producer\n"+producer+"  - id: 999999999999\n    type: consumer\n"), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return m.run(want, who, append([]string{"account", "apply", "-f", name}, flags...)...)
}

// What a file leaves out stays, and what it replaces is shown and wants agreement, as with
// the flags of other commands.
func TestAFileTakesNothingAwayWithoutAWord(t *testing.T) {
	t.Parallel()
	const role, key = "arn:aws:iam::111111111111:role/", "arn:aws:kms:us-east-1:111111111111:key/"
	setting := func(key string, values ...string) string {
		return "    " + key + ": [" + strings.Join(values, ", ") + "]\n"
	}
	for name, c := range map[string]struct {
		first, then, shown string
		// exact is set where --exact alone takes something away.
		exact bool
	}{
		"crawler role":      {"    crawler-role: " + role + "CrawlerA\n", "    crawler-role: " + role + "CrawlerB\n", "crawler role from " + role + "CrawlerA to " + role + "CrawlerB", false},
		"no crawler role":   {"    crawler-role: " + role + "CrawlerA\n", "    crawler-role: none\n", "crawler role from " + role + "CrawlerA to none", false},
		"boundary":          {"    permissions-boundary: BoundA\n", "    permissions-boundary: BoundB\n", "boundary from .*BoundA to .*BoundB", false},
		"buckets":           {setting("buckets", "flights", "weather"), setting("buckets", "weather", "routes"), "from flights, weather to routes, weather", true},
		"every bucket":      {"", setting("buckets", "weather"), "from every bucket to weather", true},
		"keys":              {setting("kms-keys", "'"+key+"1'", "'"+key+"2'"), setting("kms-keys", "'"+key+"2'"), "from " + key + "1, " + key + "2 to " + key + "2", true},
		"no keys":           {setting("kms-keys", "'"+key+"1'"), setting("kms-keys"), "from " + key + "1 to none", true},
		"keys' policies":    {setting("key-policies", "'"+key+"1'", "'"+key+"2'"), setting("key-policies", "'"+key+"2'"), "from " + key + "1, " + key + "2 to " + key + "2", true},
		"no key's policies": {setting("key-policies", "'"+key+"1'"), setting("key-policies"), "from " + key + "1 to none", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := bareMesh(t)
			m.run(0, nil, "mesh", "init")
			m.apply(0, nil, c.first)
			out, _ := m.apply(0, nil, "")
			m.want(out, `^111111111111 .*unchanged$`)
			var flags []string
			if c.exact {
				// Without the flag it only adds.
				m.apply(0, nil, c.then)
				m.apply(0, nil, c.first, "--exact", "--yes")
				flags = []string{"--exact"}
			}
			out, _ = m.apply(0, nil, "", flags...)
			m.want(out, `^111111111111 .*unchanged$`)

			before, _ := m.apply(0, nil, c.then, append(flags, "--dry-run")...)
			m.want(before, c.shown)
			_, errs := m.apply(exitUnconfirmed, nil, c.then, flags...)
			m.want(errs, "nothing was changed$", "--yes")
			_, errs = m.apply(exitUnconfirmed, &person{answer: strings.NewReader("\n")}, c.then, flags...)
			m.want(errs, c.shown)
			if after, _ := m.apply(0, nil, c.then, append(flags, "--dry-run")...); after != before {
				t.Errorf("after two refusals:\n%s\nbefore:\n%s", after, before)
			}
			out, _ = m.apply(0, nil, c.then, append(flags, "--yes")...)
			m.want(out, `^111111111111 .*done$`)
			out, _ = m.apply(0, nil, c.then, flags...)
			m.want(out, `^111111111111 .*unchanged$`)
		})
	}
}

// An account is looked at once: what is done besides is less than looking at it again.
func TestApplyingLooksAtAnAccountOnce(t *testing.T) {
	t.Parallel()
	m := bareMesh(t)
	m.run(0, nil, "mesh", "init")
	m.apply(0, nil, "    buckets: [flights]\n")
	began := m.calls()
	m.apply(0, nil, "    buckets: [weather]\n", "--dry-run")
	looking := m.calls() - began
	began = m.calls()
	m.apply(0, nil, "    buckets: [weather]\n")
	// The policy is read once more and written, and the account's two roles are opened.
	if besides := m.calls() - began - looking; besides < 1 || besides > 8 {
		t.Errorf("looking takes %d calls, and doing %d more", looking, besides)
	}
	began = m.calls()
	m.apply(0, nil, "    buckets: [weather]\n")
	if again := m.calls() - began; again != looking {
		t.Errorf("looking takes %d calls, and where nothing is to be done it takes %d", looking, again)
	}
}
