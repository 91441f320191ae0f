package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/sync/errgroup"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/access"
	"github.com/lakemesh/lakemesh/internal/awserr"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/chain"
	"github.com/lakemesh/lakemesh/internal/explaining"
	"github.com/lakemesh/lakemesh/internal/parts"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/rowfilter"
	"github.com/lakemesh/lakemesh/internal/storage"
	"github.com/lakemesh/lakemesh/internal/tracker"
)

// explained is what is read for an explanation.
type explained struct {
	*Producer
	explaining.Asked
	// records are the subscriptions of the principal's account in the database, whatever has
	// become of them, and all for organizations and units; onTable are all active ones on the table.
	records, onTable []*tracker.Record
	// table is the copy in the mesh, nil if it is not there, and database its database.
	table    *types.Table
	database *types.Database
	// partitionKey tells that the column asked for is a partition key.
	partitionKey bool
	// rows are what is granted on the table.
	rows []permissions.Holding
	// locations are what is registered; hybrid tells that the table's is in hybrid access mode.
	locations []permissions.RegisteredLocation
	hybrid    bool
	// optedIn is who is opted in to the table, its database and all tables of that; nil if it
	// is not known.
	optedIn map[permissions.OptIn]bool
	// outside are the partitions that lie outside of the table's location, some of them all
	// that were looked at.
	outside []string
	some    bool

	// received is what this account sees of its own, if the principal is one of its.
	received *explaining.Received
	// party is who asks: the owner, or the mesh's administrator, who sees nothing of the
	// owner's account.
	party chain.Party

	// compared is the comparison of the copy with its source.
	compared *inspected
	notes    []string
}

// observeGroups looks which of the subscriptions to groups have the table in them.
func (x *explained) observeGroups(ctx context.Context, grouped []*tracker.Record) error {
	if len(grouped) == 0 || x.table == nil {
		return nil
	}
	on := access.OnTable(x.meshAccount, x.Database, x.Table)
	tags, err := x.mesh.lake.TagsOf(ctx, []access.Object{on})
	if err != nil {
		return err
	}
	x.Tags = tags[on]
	for _, r := range grouped {
		if r.Subscriber == x.Home {
			// Also one that the table is not in: that is said.
			x.records = append(x.records, r)
		}
		if r.Status == lakemesh.Active && chain.TagsOf(r).Match(x.Tags) {
			x.onTable = append(x.onTable, r)
		}
	}
	return nil
}

