package producer

import (
	"cmp"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/catalog"
	"github.com/lakemesh/lakemesh/internal/expression"
	"github.com/lakemesh/lakemesh/internal/permissions"
	"github.com/lakemesh/lakemesh/internal/places"
	"github.com/lakemesh/lakemesh/internal/schedule"
	"github.com/lakemesh/lakemesh/internal/storage"
)

// A publication is three values, of which each is made from the one before and does not
// change it: what is wanted, what was found, and what is being done about it.
//
// All tables are surveyed and checked before anything is written. Then they are
// published a portion at a time, so that of a database with very many tables no more
// is held than what the survey found of each.

// wantedPublication is what is to be published, as it was asked for.
type wantedPublication struct {
	*Producer
	op string
	// source is the producer's database, target the one in the mesh, local the
	// one in the producer's account that has the links. All are folded.
	source, target, local string
	tableNames            expression.Expression
	suffix                string
	// deep compares the partitions of copies although what was noted at them says that
	// they are those that were published; overwrite takes back what others changed there.
	deep, overwrite bool
	// migrate is set if the links replace the originals.
	migrate bool
	// sync changes what is published and publishes nothing else; copies are the tables in
	// the mesh, by name.
	sync   bool
	copies map[string]*types.Table
	// loseGrants migrates what somebody loses permissions by.
	loseGrants bool
	// whole makes one portion of all tables: for a plan that is to be shown, and for a
	// migration.
	whole bool
	// public lets every consumer see the tables' metadata, or not; nil leaves it as their owner
	// said before.
	public *bool
	// hybrid puts the tables into hybrid access mode, or takes them out of it; nil leaves them
	// as their owner said before.
	hybrid *bool
	// tags are the LF-tags that every table gets, folded: those of the owner's keys,
	// and the same under the shared keys.
	tags map[string]string
	// crawler is the crawler that is wanted, or nil.
	crawler *catalog.Crawler
}

// surveyed is a publication with what was found of it.
type surveyed struct {
	*wantedPublication

	// unfit is the first table that cannot be published, of those that are to be.
	unfit error
	// literal tells that the wanted expression is the name of a table, and means that table
	// alone.
	literal bool
	// The databases that were found; nil if one is not there.
	sourceDatabase *types.Database
	meshDatabase   *types.Database
	localDatabase  *types.Database
	// marked are the tables that stand at the mesh's database as hybrid; nil if it was not
	// looked yet.
	marked map[string]bool
	// unmarkedBeside tells that the mesh's database has other tables of this owner, and that a
	// version of before did not mark which of them are private.
	unmarkedBeside bool
	// tables are those that are to be published or brought up to date.
	tables []*publishedTable
	// moves tells of a sync that definitions change, so that locations have to be known.
	moves bool
	// sourceLinks tells of a migration what stands where tables of the source database
	// may have been: links to their copies, or something else.
	sourceLinks map[string]bool
	// definitions are those of the portion's tables, by name; nil while there are more
	// tables than a portion has and they have to be read again.
	definitions map[string]*types.TableInput
	granted     *permissions.Grants
	// hides tells that no table of the mesh's database is shown any more when those are private
	// that are to be so.
	hides bool
	// held are the grants in the producer's own account, as far as they matter.
	held *permissions.Grants
	// specials are grants of a migration's originals that are not on whole tables by name.
	specials  []permissions.Special
	locations []permissions.RegisteredLocation
	// located tells that locations were read.
	located      bool
	crawlerFound *catalog.Crawler
	// unaccepted tells that a share that carries grants waits to be accepted, or will.
	unaccepted bool
	// blocked are the ARNs of what was granted to the producer and no share carries.
	blocked map[string]string
	// sourceTagged tells that the source's catalog has LF-tags.
	sourceTagged bool
	// following is what has to be opened and closed for tables that moved.
	following following
	// tagKeys is what was found of the LF-tags that are to be assigned, by key.
	tagKeys  map[string]*tagKey
	warnings []string
	forgone

	// marks guards what is marked at tables while steps run, and buckets.
	marks sync.Mutex
	// buckets is what the buckets of the tables are to the producer, by name. looking is
	// held by who looks at them.
	buckets map[string]storage.Look
	looking sync.Mutex
}

