package operate

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/admin"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/producer"
)

// Run does a job. The result is there also if the job failed: it then says what was
// done before. Findings of verify are no error; they are in the result.
func Run(ctx context.Context, o lakemesh.Options, j Job) (*Result, error) {
	begun := time.Now()
	r := &Result{Job: j, MeshAccount: o.MeshAccountID, Begun: begun}
	var calls counter
	o.APIOptions = append(slices.Clip(o.APIOptions), calls.add)
	j, err := j.checked()
	if err == nil {
		r.Job = j
		err = run(ctx, o, j, r)
	}
	r.failed(err)
	r.count("Calls", calls.calls.Load())
	r.count("Retries", calls.retries.Load())
	r.count("Throttles", calls.throttles.Load())
	r.Metrics = append(r.Metrics, Metric{"Duration", Milliseconds, float64(time.Since(begun).Milliseconds())})
	return r, err
}

func run(ctx context.Context, o lakemesh.Options, j Job, r *Result) error {
	switch j.As {
	case Consumer:
		c, err := consumer.New(ctx, o)
		if err != nil {
			return err
		}
		r.Account = c.Account()
		v, err := c.Verify(ctx, consumer.VerifyInput{Database: j.Database})
		return r.verified(v, err)
	case Admin:
		a, err := admin.New(ctx, o)
		if err != nil {
			return err
		}
		r.Account = a.Account()
		if j.Name == Expire {
			out, err := a.ExpireSubscriptions(ctx)
			return r.expired(out, err)
		}
		v, err := a.Verify(ctx, admin.VerifyInput{Database: j.Database})
		return r.verified(v, err)
	}
	p, err := producer.New(ctx, o)
	if err != nil {
		return err
	}
	r.Account = p.Account()
	switch j.Name {
	case Sync:
		in := producer.SyncInput{DatabaseName: j.Database, SourceDatabaseName: j.SourceDatabase}
		if j.Table != "" {
			in.TableNameRegex = regexp.QuoteMeta(j.Table)
		}
		out, err := p.SyncProducts(ctx, in)
		return r.synced(out, err)
	case Expire:
		out, err := p.ExpireSubscriptions(ctx)
		if out != nil {
			r.ended(out.Subscriptions)
		}
		return err
	case Settle:
		out, err := p.SettleDepartures(ctx)
		if out != nil {
			r.ended(out.Subscriptions)
		}
		return err
	}
	v, err := p.Verify(ctx, producer.VerifyInput{Database: j.Database})
	return r.verified(v, err)
}
