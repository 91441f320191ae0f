package proof

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/poll"
)

// Clean removes what the run of a journal left. It opens the accounts by the journal's profiles, or
// by others that are given, which have to be of the same accounts. It refuses while the run's own
// process is there, unless that is waived.
func Clean(ctx context.Context, j *Journal, o Options, thoughRunning bool) error {
	if !thoughRunning {
		if err := j.running(); err != nil {
			return err
		}
	}
	accounts := map[Part]*Account{}
	for _, was := range j.Header.Accounts {
		profile := was.Profile
		if o.Profiles[was.Part] != "" {
			profile = o.Profiles[was.Part]
		}
		a, err := Open(ctx, was.Part, profile, was.Region)
		if err != nil {
			return err
		}
		if a.ID != was.ID || a.Endpoint != was.Endpoint {
			return &lakemesh.Error{Account: a.ID, Resource: "profile " + profile, Kind: lakemesh.ErrWrongAccount,
				Message: fmt.Sprintf("run %s was in account %s %s", j.Header.Run, was.ID, was.Endpoint), Hint: fmt.Sprintf("name a profile of that account: --%s-profile", was.Part)}
		}
		accounts[was.Part] = a
	}
	return clean(ctx, j, accounts, o)
}

// clean removes everything in the reverse order of its making, then looks for what is left under
// the run's name, until nothing is.
func clean(ctx context.Context, j *Journal, accounts map[Part]*Account, o Options) error {
	removers := map[Part]*remover{}
	for part, a := range accounts {
		removers[part] = a.remover(ctx, j.Header.Run)
		removers[part].lived = j.lived
	}
	// The administrators, and the settings that name them, go last: what is left besides is seen, and
	// removed, by them.
	var things, last []Thing
	for _, t := range j.Things() {
		if t.Kind == kindSettings || t.Kind == kindRole && t.Name == prefix(j.Header.Run)+"-admin" {
			last = append(last, t)
			continue
		}
		things = append(things, t)
	}
	if err := removeAll(ctx, j, removers, things, o); err != nil {
		return err
	}
	admin := prefix(j.Header.Run) + "-admin"
	if err := nothingLeft(ctx, j, removers, o, admin); err != nil {
		return err
	}
	if err := removeAll(ctx, j, removers, last, o); err != nil {
		return err
	}
	for _, r := range removers {
		r.administrator = r.account.config
	}
	if err := nothingLeft(ctx, j, removers, o, ""); err != nil {
		return err
	}
	return j.end()
}

// removeAll removes things in order. One that stays does not keep the others.
func removeAll(ctx context.Context, j *Journal, removers map[Part]*remover, things []Thing, o Options) error {
	var failures []error
	for _, t := range things {
		o.say("remove %s", t)
		err := o.eventually(ctx, "removal of "+t.String(), func() error {
			if t.Kind == kindMesh {
				return sweep(ctx, j, removers)
			}
			return removers[t.In].remove(ctx, t)
		})
		if err == nil {
			err = j.gone(t)
		}
		if err != nil {
			failures = append(failures, err)
			if ctx.Err() != nil {
				break
			}
		}
	}
	if len(failures) > 0 {
		return errors.Join(append([]error{fmt.Errorf("%d of %d things were not removed; the journal %s has them", len(failures), len(things), j.Path())}, failures...)...)
	}
	return nil
}

// nothingLeft looks for what is left under the run's name, and removes it, until nothing is: what
// the journal does not have is there only if AWS made it late.
func nothingLeft(ctx context.Context, j *Journal, removers map[Part]*remover, o Options, but string) error {
	for _, part := range Parts() {
		r := removers[part]
		err := o.eventually(ctx, "nothing to be left in account "+r.account.ID, func() error {
			left, err := r.present(ctx, func(name string) bool {
				return name != but && isRuns(name) && strings.Contains(name, prefix(j.Header.Run))
			})
			if err != nil {
				return err
			}
			shares, err := r.sharedARNs(ctx)
			if err != nil {
				return err
			}
			for share, arns := range shares {
				if slices.ContainsFunc(arns, func(arn string) bool { return isShared(arn, prefix(j.Header.Run)) }) {
					left = append(left, Thing{Kind: kindShare, In: part, Name: share})
				}
			}
			for _, t := range left {
				if err := r.remove(ctx, t); err != nil {
					return err
				}
			}
			if len(left) > 0 {
				return fmt.Errorf("left were %v", left)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// remover opens the run's administrator of an account if it is there, with its policy: that is the
// first thing of an account that is made, and the last that goes.
func (a *Account) remover(ctx context.Context, run string) *remover {
	r := &remover{account: a, administrator: a.config, run: run}
	name := prefix(run) + "-admin"
	if _, err := iamOf(a.config).GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(ownPolicy)}); err != nil {
		return r
	}
	cfg := a.as(a.role(name))
	cfg.Retryer = newcomersRetryer
	err := poll.Until(ctx, openingTime, "the run's role", func(ctx context.Context) (bool, error) {
		_, err := stsOf(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		return err == nil, poll.NotYet(err)
	})
	if err == nil {
		r.administrator = cfg
	}
	return r
}

// openingTime is how long a role may take to be known, which a run made before it was killed.
const openingTime = time.Minute

// eventually tries until it succeeds, for as long as things may take.
func (o *Options) eventually(ctx context.Context, what string, call func() error) error {
	return poll.Until(ctx, o.patience(), what, func(context.Context) (bool, error) {
		err := call()
		return err == nil, poll.NotYet(err)
	})
}

func (o *Options) patience() time.Duration {
	if o.Patience == 0 {
		return DefaultPatience
	}
	return o.Patience
}

func (o *Options) say(format string, args ...any) {
	if o.Tell != nil {
		o.Tell(format, args...)
	}
}
