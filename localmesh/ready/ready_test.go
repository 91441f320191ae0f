package ready_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh/ready"
)

const product = ready.SampleDatabase + "-" + ready.ProducerAccount

// told is a test that keeps what it is told instead of failing, and ends where it must.
type told struct {
	testing.TB
	errors []string
	ended  bool
}

func (t *told) Helper() {}

func (t *told) Failed() bool { return t.ended }

func (t *told) Errorf(format string, args ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}

func (t *told) Fatal(...any) {
	t.ended = true
	runtime.Goexit()
}

func (t *told) Fatalf(string, ...any) { t.Fatal() }

var published = ready.Once(func(m *ready.Mesh) {
	m.Sample()
	m.Publish(ready.ProducerAccount, ready.SampleDatabase)
})

func TestAssertionsHoldAndFail(t *testing.T) {
	t.Parallel()
	m := published(t)
	m.Open(ready.ProducerAccount, ready.SampleBucket)
	id := m.Subscribe(ready.Subscription{Tables: []string{"airports"}})
	held := []string{
		"database " + product + ": DESCRIBE, may grant DESCRIBE",
		"table " + product + ".airports: DESCRIBE, SELECT, may grant DESCRIBE, SELECT",
	}
	m.Holds(ready.MeshAccount, ready.ConsumerAccount, held...)
	m.Open(ready.ProducerAccount, ready.SampleBucket, "airports/")

	fake := &told{TB: t}
	f := ready.On(fake, m.Mesh)
	for what, assert := range map[string]func(){
		"too little":         func() { f.Holds(ready.MeshAccount, ready.ConsumerAccount, held[0]) },
		"too much":           func() { f.Holds(ready.MeshAccount, ready.ConsumerAccount, append(held, "database x: ALTER")...) },
		"nothing":            func() { f.Holds(ready.MeshAccount, ready.ConsumerAccount) },
		"an account not set": func() { f.Holds("123456789012", ready.ConsumerAccount) },
		"nothing open":       func() { f.Open(ready.ProducerAccount, ready.SampleBucket) },
		"more open":          func() { f.Open(ready.ProducerAccount, ready.SampleBucket, "airports/", "routes/") },
		"no such bucket":     func() { f.Open(ready.ProducerAccount, "nowhere") },
	} {
		fake.errors = nil
		if assert(); len(fake.errors) != 1 {
			t.Errorf("%s: the assertion says %q", what, fake.errors)
		}
	}

	m.End(ready.ProducerAccount, id)
	m.Holds(ready.MeshAccount, ready.ConsumerAccount)
	m.Open(ready.ProducerAccount, ready.SampleBucket)
}

func TestWhatARoleReadsIsAsserted(t *testing.T) {
	t.Parallel()
	m := published(t)
	analyst, colleague := m.Reader(ready.ConsumerAccount, "Analyst"), m.Reader(ready.ConsumerAccount, "Colleague")
	mute := m.Role(ready.ConsumerAccount, "Mute")
	id := m.Subscribe(ready.Subscription{Tables: []string{"airports", "weather"}, Readers: []string{analyst, mute}})
	m.CanRead(analyst, product, "airports", "id=1 value=airports")
	m.CanRead(analyst, product, "weather", "id=0 value=sunny part=00000", "id=1 value=sunny part=00001", "id=2 value=sunny part=00002")
	m.CannotRead(colleague, product, "airports")

	fake := &told{TB: t}
	f := ready.On(fake, m.Mesh)
	for what, assert := range map[string]func(){
		"other rows":                  func() { f.CanRead(analyst, product, "airports", "id=2 value=airports") },
		"no rows":                     func() { f.CanRead(analyst, product, "airports") },
		"rows that it may not see":    func() { f.CanRead(colleague, product, "airports", "id=1 value=airports") },
		"it must not read":            func() { f.CannotRead(analyst, product, "airports") },
		"a table that is not there":   func() { f.CannotRead(analyst, product, "nothing") },
		"a role that may ask nothing": func() { f.CannotRead(mute, product, "airports") },
	} {
		fake.errors = nil
		if assert(); len(fake.errors) != 1 {
			t.Errorf("%s: the assertion says %q", what, fake.errors)
		}
	}

	m.End(ready.ProducerAccount, id)
	m.CannotRead(analyst, product, "airports")
	narrow := m.Subscribe(ready.Subscription{Tables: []string{"weather"}, Scope: lakemesh.Scope{Columns: []string{"id"}, Rows: "id > 0"}, Readers: []string{analyst}})
	m.CanRead(analyst, product, "weather", "id=1 part=00001", "id=2 part=00002") // partition keys are seen by whoever selects anything
	m.End(ready.ProducerAccount, narrow)
}

func TestTestsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	one, other := published(t), published(t)
	one.Subscribe(ready.Subscription{})
	other.Holds(ready.MeshAccount, ready.ConsumerAccount)
	bare := ready.Run(t)
	bare.Database(ready.ProducerAccount, ready.SampleDatabase)
	if n := bare.Calls(); n != 1 {
		t.Errorf("a new mesh has counted %d calls before the test's own", n-1)
	}
}

func TestAStateThatCannotBeMadeFailsEachTest(t *testing.T) {
	t.Parallel()
	broken := ready.Once(func(m *ready.Mesh) { m.Publish(ready.ProducerAccount, "there is none") })
	for range 2 {
		ended := make(chan bool)
		go func() {
			fake := &told{TB: t}
			defer func() { ended <- fake.ended }()
			broken(fake)
		}()
		if !<-ended {
			t.Error("the test went on")
		}
	}
}

func TestAnotherProducerAndConsumer(t *testing.T) {
	t.Parallel()
	const otherProducer, otherConsumer = "222222222222", "888888888888"
	m := published(t)
	m.AddProducer(otherProducer)
	m.AddConsumer(otherConsumer)
	m.Bucket(otherProducer, "trains")
	m.Database(otherProducer, "rail")
	m.Table(otherProducer, "rail", ready.CSV("stations", "s3://trains/stations/"))
	m.Put(otherProducer, "trains", "stations/rows.csv", "id,value\n1,Z\n")
	database := m.Publish(otherProducer, "rail")
	m.Subscribe(ready.Subscription{Consumer: otherConsumer, Producer: otherProducer, Database: database, Tables: []string{"stations"}, Scope: lakemesh.Scope{Columns: []string{"id"}}})
	m.Open(otherProducer, "trains", "stations/")
	m.Open(ready.ProducerAccount, ready.SampleBucket)
	m.Holds(ready.MeshAccount, ready.ConsumerAccount)
}

// What a test pays for a mesh that is set up, and what the set-up itself takes.
func BenchmarkRun(b *testing.B) {
	ready.Run(b)
	for b.Loop() {
		ready.Run(b)
	}
}
