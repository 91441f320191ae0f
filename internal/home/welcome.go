package home

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/lakemesh/lakemesh/localmesh"
)

// isVisitor reports whether a person looks what there is at the server's address, with a
// browser or by hand. No SDK asks for a page, and S3 would answer an unsigned listing of
// buckets with a refusal that tells such a person nothing.
func isVisitor(r *http.Request) bool {
	if r.Method != http.MethodGet || r.URL.Path != "/" || r.URL.RawQuery != "" || r.Header.Get("Authorization") != "" || !localmesh.IsLoopback(r.Host) {
		return false
	}
	agent := strings.ToLower(r.UserAgent())
	return strings.Contains(r.Header.Get("Accept"), "text/html") || strings.HasPrefix(agent, "curl/") || strings.HasPrefix(agent, "wget/")
}

// welcome tells a visitor what this is, and how to work with it.
func (c control) welcome(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	// A visitor who went away needs no answer.
	_, _ = fmt.Fprintf(w, `This is a local mesh of lakemesh: a stand-in for AWS services, for AWS programs and SDKs.

  eval "$(lakemesh local env)"      sets an environment in which they find it
  aws sts get-caller-identity       is a first call
  %s%s      tells what there is in it

It listens to this machine alone, unless it was told otherwise.
`, c.self.Address, healthPath)
}
