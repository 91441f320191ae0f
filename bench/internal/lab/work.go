package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/localmesh"
	"github.com/lakemesh/lakemesh/producer"
)

// Work is an operation that is measured.
type Work struct {
	// Persona is "producer" or "consumer".
	Persona string
	// Do is what it does: "publish", "request", "approve", "update", "delete",
	// "verify", "pending", or nothing, which opens the persona alone.
	Do string
	// Database and Tables are what is published or asked for: without tables all of
	// them.
	Database string
	Tables   string
	// Subscription is what is decided on.
	Subscription string
	// Concurrency is the setting; 0 means its default.
	Concurrency int
}

// Measured is what an operation took.
type Measured struct {
	// Opening are the calls of opening the persona, Counts those of the operation.
	Opening, Counts []localmesh.Count
	// OpeningTook and Took are the times of the two.
	OpeningTook, Took time.Duration
	// Peak is the largest memory of the process, with the program itself, in bytes.
	Peak int64
	// Allocated are the bytes that the operation allocated, in so many pieces.
	Allocated, Allocations uint64
	// Answer is the subscription's id, or how many records were listed.
	Answer string
}

// task is what a worker is told first.
type task struct {
	URL     string
	Keys    Keys
	Account string
	Work    Work
}

// progress is what a worker answers: once when the persona is open, and once when
// the operation is done.
type progress struct {
	Error  string
	Took   time.Duration
	Peak   int64
	Bytes  uint64
	Pieces uint64
	Answer string
}

// Measure does a work in a process of its own, as a producer's or consumer's
// administrator.
func (m *Mesh) Measure(ctx context.Context, account string, w Work) (done Measured, err error) {
	keys, err := m.Keys(Administrator(account))
	if err != nil {
		return done, err
	}
	p, err := spawn(ctx, WorkCommand)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := m.Reset(); err != nil {
		return done, err
	}
	var opened, finished progress
	if err := p.ask(task{m.URL, keys, account, w}, &opened); err != nil {
		return done, err
	}
	if opened.Error != "" {
		return done, fmt.Errorf("open a %s: %s", w.Persona, opened.Error)
	}
	if done.Opening, err = m.Counts(); err != nil {
		return done, err
	}
	if err := m.Reset(); err != nil {
		return done, err
	}
	if err := p.ask("go", &finished); err != nil {
		return done, err
	}
	if finished.Error != "" {
		return done, fmt.Errorf("%s: %s", w.Do, finished.Error)
	}
	done.OpeningTook, done.Took, done.Peak = opened.Took, finished.Took, finished.Peak
	done.Allocated, done.Allocations, done.Answer = finished.Bytes, finished.Pieces, finished.Answer
	done.Counts, err = m.Counts()
	return done, err
}

// Config is the configuration of a client over HTTP.
func Config(url string, keys Keys) aws.Config {
	return aws.Config{Region: localmesh.DefaultRegion, BaseEndpoint: &url, HTTPClient: awshttp.NewBuildableClient(),
		Credentials: credentials.NewStaticCredentialsProvider(keys.ID, keys.Secret, keys.Token)}
}

// DoWork is a worker's process.
func DoWork(ctx context.Context, in io.Reader, out io.Writer) error {
	lines, encoder := bufio.NewScanner(in), json.NewEncoder(out)
	var t task
	if !lines.Scan() {
		return lines.Err()
	}
	if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
		return err
	}
	begun := time.Now()
	do, err := t.open(ctx)
	if err := encoder.Encode(progress{Took: time.Since(begun), Error: words(err)}); err != nil {
		return err
	}
	if err != nil || !lines.Scan() {
		return lines.Err()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun = time.Now()
	answer, err := do(ctx)
	took := time.Since(begun)
	runtime.ReadMemStats(&after)
	return encoder.Encode(progress{Took: took, Error: words(err), Answer: answer, Peak: peak(),
		Bytes: after.TotalAlloc - before.TotalAlloc, Pieces: after.Mallocs - before.Mallocs})
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// operation answers in a few words.
type operation func(context.Context) (string, error)

func (t task) open(ctx context.Context) (operation, error) {
	cfg := Config(t.URL, t.Keys)
	central := MeshAccount
	if t.Account == OtherProducer {
		central = OtherMesh
	}
	options := lakemesh.Options{MeshAccountID: central, Config: &cfg, Concurrency: t.Work.Concurrency}
	switch t.Work.Persona {
	case "producer":
		p, err := producer.New(ctx, options)
		return t.asProducer(p), err
	case "consumer":
		c, err := consumer.New(ctx, options)
		return t.asConsumer(c), err
	}
	return nil, fmt.Errorf("there is no persona %q", t.Work.Persona)
}

func (t task) asProducer(p *producer.Producer) operation {
	w := t.Work
	return func(ctx context.Context) (string, error) {
		switch w.Do {
		case "":
			return "", nil
		case "publish":
			out, err := p.CreateDataProducts(ctx, producer.CreateDataProductsInput{SourceDatabaseName: w.Database,
				Domain: "bench", DataProductName: "bench"})
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(out.Tables), " tables"), nil
		case "approve":
			return "", p.ApproveAccessRequest(ctx, producer.ApproveInput{RequestID: w.Subscription})
		case "update":
			return "", p.UpdateSubscriptionPermissions(ctx, producer.UpdateInput{SubscriptionID: w.Subscription,
				GrantPermissions: []string{"SELECT", "DESCRIBE", "INSERT"}})
		case "delete":
			return "", p.DeleteSubscription(ctx, producer.DeleteInput{SubscriptionID: w.Subscription, Reason: "measured"})
		case "verify":
			v, err := p.Verify(ctx, producer.VerifyInput{})
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d findings on %d subscriptions and %d tables", len(v.Findings)+len(v.Unverified), v.Subscriptions, v.Tables), nil
		case "pending":
			out, err := p.ListPendingAccessRequests(ctx)
			if err != nil {
				return "", err
			}
			return fmt.Sprint(len(out.Subscriptions), " requests"), nil
		}
		return "", fmt.Errorf("a producer does not %s", w.Do)
	}
}

func (t task) asConsumer(c *consumer.Consumer) operation {
	w := t.Work
	return func(ctx context.Context) (string, error) {
		switch w.Do {
		case "":
			return "", nil
		case "request":
			var tables []string
			if w.Tables != "" {
				tables = []string{w.Tables}
			}
			out, err := c.RequestAccessToProduct(ctx, consumer.RequestInput{OwnerAccountID: ProducerAccount, DatabaseName: w.Database,
				Tables: tables, RequestPermissions: []string{"SELECT", "DESCRIBE"}})
			if err != nil {
				return "", err
			}
			return out.SubscriptionID, nil
		}
		return "", fmt.Errorf("a consumer does not %s", w.Do)
	}
}
