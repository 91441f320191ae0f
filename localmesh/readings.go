package localmesh

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// Readings answer questions on AWS that its documentation leaves open. Each field is
// an answer other than the one that most of the evidence is for, which is the zero
// value. A program that is right under all of them can be sure of none, and is
// right on AWS.
//
// The rules that they bear on are those of chapter 8 of docs/aws-rules.md.
type Readings struct {
	// TransactionKeysAsSet shows IAM the keys and attributes of all of a transaction's
	// items of a table and action together, so that one statement must allow them all.
	// Otherwise each item is asked about by itself.
	TransactionKeysAsSet bool
	// BatchKeysSingly shows IAM the keys of a batch one by one, so that different
	// statements may allow them. Otherwise they are one set.
	BatchKeysSingly bool
	// WritesNameIndexKeys adds to the attributes of PutItem and UpdateItem, as IAM is
	// shown them, the key attributes of the table's indexes, whether or not the item
	// has them.
	WritesNameIndexKeys bool
	// InheritedTagsUnasked lets a session hand on transitive tags without
	// sts:TagSession.
	InheritedTagsUnasked bool
	// InheritedIdentityUnasked lets a session hand on its source identity without
	// sts:SetSourceIdentity.
	InheritedIdentityUnasked bool
	// LocationRolesTrustGlue refuses to register a location with a role that does not
	// trust glue.amazonaws.com besides lakeformation.amazonaws.com, and asks for
	// iam:PassRole to both.
	LocationRolesTrustGlue bool
	// ForwardedCallsUnmarked leaves aws:ViaAWSService false in the calls that Lake
	// Formation makes of RAM and Glue with its caller's rights.
	ForwardedCallsUnmarked bool
	// FirstVersionOfSharing gives accounts that nobody configured version 1 of
	// cross-account sharing, FifthVersionOfSharing version 5. Otherwise it is 4.
	FirstVersionOfSharing, FifthVersionOfSharing bool
	// SetContextRefused refuses data lake settings that set SET_CONTEXT, although
	// settings are read with it.
	SetContextRefused bool
	// PrivilegedAccessGrantsNothing gives whoever registers a location with privileged
	// access no right to make tables there.
	PrivilegedAccessGrantsNothing bool
	// LocationsVerifiedOnce keeps the verification status of a location as it was when
	// the location was registered or last updated. Otherwise it is that of the moment.
	LocationsVerifiedOnce bool
	// UnreachableLocationsRefused refuses to register a location that its role cannot
	// read. Otherwise its verification has failed, and it can be opened later.
	UnreachableLocationsRefused bool
	// ListingsShowOwnRows shows those who are no data lake administrators only the rows
	// about themselves in ListPermissions.
	ListingsShowOwnRows bool
	// SharingNeedsNoInvitation treats all accounts as accounts of one organization that
	// has sharing enabled: nobody is invited, and what is shared is there.
	SharingNeedsNoInvitation bool
	// ListedRowsSplit makes a row of ListPermissions of each permission,
	// ListedRowsMerged one row of all permissions, with SELECT among them. Otherwise
	// SELECT is a row of its own.
	ListedRowsSplit, ListedRowsMerged bool
	// RowFiltersNeedPlainTables refuses row filters on tables in which any column is of
	// a type that row filters cannot compare. Otherwise only the columns count that the
	// expression names.
	RowFiltersNeedPlainTables bool
	// GrantedFiltersStay refuses to delete a data cells filter as long as somebody else
	// than its maker was granted it. Otherwise the grants end with it.
	GrantedFiltersStay bool
	// PermissionTypesSingly takes an engine that can enforce one kind of permission to
	// enforce no other. Otherwise each kind includes those that are simpler.
	PermissionTypesSingly bool
	// ColumnsHandedOn allows the grant option for SELECT on a list of columns.
	ColumnsHandedOn bool
	// PastSchedulesRefused refuses an enabled one-time schedule whose time has passed.
	// Otherwise it is due at once.
	PastSchedulesRefused bool
	// HybridGrantsNeedNoOptIn lets other accounts use what they were granted in hybrid
	// access mode before their principals were opted in.
	HybridGrantsNeedNoOptIn bool
	// DirectGrantsShareTheAccount puts the account into the share of what was granted to
	// a role or user of it. Otherwise the share is with the role or user, and each of
	// them comes with an invitation of its own.
	DirectGrantsShareTheAccount bool
	// AbsentPrincipalsAccepted lets a role or user of another account be granted
	// something before it is there. Otherwise it is no valid principal.
	AbsentPrincipalsAccepted bool
	// TagGrantsHandedOnInFull makes a policy of LF-tags that an account hands on worth
	// all that it matches. Otherwise it is worth what the account has itself.
	TagGrantsHandedOnInFull bool
	// SavedExpressionsStayInside refuses policies of LF-tags to other accounts that name
	// a saved expression.
	SavedExpressionsStayInside bool
	// LapsedInvitationsFail leaves an account whose invitation was not answered in time
	// in the share, as FAILED, so that it is invited again only after it was
	// disassociated. Otherwise it is disassociated by itself.
	LapsedInvitationsFail bool
	// ColumnsBesideWiderGrants accepts SELECT on some of the columns for a principal that
	// holds something on the whole table, to whom it says nothing.
	ColumnsBesideWiderGrants bool
}

