package identity

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/awserr"
)

// Explain makes an error of AWS a [*lakemesh.Error]: what was done, where, to
// what, what AWS answered, what that means and what to do about it. An error that
// explains itself already is returned as it is.
func Explain(op, account, resource string, err error) error {
	if err == nil {
		return nil
	}
	if isExplained(err) {
		return err
	}
	code, message := awserr.Code(err), awserr.Message(err)
	what, kind := meaning(code, message)
	return &lakemesh.Error{Op: op, Account: account, Resource: resource, Code: code, Kind: kind, Message: message, Hint: what.hint, Do: what.do, Err: err}
}

// isExplained reports whether an error says itself what happened.
func isExplained(err error) bool {
	var (
		known      *lakemesh.Error
		transition *lakemesh.TransitionError
		claimed    *lakemesh.ClaimedError
		partial    *lakemesh.PartialError
	)
	return errors.As(err, &known) || errors.As(err, &transition) || errors.As(err, &claimed) || errors.As(err, &partial)
}

// advice is what to do about an error: in words, and with which operations.
type advice struct {
	hint string
	do   []lakemesh.Call
}

// meaning is what a code stands for, and what to do about it.
func meaning(code, message string) (what advice, kind error) {
	has := func(part string) bool { return strings.Contains(strings.ToLower(message), part) }
	switch {
	case slices.Contains(credentialCodes, code):
		return advice{hint: "the credentials are not valid or have expired; sign in again"}, lakemesh.ErrAccessDenied
	case slices.Contains(accessDeniedCodes, code):
		what := deniedHint(has, readDenial(message))
		what.hint = elsewhere(message) + what.hint
		return what, lakemesh.ErrAccessDenied
	case slices.Contains(notFoundCodes, code):
		return advice{}, lakemesh.ErrNotFound
	case slices.Contains(quotaCodes, code):
		return advice{hint: "ask AWS to raise the quota, or remove what is not needed any more"}, lakemesh.ErrQuota
	case slices.Contains(invalidCodes, code) && has("invalid principal"):
		return advice{hint: "a principal that is named does not exist, or is too new to be known everywhere"}, lakemesh.ErrInvalidInput
	case slices.Contains(invalidCodes, code):
		return advice{}, lakemesh.ErrInvalidInput
	}
	return advice{}, nil
}

// deniedHint quotes what AWS denied and why, and then tells what to do.
func deniedHint(has func(string) bool, d denial) advice {
	what := d.remedy()
	switch {
	case has("illegal combination"):
		what = advice{hint: "IAM_ALLOWED_PRINCIPALS still holds permissions on it, which bars grants to other accounts; revoke them first"}
	case has("lake formation permission"):
		what = advice{hint: "a data lake administrator of that account, or who holds the permission with the grant option, can grant it"}
	case has("resource does not exist or requester is not authorized"):
		what = advice{hint: "it does not exist, or the caller holds no permission on it"}
	case what.hint == "":
		what = advice{"the caller's IAM policy does not allow it, or is too new to be known everywhere; if the roles were made by an older version, " +
			"the mesh's administrator or the account's brings them up to date", rolesUpToDate()}
	}
	if quote := d.quote(); quote != "" {
		what.hint = quote + "; " + what.hint
	}
	return what
}

// ourTable finds a table of the mesh in a message, and its region.
var ourTable = regexp.MustCompile(`arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):[0-9]{12}:table/AwsDataMesh`)

// elsewhere is said of a refusal at the mesh's tables, which stand in one region: where they
// do not, IAM refuses as it does for what is not allowed.
func elsewhere(message string) string {
	m := ourTable.FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	return "if the mesh is in another region than " + m[1] + ", work in that one; else "
}

// rolesUpToDate bring the roles of the mesh, and those of an account, up to date.
func rolesUpToDate() []lakemesh.Call {
	return []lakemesh.Call{lakemesh.Do("admin.UpgradeMesh"), lakemesh.Do("admin.InitializeProducerAccount"), lakemesh.Do("admin.InitializeConsumerAccount")}
}
