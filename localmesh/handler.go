package localmesh

import (
	"net"
	"net/http"
	"strings"
)

// handler serves the mesh over HTTP, for loopback names only unless the mesh was
// told otherwise.
type handler struct{ mesh *Mesh }

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.mesh.options.anyHost && !isLoopback(r.Host) {
		http.Error(w, "this server answers requests for loopback host names only", http.StatusMisdirectedRequest)
		return
	}
	h.mesh.engine.ServeHTTP(w, r)
}

// isLoopback tells whether a Host header names this machine's loopback
// interface. A bucket may stand before "localhost".
func isLoopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}
