// Package bound tells how many calls an operation needs: fewer cannot do, as far
// as the APIs of AWS go. The benchmark holds the calls that were counted against
// it.
//
// The sizes of pages and batches are AWS's largest:
// https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html (100),
// https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html (1,000),
// https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html (100),
// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_BatchGrantPermissions.html (20),
// https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html (1,000),
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html (1 MB).
package bound

const (
	tablePage      = 100
	partitionPage  = 1000
	partitionBatch = 100
	grantBatch     = 20
	grantPage      = 1000
	locationPage   = 1000
	itemPage       = 100
)

// Term is a part of a bound.
type Term struct {
	// What is needed, and how many calls of it.
	What  string `json:"what"`
	Calls int    `json:"calls"`
}

// Bound is how many calls an operation needs.
type Bound []Term

// Calls is the sum.
func (b Bound) Calls() int {
	n := 0
	for _, t := range b {
		n += t.Calls
	}
	return n
}

func pages(n, size int) int { return (n + size - 1) / size }

// once are the calls that a publishing makes however many tables it has: sessions,
// databases, the values of LF-tags, locations, the shares and their invitations.
const once = 25

// Publish is what publishing tables with that many partitions each takes, for a
// domain and a product name, from one bucket, with public metadata.
func Publish(tables, partitions int) Bound {
	return append(publishReads(tables, partitions),
		Term{"tables in the mesh", tables},
		// An empty table needs no batch.
		Term{"batches of partitions", tables * pages(partitions, partitionBatch)},
		// Which partitions were copied is noted at each copy when they were, so that
		// publishing again need not read those of the copy.
		Term{"notes of the partitions", tables * min(partitions, 1)},
		Term{"links", tables},
		// Domain and product name are assigned in one call.
		Term{"assignments of LF-tags", tables},
		// A table has an entry for SELECT and one for the other permissions of the
		// producer's account, and one for the read-only role; the database has one
		// for each of the two.
		Term{"batches of grants", pages(3*tables+2, grantBatch)},
		// The owner's keys are read beside the shared ones, and given their values.
		Term{"the owner's LF-tags", 4},
		// Publishing opens no bucket. It looks whether the bucket is there.
		Term{"the bucket", 1},
		Term{"sessions, databases, tags, locations, shares", once})
}

// publishReads are the reads of the source. The catalog of the source has no
// LF-tags, which one call tells, so that no table is asked for its own; and a table
// without partition keys has no partitions to be read.
func publishReads(tables, partitions int) Bound {
	return Bound{
		{"pages of tables", pages(tables, tablePage)},
		{"pages of partitions", tables * pages(partitions, partitionPage)},
	}
}

// Again is what publishing the same takes when nothing has changed: reading. No call tells
// that the partitions of the source are what they were, so they have to be read; those of
// the copy need not be, since what was copied is noted there. And of each table it has to be seen that the copy,
// the link, the grants and the LF-tags are as they should be.
func Again(tables, partitions int) Bound {
	return append(publishReads(tables, partitions),
		Term{"pages of tables of the copy", pages(tables, tablePage)},
		Term{"pages of links", pages(tables, tablePage)},
		Term{"pages of grants", pages(publishedRows*tables, grantPage)},
		Term{"pages of tables by LF-tag", pages(tables, tablePage)},
		Term{"the bucket", 1},
		Term{"sessions, databases, tags, locations, shares", once})
}

const (
	// publishedRows is how many rows Lake Formation lists for a published table: those
	// of its creator, of the producer's account (SELECT is a row of its own) and of
	// the read-only role.
	publishedRows = 5
	// subscribedRows is by how many a subscription makes them more.
	subscribedRows = 2
	// databaseRows are the rows of the database that was published.
	databaseRows = 4
	// verifiedOnce are the names of the mesh's databases, the one of them, and one look for
	// LF-tags at the source.
	verifiedOnce = 3
	// recordCalls are those on the record of a subscription: the consumer's request is
	// read, and what the owner has decided, with the pair's ledger and the owner's lease,
	// in one call; the lease is taken; it is claimed, recorded, and mirrored, and the
	// lease is given back.
	recordCalls = 2 + 5
	// changeBucket are reading a bucket's policy, writing it, and reading it back,
	// for S3 has no condition for writing one
	// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html);
	// readBucket is reading it.
	changeBucket, readBucket = 3, 1
	// shareCalls tell which tables the shares fail to carry, which they do not carry
	// yet, and whether the consumer is associated with them.
	shareCalls = 3
)

// Decision is what a decision on a subscription works on. Its tables have no partitions:
// of each that has, a page more is read, for partitions can lie elsewhere.
type Decision struct {
	// Tables of the subscription, and of its database.
	Tables, InDatabase int
	// Entries are the entries of Lake Formation that are granted or revoked.
	Entries int
	// Rows are the rows that Lake Formation lists for a table before the decision.
	Rows int
	// Shares tells that shares have to be looked at, NewShares that it has to be found out
	// first which they are: what was granted tells that, once it is listed again.
	Shares, NewShares bool
	// First tells that it is the first decision on a request, which is looked at once more
	// when it was claimed: its consumer may have taken it back.
	First bool
	// Buckets hold the tables' data; EachBucket are the calls on a bucket's policy.
	Buckets, EachBucket int
	// Opens tells that places are open afterwards: a key of KMS could keep them closed, which
	// each bucket is asked for. Where nothing is open afterwards, Empties, its key may still
	// let the role in.
	Opens, Empties bool
	// Others tells that what others may read has to be known: it stays open.
	Others bool
}