// observe reads what there is of the table.
func (x *explained) observe(ctx context.Context) error {
	x.compared = &inspected{Producer: x.Producer}
	var grouped []*tracker.Record
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		return x.Producer.records.Owned(within, x.account, "", func(r *tracker.Record) bool {
			if !r.Group.IsZero() {
				grouped = append(grouped, r)
			} else if strings.EqualFold(r.Database, x.Database) {
				named := slices.ContainsFunc(r.Tables, func(t string) bool { return strings.EqualFold(t, x.Table) })
				if r.Status == lakemesh.Active && (r.Words.Whole || named) {
					x.onTable = append(x.onTable, r)
				}
				if r.Subscriber == x.Home || forUnits(r) {
					x.records = append(x.records, r)
				}
			}
			return true
		})
	})
	group.Go(func() error {
		d, ok, err := x.mesh.catalog.Database(within, x.Database)
		if ok {
			x.database = d
		}
		return err
	})
	group.Go(func() error {
		t, ok, err := x.mesh.catalog.Table(within, x.Database, x.Table)
		if awserr.Denied(err) {
			// Of what it was not granted Lake Formation tells nobody whether it is there.
			return nil
		}
		if ok {
			x.table = t
		}
		return err
	})
	group.Go(func() (err error) {
		principals := []string{x.Home, x.Everybody(), permissions.AllowedByIAM}
		if !x.Whole && x.Principal != x.Everybody() {
			principals = append(principals, x.Principal)
		}
		x.rows, err = x.mesh.lake.HeldOn(within, permissions.Table(x.meshAccount, x.Database, x.Table), principals...)
		return err
	})
	group.Go(func() (err error) {
		x.locations, err = x.mesh.lake.Locations(within)
		return err
	})
	if x.party == chain.Owner && x.Home == x.account && !x.Whole {
		group.Go(func() (err error) {
			x.received, err = x.receiver(nil).Look(within, x.Asked)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := x.observeGroups(ctx, grouped); err != nil {
		return err
	}
	if err := x.observeUnits(ctx); err != nil {
		return err
	}
	if err := x.known(ctx); err != nil {
		return err
	}
	if x.table != nil {
		of := parts.Of(x.Database, x.table)
		x.Schema = rowfilter.Table{Columns: of.Columns, PartitionKeys: of.Keys}
	}
	if err := x.LookAt(ctx, x.mesh.lake, x.rows, x.records); err != nil {
		return err
	}
	if x.received != nil {
		if err := x.LookAt(ctx, x.own.lake, x.received.Rows, x.records); err != nil {
			return err
		}
	}
	if place, ok := x.place(); ok {
		if l, ok := permissions.Nearest(x.locations, storage.Place{Bucket: place.Bucket, Prefix: place.Prefix}.ARN(x.partition)); ok {
			x.hybrid = l.Hybrid
		}
	}
	if err := x.observeOptIns(ctx); err != nil {
		return err
	}
	return x.observeCopy(ctx)
}

// forUnits reports whether a subscription is, may have been or shall be for organizations or
// units.
func forUnits(r *tracker.Record) bool {
	return len(r.Scope.Organizations())+len(r.RequestedScope.Organizations()) > 0 ||
		slices.ContainsFunc(r.MayHold(), func(g tracker.Given) bool { return len(g.Scope.Organizations()) > 0 })
}

// observeUnits asks for what organizations and units hold of which no listing showed anything.
func (x *explained) observeUnits(ctx context.Context) error {
	var hidden []string
	for _, u := range x.Units(nil, x.records) {
		if !slices.ContainsFunc(x.rows, func(h permissions.Holding) bool { return h.Principal == u }) {
			hidden = append(hidden, u)
		}
	}
	if len(hidden) == 0 {
		return nil
	}
	rows, err := x.mesh.lake.HeldOn(ctx, permissions.Table(x.meshAccount, x.Database, x.Table), hidden...)
	x.rows = append(x.rows, slices.DeleteFunc(rows, func(h permissions.Holding) bool { return !slices.Contains(hidden, h.Principal) })...)
	return err
}

// known refuses a table that there is not, or that is another producer's, and a column
// that the table does not have.
func (x *explained) known(ctx context.Context) error {
	switch {
	case x.table == nil:
		if was, err := x.was(ctx); was || err != nil {
			return err
		}
		if x.database == nil {
			return notOffered("database "+x.Database, x.meshAccount)
		}
		return notOffered("table "+x.Name(), x.meshAccount)
	case !x.isOwn(x.database, x.table) && len(x.onTable) == 0:
		return &lakemesh.Error{Kind: lakemesh.ErrWrongAccount, Account: x.meshAccount, Resource: "table " + x.Name(),
			Message: "this account has not published it", Hint: "ask its owner, whose account the name of the database ends in"}
	}
	if x.Column == "" {
		return nil
	}
	is := func(c types.Column) bool { return strings.EqualFold(aws.ToString(c.Name), x.Column) }
	x.partitionKey = slices.ContainsFunc(x.table.PartitionKeys, is)
	if !x.partitionKey && !slices.ContainsFunc(parts.Of(x.Database, x.table).Columns, func(c rowfilter.Column) bool { return strings.EqualFold(c.Name, x.Column) }) {
		return explaining.NoColumn(x.Asked)
	}
	return nil
}

// notOffered is the error of what the mesh does not have.
func notOffered(resource, mesh string) error {
	return &lakemesh.Error{Kind: lakemesh.ErrNotFound, Resource: resource, Account: mesh, Message: "not found", Hint: "the name is that in the mesh; see what there is",
		Do: []lakemesh.Call{lakemesh.Do("consumer.ListProducts")}}
}

// was reports whether there was a table of that name: a subscription names it, or a link of
// this account's to it was left.
func (x *explained) was(ctx context.Context) (found bool, _ error) {
	for _, r := range slices.Concat(x.records, x.onTable) {
		if slices.ContainsFunc(r.Tables, func(t string) bool { return strings.EqualFold(t, x.Table) }) {
			return true, nil
		}
	}
	if x.party != chain.Owner {
		return false, nil
	}
	err := x.own.catalog.EachTable(ctx, x.Database, func(_ string, t *types.Table) {
		found = found || t.TargetTable != nil && strings.EqualFold(aws.ToString(t.TargetTable.DatabaseName), x.Database) && strings.EqualFold(aws.ToString(t.TargetTable.Name), x.Table)
	})
	return found, err
}

// observeCopy looks for partitions that lie elsewhere, and compares the copy with its
// source.
func (x *explained) observeCopy(ctx context.Context) error {
	if x.table == nil {
		return nil
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		at, ok := x.place()
		if x.party != chain.Owner || len(x.table.PartitionKeys) == 0 || !ok || !x.ReadsData() {
			return nil
		}
		all, err := x.mesh.catalog.EachPartition(within, catalog.TableName{Database: x.Database, Table: x.Table}, mostPartitionPages, func(p *types.Partition) {
			if p.StorageDescriptor == nil {
				return
			}
			place, ok := storage.ParsePlace(aws.ToString(p.StorageDescriptor.Location))
			if !ok || !at.Covers(access.Place(place)) {
				x.outside = append(x.outside, strings.Join(p.Values, "/"))
			}
		})
		x.some = !all
		return err
	})
	group.Go(func() (err error) {
		if x.party != chain.Owner || x.database == nil || !x.isOwn(x.database, x.table) {
			return nil
		}
		source := x.sourceOf(x.database, x.table)
		if source == "" {
			x.notes = append(x.notes, "the table was not compared with its source, which cannot be told: publish it again")
			return nil
		}
		x.compared.copies, err = x.compared.compareWithSource(within, x.Database, map[string]map[string]*types.Table{source: {x.Table: x.table}})
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	x.compared.compareCopies()
	x.notes = append(x.notes, x.compared.unverified...)
	return nil
}

// data are the links between the table and its data, which are the same on all ways.
func (x *explained) data(ctx context.Context) ([]chain.Step, error) {
	steps := []chain.Step{x.metadata()}
	if x.table == nil || !x.ReadsData() {
		return steps, nil
	}
	if place, ok := x.place(); ok {
		where, err := x.opening(ctx, place)
		if err != nil {
			return nil, err
		}
		steps = append(steps, where...)
	}
	if len(x.table.PartitionKeys) > 0 {
		steps = append(steps, x.partitions())
	}
	return steps, nil
}

// metadata is the link of the copy in the mesh's catalog.
func (x *explained) metadata() chain.Step {
	s := chain.Step{Link: chain.Metadata, State: chain.Holds, Account: x.meshAccount, Resource: "table " + x.Name(), What: "the table is in the mesh's catalog"}
	switch {
	case x.table == nil:
		s.State, s.What = chain.Broken, "the mesh's catalog does not have the table"
		return s.MendedBy(chain.Owner, x.publishes())
	case x.table.StorageDescriptor != nil && x.table.StorageDescriptor.SchemaReference != nil && x.ReadsData():
		// https://docs.aws.amazon.com/lake-formation/latest/dg/limitations.html
		s.State, s.What, s.Mends = chain.Broken, "the table's schema is in a schema registry, which Lake Formation does not support", chain.Owner
		return s
	}
	if _, ok := x.place(); !ok && x.ReadsData() {
		s.State, s.What, s.Mends = chain.NotSeen, "the table has no location in S3, so that it cannot be told what is read", chain.Owner
		return s
	}
	x.compare(&s)
	return s
}

// compare adds to a link that holds what differs from the source.
func (x *explained) compare(s *chain.Step) {
	for _, f := range x.compared.findings {
		if f.Link == s.Link {
			s.State, s.What = chain.Differs, s.What+"; "+f.What
			do := x.publishes()
			switch f.Mends.By {
			case chain.BySyncing:
				syncs := lakemesh.Do("producer.SyncProducts", "DatabaseName", x.Database, "TableNameRegex", x.Table)
				do = &syncs
			case "":
				do = nil
			}
			*s = s.MendedBy(chain.Owner, do)
			return
		}
	}
	if s.State == chain.Holds && len(x.compared.copies) > 0 {
		s.What += ", as in its source"
	}
}

// partitions is the link of the partitions. Lake Formation's credentials end at the
// table's location (docs/aws-rules.md, 3.12).
func (x *explained) partitions() chain.Step {
	s := chain.Step{Link: chain.Partitions, State: chain.Holds, Account: x.meshAccount, Resource: "table " + x.Name(), What: "its partitions lie in its location"}
	if x.party != chain.Owner {
		s.State, s.What = chain.NotSeen, "the owner sees its partitions"
		return s.SeenBy(chain.Owner, x.AsksOwner())
	}
	if x.some {
		s.What = "those of its partitions that were looked at lie in its location"
	}
	x.compare(&s)
	if n := len(x.outside); n > 0 {
		slices.Sort(x.outside)
		s.State = chain.Partly
		s = s.MendedBy(chain.Owner, nil)
		s.What = fmt.Sprintf("%d %s outside of the table's location, where Lake Formation's credentials end, such as %s", n, map[bool]string{true: "partition lies", false: "partitions lie"}[n == 1], x.outside[0])
	}
	return s
}

// opening are the links between a place and the role that reads there: location, bucket
// policy and key.
func (x *explained) opening(ctx context.Context, place access.Place) ([]chain.Step, error) {
	location := chain.Step{Link: chain.Location, State: chain.Holds, Account: x.meshAccount, Resource: place.String()}
	policy := chain.Step{Link: chain.BucketPolicy, State: chain.NotSeen, Account: x.account, Resource: "bucket " + place.Bucket, What: "no role reads there that it could let in"}
	l, ok := access.Nearest(x.registered(&found{locations: x.locations}), place)
	if !ok {
		location.State, location.What = chain.Broken, "it is not registered with Lake Formation"
		location = location.MendedBy(chain.Owner, x.publishes())
		return []chain.Step{location, policy}, nil
	}
	location.What = "it is registered with " + l.Role
	own := l.Role == x.dataAccessRole()
	if !own {
		location.State = chain.Differs
		if x.readsForAnother(l.Role) {
			location.What += ", which reads for another producer"
		}
	}
	if x.party != chain.Owner {
		policy.What = "the owner sees the policies of its buckets"
		key := chain.Step{Link: chain.KeyPolicy, State: chain.NotSeen, Account: x.account, Resource: "bucket " + place.Bucket, What: "the owner sees how its buckets encrypt"}
		err := x.role(ctx, &location, l.Role, place)
		return []chain.Step{location, policy.SeenBy(chain.Owner, x.AsksOwner()), key.SeenBy(chain.Owner, x.AsksOwner())}, err
	}
	lets, err := x.ownBuckets().Lets(ctx, place.Bucket, l.Role, place.Prefix)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		policy.What = fmt.Sprintf("the policy of bucket %s cannot be read: %v", place.Bucket, err)
		return []chain.Step{location, policy}, nil
	}
	x.bucket(&policy, place, l.Role, lets)
	if policy.State == chain.Broken && !own {
		location.State, location.Mends, location.Do = chain.Broken, policy.Mends, policy.Do
		location.What += fmt.Sprintf(", to which bucket %s is not open", place.Bucket)
		if x.readsForAnother(l.Role) {
			location.Mends, location.Do, location.Command = chain.Administrator, nil, "aws lakeformation deregister-resource --resource-arn "+storage.Place{Bucket: l.Place.Bucket, Prefix: l.Place.Prefix}.ARN(x.partition)
		}
	}
	if err := x.role(ctx, &location, l.Role, place); err != nil {
		return nil, err
	}
	key, err := x.key(ctx, place.Bucket, l.Role)
	return []chain.Step{location, policy, key}, err
}

// bucket is the link of the bucket's policy.
func (x *explained) bucket(s *chain.Step, place access.Place, role string, lets storage.Letting) {
	certain := slices.IndexFunc(lets.Denied, func(d storage.Denied) bool { return d.Certain })
	switch {
	case certain >= 0:
		s.State, s.What, s.Mends = chain.Broken, lets.Denied[certain].Text, chain.Owner
	case !lets.Open && !lets.Perhaps:
		s.State, s.Mends, s.Do = chain.Broken, chain.Owner, x.opens()
		s.What = fmt.Sprintf("the bucket's policy does not open %s to %s", place, role)
	case len(lets.Denied) > 0:
		s.What, s.Mends = lets.Denied[0].Text, chain.Owner
	case lets.Perhaps:
		s.What = fmt.Sprintf("the bucket's policy opens %s to %s under conditions that go by the reader's call (%s)", place, role, lets.By)
	case x.Permission != lakemesh.Select:
		s.What = fmt.Sprintf("%s is open to %s for reading; whether it may write there was not looked at", place, role)
	default:
		s.State, s.What = chain.Holds, fmt.Sprintf("%s is open to %s (%s)", place, role, lets.By)
	}
}

// role looks at the role's own policies, where the producer may: those of its own data
// access role.
func (x *explained) role(ctx context.Context, s *chain.Step, role string, place access.Place) error {
	if s.State == chain.Broken {
		return nil
	}
	if role != x.dataAccessRole() && (x.party != chain.Administrator || !strings.HasPrefix(role, x.partition.ARN("iam", "", x.meshAccount, "role/"))) {
		s.State, s.What = chain.NotSeen, s.What+"; what its own policies let it read cannot be seen from here"
		return nil
	}
	object := storage.Place{Bucket: place.Bucket, Prefix: place.Prefix}.ARN(x.partition) + "/*"
	out, err := iam.NewFromConfig(x.ids.Mesh.Config).SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(role),
		ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{strings.ReplaceAll(object, "//*", "/*")},
		ContextEntries: []iamtypes.ContextEntry{{ContextKeyName: aws.String("aws:ResourceAccount"), ContextKeyType: iamtypes.ContextKeyTypeEnumString, ContextKeyValues: []string{x.account}}}})
	administrator := func(what string) {
		if role != x.dataAccessRole() {
			// It is somebody's own, and whoever made it sees to it.
			s.What, s.Mends, s.Do = s.What+"; "+what, chain.Administrator, nil
			return
		}
		enables := lakemesh.Do("admin.EnableAccountAsProducer", "AccountID", x.account)
		s.What += "; " + what
		*s = s.MendedBy(chain.Administrator, &enables)
	}
	switch {
	case awserr.Is(err, "NoSuchEntity"):
		s.State = chain.Broken
		administrator("the role does not exist")
		return nil
	case awserr.Denied(err):
		return nil
	case err != nil:
		return fmt.Errorf("look what %s may read: %w", role, err)
	}
	for _, r := range out.EvaluationResults {
		if r.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed {
			s.State = chain.NotSeen
			administrator("its own policies do not seem to let it read there")
		}
	}
	return nil
}