// Strict are the readings that refuse most, or give least.
func Strict() Readings {
	return Readings{
		TransactionKeysAsSet: true, WritesNameIndexKeys: true, LocationRolesTrustGlue: true, FirstVersionOfSharing: true, SetContextRefused: true,
		PrivilegedAccessGrantsNothing: true, LocationsVerifiedOnce: true, UnreachableLocationsRefused: true, ListingsShowOwnRows: true, ListedRowsSplit: true,
		RowFiltersNeedPlainTables: true, GrantedFiltersStay: true, PermissionTypesSingly: true, PastSchedulesRefused: true,
		SavedExpressionsStayInside: true, LapsedInvitationsFail: true,
	}
}

// Lenient are the readings that differ from the default and do not refuse more. What
// is done for a stricter AWS has to be right on this one, too. ForwardedCallsUnmarked
// is in neither set: roles that ask for the mark cannot share without it, so that who
// sets a mesh up chooses between the two.
func Lenient() Readings {
	return Readings{
		BatchKeysSingly: true, InheritedTagsUnasked: true, InheritedIdentityUnasked: true, FifthVersionOfSharing: true,
		SharingNeedsNoInvitation: true, ListedRowsMerged: true,
		ColumnsHandedOn: true, HybridGrantsNeedNoOptIn: true, DirectGrantsShareTheAccount: true, AbsentPrincipalsAccepted: true,
		TagGrantsHandedOnInFull: true, ColumnsBesideWiderGrants: true,
	}
}

// ParseReadings reads "strict", "lenient", the names of single readings as
// "transaction-keys-as-set" for [Readings].TransactionKeysAsSet, or several of these
// with commas between them. A name with "-" before it takes a reading away from those
// before: "strict,-set-context-refused".
func ParseReadings(text string) (Readings, error) {
	var r Readings
	for word := range strings.SplitSeq(text, ",") {
		switch word = strings.TrimSpace(word); word {
		case "":
		case "strict":
			r = r.and(Strict())
		case "lenient":
			r = r.and(Lenient())
		default:
			name, off := strings.CutPrefix(word, "-")
			if !r.set(name, !off) {
				return r, fmt.Errorf("%q is no reading of AWS; there are strict, lenient, %s", word, strings.Join(ReadingNames(), ", "))
			}
		}
	}
	return r, nil
}

// ReadingNames are the names of the single readings.
func ReadingNames() []string {
	t := reflect.TypeFor[Readings]()
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = readingName(t.Field(i).Name)
	}
	return names
}

// String names the readings that are on, with commas between them.
func (r Readings) String() string {
	var on []string
	for i, name := range ReadingNames() {
		if reflect.ValueOf(r).Field(i).Bool() {
			on = append(on, name)
		}
	}
	return strings.Join(on, ",")
}

func readingName(field string) string {
	parts := regexp.MustCompile(`[A-Z][a-z]*`).FindAllString(field, -1)
	return strings.ToLower(strings.Join(parts, "-"))
}

func (r *Readings) set(name string, on bool) bool {
	v := reflect.ValueOf(r).Elem()
	for i, known := range ReadingNames() {
		if known == name {
			v.Field(i).SetBool(on)
			return true
		}
	}
	return false
}

// and has the readings that one of both has.
func (r Readings) and(other Readings) Readings {
	v, o := reflect.ValueOf(&r).Elem(), reflect.ValueOf(other)
	for i := range v.NumField() {
		v.Field(i).SetBool(v.Field(i).Bool() || o.Field(i).Bool())
	}
	return r
}

// WithReadings chooses among the readings of AWS. [Mesh.Clone] can change them.
func WithReadings(r Readings) Option { return func(o *options) { o.readings = r } }

// Readings are the readings that the mesh goes by.
func (m *Mesh) Readings() Readings { return m.options.readings }
