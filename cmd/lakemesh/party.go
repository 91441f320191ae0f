package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/internal/chain"
)

// What a command advises is for whoever typed it, or for somebody else: the other side of a
// subscription, an administrator. Who is somebody else has neither the profile nor the context
// of who typed it.

// party is whose a command is: a side's, the mesh's administrator's or that of an account.
type party string

const (
	ofProducer party = "producer"
	ofConsumer party = "consumer"
	ofMesh     party = "admin"
	ofAccount  party = "account"
)

// partyOf is the party of an identity.
func partyOf(who lakemesh.Identity) party {
	switch who {
	case lakemesh.ProducerIdentity:
		return ofProducer
	case lakemesh.ConsumerIdentity:
		return ofConsumer
	case lakemesh.MeshIdentity:
		return ofMesh
	}
	return ofAccount
}

// partyCommands are the commands that one party alone has, by the beginnings of what is typed.
func partyCommands() map[party][]string {
	return map[party][]string{
		ofProducer: {"product create", "product sync", "product migrate", "product restore", "product unpublish", "request approve", "request deny",
			"subscription update", "subscription abort", "subscription settle", "subscription delete", "adopt grants"},
		ofConsumer: {"request create", "request extend", "request cancel", "subscription import", "subscription tidy", "product list"},
		ofMesh:     {"mesh init", "mesh upgrade", "mesh opt-in", "mesh destroy", "account enable", "account disable", "account apply", "adopt records"},
		ofAccount:  {"account init", "account clear"},
	}
}

// namedSide is a side that a command names.
var namedSide = regexp.MustCompile(` --as (producer|consumer|admin)\b`)

// partyOfCommand is whose a command is that somebody is told to type, empty if several have it.
// The command comes without the program's name, with all that follows it.
func partyOfCommand(said string) party {
	said, _, _ = strings.Cut(said, "lakemesh ")
	if m := namedSide.FindStringSubmatch(spelledOut.FindString("lakemesh " + said)); m != nil {
		return party(m[1])
	}
	for of, commands := range partyCommands() {
		if slices.ContainsFunc(commands, func(c string) bool { return said == c || strings.HasPrefix(said, c) && !isLetter(said[len(c)]) }) {
			return of
		}
	}
	return ""
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b == '-' }

// whereFor are the flags with which a command is said: those that tell where the person works.
// Of who it is, the context and the profile, somebody else is told nothing, and the same
// administrator of an account, who has no profile of the mesh, keeps the profile. A credentials
// file holds the keys of all parties, and the context that names one is theirs, too.
func (a *app) whereFor(said string) string {
	of := partyOfCommand(said)
	switch {
	case a.acts == "" || of == "":
	case of != a.acts && a.file == nil:
		return a.typedElsewhere
	case of == ofAccount && a.acts == ofAccount && !strings.Contains(spelledOut.FindString("lakemesh "+said), " --profile "):
		return a.typed + a.sameProfile()
	}
	return a.typed
}

// actAs notes as whom the command works: the first that it opens.
func (a *app) actAs(who lakemesh.Identity) {
	if a.acts == "" {
		a.acts = partyOf(who)
	}
}

// hereFor is here for a finding, which says who repairs it.
func (a *app) hereFor(repairs chain.Party, text string) string {
	of, ok := map[chain.Party]party{chain.Owner: ofProducer, chain.Administrator: ofMesh}[repairs]
	if !ok || of == a.acts || a.acts == "" || a.file != nil {
		return a.here(text)
	}
	return a.hereWith(text, func(string) string { return a.typedElsewhere })
}
