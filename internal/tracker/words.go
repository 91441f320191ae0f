package tracker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lakemesh/lakemesh"
)

// Words are what a consumer says in a request. They never change: the id of a
// request is made of them, so that whoever reads it can see whether they are still
// the same. To ask for something else is to make another request.
type Words struct {
	// Asked is how many times the same was asked for before.
	Asked int
	// Database is the product's database in the mesh; empty with a group.
	Database string
	// Group is the domain or the data product asked for, instead of a database and tables.
	Group lakemesh.Group
	// Tables are the tables asked for. Whole says that all of them are, those that
	// will be made among them; then Tables is empty.
	Tables []string
	Whole  bool
	// Expressions are the table expressions as they were asked for, if any.
	Expressions []string
	// Requested are the permissions asked for.
	Requested lakemesh.Permissions
	// Until is when access shall end, in UTC and to the second; the zero time is never.
	Until time.Time
	// Scope is what access shall be narrowed to.
	Scope lakemesh.Scope
	// Note is what was said to the owner.
	Note string
	// By is who asked.
	By string
}

// parts are the words in a fixed order, each list with its length.
func (w Words) parts() []string {
	what := "tables"
	if w.Whole {
		what = "all tables"
	}
	parts := []string{strconv.Itoa(w.Asked), w.Database, w.Requested.String(), w.By, w.Note, what, strconv.Itoa(len(w.Tables))}
	parts = append(append(parts, w.Tables...), strconv.Itoa(len(w.Expressions)))
	parts = append(parts, w.Expressions...)
	if !w.Until.IsZero() {
		// Requests without an end keep the ids that they had before there were any.
		parts = append(parts, "until", lakemesh.FormatTime(w.Until))
	}
	if !w.Scope.IsZero() {
		parts = append(parts, "scope", encodeScope(w.Scope))
	}
	if !w.Group.IsZero() {
		parts = append(parts, "group", w.Group.Domain, w.Group.DataProduct)
	}
	return parts
}

// ID is the id of a request with these words.
func (w Words) ID(owner, subscriber string) string {
	return lakemesh.DerivedSubscriptionID(owner, subscriber, w.parts()...)
}

