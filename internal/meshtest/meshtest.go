// Package meshtest is [ready] with what this module's own tests want beside it: other accounts,
// looks on a mesh that is late, answers changed on their way, an organization.
package meshtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/localmesh/ready"
)

// The accounts.
const (
	MeshAccount     = ready.MeshAccount
	ProducerAccount = ready.ProducerAccount
	ConsumerAccount = ready.ConsumerAccount
	// OtherProducer and OtherConsumer are set up by AddProducer and AddConsumer where a
	// test wants them.
	OtherProducer = "222222222222"
	OtherConsumer = "888888888888"
)

// The sample of [ready.Mesh.Sample].
const (
	SampleDatabase = ready.SampleDatabase
	SampleBucket   = ready.SampleBucket
)

// CrawlerRole is the ARN of the role that crawlers of the producer may use.
const CrawlerRole = "arn:aws:iam::" + ProducerAccount + ":role/Crawler" // of a mesh in aws

// CrawlersPolicy is the name of the policy that lets the role of crawlers do its work.
const CrawlersPolicy = ready.CrawlersPolicy

// Mesh is a local mesh whose accounts are set up.
type Mesh struct {
	*ready.Mesh
	t testing.TB
}

// Accounts is a mesh whose accounts are set up: see [ready.Run].
func Accounts(t testing.TB, opts ...localmesh.Option) *Mesh {
	t.Helper()
	return &Mesh{ready.Run(t, opts...), t}
}

// Once is [ready.Once].
func Once(prepare func(m *Mesh)) func(t testing.TB, opts ...localmesh.Option) *Mesh {
	once := ready.Once(func(m *ready.Mesh) { prepare(&Mesh{m, m.TB()}) })
	return func(t testing.TB, opts ...localmesh.Option) *Mesh {
		t.Helper()
		return &Mesh{once(t, opts...), t}
	}
}

// On is a mesh on which nothing is set up yet.
func On(t testing.TB, m *localmesh.Mesh) *Mesh { return &Mesh{ready.On(t, m), t} }

// Administrator is the ARN of an account's administrator.
func Administrator(account string) string { return ready.Administrator(account) }

// RoleWait is that of [ready.RoleWait].
func RoleWait(m Late) time.Duration { return ready.RoleWait(m) }

// CSV is that of [ready.CSV].
func CSV(name, location string, partitionKeys ...string) *types.TableInput {
	return ready.CSV(name, location, partitionKeys...)
}

// Count is how often operations were called since the counts began; an operation
// is "glue:CreateTable".
func (m *Mesh) Count(operations ...string) int {
	n := 0
	for _, c := range m.Counts() {
		for _, o := range operations {
			if c.Service+":"+c.Operation == o {
				n += c.Calls
			}
		}
	}
	return n
}

// Writes are the writing calls since the counts began, as "glue:CreateTable 3".
func (m *Mesh) Writes() []string {
	var writes []string
	for _, c := range m.Counts() {
		if IsWrite(c.Operation) {
			writes = append(writes, fmt.Sprintf("%s:%s %d", c.Service, c.Operation, c.Calls))
		}
	}
	return writes
}

// IsWrite tells by the name of an operation whether it changes something. Opening
// a role changes nothing.
func IsWrite(operation string) bool {
	for _, reading := range []string{"Get", "List", "Describe", "Search", "Query", "Scan", "BatchGet", "TransactGet", "Simulate", "Head", "AssumeRole"} {
		if strings.HasPrefix(operation, reading) {
			return false
		}
	}
	return true
}

// Moved is a partition as it is to be at another location.
func Moved(p *types.Partition, location string) *types.PartitionInput {
	sd := *p.StorageDescriptor
	sd.Location = &location
	return &types.PartitionInput{Values: p.Values, StorageDescriptor: &sd, Parameters: p.Parameters}
}
