// Command docgen writes docs/local-mesh.md from the operations that the local
// mesh has, or with -check tells whether the file is of today.
package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/athena"
	"github.com/lakemesh/lakemesh/localmesh/internal/dynamodb"
	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/glue"
	"github.com/lakemesh/lakemesh/localmesh/internal/iam"
	"github.com/lakemesh/lakemesh/localmesh/internal/kms"
	"github.com/lakemesh/lakemesh/localmesh/internal/lakeformation"
	"github.com/lakemesh/lakemesh/localmesh/internal/organizations"
	"github.com/lakemesh/lakemesh/localmesh/internal/ram"
	"github.com/lakemesh/lakemesh/localmesh/internal/s3"
	"github.com/lakemesh/lakemesh/localmesh/internal/scheduler"
	"github.com/lakemesh/lakemesh/localmesh/internal/sqs"
	"github.com/lakemesh/lakemesh/localmesh/internal/sts"
)

func main() {
	check := flag.Bool("check", false, "compare instead of writing")
	flag.Parse()
	if err := run(flag.Arg(0), *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string, check bool) error {
	if path == "" {
		return fmt.Errorf("usage: docgen [-check] FILE")
	}
	page := render(sts.Service(), iam.Service(), glue.Service(), lakeformation.Service(), ram.Service(), s3.Service(), kms.Service(), scheduler.Service(),
		organizations.Service(), dynamodb.Service(), dynamodb.Streams(), sqs.Service(), athena.Service())
	if !check {
		return os.WriteFile(path, page, 0o644)
	}
	now, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, page) {
		return fmt.Errorf("%s is not of today: run go run ./localmesh/internal/docgen %s", path, path)
	}
	return nil
}

const head = `# What the local mesh has

The local mesh is an embedded, multi-account stand-in for the AWS services that a data mesh lives on. This page is generated from its
code (` + "`go run ./localmesh/internal/docgen docs/local-mesh.md`" + `): each operation that is there, and what of AWS's rules it enforces.

For every call the signature is verified; the caller's identity policies, permissions boundary and session policies are evaluated, and
the resource's policy where there is one; then come the service's own rules. Nobody is exempt but an account's root, and the root only
from identity policies. An operation that is not listed answers 501 and names itself.
A member of an input that is not honoured is refused with the service's code for what is invalid, or by S3 with 501, and named.

## Eventual consistency

Changes are known at once, unless the mesh is told otherwise: ` + "`localmesh.WithEventualConsistency(n)`" + `, ` + "`Mesh.SetEventualConsistency(n)`" + ` or
` + "`lakemesh local start --eventual-consistency n`" + `. Then each observer (a principal that calls a service) misses a change one to n times that
it looks, and knows it from then on. How often is drawn from the change, the observer and the seed, never from the time: a client that
looks again always gets there, two clients get there at different moments, and a repetition goes the same way.

| what is late | what the caller meets in the meantime |
| --- | --- |
| a new user or role | Lake Formation: ` + "`InvalidInputException`" + ` (Invalid principal); trust policies: ` + "`MalformedPolicyDocument`" + `; bucket policies: ` + "`MalformedPolicy`" + ` |
| a new role, for what changes it | ` + "`NoSuchEntity`" + `; reading it works |
| a new managed policy, for AttachRolePolicy | ` + "`NoSuchEntity`" + ` |
| a trust policy | AssumeRole goes by the one before; a new role refuses with ` + "`AccessDenied`" + `; schedules cannot be made with it (` + "`ValidationException`" + `) |
| an invitation of RAM | it is not listed; accepting it is ` + "`ResourceShareInvitationArnNotFoundException`" + ` |
| the association of a resource, or of a principal that accepted | ` + "`ASSOCIATING`" + `, and what is shared is not visible; whoever looks moves it on for everybody |
| writes to a DynamoDB table | reads that are not consistent see the table, and by itself each index, as they were before |
| a bucket policy | the one before, or none, decides and is shown |

Identity policies, the Data Catalog, grants, data lake settings and objects are known at once.

## Time

Schedules of EventBridge Scheduler are due by the mesh's clock (` + "`localmesh.WithClock`" + `), which tests can move. Before a call is answered,
all that is due is done, in the order of time; ` + "`Mesh.RunDue`" + ` does it without a call. A target is called as the schedule's role, like by
anybody outside, and what it refuses is in ` + "`Mesh.DeadLetters`" + `. What is due has been arranged long before: to these calls everything is known.

## Compared

DynamoDB was compared with a public suite that is recorded on AWS (github.com/nubo-db/dynamodb-conformance): its calls and what they
claim, written anew outside of this repository and without vector indexes, were 956 tests in November 2026, of which 945 held. What did not
is resource policies, backups, contributor insights, exports, imports and Kinesis (501), and one message that AWS's regions word differently.

## Operations

`

func render(services ...engine.Service) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	b.WriteString("| service | operations |\n| --- | --- |\n")
	total := 0
	for _, s := range services {
		fmt.Fprintf(&b, "| [%s](#%s) | %d |\n", s.Title, anchor(s.Title), len(s.Operations))
		total += len(s.Operations)
	}
	fmt.Fprintf(&b, "| all | %d |\n", total)
	for _, s := range services {
		fmt.Fprintf(&b, "\n## %s\n\nProtocol: %s, signing name `%s`.\n\n| operation | what is enforced |\n| --- | --- |\n", s.Title, s.Protocol, cmp.Or(s.Signing, s.Name))
		for _, o := range s.Operations {
			name := o.Name
			if o.Doc != "" {
				name = fmt.Sprintf("[%s](%s)", o.Name, o.Doc)
			}
			fmt.Fprintf(&b, "| %s | %s |\n", name, strings.ReplaceAll(o.Enforced, "|", "\\|"))
		}
	}
	return b.Bytes()
}

// anchor is the heading's anchor, as GitHub makes it.
func anchor(title string) string {
	return strings.ReplaceAll(strings.ToLower(title), " ", "-")
}
