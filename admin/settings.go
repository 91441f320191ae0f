package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation"
	"github.com/aws/aws-sdk-go-v2/service/lakeformation/types"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/identity"
	"github.com/lakemesh/lakemesh/internal/poll"
	"github.com/lakemesh/lakemesh/plan"
)

// versionParameter says how Lake Formation shares with other accounts; at least
// version minVersion is needed to share without a catalog resource policy
// (https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html).
const (
	versionParameter = "CROSS_ACCOUNT_VERSION"
	minVersion       = 3
)

// wantedSettings is what must hold in an account's data lake settings. Everything
// else in them is left as it is.
type wantedSettings struct {
	// administrator is to be a data lake administrator.
	administrator string
	// clearDefaults takes from new databases and tables the permissions of
	// IAM_ALLOWED_PRINCIPALS, which bar grants to other accounts.
	clearDefaults bool
	// version is the least cross-account version; 0 leaves it as it is.
	version int
	// fullTableAccess lets query engines that are not integrated read whole tables, or not; nil
	// leaves it as it is.
	fullTableAccess *bool
}

// change returns the settings as they are to be, and says what differs.
func (w wantedSettings) change(have types.DataLakeSettings) (types.DataLakeSettings, []string) {
	var changes []string
	// PutDataLakeSettings replaces everything: what is not sent is reset.
	next := have
	if n := distinct(have.DataLakeAdmins); len(n) != len(have.DataLakeAdmins) {
		next.DataLakeAdmins = n
		changes = append(changes, "list each data lake administrator once")
	}
	isAdministrator := func(p types.DataLakePrincipal) bool {
		return aws.ToString(p.DataLakePrincipalIdentifier) == w.administrator
	}
	if !slices.ContainsFunc(next.DataLakeAdmins, isAdministrator) {
		next.DataLakeAdmins = append(slices.Clone(next.DataLakeAdmins), types.DataLakePrincipal{DataLakePrincipalIdentifier: aws.String(w.administrator)})
		changes = append(changes, "make "+nameOf(w.administrator)+" a data lake administrator")
	}
	if w.clearDefaults {
		if len(have.CreateDatabaseDefaultPermissions)+len(have.CreateTableDefaultPermissions) > 0 {
			changes = append(changes, "give nobody default permissions on new databases and tables")
		}
		// An empty list must be sent; a nil one is left out.
		next.CreateDatabaseDefaultPermissions, next.CreateTableDefaultPermissions = []types.PrincipalPermissions{}, []types.PrincipalPermissions{}
	}
	// A version that is no number is one that we do not know, and none of ours to change.
	version, err := strconv.Atoi(have.Parameters[versionParameter])
	if unset := have.Parameters[versionParameter] == ""; (err == nil || unset) && version < w.version {
		next.Parameters = maps.Clone(have.Parameters)
		if next.Parameters == nil {
			next.Parameters = map[string]string{}
		}
		next.Parameters[versionParameter] = strconv.Itoa(w.version)
		was := "unset"
		if !unset {
			was = strconv.Itoa(version)
		}
		changes = append(changes, fmt.Sprintf("raise the cross-account version from %s to %d", was, w.version))
	}
	if w.fullTableAccess != nil && *w.fullTableAccess != aws.ToBool(have.AllowFullTableExternalDataAccess) {
		next.AllowFullTableExternalDataAccess = w.fullTableAccess
		if *w.fullTableAccess {
			changes = append(changes, "allow full table access to external engines")
		} else {
			changes = append(changes, "allow external engines no full table access any more")
		}
	}
	return next, changes
}

// distinct drops repetitions; the order stays.
func distinct(list []types.DataLakePrincipal) []types.DataLakePrincipal {
	seen := map[string]bool{}
	var once []types.DataLakePrincipal
	for _, p := range list {
		if id := aws.ToString(p.DataLakePrincipalIdentifier); !seen[id] {
			seen[id] = true
			once = append(once, p)
		}
	}
	return once
}

func (a *Admin) observeSettings(ctx context.Context) (types.DataLakeSettings, error) {
	out, err := a.lake.GetDataLakeSettings(ctx, &lakeformation.GetDataLakeSettingsInput{})
	if err != nil {
		return types.DataLakeSettings{}, identity.Explain("GetDataLakeSettings", a.account, "data lake settings", err)
	}
	if out.DataLakeSettings == nil {
		return types.DataLakeSettings{}, nil
	}
	return *out.DataLakeSettings, nil
}

