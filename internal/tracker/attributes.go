package tracker

// The attributes of a request that the original library shares; none of them may
// change. What the owner mirrors there is in [MirrorAttributes].
const (
	attrID         = "SubscriptionId"
	attrOwner      = "OwnerPrincipal"
	attrSubscriber = "SubscriberPrincipal"
	attrStatus     = "Status"
	attrDatabase   = "DatabaseName"
	attrTables     = "TableName"
	attrRequested  = "RequestedGrants"
	attrPermitted  = "PermittedGrants"
	attrGrantable  = "GrantableGrants"
	attrTableARNs  = "GrantedTableARNs"
	attrShares     = "RamShares"
	attrNotes      = "Notes"
	attrCreated    = "CreationDate"
	attrCreatedBy  = "CreatedBy"
	attrUpdated    = "UpdatedDate"
	attrUpdatedBy  = "UpdatedBy"
	attrImported   = "ImportedToConsumer"
)

// The attributes of a request that the original library does not know, and those
// of the pair's inbox.
const (
	// attrExpressions are the table expressions as they were asked for.
	attrExpressions = "RequestedExpressions"
	// attrUntil is when access shall end; in a decision it is when it ends.
	attrUntil = "Until"
	// attrScope is what access shall be narrowed to; in a decision it is what it is.
	attrScope = "Scope"
	// attrDomain and attrDataProduct are the group that access shall be to, in the place of
	// a database: an older version reads that no database is named, and does not decide.
	attrDomain      = "Domain"
	attrDataProduct = "DataProduct"
	// attrAsked is how many times the same was asked for before.
	attrAsked = "Asked"
	// attrTakenBack is that the consumer took its request back. Status says it, too, for
	// the original library; but the owner's mirror is written there.
	attrTakenBack = "TakenBack"
	// attrLeaving and attrLeftReason are the consumer's departure.
	attrLeaving    = "Leaving"
	attrLeftReason = "LeftReason"
	// attrImportedRevision is the revision of the decision that was imported.
	attrImportedRevision = "ImportedRevision"
	// attrLinkRegions are the regions in which resource links may be.
	attrLinkRegions = "LinkRegions"
	// attrEntries counts the entries of a side's history, attrHead is the hash of the
	// newest.
	attrEntries = "Entries"
	attrHead    = "Head"
	// attrOpen are the ids in an inbox; attrWithdrawn are those that the consumer took
	// back, attrJoined those that it imported. By these the consumer knows what it holds,
	// whatever the owner's ledger says.
	attrOpen      = "Open"
	attrWithdrawn = "Withdrawn"
	attrJoined    = "Joined"
)

// The attributes of an entry of a history, besides its key.
const (
	attrEntryOf     = "Subscription"
	attrAt          = "At"
	attrBy          = "By"
	attrAction      = "Action"
	attrFrom        = "From"
	attrTo          = "To"
	attrReason      = "Reason"
	attrPermissions = "Permissions"
	attrHandOn      = "Grantable"
	attrEntryTables = "Tables"
	attrPrev        = "Prev"
	attrSeen        = "Seen"
)

// ConsumerAttributes are the attributes that a consumer's role may name in a write
// to the table of subscriptions: those of its requests, of its entries of the
// history, and of its inboxes.
func ConsumerAttributes() []string {
	return []string{attrID, attrOwner, attrSubscriber, attrStatus, attrDatabase, attrTables, attrRequested, attrNotes,
		attrCreated, attrCreatedBy, attrUpdated, attrUpdatedBy, attrImported, attrExpressions, attrUntil, attrScope, attrDomain, attrDataProduct, attrAsked, attrTakenBack, attrLeaving, attrLeftReason,
		attrImportedRevision, attrLinkRegions, attrEntries, attrHead, attrOpen, attrWithdrawn, attrJoined,
		// Not what the consumer says: what its owner mirrors, which it can take out if that
		// leaves it no room.
		attrPermitted, attrGrantable, attrTableARNs, attrShares,
		attrEntryOf, attrAt, attrBy, attrAction, attrFrom, attrTo, attrReason, attrPermissions, attrHandOn, attrEntryTables, attrPrev, attrSeen}
}

// MirrorAttributes are the attributes of a request that an owner's role may name:
// what the original library reads of a decision. They are none of the consumer's
// words. Should AWS ask for the keys of the table's indexes in whatever is written, there
// is no mirror: an owner does not get to write whose request it is for that.
func MirrorAttributes() []string {
	return []string{attrID, attrStatus, attrPermitted, attrGrantable, attrTableARNs, attrShares, attrUpdated, attrUpdatedBy}
}
