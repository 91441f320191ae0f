package identity

import (
	"errors"
	"net"

	"github.com/lakemesh/lakemesh"
)

// NoRegion explains an error of the first call in a region that somebody named, and that
// may not be there, or not be open to the account. A region that there is not has no
// endpoints, and so no addresses; one that the account has not enabled does not know its
// credentials (https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html).
func NoRegion(op, account, region string, err error) error {
	said := func(message, hint string) error {
		return &lakemesh.Error{Op: op, Account: account, Resource: "region " + region, Kind: lakemesh.ErrInvalidInput, Message: message, Hint: hint, Err: err}
	}
	if absent, ok := errors.AsType[*net.DNSError](err); ok && absent.IsNotFound {
		return said("no such region is known here", "correct the region's name, or see that its endpoints can be reached from here")
	}
	if HasCode(err, credentialCodes...) {
		return said("the region does not know the account's credentials: account "+account+" has not enabled it",
			"an administrator of the account enables it: aws account enable-region --region-name "+region)
	}
	return err
}