// Digest stands for the words: 64 hexadecimal characters.
func (w Words) Digest() string {
	h := sha256.New()
	for _, p := range w.parts() {
		// The length before each part tells "a", "bc" from "ab", "c". A hash takes every byte.
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// same reports whether two requests ask for the same, whoever asks and why.
func (w Words) same(o Words) bool {
	return w.Database == o.Database && w.Group == o.Group && w.Whole == o.Whole && w.Requested.Equal(o.Requested) && w.Until.Equal(o.Until) && w.Scope.Equal(o.Scope) && sameNames(w.Tables, o.Tables)
}

// Bounds of what a request may say. A request within them leaves room for the
// owner's decision in an item of 400 KB.
const (
	mostNote        = 8 << 10
	mostExpressions = 64 << 10
	mostDatabase    = 4 * mostName
	mostName        = 255
	mostBy          = 2 << 10
	mostRequested   = 16
)

// CheckWords refuses words that do not fit into the record of a request, before
// they are written.
func CheckWords(w Words) error {
	if len(w.Note) > mostNote {
		return lakemesh.Invalid("Notes", "notes have at most %d bytes, and these have %d", mostNote, len(w.Note))
	}
	if size(w.Expressions) > mostExpressions {
		return lakemesh.Invalid("Tables", "table expressions have at most %d bytes together, and these have %d", mostExpressions, size(w.Expressions))
	}
	if n := len(encodeScope(w.Scope)); n > mostScope {
		return lakemesh.Invalid("Scope", "columns, rows and principals have at most %d bytes together, and these have %d", mostScope, n)
	}
	if !w.Group.IsZero() && (w.Database != "" || w.Whole || len(w.Tables) > 0) {
		return lakemesh.Invalid("Domain", "a domain or a data product is asked for by itself: leave the database and the tables out")
	}
	return errors.Join(w.Group.Check(), checkSize(w.Tables))
}

// areNames reports whether all of the texts can be names of tables: of 1 to 255
// characters, none of which is a control character but the tab
// (https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html).
func areNames(values []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool {
		return v == "" || utf8.RuneCountInString(v) > mostName || strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' })
	})
}

func size(values []string) int {
	n := 0
	for _, v := range values {
		n += len(v)
	}
	return n
}

// readWords reads the words of a request. What is wrong with them is told in
// fault; then they are what could be read, within the bounds, and are not to be
// decided on.
func readWords(i item) (w Words, fault string) {
	wrong := func(what string) {
		if fault == "" {
			fault = what
		}
	}
	bounded := func(name string, most int) string {
		v := text(i, name)
		if len(v) > most {
			wrong(fmt.Sprintf("its %s has %d bytes", name, len(v)))
			return ""
		}
		return v
	}
	w.Asked, w.Database, w.By = count(i, attrAsked), bounded(attrDatabase, mostDatabase), bounded(attrCreatedBy, mostBy)
	var ok bool
	if w.Group, ok = readGroup(i); !ok {
		wrong("the domain or the data product that it is for cannot be read")
	}
	if w.Database == "" && w.Group.IsZero() {
		wrong("it names no database")
	}
	if _, there := i[attrTables]; !there {
		w.Whole = w.Group.IsZero() && ok
	} else if w.Tables, ok = texts(i, attrTables); !ok || len(w.Tables) == 0 || !areNames(w.Tables) || checkSize(w.Tables) != nil {
		// No tables would stand for the whole database, and too many not fit into a decision.
		w.Tables = nil
		wrong("the tables that it names cannot be read")
	}
	if w.Expressions, ok = texts(i, attrExpressions); !ok || size(w.Expressions) > mostExpressions {
		w.Expressions = nil
		wrong("its table expressions cannot be read")
	}
	names, ok := texts(i, attrRequested)
	if !ok || len(names) > mostRequested || size(names) > mostRequested*32 {
		names = nil
		wrong("the permissions that it asks for cannot be read")
	}
	w.Requested = permissions(names)
	if w.Until, ok = readUntil(i, attrUntil); !ok {
		wrong("when it shall end cannot be read")
	}
	if w.Scope, ok = readScope(i, attrScope); !ok {
		wrong("the columns, rows or principals that it is for cannot be read")
	}
	switch notes, ok := texts(i, attrNotes); {
	case !ok || len(notes) > 1 || size(notes) > mostNote:
		wrong("its notes cannot be read")
	case len(notes) == 1:
		w.Note = notes[0]
	}
	return w, fault
}

// readUntil reads an end; none is the zero time. It reports whether it could be read: one
// that is written in any other form than lakemesh's cannot.
func readUntil(i item, name string) (_ time.Time, ok bool) {
	if _, there := i[name]; !there {
		return time.Time{}, true
	}
	t, err := time.Parse(lakemesh.TimeFormat, text(i, name))
	return t, err == nil && !t.IsZero() && lakemesh.FormatTime(t) == text(i, name)
}

// readGroup reads a group; none is the zero value. It reports whether it could be read:
// beside a database or tables it cannot.
func readGroup(i item) (g lakemesh.Group, ok bool) {
	names := []string{attrDomain, attrDataProduct}
	if !slices.ContainsFunc(names, func(n string) bool { return i[n] != nil }) {
		return g, true
	}
	g = lakemesh.Group{Domain: text(i, attrDomain), DataProduct: text(i, attrDataProduct)}
	wrong := slices.ContainsFunc(names, func(n string) bool { return i[n] != nil && text(i, n) == "" })
	if wrong || g.Check() != nil || i[attrDatabase] != nil || i[attrTables] != nil || isTrue(i, attrWhole) {
		return lakemesh.Group{}, false
	}
	return g, true
}

// writeGroup writes a group, if it is one, and else the database.
func writeGroup(u *update, g lakemesh.Group, database string) {
	if g.IsZero() {
		u.Set(attrDatabase, str(database))
	}
	if g.Domain != "" {
		u.Set(attrDomain, str(g.Domain))
	}
	if g.DataProduct != "" {
		u.Set(attrDataProduct, str(g.DataProduct))
	}
}

// write puts the words into an update of a request.
func (w Words) write(u *update) {
	writeGroup(u, w.Group, w.Database)
	u.Set(attrRequested, list(w.Requested.Strings()))
	u.Set(attrCreatedBy, str(w.By))
	if w.Asked > 0 {
		u.Set(attrAsked, digits(w.Asked))
	}
	if len(w.Tables) > 0 {
		u.Set(attrTables, names(w.Tables))
	}
	if len(w.Expressions) > 0 {
		u.Set(attrExpressions, list(w.Expressions))
	}
	if !w.Until.IsZero() {
		u.Set(attrUntil, str(lakemesh.FormatTime(w.Until)))
	}
	if !w.Scope.IsZero() {
		u.Set(attrScope, str(encodeScope(w.Scope)))
	}
	if w.Note != "" {
		u.AddTo(attrNotes, w.Note)
	}
}
