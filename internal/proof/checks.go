package proof

import "slices"

// Checks are all checks, in the order in which they are run: what one makes is of no matter to the
// next.
func Checks() []Check {
	return slices.Concat(settingsChecks(), glueChecks(), linkChecks(), locationChecks(), grantChecks(), listingChecks(), tagChecks(), filterChecks(), sharingChecks(), directChecks(), acrossChecks(),
		hybridChecks(), athenaChecks(), identityChecks(), bucketChecks(), recordChecks(), scheduleChecks(), shareChecks(),
		latenessChecks(), forwardedChecks(), moreFilterChecks(), readingChecks(), moreScheduleChecks(), expressionChecks(),
		scheduleGroupChecks(), moreSharingChecks(), writingChecks(), optInChecks(), listingEndChecks())
}