// publication is a publication that is being carried out: what its steps bring about.
type publication struct {
	*surveyed

	// planned are the warnings of the plans that were carried out.
	planned []string
	// done is how many steps were done.
	done int
	// failed are the steps that failed, notBegun counts those that come after them.
	failed   []lakemesh.StepError
	notBegun int

	// shows tells that it lets the read-only role describe a table.
	shows bool

	// noting guards what steps find out while they run.
	noting sync.Mutex
	// registered are the buckets that were or are being registered.
	registered map[string]bool
	// retagged are the tables that were there before and got other LF-tags of the owner's.
	retagged []catalog.TableName
	// untagged are the owner's LF-tags that could not be set, and why.
	untagged []lakemesh.StepError
}

// publishedTable is one table of a publication: what the survey keeps of it.
type publishedTable struct {
	// name is the table's name, folded; link is that of the resource link.
	name, link string
	// digest stands for the definition that the mesh is to have.
	digest catalog.Digest
	// original tells that the source database has the table itself. A table that was
	// migrated before has no original any more.
	original bool
	// partitioned tells that the table has partition keys. keys are their names and types.
	partitioned bool
	keys        []types.Column
	// iceberg tells that it is an Iceberg table: its copy is a snapshot. previous is its
	// metadata file before the current one.
	iceberg           bool
	pointer, previous string
	// known are the places that the definition names. place is its location; stored is
	// false if that is no place.
	known  places.Table
	place  storage.Place
	stored bool
	// was is where the copy in the mesh has it, if the mesh has the table.
	was places.Table
	// found tells that the mesh has the table, same that its definition is the wanted
	// one. copy is what the survey found there.
	found, same bool
	copy        copyFound
	// conflict says how the copy was changed by others since it was published; empty if it
	// was not.
	conflict string
	// drift is how the partitions in the mesh differ; nil if they were not compared, as for a table that is not in the
	// mesh yet, and for one whose partitions are those that were published. unread is why
	// they could not be read.
	drift  *catalog.Drift
	unread error
	// made tells that the table is in the mesh since this publication, ungranted that it
	// could not be granted to the producer's account.
	made, ungranted bool
	// strays are the partitions that were found outside of the table's place.
	strays strays
	// linkFound tells that the link is there.
	linkFound bool
	// tags are the LF-tags that the table is to have, and lacks.
	tags map[string]string
	// stale are LF-tags of the copy that the source has not, as key=value.
	stale []string
	// allTags are the LF-tags that count for the original, those of its database and of its
	// columns among them; read for a migration where grants go by tags.
	allTags permissions.Tags
	// sourceTags are those of the original.
	sourceTags map[string]string
}

// Limits of names and LF-tag values.
const maxName = 255

var (
	// A name can hold more according to Glue, but what is linked must be usable in
	// SQL
	// (https://docs.aws.amazon.com/athena/latest/ug/glue-best-practices.html).
	suffixPattern   = regexp.MustCompile(`^[\p{L}\p{N}_-]*$`)
	namePattern     = regexp.MustCompile(`^[^\x00-\x1f\x7f/\\]+$`)
	tagValuePattern = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:*/=+\-@%]*$`)
	roleARNPattern  = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+$`)
)

// accept checks the input, as far as that can be done without asking AWS.
func (w *wantedPublication) accept(in CreateDataProductsInput) error {
	var err error
	if w.source, err = databaseName("SourceDatabaseName", in.SourceDatabaseName); err != nil {
		return err
	}
	if w.tableNames, err = expression.Parse("TableNameRegex", in.TableNameRegex); err != nil {
		return err
	}
	target, from := in.ExposeDataMeshDBName, "ExposeDataMeshDBName"
	if target == "" {
		target, from = lakemesh.MeshDatabaseName(w.source, w.account), "SourceDatabaseName"
	}
	if w.target, err = databaseName(from, target); err != nil {
		return err
	}
	w.local = w.target
	w.suffix = DefaultLinkSuffix
	if in.ExposeTableReferencesWithSuffix != nil {
		w.suffix = *in.ExposeTableReferencesWithSuffix
	}
	if !suffixPattern.MatchString(w.suffix) {
		return lakemesh.Invalid("ExposeTableReferencesWithSuffix", "%q cannot end a table's name: letters, digits, _ and - can", w.suffix)
	}
	if utf8.RuneCountInString(w.suffix) >= maxName {
		return lakemesh.Invalid("ExposeTableReferencesWithSuffix", "it leaves no room for a name: names have at most %d characters", maxName)
	}
	w.suffix = strings.ToLower(w.suffix)
	w.deep, w.overwrite, w.hybrid = in.Deep, in.Overwrite, in.Hybrid
	w.public = in.CreatePublicMetadata
	w.tags = map[string]string{}
	for _, tag := range []struct{ parameter, key, value string }{
		{"Domain", lakemesh.DomainTag, in.Domain}, {"DataProductName", lakemesh.ProductTag, in.DataProductName},
	} {
		value := strings.TrimSpace(tag.value)
		if value == "" {
			continue
		}
		if utf8.RuneCountInString(value) > permissions.MaxTagLength || !tagValuePattern.MatchString(value) {
			return lakemesh.Invalid(tag.parameter, "%q cannot be the value of an LF-tag: at most %d letters, digits, spaces and _ . : * / = + - @ %%", value, permissions.MaxTagLength)
		}
		w.tags[lakemesh.OwnerTag(tag.key, w.account)] = permissions.FoldTag(value)
		w.tags[tag.key] = permissions.FoldTag(value)
	}
	return w.acceptCrawler(in)
}

