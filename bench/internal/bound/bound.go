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
	queryPage      = 1 << 20
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
		Term{"links", tables},
		// Domain and product name are assigned in one call.
		Term{"assignments of LF-tags", tables},
		// A table has an entry for SELECT and one for the other permissions of the
		// producer's account, and one for the read-only role; the database has one
		// for each of the two.
		Term{"batches of grants", pages(3*tables+2, grantBatch)},
		// Publishing opens no bucket: there is no term for bucket policies.
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

// Again is what publishing the same takes when nothing has changed: reading. The
// partitions of the copy have to be read like those of the source, since no call
// tells that they are the same; and of each table it has to be seen that the copy,
// the link, the grants and the LF-tags are as they should be.
func Again(tables, partitions int) Bound {
	return append(publishReads(tables, partitions),
		Term{"pages of tables of the copy", pages(tables, tablePage)},
		Term{"pages of partitions of the copy", tables * pages(partitions, partitionPage)},
		Term{"pages of links", pages(tables, tablePage)},
		Term{"pages of grants", pages(publishedRows*tables, grantPage)},
		Term{"pages of tables by LF-tag", pages(tables, tablePage)},
		Term{"sessions, databases, tags, locations, shares", once})
}

const (
	// publishedRows is how many rows Lake Formation lists for a published table: those
	// of its creator, of the producer's account (SELECT is a row of its own) and of
	// the read-only role.
	publishedRows = 5
	// subscribedRows is by how many a subscription makes them more.
	subscribedRows = 2
	// recordCalls are those on the record of a subscription: it is read, the owner's
	// lease is taken, it is read again under the lease, the ledger and the index tell
	// what other subscriptions justify, it is claimed, recorded, and the lease is
	// given back.
	recordCalls = 8
	// changeBucket are reading a bucket's policy, writing it, and reading it back,
	// for S3 has no condition for writing one
	// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html);
	// readBucket is reading it.
	changeBucket, readBucket = 3, 1
	// shareCalls tell which tables the shares fail to carry, which they do not carry
	// yet, whether the consumer is associated with them, and the shares' own names: that
	// of the database and that of the tables.
	shareCalls = 5
)

// Decision is what a decision on a subscription works on.
type Decision struct {
	// Tables of the subscription, and of its database.
	Tables, InDatabase int
	// Entries are the entries of Lake Formation that are granted or revoked.
	Entries int
	// Rows are the rows that Lake Formation lists for a table before the decision.
	Rows int
	// Shares tells that shares have to be looked at.
	Shares bool
	// Buckets hold the tables' data; EachBucket are the calls on a bucket's policy.
	Buckets, EachBucket int
	// Others tells that what others may read has to be known: it stays open.
	Others bool
}

// Approve is an approval of SELECT and DESCRIBE on tables.
func Approve(tables, inDatabase, buckets int) Bound {
	// SELECT is an entry of its own; DESCRIBE on the database is one more.
	return Decision{Tables: tables, InDatabase: inDatabase, Entries: 2*tables + 1, Rows: publishedRows, Shares: true, Buckets: buckets, EachBucket: changeBucket}.bound()
}

// Update is an update that adds INSERT to SELECT and DESCRIBE. The buckets are
// open already, which reading their policies tells.
func Update(tables, inDatabase, buckets int) Bound {
	return Decision{Tables: tables, InDatabase: inDatabase, Entries: tables, Rows: publishedRows + subscribedRows, Shares: true, Buckets: buckets, EachBucket: readBucket}.bound()
}

// Delete is a deletion of a subscription to SELECT, DESCRIBE and INSERT.
func Delete(tables, inDatabase, buckets int) Bound {
	return Decision{Tables: tables, InDatabase: inDatabase, Entries: 2*tables + 1, Rows: publishedRows + subscribedRows, Buckets: buckets, EachBucket: changeBucket, Others: true}.bound()
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
	if d.Others {
		// Other active subscriptions, and what they are on: a place that another table
		// shares must stay open.
		b = append(b, Term{"what others may read", 1 + pages(d.InDatabase, tablePage)})
	}
	return b
}

// ListPending is a listing of records of so many bytes: full pages of an index.
func ListPending(bytes int) Bound {
	return Bound{{"pages of the owner's index", pages(bytes, queryPage)}}
}

// Open is what opening a persona through so many hops takes.
func Open(hops int) Bound {
	return Bound{{"who is calling", 1}, {"hops", hops}}
}
