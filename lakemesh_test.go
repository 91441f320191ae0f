package lakemesh_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/printable"
)

func TestTransitionsOfASubscription(t *testing.T) {
	t.Parallel()
	legal := map[lakemesh.Action][]lakemesh.Status{
		lakemesh.ActionApprove: {lakemesh.Pending},
		lakemesh.ActionDeny:    {lakemesh.Pending},
		lakemesh.ActionCancel:  {lakemesh.Pending},
		lakemesh.ActionUpdate:  {lakemesh.Active},
		lakemesh.ActionDelete:  {lakemesh.Active},
		lakemesh.ActionImport:  {lakemesh.Active},
		lakemesh.ActionLeave:   {lakemesh.Active},
		lakemesh.ActionRequest: nil,
	}
	for action, from := range legal {
		for _, state := range []lakemesh.Status{lakemesh.Pending, lakemesh.Active, lakemesh.Denied, lakemesh.Deleted} {
			err := action.Check("id", state)
			if slices.Contains(from, state) != (err == nil) {
				t.Errorf("%s from %s: %v", action, state, err)
			}
			if err == nil {
				continue
			}
			var illegal *lakemesh.TransitionError
			if !errors.Is(err, lakemesh.ErrIllegalTransition) || !errors.As(err, &illegal) || illegal.Found != state {
				t.Errorf("%s from %s: %v does not tell the state found", action, state, err)
			}
		}
	}
}

func permissionSets() *rapid.Generator[lakemesh.Permissions] {
	return rapid.Custom(func(t *rapid.T) lakemesh.Permissions {
		return lakemesh.NewPermissions(rapid.SliceOf(rapid.SampledFrom(lakemesh.TablePermissions())).Draw(t, "permissions")...)
	})
}

func TestPermissionAlgebra(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := permissionSets().Draw(t, "a"), permissionSets().Draw(t, "b"), permissionSets().Draw(t, "c")
		before := slices.Clone(a)
		check := func(law string, ok bool) {
			if !ok {
				t.Errorf("%s fails for %v, %v, %v", law, a, b, c)
			}
		}
		check("union commutes", a.Union(b).Equal(b.Union(a)))
		check("union associates", a.Union(b).Union(c).Equal(a.Union(b.Union(c))))
		check("union is idempotent", a.Union(a).Equal(a))
		check("minus and intersection part a set", a.Minus(b).Union(a.Intersect(b)).Equal(a))
		check("minus leaves nothing of b", len(a.Minus(b).Intersect(b)) == 0)
		check("a part is a subset", a.Minus(b).SubsetOf(a) && a.Intersect(b).SubsetOf(b))
		check("taking away and giving back", a.Union(b).Minus(b).Union(a.Intersect(b)).Equal(a))
		check("nothing changes its operands", slices.Equal(before, a))
	})
}

func TestParsePermissionsNamesTheValidOnes(t *testing.T) {
	t.Parallel()
	got, err := lakemesh.ParsePermissions(" select", "DESCRIBE", "select", "Super")
	if err != nil || got.String() != "ALL, DESCRIBE, SELECT" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "READ", "CREATE_TABLE", "SELECT,INSERT"} {
		_, err := lakemesh.ParsePermissions(bad)
		if !errors.Is(err, lakemesh.ErrInvalidInput) || !strings.Contains(err.Error(), "ALL, ALTER, DELETE, DESCRIBE, DROP, INSERT, SELECT") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSubscriptionIDs(t *testing.T) {
	t.Parallel()
	id := lakemesh.NewSubscriptionID("111111111111", "999999999999")
	owner, subscriber, legacy, err := lakemesh.ParseSubscriptionID(id)
	if err != nil || owner != "111111111111" || subscriber != "999999999999" || legacy {
		t.Errorf("%s: %s %s %v %v", id, owner, subscriber, legacy, err)
	}
	if _, _, legacy, err := lakemesh.ParseSubscriptionID(lakemesh.NewShortID()); err != nil || !legacy {
		t.Errorf("a short id: %v %v", legacy, err)
	}
	for _, bad := range []string{"", "x", id + "x", id[1:], "111111111111-999999999999-", id[:26] + "0000000000000000000000", id + "#P#x", " " + id} {
		if _, _, _, err := lakemesh.ParseSubscriptionID(bad); !errors.Is(err, lakemesh.ErrInvalidInput) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		seen[lakemesh.NewShortID()] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d different ids of 1000", len(seen))
	}
}

func TestSecretsCannotBePrinted(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMI"
	c := lakemesh.Credentials{AccountID: "111111111111", AccessKeyID: "AKIA", SecretAccessKey: secret, SessionToken: secret}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("opened", "credentials", c, "secret", c.SecretAccessKey)
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(c), fmt.Sprintf("%v %+v %#v", c, c, c),
		fmt.Sprintf("%s %q %v %x %#v", c.SecretAccessKey, c.SecretAccessKey, c.SecretAccessKey, c.SecretAccessKey, c.SecretAccessKey),
		log.String(), string(encoded),
	} {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("the secret is in %s", text)
		}
	}
	if c.SecretAccessKey.Reveal() != secret {
		t.Error("the secret cannot be used")
	}
}

