package chain

import (
	"strings"

	"github.com/lakemesh/lakemesh"
)

// advised is the finding with what to do about it by hand, where no command of lakemesh
// does.
func (f Finding) advised() Finding {
	if f.Command == "" && f.ByHand == "" {
		f.ByHand = advice(f)
	}
	return f
}

// advice is what somebody does by hand, by the link that is not as it was decided.
func advice(f Finding) string {
	switch f.Link {
	case Setup:
		return "change it with AWS's own tools in account " + f.Account + ", or leave it as it is"
	case Record:
		if f.Kind == Missing {
			return "the owner looks at it: lakemesh verify --subscription <id>"
		}
		return "have the account enabled again (lakemesh account enable), or the subscription ended by its owner (lakemesh subscription delete)"
	case Grant, HandedOn:
		switch {
		case f.Kind == Missing:
			return "the owner gives it again: lakemesh verify --repair"
		case f.Link == Grant && f.Kind == Undecided && f.Repairs == Owner && lakemesh.CheckAccountID("principal", f.Principal) == nil:
			return "make it a subscription (lakemesh adopt grants), or revoke it with Lake Formation in account " + f.Account
		}
		return "revoke it with Lake Formation, as a data lake administrator of account " + f.Account
	case Schedule:
		return "the owner mends it: lakemesh verify --repair"
	case Tag:
		return "take it away with Lake Formation, as a data lake administrator of account " + f.Account
	case Share:
		return "the owner mends it: lakemesh verify --repair"
	case Invitation:
		return "decline it in RAM, or leave it until it expires"
	case ResourceLink:
		if f.Kind == TooMuch && f.Repairs == Owner {
			return "approve the request, or let account " + f.Account + " drop the link with Glue"
		}
		return "drop the link with Glue, or ask for access (lakemesh request create)"
	case Location:
		if f.Kind == Missing {
			return "register it again with the role that the bucket is open to, as a data lake administrator of account " + f.Account
		}
		return "aws lakeformation deregister-resource --resource-arn " + location(f)
	case BucketPolicy:
		if f.Kind == Missing {
			return "change the statement of the bucket's policy that denies it"
		}
		return "take the statement out of the bucket's policy"
	case KeyPolicy:
		return "lakemesh account enable " + f.Account + " --account-type producer --add-kms-key <the bucket's key>, and let the key's own policy allow it (docs/kms.md)"
	case Metadata, Partitions:
		return "publish it again (lakemesh product create), or drop it with Glue in account " + f.Account
	}
	return "see docs/verify.md"
}

// location is the ARN of the location that a finding is about, which it names by its ARN or
// by its place.
func location(f Finding) string {
	path, ok := strings.CutPrefix(f.Resource, "s3://")
	if !ok {
		return strings.TrimSuffix(f.Resource, "/")
	}
	// The role that reads there is of the same partition.
	partition, ok := lakemesh.PartitionOfARN(f.Principal)
	if !ok {
		partition = lakemesh.PartitionAWS
	}
	return partition.BucketARN(strings.TrimSuffix(path, "/"))
}
