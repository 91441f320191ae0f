package engine

import (
	"context"
	"net/http"
	"time"
)

// Skewed is the mesh as a program sees it whose clock goes ahead of the mesh's by By:
// to that program the mesh's clock is behind.
type Skewed struct {
	*Mesh
	By time.Duration
}

type skew struct{}

// Do answers one AWS request in process.
func (s Skewed) Do(r *http.Request) (*http.Response, error) {
	return s.Mesh.Do(r.WithContext(context.WithValue(r.Context(), skew{}, s.By)))
}

// now is the time that signatures are held against, and that answers tell. Clients
// sign with the real time, so it is that and not the mesh's clock.
func (x *exchange) now() time.Time {
	by, _ := x.r.Context().Value(skew{}).(time.Duration)
	return time.Now().Add(-by)
}
