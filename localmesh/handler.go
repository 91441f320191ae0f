package localmesh

import (
	"net"
	"net/http"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/lakemesh/lakemesh/localmesh/internal/wire"
)

// handler serves the mesh over HTTP, for loopback names only unless the mesh was
// told otherwise, and within the limits of what one request may ask for.
type handler struct {
	mesh *Mesh
	// room is shared by the bodies of all requests that are under way.
	room *semaphore.Weighted
	// protocols are those of the services.
	protocols map[string]wire.Protocol
}

func newHandler(m *Mesh) handler {
	h := handler{m, semaphore.NewWeighted(maxBodies), map[string]wire.Protocol{}}
	for _, s := range m.engine.Services() {
		h.protocols[s.Name] = s.Protocol
	}
	return h
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.mesh.options.anyHost && !IsLoopback(r.Host) {
		http.Error(w, "this server answers requests for loopback host names only", http.StatusMisdirectedRequest)
		return
	}
	release, err := h.bound(w, r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	defer release()
	h.mesh.engine.ServeHTTP(w, r)
}

// IsLoopback reports whether a Host header names this machine's loopback
// interface. A bucket may stand before "localhost".
func IsLoopback(host string) bool {
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
