package lakemesh

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"regexp"
)

// idAlphabet is the base57 alphabet of short UUIDs: no 0, 1, I, O, l.
const idAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// shortIDLength is the length of a 128-bit number in base 57.
const shortIDLength = 22

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	shortIDPattern = regexp.MustCompile(`^[` + idAlphabet + `]{22}$`)
	longIDPattern  = regexp.MustCompile(`^([0-9]{12})-([0-9]{12})-([` + idAlphabet + `]{22})$`)
)

// NewShortID makes 22 random characters of base 57.
func NewShortID() string {
	var b [16]byte
	// crypto/rand.Read never fails since Go 1.24.
	_, _ = rand.Read(b[:])
	return shortID(b)
}

// shortID writes a 128-bit number in base 57.
func shortID(b [16]byte) string {
	n := new(big.Int).SetBytes(b[:])
	base, digit := big.NewInt(int64(len(idAlphabet))), new(big.Int)
	out := make([]byte, shortIDLength)
	for i := shortIDLength - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = idAlphabet[digit.Int64()]
	}
	return string(out)
}

// NewSubscriptionID makes an id of the form <owner>-<subscriber>-<22 characters>.
// The accounts come first so that IAM can keep each account to its own records
// with dynamodb:LeadingKeys.
func NewSubscriptionID(owner, subscriber string) string {
	return owner + "-" + subscriber + "-" + NewShortID()
}

// DerivedSubscriptionID makes an id of the form of [NewSubscriptionID] that is the
// same for the same parts, so that what is asked for twice is recorded once.
func DerivedSubscriptionID(owner, subscriber string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		// The length before each part tells "a", "bc" from "ab", "c". A hash takes every byte.
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return owner + "-" + subscriber + "-" + shortID([16]byte(h.Sum(nil)[:16]))
}

// ParseSubscriptionID takes an id apart. Ids of the original library are 22
// characters alone, and name no accounts: legacy is true for them.
func ParseSubscriptionID(id string) (owner, subscriber string, legacy bool, err error) {
	if m := longIDPattern.FindStringSubmatch(id); m != nil {
		return m[1], m[2], false, nil
	}
	if shortIDPattern.MatchString(id) {
		return "", "", true, nil
	}
	return "", "", false, Invalid("subscription id",
		"%q is not a subscription id: <owner account>-<subscriber account>-<22 characters>, or 22 characters in older meshes", id)
}

// CheckAccountID returns an [ErrInvalidInput] unless id has twelve digits. name is
// what the account is called in the message.
func CheckAccountID(name, id string) error {
	if accountPattern.MatchString(id) {
		return nil
	}
	return Invalid(name, "%q is not an account id: twelve digits", id)
}
