package adversary_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	lftypes "github.com/aws/aws-sdk-go-v2/service/lakeformation/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/consumer"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/meshtest"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/producer"
)

// grants are all grants in the mesh on the products, by product: principal and object,
// to permissions.
func (s *stage) grants() (map[string]map[string]string, error) {
	return s.grantsSeen(inMesh, lakemesh.ManagerRole)
}

// grantsSeen are those that a role of an account sees.
func (s *stage) grantsSeen(account, role string) (map[string]map[string]string, error) {
	lake := &permissions.Lake{Client: lakeformation.NewFromConfig(s.Config(lakemesh.RoleARN(account, role))), Account: account}
	all := map[string]map[string]string{theProduct: {}, rivalProduct: {}}
	for _, kind := range []lftypes.DataLakeResourceType{lftypes.DataLakeResourceTypeDatabase, lftypes.DataLakeResourceTypeTable} {
		found, err := lake.ObserveKind(s.ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, e := range found.Entries() {
			of := all[e.Resource.Database]
			if of == nil {
				continue
			}
			name := e.Resource.Table
			switch e.Resource.Kind {
			case permissions.KindDatabase:
				name = "database"
			case permissions.KindAllTables:
				name = "*"
			}
			of[e.Principal+" on "+name] = e.Permissions.String() + " / " + e.Grantable.String()
		}
	}
	return all, nil
}

// isConsumer reports whether a grant is one to a consumer.
func isConsumer(grant string) bool {
	principal, _, _ := strings.Cut(grant, " on ")
	return principal == theConsumer || principal == otherConsumer
}

// state checks what was granted, what is open and what can be read, by what the
// parties have decided. Of an owner that is not trusted nothing is checked: it decides
// about its own.
func (s *stage) state(a party) error {
	var wrong []error
	grants, err := s.grants()
	if err != nil {
		return err
	}
	for _, owner := range []string{theOwner, otherOwner} {
		if a.produces && a.account == owner {
			continue
		}
		product := productOf(owner)
		got := grants[product]
		want := map[string]string{}
		for _, account := range []string{theConsumer, otherConsumer} {
			for name, p := range s.model.holds(account, product) {
				want[account+" on "+name] = p.String() + " / " + p.String()
			}
		}
		rest := maps.Clone(got)
		maps.DeleteFunc(got, func(k, _ string) bool { return !isConsumer(k) })
		maps.DeleteFunc(rest, func(k, _ string) bool { return isConsumer(k) })
		s.rest[product] = rest
		if diff := cmp.Diff(want, got); diff != "" {
			wrong = append(wrong, fmt.Errorf("S1, S2: grants on %s (-decided +granted):\n%s", product, diff))
		}
		wrong = append(wrong, s.opened(owner))
	}
	return errors.Join(wrong...)
}

// opened checks which prefixes of an owner's bucket are open.
func (s *stage) opened(owner string) error {
	policy, err := s.bucketPolicy(owner)
	if err != nil {
		return err
	}
	want := []string{}
	for _, account := range []string{theConsumer, otherConsumer} {
		for name, p := range s.model.holds(account, productOf(owner)) {
			if p.Has(lakemesh.Select) && !slices.Contains(want, name+"/") {
				want = append(want, name+"/")
			}
		}
	}
	slices.Sort(want)
	got := []string{}
	if policy != "" {
		if got, err = storage.Prefixes(policy, bucketOf(owner), lakemesh.RoleARN(inMesh, lakemesh.DataAccessRole(owner))); err != nil {
			return err
		}
		slices.Sort(got)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("S2, S4: open prefixes of %s are %v, want %v", bucketOf(owner), got, want)
	}
	return nil
}

// reads checks that nobody reads what was not decided, and that those who imported
// do read.
func (s *stage) reads(a party, imported map[string]bool) error {
	var wrong []error
	for _, owner := range []string{theOwner, otherOwner} {
		if a.produces && a.account == owner {
			continue
		}
		for _, account := range []string{theConsumer, otherConsumer} {
			holds := s.model.holds(account, productOf(owner))
			for _, table := range s.model.tables[productOf(owner)] {
				rows, err := s.reading(lakemesh.RoleARN(account, lakemesh.ConsumerRole), owner, table)
				may := holds[table].Has(lakemesh.Select)
				switch {
				case !may && err == nil:
					wrong = append(wrong, fmt.Errorf("S1: %s reads %s: %q", account, table, rows))
				case !may && !awserr.Denied(err):
					wrong = append(wrong, fmt.Errorf("S1: %s reads %s: %w, want AWS to deny it", account, table, err))
				case may && imported[account+" "+table] && (err != nil || rows != rowsOfTable(table)):
					wrong = append(wrong, fmt.Errorf("S4: %s cannot read %s: %q %w", account, table, rows, err))
				}
			}
		}
		if a.account == owner {
			continue
		}
		for _, role := range a.roles() {
			for _, table := range s.model.tables[productOf(owner)] {
				if s.model.holds(a.account, productOf(owner))[table].Has(lakemesh.Select) {
					continue
				}
				if _, err := s.reading(role, owner, table); err == nil {
					wrong = append(wrong, fmt.Errorf("S1: %s reads %s of %s", role, table, owner))
				}
			}
		}
	}
	return errors.Join(wrong...)
}

// seen is how a side sees a subscription.
func (m *model) seen(s *subscription) string {
	return fmt.Sprintf("%s %s %s %v leaving %t", s.status, s.database, strings.Join(s.tables, ","), s.permitted, s.leaving)
}

func seenOf(s *lakemesh.Subscription) string {
	return fmt.Sprintf("%s %s %s %v leaving %t", s.Status, s.Database, strings.Join(s.Tables, ","), s.Permitted, s.Leaving)
}

// lists checks that both sides see all of their own, as it was decided. What the
// adversary says of its own requests is its own: only what was decided on them counts.
func (s *stage) lists(a party) error {
	var wrong []error
	check := func(who string, mine func(*subscription) bool, got []lakemesh.Subscription) {
		byID := map[string]*lakemesh.Subscription{}
		for i := range got {
			if byID[got[i].ID] != nil {
				wrong = append(wrong, fmt.Errorf("S3: %s is shown %s twice", who, got[i].ID))
			}
			byID[got[i].ID] = &got[i]
		}
		for _, sub := range s.model.of(mine) {
			own := a.account == sub.subscriber && !a.produces || a.account == sub.owner && a.produces
			found := byID[sub.id]
			delete(byID, sub.id)
			if own && (len(sub.decided) == 0 || a.produces) {
				continue
			}
			if found == nil {
				wrong = append(wrong, fmt.Errorf("S3: %s is not shown %s, which is %s", who, sub.id, s.model.seen(sub)))
				continue
			}
			have, want := seenOf(found), s.model.seen(sub)
			if own {
				have, _, _ = strings.Cut(have, " leaving")
				want, _, _ = strings.Cut(want, " leaving")
			}
			if have != want {
				wrong = append(wrong, fmt.Errorf("S3: %s is shown %s as %q, want %q", who, sub.id, have, want))
			}
			if !own && found.Tampered != "" {
				wrong = append(wrong, fmt.Errorf("S4: %s is shown %s as tampered: %s", who, sub.id, found.Tampered))
			}
		}
		for id, more := range byID {
			if more.Subscriber == a.account && !a.produces && more.Status != lakemesh.Active || more.Owner == a.account && a.produces {
				continue
			}
			wrong = append(wrong, fmt.Errorf("S3: %s is shown %s, which there is not: %s", who, id, seenOf(more)))
		}
	}
	for _, owner := range []string{theOwner, otherOwner} {
		if a.produces && a.account == owner {
			continue
		}
		p, err := s.producer(owner)
		if err != nil {
			return err
		}
		wrong = append(wrong, s.run("list as owner "+owner, func() error {
			out, err := p.ListSubscriptions(s.ctx, producer.ListSubscriptionsInput{})
			if err != nil {
				return err
			}
			check("owner "+owner, func(sub *subscription) bool { return sub.owner == owner }, out.Subscriptions)
			_, err = p.ListPendingAccessRequests(s.ctx)
			return err
		}))
	}
	for _, account := range []string{theConsumer, otherConsumer} {
		if !a.produces && a.account == account {
			continue
		}
		c, err := s.consumer(account)
		if err != nil {
			return err
		}
		wrong = append(wrong, s.run("list as consumer "+account, func() error {
			out, err := c.ListProductAccess(s.ctx, consumer.ListInput{Statuses: consumer.AllStatuses()})
			if err != nil {
				return err
			}
			check("consumer "+account, func(sub *subscription) bool { return sub.subscriber == account }, out.Subscriptions)
			return nil
		}))
	}
	return errors.Join(wrong...)
}

// histories checks that the owner's decisions are told as they were made, and that the
// history of whoever was not tampered with holds. changed is the subscription whose
// consumer changed an entry of its history; empty is none.
func (s *stage) histories(a party, changed string) error {
	var wrong []error
	for _, sub := range s.model.of(func(*subscription) bool { return true }) {
		if a.produces && a.account == sub.owner {
			continue
		}
		own := !a.produces && a.account == sub.subscriber
		p, err := s.producer(sub.owner)
		if err != nil {
			return err
		}
		wrong = append(wrong, s.run("get "+sub.id, func() error {
			got, err := p.GetSubscription(s.ctx, sub.id)
			if err != nil {
				return err
			}
			var decided []lakemesh.Action
			for _, e := range got.History {
				if strings.Contains(e.By, ":"+sub.owner+":") || strings.Contains(e.By, ":"+sub.owner) {
					decided = append(decided, e.Action)
				}
			}
			// Whoever writes its own history can put another's name there.
			if !own && !slices.Equal(decided, sub.decided) {
				wrong = append(wrong, fmt.Errorf("S5: the history of %s tells %v, want %v", sub.id, decided, sub.decided))
			}
			for n, e := range sub.decided {
				if own && !slices.ContainsFunc(got.History, func(g lakemesh.Event) bool { return g.Action == e }) {
					wrong = append(wrong, fmt.Errorf("S5: the history of %s lacks decision %d, %s", sub.id, n, e))
				}
			}
			if got.HistoryFault != nil && !own {
				wrong = append(wrong, fmt.Errorf("S5: the history of %s: %v", sub.id, got.HistoryFault))
			}
			if got.HistoryFault == nil && changed == sub.id {
				wrong = append(wrong, fmt.Errorf("S5: nobody is told that an entry of the history of %s was changed", sub.id))
			}
			return nil
		}))
	}
	return errors.Join(wrong...)
}

// finale lists, decides, publishes, narrows, leaves and ends everything that the
// parties other than a have, and checks the state on the way.
func (s *stage) finale(a party, changed string, publish func(*stage) error) error {
	trusted := func(account string, produces bool) bool { return a.account != account || a.produces != produces }
	distrusted := ""
	if !a.produces {
		distrusted = a.account
	}
	var wrong []error
	note := func(err error) {
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	own := func(sub *subscription) bool { return !a.produces && a.account == sub.subscriber }
	// noteOf notes what a consumer's command on a subscription failed with. Its owner can
	// end it, spoil its own decision on it, and take back by other means what was granted:
	// then the consumer is told so.
	noteOf := func(sub *subscription, err error) {
		if !trusted(sub.owner, true) && err != nil {
			// It was taken back, or some columns of it were granted to the consumer's role
			// by hand, which Lake Formation lets nobody have beside the whole table.
			for _, part := range []string{"to become visible", "AccessDeniedException", "with SELECT on some of the columns"} {
				if strings.Contains(err.Error(), part) {
					return
				}
			}
			for _, told := range []error{lakemesh.ErrTampered, lakemesh.ErrIllegalTransition, lakemesh.ErrClaimed} {
				if errors.Is(err, told) {
					return
				}
			}
		}
		note(err)
	}
	in := func(status lakemesh.Status) []*subscription {
		return s.model.of(func(sub *subscription) bool { return sub.status == status })
	}
	note(s.state(a))
	note(s.lists(a))
	note(s.histories(a, changed))
	for _, account := range []string{theConsumer, otherConsumer} {
		if trusted(account, false) && s.model.tables[theProduct] != nil {
			err := s.request("finale "+account, account, theOwner, []string{"customers"}, "DESCRIBE")
			// What an owner shows to nobody cannot be asked for.
			if trusted(theOwner, true) || !errors.Is(err, lakemesh.ErrNotFound) {
				note(err)
			}
		}
	}
	if trusted(theOwner, true) {
		note(publish(s))
	}
	// A consumer takes back what an owner that is not trusted would have to decide, and
	// owners that are decide on the rest: the first is denied.
	for n, sub := range in(lakemesh.Pending) {
		switch {
		case !trusted(sub.owner, true):
			noteOf(sub, s.cancel(sub))
		case n == 0:
			note(s.deny(sub))
		default:
			err := s.approve(sub)
			if own(sub) && (errors.Is(err, lakemesh.ErrTampered) || errors.Is(err, lakemesh.ErrIllegalTransition)) {
				// A request that its consumer rewrote, or took back.
				if err = s.state(a); err == nil && errors.Is(err, lakemesh.ErrTampered) {
					err = s.deny(sub)
				}
			}
			note(err)
		}
	}
	note(s.state(a))
	imported := map[string]bool{}
	for _, sub := range in(lakemesh.Active) {
		if trusted(sub.subscriber, false) && !sub.leaving {
			noteOf(sub, s.use(sub))
			for _, table := range s.model.on(sub) {
				// Another subscription that was not imported may be what lets it be read.
				imported[sub.subscriber+" "+table] = imported[sub.subscriber+" "+table] || sub.permitted.Has(lakemesh.Select)
			}
		}
	}
	note(s.reads(a, imported))
	for n, sub := range in(lakemesh.Active) {
		if trusted(sub.owner, true) && n%2 == 0 && !sub.leaving {
			note(s.narrow(sub))
		}
	}
	note(s.state(a))
	left := map[string]bool{}
	for _, sub := range in(lakemesh.Active) {
		if trusted(sub.subscriber, false) && !sub.leaving && !left[sub.subscriber+sub.owner] {
			noteOf(sub, s.leave(sub))
			left[sub.subscriber+sub.owner] = true
		}
	}
	note(s.lists(a))
	for _, owner := range []string{theOwner, otherOwner} {
		if trusted(owner, true) {
			note(s.settle(owner, distrusted))
		}
	}
	note(s.state(a))
	for _, sub := range in(lakemesh.Active) {
		if trusted(sub.owner, true) {
			note(s.end(sub))
		}
	}
	note(s.state(a))
	note(s.lists(a))
	note(s.reads(a, nil))
	note(s.histories(a, changed))
	return errors.Join(wrong...)
}

// differs is what is not as it was at the end of a life without an adversary: what
// others than consumers hold on the products of those who are trusted, and commands
// that took much more.
func (s *stage) differs(undisturbed *stage) error {
	// A history is read up to its thousandth entry, ten a call, as soon as its end says
	// that there are so many; items can be full.
	const (
		factor    = 2
		moreCalls = 110
		moreBytes = 4 << 20
	)
	var wrong []error
	if diff := cmp.Diff(undisturbed.rest, s.rest); diff != "" {
		wrong = append(wrong, fmt.Errorf("S4: what others hold (-undisturbed +disturbed):\n%s", diff))
	}
	for _, name := range slices.Sorted(maps.Keys(s.costs)) {
		took, was := s.costs[name], undisturbed.costs[name]
		if took.calls > factor*was.calls+moreCalls*took.runs || took.bytes > factor*was.bytes+moreBytes*int64(took.runs) {
			wrong = append(wrong, fmt.Errorf("S6: %s took %d calls and %d bytes, and %d and %d undisturbed", name, took.calls, took.bytes, was.calls, was.bytes))
		}
	}
	return errors.Join(wrong...)
}

// records are all items of both tables.
type records map[place]map[string]dynamotypes.AttributeValue

// scan reads all items as the mesh's administrator.
func (s *stage) scan() (records, error) {
	client := dynamodb.NewFromConfig(s.Config(meshtest.Administrator(inMesh)))
	all := records{}
	for _, table := range bothTables() {
		pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: aws.String(table), ConsistentRead: aws.Bool(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(s.ctx)
			if err != nil {
				return nil, err
			}
			for _, i := range page.Items {
				if key, ok := i[keyName(table)].(*dynamotypes.AttributeValueMemberS); ok {
					all[place{table, key.Value}] = i
				}
			}
		}
	}
	return all, nil
}
