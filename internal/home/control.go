package home

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakemesh/lakemesh"
	"github.com/lakemesh/lakemesh/localmesh"
)

// control answers what is asked of the server itself, and hands everything else to
// the mesh. Only who can read the server's file has its token, so a page in a
// browser cannot reach it.
type control struct {
	self     *server
	mesh     *localmesh.Mesh
	dir      string
	accounts Accounts
	stop     func()
	aws      http.Handler
	exposed  bool
	clones   *clones
}

// The server's own paths and the header with its token. No bucket can be called
// like that.
const (
	ownPaths        = "/_lakemesh/"
	statusPath      = ownPaths + "status"
	stopPath        = ownPaths + "stop"
	healthPath      = ownPaths + "health"
	credentialsPath = ownPaths + "credentials"
	clonesPath      = ownPaths + "clones"
	tokenHeader     = "Lakemesh-Token"
)

func (c control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isVisitor(r) {
		c.welcome(w)
		return
	}
	// What is signed is for S3, in which a key may begin like that where the bucket is in the host's name.
	if !strings.HasPrefix(r.URL.Path, ownPaths) || strings.HasPrefix(r.Header.Get("Authorization"), "AWS") {
		c.aws.ServeHTTP(w, r)
		return
	}
	if !c.exposed && !localmesh.IsLoopback(r.Host) {
		http.Error(w, "this server answers requests for loopback host names only", http.StatusMisdirectedRequest)
		return
	}
	asked := r.Method + " " + r.URL.Path
	if asked == "GET "+healthPath || asked == "HEAD "+healthPath {
		c.health(w, r)
		return
	}
	token := r.Header.Get(tokenHeader)
	if token == "" {
		// The SDKs' container credentials send their token like that.
		token = r.Header.Get("Authorization")
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(c.self.Token)) != 1 {
		http.Error(w, "the token is not this server's: it is in the file "+serverFile+" of its folder", http.StatusForbidden)
		return
	}
	switch asked {
	case "GET " + statusPath:
		answer(w, http.StatusOK, Status{Running: true, Folder: c.dir, Address: c.self.Address, PID: c.self.PID,
			Started: c.self.Started.Format(lakemesh.TimeFormat), Calls: c.mesh.Calls()})
	case "POST " + stopPath:
		w.WriteHeader(http.StatusNoContent)
		c.stop()
	case "GET " + credentialsPath:
		c.credentials(w, r)
	case "POST " + clonesPath:
		address, err := c.clones.add(r.Context(), c)
		if errors.Is(err, errTooManyClones) {
			http.Error(w, err.Error(), http.StatusTooManyRequests)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, http.StatusCreated, Clone{Address: address})
	default:
		http.NotFound(w, r)
	}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that went away needs no answer.
	_ = json.NewEncoder(w).Encode(value)
}

// credentials gives the keys of the principal that the query names: the session of a role, or
// the access key of a user or a root. As with [localmesh.Mesh.Config], the first principal of
// an account is made on the way, and administers it.
func (c control) credentials(w http.ResponseWriter, r *http.Request) {
	principal := r.URL.Query().Get("as")
	keys, err := c.mesh.Config(principal).Credentials.Retrieve(r.Context())
	if err != nil {
		// The SDK's cache says first that it failed to refresh.
		if inner := errors.Unwrap(err); inner != nil {
			err = inner
		}
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	answer(w, http.StatusOK, revealed(keys))
}

// revealed are keys in the form that the SDKs read from a container's endpoint
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
func revealed(keys aws.Credentials) map[string]string {
	all := map[string]string{"AccessKeyId": keys.AccessKeyID, "SecretAccessKey": keys.SecretAccessKey}
	if keys.SessionToken != "" {
		all["Token"] = keys.SessionToken
		all["Expiration"] = keys.Expires.UTC().Format(time.RFC3339)
	}
	return all
}