// Approve is an approval of SELECT and DESCRIBE on tables.
func Approve(tables, inDatabase, buckets int) Bound {
	// SELECT is an entry of its own; DESCRIBE on the database is one more.
	return Decision{Tables: tables, InDatabase: inDatabase, Entries: 2*tables + 1, Rows: publishedRows, Shares: true, NewShares: true, First: true, Buckets: buckets, EachBucket: changeBucket, Opens: true}.bound()
}

// Update is an update that adds INSERT to SELECT and DESCRIBE. The buckets are
// open already, which reading their policies tells.
func Update(tables, inDatabase, buckets int) Bound {
	return Decision{Tables: tables, InDatabase: inDatabase, Entries: tables, Rows: publishedRows + subscribedRows, Shares: true, Buckets: buckets, EachBucket: readBucket, Opens: true}.bound()
}

// Delete is a deletion of a subscription to SELECT, DESCRIBE and INSERT.
func Delete(tables, inDatabase, buckets int) Bound {
	return Decision{Tables: tables, InDatabase: inDatabase, Entries: 2*tables + 1, Rows: publishedRows + subscribedRows, Buckets: buckets, EachBucket: changeBucket, Empties: true, Others: true}.bound()
}

func (d Decision) bound() Bound {
	b := Bound{
		{"the record, its claim, the lease", recordCalls},
		// The tables are read one by one if they are few, and listed if they are many.
		{"tables", min(d.Tables, pages(d.InDatabase, tablePage))},
		// The grants, too; those on the database and on all of its tables are listed
		// apart.
		{"grants on the tables", min(d.Tables, pages(d.Rows*d.InDatabase, grantPage))},
		{"grants on the database and on all of its tables", 2},
		{"batches of grants", pages(d.Entries, grantBatch)},
		{"registered locations", pages(d.Buckets, locationPage)},
		{"bucket policies", d.Buckets * d.EachBucket},
	}
	if d.Shares {
		b = append(b, Term{"shares", shareCalls})
	}
	if d.NewShares {
		b = append(b, Term{"grants on the tables, with their shares", min(d.Tables, pages((d.Rows+subscribedRows)*d.InDatabase, grantPage))},
			Term{"grants on the database and on all of its tables, with their shares", 2})
	}
	if d.Opens || d.Empties {
		b = append(b, Term{"how buckets encrypt", d.Buckets})
	}
	if d.First {
		b = append(b, Term{"the request once more", 1})
	}
	if d.Others {
		// Other active subscriptions, and what they are on: a place that another table
		// shares must stay open.
		b = append(b, Term{"what others may read", 1 + pages(d.InDatabase, tablePage)})
	}
	return b
}

// ListPending is a listing of so many requests of so many consumers: who is enabled, the
// owner's directory, its ledgers and inboxes, and both sides of what is found, a hundred
// items a call.
func ListPending(requests, consumers int) Bound {
	return Bound{{"members and the directory", 2}, {"inboxes", pages(consumers, itemPage)}, {"ledgers", pages(consumers, itemPage)},
		{"requests and decisions", 2 * pages(requests, itemPage)}}
}

// Verified is what an owner verifies: one product, whose tables are in so many buckets, and
// subscriptions to it, each to so many tables that no other of the same consumer is to.
type Verified struct {
	Tables, Partitions, Buckets int
	Subscriptions, Consumers    int
	Each                        int
}

// Verify is what verifying all of it takes.
func Verify(v Verified) Bound {
	rows := publishedRows*v.Tables + subscribedRows*v.Each*v.Subscriptions + v.Consumers + databaseRows
	return Bound{
		{"members, the directory", 1},
		{"ledgers", pages(v.Consumers, itemPage)},
		{"requests and decisions", 2 * pages(v.Subscriptions, itemPage)},
		{"pages of tables of the source, the copy and the links", 3 * pages(v.Tables, tablePage)},
		// What is partitioned and read is compared partition by partition, on both sides.
		{"pages of partitions", 2 * v.Tables * pages(v.Partitions, partitionPage)},
		{"pages of grants", pages(rows, grantPage)},
		// Who is in the shares, and what they carry.
		{"shares", 2 * v.Consumers},
		{"registered locations", 1},
		{"bucket policies, and how buckets encrypt", 2 * v.Buckets},
		{"databases, and whether the source has LF-tags", verifiedOnce},
	}
}

// Open is what opening a persona through so many hops takes.
func Open(hops int) Bound {
	return Bound{{"who is calling", 1}, {"hops", hops}}
}