// key is the link of the key that the bucket encrypts with.
func (x *explained) key(ctx context.Context, bucket, role string) (chain.Step, error) {
	s := chain.Step{Link: chain.KeyPolicy, State: chain.NotSeen, Account: x.account, Resource: "bucket " + bucket}
	look, err := x.ownBuckets().Look(ctx, bucket)
	switch {
	case err != nil && ctx.Err() != nil:
		return s, err
	case err != nil:
		s.What = fmt.Sprintf("how bucket %s encrypts cannot be looked at: %v", bucket, err)
		return s, nil
	case look.Standing != storage.Own || look.Unseen:
		s.What = "how bucket " + bucket + " encrypts cannot be seen"
		return s, nil
	case !look.KMS:
		s.State, s.What = chain.Holds, "the bucket encrypts with keys of S3's own"
		return s, nil
	}
	k, err := x.Producer.key(ctx, bucket, look)
	if err != nil {
		return s, err
	}
	troubles, err := x.troubles(ctx, k, role)
	switch {
	case err != nil && !errors.Is(err, lakemesh.ErrAccessDenied):
		return s, err
	case err != nil:
		s.What = fmt.Sprintf("whether %s may use the key of bucket %s is not known: %v", role, bucket, err)
		return s, nil
	}
	if i := slices.IndexFunc(troubles, func(t trouble) bool { return t.certain }); i >= 0 {
		t := troubles[i]
		s.State, s.What = chain.Broken, t.text
		if t.lacks && t.kept {
			t.do = x.opens()
		}
		return s.MendedBy(t.mends, t.do), nil
	}
	switch {
	case len(troubles) > 0:
		s.What = troubles[0].text
	case role != x.dataAccessRole():
		s.What = fmt.Sprintf("the bucket encrypts with key %s, whose policy lets %s decrypt; whether its own policies let it cannot be seen from here", k.arn, role)
	default:
		s.State, s.What = chain.Holds, fmt.Sprintf("the bucket encrypts with key %s, with which %s may decrypt; the key's policy lets it", k.arn, role)
	}
	return s, nil
}
