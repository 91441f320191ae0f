package identity

import (
	"errors"
	"net"
	"net/url"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakemesh/lakemesh"
)

// nobodyThere reports whether a call did not arrive anywhere, as no further attempt will: the
// host refuses connections, or has no address.
func nobodyThere(err error) bool {
	absent, ok := errors.AsType[*net.DNSError](err)
	return ok && absent.IsNotFound || errors.Is(err, syscall.ECONNREFUSED)
}

// notInVain tries a call again only where somebody is there.
type notInVain struct{ aws.RetryerV2 }

func (r notInVain) IsErrorRetryable(err error) bool {
	return !nobodyThere(err) && r.RetryerV2.IsErrorRetryable(err)
}

// AtOnce is an option of the first call: an endpoint at which nobody is is told at once, and not
// after all the attempts of a call.
func AtOnce(o *sts.Options) {
	if r, ok := o.Retryer.(aws.RetryerV2); ok {
		o.Retryer = notInVain{r}
	}
}

// unreachable explains an error of the first call where nothing answered; nil where something
// did.
func unreachable(cfg aws.Config, err error) error {
	sent, ok := errors.AsType[*url.Error](err)
	if !ok || HasCode(err) {
		return nil
	}
	to := sent.URL
	if at, err := url.Parse(sent.URL); err == nil {
		to = at.Scheme + "://" + at.Host
	}
	e := &lakemesh.Error{Op: "open", Resource: to, Message: "nothing answers there: " + sent.Err.Error(), Err: err}
	absent, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case aws.ToString(cfg.BaseEndpoint) != "":
		// A local mesh gets another port at each start.
		e.Hint = "AWS_ENDPOINT_URL, or endpoint_url of the profile, names it: correct it, or start what is to be there (lakemesh local status tells of a local mesh)"
	case unknown && absent.IsNotFound:
		e.Hint = "correct the region, " + cfg.Region + ", or see that this computer can resolve AWS's names"
	default:
		e.Hint = "see that AWS can be reached from here: the network, a proxy (HTTPS_PROXY), endpoints of the VPC"
	}
	return e
}