// planSettings adds the step that makes the settings as wanted, or returns nil if
// they are. More administrators than there may be are an [lakemesh.ErrQuota].
func (a *Admin) planSettings(p *plan.Plan, have types.DataLakeSettings, want wantedSettings, after ...*plan.Step) (*plan.Step, error) {
	next, changes := want.change(have)
	if len(changes) == 0 {
		return nil, nil
	}
	if n := len(next.DataLakeAdmins); n > maxAdministrators {
		return nil, quotaError(a.account, "data lake settings", "data lake administrators in an account", maxAdministrators, n,
			"remove administrators that are not needed, such as the roles of producers that the original library made administrators")
	}
	return p.Add(plan.Step{
		Kind: plan.PutSettings, Account: a.account, Resource: "data lake settings", Detail: changes,
		Summary:   "change the data lake settings" + a.elsewhere() + ": " + strings.Join(changes, "; "),
		TakesAway: want.fullTableAccess != nil && !*want.fullTableAccess && aws.ToBool(have.AllowFullTableExternalDataAccess),
		Run:       func(ctx context.Context) error { return a.putSettings(ctx, want.change) },
	}, after...), nil
}

// writeSettings writes the settings. Lake Formation gives parameters that it may not
// take back, such as SET_CONTEXT; if it refuses all of them, it gets the one that is
// ours.
func (a *Admin) writeSettings(ctx context.Context, next types.DataLakeSettings) error {
	_, err := a.lake.PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &next})
	version, ours := next.Parameters[versionParameter]
	given := len(next.Parameters)
	next.Parameters = map[string]string{}
	if ours {
		next.Parameters[versionParameter] = version
	}
	if !identity.HasCode(err, "InvalidInputException") || identity.IsInvalidPrincipal(err) || len(next.Parameters) == given {
		return err
	}
	if _, second := a.lake.PutDataLakeSettings(ctx, &lakeformation.PutDataLakeSettingsInput{DataLakeSettings: &next}); second != nil {
		return err
	}
	a.log.WarnContext(ctx, "Lake Formation did not take back parameters of the data lake settings that it had given", "account", a.account, "error", err)
	return nil
}

// Of another writer of the settings it is assumed that its reading and writing are
// apart by at most othersPause times what ours are, and by at most leastPause if
// ours are next to nothing.
const (
	othersPause = 3
	leastPause  = 15 * time.Millisecond
)

// putSettings reads the settings, changes what is ours, writes them and reads them
// back, because the API has no condition that would show another writer. It begins
// anew until they are as wanted, and stay so: another writer may have read them
// before we wrote, and write after we looked. It takes about as long between the two
// as we did, so we look again after several times as long, twice.
func (a *Admin) putSettings(ctx context.Context, wanted func(types.DataLakeSettings) (types.DataLakeSettings, []string)) error {
	err := poll.Until(ctx, identity.Propagation, "the data lake settings of account "+a.account+" to be as wanted", func(ctx context.Context) (bool, error) {
		begun := time.Now()
		have, err := a.observeSettings(ctx)
		if err != nil {
			return false, err
		}
		next, changes := wanted(have)
		if len(changes) == 0 {
			return true, nil
		}
		err = a.writeSettings(ctx, next)
		if identity.IsInvalidPrincipal(err) {
			// The administrator was made a moment ago.
			return false, poll.NotYet(err)
		}
		if err != nil {
			return false, err
		}
		pause := max(othersPause*time.Since(begun), leastPause)
		for range 2 {
			if err := poll.Sleep(ctx, pause); err != nil {
				return false, err
			}
			if have, err = a.observeSettings(ctx); err != nil {
				return false, err
			}
			if _, changes = wanted(have); len(changes) > 0 {
				return false, nil
			}
		}
		return true, nil
	})
	if identity.IsInvalidPrincipal(err) {
		return &lakemesh.Error{Op: "PutDataLakeSettings", Account: a.account, Resource: "data lake settings", Kind: lakemesh.ErrInvalidInput, Err: err,
			Message: "Lake Formation refuses the list of administrators",
			Hint:    "an administrator in it was deleted from IAM; remove all of those in one change, in the Lake Formation console"}
	}
	return identity.Explain("PutDataLakeSettings", a.account, "data lake settings", err)
}

// isAdministrator reports whether a principal is a data lake administrator.
func isAdministrator(settings types.DataLakeSettings, arn string) bool {
	return slices.ContainsFunc(settings.DataLakeAdmins, func(p types.DataLakePrincipal) bool {
		return aws.ToString(p.DataLakePrincipalIdentifier) == arn
	})
}
