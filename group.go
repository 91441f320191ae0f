package lakemesh

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Group is a domain or a data product of one owner, or a data product in a domain: all of
// the owner's tables that carry the LF-tags, whatever their databases are. What is published
// into it later belongs to it, and what leaves it does not.
//
// The LF-tags are those of the owner's own keys (see [OwnerTag]), which nobody else assigns.
type Group struct {
	// Domain and DataProduct are values of the owner's keys, in lower case; empty for any.
	Domain      string `json:"Domain,omitempty"`
	DataProduct string `json:"DataProduct,omitempty"`
}

// NoTagValue is the value that LF-tags are made with, since a key must have one. Nothing is
// ever granted by it.
const NoTagValue = "none"

// mostTagValue is how many characters a value of an LF-tag has at most
// (https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html).
const mostTagValue = 50

// NewGroup is the group that was said, in its form: trimmed and in lower case, as Lake
// Formation keeps values. What cannot be is an [ErrInvalidInput].
func NewGroup(domain, dataProduct string) (Group, error) {
	g := Group{Domain: strings.ToLower(strings.TrimSpace(domain)), DataProduct: strings.ToLower(strings.TrimSpace(dataProduct))}
	return g, g.Check()
}

// Check refuses a group that cannot be, with an [ErrInvalidInput].
func (g Group) Check() error {
	for _, v := range []struct{ field, text string }{{"Domain", g.Domain}, {"DataProduct", g.DataProduct}} {
		switch {
		case v.text == NoTagValue:
			return Invalid(v.field, "%q is the value of what has none", v.text)
		case strings.Contains(v.text, "*"):
			return Invalid(v.field, "%q would stand for any: name one", v.text)
		case utf8.RuneCountInString(v.text) > mostTagValue:
			return Invalid(v.field, "it has at most %d characters, and this has %d", mostTagValue, utf8.RuneCountInString(v.text))
		case strings.ContainsFunc(v.text, unicode.IsControl) || v.text != strings.ToLower(strings.TrimSpace(v.text)):
			return Invalid(v.field, "%q is no value of an LF-tag", v.text)
		}
	}
	return nil
}

// IsZero reports whether it is no group.
func (g Group) IsZero() bool { return g == Group{} }

// Tags are the LF-tags that the owner's tables of the group carry.
func (g Group) Tags(owner string) map[string]string {
	tags := map[string]string{}
	if g.Domain != "" {
		tags[OwnerTag(DomainTag, owner)] = g.Domain
	}
	if g.DataProduct != "" {
		tags[OwnerTag(ProductTag, owner)] = g.DataProduct
	}
	return tags
}

// String says the group in words; empty if it is none.
func (g Group) String() string {
	switch {
	case g.Domain != "" && g.DataProduct != "":
		return "data product " + g.DataProduct + " of domain " + g.Domain
	case g.DataProduct != "":
		return "data product " + g.DataProduct
	case g.Domain != "":
		return "domain " + g.Domain
	}
	return ""
}
