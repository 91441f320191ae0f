package identity

import (
	"regexp"
	"testing"
)

var validSessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

func TestSessionNames(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:iam::111111111111:user/people/ann":                      "ann",
		"arn:aws:sts::111111111111:assumed-role/Analyst/ann@example.com": "ann@example.com",
		"arn:aws:iam::111111111111:root":                                 "root",
		"arn:aws:iam::111111111111:user/x":                               "lakemesh-x",
		"arn:aws:sts::111111111111:federated-user/J. Doe":                "J.-Doe",
		"": "lakemesh-",
	} {
		if got := sessionName(arn); got != want {
			t.Errorf("%s: got %s, want %s", arn, got, want)
		}
	}
}

func FuzzSessionName(f *testing.F) {
	f.Add("arn:aws:iam::111111111111:user/ann")
	f.Add("arn:aws:sts::111111111111:assumed-role/R/\u00e9\u00e8")
	f.Fuzz(func(t *testing.T, arn string) {
		if name := sessionName(arn); !validSessionName.MatchString(name) {
			t.Errorf("%q makes %q", arn, name)
		}
	})
}

func TestRoleNames(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:iam::111111111111:role/AwsDataMesh/DataMeshProducer":     "DataMeshProducer",
		"arn:aws:sts::111111111111:assumed-role/DataMeshProducer/session": "DataMeshProducer",
		"arn:aws:iam::111111111111:user/DataMeshProducer":                 "",
		"DataMeshProducer": "",
	} {
		if got := roleName(arn); got != want {
			t.Errorf("%s: got %q, want %q", arn, got, want)
		}
	}
}
