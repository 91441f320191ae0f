package glue

import (
	"strconv"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
	"github.com/lakemesh/lakemesh/localmesh/internal/store"
)

// examined bounds how many records a page looks at for each that it may hold. A
// page of what matches a filter, or of what the caller may see, can thus be empty
// and still have a token behind it.
const examined = 10

// pager fills one page from a scan.
type pager struct {
	size, budget int
	last         string
	more         bool
	kept         int
}

func newPager(size int) *pager { return &pager{size: size, budget: size * examined} }

// take tells whether a record that matches goes onto the page; when it does not,
// the page is full and the scan ends.
func (p *pager) take(key string) bool {
	if p.kept == p.size {
		p.more = true
		return false
	}
	p.kept++
	p.last = key
	return true
}

// pass counts a record that was looked at, and tells whether the scan goes on.
func (p *pager) pass(key string) bool {
	if p.kept < p.size {
		p.last = key
	}
	p.budget--
	if p.budget <= 0 {
		p.more = true
		return false
	}
	return true
}

// token is the token of the next page, or nil.
func (p *pager) token() *string {
	if !p.more {
		return nil
	}
	return engine.NextToken(p.last)
}

// after reads a token: the key behind which the page begins. It must be one of
// the keys under prefix.
func after(token *string, prefix ...string) (string, error) {
	key, err := engine.FromToken(token)
	if err != nil {
		return "", err
	}
	if key != "" && !strings.HasPrefix(key, store.Key(prefix...)+store.Separator) {
		return "", invalid("Invalid next token")
	}
	return key, nil
}

// offset reads a token that counts what was handed out before.
func offset(token *string, most int) (int, error) {
	text, err := engine.FromToken(token)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, invalid("Invalid next token")
	}
	return n, nil
}

func offsetToken(n int) *string { return engine.NextToken(strconv.Itoa(n)) }