func (w *wantedPublication) acceptCrawler(in CreateDataProductsInput) error {
	if in.SyncMeshCatalogSchedule != "" {
		if err := schedule.Check("SyncMeshCatalogSchedule", in.SyncMeshCatalogSchedule); err != nil {
			return err
		}
	}
	role := in.SyncMeshCrawlerRoleARN
	if role == "" {
		if in.SyncMeshCatalogSchedule != "" {
			return lakemesh.Invalid("SyncMeshCatalogSchedule", "a schedule needs a crawler: name its role in SyncMeshCrawlerRoleARN")
		}
		return nil
	}
	if err := w.partition.Check("SyncMeshCrawlerRoleARN", role); err != nil {
		return err
	}
	match := roleARNPattern.FindStringSubmatch(role)
	if match == nil {
		return lakemesh.Invalid("SyncMeshCrawlerRoleARN", "%q is not the ARN of a role: %s", role, w.partition.ARN("iam", "", "<account>", "role/<name>"))
	}
	if w.hybrid != nil && *w.hybrid {
		return lakemesh.Invalid("Hybrid", "a crawler's role would have to be opted in to what is in hybrid access mode: publish it without a crawler")
	}
	if match[1] != w.account {
		return lakemesh.Invalid("SyncMeshCrawlerRoleARN", "role %s belongs to account %s; the crawler runs in account %s and needs a role of that account",
			role, match[1], w.account)
	}
	name := crawlerName(w.local)
	if utf8.RuneCountInString(name) > maxName {
		return lakemesh.Invalid("ExposeDataMeshDBName", "the crawler's name, %s, would have more than %d characters", crawlerName("<database>"), maxName)
	}
	w.crawler = &catalog.Crawler{Name: name, Role: role, Database: w.local, Schedule: cmp.Or(in.SyncMeshCatalogSchedule, DefaultSchedule)}
	return nil
}

// crawlerName is the name of the crawler of a database of links.
func crawlerName(local string) string { return "lakemesh-" + local }

// databaseName checks a database's name and folds it as Glue does.
func databaseName(parameter, name string) (string, error) {
	switch {
	case name == "":
		return "", lakemesh.Invalid(parameter, "it is required")
	case utf8.RuneCountInString(name) > maxName:
		return "", lakemesh.Invalid(parameter, "the name %s would have %d characters, and at most %d are allowed", shorten(name), utf8.RuneCountInString(name), maxName)
	case !namePattern.MatchString(name):
		return "", lakemesh.Invalid(parameter, "%q is not the name of a database", shorten(name))
	}
	return strings.ToLower(name), nil
}

func shorten(name string) string {
	const most = 40
	if r := []rune(name); len(r) > most {
		return string(r[:most]) + "..."
	}
	return name
}

// dataAccessRole is the role that locations are registered with.
func (p *Producer) dataAccessRole() string {
	return p.partition.RoleARN(p.meshAccount, lakemesh.DataAccessRole(p.account))
}

func (p *Producer) readOnlyRole() string {
	return p.partition.RoleARN(p.meshAccount, lakemesh.ReadOnlyRole)
}

// ownRole is the producer's role in its own account, as grants name it.
func (p *Producer) ownRole() string { return p.partition.RoleARN(p.account, lakemesh.ProducerRole) }

// meshTable is a table of the target database as grants name it.
func (w *wantedPublication) meshTable(name string) permissions.Resource {
	return permissions.Table(w.meshAccount, w.target, name)
}

func (s *surveyed) warn(text string) { s.warnings = append(s.warnings, text) }
