package engine

// Readings are what of AWS can be read in several ways. The public type of the same
// form says what each field means.
type Readings struct {
	TransactionKeysAsSet          bool
	BatchKeysSingly               bool
	WritesNameIndexKeys           bool
	InheritedTagsUnasked          bool
	InheritedIdentityUnasked      bool
	LocationRolesTrustGlue        bool
	ForwardedCallsUnmarked        bool
	FirstVersionOfSharing         bool
	FifthVersionOfSharing         bool
	SetContextRefused             bool
	PrivilegedAccessGrantsNothing bool
	LocationsVerifiedOnce         bool
	UnreachableLocationsRefused   bool
	ListingsShowOwnRows           bool
	SharingNeedsNoInvitation      bool
	ListedRowsSplit               bool
	ListedRowsMerged              bool
	RowFiltersNeedPlainTables     bool
	GrantedFiltersStay            bool
	PermissionTypesSingly         bool
	ColumnsHandedOn               bool
	PastSchedulesRefused          bool
	HybridGrantsNeedNoOptIn       bool
	DirectGrantsShareTheAccount   bool
	AbsentPrincipalsAccepted      bool
	TagGrantsHandedOnInFull       bool
	SavedExpressionsStayInside    bool
	LapsedInvitationsFail         bool
	ColumnsBesideWiderGrants      bool
}