func TestErrorsTellEverything(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	err := error(&lakemesh.Error{Op: "Grant", Account: "555555555555", Resource: "table d.t", Code: "AccessDeniedException",
		Kind: lakemesh.ErrAccessDenied, Message: "refused", Hint: "ask the owner", Err: cause})
	want := "Grant: table d.t in account 555555555555: refused (AccessDeniedException); ask the owner"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if !errors.Is(err, lakemesh.ErrAccessDenied) || !errors.Is(err, cause) || errors.Is(err, lakemesh.ErrNotFound) {
		t.Error("the kind or the cause is lost")
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	claimed := &lakemesh.ClaimedError{SubscriptionID: "s", Wanted: lakemesh.ActionDeny,
		Claim: lakemesh.Claim{Action: lakemesh.ActionApprove, By: "arn:x", At: at}}
	for _, part := range []string{"arn:x", "approve"} {
		if !strings.Contains(claimed.Error(), part) {
			t.Errorf("%q does not tell %q", claimed, part)
		}
	}
}

func TestErrorsAreOneLineWhateverTheySpeakOf(t *testing.T) {
	t.Parallel()
	const hostile = "x\r\n  2. [555555555555] grant\x1b]52;c;aGk=\x07\u009b\u202e\u200b\xff"
	inner := &lakemesh.Error{Op: hostile, Account: hostile, Resource: hostile, Code: hostile, Message: hostile, Hint: hostile}
	for _, err := range []error{
		inner,
		&lakemesh.Error{Account: hostile, Err: errors.New(hostile)},
		&lakemesh.Error{Err: errors.Join(inner, inner)},
		lakemesh.Invalid(hostile, "%s", hostile),
		lakemesh.NotFound(hostile, hostile, hostile),
		&lakemesh.TransitionError{SubscriptionID: hostile, Action: hostile, Found: hostile, Legal: []lakemesh.Status{hostile}, By: hostile},
		&lakemesh.ClaimedError{SubscriptionID: hostile, Wanted: hostile, Claim: lakemesh.Claim{By: hostile, Action: hostile}},
		&lakemesh.ClaimedError{SubscriptionID: hostile, Wanted: hostile, Claim: lakemesh.Claim{By: hostile, Action: hostile}, Expired: true},
		&lakemesh.PartialError{Op: hostile, Failed: []lakemesh.StepError{{Step: hostile, Err: errors.New(hostile)}, {Step: hostile, Err: inner}}},
	} {
		if !printable.Is(err.Error()) || !strings.Contains(err.Error(), "grant\\u001b]52") {
			t.Errorf("%T: %q", err, err)
		}
	}
}

func TestSubscriptionIsWrittenWithTheNamesOfItsRecord(t *testing.T) {
	t.Parallel()
	s := lakemesh.Subscription{ID: "s", Owner: "111111111111", Subscriber: "999999999999", Status: lakemesh.Pending, Database: "d",
		Tables: []string{"t"}, Requested: lakemesh.NewPermissions(lakemesh.Select), Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), CreatedBy: "me"}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"SubscriptionId":"s","OwnerPrincipal":"111111111111","SubscriberPrincipal":"999999999999","Status":"Pending","DatabaseName":"d","TableName":["t"],"RequestedGrants":["SELECT"],"CreationDate":"2026-01-02 03:04:05","CreatedBy":"me","ImportedToConsumer":false}`
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Error(diff)
	}
}

func FuzzParseSubscriptionID(f *testing.F) {
	f.Add("111111111111-999999999999-" + lakemesh.NewShortID())
	f.Add("")
	f.Fuzz(func(t *testing.T, id string) {
		owner, subscriber, legacy, err := lakemesh.ParseSubscriptionID(id)
		if err != nil {
			return
		}
		if !legacy && !strings.HasPrefix(id, owner+"-"+subscriber+"-") {
			t.Errorf("%q was read as %s and %s", id, owner, subscriber)
		}
	})
}

func ExampleParsePermissions() {
	granted, err := lakemesh.ParsePermissions("select", "describe")
	fmt.Println(granted, err)
	_, err = lakemesh.ParsePermissions("read")
	fmt.Println(errors.Is(err, lakemesh.ErrInvalidInput))
	// Output:
	// DESCRIBE, SELECT <nil>
	// true
}
